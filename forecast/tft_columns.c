/* forecast/tft_columns.c - the Temporal Fusion Transformer of pytorch-forecasting: columns of numbers and
   classes by name, static, known or observed; windows of different lengths, valid steps first; quantiles. */
#include "forecast/tft.h"

#include "core/parallel.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- weights ---- */

static fc_status find_column(const tft_model *m, const char *name, bool classes, int *out) {
  const int first = classes ? 0 : m->cfg.x_categoricals.n,
            i     = fc_names_find(classes ? &m->cfg.x_categoricals : &m->cfg.x_reals, name);

  FC_REQUIRE(i >= 0, FC_E_USAGE, "tft: the column '%s' is not in %s", name,
             classes ? "x_categoricals" : "x_reals");
  *out = first + i;
  return FC_OK;
}

/* x_categoricals and x_reals, where they are not given: in order of first mention */
static fc_status order_columns(tft_config *g) {
  for (int k = 0; k < 2; k++) {
    fc_names *x = k ? &g->x_reals : &g->x_categoricals;
    if (x->n) continue;
    for (int r = k; r < ROLES; r += 2)
      for (int i = 0; i < fc_tft_role(g, r)->n; i++) {
        if (fc_names_find(x, fc_tft_role(g, r)->v[i]) >= 0) continue;
        FC_REQUIRE(x->n < FC_WORDS, FC_E_USAGE, "tft: more than %d columns", FC_WORDS);
        memcpy(x->v[x->n++], fc_tft_role(g, r)->v[i], FC_WORD);
      }
  }
  return FC_OK;
}

/* Names become parts of the weights' names. */
static fc_status check_names(const tft_config *g) {
  for (int k = 0; k < 2; k++) {
    const fc_names *x = k ? &g->x_reals : &g->x_categoricals;
    for (int i = 0; i < x->n; i++) {
      FC_REQUIRE(
          !strchr(x->v[i], '.'), FC_E_USAGE,
          "tft: the column '%s' has a point in its name, which official weights cannot have; rename it",
          x->v[i]);
      FC_REQUIRE(k || fc_names_find(&g->x_reals, x->v[i]) < 0, FC_E_USAGE,
                 "tft: the column '%s' is among the classes and among the numbers", x->v[i]);
    }
  }
  return FC_OK;
}

static bool used(const tft_config *g, const char *name, bool classes) {
  bool found = false;

  for (int r = !classes; r < ROLES; r += 2) found = found || fc_names_find(fc_tft_role(g, r), name) >= 0;
  return found;
}

/* pytorch-forecasting's rule (from fastai) for the width of an embedding of n classes */
static int64_t width_for(int64_t n) { return n > 2 ? fc_min64(100, llrint(1.6 * pow((double)n, 0.56))) : 1; }

static fc_status init_classes(tft_model *m, fc_params *p, tft_column *k) {
  const tft_config *g    = &m->cfg;
  const fc_row     *size = fc_table_find(&g->embedding_sizes, k->name),
               *n        = fc_table_find(&g->n_classes, k->name);

  FC_REQUIRE(size || n, FC_E_USAGE, "tft: how many classes has the column '%s'? set n_classes.%s", k->name,
             k->name);
  k->rows   = size ? size->v[0] : n->v[0];
  k->width  = fc_min64(m->D, size && size->n > 1 ? size->v[1] : width_for(k->rows));
  k->padded = fc_names_find(&g->embedding_paddings, k->name) >= 0;
  fc_params_push(p, "input_embeddings.embeddings.%s", k->name);
  k->table = fc_param(p, "weight", k->padded ? fc_init_normal_padded(1) : fc_init_normal(1),
                      FC_DIMS(k->rows, k->width));
  fc_params_pop(p);
  return FC_OK;
}

static void init_number(tft_model *m, fc_params *p, tft_column *k) {
  const fc_row *width = fc_table_find(&m->cfg.hidden_continuous_sizes, k->name);

  k->width = width ? width->v[0] : m->cfg.hidden_continuous_size;
  fc_params_push(p, "prescalers");
  fc_linear_init(&k->scale, p, k->name, 1, k->width, true);
  fc_params_pop(p);
}

