/* forecast/etsformer.c - ETSformer: a forecast as the sum of a level, a damped growth and seasons, which
   layers take out of the series one after the other. Woo, Liu, Sahoo, Kumar, Hoi, 2022, arXiv 2202.01381;
   weights of the authors' code (official) or of thuml's library (tslib), which differ in the embedding.

     r = conv of three steps of x (official: the newest three; tslib: around, + places + marks);   l = x
     layer   S = the K strongest waves of r, continued to T + P steps;   r <- r - S
             G = W_o (v0, s_0 .. s_{T-1}) + b_o, s the smoothed differences of v = W_i r + b_i, v_{-1} = z0
             r <- LN1(r - G_1..);   r <- LN2(r + W_2 act(W_1 r))
             l <- smoothed (l - W_s S - b_s) + (W_g G_t + b_g) a^(T-t)
     y_j = l_{T-1} + W sum D_j G_T + b + W sum S_{T+j} + b, sums over layers, D_j = phi + .. + phi^j of each
   head

   Kept as the codes have it: G_t a^(T-t) stands by itself where the paper has a sum over earlier steps, the
   decoder's bias counts twice, and what the last layer does to r is read by nobody (skipped here).
   The official recipe trains the weights called _smoothing_weight and _damping_factor at a learning rate of
   their own; in training x is scaled, shifted and made noisy by random numbers of deviation `std`.
   Letters: B windows, T lookback, P horizon, N variates, D width, H heads. */
#include "core/model.h"
#include "core/nn/series.h"
#include "core/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_LAYERS = 32 };
typedef enum { OFFICIAL, TSLIB } variant_name;

typedef struct {
  int     variant, activation, embed;
  int64_t seq_len, pred_len, enc_in, c_out, d_model, n_heads, e_layers, d_layers, d_ff, K, top_k;
  double  dropout, std;
  char    freq[FC_TEXT];
  bool    marks;
} config;

/* in the order of the option's choices, behind auto */
static const fc_act acts[] = {FC_ACT_SIGMOID, FC_ACT_GELU, FC_ACT_RELU,    FC_ACT_TANH,
                              FC_ACT_SILU,    FC_ACT_ELU,  FC_ACT_SOFTPLUS};

static const fc_option options[] = {
    FC_OPT_CHOICE(config, variant, "official|tslib", "official", "whose embedding and weights"),
    FC_OPT_INT(config, seq_len, "96", 1, 1 << 20, "lookback T, steps"),
    FC_OPT_INT(config, pred_len, "96", 1, 1 << 20, "horizon P, steps"),
    FC_OPT_INT(config, enc_in, "7", 1, 1 << 20, "variates N"),
    FC_OPT_INT(config, c_out, "0", 0, 1 << 20, "variates of the forecast, as many; 0: that many"),
    FC_OPT_INT(config, d_model, "512", 1, 65536, "width D"),
    FC_OPT_INT(config, n_heads, "8", 1, 1024, "heads, each with a smoothing and a damping of its own"),
    FC_OPT_INT(config, e_layers, "2", 1, MAX_LAYERS, "layers"),
    FC_OPT_INT(config, d_layers, "0", 0, MAX_LAYERS, "decoder layers, as many; 0: that many"),
    FC_OPT_INT(config, d_ff, "2048", 1, 1 << 20, "hidden width of the two-layer maps"),
    FC_OPT_INT(config, K, "3", 0, 1 << 20, "waves in the season of each layer (official); 0: no season"),
    FC_OPT_INT(config, top_k, "5", 0, 1 << 20, "the same (tslib)"),
    FC_OPT_CHOICE(config, activation, "auto|sigmoid|gelu|relu|tanh|silu|elu|softplus", "auto",
                  "between the two maps; auto: sigmoid, in tslib gelu"),
    FC_OPT_REAL(config, dropout, "0.2", 0, 0.999, "dropout in training"),
    FC_OPT_REAL(config, std, "0.2", 0, 1e6, "deviation of the input's scale, shift and noise in training"),
    FC_OPT_CHOICE(config, embed, FC_EMBED_CHOICES, "timeF", "tslib: a map of scaled marks, or tables"),
    FC_OPT_TEXT(config, freq, "h", "tslib: step of the calendar marks: s, t, h, d, b, w, m"),
    FC_OPT_BOOL(config, marks, "true", "tslib: calendar marks, when trained here"),
    FC_OPT_LIBRARY,
    FC_OPT_END,
};

typedef struct {
  fc_tensor *weight, *start; /* [groups, 1], [1, 1, groups, channels] */
} smoother;

typedef struct {
  fc_tensor *z0, *damping; /* [H, D/H], [1, H] */
  fc_linear  in_proj, out_proj, growth_pred, season_pred, linear1, linear2;
  smoother   growth, level;
  fc_norm    norm1, norm2;
} layer;

