/* core/nn/gated.c */
#include "core/nn/gated.h"

#include <math.h>
#include <stdio.h>

/* ---- gates ---- */

void fc_gate_init(fc_gate *l, fc_params *p, const char *name, int64_t in, int64_t out) {
  fc_params_push(p, "%s", name);
  fc_linear_init(&l->value, p, "fc1", in, out, true);
  fc_linear_init(&l->gate, p, "fc2", in, out, true);
  fc_params_pop(p);
}

void fc_gate_init_joint(fc_gate *l, fc_params *p, const char *name, int64_t in, int64_t out) {
  fc_params_push(p, "%s", name);
  fc_linear_init_xavier(&l->value, p, "fc", in, 2 * out, true);
  fc_params_pop(p);
}

/* Two maps of one x are one map: its weight is small beside x, so joining them costs less than two products.
 */
fc_tensor *fc_gate_onto(fc_ctx *c, const fc_gate *l, fc_tensor *x, fc_tensor *r) {
  fc_tensor *W = l->value.weight, *b = l->value.bias;

  if (l->gate.weight) {
    W = fc_concat(c, 0, FC_IN(W, l->gate.weight));
    b = fc_concat(c, 0, FC_IN(b, l->gate.bias));
  }
  return fc_glu(c, fc_linear_op(c, x, W, b, FC_ACT_NONE), r);
}

void fc_gate_norm_init(fc_gate_norm *l, fc_params *p, const char *name, int64_t in, int64_t out) {
  fc_params_push(p, "%s", name);
  fc_gate_init(&l->gate, p, "glu", in, in);
  if (in != out) fc_linear_init(&l->projection, p, "projection", in, out, true);
  fc_norm_init(&l->norm, p, "layer_norm", out, 1e-5);
  fc_params_pop(p);
}

void fc_gate_norm_init_joint(fc_gate_norm *l, fc_params *p, const char *name, int64_t in, int64_t out) {
  fc_params_push(p, "%s", name);
  fc_gate_init_joint(&l->gate, p, "glu", in, out);
  fc_norm_init(&l->norm, p, "add_norm.norm", out, 1e-5);
  fc_params_pop(p);
}

fc_tensor *fc_gate_norm_onto(fc_ctx *c, const fc_gate_norm *l, fc_tensor *x, fc_tensor *r) {
  fc_tensor *y = fc_gate_onto(c, &l->gate, x, r);

  if (l->projection.weight) y = fc_linear_apply(c, &l->projection, y, FC_ACT_NONE);
  return fc_layer_norm_apply(c, &l->norm, y);
}

/* ---- resampling ---- */

void fc_resample_init(fc_resample *l, fc_params *p, const char *name, int64_t out) {
  fc_params_push(p, "%s", name);
  l->out  = out;
  l->mask = fc_param(p, "mask", fc_init_constant(0), FC_DIMS(out));
  fc_norm_init(&l->norm, p, "norm", out, 1e-5);
  fc_params_pop(p);
}

fc_tensor *fc_resample_apply(fc_ctx *c, const fc_resample *l, fc_tensor *x) {
  fc_tensor *scale = fc_affine(c, fc_activate(c, l->mask, FC_ACT_SIGMOID), 2, 0);

  if (fc_last(x) != l->out) x = fc_interpolate(c, x, l->out);
  return fc_layer_norm_apply(c, &l->norm, fc_mul(c, x, scale));
}

/* ---- gated residual network ---- */

void fc_grn_init(fc_grn *l, fc_params *p, const char *name, int64_t in, int64_t hidden, int64_t out) {
  fc_params_push(p, "%s", name);
  fc_linear_init(&l->first, p, "lin_a", in, hidden, true);
  fc_linear_init(&l->second, p, "lin_i", hidden, hidden, true);
  if (in != hidden) fc_linear_init(&l->skip, p, "project_a", in, hidden, true);
  fc_gate_norm_init(&l->gate, p, "gate", hidden, out);
  fc_params_pop(p);
}

void fc_grn_init_context(fc_grn *l, fc_params *p, const char *name, int64_t context, int64_t hidden) {
  fc_params_push(p, "%s", name);
  fc_linear_init(&l->context, p, "lin_c", context, hidden, true);
  fc_params_pop(p);
}

/* He's normal weights for ELU's sake, biases 0 */
static void init_he(fc_linear *l, fc_params *p, const char *name, int64_t in, int64_t out) {
  fc_linear_init_normal(l, p, name, in, out, true, sqrt(2 / (double)in));
}

void fc_grn_init_joint(fc_grn *l, fc_params *p, const char *name, int64_t in, int64_t hidden, int64_t out,
                       int64_t context) {
  fc_params_push(p, "%s", name);
  if (in != out) fc_resample_init(&l->resample, p, "resample_norm", out);
  init_he(&l->first, p, "fc1", in, hidden);
  if (context) fc_linear_init_xavier(&l->context, p, "context", context, hidden, false);
  init_he(&l->second, p, "fc2", hidden, hidden);
  fc_gate_norm_init_joint(&l->gate, p, "gate_norm", hidden, out);
  fc_params_pop(p);
}

