/* operators/gnot.c - GNOT: any number of input functions on points of their own, gated experts, attention of
   linear cost. Hao et al., "GNOT: A General Neural Operator Transformer for Operator Learning", ICML 2023,
   arXiv 2302.14376. Weights carry the names of the official codes: moe and cgpt of HaoZhongkai/GNOT, nsl of
   thuml/Neural-Solver-Library.

   Letters: B samples, R rows (points of all samples, one sample after the other), N points of a sample, s
   space dimensions, C n_hidden, E experts, r n_inner. Everything inside works on rows and segments, so that
   padded, packed and gridded batches go the same way. */
#include "core/domain.h"
#include "core/model.h"
#include "core/nn/nn.h"
#include "core/nn/ragged.h"

#include <stdio.h>
#include <string.h>

enum { MAX_LAYERS = 32, MAX_SPACE = 3 };

typedef enum { MOE, CGPT, NSL } variant_name;

/* ---- options, under the names of the official configurations ---- */

typedef struct {
  int     variant, act, attn_type, geotype;
  int64_t trunk_size, space_dim, output_size, n_layers, n_hidden, n_head, n_experts, n_inner, mlp_layers;
  int64_t horiz_fourier_dim, fun_dim, ref, param_dim, in_frames;
  fc_ints branch_sizes, shapelist;
  double  ffn_dropout, attn_dropout, dropout;
  bool    unified_pos, time_input, mask, steady, recompute;
} config;

static const fc_option options[] = {
    FC_OPT_CHOICE(config, variant, "moe|cgpt|nsl", "moe",
                  "class GNOT; class CGPTNO, without experts; Neural-Solver-Library"),
    FC_OPT_INT(config, trunk_size, "2", 1, 4096, "moe, cgpt: columns of x and u_p together"),
    FC_OPT_INTS(config, branch_sizes, "", 1, 4096, "moe, cgpt: columns of each input function"),
    FC_OPT_INT(config, space_dim, "2", 1, 64, "leading columns of x that are coordinates"),
    FC_OPT_INT(config, output_size, "1", 1, 4096, "output channels"),
    FC_OPT_ALIAS(config, output_size, FC_T_INT, "out_dim"),
    FC_OPT_INT(config, n_layers, "3", 1, MAX_LAYERS, "blocks"),
    FC_OPT_INT(config, n_hidden, "64", 1, 8192, "width C"),
    FC_OPT_INT(config, n_head, "1", 1, 256, "attention heads"),
    FC_OPT_ALIAS(config, n_head, FC_T_INT, "n_heads"),
    FC_OPT_INT(config, n_experts, "0", 0, FC_EXPERTS, "feed-forward networks per layer; 0: 1 (moe), 3 (nsl)"),
    FC_OPT_INT(config, n_inner, "4", 1, 64, "hidden width of those networks, in units of C; cgpt: always 4"),
    FC_OPT_ALIAS(config, n_inner, FC_T_INT, "mlp_ratio"),
    FC_OPT_INT(config, mlp_layers, "3", 0, FC_RESIDUAL_LAYERS,
               "moe, cgpt: inner layers of trunk, branches and head"),
    FC_OPT_CHOICE(config, act, "gelu|tanh|relu|sigmoid|silu|softplus|ELU", "gelu",
                  "activation; the head's is GELU"),
    FC_OPT_INT(config, horiz_fourier_dim, "0", 0, 64, "cgpt: octaves of the code of x and u_p"),
    FC_OPT_ALIAS(config, horiz_fourier_dim, FC_T_INT, "hfourier_dim"),
    FC_OPT_CHOICE(config, attn_type, "linear", "linear", "normalised linear attention"),
    FC_OPT_REAL(config, ffn_dropout, "0", 0, 0.9, "moe, cgpt: of the attention's residual branches"),
    FC_OPT_REAL(config, attn_dropout, "0", 0, 0.9, "moe, cgpt: inside the self attention"),
    FC_OPT_REAL(config, dropout, "0", 0, 0.9, "nsl: of all attention"),
    FC_OPT_INT(config, fun_dim, "0", 0, 4096, "nsl: features of a point"),
    FC_OPT_CHOICE(config, geotype, "unstructured|structured_1D|structured_2D|structured_3D", "unstructured",
                  "nsl: kind of points"),
    FC_OPT_INTS(config, shapelist, "", 1, 1 << 20, "nsl: points along the axes of a structured geotype"),
    FC_OPT_BOOL(config, unified_pos, "false", "nsl, structured: coordinates become distances to a lattice"),
    FC_OPT_INT(config, ref, "8", 1, 64, "nsl: points per axis of that lattice"),
    FC_OPT_BOOL(config, time_input, "false", "nsl: the time T is given"),
    FC_OPT_BOOL(config, mask, "false", "padding rows take no part; the official codes let them"),
    FC_OPT_INT(config, param_dim, "0", 0, 64, "numbers per trajectory, counted in trunk_size (nsl: fun_dim)"),
    FC_OPT_INT(config, in_frames, "1", 1, 256, "gridded data: frames of history"),
    FC_OPT_BOOL(config, steady, "false", "gridded data: one field to one field"),
    FC_OPT_BOOL(config, recompute, "false", "keep only the borders of blocks and run them again in backward"),
    FC_OPT_IGNORED("slice_num", "of other networks"),
    FC_OPT_IGNORED("modes", "of other networks"),
    FC_OPT_END,
};

