/* forecast/patchtst.c - PatchTST: pieces of each variate's history are tokens; variates do not meet. Nie,
   Nguyen, Sinthong, Kalagnanam, ICLR 2023, arXiv 2211.14730. Two networks bear this name; both begin and end
   with

     z = (x - shift) / scale over the lookback;   p_i = z[i S .. i S + K) of each variate, end repeated S
   times u_i = W p_i + place_i;   layers over the n patches;   y = W_h [u_0 .. u_{n-1}] + b, times scale +
   shift

   official (yuqinie98/PatchTST), where scores go on from layer to layer and BN is batch norm over all tokens:

     S_l = q k^T / sqrt(E) + S_{l-1};   u <- BN(u + W_o softmax(S_l) v);   u <- BN(u + W_2 gelu(W_1 u))

   tslib (the library of thuml): its own post-norm layers, and one batch norm behind them.
   Letters: B windows, L lookback, P horizon, N variates, K patch_len, S stride, n patches, D width. */
#include "core/model.h"
#include "core/nn/series.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_LAYERS = 32, MAX_VARIATES = 1024, NARROW = 16 };
typedef enum { OFFICIAL, TSLIB } variant_name;
enum { PAD_END };

typedef struct {
  int     variant, activation, padding_patch;
  int64_t seq_len, pred_len, enc_in, d_model, n_heads, e_layers, d_ff, patch_len, stride, kernel_size;
  double  dropout, head_dropout, attn_dropout;
  bool    revin, affine, subtract_last, individual, decomposition;
} config;

static const fc_option options[] = {
    FC_OPT_CHOICE(config, variant, "official|tslib", "official", "whose network"),
    FC_OPT_INT(config, seq_len, "336", 1, 1 << 20, "lookback L, steps"),
    FC_OPT_INT(config, pred_len, "96", 1, 1 << 20, "horizon P, steps"),
    FC_OPT_INT(config, enc_in, "7", 1, MAX_VARIATES, "variates N; matters if individual or affine"),
    FC_OPT_INT(config, d_model, "128", 1, 65536, "width D"),
    FC_OPT_INT(config, n_heads, "16", 1, 1024, "attention heads"),
    FC_OPT_INT(config, e_layers, "3", 1, MAX_LAYERS, "encoder layers"),
    FC_OPT_INT(config, d_ff, "256", 1, 1 << 20, "hidden width of the two-layer maps"),
    FC_OPT_INT(config, patch_len, "16", 1, 1 << 20, "steps K of a patch"),
    FC_OPT_INT(config, stride, "8", 1, 1 << 20, "steps S from one patch to the next"),
    FC_OPT_CHOICE(config, padding_patch, "end|none|None", "end",
                  "repeat the last value S times behind the end (the library always does)"),
    FC_OPT_REAL(config, dropout, "0.2", 0, 0.999, "dropout in training"),
    FC_OPT_REAL(config, head_dropout, "0", 0, 0.999, "of the last map's result (official)"),
    FC_OPT_REAL(config, attn_dropout, "0", 0, 0.999, "of attention weights (official; the library: dropout)"),
    FC_OPT_CHOICE(config, activation, FC_ENCODER_ACTS, "gelu", "between the two-layer maps (library)"),
    FC_OPT_BOOL(config, revin, "true", "normalise each window by itself (the library always does)"),
    FC_OPT_BOOL(config, affine, "false", "with a scale and a shift of each variate (official)"),
    FC_OPT_BOOL(config, subtract_last, "false", "take off the last value instead of the mean (official)"),
    FC_OPT_BOOL(config, individual, "false", "a last map of its own for each variate (official)"),
    FC_OPT_BOOL(config, decomposition, "false", "one network for the trend, one for the rest (official)"),
    FC_OPT_INT(config, kernel_size, "25", 1, 1 << 20, "steps of the trend's moving average, odd"),
    FC_OPT_IGNORED("fc_dropout", "of the official command line, without effect in supervised training"),
    FC_OPT_LIBRARY,
    FC_OPT_END,
};

typedef struct { /* of the official network */
  fc_linear           query, key, value, out, ff1, ff2;
  fc_batch_norm_layer norm_attn, norm_ffn;
} token_layer;

typedef struct {
  fc_window_affine affine;
  fc_tensor       *places; /* [n, D] */
  fc_linear        patch, head[MAX_VARIATES];
  token_layer      layer[MAX_LAYERS];
  int              first_shown; /* number of its first layer for observers */
} backbone;

