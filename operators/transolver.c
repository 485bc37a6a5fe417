/* operators/transolver.c - Transolver: attention among a few slices of the points, on grids and on point
   clouds. Wu, Luo, Wang, Wang, Long, "Transolver: A Fast Transformer Solver for PDEs on General Geometries",
   ICML 2024, arXiv 2402.02366. Weights carry the names of the official codes (thuml/Transolver and the
   versions of thuml/Neural-Solver-Library, here nsl_*).

   Letters: B batch, N points of a sample, R rows of all samples, X.. grid, C n_hidden, H heads, d = C/H, G
   slices. Inside, all points lie in rows [R, C], sample after sample; grids are row-major. */
#include "core/domain.h"
#include "core/model.h"
#include "core/nn/nn.h"
#include "core/nn/ragged.h"

#include <string.h>

enum { MAX_LAYERS = 64, MAX_SPACE = 3 };

typedef enum {
  IRREGULAR,
  STRUCTURED_2D,
  STRUCTURED_3D,
  NSL_IRREGULAR,
  NSL_STRUCTURED_1D,
  NSL_STRUCTURED_2D,
  NSL_STRUCTURED_3D,
  CAR,
  AIRFRANS
} variant_name;

/* What the official codes do differently. Weights do not tell which of them they belong to. */
typedef struct {
  int    axes;    /* of the grid, whose projections are convolutions; 0: loose points, linear projections */
  int    lattice; /* axes of the lattice of unified positions; 0: unified_pos is not heeded */
  bool   nsl;     /* Neural-Solver-Library */
  bool   design;  /* one geometry per call, x [N, space_dim] without fx; distances stand beside x */
  double lo[MAX_SPACE], hi[MAX_SPACE]; /* of the lattice */
} traits;

static const traits all_traits[] = {
    [IRREGULAR]         = {.lattice = 2, .hi = {1, 1}},
    [STRUCTURED_2D]     = {.axes = 2, .lattice = 2, .hi = {1, 1}},
    [STRUCTURED_3D]     = {.axes = 3, .lattice = 3, .hi = {1, 1, 1}},
    [NSL_IRREGULAR]     = {.nsl = true},
    [NSL_STRUCTURED_1D] = {.axes = 1, .lattice = 1, .nsl = true, .hi = {1}},
    [NSL_STRUCTURED_2D] = {.axes = 2, .lattice = 2, .nsl = true, .hi = {1, 1}},
    [NSL_STRUCTURED_3D] = {.axes = 3, .lattice = 3, .nsl = true, .hi = {1, 1, 1}},
    [CAR]               = {.lattice = 3, .design = true, .lo = {-1.5, 0, -4}, .hi = {1.5, 2, 4}},
    [AIRFRANS]          = {.lattice = 2, .design = true, .lo = {-2, -1.5}, .hi = {4, 1.5}},
};

/* ---- options, under the names of the official configurations ---- */

typedef struct {
  int     variant, act;
  int64_t space_dim, fun_dim, out_dim, n_hidden, n_layers, n_head, mlp_ratio, slice_num, ref, H, W, D,
      in_frames;
  fc_ints shapelist;
  double  dropout;
  bool    unified_pos, Time_Input, steady, recompute;
} config;

