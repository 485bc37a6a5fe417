/* tests/core/op_ragged_loss.c */
#include "tests/check.h"

static fc_tensor *numbers(fc_ctx *c, int ndim, const int64_t *dim, const double *v) {
  fc_tensor *t = fc_tensor_new(c->arena, ndim, dim);

  for (int64_t i = 0; i < fc_len(t); i++) t->x[i] = (fc_real)v[i];
  return t;
}

/* 20 rows in samples of 7, 1 and 12; 9000 rows in samples of 2500, 6000 and 500 */
static fc_tensor *lengths_for(fc_ctx *c, int64_t rows) {
  return numbers(c, FC_DIMS(3), rows == 20 ? (double[]){7, 1, 12} : (double[]){2500, 6000, 500});
}

#define FORM(name, kind)                                                                                     \
  static fc_tensor *name(fc_ctx *c, fc_tensor **in) {                                                        \
    return fc_ragged_loss(c, kind, in[0], in[1], in[2], lengths_for(c, in[0]->dim[0]), 1e-8);                \
  }                                                                                                          \
  static fc_tensor *name##_plain(fc_ctx *c, fc_tensor **in) {                                                \
    return fc_ragged_loss(c, kind, in[0], in[1], NULL, lengths_for(c, in[0]->dim[0]), 1e-8);                 \
  }
FORM(mse, FC_RAGGED_MSE)
FORM(relative, FC_RAGGED_RELATIVE)
FORM(channels, FC_RAGGED_RELATIVE_CHANNELS)

#define IN(rows, C)                                                                                          \
  CHECK_INS({2, {rows, C}}, {2, {rows, C}, .fixed = true}, {2, {rows, C}, .fixed = true, .positive = true})

static void gradient(void) {
  check_op("ragged_mse", mse, IN(20, 3), 0, 0);
  check_op("ragged_relative", relative, IN(20, 3), 0, 0);
  check_op("ragged_channels", channels, IN(20, 3), 0, 0);
  check_op("ragged_mse_large", mse, IN(9000, 5), 0, 0);
  check_op("ragged_relative_large", relative, IN(9000, 5), 0, 0);
  check_op("ragged_channels_large", channels, IN(9000, 1), 0, 0);
  check_op("ragged_mse_plain", mse_plain, CHECK_INS({2, {20, 2}}, {2, {20, 2}, .fixed = true}), 0, 0);
  check_op("ragged_relative_plain", relative_plain, CHECK_INS({2, {20, 2}}, {2, {20, 2}, .fixed = true}), 0,
           0);
  check_op("ragged_channels_plain", channels_plain, CHECK_INS({2, {20, 2}}, {2, {20, 2}, .fixed = true}), 0,
           0);
}

/* samples of equal length without weights: the losses of core/ops/loss.c */
static void equals_the_dense_losses(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *y = check_random(c, FC_DIMS(3, 40, 2)), *t = check_random(c, FC_DIMS(3, 40, 2));
  fc_tensor *n      = numbers(c, FC_DIMS(3), (double[]){40, 40, 40});
  fc_tensor *rows_y = fc_tensor_view(c->arena, y, FC_DIMS(120, 2)),
            *rows_t = fc_tensor_view(c->arena, t, FC_DIMS(120, 2));

  CHECK_NEAR(fc_ragged_loss(c, FC_RAGGED_MSE, rows_y, rows_t, NULL, n, 1e-8)->x[0], fc_mse(c, y, t)->x[0],
             1e-6);
  CHECK_NEAR(fc_ragged_loss(c, FC_RAGGED_RELATIVE, rows_y, rows_t, NULL, n, 1e-8)->x[0],
             fc_relative_l2(c, y, t, 1e-8)->x[0], 1e-6);
}

/* two samples, the second row of the first has no weight, and channel 1 of the second sample has none at all
 */
static void known_values(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *y = numbers(c, FC_DIMS(3, 2), (double[]){1, 2, 9, 9, 3, 7}),
            *t = numbers(c, FC_DIMS(3, 2), (double[]){0, 4, 0, 0, 4, 0});
  fc_tensor *w = numbers(c, FC_DIMS(3, 2), (double[]){1, 2, 0, 0, 3, 0}),
            *n = numbers(c, FC_DIMS(2), (double[]){2, 1});
  fc_real before;

  /* E = {1, 8}, {3, 0}; S = {0, 32}, {48, 0}; W = {1, 2}, {3, 0} */
  CHECK_NEAR(fc_ragged_loss(c, FC_RAGGED_MSE, y, t, w, n, 0.5)->x[0],
             ((1. / 1 + 8. / 2) / 2 + (3. / 3) / 2) / 2, 1e-6);
  CHECK_NEAR(fc_ragged_loss(c, FC_RAGGED_RELATIVE, y, t, w, n, 0.5)->x[0], (3 / sqrt(32) + sqrt(3. / 48)) / 2,
             1e-6);
  CHECK_NEAR(before = fc_ragged_loss(c, FC_RAGGED_RELATIVE_CHANNELS, y, t, w, n, 0.5)->x[0],
             ((1 / 0.5 + sqrt(8. / 32)) / 2 + sqrt(3. / 48) / 2) / 2, 1e-6);
  y->x[2] = 1000, y->x[5] = -1000; /* where there is no weight, nothing counts */
  CHECK_NEAR(fc_ragged_loss(c, FC_RAGGED_RELATIVE_CHANNELS, y, t, w, n, 0.5)->x[0], before, 0);
}

/* a perfect prediction: loss and gradient are zero, not 0/0 */
static void perfect_prediction(void) {
  fc_ctx *c = check_ctx();

  c->grad      = true;
  fc_tensor *t = check_random(c, FC_DIMS(20, 2)), *y = fc_tensor_borrow(c->arena, t->x, FC_DIMS(20, 2));
  y->needs_grad   = true;
  fc_tensor *loss = fc_ragged_loss(c, FC_RAGGED_RELATIVE, y, t, NULL, lengths_for(c, 20), 1e-8);
  CHECK_NEAR(loss->x[0], 0, 0);
  fc_backward(c, loss);
  for (int i = 0; i < 40; i++) CHECK_NEAR(y->g[i], 0, 0);
}

CHECK_SUITE(ragged_loss, gradient, equals_the_dense_losses, known_values, perfect_prediction)
