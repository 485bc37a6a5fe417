/* forecast/tft_library.c - the Temporal Fusion Transformer of thuml's library: a point forecaster. Variates
   are observed or static (read at the first step of the normalised window, where a constant is 0), calendar
   marks are known; the LSTM starts with the context for cells as h and that for states as c. */
#include "forecast/tft.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- weights ---- */

/* -infinity above the diagonal: a step sees itself and earlier ones */
static double later(const int64_t *dim, int64_t i) { return i % dim[1] > i / dim[1] ? -INFINITY : 0; }

/* unread: the context's map is there, but nobody uses it */
static void init_selection(tft_model *m, fc_params *p, tft_selection *s, const char *name, int n,
                           bool unread) {
  char one[32];

  fc_params_push(p, "%s", name);
  s->n = n;
  fc_grn_init(&s->joint, p, "joint_grn", m->D * n, m->D, n);
  fc_params_unread(p, unread);
  fc_grn_init_context(&s->joint, p, "joint_grn", m->D, m->D);
  fc_params_unread(p, false);
  for (int i = 0; i < n; i++) {
    snprintf(one, sizeof one, "variable_grns.%d", i);
    s->net[i] = m->pooled++;
    fc_grn_init(&m->pool[s->net[i]].grn, p, one, m->D, m->D, m->D);
  }
  fc_params_pop(p);
}

static fc_status init_variates(tft_model *m, fc_params *p, const char *name, int first, int n) {
  char one[64];

  for (int i = 0; i < n; i++) {
    snprintf(one, sizeof one, "%s.%d", name, i);
    FC_TRY(fc_data_embedding_init(&m->variate[first + i], p, one, 1, FC_EMBED_FIXED, "h", m->D, false));
  }
  return FC_OK;
}

static fc_status init_embedding(tft_model *m, fc_params *p) {
  const tft_config *g = &m->cfg;
  char              one[64];

  fc_params_push(p, "embedding");
  FC_TRY(init_variates(m, p, "static_embedding", m->past.n, m->fixed.n));
  FC_TRY(init_variates(m, p, "observed_embedding", 0, m->past.n));
  if (g->embed != FC_EMBED_TIMEF)
    FC_TRY(fc_mark_embedding_init(&m->tables, p, "known_embedding", (fc_embed_kind)g->embed, g->freq, m->D,
                                  false));
  for (int i = 0; g->embed == FC_EMBED_TIMEF && i < m->marks; i++) {
    snprintf(one, sizeof one, "known_embedding.embed.%d", i);
    fc_linear_init(&m->mark[i], p, one, 1, m->D, false);
  }
  fc_params_pop(p);
  return FC_OK;
}

/* which variates are static, which observed: numbers into `from`, and how many */
static fc_status take_variates(tft_model *m) {
  const tft_config *g                  = &m->cfg;
  bool              used[MAX_VARIATES] = {false};

  for (int i = 0; i < g->statics.n + g->observed.n; i++) {
    const bool     fixed = i < g->statics.n;
    const int64_t  v     = fixed ? g->statics.v[i] : g->observed.v[i - g->statics.n];
    tft_selection *s     = fixed ? &m->fixed : &m->past;
    FC_REQUIRE(v < g->enc_in && !used[v], FC_E_USAGE, "tft: %s names variate %lld, which %s",
               fixed ? "static" : "observed", (long long)v,
               v < g->enc_in ? "is there already" : "enc_in does not have; they count from 0");
    used[v]         = true;
    s->from[s->n++] = (int)v;
  }
  for (int v = 0; !g->observed.n && v < g->enc_in; v++)
    if (!used[v]) m->past.from[m->past.n++] = v;
  FC_REQUIRE(m->past.n, FC_E_USAGE, "tft: all variates are static; one must be observed");
  return FC_OK;
}

