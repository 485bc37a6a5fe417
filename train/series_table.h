/* train/series_table.h - what an evaluation of a forecaster looks like: a table, CSV, a picture. */
#ifndef FC_SERIES_TABLE_H
#define FC_SERIES_TABLE_H
#include "train/series_evaluate.h"
#include "train/series_explain.h"
#include "train/series_scores.h"

#include <stdio.h>

enum { FC_SERIES_METHODS = 1 + FC_BASES }; /* the model, then the baselines */

typedef struct fc_series_table {
  const fc_run          *run;
  const fc_backtest_job *job;
  const fc_series_set   *set;
  int64_t                windows, dropped; /* found; of them not scored */
  int64_t                first, last;      /* rows: first unknown step of the first and of the last window */
  int64_t                season, ridge_windows;
  double                 lambda[2];
  const char            *ridge_data;  /* NULL: the training part of the file itself */
  bool                   own_missing; /* the run's training data are another file, which cannot be read */
  bool                   shown[FC_SERIES_METHODS];
  fc_series_scores       scores[FC_SERIES_METHODS];
  const fc_explain      *explain; /* what the model showed; NULL: not asked for */
} fc_series_table;

const char *fc_series_part_name(fc_series_part part); /* "train", "valid", "test" */
void        fc_series_table_print(const fc_series_table *t, FILE *f);
/* path: one number a line, "method,quantity,column,step,value"; an empty column or step means all of them.
   Beside it, .png instead of the ending: the error by step. */
fc_status fc_series_table_files(const fc_series_table *t, const char *path);
/* path with another ending ("x.csv", ".png" -> "x.png") */
fc_status fc_path_with(const char *path, const char *ending, char *buf, size_t size);
#endif
