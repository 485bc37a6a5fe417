/* io/series_arrays.c */
#include "io/series_arrays.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TEXT = 1 << 16 };

void fc_series_array_free(fc_series_array *a) {
  for (int64_t i = 0; a->text && i < a->rows; i++) free(a->text[i]);
  free(a->text);
  free(a->x);
}

fc_status fc_series_array_numbers(hid_t file, const char *path, fc_series_array *a) {
  int       rank;
  int64_t   dim[FC_H5_RANK];
  hid_t     set;
  double    fill = NAN;
  fc_status s    = FC_OK;

  FC_TRY(fc_h5_numbers(file, path, a->name, &set, &rank, dim));
  const int64_t n = a->rows * (a->width ? a->width : 1);
  a->x            = malloc((size_t)(n + 1) * sizeof *a->x);
  if (!a->x)
    s = fc_fail(FC_E_SYSTEM, "%s: not enough memory for '%s'", path, a->name);
  else if (n && H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, a->x) < 0)
    s = fc_h5_unreadable(set, path, a->name);
  else if (fc_h5_real(set, "_FillValue", &fill))
    for (int64_t i = 0; i < n; i++)
      if (a->x[i] == fill) a->x[i] = NAN;
  fc_h5_close(set);
  return s;
}

/* variable-length texts, which HDF5 allocates, are copied */
static bool read_variable(hid_t set, hid_t type, fc_series_array *a) {
  char **found = calloc((size_t)a->rows + 1, sizeof *found);
  hid_t  space = H5Dget_space(set);
  bool   ok    = found && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, found) >= 0;

  for (int64_t i = 0; ok && i < a->rows; i++) ok = (a->text[i] = strdup(found[i] ? found[i] : "")) != NULL;
  if (found) H5Dvlen_reclaim(type, space, H5P_DEFAULT, found);
  fc_h5_close(space);
  free(found);
  return ok;
}

static bool read_fixed(hid_t set, hid_t type, fc_series_array *a) {
  const size_t size = H5Tget_size(type);
  char        *all  = size < MOST_TEXT ? malloc((size_t)a->rows * size + 1) : NULL;
  bool         ok   = all && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, all) >= 0;

  for (int64_t i = 0; ok && i < a->rows; i++)
    ok = (a->text[i] = strndup(all + (size_t)i * size, size)) != NULL;
  free(all);
  return ok;
}

fc_status fc_series_array_texts(hid_t file, const char *path, fc_series_array *a) {
  const hid_t set  = H5Dopen2(file, a->name, H5P_DEFAULT);
  const hid_t type = set < 0 ? -1 : H5Dget_type(set);

  a->text       = calloc((size_t)a->rows + 1, sizeof *a->text);
  const bool ok = a->text && type >= 0 &&
                  (H5Tis_variable_str(type) > 0 ? read_variable(set, type, a) : read_fixed(set, type, a));
  fc_h5_close(type);
  const fc_status s = ok ? FC_OK : fc_h5_unreadable(set, path, a->name);
  fc_h5_close(set);
  return s;
}

/* "hours since 1900-01-01 00:00:00" */
static void read_unit(hid_t set, fc_series_array *a) {
  char    text[160];
  int64_t origin;

  if (!fc_h5_text(set, "units", text, sizeof text)) return;
  char        *since = strstr(text, " since ");
  fc_date_step step;
  if (!since || !fc_date_read(since + 7, FC_DATE_ISO, &origin)) return;
  *since = 0;
  if (!fc_date_step_read(text, &step) || step.months) return;
  a->unit   = (double)step.seconds;
  a->origin = (double)origin;
}

bool fc_series_array_shape(hid_t file, const char *name, fc_series_array *a, bool *texts) {
  hsize_t     dim[H5S_MAX_RANK] = {0};
  const hid_t set = H5Dopen2(file, name, H5P_DEFAULT), space = set < 0 ? -1 : H5Dget_space(set);
  const int   rank = space < 0 ? -1 : H5Sget_simple_extent_dims(space, dim, NULL);
  const hid_t type = set < 0 ? -1 : H5Dget_type(set);

  *a = (fc_series_array){.rows = (int64_t)dim[0], .width = rank == 2 ? (int64_t)dim[1] : 0};
  snprintf(a->name, sizeof a->name, "%s", name);
  *texts = type >= 0 && H5Tget_class(type) == H5T_STRING;
  if (set >= 0) read_unit(set, a);
  const bool numbers = type >= 0 && (H5Tget_class(type) == H5T_INTEGER || H5Tget_class(type) == H5T_FLOAT ||
                                     H5Tget_class(type) == H5T_ENUM);
  fc_h5_close(type);
  fc_h5_close(space);
  fc_h5_close(set);
  return strlen(name) < FC_NAME && (rank == 1 || (rank == 2 && !*texts)) && (*texts || numbers) &&
         a->rows > 0 && a->rows < (int64_t)1 << 31 && a->width <= FC_SERIES_COLUMNS;
}

bool fc_series_array_date(const fc_series_array *a, int64_t row, int64_t *t) {
  if (a->text) return fc_date_read(a->text[row], FC_DATE_ISO, t);
  const double x = a->x[row], size = fabs(x);
  const double v = a->unit > 0    ? x * a->unit + a->origin
                   : size >= 1e17 ? x / 1e9
                   : size >= 1e11 ? x / 1e3
                                  : x;
  if (!(fabs(v) < 1e12)) return false;
  *t = llround(v);
  return fabs(v - (double)*t) < 1e-3;
}
