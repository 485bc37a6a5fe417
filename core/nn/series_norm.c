/* core/nn/series_norm.c */
#include "core/nn/series.h"

fc_tensor *fc_detach(fc_ctx *c, fc_tensor *x) { return fc_tensor_view(c->arena, x, x->ndim, x->dim); }

/* [B, T, N] -> [B, 1, N] by the mean over time */
static fc_tensor *over_time(fc_ctx *c, fc_tensor *x) {
  return fc_reshape(c, fc_mean_axes(c, x, 1u << 1), FC_DIMS(x->dim[0], 1, x->dim[2]));
}

fc_tensor *fc_window_normalise(fc_ctx *c, fc_window_kind kind, fc_tensor *x, fc_window_norm *n) {
  const int64_t L    = x->dim[1];
  fc_tensor    *mean = fc_detach(c, over_time(c, x));
  fc_tensor    *bare = fc_sub(c, x, fc_expand(c, mean, 1, L));

  n->shift = kind == FC_WINDOW_LAST ? fc_slice(c, x, 1, L - 1, 1) : mean;
  n->scale = fc_sqrt_of(c, fc_affine(c, over_time(c, fc_mul(c, bare, bare)), 1, 1e-5));
  if (kind != FC_WINDOW_DEVIATION_FLOWS) n->scale = fc_detach(c, n->scale);
  if (kind == FC_WINDOW_LAST) bare = fc_sub(c, x, fc_expand(c, n->shift, 1, L));
  return fc_div(c, bare, fc_expand(c, n->scale, 1, L));
}

fc_tensor *fc_window_restore(fc_ctx *c, fc_tensor *y, const fc_window_norm *n) {
  const int64_t P = y->dim[1];

  return fc_add(c, fc_mul(c, y, fc_expand(c, n->scale, 1, P)), fc_expand(c, n->shift, 1, P));
}

/* sqrt(variance + 1e-5) of the rows of x around constant means, with the gradient of x: [B, N] */
static fc_tensor *flowing_deviation(fc_ctx *c, fc_tensor *x, fc_tensor *mean) {
  fc_tensor *bare = fc_row_affine(c, x, mean, NULL, NULL);

  return fc_sqrt_of(c, fc_affine(c, fc_mean_axes(c, fc_mul(c, bare, bare), 1u << 2), 1, 1e-5));
}

fc_tensor *fc_rows_normalise(fc_ctx *c, fc_window_kind kind, const fc_window_affine *l, fc_tensor *x,
                             fc_window_norm *n) {
  fc_row_moments(c, x, 1e-5, &n->shift, &n->scale);
  if (kind == FC_WINDOW_DEVIATION_FLOWS && fc_needs_record(c, 1, &x))
    n->scale = flowing_deviation(c, x, n->shift);
  if (kind == FC_WINDOW_LAST) n->shift = fc_reshape(c, fc_slice(c, x, 2, x->dim[2] - 1, 1), 2, n->shift->dim);
  fc_tensor *scale = fc_div(c, fc_affine(c, n->scale, 0, 1), n->scale);
  if (!l) return fc_row_affine(c, x, n->shift, scale, NULL);
  return fc_row_affine(c, x, n->shift, fc_mul(c, scale, l->weight), l->bias);
}

fc_tensor *fc_rows_restore(fc_ctx *c, const fc_window_affine *l, fc_tensor *y, const fc_window_norm *n) {
  if (!l) return fc_row_affine(c, y, NULL, n->scale, n->shift);
  fc_tensor *scale = fc_div(c, n->scale, fc_affine(c, l->weight, 1, 1e-10));
  return fc_row_affine(c, y, l->bias, scale, n->shift);
}

void fc_window_affine_init(fc_window_affine *l, fc_params *p, int64_t N) {
  l->weight = fc_param(p, "affine_weight", fc_init_constant(1), FC_DIMS(N));
  l->bias   = fc_param(p, "affine_bias", fc_init_constant(0), FC_DIMS(N));
}

fc_tensor *fc_window_affine_apply(fc_ctx *c, const fc_window_affine *l, fc_tensor *z) {
  return fc_add(c, fc_mul(c, z, l->weight), l->bias);
}

fc_tensor *fc_window_affine_undo(fc_ctx *c, const fc_window_affine *l, fc_tensor *y) {
  return fc_div(c, fc_sub(c, y, l->bias), fc_affine(c, l->weight, 1, 1e-10));
}

void fc_batch_norm_init(fc_batch_norm_layer *l, fc_params *p, const char *name, int64_t C) {
  fc_params_push(p, "%s", name);
  l->weight = fc_param(p, "weight", fc_init_constant(1), FC_DIMS(C));
  l->bias   = fc_param(p, "bias", fc_init_constant(0), FC_DIMS(C));
  l->mean   = fc_param_of(p, FC_PARAM_CONSTANT, "running_mean", fc_init_constant(0), FC_DIMS(C));
  l->var    = fc_param_of(p, FC_PARAM_CONSTANT, "running_var", fc_init_constant(1), FC_DIMS(C));
  l->count  = fc_param_of(p, FC_PARAM_FORMULA, "num_batches_tracked", fc_init_constant(0), 0, NULL);
  fc_param_whole(p);
  fc_params_pop(p);
}

fc_tensor *fc_batch_norm_apply(fc_ctx *c, const fc_batch_norm_layer *l, fc_tensor *x) {
  if (c->training && !c->dry) l->count->x[0] += 1;
  return fc_batch_norm(c, x, l->weight, l->bias, l->mean, l->var, 0.1, 1e-5);
}
