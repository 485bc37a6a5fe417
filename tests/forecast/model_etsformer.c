/* tests/forecast/model_etsformer.c - what reference cases cannot show: gradients in double, that the parts
   add up, dropout and augmentation, what is shown, refusals. */
#include "tests/check_model.h"

extern const fc_model_def fc_model_etsformer;

#define SMALL "seq_len=12 pred_len=5 enc_in=3 d_model=6 n_heads=2 d_ff=5 "
/* a wave that is chosen must stay chosen while differences are taken: all of them, or none */
#define ALL "K=5 top_k=5 "
#define GRADIENT(name, options, ...)                                                                         \
  check_model(name, &fc_model_etsformer, SMALL options, CHECK_INPUTS(__VA_ARGS__))

static void gradients(void) {
  GRADIENT("etsformer_official", ALL, {"x_enc", {3, {2, 12, 3}}});
  GRADIENT("etsformer_no_season", "K=0 e_layers=1 n_heads=1", {"x_enc", {3, {3, 12, 3}}});
  GRADIENT("etsformer_library", ALL "variant=tslib e_layers=3 n_heads=3 pred_len=14",
           {"x_enc", {3, {1, 12, 3}}}, {"x_mark_enc", {3, {1, 12, 4}}});
  GRADIENT("etsformer_one", "variant=tslib seq_len=11 top_k=5 enc_in=1 activation=tanh d_layers=2 c_out=1",
           {"x_enc", {3, {2, 11, 1}}});
}

/* the published networks of the two codes for ETTh1 and ETTm2 */
static void parameters(void) {
  check_net n = check_net_build(&fc_model_etsformer, "variant=tslib");
  check_net o = check_net_build(&fc_model_etsformer, "variant=official");

  CHECK(fc_params_trainable(n.params) == 5281887 && fc_params_size(n.params) == 45);
  CHECK(fc_params_trainable(o.params) == 5279839 && fc_params_size(o.params) == 43);
  check_net_drop(&n);
  check_net_drop(&o);
}

static fc_tensor *apply_to(fc_ctx *c, const check_net *n, fc_tensor *x) {
  fc_batch b = {0};

  fc_batch_put(&b, "x_enc", x);
  CHECK_OK(n->def->check(n->self, &b));
  return n->def->apply(c, n->self, &b);
}

static void samples_are_apart(void) {
  fc_ctx    *c = check_ctx();
  check_net  n = check_net_build(&fc_model_etsformer, SMALL);
  fc_tensor *x = check_random(c, FC_DIMS(3, 12, 3)), *y = apply_to(c, &n, x);

  for (int s = 0; s < 3; s++)
    CHECK(check_distance(apply_to(c, &n, fc_slice(c, x, 0, s, 1)), fc_slice(c, y, 0, s, 1)) < 2e-6);
  check_net_drop(&n);
}

/* ---- what is shown ---- */

typedef struct {
  int        seen;
  fc_tensor *level, *growth, *season; /* the last layer's level, what is added ahead */
  fc_ctx    *c;
} notes;

static fc_tensor *copy(fc_ctx *c, const fc_tensor *t) { return fc_affine(c, (fc_tensor *)t, 1, 0); }

static void see(void *user, fc_shown as, const fc_tensor *t) {
  notes *n = user;

  n->seen++;
  if (!strcmp(as.what, "level") && as.number == 1) n->level = copy(n->c, t);
  if (!strcmp(as.what, "growth_ahead")) n->growth = copy(n->c, t);
  if (!strcmp(as.what, "season_ahead")) n->season = copy(n->c, t);
  if (!strcmp(as.what, "growth")) CHECK(t->ndim == 3 && t->dim[1] == 13 && t->dim[2] == 6);
  if (!strcmp(as.what, "season")) CHECK(t->ndim == 3 && t->dim[1] == 17 && t->dim[2] == 6);
}

/* a forecast is the last level, the growth and the season ahead */
static void parts_add_up(void) {
  fc_ctx     *c    = check_ctx();
  check_net   n    = check_net_build(&fc_model_etsformer, SMALL);
  notes       seen = {.c = c};
  fc_observer o    = {see, &seen};
  fc_tensor  *x    = check_random(c, FC_DIMS(2, 12, 3));

  c->observer        = &o;
  const fc_tensor *y = apply_to(c, &n, x);
  c->observer        = NULL;
  CHECK(seen.seen == 8 && seen.level && seen.growth && seen.season);
  for (int64_t i = 0; seen.level && i < fc_len(y); i++) {
    const int64_t b = i / 15, v = i % 3;
    const double  sum =
        (double)seen.level->x[(b * 12 + 11) * 3 + v] + (double)seen.growth->x[i] + (double)seen.season->x[i];
    CHECK_NEAR(y->x[i], sum, 1e-5);
  }
  check_net_drop(&n);
}

/* ---- training ---- */

/* Without season, growth and memory the forecast is the last step and a constant: y - x shows what training
   did to the input. */
static void silence(const check_net *n) {
  for (int i = 0; i < fc_params_size(n->params); i++) {
    fc_tensor  *t;
    const char *name = fc_params_at(n->params, i, &t);
    for (int64_t j = 0; j < fc_len(t); j++)
      t->x[j] = strstr(name, "level_layer.es._smoothing_weight") ? -60 : 0;
  }
}