static void init_contexts(tft_model *m, fc_params *p) {
  char one[32];

  fc_params_push(p, "static_encoder");
  if (m->fixed.n) init_selection(m, p, &m->fixed, "static_vsn", m->fixed.n, true);
  fc_params_unread(p, !m->fixed.n);
  for (int i = 0; i < CONTEXTS; i++) {
    snprintf(one, sizeof one, "grns.%d", i);
    fc_grn_init(&m->context[i], p, one, m->D, m->D, m->D);
  }
  fc_params_unread(p, false);
  fc_params_pop(p);
}

static void init_fusion(tft_model *m, fc_params *p) {
  const int64_t D = m->D, T = m->cfg.seq_len + m->cfg.pred_len;
  fc_fusion    *l = &m->fusion;

  fc_params_push(p, "temporal_fusion_decoder");
  fc_lstm_init(&l->encoder[0], p, "history_encoder", 0, D, D);
  fc_lstm_init(&l->decoder[0], p, "future_encoder", 0, D, D);
  fc_gate_norm_init(&l->after_lstm, p, "gate_after_lstm", D, D);
  fc_grn_init(&l->enrich, p, "enrichment_grn", D, D, D);
  fc_params_unread(p, !m->fixed.n);
  fc_grn_init_context(&l->enrich, p, "enrichment_grn", D, D);
  fc_params_unread(p, false);
  m->mask = fc_param_of(p, FC_PARAM_FORMULA, "attention.mask", fc_init_formula(later), FC_DIMS(T, T));
  l->qkv  = fc_param(p, "attention.qkv_linears.weight", fc_init_fan_in(D), FC_DIMS((2 * l->H + 1) * l->E, D));
  fc_linear_init(&l->merge, p, "attention.out_projection", l->E, D, false);
  fc_gate_norm_init(&l->after_attention, p, "gate_after_attention", D, D);
  fc_grn_init(&l->position, p, "position_wise_grn", D, D, D);
  fc_gate_norm_init(&l->last, p, "gate_final", D, D);
  fc_linear_init(&l->output, p, "out_projection", D, m->cfg.enc_in, true);
  fc_params_pop(p);
}

fc_status fc_tft_library_init(tft_model *m, fc_params *p) {
  const tft_config *g = &m->cfg;

  m->D      = g->d_model;
  m->fusion = (fc_fusion){.H = g->n_heads, .E = g->d_model / g->n_heads, .layers = 1, .dropout = g->dropout};
  m->marks  = fc_marks_of((fc_embed_kind)g->embed, g->freq);
  FC_REQUIRE(m->D % g->n_heads == 0, FC_E_USAGE, "tft: d_model %lld is no multiple of n_heads %lld",
             (long long)m->D, (long long)g->n_heads);
  FC_REQUIRE(!g->c_out || g->c_out == g->enc_in, FC_E_USAGE,
             "tft: c_out %lld is not enc_in %lld; all variates are forecast", (long long)g->c_out,
             (long long)g->enc_in);
  FC_REQUIRE(m->marks, FC_E_USAGE, "tft: freq '%s' is none of s, t, h, d, b, w, m, q", g->freq);
  FC_TRY(take_variates(m));
  FC_TRY(init_embedding(m, p));
  init_contexts(m, p);
  init_selection(m, p, &m->past, "history_vsn", m->past.n + (int)m->marks, !m->fixed.n);
  init_selection(m, p, &m->ahead, "future_vsn", (int)m->marks, !m->fixed.n);
  init_fusion(m, p);
  return FC_OK;
}

/* ---- forward ---- */

static fc_tensor *embed_variate(fc_ctx *c, const tft_model *m, int i, fc_tensor *x, int variate) {
  return fc_data_embedding_apply(c, &m->variate[i], fc_slice(c, x, 2, variate, 1), NULL, m->cfg.dropout);
}

