/* train/series_scores.h - errors of one forecaster summed over windows, by step of the horizon and by target,
   on scaled numbers. y: forecast, t: truth; means are over all windows, steps and targets that are asked for.

     MSE    mean (y - t)^2                  MAE   mean |y - t|
     sMAPE  mean 200 |y - t| / (|y| + |t|) of numbers in units, percent; 0 where both are 0
     MASE   mean |y - t| / d, d the mean |t_i - t_(i - season)| of the training rows of that series and target
     quantile loss of level q    mean max(q (t - y_q), (q - 1) (t - y_q))
     coverage of the band between levels q and 1 - q   share of t with y_q <= t <= y_(1-q) */
#ifndef FC_SERIES_SCORES_H
#define FC_SERIES_SCORES_H
#include "core/model.h"

typedef struct fc_series_scores {
  int64_t horizon, windows;
  int     targets, quantiles, middle; /* middle: the level nearest to one half */
  double  level[FC_QUANTILES];
  double *square, *absolute;             /* [horizon, targets] */
  double *ratio, *counted;               /* [targets]: |y - t| / d, and how many numbers had a d */
  double *before, *older;                /* [targets]: the same with the d of all rows before the part */
  double *symmetric;                     /* [targets]: of sMAPE */
  double *square_units, *absolute_units; /* [targets] */
  double *pinball;                       /* [quantiles, targets] */
  double *inside; /* [quantiles / 2, targets]: band i goes from level i to the i-th last */
} fc_series_scores;

/* quantiles 0: a point forecast; level[quantiles] rises */
fc_status fc_series_scores_create(int64_t horizon, int targets, int quantiles, const double *level,
                                  fc_series_scores *out);
void      fc_series_scores_free(fc_series_scores *s); /* fine if it was never created */

/* What a window's errors are divided by, [targets] each: d of the training rows and of all rows before the
   part (NaN: none); mean and deviation of the scaled numbers. */
typedef struct fc_series_gauge {
  const double *d, *before, *mean, *std;
} fc_series_gauge;

/* One window: y [horizon, targets], or [horizon, targets, quantiles]; truth [horizon, targets]. */
void fc_series_scores_add(fc_series_scores *s, const fc_real *y, const fc_real *truth,
                          const fc_series_gauge *g);

/* target -1: all of them; step -1: the whole horizon. NaN if nothing was counted. */
double fc_series_mse(const fc_series_scores *s, int target, int64_t step);
double fc_series_mae(const fc_series_scores *s, int target, int64_t step);
double fc_series_mase(const fc_series_scores *s, int target);
double fc_series_mase_before(const fc_series_scores *s, int target);
double fc_series_smape(const fc_series_scores *s, int target);
double fc_series_mse_units(const fc_series_scores *s, int target);
double fc_series_mae_units(const fc_series_scores *s, int target);
double fc_series_pinball(const fc_series_scores *s, int quantile, int target);
int    fc_series_bands(const fc_series_scores *s);
double fc_series_band(const fc_series_scores *s, int band); /* nominal coverage: 0.8 between 0.1 and 0.9 */
double fc_series_coverage(const fc_series_scores *s, int band, int target);
#endif
