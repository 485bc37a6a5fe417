/* tests/core/test_series_layers.c - the layers that forecasters share (core/nn/series.h), against their
   formulas in double. */
#include "core/nn/series.h"
#include "tests/check.h"

/* weights of one layer, made by `make` */
typedef void (*declare)(void *layer, fc_params *p);
static fc_params *weights(declare make, void *layer) {
  fc_params *p;

  CHECK_OK(fc_params_create(&p));
  make(layer, p);
  CHECK_OK(fc_params_commit(p, 11, false));
  return p;
}

/* ---- normalisation of a window ---- */

enum { B = 2, L = 7, N = 3 };

/* mean, and sqrt(biased variance + 1e-5), of variate v in window b */
static void moments(const fc_tensor *x, int b, int v, double *mean, double *scale) {
  double s = 0, q = 0;

  for (int t = 0; t < L; t++) s += (double)x->x[(b * L + t) * N + v] / L;
  for (int t = 0; t < L; t++) q += pow((double)x->x[(b * L + t) * N + v] - s, 2) / L;
  *mean  = s;
  *scale = sqrt(q + 1e-5);
}

static void window_by_formula(fc_window_kind kind) {
  fc_ctx          *c = check_ctx();
  fc_tensor       *x = check_random(c, FC_DIMS(B, L, N));
  fc_window_norm   n;
  const fc_tensor *z = fc_window_normalise(c, kind, x, &n);

  for (int i = 0; i < B * L * N; i++) {
    const int b = i / (L * N), v = i % N;
    double    shift, scale;
    moments(x, b, v, &shift, &scale);
    if (kind == FC_WINDOW_LAST) shift = (double)x->x[(b * L + L - 1) * N + v];
    CHECK_NEAR(z->x[i], ((double)x->x[i] - shift) / scale, 1e-5);
  }
  CHECK(check_distance(fc_window_restore(c, (fc_tensor *)z, &n), x) < 1e-6);
}

/* what is taken off comes back, over any horizon; a constant series stays what it is */
static void window_round_trip(void) {
  fc_ctx        *c = check_ctx();
  fc_tensor     *x = fc_tensor_new(c->arena, FC_DIMS(1, 4, 2)), *y;
  fc_window_norm n;

  for (int i = 0; i < 8; i++) x->x[i] = i % 2 ? -3 : 1000;
  y = fc_window_normalise(c, FC_WINDOW_DETACHED, x, &n);
  for (int i = 0; i < 8; i++) CHECK_NEAR(y->x[i], 0, 0);
  y = fc_window_restore(c, check_random(c, FC_DIMS(1, 9, 2)), &n);
  CHECK(y->dim[1] == 9);
  for (int i = 0; i < 18; i++) CHECK_NEAR(y->x[i], i % 2 ? -3 : 1000, 0.02); /* times sqrt 1e-5 */
  window_by_formula(FC_WINDOW_DEVIATION_FLOWS);
  window_by_formula(FC_WINDOW_DETACHED);
  window_by_formula(FC_WINDOW_LAST);
}

/* variate by variate the same comes out, with the affine part of RevIN in the same pass, and back */
static fc_tensor *turned(fc_ctx *c, fc_tensor *x) { return fc_permute(c, x, (int[]){0, 2, 1}); }
static void       make_affine(void *layer, fc_params *p) { fc_window_affine_init(layer, p, N); }

static void rows_as_windows(void) {
  fc_window_affine l;
  fc_params       *p = weights(make_affine, &l);

  for (int v = 0; v < N; v++) l.weight->x[v] = (fc_real)(v + 2), l.bias->x[v] = (fc_real)(0.5 * v);
  for (fc_window_kind kind = FC_WINDOW_DEVIATION_FLOWS; kind <= FC_WINDOW_LAST; kind++) {
    fc_ctx        *c = check_ctx();
    fc_tensor     *x = check_random(c, FC_DIMS(B, L, N)), *z, *want;
    fc_window_norm n, m;
    want = fc_window_normalise(c, kind, x, &m);
    CHECK(check_distance(turned(c, fc_rows_normalise(c, kind, NULL, turned(c, x), &n)), want) < 1e-6);
    z = fc_rows_normalise(c, kind, &l, turned(c, x), &n);
    CHECK(check_distance(turned(c, z), fc_window_affine_apply(c, &l, want)) < 1e-6);
    CHECK(check_distance(turned(c, fc_rows_restore(c, &l, z, &n)), x) < 1e-6);
    z = fc_rows_normalise(c, kind, NULL, turned(c, x), &n);
    CHECK(check_distance(turned(c, fc_rows_restore(c, NULL, z, &n)), x) < 1e-6);
  }
  fc_params_destroy(p);
}