/* ---- weights ---- */

typedef struct {
  fc_norm ln[6], ln_branch[FC_FUNCTIONS]; /* ln[1], ln[3], ln[4], ln[5] as the official names count them */
  fc_linear_attention_layer cross, self;
  fc_expert                 ffn[2][FC_EXPERTS];
  fc_linear                 gate[3];
} block;

typedef struct {
  config          cfg;
  fc_act          act;
  int             functions; /* seen by the cross attention */
  bool            gated;
  fc_residual_mlp trunk, branch[FC_FUNCTIONS], head;
  block           blocks[MAX_LAYERS];
  fc_mlp          embed_x, embed_z; /* nsl from here on */
  fc_linear       time[2], out[2];
  fc_tensor      *placeholder;
} model;

static const char *name_of(char buf[24], const char *fmt, int i) {
  snprintf(buf, 24, fmt, i);
  return buf;
}

/* the library's standard deviation; 0: PyTorch's default */
static double std_of(const config *g) { return g->variant == NSL ? 0.02 : 0; }

/* number i of a list of layers */
static void init_item(fc_linear *l, fc_params *p, const config *g, int i, int64_t in, int64_t out) {
  char buf[24];

  fc_linear_init_std(l, p, name_of(buf, "%d", i), in, out, std_of(g));
}

/* act between layers 0 and 2, under the present prefix */
static fc_expert init_feed_forward(fc_params *p, const config *g) {
  const int64_t C = g->n_hidden, K = C * g->n_inner;
  fc_linear     in, out;

  init_item(&in, p, g, 0, C, K);
  init_item(&out, p, g, 2, K, C);
  return (fc_expert){in.weight, in.bias, out.weight, out.bias};
}

static void init_experts(block *b, fc_params *p, const model *m) {
  const config *g = &m->cfg;

  for (int i = 0; i < 2; i++)
    for (int e = 0; e < g->n_experts; e++) {
      if (g->variant == CGPT)
        fc_params_push(p, "mlp%d", i + 1);
      else
        fc_params_push(p, "moe_mlp%d.%d", i + 1, e);
      b->ffn[i][e] = init_feed_forward(p, g);
      fc_params_pop(p);
    }
  if (g->variant == CGPT) return;
  const int64_t width[] = {g->space_dim, g->n_hidden * g->n_inner, g->n_hidden * g->n_inner, g->n_experts};
  fc_params_push(p, "gatenet");
  for (int i = 0; i < 3; i++) init_item(&b->gate[i], p, g, 2 * i, width[i], width[i + 1]);
  fc_params_pop(p);
}

static void init_block(block *b, fc_params *p, const model *m, int number) {
  static const char *const names[] = {NULL, "ln1", NULL, "ln3", "ln4", "ln5"};
  const config            *g       = &m->cfg;
  const int64_t            C       = g->n_hidden;
  const double             std     = std_of(g);
  char                     buf[24];

  fc_params_push(p, "blocks.%d", number);
  for (int i = 0; i < FC_COUNT(names); i++)
    if (names[i]) fc_norm_init(&b->ln[i], p, names[i], C, 1e-5);
  for (int i = 0; i < m->functions; i++)
    fc_norm_init(&b->ln_branch[i], p, g->variant == NSL ? "ln2" : name_of(buf, "ln2_branch.%d", i), C, 1e-5);
  fc_linear_attention_init(&b->cross, p, "crossattn", C, g->n_head, g->variant == NSL ? -1 : m->functions,
                           std);
  fc_linear_attention_init(&b->self, p, "selfattn", C, g->n_head, -1, std);
  init_experts(b, p, m);
  fc_params_pop(p);
}

