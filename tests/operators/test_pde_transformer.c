/* tests/operators/test_pde_transformer.c - what reference cases cannot show: published sizes, gridded data,
   labels dropped in training, recomputation, refusals. */
#include "core/model.h"
#include "tests/check.h"

#define DEF (&fc_model_pde_transformer)
extern const fc_model_def fc_model_pde_transformer;

typedef struct {
  void      *self;
  fc_params *params;
} net;

/* options as "key=value", all in one text with blanks between; a status other than FC_OK is returned */
static fc_status try_build(const char *text, bool dry, net *n) {
  void *cfg  = calloc(1, DEF->config_size);
  char *list = strdup(text), *save = NULL;

  fc_options_defaults(DEF->options, cfg);
  for (char *s = strtok_r(list, " ", &save); s; s = strtok_r(NULL, " ", &save)) {
    char *value = strchr(s, '=');
    *value      = 0;
    CHECK_OK(fc_options_set(DEF->options, cfg, s, value + 1, "test"));
  }
  n->self = calloc(1, DEF->self_size);
  CHECK_OK(fc_params_create(&n->params));
  const fc_status s = DEF->init(n->self, n->params, cfg);
  if (s == FC_OK) CHECK_OK(fc_params_commit(n->params, 3, dry));
  free(list);
  free(cfg);
  return s;
}

static net build(const char *text) {
  net n = {0};

  CHECK_OK(try_build(text, false, &n));
  return n;
}

static void drop(net *n) {
  fc_params_destroy(n->params);
  free(n->self);
}

/* The official initialisation gives zero: every number is moved, so that each of them matters. */
static net build_lively(const char *text) {
  net          n = build(text);
  const fc_rng r = {5, 0, FC_RNG_TEST};

  for (int64_t i = 0; i < fc_params_block(n.params, true); i++)
    fc_params_values(n.params)[i] += (fc_real)(0.1 * fc_rng_normal(&r, (uint64_t)i));
  return n;
}

static fc_tensor *run(fc_ctx *c, const net *n, const fc_batch *b) {
  CHECK_OK(DEF->check(n->self, b));
  return DEF->apply(c, n->self, b);
}

static fc_tensor *numbers(fc_ctx *c, int ndim, const int64_t *dim, const int *value) {
  fc_tensor *t = fc_tensor_new(c->arena, ndim, dim);

  for (int64_t i = 0; i < fc_len(t); i++) t->x[i] = (fc_real)value[i];
  return t;
}

static bool same(const fc_tensor *a, const fc_tensor *b) {
  return fc_len(a) == fc_len(b) && !memcmp(a->x, b->x, (size_t)fc_len(a) * sizeof(fc_real));
}

#define SMALL  "patch_size=2 window_size=2 hidden_size=8 num_heads=2 num_classes=5 mlp_ratio=2 depth=[2,1,1] "
#define FIELDS "variant=separate_channels "

/* ---- sizes and start ---- */

/* trained numbers of the published networks */
static void published_sizes(void) {
  static const struct {
    const char *options;
    int64_t     numbers;
  } list[] = {{"size=S", 33190328},  {"size=B", 130591568},        {"type=PDE-L", 518128256},
              {FIELDS "", 46566768}, {FIELDS "size=B", 178965184}, {FIELDS "type=PDE-L", 701358432}};

  for (int i = 0; i < FC_COUNT(list); i++) {
    net n = {0};
    CHECK_OK(try_build(list[i].options, true, &n));
    CHECK(fc_params_trainable(n.params) == list[i].numbers);
    drop(&n);
  }
}

static void starts_at_zero(void) {
  fc_ctx    *c = check_ctx();
  net        n = build(SMALL);
  fc_batch   b = {0};
  fc_tensor *u = check_random(c, FC_DIMS(1, 2, 8, 8));

  fc_batch_put(&b, "hidden_states", u);
  const fc_tensor *y = run(c, &n, &b);
  CHECK(fc_same_shape(y, u));
  for (int64_t i = 0; i < fc_len(y); i++) CHECK_NEAR(y->x[i], 0, 0);
  drop(&n);
}

