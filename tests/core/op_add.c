/* tests/core/op_add.c */
#include "tests/check.h"

static fc_tensor *add(fc_ctx *c, fc_tensor **in) { return fc_add(c, in[0], in[1]); }
static fc_tensor *sub(fc_ctx *c, fc_tensor **in) { return fc_sub(c, in[0], in[1]); }
static fc_tensor *twice(fc_ctx *c, fc_tensor **in) { return fc_add(c, in[0], in[0]); }
static fc_tensor *chain(fc_ctx *c, fc_tensor **in) { /* gradients handed on and added to */
  fc_tensor *s = fc_add(c, in[0], in[1]);
  return fc_sub(c, fc_add(c, s, in[0]), fc_mul(c, in[1], s));
}

static fc_tensor *gated(fc_ctx *c, fc_tensor **in) {
  return fc_add_gated(c, fc_affine(c, in[0], 2, 1), in[1], in[2]);
}
static fc_tensor *gated_twice(fc_ctx *c, fc_tensor **in) { /* gradients of x come from both sides */
  return fc_add_gated(c, fc_affine(c, in[0], 0.5, 0), in[0], in[1]);
}
static fc_tensor *in_place(fc_ctx *c, fc_tensor **in) {
  return fc_add_in_place(c, fc_affine(c, in[0], 2, 1), in[1]);
}

static void gradient(void) {
  check_op("add_in_place", in_place, CHECK_INS({3, {4, 3, 500}}, {2, {3, 500}}), 0, 0);
  check_op("add_gated", gated, CHECK_INS({3, {4, 300, 7}}, {3, {4, 300, 7}}, {2, {1, 7}}), 0, 0);
  check_op("add_gated_twice", gated_twice, CHECK_INS({2, {9, 40}}, {1, {40}}), 0, 0);
  check_op("add", add, CHECK_INS({3, {2, 3, 5}}, {3, {2, 3, 5}}), 0, 0);
  check_op("add_one", add, CHECK_INS({1, {1}}, {1, {1}}), 0, 0);
  check_op("add_suffix", add, CHECK_INS({3, {4, 3, 5}}, {2, {3, 5}}), 0, 0);
  check_op("add_scalar", add, CHECK_INS({2, {7, 11}}, {0, {0}}), 0, 0);
  check_op("add_twice", twice, CHECK_INS({2, {3, 7}}), 0, 0);
  check_op("sub", sub, CHECK_INS({2, {3, 5}}, {2, {3, 5}}), 0, 0);
  check_op("sub_suffix", sub, CHECK_INS({3, {4, 3, 5}}, {1, {5}}), 0, 0);
  check_op("add_chain", chain, CHECK_INS({2, {40, 50}}, {2, {40, 50}}), 0, 0);
}

/* several threads; narrow, wide and very wide suffixes are summed in different cuts */
static void gradient_large(void) {
  check_op("add_large", add, CHECK_INS({2, {131, 401}}, {2, {131, 401}}), 0, 0);
  check_op("add_bias", add, CHECK_INS({2, {777, 129}}, {1, {129}}), 0, 0);
  check_op("sub_narrow", sub, CHECK_INS({2, {20011, 3}}, {1, {3}}), 0, 0);
  check_op("sub_wide", sub, CHECK_INS({3, {3, 41, 500}}, {2, {41, 500}}), 0, 0);
}

static void values(void) {
  fc_ctx          *c = check_ctx();
  fc_tensor       *a = check_random(c, FC_DIMS(6, 700)), *b = check_random(c, FC_DIMS(1, 700));
  const fc_tensor *y = fc_sub(c, fc_add(c, a, fc_reshape(c, b, FC_DIMS(700))), a);

  for (int64_t i = 0; i < 4200; i++)
    CHECK_NEAR(y->x[i], b->x[i % 700], 1e-6); /* one rounding of a + b, |a| < 8 */
}

CHECK_SUITE(add, gradient, gradient_large, values)