static void init_embedding(model *m, fc_params *p) {
  const config *g = &m->cfg;
  const int64_t C = g->n_hidden, n = g->mlp_layers,
                codes = g->horiz_fourier_dim ? 4 * g->horiz_fourier_dim + 3 : 1;
  char buf[24];

  fc_residual_mlp_init(&m->trunk, p, "trunk_mlp", g->trunk_size * codes, C, C, n);
  for (int i = 0; i < m->functions; i++)
    fc_residual_mlp_init(&m->branch[i], p, name_of(buf, "branch_mlps.%d", i), g->branch_sizes.v[i], C, C, n);
  fc_residual_mlp_init(&m->head, p, "out_mlp", C, C, g->output_size, n);
}

/* lattice positions, which the library has on structured points only */
static bool unified(const config *g) { return g->variant == NSL && g->unified_pos && g->geotype > 0; }

static int64_t position_width(const config *g) {
  int64_t n = 1;

  if (!unified(g)) return g->space_dim;
  for (int i = 0; i < g->geotype; i++) n *= g->ref;
  return n;
}

static void init_embedding_nsl(model *m, fc_params *p) {
  const config *g = &m->cfg;
  const int64_t C = g->n_hidden, P = position_width(g);

  m->placeholder = fc_param(p, "placeholder", fc_init_positive(1 / (double)C), FC_DIMS(C));
  fc_mlp_init_normal(&m->embed_x, p, "preprocess_x", P, 2 * C, C, 0.02);
  fc_mlp_init_normal(&m->embed_z, p, "preprocess_z", g->fun_dim + P, 2 * C, C, 0.02);
  if (g->time_input) {
    fc_params_push(p, "time_fc");
    init_item(&m->time[0], p, g, 0, C, C);
    init_item(&m->time[1], p, g, 2, C, C);
    fc_params_pop(p);
  }
  fc_linear_init_std(&m->out[0], p, "fc1", C, 2 * C, std_of(g));
  fc_linear_init_std(&m->out[1], p, "fc2", 2 * C, g->output_size, std_of(g));
}

static void settle_variant(model *m) {
  static const fc_act acts[] = {FC_ACT_GELU, FC_ACT_TANH,     FC_ACT_RELU, FC_ACT_SIGMOID,
                                FC_ACT_SILU, FC_ACT_SOFTPLUS, FC_ACT_ELU};
  config             *g      = &m->cfg;

  m->act       = acts[g->act];
  m->functions = g->variant == NSL ? 1 : g->branch_sizes.n;
  if (g->n_experts == 0) g->n_experts = g->variant == NSL ? 3 : 1;
  if (g->variant == CGPT) g->n_experts = 1, g->n_inner = 4; /* CGPTNO does not read its n_inner */
  /* a single expert has gate 1, so its gate network is not run; unlike PyTorch's it sees no weight decay */
  m->gated = g->variant != CGPT && g->n_experts > 1;
  if (g->variant == NSL) g->ffn_dropout = g->attn_dropout = g->dropout;
}

static fc_status check_options(const model *m) {
  const config *g = &m->cfg;

  FC_REQUIRE(g->n_hidden % g->n_head == 0, FC_E_USAGE, "gnot: n_hidden %lld does not divide into %lld heads",
             (long long)g->n_hidden, (long long)g->n_head);
  FC_REQUIRE(m->functions <= FC_FUNCTIONS, FC_E_USAGE,
             "gnot: %d input functions (branch_sizes); at most %d are possible", m->functions, FC_FUNCTIONS);
  FC_REQUIRE(g->horiz_fourier_dim == 0 || g->variant == CGPT, FC_E_USAGE,
             "gnot: horiz_fourier_dim is read by variant cgpt only; set it to 0");
  FC_REQUIRE(!unified(g) || g->shapelist.n == 0 || g->shapelist.n == g->geotype, FC_E_USAGE,
             "gnot: shapelist has %d numbers, the geotype has %d axes", g->shapelist.n, g->geotype);
  FC_REQUIRE(!g->steady || g->in_frames == 1, FC_E_USAGE,
             "gnot: a steady problem has one input frame, in_frames is %lld", (long long)g->in_frames);
  return FC_OK;
}

static fc_status init(void *self, fc_params *p, const void *cfg) {
  model *m = self;

  memset(m, 0, sizeof *m);
  m->cfg = *(const config *)cfg;
  settle_variant(m);
  FC_TRY(check_options(m));
  if (m->cfg.variant == NSL)
    init_embedding_nsl(m, p);
  else
    init_embedding(m, p);
  for (int i = 0; i < m->cfg.n_layers; i++) init_block(&m->blocks[i], p, m, i);
  return FC_OK;
}

/* ---- blocks; all arrays are rows [R, C] ---- */

typedef struct {
  const model *m;
  const block *b;
  fc_segments  rows, keys[FC_FUNCTIONS];
} block_call;

