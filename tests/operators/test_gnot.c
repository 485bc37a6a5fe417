/* tests/operators/test_gnot.c - what the reference cases do not show: packed batches equal their samples one
   by one, masks do what they say, a mesh may be given once for all samples, grids become points, and what
   does not fit is refused in words. */
#include "core/model.h"
#include "core/vmath.h"
#include "tests/check.h"

extern const fc_model_def fc_model_gnot;

static void      *options, *self;
static fc_params *params;

/* a network with normal weights in place of its initial ones, so that every gate and bias counts */
static fc_status build_as(int n, const char *const (*set)[2]) {
  const fc_model_def *def = &fc_model_gnot;

  fc_params_destroy(params);
  free(options), free(self);
  params = NULL, options = calloc(1, def->config_size), self = calloc(1, def->self_size);
  fc_options_defaults(def->options, options);
  for (int i = 0; i < n; i++) FC_TRY(fc_options_set(def->options, options, set[i][0], set[i][1], "test"));
  FC_TRY(fc_params_create(&params));
  FC_TRY(def->init(self, params, options));
  FC_TRY(fc_params_commit(params, 3, false));
  for (int i = 0; i < fc_params_size(params); i++) {
    fc_tensor   *t;
    const fc_rng r = {11, (uint64_t)i, FC_RNG_TEST};
    fc_params_at(params, i, &t);
    for (int64_t j = 0; j < fc_len(t); j++)
      t->x[j] +=
          (fc_real)(0.3 * fc_rng_normal(&r, (uint64_t)j) / sqrt((double)(t->ndim > 1 ? fc_last(t) : 1)));
  }
  return FC_OK;
}
typedef const char *const setting[2];
#define BUILD(...) CHECK_OK(build_as(FC_COUNT(((setting[]){__VA_ARGS__})), (setting[]){__VA_ARGS__}))
#define BASE                                                                                                 \
  {"n_hidden", "12"}, {"n_head", "2"}, {"n_layers", "2"}, {"n_inner", "2"}, { "mlp_layers", "1" }
#define MOE                                                                                                  \
  BASE, {"n_experts", "3"}, {"trunk_size", "5"}, {"branch_sizes", "[3, 4]"}, { "output_size", "2" }
#define OFF_BY_ROUNDING 3e-6

/* ---- three samples, packed ---- */

enum { SAMPLES = 3 };
static const int64_t points[SAMPLES] = {7, 30, 1}, keys[2][SAMPLES] = {{4, 1, 9}, {11, 2, 3}};

static fc_tensor *numbers(fc_ctx *c, int64_t n, const int64_t *v) {
  fc_tensor *t = fc_tensor_new(c->arena, FC_DIMS(n));

  for (int64_t i = 0; i < n; i++) t->x[i] = (fc_real)v[i];
  return t;
}

static int64_t total(const int64_t *v) { return v[0] + v[1] + v[2]; }

/* columns: of x, fx, u_p, T, f0, f1; 0: none */
static fc_batch packed(fc_ctx *c, const int64_t columns[6]) {
  fc_batch b = {0};

  fc_batch_put(&b, "x", check_random(c, FC_DIMS(total(points), columns[0])));
  fc_batch_put(&b, "x_lengths", numbers(c, SAMPLES, points));
  if (columns[1]) fc_batch_put(&b, "fx", check_random(c, FC_DIMS(total(points), columns[1])));
  if (columns[2]) fc_batch_put(&b, "u_p", check_random(c, FC_DIMS(SAMPLES, columns[2])));
  if (columns[3]) fc_batch_put(&b, "T", check_random(c, FC_DIMS(SAMPLES, columns[3])));
  if (columns[4]) fc_batch_put(&b, "f0", check_random(c, FC_DIMS(total(keys[0]), columns[4])));
  if (columns[4]) fc_batch_put(&b, "f0_lengths", numbers(c, SAMPLES, keys[0]));
  if (columns[5]) fc_batch_put(&b, "f1", check_random(c, FC_DIMS(total(keys[1]), columns[5])));
  if (columns[5]) fc_batch_put(&b, "f1_lengths", numbers(c, SAMPLES, keys[1]));
  return b;
}

