/* operators/pde_transformer.c - PDE-Transformer: a U-shaped transformer of shifted windows for 2-D fields,
   steered by the kind of equation. Holzschuh, Liu, Kohl, Thuerey, "PDE-Transformer: Efficient and Versatile
   Transformers for Physics Simulations", ICML 2025, arXiv 2505.24717. Weights carry the names of the official
   code (tum-pbs/pde-transformer).

   mixed_channels: all fields in one token. separate_channels: one grid of tokens for each field and attention
   across fields. separate_channels_carrier: with a carrier token for each window.

   Letters: B batch, S fields, T frames, H W grid, P patch, h w tokens, n levels below the first, D_i width of
   level i, w window. Tokens are [S B, h, w, D]; in mixed_channels S is 1.

   Ranks that share the grid have the same lines on all levels, at least one of the coarsest. Lines that their
   windows and kernels reach come from the others; carriers are few and everywhere. */
#include "core/domain.h"
#include "core/model.h"
#include "core/nn/window_stage.h"
#include "core/rng.h"
#include "core/vmath.h"

#include <string.h>

enum { MAX_LEVELS = FC_LIST / 2, MAX_LABELS = 3, CODE = 256 };

typedef enum { MIXED, SEPARATE, CARRIER } variant_name;

/* ---- options, under the names of the official configurations ---- */

typedef struct {
  int     variant, size;
  int64_t in_channels, out_channels, num_timesteps, window_size, patch_size;
  int64_t hidden_size, max_hidden_size, num_heads, num_classes;
  int64_t in_frames, fields, label;
  fc_ints depth, channel_types;
  double  mlp_ratio, class_dropout_prob;
  bool    periodic, carrier_token_active, steady, recompute;
} config;

static const fc_option options[] = {
    FC_OPT_CHOICE(config, variant, "mixed_channels|separate_channels|separate_channels_carrier",
                  "mixed_channels", "which of the official networks"),
    FC_OPT_CHOICE(config, size, "S|B|L|PDE-S|PDE-B|PDE-L", "S",
                  "published size: hidden_size 96, 192 or 384, num_heads 4, 8 or 16, depth 2,5,8,5,2"),
    FC_OPT_ALIAS(config, size, FC_T_CHOICE, "type"),
    FC_OPT_INT(config, in_channels, "2", 1, 1024, "mixed_channels: input channels, of all frames together"),
    FC_OPT_INT(config, out_channels, "2", 1, 1024, "mixed_channels: output channels"),
    FC_OPT_INT(config, num_timesteps, "2", 1, 256,
               "separate_channels: frames of a field, the last one unknown"),
    FC_OPT_INT(config, window_size, "8", 2, 32, "tokens along the side of a window"),
    FC_OPT_INT(config, patch_size, "4", 1, 64, "points along the side of a patch"),
    FC_OPT_INT(config, hidden_size, "0", 0, 8192, "width D_0, doubled at each level; 0: by size"),
    FC_OPT_INT(config, max_hidden_size, "2048", 1, 1 << 20,
               "mixed_channels: hidden_size (no doubling) or more than the widest level"),
    FC_OPT_INTS(
        config, depth, "", 1, FC_STAGE_BLOCKS,
        "blocks of each stage: down, middle, then up from the FINEST to the coarsest; empty: by size"),
    FC_OPT_INT(config, num_heads, "0", 0, 256, "attention heads, the same at all levels; 0: by size"),
    FC_OPT_REAL(config, mlp_ratio, "4", 0.125, 64, "hidden width of the two-layer maps, in widths"),
    FC_OPT_REAL(config, class_dropout_prob, "0.1", 0, 1, "labels replaced by 'unknown' in training"),
    FC_OPT_INT(config, num_classes, "1000", 1, 1 << 20, "labels"),
    FC_OPT_BOOL(config, periodic, "true", "windows reach around the ends of the grid"),
    FC_OPT_BOOL(config, carrier_token_active, "false", "carrier tokens; only separate_channels_carrier"),
    FC_OPT_INT(config, in_frames, "1", 1, 256, "mixed_channels: frames of history among the input channels"),
    FC_OPT_BOOL(config, steady, "false", "mixed_channels: one field to another, without time"),
    FC_OPT_INT(config, fields, "1", 1, 64, "separate_channels: fields of gridded data"),
    FC_OPT_INT(config, label, "-1", -1, 1 << 20, "kind of equation of gridded data; -1: unknown"),
    FC_OPT_INTS(config, channel_types, "", 0, 1 << 20,
                "separate_channels: kind of each field of gridded data; empty: 1, 2, .."),
    FC_OPT_BOOL(config, recompute, "false", "keep only the borders of blocks and run them again in backward"),
    FC_OPT_IGNORED("sample_size", "the grid may have any size"),
    FC_OPT_IGNORED("_class_name", "of the library that stored the checkpoint"),
    FC_OPT_IGNORED("_diffusers_version", "of the library that stored the checkpoint"),
    FC_OPT_END,
};

