/* train/series.h - a series as training and forecasting see it: chosen columns with their roles, parts in
   time for training, validation and test, scaling by the training rows, windows as standard batches. */
#ifndef FC_TRAIN_SERIES_H
#define FC_TRAIN_SERIES_H
#include "io/series.h"
#include "train/network.h"

typedef enum { FC_PART_TRAIN, FC_PART_VALID, FC_PART_TEST, FC_PARTS } fc_series_part;

typedef struct fc_series_scale { /* mean and population deviation of the training rows, by column */
  double mean[FC_SERIES_COLUMNS], std[FC_SERIES_COLUMNS]; /* a deviation of 0 counts as 1 */
} fc_series_scale;

typedef struct fc_series_known { /* what a checkpoint holds of the columns a model was trained on */
  int              n, n_targets; /* in the order of variate below */
  fc_channel      *column;       /* [n] names and units */
  double          *mean, *std;   /* [n] */
  fc_series_class *category;     /* [n] */
  int              n_series;     /* with a scale of their own; 0: columns have one */
  char           **series;
  double          *own_mean, *own_std; /* [n_series, n] */
  fc_date_step     step;
  bool             dated;
} fc_series_known;

typedef struct fc_series_set {
  fc_series      *file;
  char            path[FC_TEXT]; /* for messages */
  fc_series_wants wants; /* of the model; the numbers that it leaves open are filled in: variates, targets */
  /* columns of the file: variates in the order of x_enc, targets last; for models that name their columns
     those of wants.column instead, in that order. Targets stand in the order of the output. */
  int             n_variates, variate[FC_SERIES_COLUMNS], n_targets, target[FC_SERIES_COLUMNS];
  fc_series_scale scale;              /* by column of the file */
  double         *own_mean, *own_std; /* [n_series, columns of the file]; NULL: as above for all series */
  int64_t        *lo, *hi; /* [FC_PARTS][n_series]: rows of each part; windows of valid and test may look
                              back before lo, targets lie inside */
  int64_t  min_lookback, window_step; /* known steps of a window at least; rows between those of training */
  int64_t *before;                    /* [FC_PARTS][n_series + 1]: windows of a part in earlier series */
  fc_real *scaled;                    /* [rows, columns of the file] */
  int      n_marks;                   /* numbers of a calendar mark; 0: the model takes none */
  fc_real *marks;                     /* [rows, n_marks] */
  char     name[FC_COLUMNS][FC_NAME]; /* what wants.column[].name points to */
} fc_series_set;

/* Opens path, finds the columns by the settings and by what the model wants, cuts it into parts, measures and
   scales. known (NULL: none): columns, scale and classes are those of a trained model. Parts may be empty.
   FC_E_USAGE, FC_E_MISMATCH if data, settings and model do not fit together. */
fc_status fc_series_set_open(const char *path, const fc_data_settings *d, const fc_network *n,
                             const fc_series_known *known, fc_series_set *out);
void      fc_series_set_close(fc_series_set *s); /* fine if it was never opened */

/* of a column in a series (train/series_scale.c) */
double fc_series_mean(const fc_series_set *s, int series, int column);
double fc_series_std(const fc_series_set *s, int series, int column);

/* for a checkpoint; fc_series_known_free(NULL) is fine */
fc_status fc_series_remember(const fc_series_set *s, fc_series_known **out);
fc_status fc_series_known_create(int n, fc_series_known **out); /* n columns, all empty */
void      fc_series_known_free(fc_series_known *k);

/* Windows of a part: a number -> series and first row of the lookback, which lies before the series where not
   all of it is known. */
int64_t fc_series_windows(const fc_series_set *s, fc_series_part part);
void    fc_series_window_at(const fc_series_set *s, fc_series_part part, int64_t window, int *series,
                            int64_t *row);
int     fc_series_of_row(const fc_series_set *s, int64_t row);
int     fc_series_of_window(const fc_series_set *s, int64_t row);
int64_t fc_series_missing(const fc_series_set *s, int64_t row); /* steps of a window before its series */

/* The standard batch (core/model.h) of windows that begin at row[n], on c's arena: inputs, and target
   [n, P, targets] in scaled numbers, NULL if nobody asks (then the rows of the horizon need not exist: dates
   go on by the step, and known columns must be given). In dry contexts row may be NULL. */
void fc_series_batch(fc_ctx *c, const fc_series_set *s, int64_t n, const int64_t *row, fc_batch *out,
                     fc_tensor **target);

/* pack, apply, unpack, and the targets alone: [n, P, targets] or [n, P, targets, quantiles], scaled */
fc_tensor *fc_series_call(fc_ctx *c, const fc_network *net, const fc_series_set *s, const fc_batch *standard);
/* does the model take such batches? FC_E_MISMATCH in its own words */
fc_status fc_series_check(const fc_network *net, const fc_series_set *s);
#endif
