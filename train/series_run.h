/* train/series_run.h - data for a finished or imported run of a forecaster. */
#ifndef FC_SERIES_RUN_H
#define FC_SERIES_RUN_H
#include "train/run.h"
#include "train/series.h"

/* was it trained on series? of imported weights: is it a forecaster? */
bool fc_run_on_series(const fc_run *r);

/* Opens path for this run: columns, scale and classes as trained, and the same step and units. An imported
   run knows no scale: that of the training part of path is taken. FC_E_MISMATCH in words if the file is
   another kind of series. continued (NULL: none) is a file whose rows go on behind those of path; that of the
   training does not count here. */
fc_status fc_run_open_series(const fc_run *r, const char *path, const char *continued, fc_series_set *out);
/* The same for a forecast, columns by formula going on for the horizon; future (NULL: none) is a file of rows
   behind those of path, with the columns that are known ahead of time. */
fc_status fc_run_open_future(const fc_run *r, const char *path, const char *future, fc_series_set *out);

/* A context in which the run's network forecasts *n windows at a time: as many as memory allows, at most
   `most`. FC_E_SYSTEM if not even one fits. */
fc_status fc_series_context(const fc_run *r, const fc_series_set *s, int64_t most, int64_t *n, fc_ctx **out);
#endif