/* ---- weights ---- */

typedef struct { /* condition of a level */
  fc_linear  time[2];
  fc_tensor *table[MAX_LABELS];
} level_code;

typedef struct {
  config          cfg;
  int             n; /* levels below the first */
  bool            separate, keeps_width;
  int             labels;                   /* tables of each level */
  int64_t         rows[MAX_LABELS];         /* of these tables */
  bool            dropped[MAX_LABELS];      /* with a row for 'unknown' */
  int64_t         D[MAX_LEVELS + 1], D_out; /* widths; of the last stage */
  fc_conv_layer   embed, down[MAX_LEVELS], up[MAX_LEVELS], output, out_proj;
  fc_linear       reduce[MAX_LEVELS], modulation;
  level_code      code[MAX_LEVELS + 1];
  fc_window_stage down_stage[MAX_LEVELS], middle, up_stage[MAX_LEVELS];
} model;

/* by `separate` */
static const char *const fields_input[2] = {"hidden_states", "x"};

/* mixed: class_labels; separate: channel_type, pde_type, task */
static const char *const label_inputs[2][MAX_LABELS] = {{"class_labels"},
                                                        {"channel_type", "pde_type", "task"}};
static const char *const label_tables[2][MAX_LABELS] = {
    {"y_embedder"}, {"channel_type_embedder", "pde_type_embedder", "task_embedder"}};

/* The official code sets normal numbers of 0.02 on all levels but the last one, which keeps PyTorch's default
   for tables, N(0, 1), and the common Xavier for its time map. */
static void init_time(fc_linear map[2], fc_params *p, const char *name, int64_t D, bool small) {
  static const char *const number[2] = {"0", "2"};
  const int64_t            in[2]     = {CODE, D};

  fc_params_push(p, "%s", name);
  for (int i = 0; i < 2; i++) {
    if (small)
      fc_linear_init_normal(&map[i], p, number[i], in[i], D, true, 0.02);
    else
      fc_linear_init_xavier(&map[i], p, number[i], in[i], D, true);
  }
  fc_params_pop(p);
}

static fc_tensor *init_table(fc_params *p, int64_t rows, int64_t D, bool small) {
  return fc_param(p, "embedding_table.weight", fc_init_normal(small ? 0.02 : 1), FC_DIMS(rows, D));
}

/* Simulation time, time step and parameters enter the official network times 0.0: their weights are stored
   and never felt. */
static void init_unfelt(fc_params *p, const model *m, int level) {
  const int64_t D     = m->D[level];
  const bool    small = level < m->n;
  fc_linear     unused[2];

  fc_params_push(p, "simulation_time_embedder_%d", level);
  init_time(unused, p, "mlp", D, small);
  fc_params_pop(p);
  fc_params_push(p, "simulation_dt_embedder_%d", level);
  init_time(unused, p, "mlp", D, small);
  fc_params_pop(p);
  fc_params_push(p, "pde_parameter_embedder_%d", level);
  fc_params_push(p, "class_embedder");
  init_table(p, m->cfg.num_classes, D, small);
  fc_params_pop(p);
  fc_linear_init_xavier(unused, p, "mlp_combined.0", D, D, true);
  fc_linear_init_xavier(unused, p, "mlp_combined.2", D, D, true);
  init_time(unused, p, "mlp_timestep", D, small);
  fc_params_pop(p);
}

