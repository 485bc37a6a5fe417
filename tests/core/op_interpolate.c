/* tests/core/op_interpolate.c */
#include "tests/check.h"

static fc_tensor *up(fc_ctx *c, fc_tensor **in) { return fc_interpolate(c, in[0], 11); }
static fc_tensor *down(fc_ctx *c, fc_tensor **in) { return fc_interpolate(c, in[0], 4); }
static fc_tensor *to_one(fc_ctx *c, fc_tensor **in) { return fc_interpolate(c, in[0], 1); }

static void gradient(void) {
  check_op("interpolate_up", up, CHECK_INS({3, {2, 3, 5}}), 0, 0);
  check_op("interpolate_down", down, CHECK_INS({2, {3, 9}}), 0, 0);
  check_op("interpolate_to_one", to_one, CHECK_INS({2, {3, 9}}), 0, 0);
  check_op("interpolate_from_one", down, CHECK_INS({2, {3, 1}}), 0, 0);
  check_op("interpolate_large", up, CHECK_INS({2, {4000, 7}}), 0, 0);
}

/* a straight line stays one, with the same ends */
static void keeps_lines(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = fc_tensor_new(c->arena, FC_DIMS(1, 7)), *y;

  for (int j = 0; j < 7; j++) x->x[j] = (fc_real)(2 + 0.5 * j);
  y = fc_interpolate(c, x, 10);
  for (int j = 0; j < 10; j++) CHECK_NEAR(y->x[j], 2 + 3 * j / 9.0, 1e-6);
  CHECK_NEAR(to_one(c, &x)->x[0], 2, 0);
  CHECK(check_distance(fc_interpolate(c, x, 7), x) < 1e-7);
}

/* between its neighbours in proportion: [0, 1, 4] at 0, 0.4, 0.8, 1.2, 1.6, 2 */
static void known_values(void) {
  static const double want[] = {0, 0.4, 0.8, 1.6, 2.8, 4};
  fc_ctx             *c      = check_ctx();
  fc_tensor          *x      = fc_tensor_new(c->arena, FC_DIMS(1, 3)), *y;

  x->x[0] = 0, x->x[1] = 1, x->x[2] = 4;
  y = fc_interpolate(c, x, 6);
  for (int j = 0; j < 6; j++) CHECK_NEAR(y->x[j], want[j], 1e-6);
}

CHECK_SUITE(interpolate, gradient, keeps_lines, known_values)
