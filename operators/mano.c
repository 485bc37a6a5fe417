/* operators/mano.c - MANO: multipole attention, the same windowed attention on a grid and on coarser and
   coarser copies of it. Colagrande, Caillon, Feillet, Allauzen, arXiv 2507.02748 (ICCV 2025 workshop).
   Weights carry the names of the official code, as third parties kept it (models/MANO.py).

     x <- x + MA(x);   x <- x + W2 GELU(W1 LN(x)),   depth times;   then LN, a map, tanh, a map
   MA(x):  x_0 = x, x_l = down(x_{l-1});   A_l = LA(x_l);   R = A of the coarsest level;
           R <- A_{next finer} + up(R) / (j + 1),  j = 0, 1, ..
   LA: two layer norms in sequence, softmax attention inside windows, overlapping windows averaged, output
   map. Norms and maps act on single cells, so they are done once per cell however many windows it lies in.

   Ranks that share the grid have whole strides of its lines on every level; lines of overlapping windows come
   from the neighbours, lines whose borders change from level to level are exchanged, and levels too coarse
   for all ranks (a few windows) are gathered and done by each of them.

   Letters: B batch, H W grid, C dim, I = heads dim_head. All arrays are channels-last. */
#include "core/domain.h"
#include "core/model.h"
#include "core/nn/nn.h"

#include <math.h>
#include <string.h>

enum { MAX_DEPTH = 64, MAX_LEVELS = 32 };

typedef enum { RECOVERED, RECOVERED_HALF_HEAD } variant_name;
typedef enum { HEAD_AUTO, HEAD_FULL, HEAD_HALF } head_name;
typedef enum { CONV, AVG_POOL } sampling_name;

/* ---- options, under the names of the official constructor ---- */

typedef struct {
  int     variant, head, att_sampling;
  int64_t image_size, channels, out_channels, in_frames;
  int64_t dim, depth, heads, dim_head, mlp_dim;
  int64_t local_attention_span, local_attention_stride, att_sampling_rate, levels;
  double  att_dropout, emb_dropout;
  bool    coordinates, steady, recompute;
} config;

static const fc_option options[] = {
    FC_OPT_CHOICE(config, variant, "recovered|recovered_half_head", "recovered",
                  "head of full width to all channels, or of half width to one"),
    FC_OPT_CHOICE(config, head, "auto|full|half", "auto", "the same choice; auto: as the variant says"),
    FC_OPT_INT(config, image_size, "64", 1, 1 << 20,
               "points per axis from which the number of levels follows"),
    FC_OPT_INT(config, channels, "3", 1, 4096, "input channels (of one frame)"),
    FC_OPT_INT(config, out_channels, "0", 0, 4096,
               "output channels; 0: as many as in, one for the half head"),
    FC_OPT_INT(config, in_frames, "1", 1, 256, "frames of history, fed as channels"),
    FC_OPT_INT(config, dim, "128", 1, 8192, "width C"),
    FC_OPT_INT(config, depth, "8", 1, MAX_DEPTH, "blocks"),
    FC_OPT_INT(config, heads, "4", 1, 256, "attention heads"),
    FC_OPT_INT(config, dim_head, "32", 1, 1024, "width of a head"),
    FC_OPT_INT(config, mlp_dim, "128", 1, 65536, "hidden width of the two-layer maps"),
    FC_OPT_INT(config, local_attention_span, "2", 1, 64, "cells along an edge of a window"),
    FC_OPT_INT(config, local_attention_stride, "2", 1, 64, "cells from one window to the next"),
    FC_OPT_CHOICE(config, att_sampling, "conv|avg_pool", "conv",
                  "between levels: learned maps, or mean and copy"),
    FC_OPT_INT(config, att_sampling_rate, "2", 2, 64, "how much coarser the next level is"),
    FC_OPT_INT(config, levels, "0", 0, MAX_LEVELS,
               "levels; 0: ln(image_size) / ln(att_sampling_rate), cut off"),
    FC_OPT_REAL(config, att_dropout, "0", 0, 0.999,
                "dropout of attention weights and of what attention gives, in training"),
    FC_OPT_REAL(config, emb_dropout, "0", 0, 0.999, "dropout of the lifted input, in training"),
    FC_OPT_BOOL(config, coordinates, "false", "two more input channels: both coordinates, 0 to 1"),
    FC_OPT_BOOL(config, steady, "false", "one field to one field, no time"),
    FC_OPT_BOOL(config, recompute, "false", "keep only the borders of blocks and run them again in backward"),
    FC_OPT_IGNORED("channel_scale", "in the official constructor, without effect"),
    FC_OPT_IGNORED("device", "of the official script"),
    FC_OPT_END,
};