static void init_code(model *m, fc_params *p, int level) {
  level_code *l     = &m->code[level];
  const bool  small = level < m->n;

  fc_params_push(p, "t_embedder_%d", level);
  init_time(l->time, p, "mlp", m->D[level], small);
  fc_params_pop(p);
  for (int i = 0; i < m->labels; i++) {
    fc_params_push(p, "%s_%d", label_tables[m->separate][i], level);
    l->table[i] = init_table(p, m->rows[i], m->D[level], small);
    fc_params_pop(p);
  }
  fc_params_unread(p, true);
  if (m->separate) init_unfelt(p, m, level);
  fc_params_unread(p, false);
}

static void init_stage(fc_window_stage *s, fc_params *p, const model *m, int64_t D, int64_t depth) {
  const config       *g    = &m->cfg;
  const fc_block_spec spec = {.D        = D,
                              .heads    = g->num_heads,
                              .hidden   = (int64_t)((double)D * g->mlp_ratio),
                              .window   = g->window_size,
                              .fields   = m->separate,
                              .carriers = g->carrier_token_active};

  fc_window_stage_init(s, p, &spec, depth);
}

/* 3 x 3 points, zeros around the field also in periodic problems */
static const fc_conv_spec same = {1, 1, 1, false};

static void init_down(model *m, fc_params *p, int i) {
  fc_params_push(p, "encoder_level_%d", i);
  init_stage(&m->down_stage[i], p, m, m->D[i], m->cfg.depth.v[i]);
  fc_params_pop(p);
  fc_params_push(p, "down%d_%d", i, i + 1);
  fc_conv_init_xavier(&m->down[i], p, "body.0", 2, m->D[i], m->D[i + 1] / 4, 3, false, same);
  fc_params_pop(p);
}

/* The finest stage comes first in `depth` and keeps both halves of what it joins. */
static void init_up(model *m, fc_params *p, int i) {
  const int64_t out = i == 0 ? m->D_out : m->D[i];

  fc_params_push(p, "up%d_%d", i + 1, i);
  fc_conv_init_xavier(&m->up[i], p, "body.0", 2, m->D[i + 1], 4 * m->D[i], 3, false, same);
  fc_params_pop(p);
  fc_params_push(p, "reduce_chan_level%d", i);
  m->reduce[i].weight =
      fc_param(p, "weight", fc_init_xavier(2 * m->D[i], out, 1), FC_DIMS(out, 2 * m->D[i], 1, 1));
  m->reduce[i].bias = fc_param(p, "bias", fc_init_constant(0), FC_DIMS(out));
  fc_params_pop(p);
  fc_params_push(p, "decoder_level_%d", i);
  init_stage(&m->up_stage[i], p, m, out, m->cfg.depth.v[m->n + 1 + i]);
  fc_params_pop(p);
}

static void init_ends(model *m, fc_params *p) {
  const config *g   = &m->cfg;
  const int64_t in  = m->separate ? g->num_timesteps : g->in_channels,
                out = m->separate ? g->num_timesteps : g->out_channels, P = g->patch_size;

  fc_params_push(p, "x_embedder.proj");
  m->embed.weight = fc_param(p, "weight", fc_init_xavier(in * P * P, m->D[0], 1), FC_DIMS(m->D[0], in, P, P));
  m->embed.bias   = fc_param(p, "bias", fc_init_constant(0), FC_DIMS(m->D[0]));
  m->embed.spec   = (fc_conv_spec){P, 0, 1, false};
  fc_params_pop(p);
  fc_conv_init_xavier(&m->output, p, "output", 2, m->D_out, m->D_out, 3, true, same);
  fc_params_push(p, "final_layer.out_proj");
  m->out_proj.weight = fc_param(p, "weight", fc_init_constant(0), FC_DIMS(P * P * out, m->D_out, 3, 3));
  m->out_proj.bias   = fc_param(p, "bias", fc_init_constant(0), FC_DIMS(P * P * out));
  m->out_proj.spec   = same;
  fc_params_pop(p);
  fc_params_push(p, "final_layer.adaLN_modulation.1");
  m->modulation.weight = fc_param(p, "weight", fc_init_constant(0), FC_DIMS(2 * m->D_out, m->D[1]));
  m->modulation.bias   = fc_param(p, "bias", fc_init_constant(0), FC_DIMS(2 * m->D_out));
  fc_params_pop(p);
}