/* softmax over the experts of a network that sees nothing but coordinates, [rows of pos, E] */
static fc_tensor *gate_of(fc_ctx *c, const model *m, const block *b, fc_tensor *pos) {
  const fc_expert  in  = {b->gate[0].weight, b->gate[0].bias, b->gate[1].weight, b->gate[1].bias};
  const fc_linear *out = &b->gate[2];

  if (!m->gated) return NULL;
  fc_tensor *z = fc_experts(c, m->act, pos, NULL, 1, &in, NULL);
  return fc_softmax(c, fc_linear_of(c, m->act, z, out->weight, out->bias, NULL));
}

/* x + LN(experts(x)); cgpt: x + feed_forward(LN(x)) */
static fc_tensor *feed_forward(fc_ctx *c, const model *m, const fc_expert *e, const fc_norm *norm,
                               fc_tensor *gate, fc_tensor *x) {
  if (m->cfg.variant == CGPT) return fc_experts(c, m->act, fc_layer_norm_apply(c, norm, x), NULL, 1, e, x);
  fc_tensor *y = fc_experts(c, m->act, x, gate, (int)m->cfg.n_experts, e, NULL);
  return fc_add_in_place(c, fc_layer_norm_apply(c, norm, y), x);
}

/* in: x, pos (NULL if ungated), the input functions */
static fc_tensor *apply_block(fc_ctx *c, const void *self, int n_in, fc_tensor *const *in) {
  const block_call *call = self;
  const block      *b    = call->b;
  const config     *g    = &call->m->cfg;
  const int         n    = n_in - 2;
  fc_tensor        *x = in[0], *gate = gate_of(c, call->m, b, in[1]), *y[FC_FUNCTIONS];

  for (int i = 0; i < n; i++) y[i] = fc_layer_norm_apply(c, &b->ln_branch[i], in[2 + i]);
  const fc_attention_call across = {&call->rows,   n, y, call->keys, g->variant == NSL ? g->attn_dropout : 0,
                                    g->ffn_dropout}; /* the official cross attention drops nothing inside */
  x = fc_linear_attention_onto(c, &b->cross, x, fc_layer_norm_apply(c, &b->ln[1], x), &across);
  x = feed_forward(c, call->m, b->ffn[0], &b->ln[3], gate, x);
  fc_tensor              *u      = fc_layer_norm_apply(c, &b->ln[4], x);
  const fc_attention_call within = {&call->rows, 1, &u, &call->rows, g->attn_dropout, g->ffn_dropout};
  x                              = fc_linear_attention_onto(c, &b->self, x, u, &within);
  return feed_forward(c, call->m, b->ffn[1], &b->ln[5], gate, x);
}

/* Official wiring: the state x passes through the blocks and always sees the same functions z. In nsl it is
   the function that passes through, while every block starts from the same x. */
static fc_tensor *run_blocks(fc_ctx *c, const model *m, fc_tensor *x, fc_tensor *pos, fc_tensor **z,
                             const fc_segments *rows, const fc_segments *keys) {
  const fc_block_run run                  = m->cfg.recompute ? fc_checkpoint : fc_block_plain;
  block_call        *call                 = fc_arena_push(c->arena, sizeof *call * MAX_LAYERS);
  const size_t       mark                 = fc_arena_mark(c->arena);
  fc_tensor         *in[2 + FC_FUNCTIONS] = {x, m->gated ? pos : NULL};
  const int          moving               = m->cfg.variant == NSL ? 2 : 0;

  for (int i = 0; i < m->functions; i++) in[2 + i] = z[i];
  for (int i = 0; i < m->cfg.n_layers; i++) {
    call[i] = (block_call){m, &m->blocks[i], *rows, {{0}}};
    memcpy(call[i].keys, keys, (size_t)m->functions * sizeof *keys);
    in[moving] = fc_compact(c, mark, run(c, apply_block, &call[i], 2 + m->functions, in));
  }
  return in[moving];
}

/* ---- inputs ---- */

typedef struct { /* the inputs as rows */
  int64_t     B;
  fc_tensor  *x, *fx, *theta, *time, *f[FC_FUNCTIONS]; /* x: points of all samples, or of one mesh for all */
  fc_segments rows, keys[FC_FUNCTIONS], valid;         /* valid: rows that are answers */
  bool        padded;
} inputs;

/* samples in the batch; x may be one mesh for all of them */
static int64_t count_samples(const fc_batch *b) {
  static const char *const names[] = {"x", "u_p", "fx", "T", "f0"};
  int64_t                  B       = 1;

  if (fc_batch_get(b, "x")->ndim == 2) return fc_len(fc_batch_get(b, "x_lengths"));
  for (int i = 0; i < FC_COUNT(names); i++) {
    const fc_tensor *t = fc_batch_get(b, names[i]);
    if (t) B = fc_max64(B, t->dim[0]);
  }
  return B;
}