typedef struct {              /* of the library */
  fc_tensor          *places; /* [1, 5000, D] */
  fc_linear           patch, head;
  fc_encoder_layer    layer[MAX_LAYERS];
  fc_encoder_use      use;
  fc_batch_norm_layer norm;
} library;

typedef struct {
  config   cfg;
  int64_t  patches; /* n */
  int      parts;   /* 1, or 2: trend and rest */
  backbone part[2];
  library  lib;
} model;

/* ---- weights ---- */

static void init_attention(token_layer *l, fc_params *p, const config *g) {
  const double scale = 1 / sqrt((double)g->d_model / (double)g->n_heads);

  fc_params_push(p, "self_attn");
  fc_linear_init(&l->query, p, "W_Q", g->d_model, g->d_model, true);
  fc_linear_init(&l->key, p, "W_K", g->d_model, g->d_model, true);
  fc_linear_init(&l->value, p, "W_V", g->d_model, g->d_model, true);
  fc_param_of(p, FC_PARAM_FORMULA, "sdp_attn.scale", fc_init_constant(scale), 0, NULL);
  fc_linear_init(&l->out, p, "to_out.0", g->d_model, g->d_model, true);
  fc_params_pop(p);
}

static void init_layer(token_layer *l, fc_params *p, const config *g, int number) {
  fc_params_push(p, "encoder.layers.%d", number);
  init_attention(l, p, g);
  fc_batch_norm_init(&l->norm_attn, p, "norm_attn.1", g->d_model);
  fc_linear_init(&l->ff1, p, "ff.0", g->d_model, g->d_ff, true);
  fc_linear_init(&l->ff2, p, "ff.3", g->d_ff, g->d_model, true);
  fc_batch_norm_init(&l->norm_ffn, p, "norm_ffn.1", g->d_model);
  fc_params_pop(p);
}

static void init_heads(backbone *l, fc_params *p, const config *g, int64_t n) {
  char name[64];

  for (int64_t i = 0; g->individual && i < g->enc_in; i++) {
    snprintf(name, sizeof name, "head.linears.%d", (int)i);
    fc_linear_init(&l->head[i], p, name, g->d_model * n, g->pred_len, true);
  }
  if (!g->individual) fc_linear_init(&l->head[0], p, "head.linear", g->d_model * n, g->pred_len, true);
}

static void init_backbone(backbone *l, fc_params *p, const config *g, const char *name, int64_t n) {
  fc_params_push(p, "%s", name);
  if (g->revin && g->affine) {
    fc_params_push(p, "revin_layer");
    fc_window_affine_init(&l->affine, p, g->enc_in);
    fc_params_pop(p);
  }
  fc_params_push(p, "backbone");
  l->places = fc_param(p, "W_pos", fc_init_uniform(0.02), FC_DIMS(n, g->d_model));
  fc_linear_init(&l->patch, p, "W_P", g->patch_len, g->d_model, true);
  for (int i = 0; i < g->e_layers; i++) init_layer(&l->layer[i], p, g, i);
  fc_params_pop(p);
  init_heads(l, p, g, n);
  fc_params_pop(p);
}

static void init_library(library *l, fc_params *p, const config *g, int64_t n) {
  char name[64];

  fc_linear_init(&l->patch, p, "patch_embedding.value_embedding", g->patch_len, g->d_model, false);
  l->places = fc_place_table(p, "patch_embedding.position_embedding.pe", g->d_model);
  l->use    = (fc_encoder_use){g->n_heads, fc_encoder_act(g->activation), g->dropout};
  for (int i = 0; i < g->e_layers; i++) {
    snprintf(name, sizeof name, "encoder.attn_layers.%d", i);
    fc_encoder_layer_init(&l->layer[i], p, name, g->d_model, g->d_ff);
  }
  fc_batch_norm_init(&l->norm, p, "encoder.norm.1", g->d_model);
  fc_linear_init(&l->head, p, "head.linear", g->d_model * n, g->pred_len, true);
}

static int64_t steps_behind(const config *g) {
  return g->variant == TSLIB || g->padding_patch == PAD_END ? g->stride : 0;
}