static void settle_size(config *g) {
  static const int64_t depth[] = {2, 5, 8, 5, 2};
  const int            size    = g->size % 3;

  if (!g->hidden_size) g->hidden_size = (int64_t)96 << size;
  if (!g->num_heads) g->num_heads = (int64_t)4 << size;
  if (g->depth.n) return;
  g->depth.n = FC_COUNT(depth);
  memcpy(g->depth.v, depth, sizeof depth);
}

static void settle(model *m) {
  config    *g       = &m->cfg;
  const bool unknown = g->class_dropout_prob > 0;

  settle_size(g);
  m->separate    = g->variant != MIXED;
  m->n           = (g->depth.n - 1) / 2;
  m->keeps_width = !m->separate && g->max_hidden_size == g->hidden_size;
  for (int i = 0; i <= m->n && i <= MAX_LEVELS; i++) m->D[i] = g->hidden_size << (m->keeps_width ? 0 : i);
  m->D_out  = m->D[1];
  m->labels = m->separate ? 3 : 1;
  for (int i = 0; i < m->labels; i++) { /* tasks are never dropped */
    m->dropped[i] = unknown && i < 2;
    m->rows[i]    = g->num_classes + m->dropped[i];
  }
  if (g->variant == CARRIER) g->carrier_token_active = true;
}

static fc_status check_options(const model *m) {
  const config *g = &m->cfg;
  const int64_t d = g->hidden_size / g->num_heads;

  FC_REQUIRE(g->depth.n % 2 == 1 && g->depth.n >= 3 && g->depth.n < FC_LIST, FC_E_USAGE,
             "pde_transformer: depth has %d numbers; an odd number from 3 to %d is wanted (down, middle, up)",
             g->depth.n, FC_LIST - 1);
  FC_REQUIRE(g->hidden_size % g->num_heads == 0 && m->D[1] % 4 == 0, FC_E_USAGE,
             "pde_transformer: hidden_size %lld must be a multiple of num_heads %lld, and the width %lld of "
             "level 1 of 4",
             (long long)g->hidden_size, (long long)g->num_heads, (long long)m->D[1]);
  FC_REQUIRE(
      m->separate || m->keeps_width || g->max_hidden_size > m->D[m->n], FC_E_USAGE,
      "pde_transformer: max_hidden_size %lld fits no official network; use hidden_size %lld or more than "
      "the widest level's %lld",
      (long long)g->max_hidden_size, (long long)g->hidden_size, (long long)m->D[m->n]);
  FC_REQUIRE(g->carrier_token_active == (g->variant == CARRIER), FC_E_USAGE,
             "pde_transformer: carrier_token_active wants variant separate_channels_carrier");
  FC_REQUIRE(
      !g->carrier_token_active || (g->periodic && d % 4 == 0), FC_E_USAGE,
      "pde_transformer: carrier tokens want periodic = true and heads of a multiple of 4 numbers, not %lld",
      (long long)d);
  FC_REQUIRE(!g->steady || (!m->separate && g->in_frames == 1), FC_E_USAGE,
             "pde_transformer: steady wants variant mixed_channels and in_frames 1");
  FC_REQUIRE((double)g->hidden_size * g->mlp_ratio >= 1, FC_E_USAGE,
             "pde_transformer: mlp_ratio %g leaves no hidden layer at hidden_size %lld", g->mlp_ratio,
             (long long)g->hidden_size);
  FC_REQUIRE(m->separate || g->in_channels % g->in_frames == 0, FC_E_USAGE,
             "pde_transformer: in_channels %lld must be a multiple of in_frames %lld",
             (long long)g->in_channels, (long long)g->in_frames);
  return FC_OK;
}

static fc_status init(void *self, fc_params *p, const void *cfg) {
  model *m = self;

  memset(m, 0, sizeof *m);
  m->cfg = *(const config *)cfg;
  settle(m);
  FC_TRY(check_options(m));
  fc_params_push(p, "model");
  init_ends(m, p);
  for (int i = 0; i <= m->n; i++) init_code(m, p, i);
  for (int i = 0; i < m->n; i++) init_down(m, p, i);
  fc_params_push(p, "latent");
  init_stage(&m->middle, p, m, m->D[m->n], m->cfg.depth.v[m->n]);
  fc_params_pop(p);
  for (int i = 0; i < m->n; i++) init_up(m, p, i);
  fc_params_pop(p);
  return FC_OK;
}

