/* tests/core/op_standardize.c */
#include "tests/check.h"

static fc_tensor *whole(fc_ctx *c, fc_tensor **in) { return fc_standardize(c, in[0], 1, 1, 1e-6); }
static fc_tensor *samples(fc_ctx *c, fc_tensor **in) {
  return fc_standardize(c, in[0], in[0]->dim[0], 0, 1e-6);
}
static fc_tensor *unbiased(fc_ctx *c, fc_tensor **in) {
  return fc_standardize(c, in[0], in[0]->dim[0], 1, 1e-3);
}

/* over the memory of a product's result, as models use it */
static fc_tensor *in_place(fc_ctx *c, fc_tensor **in) {
  return fc_standardize_in_place(c, fc_affine(c, in[0], 2, 1), in[0]->dim[0], 1, 1e-6);
}

static void gradient(void) {
  check_op("standardize_in_place", in_place, CHECK_INS({2, {3, 5000}}), 0, 0);
  check_op("standardize", whole, CHECK_INS({3, {2, 3, 5}}), 0, 0);
  check_op("standardize_rows", samples, CHECK_INS({2, {3, 7}}), 0, 0);
  check_op("standardize_unbiased", unbiased, CHECK_INS({2, {3, 7}}), 0, 0);
  check_op("standardize_long", unbiased, CHECK_INS({2, {2, 41000}}), 0, 0);
  check_op("standardize_many", samples, CHECK_INS({2, {700, 63}}), 0, 0);
}

/* mean 0 and the demanded variance, also far from zero: float numbers near 1000 are 6e-5 apart,
   so each y carries up to 1.5e-5 of rounding when the deviation is 2 */
static void moments(void) {
  enum { N = 100000 };
  fc_ctx    *c = check_ctx();
  fc_tensor *x = fc_affine(c, check_random(c, FC_DIMS(2, N)), 2, 1000);

  for (int ddof = 0; ddof < 2; ddof++) {
    const fc_tensor *y = fc_standardize(c, x, 2, ddof, 0);
    for (int r = 0; r < 2; r++) {
      double mean = 0, square = 0;
      for (int64_t i = 0; i < N; i++)
        mean += (double)y->x[r * N + i] / N, square += pow((double)y->x[r * N + i], 2);
      CHECK_NEAR(mean, 0, 3e-5);
      CHECK_NEAR(square / (N - ddof), 1, 2e-5);
    }
  }
}

/* what the unbiased variance means for two numbers: (a - b)^2 / 2 */
static void two_numbers(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = fc_tensor_new(c->arena, FC_DIMS(2));

  x->x[0] = 3, x->x[1] = 7;
  CHECK_NEAR(fc_standardize(c, x, 1, 1, 0)->x[0], -sqrt(0.5), 1e-7);
  CHECK_NEAR(fc_standardize(c, x, 1, 0, 0)->x[1], 1, 1e-7);
  CHECK_NEAR(fc_standardize(c, x, 1, 1, 8)->x[1], 0.5, 1e-7); /* 2 / sqrt(8 + 8) */
}

CHECK_SUITE(standardize, gradient, moments, two_numbers)
