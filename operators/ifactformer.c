/* operators/ifactformer.c - IFactFormer: factorised attention applied implicitly, the same layer again and
   again. Modified form -m with the axes in parallel: Yang, Wang, Wang, Sci. China Phys. Mech. Astron. 69(1)
   214606 (2026), arXiv 2412.18840; original form -o with the axes one after the other: Yang, Li, Wang, Wang,
   TAML 2024. Weights carry the names of the official code (huiyu-2002/IFactFormer-m).

     u <- u + position code;   n_layer times, with the same weights:   u <- u + block(u) / n_layer
     block(u) = W2 GELU(W1 norm(concat_axes K_axis v)),   v = W_v LN(u),   K_axis from the mean of LN(u)

   Letters: B batch, X.. two or three space axes, T input frames, C channels, D dim, H heads, c dim_head. All
   arrays are channels-last. The official code is 3-D; in 2-D what belongs to z is left out. */
#include "core/domain.h"
#include "core/model.h"
#include "core/nn/nn.h"

#include <string.h>

enum { MAX_DEPTH = 16 };

typedef enum { M_HEAD, M_FEB2025, O_HEAD } variant_name;

/* ---- options, under the names of the official configurations ---- */

typedef struct {
  int      variant;
  int64_t  in_dim, out_dim, in_time_window, n_space;
  int64_t  dim, depth, n_layer, heads, dim_head, kernel_multiplier;
  double   scaling_factor, fourier_scale;
  fc_reals coord_lo, coord_hi;
  bool     steady, recompute;
} config;

static const fc_option options[] = {
    FC_OPT_CHOICE(config, variant, "m_head|m_feb2025|o_head", "m_head",
                  "axes in parallel (m) or chained (o); m_feb2025: as first published, other norm, one more "
                  "map"),
    FC_OPT_INT(config, in_dim, "3", 1, 256, "input channels per frame; must divide dim/2"),
    FC_OPT_INT(config, out_dim, "3", 1, 256, "output channels"),
    FC_OPT_INT(config, in_time_window, "1", 1, 256, "input frames"),
    FC_OPT_INT(config, n_space, "3", 2, 3, "space axes"),
    FC_OPT_INT(config, dim, "96", 2, 8192, "width D"),
    FC_OPT_INT(config, depth, "1", 1, MAX_DEPTH, "layers with weights of their own"),
    FC_OPT_INT(config, n_layer, "10", 1, 1000, "how often each layer is applied"),
    FC_OPT_INT(config, heads, "5", 1, 256, "attention heads"),
    FC_OPT_INT(config, dim_head, "96", 1, 1024, "width of a head"),
    FC_OPT_INT(config, kernel_multiplier, "3", 1, 64,
               "width of the kernel's queries and keys, in head widths"),
    FC_OPT_REAL(config, scaling_factor, "1", -1e6, 1e6, "of the kernels; not read if kernel_multiplier > 4"),
    FC_OPT_REAL(config, fourier_scale, "8", 1e-6, 1e3, "std of the Fourier matrix"),
    FC_OPT_REALS(config, coord_lo, "[0, 0, 0]", -1e6, 1e6, "first coordinate of each axis"),
    FC_OPT_REALS(config, coord_hi, "[12.566370614359172, 2, 4.1887902047863905]", -1e6, 1e6,
                 "last coordinate of each axis; default: the channel 4 pi x 2 x 4 pi / 3"),
    FC_OPT_BOOL(config, steady, "false", "one field to one field, no time"),
    FC_OPT_BOOL(config, recompute, "false",
                "keep only the state between iterations and run each again in backward"),
    FC_OPT_IGNORED("model", "name of the official class; follows from the variant"),
    FC_OPT_END,
};

/* ---- weights ---- */

typedef struct {
  fc_axis_layer axis;
  fc_tensor    *merge, *out; /* [D, parts H c], [D, D] */
  fc_tensor    *more[2];     /* m_feb2025: [D, D] each */
} layer;

typedef struct {
  config        cfg;
  fc_frame_lift lift;
  layer         layers[MAX_DEPTH];
  fc_linear     head[2];
} model;

