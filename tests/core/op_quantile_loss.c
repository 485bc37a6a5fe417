/* tests/core/op_quantile_loss.c */
#include "tests/check.h"

static const double three[] = {0.1, 0.5, 0.9};

static fc_tensor *quantiles(fc_ctx *c, fc_tensor **in) { return fc_quantile_loss(c, in[0], in[1], 3, three); }

static fc_tensor *median(fc_ctx *c, fc_tensor **in) {
  return fc_quantile_loss(c, in[0], in[1], 1, (double[]){0.5});
}

/* y within 0.5 of zero and targets beyond it on either side: a difference quotient must not meet the kink */
static fc_tensor *far_from_kinks(fc_ctx *c, fc_tensor **in) {
  fc_tensor *t = fc_tensor_new(c->arena, in[1]->ndim, in[1]->dim);

  for (int64_t i = 0; !c->dry && i < fc_len(t); i++) t->x[i] = i % 2 ? -in[1]->x[i] : in[1]->x[i];
  return fc_quantile_loss(c, fc_affine(c, in[0], 0.1, 0), t, 3, three);
}

static void gradient(void) {
  check_op("quantile_loss", quantiles, CHECK_INS({3, {2, 7, 3}}, {2, {2, 7}, .fixed = true}), 0, 0);
  check_op("quantile_loss_large", far_from_kinks,
           CHECK_INS({3, {90, 200, 3}}, {2, {90, 200}, .fixed = true, .positive = true}), 0, 0);
  check_op("quantile_loss_one", median, CHECK_INS({2, {11, 1}}, {2, {11, 1}, .fixed = true}), 0, 0);
}

/* e = 2 and -3 and 0: 2 max((q - 1) e, q e) by hand */
static void known_values(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *t = fc_tensor_new(c->arena, FC_DIMS(1)), *y = fc_tensor_new(c->arena, FC_DIMS(1, 3));

  t->x[0] = 1;
  y->x[0] = -1, y->x[1] = 4, y->x[2] = 1;
  CHECK_NEAR(quantiles(c, (fc_tensor *[]){y, t})->x[0], (2 * 0.1 * 2 + 2 * 0.5 * 3 + 0) / 3, 1e-6);
}

/* at the median alone it is the mean absolute error */
static void median_is_absolute_error(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *y = check_random(c, FC_DIMS(5000, 1)), *t = check_random(c, FC_DIMS(5000));
  double     sum = 0;

  for (int i = 0; i < 5000; i++) sum += fabs((double)y->x[i] - (double)t->x[i]);
  CHECK_NEAR(median(c, (fc_tensor *[]){y, t})->x[0], sum / 5000, 1e-6);
}

CHECK_SUITE(quantile_loss, gradient, known_values, median_is_absolute_error)