/* ---- weights ---- */

typedef struct {
  fc_norm    outer, inner; /* the two norms in sequence */
  fc_tensor *qkv;          /* [3 I, C] */
  fc_linear  out;          /* NULL if one head has the full width: no map then */
  fc_linear  down, up;     /* [C, C, r, r]; NULL if pooled */
  fc_norm    norm;
  fc_linear  mlp[2];
} block;

typedef struct {
  config           cfg;
  int              levels;
  int64_t          in_channels; /* of the network */
  fc_window_layout windows;
  fc_linear        lift, head[2];
  fc_norm          norm;
  block            blocks[MAX_DEPTH];
} model;

static void init_block(block *l, fc_params *p, const config *g, int number) {
  const int64_t C = g->dim, I = g->heads * g->dim_head, r = g->att_sampling_rate;

  fc_params_push(p, "transformer.layers.%d", number);
  fc_norm_init(&l->outer, p, "0.Attention.norm", C, 1e-5);
  fc_norm_init(&l->inner, p, "0.Attention.Attention.norm", C, 1e-5);
  l->qkv = fc_param(p, "0.Attention.Attention.to_qkv.weight", fc_init_fan_in(C), FC_DIMS(3 * I, C));
  if (g->heads != 1 || I != C) fc_linear_init(&l->out, p, "0.Attention.Attention.to_out.0", I, C, true);
  if (g->att_sampling == CONV) {
    fc_linear_init_shaped(&l->down, p, "0.down.1", false, FC_DIMS(C, C, r, r));
    fc_linear_init_shaped(&l->up, p, "0.up.1", false, FC_DIMS(C, C, r, r));
  }
  fc_norm_init(&l->norm, p, "1.net.0", C, 1e-5);
  fc_linear_init(&l->mlp[0], p, "1.net.1", C, g->mlp_dim, true);
  fc_linear_init(&l->mlp[1], p, "1.net.4", g->mlp_dim, C, true);
  fc_params_pop(p);
}

/* what follows from the options; the quotient of logarithms is cut off as the official code does, with its
   rounding: 243 points at rate 3 give 4 levels, not 5 */
static void settle(model *m) {
  config *g = &m->cfg;

  m->levels      = (int)g->levels;
  m->in_channels = g->channels * g->in_frames + (g->coordinates ? 2 : 0);
  m->windows     = (fc_window_layout){g->local_attention_span, g->local_attention_stride, 0, false};
  if (g->head == HEAD_AUTO) g->head = g->variant == RECOVERED ? HEAD_FULL : HEAD_HALF;
  if (!g->out_channels) g->out_channels = g->head == HEAD_FULL ? g->channels : 1;
  if (!m->levels) m->levels = (int)(log((double)g->image_size) / log((double)g->att_sampling_rate));
}

static fc_status init(void *self, fc_params *p, const void *cfg) {
  model  *m = self;
  config *g = &m->cfg;

  memset(m, 0, sizeof *m);
  *g = *(const config *)cfg;
  settle(m);
  FC_REQUIRE(m->levels >= 1, FC_E_USAGE, "mano: image_size %lld is smaller than att_sampling_rate %lld",
             (long long)g->image_size, (long long)g->att_sampling_rate);
  FC_REQUIRE(g->head == HEAD_FULL || g->dim >= 2, FC_E_USAGE,
             "mano: the half head needs a dim of at least 2");
  FC_REQUIRE(!g->steady || g->in_frames == 1, FC_E_USAGE,
             "mano: steady takes one field, but in_frames is %lld; set it to 1", (long long)g->in_frames);
  const int64_t width = g->head == HEAD_FULL ? g->dim : g->dim / 2;
  fc_linear_init(&m->lift, p, "linear_p", m->in_channels, g->dim, true);
  for (int i = 0; i < g->depth; i++) init_block(&m->blocks[i], p, g, i);
  fc_norm_init(&m->norm, p, "transformer.norm", g->dim, 1e-5);
  fc_linear_init(&m->head[0], p, "linear_q", g->dim, width, true);
  fc_linear_init(&m->head[1], p, "output_layer", width, g->out_channels, true);
  return FC_OK;
}

/* ---- a level's lines, which ranks may share ---- */

typedef struct {
  fc_cut    lines;   /* begin at windows */
  fc_cut    patches; /* the same lines, cut where cells of the next level end */
  bool      shared;  /* else every rank has them all */
  fc_range *reach;   /* of the windows that cover each rank's lines; NULL: no rank needs others' */
} level;

