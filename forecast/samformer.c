/* forecast/samformer.c - SAMformer: one layer of attention across variates, one linear map, to be trained
   with sharpness-aware minimisation. Ilbert, Odonnat, Feofanov, Virmaux, Paolo, Palpanas, Redko, ICML 2024,
   arXiv 2402.10198; weights of the official code (romilbert/samformer, PyTorch).

     z = w (x - mean) / std + b for each variate over the lookback;
     A = softmax((W_q z + b_q) (W_k z + b_k)^T / sqrt(E));   o = W_f (z + A (W_v z + b_v)) + b_f;
     y = (o - b) / w std + mean

   Letters: B windows, L lookback, P horizon, N variates, E width of queries and keys. */
#include "core/model.h"
#include "core/nn/series.h"

#include <math.h>
#include <string.h>

typedef struct {
  int64_t num_channels, seq_len, hid_dim, pred_horizon;
  bool    use_revin, flatten_output;
} config;

static const fc_option options[] = {
    FC_OPT_INT(config, num_channels, "7", 1, 1 << 20, "variates N"),
    FC_OPT_INT(config, seq_len, "512", 1, 1 << 20, "lookback L, steps"),
    FC_OPT_INT(config, hid_dim, "16", 1, 65536, "width E of queries and keys"),
    FC_OPT_INT(config, pred_horizon, "96", 1, 1 << 20, "horizon P, steps"),
    FC_OPT_BOOL(config, use_revin, "true",
                "normalise each window by itself, with a scale and a shift of each variate"),
    FC_OPT_BOOL(config, flatten_output, "true", "the official output is one row per window, N P long"),
    FC_OPT_IGNORED("variant", "there is one"),
    FC_OPT_END,
};

typedef struct {
  config           cfg;
  fc_window_affine affine;
  fc_linear        query, key, value, forecaster;
} model;

static fc_status init(void *self, fc_params *p, const void *cfg) {
  model        *m = self;
  const config *g = &m->cfg;

  memset(m, 0, sizeof *m);
  m->cfg = *(const config *)cfg;
  fc_params_unread(p, !g->use_revin);
  fc_params_push(p, "revin");
  fc_window_affine_init(&m->affine, p, g->num_channels);
  fc_params_pop(p);
  fc_params_unread(p, false);
  fc_linear_init(&m->key, p, "compute_keys", g->seq_len, g->hid_dim, true);
  fc_linear_init(&m->query, p, "compute_queries", g->seq_len, g->hid_dim, true);
  fc_linear_init(&m->value, p, "compute_values", g->seq_len, g->seq_len, true);
  fc_linear_init(&m->forecaster, p, "linear_forecaster", g->seq_len, g->pred_horizon, true);
  return FC_OK;
}

static fc_tensor *turned(fc_ctx *c, fc_tensor *x) { return fc_permute(c, x, (int[]){0, 2, 1}); }

static double score_scale(const model *m) { return 1 / sqrt((double)m->cfg.hid_dim); }

/* Rows of A add up to one, so W_f A (W_v z + b_v) = A (W_f W_v z + W_f b_v): values of P numbers instead of
   L, and one product for all four maps. Worth it where W_f W_v costs less than what it saves. */
static bool maps_join(const model *m, const fc_tensor *z) {
  const int64_t L = m->cfg.seq_len, P = m->cfg.pred_horizon, rows = fc_rows(z);

  return P * (rows + L) < rows * L;
}

/* z [B, N, L] -> [B, N, P] */
static fc_tensor *forecast_joined(fc_ctx *c, const model *m, fc_tensor *z) {
  const fc_linear *q = &m->query, *k = &m->key, *v = &m->value, *f = &m->forecaster;
  const int64_t    L = m->cfg.seq_len, P = m->cfg.pred_horizon;
  fc_tensor       *W = fc_matmul(c, f->weight, false, v->weight, false, 1);
  fc_tensor       *b = fc_linear_op(c, fc_reshape(c, v->bias, FC_DIMS(1, L)), f->weight, NULL, FC_ACT_NONE);

  W = fc_concat(c, 0, FC_IN(q->weight, k->weight, f->weight, W));
  b = fc_concat(c, 0, FC_IN(q->bias, k->bias, f->bias, fc_reshape(c, b, FC_DIMS(P))));
  return fc_attention_onto(c, fc_linear_op(c, z, W, b, FC_ACT_NONE), m->cfg.hid_dim, score_scale(m));
}