static const fc_option options[] = {
    FC_OPT_CHOICE(config, variant,
                  "irregular|structured_2d|structured_3d|nsl_irregular|nsl_structured_1d|nsl_structured_2d|"
                  "nsl_structured_3d|car|airfrans",
                  "structured_2d", "which of the official networks; nsl: those of Neural-Solver-Library"),
    FC_OPT_INT(config, space_dim, "2", 1, 64, "coordinates of a point; car and airfrans: numbers of a point"),
    FC_OPT_INT(config, fun_dim, "1", 0, 1024, "given values of a point; car and airfrans have none"),
    FC_OPT_INT(config, out_dim, "1", 1, 1024, "predicted values of a point"),
    FC_OPT_INT(config, n_hidden, "128", 1, 8192, "width C"),
    FC_OPT_INT(config, n_layers, "8", 1, MAX_LAYERS, "blocks"),
    FC_OPT_INT(config, n_head, "8", 1, 256, "attention heads"),
    FC_OPT_ALIAS(config, n_head, FC_T_INT, "n_heads"),
    FC_OPT_INT(config, mlp_ratio, "1", 1, 64, "width of a block's two-layer map, in units of n_hidden"),
    FC_OPT_INT(config, slice_num, "64", 1, 4096, "slices G"),
    FC_OPT_INT(config, ref, "8", 1, 64, "points per axis of the lattice of unified positions"),
    FC_OPT_BOOL(config, unified_pos, "false",
                "distances to a lattice instead of coordinates (car, airfrans: beside them)"),
    FC_OPT_BOOL(config, Time_Input, "false", "takes a time T for each sample"),
    FC_OPT_ALIAS(config, Time_Input, FC_T_BOOL, "time_input"),
    FC_OPT_CHOICE(config, act, "gelu|tanh|sigmoid|relu|silu|softplus|ELU", "gelu",
                  "activation of the two-layer maps"),
    FC_OPT_REAL(config, dropout, "0", 0, 1, "of attention weights and of the attention's result"),
    FC_OPT_INT(config, H, "0", 0, 1 << 20,
               "points along the first axis of flattened grids; gridded data bring their own"),
    FC_OPT_INT(config, W, "0", 0, 1 << 20, "along the second"),
    FC_OPT_INT(config, D, "0", 0, 1 << 20, "along the third"),
    FC_OPT_INTS(config, shapelist, "[]", 1, 1 << 20, "the same as H, W, D, as nsl writes it"),
    FC_OPT_INT(config, in_frames, "1", 1, 256,
               "gridded data: frames of history; fun_dim is this times the channels"),
    FC_OPT_BOOL(config, steady, "false", "gridded data: one field to another, without time"),
    FC_OPT_BOOL(config, recompute, "false", "keep only the borders of blocks and run them again in backward"),
    FC_OPT_IGNORED("geotype", "follows from the variant"),
    FC_OPT_IGNORED("modes", "of other models in the library"),
    FC_OPT_END,
};

static const fc_act activations[] = {FC_ACT_GELU, FC_ACT_TANH,     FC_ACT_SIGMOID, FC_ACT_RELU,
                                     FC_ACT_SILU, FC_ACT_SOFTPLUS, FC_ACT_ELU};

/* ---- weights ---- */

typedef struct {
  fc_norm       ln_1, ln_2;
  fc_linear     linear_x, linear_fx; /* loose points */
  fc_conv_layer conv_x, conv_fx;     /* grids */
  fc_physics    attn;
  fc_linear     out;
  fc_mlp        mlp;
} block;

typedef struct {
  config     cfg;
  traits     t;
  bool       unified;         /* positions are distances */
  int64_t    n_in, code, A;   /* numbers of a point going in, distances among them; width of all heads */
  int64_t    grid[MAX_SPACE]; /* points per axis if inputs are flattened grids, else 0 */
  fc_mlp     preprocess;
  fc_tensor *placeholder;
  fc_linear  time[2];
  block      blocks[MAX_LAYERS];
  fc_norm    ln_3;
  fc_linear  head;
} model;

static const double small = 0.02; /* standard deviation of all initial linear maps */

static void init_projections(block *k, fc_params *p, const model *m) {
  const int64_t      C    = m->cfg.n_hidden;
  const fc_conv_spec same = {1, 1, 1, false};

  if (m->t.axes) {
    fc_conv_init(&k->conv_x, p, "in_project_x", m->t.axes, C, m->A, 3, true, same);
    fc_conv_init(&k->conv_fx, p, "in_project_fx", m->t.axes, C, m->A, 3, true, same);
  } else {
    fc_linear_init_normal(&k->linear_x, p, "in_project_x", C, m->A, true, small);
    fc_linear_init_normal(&k->linear_fx, p, "in_project_fx", C, m->A, true, small);
  }
}

