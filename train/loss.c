/* train/loss.c */
#include "train/loss.h"

#include "core/domain.h"
#include "core/ops.h"

#include <math.h>

static const double tiny_norm = 1e-5; /* of the official relative L2 loss of FactFormer */

/* x std + mean per channel, as differentiable ops */
static fc_tensor *in_units(fc_ctx *c, const fc_scaling *s, fc_tensor *x) {
  fc_tensor *mean = fc_tensor_new(c->arena, FC_DIMS(s->n)), *std = fc_tensor_new(c->arena, FC_DIMS(s->n));

  for (int i = 0; i < s->n; i++) mean->x[i] = (fc_real)s->mean[i], std->x[i] = (fc_real)s->std[i];
  return fc_add(c, fc_mul(c, x, std), mean);
}

/* Both in the form in which they are compared: squares of differences are multiplied by the weights. */
static void prepare(fc_ctx *c, const fc_train_settings *t, const fc_scaling *s, fc_tensor **y,
                    fc_tensor **target) {
  if (t->loss_in_units) {
    *y      = in_units(c, s, *y);
    *target = in_units(c, s, *target);
  }
  if (!t->channel_weights.n) return;
  fc_tensor *root = fc_tensor_new(c->arena, FC_DIMS(t->channel_weights.n));
  for (int i = 0; i < t->channel_weights.n; i++) root->x[i] = (fc_real)sqrt(t->channel_weights.v[i]);
  *y      = fc_mul(c, *y, root);
  *target = fc_mul(c, *target, root);
}

static fc_tensor *by_channels(fc_ctx *c, fc_tensor *y, fc_tensor *target) {
  const int64_t n   = fc_last(y);
  fc_tensor    *sum = NULL;

  for (int64_t i = 0; i < n; i++) {
    const int  axis = y->ndim - 1;
    fc_tensor *one =
        fc_relative_l2(c, fc_slice(c, y, axis, i, 1), fc_slice(c, target, axis, i, 1), tiny_norm);
    sum = sum ? fc_add(c, sum, one) : one;
  }
  FC_ASSERT(sum, "a loss of no channels");
  return fc_affine(c, sum, 1 / (double)n, 0);
}

/* 1 inside, 0 on the border of the grid of y [B, T, X.., C]: [X.., C]; of a share, on the whole grid's */
static fc_tensor *inside_of(fc_ctx *c, const fc_tensor *y) {
  const int     d    = y->ndim - 3;
  const fc_cut  s    = fc_cut_batch(c, y->dim[2]);
  const int64_t lo   = fc_cut_lo(c, s);
  const int64_t C    = fc_last(y);
  fc_tensor    *mask = fc_tensor_new(c->arena, d + 1, y->dim + 2);

  for (int64_t i = 0; !c->dry && i < fc_len(mask); i++) {
    int64_t at = i / C;
    bool    in = true;
    for (int a = d - 1; a > 0; at /= mask->dim[a], a--)
      in = in && at % mask->dim[a] > 0 && at % mask->dim[a] < mask->dim[a] - 1;
    mask->x[i] = in && lo + at > 0 && lo + at < s.n - 1;
  }
  return mask;
}

/* x[i+1] - x[i-1] along an axis, zero outside */
static fc_tensor *difference(fc_ctx *c, fc_tensor *x, int axis) {
  const int64_t n = x->dim[axis];

  if (axis == 2)
    x = fc_halo_rows(c, x, axis, fc_cut_batch(c, n), (fc_halo){1, 1, false});
  else
    x = fc_pad(c, x, axis, 1, 1);
  return fc_sub(c, fc_slice(c, x, axis, 2, n), fc_slice(c, x, axis, 0, n));
}

/* a mean over this rank's points as its part of the mean over all */
static fc_tensor *own_part(fc_ctx *c, fc_tensor *mean) {
  return fc_domain_shared(c) ? fc_affine(c, mean, (double)fc_cut_len(c, c->cut) / (double)c->cut.n, 0) : mean;
}

static fc_tensor *compare(fc_ctx *c, fc_loss_kind kind, fc_tensor *y, fc_tensor *target) {
  switch (kind) {
  case FC_LOSS_MSE:
    return own_part(c, fc_mse(c, y, target));
  case FC_LOSS_MAE:
    return own_part(c, fc_mae(c, y, target));
  case FC_LOSS_RELATIVE_L2_CHANNELS:
    return by_channels(c, y, target);
  default:
    return fc_relative_l2(c, y, target, tiny_norm);
  }
}

fc_tensor *fc_loss(fc_ctx *c, const fc_train_settings *t, const fc_scaling *scaling, fc_tensor *y,
                   fc_tensor *target) {
  prepare(c, t, scaling, &y, &target);
  if (t->loss_ring) y = fc_mul(c, y, inside_of(c, y));
  fc_tensor *loss = compare(c, (fc_loss_kind)t->loss, y, target);
  for (int a = 2; t->loss_derivative > 0 && a < y->ndim - 1; a++) {
    fc_tensor *d = fc_relative_l2(c, difference(c, y, a), difference(c, target, a), tiny_norm);
    loss         = fc_add(c, loss, fc_affine(c, d, t->loss_derivative, 0));
  }
  return loss;
}

fc_tensor *fc_loss_rows(fc_ctx *c, const fc_train_settings *t, const fc_scaling *scaling, fc_tensor *y,
                        fc_tensor *target, fc_tensor *weight, const fc_tensor *lengths) {
  static const fc_ragged_kind kinds[] = {[FC_LOSS_RELATIVE_L2]          = FC_RAGGED_RELATIVE,
                                         [FC_LOSS_RELATIVE_L2_CHANNELS] = FC_RAGGED_RELATIVE_CHANNELS,
                                         [FC_LOSS_MSE]                  = FC_RAGGED_MSE};

  prepare(c, t, scaling, &y, &target);
  return fc_ragged_loss(c, kinds[t->loss], y, target, weight, lengths, tiny_norm);
}

fc_tensor *fc_loss_series(fc_ctx *c, const fc_train_settings *t, const fc_series_wants *w, fc_tensor *y,
                          fc_tensor *target) {
  switch (t->loss) {
  case FC_LOSS_QUANTILE:
    return fc_quantile_loss(c, y, target, w->n_quantiles, w->quantile);
  case FC_LOSS_MAE:
    return fc_mae(c, y, target);
  default:
    return fc_mse(c, y, target);
  }
}

fc_status fc_loss_check(const fc_train_settings *t, int channels) {
  FC_REQUIRE(!t->channel_weights.n || t->channel_weights.n == channels, FC_E_USAGE,
             "train.channel_weights has %d numbers for %d channels", t->channel_weights.n, channels);
  return FC_OK;
}
