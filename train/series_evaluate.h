/* train/series_evaluate.h - scores of a forecaster over many origins of a series, beside the baselines of
   train/series_baselines.h. */
#ifndef FC_SERIES_EVALUATE_H
#define FC_SERIES_EVALUATE_H
#include "train/run.h"
#include "train/series.h"
#include "train/series_baselines.h"

typedef struct fc_backtest_job {
  const char    *data, *series; /* series NULL: all that the file has */
  const char    *continued;     /* rows behind those of data; NULL: none */
  fc_series_part part;          /* cut as the run did */
  const char    *out;           /* CSV with every number, and beside it a picture; NULL: none */
  int64_t        stride;        /* steps between origins, counted back from the last one of each series */
  int64_t        origins;       /* at most so many of each series, the last ones; 0: all */
  int64_t        drop_last;     /* > 0: the last incomplete batch of so many windows is not scored */
  int64_t        season;        /* steps; 0: what the step of the dates suggests */
  const char    *explain;       /* folder for what the model shows (train/series_explain.h); NULL: none */
  bool           quiet;
} fc_backtest_job;

/* What was found, while the data are still open; see train/series_table.h. */
struct fc_series_table;
typedef fc_status (*fc_series_taker)(void *user, const struct fc_series_table *t);
fc_status fc_series_score(const fc_run *run, const fc_backtest_job *job, fc_series_taker take, void *user);

/* Prints MSE, MAE (scaled), MASE, quantile losses and coverage, errors by step and, in units, by target. */
fc_status fc_series_evaluate(const fc_run *run, const fc_backtest_job *job, FILE *report);

/* steps of the seasonal baseline: asked, or by the step of the dates, or 1 (then there is none) */
int64_t fc_series_season(const fc_series_set *s, int64_t asked);
/* number of the series of that name; NULL gives -1, all. FC_E_USAGE with the nearest name */
fc_status fc_series_pick(const fc_series_set *s, const char *name, int *out);
/* "2018-06-26 19:00:00", or "row 17" of a series without dates */
void fc_series_when(const fc_series_set *s, int64_t row, char *buf, size_t size);
#endif