static const int64_t *lengths_for(const char *name) {
  static const int64_t one[SAMPLES] = {1, 1, 1};

  if (name[0] == 'f' && name[1] != 'x') return keys[name[1] - '0'];
  return !strcmp(name, "x") || !strcmp(name, "fx") ? points : one;
}

static bool holds_lengths(const char *name) { return strstr(name, "_lengths"); }

static fc_tensor *borrow_rows(fc_ctx *c, const fc_tensor *t, int64_t at, int64_t n) {
  return fc_tensor_borrow(c->arena, t->x + at * fc_last(t), FC_DIMS(n, fc_last(t)));
}

/* sample s of a packed batch as an official batch of one */
static fc_batch sample(fc_ctx *c, const fc_batch *all, int s) {
  fc_batch b = {0};

  for (int i = 0; i < all->n; i++) {
    const int64_t *n  = lengths_for(all->name[i]);
    const int64_t  at = s > 1 ? n[0] + n[1] : s > 0 ? n[0] : 0;
    if (holds_lengths(all->name[i])) continue;
    fc_tensor *t = borrow_rows(c, all->t[i], at, n[s]);
    if (n != lengths_for("T")) t = fc_reshape(c, t, FC_DIMS(1, n[s], fc_last(t)));
    fc_batch_put(&b, all->name[i], t);
  }
  return b;
}

/* the official padded form, with padding that is not zero, and lengths */
static fc_batch padded(fc_ctx *c, const fc_batch *all) {
  fc_batch b = {0};

  for (int i = 0; i < all->n; i++) {
    const int64_t *n = lengths_for(all->name[i]), longest = fc_max64(n[0], fc_max64(n[1], n[2]));
    fc_tensor     *from = all->t[i], *t = from;
    if (!holds_lengths(all->name[i]) && n != lengths_for("T")) {
      t          = check_random(c, FC_DIMS(SAMPLES, longest, fc_last(from)));
      int64_t at = 0;
      for (int s = 0; s < SAMPLES; at += n[s++])
        memcpy(t->x + s * longest * fc_last(t), from->x + at * fc_last(t),
               (size_t)(n[s] * fc_last(t)) * sizeof *t->x);
    }
    fc_batch_put(&b, all->name[i], t);
  }
  return b;
}

static fc_tensor *call(fc_ctx *c, const fc_batch *b) {
  CHECK_OK(fc_model_gnot.check(self, b));
  return fc_model_gnot.apply(c, self, b);
}

/* gradients of sum(y v) with respect to all weights, added to g */
static fc_real *gradients(fc_ctx *c, const fc_batch *b, const fc_real *v) {
  fc_params_zero_grads(params);
  c->grad = true;
  fc_backward_from(c, call(c, b), v);
  c->grad = false;
  return fc_params_grads(params);
}

static double largest(const fc_real *x, int64_t n) {
  double top = 0;

  for (int64_t i = 0; i < n; i++) top = fmax(top, fabs((double)x[i]));
  return top;
}

static double distance(const fc_real *a, const fc_real *b, int64_t n) {
  double off = 0;

  for (int64_t i = 0; i < n; i++) {
    const double d = fabs((double)a[i] - (double)b[i]);
    if (!(d <= off)) off = d; /* NaN sticks */
  }
  return off;
}

static void equals_its_samples(const int64_t columns[6]) {
  fc_ctx          *c   = check_ctx();
  const fc_batch   all = packed(c, columns);
  const fc_tensor *y = call(c, &all), *v = check_random(c, y->ndim, y->dim);
  const int64_t    w = fc_last(y), size = fc_params_block(params, true);
  fc_real         *sum = calloc((size_t)size, sizeof *sum);
  int64_t          at  = 0;

  CHECK(y->ndim == 2 && y->dim[0] == total(points));
  for (int s = 0; s < SAMPLES; at += points[s++]) {
    const fc_batch   one   = sample(c, &all, s);
    const fc_tensor *alone = call(c, &one);
    CHECK(fc_len(alone) == points[s] * w);
    CHECK(distance(y->x + at * w, alone->x, fc_len(alone)) < OFF_BY_ROUNDING * largest(y->x, fc_len(y)));
    const fc_real *g = gradients(c, &one, v->x + at * w);
    for (int64_t i = 0; i < size; i++) sum[i] += g[i];
  }
  CHECK(distance(gradients(c, &all, v->x), sum, size) < OFF_BY_ROUNDING * largest(sum, size));
  free(sum);
}