static fc_status init_columns(tft_model *m, fc_params *p) {
  const tft_config *g = &m->cfg;
  const int         K = g->x_categoricals.n;

  m->n_columns = K + g->x_reals.n;
  for (int i = 0; i < m->n_columns; i++) {
    tft_column *k = &m->column[i];
    *k            = (tft_column){.name = i < K ? g->x_categoricals.v[i] : g->x_reals.v[i - K], .shared = -1};
    k->at         = i < K ? i : i - K;
    const bool read = used(g, k->name, i < K);
    if (!read && i < K && !fc_table_find(&g->embedding_sizes, k->name)) continue;
    fc_params_unread(p, !read);
    if (i < K)
      FC_TRY(init_classes(m, p, k));
    else
      init_number(m, p, k);
    fc_params_unread(p, false);
  }
  return FC_OK;
}

/* the network of one variable: shared between lookback and horizon, or a GRN of numbers, or for classes only
   resampling */
static void init_variable(tft_model *m, fc_params *p, tft_selection *s, int i, const char *name, bool share) {
  tft_column *k = &m->column[s->from[i]];
  char        own[160], other[160];

  snprintf(own, sizeof own, "%s.single_variable_grns.%s", name, k->name);
  snprintf(other, sizeof other, "shared_single_variable_grns.%s", k->name);
  s->net[i] = share && k->shared >= 0 ? k->shared : m->pooled++;
  if (!share && k->rows)
    fc_resample_init(&m->pool[s->net[i]].bare, p, own, m->D);
  else if (!share || k->shared < 0)
    fc_grn_init_joint(&m->pool[s->net[i]].grn, p, share ? other : own, k->width, fc_min64(k->width, m->D),
                      m->D, 0);
  if (share) fc_params_mirror(p, other, own);
  if (share) k->shared = s->net[i];
}

static fc_status init_selection(tft_model *m, fc_params *p, tft_selection *s, const char *name,
                                int first_role, int64_t context, bool share) {
  int64_t total = 0;
  char    path[160], own[160];

  for (int r = first_role; r < first_role + 2; r++)
    for (int i = 0; i < fc_tft_role(&m->cfg, r)->n; i++) {
      FC_TRY(find_column(m, fc_tft_role(&m->cfg, r)->v[i], r % 2 == 0, &s->from[s->n]));
      total += m->column[s->from[s->n++]].width;
    }
  snprintf(path, sizeof path, "%s.flattened_grn", name);
  if (s->n > 1) fc_grn_init_joint(&s->joint, p, path, total, fc_min64(m->D, s->n), s->n, context);
  for (int i = 0; i < s->n; i++) {
    const tft_column *k = &m->column[s->from[i]];
    init_variable(m, p, s, i, name, share);
    snprintf(path, sizeof path, "prescalers.%s", k->name);
    snprintf(own, sizeof own, "%s.prescalers.%s", name, k->name);
    if (!k->rows) fc_params_mirror(p, path, own);
  }
  return FC_OK;
}

static void init_attention(fc_fusion *l, fc_params *p, int64_t D) {
  char name[32];

  fc_params_push(p, "multihead_attn");
  fc_linear_init_xavier(&l->v, p, "v_layer", D, l->E, true);
  for (int i = 0; i < l->H; i++) {
    snprintf(name, sizeof name, "q_layers.%d", i);
    fc_linear_init_xavier(&l->q[i], p, name, D, l->E, true);
    snprintf(name, sizeof name, "k_layers.%d", i);
    fc_linear_init_xavier(&l->k[i], p, name, D, l->E, true);
  }
  fc_linear_init_xavier(&l->merge, p, "w_h", l->E, D, false);
  fc_params_pop(p);
}

static void init_fusion(fc_fusion *l, fc_params *p, int64_t D, int64_t outputs) {
  for (int i = 0; i < l->layers; i++) {
    fc_lstm_init(&l->encoder[i], p, "lstm_encoder", i, D, D);
    fc_lstm_init(&l->decoder[i], p, "lstm_decoder", i, D, D);
  }
  fc_gate_init_joint(&l->after_lstm.gate, p, "post_lstm_gate_encoder", D, D);
  fc_params_mirror(p, "post_lstm_gate_encoder", "post_lstm_gate_decoder");
  fc_norm_init(&l->after_lstm.norm, p, "post_lstm_add_norm_encoder.norm", D, 1e-5);
  fc_params_mirror(p, "post_lstm_add_norm_encoder", "post_lstm_add_norm_decoder");
  fc_grn_init_joint(&l->enrich, p, "static_enrichment", D, D, D, D);
  init_attention(l, p, D);
  fc_gate_norm_init_joint(&l->after_attention, p, "post_attn_gate_norm", D, D);
  fc_grn_init_joint(&l->position, p, "pos_wise_ff", D, D, D, 0);
  fc_gate_norm_init_joint(&l->last, p, "pre_output_gate_norm", D, D);
  fc_linear_init(&l->output, p, "output_layer", D, outputs, true);
}

