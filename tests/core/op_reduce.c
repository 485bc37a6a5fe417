/* tests/core/op_reduce.c */
#include "tests/check.h"

#define SUM(name, axes)                                                                                      \
  static fc_tensor *name(fc_ctx *c, fc_tensor **in) { return fc_sum_axes(c, in[0], axes); }
SUM(none, 0)
SUM(first, 1)
SUM(last, 4)
SUM(middle, 2)
SUM(ends, 5)
SUM(scattered, 1 | 4 | 16)
static fc_tensor *mean(fc_ctx *c, fc_tensor **in) { return fc_mean_axes(c, in[0], 6); }
static fc_tensor *all(fc_ctx *c, fc_tensor **in) { return fc_sum_all(c, in[0]); }

static void gradient(void) {
  check_op("sum_none", none, CHECK_INS({3, {3, 4, 5}}), 0, 0);
  check_op("sum_first", first, CHECK_INS({3, {3, 4, 5}}), 0, 0);
  check_op("sum_middle", middle, CHECK_INS({3, {3, 4, 5}}), 0, 0);
  check_op("sum_last", last, CHECK_INS({3, {3, 4, 5}}), 0, 0);
  check_op("sum_ends", ends, CHECK_INS({3, {3, 4, 5}}), 0, 0);
  check_op("sum_unit", ends, CHECK_INS({3, {1, 4, 1}}), 0, 0);
  check_op("sum_scattered", scattered, CHECK_INS({5, {3, 4, 2, 5, 6}}), 0, 0);
  check_op("mean_axes", mean, CHECK_INS({3, {3, 4, 5}}), 0, 0);
  check_op("sum_all", all, CHECK_INS({3, {3, 4, 5}}), 0, 0);
}

static void gradient_large(void) {
  check_op("sum_first_large", first, CHECK_INS({3, {300, 11, 13}}), 0, 0);
  check_op("sum_first_wide", first, CHECK_INS({3, {7, 99, 61}}), 0, 0);
  check_op("sum_middle_large", middle, CHECK_INS({3, {4, 300, 65}}), 0, 0);
  check_op("sum_last_large", last, CHECK_INS({3, {33, 37, 41}}), 0, 0);
  check_op("sum_scattered_large", scattered, CHECK_INS({5, {7, 8, 9, 10, 11}}), 0, 0);
  check_op("mean_large", mean, CHECK_INS({3, {3, 150, 111}}), 0, 0);
  check_op("sum_all_large", all, CHECK_INS({3, {33, 37, 41}}), 0, 1e-4); /* |sum| is far below sum | | */
}

/* sums of small integers are exact in any order, whatever the cut */
static void exact(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = fc_tensor_new(c->arena, FC_DIMS(300, 5, 700));

  for (int64_t i = 0; i < fc_len(x); i++) x->x[i] = (fc_real)(i % 7);
  for (unsigned axes = 0; axes < 8; axes++) {
    const fc_tensor *y     = fc_sum_axes(c, x, axes);
    double          *want  = calloc((size_t)fc_len(y), sizeof *want);
    int64_t          wrong = 0;
    for (int64_t i = 0; i < fc_len(x); i++) {
      const int64_t k[3] = {i / 3500, i / 700 % 5, i % 700};
      int64_t       at   = 0;
      for (int a = 0; a < 3; a++)
        if (!(axes >> a & 1u)) at = at * x->dim[a] + k[a];
      want[at] += (double)x->x[i];
    }
    for (int64_t i = 0; i < fc_len(y); i++) wrong += (double)y->x[i] != want[i];
    CHECK(wrong == 0);
    free(want);
  }
  CHECK_NEAR(fc_mean_axes(c, x, 7)->x[0], 3, 0);
}

/* a million equal numbers: naive float summation would be off by per cents */
static void accurate(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = fc_tensor_new(c->arena, FC_DIMS(1 << 22));

  for (int64_t i = 0; i < fc_len(x); i++) x->x[i] = (fc_real)0.1f;
  CHECK_NEAR(fc_mean_axes(c, x, 1)->x[0], 0.1f, 1e-7);
}

CHECK_SUITE(reduce, gradient, gradient_large, exact, accurate)