typedef struct {
  config            cfg;
  int64_t           waves;
  fc_encoder_use    use;
  fc_tensor        *conv;  /* official */
  fc_data_embedding embed; /* tslib */
  layer             layer[MAX_LAYERS];
  fc_linear         pred;
} model;

static bool library(const model *m) { return m->cfg.variant == TSLIB; }

/* ---- weights ---- */

static void init_smoother(smoother *s, fc_params *p, int64_t groups, int64_t channels) {
  fc_params_push(p, "es");
  s->weight = fc_param(p, "_smoothing_weight", fc_init_normal(1), FC_DIMS(groups, 1));
  s->start  = fc_param(p, "v0", fc_init_normal(1), FC_DIMS(1, 1, groups, channels));
  fc_params_pop(p);
}

static void init_growth(layer *l, fc_params *p, const config *g) {
  const int64_t D = g->d_model, H = g->n_heads;

  fc_params_push(p, "growth_layer");
  l->z0 = fc_param(p, "z0", fc_init_normal(1), FC_DIMS(H, D / H));
  fc_linear_init(&l->in_proj, p, "in_proj", D, D, true);
  init_smoother(&l->growth, p, H, D / H);
  fc_linear_init(&l->out_proj, p, "out_proj", D, D, true);
  fc_params_pop(p);
}

/* without waves nobody needs to know how they are weighted */
static void init_level(layer *l, fc_params *p, const model *m) {
  const int64_t D = m->cfg.d_model, N = m->cfg.enc_in;

  fc_params_push(p, "level_layer");
  init_smoother(&l->level, p, N, 1);
  fc_linear_init(&l->growth_pred, p, "growth_pred", D, N, true);
  fc_params_push(p, "season_pred");
  fc_params_unread(p, m->waves == 0);
  l->season_pred.weight = fc_param(p, "weight", fc_init_fan_in(D), FC_DIMS(N, D));
  fc_params_unread(p, false);
  l->season_pred.bias = fc_param(p, "bias", fc_init_fan_in(D), FC_DIMS(N));
  fc_params_pop(p);
  fc_params_pop(p);
}

static void init_layer(layer *l, fc_params *p, const model *m, int64_t number) {
  const config *g = &m->cfg;

  fc_params_push(p, "encoder.layers.%d", (int)number);
  init_growth(l, p, g);
  init_level(l, p, m);
  fc_params_unread(p, number == g->e_layers - 1);
  fc_linear_init(&l->linear1, p, "ff.linear1", g->d_model, g->d_ff, false);
  fc_linear_init(&l->linear2, p, "ff.linear2", g->d_ff, g->d_model, false);
  fc_norm_init(&l->norm1, p, "norm1", g->d_model, 1e-5);
  fc_norm_init(&l->norm2, p, "norm2", g->d_model, 1e-5);
  fc_params_unread(p, false);
  fc_params_pop(p);
}

static fc_status init_embedding(model *m, fc_params *p) {
  const config *g = &m->cfg;

  if (library(m))
    return fc_data_embedding_init(&m->embed, p, "enc_embedding", g->enc_in, (fc_embed_kind)g->embed, g->freq,
                                  g->d_model, false);
  m->conv = fc_param(p, "enc_embedding.conv.weight", fc_init_normal(sqrt(2 / (3 * (double)g->enc_in))),
                     FC_DIMS(g->d_model, g->enc_in, 3));
  return FC_OK;
}

static fc_status check_sizes(const model *m) {
  const config *g = &m->cfg;

  FC_REQUIRE(g->d_model % g->n_heads == 0, FC_E_USAGE,
             "etsformer: d_model %lld is no multiple of n_heads %lld", (long long)g->d_model,
             (long long)g->n_heads);
  FC_REQUIRE(!g->d_layers || g->d_layers == g->e_layers, FC_E_USAGE,
             "etsformer: d_layers is %lld and e_layers %lld; each layer has one decoder layer",
             (long long)g->d_layers, (long long)g->e_layers);
  FC_REQUIRE(
      !g->c_out || g->c_out == g->enc_in, FC_E_USAGE,
      "etsformer: c_out is %lld and enc_in %lld; the forecast begins with the level of the input, so both "
      "must be equal",
      (long long)g->c_out, (long long)g->enc_in);
  FC_REQUIRE(m->waves <= (g->seq_len - 1) / 2, FC_E_USAGE,
             "etsformer: %s is %lld, but a lookback of %lld steps has only %lld waves; lower it or lengthen "
             "seq_len",
             library(m) ? "top_k" : "K", (long long)m->waves, (long long)g->seq_len,
             (long long)(g->seq_len - 1) / 2);
  FC_REQUIRE(!library(m) || g->seq_len <= FC_PLACES, FC_E_USAGE,
             "etsformer: seq_len is %lld, but the library's table has %d places", (long long)g->seq_len,
             FC_PLACES);
  return FC_OK;
}