/* ---- one call ---- */

typedef struct {
  const model     *m;
  int64_t          S, B;
  fc_tensor       *condition[MAX_LEVELS + 1]; /* [S B, D_i] */
  fc_cut           lines[MAX_LEVELS + 1];     /* h of all ranks */
  fc_stage_groups *groups[MAX_LEVELS + 1];
} call;

/* ---- conditions ---- */

/* labels of all fields and samples, absent: unknown; in training some are replaced by 'unknown', anew at each
 * level */
static const fc_tensor *draw_labels(fc_ctx *c, const call *k, const fc_tensor *given, int i) {
  const config  *g     = &k->m->cfg;
  fc_tensor     *y     = fc_tensor_new(c->arena, FC_DIMS(k->S * k->B));
  const bool     drops = c->training && k->m->dropped[i];
  const fc_rng   r     = {c->seed, c->step, FC_RNG_DROPOUT};
  const uint64_t first = drops ? (uint64_t)c->draws++ << 40 : 0;

  for (int64_t n = 0; !c->dry && n < fc_len(y); n++) {
    const bool drop = drops && fc_rng_uniform(&r, first + (uint64_t)n) < g->class_dropout_prob;
    y->x[n]         = given && !drop ? given->x[fc_len(given) > 1 ? n : 0] : (fc_real)g->num_classes;
  }
  return y;
}

/* W2 SiLU(W0 e + b0) + b2 of the time's code e, plus a row of each table */
static fc_tensor *condition(fc_ctx *c, const call *k, const fc_batch *b, const fc_tensor *code, int level) {
  const level_code *l = &k->m->code[level];
  fc_tensor        *h = fc_linear_apply(c, &l->time[0], (fc_tensor *)code, FC_ACT_NONE);
  fc_tensor        *y = fc_linear_of(c, FC_ACT_SILU, h, l->time[1].weight, l->time[1].bias, NULL);

  for (int i = 0; i < k->m->labels; i++) {
    const fc_tensor *given = fc_batch_get(b, label_inputs[k->m->separate][i]);
    y                      = fc_add(c, y, fc_embedding(c, l->table[i], draw_labels(c, k, given, i)));
  }
  return y;
}

/* code of 1000 t for every field and sample; absent: 0, one number: for all */
static fc_tensor *time_code(fc_ctx *c, const call *k, const fc_batch *b) {
  const fc_tensor *given = fc_batch_get(b, k->m->separate ? "t" : "timestep");
  fc_tensor       *t     = fc_tensor_new(c->arena, FC_DIMS(k->S * k->B));

  for (int64_t n = 0; !c->dry && n < fc_len(t); n++)
    t->x[n] = given ? given->x[fc_len(given) > 1 ? n : 0] : 0;
  return fc_time_code(c, t, CODE, 1000);
}

/* ---- the U ---- */

/* one stage on the grid of `level`, steered by the condition of level `code` */
static fc_tensor *apply_stage(fc_ctx *c, const call *k, const fc_window_stage *s, fc_tensor *x, int level,
                              int code) {
  return fc_window_stage_apply(c, s, x, k->condition[code], k->groups[level], k->m->cfg.recompute);
}

/* down to the coarsest grid and up again; the finest stage on the way up is steered by level 1 */
static fc_tensor *u_shape(fc_ctx *c, const call *k, fc_tensor *x) {
  const model *m = k->m;
  fc_tensor   *skip[MAX_LEVELS];
  size_t       mark;

  for (int i = 0; i < m->n; i++) {
    skip[i] = apply_stage(c, k, &m->down_stage[i], x, i, i);
    mark    = fc_arena_mark(c->arena);
    x       = fc_conv_apply_shared(c, &m->down[i], skip[i], k->lines[i]);
    x       = fc_compact(c, mark, fc_cells_to_channels(c, x, 2));
  }
  x = apply_stage(c, k, &m->middle, x, m->n, m->n);
  for (int i = m->n - 1; i >= 0; i--) {
    mark         = fc_arena_mark(c->arena);
    fc_tensor *y = fc_channels_to_cells(c, fc_conv_apply_shared(c, &m->up[i], x, k->lines[i + 1]), 2);
    y            = fc_linear_apply(c, &m->reduce[i], fc_concat(c, 3, FC_IN(y, skip[i])), FC_ACT_NONE);
    x            = apply_stage(c, k, &m->up_stage[i], fc_compact(c, mark, y), i, i ? i : 1);
  }
  return x;
}