/* In official padded batches all rows take part; those behind the points of a sample are zeros then. */
static inputs read_inputs(fc_ctx *c, const model *m, const fc_batch *b) {
  inputs     in = {.B = count_samples(b), .time = fc_batch_get(b, "T")};
  fc_tensor *fx = fc_batch_get(b, "fx"), *theta = fc_batch_get(b, "u_p");
  const bool mask = m->cfg.mask;
  char       buf[24];

  in.padded = fc_batch_get(b, "x")->ndim == 3;
  in.valid  = fc_ragged_segments(c, b, "x", in.B);
  in.x      = fc_ragged_rows(c, b, "x", in.B, mask, &in.rows);
  if (in.padded && !mask && fc_batch_get(b, "x_lengths")) in.x = fc_ragged_clear(c, in.x, in.B, &in.valid);
  if (theta && fc_last(theta) > 0) in.theta = theta;
  if (fx) in.fx = in.padded ? fc_ragged_unpad(c, fx, in.B, &in.rows) : fx;
  for (int i = 0; m->cfg.variant != NSL && i < m->functions; i++)
    in.f[i] = fc_ragged_rows(c, b, name_of(buf, "f%d", i), in.B, mask, &in.keys[i]);
  return in;
}

/* ---- around the blocks ---- */

/* [x, fx, theta] */
static fc_tensor *join_columns(fc_ctx *c, const inputs *in, fc_tensor *x) {
  fc_tensor *part[3];
  int        n = 0;

  if (!in->fx && !in->theta) return x;
  part[n++] = fc_ragged_tile(c, x, &in->rows);
  if (in->fx) part[n++] = in->fx;
  if (in->theta) part[n++] = fc_ragged_repeat(c, in->theta, &in->rows);
  return fc_concat(c, 1, n, part);
}

static fc_tensor *run_official(fc_ctx *c, const model *m, const inputs *in) {
  const config *g   = &m->cfg;
  fc_tensor    *pos = m->gated ? fc_slice(c, in->x, 1, 0, g->space_dim) : NULL, *z[FC_FUNCTIONS];
  fc_tensor    *x   = join_columns(c, in, in->x);

  if (g->horiz_fourier_dim) x = fc_octave_code(c, x, g->horiz_fourier_dim);
  x = fc_ragged_tile(c, fc_residual_mlp_apply(c, &m->trunk, x, m->act), &in->rows);
  for (int i = 0; i < m->functions; i++) z[i] = fc_residual_mlp_apply(c, &m->branch[i], in->f[i], m->act);
  x = run_blocks(c, m, x, pos, z, &in->rows, in->keys);
  return fc_residual_mlp_apply(c, &m->head, x, FC_ACT_GELU);
}

/* points along axis a: of the data, or of the option where no grid is given */
static int64_t axis_length(const config *g, const fc_tensor *grid, int a) {
  return grid ? (int64_t)grid->x[a] : g->shapelist.v[a];
}

/* points of a line of the first axis */
static int64_t points_of_line(const config *g, const fc_tensor *grid) {
  int64_t n = 1;

  for (int i = 1; i < (grid ? (int)fc_len(grid) : g->geotype); i++) n *= axis_length(g, grid, i);
  return n;
}

/* distances of the grid's points, N here, to the reference lattice [0, 1]^s */
static fc_tensor *lattice_position(fc_ctx *c, const config *g, const fc_tensor *grid, int64_t N) {
  static const double lo[MAX_SPACE] = {0, 0, 0}, hi[MAX_SPACE] = {1, 1, 1};
  const int64_t       line           = points_of_line(g, grid);
  int64_t             dim[MAX_SPACE] = {N / line};
  fc_cut              lines          = fc_cut_batch(c, dim[0]);

  for (int i = 1; i < g->geotype; i++) dim[i] = axis_length(g, grid, i);
  if (fc_domain_shared(c) && !grid) lines = fc_cut_coarser(lines, line);
  return fc_lattice_distance(c, fc_unit_grid(c, g->geotype, dim, lines), g->ref, lo, hi);
}

/* z + W2 SiLU(W0 e(T)), over z's memory */
static fc_tensor *add_time(fc_ctx *c, const model *m, fc_tensor *z, const inputs *in) {
  if (!m->cfg.time_input || !in->time) return z;
  fc_tensor *e = fc_time_code(c, in->time, m->cfg.n_hidden, 1);
  e            = fc_linear_apply(c, &m->time[0], e, FC_ACT_SILU);
  return fc_add_sample(c, z, fc_linear_apply(c, &m->time[1], e, FC_ACT_NONE), &in->rows);
}

