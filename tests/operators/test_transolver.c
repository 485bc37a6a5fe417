/* tests/operators/test_transolver.c - what reference cases cannot show: ragged batches, gridded data,
 * refusals. */
#include "core/model.h"
#include "core/nn/nn.h"
#include "tests/check.h"

extern const fc_model_def fc_model_transolver;

typedef struct {
  void      *self;
  fc_params *params;
} net;

/* options as "key=value", all in one text with blanks between; a status other than FC_OK is returned */
static fc_status try_build(const char *text, net *n) {
  const fc_model_def *def  = &fc_model_transolver;
  void               *cfg  = calloc(1, def->config_size);
  char               *list = strdup(text), *save = NULL;

  fc_options_defaults(def->options, cfg);
  for (char *s = strtok_r(list, " ", &save); s; s = strtok_r(NULL, " ", &save)) {
    char *value = strchr(s, '=');
    *value      = 0;
    CHECK_OK(fc_options_set(def->options, cfg, s, value + 1, "test"));
  }
  n->self = calloc(1, def->self_size);
  CHECK_OK(fc_params_create(&n->params));
  const fc_status s = def->init(n->self, n->params, cfg);
  free(list);
  free(cfg);
  return s;
}

static net build(const char *text) {
  net n = {0};

  CHECK_OK(try_build(text, &n));
  CHECK_OK(fc_params_commit(n.params, 3, false));
  return n;
}

static void drop(net *n) {
  fc_params_destroy(n->params);
  free(n->self);
}

static fc_tensor *run(fc_ctx *c, const net *n, const fc_batch *b) {
  CHECK_OK(fc_model_transolver.check(n->self, b));
  return fc_model_transolver.apply(c, n->self, b);
}

static fc_tensor *lengths_of(fc_ctx *c, int n, const int *length) {
  fc_tensor *t = fc_tensor_new(c->arena, FC_DIMS(n));

  for (int i = 0; i < n; i++) t->x[i] = (fc_real)length[i];
  return t;
}

/* ---- ragged batches ---- */

enum { SAMPLES = 3 };
static const int length[SAMPLES] = {17, 1, 600};

/* rows of sample b under a new shape */
static fc_tensor *cut(fc_ctx *c, fc_tensor *x, int b, bool batched) {
  int64_t at = 0;

  for (int i = 0; i < b; i++) at += length[i];
  fc_tensor *y = fc_slice(c, x, 0, at, length[b]);
  return batched ? fc_reshape(c, y, FC_DIMS(1, length[b], fc_last(x))) : y;
}

/* gradient of all parameters for dL/dy = v, added to what is there */
static void add_gradients(fc_ctx *c, fc_tensor *y, const fc_tensor *v) {
  fc_keep(y);
  fc_backward_from(c, y, v->x);
}

static fc_real *copy_gradients(fc_ctx *c, net *n) {
  const size_t bytes = (size_t)fc_params_block(n->params, true) * sizeof(fc_real);

  return memcpy(fc_arena_push(c->arena, bytes), fc_params_grads(n->params), bytes);
}

/* The batch as one, then its samples one by one: same outputs, and gradients that add up (in another order).
 */
