/* tests/forecast/model_tft.c - what reference cases cannot show: gradients in double, ragged windows, columns
   of series, what an observer sees, refusals. ELU's second slope jumps at zero, which a difference quotient
   notices if it steps across; the sizes below are such that none does by more than the tolerance. */
#include "core/config.h"
#include "io/case_file.h"
#include "io/safetensors.h"
#include "tests/check_model.h"

extern const fc_model_def fc_model_tft;

/* ---- the library's variant ---- */

#define LIBRARY "variant=tslib seq_len=5 label_len=2 pred_len=3 enc_in=3 d_model=4 n_heads=2 dropout=0 "
/* the mean of the lookback is taken off without a gradient, so that of x_enc is not what differences say */
#define MARKED(marks)                                                                                        \
  CHECK_INPUTS({"x_enc", {3, {2, 5, 3}, .fixed = true}}, {"x_mark_enc", {3, {2, 5, marks}}},                 \
               {"x_mark_dec", {3, {2, 5, marks}}})

static void gradients_library(void) {
  check_model("tft_library", &fc_model_tft, LIBRARY "freq=h", MARKED(4));
  check_model("tft_library_static", &fc_model_tft, LIBRARY "freq=d static=[2,0]", MARKED(3));
  check_model("tft_library_one_mark", &fc_model_tft, LIBRARY "freq=m observed=[1] n_heads=1 d_model=3",
              MARKED(1));
}

static fc_batch marked_batch(fc_ctx *c, int64_t B) {
  fc_batch b = {0};

  fc_batch_put(&b, "x_enc", check_random(c, FC_DIMS(B, 5, 3)));
  fc_batch_put(&b, "x_mark_enc", check_random(c, FC_DIMS(B, 5, 4)));
  fc_batch_put(&b, "x_mark_dec", check_random(c, FC_DIMS(B, 5, 4)));
  return b;
}

static fc_tensor *apply(fc_ctx *c, const check_net *n, const fc_batch *b) {
  CHECK_OK(n->def->check(n->self, b));
  return n->def->apply(c, n->self, b);
}

/* the lookback is zero in the output, and series see the horizon alone */
static void series_of_the_library(void) {
  fc_ctx         *c = check_ctx();
  check_net       n = check_net_build(&fc_model_tft, LIBRARY);
  fc_batch        b = marked_batch(c, 2), packed;
  fc_series_wants w;

  CHECK_OK(n.def->series(n.self, &w));
  CHECK(w.lookback == 5 && w.label == 2 && w.horizon == 3 && w.variates == 3 && w.marks == FC_MARKS_SCALED &&
        !strcmp(w.freq, "h") && !w.n_columns && !w.n_quantiles);
  n.def->series_pack(c, n.self, &b, &packed);
  fc_tensor *y = apply(c, &n, &packed), *z = n.def->series_unpack(c, n.self, y);
  CHECK(y->dim[1] == 8 && z->dim[1] == 3);
  for (int i = 0; i < 5 * 3; i++) CHECK_NEAR(y->x[i], 0, 0);
  CHECK(check_distance(z, fc_slice(c, y, 1, 5, 3)) == 0 && z->x[0] != 0);
  check_net_drop(&n);
}

/* ---- columns ---- */

#define COLUMNS                                                                                              \
  "hidden_size=7 attention_head_size=2 hidden_continuous_size=3 dropout=0 max_encoder_length=4 "             \
  "max_prediction_length=3 quantiles=[0.1,0.5,0.9] "
#define ALL                                                                                                  \
  COLUMNS "static_categoricals=[shop] static_reals=[area,rent] time_varying_categoricals_encoder=[day] "     \
          "time_varying_categoricals_decoder=[day] time_varying_reals_encoder=[price,week,sold] "            \
          "time_varying_reals_decoder=[price,week] n_classes={shop:4,day:3} "
enum { B = 3, L = 4, P = 3, K = 2, R = 5 };

/* classes and lengths cannot be random numbers: the model gets them from here */
static struct { fc_real past[B * L * K], ahead[B * P * K], lengths[2][B]; } given;

