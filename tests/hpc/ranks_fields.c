/* tests/hpc/ranks_fields.c - run on 1 to 4 ranks: networks whose ranks have shares of a field give what they
   give on the whole field; so do the gradients of the field and, summed over the ranks, those of the weights.
 */
#include "core/domain.h"
#include "hpc/domain.h"
#include "tests/check_model.h"

extern const fc_model_def fc_model_mano, fc_model_pde_transformer;

static fc_process_grid grid;

typedef struct {
  const fc_model_def *def;
  const char         *options;
  int64_t             dim[5]; /* of a window, [B, T, X, Y, C] */
} net_case;

typedef struct { /* copies, so that contexts may end */
  int      ndim;
  int64_t  dim[FC_MAX_DIMS];
  fc_real *x;
} copy;

static copy copy_of(const fc_tensor *t, const fc_real *x) {
  copy         k    = {.ndim = t->ndim, .x = malloc((size_t)fc_len(t) * sizeof *x)};
  const size_t size = (size_t)fc_len(t) * sizeof *x;

  memcpy(k.dim, t->dim, sizeof k.dim);
  memcpy(k.x, x, size);
  return k;
}

static fc_tensor *tensor_of(fc_ctx *c, const copy *k) {
  fc_tensor *t = fc_tensor_new(c->arena, k->ndim, k->dim);

  memcpy(t->x, k->x, (size_t)fc_len(t) * sizeof *t->x);
  return t;
}

/* Official initial weights may be zeros: every number is moved, so that each of them matters. */
static void shake(const check_net *n) {
  const fc_rng r = {5, 0, FC_RNG_TEST};

  for (int64_t i = 0; i < fc_params_block(n->params, true); i++)
    fc_params_values(n->params)[i] += (fc_real)(0.1 * fc_rng_normal(&r, (uint64_t)i));
}

typedef struct {
  copy window, y, v, grad, weights; /* input, output, its gradient, the input's, the weights' */
} result;

static void drop(const result *r) {
  free(r->window.x), free(r->y.x), free(r->v.x), free(r->grad.x), free(r->weights.x);
}

static void fill_gradients(fc_ctx *c, const check_net *n, fc_tensor *window, fc_tensor *y, const fc_real *v,
                           result *r) {
  const int64_t    len   = fc_params_block(n->params, true);
  const fc_tensor *block = fc_tensor_borrow(c->arena, fc_params_grads(n->params), FC_DIMS(len));

  r->y = copy_of(y, y->x);
  fc_backward_from(c, y, v);
  r->grad    = copy_of(window, window->g);
  r->weights = copy_of(block, block->x);
}

static result run_whole(const check_net *n, const int64_t *dim) {
  fc_ctx  *c = check_ctx();
  fc_batch b = {0};
  result   r;

  c->grad            = true;
  fc_tensor *window  = check_random(c, 5, dim);
  window->needs_grad = true;
  r.window           = copy_of(window, window->x);
  fc_params_zero_grads(n->params);
  fc_tensor *y = fc_model_frames(c, n->def, n->self, window, 1, &b), *v = check_random(c, y->ndim, y->dim);
  r.v = copy_of(v, v->x);
  fill_gradients(c, n, window, y, v->x, &r);
  return r;
}

static fc_cut cut_of(fc_ctx *c, const check_net *n, fc_tensor *window) {
  fc_batch b = {0};
  fc_cut   s = {1, 1};

  n->def->pack(c, n->self, window, 1, &b);
  CHECK_OK(n->def->sharing->cut(n->self, &b, &s));
  CHECK_OK(fc_cut_check(s, grid.domain.size, "the first axis"));
  return s;
}

static fc_tensor *share_of(fc_ctx *c, fc_tensor *x) {
  return fc_slice(c, x, 2, fc_cut_lo(c, c->cut), fc_cut_len(c, c->cut));
}

static result run_share(fc_ctx *c, const check_net *n, const result *whole) {
  fc_batch   b     = {0};
  result     r     = {0};
  fc_tensor *field = tensor_of(c, &whole->window), *v = tensor_of(c, &whole->v);

  c->cut             = cut_of(c, n, field);
  c->domain          = &grid.domain;
  fc_tensor *window  = share_of(c, field);
  v                  = share_of(c, v);
  window->needs_grad = c->grad = true;
  fc_params_zero_grads(n->params);
  fill_gradients(c, n, window, fc_model_frames(c, n->def, n->self, window, 1, &b), v->x, &r);
  CHECK_OK(fc_comm_sum(grid.points, r.weights.x, fc_params_block(n->params, true)));
  CHECK_OK(fc_domain_status(c));
  return r;
}

