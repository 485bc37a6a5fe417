/* io/series_layout.h - private to io/series*.c: sources (tables, HDF5) give rows as they lie in the file;
   what makes a series of them - order, step, gaps, missing cells - is written once. */
#ifndef FC_SERIES_LAYOUT_H
#define FC_SERIES_LAYOUT_H
#include "io/series.h"

struct fc_series {
  fc_series_info info;
  char         **header; /* [n_columns] names as the file has them, with units */
  double        *x;
  int64_t       *time;
};

/* rows of a file in its order */
typedef struct fc_series_raw {
  const char              *path;
  const fc_series_mapping *told;
  fc_series               *s; /* columns, classes, names of series are set by the source */
  bool                     table;
  int64_t                  rows, room;
  double                  *x;     /* [rows, n_columns], NaN: missing */
  int64_t                 *time;  /* [rows]; not used without dates */
  int64_t                 *line;  /* [rows] for messages: line of the table, row from 1 on of HDF5 */
  int                     *owner; /* [rows] number of the series */
} fc_series_raw;

/* ---- sources: columns, then rows ---- */
fc_status fc_series_read_table(fc_series_raw *raw);
fc_status fc_series_read_wide(fc_series_raw *raw); /* a series in each row */
bool      fc_series_is_wide(const char *path, const fc_series_mapping *told);
fc_status fc_series_read_hdf5(fc_series_raw *raw);
bool      fc_series_table_recognised(const char *path);
bool      fc_series_hdf5_recognised(const char *path);

/* ---- for sources ---- */
bool fc_series_told(const char *word); /* says something */
bool fc_series_none(const char *word); /* says "none" */
/* a new column; header with its unit. FC_E_INPUT: too many, or the name is taken */
fc_status fc_series_add_column(fc_series_raw *raw, const char *header);
fc_status fc_series_leave_out(fc_series_raw *raw, const char *header, const char *why);
/* room for one more row, which is returned in *row */
fc_status fc_series_add_row(fc_series_raw *raw, int64_t *row);
fc_status fc_series_class_add(fc_series_class *c, const char *name);
/* number of a name, tried first after *last (which moves along); -1: none */
int fc_series_class_find(const fc_series_class *c, const char *name, int *last);

bool fc_cell_missing(const char *cell); /* "", NA, NaN, null, none, ?, - */

/* ---- from rows to series ---- */
fc_status fc_series_settle(fc_series_raw *raw);            /* io/series_dates.c: order, step, gaps */
fc_status fc_series_fill(fc_series_raw *raw, int64_t *at); /* io/series_fill.c; at[rows] line, 0: made up */
/* "data.csv:17" or "data.h5, row 17"; series names that are worth a word: ", series A" */
const char *fc_series_where(const fc_series_raw *raw, int64_t line, char *buf, size_t size);
const char *fc_series_owner(const fc_series *s, int owner, char *buf, size_t size);
#endif