fc_status fc_tft_columns_init(tft_model *m, fc_params *p) {
  static const char *const names[CONTEXTS] = {"variable_selection", "initial_hidden_lstm",
                                              "initial_cell_lstm", "enrichment"};
  const tft_config        *g               = &m->cfg;
  const bool               share           = g->share_single_variable_networks;
  const int64_t            D = m->D = g->hidden_size;

  FC_REQUIRE(D >= g->attention_head_size, FC_E_USAGE,
             "tft: hidden_size %lld is less than one for each of the %lld heads (attention_head_size)",
             (long long)D, (long long)g->attention_head_size);
  m->fusion = (fc_fusion){.H            = g->attention_head_size,
                          .E            = D / g->attention_head_size,
                          .layers       = g->lstm_layers,
                          .dropout      = g->dropout,
                          .gate_dropout = g->dropout};
  FC_TRY(order_columns(&m->cfg));
  FC_TRY(check_names(g));
  FC_REQUIRE(g->time_varying_reals_encoder.n + g->time_varying_categoricals_encoder.n, FC_E_USAGE,
             "tft: no columns over the lookback; name them in time_varying_reals_encoder");
  FC_TRY(init_columns(m, p));
  FC_TRY(init_selection(m, p, &m->fixed, "static_variable_selection", 0, 0, false));
  FC_TRY(init_selection(m, p, &m->past, "encoder_variable_selection", 2, D, share));
  FC_TRY(init_selection(m, p, &m->ahead, "decoder_variable_selection", 4, D, share));
  for (int i = 0; i < CONTEXTS; i++) {
    char name[64];
    snprintf(name, sizeof name, "static_context_%s", names[i]);
    fc_params_unread(p, i == TO_SELECT && m->past.n < 2 && m->ahead.n < 2);
    fc_grn_init_joint(&m->context[i], p, name, D, D, D, 0);
    fc_params_unread(p, false);
  }
  init_fusion(&m->fusion, p, D, g->output_size ? g->output_size : g->quantiles.n);
  return FC_OK;
}

/* ---- forward ---- */

static fc_tensor *zeros(fc_ctx *c, int ndim, const int64_t *dim) {
  fc_tensor *t = fc_tensor_new(c->arena, ndim, dim);

  if (!c->dry) memset(t->x, 0, (size_t)fc_len(t) * sizeof *t->x);
  return t;
}

/* a padding row learns nothing */
static fc_tensor *table_of(fc_ctx *c, const tft_column *k) {
  if (!k->padded) return k->table;
  fc_tensor *first = fc_detach(c, fc_slice(c, k->table, 0, 0, 1));
  return k->rows == 1 ? first : fc_concat(c, 0, FC_IN(first, fc_slice(c, k->table, 0, 1, k->rows - 1)));
}

typedef struct { /* the inputs of lookback or horizon; classes or numbers may be missing */
  fc_tensor *classes, *numbers;
} inputs;

static inputs inputs_of(const tft_model *m, const fc_batch *b, const char *classes, const char *numbers) {
  return (inputs){m->cfg.x_categoricals.n ? fc_batch_get(b, classes) : NULL,
                  m->cfg.x_reals.n ? fc_batch_get(b, numbers) : NULL};
}

static const fc_tensor *any_of(inputs x) { return x.numbers ? x.numbers : x.classes; }

static inputs first_step(fc_ctx *c, inputs x) {
  return (inputs){x.classes ? fc_slice(c, x.classes, 1, 0, 1) : NULL,
                  x.numbers ? fc_slice(c, x.numbers, 1, 0, 1) : NULL};
}