/* tokens -> [S B, H, W, C]; channel (py P + px) C + ch of a token is point (py, px) of its patch */
static fc_tensor *to_points(fc_ctx *c, const call *k, fc_tensor *x) {
  const model  *m = k->m;
  const int64_t P = m->cfg.patch_size, B = x->dim[0], h = x->dim[1], w = x->dim[2];
  fc_tensor    *rows =
      fc_linear_of(c, FC_ACT_SILU, k->condition[1], m->modulation.weight, m->modulation.bias, NULL);

  x = fc_conv_apply_shared(c, &m->output, x, k->lines[0]);
  x = fc_modulate(c, x, NULL, NULL, 1e-6, (fc_modulation){rows, 0});
  x = fc_conv_apply_shared(c, &m->out_proj, x, k->lines[0]);
  x = fc_reshape(c, x, FC_DIMS(B, h, w, P, P, fc_last(x) / (P * P)));
  x = fc_permute(c, x, (int[]){0, 1, 3, 2, 4, 5});
  return fc_reshape(c, x, FC_DIMS(B, h * P, w * P, fc_last(x)));
}

/* who has which lines of each level, and who attends to whom; u [.., H, W] */
static void lay_out(fc_ctx *c, call *k, const fc_tensor *u) {
  const model  *m = k->m;
  const int64_t P = m->cfg.patch_size, h = u->dim[u->ndim - 2] / P, w = u->dim[u->ndim - 1] / P;

  for (int i = 0; i <= m->n; i++) {
    k->lines[i]  = fc_domain_shared(c) ? fc_cut_coarser(c->cut, P << i) : (fc_cut){h >> i, 1};
    k->groups[i] = fc_stage_groups_of(c, &m->middle.spec, k->S, k->B, k->lines[i], w >> i, m->cfg.periodic);
  }
}

/* hidden_states [B, C, H, W], or x [S, B, T, H, W] whose leading axes are samples of the network */
static fc_tensor *apply(fc_ctx *c, const void *self, const fc_batch *b) {
  const model *m = self;
  fc_tensor   *u = fc_batch_get(b, fields_input[m->separate]);
  const int    a = m->separate; /* axes before the batch */
  call        *k = fc_arena_push(c->arena, sizeof *k);

  FC_ASSERT(u, "pde_transformer: inputs were not checked");
  *k = (call){.m = m, .S = a ? u->dim[0] : 1, .B = u->dim[a]};
  lay_out(c, k, u);
  const fc_tensor *code = time_code(c, k, b);
  for (int i = 0; i <= m->n; i++) k->condition[i] = condition(c, k, b, code, i);
  fc_tensor *x = fc_reshape(c, u, FC_DIMS(k->S * k->B, u->dim[a + 1], u->dim[a + 2], u->dim[a + 3]));
  x            = fc_conv_apply(c, &m->embed, fc_permute(c, x, (int[]){0, 2, 3, 1}));
  x            = to_points(c, k, u_shape(c, k, x));
  x            = fc_permute(c, x, (int[]){0, 3, 1, 2});
  return a ? fc_reshape(c, x, FC_DIMS(k->S, k->B, x->dim[1], x->dim[2], x->dim[3])) : x;
}

/* ---- boundary: what the inputs must look like ---- */

static fc_status check_labels(const fc_batch *b, const char *name, int64_t rows, int64_t samples,
                              bool needed) {
  const fc_tensor *t = fc_batch_get(b, name);

  FC_REQUIRE(t || !needed, FC_E_MISMATCH, "pde_transformer: there is no input named %s", name);
  if (!t) return FC_OK;
  FC_REQUIRE(fc_len(t) == 1 || fc_len(t) == samples, FC_E_MISMATCH,
             "pde_transformer: input %s has shape %s, one number for each of %lld samples is wanted", name,
             fc_shape_text(t), (long long)samples);
  for (int64_t i = 0; rows && i < fc_len(t); i++)
    FC_REQUIRE(t->x[i] >= 0 && (double)t->x[i] < (double)rows && t->x[i] == floor(t->x[i]), FC_E_MISMATCH,
               "pde_transformer: %s is %g, a whole number from 0 to %lld is wanted", name, (double)t->x[i],
               (long long)rows - 1);
  return FC_OK;
}

