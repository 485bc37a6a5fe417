/* operators/factformer.c - FactFormer: factorised attention on grids, one small kernel per axis.
   Li, Shu, Barati Farimani, "Scalable Transformer for PDE Surrogate Modeling", NeurIPS 2023, arXiv
   2305.17560. Weights carry the names of the official code (BaratiLab/FactFormer).

   Letters: B batch, X Y Z grid, N = X Y (Z) points, T input frames, C channels, D dim, H heads, c dim_head,
   A = H c, m kernel_multiplier, L latent width. All arrays are channels-last unless a line says otherwise. */
#include "core/domain.h"
#include "core/model.h"
#include "core/nn/nn.h"

#include <string.h>

enum { MAX_DEPTH = 16 };

typedef enum { KOLMOGOROV2D, KOLMOGOROV2D_2023, ISOTROPIC3D, SMOKE3D, DARCY2D } variant_name;
typedef enum { NORM_AUTO, NORM_GROUP, NORM_LEGACY_INSTANCE } norm_name;

/* ---- options, under the names of the official configurations ---- */

typedef struct {
  int     variant, norm;
  int64_t in_dim, out_dim, in_time_window, out_time_window, max_latent_steps;
  int64_t dim, depth, heads, dim_head, kernel_multiplier, padding, resolution, pos_in_dim, pos_out_dim;
  double  latent_multiplier, fourier_scale, coord_lo, coord_hi;
  bool    recompute;
} config;

static const fc_option options[] = {
    FC_OPT_CHOICE(config, variant, "kolmogorov2d|kolmogorov2d_2023|isotropic3d|smoke3d|darcy2d",
                  "kolmogorov2d", "which of the official networks; _2023: as first published"),
    FC_OPT_CHOICE(config, norm, "auto|group|legacy-instance", "auto",
                  "norm of the attended values; auto: legacy-instance for kolmogorov2d_2023, else group"),
    FC_OPT_INT(config, in_dim, "1", 1, 64, "input channels per frame; kolmogorov2d takes one"),
    FC_OPT_INT(config, out_dim, "1", 1, 64, "output channels per frame"),
    FC_OPT_INT(config, in_time_window, "10", 1, 256, "input frames"),
    FC_OPT_INT(config, out_time_window, "4", 1, 256,
               "output frames of the official recipe; not read by the network"),
    FC_OPT_INT(config, max_latent_steps, "4", 1, 256, "most frames per call"),
    FC_OPT_INT(config, dim, "128", 8, 8192, "width D"),
    FC_OPT_INT(config, depth, "4", 1, MAX_DEPTH, "attention layers"),
    FC_OPT_INT(config, heads, "8", 1, 256, "attention heads"),
    FC_OPT_INT(config, dim_head, "64", 1, 1024, "width of a head"),
    FC_OPT_INT(config, kernel_multiplier, "2", 1, 64,
               "width of the kernel's queries and keys, in head widths"),
    FC_OPT_REAL(config, latent_multiplier, "2", 0.125, 64, "latent width L, in units of dim"),
    FC_OPT_ALIAS(config, latent_multiplier, FC_T_REAL, "latent_mutliplier"), /* spelled so in the 3-D code */
    FC_OPT_REAL(config, fourier_scale, "0", 0, 1e3,
                "std of the Fourier matrix; 0: 8 (kolmogorov, isotropic), else 1"),
    FC_OPT_INT(config, padding, "2", 0, 64, "smoke3d: zero points added at the far end of each axis"),
    FC_OPT_INT(config, resolution, "0", 0, 1 << 20, "darcy2d: points per axis; 0: that of the data"),
    FC_OPT_INT(config, pos_in_dim, "0", 0, 3, "number of coordinates; follows from the variant"),
    FC_OPT_INT(config, pos_out_dim, "0", 0, 3, "number of coordinates; follows from the variant"),
    FC_OPT_REAL(config, coord_lo, "0", -1e6, 1e6, "first coordinate of an axis given to the network"),
    FC_OPT_REAL(config, coord_hi, "0", -1e6, 1e6,
                "last coordinate; equal to coord_lo: 2 pi (kolmogorov, isotropic), 8 (smoke3d), 1 (darcy2d)"),
    FC_OPT_BOOL(config, recompute, "false", "keep only the borders of layers and run them again in backward"),
    FC_OPT_IGNORED("positional_embedding", "always rotary"),
    FC_OPT_IGNORED("reducer", "named in the darcy2d configuration, not read by the network"),
    FC_OPT_END,
};

