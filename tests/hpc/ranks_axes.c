/* tests/hpc/ranks_axes.c - run on 1 to 4 ranks: FactFormer and IFactFormer on shares of a field give the
   outputs, gradients of weights and gradients of the field that a lone rank has. What reference cases are too
   small for: padded axes and halves of axes on four ranks, recomputed layers, more lines than points across,
   windows of gridded data. Plans count what a run sends. */
#include "hpc/domain.h"
#include "tests/check_model.h"

extern const fc_model_def fc_model_factformer, fc_model_ifactformer_m;

static fc_process_grid grid;

typedef struct {
  const fc_model_def *def;
  const char         *options;
  int                 n_out, ndim;
  int64_t             dim[6]; /* of the window [B, T, X.., C] */
} net_case;

enum { LONGEST = 1 << 17 };

typedef struct { /* gradients of the weights; output and gradient of the window, of the lines that are there
                  */
  fc_real weights[LONGEST], y[LONGEST], window[LONGEST];
  double  sent;
} result;

static result whole, mine;

/* official initial weights may be neutral: every number is moved, so that each of them matters */
static void shake(const check_net *n) {
  const fc_rng r = {5, 0, FC_RNG_TEST};

  for (int64_t i = 0; i < fc_params_block(n->params, true); i++)
    fc_params_values(n->params)[i] += (fc_real)(0.1 * fc_rng_normal(&r, (uint64_t)i));
}

/* element k of a tensor of random numbers, the same whoever has it */
static fc_real number(uint64_t key, int64_t k) {
  return (fc_real)fc_rng_normal(&(fc_rng){7, key, FC_RNG_TEST}, (uint64_t)k);
}

/* lines of the third axis of [B, T, X.., C] that this rank has, one after the other in the whole array */
static int64_t place(const fc_tensor *t, int64_t n, int64_t lo, int64_t i) {
  const int64_t line = fc_span(t, 3, t->ndim), own = t->dim[2] * line;

  return i / own * n * line + lo * line + i % own;
}

static void fill(const fc_ctx *c, fc_tensor *t, int64_t n, uint64_t key) {
  const int64_t lo = fc_domain_shared(c) ? fc_cut_lo(c, c->cut) : 0;

  for (int64_t i = 0; !c->dry && i < fc_len(t); i++) t->x[i] = number(key, place(t, n, lo, i));
}

static void keep(const fc_ctx *c, const fc_tensor *t, const fc_real *x, int64_t n, fc_real *out) {
  const int64_t lo = fc_domain_shared(c) ? fc_cut_lo(c, c->cut) : 0;

  FC_ASSERT(fc_len(t) / t->dim[2] * n <= LONGEST, "test: %s is too long", fc_shape_text(t));
  for (int64_t i = 0; i < fc_len(t); i++) out[place(t, n, lo, i)] = x[i];
}

/* forward and backward on what c shares */
static void run(fc_ctx *c, const check_net *n, const net_case *k, result *r) {
  fc_batch      b      = {0};
  const int64_t len    = fc_params_block(n->params, true);
  int64_t       dim[6] = {0};
  const double  before = c->sent;

  memcpy(dim, k->dim, sizeof dim);
  if (fc_domain_shared(c)) dim[2] = fc_cut_len(c, c->cut);
  c->grad            = true;
  fc_tensor *window  = fc_tensor_new(c->arena, k->ndim, dim);
  window->needs_grad = true;
  fill(c, window, k->dim[2], 1);
  fc_params_zero_grads(n->params);
  fc_tensor *y = fc_model_frames(c, n->def, n->self, window, k->n_out, &b);
  fc_keep(y);
  fc_tensor *v = fc_tensor_new(c->arena, y->ndim, y->dim);
  fill(c, v, k->dim[2], 2);
  fc_backward_from(c, y, v->x);
  r->sent = c->sent - before;
  if (c->dry) return;
  keep(c, y, y->x, k->dim[2], r->y);
  keep(c, window, window->g, k->dim[2], r->window);
  memcpy(r->weights, fc_params_grads(n->params), (size_t)len * sizeof *r->weights);
}

static fc_cut cut_of(fc_ctx *c, const check_net *n, const net_case *k) {
  fc_batch b = {0};
  fc_cut   s = {1, 1};

  n->def->pack(c, n->self, fc_tensor_new(c->arena, k->ndim, k->dim), k->n_out, &b);
  CHECK_OK(n->def->sharing->cut(n->self, &b, &s));
  CHECK_OK(fc_cut_check(s, grid.domain.size, "the first axis"));
  return s;
}

