/* bench/ops.c - forward and backward of every hot operation, beside what the machine can do.

   usage: bench_ops [--rates | --kernels] [--csv FILE] [WORD]     WORD: only ops whose name contains it
   --rates prints the machine's rates alone, one "rate NAME THREADS VALUE" a line; --kernels the processor
   type whose kernels OpenBLAS uses.

   Each op runs with one thread and with the whole team (OMP_NUM_THREADS). Times are the fastest of many runs.
   Ops that do dense products are given in GF/s and as a share of the best sgemm rate, all others in GB/s and
   as a share of the triad rate: the least possible traffic is counted (each array once), so that a share of
   100 % means a perfect op on arrays outside the caches; arrays that stay in the caches can pass it. */
#include "bench/op_list.h"
#include "bench/process.h"
#include "bench/rates.h"
#include "core/parallel.h"
#include "core/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MIN_RUNS = 5, MAX_RUNS = 200 };
static const double enough = 0.4; /* seconds spent on one op and team size */

typedef struct {
  const bench_op *op;
  fc_ctx         *c;
  fc_tensor      *in[BENCH_MAX_IN];
  fc_real        *dy; /* what backward starts from */
  int             n_in;
  double          gflop, gbyte[2]; /* of the forward; least traffic forward, backward */
  double          seconds[2];      /* best forward, backward; backward 0: none */
} trial;

/* ---- one run ---- */

static void normals(fc_real *x, int64_t n, uint64_t which) {
  const fc_rng r = {.seed = 1, .sample = which, .purpose = FC_RNG_TEST};

  fc_rng_normals(&r, 0, n, x);
}

/* so that a product with it keeps the size of its input */
static void shrink(fc_tensor *w) {
  const fc_real factor = 1 / (fc_real)sqrt((double)fc_last(w));

  for (int64_t i = 0; i < fc_len(w); i++) w->x[i] *= factor;
}

static void make_inputs(trial *t) {
  for (t->n_in = 0; t->n_in < BENCH_MAX_IN && t->op->in[t->n_in].ndim; t->n_in++) {
    const bench_in *in = &t->op->in[t->n_in];
    fc_tensor      *x  = fc_tensor_new(t->c->arena, in->ndim, in->dim);
    normals(x->x, fc_len(x), (uint64_t)t->n_in);
    if (in->role == BENCH_WEIGHT)
      shrink(x); /* else GELU sees values of the order 100 and computes denormals */
    x->needs_grad = in->role != BENCH_CONSTANT;
    x->is_param   = in->role == BENCH_WEIGHT;
    if (x->is_param) {
      x->g = fc_arena_push(t->c->arena, (size_t)fc_len(x) * sizeof *x->g);
      memset(x->g, 0, (size_t)fc_len(x) * sizeof *x->g);
    }
    t->in[t->n_in] = x;
  }
}

/* The walk of core/tape.c without its copy of the first gradient: dy is put in place before the clock starts.
 */
static double run_backward(trial *t, fc_tensor *y) {
  y->g        = fc_arena_push(t->c->arena, (size_t)fc_len(y) * sizeof *y->g);
  y->has_grad = true;
  memcpy(y->g, t->dy, (size_t)fc_len(y) * sizeof *y->g);

  const double start = bench_seconds();
  for (const fc_node *n = t->c->tape; n; n = n->prev)
    if (n->out->g) n->op->backward(t->c, n);
  return bench_seconds() - start;
}

static void forget(trial *t, size_t mark) {
  for (int i = 0; i < t->n_in; i++)
    if (!t->in[i]->is_param) t->in[i]->g = NULL, t->in[i]->has_grad = false;
  fc_step_end(t->c, mark);
}

static void keep_best(double *best, double value) {
  if (*best == 0 || value < *best) *best = value;
}

static void run_once(trial *t) {
  const size_t mark   = fc_arena_mark(t->c->arena);
  const double before = t->c->flops, start = bench_seconds();
  fc_tensor   *y = t->op->apply(t->c, t->in);

  keep_best(&t->seconds[0], bench_seconds() - start);
  t->gflop = 1e-9 * (t->c->flops - before);
  if (t->c->tape) keep_best(&t->seconds[1], run_backward(t, y));
  forget(t, mark);
}

/* least traffic: forward reads the inputs and writes y; backward reads dy and perhaps the inputs, writes
   their gradients. Also makes the gradient that backward starts from. */
static void size_up(trial *t) {
  const size_t mark = fc_arena_mark(t->c->arena);
  const double unit = 1e-9 * sizeof(fc_real);

  t->c->grad         = false;
  const fc_tensor *y = t->op->apply(t->c, t->in);
  const int64_t    n = fc_len(y);
  forget(t, mark);
  t->c->grad  = true;
  t->gbyte[0] = t->gbyte[1] = unit * (double)n;
  for (int i = 0; i < t->n_in; i++) {
    const double bytes = unit * (double)fc_len(t->in[i]);
    t->gbyte[0] += bytes;
    if (t->in[i]->needs_grad) t->gbyte[1] += bytes;
    if (t->op->rereads) t->gbyte[1] += bytes;
  }
  t->dy = fc_arena_push(t->c->arena, (size_t)n * sizeof *t->dy);
  normals(t->dy, n, 99);
}

