/* train/windows.h - all windows of n_in + n_target frames in a range of trajectories, each known by
   its number; read from disk, or from memory when the data fits. */
#ifndef FC_WINDOWS_H
#define FC_WINDOWS_H
#include "train/source.h"

typedef struct fc_window_spec {
  int64_t traj_lo, traj_hi; /* trajectories lo .. hi-1 */
  int64_t n_in, n_target;   /* frames; steady: one field in, one out */
  int64_t step;             /* frames of the file between starts */
  int64_t cache_bytes;      /* keep the frames in memory if they take no more than this */
} fc_window_spec;

typedef struct fc_windows fc_windows;

/* source must outlive the windows. FC_E_INPUT if no trajectory is long enough. Loads the cache. */
fc_status             fc_windows_create(fc_source *source, const fc_window_spec *spec, fc_windows **out);
void                  fc_windows_destroy(fc_windows *w);
int64_t               fc_windows_size(const fc_windows *w);
bool                  fc_windows_cached(const fc_windows *w);
int64_t               fc_windows_bytes(const fc_windows *w); /* of all frames: what a cache would take */
const fc_window_spec *fc_windows_spec(const fc_windows *w);
const fc_source      *fc_windows_source(const fc_windows *w);
/* trajectory and first frame of window i; windows are ordered by trajectory, then start */
void fc_windows_at(const fc_windows *w, int64_t i, int64_t *traj, int64_t *start);
/* window i, normalised: input[n_in, X.., C_in], target[n_target, X.., C_out], params[p] of its trajectory
   (may be NULL). Not for two threads at a time unless cached. */
fc_status fc_windows_read(fc_windows *w, int64_t i, fc_real *input, fc_real *target, fc_real *params);
#endif
