/* tests/hpc/ranks_grad_sum.c - run on 1 to 4 ranks: gradients summed while the backward pass goes on are
   those that are summed after it, with weights used twice, inside a recomputed block, and not at all. */
#include "core/nn/nn.h"
#include "hpc/comm.h"
#include "tests/check.h"
#include "train/grad_sum.h"

enum { WIDTH = 12 };

typedef struct {
  fc_params *p;
  fc_linear  first, twice, inside, idle, last;
} net;

static net build(void) {
  net n;

  CHECK_OK(fc_params_create(&n.p));
  fc_linear_init(&n.first, n.p, "first", WIDTH, WIDTH, true);
  fc_linear_init(&n.twice, n.p, "twice", WIDTH, WIDTH, true);
  fc_param_of(n.p, FC_PARAM_CONSTANT, "between", fc_init_constant(1), FC_DIMS(3));
  fc_linear_init(&n.inside, n.p, "inside", WIDTH, WIDTH, true);
  fc_linear_init(&n.idle, n.p, "idle", WIDTH, WIDTH, true);
  fc_linear_init(&n.last, n.p, "last", WIDTH, WIDTH, true);
  CHECK_OK(fc_params_commit(n.p, 5, false));
  return n;
}

static fc_tensor *block(fc_ctx *c, const void *self, int n_in, fc_tensor *const *in) {
  const net *n = self;

  return fc_linear_apply(c, &n->twice, fc_linear_apply(c, &n->inside, in[n_in - 1], FC_ACT_GELU),
                         FC_ACT_TANH);
}

static void pass(fc_ctx *c, const net *n) {
  c->grad      = true;
  fc_tensor *x = fc_tensor_new(c->arena, FC_DIMS(7, WIDTH));
  for (int i = 0; i < 7 * WIDTH; i++)
    x->x[i] = (fc_real)sin(i + 0.3 * fc_comm_rank(NULL)); /* other numbers on each */
  fc_tensor *h = fc_linear_apply(c, &n->first, x, FC_ACT_GELU);
  h            = fc_linear_apply(c, &n->twice, h, FC_ACT_TANH);
  h            = fc_checkpoint(c, block, n, FC_IN(h));
  h            = fc_linear_apply(c, &n->last, h, FC_ACT_NONE);
  fc_backward(c, fc_sum_all(c, fc_mul(c, h, h)));
  fc_step_end(c, 0);
}

static void same_as_one_sum(int64_t least) {
  net           n          = build();
  fc_ctx       *c          = check_ctx();
  const int64_t block_size = fc_params_block(n.p, true);
  fc_real      *want       = malloc((size_t)block_size * sizeof *want);
  fc_grad_sum  *g;

  CHECK_OK(fc_grad_sum_create(n.p, least, &g));
  for (int round = 0; round < 3; round++) { /* 0: the plain way; then watched twice */
    c = check_ctx();
    fc_params_zero_grads(n.p);
    if (round) fc_grad_sum_watch(g, c);
    pass(c, &n);
    if (round)
      CHECK_OK(fc_grad_sum_finish(g, c));
    else
      CHECK_OK(fc_comm_sum(NULL, fc_params_grads(n.p), block_size));
    if (!round) memcpy(want, fc_params_grads(n.p), (size_t)block_size * sizeof *want);
    double off = 0;
    for (int64_t i = 0; round && i < block_size; i++)
      off = fmax(off, fabs(fc_params_grads(n.p)[i] - want[i]) / (1 + fabs(want[i])));
    CHECK(off < 1e-13);
  }
  if (g && least == 1) /* `last` and `idle` need not wait for the start of the tape, `first` must */
    CHECK(fc_grad_sum_early(g) >= 2 && fc_grad_sum_early(g) < fc_grad_sum_buckets(g));
  fc_grad_sum_destroy(g);
  fc_params_destroy(n.p);
  free(want);
}

static void one_bucket(void) { same_as_one_sum(FC_GRAD_BUCKET); }
static void a_bucket_for_each_tensor(void) { same_as_one_sum(1); }
static void some_buckets(void) { same_as_one_sum(2 * WIDTH * WIDTH); }

int main(int argc, char **argv) {
  static const check_case cases[] = {one_bucket, a_bucket_for_each_tensor, some_buckets};

  if (fc_comm_start(&argc, &argv) != FC_OK) return 2;
  const int failed = check_run("grad_sum", 3, cases, "one_bucket, a_bucket_for_each_tensor, some_buckets");
  fc_comm_stop(failed);
  return failed;
}