static fc_status sizes_fit(const config *g) {
  const int64_t longest = g->seq_len + steps_behind(g);

  FC_REQUIRE(g->d_model % g->n_heads == 0, FC_E_USAGE,
             "patchtst: d_model %lld is no multiple of n_heads %lld", (long long)g->d_model,
             (long long)g->n_heads);
  FC_REQUIRE(g->patch_len <= longest, FC_E_USAGE,
             "patchtst: patch_len is %lld, but seq_len%s makes only %lld steps", (long long)g->patch_len,
             longest > g->seq_len ? " + stride" : "", (long long)longest);
  FC_REQUIRE(g->variant != TSLIB || (longest - g->patch_len) / g->stride < FC_PLACES, FC_E_USAGE,
             "patchtst: %lld patches, but there are only %d places; raise stride",
             (long long)((longest - g->patch_len) / g->stride + 1), (int)FC_PLACES);
  FC_REQUIRE(
      g->variant == TSLIB || !g->decomposition || g->kernel_size % 2 == 1, FC_E_USAGE,
      "patchtst: kernel_size is %lld; it must be odd, else the trend is a step shorter than the series",
      (long long)g->kernel_size);
  return FC_OK;
}

static fc_status init(void *self, fc_params *p, const void *cfg) {
  model        *m = self;
  const config *g = &m->cfg;

  memset(m, 0, sizeof *m);
  m->cfg = *(const config *)cfg;
  FC_TRY(sizes_fit(g));
  m->patches = (g->seq_len + steps_behind(g) - g->patch_len) / g->stride + 1;
  m->parts   = g->decomposition ? 2 : 1;
  if (g->variant == TSLIB) {
    init_library(&m->lib, p, g, m->patches);
    return FC_OK;
  }
  if (g->decomposition) init_backbone(&m->part[1], p, g, "model_trend", m->patches);
  init_backbone(&m->part[0], p, g, g->decomposition ? "model_res" : "model", m->patches);
  m->part[1].first_shown = (int)g->e_layers;
  return FC_OK;
}

/* ---- the official network ---- */

/* queries, keys and values of the layers so far */
typedef struct {
  int        n;
  fc_tensor *q[MAX_LAYERS], *k[MAX_LAYERS], *v;
  fc_tensor *qkv[MAX_LAYERS]; /* if heads go side by side: all three of a layer */
} history;

/* [B, n, H E] of several layers -> [B, H, n, layers E] */
static fc_tensor *side_by_side(fc_ctx *c, int layers, fc_tensor *const *x, int64_t H) {
  fc_tensor    *head[MAX_LAYERS];
  const int64_t B = x[0]->dim[0], n = x[0]->dim[1], E = x[0]->dim[2] / H;

  for (int i = 0; i < layers; i++) head[i] = fc_reshape(c, x[i], FC_DIMS(B, n, H, E));
  return fc_permute(c, fc_concat(c, 3, layers, head), (int[]){0, 2, 1, 3});
}

static double scale_of(const config *g) { return 1 / sqrt((double)g->d_model / (double)g->n_heads); }

/* the weights themselves are made only where somebody looks at them */
static fc_tensor *attend_and_show(fc_ctx *c, const config *g, const history *h, fc_shown as) {
  fc_tensor *q = side_by_side(c, h->n, h->q, g->n_heads), *k = side_by_side(c, h->n, h->k, g->n_heads);
  fc_tensor *A = fc_softmax(c, fc_matmul(c, q, false, k, true, scale_of(g)));

  fc_observe(c, as, A);
  A = fc_dropout(c, A, g->attn_dropout);
  A = fc_matmul(c, A, false, side_by_side(c, 1, &h->v, g->n_heads), false, 1);
  return fc_reshape(c, fc_permute(c, A, (int[]){0, 2, 1, 3}), h->v->ndim, h->v->dim);
}

/* heads of so few numbers that they do not fill the columns of a product, and no weight is dropped or shown
 */
static bool heads_side_by_side(const fc_ctx *c, const config *g) {
  return g->d_model / g->n_heads <= NARROW && !c->observer && !(c->training && g->attn_dropout > 0);
}