static fc_physics init_slices(fc_params *p, const model *m) {
  const int64_t H = m->cfg.n_head, d = m->A / H, G = m->cfg.slice_num;
  const bool    clamped = m->t.axes > 0; /* to 0.1 .. 5 */
  fc_linear     slice, q, k, v;

  fc_tensor *temperature = fc_param(p, "temperature", fc_init_constant(0.5), FC_DIMS(1, H, 1, 1));
  fc_linear_init_normal(&slice, p, "in_project_slice", d, G, true, small);
  fc_linear_init_normal(&q, p, "to_q", d, d, false, small);
  fc_linear_init_normal(&k, p, "to_k", d, d, false, small);
  fc_linear_init_normal(&v, p, "to_v", d, d, false, small);
  return (fc_physics){.slice_w     = slice.weight,
                      .slice_b     = slice.bias,
                      .temperature = temperature,
                      .q           = q.weight,
                      .k           = k.weight,
                      .v           = v.weight,
                      .lowest      = clamped ? 0.1 : 1,
                      .highest     = clamped ? 5 : 0,
                      .dropout     = m->cfg.dropout};
}

/* AirfRANS stores one more two-layer map per block, which nothing uses */
static void init_spare(fc_params *p, int64_t C, int64_t hidden) {
  fc_params_push(p, "mlp_new");
  fc_param_of(p, FC_PARAM_FORMULA, "linear_pre.0.weight", fc_init_normal(small), FC_DIMS(hidden, C));
  fc_param_of(p, FC_PARAM_FORMULA, "linear_pre.0.bias", fc_init_constant(0), FC_DIMS(hidden));
  fc_param_of(p, FC_PARAM_FORMULA, "linear_post.weight", fc_init_normal(small), FC_DIMS(C, hidden));
  fc_param_of(p, FC_PARAM_FORMULA, "linear_post.bias", fc_init_constant(0), FC_DIMS(C));
  fc_params_pop(p);
}

static void init_block(block *k, fc_params *p, const model *m) {
  const int64_t C = m->cfg.n_hidden, hidden = C * m->cfg.mlp_ratio;

  fc_norm_init(&k->ln_1, p, "ln_1", C, 1e-5);
  fc_params_push(p, "Attn");
  init_projections(k, p, m);
  k->attn = init_slices(p, m);
  fc_linear_init_normal(&k->out, p, "to_out.0", m->A, C, true, small);
  fc_params_pop(p);
  fc_norm_init(&k->ln_2, p, "ln_2", C, 1e-5);
  fc_mlp_init_normal(&k->mlp, p, "mlp", C, hidden, C, small);
  if (m->cfg.variant == AIRFRANS) init_spare(p, C, hidden);
}

static void init_weights(model *m, fc_params *p) {
  const config *g = &m->cfg;
  const int64_t C = g->n_hidden;

  m->placeholder = fc_param(p, "placeholder", fc_init_positive(1 / (double)C), FC_DIMS(C));
  fc_mlp_init_normal(&m->preprocess, p, "preprocess", m->n_in, 2 * C, C, small);
  if (g->Time_Input) {
    fc_linear_init_normal(&m->time[0], p, "time_fc.0", C, C, true, small);
    fc_linear_init_normal(&m->time[1], p, "time_fc.2", C, C, true, small);
  }
  for (int i = 0; i < g->n_layers; i++) {
    fc_params_push(p, "blocks.%d", i);
    init_block(&m->blocks[i], p, m);
    if (i == g->n_layers - 1) {
      fc_norm_init(&m->ln_3, p, "ln_3", C, 1e-5);
      fc_linear_init_normal(&m->head, p, "mlp2", C, g->out_dim, true, small);
    }
    fc_params_pop(p);
  }
}

/* ---- init ---- */

static fc_status settle_grid(model *m) {
  const config *g        = &m->cfg;
  const int64_t named[3] = {g->H, g->W, g->D};

  for (int a = 0; a < m->t.axes; a++) m->grid[a] = g->shapelist.n ? g->shapelist.v[a] : named[a];
  FC_REQUIRE(!g->shapelist.n || !m->t.axes || g->shapelist.n == m->t.axes, FC_E_USAGE,
             "transolver: shapelist has %d lengths, this variant works on %d axes", g->shapelist.n,
             m->t.axes);
  return FC_OK;
}