/* this rank's share of what the whole field gave */
static void compare(fc_ctx *c, const copy *share, const copy *whole) {
  const fc_tensor *a = tensor_of(c, share), *b = share_of(c, tensor_of(c, whole));

  CHECK(fc_same_shape(a, b));
  if (fc_same_shape(a, b)) CHECK(check_distance(a, b) < 1e-10);
}

/* without gradients, where memory is given back block by block */
static void compare_answer(fc_ctx *c, const check_net *n, const result *whole) {
  fc_batch   b      = {0};
  fc_tensor *window = share_of(c, tensor_of(c, &whole->window));
  fc_tensor *y      = fc_model_frames(c, n->def, n->self, window, 1, &b);
  const copy answer = copy_of(y, y->x);

  compare(c, &answer, &whole->y);
  free(answer.x);
}

static void check_shares(const net_case *k) {
  check_net n = check_net_build(k->def, k->options);

  shake(&n);
  const result whole = run_whole(&n, k->dim);
  fc_ctx      *c     = check_ctx();
  const result share = run_share(c, &n, &whole);
  c->grad            = false;
  compare(c, &share.y, &whole.y);
  compare(c, &share.grad, &whole.grad);
  compare_answer(c, &n, &whole);
  CHECK(check_distance(tensor_of(c, &share.weights), tensor_of(c, &whole.weights)) < 1e-10);
  c->domain = NULL;
  drop(&whole);
  drop(&share);
  check_net_drop(&n);
}

/* Levels whose windows end at borders between ranks; overlapping windows; borders that move from level to
   level, and coarse levels that all ranks have. */
static void mano(void) {
  static const net_case cases[] = {
      {&fc_model_mano,
       "channels=2 dim=8 depth=2 heads=2 dim_head=4 mlp_dim=8 levels=3 coordinates=true recompute=true",
       {2, 1, 32, 8, 2}},
      {&fc_model_mano,
       "channels=1 dim=6 depth=1 heads=1 dim_head=6 mlp_dim=8 levels=3 local_attention_span=3 "
       "local_attention_stride=1 att_sampling=avg_pool",
       {1, 1, 20, 24, 1}},
      {&fc_model_mano,
       "channels=1 dim=6 depth=1 heads=2 dim_head=4 mlp_dim=8 levels=3 local_attention_span=4 "
       "local_attention_stride=2 att_sampling_rate=3",
       {1, 1, 36, 36, 1}},
  };

  for (int i = 0; i < FC_COUNT(cases); i++) check_shares(&cases[i]);
}

#define SMALL "window_size=4 patch_size=2 hidden_size=8 num_heads=2 mlp_ratio=1 num_classes=3 "
#define MIXED SMALL "variant=mixed_channels in_channels=2 out_channels=2 "

/* Windows that end at borders between ranks and such that do not, padded, masked, larger than the coarsest
   grid; several fields; carriers, pooled from windows of one rank and of several. */
static void pde_transformer(void) {
  static const net_case cases[] = {
      {&fc_model_pde_transformer, MIXED "depth=2,1,2,1,2", {1, 1, 64, 16, 2}},
      {&fc_model_pde_transformer, MIXED "depth=2,2,2 periodic=false recompute=true", {2, 1, 48, 32, 2}},
      {&fc_model_pde_transformer, MIXED "depth=2,2,2 window_size=5", {1, 1, 28, 12, 2}},
      {&fc_model_pde_transformer,
       SMALL "variant=separate_channels depth=2,2,2 fields=3 periodic=false",
       {1, 1, 32, 16, 3}},
      {&fc_model_pde_transformer,
       SMALL "variant=separate_channels_carrier depth=2,2,2 fields=2",
       {1, 1, 64, 16, 2}},
      {&fc_model_pde_transformer,
       SMALL "variant=separate_channels_carrier depth=2,1,2 fields=1",
       {2, 1, 16, 32, 1}},
  };

  for (int i = 0; i < FC_COUNT(cases); i++) check_shares(&cases[i]);
}

static int run_all(void) {
  static const check_case cases[] = {mano, pde_transformer};

  return check_run("fields", FC_COUNT(cases), cases, "mano, pde_transformer");
}

int main(int argc, char **argv) {
  if (fc_comm_start(&argc, &argv) != FC_OK) return 2;
  if (fc_process_grid_create(fc_comm_size(NULL), &grid) != FC_OK) return 2;
  const int failed = run_all();
  fc_process_grid_destroy(&grid);
  fc_comm_stop(failed);
  return failed;
}
