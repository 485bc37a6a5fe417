/* forecast/informer.c - Informer: an encoder that halves the steps from layer to layer and a decoder that
   gives the whole horizon at once, both with attention of a few sharp queries (core/ops/prob_attention.c).
   Zhou et al., AAAI 2021, arXiv 2012.07436; weights of thuml's library (tslib) or of the authors' code
   (informer2020, informer2020_stack), which are not interchangeable.

     h = conv x + pe + W marks, of the lookback; of the last `label` steps and P zeros
     encoder layer   h <- LN(h + A h), h <- LN(h + FFN h);   between two of them h <- pool(ELU(BN(conv h)))
     decoder layer   h <- LN(h + causal A h), h <- LN(h + C(h, memory)), h <- LN(h + FFN h)
     y_t = W LN(h_t) + b for the last P steps

   Where the codes differ: tslib wraps two steps around each end before it halves, so that 96 become 49; its
   C is sparse too; and the heads [H, T, D/H] of all sparse attention are read as rows [T, D] without a
   transposition, which mixes steps and heads. The authors' code wraps one step, has full attention for C,
   and mixes in the decoder's A alone, if `mix`. The stack has several encoders, number k for the last L / 2^k
   steps, whose results lie one after the other in the memory.
   Letters: B windows, L lookback, P horizon, N variates, D width, H heads. */
#include "core/model.h"
#include "core/nn/key_draws.h"
#include "core/nn/series.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_LAYERS = 16, MAX_CALLS = (FC_LIST + 2) * MAX_LAYERS };
typedef enum { TSLIB, INFORMER2020, INFORMER2020_STACK } variant_name;
typedef enum { LONG_TERM, SHORT_TERM } task_name;
typedef enum { PROB, FULL } attention_name;

typedef struct {
  int     variant, task_name, attn, embed, activation, sampling;
  int64_t seq_len, label_len, pred_len, enc_in, dec_in, c_out;
  int64_t d_model, n_heads, d_layers, d_ff, factor, sampling_seed;
  fc_ints e_layers, s_layers;
  double  dropout;
  char    freq[FC_TEXT];
  bool    distil, mix, marks;
} config;

static const fc_option options[] = {
    FC_OPT_CHOICE(config, variant, "tslib|informer2020|informer2020_stack", "tslib",
                  "thuml's library, the authors' code, its stack of encoders"),
    FC_OPT_CHOICE(config, task_name, "long_term_forecast|short_term_forecast", "long_term_forecast",
                  "short: the library normalises each lookback by itself"),
    FC_OPT_INT(config, seq_len, "96", 1, FC_PLACES, "lookback L, steps"),
    FC_OPT_INT(config, label_len, "48", 0, FC_PLACES, "known steps in front of the horizon in the decoder"),
    FC_OPT_INT(config, pred_len, "96", 1, FC_PLACES, "horizon P, steps"),
    FC_OPT_ALIAS(config, pred_len, FC_T_INT, "out_len"),
    FC_OPT_INT(config, enc_in, "7", 1, 1 << 20, "variates of the lookback"),
    FC_OPT_INT(config, dec_in, "7", 1, 1 << 20, "variates of the decoder's input"),
    FC_OPT_INT(config, c_out, "7", 1, 1 << 20, "variates of the forecast, the last ones"),
    FC_OPT_INT(config, d_model, "512", 1, 65536, "width D"),
    FC_OPT_INT(config, n_heads, "8", 1, 1024, "attention heads"),
    FC_OPT_INTS(config, e_layers, "", 1, MAX_LAYERS,
                "encoder layers, empty: 2; of each encoder of the stack, empty: 3, 2, 1"),
    FC_OPT_INTS(config, s_layers, "", 1, MAX_LAYERS, "of the stack, in place of e_layers if given"),
    FC_OPT_INT(config, d_layers, "1", 1, MAX_LAYERS, "decoder layers"),
    FC_OPT_INT(config, d_ff, "2048", 1, 1 << 20, "hidden width of the two-layer maps"),
    FC_OPT_INT(config, factor, "3", 1, 1 << 20,
               "of T queries factor ceil(ln T) attend, and as many keys are tried"),
    FC_OPT_CHOICE(config, attn, "prob|full", "prob", "sparse or full attention (the library's is sparse)"),
    FC_OPT_BOOL(config, distil, "true", "halve the steps between encoder layers"),
    FC_OPT_BOOL(config, mix, "true", "heads of the decoder's own attention mixed with steps (tslib: always)"),
    FC_OPT_CHOICE(config, activation, FC_ENCODER_ACTS, "gelu", "between the two maps"),
    FC_OPT_REAL(config, dropout, "0.1", 0, 0.999, "dropout in training"),
    FC_OPT_CHOICE(config, embed, FC_EMBED_CHOICES, "timeF",
                  "calendar marks: a map of scaled ones, or tables"),
    FC_OPT_TEXT(config, freq, "h", "step of the calendar marks: s, t, h, d, b, w, m"),
    FC_OPT_BOOL(config, marks, "true", "calendar marks, when trained here"),
    FC_OPT_CHOICE(config, sampling, FC_DRAW_CHOICES, "counter",
                  "who draws the keys that are tried: our numbers, or those of torch.manual_seed"),
    FC_OPT_INT(config, sampling_seed, "0", 0, UINT32_MAX,
               "of these numbers; outside training they never vary"),
    FC_OPT_LIBRARY,
    FC_OPT_END,
};