/* d sum(w z) / dx where z = (x - shift) / scale, by formula: shift gives nothing but for the last value,
   scale only in the library's kind */
static double slope(const fc_tensor *x, const fc_tensor *w, fc_window_kind kind, int i) {
  const int b = i / (L * N), t = i / N % L, v = i % N;
  double    mean, scale, sum = 0, along = 0;

  moments(x, b, v, &mean, &scale);
  for (int s = 0; s < L; s++) {
    const int at = (b * L + s) * N + v;
    sum += (double)w->x[at];
    along += (double)w->x[at] * ((double)x->x[at] - mean);
  }
  double g = (double)w->x[i] / scale;
  if (kind == FC_WINDOW_LAST && t == L - 1) g -= sum / scale;
  if (kind == FC_WINDOW_DEVIATION_FLOWS) g -= along * ((double)x->x[i] - mean) / (L * scale * scale * scale);
  return g;
}

static fc_tensor *normalised(fc_ctx *c, fc_window_kind kind, fc_tensor *x, bool by_rows) {
  fc_window_norm n;

  if (!by_rows) return fc_window_normalise(c, kind, x, &n);
  return turned(c, fc_rows_normalise(c, kind, NULL, turned(c, x), &n));
}

static void gradients_of(fc_window_kind kind, bool by_rows) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(B, L, N)), *w = check_random(c, FC_DIMS(B, L, N));

  c->grad       = true;
  x->needs_grad = true;
  fc_keep(x);
  fc_backward(c, fc_sum_all(c, fc_mul(c, normalised(c, kind, x, by_rows), w)));
  c->grad = false;
  for (int i = 0; i < B * L * N; i++) CHECK_NEAR(x->g[i], slope(x, w, kind, i), 2e-5);
}

static void window_gradients(void) {
  for (fc_window_kind kind = FC_WINDOW_DEVIATION_FLOWS; kind <= FC_WINDOW_LAST; kind++) {
    gradients_of(kind, false);
    gradients_of(kind, true);
  }
}

static void affine(void) {
  fc_ctx          *c = check_ctx();
  fc_window_affine l;
  fc_params       *p = weights(make_affine, &l);
  fc_tensor       *z = check_random(c, FC_DIMS(B, L, N));

  CHECK(fc_params_find(p, "affine_weight") == l.weight && fc_params_find(p, "affine_bias") == l.bias);
  CHECK(check_distance(fc_window_affine_apply(c, &l, z), z) == 0); /* 1 and 0 at the start */
  for (int v = 0; v < N; v++) l.weight->x[v] = (fc_real)(v + 2), l.bias->x[v] = (fc_real)(0.5 * v);
  fc_tensor *y = fc_window_affine_apply(c, &l, z);
  for (int i = 0; i < B * L * N; i++)
    CHECK_NEAR(y->x[i], (double)z->x[i] * (i % N + 2) + 0.5 * (i % N), 1e-5);
  CHECK(check_distance(fc_window_affine_undo(c, &l, y), z) < 1e-6);
  fc_params_destroy(p);
}

/* ---- batch norm ---- */

static void make_norm(void *layer, fc_params *p) { fc_batch_norm_init(layer, p, "norm.1", N); }

/* names as PyTorch has them, a counter of steps that is a whole number in files, statistics that move by a
   tenth, and none of it outside of training or in a plan */
static void batch_norm(void) {
  fc_ctx             *c = check_ctx();
  fc_batch_norm_layer l;
  fc_params          *p    = weights(make_norm, &l);
  fc_tensor          *x    = check_random(c, FC_DIMS(40, N)), *y;
  double              mean = 0;

  CHECK(fc_params_size(p) == 5 && fc_params_trainable(p) == 2 * N);
  for (int i = 0; i < 5; i++) {
    fc_tensor *t;
    const bool counter = !strcmp(fc_params_at(p, i, &t), "norm.1.num_batches_tracked");
    CHECK(fc_params_whole(p, i) == counter && (t == l.count) == counter);
  }
  for (int r = 0; r < 40; r++) mean += (double)x->x[r * N + 1] / 40;
  y = fc_batch_norm_apply(c, &l, x);
  CHECK_NEAR(y->x[4], (double)x->x[4] / sqrt(1 + 1e-5), 1e-6);
  CHECK_NEAR(l.count->x[0], 0, 0);
  c->training = true;
  fc_batch_norm_apply(c, &l, x);
  fc_batch_norm_apply(c, &l, x);
  c->training = false;
  CHECK_NEAR(l.count->x[0], 2, 0);
  CHECK_NEAR(l.mean->x[1], (1 - 0.9 * 0.9) * mean, 1e-6);
  fc_params_destroy(p);
}