/* A level is shared if each rank gets a window and a line of the next level. */
static fc_cut cut_of(const model *m, int64_t n, bool coarsest) {
  const int64_t stride = m->windows.stride, least = coarsest ? stride : m->cfg.att_sampling_rate;

  return (fc_cut){n, fc_ceil_div(least, stride) * stride};
}

/* the windows that lie on a rank's lines begin and end here */
static fc_range reach_of(const model *m, fc_cut lines, int rank, int size) {
  const fc_window_layout *w  = &m->windows;
  const int64_t           lo = fc_cut_at(lines, rank, size) - (w->size - 1) / w->stride * w->stride;
  const int64_t           hi = fc_cut_at(lines, rank + 1, size) + w->size - w->stride;

  return (fc_range){fc_max64(0, lo), fc_min64(lines.n, hi)};
}

static level level_of(fc_ctx *c, const model *m, int number, int64_t n) {
  const bool    coarsest = number == m->levels - 1;
  const int64_t r        = m->cfg.att_sampling_rate;
  level         v        = {.lines = cut_of(m, n, coarsest)};

  v.shared  = fc_domain_shared(c) && fc_ceil_div(n, v.lines.unit) >= fc_domain_size(c);
  v.patches = v.lines.unit % r ? (fc_cut){n, r} : v.lines;
  if (!v.shared || m->windows.size <= m->windows.stride) return v;
  v.reach = fc_arena_push(c->arena, (size_t)fc_domain_size(c) * sizeof *v.reach);
  for (int q = 0; q < fc_domain_size(c); q++) v.reach[q] = reach_of(m, v.lines, q, fc_domain_size(c));
  return v;
}

/* ---- multipole attention ---- */

/* LA(x) + r on one level, x [B, H, W, C], r of its shape or NULL */
static fc_tensor *attend(fc_ctx *c, const model *m, const block *l, fc_tensor *x, fc_tensor *r,
                         const level *v) {
  const config *g     = &m->cfg;
  const fc_cut  cut   = v->shared ? v->lines : (fc_cut){0};
  const int64_t lines = x->dim[1], lo = v->shared ? fc_cut_lo(c, cut) : 0,
                first = v->reach ? lo - v->reach[fc_domain_rank(c)].lo : 0;

  if (v->reach) x = fc_fetch_rows(c, x, 1, v->lines, v->reach, false);
  x = fc_layer_norm_pair(c, x, l->outer.weight, l->outer.bias, l->inner.weight, l->inner.bias, l->inner.eps);
  x = fc_linear_op(c, x, l->qkv, NULL, FC_ACT_NONE);
  x = fc_local_attention(c, x, g->heads, m->windows, 1 / sqrt((double)g->dim_head), g->att_dropout,
                         (lo - first) / m->windows.stride);
  x = fc_slice(c, x, 1, first, lines);
  if (l->out.weight && g->att_dropout == 0)
    return fc_linear_of(c, FC_ACT_NONE, x, l->out.weight, l->out.bias, r);
  if (l->out.weight)
    x = fc_dropout_shared(c, fc_linear_apply(c, &l->out, x, FC_ACT_NONE), g->att_dropout, NULL, cut);
  return r ? fc_add_in_place(c, x, r) : x;
}

/* weight: that of the learned map, channels last; NULL: the mean */
static fc_tensor *coarser(fc_ctx *c, const model *m, fc_tensor *weight, fc_tensor *x) {
  const int64_t r = m->cfg.att_sampling_rate;

  if (weight) return fc_patch_down(c, x, weight);
  fc_tensor *y = fc_mean_axes(c, fc_window_split(c, x, (fc_window_layout){r, r, 0, false}), 1u << 1);
  return fc_reshape(c, y, FC_DIMS(x->dim[0], x->dim[1] / r, x->dim[2] / r, x->dim[3]));
}

/* x of level v[0] -> the next level */
static fc_tensor *go_down(fc_ctx *c, const model *m, fc_tensor *weight, fc_tensor *x, const level *v) {
  if (!v->shared) return coarser(c, m, weight, x);
  const fc_cut made = fc_cut_coarser(v->patches, m->cfg.att_sampling_rate);
  x                 = coarser(c, m, weight, fc_recut(c, x, 1, v->lines, v->patches));
  return v[1].shared ? fc_recut(c, x, 1, made, v[1].lines) : fc_allgather(c, x, 1, made);
}

