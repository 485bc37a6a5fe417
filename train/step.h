/* train/step.h - one forward and backward pass of training: pushforward calls, the trained call, the loss. */
#ifndef FC_STEP_H
#define FC_STEP_H
#include "train/march.h"
#include "train/source.h"

typedef struct fc_pass {
  int64_t  B, k, pushes, n_target; /* windows, frames per call, calls without gradient, frames in target */
  fc_real *window, *target;        /* [B, n_in, X.., C_in], changed by the calls; [B, n_target, X.., C_out] */
  fc_real *params;                 /* [B, frames.params] */
  int64_t  first, whole; /* number of the first window in the whole batch over all ranks, windows of that */
  double   weight;       /* the loss is multiplied by this before the backward pass */
} fc_pass;

/* Adds weight * gradient to the parameters and returns the loss (unweighted, mean over the B windows). With
   pushes the window is first moved on by so many calls without gradient, and the following k target frames
   are learned (pushforward, Brandstetter, Worrall, Welling, ICLR 2022, arXiv 2202.03376). With teacher_calls
   that many calls follow, each from true frames, and their losses are averaged. Leaves the arena as it found
   it. In a dry context nothing is computed and window, target may be NULL. */
double fc_pass_run(fc_ctx *c, const fc_network *n, const fc_source *s, const fc_train_settings *t,
                   const fc_pass *p);
#endif
