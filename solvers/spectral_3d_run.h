/* solvers/spectral_3d_run.h - runs of solvers/box3d.h over trajectories and frames. */
#ifndef FC_SPECTRAL_3D_RUN_H
#define FC_SPECTRAL_3D_RUN_H
#include "solvers/box3d.h"
#include "solvers/evolve.h"

/* FC_E_USAGE: options that do not fit together (solvers/spectral_3d.c) */
fc_status fc_box3d_check(const fc_box3d_config *c);

/* as in solvers/solver.h. All ranks share each trajectory; advance is each rank's own. The bits do not depend
   on the number of threads. FC_E_NUMERIC: blow-up. */
fc_status fc_box3d_run(const fc_box3d_config *c, const fc_audience *to);
fc_status fc_box3d_advance(const fc_box3d_config *c, const int64_t *dim, const fc_real *x, double t0,
                           double frame_dt, int64_t n, fc_frame_sink sink, void *user);

/* What a run will do, of a resolved configuration, on this rank with nx planes. */
fc_evolve fc_box3d_evolve(const fc_box3d_config *c, int64_t nx);
#endif
