/* tests/forecast/model_itransformer.c - what reference cases cannot show: gradients in double, any number and
   order of variates, attention for observers, dropout, refusals. */
#include "tests/check_model.h"

extern const fc_model_def fc_model_itransformer;

#define SMALL "seq_len=9 pred_len=4 d_model=6 n_heads=2 e_layers=2 d_ff=5 "
/* x is fixed where its gradient does not reach the mean; reference cases check it */
#define MARKED(name, options, bare, ...)                                                                     \
  check_model(name, &fc_model_itransformer, SMALL options,                                                   \
              CHECK_INPUTS({"x_enc", {3, {__VA_ARGS__}, .fixed = !(bare)}}, {"x_mark_enc", {3, {2, 9, 4}}}))
#define PLAIN(name, options, bare, ...)                                                                      \
  check_model(name, &fc_model_itransformer, SMALL options,                                                   \
              CHECK_INPUTS({"x_enc", {3, {__VA_ARGS__}, .fixed = !(bare)}}))

static void gradients(void) {
  MARKED("itransformer", "", false, 2, 9, 3);
  MARKED("itransformer_bare", "use_norm=0 n_heads=1", true, 2, 9, 1);
  PLAIN("itransformer_plain", "variant=tslib activation=relu marks=false", false, 3, 9, 2);
  PLAIN("itransformer_one", "e_layers=1 n_heads=6 use_norm=0", true, 1, 9, 2);
}

static fc_tensor *apply_to(fc_ctx *c, const check_net *n, fc_tensor *x, fc_tensor *marks) {
  fc_batch b = {0};

  fc_batch_put(&b, "x_enc", x);
  if (marks) fc_batch_put(&b, "x_mark_enc", marks);
  CHECK_OK(n->def->check(n->self, &b));
  return n->def->apply(c, n->self, &b);
}

/* weights serve any number of variates, and their order is the order of the forecasts */
static void variates_are_free(void) {
  fc_ctx         *c = check_ctx();
  check_net       n = check_net_build(&fc_model_itransformer, SMALL);
  fc_series_wants w;
  fc_tensor      *x = check_random(c, FC_DIMS(2, 9, 3)), *marks = check_random(c, FC_DIMS(2, 9, 4));
  fc_tensor      *turned = fc_roll(c, x, 2, 1), *wide = check_random(c, FC_DIMS(2, 9, 11));

  CHECK_OK(n.def->series(n.self, &w));
  CHECK(w.lookback == 9 && w.horizon == 4 && w.variates == 0 && w.marks == FC_MARKS_SCALED);
  CHECK(!strcmp(w.freq, "h"));
  fc_tensor *y = apply_to(c, &n, x, marks);
  CHECK(check_distance(apply_to(c, &n, turned, marks), fc_roll(c, y, 2, 1)) < 2e-6);
  y = apply_to(c, &n, wide, marks);
  CHECK(y->dim[1] == 4 && y->dim[2] == 11);
  check_net_drop(&n);
}

/* unlike those of PatchTST or DLinear, they meet; so do the marks */
static void tokens_meet(void) {
  fc_ctx    *c = check_ctx();
  check_net  n = check_net_build(&fc_model_itransformer, SMALL);
  fc_tensor *x = check_random(c, FC_DIMS(1, 9, 3)), *marks = check_random(c, FC_DIMS(1, 9, 4));
  fc_tensor *y = apply_to(c, &n, x, marks);

  CHECK(check_distance(apply_to(c, &n, fc_slice(c, x, 2, 0, 1), marks), fc_slice(c, y, 2, 0, 1)) > 1e-4);
  CHECK(check_distance(apply_to(c, &n, x, NULL), y) > 1e-4);
  check_net_drop(&n);
}

/* of sums and places seen by the observer */
typedef struct {
  int    layers;
  double off;
} view;