static void give(const double *past, const double *ahead) {
  static const int of[K] = {4, 3};

  for (int i = 0; i < B * L * K; i++) given.past[i] = (fc_real)(i * 7 / 3 % of[i % K]);
  for (int i = 0; i < B * P * K; i++) given.ahead[i] = (fc_real)(i * 5 / 2 % of[i % K]);
  for (int b = 0; b < B; b++) given.lengths[0][b] = (fc_real)past[b], given.lengths[1][b] = (fc_real)ahead[b];
}

static fc_batch with_classes(fc_ctx *c, const fc_batch *b) {
  fc_batch all = *b;

  fc_batch_put(&all, "encoder_cat", fc_tensor_borrow(c->arena, given.past, FC_DIMS(B, L, K)));
  fc_batch_put(&all, "decoder_cat", fc_tensor_borrow(c->arena, given.ahead, FC_DIMS(B, P, K)));
  fc_batch_put(&all, "encoder_lengths", fc_tensor_borrow(c->arena, given.lengths[0], FC_DIMS(B)));
  fc_batch_put(&all, "decoder_lengths", fc_tensor_borrow(c->arena, given.lengths[1], FC_DIMS(B)));
  return all;
}

/* apply_given checks, when all inputs are there */
static fc_status check_later(const void *self, const fc_batch *b) {
  (void)self, (void)b;
  return FC_OK;
}

static fc_tensor *apply_given(fc_ctx *c, const void *self, const fc_batch *b) {
  const fc_batch all = with_classes(c, b);

  CHECK_OK(fc_model_tft.check(self, &all));
  return fc_model_tft.apply(c, self, &all);
}

static void check_columns(const char *name, const char *options, const double *past, const double *ahead) {
  fc_model_def def = fc_model_tft;

  def.check = check_later, def.apply = apply_given;
  give(past, ahead);
  check_model(name, &def, options,
              CHECK_INPUTS({"encoder_cont", {3, {B, L, R}}}, {"decoder_cont", {3, {B, P, R}}}));
}

static const double whole[2][B] = {{L, L, L}, {P, P, P}}, partial[2][B] = {{2, L, 3}, {P, 2, P}},
                    empty[2][B] = {{0, L, 0}, {P, 1, 0}};

static void gradients_columns(void) {
  check_columns("tft_columns", ALL, whole[0], whole[1]);
  check_columns("tft_columns_all_seen", ALL "causal_attention=false", whole[0], whole[1]);
  check_columns("tft_columns_ragged", ALL "lstm_layers=2 hidden_continuous_sizes={sold:9,area:4}", partial[0],
                partial[1]);
  check_columns("tft_columns_empty", ALL "lstm_layers=2", empty[0], empty[1]);
  check_columns("tft_columns_shared",
                ALL "share_single_variable_networks=true causal_attention=false embedding_sizes={day:[3,9]}",
                empty[0], empty[1]);
}

/* one variable needs no selection; none ahead is a horizon of zeros */
static void gradients_few_columns(void) {
  check_model(
      "tft_one_column", &fc_model_tft, COLUMNS "time_varying_reals_encoder=[a]",
      CHECK_INPUTS({"encoder_cont", {3, {2, L, 1}}}, {"decoder_cont", {3, {2, P, 1}, .fixed = true}}));
  check_model("tft_known_column", &fc_model_tft,
              COLUMNS "time_varying_reals_encoder=[a,b] time_varying_reals_decoder=[b] attention_head_size=4",
              CHECK_INPUTS({"encoder_cont", {3, {1, 1, 2}}}, {"decoder_cont", {3, {1, 1, 2}}}));
}

static fc_batch column_batch(fc_ctx *c) {
  fc_batch b = {0};

  fc_batch_put(&b, "encoder_cont", check_random(c, FC_DIMS(B, L, R)));
  fc_batch_put(&b, "decoder_cont", check_random(c, FC_DIMS(B, P, R)));
  return with_classes(c, &b);
}