/* a + scale up(x) over a's memory; without a weight up copies */
static fc_tensor *add_finer(fc_ctx *c, fc_tensor *weight, fc_tensor *a, fc_tensor *x, double scale) {
  if (weight) return fc_patch_up_in_place(c, a, x, weight, scale);
  return fc_add_in_place(c, a, fc_resize_nearest(c, fc_affine(c, x, scale, 0), 2, a->dim + 1));
}

/* a of level v[0], x of the next one */
static fc_tensor *go_up(fc_ctx *c, const model *m, fc_tensor *weight, fc_tensor *a, fc_tensor *x,
                        double scale, const level *v) {
  if (!v->shared) return add_finer(c, weight, a, x, scale);
  const fc_cut wanted = fc_cut_coarser(v->patches, m->cfg.att_sampling_rate);
  if (v[1].shared)
    x = fc_recut(c, x, 1, v[1].lines, wanted);
  else
    x = fc_slice(c, x, 1, fc_cut_lo(c, wanted), fc_cut_len(c, wanted));
  a = add_finer(c, weight, fc_recut(c, a, 1, v->lines, v->patches), x, scale);
  return fc_recut(c, a, 1, v->patches, v->lines);
}

/* [.., .., r, r] -> [.., r, r, ..], once for all levels */
static fc_tensor *channels_last(fc_ctx *c, const fc_linear *l) {
  return l->weight ? fc_permute(c, l->weight, (int[]){0, 2, 3, 1}) : NULL;
}

/* x + MA(x) */
static fc_tensor *multipole(fc_ctx *c, const model *m, const block *l, fc_tensor *x, const level *v) {
  const int  L             = m->levels;
  fc_tensor *u[MAX_LEVELS] = {x}, *down = channels_last(c, &l->down), *up = channels_last(c, &l->up);

  for (int i = 1; i < L; i++) u[i] = go_down(c, m, down, u[i - 1], &v[i - 1]);
  fc_tensor *y = attend(c, m, l, u[L - 1], L == 1 ? x : NULL, &v[L - 1]);
  for (int j = 0; j < L - 1; j++) {
    const int  finer = L - 2 - j;
    fc_tensor *a     = attend(c, m, l, u[finer], finer == 0 ? x : NULL, &v[finer]);
    y                = go_up(c, m, up, a, y, 1 / (double)(j + 1), &v[finer]);
  }
  return y;
}

typedef struct {
  const model *m;
  const block *l;
  const level *levels;
} block_call;

static fc_tensor *apply_block(fc_ctx *c, const void *self, int n_in, fc_tensor *const *in) {
  const block_call *call = self;
  const block      *l    = call->l;
  fc_tensor        *x    = multipole(c, call->m, l, in[n_in - 1], call->levels);
  fc_tensor        *h    = fc_linear_apply(c, &l->mlp[0], fc_layer_norm_apply(c, &l->norm, x), FC_ACT_NONE);

  return fc_linear_of(c, FC_ACT_GELU, h, l->mlp[1].weight, l->mlp[1].bias, x);
}

/* x (B, C, H, W) -> (B, C_out, H, W) */
static fc_tensor *apply(fc_ctx *c, const void *self, const fc_batch *b) {
  const model       *m    = self;
  const fc_block_run run  = m->cfg.recompute ? fc_checkpoint : fc_block_plain;
  block_call        *call = fc_arena_push(c->arena, sizeof *call * MAX_DEPTH);
  level             *v    = fc_arena_push(c->arena, sizeof *v * MAX_LEVELS);
  int64_t            n    = fc_cut_batch(c, fc_batch_get(b, "x")->dim[2]).n;

  for (int i = 0; i < m->levels; i++, n /= m->cfg.att_sampling_rate) v[i] = level_of(c, m, i, n);
  const size_t mark = fc_arena_mark(c->arena);
  fc_tensor   *x    = fc_permute(c, fc_batch_get(b, "x"), (int[]){0, 2, 3, 1});
  x = fc_dropout_shared(c, fc_linear_apply(c, &m->lift, x, FC_ACT_NONE), m->cfg.emb_dropout, NULL, c->cut);
  for (int i = 0; i < m->cfg.depth; i++) {
    call[i] = (block_call){m, &m->blocks[i], v};
    x       = fc_compact(c, mark, run(c, apply_block, &call[i], FC_IN(x)));
  }
  x = fc_linear_apply(c, &m->head[0], fc_layer_norm_apply(c, &m->norm, x), FC_ACT_NONE);
  x = fc_linear_of(c, FC_ACT_TANH, x, m->head[1].weight, m->head[1].bias, NULL);
  return fc_permute(c, x, (int[]){0, 3, 1, 2});
}

/* ---- boundary: what the inputs must look like ---- */