/* [B, steps, width] */
static fc_tensor *embed_column(fc_ctx *c, const tft_column *k, inputs x) {
  if (!k->rows) return fc_linear_apply(c, &k->scale, fc_slice(c, x.numbers, 2, k->at, 1), FC_ACT_NONE);
  fc_tensor *one = fc_slice(c, x.classes, 2, k->at, 1);
  return fc_embedding(c, table_of(c, k), fc_reshape(c, one, FC_DIMS(one->dim[0], one->dim[1])));
}

/* [B, steps, D], zeros if there are no variables */
static fc_tensor *variables(fc_ctx *c, const tft_model *m, const tft_selection *s, inputs x,
                            fc_tensor *context, const char *what) {
  fc_tensor *v[MAX_COLUMNS];

  if (!s->n) return zeros(c, FC_DIMS(any_of(x)->dim[0], any_of(x)->dim[1], m->D));
  for (int i = 0; i < s->n; i++) v[i] = embed_column(c, &m->column[s->from[i]], x);
  return fc_tft_select(c, m, s, v, context, what);
}

typedef struct {
  int64_t          B, L, P;
  const fc_tensor *past, *ahead; /* lengths [B] */
} extent;

static bool ragged(const fc_ctx *c, const extent *e) {
  bool found = false;

  for (int64_t b = 0; b < e->B && e->past && !c->dry; b++)
    found = found || (int64_t)e->past->x[b] < e->L || (int64_t)e->ahead->x[b] < e->P;
  return found;
}

/* may step p of the horizon look at step t? */
static bool sees(const tft_config *g, const extent *e, int64_t b, int64_t p, int64_t t) {
  const int64_t past  = e->past ? (int64_t)e->past->x[b] : e->L,
                ahead = e->ahead ? (int64_t)e->ahead->x[b] : e->P;

  if (t < e->L) return t < past;
  return t - e->L < (g->causal_attention ? p : ahead);
}

/* 0 or -1e9: [P, T] for all windows, [B, H, P, T] for each. Where nothing at all can be seen the official
   code looks at everything alike, hence `keep`. */
static fc_shared_mask mask_of(fc_ctx *c, const tft_model *m, const extent *e, bool each) {
  const int64_t  H = m->fusion.H, P = e->P, T = e->L + P, rows = each ? e->B * H * P : P;
  const int      skip  = each ? 0 : 2;
  const int64_t  dim[] = {e->B, H, P, T};
  fc_shared_mask s     = {NULL, NULL};

  if (!each && !m->cfg.causal_attention) return s;
  s.mask = fc_tensor_new(c->arena, 4 - skip, dim + skip);
  s.keep = each ? fc_tensor_new(c->arena, 4, dim) : NULL;
  if (!c->dry) FC_FOR_ROWS(r, rows, T)
  for (int64_t t = 0; t < T; t++) {
    const bool seen      = sees(&m->cfg, e, r / (H * P), r % P, t);
    s.mask->x[r * T + t] = seen ? 0 : (fc_real)-1e9;
    if (each) s.keep->x[r * T + t] = seen;
  }
  return s;
}

/* Official LSTMs walk one step where there are none. */
static fc_tensor *steps_of(fc_ctx *c, const fc_tensor *lengths) {
  fc_tensor *t = fc_tensor_new(c->arena, lengths->ndim, lengths->dim);

  for (int64_t b = 0; b < fc_len(t); b++) t->x[b] = lengths->x[b] < 1 ? 1 : lengths->x[b];
  return t;
}

/* Behind an empty lookback the official code takes first states h for h and c alike: in order, not those of
   the window itself, counted through all layers. */
static fc_tensor *restart_of(fc_ctx *c, const tft_model *m, const extent *e) {
  fc_tensor *t     = fc_tensor_new(c->arena, FC_DIMS(m->fusion.layers, e->B));
  int64_t    taken = 0;

  for (int64_t i = 0; i < fc_len(t); i++) {
    const int64_t b = i % e->B;
    t->x[i]         = (fc_real)(e->past->x[b] < 1 ? e->B + taken++ % e->B : b);
  }
  return taken ? t : NULL;
}

static void fit_lengths(fc_ctx *c, const tft_model *m, const extent *e, fc_fusion_call *f) {
  const bool each = ragged(c, e);

  f->mask = mask_of(c, m, e, each);
  if (!each) return;
  f->steps[0] = steps_of(c, e->past);
  f->steps[1] = steps_of(c, e->ahead);
  f->restart  = restart_of(c, m, e);
}