/* what lies behind the end of a window changes nothing up to there */
static void padding_is_not_seen(void) {
  fc_ctx   *c = check_ctx();
  check_net n = check_net_build(&fc_model_tft, ALL "lstm_layers=2 causal_attention=false");
  give(partial[0], partial[1]);
  fc_batch   b = column_batch(c);
  fc_tensor *x = fc_batch_get(&b, "encoder_cont"), *z = fc_batch_get(&b, "decoder_cont"),
            *before = apply(c, &n, &b);

  for (int w = 0; w < B; w++) {
    for (int i = (int)partial[0][w] * R; i < L * R; i++) x->x[w * L * R + i] += 3;
    for (int i = (int)partial[1][w] * R; i < P * R; i++) z->x[w * P * R + i] -= 2;
  }
  fc_tensor *after = apply(c, &n, &b);
  for (int w = 0; w < B; w++)
    for (int i = 0; i < (int)partial[1][w] * 3; i++)
      CHECK_NEAR(after->x[w * P * 3 + i], before->x[w * P * 3 + i], 0);
  CHECK(check_distance(after, before) > 1e-4); /* behind it something may happen */
  z->x[2] += 1;                                /* and one step earlier, the price does matter */
  fc_tensor *moved = apply(c, &n, &b);
  CHECK(check_distance(fc_slice(c, moved, 0, 0, 1), fc_slice(c, after, 0, 0, 1)) > 1e-4);
  CHECK(check_distance(fc_slice(c, moved, 0, 1, 2), fc_slice(c, after, 0, 1, 2)) == 0); /* in its window */
  check_net_drop(&n);
}

/* with causal attention a step of the horizon depends on none behind it, without on all */
static void future_is_not_seen(void) {
  fc_ctx   *c    = check_ctx();
  check_net n[2] = {check_net_build(&fc_model_tft, ALL),
                    check_net_build(&fc_model_tft, ALL "causal_attention=false")};
  give(whole[0], whole[1]);
  fc_batch   b = column_batch(c);
  fc_tensor *z = fc_batch_get(&b, "decoder_cont"), *y[2];

  for (int i = 0; i < 2; i++) y[i] = apply(c, &n[i], &b);
  z->x[(P - 1) * R + 2] += 1; /* price at the last step of window 0 */
  CHECK(check_distance(fc_slice(c, apply(c, &n[0], &b), 1, 0, P - 1), fc_slice(c, y[0], 1, 0, P - 1)) == 0);
  CHECK(check_distance(fc_slice(c, apply(c, &n[1], &b), 1, 0, P - 1), fc_slice(c, y[1], 1, 0, P - 1)) > 1e-6);
  for (int i = 0; i < 2; i++) check_net_drop(&n[i]);
}

/* class 0 of a padded column learns nothing and begins as zeros */
static void padding_row(void) {
  fc_ctx   *c = check_ctx();
  check_net n = check_net_build(&fc_model_tft, ALL "embedding_paddings=[day]");
  give(whole[0], whole[1]);
  fc_batch      b    = column_batch(c);
  fc_tensor    *t    = fc_params_find(n.params, "input_embeddings.embeddings.day.weight");
  const int64_t D    = fc_last(t);
  double        rest = 0;

  c->grad = true;
  fc_backward(c, fc_sum_all(c, fc_mul(c, apply(c, &n, &b), apply(c, &n, &b))));
  for (int64_t j = 0; j < D; j++) CHECK(t->x[j] == 0 && t->g[j] == 0);
  for (int64_t j = D; j < 3 * D; j++) rest += fabs((double)t->g[j]);
  CHECK(rest > 1e-6);
  c->grad = false;
  check_net_drop(&n);
}

/* ---- series with columns ---- */

static void columns_are_asked_for(void) {
  static const struct {
    const char    *name;
    fc_column_role role;
    int64_t        categories;
  } want[] = {{"shop", FC_COLUMN_STATIC, 4}, {"day", FC_COLUMN_KNOWN, 3},   {"area", FC_COLUMN_STATIC, 0},
              {"rent", FC_COLUMN_STATIC, 0}, {"price", FC_COLUMN_KNOWN, 0}, {"week", FC_COLUMN_KNOWN, 0},
              {"sold", FC_COLUMN_TARGET, 0}};
  check_net       n = check_net_build(&fc_model_tft, ALL);
  fc_series_wants w;

  CHECK_OK(n.def->series(n.self, &w));
  CHECK(w.lookback == 4 && w.horizon == 3 && w.targets == 1 && w.n_quantiles == 3 && w.quantile[2] == 0.9);
  CHECK(w.n_columns == FC_COUNT(want));
  for (int i = 0; i < FC_COUNT(want); i++)
    CHECK(!strcmp(w.column[i].name, want[i].name) && w.column[i].role == want[i].role &&
          w.column[i].categories == want[i].categories);
  check_net_drop(&n);
}

