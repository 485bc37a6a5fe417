/* train/series.h - a series as training and forecasting see it: chosen columns with their roles, parts in
   time for training, validation and test, scaling by the training rows, windows as standard batches. */
#ifndef FC_TRAIN_SERIES_H
#define FC_TRAIN_SERIES_H
#include "io/series.h"
#include "train/network.h"

typedef enum { FC_PART_TRAIN, FC_PART_VALID, FC_PART_TEST, FC_PARTS } fc_series_part;

typedef struct fc_series_scale { /* mean and population deviation of the training rows, by column */
  int    n;
  double mean[FC_SERIES_COLUMNS], std[FC_SERIES_COLUMNS]; /* a deviation of 0 counts as 1 */
} fc_series_scale;

typedef struct fc_series_set {
  fc_series      *file;
  fc_series_wants wants; /* of the model; the numbers that it leaves open are filled in: variates, targets */
  /* columns of the file: variates in the order of x_enc, targets last where the model gives fewer; for models
     that name their columns those of wants.column instead */
  int             n_variates, variate[FC_SERIES_COLUMNS], n_targets, target[FC_SERIES_COLUMNS];
  fc_series_scale scale;   /* by column of the file */
  int64_t        *lo, *hi; /* [FC_PARTS][n_series]: rows of each part; windows of valid and test may look back
                              before lo, targets lie inside */
  fc_real *scaled;         /* [rows, columns of the file] */
} fc_series_set;

/* Windows of a part: a number -> series and first row of the lookback. */
int64_t fc_series_windows(const fc_series_set *s, fc_series_part part);
void    fc_series_window_at(const fc_series_set *s, fc_series_part part, int64_t window, int *series,
                            int64_t *row);

/* The standard batch (core/model.h) of windows that begin at row[n], on c's arena: inputs, and target
   [n, P, targets] in scaled numbers, NULL if nobody asks (then the rows of the horizon need not exist: dates
   go on by the step, and known columns must be given). */
void fc_series_batch(fc_ctx *c, const fc_series_set *s, int64_t n, const int64_t *row, fc_batch *out,
                     fc_tensor **target);

/* pack, apply, unpack: [n, P, targets] or [n, P, targets, quantiles], scaled */
fc_tensor *fc_series_call(fc_ctx *c, const fc_network *net, const fc_batch *standard);
#endif
