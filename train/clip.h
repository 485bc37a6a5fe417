/* train/clip.h - clipping by the history of gradient norms, as PDE-Transformer trains (arXiv 2505.24717). */
#ifndef FC_CLIP_H
#define FC_CLIP_H
#include "core/base.h"

typedef struct fc_clip { /* zero at the start; part of a checkpoint */
  double fast, slow;     /* sums of the exponential averages, before correction of their start */
  double count;          /* norms seen */
} fc_clip;

/* Factor for a gradient of this norm, and takes the clipped norm into the averages (decays 0.9 and 0.99, bias
   corrected). A norm above 2 slow averages is cut to 1.1 fast ones; at the first step one above 1e4 is cut
   to 1. */
double fc_clip_factor(fc_clip *k, double norm);
#endif
