/* tests/core/op_mul.c */
#include "tests/check.h"

static fc_tensor *mul(fc_ctx *c, fc_tensor **in) { return fc_mul(c, in[0], in[1]); }
static fc_tensor *quotient(fc_ctx *c, fc_tensor **in) { return fc_div(c, in[0], in[1]); }
static fc_tensor *square(fc_ctx *c, fc_tensor **in) { return fc_mul(c, in[0], in[0]); }
static fc_tensor *square_of_sum(fc_ctx *c, fc_tensor **in) {
  fc_tensor *s = fc_add(c, in[0], in[1]);
  return fc_mul(c, s, s);
}

static void gradient(void) {
  check_op("mul", mul, CHECK_INS({3, {2, 3, 5}}, {3, {2, 3, 5}}), 0, 0);
  check_op("mul_one", mul, CHECK_INS({1, {1}}, {1, {1}}), 0, 0);
  check_op("mul_suffix", mul, CHECK_INS({3, {4, 3, 5}}, {2, {3, 5}}), 0, 0);
  check_op("mul_scalar", mul, CHECK_INS({2, {7, 11}}, {0, {0}}), 0, 0);
  check_op("mul_square", square, CHECK_INS({2, {3, 7}}), 0, 0);
  check_op("mul_square_of_sum", square_of_sum, CHECK_INS({2, {30, 70}}, {1, {70}}), 0, 0);
  check_op("div", quotient, CHECK_INS({2, {3, 5}}, {2, {3, 5}, .positive = true}), 0, 0);
  check_op("div_suffix", quotient, CHECK_INS({3, {4, 3, 5}}, {1, {5}, .positive = true}), 0, 0);
  check_op("div_scalar", quotient, CHECK_INS({2, {7, 11}}, {0, {0}, .positive = true}), 0, 0);
}

static void gradient_large(void) {
  check_op("mul_large", mul, CHECK_INS({2, {131, 401}}, {2, {131, 401}}), 0, 0);
  check_op("mul_gain", mul, CHECK_INS({2, {777, 129}}, {1, {129}}), 0, 0);
  check_op("mul_narrow", mul, CHECK_INS({2, {20011, 3}}, {1, {3}}), 0, 0);
  check_op("mul_wide", mul, CHECK_INS({3, {3, 41, 500}}, {2, {41, 500}}), 0, 0);
  check_op("div_large", quotient, CHECK_INS({2, {131, 401}}, {2, {131, 401}, .positive = true}), 0, 0);
  check_op("div_narrow", quotient, CHECK_INS({2, {20011, 3}}, {1, {3}, .positive = true}), 0, 0);
}

static void quotient_inverts_product(void) {
  fc_ctx          *c = check_ctx();
  fc_tensor       *a = check_random(c, FC_DIMS(9, 31)), *b = check_random(c, FC_DIMS(31));
  const fc_tensor *y = fc_div(c, fc_mul(c, a, b), b);

  CHECK(check_distance(y, a) <= 2 * (sizeof(fc_real) == 8 ? 2.3e-16 : 1.2e-7)); /* two roundings */
}

CHECK_SUITE(mul, gradient, gradient_large, quotient_inverts_product)