/* shifted windows of a bounded grid must not be padded */
static fc_status check_windows(const model *m, int level, int64_t h, int64_t w) {
  const int64_t          size = m->cfg.window_size;
  const fc_window_stage *down = level < m->n ? &m->down_stage[level] : &m->middle,
                        *up   = level < m->n ? &m->up_stage[level] : down;
  const bool whole = h % size == 0 && w % size == 0, small = h < size || w < size;

  FC_REQUIRE(
      !m->cfg.carrier_token_active || whole, FC_E_MISMATCH,
      "pde_transformer: carrier tokens want multiples of window_size %lld, level %d has %lld x %lld tokens",
      (long long)size, level, (long long)h, (long long)w);
  if (m->cfg.periodic || (down->depth < 2 && up->depth < 2)) return FC_OK;
  FC_REQUIRE(whole || (small && !m->separate), FC_E_MISMATCH,
             "pde_transformer: level %d has %lld x %lld tokens; without periodic they must be multiples of "
             "window_size %lld",
             level, (long long)h, (long long)w, (long long)size);
  return FC_OK;
}

static fc_status check(const void *self, const fc_batch *b) {
  const model  *m = self;
  const config *g = &m->cfg;
  const int     a = m->separate;
  fc_tensor    *u;

  if (a)
    FC_TRY(fc_batch_need(b, "x", FC_DIMS(-1, -1, g->num_timesteps, -1, -1), &u));
  else
    FC_TRY(fc_batch_need(b, "hidden_states", FC_DIMS(-1, g->in_channels, -1, -1), &u));
  const int64_t h = u->dim[a + 2] / g->patch_size, w = u->dim[a + 3] / g->patch_size,
                samples = u->dim[0] * (a ? u->dim[1] : 1), multiple = (int64_t)1 << m->n;
  FC_REQUIRE(h > 0 && w > 0 && h % multiple == 0 && w % multiple == 0, FC_E_MISMATCH,
             "pde_transformer: the grid %lld x %lld has %lld x %lld patches; multiples of %lld are wanted",
             (long long)u->dim[a + 2], (long long)u->dim[a + 3], (long long)h, (long long)w,
             (long long)multiple);
  for (int i = 0; i <= m->n; i++) FC_TRY(check_windows(m, i, h >> i, w >> i));
  for (int i = 0; i < m->labels; i++)
    FC_TRY(check_labels(b, label_inputs[a][i], m->rows[i], samples, a || !m->dropped[i]));
  return check_labels(b, a ? "t" : "timestep", 0, samples, false);
}

/* ---- gridded data ---- */

static fc_status frames(const void *self, fc_frames *out) {
  const model  *m = self;
  const config *g = &m->cfg;
  const int64_t C = m->separate ? g->fields : g->in_channels / g->in_frames;

  FC_REQUIRE(g->label < g->num_classes && (g->label >= 0 || g->class_dropout_prob > 0), FC_E_USAGE,
             "pde_transformer: label is %lld; 0 to %lld are possible, and -1 with class_dropout_prob above 0",
             (long long)g->label, (long long)g->num_classes - 1);
  FC_REQUIRE(!g->channel_types.n || g->channel_types.n == g->fields, FC_E_USAGE,
             "pde_transformer: channel_types has %d numbers for %lld fields", g->channel_types.n,
             (long long)g->fields);
  for (int64_t i = 0; m->separate && i < g->fields; i++) {
    const int64_t type = g->channel_types.n ? g->channel_types.v[i] : i + 1;
    FC_REQUIRE(type < m->rows[0], FC_E_USAGE, "pde_transformer: channel type %lld; num_classes is %lld",
               (long long)type, (long long)g->num_classes);
  }
  *out = (fc_frames){.n_in         = (int)(m->separate ? fc_max64(g->num_timesteps - 1, 1) : g->in_frames),
                     .max_out      = 1,
                     .ndim         = 2,
                     .channels_in  = C,
                     .channels_out = m->separate ? C : g->out_channels,
                     .multiple     = g->patch_size << m->n,
                     .steady       = g->steady,
                     .timestep     = !m->separate};
  return FC_OK;
}