static fc_status settle(model *m) {
  config *g = &m->cfg;

  m->t       = all_traits[g->variant];
  m->unified = g->unified_pos && m->t.lattice > 0;
  m->A       = g->n_hidden / g->n_head * g->n_head;
  m->code    = m->unified ? 1 : 0;
  for (int a = 0; m->unified && a < m->t.lattice; a++) m->code *= g->ref;
  if (m->t.design) g->fun_dim = 0, g->Time_Input = false; /* these codes never hand them on */
  m->n_in = g->fun_dim + m->code + (m->unified && !m->t.design ? 0 : g->space_dim);
  FC_REQUIRE(g->n_head <= g->n_hidden, FC_E_USAGE, "transolver: %lld heads do not fit into n_hidden = %lld",
             (long long)g->n_head, (long long)g->n_hidden);
  FC_REQUIRE(!m->unified || m->t.axes || m->t.design || g->space_dim == m->t.lattice, FC_E_USAGE,
             "transolver: unified_pos of irregular points works in the plane, space_dim is %lld",
             (long long)g->space_dim);
  FC_REQUIRE(
      !m->t.design || g->space_dim > m->t.lattice, FC_E_USAGE,
      "transolver: this variant takes %d coordinates and more numbers of each point (7 in the recipe), "
      "space_dim is %lld",
      m->t.lattice, (long long)g->space_dim);
  return settle_grid(m);
}

static fc_status init(void *self, fc_params *p, const void *cfg) {
  model *m = self;

  memset(m, 0, sizeof *m);
  m->cfg = *(const config *)cfg;
  FC_TRY(settle(m));
  init_weights(m, p);
  return FC_OK;
}

/* ---- inputs as rows ---- */

/* how the points of a batch lie: samples, and axis lengths if they lie on a grid. Ranks of a domain have some
   of the points; of a grid, some of the lines of its first axis, `lines` in all. */
typedef struct {
  fc_segments seg;
  int64_t     grid[MAX_SPACE];
  fc_cut      lines;
} points;

static bool on_grid(const fc_tensor *x) { return x->ndim > 3; }

/* all axes but the first */
static int64_t points_of_line(const model *m, const fc_tensor *x) {
  int64_t n = 1;

  for (int a = 1; a < m->t.axes; a++) n *= on_grid(x) ? x->dim[1 + a] : m->grid[a];
  return n;
}

/* x [B, N, ..], [B, X.., ..], [N, ..] or, with x_lengths, [R, ..] */
static points points_of(fc_ctx *c, const model *m, const fc_tensor *x, const fc_tensor *lengths) {
  const bool    single = x->ndim == 2;
  const int64_t B = single ? 1 : x->dim[0], N = fc_rows(x) / B;
  points        q = {.seg = lengths ? fc_segments_of(c->arena, lengths) : fc_segments_equal(c->arena, B, N)};

  if (!m->t.axes) return q;
  for (int a = 1; a < m->t.axes; a++) q.grid[a] = on_grid(x) ? x->dim[1 + a] : m->grid[a];
  q.grid[0] = N / points_of_line(m, x);
  q.lines   = fc_cut_batch(c, q.grid[0]);
  if (fc_domain_shared(c) && !on_grid(x)) q.lines = fc_cut_coarser(q.lines, points_of_line(m, x));
  return q;
}

static fc_tensor *as_rows(fc_ctx *c, fc_tensor *x) {
  return fc_reshape(c, x, FC_DIMS(fc_rows(x), fc_last(x)));
}

/* distances of the grid's own points, the same for each sample: [R, code] */
static fc_tensor *grid_code(fc_ctx *c, const model *m, const points *q) {
  fc_tensor    *at = fc_unit_grid(c, m->t.axes, q->grid, q->lines);
  fc_tensor    *y  = fc_lattice_distance(c, at, m->cfg.ref, m->t.lo, m->t.hi);
  const int64_t N  = y->dim[0];

  y = fc_expand(c, fc_reshape(c, y, FC_DIMS(1, N, m->code)), 0, q->seg.n);
  return fc_reshape(c, y, FC_DIMS(q->seg.n * N, m->code));
}

