/* train/rollout.h - autoregressive prediction: the network's own frames become its next input. */
#ifndef FC_ROLLOUT_H
#define FC_ROLLOUT_H
#include "train/run.h"

typedef struct fc_rollout fc_rollout;

/* For data opened by fc_run_open_data. Plans the memory of a call (FC_E_SYSTEM if it is not there); none is
   taken later. share: ranks that share the grid, NULL: none. k frames per call: as trained, at most what the
   model can. run and source must outlive it. */
fc_status fc_rollout_create(const fc_run *run, fc_source *source, const fc_share *share, fc_rollout **out);
void      fc_rollout_destroy(fc_rollout *r);
int64_t
fc_rollout_span(const fc_rollout *r); /* frames of history times frame_stride, in frames of the file */
int64_t fc_rollout_per_call(const fc_rollout *r);

/* History: the n_in frames from frame `start` of trajectory traj, frame_stride apart. steady: the input
 * field. */
fc_status      fc_rollout_start(fc_rollout *r, int64_t traj, int64_t start);
const fc_real *fc_rollout_last(const fc_rollout *r); /* newest frame of the history, in units [X.., C] */
/* normalised [n_in, X.., C_in], before the first frame is asked for */
const fc_real *fc_rollout_history(const fc_rollout *r);
/* the next frame in units [X.., C], valid until the next call; the network runs every k frames */
const fc_real *fc_rollout_next(fc_rollout *r);
double
fc_rollout_cost(const fc_rollout *r); /* seconds per frame in the network so far, the first call apart */
#endif