static fc_status init(void *self, fc_params *p, const void *cfg) {
  model        *m = self;
  const config *g = &m->cfg;

  memset(m, 0, sizeof *m);
  m->cfg   = *(const config *)cfg;
  m->waves = library(m) ? g->top_k : g->K;
  FC_TRY(check_sizes(m));
  m->use = (fc_encoder_use){g->n_heads, acts[g->activation ? g->activation - 1 : library(m)], g->dropout};
  FC_TRY(init_embedding(m, p));
  for (int64_t i = 0; i < g->e_layers; i++) init_layer(&m->layer[i], p, m, i);
  for (int64_t i = 0; i < g->e_layers; i++) {
    fc_params_push(p, "decoder.layers.%d.growth_damping", (int)i);
    m->layer[i].damping = fc_param(p, "_damping_factor", fc_init_normal(1), FC_DIMS(1, g->n_heads));
    fc_params_pop(p);
  }
  fc_linear_init(&m->pred, p, "decoder.pred", g->d_model, g->enc_in, true);
  return FC_OK;
}

/* ---- the input ---- */

/* normal numbers of this step, apart from those of its other random operations */
static fc_tensor *normals(fc_ctx *c, double mean, double std, int ndim, const int64_t *dim) {
  fc_tensor   *y = fc_tensor_new(c->arena, ndim, dim);
  const fc_rng r = {c->seed, c->step, FC_RNG_DROPOUT};

  if (!c->dry) fc_rng_normals(&r, (uint64_t)c->draws << 40, fc_len(y), y->x);
  c->draws++;
  return fc_affine(c, y, std, mean);
}

/* scale and shift of a variate are those of all windows of the batch, noise is of each number */
static fc_tensor *augment(fc_ctx *c, fc_tensor *x, double std) {
  const int64_t N = fc_last(x);

  x = fc_mul(c, x, normals(c, 1, std, FC_DIMS(N)));
  x = fc_add(c, x, normals(c, 0, std, FC_DIMS(N)));
  return fc_add(c, x, normals(c, 0, std, x->ndim, x->dim));
}

/* [B, T, N] -> [B, T, D] */
static fc_tensor *embed(fc_ctx *c, const model *m, fc_tensor *x, fc_tensor *marks) {
  const double dropout = m->cfg.dropout;

  if (library(m)) return fc_data_embedding_apply(c, &m->embed, x, marks, dropout);
  x = fc_conv(c, fc_pad(c, x, 1, 2, 0), m->conv, NULL, (fc_conv_spec){.stride = 1, .groups = 1});
  return fc_dropout(c, x, dropout);
}

/* ---- one layer ---- */

typedef struct {
  fc_tensor *rest, *level;    /* [B, T, D], [B, T, N] */
  fc_tensor *growth, *season; /* [B, T + 1, D], [B, T + P, D] */
} state;

static fc_tensor *growth_of(fc_ctx *c, const layer *l, fc_tensor *r, double dropout) {
  fc_tensor *v = fc_linear_apply(c, &l->in_proj, r, FC_ACT_NONE);

  v = fc_dropout(c, fc_differences(c, v, l->z0), dropout);
  v = fc_smoothing(c, v, l->growth.weight, l->growth.start, true);
  return fc_dropout(c, fc_linear_apply(c, &l->out_proj, v, FC_ACT_NONE), dropout);
}

/* season [B, T, D]: the part of the past */
static fc_tensor *level_of(fc_ctx *c, const layer *l, const state *s, fc_tensor *season, double dropout) {
  const int64_t T = season->dim[1];
  fc_tensor    *q = fc_linear_apply(c, &l->season_pred, season, FC_ACT_NONE);
  fc_tensor    *g = fc_slice(c, fc_linear_apply(c, &l->growth_pred, s->growth, FC_ACT_NONE), 1, 0, T);
  fc_tensor    *y = fc_dropout(c, fc_sub(c, s->level, q), dropout);

  y = fc_smoothing(c, y, l->level.weight, l->level.start, false);
  g = fc_mul(c, fc_dropout(c, g, dropout), fc_powers(c, FC_POWERS_FALLING, l->level.weight, T));
  return fc_add_in_place(c, g, y);
}

static void show(const fc_ctx *c, const state *s, int number) {
  fc_observe(c, (fc_shown){"level", number}, s->level);
  fc_observe(c, (fc_shown){"growth", number}, s->growth);
  fc_observe(c, (fc_shown){"season", number}, s->season);
}