/* ---- weights ---- */

typedef struct {
  fc_linear           conv;
  fc_batch_norm_layer norm;
} distil_layer;

typedef struct {
  int64_t          steps, layers; /* of the lookback it reads */
  fc_encoder_layer layer[MAX_LAYERS];
  distil_layer     distil[MAX_LAYERS - 1];
  fc_norm          norm;
} encoder;

typedef struct {
  fc_attention_maps self, cross;
  fc_linear         conv1, conv2;
  fc_norm           norm1, norm2, norm3;
} decoder_layer;

typedef struct { /* one sparse attention */
  int64_t queries, keys, samples, top;
} prob_call;

typedef struct {
  config            cfg;
  fc_encoder_use    use;
  fc_data_embedding enc_embedding, dec_embedding;
  int               encoders, calls;
  encoder           encoder[FC_LIST];
  decoder_layer     decoder[MAX_LAYERS];
  fc_norm           norm;
  fc_linear         projection;
  prob_call         call[MAX_CALLS]; /* in the order of the pass */
  char              draw_name[FC_BATCH_MAX][48];
} model;

static bool library(const model *m) { return m->cfg.variant == TSLIB; }
static bool sparse(const model *m) { return library(m) || m->cfg.attn == PROB; }

static void init_distil(distil_layer *l, fc_params *p, int number, int64_t D) {
  fc_params_push(p, "conv_layers.%d", number);
  fc_linear_init_shaped(&l->conv, p, "downConv", true, FC_DIMS(D, D, 3));
  fc_batch_norm_init(&l->norm, p, "norm", D);
  fc_params_pop(p);
}

/* names behind what was pushed */
static void init_encoder(encoder *e, fc_params *p, const config *g) {
  char name[64];

  for (int i = 0; i < e->layers; i++) {
    snprintf(name, sizeof name, "attn_layers.%d", i);
    fc_encoder_layer_init(&e->layer[i], p, name, g->d_model, g->d_ff);
  }
  for (int i = 0; g->distil && i < e->layers - 1; i++) init_distil(&e->distil[i], p, i, g->d_model);
  fc_norm_init(&e->norm, p, "norm", g->d_model, 1e-5);
}

static void init_decoder_layer(decoder_layer *l, fc_params *p, const config *g, int number) {
  const int64_t D = g->d_model;

  fc_params_push(p, "decoder.layers.%d", number);
  fc_attention_maps_init(&l->self, p, "self_attention", D);
  fc_attention_maps_init(&l->cross, p, "cross_attention", D);
  fc_linear_init_shaped(&l->conv1, p, "conv1", true, FC_DIMS(g->d_ff, D, 1));
  fc_linear_init_shaped(&l->conv2, p, "conv2", true, FC_DIMS(D, g->d_ff, 1));
  fc_norm_init(&l->norm1, p, "norm1", D, 1e-5);
  fc_norm_init(&l->norm2, p, "norm2", D, 1e-5);
  fc_norm_init(&l->norm3, p, "norm3", D, 1e-5);
  fc_params_pop(p);
}

