/* tests/core/op_concat.c */
#include "tests/check.h"

static fc_tensor *concat_0(fc_ctx *c, fc_tensor **in) { return fc_concat(c, 0, 2, in); }
static fc_tensor *concat_1(fc_ctx *c, fc_tensor **in) { return fc_concat(c, 1, 3, in); }
static fc_tensor *concat_self(fc_ctx *c, fc_tensor **in) {
  return fc_concat(c, 1, 3, (fc_tensor *[]){in[0], in[1], in[0]});
}
static fc_tensor *stack_0(fc_ctx *c, fc_tensor **in) { return fc_stack(c, 0, 2, in); }
static fc_tensor *stack_1(fc_ctx *c, fc_tensor **in) { return fc_stack(c, 1, 3, in); }
static fc_tensor *stack_last(fc_ctx *c, fc_tensor **in) { return fc_stack(c, 2, 2, in); }

static void gradient(void) {
  check_op("concat_0", concat_0, CHECK_INS({2, {2, 3}}, {2, {4, 3}}), 0, 0);
  check_op("concat_1", concat_1, CHECK_INS({3, {2, 1, 3}}, {3, {2, 4, 3}}, {3, {2, 2, 3}}), 0, 0);
  check_op("concat_fixed", concat_1, CHECK_INS({2, {5, 1}}, {2, {5, 4}, .fixed = true}, {2, {5, 2}}), 0, 0);
  check_op("concat_self", concat_self, CHECK_INS({2, {5, 3}}, {2, {5, 4}}), 0, 0);
  check_op("concat_large", concat_1, CHECK_INS({2, {300, 5}}, {2, {300, 130}}, {2, {300, 64}}), 0, 0);
  check_op("stack_0", stack_0, CHECK_INS({2, {2, 3}}, {2, {2, 3}}), 0, 0);
  check_op("stack_1", stack_1, CHECK_INS({2, {2, 3}}, {2, {2, 3}}, {2, {2, 3}}), 0, 0);
  check_op("stack_last", stack_last, CHECK_INS({2, {211, 101}}, {2, {211, 101}}), 0, 0);
}

static void stack_is_concat_of_units(void) {
  fc_ctx    *c   = check_ctx();
  fc_tensor *x[] = {check_random(c, FC_DIMS(4, 6)), check_random(c, FC_DIMS(4, 6))}, *unit[2];

  for (int i = 0; i < 2; i++) unit[i] = fc_reshape(c, x[i], FC_DIMS(4, 1, 6));
  const fc_tensor *y = fc_stack(c, 1, 2, x);
  CHECK(check_distance(y, fc_concat(c, 1, 2, unit)) == 0);
  CHECK_NEAR(y->x[6], x[1]->x[0], 0);
}

static void slices_take_apart(void) {
  fc_ctx    *c   = check_ctx();
  fc_tensor *x[] = {check_random(c, FC_DIMS(3, 2, 7)), check_random(c, FC_DIMS(3, 5, 7))};
  fc_tensor *y   = fc_concat(c, 1, 2, x);

  CHECK(check_distance(fc_slice(c, y, 1, 0, 2), x[0]) == 0);
  CHECK(check_distance(fc_slice(c, y, 1, 2, 5), x[1]) == 0);
}

CHECK_SUITE(concat, gradient, stack_is_concat_of_units, slices_take_apart)
