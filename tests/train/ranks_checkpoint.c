/* tests/train/ranks_checkpoint.c - run on 1 to 4 ranks: a checkpoint whose moments every rank writes for
   itself has the bytes of one that a single rank writes, goes on in parts, and is all or nothing. */
#include "hpc/comm.h"
#include "io/file.h"
#include "tests/check.h"
#include "train/checkpoint.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LONG = 50021 };
typedef struct {
  int64_t unused;
} config;
static const fc_option      options[] = {FC_OPT_END};
static const fc_model_def   def       = {.name = "toy", .options = options, .config_size = sizeof(config)};
static const fc_adamw_rates rates     = {1e-2, 0.9, 0.999, 1e-8, 1e-2, .group_lr = 1e-3};

typedef struct {
  fc_network n;
  config     args;
  fc_saved   k;
  fc_optim  *o;
} run;

/* parts end in the middle of the long tensor and of rows; one tensor is no trained one, one is a number */
static void build(run *r, bool shared, int steps) {
  fc_tensor *x;

  memset(r, 0, sizeof *r);
  CHECK_OK(fc_params_create(&r->n.params));
  fc_param(r->n.params, "number", fc_init_normal(1), FC_DIMS(1));
  fc_param_of(r->n.params, FC_PARAM_CONSTANT, "between", fc_init_constant(1), FC_DIMS(3));
  fc_param(r->n.params, "long", fc_init_normal(1), FC_DIMS(LONG));
  fc_param(r->n.params, "rows", fc_init_normal(1), FC_DIMS(50, 401, 3));
  CHECK_OK(fc_params_commit(r->n.params, 5, false));
  CHECK_OK((shared ? fc_optim_create_shared : fc_optim_create)(r->n.params, true, &r->o));
  r->n.def = r->k.def = &def;
  r->n.args           = &r->args;
  r->k.step           = steps;
  for (int s = 0; s < steps; s++) {
    fc_params_zero_grads(r->n.params);
    for (int i = 0; i < fc_params_size(r->n.params); i++) {
      fc_params_at(r->n.params, i, &x);
      if (fc_params_kind(r->n.params, i) != FC_PARAM_TRAINED) continue;
      for (int64_t k = 0; k < fc_len(x); k++) x->g[k] = (fc_real)sin((double)(s + 1) * (double)(k + 7 * i));
      x->has_grad = true;
    }
    CHECK_OK(fc_optim_step(r->o, &rates, 0.5));
    fc_optim_average(r->o, 0.9, s);
  }
}

static void drop(run *r) {
  fc_optim_destroy(r->o);
  fc_params_destroy(r->n.params);
}

/* the same on all ranks */
static const char *path_of(const char *name) {
  static char path[4][600];
  static int  turn;
  char       *p = path[turn++ % 4];

  snprintf(p, sizeof path[0], "%s", check_path(name));
  CHECK_OK(fc_comm_broadcast(NULL, p, sizeof path[0], 0));
  return p;
}

static void same_files(const char *a, const char *b) {
  char  *x = NULL, *y = NULL;
  size_t n = 0, m = 0;

  CHECK_OK(fc_file_read(a, 1 << 24, &x, &n));
  CHECK_OK(fc_file_read(b, 1 << 24, &y, &m));
  CHECK(n == m && n > 3 * LONG * sizeof(fc_real) && !memcmp(x, y, n));
  free(x), free(y);
  CHECK_OK(fc_comm_agree(NULL, FC_OK)); /* the folder goes when rank 0 ends */
}

static void same_bytes(void) {
  const char *one = path_of("one.h5"), *all = path_of("all.h5");
  run         alone, shared;

  build(&alone, false, 3), build(&shared, true, 3);
  if (!fc_comm_rank(NULL)) CHECK_OK(fc_checkpoint_write(one, NULL, &alone.k, &alone.n, alone.o));
  CHECK_OK(fc_checkpoint_write(all, NULL, &shared.k, &shared.n, shared.o));
  CHECK_OK(fc_comm_agree(NULL, FC_OK));
  same_files(one, all);
  drop(&alone), drop(&shared);
}

/* a rank reads its part of what one rank wrote, and one all of what the ranks wrote */
static void goes_on_in_parts(void) {
  const char *path = path_of("parts.h5");
  run         from, alone, shared;
  int64_t     lo, hi;

  build(&from, true, 2), build(&alone, false, 0), build(&shared, true, 0);
  CHECK_OK(fc_checkpoint_write(path, NULL, &from.k, &from.n, from.o));
  CHECK_OK(fc_comm_agree(NULL, FC_OK));
  CHECK_OK(fc_checkpoint_optim(path, &alone.n, alone.o));
  CHECK_OK(fc_checkpoint_optim(path, &shared.n, shared.o));
  fc_optim_range(shared.o, &lo, &hi);
  for (fc_optim_state k = 0; k < FC_OPTIM_STATES; k++) {
    const size_t bytes = (size_t)(hi - lo) * sizeof(fc_real);
    CHECK(!memcmp(fc_optim_own(shared.o, k), fc_optim_own(from.o, k), bytes));
    CHECK(!memcmp(fc_optim_own(alone.o, k) + lo, fc_optim_own(from.o, k), bytes));
  }
  CHECK(fc_optim_counts(shared.o)[0] == 2 && fc_optim_counts(alone.o)[2] == 2);
  CHECK_OK(fc_comm_agree(NULL, FC_OK));
  drop(&from), drop(&alone), drop(&shared);
}

/* the last rank's disk is full: nobody thinks that there is a new file, and the old one stays */
static void all_or_nothing(void) {
  const char   *path = path_of("full.h5"), *before = path_of("before.h5");
  const bool    last = fc_comm_rank(NULL) == fc_comm_size(NULL) - 1;
  char          tmp[640];
  struct rlimit old;
  run           r;

  snprintf(tmp, sizeof tmp, "%s.tmp", path);
  build(&r, true, 1);
  CHECK_OK(fc_checkpoint_write(path, NULL, &r.k, &r.n, r.o));
  CHECK_OK(fc_checkpoint_write(before, NULL, &r.k, &r.n, r.o));
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &old);
  if (last) setrlimit(RLIMIT_FSIZE, &(struct rlimit){4096, old.rlim_max});
  const fc_status s = fc_checkpoint_write(path, NULL, &r.k, &r.n, r.o);
  setrlimit(RLIMIT_FSIZE, &old);
  CHECK(s == FC_E_SYSTEM);
  if (last) CHECK(strstr(fc_error(), "writing failed") != NULL);
  CHECK_OK(fc_comm_agree(NULL, FC_OK));
  same_files(path, before);
  CHECK(access(tmp, F_OK));
  CHECK_OK(fc_comm_agree(NULL, FC_OK));
  drop(&r);
}

int main(int argc, char **argv) {
  static const check_case cases[] = {same_bytes, goes_on_in_parts, all_or_nothing};

  if (fc_comm_start(&argc, &argv) != FC_OK) return 2;
  const int failed = check_run("checkpoint", 3, cases, "same_bytes, goes_on_in_parts, all_or_nothing");
  fc_comm_stop(failed);
  return failed;
}
