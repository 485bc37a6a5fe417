/* tests/forecast/model_samformer.c - what reference cases cannot show: gradients in double, the way of
   windows in and out, attention for observers, refusals. */
#include "tests/check_model.h"

extern const fc_model_def fc_model_samformer;

#define SMALL "num_channels=3 seq_len=8 hid_dim=4 pred_horizon=5 "
/* x is fixed where its gradient does not reach mean and deviation; reference cases check it */
#define GRADIENT(name, options, bare, ...)                                                                   \
  check_model(name, &fc_model_samformer, SMALL options,                                                      \
              CHECK_INPUTS({"x", {3, {__VA_ARGS__}, .fixed = !(bare)}}))

static void gradients(void) {
  GRADIENT("samformer", "", false, 2, 3, 8);
  GRADIENT("samformer_cube", "flatten_output=false", false, 1, 3, 8);
  GRADIENT("samformer_bare", "use_revin=false", true, 3, 3, 8);
  GRADIENT("samformer_joined", "", false, 10, 3, 8); /* values of a horizon's length, see maps_join */
  GRADIENT("samformer_joined_bare", "use_revin=false", true, 10, 3, 8);
  GRADIENT("samformer_one", "num_channels=1 hid_dim=1", false, 2, 1, 8);
}

/* weights that nothing reads are there, get no gradient, and a file may lack them */
static void unread_weights(void) {
  fc_ctx    *c = check_ctx();
  check_net  n = check_net_build(&fc_model_samformer, SMALL "use_revin=false");
  fc_batch   b = {0};
  fc_tensor *w = fc_params_find(n.params, "revin.affine_weight");

  fc_batch_put(&b, "x", check_random(c, FC_DIMS(2, 3, 8)));
  c->grad = true;
  fc_params_zero_grads(n.params);
  fc_backward(c, fc_sum_all(c, n.def->apply(c, n.self, &b)));
  c->grad = false;
  CHECK(w && !w->has_grad && fc_params_find(n.params, "compute_values.weight")->has_grad);
  for (int i = 0; i < fc_params_size(n.params); i++) {
    fc_tensor        *t;
    const char *const name = fc_params_at(n.params, i, &t);
    CHECK(fc_params_dispensable(n.params, i) == !strncmp(name, "revin.", 6));
  }
  check_net_drop(&n);
}

/* x_enc [B, L, N] -> x [B, N, L]; [B, N P] or [B, N, P] -> [B, P, N] */
static void windows(const char *options) {
  fc_ctx         *c = check_ctx();
  check_net       n = check_net_build(&fc_model_samformer, options);
  fc_series_wants w;
  fc_batch        standard = {0}, b = {0};
  fc_tensor      *x = check_random(c, FC_DIMS(2, 8, 3));

  CHECK_OK(n.def->series(n.self, &w));
  CHECK(w.lookback == 8 && w.horizon == 5 && w.variates == 3 && w.marks == FC_MARKS_NONE);
  fc_batch_put(&standard, "x_enc", x);
  n.def->series_pack(c, n.self, &standard, &b);
  CHECK_OK(n.def->check(n.self, &b));
  CHECK_NEAR(fc_batch_get(&b, "x")->x[(1 * 3 + 2) * 8 + 6], x->x[(1 * 8 + 6) * 3 + 2], 0);
  const fc_tensor *y = n.def->apply(c, n.self, &b), *z = n.def->series_unpack(c, n.self, (fc_tensor *)y);
  CHECK(z->ndim == 3 && z->dim[0] == 2 && z->dim[1] == 5 && z->dim[2] == 3);
  CHECK_NEAR(z->x[(1 * 5 + 4) * 3 + 1], y->x[(1 * 3 + 1) * 5 + 4], 0);
  check_net_drop(&n);
}

static void series(void) {
  windows(SMALL);
  windows(SMALL "flatten_output=false");
}

/* a constant added to a variate is added to its forecast, out of its own mean */
static void follows_the_level(void) {
  fc_ctx    *c = check_ctx();
  check_net  n = check_net_build(&fc_model_samformer, SMALL);
  fc_tensor *x = check_random(c, FC_DIMS(1, 3, 8)), *y[2];

  for (int i = 0; i < 2; i++) {
    fc_batch b = {0};
    fc_batch_put(&b, "x", x);
    y[i] = n.def->apply(c, n.self, &b);
    for (int t = 0; t < 8; t++) x->x[8 + t] += 3; /* of variate 1 */
  }
  for (int i = 0; i < 15; i++) CHECK_NEAR(y[1]->x[i] - y[0]->x[i], i / 5 == 1 ? 3 : 0, 1e-4);
  check_net_drop(&n);
}

static void look(void *user, fc_shown as, const fc_tensor *t) {
  CHECK(!strcmp(as.what, "attention") && as.number == 0);
  CHECK(t->ndim == 4 && t->dim[0] == 2 && t->dim[1] == 1 && t->dim[2] == 3 && t->dim[3] == 3);
  for (int r = 0; r < 6; r++) CHECK_NEAR(t->x[3 * r] + t->x[3 * r + 1] + t->x[3 * r + 2], 1, 1e-6);
  ++*(int *)user;
}

static void shows_attention(void) {
  fc_ctx     *c    = check_ctx();
  check_net   n    = check_net_build(&fc_model_samformer, SMALL);
  int         seen = 0;
  fc_observer o    = {look, &seen};
  fc_batch    b    = {0};

  fc_batch_put(&b, "x", check_random(c, FC_DIMS(2, 3, 8)));
  c->observer = &o;
  n.def->apply(c, n.self, &b);
  c->observer = NULL;
  CHECK(seen == 1);
  check_net_drop(&n);
}

static void ignore(void *user, fc_shown as, const fc_tensor *t) { (void)user, (void)as, (void)t; }

/* An observer gets all maps one after the other, whose product is joined otherwise: the forecast is the same,
   and joined maps take fewer operations. */
static void joined_maps(void) {
  fc_ctx     *c = check_ctx();
  check_net   n = check_net_build(&fc_model_samformer, "num_channels=3 seq_len=40 pred_horizon=12");
  fc_observer o = {ignore, NULL};
  fc_batch    b = {0};

  fc_batch_put(&b, "x", check_random(c, FC_DIMS(50, 3, 40)));
  const double     start  = c->flops;
  const fc_tensor *joined = n.def->apply(c, n.self, &b);
  const double     few    = c->flops - start;
  c->observer             = &o;
  const fc_tensor *apart  = n.def->apply(c, n.self, &b);
  c->observer             = NULL;
  CHECK(check_distance(joined, apart) < 2e-6);
  CHECK(few < c->flops - start - few);
  check_net_drop(&n);
}

static void refusals(void) {
  fc_ctx   *c = check_ctx();
  check_net n = check_net_build(&fc_model_samformer, SMALL);
  fc_batch  b = {0};

  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, "x");
  fc_batch_put(&b, "x", check_random(c, FC_DIMS(1, 4, 8)));
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, "3");
  check_net_drop(&n);
}

CHECK_SUITE(model_samformer, gradients, unread_weights, series, follows_the_level, shows_attention,
            joined_maps, refusals)
