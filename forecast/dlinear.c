/* forecast/dlinear.c - DLinear: a trend and what is left of it, each by one linear map along time. Zeng,
   Chen, Zhang, Xu, AAAI 2023, arXiv 2205.13504; weights as in the library of thuml and in LTSF-Linear.

     trend = moving average over k steps, ends repeated;   y = W_s (x - trend) + b_s + W_t trend + b_t

   Both parts are linear in x, so the whole is one affine map L -> P; the split changes the way of training.
   Letters: B windows, L lookback, P horizon, N variates. */
#include "core/model.h"
#include "core/nn/series.h"

#include <stdio.h>
#include <string.h>

enum { MAX_VARIATES = 1024 };

typedef struct {
  int64_t seq_len, pred_len, enc_in, moving_avg;
  bool    individual;
} config;

static const fc_option options[] = {
    FC_OPT_INT(config, seq_len, "96", 1, 1 << 20, "lookback L, steps"),
    FC_OPT_INT(config, pred_len, "96", 1, 1 << 20, "horizon P, steps"),
    FC_OPT_INT(config, enc_in, "7", 1, MAX_VARIATES, "variates N; matters if individual"),
    FC_OPT_INT(config, moving_avg, "25", 1, 1 << 20, "steps k of the moving average, odd"),
    FC_OPT_BOOL(config, individual, "false", "one pair of maps for each variate instead of one for all"),
    FC_OPT_LIBRARY,
    FC_OPT_END,
};

typedef struct {
  config    cfg;
  int64_t   maps; /* 1, or N */
  fc_linear seasonal[MAX_VARIATES], trend[MAX_VARIATES];
} model;

/* the library starts from the mean of the lookback: all weights 1 / L */
static void init_map(fc_linear *l, fc_params *p, const config *g, const char *name, int64_t number) {
  char path[64];

  snprintf(path, sizeof path, g->individual ? "%s.%lld" : "%s", name, (long long)number);
  fc_params_push(p, "%s", path);
  l->weight =
      fc_param(p, "weight", fc_init_constant(1 / (double)g->seq_len), FC_DIMS(g->pred_len, g->seq_len));
  l->bias = fc_param(p, "bias", fc_init_fan_in(g->seq_len), FC_DIMS(g->pred_len));
  fc_params_pop(p);
}

static fc_status init(void *self, fc_params *p, const void *cfg) {
  model        *m = self;
  const config *g = &m->cfg;

  memset(m, 0, sizeof *m);
  m->cfg  = *(const config *)cfg;
  m->maps = g->individual ? g->enc_in : 1;
  FC_REQUIRE(g->moving_avg % 2 == 1, FC_E_USAGE,
             "dlinear: moving_avg is %lld; it must be odd, else the trend "
             "is a step longer than the series",
             (long long)g->moving_avg);
  for (int64_t i = 0; i < m->maps; i++) init_map(&m->seasonal[i], p, g, "Linear_Seasonal", i);
  for (int64_t i = 0; i < m->maps; i++) init_map(&m->trend[i], p, g, "Linear_Trend", i);
  return FC_OK;
}

/* both maps of one group of variates: season, trend [B, n, L] -> [B, n, P] */
static fc_tensor *maps(fc_ctx *c, const model *m, int64_t i, fc_tensor *season, fc_tensor *trend) {
  fc_tensor *y = fc_linear_apply(c, &m->seasonal[i], season, FC_ACT_NONE);

  return fc_linear_of(c, FC_ACT_NONE, trend, m->trend[i].weight, m->trend[i].bias, y);
}

/* x_enc (B, L, N) -> (B, P, N) */
static fc_tensor *apply(fc_ctx *c, const void *self, const fc_batch *b) {
  const model *m      = self;
  const int    swap[] = {0, 2, 1};
  fc_tensor   *x      = fc_batch_get(b, "x_enc"), *trend, *season, *y[MAX_VARIATES];

  trend  = fc_moving_average(c, x, m->cfg.moving_avg, (m->cfg.moving_avg - 1) / 2);
  season = fc_permute(c, fc_sub(c, x, trend), swap);
  trend  = fc_permute(c, trend, swap);
  if (!m->cfg.individual) return fc_permute(c, maps(c, m, 0, season, trend), swap);
  for (int64_t i = 0; i < m->maps; i++)
    y[i] = maps(c, m, i, fc_slice(c, season, 1, i, 1), fc_slice(c, trend, 1, i, 1));
  return fc_permute(c, fc_concat(c, 1, (int)m->maps, y), swap);
}

static fc_status check(const void *self, const fc_batch *b) {
  const config *g = &((const model *)self)->cfg;
  fc_tensor    *x;

  return fc_batch_need(b, "x_enc", FC_DIMS(-1, g->seq_len, g->individual ? g->enc_in : -1), &x);
}

static fc_status series(const void *self, fc_series_wants *out) {
  const config *g = &((const model *)self)->cfg;

  *out = (fc_series_wants){
      .lookback = g->seq_len, .horizon = g->pred_len, .variates = g->individual ? g->enc_in : 0};
  return FC_OK;
}

const fc_model_def fc_model_dlinear = {
    .name        = "dlinear",
    .task        = "forecaster",
    .summary     = "one linear map of the trend and one of the rest, along time",
    .paper       = "Zeng, Chen, Zhang, Xu, AAAI 2023, arXiv 2205.13504",
    .options     = options,
    .config_size = sizeof(config),
    .self_size   = sizeof(model),
    .init        = init,
    .check       = check,
    .apply       = apply,
    .series      = series,
};