static void packed_batches_equal_their_samples(void) {
  BUILD(MOE);
  equals_its_samples((int64_t[]){2, 1, 2, 0, 3, 4});
  BUILD(MOE, {"recompute", "true"});
  equals_its_samples((int64_t[]){5, 0, 0, 0, 3, 4});
  BUILD(MOE, {"variant", "cgpt"}, {"horiz_fourier_dim", "1"});
  equals_its_samples((int64_t[]){3, 0, 2, 0, 3, 4});
  BUILD(BASE, {"variant", "cgpt"}, {"trunk_size", "1"}, {"branch_sizes", "[]"});
  equals_its_samples((int64_t[]){1, 0, 0, 0, 0, 0});
  BUILD(BASE, {"variant", "nsl"}, {"fun_dim", "2"}, {"time_input", "true"});
  equals_its_samples((int64_t[]){2, 2, 0, 1, 0, 0});
}

/* with mask the padding has no say; without, it has: the official codes leave it in */
static void masks_hide_padding(void) {
  static const setting variants[] = {{"variant", "moe"}, {"variant", "cgpt"}};

  for (int i = 0; i < FC_COUNT(variants); i++) {
    fc_ctx *c = check_ctx();
    BUILD(MOE, {variants[i][0], variants[i][1]});
    const fc_batch   all = packed(c, (int64_t[]){3, 0, 2, 0, 3, 4}), with = padded(c, &all);
    const fc_tensor *y   = call(c, &all);
    const double     off = check_distance(call(c, &with), y);
    CHECK(off > 1e-3 && off < 10);
    BUILD(MOE, {variants[i][0], variants[i][1]}, {"mask", "true"});
    CHECK(check_distance(call(c, &with), y) < OFF_BY_ROUNDING);
  }
}

/* rows of x behind a sample's points count as zeros, whatever they hold; the answer drops them */
static void official_padding_of_points_is_zero(void) {
  fc_ctx *c = check_ctx();
  BUILD(MOE);
  const fc_batch   all = packed(c, (int64_t[]){3, 0, 2, 0, 3, 4}), with = padded(c, &all);
  const fc_tensor *y = call(c, &with);
  fc_tensor       *x = fc_batch_get(&with, "x");

  for (int s = 0; s < SAMPLES; s++)
    for (int64_t i = points[s]; i < 30; i++)
      for (int64_t j = 0; j < 3; j++) x->x[(s * 30 + i) * 3 + j] = 0;
  CHECK(y->dim[0] == total(points) && check_distance(call(c, &with), y) == 0);
}

/* ---- one mesh for all samples ---- */

static void mesh_may_be_given_once(void) {
  static const setting variants[] = {{"variant", "moe"}, {"variant", "cgpt"}, {"variant", "nsl"}};

  for (int i = 0; i < FC_COUNT(variants); i++) {
    fc_ctx    *c   = check_ctx();
    const bool nsl = i == 2;
    BUILD(MOE, {"branch_sizes", "[3]"}, {"fun_dim", "3"}, {variants[i][0], variants[i][1]});
    fc_tensor *x = check_random(c, FC_DIMS(1, 9, 2)), *f = check_random(c, FC_DIMS(2, 5, 3));
    fc_tensor *theta = check_random(c, FC_DIMS(2, 3)), *each = fc_expand(c, x, 0, 2);
    fc_batch   once = {1, {"x"}, {x}}, twice = {1, {"x"}, {each}};
    for (int k = 0; k < 2; k++) {
      fc_batch *b = k ? &twice : &once;
      fc_batch_put(b, "u_p", theta);
      if (!nsl) fc_batch_put(b, "f0", f);
    }
    const fc_tensor *y = call(c, &once);
    CHECK(check_distance(y, call(c, &twice)) < OFF_BY_ROUNDING);
    CHECK(distance(y->x, y->x + fc_len(y) / 2, fc_len(y) / 2) > 1e-5 * largest(y->x, fc_len(y)));
  }
}

/* ---- gridded data ---- */

