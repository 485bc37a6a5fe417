/* train/linear.h - the best linear map, in closed form, as a baseline that costs seconds.

   Fields in time: the next frame at a point from the last n_in frames of a square of points around it, the
   same map at every point (periodic axes wrap, beyond other borders stands the mean). Steady problems: the
   whole output field from the whole input field. Both by ridge regression (core/ridge.h) on normalised
   training data; lambda is the one of 1e-8, 1e-6, .., 100 that does best on every fifth sample, held out. */
#ifndef FC_LINEAR_H
#define FC_LINEAR_H
#include "train/run.h"

typedef struct fc_linear_map fc_linear_map;

/* Fits on the training data that the run's configuration names, for predictions on the grid of s. *out is
 *NULL, and why says so in words, where that cannot be: data no longer there, another grid. */
fc_status fc_linear_fit(const fc_run *run, const fc_source *s, fc_linear_map **out, const char **why);
void      fc_linear_free(fc_linear_map *m);
/* history [n_in, X.., C_in] normalised -> y[frames, X.., C_out] normalised; predictions are fed back */
void        fc_linear_predict(fc_linear_map *m, const fc_real *history, int64_t frames, fc_real *y);
const char *fc_linear_text(const fc_linear_map *m); /* what it is, one line */
#endif