/* ---- weights ---- */

typedef struct {
  fc_axis_layer axis;
  fc_tensor    *merge, *out; /* [D, A], [D, D] */
} layer;

typedef struct {
  config        cfg;
  int           n_space;
  int64_t       L;
  bool          marches, legacy, bypass, channels_first; /* what the variant has */
  fc_linear     lift;                                    /* 2-D variants */
  fc_frame_lift frame_lift;                              /* 3-D variants */
  layer         layers[MAX_DEPTH];
  fc_conv_layer down[2], up[2]; /* the CNN bypass of darcy2d and smoke3d */
  fc_linear     expand;
  fc_tensor    *time_emb; /* [1, steps, 1.., L] */
  fc_norm       prop_norm, head_norm;
  fc_linear     prop_in, prop_out, head[3];
} model;

static fc_axis_spec axis_spec(const model *m) {
  const config *g = &m->cfg;

  return (fc_axis_spec){m->n_space, g->dim, g->heads, g->dim_head, g->kernel_multiplier, g->fourier_scale, 1};
}

static void init_layer(layer *l, fc_params *p, const model *m, int number) {
  const int64_t      D = m->cfg.dim, A = m->cfg.heads * m->cfg.dim_head;
  const fc_axis_spec s = axis_spec(m);

  fc_params_push(p, "encoder.layers.%d", number);
  fc_axis_layer_init(&l->axis, p, &s);
  l->merge = fc_param(p, "1.to_out.1.weight", fc_init_fan_in(A), FC_DIMS(D, A));
  l->out   = fc_param(p, "1.to_out.3.weight", fc_init_fan_in(D), FC_DIMS(D, D));
  fc_params_pop(p);
}

static void init_lift(model *m, fc_params *p) {
  const config *g = &m->cfg;
  const int64_t D = g->dim;

  if (m->channels_first)
    fc_frame_lift_init(&m->frame_lift, p, g->in_dim, g->in_time_window, D);
  else
    fc_linear_init(&m->lift, p, "to_in", m->marches ? g->in_time_window : g->in_dim, D, true);
}

static void init_bypass(model *m, fc_params *p) {
  const int64_t      D    = m->cfg.dim;
  const int          d    = m->n_space;
  const fc_conv_spec half = {2, 1, 1, false}, same = {1, 1, 1, false};

  if (!m->bypass) return;
  fc_conv_init(&m->down[0], p, "down_block.1", d, D, D / 2, 3, true, half);
  fc_conv_init(&m->down[1], p, "down_block.3", d, D / 2, D / 2, 3, true, same);
  fc_conv_init(&m->up[0], p, "up_block.1", d, D / 2, D / 2, 3, true, same);
  fc_conv_init(&m->up[1], p, "up_block.3", d, D / 2, D, 3, true, same);
}

static void init_march(model *m, fc_params *p) {
  const config *g = &m->cfg;
  const int64_t D = g->dim, L = m->L, steps = g->max_latent_steps;

  fc_linear_init(&m->expand, p, "expand_latent", m->bypass ? 2 * D : D, L, false);
  m->time_emb = m->n_space == 2
                    ? fc_param(p, "latent_time_emb", fc_init_normal(0.02), FC_DIMS(1, steps, 1, 1, L))
                    : fc_param(p, "latent_time_emb", fc_init_normal(0.02), FC_DIMS(1, steps, 1, 1, 1, L));
  fc_norm_init(&m->prop_norm, p, "propagator.norm", L, 1e-5);
  fc_linear_init(&m->prop_in, p, "propagator.fn.net.0", L, D, true);
  fc_linear_init(&m->prop_out, p, "propagator.fn.net.3", D, L, true);
}