static fc_tensor *run_nsl(fc_ctx *c, const model *m, const inputs *in, const fc_tensor *grid) {
  const config *g = &m->cfg;
  fc_tensor    *p = unified(g) ? lattice_position(c, g, grid, in->rows.at[1]) : in->x;
  fc_tensor    *x = fc_ragged_tile(c, fc_mlp_apply(c, &m->embed_x, p, m->act), &in->rows);
  fc_tensor    *z = fc_linear_apply(c, &m->embed_z.pre, join_columns(c, in, p), FC_ACT_NONE);

  fc_tensor *bias = fc_add(c, m->embed_z.post.bias, m->placeholder);
  z               = fc_linear_of(c, m->act, z, m->embed_z.post.weight, bias, NULL);
  z               = add_time(c, m, fc_ragged_tile(c, z, &in->rows), in);
  z               = run_blocks(c, m, x, in->x, &z, &in->rows, &in->rows);
  z               = fc_linear_apply(c, &m->out[0], z, FC_ACT_NONE);
  return fc_linear_of(c, FC_ACT_GELU, z, m->out[1].weight, m->out[1].bias, NULL);
}

/* [R, output_size]; gridded data as [B, X.., output_size], nsl's padded form as [B, N, output_size] */
static fc_tensor *apply(fc_ctx *c, const void *self, const fc_batch *b) {
  const model     *m                = self;
  const fc_tensor *grid             = fc_batch_get(b, "grid");
  const inputs     in               = read_inputs(c, m, b);
  int64_t          dim[FC_MAX_DIMS] = {in.B};
  fc_tensor       *y = m->cfg.variant == NSL ? run_nsl(c, m, &in, grid) : run_official(c, m, &in);

  if (grid) {
    const int d = (int)fc_len(grid);
    for (int i = 0; i < d; i++) dim[1 + i] = (int64_t)grid->x[i];
    dim[1 + d] = m->cfg.output_size;
    return fc_reshape(c, y, d + 2, dim);
  }
  if (!in.padded || m->cfg.mask) return y;
  return m->cfg.variant == NSL ? fc_reshape(c, y, FC_DIMS(in.B, in.rows.at[1], m->cfg.output_size))
                               : fc_ragged_unpad(c, y, in.B, &in.valid);
}

/* ---- boundary: what the inputs must look like ---- */

/* inputs with one row per sample or per point; *columns: how many they have together */
static fc_status check_columns(const model *m, const fc_batch *b, const fc_tensor *x, int64_t B,
                               int64_t *columns) {
  fc_tensor *fx = fc_batch_get(b, "fx"), *theta = fc_batch_get(b, "u_p"), *t;

  *columns = (theta ? fc_last(theta) : 0) + (fx ? fc_last(fx) : 0);
  FC_REQUIRE(!theta || (theta->ndim == 2 && theta->dim[0] == B), FC_E_MISMATCH,
             "input u_p has shape %s, the model wants one row for each of %lld samples", fc_shape_text(theta),
             (long long)B);
  if (fx)
    FC_TRY(x->ndim == 2 ? fc_batch_need(b, "fx", FC_DIMS(x->dim[0], -1), &t)
                        : fc_batch_need(b, "fx", FC_DIMS(B, x->dim[1], -1), &t));
  return m->cfg.time_input && fc_batch_get(b, "T") ? fc_batch_need(b, "T", FC_DIMS(B, 1), &t) : FC_OK;
}

static fc_status check_grid(const config *g, const fc_tensor *grid, const fc_tensor *x) {
  const int axes = unified(g) ? g->geotype : grid ? (int)fc_len(grid) : 0;
  int64_t   N    = 1;

  FC_REQUIRE(axes == 0 || (x->ndim == 3 && (grid ? fc_len(grid) == axes : g->shapelist.n == axes)),
             FC_E_MISMATCH,
             "gnot: unified_pos wants a grid of %d axes; give shapelist, or use geotype unstructured", axes);
  for (int i = 0; i < axes; i++) N *= axis_length(g, grid, i);
  FC_REQUIRE(axes == 0 || N == x->dim[1], FC_E_MISMATCH, "gnot: the grid has %lld points, x has %lld",
             (long long)N, (long long)x->dim[1]);
  return FC_OK;
}