static void init_layer(layer *l, fc_params *p, const config *g, int number) {
  const int64_t      D = g->dim, A = g->heads * g->dim_head * (g->variant == O_HEAD ? 1 : g->n_space);
  const fc_axis_spec s     = {(int)g->n_space,      g->dim,           g->heads,         g->dim_head,
                              g->kernel_multiplier, g->fourier_scale, g->scaling_factor};
  const bool         first = g->variant == M_FEB2025;

  fc_params_push(p, "encoder.layers.%d", number);
  fc_axis_layer_init(&l->axis, p, &s);
  l->merge = fc_param(p, first ? "1.to_out.1.weight" : "1.to_out.2.weight", fc_init_fan_in(A), FC_DIMS(D, A));
  l->out   = fc_param(p, first ? "1.to_out.3.weight" : "1.to_out.4.weight", fc_init_fan_in(D), FC_DIMS(D, D));
  if (first) {
    l->more[0] = fc_param(p, "1.to_out_1.0.weight", fc_init_fan_in(D), FC_DIMS(D, D));
    l->more[1] = fc_param(p, "1.to_out_1.2.weight", fc_init_fan_in(D), FC_DIMS(D, D));
  }
  fc_params_pop(p);
}

static fc_status check_options(const config *g) {
  const fc_axis_spec s = {.dim = g->dim, .dim_head = g->dim_head, .multiplier = g->kernel_multiplier};

  FC_TRY(fc_axis_spec_check(&s, "ifactformer_m"));
  FC_REQUIRE(g->dim / 2 % g->in_dim == 0, FC_E_USAGE, "ifactformer_m: in_dim %lld must divide dim/2 = %lld",
             (long long)g->in_dim, (long long)g->dim / 2);
  FC_REQUIRE(g->coord_lo.n >= g->n_space && g->coord_hi.n >= g->n_space, FC_E_USAGE,
             "ifactformer_m: coord_lo and coord_hi need one number for each of the %lld axes",
             (long long)g->n_space);
  FC_REQUIRE(!g->steady || g->in_time_window == 1, FC_E_USAGE,
             "ifactformer_m: steady takes one field, but in_time_window is %lld; set it to 1",
             (long long)g->in_time_window);
  return FC_OK;
}

static fc_status init(void *self, fc_params *p, const void *cfg) {
  model        *m = self;
  const config *g = &m->cfg;

  memset(m, 0, sizeof *m);
  m->cfg = *(const config *)cfg;
  FC_TRY(check_options(g));
  fc_frame_lift_init(&m->lift, p, g->in_dim, g->in_time_window, g->dim);
  for (int i = 0; i < g->depth; i++) init_layer(&m->layers[i], p, g, i);
  fc_linear_init_shaped(&m->head[0], p, "simple_to_out.1", false, FC_DIMS(g->dim / 2, g->dim, 1));
  fc_linear_init_shaped(&m->head[1], p, "simple_to_out.3", true, FC_DIMS(g->out_dim, g->dim / 2, 1));
  return FC_OK;
}

/* ---- the implicit layer ---- */

typedef struct {
  const model        *m;
  const layer        *l;
  const fc_axis_grid *at;
} layer_call;

/* the original form: axes `from` and on one after the other */
static fc_tensor *chain(fc_ctx *c, const layer_call *call, fc_tensor *v, fc_tensor *const *kernel, int from) {
  const int last = (int)call->m->cfg.n_space - 1;

  for (int a = from; a < last; a++) v = fc_axial_product(c, kernel[a], v, a);
  return fc_axial_merge(c, 1, kernel + last, &last, v, call->l->merge, false, 1e-5);
}

/* values v [B, H, X.., c] through the kernels along all axes, normalised and merged: [B, X.., D] */
static fc_tensor *attend(fc_ctx *c, const layer_call *call, fc_tensor *v, fc_tensor *const *kernel) {
  static const int axes[] = {0, 1, 2};
  const layer     *l      = call->l;
  const int        d = (int)call->m->cfg.n_space, variant = call->m->cfg.variant;

  if (variant == O_HEAD) return chain(c, call, v, kernel, 0);
  return fc_axial_merge(c, d, kernel, axes, v, l->merge, variant == M_FEB2025, 1e-5);
}