/* ---- places, neighbours, marks ---- */

enum { D = 10 };
static void make_places(void *layer, fc_params *p) { *(fc_tensor **)layer = fc_place_table(p, "pe", D); }

/* The official table is rounded to float after each step: place times frequency is off by up to half a unit
   of the last digit of 5000, and so are sine and cosine. */
static void places(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *table;
  fc_params *p = weights(make_places, &table);

  CHECK(table->ndim == 3 && table->dim[0] == 1 && table->dim[1] == FC_PLACES && table->dim[2] == D);
  for (int i = 0; i < FC_PLACES * D; i++) {
    const int    t = i / D, d = i % D;
    const double a = t * exp(-(d / 2 * 2) * log(10000) / D);
    CHECK_NEAR(table->x[i], d % 2 ? cos(a) : sin(a), 1e-6 + 6e-8 * 4 * t);
  }
  fc_tensor *x = check_random(c, FC_DIMS(2, 6, D)), *before = fc_affine(c, x, 1, 0);
  fc_tensor *y = fc_add_places(c, x, table);
  for (int i = 0; i < 2 * 6 * D; i++) CHECK_NEAR(y->x[i], before->x[i] + table->x[i % (6 * D)], 1e-6);
  fc_params_destroy(p);
}

static void make_conv(void *layer, fc_params *p) { fc_token_conv_init(layer, p, "tokenConv", N, 4, true); }

/* the step before the first is the last one */
static void token_conv(void) {
  fc_ctx    *c = check_ctx();
  fc_linear  l;
  fc_params *p = weights(make_conv, &l);
  fc_tensor *x = check_random(c, FC_DIMS(B, L, N)), *y = fc_token_conv_apply(c, &l, x);

  CHECK(y->dim[1] == L && y->dim[2] == 4);
  for (int i = 0; i < B * L * 4; i++) {
    const int b = i / (L * 4), t = i / 4 % L, o = i % 4;
    double    want = (double)l.bias->x[o];
    for (int k = 0; k < 3; k++)
      for (int v = 0; v < N; v++)
        want +=
            (double)l.weight->x[(o * N + v) * 3 + k] * (double)x->x[(b * L + (t + k - 1 + L) % L) * N + v];
    CHECK_NEAR(y->x[i], want, 1e-5);
  }
  fc_params_destroy(p);
}

static void marks_of_frequencies(void) {
  static const struct {
    const char *freq;
    int         scaled, whole;
  } cases[] = {{"s", 6, 4}, {"t", 5, 5}, {"h", 4, 4}, {"d", 3, 4}, {"b", 3, 4}, {"w", 2, 4},
               {"m", 1, 4}, {"q", 1, 4}, {"y", 0, 0}, {"", 0, 0},  {"th", 0, 0}};

  for (int i = 0; i < FC_COUNT(cases); i++) {
    CHECK_NEAR(fc_marks_of(FC_EMBED_TIMEF, cases[i].freq), cases[i].scaled, 0);
    CHECK_NEAR(fc_marks_of(FC_EMBED_FIXED, cases[i].freq), cases[i].whole, 0);
    CHECK_NEAR(fc_marks_of(FC_EMBED_LEARNED, cases[i].freq), cases[i].whole, 0);
  }
}

static fc_params *mark_weights(fc_mark_embedding *l, fc_embed_kind kind, const char *freq) {
  fc_params *p;

  CHECK_OK(fc_params_create(&p));
  CHECK_OK(fc_mark_embedding_init(l, p, "temporal_embedding", kind, freq, D, false));
  CHECK_OK(fc_params_commit(p, 5, false));
  return p;
}

