/* tests/core/op_roll.c */
#include "tests/check.h"

static fc_tensor *forth(fc_ctx *c, fc_tensor **in) { return fc_roll(c, in[0], 1, 2); }
static fc_tensor *back(fc_ctx *c, fc_tensor **in) { return fc_roll(c, in[0], 0, -1); }
static fc_tensor *far(fc_ctx *c, fc_tensor **in) { return fc_roll(c, in[0], 2, 17); }

static void gradient(void) {
  check_op("roll_forth", forth, CHECK_INS({3, {2, 5, 3}}), 0, 0);
  check_op("roll_back", back, CHECK_INS({3, {4, 5, 3}}), 0, 0);
  check_op("roll_far", far, CHECK_INS({3, {2, 5, 3}}), 0, 0);
  check_op("roll_large", forth, CHECK_INS({3, {30, 41, 53}}), 0, 0);
  check_op("roll_columns", far, CHECK_INS({3, {11, 61, 71}}), 0, 0);
}

static void definition(void) {
  fc_ctx          *c = check_ctx();
  fc_tensor       *x = check_random(c, FC_DIMS(7));
  const fc_tensor *y = fc_roll(c, x, 0, 3);

  for (int i = 0; i < 7; i++) CHECK_NEAR(y->x[(i + 3) % 7], x->x[i], 0);
}

static void turns_add_up(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(3, 8, 5));

  CHECK(check_distance(fc_roll(c, fc_roll(c, x, 1, 5), 1, -5), x) == 0);
  CHECK(check_distance(fc_roll(c, fc_roll(c, x, 1, 5), 1, 6), fc_roll(c, x, 1, 3)) == 0);
  CHECK(fc_roll(c, x, 1, -16) == x);
}

CHECK_SUITE(roll, gradient, definition, turns_add_up)