/* columns of the merging map [D, heads parts c] that belong to n parts */
static fc_tensor *merge_of(fc_ctx *c, const layer_call *call, int part, int n) {
  const config *g = &call->m->cfg;
  fc_tensor    *W = fc_reshape(c, call->l->merge, FC_DIMS(g->dim * g->heads, g->n_space, g->dim_head));

  return fc_reshape(c, fc_slice(c, W, 1, part, n), FC_DIMS(g->dim, g->heads * n * g->dim_head));
}

/* Axes in parallel, the first of them shared: its part is made, normalised and merged where that axis is
   whole, so D numbers per point travel there and D come back, instead of c H. Values are wanted in both
   places and made there head by head. */
static fc_tensor *attend_apart(fc_ctx *c, const layer_call *call, fc_tensor *w, fc_tensor *const *kernel) {
  static const int axes[] = {0, 1, 2};
  const int64_t    heads  = call->m->cfg.heads;
  const fc_cut     first  = call->at->first;
  const int        others = (int)call->m->cfg.n_space - 1;
  fc_tensor       *V      = call->l->axis.to_v;

  fc_tensor *x = fc_axial_merge_of(c, 1, kernel, axes, fc_axis_turn(c, w, first), V, heads,
                                   merge_of(c, call, 0, 1), 1e-5);
  fc_tensor *y =
      fc_axial_merge_of(c, others, kernel + 1, axes + 1, w, V, heads, merge_of(c, call, 1, others), 1e-5);
  return fc_add_in_place(c, y, fc_axis_turn_back(c, x, 1, w, first));
}

/* The same on ranks that share the first axis. Norms by index span the parts, so that of the first axis comes
   back as it is; so do values that go on to the next axis. */
static fc_tensor *attend_shared(fc_ctx *c, const layer_call *call, fc_tensor *w, fc_tensor *const *kernel) {
  static const int     axes[]  = {FC_AXIAL_MADE, 1, 2};
  const fc_axis_layer *l       = &call->l->axis;
  const int            d       = (int)call->m->cfg.n_space;
  fc_tensor           *part[3] = {NULL, kernel[1], kernel[d - 1]};

  if (call->m->cfg.variant == M_HEAD) return attend_apart(c, call, w, kernel);
  part[0] = fc_axis_first_product(c, l, w, kernel[0], call->at->first);
  if (call->m->cfg.variant == M_FEB2025)
    return fc_axial_merge(c, d, part, axes, fc_axis_values(c, l, w), call->l->merge, true, 1e-5);
  return chain(c, call, part[0], kernel, 1);
}

/* u + block(u) / n_layer; the division is done on the last, small weight */
static fc_tensor *iterate(fc_ctx *c, const void *self, int n_in, fc_tensor *const *in) {
  const layer_call *call = self;
  const layer      *l    = call->l;
  fc_tensor        *u    = in[n_in - 1], *kernel[FC_MAX_SPACE];
  fc_tensor        *w = fc_layer_norm_apply(c, &l->axis.in_norm, u), *last = l->out;

  fc_axis_kernels(c, &l->axis, w, call->at, kernel);
  fc_tensor *x = fc_domain_shared(c) ? attend_shared(c, call, w, kernel)
                                     : attend(c, call, fc_axis_values(c, &l->axis, w), kernel);
  if (call->m->cfg.variant == M_FEB2025) {
    x    = fc_linear_of(c, FC_ACT_GELU, x, l->out, NULL, NULL);
    x    = fc_linear_op(c, x, l->more[0], NULL, FC_ACT_NONE);
    last = l->more[1];
  }
  return fc_linear_of(c, FC_ACT_GELU, x, fc_affine(c, last, 1 / (double)call->m->cfg.n_layer, 0), NULL, u);
}

static fc_tensor *encode(fc_ctx *c, const model *m, fc_tensor *u, const fc_axis_grid *at) {
  const fc_block_run run  = m->cfg.recompute ? fc_checkpoint : fc_block_plain;
  layer_call        *call = fc_arena_push(c->arena, sizeof *call * MAX_DEPTH);
  const size_t       mark = fc_arena_mark(c->arena);

  for (int i = 0; i < m->cfg.depth; i++) {
    call[i] = (layer_call){m, &m->layers[i], at};
    u       = fc_axis_position(c, &m->layers[i].axis, u, at);
    for (int64_t n = 0; n < m->cfg.n_layer; n++) u = fc_compact(c, mark, run(c, iterate, &call[i], FC_IN(u)));
  }
  return u;
}