/* zeros where other ranks are, then the sum over ranks is the whole array */
static double distance(fc_real *mine_of, const fc_real *whole_of) {
  double top = 0, off = 0;

  CHECK_OK(fc_comm_sum(grid.points, mine_of, LONGEST));
  for (int64_t i = 0; i < LONGEST; i++) {
    top = fmax(top, fabs((double)whole_of[i]));
    off = fmax(off, fabs((double)(mine_of[i] - whole_of[i])));
  }
  return off / top;
}

static double planned(const check_net *n, const net_case *k, fc_cut s) {
  static result plan;
  fc_ctx       *c;

  CHECK_OK(fc_ctx_create((size_t)1 << 40, true, &c));
  c->domain = &grid.domain;
  c->cut    = s;
  run(c, n, k, &plan);
  fc_ctx_destroy(c);
  return plan.sent;
}

static void check_shares(const net_case *k) {
  check_net n = check_net_build(k->def, k->options);
  fc_ctx   *c = check_ctx();

  memset(&whole, 0, sizeof whole);
  memset(&mine, 0, sizeof mine);
  shake(&n);
  const fc_cut s = cut_of(c, &n, k);
  run(c, &n, k, &whole);
  c         = check_ctx();
  c->domain = &grid.domain;
  c->cut    = s;
  run(c, &n, k, &mine);
  CHECK_OK(fc_domain_status(c));
  double sent[2] = {mine.sent, planned(&n, k, s)};
  CHECK_OK(fc_comm_sum_double(grid.points, sent, 2));
  CHECK(grid.domain.size == 1 ? sent[0] == 0 : fabs(sent[1] / sent[0] - 1) < 0.01);
  c->domain = NULL;
  CHECK(distance(mine.y, whole.y) < 1e-10);
  CHECK(distance(mine.window, whole.window) < 1e-9);
  CHECK(distance(mine.weights, whole.weights) < 1e-9);
  check_net_drop(&n);
}

#define SMALL "dim=16 depth=1 heads=2 dim_head=4 "

static void factformer(void) {
  static const net_case cases[] = {
      {&fc_model_factformer, SMALL "in_time_window=2 recompute=true", 2, 5, {2, 2, 9, 5, 1}},
      {&fc_model_factformer, SMALL "variant=kolmogorov2d_2023 in_time_window=1", 1, 5, {1, 1, 15, 4, 1}},
      {&fc_model_factformer,
       SMALL "variant=isotropic3d in_dim=2 out_dim=3 in_time_window=2",
       1,
       6,
       {2, 2, 7, 2, 3, 2}},
      {&fc_model_factformer,
       SMALL "variant=smoke3d in_dim=2 out_dim=2 in_time_window=1 padding=3",
       2,
       6,
       {2, 1, 10, 2, 4, 2}},
      {&fc_model_factformer, SMALL "variant=darcy2d", 1, 5, {2, 1, 15, 15, 1}},
      {&fc_model_factformer, SMALL "variant=darcy2d recompute=true", 1, 5, {1, 1, 8, 8, 1}},
  };

  for (int i = 0; i < FC_COUNT(cases); i++) check_shares(&cases[i]);
}

#define SMALLER "dim=12 n_layer=2 heads=2 dim_head=4 kernel_multiplier=2 "

static void ifactformer(void) {
  static const net_case cases[] = {
      {&fc_model_ifactformer_m, SMALLER, 1, 6, {2, 1, 9, 3, 2, 3}},
      {&fc_model_ifactformer_m, SMALLER "n_space=2 depth=2 recompute=true", 1, 5, {1, 1, 6, 7, 3}},
      {&fc_model_ifactformer_m, SMALLER "variant=m_feb2025", 1, 6, {2, 1, 7, 3, 4, 3}},
      {&fc_model_ifactformer_m, SMALLER "variant=m_feb2025 n_space=2 recompute=true", 1, 5, {1, 1, 8, 8, 3}},
      {&fc_model_ifactformer_m, SMALLER "variant=o_head", 1, 6, {2, 1, 5, 4, 3, 3}},
      {&fc_model_ifactformer_m, SMALLER "variant=o_head n_space=2", 1, 5, {1, 1, 10, 5, 3}},
  };

  for (int i = 0; i < FC_COUNT(cases); i++) check_shares(&cases[i]);
}

static int run_all(void) {
  static const check_case cases[] = {factformer, ifactformer};

  return check_run("axes", FC_COUNT(cases), cases, "factformer, ifactformer");
}

int main(int argc, char **argv) {
  if (fc_comm_start(&argc, &argv) != FC_OK) return 2;
  if (fc_process_grid_create(fc_comm_size(NULL), &grid) != FC_OK) return 2;
  const int failed = run_all();
  fc_process_grid_destroy(&grid);
  fc_comm_stop(failed);
  return failed;
}
