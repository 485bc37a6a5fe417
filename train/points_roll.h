/* train/points_roll.h - predictions of one sample: frame by frame, and with history each prediction becomes
   part of the next input. */
#ifndef FC_POINTS_ROLL_H
#define FC_POINTS_ROLL_H
#include "train/points_batch.h"

typedef struct fc_points_roll {
  const fc_network *network;
  const fc_points  *p;
  fc_ctx           *ctx;
  void             *block; /* of a batch of one sample */
} fc_points_roll;

/* ctx must have room for a call on the largest sample of p; all must outlive the roll */
fc_status fc_points_roll_create(fc_ctx *ctx, const fc_network *n, const fc_points *p, fc_points_roll *out);
void      fc_points_roll_free(fc_points_roll *r);
/* frame `at` of s, which history frames precede: y[N, out.n] in units. feed_back: the prediction replaces the
   frame in s. */
void fc_points_roll_frame(fc_points_roll *r, fc_sample *s, int64_t at, bool feed_back, fc_real *y);
/* peak bytes of such a call */
fc_status fc_points_roll_bytes(const fc_model_def *def, const void *args, const fc_points *p, int64_t *bytes);
#endif
