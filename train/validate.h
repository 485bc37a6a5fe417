/* train/validate.h - how well the network predicts windows it has not seen. */
#ifndef FC_VALIDATE_H
#define FC_VALIDATE_H
#include "train/march.h"
#include "train/windows.h"

typedef struct fc_scores { /* VRMSE in the data's units, mean over windows, frames and channels
                              (train/metrics.h) */
  double one_step,
      one_step_base; /* first predicted frame; base: persistence, for steady problems the training mean */
  double rollout, rollout_base; /* all n_target frames, predictions fed back; NaN for steady problems */
} fc_scores;

/* Looks at up to max_windows of w, spread evenly, shared by the ranks; k frames per call. Uses c's arena and
   leaves it as it was. */
fc_status fc_validate(fc_ctx *c, const fc_network *n, fc_windows *w, int64_t max_windows, int64_t k,
                      fc_scores *out);
#endif
