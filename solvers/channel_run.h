/* solvers/channel_run.h - runs of solvers/chan.h over trajectories and frames. All ranks compute a trajectory
   together and have the lines of x that fc_chan_frame_share says. */
#ifndef FC_CHANNEL_RUN_H
#define FC_CHANNEL_RUN_H
#include "solvers/chan_frame.h"
#include "solvers/evolve.h"

/* n_keep of 0 resolved */
fc_chan_config fc_channel_resolve(const fc_chan_config *c);
/* FC_E_USAGE: options that do not fit together (solvers/channel.c) */
fc_status fc_channel_check(const fc_chan_config *c);

/* as in solvers/solver.h. The bits do not depend on the number of threads. FC_E_NUMERIC: blow-up. */
fc_status fc_channel_run(const fc_chan_config *c, const fc_audience *to);
fc_status fc_channel_advance(const fc_chan_config *c, const int64_t *dim, const fc_real *x, double t0,
                             double frame_dt, int64_t n, fc_frame_sink sink, void *user);

/* What a run will do, of a resolved configuration */
fc_evolve fc_channel_evolve(const fc_chan_config *c);
#endif