/* ---- gridded data ---- */

/* a window of two frames and two channels through pack, against the same numbers as official input */
static void mixed_window(void) {
  fc_ctx    *c = check_ctx();
  net        n = build_lively(SMALL "in_channels=4 in_frames=2 label=3");
  fc_tensor *w = check_random(c, FC_DIMS(2, 2, 8, 12, 2));
  fc_batch   b = {0};
  fc_frames  f;

  CHECK_OK(DEF->frames(n.self, &f));
  CHECK(f.n_in == 2 && f.max_out == 1 && f.ndim == 2 && f.channels_in == 2 && f.channels_out == 2);
  CHECK(f.multiple == 4 && f.timestep && !f.steady && !f.square && !f.params);
  fc_batch_put(&b, "hidden_states",
               fc_reshape(c, fc_permute(c, w, (int[]){0, 1, 4, 2, 3}), FC_DIMS(2, 4, 8, 12)));
  fc_batch_put(&b, "class_labels", numbers(c, FC_DIMS(2), (int[]){3, 3}));
  const fc_tensor *y = fc_permute(c, run(c, &n, &b), (int[]){0, 2, 3, 1});
  const fc_tensor *z = fc_model_frames(c, DEF, n.self, w, 1, &(fc_batch){0});
  CHECK(z->ndim == 5 && z->dim[1] == 1 && z->dim[2] == 8 && z->dim[3] == 12 && same(y, z));
  drop(&n);
}

/* each field's frame and a frame of zeros; kinds 1, 2, 3 unless given */
static void separate_window(const char *options, const int *kinds) {
  fc_ctx    *c = check_ctx();
  net        n = build_lively(options);
  fc_tensor *w = check_random(c, FC_DIMS(2, 1, 8, 4, 3)), *x = fc_permute(c, w, (int[]){4, 0, 1, 2, 3});
  fc_batch   b = {0};
  fc_frames  f;

  CHECK_OK(DEF->frames(n.self, &f));
  CHECK(f.n_in == 1 && f.channels_in == 3 && f.channels_out == 3 && !f.timestep);
  fc_batch_put(&b, "x", fc_pad(c, x, 2, 0, 1));
  fc_batch_put(
      &b, "channel_type",
      numbers(c, FC_DIMS(3, 2), (int[]){kinds[0], kinds[0], kinds[1], kinds[1], kinds[2], kinds[2]}));
  fc_batch_put(&b, "pde_type", numbers(c, FC_DIMS(3, 2), (int[]){5, 5, 5, 5, 5, 5})); /* unknown */
  fc_batch_put(&b, "task", numbers(c, FC_DIMS(1), (int[]){0}));
  const fc_tensor *y = fc_permute(c, fc_slice(c, run(c, &n, &b), 2, 1, 1), (int[]){1, 2, 3, 4, 0});
  const fc_tensor *z = fc_model_frames(c, DEF, n.self, w, 1, &(fc_batch){0});
  CHECK(z->ndim == 5 && z->dim[1] == 1 && fc_last(z) == 3 && same(y, z));
  drop(&n);
}

static void gridded(void) {
  mixed_window();
  separate_window(FIELDS SMALL "fields=3", (int[]){1, 2, 3});
  separate_window(FIELDS SMALL "fields=3 channel_types=[4,0,4]", (int[]){4, 0, 4});
}

/* a time put there by who trains on flows reaches the network, one for each sample */
static void time_of_flows(void) {
  fc_ctx    *c = check_ctx();
  net        n = build_lively(SMALL);
  fc_tensor *w = check_random(c, FC_DIMS(2, 1, 8, 8, 2)), *t = fc_tensor_new(c->arena, FC_DIMS(2));
  fc_batch   given = {0};

  t->x[0] = 0, t->x[1] = (fc_real)0.5;
  fc_batch_put(&given, "timestep", t);
  const fc_tensor *y    = fc_model_frames(c, DEF, n.self, w, 1, &(fc_batch){0});
  const fc_tensor *z    = fc_model_frames(c, DEF, n.self, w, 1, &given);
  const int64_t    half = fc_len(y) / 2;
  CHECK(!memcmp(y->x, z->x, (size_t)half * sizeof(fc_real)));
  CHECK(memcmp(y->x + half, z->x + half, (size_t)half * sizeof(fc_real)) != 0);
  drop(&n);
}