static void grid(const int64_t *dim, int d, int64_t T, int64_t C, int64_t p, int64_t out) {
  fc_ctx   *c = check_ctx();
  fc_batch  b = {0};
  fc_frames f;
  int64_t   shape[FC_MAX_DIMS] = {2, T};

  CHECK_OK(fc_model_gnot.frames(self, &f));
  CHECK(f.n_in == T && f.ndim == d && f.channels_in == C && f.channels_out == out && f.params == p);
  memcpy(shape + 2, dim, (size_t)d * sizeof *dim);
  shape[2 + d] = C;
  fc_tensor *u = check_random(c, d + 3, shape);
  if (p) fc_batch_put(&b, "params", check_random(c, FC_DIMS(2, p)));
  fc_model_gnot.pack(c, self, u, 1, &b);
  const fc_tensor *y = fc_model_gnot.unpack(c, self, call(c, &b));
  CHECK(y->ndim == d + 3 && y->dim[0] == 2 && y->dim[1] == 1 && fc_last(y) == out);
  CHECK(!memcmp(y->dim + 2, dim, (size_t)d * sizeof *dim));
}

static void grids_become_points(void) {
  BUILD(BASE, {"n_experts", "2"}, {"trunk_size", "2"}, {"branch_sizes", "[12]"}, {"in_frames", "10"});
  grid((int64_t[]){5, 7}, 2, 10, 1, 0, 1); /* two-dimensional Navier-Stokes */
  BUILD(BASE, {"trunk_size", "2"}, {"branch_sizes", "[3]"}, {"steady", "true"});
  grid((int64_t[]){6, 6}, 2, 1, 1, 0, 1); /* Darcy */
  BUILD(BASE, {"n_experts", "2"}, {"trunk_size", "11"}, {"space_dim", "3"}, {"in_frames", "2"},
        {"param_dim", "2"}, {"output_size", "3"});
  grid((int64_t[]){3, 4, 5}, 3, 2, 3, 2, 3); /* history as features, theta */
  BUILD(BASE, {"variant", "cgpt"}, {"trunk_size", "5"}, {"space_dim", "1"}, {"branch_sizes", "[5]"},
        {"output_size", "4"});
  grid((int64_t[]){17}, 1, 1, 4, 0, 4); /* history as features and as a function */
  BUILD(BASE, {"variant", "nsl"}, {"fun_dim", "5"}, {"in_frames", "2"}, {"param_dim", "1"},
        {"output_size", "2"}, {"geotype", "structured_2D"}, {"unified_pos", "1"}, {"ref", "3"});
  grid((int64_t[]){4, 6}, 2, 2, 2, 1, 2);
}

/* a field that is shifted by one frame is another input: columns are (frame, channel) behind the coordinates
 */
static void history_columns(void) {
  fc_ctx  *c = check_ctx();
  fc_batch b = {0};
  BUILD(BASE, {"trunk_size", "2"}, {"branch_sizes", "[8]"}, {"in_frames", "3"}, {"output_size", "2"});
  fc_tensor *u = check_random(c, FC_DIMS(1, 3, 2, 2, 2));

  fc_model_gnot.pack(c, self, u, 1, &b);
  const fc_tensor *f = fc_batch_get(&b, "f0");
  for (int64_t n = 0; n < 4; n++) {
    CHECK_NEAR(f->x[n * 8], n / 2, 0);
    CHECK_NEAR(f->x[n * 8 + 1], n % 2, 0);
    for (int64_t t = 0; t < 3; t++)
      for (int64_t k = 0; k < 2; k++) CHECK_NEAR(f->x[n * 8 + 2 + t * 2 + k], u->x[(t * 4 + n) * 2 + k], 0);
  }
}

static void cloud_wants(void) {
  fc_cloud_wants w;

  BUILD(MOE, {"param_dim", "2"});
  CHECK_OK(fc_model_gnot.cloud(self, &w));
  CHECK(w.space == 2 && w.features == 1 && w.params == 2 && w.targets == 2 && w.functions == 2 &&
        w.width[0] == 3 && w.width[1] == 4 && !w.time);
  BUILD(BASE, {"variant", "nsl"}, {"fun_dim", "4"}, {"time_input", "1"});
  CHECK_OK(fc_model_gnot.cloud(self, &w));
  CHECK(w.space == 2 && w.features == 4 && w.functions == 0 && w.time);
}

/* ---- refusals ---- */

