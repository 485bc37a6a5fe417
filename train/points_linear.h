/* train/points_linear.h - the best linear map on points, in closed form, as a baseline that costs seconds:
   the targets of a point from its coordinates, given fields, history, the sample's parameters, time, and the
   means of its input functions. Ridge regression (core/ridge.h) on the training data; lambda is the one of
   1e-8, 1e-6, .., 1 that does best on every fifth item, held out. */
#ifndef FC_POINTS_LINEAR_H
#define FC_POINTS_LINEAR_H
#include "train/points_items.h"
#include "train/run.h"

typedef struct fc_points_linear fc_points_linear;

/* Fits on the training data that the run's configuration names. *out is NULL, and why says so in words, where
   that cannot be. */
fc_status fc_points_linear_fit(const fc_run *run, fc_points_linear **out, const char **why);
void      fc_points_linear_free(fc_points_linear *m);
/* frame `at` of s, normalised like a network's: y[N, out.n] in units. feed_back: it replaces the frame in s
 */
fc_status   fc_points_linear_frame(const fc_points_linear *m, const fc_points *p, fc_sample *s, int64_t at,
                                   bool feed_back, fc_real *y);
const char *fc_points_linear_text(const fc_points_linear *m); /* what it is, one line */
#endif