/* lookback and horizon are cut from what is handed over, and lengths fit */
static void packs_columns(void) {
  fc_ctx   *c        = check_ctx();
  check_net n        = check_net_build(&fc_model_tft, ALL);
  fc_batch  standard = {0}, b;
  give(partial[0], partial[1]);
  const fc_batch parts   = column_batch(c);
  fc_tensor     *lengths = fc_tensor_new(c->arena, FC_DIMS(B, 2));

  for (int i = 0; i < 2 * B; i++) lengths->x[i] = given.lengths[i % 2][i / 2];
  fc_batch_put(
      &standard, "reals",
      fc_concat(c, 1, FC_IN(fc_batch_get(&parts, "encoder_cont"), fc_batch_get(&parts, "decoder_cont"))));
  fc_batch_put(
      &standard, "categories",
      fc_concat(c, 1, FC_IN(fc_batch_get(&parts, "encoder_cat"), fc_batch_get(&parts, "decoder_cat"))));
  fc_batch_put(&standard, "lengths", lengths);
  n.def->series_pack(c, n.self, &standard, &b);
  fc_tensor *y = apply(c, &n, &b), *z = n.def->series_unpack(c, n.self, y);
  CHECK(check_distance(y, apply(c, &n, &parts)) == 0);
  CHECK(z->ndim == 4 && z->dim[1] == P && z->dim[2] == 1 && z->dim[3] == 3);
  check_net_drop(&n);
}

/* widths of embeddings follow from numbers of classes, at most the network's own width */
static void widths_by_rule(void) {
  static const int classes[] = {1, 2, 3, 12, 100, 100000}, width[] = {1, 1, 3, 6, 21, 64};
  char             options[300];

  for (int i = 0; i < FC_COUNT(classes); i++) {
    sprintf(options, "hidden_size=64 static_categoricals=[s] time_varying_reals_encoder=[y] n_classes={s:%d}",
            classes[i]);
    check_net        n = check_net_build(&fc_model_tft, options);
    const fc_tensor *t = fc_params_find(n.params, "input_embeddings.embeddings.s.weight");
    CHECK(t->dim[0] == classes[i] && t->dim[1] == width[i]);
    check_net_drop(&n);
  }
}

/* ---- what an observer sees, against what the official code returns ---- */

typedef struct {
  int        n;
  char       name[8][32];
  fc_tensor *t[8];
  fc_ctx    *c;
} seen;

static void see(void *user, fc_shown as, const fc_tensor *t) {
  seen *s = user;

  snprintf(s->name[s->n], sizeof s->name[0], "%s", as.what);
  s->t[s->n] = fc_tensor_new(s->c->arena, t->ndim, t->dim);
  memcpy(s->t[s->n++]->x, t->x, (size_t)fc_len(t) * sizeof *t->x);
}

static fc_tensor *seen_as(const seen *s, const char *name) {
  for (int i = 0; i < s->n; i++)
    if (!strcmp(s->name[i], name)) return s->t[i];
  CHECK(!"nothing of this name was shown");
  return NULL;
}

static void compare(fc_case_file *f, const char *name, fc_tensor *t) {
  const fc_case_array *a;
  double               off = 0;

  CHECK_OK(fc_case_read(f, name, &a));
  for (int64_t i = 0; i < fc_len(t); i++) off = fmax(off, fabs((double)t->x[i] - a->x[i]));
  CHECK_NEAR(off, 0, 2e-6);
}

static fc_status official_net(const char *folder, check_net *n) {
  fc_config *config;
  char       path[700];
  void      *options = calloc(1, fc_model_tft.config_size);

  *n = (check_net){&fc_model_tft, calloc(1, fc_model_tft.self_size), NULL};
  snprintf(path, sizeof path, "%s/config.json", folder);
  FC_TRY(fc_config_load(path, &config));
  FC_TRY(fc_config_bind(config, 1, &(fc_section){"args", fc_model_tft.options, options}, true));
  FC_TRY(fc_params_create(&n->params));
  FC_TRY(fc_model_tft.init(n->self, n->params, options));
  FC_TRY(fc_params_commit(n->params, 0, false));
  fc_config_destroy(config);
  free(options);
  snprintf(path, sizeof path, "%s/weights.safetensors", folder);
  return fc_weights_load(path, n->params, true, NULL);
}