static void init_head(model *m, fc_params *p) {
  const config *g = &m->cfg;
  const int64_t D = g->dim;

  if (m->marches) {
    fc_norm_init(&m->head_norm, p, "simple_to_out.1", m->L, 1e-5);
    fc_linear_init_shaped(&m->head[0], p, "simple_to_out.2", false, FC_DIMS(D, m->L / 8, 1));
    fc_linear_init_shaped(&m->head[1], p, "simple_to_out.4", false, FC_DIMS(D / 2, D, 1));
    fc_linear_init_shaped(&m->head[2], p, "simple_to_out.6", true, FC_DIMS(g->out_dim, D / 2, 1));
  } else {
    fc_norm_init(&m->head_norm, p, "simple_to_out.1", 2 * D, 1e-5);
    fc_linear_init_shaped(&m->head[0], p, "simple_to_out.2", false, FC_DIMS(D, 2 * D, 1));
    fc_linear_init_shaped(&m->head[1], p, "simple_to_out.4", true, FC_DIMS(g->out_dim, D, 1));
  }
}

static void settle_variant(model *m) {
  config      *g      = &m->cfg;
  const int    v      = g->variant;
  const bool   wide[] = {true, true, true, false, false};
  const double hi[]   = {6.283185307179586, 6.283185307179586, 6.283185307179586, 8, 1};

  m->n_space        = v == ISOTROPIC3D || v == SMOKE3D ? 3 : 2;
  m->channels_first = m->n_space == 3;
  m->marches        = v != DARCY2D;
  m->bypass         = v == DARCY2D || v == SMOKE3D;
  m->legacy         = g->norm == NORM_AUTO ? v == KOLMOGOROV2D_2023 : g->norm == NORM_LEGACY_INSTANCE;
  m->L              = (int64_t)((double)g->dim * g->latent_multiplier);
  if (g->fourier_scale == 0) g->fourier_scale = wide[v] ? 8 : 1;
  if (g->coord_hi == g->coord_lo) g->coord_hi = g->coord_lo + hi[v];
  if (v != SMOKE3D) g->padding = 0;
}

/* groups of the head's norm: 8 per unit of the multiplier, but always 8 in isotropic3d and darcy2d */
static int64_t head_groups(const model *m) {
  return m->cfg.variant == ISOTROPIC3D || !m->marches ? 8 : (int64_t)(8 * m->cfg.latent_multiplier);
}

static fc_status check_options(const model *m) {
  const config      *g     = &m->cfg;
  const int64_t      width = m->marches ? m->L : 2 * g->dim, groups = head_groups(m);
  const fc_axis_spec spec = axis_spec(m);

  FC_TRY(fc_axis_spec_check(&spec, "factformer"));
  FC_REQUIRE(!m->marches || (m->L % 8 == 0 && g->dim % 8 == 0), FC_E_USAGE,
             "factformer: dim %lld and the latent width %lld must be multiples of 8", (long long)g->dim,
             (long long)m->L);
  FC_REQUIRE(
      groups > 0 && width % groups == 0, FC_E_USAGE,
      "factformer: the head's width %lld does not divide into %lld groups; change dim or latent_multiplier",
      (long long)width, (long long)groups);
  FC_REQUIRE(!m->channels_first || g->dim / 2 % g->in_dim == 0, FC_E_USAGE,
             "factformer: in_dim %lld must divide dim/2 = %lld", (long long)g->in_dim, (long long)g->dim / 2);
  return FC_OK;
}

