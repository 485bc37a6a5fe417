/* train/prediction.h - frames that others predicted (a large-eddy simulation, a twin run, another code),
   found in a field file by their time. */
#ifndef FC_PREDICTION_H
#define FC_PREDICTION_H
#include "train/source.h"

typedef struct fc_prediction {
  fc_field        *field;
  const char      *path;
  const fc_source *like; /* whose grid, channels and units the frames have */
  int              pick[FC_FIELD_CHANNELS];
  int64_t          near; /* frame that was found last */
} fc_prediction;

/* FC_E_MISMATCH if the file has another grid, or lacks a channel that s predicts. s and path must outlive it.
 */
fc_status fc_prediction_open(const char *path, const fc_source *s, fc_prediction *out);
void      fc_prediction_close(fc_prediction *p); /* a zeroed one is fine */
/* the frame at time t of trajectory traj, x[X.., C] in units. FC_E_INPUT: there is none, or it is not finite.
 */
fc_status fc_prediction_at(fc_prediction *p, int64_t traj, double t, fc_real *x);
#endif