static fc_tensor *whole_marks(fc_ctx *c, double month, double day, double weekday, double hour) {
  fc_tensor   *m      = fc_tensor_new(c->arena, FC_DIMS(1, 2, 4));
  const double now[4] = {month, day, weekday, hour}, one[4] = {1, 1, 0, 0};

  for (int i = 0; i < 8; i++) m->x[i] = (fc_real)(i < 4 ? one[i] : now[i - 4]);
  return m;
}

/* rows of the four tables add up; fixed ones are the sine and cosine of their number */
static void mark_tables(void) {
  for (fc_embed_kind kind = FC_EMBED_FIXED; kind <= FC_EMBED_LEARNED; kind++) {
    fc_ctx           *c = check_ctx();
    fc_mark_embedding l;
    fc_params        *p     = mark_weights(&l, kind, "h");
    const int         at[4] = {12, 31, 6, 23};
    fc_tensor        *marks = whole_marks(c, at[0], at[1], at[2], at[3]);
    CHECK_OK(fc_mark_embedding_check(&l, marks, "x_mark_enc"));
    const fc_tensor *y = fc_mark_embedding_apply(c, &l, marks);
    for (int d = 0; d < D; d++) {
      double want = 0;
      for (int i = 0; i < 4; i++) want += (double)l.table[i]->x[at[i] * D + d];
      CHECK_NEAR(y->x[D + d], want, 1e-5);
    }
    const char *name = kind == FC_EMBED_FIXED ? "temporal_embedding.hour_embed.emb.weight"
                                              : "temporal_embedding.hour_embed.weight";
    CHECK(fc_params_find(p, name) == l.table[3] && l.table[3]->dim[0] == 24);
    if (kind == FC_EMBED_FIXED) CHECK_NEAR(l.table[3]->x[23 * D], sin(23), 1e-6);
    fc_params_destroy(p);
  }
}

static void mark_refusals(void) {
  fc_ctx           *c = check_ctx();
  fc_mark_embedding l;
  fc_params        *p = mark_weights(&l, FC_EMBED_FIXED, "h");

  CHECK_FAILS(fc_mark_embedding_check(&l, whole_marks(c, 13, 1, 0, 0), "x_mark_enc"), FC_E_MISMATCH,
              "x_mark_enc: 13 is no number of a month");
  CHECK_FAILS(fc_mark_embedding_check(&l, whole_marks(c, 1, 1, -1, 0), "m"), FC_E_MISMATCH, "weekday");
  CHECK_FAILS(fc_mark_embedding_check(&l, whole_marks(c, 1, 1, 0, 0.5), "m"), FC_E_MISMATCH,
              "whole, 0 to 23");
  CHECK_FAILS(fc_mark_embedding_check(&l, whole_marks(c, 1, NAN, 0, 0), "m"), FC_E_MISMATCH, "day");
  CHECK_FAILS(fc_mark_embedding_check(&l, check_random(c, FC_DIMS(1, 2, 5)), "m"), FC_E_MISMATCH,
              "4 marks per step");
  fc_params_destroy(p);
  CHECK_OK(fc_params_create(&p));
  CHECK_FAILS(fc_mark_embedding_init(&l, p, "t", FC_EMBED_TIMEF, "hour", D, false), FC_E_USAGE, "'hour'");
  fc_params_destroy(p);
}

/* ---- the transformer layer ---- */

enum { HEADS = 2 };
static void make_layer(void *layer, fc_params *p) {
  fc_encoder_layer_init(layer, p, "encoder.attn_layers.0", D, 6);
}

typedef struct {
  int       calls;
  fc_tensor kept;
} view;

static void look(void *user, fc_shown as, const fc_tensor *t) {
  view *v = user;

  CHECK(!strcmp(as.what, "attention") && as.number == 5);
  v->calls++;
  v->kept = *t;
}

/* rows of the weights that an observer sees add up to one, and to be seen changes nothing; a layer that shows
   nothing is not looked at */
