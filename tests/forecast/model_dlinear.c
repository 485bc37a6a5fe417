/* tests/forecast/model_dlinear.c - what reference cases cannot show: gradients in double, the start from the
   mean, variates that do not meet, refusals. */
#include "tests/check_model.h"

extern const fc_model_def fc_model_dlinear;

#define SMALL "seq_len=8 pred_len=5 enc_in=3 moving_avg=3 "
#define GRADIENT(name, options, ...)                                                                         \
  check_model(name, &fc_model_dlinear, SMALL options, CHECK_INPUTS({"x_enc", {3, {__VA_ARGS__}}}))

static void gradients(void) {
  GRADIENT("dlinear", "", 2, 8, 4);
  GRADIENT("dlinear_individual", "individual=1", 2, 8, 3);
  GRADIENT("dlinear_long", "moving_avg=25", 1, 8, 1); /* average longer than the lookback */
}

static fc_tensor *apply_to(fc_ctx *c, const check_net *n, fc_tensor *x) {
  fc_batch b = {0};

  fc_batch_put(&b, "x_enc", x);
  CHECK_OK(n->def->check(n->self, &b));
  return n->def->apply(c, n->self, &b);
}

static void clear(const check_net *n, const char *name) {
  fc_tensor *t = fc_params_find(n->params, name);

  memset(t->x, 0, (size_t)fc_len(t) * sizeof *t->x);
}

/* without biases the untrained network forecasts the mean of the lookback: both maps are 1 / L, and the two
   parts add up to x */
static void starts_from_the_mean(void) {
  fc_ctx    *c = check_ctx();
  check_net  n = check_net_build(&fc_model_dlinear, SMALL);
  fc_tensor *x = check_random(c, FC_DIMS(2, 8, 3));

  clear(&n, "Linear_Seasonal.bias");
  clear(&n, "Linear_Trend.bias");
  fc_tensor *y = apply_to(c, &n, x), *mean = fc_mean_axes(c, x, 1u << 1);
  for (int b = 0; b < 2; b++)
    for (int i = 0; i < 15; i++) CHECK_NEAR(y->x[b * 15 + i], mean->x[b * 3 + i % 3], 1e-6);
  check_net_drop(&n);
}

static void variates_are_apart(void) {
  static const char *const options[] = {SMALL, SMALL "individual=1"};

  for (int i = 0; i < FC_COUNT(options); i++) {
    fc_ctx         *c = check_ctx();
    check_net       n = check_net_build(&fc_model_dlinear, options[i]);
    fc_series_wants w;
    fc_tensor      *x = check_random(c, FC_DIMS(2, 8, 3)), *y = apply_to(c, &n, x);
    CHECK_OK(n.def->series(n.self, &w));
    CHECK(w.lookback == 8 && w.horizon == 5 && w.variates == 3 * i && w.marks == FC_MARKS_NONE);
    for (int t = 0; t < 8; t++) x->x[3 * t + 1] += 1; /* of variate 1 in the first window */
    const fc_tensor *z = apply_to(c, &n, x);
    for (int j = 0; j < 30; j++) CHECK((z->x[j] == y->x[j]) == (j >= 15 || j % 3 != 1));
    check_net_drop(&n);
  }
}

static void refusals(void) {
  fc_ctx   *c = check_ctx();
  check_net n = check_net_build(&fc_model_dlinear, SMALL "individual=1"), other;
  fc_batch  b = {0};

  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, "x_enc");
  fc_batch_put(&b, "x_enc", check_random(c, FC_DIMS(2, 8, 4)));
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, "x_enc");
  check_net_drop(&n);
  CHECK_FAILS(check_net_try(&fc_model_dlinear, SMALL "moving_avg=4", &other), FC_E_USAGE, "must be odd");
  check_net_drop(&other);
}

CHECK_SUITE(model_dlinear, gradients, starts_from_the_mean, variates_are_apart, refusals)