/* what stands for the position of a point, rows; pos: coordinates that x begins with (car, airfrans) */
static fc_tensor *positions(fc_ctx *c, const model *m, const points *q, fc_tensor *x, fc_tensor *pos) {
  if (!m->unified) return x;
  if (m->t.axes) return grid_code(c, m, q);
  fc_tensor *y = fc_lattice_distance(c, pos ? pos : x, m->cfg.ref, m->t.lo, m->t.hi);
  return m->t.design ? fc_concat(c, 1, 2, (fc_tensor *[]){x, y}) : y;
}

/* car and airfrans: all numbers of a point, which packed batches give in two parts */
static fc_tensor *embed_input(fc_ctx *c, const model *m, const points *q, const fc_batch *b) {
  fc_tensor *x = as_rows(c, fc_batch_get(b, "x")), *fx = fc_batch_get(b, "fx"),
            *pos = m->t.design ? fc_batch_get(b, "pos") : NULL;

  if (fx) fx = as_rows(c, fx);
  if (m->t.design && fx) {
    pos = x;
    x   = fc_concat(c, 1, 2, (fc_tensor *[]){x, fx});
    fx  = NULL;
  }
  x = positions(c, m, q, x, pos);
  return fx ? fc_concat(c, 1, 2, (fc_tensor *[]){x, fx}) : x;
}

/* h = MLP(z) + placeholder + time */
static fc_tensor *embed(fc_ctx *c, const model *m, const points *q, const fc_batch *b) {
  const fc_act act = activations[m->cfg.act];
  fc_tensor   *T = fc_batch_get(b, "T"), *bias = m->preprocess.post.bias;
  const bool   placed = !m->t.axes || m->t.nsl || m->cfg.fun_dim == 0;

  fc_tensor *z = fc_linear_apply(c, &m->preprocess.pre, embed_input(c, m, q, b), FC_ACT_NONE);
  if (placed) bias = fc_add(c, bias, m->placeholder);
  fc_tensor *h = fc_linear_of(c, act, z, m->preprocess.post.weight, bias, NULL);
  if (!m->cfg.Time_Input) return h;
  fc_tensor *e = fc_linear_apply(c, &m->time[0], fc_time_code(c, T, m->cfg.n_hidden, 1), FC_ACT_NONE);
  e            = fc_linear_of(c, FC_ACT_SILU, e, m->time[1].weight, m->time[1].bias, NULL);
  return fc_add_sample(c, h, e, &q->seg);
}

/* ---- blocks ---- */

typedef struct {
  const model  *m;
  const block  *k;
  const points *q;
} block_call;

/* rows as the grid of their samples, [B, X.., C] */
static fc_tensor *as_grid(fc_ctx *c, const model *m, const points *q, fc_tensor *u) {
  int64_t dim[2 + MAX_SPACE] = {q->seg.n};

  for (int a = 0; a < m->t.axes; a++) dim[1 + a] = q->grid[a];
  dim[1 + m->t.axes] = fc_last(u);
  return fc_reshape(c, u, 2 + m->t.axes, dim);
}

/* a 3 x 3 convolution needs a line of the neighbours on both sides; beyond the grid they are zeros */
static fc_tensor *project_grid(fc_ctx *c, const fc_conv_layer *conv, fc_tensor *u) {
  fc_tensor *y = fc_conv_apply(c, conv, u);

  return fc_domain_shared(c) ? fc_slice(c, y, 1, 1, u->dim[1] - 2) : y;
}

