/* forecast/tft.c - Temporal Fusion Transformer: Lim, Arik, Loeff, Pfister, International Journal of
   Forecasting 37 (2021) 1748, arXiv 1912.09363. Variant pytorch_forecasting: the whole model, with static,
   known and observed columns, numbers and classes, ragged windows and quantiles. Variant tslib: the point
   forecaster of thuml's library, whose known inputs are calendar marks.

     each variable has an embedding v_i;   f = selection(static), four GRNs of f: contexts c_s, c_h, c_c, c_e
     x = selection(variables of history; c_s) and of future;   LSTM over both, started from (c_h, c_c)
     t = LN(gate(LSTM) + x);   e = GRN(t; c_e);   a = LN(gate(attention of the future to all) + e)
     y = W LN(gate(GRN(a)) + t) + b

   Layers are in core/nn/gated.h and fusion.h, the variants in tft_columns.c and tft_library.c. Letters: B
   windows, L lookback, P horizon, T = L + P, D width, H heads. */
#include "forecast/tft.h"

#include <stdio.h>
#include <string.h>

static const fc_option options[] = {
    FC_OPT_CHOICE(tft_config, variant, "pytorch_forecasting|tslib", "pytorch_forecasting",
                  "which official code"),
    FC_OPT_REAL(tft_config, dropout, "0.1", 0, 0.999, "dropout in training"),
    FC_OPT_INT(tft_config, hidden_size, "16", 1, 65536, "pytorch_forecasting: width D"),
    FC_OPT_INT(tft_config, lstm_layers, "1", 1, FC_FUSION_LAYERS, "layers of the LSTMs"),
    FC_OPT_INT(tft_config, attention_head_size, "4", 1, FC_FUSION_HEADS, "attention heads H"),
    FC_OPT_INT(tft_config, hidden_continuous_size, "8", 1, 65536, "width of a number's embedding"),
    FC_OPT_TABLE(tft_config, hidden_continuous_sizes, "{}", 1, 65536,
                 "the same of single columns {name: width}"),
    FC_OPT_INT(tft_config, output_size, "0", 0, 1024, "outputs per step; 0: one for each quantile"),
    FC_OPT_INT(tft_config, max_encoder_length, "10", 1, 1 << 20, "lookback L, steps"),
    FC_OPT_INT(tft_config, max_prediction_length, "1", 1, 1 << 20, "horizon P, steps; when trained here"),
    FC_OPT_NAMES(tft_config, static_categoricals, "[]", "columns of classes that do not change with time"),
    FC_OPT_NAMES(tft_config, static_reals, "[]", "columns of numbers that do not change with time"),
    FC_OPT_NAMES(tft_config, time_varying_categoricals_encoder, "[]", "columns of classes over the lookback"),
    FC_OPT_NAMES(tft_config, time_varying_categoricals_decoder, "[]", "those of them that are known ahead"),
    FC_OPT_NAMES(tft_config, time_varying_reals_encoder, "[]", "columns of numbers over the lookback"),
    FC_OPT_NAMES(tft_config, time_varying_reals_decoder, "[]", "those of them that are known ahead"),
    FC_OPT_TEXT(tft_config, target, "",
                "column to forecast, empty: the last number over the lookback that is not known ahead"),
    FC_OPT_NAMES(tft_config, x_categoricals, "[]",
                 "order of the inputs' columns of classes; empty: as above"),
    FC_OPT_NAMES(tft_config, x_reals, "[]", "order of the inputs' columns of numbers; empty: as above"),
    FC_OPT_TABLE(tft_config, n_classes, "{}", 1, 1 << 30, "classes of each such column {name: n}"),
    FC_OPT_TABLE(tft_config, embedding_sizes, "{}", 1, 1 << 30,
                 "{name: [classes, width]} if not by rule from n_classes: 1.6 n^0.56, 100 at most"),
    FC_OPT_NAMES(tft_config, embedding_paddings, "[]",
                 "columns whose class 0 means missing: embedded as zeros"),
    FC_OPT_BOOL(tft_config, share_single_variable_networks, "false",
                "same networks for lookback and horizon"),
    FC_OPT_BOOL(tft_config, causal_attention, "true", "steps of the horizon see earlier ones alone"),
    FC_OPT_REALS(tft_config, quantiles, "[0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98]", 0, 1,
                 "quantiles forecast"),
    FC_OPT_INT(tft_config, seq_len, "96", 1, 1 << 20, "tslib: lookback L, steps"),
    FC_OPT_INT(tft_config, label_len, "48", 0, 1 << 20, "tslib: known steps in front of the decoder's marks"),
    FC_OPT_INT(tft_config, pred_len, "96", 1, 1 << 20, "tslib: horizon P, steps"),
    FC_OPT_INT(tft_config, enc_in, "7", 1, MAX_VARIATES, "tslib: variates N"),
    FC_OPT_INT(tft_config, c_out, "0", 0, MAX_VARIATES, "tslib: variates of the output, N; 0: as many"),
    FC_OPT_INT(tft_config, d_model, "512", 1, 65536, "tslib: width D"),
    FC_OPT_INT(tft_config, n_heads, "8", 1, FC_FUSION_HEADS, "tslib: attention heads H"),
    FC_OPT_CHOICE(tft_config, embed, FC_EMBED_CHOICES, "timeF",
                  "tslib: calendar marks scaled, or as classes"),
    FC_OPT_TEXT(tft_config, freq, "h", "tslib: step of the calendar marks: s, t, h, d, b, w, m"),
    {"static", FC_T_INTS, offsetof(tft_config, statics), "[]", "tslib: numbers of static variates", 0,
     MAX_VARIATES - 1, NULL},
    FC_OPT_INTS(tft_config, observed, "[]", 0, MAX_VARIATES - 1,
                "tslib: of observed ones; empty: all the others"),
    FC_OPT_IGNORED("embedding_labels", "names of classes, of pytorch-forecasting"),
    FC_OPT_IGNORED("learning_rate", "of pytorch-forecasting; see train"),
    FC_OPT_IGNORED("reduce_on_plateau_patience", "of pytorch-forecasting; see train"),
    FC_OPT_IGNORED("log_interval", "of pytorch-forecasting"),
    FC_OPT_IGNORED("log_val_interval", "of pytorch-forecasting"),
    FC_OPT_LIBRARY,
    FC_OPT_END,
};