static fc_tensor *constant(fc_ctx *c, int64_t S, int64_t B, int64_t value) {
  fc_tensor *t = fc_tensor_new(c->arena, FC_DIMS(S, B));

  for (int64_t i = 0; i < S * B; i++) t->x[i] = (fc_real)value;
  return t;
}

/* separate: the frames of each field and a last one of zeros, which the network fills in */
static void pack_fields(fc_ctx *c, const model *m, fc_tensor *window, int64_t label, fc_batch *out) {
  const config *g = &m->cfg;
  const int64_t B = window->dim[0], S = g->fields;
  fc_tensor    *x = fc_permute(c, window, (int[]){4, 0, 1, 2, 3}), *type = constant(c, S, B, 0);

  if (g->num_timesteps > 1) x = fc_pad(c, x, 2, 0, 1);
  for (int64_t i = 0; i < S * B; i++)
    type->x[i] = (fc_real)(g->channel_types.n ? g->channel_types.v[i / B] : i / B + 1);
  fc_batch_put(out, "x", x);
  fc_batch_put(out, "channel_type", type);
  fc_batch_put(out, "pde_type", constant(c, S, B, label));
  fc_batch_put(out, "task", constant(c, S, B, 0));
}

/* Time is 0, as in all supervised networks, unless who trains on flows has put timestep [B] there. */
static void pack(fc_ctx *c, const void *self, fc_tensor *window, int n_out, fc_batch *out) {
  const model   *m     = self;
  const int64_t  label = m->cfg.label >= 0 ? m->cfg.label : m->cfg.num_classes;
  const int64_t *n     = window->dim; /* [B, T, H, W, C] */

  (void)n_out;
  if (m->separate) {
    pack_fields(c, m, window, label, out);
    return;
  }
  window = fc_permute(c, window, (int[]){0, 1, 4, 2, 3});
  fc_batch_put(out, "hidden_states", fc_reshape(c, window, FC_DIMS(n[0], n[1] * n[4], n[2], n[3])));
  fc_batch_put(out, "class_labels", constant(c, 1, n[0], label));
}

static fc_tensor *unpack(fc_ctx *c, const void *self, fc_tensor *y) {
  const model *m = self;

  if (m->separate) {
    y = fc_slice(c, y, 2, y->dim[2] - 1, 1);
    return fc_permute(c, y, (int[]){1, 2, 3, 4, 0});
  }
  return fc_single_frame(c, fc_channels_last(c, y));
}

/* ---- ranks that share the lines of the grid ---- */

static fc_status shared_lines(const void *self, const fc_batch *whole, fc_cut *out) {
  const model     *m = self;
  const fc_tensor *u = fc_batch_get(whole, fields_input[m->separate]);
  const int64_t    H = u->dim[u->ndim - 2], unit = m->cfg.patch_size << m->n;

  FC_REQUIRE(H % unit == 0, FC_E_USAGE,
             "pde_transformer: ranks can share the first axis only if its %lld points are a multiple of %lld",
             (long long)H, (long long)unit);
  *out = (fc_cut){H, unit};
  return FC_OK;
}

/* fields [B, C, H, W] or [S, B, T, H, W], and the output; labels are everywhere */
static fc_part shared_part(const void *self, const fc_batch *whole, const char *name) {
  const model *m = self;

  (void)whole;
  return fc_part_axis(!name || !strcmp(name, fields_input[m->separate]) ? 2 + m->separate : -1);
}

static const fc_sharing sharing = {.cut = shared_lines, .part = shared_part};

const fc_model_def fc_model_pde_transformer = {
    .name        = "pde_transformer",
    .task        = "operator",
    .summary     = "U-shaped transformer of shifted windows on 2-D grids, steered by the kind of equation",
    .paper       = "Holzschuh, Liu, Kohl, Thuerey, ICML 2025, arXiv 2505.24717",
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
