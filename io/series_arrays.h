/* io/series_arrays.h - private to io/series_hdf5.c: data sets of one or two axes as numbers, texts, dates. */
#ifndef FC_SERIES_ARRAYS_H
#define FC_SERIES_ARRAYS_H
#include "io/hdf5_util.h"
#include "io/series_layout.h"

typedef struct fc_series_array { /* a data set of the root */
  char    name[FC_NAME];
  int64_t rows, width;  /* width 0: one axis */
  double *x;            /* [rows, width], NULL: texts */
  char  **text;         /* [rows] */
  double  origin, unit; /* dates: seconds of "unit since origin"; unit 0: it does not say */
} fc_series_array;

/* Name, size and unit of a data set; false if it has more axes, no rows, or neither numbers nor texts:
   nobody's column. */
bool fc_series_array_shape(hid_t file, const char *name, fc_series_array *a, bool *texts);
/* The values, after the shape. FC_E_INPUT: path and name say which. */
fc_status fc_series_array_numbers(hid_t file, const char *path, fc_series_array *a);
fc_status fc_series_array_texts(hid_t file, const char *path, fc_series_array *a);
void      fc_series_array_free(fc_series_array *a);
/* seconds since 1970 of a row. Numbers without a unit: seconds, or milli- and nanoseconds if they are as
   large as that */
bool fc_series_array_date(const fc_series_array *a, int64_t row, int64_t *t);
#endif