static fc_status init(void *self, fc_params *p, const void *cfg) {
  model *m = self;

  memset(m, 0, sizeof *m);
  m->cfg = *(const config *)cfg;
  settle_variant(m);
  FC_TRY(check_options(m));
  if (m->marches) init_march(m, p);
  init_lift(m, p);
  for (int i = 0; i < m->cfg.depth; i++) init_layer(&m->layers[i], p, m, i);
  init_bypass(m, p);
  init_head(m, p);
  return FC_OK;
}

/* ---- factorised attention ---- */

/* v [B, H, X.., c] through the kernels of axes `from` and on in turn, normalised and merged: [B, X.., D] */
static fc_tensor *attend(fc_ctx *c, const model *m, const layer *l, fc_tensor *v, fc_tensor *const *kernel,
                         int from) {
  const int last = m->n_space - 1;

  for (int a = from; a < last; a++) v = fc_axial_product(c, kernel[a], v, a);
  if (m->legacy) return fc_axial_merge(c, 1, kernel + last, &last, v, l->merge, true, 1e-5);
  /* per sample and head: one mean and one unbiased variance over all points and channels */
  v = fc_axial_product(c, kernel[last], v, last);
  v = fc_standardize_in_place(c, v, v->dim[0] * m->cfg.heads, 1, 1e-8);
  return fc_linear_merge(c, v, l->merge, NULL, FC_ACT_NONE);
}

typedef struct {
  const model        *m;
  const layer        *l;
  const fc_axis_grid *at;
} layer_call;

/* u <- u + position code;  u <- u + W2 GELU(W1 norm(K_z K_y K_x W_v LN(u))) */
static fc_tensor *apply_layer(fc_ctx *c, const void *self, int n_in, fc_tensor *const *in) {
  const layer_call   *call   = self;
  const model        *m      = call->m;
  const layer        *l      = call->l;
  const fc_axis_grid *at     = call->at;
  const bool          shared = fc_domain_shared(c);
  fc_tensor          *u = in[n_in - 1], *v = NULL, *kernel[FC_MAX_SPACE];

  /* the code is added in place, but a layer that will run again must find its input as it was */
  if (m->cfg.recompute) u = fc_affine(c, u, 1, 0);
  u            = fc_axis_position(c, &l->axis, u, at);
  fc_tensor *w = fc_layer_norm_apply(c, &l->axis.in_norm, u);
  if (!shared) v = fc_axis_values(c, &l->axis, w);
  fc_axis_kernels(c, &l->axis, w, at, kernel);
  if (shared) v = fc_axis_first_product(c, &l->axis, w, kernel[0], at->first);
  return fc_linear_of(c, FC_ACT_GELU, attend(c, m, l, v, kernel, shared ? 1 : 0), l->out, NULL, u);
}

static fc_tensor *encode(fc_ctx *c, const model *m, fc_tensor *u, const fc_axis_grid *at) {
  const fc_block_run run  = m->cfg.recompute ? fc_checkpoint : fc_block_plain;
  layer_call        *call = fc_arena_push(c->arena, sizeof *call * MAX_DEPTH);
  const size_t       mark = fc_arena_mark(c->arena);

  for (int i = 0; i < m->cfg.depth; i++) {
    call[i] = (layer_call){m, &m->layers[i], at};
    u       = fc_compact(c, mark, run(c, apply_layer, &call[i], FC_IN(u)));
  }
  return u;
}

/* ---- around the encoder ---- */

/* ranks that share the first axis cut it anew with the points added */
static fc_cut padded(const model *m, fc_cut lines) {
  return m->cfg.padding ? (fc_cut){lines.n + m->cfg.padding, 1} : lines;
}

static fc_tensor *pad_far(fc_ctx *c, const model *m, fc_tensor *u, fc_cut lines) {
  u = fc_recut(c, u, 1, lines, padded(m, lines));
  for (int a = 2; m->cfg.padding && a <= m->n_space; a++) u = fc_pad(c, u, a, 0, m->cfg.padding);
  return u;
}

