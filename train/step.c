/* train/step.c */
#include "train/step.h"

#include "core/ops.h"

#include <string.h>

static const double tiny_norm = 1e-5; /* of the official relative L2 loss of FactFormer */

/* x std + mean per channel, as differentiable ops */
static fc_tensor *in_units(fc_ctx *c, const fc_scaling *s, fc_tensor *x) {
  fc_tensor *mean = fc_tensor_new(c->arena, FC_DIMS(s->n)), *std = fc_tensor_new(c->arena, FC_DIMS(s->n));

  for (int i = 0; i < s->n; i++) mean->x[i] = (fc_real)s->mean[i], std->x[i] = (fc_real)s->std[i];
  return fc_add(c, fc_mul(c, x, std), mean);
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
  return fc_affine(c, sum, 1 / (double)n, 0);
}

fc_tensor *fc_loss(fc_ctx *c, const fc_train_settings *t, const fc_scaling *scaling, fc_tensor *y,
                   fc_tensor *target) {
  if (t->loss_in_units) {
    y      = in_units(c, scaling, y);
    target = in_units(c, scaling, target);
  }
  switch ((fc_loss_kind)t->loss) {
  case FC_LOSS_MSE:
    return fc_mse(c, y, target);
  case FC_LOSS_RELATIVE_L2_CHANNELS:
    return by_channels(c, y, target);
  default:
    return fc_relative_l2(c, y, target, tiny_norm);
  }
}

static void push(fc_ctx *c, const fc_network *n, const fc_source *s, const fc_pass *p) {
  const size_t mark = fc_arena_mark(c->arena);
  fc_tensor   *y    = fc_march_quiet(c, n, s->geo.ndim, s->geo.dim, p->B, p->window, p->k);

  if (!c->dry) fc_march_shift(p->window, y->x, p->B, n->frames.n_in, p->k, s->out_len);
  fc_step_end(c, mark);
}

static fc_tensor *target_of(fc_ctx *c, const fc_source *s, const fc_pass *p) {
  int64_t shape[FC_MAX_DIMS] = {p->B, p->n_target};

  memcpy(shape + 2, s->geo.dim, (size_t)s->geo.ndim * sizeof *shape);
  shape[2 + s->geo.ndim] = s->out.n;
  fc_tensor *all         = fc_tensor_borrow(c->arena, p->target, s->geo.ndim + 3, shape);
  return p->n_target == p->k ? all : fc_slice(c, all, 1, p->pushes * p->k, p->k);
}

double fc_pass_run(fc_ctx *c, const fc_network *n, const fc_source *s, const fc_train_settings *t,
                   const fc_pass *p) {
  const size_t mark = fc_arena_mark(c->arena);

  FC_ASSERT((p->pushes + 1) * p->k <= p->n_target, "a pass of %lld x %lld frames on windows of %lld",
            (long long)p->pushes + 1, (long long)p->k, (long long)p->n_target);
  c->training = true;
  for (int64_t i = 0; i < p->pushes; i++) push(c, n, s, p);
  c->grad         = true;
  fc_tensor   *y  = fc_march_call(c, n, s->geo.ndim, s->geo.dim, p->B, p->window, p->k);
  fc_tensor   *l  = fc_loss(c, t, &s->out, y, target_of(c, s, p));
  const double at = c->dry ? 0 : (double)l->x[0];
  fc_backward(c, fc_affine(c, l, p->weight, 0));
  c->grad = c->training = false;
  fc_step_end(c, mark);
  return at;
}
