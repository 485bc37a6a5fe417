/* tests/core/op_softmax.c */
#include "tests/check.h"

static fc_tensor *softmax(fc_ctx *c, fc_tensor **in) { return fc_softmax(c, in[0]); }

static void gradient(void) {
  check_op("softmax", softmax, CHECK_INS({3, {2, 3, 8}}), 0, 0);
  check_op("softmax_wide", softmax, CHECK_INS({2, {37, 1000}}), 0, 0); /* large enough for several threads */
}

static void rows_sum_to_one(void) {
  fc_ctx          *c = check_ctx();
  const fc_tensor *y = fc_softmax(c, check_random(c, FC_DIMS(3, 5, 7)));

  for (int64_t r = 0; r < 15; r++) {
    double sum = 0;
    for (int64_t j = 0; j < 7; j++) sum += (double)y->x[r * 7 + j];
    CHECK_NEAR(sum, 1.0, 7 * (sizeof(fc_real) == 8 ? 1e-16 : 6e-8)); /* one rounding per term */
  }
}

static void large_arguments_stay_finite(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(1, 3));

  x->x[0] = 1e4, x->x[1] = -1e4, x->x[2] = 1e4;
  const fc_tensor *y = fc_softmax(c, x);
  CHECK_NEAR(y->x[0], 0.5, 1e-7);
  CHECK_NEAR(y->x[1], 0, 0);
}

CHECK_SUITE(softmax, gradient, rows_sum_to_one, large_arguments_stay_finite)