static fc_tensor *crop_far(fc_ctx *c, const model *m, fc_tensor *u, fc_cut lines) {
  u = fc_recut(c, u, 1, padded(m, lines), lines);
  for (int a = 2; m->cfg.padding && a <= m->n_space; a++)
    u = fc_slice(c, u, a, 0, u->dim[a] - m->cfg.padding);
  return u;
}

/* Every second line is the middle of a 3 x 3 kernel. A share begins with such a line and wants the one before
   it; two are fetched, so that its first result lies at the second middle. */
static fc_tensor *halve(fc_ctx *c, const fc_conv_layer *l, fc_tensor *x, fc_cut lines) {
  const int64_t n = fc_ceil_div(x->dim[1], 2);

  if (!fc_domain_shared(c)) return fc_conv_apply(c, l, x);
  return fc_slice(c, fc_conv_apply(c, l, fc_halo_rows(c, x, 1, lines, (fc_halo){2, 0, false})), 1, 1, n);
}

/* [u seen by a small CNN at half resolution, u] */
static fc_tensor *with_bypass(fc_ctx *c, const model *m, fc_tensor *u, fc_cut lines) {
  if (!m->bypass) return u;
  const fc_cut half = fc_domain_shared(c) ? fc_cut_coarser(lines, 2) : lines;
  fc_tensor   *x    = fc_group_norm(c, u, m->cfg.dim, NULL, NULL, 1e-5); /* instance norm */
  x                 = fc_activate(c, halve(c, &m->down[0], x, lines), FC_ACT_GELU);
  x = fc_resize_nearest(c, fc_conv_apply_shared(c, &m->down[1], x, half), m->n_space, u->dim + 1);
  x = fc_activate(c, fc_conv_apply_shared(c, &m->up[0], x, lines), FC_ACT_GELU);
  return fc_concat(c, u->ndim - 1, FC_IN(fc_conv_apply_shared(c, &m->up[1], x, lines), u));
}

/* latent state [B, X.., L] -> [B, X.., out_dim] */
static fc_tensor *head(fc_ctx *c, const model *m, fc_tensor *z) {
  const fc_linear *last = &m->head[m->marches ? 2 : 1];
  fc_tensor       *x    = fc_group_norm_apply(c, &m->head_norm, z, head_groups(m));

  if (m->marches) {
    x = fc_linear_grouped(c, x, m->head[0].weight, NULL, 8);
    x = fc_linear_of(c, FC_ACT_GELU, x, m->head[1].weight, NULL, NULL);
  } else {
    x = fc_linear_apply(c, &m->head[0], x, FC_ACT_NONE);
  }
  return fc_linear_of(c, FC_ACT_GELU, x, last->weight, last->bias, NULL);
}

/* z += e_t;  z += P3 GELU(P0 LN(z)) */
static fc_tensor *propagate(fc_ctx *c, const model *m, fc_tensor *z, int64_t t) {
  z            = fc_add(c, z, fc_reshape(c, fc_slice(c, m->time_emb, 1, t, 1), FC_DIMS(m->L)));
  fc_tensor *h = fc_linear_apply(c, &m->prop_in, fc_layer_norm_apply(c, &m->prop_norm, z), FC_ACT_NONE);
  return fc_linear_of(c, FC_ACT_GELU, h, m->prop_out.weight, m->prop_out.bias, z);
}

typedef struct {
  const model *m;
  int64_t      t;
} step_call;

static fc_tensor *propagate_block(fc_ctx *c, const void *self, int n_in, fc_tensor *const *in) {
  const step_call *s = self;
  return propagate(c, s->m, in[n_in - 1], s->t);
}

static fc_tensor *head_block(fc_ctx *c, const void *self, int n_in, fc_tensor *const *in) {
  return head(c, ((const step_call *)self)->m, in[n_in - 1]);
}

