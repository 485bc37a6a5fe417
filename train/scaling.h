/* train/scaling.h - mean and standard deviation per channel: networks see (x - mean) / std. */
#ifndef FC_SCALING_H
#define FC_SCALING_H
#include "io/field.h"

typedef struct fc_scaling {
  int        n; /* channels */
  fc_channel channel[FC_FIELD_CHANNELS];
  double     mean[FC_FIELD_CHANNELS], std[FC_FIELD_CHANNELS];
  double     step[FC_FIELD_CHANNELS]; /* std of x(t + frame) - x(t), normalised: the size of an increment */
} fc_scaling;

void fc_scaling_none(fc_scaling *s); /* mean 0, std 1 */
void fc_scaling_apply(const fc_scaling *s, int64_t points,
                      fc_real *x); /* x[points, n]: units to normalised, in place */
void fc_scaling_undo(const fc_scaling *s, int64_t points, fc_real *x);
#endif
