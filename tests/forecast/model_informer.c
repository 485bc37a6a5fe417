/* tests/forecast/model_informer.c - what reference cases cannot show: gradients in double, answers that do
   not vary, windows apart, lengths, refusals. A probe that shakes a sparse network may change which queries
   are sharpest or which step is largest, where it jumps; the small sizes below are such that none does. */
#include "core/nn/key_draws.h"
#include "tests/check_model.h"

extern const fc_model_def fc_model_informer;

#define SMALL                                                                                                \
  "d_model=6 d_ff=5 n_heads=2 enc_in=3 dec_in=3 c_out=3 dropout=0 seq_len=8 label_len=3 pred_len=4 "
#define MARKS 4
#define INPUTS(B, L, T)                                                                                      \
  CHECK_INPUTS({"x_enc", {3, {B, L, 3}}}, {"x_mark_enc", {3, {B, L, MARKS}}}, {"x_dec", {3, {B, T, 3}}},     \
               {"x_mark_dec", {3, {B, T, MARKS}}})

static void gradients(void) {
  const fc_model_def *def = &fc_model_informer;

  check_model("informer_library", def, SMALL "factor=9 distil=false", INPUTS(2, 8, 7));
  check_model("informer_authors", def, SMALL "factor=9 distil=false variant=informer2020 d_layers=2",
              INPUTS(1, 8, 7));
  check_model("informer_full", def, SMALL "attn=full distil=false variant=informer2020 mix=false c_out=2",
              INPUTS(2, 8, 7));
  check_model("informer_stack", def, SMALL "factor=9 variant=informer2020_stack s_layers=1,1,1 label_len=0",
              INPUTS(2, 8, 4));
  check_model("informer_short", def, SMALL "factor=9 task_name=short_term_forecast e_layers=1 d_layers=2",
              CHECK_INPUTS({"x_enc", {3, {2, 8, 3}, .fixed = true}}, {"x_dec", {3, {2, 7, 3}}}));
  check_model("informer_distil", def, SMALL "factor=9 seq_len=3", INPUTS(1, 3, 7));
  check_model("informer_distil_authors", def, SMALL "factor=9 seq_len=4 variant=informer2020",
              INPUTS(1, 4, 7));
  check_model("informer_sparse", def, SMALL "factor=1 e_layers=1", INPUTS(1, 8, 7));
}

/* ---- what the network is given ---- */

static fc_batch inputs(fc_ctx *c, int64_t B, int64_t L, int64_t T) {
  fc_batch b = {0};

  fc_batch_put(&b, "x_enc", check_random(c, FC_DIMS(B, L, 3)));
  fc_batch_put(&b, "x_mark_enc", check_random(c, FC_DIMS(B, L, MARKS)));
  fc_batch_put(&b, "x_dec", check_random(c, FC_DIMS(B, T, 3)));
  fc_batch_put(&b, "x_mark_dec", check_random(c, FC_DIMS(B, T, MARKS)));
  return b;
}

static fc_tensor *apply(fc_ctx *c, const check_net *n, const fc_batch *b) {
  CHECK_OK(n->def->check(n->self, b));
  return n->def->apply(c, n->self, b);
}

#define SPARSE SMALL "factor=1 seq_len=20 label_len=10 pred_len=9 e_layers=3 "

/* outside training the answer depends on the input alone; in training the keys change from step to step */
static void answers_do_not_vary(void) {
  fc_ctx    *c = check_ctx();
  check_net  n = check_net_build(&fc_model_informer, SPARSE "distil=false");
  fc_batch   b = inputs(c, 2, 20, 19);
  fc_tensor *still[2], *moved[3];

  for (int i = 0; i < 3; i++) {
    c->seed = 4, c->step = (uint64_t)(5 + i / 2);
    c->training = true;
    moved[i]    = apply(c, &n, &b);
    c->training = false, c->seed = (uint64_t)i;
    if (i < 2) still[i] = apply(c, &n, &b);
  }
  c->seed = c->step = 0;
  CHECK(check_distance(still[0], still[1]) == 0);
  CHECK(check_distance(moved[0], moved[1]) == 0);
  CHECK(check_distance(moved[0], moved[2]) > 1e-4);
  check_net_drop(&n);
}

static fc_batch window_of(fc_ctx *c, const fc_batch *b, int64_t s) {
  fc_batch one = {0};

  for (int i = 0; i < b->n; i++) fc_batch_put(&one, b->name[i], fc_slice(c, b->t[i], 0, s, 1));
  return one;
}

/* how far the windows of a batch are from each of them alone */
static double apart(const char *options) {
  fc_ctx        *c   = check_ctx();
  check_net      n   = check_net_build(&fc_model_informer, options);
  const fc_batch all = inputs(c, 3, 20, 19);
  fc_tensor     *y   = apply(c, &n, &all);
  double         off = 0;

  for (int s = 0; s < 3; s++) {
    const fc_batch one = window_of(c, &all, s);
    off                = fmax(off, check_distance(apply(c, &n, &one), fc_slice(c, y, 0, s, 1)));
  }
  check_net_drop(&n);
  return off;
}