static void compare(const char *options, int64_t space, int64_t features, bool time) {
  fc_ctx    *c = check_ctx();
  net        n = build(options);
  fc_tensor *x = check_random(c, FC_DIMS(618, space)), *T = check_random(c, FC_DIMS(SAMPLES, 1));
  fc_tensor *fx  = features ? check_random(c, FC_DIMS(618, features)) : NULL;
  fc_batch   all = {0};

  for (int i = 0; i < fc_params_size(n.params); i++) {
    fc_tensor *t;
    fc_params_at(n.params, i, &t);
    t->needs_grad = fc_params_kind(n.params, i) == FC_PARAM_TRAINED;
  }
  fc_batch_put(&all, "x", x);
  fc_batch_put(&all, "x_lengths", lengths_of(c, SAMPLES, length));
  if (fx) fc_batch_put(&all, "fx", fx);
  if (time) fc_batch_put(&all, "T", T);
  c->grad      = true;
  fc_tensor *y = run(c, &n, &all), *v = check_random(c, FC_DIMS(618, fc_last(y)));
  CHECK(y->ndim == 2 && y->dim[0] == 618);
  add_gradients(c, y, v);
  const fc_real *together = copy_gradients(c, &n);
  fc_params_zero_grads(n.params);
  for (int b = 0; b < SAMPLES; b++) {
    fc_batch one    = {0};
    c->grad         = false;
    fc_tensor *part = cut(c, y, b, true), *dy = cut(c, v, b, true);
    fc_batch_put(&one, "x", cut(c, x, b, true));
    if (fx) fc_batch_put(&one, "fx", cut(c, fx, b, true));
    if (time) fc_batch_put(&one, "T", fc_slice(c, T, 0, b, 1));
    c->grad      = true;
    fc_tensor *z = run(c, &n, &one);
    CHECK(check_distance(z, part) < 1e-5);
    add_gradients(c, z, dy);
  }
  double off = 0, top = 0;
  for (int64_t i = 0; i < fc_params_block(n.params, true); i++) {
    off = fmax(off, fabs((double)fc_params_grads(n.params)[i] - (double)together[i]));
    top = fmax(top, fabs((double)together[i]));
  }
  CHECK(top > 0 && off < 2e-5 * top);
  drop(&n);
}

static void ragged_equals_single(void) {
  compare("variant=irregular n_layers=2 n_hidden=16 n_head=2 slice_num=5 fun_dim=3 Time_Input=true", 2, 3,
          true);
  compare("variant=irregular n_layers=1 n_hidden=10 n_head=1 slice_num=1 fun_dim=0 unified_pos=true ref=3", 2,
          0, false);
  compare("variant=nsl_irregular n_layers=2 n_hidden=9 n_heads=2 slice_num=4 space_dim=3", 3, 1, false);
}

/* car and airfrans: the official 7 numbers of a point, or its coordinates and the other numbers apart */
static void design_inputs(const char *options, int64_t space) {
  fc_ctx    *c            = check_ctx();
  net        n            = build(options);
  fc_tensor *all          = check_random(c, FC_DIMS(40, 7)),
            *part[]       = {fc_slice(c, all, 1, 0, space), fc_slice(c, all, 1, space, 7 - space)};
  fc_batch       official = {0}, packed = {0};
  fc_cloud_wants wants;

  fc_batch_put(&official, "x", all);
  fc_batch_put(&official, "pos", part[0]);
  fc_batch_put(&packed, "x", part[0]);
  fc_batch_put(&packed, "fx", part[1]);
  fc_batch_put(&packed, "x_lengths", lengths_of(c, 1, (int[]){40}));
  CHECK(check_distance(run(c, &n, &packed), run(c, &n, &official)) == 0);
  CHECK_OK(fc_model_transolver.cloud(n.self, &wants));
  CHECK(wants.space == space && wants.features == 7 - space && wants.targets == 4 && !wants.time);
  drop(&n);
}

static void design(void) {
  design_inputs(
      "variant=airfrans space_dim=7 out_dim=4 n_layers=1 n_hidden=8 n_head=2 unified_pos=true ref=3", 2);
  design_inputs("variant=airfrans space_dim=7 out_dim=4 n_layers=1 n_hidden=8 n_head=2", 2);
  design_inputs(
      "variant=car space_dim=7 fun_dim=0 out_dim=4 n_layers=1 n_hidden=8 n_head=2 unified_pos=1 ref=2", 3);
}

/* ---- gridded data ---- */