/* frames y_t = head(z_t), t = 0 .. steps-1: [B, steps, X.., out_dim] */
static fc_tensor *march(fc_ctx *c, const model *m, fc_tensor *u, int64_t steps) {
  fc_tensor        **frame = fc_arena_push(c->arena, (size_t)steps * sizeof *frame);
  step_call         *call  = fc_arena_push(c->arena, (size_t)steps * sizeof *call);
  fc_tensor         *z     = fc_linear_apply(c, &m->expand, u, FC_ACT_NONE);
  const fc_block_run run   = m->cfg.recompute ? fc_checkpoint : fc_block_plain;

  for (int64_t t = 0; t < steps; t++) {
    const size_t before = fc_arena_mark(c->arena);
    call[t]             = (step_call){m, t};
    z                   = fc_compact(c, before, run(c, propagate_block, &call[t], FC_IN(z)));
    const size_t after  = fc_arena_mark(c->arena);
    frame[t]            = fc_compact(c, after, run(c, head_block, &call[t], FC_IN(z)));
  }
  return fc_stack(c, 1, (int)steps, frame);
}

/* of u */
static int first_axis(const model *m) { return m->channels_first ? 3 : 1; }

static fc_tensor *apply(fc_ctx *c, const void *self, const fc_batch *b) {
  const model *m     = self;
  fc_tensor   *u     = fc_batch_get(b, "u");
  int64_t      steps = 1;

  FC_ASSERT(u && fc_batch_int(b, "latent_steps", 1, 1, m->cfg.max_latent_steps, &steps) == FC_OK,
            "factformer: inputs were not checked");
  const fc_cut        lines = fc_cut_batch(c, u->dim[first_axis(m)]);
  const fc_axis_grid *at    = fc_axis_grid_of(c, b, m->n_space, padded(m, lines));
  if (m->channels_first) /* u (B, C, T, X, Y, Z) */
    u = fc_frame_lift_apply(c, &m->frame_lift, fc_permute(c, u, (int[]){0, 3, 4, 5, 2, 1}));
  else
    u = fc_linear_apply(c, &m->lift, u, FC_ACT_NONE);
  u = with_bypass(c, m, crop_far(c, m, encode(c, m, pad_far(c, m, u, lines), at), lines), lines);
  return m->marches ? march(c, m, u, steps) : head(c, m, u);
}

/* ---- boundary: what the inputs must look like ---- */

static fc_status check(const void *self, const fc_batch *b) {
  static const char *const names[] = {"pos_x", "pos_y", "pos_z"};
  const model             *m       = self;
  const config            *g       = &m->cfg;
  const int                first   = first_axis(m);
  fc_tensor               *u, *pos;
  int64_t                  steps;

  if (m->channels_first)
    FC_TRY(fc_batch_need(b, "u", FC_DIMS(-1, g->in_dim, g->in_time_window, -1, -1, -1), &u));
  else
    FC_TRY(fc_batch_need(b, "u", FC_DIMS(-1, -1, -1, m->marches ? g->in_time_window : g->in_dim), &u));
  for (int a = 0; a < m->n_space; a++) {
    const int64_t n = u->dim[first + a];
    FC_TRY(fc_batch_need(b, names[a], FC_DIMS(n + g->padding, 1), &pos));
    FC_REQUIRE(n >= 2 && (g->variant != SMOKE3D || n % 2 == 0), FC_E_MISMATCH,
               "factformer: axis %d has %lld points; at least 2 are needed, and an even number in smoke3d", a,
               (long long)n);
  }
  if (g->variant == DARCY2D) {
    const int64_t n = g->resolution ? g->resolution : u->dim[1];
    FC_REQUIRE(
        u->dim[1] == n && u->dim[2] == n, FC_E_MISMATCH,
        "factformer darcy2d: the grid is %lld x %lld, the network wants %lld x %lld (option resolution)",
        (long long)u->dim[1], (long long)u->dim[2], (long long)n, (long long)n);
  }
  return fc_batch_int(b, "latent_steps", 1, 1, g->max_latent_steps, &steps);
}