/* all names of shared modules are there again, and the numbers are the same */
static void saved_as_it_was(const char *folder, const check_net *n) {
  char            path[700];
  fc_safetensors *a, *b;

  CHECK_OK(fc_weights_save(check_path("saved"), n->params));
  snprintf(path, sizeof path, "%s/weights.safetensors", folder);
  CHECK_OK(fc_safetensors_open(path, &a));
  CHECK_OK(fc_safetensors_open(check_path("saved"), &b));
  CHECK(fc_safetensors_size(a) == fc_safetensors_size(b));
  for (int i = 0; i < fc_safetensors_size(a); i++) {
    int k = 0;
    while (k < fc_safetensors_size(b) && strcmp(fc_safetensors_at(a, i)->name, fc_safetensors_at(b, k)->name))
      k++;
    if (k == fc_safetensors_size(b)) {
      fprintf(stderr, "%s is not written\n", fc_safetensors_at(a, i)->name);
      CHECK(!"a name is missing");
      continue;
    }
    const fc_safetensor *e     = fc_safetensors_at(a, i);
    const size_t         bytes = (size_t)(e->end - e->begin) / 4 * sizeof(fc_real);
    fc_real             *x = malloc(bytes), *y = malloc(bytes);
    CHECK_OK(fc_safetensors_read(a, i, x));
    CHECK_OK(fc_safetensors_read(b, k, y));
    CHECK(!memcmp(x, y, bytes));
    free(x);
    free(y);
  }
  fc_safetensors_close(a);
  fc_safetensors_close(b);
}

static void shows_what_the_official_code_returns(void) {
  fc_ctx              *c        = check_ctx();
  seen                 s        = {.c = c};
  fc_observer          observer = {see, &s};
  fc_case_file        *f;
  const fc_case_array *list;
  fc_batch             b = {0};
  check_net            n;
  char                 folder[600], path[700];
  int                  n_in;

  if (!getenv("FC_SOURCE_DIR")) return;
  snprintf(folder, sizeof folder, "%s/tests/golden/tft-pf-a", getenv("FC_SOURCE_DIR"));
  CHECK_OK(official_net(folder, &n));
  snprintf(path, sizeof path, "%s/case.h5", folder);
  CHECK_OK(fc_case_open(path, &f));
  CHECK_OK(fc_case_group(f, "/input", &n_in, &list));
  for (int i = 0; i < n_in; i++) {
    fc_tensor *t = fc_tensor_new(c->arena, list[i].ndim, list[i].dim);
    for (int64_t j = 0; j < fc_len(t); j++) t->x[j] = (fc_real)list[i].x[j];
    fc_batch_put(&b, list[i].name, t);
  }
  c->observer = &observer;
  apply(c, &n, &b);
  c->observer = NULL;
  compare(f, "/aux/static_variables", seen_as(&s, "static_variables"));
  compare(f, "/aux/encoder_variables", seen_as(&s, "encoder_variables"));
  compare(f, "/aux/decoder_variables", seen_as(&s, "decoder_variables"));
  fc_tensor *A = fc_permute(c, seen_as(&s, "attention"), (int[]){0, 2, 1, 3}); /* officially [B, P, H, T] */
  compare(f, "/aux/encoder_attention", fc_slice(c, A, 3, 0, 12));
  compare(f, "/aux/decoder_attention", fc_slice(c, A, 3, 12, 6));
  saved_as_it_was(folder, &n);
  fc_case_close(f);
  check_net_drop(&n);
}

/* ---- refusals ---- */