/* ---- around it ---- */

static const char *const coordinate[] = {"pos_x", "pos_y", "pos_z"};

/* u (B, T, X.., C) -> (B, X.., C_out) */
static fc_tensor *apply(fc_ctx *c, const void *self, const fc_batch *b) {
  static const int frames_last[2][6] = {{0, 2, 3, 1, 4}, {0, 2, 3, 4, 1, 5}};
  const model     *m                 = self;
  fc_tensor       *u                 = fc_batch_get(b, "u");

  FC_ASSERT(u, "ifactformer_m: inputs were not checked");
  const fc_axis_grid *at = fc_axis_grid_of(c, b, (int)m->cfg.n_space, fc_cut_batch(c, u->dim[2]));
  u = fc_frame_lift_apply(c, &m->lift, fc_permute(c, u, frames_last[m->cfg.n_space - 2]));
  u = fc_linear_apply(c, &m->head[0], encode(c, m, u, at), FC_ACT_NONE);
  return fc_linear_of(c, FC_ACT_GELU, u, m->head[1].weight, m->head[1].bias, NULL);
}

static fc_status check(const void *self, const fc_batch *b) {
  const model  *m     = self;
  const config *g     = &m->cfg;
  const int     d     = (int)g->n_space;
  const int64_t dim[] = {-1, g->in_time_window, -1, -1, d == 3 ? -1 : g->in_dim, g->in_dim};
  fc_tensor    *u, *pos;

  FC_TRY(fc_batch_need(b, "u", d + 3, dim, &u));
  for (int a = 0; a < d; a++) FC_TRY(fc_batch_need(b, coordinate[a], FC_DIMS(u->dim[2 + a], 1), &pos));
  return FC_OK;
}

/* ---- gridded data ---- */

static fc_status frames(const void *self, fc_frames *out) {
  const config *g = &((const model *)self)->cfg;

  *out = (fc_frames){.n_in         = (int)g->in_time_window,
                     .max_out      = 1,
                     .ndim         = (int)g->n_space,
                     .channels_in  = g->in_dim,
                     .channels_out = g->out_dim,
                     .multiple     = 1,
                     .steady       = g->steady};
  return FC_OK;
}

static void pack(fc_ctx *c, const void *self, fc_tensor *window, int n_out, fc_batch *out) {
  const config *g = &((const model *)self)->cfg;

  (void)n_out; /* one frame per call */
  fc_batch_put(out, "u", window);
  for (int a = 0; a < g->n_space; a++) {
    const int64_t n = a ? window->dim[2 + a] : fc_cut_batch(c, window->dim[2]).n;
    fc_batch_put(out, coordinate[a], fc_axis_coordinates(c, g->coord_lo.v[a], g->coord_hi.v[a], n, 0));
  }
}

static fc_tensor *unpack(fc_ctx *c, const void *self, fc_tensor *y) {
  int64_t dim[FC_MAX_DIMS] = {y->dim[0], 1};

  (void)self;
  for (int i = 1; i < y->ndim; i++) dim[i + 1] = y->dim[i];
  return fc_reshape(c, y, y->ndim + 1, dim);
}

/* ---- ranks that share the grid ---- */

static fc_status shared_lines(const void *self, const fc_batch *whole, fc_cut *out) {
  const fc_tensor *u = fc_batch_get(whole, "u");

  (void)self;
  *out = fc_axis_cut(u->dim[2], fc_span(u, 3, u->ndim - 1));
  return FC_OK;
}

/* u and the output; coordinates are everywhere */
static fc_part shared_part(const void *self, const fc_batch *whole, const char *name) {
  (void)self, (void)whole;
  if (!name) return fc_part_axis(1);
  return fc_part_axis(strcmp(name, "u") ? -1 : 2);
}

static const fc_sharing sharing = {.cut = shared_lines, .part = shared_part};

const fc_model_def fc_model_ifactformer_m = {
    .name    = "ifactformer_m",
    .task    = "operator",
    .summary = "implicit factorised attention on 2-D and 3-D grids, axes in parallel, one layer many times",
    .paper   = "Yang, Wang, Wang, Sci. China Phys. Mech. Astron. 69(1) 214606, 2026, arXiv 2412.18840",
    .options = options,
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