static fc_status init_weights(model *m, fc_params *p) {
  const config *g = &m->cfg;

  FC_TRY(fc_data_embedding_init(&m->enc_embedding, p, "enc_embedding", g->enc_in, (fc_embed_kind)g->embed,
                                g->freq, g->d_model, !library(m)));
  FC_TRY(fc_data_embedding_init(&m->dec_embedding, p, "dec_embedding", g->dec_in, (fc_embed_kind)g->embed,
                                g->freq, g->d_model, !library(m)));
  for (int k = 0; k < m->encoders; k++) {
    fc_params_push(p, g->variant == INFORMER2020_STACK ? "encoder.encoders.%d" : "encoder", k);
    init_encoder(&m->encoder[k], p, g);
    fc_params_pop(p);
  }
  for (int i = 0; i < g->d_layers; i++) init_decoder_layer(&m->decoder[i], p, g, i);
  fc_norm_init(&m->norm, p, "decoder.norm", g->d_model, 1e-5);
  fc_linear_init(&m->projection, p, library(m) ? "decoder.projection" : "projection", g->d_model, g->c_out,
                 true);
  return FC_OK;
}

/* ---- which sparse attentions a pass consists of ---- */

/* factor ceil(ln T) of T, at least one */
static int64_t share_of(const config *g, int64_t T) {
  return fc_min64(T, fc_max64(1, g->factor * (int64_t)ceil(log((double)T))));
}

static void add_call(model *m, int64_t queries, int64_t keys) {
  if (sparse(m))
    m->call[m->calls++] = (prob_call){queries, keys, share_of(&m->cfg, keys), share_of(&m->cfg, queries)};
}

/* steps wrapped around each end of the convolution in front of the pool, which takes every second one */
static int64_t wrapped(const model *m) { return library(m) ? 2 : 1; }
static int64_t distilled(const model *m, int64_t steps) { return (steps + 2 * wrapped(m) - 3) / 2 + 1; }

static void plan_calls(model *m) {
  const config *g      = &m->cfg;
  const int64_t target = g->label_len + g->pred_len;
  int64_t       memory = 0;

  for (int k = 0; k < m->encoders; k++) {
    int64_t steps = m->encoder[k].steps;
    for (int64_t i = 0; i < m->encoder[k].layers; i++) {
      if (i > 0 && g->distil) steps = distilled(m, steps);
      add_call(m, steps, steps);
    }
    memory += steps;
  }
  for (int64_t i = 0; i < g->d_layers; i++) {
    add_call(m, target, target);
    if (library(m)) add_call(m, target, memory);
  }
  for (int i = 0; i < FC_BATCH_MAX; i++)
    snprintf(m->draw_name[i], sizeof m->draw_name[i], "probsparse/%02d/index_sample", i);
}

static fc_ints layers_of(const config *g) {
  const bool stack = g->variant == INFORMER2020_STACK;

  if (stack && g->s_layers.n) return g->s_layers;
  if (g->e_layers.n) return g->e_layers;
  return stack ? (fc_ints){3, {3, 2, 1}} : (fc_ints){1, {2}};
}

static fc_status plan_encoders(model *m) {
  const config *g     = &m->cfg;
  const bool    stack = g->variant == INFORMER2020_STACK;
  const fc_ints list  = layers_of(g);

  FC_REQUIRE(stack || list.n == 1, FC_E_USAGE,
             "informer: e_layers has %d numbers; only variant informer2020_stack takes more than one",
             list.n);
  FC_REQUIRE(g->seq_len >> (list.n - 1) > 0, FC_E_USAGE,
             "informer: encoder %d of the stack reads the last seq_len / 2^%d steps, but seq_len is %lld",
             list.n - 1, list.n - 1, (long long)g->seq_len);
  m->encoders = list.n;
  for (int k = 0; k < list.n; k++) m->encoder[k].steps = g->seq_len >> k, m->encoder[k].layers = list.v[k];
  return FC_OK;
}

static fc_status init(void *self, fc_params *p, const void *cfg) {
  model        *m = self;
  const config *g = &m->cfg;

  memset(m, 0, sizeof *m);
  m->cfg = *(const config *)cfg;
  FC_REQUIRE(g->d_model % g->n_heads == 0, FC_E_USAGE,
             "informer: d_model %lld is no multiple of n_heads %lld", (long long)g->d_model,
             (long long)g->n_heads);
  FC_REQUIRE(g->label_len + g->pred_len <= FC_PLACES, FC_E_USAGE,
             "informer: label_len %lld and pred_len %lld are more than %d steps together",
             (long long)g->label_len, (long long)g->pred_len, FC_PLACES);
  FC_REQUIRE(g->task_name == LONG_TERM || (library(m) && g->c_out == g->enc_in), FC_E_USAGE,
             "informer: short_term_forecast wants variant tslib and c_out equal to enc_in");
  m->use = (fc_encoder_use){g->n_heads, fc_encoder_act(g->activation), g->dropout};
  FC_TRY(plan_encoders(m));
  plan_calls(m);
  return init_weights(m, p);
}

