/* train/series_explain.h - what a forecaster shows of itself (core/tape.h, fc_observe): attention,
   importances of columns, level, growth, season. Everything is averaged over the windows that were forecast;
   of the last window it is kept as it was. */
#ifndef FC_SERIES_EXPLAIN_H
#define FC_SERIES_EXPLAIN_H
#include "train/series.h"

#include <stdio.h>

typedef struct fc_explain fc_explain;

fc_status fc_explain_create(const fc_series_set *s, fc_explain **out);
void      fc_explain_free(fc_explain *e); /* NULL is fine */
/* from now on c's calls are seen; the next one is on so many windows */
void fc_explain_watch(fc_explain *e, fc_ctx *c, int64_t windows);

/* FOLDER/shown.h5: mean/NAME_n and last/NAME_n, whole arrays without the axis of windows, and columns/NAME_n,
   the names along the last axis, one a line, where it stands for columns; NAME_n.csv: the mean as a table
   with these names, averaged over heads; NAME_n.png. Says what was found in one line each. FC_E_USAGE if the
   model shows nothing. */
fc_status fc_explain_write(const fc_explain *e, const char *folder, FILE *report);
#endif