static fc_status measure(trial *t) {
  FC_TRY(fc_ctx_create(0, false, &t->c));
  make_inputs(t);
  size_up(t);
  const double start = bench_seconds();
  run_once(t); /* page faults, FFT plans: not counted */
  t->seconds[0] = t->seconds[1] = 0;
  for (int i = 0; i < MAX_RUNS && (i < MIN_RUNS || bench_seconds() - start < enough); i++) run_once(t);
  fc_ctx_destroy(t->c);
  return FC_OK;
}

/* ---- report ---- */

typedef struct {
  double      value, share;
  const char *unit;
} speed;

/* flop: backward of a product is two products of the same size */
static speed speed_of(const trial *t, int pass, const bench_rates *r) {
  const double s = t->seconds[pass];

  if (t->gflop > 0) {
    const double rate = t->gflop * (pass ? 2 : 1) / s;
    return (speed){rate, 100 * rate / r->gemm, "GF/s"};
  }
  return (speed){t->gbyte[pass] / s, 100 * t->gbyte[pass] / s / r->triad, "GB/s"};
}

static void print_row(const trial *t, int threads, const bench_rates *r, FILE *csv) {
  const speed f = speed_of(t, 0, r), b = speed_of(t, 1, r);

  printf("%-27s %-14s %d  %9.3f ms %7.1f %s %4.0f %%", t->op->name, t->op->shape, threads,
         1e3 * t->seconds[0], f.value, f.unit, f.share);
  if (t->seconds[1] > 0)
    printf("   %9.3f ms %7.1f %s %4.0f %%", 1e3 * t->seconds[1], b.value, b.unit, b.share);
  printf("\n");
  fflush(stdout);
  if (!csv) return;
  fprintf(csv, "%s,%s,%d,%.6e,%.4f,%s,%.2f,", t->op->name, t->op->shape, threads, t->seconds[0], f.value,
          f.unit, f.share);
  if (t->seconds[1] > 0)
    fprintf(csv, "%.6e,%.4f,%.2f\n", t->seconds[1], b.value, b.share);
  else
    fprintf(csv, ",,\n");
}

enum { MAX_TEAMS = 2 };

static fc_status run_list(const char *word, int n_teams, const int *team, const bench_rates *rates,
                          FILE *csv) {
  printf("%-27s %-14s %s  %12s %12s %6s   %12s %12s\n", "op", "shape", "T", "forward", "rate", "share",
         "backward", "rate, share");
  if (csv)
    fprintf(csv, "op,shape,threads,forward_s,forward_rate,unit,forward_share,backward_s,backward_rate,"
                 "backward_share\n");
  for (const bench_op *op = bench_op_list; op->name; op++) {
    if (word && !strstr(op->name, word)) continue;
    for (int i = 0; i < n_teams; i++) {
      trial t = {.op = op};
      fc_threads_set(team[i]);
      FC_TRY(measure(&t));
      print_row(&t, team[i], &rates[i], csv);
    }
  }
  return FC_OK;
}

static fc_status measure_rates(int n_teams, const int *team, bench_rates *rates, bool plain) {
  for (int i = 0; i < n_teams; i++) {
    fc_threads_set(team[i]);
    FC_TRY(bench_rates_measure(&rates[i]));
    if (plain)
      printf("rate sgemm %d %.3f\nrate triad %d %.3f\nrate triad_near %d %.3f\n", team[i], rates[i].gemm,
             team[i], rates[i].triad, team[i], rates[i].triad_near);
    else
      printf("%d thread%s: sgemm %.1f GF/s, triad %.1f GB/s (arrays of 8 MB: %.1f)\n", team[i],
             team[i] > 1 ? "s" : "", rates[i].gemm, rates[i].triad, rates[i].triad_near);
    fflush(stdout);
  }
  return FC_OK;
}

static fc_status run(bool only_rates, const char *csv_path, const char *word) {
  const int   team[MAX_TEAMS] = {1, fc_threads()}, n_teams = team[1] > 1 ? 2 : 1;
  bench_rates rates[MAX_TEAMS];

  if (!only_rates) printf("OpenBLAS kernels: %s\n", fc_blas_kernels());
  FC_TRY(measure_rates(n_teams, team, rates, only_rates));
  if (only_rates) return FC_OK;
  FILE *csv = csv_path ? fopen(csv_path, "w") : NULL;
  FC_REQUIRE(csv || !csv_path, FC_E_SYSTEM, "%s: cannot be written", csv_path);
  fc_status s = run_list(word, n_teams, team, rates, csv);
  if (csv && (ferror(csv) | fclose(csv)) && s == FC_OK)
    s = fc_fail(FC_E_SYSTEM, "%s: writing failed; is the disk full?", csv_path);
  return s;
}

int main(int argc, char **argv) {
  const char *csv = NULL, *word = NULL;
  bool        only_rates = false;

  fc_parallel_start();
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--kernels")) return printf("%s\n", fc_blas_kernels()), 0;
    if (!strcmp(argv[i], "--rates"))
      only_rates = true;
    else if (!strcmp(argv[i], "--csv") && i + 1 < argc)
      csv = argv[++i];
    else if (argv[i][0] != '-' && !word)
      word = argv[i];
    else
      return fprintf(stderr, "usage: bench_ops [--rates | --kernels] [--csv FILE] [WORD]\n"),
             fc_exit_code(FC_E_USAGE);
  }
  const fc_status s = run(only_rates, csv, word);
  if (s != FC_OK) fprintf(stderr, "bench_ops: %s\n", fc_error());
  return fc_exit_code(s);
}