/* marks [B, steps, M] -> one embedding for each mark */
static void embed_marks(fc_ctx *c, const tft_model *m, fc_tensor *marks, fc_tensor **v) {
  for (int i = 0; i < m->marks; i++)
    v[i] = m->tables.tables ? fc_mark_embedding_row(c, &m->tables, marks, i)
                            : fc_linear_apply(c, &m->mark[i], fc_slice(c, marks, 2, i, 1), FC_ACT_NONE);
}

/* static variates at the first step -> the contexts; without any the network does without */
static void contexts_of(fc_ctx *c, const tft_model *m, fc_tensor *x, fc_tensor **out) {
  const int64_t B     = x->dim[0];
  const int     first = m->past.n - (int)m->marks;
  fc_tensor    *v[MAX_VARIATES], *start = fc_slice(c, x, 1, 0, 1);

  if (!m->fixed.n) return;
  for (int i = 0; i < m->fixed.n; i++)
    v[i] = fc_reshape(c, embed_variate(c, m, first + i, start, m->fixed.from[i]), FC_DIMS(B, m->D));
  fc_tensor *s = fc_tft_select(c, m, &m->fixed, v, NULL, "static_variables");
  for (int i = 0; i < CONTEXTS; i++) out[i] = fc_grn_apply(c, &m->context[i], s, NULL, 0);
}

/* x_enc (B, L, N), x_mark_enc (B, L, M), x_mark_dec (B, label + P, M) -> (B, L + P, N), zeros first */
fc_tensor *fc_tft_library_apply(fc_ctx *c, const tft_model *m, const fc_batch *b) {
  const int64_t  L = m->cfg.seq_len, P = m->cfg.pred_len;
  const int      observed = m->past.n - (int)m->marks;
  fc_tensor     *marks = fc_batch_get(b, "x_mark_dec"), *v[MAX_VARIABLES], *context[CONTEXTS] = {NULL};
  fc_window_norm window;
  fc_tensor     *x = fc_window_normalise(c, FC_WINDOW_DEVIATION_FLOWS, fc_batch_get(b, "x_enc"), &window);

  contexts_of(c, m, x, context);
  for (int i = 0; i < observed; i++) v[i] = embed_variate(c, m, i, x, m->past.from[i]);
  embed_marks(c, m, fc_batch_get(b, "x_mark_enc"), v + observed);
  fc_fusion_call f = {.h = context[TO_H], .c = context[TO_C], .enrich = context[TO_ENRICH]};
  f.past           = fc_tft_select(c, m, &m->past, v, context[TO_SELECT], "encoder_variables");
  embed_marks(c, m, fc_slice(c, marks, 1, marks->dim[1] - P, P), v);
  f.ahead     = fc_tft_select(c, m, &m->ahead, v, context[TO_SELECT], "decoder_variables");
  f.mask.mask = fc_slice(c, m->mask, 0, L, P);
  return fc_pad(c, fc_window_restore(c, fc_fuse(c, &m->fusion, &f), &window), 1, L, 0);
}

static fc_status check_marks(const tft_model *m, const fc_batch *b, const char *name, int64_t B,
                             int64_t steps) {
  fc_tensor *t;

  FC_TRY(fc_batch_need(b, name, FC_DIMS(B, -1, m->marks), &t));
  FC_REQUIRE(t->dim[1] == steps || (t->dim[1] > steps && !strcmp(name, "x_mark_dec")), FC_E_MISMATCH,
             "input %s has %lld steps, the model wants %lld", name, (long long)t->dim[1], (long long)steps);
  return m->tables.tables ? fc_mark_embedding_check(&m->tables, t, name) : FC_OK;
}

fc_status fc_tft_library_check(const tft_model *m, const fc_batch *b) {
  const tft_config *g = &m->cfg;
  fc_tensor        *x;

  FC_TRY(fc_batch_need(b, "x_enc", FC_DIMS(-1, g->seq_len, g->enc_in), &x));
  FC_TRY(check_marks(m, b, "x_mark_enc", x->dim[0], g->seq_len));
  return check_marks(m, b, "x_mark_dec", x->dim[0], g->pred_len);
}