static void run_layer(fc_ctx *c, const model *m, int number, state *s) {
  const layer  *l = &m->layer[number];
  const int64_t T = s->rest->dim[1];
  const double  p = m->cfg.dropout;

  s->season         = fc_dropout(c, fc_fourier_season(c, s->rest, m->waves, 1, m->cfg.pred_len), p);
  fc_tensor *season = fc_slice(c, s->season, 1, 0, T);
  fc_tensor *r      = fc_sub(c, s->rest, season);
  s->growth         = growth_of(c, l, r, p);
  s->level          = level_of(c, l, s, season, p);
  show(c, s, number);
  if (number == m->cfg.e_layers - 1) return;
  r       = fc_layer_norm_apply(c, &l->norm1, fc_sub(c, r, fc_slice(c, s->growth, 1, 1, T)));
  s->rest = fc_feed_forward(c, &l->linear1, &l->linear2, &l->norm2, &m->use, r);
}

/* ---- the future ---- */

/* the last growth of a layer, damped for each head: [B, P, D] */
static fc_tensor *growth_ahead(fc_ctx *c, const model *m, const layer *l, fc_tensor *growth) {
  const int64_t P = m->cfg.pred_len, H = m->cfg.n_heads, D = m->cfg.d_model;
  fc_tensor    *last = fc_expand(c, fc_slice(c, growth, 1, growth->dim[1] - 1, 1), 1, P);
  fc_tensor    *sums = fc_reshape(c, fc_powers(c, FC_POWERS_SUMS, l->damping, P), FC_DIMS(P, H, 1));

  sums = fc_reshape(c, fc_expand(c, sums, 2, D / H), FC_DIMS(P, D));
  last = fc_mul(c, fc_dropout(c, last, m->cfg.dropout), sums);
  return fc_dropout(c, last, m->cfg.dropout);
}

static fc_tensor *onto(fc_ctx *c, fc_tensor *sum, fc_tensor *x) { return sum ? fc_add(c, sum, x) : x; }

/* x_enc (B, T, N), in tslib x_mark_enc (B, T, M) or absent -> (B, P, N) */
static fc_tensor *apply(fc_ctx *c, const void *self, const fc_batch *b) {
  const model  *m = self;
  const int64_t T = m->cfg.seq_len, P = m->cfg.pred_len;
  fc_tensor    *x = fc_batch_get(b, "x_enc"), *growth = NULL, *season = NULL;

  if (c->training && m->cfg.std > 0) x = augment(c, x, m->cfg.std);
  state s = {.rest = embed(c, m, x, fc_batch_get(b, "x_mark_enc")), .level = x};
  for (int i = 0; i < m->cfg.e_layers; i++) {
    run_layer(c, m, i, &s);
    growth = onto(c, growth, growth_ahead(c, m, &m->layer[i], s.growth));
    season = onto(c, season, fc_slice(c, s.season, 1, T, P));
  }
  growth = fc_linear_apply(c, &m->pred, growth, FC_ACT_NONE);
  season = fc_linear_apply(c, &m->pred, season, FC_ACT_NONE);
  fc_observe(c, (fc_shown){"growth_ahead", 0}, growth);
  fc_observe(c, (fc_shown){"season_ahead", 0}, season);
  return fc_add(c, fc_add(c, fc_expand(c, fc_slice(c, s.level, 1, T - 1, 1), 1, P), growth), season);
}

static fc_status check(const void *self, const fc_batch *b) {
  const model *m = self;
  fc_tensor   *x, *marks;

  FC_TRY(fc_batch_need(b, "x_enc", FC_DIMS(-1, m->cfg.seq_len, m->cfg.enc_in), &x));
  if (!library(m) || !fc_batch_get(b, "x_mark_enc")) return FC_OK;
  FC_TRY(fc_batch_need(b, "x_mark_enc", FC_DIMS(x->dim[0], m->cfg.seq_len, -1), &marks));
  return fc_mark_embedding_check(&m->embed.marks, marks, "x_mark_enc");
}

static fc_status series(const void *self, fc_series_wants *out) {
  const model  *m = self;
  const config *g = &m->cfg;

  *out = (fc_series_wants){.lookback = g->seq_len, .horizon = g->pred_len, .variates = g->enc_in};
  if (!library(m) || !g->marks) return FC_OK;
  out->marks = g->embed == FC_EMBED_TIMEF ? FC_MARKS_SCALED : FC_MARKS_WHOLE;
  snprintf(out->freq, sizeof out->freq, "%.7s", g->freq);
  return FC_OK;
}

const fc_model_def fc_model_etsformer = {
    .name        = "etsformer",
    .task        = "forecaster",
    .summary     = "level, damped growth and seasons by exponential smoothing and strong waves",
    .paper       = "Woo, Liu, Sahoo, Kumar, Hoi, 2022, arXiv 2202.01381",
    .options     = options,
    .config_size = sizeof(config),
    .self_size   = sizeof(model),
    .init        = init,
    .check       = check,
    .apply       = apply,
    .series      = series,
};
