/* io/data_kind.h - fields on a grid, points, or time series? Told by content. */
#ifndef FC_DATA_KIND_H
#define FC_DATA_KIND_H
#include "core/base.h"

typedef enum { FC_DATA_UNKNOWN, FC_DATA_GRID, FC_DATA_POINTS, FC_DATA_SERIES } fc_data_kind;

/* path: a file, a folder or a pattern, of which the first file is looked at */
fc_data_kind fc_data_kind_of(const char *path);
#endif
