/* forecast/itransformer.c - iTransformer: variates are tokens, attention goes across them. Liu et al., ICLR
   2024, arXiv 2310.06625; weights of the official code (thuml/iTransformer) or of thuml's library, which
   differ in the name of the last map.

     z = (x - mean) / std over the lookback;   h_n = W_e z_n + b_e for each variate and each calendar mark;
     encoder layers over these tokens; LayerNorm;   y_n = (W_p h_n + b_p) std + mean

   The weights do not depend on the number of variates. Letters: B windows, L lookback, P horizon, N variates,
   M marks, D width. */
#include "core/model.h"
#include "core/nn/series.h"

#include <stdio.h>
#include <string.h>

enum { MAX_LAYERS = 32 };
typedef enum { OFFICIAL, TSLIB } variant_name;

typedef struct {
  int     variant, activation;
  int64_t seq_len, pred_len, d_model, n_heads, e_layers, d_ff;
  double  dropout;
  char    freq[FC_TEXT];
  bool    use_norm, marks;
} config;

static const fc_option options[] = {
    FC_OPT_CHOICE(config, variant, "official|tslib", "official", "whose names the weights carry"),
    FC_OPT_INT(config, seq_len, "96", 1, 1 << 20, "lookback L, steps"),
    FC_OPT_INT(config, pred_len, "96", 1, 1 << 20, "horizon P, steps"),
    FC_OPT_INT(config, d_model, "512", 1, 65536, "width D"),
    FC_OPT_INT(config, n_heads, "8", 1, 1024, "attention heads"),
    FC_OPT_INT(config, e_layers, "2", 1, MAX_LAYERS, "encoder layers"),
    FC_OPT_INT(config, d_ff, "512", 1, 1 << 20, "hidden width of the two-layer maps"),
    FC_OPT_CHOICE(config, activation, FC_ENCODER_ACTS, "gelu", "between these two"),
    FC_OPT_REAL(config, dropout, "0.1", 0, 0.999, "dropout in training"),
    FC_OPT_TEXT(config, freq, "h", "step of the calendar marks: s, t, h, d, b, w, m"),
    FC_OPT_BOOL(config, use_norm, "true", "normalise each window by itself (the library always does)"),
    FC_OPT_BOOL(config, marks, "true", "calendar marks as tokens beside the variates, when trained here"),
    FC_OPT_IGNORED("class_strategy", "of the official command line, without effect"),
    FC_OPT_LIBRARY,
    FC_OPT_END,
};

typedef struct {
  config           cfg;
  fc_linear        embed, project;
  fc_encoder_layer layer[MAX_LAYERS];
  fc_norm          norm;
  fc_encoder_use   use;
} model;

static fc_status init(void *self, fc_params *p, const void *cfg) {
  model        *m = self;
  const config *g = &m->cfg;
  char          name[64];

  memset(m, 0, sizeof *m);
  m->cfg = *(const config *)cfg;
  FC_REQUIRE(g->d_model % g->n_heads == 0, FC_E_USAGE,
             "itransformer: d_model %lld is no multiple of n_heads %lld", (long long)g->d_model,
             (long long)g->n_heads);
  FC_REQUIRE(!g->marks || fc_marks_of(FC_EMBED_TIMEF, g->freq), FC_E_USAGE,
             "itransformer: freq '%s' is none of s, t, h, d, b, w, m, q", g->freq);
  m->use = (fc_encoder_use){g->n_heads, fc_encoder_act(g->activation), g->dropout};
  fc_linear_init(&m->embed, p, "enc_embedding.value_embedding", g->seq_len, g->d_model, true);
  for (int64_t i = 0; i < g->e_layers; i++) {
    snprintf(name, sizeof name, "encoder.attn_layers.%d", (int)i);
    fc_encoder_layer_init(&m->layer[i], p, name, g->d_model, g->d_ff);
  }
  fc_norm_init(&m->norm, p, "encoder.norm", g->d_model, 1e-5);
  fc_linear_init(&m->project, p, g->variant == OFFICIAL ? "projector" : "projection", g->d_model, g->pred_len,
                 true);
  return FC_OK;
}

static fc_tensor *turned(fc_ctx *c, fc_tensor *x) { return fc_permute(c, x, (int[]){0, 2, 1}); }

static bool normalises(const config *g) { return g->use_norm || g->variant == TSLIB; }

/* x_enc (B, L, N), x_mark_enc (B, L, M) or absent -> (B, P, N) */
static fc_tensor *apply(fc_ctx *c, const void *self, const fc_batch *b) {
  const model   *m = self;
  fc_tensor     *x = turned(c, fc_batch_get(b, "x_enc")), *marks = fc_batch_get(b, "x_mark_enc"), *h;
  const int64_t  N   = x->dim[1];
  fc_encoder_use use = m->use;
  fc_window_norm window;

  if (normalises(&m->cfg)) x = fc_rows_normalise(c, FC_WINDOW_DEVIATION_FLOWS, NULL, x, &window);
  if (marks) x = fc_concat(c, 1, FC_IN(x, turned(c, marks))); /* [B, N + M, L] */
  h = fc_dropout(c, fc_linear_apply(c, &m->embed, x, FC_ACT_NONE), m->cfg.dropout);
  for (int i = 0; i < m->cfg.e_layers; i++) {
    if (i == m->cfg.e_layers - 1) use.first = N; /* marks have said what they had to say */
    h = fc_encoder_layer_apply(c, &m->layer[i], &use, h, (fc_shown){"attention", i});
  }
  h = fc_layer_norm_apply(c, &m->norm, h);
  h = fc_linear_apply(c, &m->project, h, FC_ACT_NONE);
  return turned(c, normalises(&m->cfg) ? fc_rows_restore(c, NULL, h, &window) : h);
}

static fc_status check(const void *self, const fc_batch *b) {
  const config *g = &((const model *)self)->cfg;
  fc_tensor    *x, *marks;

  FC_TRY(fc_batch_need(b, "x_enc", FC_DIMS(-1, g->seq_len, -1), &x));
  if (!fc_batch_get(b, "x_mark_enc")) return FC_OK;
  return fc_batch_need(b, "x_mark_enc", FC_DIMS(x->dim[0], g->seq_len, -1), &marks);
}

static fc_status series(const void *self, fc_series_wants *out) {
  const config *g = &((const model *)self)->cfg;

  *out = (fc_series_wants){
      .lookback = g->seq_len, .horizon = g->pred_len, .marks = g->marks ? FC_MARKS_SCALED : FC_MARKS_NONE};
  snprintf(out->freq, sizeof out->freq, "%.7s", g->freq);
  return FC_OK;
}

const fc_model_def fc_model_itransformer = {
    .name        = "itransformer",
    .task        = "forecaster",
    .summary     = "attention across variates, each of them one token",
    .paper       = "Liu, Hu, Zhang, Wu, Wang, Ma, Long, ICLR 2024, arXiv 2310.06625",
    .options     = options,
    .config_size = sizeof(config),
    .self_size   = sizeof(model),
    .init        = init,
    .check       = check,
    .apply       = apply,
    .series      = series,
};
