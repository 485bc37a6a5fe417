/* core/nn/axis_kernel.c - what FactFormer and its descendants share (Li, Shu, Barati Farimani 2023, sections
   3.2 and 3.3): the Fourier code of the grid, values, and for each axis a kernel made of the state averaged
   over the other axes.
   Letters: B batch, H heads, c width of a head, A = H c, D width of the state, K = A multiplier, n points.

   Ranks that share the first axis add up their means, so all have the same kernels. The product along the
   first axis wants all its points: there the other axes are shared instead, and w, the narrowest array from
   which values can be made, is what goes there. A sum of partial products over the ranks would move R / 2
   times as much as the two transpositions, and every rank would hold a whole field. */
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

/* ---- the grid ---- */

fc_axis_grid *fc_axis_grid_of(fc_ctx *c, const fc_batch *b, int n_space, fc_cut first) {
  static const char *const names[] = {"pos_x", "pos_y", "pos_z"};
  fc_axis_grid            *at      = fc_arena_push(c->arena, sizeof *at);

  at->first = first;
  for (int a = 0; a < n_space; a++) {
    fc_tensor *p = fc_batch_get(b, names[a]);
    at->own[a] = at->pos[a] = fc_reshape(c, p, FC_DIMS(p->dim[0]));
  }
  if (fc_domain_shared(c)) at->own[0] = fc_slice(c, at->pos[0], 0, fc_cut_lo(c, first), fc_cut_len(c, first));
  return at;
}

/* no more blocks than there are other points */
fc_cut fc_axis_cut(int64_t n, int64_t rest) { return (fc_cut){n, fc_ceil_div(n, rest)}; }

fc_tensor *fc_axis_position(fc_ctx *c, const fc_axis_layer *l, fc_tensor *u, const fc_axis_grid *at) {
  return fc_add_position(c, u, l->spec.n_space, at->own, l->fourier, l->position.weight, l->position.bias);
}

/* ---- values and kernels ---- */

fc_tensor *fc_axis_values(fc_ctx *c, const fc_axis_layer *l, fc_tensor *w) {
  return fc_linear_split(c, w, l->to_v, NULL, l->spec.heads);
}

/* queries or keys of all points of an axis */
static fc_tensor *rotated(fc_ctx *c, const fc_axis_layer *l, fc_tensor *r, fc_tensor *weight, int a,
                          const fc_tensor *pos) {
  return fc_rotary(c, fc_linear_split(c, r, weight, NULL, l->spec.heads), pos, l->axis[a].inv_freq, 64);
}

/* over all axes but a: [B, n, D] */
static fc_tensor *mean_of(fc_ctx *c, const fc_axis_layer *l, int a, fc_tensor *w) {
  const unsigned others = ((1u << l->spec.n_space) - 1u) & ~(1u << a);

  return fc_mean_axes(c, w, others << 1);
}

/* Means of shares, weighted for the sum over the ranks; along the first axis other ranks' points are zeros.
   All axes go in one message. */
static void shared_means(fc_ctx *c, const fc_axis_layer *l, fc_tensor *w, fc_cut first, fc_tensor **mean) {
  const int64_t lo = fc_cut_lo(c, first), n = fc_cut_len(c, first);
  const int     d = l->spec.n_space;

  for (int a = 0; a < d; a++) {
    mean[a] = mean_of(c, l, a, w);
    mean[a] = a == 0 ? fc_pad(c, mean[a], 1, lo, first.n - lo - n)
                     : fc_affine(c, mean[a], (double)n / (double)first.n, 0);
  }
  fc_tensor *all = fc_allsum(c, fc_concat(c, 1, d, mean));
  for (int64_t a = 0, from = 0; a < d; from += mean[a++]->dim[1])
    mean[a] = fc_slice(c, all, 1, from, mean[a]->dim[1]);
}

/* The mean r commutes with the two bias-free maps before it, so they act on n rows instead of all points. */
static fc_tensor *kernel_of(fc_ctx *c, const fc_axis_layer *l, int a, fc_tensor *r, const fc_tensor *pos) {
  const fc_axis_spec   *s = &l->spec;
  const fc_axis_kernel *k = &l->axis[a];
  const double scale      = s->multiplier > 4 ? 1 / sqrt((double)(s->dim_head * s->multiplier)) : s->scaling;

  r            = fc_linear_apply(c, &k->to_in, fc_linear_op(c, r, l->to_in, NULL, FC_ACT_NONE), FC_ACT_NONE);
  r            = fc_geglu(c, fc_linear_apply(c, &k->gate, fc_layer_norm_apply(c, &k->norm, r), FC_ACT_NONE));
  r            = fc_linear_apply(c, &k->mix, r, FC_ACT_NONE);
  fc_tensor *q = rotated(c, l, r, k->to_q, a, pos);
  fc_tensor *key = rotated(c, l, r, k->to_k, a, pos);
  return fc_matmul(c, q, false, key, true, scale);
}

void fc_axis_kernels(fc_ctx *c, const fc_axis_layer *l, fc_tensor *w, const fc_axis_grid *at,
                     fc_tensor **kernel) {
  fc_tensor *mean[FC_MAX_SPACE] = {NULL};

  if (fc_domain_shared(c)) shared_means(c, l, w, at->first, mean);
  for (int a = 0; a < l->spec.n_space; a++)
    kernel[a] = kernel_of(c, l, a, mean[a] ? mean[a] : mean_of(c, l, a, w), at->pos[a]);
}

/* ---- the first axis, where ranks share it ---- */

static fc_cut_axis rest_of(const fc_tensor *w, int axis) {
  return (fc_cut_axis){axis, {fc_span(w, 2, w->ndim - 1), 1}};
}

fc_tensor *fc_axis_turn(fc_ctx *c, fc_tensor *w, fc_cut first) {
  const fc_cut_axis rest = rest_of(w, 2);

  w = fc_reshape(c, w, FC_DIMS(w->dim[0], w->dim[1], rest.cut.n, fc_last(w)));
  return fc_transpose_shards(c, w, (fc_cut_axis){1, first}, rest);
}

fc_tensor *fc_axis_turn_back(fc_ctx *c, fc_tensor *x, int axis, const fc_tensor *w, fc_cut first) {
  int64_t dim[FC_MAX_DIMS];
  int     n = 0;

  x = fc_transpose_shards(c, x, rest_of(w, axis + 1), (fc_cut_axis){axis, first});
  for (int a = 0; a <= axis; a++) dim[n++] = x->dim[a];
  for (int a = 2; a < w->ndim - 1; a++) dim[n++] = w->dim[a];
  dim[n++] = fc_last(x);
  return fc_reshape(c, x, n, dim);
}

fc_tensor *fc_axis_first_product(fc_ctx *c, const fc_axis_layer *l, fc_tensor *w, fc_tensor *kernel,
                                 fc_cut first) {
  fc_tensor *v = fc_axis_values(c, l, fc_axis_turn(c, w, first));

  return fc_axis_turn_back(c, fc_axial_product(c, kernel, v, 0), 2, w, first);
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