/* a window of 2 frames and 3 channels through pack, against the same numbers as official inputs */
static void window_equals_official(const char *options, int n_space, const int64_t *dim) {
  fc_ctx   *c                  = check_ctx();
  net       n                  = build(options);
  int64_t   shape[FC_MAX_DIMS] = {2, 2}, N = 1;
  fc_batch  flat = {0};
  fc_frames f;

  for (int a = 0; a < n_space; a++) shape[2 + a] = dim[a], N *= dim[a];
  shape[2 + n_space] = 3;
  fc_tensor *w = check_random(c, n_space + 3, shape), *fx = fc_tensor_new(c->arena, FC_DIMS(2, N, 6));
  fc_tensor *x = fc_expand(
      c, fc_reshape(c, fc_unit_grid(c, n_space, dim, (fc_cut){dim[0], 1}), FC_DIMS(1, N, n_space)), 0, 2);
  for (int64_t i = 0; i < 2 * N * 6; i++) /* channel 3 t + ch of point p of sample b */
    fx->x[i] = w->x[((i / (6 * N) * 2 + i % 6 / 3) * N + i / 6 % N) * 3 + i % 3];
  CHECK_OK(fc_model_transolver.frames(n.self, &f));
  CHECK(f.n_in == 2 && f.max_out == 1 && f.ndim == n_space && f.channels_in == 3 && f.channels_out == 2);
  const fc_tensor *y = fc_model_frames(c, &fc_model_transolver, n.self, w, 1, &(fc_batch){0});
  CHECK(y->ndim == n_space + 3 && y->dim[1] == 1 && fc_last(y) == 2 && fc_len(y) == 4 * N);
  fc_batch_put(&flat, "x", x);
  fc_batch_put(&flat, "fx", fx);
  const fc_tensor *z = run(c, &n, &flat);
  CHECK(fc_len(z) == fc_len(y) && !memcmp(y->x, z->x, (size_t)fc_len(y) * sizeof(fc_real)));
  drop(&n);
}

static void gridded(void) {
#define SMALL "fun_dim=6 out_dim=2 in_frames=2 n_layers=2 n_hidden=8 n_head=2 slice_num=3 "
  window_equals_official(SMALL "variant=structured_2d H=5 W=7", FC_DIMS(5, 7));
  window_equals_official(SMALL "variant=structured_2d H=5 W=7 unified_pos=true ref=3", FC_DIMS(5, 7));
  window_equals_official(SMALL "variant=structured_3d space_dim=3 H=3 W=4 D=5", FC_DIMS(3, 4, 5));
  window_equals_official(SMALL "variant=nsl_structured_1d space_dim=1 unified_pos=true ref=4", FC_DIMS(11));
  window_equals_official(SMALL "variant=nsl_structured_2d shapelist=[1,9]", FC_DIMS(1, 9));
  window_equals_official(SMALL "variant=nsl_structured_3d space_dim=3 shapelist=[3,1,2]", FC_DIMS(3, 1, 2));
  window_equals_official(SMALL "variant=irregular", FC_DIMS(4, 6));
  window_equals_official(SMALL "variant=nsl_irregular space_dim=3", FC_DIMS(2, 3, 4));
}

/* blocks that run again in backward give the same gradients to the last bit */
static void recomputed_blocks(void) {
  const char *options[] = {SMALL "variant=structured_2d", SMALL "variant=structured_2d recompute=true"};
  fc_real    *kept[2];
  int64_t     size = 0;
  fc_ctx     *c    = check_ctx();
  fc_tensor  *w = check_random(c, FC_DIMS(1, 2, 6, 5, 3)), *v = check_random(c, FC_DIMS(1, 1, 6, 5, 2));

  for (int k = 0; k < 2; k++) {
    net n = build(options[k]);
    for (int i = 0; i < fc_params_size(n.params); i++) {
      fc_tensor *t;
      fc_params_at(n.params, i, &t);
      t->needs_grad = true;
    }
    c->grad = true;
    add_gradients(c, fc_model_frames(c, &fc_model_transolver, n.self, w, 1, &(fc_batch){0}), v);
    kept[k] = copy_gradients(c, &n);
    size    = fc_params_block(n.params, true);
    drop(&n);
  }
  double off = 0;
  for (int64_t i = 0; i < size; i++) off = fmax(off, fabs((double)(kept[0][i] - kept[1][i])));
  CHECK_NEAR(off, 0, 0);
}

/* ---- what cannot work says so ---- */