static fc_status check(const void *self, const fc_batch *b) {
  const model     *m = self;
  const config    *g = &m->cfg;
  const fc_tensor *x = fc_batch_get(b, "x");
  char             buf[24];
  int64_t          others;

  FC_REQUIRE(x && (x->ndim == 3 || (x->ndim == 2 && fc_batch_get(b, "x_lengths"))), FC_E_MISMATCH,
             "gnot wants an input x [samples, points, columns], or [rows, columns] with x_lengths; %s",
             x ? fc_shape_text(x) : "there is none");
  const bool    packed = x->ndim == 2;
  const int64_t B = count_samples(b), n = fc_last(x);
  FC_TRY(fc_ragged_check(b, "x", -1, packed, B, true));
  for (int i = 0; g->variant != NSL && i < m->functions; i++)
    FC_TRY(fc_ragged_check(b, name_of(buf, "f%d", i), g->branch_sizes.v[i], packed, B, false));
  FC_TRY(check_columns(m, b, x, B, &others));
  FC_REQUIRE(g->variant != NSL || (n == g->space_dim && others == g->fun_dim), FC_E_MISMATCH,
             "gnot: x has %lld columns and there are %lld features; space_dim is %lld, fun_dim %lld",
             (long long)n, (long long)others, (long long)g->space_dim, (long long)g->fun_dim);
  FC_REQUIRE(g->variant == NSL || (n + others == g->trunk_size && n >= (m->gated ? g->space_dim : 0)),
             FC_E_MISMATCH,
             "gnot: x has %lld columns, u_p and fx have %lld; trunk_size is %lld, space_dim %lld",
             (long long)n, (long long)others, (long long)g->trunk_size, (long long)g->space_dim);
  return check_grid(g, fc_batch_get(b, "grid"), x);
}

/* ---- gridded data and point clouds ---- */

/* columns that are neither coordinates nor parameters */
static int64_t feature_columns(const config *g) {
  return g->variant == NSL ? g->fun_dim - g->param_dim : g->trunk_size - g->space_dim - g->param_dim;
}

static fc_status check_features(const config *g) {
  FC_REQUIRE(feature_columns(g) >= 0, FC_E_MISMATCH,
             "gnot: %s has no room for coordinates and the %lld of param_dim",
             g->variant == NSL ? "fun_dim" : "trunk_size", (long long)g->param_dim);
  return FC_OK;
}

/* The history goes into the input function, behind its coordinates, and into the features, where there are
 * any. */
static fc_status frames(const void *self, fc_frames *out) {
  const model  *m        = self;
  const config *g        = &m->cfg;
  const bool    function = g->variant != NSL && m->functions > 0;
  const int64_t features = feature_columns(g),
                width    = function ? g->branch_sizes.v[0] - g->space_dim : features;

  FC_TRY(check_features(g));
  FC_REQUIRE(g->space_dim <= MAX_SPACE && (g->variant != NSL || !g->geotype || g->geotype == g->space_dim),
             FC_E_MISMATCH, "gnot: grids have 1 to %d axes, as many as space_dim (%lld) and the geotype say",
             MAX_SPACE, (long long)g->space_dim);
  FC_REQUIRE(g->variant != NSL || !g->time_input, FC_E_MISMATCH,
             "gnot: windows of gridded data carry no time; set time_input = false");
  FC_REQUIRE(g->variant == NSL || m->functions <= 1, FC_E_MISMATCH,
             "gnot: gridded data give one input function, branch_sizes has %d", m->functions);
  FC_REQUIRE(width > 0 && width % g->in_frames == 0, FC_E_MISMATCH,
             "gnot: %s leaves %lld columns for the channels of %lld frames of history (in_frames)",
             function            ? "branch_sizes"
             : g->variant == NSL ? "fun_dim"
                                 : "trunk_size",
             (long long)width, (long long)g->in_frames);
  FC_REQUIRE(features == width || (function && features == 0), FC_E_MISMATCH,
             "gnot: trunk_size has %lld columns beside coordinates and parameters; 0 or %lld are possible",
             (long long)features, (long long)width);
  *out = (fc_frames){.n_in         = (int)g->in_frames,
                     .max_out      = 1,
                     .ndim         = (int)g->space_dim,
                     .channels_in  = width / g->in_frames,
                     .channels_out = g->output_size,
                     .steady       = g->steady,
                     .params       = g->param_dim};
  return FC_OK;
}

/* window [B, T, X.., C] -> [B, N, T C] */
static fc_tensor *history(fc_ctx *c, fc_tensor *window, int64_t N) {
  const int64_t B = window->dim[0], T = window->dim[1], C = fc_last(window);

  if (T > 1) window = fc_permute(c, fc_reshape(c, window, FC_DIMS(B, T, N, C)), (int[]){0, 2, 1, 3});
  return fc_reshape(c, window, FC_DIMS(B, N, T * C));
}