fc_tensor *fc_tft_select(fc_ctx *c, const tft_model *m, const tft_selection *s, fc_tensor *const *v,
                         fc_tensor *context, const char *what) {
  const fc_variable *f[MAX_VARIABLES];
  const char        *name[MAX_VARIABLES];
  fc_shown           as = {what, 0, m->n_columns ? name : NULL}; /* tslib does not name its inputs */

  for (int i = 0; i < s->n; i++) f[i] = &m->pool[s->net[i]];
  for (int i = 0; i < s->n && m->n_columns; i++) name[i] = m->column[s->from[i]].name;
  return fc_select_variables(c, &s->joint, s->n, f, v, context, m->fusion.gate_dropout, as);
}

const fc_names *fc_tft_role(const tft_config *g, int i) {
  const fc_names *const list[ROLES] = {&g->static_categoricals,
                                       &g->static_reals,
                                       &g->time_varying_categoricals_encoder,
                                       &g->time_varying_reals_encoder,
                                       &g->time_varying_categoricals_decoder,
                                       &g->time_varying_reals_decoder};
  return list[i];
}

/* ---- as series ---- */

static fc_column_role role_of(const tft_config *g, const char *name, const char *target) {
  if (!strcmp(name, target)) return FC_COLUMN_TARGET;
  if (fc_names_find(fc_tft_role(g, 0), name) >= 0 || fc_names_find(fc_tft_role(g, 1), name) >= 0)
    return FC_COLUMN_STATIC;
  const bool known =
      fc_names_find(fc_tft_role(g, 4), name) >= 0 || fc_names_find(fc_tft_role(g, 5), name) >= 0;
  return known ? FC_COLUMN_KNOWN : FC_COLUMN_OBSERVED;
}

/* the column that is forecast, NULL if there is none */
static const char *target_of(const tft_config *g) {
  const fc_names *past = &g->time_varying_reals_encoder, *ahead = &g->time_varying_reals_decoder;
  const char     *found = NULL;

  for (int i = 0; i < past->n; i++) {
    const bool unknown = fc_names_find(ahead, past->v[i]) < 0;
    if (unknown && (!*g->target || !strcmp(g->target, past->v[i]))) found = past->v[i];
  }
  return found;
}

static fc_status series_forecasting(const tft_model *m, fc_series_wants *out) {
  const tft_config *g      = &m->cfg;
  const char       *target = target_of(g);

  FC_REQUIRE(
      target, FC_E_USAGE,
      "tft: no column to forecast; target must be in time_varying_reals_encoder, not in the decoder's list");
  FC_REQUIRE(!g->output_size || g->output_size == g->quantiles.n, FC_E_USAGE,
             "tft: output_size %lld for %d quantiles", (long long)g->output_size, g->quantiles.n);
  FC_REQUIRE(m->n_columns <= FC_COLUMNS, FC_E_USAGE, "tft: more than %d columns", FC_COLUMNS);
  *out = (fc_series_wants){.lookback    = g->max_encoder_length,
                           .horizon     = g->max_prediction_length,
                           .targets     = 1,
                           .n_quantiles = g->quantiles.n,
                           .n_columns   = m->n_columns};
  for (int i = 0; i < g->quantiles.n; i++) out->quantile[i] = g->quantiles.v[i];
  for (int i = 0; i < m->n_columns; i++) {
    const tft_column *k = &m->column[i];
    out->column[i]      = (fc_series_column){k->name, role_of(g, k->name, target), k->rows};
  }
  return FC_OK;
}