/* ---- the keys that are tried ---- */

typedef struct { /* one pass */
  const model *m;
  fc_tensor  **sample;   /* one table for each call */
  bool         official; /* drawn as the official code does */
  int          done;     /* calls */
} pass;

/* tables from the batch, as recorded with reference cases, or drawn now */
static pass begin(fc_ctx *c, const model *m, const fc_batch *b) {
  const bool   recorded = m->calls && fc_batch_get(b, m->draw_name[0]);
  fc_key_draws draws;
  pass         p = {.m = m, .official = recorded || m->cfg.sampling == FC_DRAW_TORCH};

  p.sample = fc_arena_push(c->arena, (size_t)m->calls * sizeof *p.sample);
  fc_key_draws_start(&draws, c, (fc_draw_kind)m->cfg.sampling, (uint64_t)m->cfg.sampling_seed);
  for (int i = 0; i < m->calls; i++) {
    const prob_call *l = &m->call[i];
    p.sample[i]        = recorded ? fc_batch_get(b, m->draw_name[i])
                                  : fc_key_draws_next(c, &draws, l->queries, l->samples, l->keys);
  }
  return p;
}

/* ---- attention ---- */

typedef struct {
  bool     sparse, causal, mixed; /* mixed: heads are read as rows */
  int64_t  keep;                  /* of the result, the last steps */
  fc_shown as;
} attention_use;

/* the last n steps of x [B, T, ..] */
static fc_tensor *last(fc_ctx *c, fc_tensor *x, int64_t n) {
  return x->dim[1] == n ? x : fc_slice(c, x, 1, x->dim[1] - n, n);
}

/* Of the library's single head, a query chosen in one window counts in all of the batch: its code squeezes
   the axis of heads away and broadcasts. That is repeated with official draws alone; windows are apart else.
 */
static fc_tensor *attend_sparsely(fc_ctx *c, pass *p, bool causal, fc_tensor *q, fc_tensor *k, fc_tensor *v) {
  const model  *m    = p->m;
  const int     call = p->done++;
  const fc_prob spec = {p->sample[call], m->call[call].top, causal,
                        p->official && library(m) && m->cfg.n_heads == 1};

  return fc_prob_attention(c, q, k, v, &spec, 1 / sqrt((double)fc_last(q)));
}

/* -infinity for keys behind the query: [H, T, T] */
static fc_tensor *causal_bias(fc_ctx *c, int64_t H, int64_t T) {
  fc_tensor *bias = fc_tensor_new(c->arena, FC_DIMS(H, T, T));

  for (int64_t i = 0; !c->dry && i < fc_len(bias); i++)
    bias->x[i] = i % T > i / T % T ? -(fc_real)INFINITY : 0;
  return bias;
}

/* x + out y without and with dropout, y [B, T, D] */
static fc_tensor *add_mapped(fc_ctx *c, const model *m, const fc_linear *out, fc_tensor *y, fc_tensor *x) {
  if (!c->training || m->cfg.dropout == 0) return fc_linear_of(c, FC_ACT_NONE, y, out->weight, out->bias, x);
  y = fc_dropout(c, fc_linear_apply(c, out, y, FC_ACT_NONE), m->cfg.dropout);
  return fc_add_in_place(c, y, x);
}

/* the last steps of x + attention of x [B, T, D] to memory [B, S, D] */
static fc_tensor *attend(fc_ctx *c, pass *p, const fc_attention_maps *a, const attention_use *u, fc_tensor *x,
                         fc_tensor *memory) {
  const model  *m = p->m;
  const int64_t H = m->cfg.n_heads, T = x->dim[1];
  fc_tensor    *q = fc_linear_split(c, x, a->query.weight, a->query.bias, H);
  fc_tensor    *k = fc_linear_split(c, memory, a->key.weight, a->key.bias, H);
  fc_tensor    *v = fc_linear_split(c, memory, a->value.weight, a->value.bias, H), *y;

  if (u->sparse)
    y = attend_sparsely(c, p, u->causal, q, k, v);
  else
    y = fc_attend(c, q, k, v, u->causal ? causal_bias(c, H, T) : NULL, m->cfg.dropout, u->as);
  if (u->mixed)
    return add_mapped(c, m, &a->out, last(c, fc_reshape(c, y, 3, x->dim), u->keep), last(c, x, u->keep));
  y = fc_dropout(c, fc_linear_merge(c, y, a->out.weight, a->out.bias, FC_ACT_NONE), m->cfg.dropout);
  return last(c, fc_add_in_place(c, y, x), u->keep);
}

