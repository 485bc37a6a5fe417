/* train/series_columns.h - the parts of opening a set of series (train/series.c). */
#ifndef FC_SERIES_COLUMNS_H
#define FC_SERIES_COLUMNS_H
#include "train/series.h"

/* names of the columns that hold classes, by settings and model, separated by commas */
void fc_series_categories(const fc_series_wants *w, const fc_data_settings *d, size_t size, char *out);
/* Fills variates, targets and what wants leaves open. s->file is open, s->wants is that of the model. */
fc_status fc_series_choose(fc_series_set *s, const fc_data_settings *d, const char *model,
                           const fc_series_known *known);
/* lo, hi, before (train/series_split.c). clip: where the settings ask for more rows than there are, parts end
   early (other data than those of the training). */
fc_status fc_series_cut(fc_series_set *s, const fc_data_settings *d, bool clip);
/* mean and deviation of what settings ask for, or as known (train/series_scale.c) */
fc_status fc_series_take_scale(fc_series_set *s, const fc_data_settings *d, const fc_series_known *known);
#endif