/* h <- h + W_out attention(P_x u, P_fx u) + b, u = LN1(h);  h <- h + MLP(LN2(h)) */
static fc_tensor *apply_block(fc_ctx *c, const void *self, int n_in, fc_tensor *const *in) {
  const block_call *call = self;
  const model      *m    = call->m;
  const block      *k    = call->k;
  const double      p    = c->training ? m->cfg.dropout : 0;
  fc_tensor        *h = in[n_in - 1], *u = fc_layer_norm_apply(c, &k->ln_1, h), *a, *f;

  if (m->t.axes) {
    u = as_grid(c, m, call->q, u);
    if (fc_domain_shared(c)) u = fc_halo_rows(c, u, 1, call->q->lines, (fc_halo){1, 1, false});
    a = project_grid(c, &k->conv_x, u);
    f = project_grid(c, &k->conv_fx, u);
  } else {
    a = fc_linear_apply(c, &k->linear_x, u, FC_ACT_NONE);
    f = fc_linear_apply(c, &k->linear_fx, u, FC_ACT_NONE);
  }
  fc_tensor *y = as_rows(c, fc_physics_attention(c, a, f, &k->attn, &call->q->seg));
  if (p > 0)
    h = fc_add(c, h,
               fc_dropout_shared(c, fc_linear_apply(c, &k->out, y, FC_ACT_NONE), p, &call->q->seg, c->cut));
  else
    h = fc_linear_of(c, FC_ACT_NONE, y, k->out.weight, k->out.bias, h);
  return fc_mlp_onto(c, &k->mlp, h, fc_layer_norm_apply(c, &k->ln_2, h), activations[m->cfg.act]);
}

static fc_tensor *run_blocks(fc_ctx *c, const model *m, const points *q, fc_tensor *h) {
  const fc_block_run run  = m->cfg.recompute ? fc_checkpoint : fc_block_plain;
  block_call        *call = fc_arena_push(c->arena, sizeof *call * MAX_LAYERS);
  const size_t       mark = fc_arena_mark(c->arena);

  for (int i = 0; i < m->cfg.n_layers; i++) {
    call[i] = (block_call){m, &m->blocks[i], q};
    h       = fc_compact(c, mark, run(c, apply_block, &call[i], FC_IN(h)));
  }
  return h;
}

static fc_tensor *apply(fc_ctx *c, const void *self, const fc_batch *b) {
  const model     *m = self;
  const fc_tensor *x = fc_batch_get(b, "x");
  points          *q = fc_arena_push(c->arena, sizeof *q);
  int64_t          dim[FC_MAX_DIMS];

  FC_ASSERT(x && (!m->cfg.Time_Input || fc_batch_get(b, "T")), "transolver: inputs were not checked");
  *q           = points_of(c, m, x, fc_batch_get(b, "x_lengths"));
  fc_tensor *h = run_blocks(c, m, q, embed(c, m, q, b));
  h            = fc_linear_apply(c, &m->head, fc_layer_norm_apply(c, &m->ln_3, h), FC_ACT_NONE);
  for (int a = 0; a < x->ndim; a++) dim[a] = a < x->ndim - 1 ? x->dim[a] : m->cfg.out_dim;
  return fc_reshape(c, h, x->ndim, dim);
}

/* ---- boundary: what the inputs must look like ---- */

/* fx [.., features] beside x, or none */
static fc_status check_values(const fc_batch *b, const fc_tensor *x, int64_t features) {
  int64_t    dim[FC_MAX_DIMS];
  fc_tensor *fx = fc_batch_get(b, "fx");

  FC_REQUIRE(features > 0 || !fx, FC_E_MISMATCH,
             "transolver: the batch holds fx %s, but this network takes x alone (fun_dim = 0, car, airfrans)",
             fc_shape_text(fx));
  if (!features) return FC_OK;
  for (int a = 0; a < x->ndim; a++) dim[a] = a < x->ndim - 1 ? x->dim[a] : features;
  return fc_batch_need(b, "fx", x->ndim, dim, &fx);
}

static fc_status check_time(const model *m, const fc_batch *b, int64_t samples) {
  fc_tensor *T;

  return m->cfg.Time_Input ? fc_batch_need(b, "T", FC_DIMS(samples, 1), &T) : FC_OK;
}

