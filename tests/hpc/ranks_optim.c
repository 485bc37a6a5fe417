/* tests/hpc/ranks_optim.c - run on 1 to 4 ranks: an optimiser whose state is shared by the ranks gives the
   bits of one that every rank has for itself, and takes a part of the memory. */
#include "core/params.h"
#include "hpc/comm.h"
#include "tests/check.h"
#include "train/optim.h"

enum { LONG = 100003, TENSORS = 5, CHUNK = (1 << 14) + 16 }; /* a piece that parts do not cut, with padding */

static const fc_adamw_rates rates = {1e-2, 0.9, 0.999, 1e-8, 1e-2, .group_lr = 1e-3};

typedef struct {
  fc_params *p;
  fc_optim  *o;
  int64_t    n;
} twin;

/* a long tensor that parts must cut, short ones around it, one that is never reached, a constant */
static twin build(bool shared) {
  twin t;

  CHECK_OK(fc_params_create(&t.p));
  fc_param(t.p, "short", fc_init_normal(1), FC_DIMS(7));
  fc_param_of(t.p, FC_PARAM_CONSTANT, "between", fc_init_constant(1), FC_DIMS(3));
  fc_param(t.p, "long", fc_init_normal(1), FC_DIMS(LONG));
  fc_param(t.p, "idle", fc_init_normal(1), FC_DIMS(50, 401));
  fc_param(t.p, "last", fc_init_normal(1), FC_DIMS(130, 131));
  CHECK_OK(fc_params_commit(t.p, 5, false));
  CHECK_OK((shared ? fc_optim_create_shared : fc_optim_create)(t.p, true, &t.o));
  fc_optim_group(t.o, "last", 3);
  t.n = fc_params_block(t.p, true);
  return t;
}

static void drop(twin t) {
  fc_optim_destroy(t.o);
  fc_params_destroy(t.p);
}

static double step(const twin *t, int number) {
  fc_tensor *x;

  fc_params_zero_grads(t->p);
  for (int i = 0; i < TENSORS; i++) {
    if (!strcmp(fc_params_at(t->p, i, &x), "idle") || fc_params_kind(t->p, i) != FC_PARAM_TRAINED) continue;
    for (int64_t k = 0; k < fc_len(x); k++)
      x->g[k] = (fc_real)sin((double)(number + 1) * (double)(k + 7 * i));
    x->has_grad = true;
  }
  const double norm = fc_optim_grad_norm(t->o);
  CHECK_OK(fc_optim_step(t->o, &rates, 0.5));
  fc_optim_average(t->o, 0.9, number);
  return norm;
}

static bool same_block(const twin *a, const fc_real *x, const fc_real *y) {
  return !memcmp(x, y, (size_t)a->n * sizeof *x);
}

static bool same_weights(const twin *a, const twin *b) {
  return same_block(a, fc_params_values(a->p), fc_params_values(b->p));
}

static bool same_states(const twin *alone, const twin *shared) {
  bool    same = true;
  int64_t lo, hi;

  fc_optim_range(shared->o, &lo, &hi);
  for (fc_optim_state s = 0; s < FC_OPTIM_STATES; s++)
    same &= !memcmp(fc_optim_own(alone->o, s) + lo, fc_optim_own(shared->o, s),
                    (size_t)(hi - lo) * sizeof(fc_real));
  return same;
}

static void same_bits(void) {
  const twin alone = build(false), shared = build(true);

  for (int k = 0; k < 4; k++) {
    const double norm = step(&alone, k);
    CHECK_NEAR(step(&shared, k), norm, 0);
    CHECK(same_weights(&alone, &shared));
  }
  CHECK(same_states(&alone, &shared));
  drop(alone), drop(shared);
}

static void average_in_the_place_of_weights(void) {
  const twin alone = build(false), shared = build(true);

  for (int k = 0; k < 2; k++) step(&alone, k), step(&shared, k);
  for (int swap = 0; swap < 2; swap++) {
    CHECK_OK(fc_optim_swap_average(alone.o));
    CHECK_OK(fc_optim_swap_average(shared.o));
    CHECK(same_weights(&alone, &shared));
  }
  step(&alone, 2), step(&shared, 2);
  CHECK(same_weights(&alone, &shared) && same_states(&alone, &shared));
  drop(alone), drop(shared);
}

/* parts cover the block once, none is much longer than an even share */
static void parts_are_even(void) {
  const twin    shared = build(true);
  const int     ranks  = fc_comm_size(NULL);
  const int64_t most   = fc_optim_part(shared.p, ranks);
  int64_t       lo, hi;

  fc_optim_range(shared.o, &lo, &hi);
  double sums[2] = {(double)(hi - lo), (double)(hi * hi - lo * lo)}; /* both telescope */
  CHECK_OK(fc_comm_sum_double(NULL, sums, 2));
  CHECK_NEAR(sums[0], shared.n, 0);
  CHECK_NEAR(sums[1], (double)shared.n * (double)shared.n, 0);
  CHECK(hi - lo <= most && most < shared.n / ranks + CHUNK);
  CHECK(fc_optim_part(shared.p, 1) == shared.n && fc_optim_part(shared.p, 1000) < shared.n / 1000 + CHUNK);
  drop(shared);
}

/* parts of any length, none among them */
static void gathering(void) {
  enum { N = 37 };
  const int ranks = fc_comm_size(NULL), me = fc_comm_rank(NULL);
  int64_t   border[5] = {2, 2, 9, 10, N}; /* of up to four ranks, the first of which has nothing */
  fc_real   x[N];
  fc_comm  *all;

  border[ranks] = N;
  for (int i = 0; i < N; i++) x[i] = i >= border[me] && i < border[me + 1] ? (fc_real)(i * i) : -1;
  CHECK_OK(fc_comm_split(NULL, 0, &all));
  CHECK_OK(fc_comm_gather(all, x, border));
  for (int i = 0; i < N; i++) CHECK_NEAR(x[i], i < 2 ? -1 : i * i, 0);
  fc_comm_free(all);
}

int main(int argc, char **argv) {
  static const check_case cases[] = {same_bits, average_in_the_place_of_weights, parts_are_even, gathering};

  if (fc_comm_start(&argc, &argv) != FC_OK) return 2;
  const int failed =
      check_run("optim", 4, cases, "same_bits, average_in_the_place_of_weights, parts_are_even, gathering");
  fc_comm_stop(failed);
  return failed;
}