/* but those of the library's single head, drawn as it draws */
static void windows_are_apart(void) {
  CHECK(apart(SPARSE) < 5e-6);
  CHECK(apart(SPARSE "n_heads=1") < 5e-6);
  CHECK(apart(SPARSE "sampling=torch") < 5e-6);
  CHECK(apart(SPARSE "n_heads=1 sampling=torch variant=informer2020") < 5e-6);
  CHECK(apart(SPARSE "n_heads=1 sampling=torch") > 1e-3);
}

/* queries, samples and keys of each call: 20 steps are distilled to 11 and 7 by the library */
static const int64_t calls[][3] = {{20, 3, 20}, {11, 3, 11}, {7, 2, 7}, {19, 3, 19}, {19, 2, 7}};
static const char   *names[]    = {"probsparse/00/index_sample", "probsparse/01/index_sample",
                                   "probsparse/02/index_sample", "probsparse/03/index_sample",
                                   "probsparse/04/index_sample"};

/* recorded keys are those of the generator that recorded them */
static void recorded_keys(void) {
  fc_ctx      *c = check_ctx();
  check_net    n = check_net_build(&fc_model_informer, SPARSE "sampling=torch sampling_seed=9");
  fc_batch     b = inputs(c, 2, 20, 19);
  fc_tensor   *y = apply(c, &n, &b);
  fc_key_draws d;

  fc_key_draws_start(&d, c, FC_DRAW_TORCH, 9);
  for (int i = 0; i < FC_COUNT(names); i++)
    fc_batch_put(&b, names[i], fc_key_draws_next(c, &d, calls[i][0], calls[i][1], calls[i][2]));
  CHECK(check_distance(apply(c, &n, &b), y) == 0);
  check_net_drop(&n);
  n = check_net_build(&fc_model_informer, SPARSE);
  CHECK(check_distance(apply(c, &n, &b), y) == 0); /* whatever the options say */
  b.n = 4;
  CHECK(check_distance(apply(c, &n, &b), y) > 1e-4);
  check_net_drop(&n);
}

static fc_tensor *constant(fc_ctx *c, int64_t rows, int64_t columns, double value) {
  fc_tensor *t = fc_tensor_new(c->arena, FC_DIMS(rows, columns));

  for (int64_t i = 0; i < fc_len(t); i++) t->x[i] = (fc_real)value;
  return t;
}

/* the tables that check asks for tell the lengths between the layers */
static void samples_refused(const char *options, int call, int64_t rows, int64_t columns, double value,
                            const char *message) {
  fc_ctx   *c = check_ctx();
  check_net n = check_net_build(&fc_model_informer, options);
  fc_batch  b = inputs(c, 1, 20, 19);

  for (int i = 0; i < FC_COUNT(names); i++)
    fc_batch_put(&b, names[i], constant(c, calls[i][0], calls[i][1], 0));
  b.t[4 + call] = constant(c, rows, columns, value);
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, message);
  check_net_drop(&n);
}

static void recorded_keys_refused(void) {
  samples_refused(SPARSE, 1, 10, 3, 0, "the model wants [11, 3]");
  samples_refused(SPARSE, 4, 19, 2, 7, "7 is no number of a key; there are 7");
  samples_refused(SPARSE, 0, 20, 3, 0.5, "0.5 is no number of a key");
  samples_refused(SPARSE, 3, 19, 3, NAN, "no number of a key");
  samples_refused(SPARSE "variant=informer2020", 0, 20, 3, 0,
                  "01/index_sample has shape [11, 3], the model wants [10, 3]");
  samples_refused(SPARSE "d_layers=2", 0, 20, 3, 0, "05/index_sample; there is none");
}

/* of the short-term task: what is added to and multiplied with a lookback is found in the forecast */
static void short_term(void) {
  fc_ctx    *c = check_ctx();
  check_net  n = check_net_build(&fc_model_informer, SPARSE "task_name=short_term_forecast");
  fc_batch   b = inputs(c, 2, 20, 19);
  fc_tensor *y = apply(c, &n, &b);

  b.t[0] = fc_affine(c, b.t[0], 30, -7);
  CHECK(check_distance(apply(c, &n, &b), fc_affine(c, y, 30, -7)) < 1e-4);
  check_net_drop(&n);
}

/* only in training, and then the result depends on the seed; calendar marks may be absent */
static void dropout(void) {
  fc_ctx   *c = check_ctx();
  check_net n =
      check_net_build(&fc_model_informer, SMALL "dropout=0.3 attn=full variant=informer2020 distil=false");
  fc_batch   b = inputs(c, 1, 8, 7);
  fc_tensor *still[2], *moved[2];

  b.name[1] = b.name[3] = "x_other";
  for (int i = 0; i < 2; i++) {
    c->seed     = (uint64_t)i + 1;
    still[i]    = apply(c, &n, &b);
    c->training = true;
    moved[i]    = apply(c, &n, &b);
    c->training = false;
  }
  c->seed = 0;
  CHECK(check_distance(still[0], still[1]) == 0);
  CHECK(check_distance(moved[0], still[0]) > 1e-3 && check_distance(moved[0], moved[1]) > 1e-3);
  check_net_drop(&n);
}

