/* train/series_baselines.h - what always stands beside a forecaster, since it costs nothing or seconds. x:
   the lookback of one column, L numbers; y: its horizon, P numbers.

     naive            y_t = x_L, the last known value
     seasonal naive   y_t = the value a whole number of seasons before t, the latest one known
     window mean      y_t = mean of x
     ridge            y = W x + b, one linear map for all columns in closed form (core/ridge.h) from the
                      training windows; lambda is the one of 1e-6, 3e-6, 1e-5, .., 10 that does best on
                      the validation windows, 1e-4 if there are none
     ridge - mean     the same map of x - mean x to y - mean x

   All work on scaled numbers in rows, as windows of one table. */
#ifndef FC_SERIES_BASELINES_H
#define FC_SERIES_BASELINES_H
#include "core/base.h"

typedef enum {
  FC_BASE_NAIVE,
  FC_BASE_SEASON,
  FC_BASE_MEAN,
  FC_BASE_RIDGE,
  FC_BASE_RIDGE_MEAN,
  FC_BASES
} fc_base;

typedef struct fc_window_table {
  const fc_real *x; /* [rows, columns] */
  int64_t        columns, lookback, horizon;
  int            n_targets;
  const int     *target; /* [n_targets] columns of x */
} fc_window_table;

const char *fc_base_name(fc_base which);

/* Windows are named by the first row of their lookback; y [P, targets]. first: of the series, since a season
   may be longer than a lookback; where not even the series is as long, the last value stands in. missing:
   steps of the lookback that are not there. */
void fc_base_naive(const fc_window_table *t, int64_t row, fc_real *y);
void fc_base_season(const fc_window_table *t, int64_t first, int64_t season, int64_t row, fc_real *y);
void fc_base_mean(const fc_window_table *t, int64_t missing, int64_t row, fc_real *y);

typedef struct fc_series_ridge fc_series_ridge;
/* fit, held: first rows of the windows of training and validation. Takes (L + P) L doubles, whatever the
   number of windows. FC_E_NUMERIC if no lambda gives a map. */
fc_status fc_series_ridge_fit(const fc_window_table *t, bool centred, int64_t n_fit, const int64_t *fit,
                              int64_t n_held, const int64_t *held, fc_series_ridge **out);
void      fc_series_ridge_free(fc_series_ridge *m); /* NULL is fine */
/* y [n, P, targets] of n windows */
void   fc_series_ridge_apply(fc_series_ridge *m, const fc_window_table *t, int64_t n, const int64_t *row,
                             fc_real *y);
double fc_series_ridge_lambda(const fc_series_ridge *m);

/* Mean |x_t - x_(t - season)| over rows lo + season .. hi-1 of a column: what MASE divides by (Hyndman,
   Koehler, Int. J. Forecasting 22 (2006) 679). NaN if there are no such rows, or the error is 0. */
double fc_seasonal_error(const fc_window_table *t, int column, int64_t lo, int64_t hi, int64_t season);
#endif