/* ---- encoder ---- */

/* pool(ELU(BN(conv x))). ELU grows with its argument, so it may wait for the pool, which leaves half. */
static fc_tensor *distil(fc_ctx *c, const model *m, const distil_layer *l, fc_tensor *x) {
  const fc_conv_spec spec = {.stride = 1, .pad = wrapped(m), .groups = 1, .periodic = true};

  x = fc_batch_norm_apply(c, &l->norm, fc_conv(c, x, l->conv.weight, l->conv.bias, spec));
  return fc_activate(c, fc_max_pool(c, x, 3, 2, 1), FC_ACT_ELU);
}

static fc_tensor *encode(fc_ctx *c, pass *p, const encoder *e, fc_tensor *x) {
  const model *m = p->m;

  for (int i = 0; i < e->layers; i++) {
    const fc_encoder_layer *l = &e->layer[i];
    if (i > 0 && m->cfg.distil) x = distil(c, m, &e->distil[i - 1], x);
    const attention_use u = {
        .sparse = sparse(m), .mixed = library(m), .keep = x->dim[1], .as = {"encoder_attention", i}};
    x = fc_layer_norm_apply(c, &l->norm1, attend(c, p, &l->attention, &u, x, x));
    x = fc_feed_forward(c, &l->conv1, &l->conv2, &l->norm2, &m->use, x);
  }
  return fc_layer_norm_apply(c, &e->norm, x);
}

/* h [B, L, D] of the lookback to what the decoder looks at */
static fc_tensor *memory_of(fc_ctx *c, pass *p, fc_tensor *h) {
  const model *m = p->m;
  fc_tensor   *part[FC_LIST];

  for (int k = 0; k < m->encoders; k++)
    part[k] = encode(c, p, &m->encoder[k], last(c, h, m->encoder[k].steps));
  return m->encoders == 1 ? part[0] : fc_concat(c, 1, m->encoders, part);
}

/* ---- decoder ---- */

/* the last `keep` steps of a layer's result: of the last layer nobody reads more than the horizon. What full
   attention does not need is left out before it; a sparse one ranks all queries. */
static fc_tensor *decode(fc_ctx *c, pass *p, int number, fc_tensor *h, fc_tensor *memory, int64_t keep) {
  const model         *m     = p->m;
  const decoder_layer *l     = &m->decoder[number];
  const attention_use  self  = {.sparse = sparse(m),
                                .causal = true,
                                .mixed  = library(m) || m->cfg.mix,
                                .keep   = h->dim[1],
                                .as     = {"decoder_attention", number}};
  const attention_use  cross = {
       .sparse = library(m), .mixed = library(m), .keep = keep, .as = {"cross_attention", number}};

  h = fc_layer_norm_apply(c, &l->norm1, attend(c, p, &l->self, &self, h, h));
  if (!cross.sparse) h = last(c, h, keep);
  h = fc_layer_norm_apply(c, &l->norm2, attend(c, p, &l->cross, &cross, h, memory));
  return fc_feed_forward(c, &l->conv1, &l->conv2, &l->norm3, &m->use, h);
}

/* x_enc (B, L, N), x_mark_enc (B, L, M), x_dec (B, label + P, N), x_mark_dec (B, label + P, M) -> (B, P,
   c_out); marks may be absent. probsparse/NN/index_sample (queries, samples): keys to try instead of drawn
   ones */
static fc_tensor *apply(fc_ctx *c, const void *self, const fc_batch *b) {
  const model   *m = self;
  const config  *g = &m->cfg;
  pass           p = begin(c, m, b);
  fc_tensor     *x = fc_batch_get(b, "x_enc"), *h, *memory;
  fc_window_norm window;

  if (g->task_name == SHORT_TERM) x = fc_window_normalise(c, FC_WINDOW_DETACHED, x, &window);
  h      = fc_data_embedding_apply(c, &m->enc_embedding, x, fc_batch_get(b, "x_mark_enc"), g->dropout);
  memory = memory_of(c, &p, h);
  h = fc_data_embedding_apply(c, &m->dec_embedding, fc_batch_get(b, "x_dec"), fc_batch_get(b, "x_mark_dec"),
                              g->dropout);
  for (int i = 0; i < g->d_layers; i++)
    h = decode(c, &p, i, h, memory, i == g->d_layers - 1 ? g->pred_len : h->dim[1]);
  h = fc_linear_apply(c, &m->projection, fc_layer_norm_apply(c, &m->norm, h), FC_ACT_NONE);
  return g->task_name == SHORT_TERM ? fc_window_restore(c, h, &window) : h;
}

