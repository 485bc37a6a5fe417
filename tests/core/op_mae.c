/* tests/core/op_mae.c */
#include "tests/check.h"

static fc_tensor *mae(fc_ctx *c, fc_tensor **in) { return fc_mae(c, in[0], in[1]); }

/* targets far below and far above: a difference over a kink is no derivative */
static fc_tensor *far_off(fc_ctx *c, fc_tensor **in) {
  fc_tensor *low = fc_mae(c, in[0], fc_affine(c, in[1], 1, -9));

  return fc_add(c, low, fc_affine(c, fc_mae(c, in[0], fc_affine(c, in[1], 1, 9)), 0.3, 0));
}

static void gradient(void) {
  check_op("mae", mae, CHECK_INS({3, {2, 3, 5}}, {3, {2, 3, 5}, .fixed = true}), 0, 0);
  check_op("mae_one", mae, CHECK_INS({0, {0}}, {0, {0}, .fixed = true}), 0, 0);
  check_op("mae_far_off", far_off, CHECK_INS({2, {131, 401}}, {2, {131, 401}, .fixed = true}), 0, 0);
}

/* (3 + 0.5 + 0) / 3; slopes are a third of the signs, none where both are equal */
static void known_values(void) {
  fc_ctx *c = check_ctx();

  c->grad      = true;
  fc_tensor *y = fc_tensor_new(c->arena, FC_DIMS(3)), *t = fc_tensor_new(c->arena, FC_DIMS(3));
  y->x[0] = 3, y->x[1] = -1, y->x[2] = 2;
  t->x[0] = 0, t->x[1] = -0.5, t->x[2] = 2;
  y->needs_grad   = true;
  fc_tensor *loss = fc_mae(c, y, t);
  CHECK_NEAR(loss->x[0], 3.5 / 3, 1e-6);
  fc_backward(c, loss);
  CHECK_NEAR(y->g[0], 1.0 / 3, 1e-7);
  CHECK_NEAR(y->g[1], -1.0 / 3, 1e-7);
  CHECK_NEAR(y->g[2], 0, 0);
}

CHECK_SUITE(mae, gradient, known_values)
