/* tests/forecast/model_patchtst.c - what reference cases cannot show: gradients in double of all switches,
   training (batch statistics, dropout), attention for observers, variates that do not meet, refusals. */
#include "tests/check_model.h"

extern const fc_model_def fc_model_patchtst;

#define SMALL "seq_len=14 pred_len=4 d_model=6 n_heads=2 e_layers=2 d_ff=5 patch_len=4 stride=3 enc_in=2 "
/* Where a window is normalised, gradients do not reach its mean (nor, officially, its deviation), so that a
   difference quotient cannot check those of x; reference cases do. */
#define OFFICIAL(name, options, bare, ...)                                                                   \
  check_model(name, &fc_model_patchtst, SMALL options,                                                       \
              CHECK_INPUTS({"x", {3, {__VA_ARGS__}, .fixed = !(bare)}}))
#define LIBRARY(name, options, ...)                                                                          \
  check_model(name, &fc_model_patchtst, SMALL "variant=tslib " options,                                      \
              CHECK_INPUTS({"x_enc", {3, {__VA_ARGS__}, .fixed = true}}))

static void gradients(void) {
  OFFICIAL("patchtst", "", false, 2, 14, 3);
  OFFICIAL("patchtst_bare", "revin=0 affine=1", true, 2, 14, 3);
  OFFICIAL("patchtst_affine", "affine=1 subtract_last=1 individual=1", false, 2, 14, 2);
  OFFICIAL("patchtst_parts", "decomposition=1 kernel_size=5 revin=0 padding_patch=None", true, 1, 14, 2);
  OFFICIAL("patchtst_parts_affine", "decomposition=1 kernel_size=3 affine=1 e_layers=1 n_heads=1", false, 2,
           14, 2);
  LIBRARY("patchtst_library", "", 2, 14, 3);
  LIBRARY("patchtst_library_relu", "activation=relu n_heads=1 e_layers=1 stride=5", 1, 14, 1);
}

static fc_tensor *apply_to(fc_ctx *c, const check_net *n, const char *name, fc_tensor *x) {
  fc_batch b = {0};

  fc_batch_put(&b, name, x);
  CHECK_OK(n->def->check(n->self, &b));
  return n->def->apply(c, n->self, &b);
}

/* out of training a variate's forecast does not depend on which others stand beside it */
static void variates_are_apart(void) {
  static const char *const options[] = {SMALL, SMALL "variant=tslib", SMALL "decomposition=1"};

  for (int i = 0; i < FC_COUNT(options); i++) {
    fc_ctx     *c    = check_ctx();
    check_net   n    = check_net_build(&fc_model_patchtst, options[i]);
    const char *name = i == 1 ? "x_enc" : "x";
    fc_tensor  *x = check_random(c, FC_DIMS(2, 14, 5)), *y = apply_to(c, &n, name, x);
    for (int v = 0; v < 5; v++)
      CHECK(check_distance(apply_to(c, &n, name, fc_slice(c, x, 2, v, 1)), fc_slice(c, y, 2, v, 1)) < 2e-6);
    check_net_drop(&n);
  }
}

static double value_of(const check_net *n, const char *name) {
  return (double)fc_params_find(n->params, name)->x[0];
}

/* a step of training moves the running statistics of every norm and counts itself; nothing moves otherwise */
static void batch_norm_of_training(void) {
  fc_ctx     *c     = check_ctx();
  check_net   n     = check_net_build(&fc_model_patchtst, SMALL "dropout=0");
  fc_tensor  *x     = check_random(c, FC_DIMS(3, 14, 2));
  const char *mean  = "model.backbone.encoder.layers.1.norm_ffn.1.running_mean";
  const char *count = "model.backbone.encoder.layers.0.norm_attn.1.num_batches_tracked";

  apply_to(c, &n, "x", x);
  CHECK_NEAR(value_of(&n, mean), 0, 0);
  CHECK_NEAR(value_of(&n, count), 0, 0);
  c->training = true;
  for (int i = 0; i < 2; i++) apply_to(c, &n, "x", x);
  c->training = false;
  CHECK(value_of(&n, mean) != 0);
  CHECK_NEAR(value_of(&n, count), 2, 0);
  check_net_drop(&n);
}

static void dropout_by_seed(const char *options, const char *name) {
  fc_ctx    *c = check_ctx();
  check_net  n = check_net_build(&fc_model_patchtst, options);
  fc_tensor *x = check_random(c, FC_DIMS(2, 14, 2)), *moved[2];

  c->training = true;
  for (int i = 0; i < 2; i++) {
    c->seed  = (uint64_t)i + 1;
    moved[i] = apply_to(c, &n, name, x);
  }
  c->training = false;
  CHECK(check_distance(moved[0], moved[1]) > 1e-3);
  check_net_drop(&n);
}