/* ---- what a series must offer ---- */

static void wants(void) {
  check_net       n = check_net_build(&fc_model_informer, SMALL "c_out=2 embed=learned freq=t");
  fc_series_wants w;

  CHECK_OK(n.def->series(n.self, &w));
  CHECK(w.lookback == 8 && w.label == 3 && w.horizon == 4 && w.variates == 3 && w.targets == 2);
  CHECK(w.marks == FC_MARKS_WHOLE && !strcmp(w.freq, "t") && w.n_quantiles == 0 && w.n_columns == 0);
  check_net_drop(&n);
  n = check_net_build(&fc_model_informer, SMALL "marks=false");
  CHECK_OK(n.def->series(n.self, &w));
  CHECK(w.marks == FC_MARKS_NONE && w.targets == 3);
  check_net_drop(&n);
  n = check_net_build(&fc_model_informer, SMALL "dec_in=2");
  CHECK_FAILS(n.def->series(n.self, &w), FC_E_USAGE, "dec_in 2 must be enc_in 3");
  check_net_drop(&n);
  n = check_net_build(&fc_model_informer, SMALL "label_len=9");
  CHECK_FAILS(n.def->series(n.self, &w), FC_E_USAGE, "label_len 9 is longer than the lookback");
  check_net_drop(&n);
}

/* a stack has encoders of 3, 2 and 1 layers unless it is told otherwise */
static void stacks(void) {
  check_net n = check_net_build(&fc_model_informer, SMALL "variant=informer2020_stack");

  CHECK(fc_params_find(n.params, "encoder.encoders.0.attn_layers.2.norm1.bias") != NULL);
  CHECK(fc_params_find(n.params, "encoder.encoders.0.conv_layers.1.downConv.bias") != NULL);
  CHECK(fc_params_find(n.params, "encoder.encoders.2.attn_layers.0.norm1.bias") != NULL);
  CHECK(fc_params_find(n.params, "encoder.encoders.2.attn_layers.1.norm1.bias") == NULL);
  check_net_drop(&n);
  n = check_net_build(&fc_model_informer, SMALL "variant=informer2020_stack e_layers=1 s_layers=2,1");
  CHECK(fc_params_find(n.params, "encoder.encoders.1.attn_layers.0.norm1.bias") != NULL);
  CHECK(fc_params_find(n.params, "encoder.encoders.1.conv_layers.0.norm.weight") == NULL);
  check_net_drop(&n);
}

static void options_refused(const char *options, const char *message) {
  check_net n;

  CHECK_FAILS(check_net_try(&fc_model_informer, options, &n), FC_E_USAGE, message);
  check_net_drop(&n);
}

static void inputs_refused(const char *options, int which, int64_t L, int64_t columns, double value,
                           const char *message) {
  fc_ctx   *c = check_ctx();
  check_net n = check_net_build(&fc_model_informer, options);
  fc_batch  b = inputs(c, 1, 8, 7);

  b.t[which] = fc_reshape(c, constant(c, L, columns, value), FC_DIMS(1, L, columns));
  CHECK_FAILS(n.def->check(n.self, &b), FC_E_MISMATCH, message);
  check_net_drop(&n);
}

static void refusals(void) {
  options_refused("d_model=10 n_heads=4", "d_model 10 is no multiple of n_heads 4");
  options_refused("label_len=3000 pred_len=3000", "more than 5000 steps together");
  options_refused("freq=y", "freq: 'y' is none of");
  options_refused("e_layers=2,1", "only variant informer2020_stack takes more than one");
  options_refused("variant=informer2020_stack e_layers=1,1,1 seq_len=3", "encoder 2 of the stack");
  options_refused("task_name=short_term_forecast c_out=1", "c_out equal to enc_in");
  options_refused("task_name=short_term_forecast variant=informer2020", "wants variant tslib");
  inputs_refused(SMALL, 0, 9, 3, 0, "x_enc has shape [1, 9, 3], the model wants [-1, 8, 3]");
  inputs_refused(SMALL, 2, 7, 2, 0, "x_dec");
  inputs_refused(SMALL, 3, 7, 5, 0, "4 marks per step are wanted");
  inputs_refused(SMALL, 1, 7, 4, 0, "x_mark_enc");
  inputs_refused(SMALL "embed=fixed", 1, 8, 4, 13, "13 is no number of a month");
}

CHECK_SUITE(model_informer, gradients, answers_do_not_vary, windows_are_apart, recorded_keys,
            recorded_keys_refused, short_term, dropout, wants, stacks, refusals)
