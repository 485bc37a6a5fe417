/* train/clip.c */
#include "train/clip.h"

#include <math.h>

static const double fast_decay = 0.9, slow_decay = 0.99;

/* an average that starts at zero has seen only 1 - decay^count of its weight */
static double corrected(double sum, double decay, double count) { return sum / (1 - pow(decay, count)); }

static double allowed(const fc_clip *k, double norm) {
  if (k->count == 0) return norm > 1e4 ? 1 : norm;
  return norm > 2 * corrected(k->slow, slow_decay, k->count) ? 1.1 * corrected(k->fast, fast_decay, k->count)
                                                             : norm;
}

double fc_clip_factor(fc_clip *k, double norm) {
  const double kept = allowed(k, norm);

  k->fast = fast_decay * k->fast + (1 - fast_decay) * kept;
  k->slow = slow_decay * k->slow + (1 - slow_decay) * kept;
  k->count++;
  return norm > 0 ? kept / norm : 1;
}