/* ---- several fields ---- */

/* Two fields with the same numbers and kinds get the same answer; not so under the mask, which the official
   code lays on the wrong windows of all fields but the first of one. */
static void twin_fields(const char *options, bool equal) {
  fc_ctx    *c   = check_ctx();
  net        n   = build_lively(options);
  fc_tensor *one = check_random(c, FC_DIMS(1, 1, 2, 16, 16)), *x = fc_concat(c, 0, FC_IN(one, one));
  fc_batch   b = {0};

  fc_batch_put(&b, "x", x);
  fc_batch_put(&b, "channel_type", numbers(c, FC_DIMS(1), (int[]){2}));
  fc_batch_put(&b, "pde_type", numbers(c, FC_DIMS(1), (int[]){1}));
  fc_batch_put(&b, "task", numbers(c, FC_DIMS(1), (int[]){0}));
  const fc_tensor *y    = run(c, &n, &b);
  const int64_t    half = fc_len(y) / 2;
  double           off  = 0;
  for (int64_t i = 0; i < half; i++) off = fmax(off, fabs((double)(y->x[i] - y->x[half + i])));
  CHECK(equal ? off < 1e-5 : off > 1e-3);
  drop(&n);
}

static void twins(void) {
  twin_fields(FIELDS SMALL, true);
  twin_fields("variant=separate_channels_carrier " SMALL, true);
  twin_fields(FIELDS SMALL "periodic=false", false);
}

/* ---- training ---- */

static const fc_tensor *labelled(fc_ctx *c, const net *n, fc_tensor *u, int label, uint64_t step) {
  fc_batch b = {0};

  c->step  = step;
  c->draws = 0;
  fc_batch_put(&b, "hidden_states", u);
  if (label >= 0) fc_batch_put(&b, "class_labels", numbers(c, FC_DIMS(1), &label));
  return run(c, n, &b);
}

/* In training labels give way to 'unknown': always at probability 1, by step at 1/2, never in inference. */
static void dropped_labels(void) {
  fc_ctx *c      = check_ctx();
  net     always = build_lively(SMALL "class_dropout_prob=1"),
      half       = build_lively(SMALL "class_dropout_prob=0.5");
  fc_tensor *u   = check_random(c, FC_DIMS(4, 2, 8, 8));

  CHECK(!same(labelled(c, &always, u, 2, 0), labelled(c, &always, u, -1, 0)));
  c->training = true;
  CHECK(same(labelled(c, &always, u, 2, 0), labelled(c, &always, u, -1, 0)));
  CHECK(same(labelled(c, &half, u, 2, 7), labelled(c, &half, u, 2, 7)));
  CHECK(!same(labelled(c, &half, u, 2, 7), labelled(c, &half, u, 2, 8)));
  c->training = false;
  CHECK(same(labelled(c, &half, u, 2, 7), labelled(c, &half, u, 2, 8)));
  drop(&always);
  drop(&half);
}