static void attention_of(int n) {
  fc_ctx              *c = check_ctx();
  fc_encoder_layer     l;
  fc_params           *p     = weights(make_layer, &l);
  const fc_encoder_use u     = {HEADS, FC_ACT_GELU, 0.1};
  fc_tensor           *x     = check_random(c, FC_DIMS(B, n, D));
  fc_tensor           *blind = fc_encoder_layer_apply(c, &l, &u, x, (fc_shown){"attention", 5});
  view                 v     = {0};
  fc_observer          o     = {look, &v};

  c->observer      = &o;
  fc_tensor *shown = fc_encoder_layer_apply(c, &l, &u, x, (fc_shown){"attention", 5});
  CHECK(v.calls == 1 && v.kept.ndim == 4 && v.kept.dim[1] == HEADS && v.kept.dim[3] == n);
  for (int r = 0; r < B * HEADS * n; r++) {
    double sum = 0;
    for (int j = 0; j < n; j++) sum += (double)v.kept.x[r * n + j];
    CHECK_NEAR(sum, 1, 2e-6);
  }
  CHECK(check_distance(shown, blind) < 2e-6);
  fc_tensor *hidden = fc_encoder_layer_apply(c, &l, &u, x, (fc_shown){NULL, 5});
  c->observer       = NULL;
  CHECK(v.calls == 1 && check_distance(hidden, blind) == 0);
  fc_params_destroy(p);
}

static void attention_weights(void) {
  attention_of(5);
  attention_of(130); /* more tokens than short attention takes */
}

/* tokens that do not go on are attended to all the same */
static void first_tokens(int n) {
  fc_ctx          *c = check_ctx();
  fc_encoder_layer l;
  fc_params       *p = weights(make_layer, &l);
  fc_encoder_use   u = {HEADS, FC_ACT_GELU, 0};
  fc_tensor       *x = check_random(c, FC_DIMS(B, n, D)), *all, *some;

  all     = fc_encoder_layer_apply(c, &l, &u, x, (fc_shown){NULL, 0});
  u.first = 3;
  some    = fc_encoder_layer_apply(c, &l, &u, x, (fc_shown){NULL, 0});
  CHECK(check_distance(some, fc_slice(c, all, 1, 0, 3)) < 1e-6);
  fc_params_destroy(p);
}

static void some_tokens_go_on(void) {
  first_tokens(5);
  first_tokens(130);
}

/* with a mask, both ways of computing give the same */
static void masked_attention(void) {
  fc_ctx     *c = check_ctx();
  fc_tensor  *q = check_random(c, FC_DIMS(B, HEADS, 4, 3)), *k = check_random(c, FC_DIMS(B, HEADS, 4, 3));
  fc_tensor  *v = check_random(c, FC_DIMS(B, HEADS, 4, 3)), *mask = fc_tensor_new(c->arena, FC_DIMS(1, 4, 4));
  view        w = {0};
  fc_observer o = {look, &w};

  for (int i = 0; i < 16; i++) mask->x[i] = i % 4 > i / 4 ? -(fc_real)INFINITY : 0;
  fc_tensor *blind = fc_attend(c, q, k, v, mask, 0.5, (fc_shown){"attention", 5});
  c->observer      = &o;
  fc_tensor *shown = fc_attend(c, q, k, v, mask, 0.5, (fc_shown){"attention", 5});
  c->observer      = NULL;
  CHECK(w.calls == 1 && check_distance(shown, blind) < 2e-6);
  for (int i = 0; i < 16; i++)
    if (i % 4 > i / 4) CHECK_NEAR(w.kept.x[i], 0, 0);
}

/* after both norms every token has mean 0 and variance 1 */
static void layer_is_post_norm(void) {
  fc_ctx              *c = check_ctx();
  fc_encoder_layer     l;
  fc_params           *p = weights(make_layer, &l);
  const fc_encoder_use u = {HEADS, FC_ACT_RELU, 0};
  const fc_tensor *y = fc_encoder_layer_apply(c, &l, &u, check_random(c, FC_DIMS(B, 5, D)), (fc_shown){0});

  CHECK(fc_params_find(p, "encoder.attn_layers.0.conv1.weight")->ndim == 3);
  for (int r = 0; r < B * 5; r++) {
    double mean = 0, square = 0;
    for (int d = 0; d < D; d++) mean += (double)y->x[r * D + d] / D;
    for (int d = 0; d < D; d++) square += pow((double)y->x[r * D + d], 2) / D;
    CHECK_NEAR(mean, 0, 1e-6);
    CHECK_NEAR(square, 1, 1e-3);
  }
  fc_params_destroy(p);
}

CHECK_SUITE(series_layers, window_round_trip, rows_as_windows, window_gradients, affine, batch_norm, places,
            token_conv, marks_of_frequencies, mark_tables, mark_refusals, attention_weights,
            some_tokens_go_on, masked_attention, layer_is_post_norm)
