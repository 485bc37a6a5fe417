/* bench/solvers.c - processor and wall time of flow solvers per grid point and step, on as many ranks as it
   is started on, beside FFTW's own time for the same transforms (one rank only). usage: [mpirun -n R]
   bench_solvers [WORD]      WORD: only cases whose name contains it Prints one line a case: name, ranks,
   microseconds of processor time per point and step (all ranks), of wall time, of the bare transforms, and
   the ratio of the first and the last. Each is the fastest of many. */
#include "bench/solvers.h"

#include "bench/process.h"
#include "core/parallel.h"
#include "hpc/comm.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const bench_solver *const cases[] = {&bench_box3d,
                                            &bench_box3d_padded,
                                            &bench_box3d_large,
                                            &bench_channel,
                                            &bench_les_none,
                                            &bench_les_smagorinsky,
                                            &bench_les_wale,
                                            &bench_les_vreman,
                                            &bench_les_dynamic,
                                            &bench_les_trapezoid,
                                            &bench_les_clipped,
                                            &bench_cube_none,
                                            &bench_cube_smagorinsky,
                                            &bench_cube_wale,
                                            &bench_cube_dynamic};

enum { MIN_RUNS = 5, MAX_RUNS = 400 };
static const double enough = 1.5; /* seconds spent on a case */

static double processor_seconds(void) {
  struct timespec t;

  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double bench_fastest(void (*run)(void *), void *self) {
  const double start = bench_seconds();
  double       best  = INFINITY;

  for (int i = 0; i < MAX_RUNS && (i < MIN_RUNS || bench_seconds() - start < enough / 3); i++) {
    const double t = processor_seconds();
    run(self);
    best = fmin(best, processor_seconds() - t);
  }
  return best;
}

/* All ranks do the same number of steps: the first one's clock decides. */
static fc_status measure(const bench_solver *b, void *state, double *processor, double *wall) {
  const double start = bench_seconds();

  *processor = *wall = INFINITY;
  for (int i = 0; i < MAX_RUNS; i++) {
    double x[2] = {processor_seconds(), bench_seconds()}, go;
    FC_TRY(b->step(state));
    x[0] = processor_seconds() - x[0];
    x[1] = bench_seconds() - x[1];
    go   = i < MIN_RUNS || bench_seconds() - start < enough;
    FC_TRY(fc_comm_sum_double(NULL, &x[0], 1));
    FC_TRY(fc_comm_max_double(NULL, &x[1], 1));
    FC_TRY(fc_comm_broadcast(NULL, &go, sizeof go, 0));
    *processor = fmin(*processor, x[0]);
    *wall      = fmin(*wall, x[1]);
    if (go == 0) break;
  }
  return FC_OK;
}

static fc_status run(const bench_solver *b) {
  const int    ranks = fc_comm_size(NULL);
  const double unit  = 1e6 / (double)b->points;
  void        *state = NULL;
  double       processor, wall;
  fc_status    s = b->begin(&state);

  if (s == FC_OK) s = b->step(state); /* the first touch of memory */
  if (s == FC_OK) s = measure(b, state, &processor, &wall);
  if (state) b->end(state);
  if (s != FC_OK || fc_comm_rank(NULL) > 0) return s;
  printf("%-40s %5d %9.4f %9.4f", b->name, ranks, processor * unit, wall * unit);
  if (ranks == 1) {
    const double bare = b->transforms() * unit;
    printf(" %9.4f %7.2f", bare, processor * unit / bare);
  }
  printf("\n");
  fflush(stdout);
  return FC_OK;
}

int main(int argc, char **argv) {
  fc_status s = fc_comm_start(&argc, &argv);
  int       code;

  fc_parallel_start();
  for (int i = 0; i < FC_COUNT(cases) && s == FC_OK; i++)
    if (argc < 2 || strstr(cases[i]->name, argv[1])) s = run(cases[i]);
  if (fc_comm_meet(s, &code) && s != FC_OK) fprintf(stderr, "bench_solvers: %s\n", fc_error());
  fc_comm_stop(code);
  return code;
}