/* what attention gives for tokens u, and the map that follows on it */
static fc_tensor *attend(fc_ctx *c, const config *g, const token_layer *l, fc_tensor *u, history *h,
                         fc_shown as, fc_linear *out) {
  if (heads_side_by_side(c, g)) {
    const fc_linear in = fc_lanes_in(c, &l->query, &l->key, &l->value, g->n_heads);
    *out               = fc_lanes_out(c, &l->out, g->n_heads);
    h->qkv[h->n++]     = fc_linear_apply(c, &in, u, FC_ACT_NONE);
    return fc_lane_attention(c, h->n, h->qkv, g->n_heads, scale_of(g));
  }
  *out         = l->out;
  h->q[h->n]   = fc_linear_apply(c, &l->query, u, FC_ACT_NONE);
  h->k[h->n++] = fc_linear_apply(c, &l->key, u, FC_ACT_NONE);
  h->v         = fc_linear_apply(c, &l->value, u, FC_ACT_NONE);
  if (c->observer) return attend_and_show(c, g, h, as);
  return fc_attention_rows(c, h->n, h->q, h->k, h->v, g->n_heads, scale_of(g), g->attn_dropout);
}

/* r + W x + b, of which W x + b is dropped `times` times in a row */
static fc_tensor *onto(fc_ctx *c, const fc_linear *l, fc_tensor *x, fc_tensor *r, double dropout, int times) {
  if (!c->training || dropout == 0) return fc_linear_of(c, FC_ACT_NONE, x, l->weight, l->bias, r);
  x = fc_linear_apply(c, l, x, FC_ACT_NONE);
  for (int i = 0; i < times; i++) x = fc_dropout(c, x, dropout);
  return fc_add_in_place(c, x, r);
}

/* u + W_2 gelu(W_1 u); without dropout one operation, whose hidden numbers stay in the cache */
static fc_tensor *feed_forward(fc_ctx *c, const token_layer *l, fc_tensor *u, double dropout) {
  if (!c->training || dropout == 0)
    return fc_experts(c, FC_ACT_GELU, u, NULL, 1,
                      &(fc_expert){l->ff1.weight, l->ff1.bias, l->ff2.weight, l->ff2.bias}, u);
  fc_tensor *h = fc_activate(c, fc_linear_apply(c, &l->ff1, u, FC_ACT_NONE), FC_ACT_GELU);
  return onto(c, &l->ff2, fc_dropout(c, h, dropout), u, dropout, 1);
}

/* u [B N, n, D]; scores of the layers before are in h, as their queries and keys. The official code drops
   what attention gives twice, in the module and behind it. */
static fc_tensor *layer_apply(fc_ctx *c, const config *g, const token_layer *l, fc_tensor *u, history *h,
                              fc_shown as) {
  fc_linear  out;
  fc_tensor *y = attend(c, g, l, u, h, as, &out);

  u = fc_batch_norm_apply(c, &l->norm_attn, onto(c, &out, y, u, g->dropout, 2));
  return fc_batch_norm_apply(c, &l->norm_ffn, feed_forward(c, l, u, g->dropout));
}

/* tokens of all variates [B N, n, D] -> [B, P, N]; channels slow, patches fast, as the weights have it */
static fc_tensor *project(fc_ctx *c, const fc_linear *head, bool individual, fc_tensor *u, int64_t N,
                          double dropout) {
  const int  swap[] = {0, 2, 1};
  fc_tensor *y[MAX_VARIATES], *z;

  u = fc_permute(c, u, swap);
  u = fc_reshape(c, u, FC_DIMS(u->dim[0] / N, N, u->dim[1] * u->dim[2]));
  if (individual) {
    for (int64_t i = 0; i < N; i++) y[i] = fc_linear_apply(c, &head[i], fc_slice(c, u, 1, i, 1), FC_ACT_NONE);
    z = fc_concat(c, 1, (int)N, y);
  } else {
    z = fc_linear_apply(c, head, u, FC_ACT_NONE);
  }
  return fc_permute(c, fc_dropout(c, z, dropout), swap);
}

/* patches of z [B, L, N] -> [B, P, N] */
static fc_tensor *forecast(fc_ctx *c, const model *m, const backbone *l, fc_tensor *z) {
  const config *g = &m->cfg;
  history       h = {0};
  fc_tensor    *u = fc_patches_1d(c, z, g->patch_len, g->stride, m->patches);

  u = fc_add_in_place(c, fc_linear_apply(c, &l->patch, u, FC_ACT_NONE), l->places);
  u = fc_dropout(c, u, g->dropout);
  for (int i = 0; i < g->e_layers; i++)
    u = layer_apply(c, g, &l->layer[i], u, &h, (fc_shown){"attention", l->first_shown + i});
  return project(c, l->head, g->individual, u, z->dim[2], g->head_dropout);
}

