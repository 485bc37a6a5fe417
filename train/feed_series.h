/* train/feed_series.h - windows of series as a feed. */
#ifndef FC_FEED_SERIES_H
#define FC_FEED_SERIES_H
#include "train/feed.h"
#include "train/series.h"

typedef struct fc_series_feed {
  fc_series_set set;
  int64_t       batch; /* windows of a validation batch */
} fc_series_feed;

typedef struct fc_series_rows { /* a batch: its windows are put together on the step's arena */
  fc_rng  rng;                  /* noise on the inputs: std times numbers from `first` on */
  double  noise;
  int64_t first;
  int64_t row[]; /* first rows of the lookbacks */
} fc_series_rows;

/* Mean loss, MSE and MAE over all windows of the validation part, shared by the ranks, beside the forecast
   that repeats the last season. The point forecast of quantiles is the one nearest to 0.5. */
fc_status fc_series_validate(fc_ctx *c, const fc_network *n, const fc_series_set *s,
                             const fc_train_settings *t, int64_t batch, fc_scores *out);
#endif
