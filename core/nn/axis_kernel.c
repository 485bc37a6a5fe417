/* core/nn/axis_kernel.c - what FactFormer and its descendants share (Li, Shu, Barati Farimani 2023, sections
   3.2 and 3.3): the Fourier code of the grid, values, and for each axis a kernel made of the state averaged
   over the other axes.
   Letters: B batch, H heads, c width of a head, A = H c, D width of the state, K = A multiplier, n points. */
#include "core/nn/nn.h"

#include <math.h>

static void init_axis(fc_axis_kernel *a, fc_params *p, const fc_axis_spec *s, int number) {
  static const char letter[] = "xyz";
  const int64_t     D = s->dim, K = s->heads * s->dim_head * s->multiplier;
  const int64_t     half = s->dim_head * s->multiplier / 2;

  fc_params_push(p, "to_%c.%d", letter[number], number > 0); /* y and z have a transposition in front */
  fc_linear_init(&a->to_in, p, "to_in", D, D, false);
  fc_norm_init(&a->norm, p, "out_ffn.norm", D, 1e-5);
  fc_linear_init(&a->gate, p, "out_ffn.fn.net.0", D, 2 * D, true);
  fc_linear_init(&a->mix, p, "out_ffn.fn.net.3", D, D, true);
  fc_params_pop(p);
  fc_params_push(p, "low_rank_kernel_%c", letter[number]);
  a->to_q     = fc_param(p, "to_q.weight", fc_init_xavier(D, K, 0.02), FC_DIMS(K, D));
  a->to_k     = fc_param(p, "to_k.weight", fc_init_xavier(D, K, 0.02), FC_DIMS(K, D));
  a->inv_freq = fc_param_of(p, FC_PARAM_FORMULA, "pos_emb.inv_freq", fc_init_rotary(10000), FC_DIMS(half));
  fc_params_pop(p);
}

void fc_axis_layer_init(fc_axis_layer *l, fc_params *p, const fc_axis_spec *s) {
  const int64_t D = s->dim, A = s->heads * s->dim_head;

  l->spec    = *s;
  l->fourier = fc_param_of(p, FC_PARAM_CONSTANT, "0.0._B", fc_init_normal(s->fourier_scale),
                           FC_DIMS(s->n_space, D / 2));
  fc_linear_init(&l->position, p, "0.1", D, D, true);
  fc_params_push(p, "1");
  fc_norm_init(&l->in_norm, p, "in_norm", D, 1e-5);
  l->to_v  = fc_param(p, "to_v.weight", fc_init_fan_in(D), FC_DIMS(A, D));
  l->to_in = fc_param(p, "to_in.weight", fc_init_fan_in(D), FC_DIMS(D, D));
  for (int a = 0; a < s->n_space; a++) init_axis(&l->axis[a], p, s, a);
  fc_params_pop(p);
}

fc_status fc_axis_spec_check(const fc_axis_spec *s, const char *model) {
  FC_REQUIRE(s->dim % 2 == 0, FC_E_USAGE, "%s: dim %lld must be even", model, (long long)s->dim);
  FC_REQUIRE(s->dim_head * s->multiplier % 2 == 0, FC_E_USAGE,
             "%s: dim_head x kernel_multiplier = %lld must be even (rotary code)", model,
             (long long)(s->dim_head * s->multiplier));
  return FC_OK;
}

fc_tensor *fc_axis_position(fc_ctx *c, const fc_axis_layer *l, fc_tensor *u, fc_tensor *const *pos) {
  return fc_add_position(c, u, l->spec.n_space, pos, l->fourier, l->position.weight, l->position.bias);
}

fc_tensor *fc_axis_values(fc_ctx *c, const fc_axis_layer *l, fc_tensor *w) {
  return fc_linear_split(c, w, l->to_v, NULL, l->spec.heads);
}

/* queries or keys of all points of an axis */
static fc_tensor *rotated(fc_ctx *c, const fc_axis_layer *l, fc_tensor *r, fc_tensor *weight, int a,
                          const fc_tensor *pos) {
  return fc_rotary(c, fc_linear_split(c, r, weight, NULL, l->spec.heads), pos, l->axis[a].inv_freq, 64);
}

/* The mean commutes with the two bias-free maps before it, so they act on n rows instead of all points. */
fc_tensor *fc_axis_kernel_of(fc_ctx *c, const fc_axis_layer *l, int a, fc_tensor *w, const fc_tensor *pos) {
  const fc_axis_spec   *s      = &l->spec;
  const fc_axis_kernel *k      = &l->axis[a];
  const unsigned        others = ((1u << s->n_space) - 1u) & ~(1u << a);
  const double scale = s->multiplier > 4 ? 1 / sqrt((double)(s->dim_head * s->multiplier)) : s->scaling;

  fc_tensor *r = fc_mean_axes(c, w, others << 1); /* [B, n, D] */
  r            = fc_linear_apply(c, &k->to_in, fc_linear_op(c, r, l->to_in, NULL, FC_ACT_NONE), FC_ACT_NONE);
  r            = fc_geglu(c, fc_linear_apply(c, &k->gate, fc_layer_norm_apply(c, &k->norm, r), FC_ACT_NONE));
  r            = fc_linear_apply(c, &k->mix, r, FC_ACT_NONE);
  fc_tensor *q = rotated(c, l, r, k->to_q, a, pos);
  fc_tensor *key = rotated(c, l, r, k->to_k, a, pos);
  return fc_matmul(c, q, false, key, true, scale);
}

/* ---- in front of the layers ---- */

void fc_frame_lift_init(fc_frame_lift *l, fc_params *p, int64_t channels, int64_t frames, int64_t dim) {
  l->channels = channels;
  fc_linear_init_shaped(&l->point, p, "to_in.0", true, FC_DIMS(dim / 2, 1, 1, 1));
  fc_linear_init_shaped(&l->mix, p, "to_in.2", false, FC_DIMS(dim, dim / 2, frames, 1));
}

fc_tensor *fc_frame_lift_apply(fc_ctx *c, const fc_frame_lift *l, fc_tensor *x) {
  const int last = x->ndim - 1;
  int       swap[FC_MAX_DIMS];
  int64_t   dim[FC_MAX_DIMS];

  for (int i = 0; i < last - 1; i++) swap[i] = i;
  swap[last - 1] = last, swap[last] = last - 1;
  x = fc_activate(c, fc_linear_grouped(c, x, l->point.weight, l->point.bias, l->channels), FC_ACT_GELU);
  x = fc_permute(c, x, swap); /* [.., D/2, T] */
  for (int i = 0; i < last - 1; i++) dim[i] = x->dim[i];
  dim[last - 1] = x->dim[last - 1] * x->dim[last];
  return fc_linear_apply(c, &l->mix, fc_reshape(c, x, last, dim), FC_ACT_NONE);
}

fc_tensor *fc_axis_coordinates(fc_ctx *c, double lo, double hi, int64_t n, int64_t extra) {
  fc_tensor   *p    = fc_tensor_new(c->arena, FC_DIMS(n + extra, 1));
  const double step = n > 1 ? (hi - lo) / (double)(n - 1) : 0;

  for (int64_t i = 0; i < n + extra; i++) p->x[i] = (fc_real)(lo + step * (double)i);
  return p;
}