/* ---- gridded data ---- */

static fc_status frames(const void *self, fc_frames *out) {
  const model  *m = self;
  const config *g = &m->cfg;

  FC_REQUIRE(m->channels_first || !m->marches || (g->in_dim == 1 && g->out_dim == 1), FC_E_MISMATCH,
             "factformer %s takes one channel, not %lld; use in_dim = out_dim = 1", "kolmogorov2d",
             (long long)g->in_dim);
  *out = (fc_frames){.n_in         = m->marches ? (int)g->in_time_window : 1,
                     .max_out      = m->marches ? (int)g->max_latent_steps : 1,
                     .ndim         = m->n_space,
                     .channels_in  = g->in_dim,
                     .channels_out = g->out_dim,
                     .multiple     = g->variant == SMOKE3D ? 2 : 1,
                     .steady       = !m->marches,
                     .square       = g->variant == DARCY2D};
  return FC_OK;
}

static void pack(fc_ctx *c, const void *self, fc_tensor *window, int n_out, fc_batch *out) {
  static const char *const names[] = {"pos_x", "pos_y", "pos_z"};
  const model             *m       = self;
  const config            *g       = &m->cfg;
  const int64_t           *n       = window->dim; /* [B, T, X, Y(, Z), C] */
  fc_tensor               *steps   = fc_tensor_new(c->arena, FC_DIMS(1));

  steps->x[0] = (fc_real)n_out;
  if (m->channels_first)
    window = fc_permute(c, window, (int[]){0, 5, 1, 2, 3, 4});
  else if (m->marches)
    window = fc_permute(c, fc_reshape(c, window, 4, n), (int[]){0, 2, 3, 1});
  else
    window = fc_reshape(c, window, FC_DIMS(n[0], n[2], n[3], n[4]));
  fc_batch_put(out, "u", window);
  for (int a = 0; a < m->n_space; a++) {
    const int64_t points = a ? n[2 + a] : fc_cut_batch(c, n[2]).n;
    fc_batch_put(out, names[a], fc_axis_coordinates(c, g->coord_lo, g->coord_hi, points, g->padding));
  }
  fc_batch_put(out, "latent_steps", steps);
}

static fc_tensor *unpack(fc_ctx *c, const void *self, fc_tensor *y) {
  const model *m = self;

  return m->marches ? y : fc_reshape(c, y, FC_DIMS(y->dim[0], 1, y->dim[1], y->dim[2], y->dim[3]));
}

/* ---- ranks that share the grid ---- */

static fc_status shared_lines(const void *self, const fc_batch *whole, fc_cut *out) {
  const model     *m = self;
  const fc_tensor *u = fc_batch_get(whole, "u");
  const int        a = first_axis(m);

  *out = fc_axis_cut(u->dim[a], fc_span(u, a + 1, a + m->n_space));
  if (m->bypass) out->unit += out->unit % 2; /* its half-resolution lines end at the borders too */
  return FC_OK;
}

/* u and the output; coordinates are everywhere */
static fc_part shared_part(const void *self, const fc_batch *whole, const char *name) {
  const model *m = self;

  (void)whole;
  if (!name) return fc_part_axis(m->marches ? 2 : 1);
  return fc_part_axis(strcmp(name, "u") ? -1 : first_axis(m));
}

static const fc_sharing sharing = {.cut = shared_lines, .part = shared_part};

const fc_model_def fc_model_factformer = {
    .name        = "factformer",
    .task        = "operator",
    .summary     = "factorised attention on 2-D and 3-D grids, one kernel per axis, latent marching in time",
    .paper       = "Li, Shu, Barati Farimani, NeurIPS 2023, arXiv 2305.17560",
    .options     = options,
    .config_size = sizeof(config),
    .self_size   = sizeof(model),
    .init        = init,
    .check       = check,
    .apply       = apply,
    .frames      = frames,
    .pack        = pack,
    .unpack      = unpack,
    .sharing     = &sharing,
};