static void options_refused(void) {
  static const struct {
    const char *options, *why;
  } wrong[] = {
      {LIBRARY "d_model=5", "no multiple of n_heads"},
      {LIBRARY "c_out=2", "c_out 2 is not enc_in 3"},
      {LIBRARY "freq=x", "freq 'x' is none of"},
      {LIBRARY "static=[3]", "static names variate 3, which enc_in does not have"},
      {LIBRARY "static=[1] observed=[1]", "observed names variate 1, which is there already"},
      {LIBRARY "static=[0,1,2]", "all variates are static"},
      {COLUMNS, "no columns over the lookback"},
      {COLUMNS "time_varying_reals_encoder=[a] attention_head_size=9", "hidden_size 7 is less than one"},
      {COLUMNS "time_varying_categoricals_encoder=[a]",
       "how many classes has the column 'a'? set n_classes.a"},
      {COLUMNS "time_varying_reals_encoder=[a] x_reals=[b]", "the column 'a' is not in x_reals"},
      {COLUMNS "time_varying_reals_encoder=[a.b]", "the column 'a.b' has a point in its name"},
      {COLUMNS "time_varying_reals_encoder=[a] static_categoricals=[a] n_classes={a:2}",
       "the column 'a' is among the classes and among the numbers"},
  };
  check_net n;

  for (int i = 0; i < FC_COUNT(wrong); i++) {
    CHECK_FAILS(check_net_try(&fc_model_tft, wrong[i].options, &n), FC_E_USAGE, wrong[i].why);
    check_net_drop(&n);
  }
}

static void series_refused(void) {
  static const struct {
    const char *options, *why;
  } wrong[] = {
      {COLUMNS "time_varying_reals_encoder=[a] time_varying_reals_decoder=[a]", "no column to forecast"},
      {ALL "target=price", "no column to forecast"},
      {ALL "output_size=2", "output_size 2 for 3 quantiles"},
  };
  fc_series_wants w;

  for (int i = 0; i < FC_COUNT(wrong); i++) {
    check_net n = check_net_build(&fc_model_tft, wrong[i].options);
    CHECK_FAILS(n.def->series(n.self, &w), FC_E_USAGE, wrong[i].why);
    check_net_drop(&n);
  }
}

static void inputs_refused(void) {
  fc_ctx   *c = check_ctx();
  check_net n = check_net_build(&fc_model_tft, ALL);
  fc_batch  b;

  give(whole[0], whole[1]);
  b             = column_batch(c);
  given.past[3] = 3;
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, "encoder_cat, column 'day': 3 is no class");
  give(whole[0], whole[1]);
  given.lengths[0][1] = 5;
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH,
              "encoder_lengths: 5 is no number of steps from 0 to 4");
  give((double[]){0, 0, 0}, whole[1]);
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, "encoder_lengths: no window has a single step");
  give(whole[0], whole[1]);
  b.n--; /* without decoder_lengths */
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, "one of them is missing");
  b.n = 1;
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, "encoder_cat");
  check_net_drop(&n);
  n      = check_net_build(&fc_model_tft, LIBRARY);
  b      = marked_batch(c, 2);
  b.t[2] = check_random(c, FC_DIMS(2, 2, 4));
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, "x_mark_dec has 2 steps, the model wants 3");
  b.t[1] = check_random(c, FC_DIMS(2, 5, 3));
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, "x_mark_enc");
  check_net_drop(&n);
  n = check_net_build(&fc_model_tft, LIBRARY "embed=learned");
  b = marked_batch(c, 2);
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, "x_mark_enc: ");
  check_net_drop(&n);
}

/* only in training, and then the result depends on the seed */
static void dropout(void) {
  fc_ctx   *c = check_ctx();
  check_net n = check_net_build(&fc_model_tft, ALL "dropout=0.3 lstm_layers=2");
  give(whole[0], whole[1]);
  fc_batch   b = column_batch(c);
  fc_tensor *still[2], *moved[2];

  for (int i = 0; i < 2; i++) {
    c->seed     = (uint64_t)i + 1;
    c->training = false;
    still[i]    = apply(c, &n, &b);
    c->training = true;
    moved[i]    = apply(c, &n, &b);
  }
  c->training = false;
  CHECK(check_distance(still[0], still[1]) == 0);
  CHECK(check_distance(moved[0], still[0]) > 1e-3 && check_distance(moved[0], moved[1]) > 1e-3);
  check_net_drop(&n);
}

CHECK_SUITE(model_tft, gradients_library, series_of_the_library, gradients_columns, gradients_few_columns,
            padding_is_not_seen, future_is_not_seen, padding_row, columns_are_asked_for, packs_columns,
            widths_by_rule, shows_what_the_official_code_returns, options_refused, series_refused,
            inputs_refused, dropout)