static fc_status series(const void *self, fc_series_wants *out) {
  const tft_model  *m = self;
  const tft_config *g = &m->cfg;

  if (g->variant == FORECASTING) return series_forecasting(m, out);
  *out = (fc_series_wants){.lookback = g->seq_len,
                           .label    = g->label_len,
                           .horizon  = g->pred_len,
                           .variates = g->enc_in,
                           .marks    = g->embed == FC_EMBED_TIMEF ? FC_MARKS_SCALED : FC_MARKS_WHOLE};
  snprintf(out->freq, sizeof out->freq, "%.7s", g->freq);
  return FC_OK;
}

static fc_tensor *length_column(fc_ctx *c, const fc_tensor *lengths, int i) {
  fc_tensor *t = fc_tensor_new(c->arena, FC_DIMS(lengths->dim[0]));

  for (int64_t b = 0; b < t->dim[0]; b++) t->x[b] = lengths->x[2 * b + i];
  return t;
}

static void put_parts(fc_ctx *c, const tft_model *m, fc_tensor *x, const char *past, const char *ahead,
                      fc_batch *out) {
  const int64_t L = m->cfg.max_encoder_length;

  fc_batch_put(out, past, fc_slice(c, x, 1, 0, L));
  fc_batch_put(out, ahead, fc_slice(c, x, 1, L, x->dim[1] - L));
}

static void series_pack(fc_ctx *c, const void *self, const fc_batch *standard, fc_batch *out) {
  const tft_model *m       = self;
  const fc_tensor *lengths = fc_batch_get(standard, "lengths");

  *out = *standard;
  if (m->cfg.variant == TSLIB) return;
  *out = (fc_batch){0};
  if (m->cfg.x_categoricals.n)
    put_parts(c, m, fc_batch_get(standard, "categories"), "encoder_cat", "decoder_cat", out);
  if (m->cfg.x_reals.n) put_parts(c, m, fc_batch_get(standard, "reals"), "encoder_cont", "decoder_cont", out);
  if (!lengths || c->dry) return; /* a plan is one of whole windows */
  fc_batch_put(out, "encoder_lengths", length_column(c, lengths, 0));
  fc_batch_put(out, "decoder_lengths", length_column(c, lengths, 1));
}

/* (B, L + P, N) -> [B, P, N]; (B, P, quantiles) -> [B, P, 1, quantiles] */
static fc_tensor *series_unpack(fc_ctx *c, const void *self, fc_tensor *y) {
  const tft_config *g = &((const tft_model *)self)->cfg;

  if (g->variant == TSLIB) return fc_slice(c, y, 1, g->seq_len, g->pred_len);
  return fc_reshape(c, y, FC_DIMS(y->dim[0], y->dim[1], 1, y->dim[2]));
}

/* ---- both ---- */

static fc_status init(void *self, fc_params *p, const void *cfg) {
  tft_model *m = self;

  memset(m, 0, sizeof *m);
  m->cfg = *(const tft_config *)cfg;
  return m->cfg.variant == TSLIB ? fc_tft_library_init(m, p) : fc_tft_columns_init(m, p);
}

static fc_tensor *apply(fc_ctx *c, const void *self, const fc_batch *b) {
  const tft_model *m = self;

  return m->cfg.variant == TSLIB ? fc_tft_library_apply(c, m, b) : fc_tft_columns_apply(c, m, b);
}

static fc_status check(const void *self, const fc_batch *b) {
  const tft_model *m = self;

  return m->cfg.variant == TSLIB ? fc_tft_library_check(m, b) : fc_tft_columns_check(m, b);
}

const fc_model_def fc_model_tft = {
    .name          = "tft",
    .task          = "forecaster",
    .summary       = "LSTM, gates and attention over static, known and observed columns; quantiles",
    .paper         = "Lim, Arik, Loeff, Pfister, Int. J. Forecasting 37 (2021) 1748, arXiv 1912.09363",
    .options       = options,
    .config_size   = sizeof(tft_config),
    .self_size     = sizeof(tft_model),
    .init          = init,
    .check         = check,
    .apply         = apply,
    .series        = series,
    .series_pack   = series_pack,
    .series_unpack = series_unpack,
};