/* z [B, N, L] -> [B, 1, N, ..], a single head */
static fc_tensor *mapped(fc_ctx *c, const fc_linear *l, fc_tensor *z) {
  fc_tensor *y = fc_linear_apply(c, l, z, FC_ACT_NONE);

  return fc_reshape(c, y, FC_DIMS(y->dim[0], 1, y->dim[1], y->dim[2]));
}

/* the same as it is written, with attention to be seen */
static fc_tensor *forecast_apart(fc_ctx *c, const model *m, fc_tensor *z) {
  fc_tensor *q = mapped(c, &m->query, z), *k = mapped(c, &m->key, z), *v = mapped(c, &m->value, z);
  fc_tensor *y = fc_attend(c, q, k, v, NULL, 0, (fc_shown){"attention", 0});

  y = fc_add(c, z, fc_reshape(c, y, z->ndim, z->dim));
  return fc_linear_apply(c, &m->forecaster, y, FC_ACT_NONE);
}

static fc_tensor *forecast(fc_ctx *c, const model *m, fc_tensor *z) {
  return maps_join(m, z) && !c->observer ? forecast_joined(c, m, z) : forecast_apart(c, m, z);
}

/* x (B, N, L) -> (B, N P), or (B, N, P) */
static fc_tensor *apply(fc_ctx *c, const void *self, const fc_batch *b) {
  const model   *m = self;
  const config  *g = &m->cfg;
  fc_tensor     *x = fc_batch_get(b, "x"), *y;
  fc_window_norm window;

  if (g->use_revin) {
    y = forecast(c, m, fc_rows_normalise(c, FC_WINDOW_DETACHED, &m->affine, x, &window));
    y = fc_rows_restore(c, &m->affine, y, &window);
  } else {
    y = forecast(c, m, x);
  }
  return g->flatten_output ? fc_reshape(c, y, FC_DIMS(y->dim[0], y->dim[1] * y->dim[2])) : y;
}

static fc_status check(const void *self, const fc_batch *b) {
  const config *g = &((const model *)self)->cfg;
  fc_tensor    *x;

  return fc_batch_need(b, "x", FC_DIMS(-1, g->num_channels, g->seq_len), &x);
}

static fc_status series(const void *self, fc_series_wants *out) {
  const config *g = &((const model *)self)->cfg;

  *out = (fc_series_wants){.lookback = g->seq_len, .horizon = g->pred_horizon, .variates = g->num_channels};
  return FC_OK;
}

static void series_pack(fc_ctx *c, const void *self, const fc_batch *standard, fc_batch *out) {
  (void)self;
  fc_batch_put(out, "x", turned(c, fc_batch_get(standard, "x_enc")));
}

static fc_tensor *series_unpack(fc_ctx *c, const void *self, fc_tensor *y) {
  const config *g = &((const model *)self)->cfg;

  return turned(c, fc_reshape(c, y, FC_DIMS(y->dim[0], g->num_channels, g->pred_horizon)));
}

const fc_model_def fc_model_samformer = {
    .name        = "samformer",
    .task        = "forecaster",
    .summary     = "one layer of attention across variates and one linear map, without normalisation layers",
    .paper       = "Ilbert, Odonnat, Feofanov, Virmaux, Paolo, Palpanas, Redko, ICML 2024, arXiv 2402.10198",
    .options     = options,
    .config_size = sizeof(config),
    .self_size   = sizeof(model),
    .init        = init,
    .check       = check,
    .apply       = apply,
    .series      = series,
    .series_pack = series_pack,
    .series_unpack = series_unpack,
};
