/* solvers/ns2d_run.h - runs of solvers/ns2d.h over trajectories and frames. */
#ifndef FC_NS2D_RUN_H
#define FC_NS2D_RUN_H
#include "solvers/evolve.h"
#include "solvers/ns2d.h"

/* FC_E_USAGE: options that do not fit together (solvers/spectral_2d.c) */
fc_status fc_ns2d_check(const fc_ns2d_config *c);

/* as in solvers/solver.h. The bits do not depend on the number of threads. FC_E_NUMERIC: blow-up. */
fc_status fc_ns2d_run(const fc_ns2d_config *c, const fc_audience *to);
fc_status fc_ns2d_advance(const fc_ns2d_config *c, const int64_t *dim, const fc_real *x, double t0,
                          double frame_dt, int64_t n, fc_frame_sink sink, void *user);

/* What a run will do, of a resolved configuration (fc_ns2d_resolve). */
int       fc_ns2d_lanes(const fc_ns2d_config *c); /* trajectories at a time */
fc_evolve fc_ns2d_evolve(const fc_ns2d_config *c);
#endif
