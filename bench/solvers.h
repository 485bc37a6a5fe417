/* bench/solvers.h - flow solvers side by side: a case is one file, bench/solver_*.c, and one line in the list
   of bench/solvers.c. */
#ifndef FC_BENCH_SOLVERS_H
#define FC_BENCH_SOLVERS_H
#include "core/base.h"

typedef struct bench_solver {
  const char *name;
  int64_t     points;               /* of the grid, by which times are divided */
  fc_status (*begin)(void **state); /* on all ranks; a developed flow if that matters for the time */
  fc_status (*step)(void *state);   /* one time step */
  void (*end)(void *state);
  double (*transforms)(void); /* seconds that FFTW takes on one rank for the transforms of a step */
} bench_solver;

extern const bench_solver bench_box3d, bench_box3d_padded, bench_box3d_large, bench_channel;
extern const bench_solver bench_les_none, bench_les_smagorinsky, bench_les_wale, bench_les_vreman,
    bench_les_dynamic, bench_les_trapezoid, bench_les_clipped, bench_cube_none, bench_cube_smagorinsky,
    bench_cube_wale, bench_cube_dynamic;

/* the fastest of several calls of run(self), each of processor time */
double bench_fastest(void (*run)(void *self), void *self);
#endif