static void refused_options(void) {
  net n = {0};

  CHECK_FAILS(try_build("n_hidden=4 n_head=5", &n), FC_E_USAGE, "5 heads");
  drop(&n);
  CHECK_FAILS(try_build("variant=irregular unified_pos=true space_dim=3", &n), FC_E_USAGE, "in the plane");
  drop(&n);
  CHECK_FAILS(try_build("variant=nsl_structured_2d shapelist=[4]", &n), FC_E_USAGE, "shapelist");
  drop(&n);
  CHECK_FAILS(try_build("variant=car space_dim=3", &n), FC_E_USAGE, "space_dim is 3");
  drop(&n);
}

/* trained numbers of the published networks; airfrans: without the 2103296 of its unused maps */
static void published_sizes(void) {
  static const struct {
    const char *options;
    int64_t     numbers;
  } list[] = {
      {"variant=structured_2d unified_pos=true", 2826945},
      {"variant=structured_2d unified_pos=true n_hidden=256 slice_num=32 fun_dim=10", 11232321},
      {"variant=structured_2d unified_pos=true n_hidden=256 slice_num=32 fun_dim=10 mlp_ratio=2", 12282945},
      {"variant=structured_2d fun_dim=0", 2810817},
      {"variant=structured_2d fun_dim=0 mlp_ratio=2", 3073985},
      {"variant=structured_2d Time_Input=true out_dim=4", 2844484},
      {"variant=irregular fun_dim=0", 713665},
      {"variant=car space_dim=7 out_dim=4 n_hidden=256 slice_num=32 mlp_ratio=2", 3860804},
      {"variant=airfrans space_dim=7 out_dim=4 n_hidden=256 slice_num=32 mlp_ratio=2 unified_pos=true",
       3893572},
  };

  for (int i = 0; i < FC_COUNT(list); i++) {
    net n = {0};
    CHECK_OK(try_build(list[i].options, &n));
    CHECK(fc_params_trainable(n.params) == list[i].numbers);
    drop(&n);
  }
}

static void refused(const char *options, const char *text) {
  fc_ctx  *c = check_ctx();
  net      n = build(options);
  fc_batch b = {0};

  fc_batch_put(&b, "x", check_random(c, FC_DIMS(2, 12, 2)));
  fc_batch_put(&b, "fx", check_random(c, FC_DIMS(2, 12, 1)));
  CHECK_FAILS(fc_model_transolver.check(n.self, &b), FC_E_MISMATCH, text);
  drop(&n);
}

static void refused_inputs(void) {
  fc_frames      f;
  fc_cloud_wants w;

#define TINY "n_layers=1 n_hidden=8 n_head=2 slice_num=3 "
  refused(TINY "variant=structured_2d", "12 points");
  refused(TINY "variant=structured_2d H=3 W=5", "has 15");
  refused(TINY "variant=irregular space_dim=3", "x has shape [2, 12, 2]");
  refused(TINY "variant=irregular fun_dim=2", "fx has shape");
  refused(TINY "variant=irregular Time_Input=true", "named T");
  refused(TINY "variant=airfrans space_dim=7", "x has shape");
  refused(TINY "variant=irregular fun_dim=0", "takes x alone");
  net n = build(TINY "variant=car space_dim=7");
  CHECK_FAILS(fc_model_transolver.frames(n.self, &f), FC_E_MISMATCH, "point clouds");
  drop(&n);
  n = build(TINY "in_frames=2 fun_dim=3");
  CHECK_FAILS(fc_model_transolver.frames(n.self, &f), FC_E_MISMATCH, "in_frames = 2");
  CHECK_FAILS(fc_model_transolver.cloud(n.self, &w), FC_E_MISMATCH, "on grids");
  drop(&n);
  n = build(TINY "Time_Input=true");
  CHECK_FAILS(fc_model_transolver.frames(n.self, &f), FC_E_MISMATCH, "Time_Input");
  drop(&n);
}

CHECK_SUITE(transolver, ragged_equals_single, design, gridded, recomputed_blocks, published_sizes,
            refused_options, refused_inputs)
