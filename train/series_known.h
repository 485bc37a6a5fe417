/* train/series_known.h - the columns of a series in a checkpoint (train/series_known.c). */
#ifndef FC_SERIES_KNOWN_H
#define FC_SERIES_KNOWN_H
#include "io/store.h"
#include "train/series.h"

fc_status fc_series_known_put(fc_store *s, const fc_series_known *k);
/* *out is NULL if the store holds none; path is for messages */
fc_status fc_series_known_get(const fc_store *s, const char *path, fc_series_known **out);
#endif