/* ---- boundary ---- */

static fc_status check_marks(const fc_data_embedding *l, const fc_batch *b, const char *name, int64_t B,
                             int64_t T) {
  fc_tensor *marks;

  if (!fc_batch_get(b, name)) return FC_OK;
  FC_TRY(fc_batch_need(b, name, FC_DIMS(B, T, -1), &marks));
  return fc_mark_embedding_check(&l->marks, marks, name);
}

/* recorded keys: all tables or none */
static fc_status check_samples(const model *m, const fc_batch *b) {
  fc_tensor *t;

  if (!m->calls || !fc_batch_get(b, m->draw_name[0])) return FC_OK;
  FC_REQUIRE(m->calls <= FC_BATCH_MAX, FC_E_MISMATCH,
             "the network draws keys %d times; recorded ones are taken for at most %d", m->calls,
             FC_BATCH_MAX);
  for (int i = 0; i < m->calls; i++) {
    const prob_call *l = &m->call[i];
    FC_TRY(fc_batch_need(b, m->draw_name[i], FC_DIMS(l->queries, l->samples), &t));
    for (int64_t j = 0; j < fc_len(t); j++)
      FC_REQUIRE(t->x[j] >= 0 && t->x[j] < (fc_real)l->keys && t->x[j] == (fc_real)(int64_t)t->x[j],
                 FC_E_MISMATCH, "%s: %g is no number of a key; there are %lld", m->draw_name[i],
                 (double)t->x[j], (long long)l->keys);
  }
  return FC_OK;
}

static fc_status check(const void *self, const fc_batch *b) {
  const model  *m = self;
  const config *g = &m->cfg;
  const int64_t T = g->label_len + g->pred_len;
  fc_tensor    *x, *y;

  FC_TRY(fc_batch_need(b, "x_enc", FC_DIMS(-1, g->seq_len, g->enc_in), &x));
  FC_TRY(fc_batch_need(b, "x_dec", FC_DIMS(x->dim[0], T, g->dec_in), &y));
  FC_TRY(check_marks(&m->enc_embedding, b, "x_mark_enc", x->dim[0], g->seq_len));
  FC_TRY(check_marks(&m->dec_embedding, b, "x_mark_dec", x->dim[0], T));
  return check_samples(m, b);
}

static fc_status series(const void *self, fc_series_wants *out) {
  const config *g = &((const model *)self)->cfg;

  FC_REQUIRE(g->dec_in == g->enc_in && g->c_out <= g->enc_in, FC_E_USAGE,
             "informer: of a series dec_in %lld must be enc_in %lld, and c_out %lld not above it",
             (long long)g->dec_in, (long long)g->enc_in, (long long)g->c_out);
  FC_REQUIRE(g->label_len <= g->seq_len, FC_E_USAGE,
             "informer: label_len %lld is longer than the lookback, seq_len %lld", (long long)g->label_len,
             (long long)g->seq_len);
  *out = (fc_series_wants){.lookback = g->seq_len,
                           .label    = g->label_len,
                           .horizon  = g->pred_len,
                           .variates = g->enc_in,
                           .targets  = g->c_out};
  if (g->marks) out->marks = g->embed == FC_EMBED_TIMEF ? FC_MARKS_SCALED : FC_MARKS_WHOLE;
  snprintf(out->freq, sizeof out->freq, "%.7s", g->freq);
  return FC_OK;
}

const fc_model_def fc_model_informer = {
    .name        = "informer",
    .task        = "forecaster",
    .summary     = "sparse attention, an encoder that halves the steps, the whole horizon at once",
    .paper       = "Zhou, Zhang, Peng, Zhang, Li, Xiong, Zhang, AAAI 2021, arXiv 2012.07436",
    .options     = options,
    .config_size = sizeof(config),
    .self_size   = sizeof(model),
    .init        = init,
    .check       = check,
    .apply       = apply,
    .series      = series,
};
