/* tests/core/op_row_affine.c - gradients, with factors of each row and shared ones; moments by formula. */
#include "tests/check.h"

static fc_tensor *all(fc_ctx *c, fc_tensor **in) { return fc_row_affine(c, in[0], in[1], in[2], in[3]); }
static fc_tensor *scaled(fc_ctx *c, fc_tensor **in) { return fc_row_affine(c, in[0], NULL, in[1], NULL); }
static fc_tensor *moved(fc_ctx *c, fc_tensor **in) { return fc_row_affine(c, in[0], in[1], NULL, in[2]); }
/* the input is read elsewhere too: its gradient is added to */
static fc_tensor *twice(fc_ctx *c, fc_tensor **in) {
  return fc_add(c, fc_row_affine(c, in[0], in[1], in[2], NULL), in[0]);
}

static void gradient(void) {
  check_op("row_affine", all, CHECK_INS({3, {2, 3, 5}}, {2, {2, 3}}, {2, {2, 3}}, {2, {2, 3}}), 0, 0);
  check_op("row_affine_shared", all, CHECK_INS({3, {4, 3, 5}}, {1, {3}}, {2, {4, 3}}, {1, {3}}), 0, 0);
  check_op("row_affine_scaled", scaled, CHECK_INS({2, {4, 17}}, {1, {2}}), 0, 0);
  check_op("row_affine_moved", moved, CHECK_INS({2, {4, 17}}, {1, {4}}, {1, {1}}), 0, 0);
  check_op("row_affine_twice", twice, CHECK_INS({2, {3, 7}}, {1, {3}}, {1, {3}}), 0, 0);
  check_op("row_affine_fixed_x", all,
           CHECK_INS({3, {2, 3, 5}, .fixed = true}, {1, {3}}, {2, {2, 3}}, {1, {3}}), 0, 0);
  check_op("row_affine_large", all, CHECK_INS({3, {40, 7, 300}}, {1, {7}}, {2, {40, 7}}, {1, {7}}), 0, 0);
}

static void moments(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = fc_affine(c, check_random(c, FC_DIMS(200, 3, 100)), 2, 30), *mean, *deviation;

  fc_row_moments(c, x, 0.5, &mean, &deviation);
  CHECK(mean->ndim == 2 && mean->dim[0] == 200 && mean->dim[1] == 3 && fc_same_shape(mean, deviation));
  for (int r = 0; r < 600; r++) {
    double m = 0, v = 0;
    for (int j = 0; j < 100; j++) m += (double)x->x[r * 100 + j] / 100;
    for (int j = 0; j < 100; j++) v += pow((double)x->x[r * 100 + j] - m, 2) / 100;
    CHECK_NEAR(mean->x[r], m, 1e-5);
    CHECK_NEAR(deviation->x[r], sqrt(v + 0.5), 1e-5);
  }
}

/* a third has no exact value, and sums of it round; the mean must be the number itself */
static void constant_rows(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = fc_affine(c, check_random(c, FC_DIMS(2, 99)), 0, 1000 / 3.0), *mean, *deviation;

  fc_row_moments(c, x, 1e-4, &mean, &deviation);
  CHECK(mean->x[0] == x->x[0] && mean->x[1] == x->x[0]);
  CHECK_NEAR(deviation->x[1], 0.01, 1e-8);
}

CHECK_SUITE(row_affine, gradient, moments, constant_rows)