static void look(void *user, fc_shown as, const fc_tensor *t) {
  view *v = user;

  CHECK(!strcmp(as.what, "attention") && as.number == v->layers);
  CHECK(t->ndim == 4 && t->dim[0] == 2 && t->dim[1] == 2 && t->dim[2] == 7 && t->dim[3] == 7);
  for (int64_t r = 0; r < fc_rows(t); r++) {
    double sum = 0;
    for (int64_t j = 0; j < 7; j++) sum += (double)t->x[r * 7 + j];
    v->off = fmax(v->off, fabs(sum - 1));
  }
  v->layers++;
}

static void shows_attention(void) {
  fc_ctx     *c = check_ctx();
  check_net   n = check_net_build(&fc_model_itransformer, SMALL);
  view        v = {0};
  fc_observer o = {look, &v};
  fc_tensor  *x = check_random(c, FC_DIMS(2, 9, 3)), *marks = check_random(c, FC_DIMS(2, 9, 4));
  fc_tensor  *blind = apply_to(c, &n, x, marks);

  c->observer     = &o;
  fc_tensor *seen = apply_to(c, &n, x, marks);
  c->observer     = NULL;
  CHECK(v.layers == 2 && v.off < 1e-6);
  CHECK(check_distance(seen, blind) < 2e-6);
  check_net_drop(&n);
}

/* only in training, and then the result depends on the seed */
static void dropout(void) {
  fc_ctx    *c = check_ctx();
  check_net  n = check_net_build(&fc_model_itransformer, SMALL "dropout=0.3");
  fc_tensor *x = check_random(c, FC_DIMS(1, 9, 3)), *still[2], *moved[2];

  for (int i = 0; i < 2; i++) {
    c->seed     = (uint64_t)i + 1;
    c->training = false;
    still[i]    = apply_to(c, &n, x, NULL);
    c->training = true;
    moved[i]    = apply_to(c, &n, x, NULL);
  }
  c->training = false;
  CHECK(check_distance(still[0], still[1]) == 0);
  CHECK(check_distance(moved[0], still[0]) > 1e-3 && check_distance(moved[0], moved[1]) > 1e-3);
  check_net_drop(&n);
}

/* the library normalises each window whatever use_norm says */
static void use_norm(void) {
  static const struct {
    const char *options;
    bool        follows;
  } cases[] = {{SMALL, true}, {SMALL "variant=tslib use_norm=0", true}, {SMALL "use_norm=0", false}};

  for (int i = 0; i < FC_COUNT(cases); i++) {
    fc_ctx    *c = check_ctx();
    check_net  n = check_net_build(&fc_model_itransformer, cases[i].options);
    fc_tensor *x = check_random(c, FC_DIMS(1, 9, 3)), *y = apply_to(c, &n, x, NULL);
    fc_tensor *z   = apply_to(c, &n, fc_affine(c, x, 1, 3), NULL); /* three more */
    double     off = 0;
    for (int j = 0; j < 12; j++) off = fmax(off, fabs((double)(z->x[j] - y->x[j]) - 3));
    CHECK((off < 1e-4) == cases[i].follows);
    check_net_drop(&n);
  }
}

static void options_refused(const char *options, const char *message) {
  check_net n;

  CHECK_FAILS(check_net_try(&fc_model_itransformer, options, &n), FC_E_USAGE, message);
  check_net_drop(&n);
}

static void refusals(void) {
  fc_ctx   *c = check_ctx();
  check_net n = check_net_build(&fc_model_itransformer, SMALL);
  fc_batch  b = {0};

  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, "x_enc");
  fc_batch_put(&b, "x_enc", check_random(c, FC_DIMS(2, 9, 3)));
  CHECK_OK(n.def->check(n.self, &b));
  fc_batch_put(&b, "x_mark_enc", check_random(c, FC_DIMS(1, 9, 4)));
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, "x_mark_enc");
  check_net_drop(&n);
  options_refused(SMALL "n_heads=4", "no multiple of n_heads 4");
  options_refused(SMALL "freq=hourly", "freq 'hourly' is none of");
}

CHECK_SUITE(model_itransformer, gradients, variates_are_free, tokens_meet, shows_attention, dropout, use_norm,
            refusals)