static fc_tensor *backbone_apply(fc_ctx *c, const model *m, const backbone *l, fc_tensor *x) {
  const config  *g = &m->cfg;
  fc_window_norm window;

  if (!g->revin) return forecast(c, m, l, x);
  x = fc_window_normalise(c, g->subtract_last ? FC_WINDOW_LAST : FC_WINDOW_DETACHED, x, &window);
  if (g->affine) x = fc_window_affine_apply(c, &l->affine, x);
  fc_tensor *y = forecast(c, m, l, x);
  if (g->affine) y = fc_window_affine_undo(c, &l->affine, y);
  return fc_window_restore(c, y, &window);
}

/* x (B, L, N) -> (B, P, N) */
static fc_tensor *apply_official(fc_ctx *c, const model *m, fc_tensor *x) {
  const int64_t k = m->cfg.kernel_size;

  if (m->parts == 1) return backbone_apply(c, m, &m->part[0], x);
  fc_tensor *trend = fc_moving_average(c, x, k, (k - 1) / 2);
  fc_tensor *y     = backbone_apply(c, m, &m->part[0], fc_sub(c, x, trend));
  return fc_add(c, y, backbone_apply(c, m, &m->part[1], trend));
}

/* ---- the library's network ---- */

static fc_tensor *apply_library(fc_ctx *c, const model *m, fc_tensor *x) {
  const config  *g = &m->cfg;
  const library *l = &m->lib;
  const int64_t  N = x->dim[2];
  fc_window_norm window;

  x            = fc_window_normalise(c, FC_WINDOW_DEVIATION_FLOWS, x, &window);
  fc_tensor *u = fc_patches_1d(c, x, g->patch_len, g->stride, m->patches);
  u            = fc_add_places(c, fc_linear_apply(c, &l->patch, u, FC_ACT_NONE), l->places);
  u            = fc_dropout(c, u, g->dropout);
  for (int i = 0; i < g->e_layers; i++)
    u = fc_encoder_layer_apply(c, &l->layer[i], &l->use, u, (fc_shown){"attention", i});
  u = project(c, &l->head, false, fc_batch_norm_apply(c, &l->norm, u), N, g->dropout);
  return fc_window_restore(c, u, &window);
}

/* ---- what others see ---- */

static const char *input_name(const model *m) { return m->cfg.variant == TSLIB ? "x_enc" : "x"; }

static fc_tensor *apply(fc_ctx *c, const void *self, const fc_batch *b) {
  const model *m = self;
  fc_tensor   *x = fc_batch_get(b, input_name(m));

  return m->cfg.variant == TSLIB ? apply_library(c, m, x) : apply_official(c, m, x);
}

/* 0: the weights do not depend on the number of variates */
static int64_t variates(const config *g) {
  return g->variant == OFFICIAL && (g->individual || (g->revin && g->affine)) ? g->enc_in : 0;
}

static fc_status check(const void *self, const fc_batch *b) {
  const model  *m = self;
  const int64_t N = variates(&m->cfg);
  fc_tensor    *x;

  return fc_batch_need(b, input_name(m), FC_DIMS(-1, m->cfg.seq_len, N ? N : -1), &x);
}

static fc_status series(const void *self, fc_series_wants *out) {
  const config *g = &((const model *)self)->cfg;

  *out = (fc_series_wants){.lookback = g->seq_len, .horizon = g->pred_len, .variates = variates(g)};
  return FC_OK;
}

static void series_pack(fc_ctx *c, const void *self, const fc_batch *standard, fc_batch *out) {
  (void)c;
  fc_batch_put(out, input_name(self), fc_batch_get(standard, "x_enc"));
}

const fc_model_def fc_model_patchtst = {
    .name        = "patchtst",
    .task        = "forecaster",
    .summary     = "attention across patches of each variate's history",
    .paper       = "Nie, Nguyen, Sinthong, Kalagnanam, ICLR 2023, arXiv 2211.14730",
    .options     = options,
    .config_size = sizeof(config),
    .self_size   = sizeof(model),
    .init        = init,
    .check       = check,
    .apply       = apply,
    .series      = series,
    .series_pack = series_pack,
};