/* windows lie on all n cells of an axis */
static bool covered(const fc_window_layout *w, int64_t n) {
  return n >= w->size && (n - w->size) % w->stride == 0 && (w->stride <= w->size || n == w->size);
}

static fc_status check(const void *self, const fc_batch *b) {
  const model  *m = self;
  const int64_t r = m->cfg.att_sampling_rate;
  fc_tensor    *x;

  FC_TRY(fc_batch_need(b, "x", FC_DIMS(-1, m->in_channels, -1, -1), &x));
  int64_t H = x->dim[2], W = x->dim[3];
  for (int l = 0; l < m->levels; l++, H /= r, W /= r) {
    FC_REQUIRE(
        covered(&m->windows, H) && covered(&m->windows, W), FC_E_MISMATCH,
        "mano: windows of %lld cells every %lld do not cover the %lld x %lld cells of level %d; change "
        "local_attention_span, local_attention_stride, levels or the grid",
        (long long)m->windows.size, (long long)m->windows.stride, (long long)H, (long long)W, l);
    FC_REQUIRE(
        l == m->levels - 1 || (H % r == 0 && W % r == 0), FC_E_MISMATCH,
        "mano: the %lld x %lld cells of level %d cannot be made %lld times coarser; change the grid or "
        "set levels below %d",
        (long long)H, (long long)W, l, (long long)r, m->levels);
  }
  return FC_OK;
}

/* ---- gridded data ---- */

static fc_status frames(const void *self, fc_frames *out) {
  const model  *m        = self;
  const config *g        = &m->cfg;
  int64_t       multiple = m->windows.size == m->windows.stride ? m->windows.size : 1;

  for (int l = 1; l < m->levels && multiple < INT32_MAX; l++) multiple *= g->att_sampling_rate;
  *out = (fc_frames){.n_in         = (int)g->in_frames,
                     .max_out      = 1,
                     .ndim         = 2,
                     .channels_in  = g->channels,
                     .channels_out = g->out_channels,
                     .multiple     = multiple,
                     .steady       = g->steady};
  return FC_OK;
}

/* two channels: x and y from 0 to 1, [B, 2, H, W]; H of the lines of the whole grid */
static fc_tensor *coordinates(fc_ctx *c, int64_t B, int64_t H, int64_t W) {
  const fc_cut  lines = fc_cut_batch(c, H);
  const int64_t lo    = fc_cut_lo(c, lines);
  fc_tensor    *p     = fc_tensor_new(c->arena, FC_DIMS(B, 2, H, W));

  for (int64_t n = 0; !c->dry && n < fc_len(p); n++) {
    const int64_t i = lo + n / W % H, j = n % W, axis = n / W / H % 2;
    p->x[n] = (fc_real)(axis ? j : i) / (fc_real)fc_max64(1, (axis ? W : lines.n) - 1);
  }
  return p;
}

static void pack(fc_ctx *c, const void *self, fc_tensor *window, int n_out, fc_batch *out) {
  const config  *g = &((const model *)self)->cfg;
  const int64_t *n = window->dim; /* [B, T, H, W, C] */

  (void)n_out; /* one frame per call */
  fc_tensor *x = fc_permute(c, window, (int[]){0, 1, 4, 2, 3});
  x            = fc_reshape(c, x, FC_DIMS(n[0], n[1] * n[4], n[2], n[3]));
  if (g->coordinates) x = fc_concat(c, 1, FC_IN(x, coordinates(c, n[0], n[2], n[3])));
  fc_batch_put(out, "x", x);
}

static fc_tensor *unpack(fc_ctx *c, const void *self, fc_tensor *y) {
  (void)self;
  return fc_single_frame(c, fc_channels_last(c, y));
}

/* ---- ranks that share the lines of the grid ---- */

static fc_status shared_lines(const void *self, const fc_batch *whole, fc_cut *out) {
  const model *m = self;

  *out = cut_of(m, fc_batch_get(whole, "x")->dim[2], m->levels == 1);
  return FC_OK;
}

/* x and the output, [B, C, H, W] */
static fc_part shared_part(const void *self, const fc_batch *whole, const char *name) {
  (void)self, (void)whole, (void)name;
  return fc_part_axis(2);
}

static const fc_sharing sharing = {.cut = shared_lines, .part = shared_part};

const fc_model_def fc_model_mano = {
    .name        = "mano",
    .task        = "operator",
    .summary     = "multipole attention on 2-D grids: one windowed attention on coarser and coarser copies",
    .paper       = "Colagrande, Caillon, Feillet, Allauzen, ICCV 2025 workshop, arXiv 2507.02748",
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
