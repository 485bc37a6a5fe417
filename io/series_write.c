/* io/series_write.c - a series to HDF5 in our own layout (docs/formats.md). */
#include "io/file.h"
#include "io/hdf5_put.h"
#include "io/series.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

typedef struct {
  const fc_series_info *info;
  hid_t                 file;
} work;

/* rank 1 if width is 0 */
static hid_t put_set(hid_t file, const char *name, hid_t disk, hid_t memory, int64_t rows, int64_t width,
                     const void *x) {
  const hsize_t dim[2]   = {(hsize_t)rows, (hsize_t)width};
  const hsize_t chunk[2] = {(hsize_t)fc_max64(1, fc_min64(rows, CHUNK / (width ? width : 1))), dim[1]};
  const int     rank     = width ? 2 : 1;
  const hid_t   space = H5Screate_simple(rank, dim, NULL), p = H5Pcreate(H5P_DATASET_CREATE),
              links = H5Pcreate(H5P_LINK_CREATE);

  H5Pset_create_intermediate_group(links, 1);
  if (rows > 64 && H5Tget_class(disk) != H5T_STRING) {
    H5Pset_chunk(p, rank, chunk);
    H5Pset_shuffle(p);
    H5Pset_deflate(p, 1);
  }
  hid_t set = H5Dcreate2(file, name, disk, space, links, p, H5P_DEFAULT);
  if (set >= 0 && H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) < 0) {
    fc_h5_close(set);
    set = -1;
  }
  fc_h5_close(links);
  fc_h5_close(p);
  fc_h5_close(space);
  return set;
}

static bool put_texts(hid_t file, const char *name, int64_t n, char *const *texts) {
  const hid_t type = H5Tcopy(H5T_C_S1);

  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  const hid_t set = put_set(file, name, type, type, n, 0, texts);
  fc_h5_close(type);
  fc_h5_close(set);
  return set >= 0;
}

static bool put_values(const work *w, const double *x) {
  const int   n = w->info->n_columns;
  const char *names[FC_SERIES_COLUMNS], *units[FC_SERIES_COLUMNS];

  for (int c = 0; c < n; c++) {
    names[c] = w->info->column[c].name;
    units[c] = fc_h5_unit(w->info->column[c].unit);
  }
  const hid_t set = put_set(w->file, "values", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, w->info->rows, n, x);
  const bool  ok =
      set >= 0 && fc_h5_put_texts(set, "columns", n, names) && fc_h5_put_texts(set, "units", n, units);
  fc_h5_close(set);
  return ok;
}

static bool put_time(const work *w, const int64_t *time) {
  char step[48];

  if (!w->info->dated) return true;
  fc_date_step_text(w->info->step, step, sizeof step);
  const hid_t set = put_set(w->file, "time", H5T_STD_I64LE, H5T_NATIVE_INT64, w->info->rows, 0, time);
  const bool  ok  = set >= 0 && fc_h5_put_text(set, "units", "seconds since 1970-01-01 00:00:00") &&
                  fc_h5_put_text(set, "calendar", "proleptic_gregorian") && fc_h5_put_text(set, "step", step);
  fc_h5_close(set);
  return ok;
}

static bool put_series(const work *w) {
  const fc_series_info *i = w->info;

  if (i->n_series == 1 && !i->series[0][0]) return true;
  const hid_t set =
      put_set(w->file, "series/offsets", H5T_STD_I64LE, H5T_NATIVE_INT64, i->n_series + 1, 0, i->at);
  fc_h5_close(set);
  return set >= 0 && put_texts(w->file, "series/names", i->n_series, i->series);
}

static bool put_classes(const work *w) {
  bool ok = true;
  char path[32];

  for (int c = 0; ok && c < w->info->n_columns; c++) {
    if (!w->info->category[c].n) continue;
    snprintf(path, sizeof path, "classes/%d", c);
    ok = put_texts(w->file, path, w->info->category[c].n, w->info->category[c].name);
  }
  return ok;
}

static bool put_all(const work *w, const double *x, const int64_t *time, int n_texts,
                    const fc_series_text *text) {
  bool ok = fc_h5_put_int(w->file, "fieldcast_series", 1) &&
            fc_h5_put_text(w->file, "fieldcast_version", FC_VERSION) && put_values(w, x) &&
            put_time(w, time) && put_series(w) && put_classes(w);

  for (int k = 0; ok && k < n_texts; k++) ok = fc_h5_put_text(w->file, text[k].name, text[k].value);
  return ok;
}

fc_status fc_series_write(const char *path, const fc_series_info *info, const double *x, const int64_t *time,
                          int n_texts, const fc_series_text *text) {
  int   error = 0;
  char *tmp   = malloc(strlen(path) + 5);

  FC_ASSERT(info->rows > 0 && info->n_columns > 0, "a series of %lld rows", (long long)info->rows);
  FC_REQUIRE(tmp, FC_E_SYSTEM, "%s: not enough memory", path);
  strcat(strcpy(tmp, path), ".tmp");
  fc_status         s  = fc_file_check_target(path);
  const fc_h5_quiet q  = fc_h5_hush();
  work              w  = {info, s == FC_OK ? fc_h5_create(tmp, &error) : -1};
  bool              ok = w.file >= 0 && put_all(&w, x, time, n_texts, text);
  if (w.file >= 0) ok &= H5Fclose(w.file) >= 0;
  fc_h5_unhush(q);
  if (s == FC_OK && (!ok || error))
    s = fc_fail(FC_E_SYSTEM, "%s: cannot write: %s", tmp, error ? strerror(error) : "HDF5 refused");
  if (s == FC_OK)
    s = fc_file_replace(tmp, path);
  else if (w.file >= 0)
    unlink(tmp);
  free(tmp);
  return s;
}