/* blocks that run again in backward give the same gradients to the last bit; labels are drawn once */
static void recomputed_blocks(void) {
  const char *options[] = {SMALL "class_dropout_prob=0.5", SMALL "class_dropout_prob=0.5 recompute=true"};
  fc_ctx     *c         = check_ctx();
  fc_tensor  *u = check_random(c, FC_DIMS(2, 2, 8, 12)), *v = check_random(c, FC_DIMS(2, 2, 8, 12));
  fc_real    *kept[2];
  int64_t     size = 0;

  c->training = true;
  for (int k = 0; k < 2; k++) {
    net n              = build_lively(options[k]);
    size               = fc_params_block(n.params, true);
    const size_t bytes = (size_t)size * sizeof(fc_real);
    kept[k]            = fc_arena_push(c->arena, bytes);
    c->grad            = true;
    fc_backward_from(c, (fc_tensor *)labelled(c, &n, u, 1, 3), v->x);
    c->grad = false;
    memcpy(kept[k], fc_params_grads(n.params), bytes);
    drop(&n);
  }
  double off = 0, top = 0;
  for (int64_t i = 0; i < size; i++) {
    off = fmax(off, fabs((double)(kept[0][i] - kept[1][i])));
    top = fmax(top, fabs((double)kept[0][i]));
  }
  CHECK_NEAR(off, 0, 0);
  CHECK(top > 0);
}

/* ---- what cannot work says so ---- */

static void refused_options(void) {
  static const struct {
    const char *options, *text;
  } list[] = {{"depth=[2,2]", "depth has 2 numbers"},
              {"hidden_size=10 num_heads=4", "multiple of num_heads 4"},
              {"hidden_size=7 num_heads=1", "level 1 of 4"},
              {"max_hidden_size=384", "max_hidden_size 384"},
              {"carrier_token_active=true", "separate_channels_carrier"},
              {"variant=separate_channels_carrier periodic=false", "periodic"},
              {"variant=separate_channels_carrier hidden_size=24 num_heads=4", "not 6"},
              {"hidden_size=4 mlp_ratio=0.2", "no hidden layer"},
              {"in_channels=3 in_frames=2", "in_frames 2"}};

  for (int i = 0; i < FC_COUNT(list); i++) {
    net n = {0};
    CHECK_FAILS(try_build(list[i].options, true, &n), FC_E_USAGE, list[i].text);
    drop(&n);
  }
}

static void refused_frames(void) {
  static const struct {
    const char *options, *text;
  } list[] = {{SMALL "label=5", "label is 5"},
              {SMALL "class_dropout_prob=0", "label is -1"},
              {FIELDS SMALL "fields=3 channel_types=[1,2]", "2 numbers for 3 fields"},
              {FIELDS SMALL "fields=6", "channel type 6"}};

  for (int i = 0; i < FC_COUNT(list); i++) {
    net       n = build(list[i].options);
    fc_frames f;
    CHECK_FAILS(DEF->frames(n.self, &f), FC_E_USAGE, list[i].text);
    drop(&n);
  }
}

static void refused(const char *options, int64_t H, int64_t W, int label, const char *text) {
  fc_ctx  *c = check_ctx();
  net      n = build(options);
  fc_batch b = {0};

  fc_batch_put(&b, "hidden_states", check_random(c, FC_DIMS(2, 2, H, W)));
  if (label >= 0) fc_batch_put(&b, "class_labels", numbers(c, FC_DIMS(2), (int[]){0, label}));
  CHECK_FAILS(DEF->check(n.self, &b), FC_E_MISMATCH, text);
  drop(&n);
}

static void refused_inputs(void) {
  refused(SMALL, 8, 6, -1, "multiples of 2 are wanted");
  refused(SMALL, 1, 8, -1, "0 x 4 patches");
  refused(SMALL "in_channels=3", 8, 8, -1, "hidden_states has shape");
  refused(SMALL "periodic=false window_size=3", 16, 16, -1, "level 0 has 8 x 8 tokens");
  refused(SMALL, 8, 8, 6, "whole number from 0 to 5");
  refused(SMALL "class_dropout_prob=0", 8, 8, 5, "whole number from 0 to 4");
  refused(SMALL "class_dropout_prob=0", 8, 8, -1, "no input named class_labels");
  refused(FIELDS SMALL, 8, 8, -1, "named x");
}

CHECK_SUITE(pde_transformer, published_sizes, starts_at_zero, gridded, time_of_flows, twins, dropped_labels,
            recomputed_blocks, refused_options, refused_frames, refused_inputs)