/* packed: x [R, space], x_lengths [B], fx [R, features] */
static fc_status check_packed(const model *m, const fc_batch *b, const fc_tensor *lengths) {
  const int64_t space    = m->t.design ? m->t.lattice : m->cfg.space_dim;
  const int64_t features = m->t.design ? m->cfg.space_dim - space : m->cfg.fun_dim;
  fc_tensor    *x;

  FC_REQUIRE(
      !m->t.axes, FC_E_MISMATCH,
      "transolver: this variant works on grids, the batch holds samples of various lengths; use a variant "
      "for irregular points");
  FC_TRY(fc_batch_need(b, "x", FC_DIMS(-1, space), &x));
  FC_TRY(fc_segments_check(lengths, "x_lengths", x->dim[0]));
  FC_TRY(check_values(b, x, features));
  return check_time(m, b, fc_len(lengths));
}

/* one geometry: x [N, space_dim] and, for distances, pos [N, 2 or 3] */
static fc_status check_design(const model *m, const fc_batch *b) {
  fc_tensor *x, *pos;

  FC_TRY(fc_batch_need(b, "x", FC_DIMS(-1, m->cfg.space_dim), &x));
  FC_TRY(check_values(b, x, 0));
  return m->unified ? fc_batch_need(b, "pos", FC_DIMS(x->dim[0], m->t.lattice), &pos) : FC_OK;
}

/* flattened grids need the option that says how they were before */
static fc_status check_grid(const model *m, const fc_tensor *x) {
  int64_t wanted = 1;

  if (on_grid(x)) {
    FC_REQUIRE(x->ndim == m->t.axes + 2, FC_E_MISMATCH,
               "transolver: x has shape %s, this variant works on %d axes", fc_shape_text(x), m->t.axes);
    return FC_OK;
  }
  if (m->t.axes == 1 && !m->grid[0]) return FC_OK;
  for (int a = 0; a < m->t.axes; a++) wanted *= m->grid[a];
  FC_REQUIRE(wanted == x->dim[1], FC_E_MISMATCH,
             "transolver: samples have %lld points, the grid of options H, W, D or shapelist has %lld",
             (long long)x->dim[1], (long long)wanted);
  return FC_OK;
}

static fc_status check(const void *self, const fc_batch *b) {
  const model     *m       = self;
  const fc_tensor *lengths = fc_batch_get(b, "x_lengths");
  fc_tensor       *x       = fc_batch_get(b, "x");
  int64_t          dim[FC_MAX_DIMS];

  if (lengths) return check_packed(m, b, lengths);
  if (m->t.design) return check_design(m, b);
  const int ndim = x && on_grid(x) ? x->ndim : 3;
  for (int a = 0; a < ndim; a++) dim[a] = -1;
  dim[ndim - 1] = m->cfg.space_dim;
  FC_TRY(fc_batch_need(b, "x", ndim, dim, &x));
  if (m->t.axes) FC_TRY(check_grid(m, x));
  FC_TRY(check_values(b, x, m->cfg.fun_dim));
  return check_time(m, b, x->dim[0]);
}

/* ---- gridded data: frames of history are channels of fx, coordinates run from 0 to 1 ---- */

static fc_status frames(const void *self, fc_frames *out) {
  const model  *m = self;
  const config *g = &m->cfg;
  const int     n = m->t.axes ? m->t.axes : (int)g->space_dim;

  FC_REQUIRE(!m->t.design, FC_E_MISMATCH, "transolver: car and airfrans take point clouds, not grids");
  FC_REQUIRE(!g->Time_Input, FC_E_MISMATCH,
             "transolver: windows of gridded data carry no time; set Time_Input = false");
  FC_REQUIRE(g->space_dim == n && n <= MAX_SPACE, FC_E_MISMATCH,
             "transolver: space_dim is %lld; on gridded data it is the number of axes%s",
             (long long)g->space_dim, m->t.axes ? " of the variant" : ", at most 3");
  FC_REQUIRE(g->fun_dim > 0 && g->fun_dim % g->in_frames == 0, FC_E_MISMATCH,
             "transolver: fun_dim = %lld is not in_frames = %lld times a number of channels",
             (long long)g->fun_dim, (long long)g->in_frames);
  *out = (fc_frames){.n_in         = (int)g->in_frames,
                     .max_out      = 1,
                     .ndim         = n,
                     .channels_in  = g->fun_dim / g->in_frames,
                     .channels_out = g->out_dim,
                     .multiple     = 1,
                     .steady       = g->steady};
  return FC_OK;
}