/* scale and shift are shared by the batch, each variate has its own: noise-free they can be solved for */
static void augmentation(void) {
  fc_ctx    *c = check_ctx();
  check_net  n = check_net_build(&fc_model_etsformer, SMALL "dropout=0 K=0 std=0.2");
  fc_tensor *x = fc_tensor_new(c->arena, FC_DIMS(400, 12, 3)), *y;

  silence(&n);
  for (int64_t i = 0; i < fc_len(x); i++) x->x[i] = i / 36 % 2 ? 5 : -5;
  y = apply_to(c, &n, x);
  CHECK_NEAR(y->x[0], -5, 1e-5);
  c->training = true;
  c->draws    = 0;
  y           = apply_to(c, &n, x);
  c->draws    = 0;
  CHECK(check_distance(apply_to(c, &n, x), y) == 0); /* the same step again */
  c->step = 1;
  CHECK(check_distance(apply_to(c, &n, x), y) > 1e-3);
  c->step     = 0;
  c->training = false;
  double scale[3];
  for (int v = 0; v < 3; v++) {
    double mean[2] = {0, 0}, square = 0;
    for (int64_t b = 0; b < 400; b++) mean[b % 2] += (double)y->x[b * 15 + v] / 200;
    for (int64_t b = 0; b < 400; b++) square += pow((double)y->x[b * 15 + v] - mean[b % 2], 2) / 400;
    scale[v] = (mean[1] - mean[0]) / 10;
    CHECK(fabs(scale[v] - 1) < 1 && fabs(scale[v] - 1) > 1e-4);
    CHECK(fabs((mean[1] + mean[0]) / 2) > 1e-4);
    CHECK_NEAR(sqrt(square), 0.2, 0.03);
  }
  CHECK(fabs(scale[0] - scale[1]) > 1e-3 && fabs(scale[1] - scale[2]) > 1e-3);
  check_net_drop(&n);
}

static void dropout(void) {
  fc_ctx    *c = check_ctx();
  check_net  n = check_net_build(&fc_model_etsformer, SMALL "dropout=0.3 std=0");
  fc_tensor *x = check_random(c, FC_DIMS(2, 12, 3)), *still = apply_to(c, &n, x), *moved[2];

  for (int i = 0; i < 2; i++) {
    c->seed     = (uint64_t)i + 1;
    c->training = true;
    moved[i]    = apply_to(c, &n, x);
    c->training = false;
  }
  CHECK(check_distance(apply_to(c, &n, x), still) == 0);
  CHECK(check_distance(moved[0], still) > 1e-3 && check_distance(moved[0], moved[1]) > 1e-3);
  check_net_drop(&n);
}

/* ---- series and refusals ---- */

static void wants(const char *options, fc_marks_kind marks, const char *freq) {
  check_net       n = check_net_build(&fc_model_etsformer, options);
  fc_series_wants w;

  CHECK_OK(n.def->series(n.self, &w));
  CHECK(w.lookback == 12 && w.horizon == 5 && w.variates == 3 && w.label == 0 && w.targets == 0);
  CHECK(w.marks == marks && !strcmp(w.freq, freq));
  check_net_drop(&n);
}

static void series(void) {
  wants(SMALL, FC_MARKS_NONE, "");
  wants(SMALL "variant=tslib freq=t", FC_MARKS_SCALED, "t");
  wants(SMALL "variant=tslib embed=fixed", FC_MARKS_WHOLE, "h");
  wants(SMALL "variant=tslib marks=false", FC_MARKS_NONE, "");
}

static void options_refused(const char *options, const char *message) {
  check_net n;

  CHECK_FAILS(check_net_try(&fc_model_etsformer, options, &n), FC_E_USAGE, message);
  check_net_drop(&n);
}

static void refusals(void) {
  fc_ctx   *c = check_ctx();
  check_net n = check_net_build(&fc_model_etsformer, SMALL "variant=tslib");
  fc_batch  b = {0};

  options_refused("n_heads=5", "d_model 512 is no multiple of n_heads 5");
  options_refused("e_layers=2 d_layers=3", "d_layers is 3 and e_layers 2");
  options_refused("enc_in=3 c_out=1", "c_out is 1 and enc_in 3");
  options_refused("seq_len=8 K=4", "K is 4, but a lookback of 8 steps has only 3 waves");
  options_refused("variant=tslib seq_len=9", "top_k is 5");
  options_refused("variant=tslib seq_len=6000", "5000 places");
  options_refused("variant=tslib freq=year", "freq");
  fc_batch_put(&b, "x_enc", check_random(c, FC_DIMS(2, 11, 3)));
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, "x_enc");
  b = (fc_batch){0};
  fc_batch_put(&b, "x_enc", check_random(c, FC_DIMS(2, 12, 3)));
  fc_batch_put(&b, "x_mark_enc", check_random(c, FC_DIMS(2, 12, 5)));
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, "4 marks per step");
  check_net_drop(&n);
}

CHECK_SUITE(model_etsformer, gradients, parameters, samples_are_apart, parts_add_up, augmentation, dropout,
            series, refusals)