#define REFUSES(text, ...)                                                                                   \
  CHECK_FAILS(build_as(FC_COUNT(((setting[]){__VA_ARGS__})), (setting[]){__VA_ARGS__}), FC_E_USAGE, text)

static void options_that_do_not_fit(void) {
  fc_frames f;

  REFUSES("heads", BASE, {"n_head", "5"});
  REFUSES("input functions", BASE, {"branch_sizes", "[1,1,1,1,1,1,1,1,1]"});
  REFUSES("horiz_fourier_dim", BASE, {"horiz_fourier_dim", "2"});
  REFUSES("one input frame", BASE, {"steady", "true"}, {"in_frames", "2"});
  BUILD(BASE, {"trunk_size", "2"}, {"branch_sizes", "[3]"}, {"in_frames", "2"});
  CHECK_FAILS(fc_model_gnot.frames(self, &f), FC_E_MISMATCH, "in_frames");
  BUILD(BASE, {"trunk_size", "3"}, {"branch_sizes", "[4]"});
  CHECK_FAILS(fc_model_gnot.frames(self, &f), FC_E_MISMATCH, "trunk_size");
  BUILD(MOE);
  CHECK_FAILS(fc_model_gnot.frames(self, &f), FC_E_MISMATCH, "one input function");
}

static void refuse(fc_ctx *c, const char *name, fc_tensor *t, const char *text) {
  fc_batch b = packed(c, (int64_t[]){3, 0, 2, 0, 3, 4}), changed = {0};

  for (int i = 0; i < b.n; i++) {
    if (!strcmp(b.name[i], name) && !t) continue;
    fc_batch_put(&changed, b.name[i], strcmp(b.name[i], name) ? b.t[i] : t);
  }
  CHECK_FAILS(fc_model_gnot.check(self, &changed), FC_E_MISMATCH, text);
}

static void inputs_that_do_not_fit(void) {
  fc_ctx *c = check_ctx();

  BUILD(MOE);
  refuse(c, "x", NULL, "there is none");
  refuse(c, "x", check_random(c, FC_DIMS(38)), "x_lengths");
  refuse(c, "x", check_random(c, FC_DIMS(38, 2)), "trunk_size");
  refuse(c, "x", check_random(c, FC_DIMS(3, 30, 3)), "samples");
  refuse(c, "x_lengths", NULL, "x_lengths");
  refuse(c, "x_lengths", numbers(c, 3, (int64_t[]){7, 30, 2}), "add up to 39");
  refuse(c, "x_lengths", numbers(c, 3, (int64_t[]){8, 30, 0}), "positive");
  refuse(c, "f1", NULL, "f1");
  refuse(c, "f1", check_random(c, FC_DIMS(16, 3)), "f1");
  refuse(c, "f1_lengths", NULL, "f1_lengths");
  refuse(c, "u_p", check_random(c, FC_DIMS(2, 2)), "u_p");
  refuse(c, "u_p", check_random(c, FC_DIMS(3, 3)), "trunk_size");
}

static void grids_that_do_not_fit(void) {
  fc_ctx *c = check_ctx();

  BUILD(BASE, {"variant", "nsl"}, {"geotype", "structured_2D"}, {"unified_pos", "1"}, {"ref", "3"});
  fc_batch b = {1, {"x"}, {check_random(c, FC_DIMS(2, 12, 2))}};
  CHECK_FAILS(fc_model_gnot.check(self, &b), FC_E_MISMATCH, "shapelist");
  fc_batch_put(&b, "grid", numbers(c, 2, (int64_t[]){3, 5}));
  CHECK_FAILS(fc_model_gnot.check(self, &b), FC_E_MISMATCH, "15 points, x has 12");
  b.t[1] = numbers(c, 3, (int64_t[]){3, 2, 2});
  CHECK_FAILS(fc_model_gnot.check(self, &b), FC_E_MISMATCH, "2 axes");
  b.t[1] = numbers(c, 2, (int64_t[]){3, 4});
  CHECK_OK(fc_model_gnot.check(self, &b));
}

CHECK_SUITE(gnot, packed_batches_equal_their_samples, masks_hide_padding, official_padding_of_points_is_zero,
            mesh_may_be_given_once, grids_become_points, history_columns, cloud_wants,
            options_that_do_not_fit, inputs_that_do_not_fit, grids_that_do_not_fit)