static void pack(fc_ctx *c, const void *self, fc_tensor *window, int n_out, fc_batch *out) {
  const int     n = window->ndim - 3;
  const int64_t B = window->dim[0];
  fc_tensor    *x = fc_unit_grid(c, n, window->dim + 2, fc_cut_batch(c, window->dim[2]));
  int64_t       dim[FC_MAX_DIMS];

  (void)self, (void)n_out;
  x      = fc_expand(c, fc_reshape(c, x, FC_DIMS(1, fc_rows(x), n)), 0, B);
  dim[0] = B, dim[1 + n] = n;
  for (int a = 0; a < n; a++) dim[1 + a] = window->dim[2 + a];
  fc_batch_put(out, "x", fc_reshape(c, x, 2 + n, dim));
  fc_batch_put(out, "fx", fc_window_channels(c, window));
}

static fc_tensor *unpack(fc_ctx *c, const void *self, fc_tensor *y) {
  (void)self;
  return fc_single_frame(c, y);
}

/* ---- point clouds ---- */

static fc_status cloud(const void *self, fc_cloud_wants *out) {
  const model  *m     = self;
  const int64_t space = m->t.design ? m->t.lattice : m->cfg.space_dim;

  FC_REQUIRE(!m->t.axes, FC_E_MISMATCH,
             "transolver: this variant works on grids; use one for irregular points, car or airfrans");
  *out = (fc_cloud_wants){.space    = (int)space,
                          .features = m->t.design ? m->cfg.space_dim - space : m->cfg.fun_dim,
                          .targets  = m->cfg.out_dim,
                          .time     = m->cfg.Time_Input};
  return FC_OK;
}

/* ---- ranks that share the points ---- */

static fc_status shared_points(const void *self, const fc_batch *whole, fc_cut *out) {
  const model     *m = self;
  const fc_tensor *x = fc_batch_get(whole, "x"), *lengths = fc_batch_get(whole, "x_lengths");

  *out = lengths      ? fc_ragged_cut(lengths)
         : on_grid(x) ? (fc_cut){x->dim[1], 1}
                      : (fc_cut){x->dim[x->ndim - 2], points_of_line(m, x)};
  return FC_OK;
}

/* x, fx, pos and the output: the points, of packed samples those of each; on grids the first axis. T is
   everywhere. */
static fc_part shared_part(const void *self, const fc_batch *whole, const char *name) {
  const fc_tensor *x = fc_batch_get(whole, "x");
  fc_part          p = {.kind = FC_PART_AXIS, .axis = x->ndim == 2 ? 0 : 1};

  if (name && !strcmp(name, "T")) return (fc_part){FC_PART_WHOLE};
  if (fc_batch_get(whole, "x_lengths"))
    return fc_ragged_part(whole, "x", (fc_cut){0},
                          name && !strcmp(name, "x_lengths") ? FC_PART_LENGTHS : FC_PART_ROWS);
  shared_points(self, whole, &p.cut);
  return p;
}

static const fc_sharing sharing = {.cut = shared_points, .part = shared_part};

const fc_model_def fc_model_transolver = {
    .name        = "transolver",
    .task        = "operator",
    .summary     = "attention among learned slices of the points, on 1-D to 3-D grids and point clouds",
    .paper       = "Wu, Luo, Wang, Wang, Long, ICML 2024, arXiv 2402.02366",
    .options     = options,
    .config_size = sizeof(config),
    .self_size   = sizeof(model),
    .init        = init,
    .check       = check,
    .apply       = apply,
    .frames      = frames,
    .pack        = pack,
    .unpack      = unpack,
    .cloud       = cloud,
    .sharing     = &sharing,
};