static void dropout(void) {
  dropout_by_seed(SMALL "dropout=0.3", "x");
  dropout_by_seed(SMALL "dropout=0 head_dropout=0.3", "x");
  dropout_by_seed(SMALL "dropout=0 attn_dropout=0.3", "x");
  dropout_by_seed(SMALL "variant=tslib dropout=0.3", "x_enc");
}

/* attention is shown layer by layer, rows add up to one, and looking changes nothing */
typedef struct {
  int    seen[8], n;
  double off;
} view;

static void look(void *user, fc_shown as, const fc_tensor *t) {
  view         *v = user;
  const int64_t m = fc_last(t);

  CHECK(!strcmp(as.what, "attention") && as.number < 8);
  v->n++, v->seen[as.number]++;
  for (int64_t r = 0; r < fc_rows(t); r++) {
    double sum = 0;
    for (int64_t j = 0; j < m; j++) sum += (double)t->x[r * m + j];
    v->off = fmax(v->off, fabs(sum - 1));
  }
}

static void shows_attention(void) {
  fc_ctx     *c = check_ctx();
  check_net   n = check_net_build(&fc_model_patchtst, SMALL "decomposition=1");
  view        v = {0};
  fc_observer o = {look, &v};
  fc_tensor  *x = check_random(c, FC_DIMS(2, 14, 3)), *blind = apply_to(c, &n, "x", x);

  c->observer     = &o;
  fc_tensor *seen = apply_to(c, &n, "x", x);
  c->observer     = NULL;
  CHECK(v.n == 4 && v.off < 1e-6);
  for (int i = 0; i < 4; i++) CHECK(v.seen[i] == 1);
  CHECK(check_distance(seen, blind) < 2e-6);
  check_net_drop(&n);
}

static void series_of(const char *options, int64_t variates, const char *input) {
  fc_ctx         *c = check_ctx();
  check_net       n = check_net_build(&fc_model_patchtst, options);
  fc_series_wants w;
  fc_batch        standard = {0}, b = {0};

  CHECK_OK(n.def->series(n.self, &w));
  CHECK(w.lookback == 14 && w.horizon == 4 && w.variates == variates && w.marks == FC_MARKS_NONE);
  fc_batch_put(&standard, "x_enc", check_random(c, FC_DIMS(1, 14, 2)));
  n.def->series_pack(c, n.self, &standard, &b);
  CHECK(fc_batch_get(&b, input) == fc_batch_get(&standard, "x_enc"));
  CHECK_OK(n.def->check(n.self, &b));
  check_net_drop(&n);
}

static void series(void) {
  series_of(SMALL, 0, "x");
  series_of(SMALL "affine=1", 2, "x");
  series_of(SMALL "affine=1 revin=0", 0, "x");
  series_of(SMALL "individual=1", 2, "x");
  series_of(SMALL "individual=1 variant=tslib", 0, "x_enc");
}

static void options_refused(const char *options, const char *message) {
  check_net n;

  CHECK_FAILS(check_net_try(&fc_model_patchtst, options, &n), FC_E_USAGE, message);
  check_net_drop(&n);
}

static void input_refused(const char *options, int64_t L, int64_t N, const char *message) {
  fc_ctx   *c = check_ctx();
  check_net n = check_net_build(&fc_model_patchtst, options);
  fc_batch  b = {0};

  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, "x");
  fc_batch_put(&b, "x", check_random(c, FC_DIMS(1, L, N)));
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, message);
  check_net_drop(&n);
}

static void refusals(void) {
  options_refused(SMALL "d_model=7", "no multiple of n_heads 2");
  options_refused(SMALL "patch_len=18", "seq_len + stride makes only 17 steps");
  options_refused(SMALL "patch_len=15 padding_patch=none", "seq_len makes only 14 steps");
  options_refused(SMALL "decomposition=1 kernel_size=4", "must be odd");
  options_refused(SMALL "variant=tslib seq_len=5010 stride=1", "only 5000 places");
  input_refused(SMALL, 13, 2, "14");
  input_refused(SMALL "individual=1", 14, 3, "2");
}

CHECK_SUITE(model_patchtst, gradients, variates_are_apart, batch_norm_of_training, dropout, shows_attention,
            series, refusals)
