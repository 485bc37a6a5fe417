/* tests/core/op_loss.c */
#include "tests/check.h"

static fc_tensor *mse(fc_ctx *c, fc_tensor **in) { return fc_mse(c, in[0], in[1]); }
static fc_tensor *relative(fc_ctx *c, fc_tensor **in) { return fc_relative_l2(c, in[0], in[1], 1e-8); }
static fc_tensor *sum_of_both(fc_ctx *c, fc_tensor **in) {
  return fc_add(c, fc_affine(c, mse(c, in), 0.3, 0), relative(c, in));
}

static void gradient(void) {
  check_op("mse", mse, CHECK_INS({3, {2, 3, 5}}, {3, {2, 3, 5}, .fixed = true}), 0, 0);
  check_op("mse_one", mse, CHECK_INS({0, {0}}, {0, {0}, .fixed = true}), 0, 0);
  check_op("mse_large", mse, CHECK_INS({2, {131, 401}}, {2, {131, 401}, .fixed = true}), 0, 0);
  check_op("relative_l2", relative, CHECK_INS({3, {4, 3, 5}}, {3, {4, 3, 5}, .fixed = true}), 0, 0);
  check_op("relative_l2_large", relative, CHECK_INS({2, {3, 20011}}, {2, {3, 20011}, .fixed = true}), 0, 0);
  check_op("losses", sum_of_both, CHECK_INS({2, {3, 2000}}, {2, {3, 2000}, .fixed = true}), 0, 0);
}

static fc_tensor *of(fc_ctx *c, int64_t B, int64_t n, const double *v) {
  fc_tensor *t = fc_tensor_new(c->arena, FC_DIMS(B, n));

  for (int64_t i = 0; i < B * n; i++) t->x[i] = (fc_real)v[i];
  return t;
}

static void known_values(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *y = of(c, 2, 2, (double[]){3, 4, 1, 1}), *t = of(c, 2, 2, (double[]){0, 0, 1, 0});
  fc_tensor *u = of(c, 1, 2, (double[]){3, 4}), *v = of(c, 1, 2, (double[]){0, 2.5});

  CHECK_NEAR(fc_mse(c, y, t)->x[0], 26.0 / 4, 1e-6);
  CHECK_NEAR(fc_relative_l2(c, y, t, 0.5)->x[0], (5 / 0.5 + 1.0 / 1) / 2,
             1e-6); /* |t_0| = 0 is raised to eps */
  CHECK_NEAR(fc_relative_l2(c, u, v, 1e-8)->x[0], sqrt(9 + 2.25) / 2.5, 1e-6);
}

/* a perfect prediction: loss and gradient are zero, not 0/0 */
static void perfect_prediction(void) {
  fc_ctx *c = check_ctx();

  c->grad      = true;
  fc_tensor *t = check_random(c, FC_DIMS(2, 9)), *y = fc_tensor_borrow(c->arena, t->x, FC_DIMS(2, 9));
  y->needs_grad   = true;
  fc_tensor *loss = fc_relative_l2(c, y, t, 1e-8);
  CHECK_NEAR(loss->x[0], 0, 0);
  fc_backward(c, loss);
  for (int i = 0; i < 18; i++) CHECK_NEAR(y->g[i], 0, 0);
}

CHECK_SUITE(loss, gradient, known_values, perfect_prediction)