static fc_tensor *skip_of(fc_ctx *c, const fc_grn *l, fc_tensor *x) {
  if (l->skip.weight) return fc_linear_apply(c, &l->skip, x, FC_ACT_NONE);
  return l->resample.mask ? fc_resample_apply(c, &l->resample, x) : x;
}

fc_tensor *fc_grn_apply(fc_ctx *c, const fc_grn *l, fc_tensor *x, fc_tensor *context, double dropout) {
  fc_tensor *skip = skip_of(c, l, x), *h = fc_linear_apply(c, &l->first, x, FC_ACT_NONE);

  if (context && l->context.weight) {
    const int64_t     B       = context->dim[0];
    const fc_segments windows = fc_segments_equal(c->arena, B, fc_rows(h) / B);
    h = fc_add_sample(c, h, fc_linear_apply(c, &l->context, context, FC_ACT_NONE), &windows);
  }
  h = fc_linear_of(c, FC_ACT_ELU, h, l->second.weight, l->second.bias, NULL);
  return fc_gate_norm_onto(c, &l->gate, fc_dropout(c, h, dropout), skip);
}

/* ---- variable selection ---- */

/* [B, .., 1] of ones */
static fc_tensor *one_weight(fc_ctx *c, const fc_tensor *v) {
  int64_t dim[FC_MAX_DIMS];

  for (int i = 0; i < v->ndim; i++) dim[i] = i == v->ndim - 1 ? 1 : v->dim[i];
  fc_tensor *w = fc_tensor_new(c->arena, v->ndim, dim);
  for (int64_t i = 0; !c->dry && i < fc_len(w); i++) w->x[i] = 1;
  return w;
}

fc_tensor *fc_select_variables(fc_ctx *c, const fc_grn *joint, int n, const fc_variable *const *f,
                               fc_tensor *const *v, fc_tensor *context, double dropout, fc_shown as) {
  fc_tensor **y = fc_arena_push(c->arena, (size_t)n * sizeof *y), *w = NULL;

  for (int i = 0; i < n; i++)
    y[i] = f[i]->bare.mask ? fc_resample_apply(c, &f[i]->bare, v[i])
                           : fc_grn_apply(c, &f[i]->grn, v[i], NULL, dropout);
  if (joint->first.weight)
    w = fc_softmax(c, fc_grn_apply(c, joint, fc_concat(c, v[0]->ndim - 1, n, v), context, dropout));
  else if (c->observer)
    w = one_weight(c, v[0]);
  if (w) fc_observe(c, as, w);
  return joint->first.weight ? fc_weighted_sum(c, w, n, y) : y[0];
}

/* ---- attention ---- */

/* The mean of the weights serves as well as that of the results, and costs one product instead of H. */
static fc_tensor *mean_result(fc_ctx *c, fc_tensor *A, fc_tensor *v, double dropout) {
  const int64_t B = A->dim[0], H = A->dim[1], P = A->dim[2], T = A->dim[3], E = fc_last(v);

  if (!c->training || dropout == 0)
    return fc_matmul(c, H > 1 ? fc_mean_axes(c, A, 1u << 1) : fc_reshape(c, A, FC_DIMS(B, P, T)), false, v,
                     false, 1);
  fc_tensor *y = fc_matmul(c, fc_reshape(c, A, FC_DIMS(B, H * P, T)), false, v, false, 1);
  return fc_mean_axes(c, fc_dropout(c, fc_reshape(c, y, FC_DIMS(B, H, P, E)), dropout), 1u << 1);
}

fc_tensor *fc_attend_shared(fc_ctx *c, fc_tensor *q, fc_tensor *k, fc_tensor *v, fc_shared_mask mask,
                            double dropout, fc_shown as) {
  fc_tensor *S = fc_matmul(c, q, false, k, true, 1 / sqrt((double)fc_last(q)));

  if (mask.keep) S = fc_mul(c, S, mask.keep);
  if (mask.mask) S = fc_add_in_place(c, S, mask.mask);
  fc_tensor *A = fc_softmax(c, S);
  fc_observe(c, as, A);
  return mean_result(c, A, v, dropout);
}

/* ---- LSTM ---- */

static fc_tensor *lstm_param(fc_params *p, const char *what, int64_t layer, int64_t D, int ndim,
                             const int64_t *dim) {
  char name[64];

  snprintf(name, sizeof name, "%s_l%d", what, (int)layer);
  return fc_param(p, name, fc_init_fan_in(D), ndim, dim);
}

void fc_lstm_init(fc_lstm_weights *l, fc_params *p, const char *name, int64_t layer, int64_t in, int64_t D) {
  fc_params_push(p, "%s", name);
  l->input       = lstm_param(p, "weight_ih", layer, D, FC_DIMS(4 * D, in));
  l->hidden      = lstm_param(p, "weight_hh", layer, D, FC_DIMS(4 * D, D));
  l->input_bias  = lstm_param(p, "bias_ih", layer, D, FC_DIMS(4 * D));
  l->hidden_bias = lstm_param(p, "bias_hh", layer, D, FC_DIMS(4 * D));
  fc_params_pop(p);
}
