/* tests/core/op_geglu.c */
#include "tests/check.h"

static fc_tensor *geglu(fc_ctx *c, fc_tensor **in) { return fc_geglu(c, in[0]); }

static void gradient(void) {
  check_op("geglu", geglu, CHECK_INS({2, {3, 10}}), 0, 0);
  check_op("geglu_one", geglu, CHECK_INS({1, {2}}), 0, 0);
  check_op("geglu_large", geglu, CHECK_INS({3, {5, 67, 258}}), 0, 0);
  check_op("geglu_wide", geglu, CHECK_INS({2, {9, 9000}}), 0, 0); /* a row longer than a block */
}

static void like_its_parts(void) {
  fc_ctx          *c = check_ctx();
  fc_tensor       *x = check_random(c, FC_DIMS(5, 3, 14));
  fc_tensor       *a = fc_slice(c, x, 2, 0, 7), *g = fc_slice(c, x, 2, 7, 7);
  const fc_tensor *y = fc_mul(c, fc_activate(c, a, FC_ACT_GELU), g);

  /* the same formula, vector and scalar variants of erf differ by a few ulp */
  CHECK(check_distance(fc_geglu(c, x), y) <= 8 * (sizeof(fc_real) == 8 ? 2.3e-16 : 1.2e-7));
}

CHECK_SUITE(geglu, gradient, like_its_parts)