static void pack(fc_ctx *c, const void *self, fc_tensor *window, int n_out, fc_batch *out) {
  const model  *m    = self;
  const int     d    = window->ndim - 3;
  fc_tensor    *grid = fc_tensor_new(c->arena, FC_DIMS(d)), *theta = fc_batch_get(out, "params");
  fc_tensor    *points = fc_unit_grid(c, d, window->dim + 2, fc_cut_batch(c, window->dim[2]));
  const int64_t B = window->dim[0], N = points->dim[0];
  fc_tensor    *u = history(c, window, N);

  (void)n_out;
  for (int i = 0; i < d; i++) grid->x[i] = (fc_real)window->dim[2 + i];
  points = fc_reshape(c, points, FC_DIMS(1, N, d));
  fc_batch_put(out, "grid", grid);
  fc_batch_put(out, "x", points);
  if (theta) fc_batch_put(out, "u_p", theta);
  if (feature_columns(&m->cfg) > 0) fc_batch_put(out, "fx", u);
  if (m->cfg.variant != NSL && m->functions == 1)
    fc_batch_put(out, "f0", fc_concat(c, 2, FC_IN(fc_expand(c, points, 0, B), u)));
}

static fc_tensor *unpack(fc_ctx *c, const void *self, fc_tensor *y) {
  (void)self;
  return fc_single_frame(c, y);
}

static fc_status cloud(const void *self, fc_cloud_wants *out) {
  const model  *m = self;
  const config *g = &m->cfg;

  FC_REQUIRE(!unified(g), FC_E_MISMATCH, "gnot: unified_pos works on grids; use geotype unstructured");
  FC_TRY(check_features(g));
  *out = (fc_cloud_wants){.space    = (int)g->space_dim,
                          .features = feature_columns(g),
                          .params   = g->param_dim,
                          .targets  = g->output_size,
                          .time     = g->variant == NSL && g->time_input};
  if (g->variant == NSL) return FC_OK;
  out->functions = m->functions;
  for (int i = 0; i < m->functions; i++) out->width[i] = g->branch_sizes.v[i];
  return FC_OK;
}

/* ---- ranks that share the points ---- */

/* of x; on grids whole lines of the first axis, as positions and gridded data want them */
static fc_status shared_points(const void *self, const fc_batch *whole, fc_cut *out) {
  const config    *g = &((const model *)self)->cfg;
  const fc_tensor *x = fc_batch_get(whole, "x"), *grid = fc_batch_get(whole, "grid");

  *out = x->ndim == 2         ? fc_ragged_cut(fc_batch_get(whole, "x_lengths"))
         : grid || unified(g) ? (fc_cut){x->dim[1], points_of_line(g, grid)}
                              : (fc_cut){x->dim[1], 1};
  return FC_OK;
}

/* padded rows of nsl and gridded data, else the rows of all samples without padding */
static fc_part shared_output(const config *g, const fc_batch *whole, fc_cut cut) {
  const bool grid = fc_batch_get(whole, "grid"), padded = grid || (g->variant == NSL && !g->mask);
  fc_part    p = fc_ragged_part(whole, "x", cut, padded ? FC_PART_AXIS : FC_PART_ROWS);

  p.samples = count_samples(whole); /* x may be one mesh for all of them */
  return p;
}

/* x and fx, and each input function, have points of their own; parameters and times are everywhere */
static fc_part shared_part(const void *self, const fc_batch *whole, const char *name) {
  const model *m = self;
  fc_cut       cut;
  char         buf[24], lengths[40];

  shared_points(self, whole, &cut);
  if (!name) return shared_output(&m->cfg, whole, cut);
  if (!strcmp(name, "x_lengths")) return fc_ragged_part(whole, "x", cut, FC_PART_LENGTHS);
  if (!strcmp(name, "x") || !strcmp(name, "fx")) return fc_ragged_part(whole, "x", cut, FC_PART_AXIS);
  for (int i = 0; i < FC_FUNCTIONS; i++) {
    const fc_tensor *f = fc_batch_get(whole, name_of(buf, "f%d", i));
    if (!f) continue;
    cut = (fc_cut){f->dim[1], 1};
    snprintf(lengths, sizeof lengths, "%s_lengths", buf);
    if (!strcmp(name, buf)) return fc_ragged_part(whole, buf, cut, FC_PART_AXIS);
    if (!strcmp(name, lengths)) return fc_ragged_part(whole, buf, cut, FC_PART_LENGTHS);
  }
  return (fc_part){FC_PART_WHOLE};
}

static const fc_sharing sharing = {.cut = shared_points, .part = shared_part};

const fc_model_def fc_model_gnot = {
    .name        = "gnot",
    .task        = "operator",
    .summary     = "several input functions on points of their own, gated experts, attention of linear cost",
    .paper       = "Hao et al., ICML 2023, arXiv 2302.14376",
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