/* encoder_cat, decoder_cat (B, L or P, classes), encoder_cont, decoder_cont (B, L or P, numbers),
   encoder_lengths, decoder_lengths (B), or none of both -> (B, P, quantiles) */
fc_tensor *fc_tft_columns_apply(fc_ctx *c, const tft_model *m, const fc_batch *b) {
  const inputs past  = inputs_of(m, b, "encoder_cat", "encoder_cont"),
               ahead = inputs_of(m, b, "decoder_cat", "decoder_cont");
  const extent e     = {any_of(past)->dim[0], any_of(past)->dim[1], any_of(ahead)->dim[1],
                        fc_batch_get(b, "encoder_lengths"), fc_batch_get(b, "decoder_lengths")};
  fc_tensor   *s     = variables(c, m, &m->fixed, first_step(c, past), NULL, "static_variables"),
            *context[CONTEXTS];

  s = fc_reshape(c, s, FC_DIMS(e.B, m->D));
  for (int i = 0; i < CONTEXTS; i++) context[i] = fc_grn_apply(c, &m->context[i], s, NULL, m->cfg.dropout);
  fc_fusion_call f = {.h = context[TO_H], .c = context[TO_C], .enrich = context[TO_ENRICH]};
  f.past           = variables(c, m, &m->past, past, context[TO_SELECT], "encoder_variables");
  f.ahead          = variables(c, m, &m->ahead, ahead, context[TO_SELECT], "decoder_variables");
  fit_lengths(c, m, &e, &f);
  return fc_fuse(c, &m->fusion, &f);
}

/* ---- checks ---- */

static fc_status check_classes(const tft_model *m, const fc_tensor *t, const char *name) {
  const int64_t K = m->cfg.x_categoricals.n;

  for (int64_t i = 0; i < fc_len(t); i++) {
    const tft_column *k = &m->column[i % K];
    const double      v = (double)t->x[i];
    FC_REQUIRE(!k->rows || (v >= 0 && v < (double)k->rows && v == floor(v)), FC_E_MISMATCH,
               "input %s, column '%s': %g is no class; they are whole numbers from 0 to %lld", name, k->name,
               v, (long long)k->rows - 1);
  }
  return FC_OK;
}

static fc_status check_lengths(const fc_batch *b, const char *name, int64_t B, int64_t steps) {
  fc_tensor *t;
  bool       any = false;

  FC_TRY(fc_batch_need(b, name, FC_DIMS(B), &t));
  for (int64_t i = 0; i < B; i++) {
    const double v = (double)t->x[i];
    FC_REQUIRE(v >= 0 && v <= (double)steps && v == floor(v), FC_E_MISMATCH,
               "input %s: %g is no number of steps from 0 to %lld", name, v, (long long)steps);
    any = any || v > 0;
  }
  FC_REQUIRE(any, FC_E_MISMATCH, "input %s: no window has a single step", name);
  return FC_OK;
}

/* one half of the inputs; B and steps are -1 or known from the other one */
static fc_status check_half(const tft_model *m, const fc_batch *b, const char *const *name, int64_t *B,
                            int64_t *steps) {
  const int64_t width[2] = {m->cfg.x_categoricals.n, m->cfg.x_reals.n};
  fc_tensor    *t;

  *steps = -1;
  for (int i = 0; i < 2; i++) {
    if (!width[i]) continue;
    FC_TRY(fc_batch_need(b, name[i], FC_DIMS(*B, *steps, width[i]), &t));
    *B     = t->dim[0];
    *steps = t->dim[1];
    if (i == 0) FC_TRY(check_classes(m, t, name[0]));
  }
  return fc_batch_get(b, name[2]) ? check_lengths(b, name[2], *B, *steps) : FC_OK;
}

fc_status fc_tft_columns_check(const tft_model *m, const fc_batch *b) {
  static const char *const names[2][3] = {{"encoder_cat", "encoder_cont", "encoder_lengths"},
                                          {"decoder_cat", "decoder_cont", "decoder_lengths"}};
  int64_t                  B           = -1, steps;

  for (int i = 0; i < 2; i++) FC_TRY(check_half(m, b, names[i], &B, &steps));
  FC_REQUIRE(!fc_batch_get(b, names[0][2]) == !fc_batch_get(b, names[1][2]), FC_E_MISMATCH,
             "inputs encoder_lengths and decoder_lengths: one of them is missing");
  return FC_OK;
}
