/* tests/core/op_unary_affine.c */
#include "tests/check.h"

static fc_tensor *affine(fc_ctx *c, fc_tensor **in) { return fc_affine(c, in[0], -2.5, 0.75); }
static fc_tensor *shift(fc_ctx *c, fc_tensor **in) { return fc_affine(c, in[0], 1, 3); }

static void gradient(void) {
  check_op("affine", affine, CHECK_INS({2, {3, 7}}), 0, 0);
  check_op("affine_scalar", affine, CHECK_INS({0, {0}}), 0, 0);
  check_op("affine_large", affine, CHECK_INS({2, {131, 401}}), 0, 0);
  check_op("affine_shift", shift, CHECK_INS({2, {33, 70}}), 0, 0);
}

static void values(void) {
  fc_ctx          *c = check_ctx();
  fc_tensor       *x = check_random(c, FC_DIMS(50));
  const fc_tensor *y = fc_affine(c, fc_affine(c, x, 4, 1), 0.25, -0.25);

  CHECK(check_distance(y, x) <= 2e-7); /* powers of two scale exactly; adding 1 rounds once */
}

CHECK_SUITE(unary_affine, gradient, values)
