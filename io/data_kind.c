/* io/data_kind.c */
#include "io/data_kind.h"

#include "io/cloud_layout.h"
#include "io/field_layout.h"
#include "io/files.h"
#include "io/series.h"
#include "io/trial.h"

#include <sys/stat.h>

/* Bare data sets are a grid if their axes can be told, else points if there are coordinates of such. */
static fc_data_kind of_bare(const char *path) {
  fc_field *f;

  if (fc_field_open(path, &f) == FC_OK) {
    fc_field_close(f);
    return FC_DATA_GRID;
  }
  return fc_cloud_recognised(path) ? FC_DATA_POINTS : FC_DATA_GRID;
}

static fc_data_kind of_hdf5(hid_t file, const char *path) {
  if (fc_cloud_is_own(file)) return FC_DATA_POINTS;
  if (fc_series_recognised(path)) return FC_DATA_SERIES;
  if (H5Aexists(file, "fieldcast_store") > 0) return FC_DATA_UNKNOWN;
  const fc_layout_def *layout = fc_layout_find(file);
  if (layout) return layout->layout == FC_LAYOUT_PLAIN ? of_bare(path) : FC_DATA_GRID;
  return fc_cloud_recognised(path) ? FC_DATA_POINTS : FC_DATA_UNKNOWN;
}

/* a table with dates is a series whatever else it holds */
static fc_data_kind of_table(const char *path) {
  if (fc_series_recognised(path)) return FC_DATA_SERIES;
  return fc_cloud_recognised(path) ? FC_DATA_POINTS : FC_DATA_UNKNOWN;
}

static fc_status look(void *path, int *kind) {
  hid_t file;

  FC_TRY(fc_h5_open(path, &file));
  *kind = (int)of_hdf5(file, path);
  fc_h5_close(file);
  return FC_OK;
}

/* A file that crashes HDF5 may be anything: opened as a series it is refused with the reason. */
static fc_data_kind of_file(const char *path) {
  struct stat st;
  int         kind = FC_DATA_SERIES;

  if (stat(path, &st) || !S_ISREG(st.st_mode)) return FC_DATA_UNKNOWN;
  if (H5Fis_hdf5(path) <= 0) return of_table(path);
  fc_trial(path, fc_trial_seconds(path), look, (void *)path, &kind);
  return (fc_data_kind)kind;
}

fc_data_kind fc_data_kind_of(const char *path) {
  const fc_h5_quiet q    = fc_h5_hush();
  fc_data_kind      kind = FC_DATA_UNKNOWN;
  glob_t            g;

  if (fc_files_list(path, "*.hdf5 *.h5 *.nc *.nc4 *.csv", &g) == FC_OK)
    kind = of_file(g.gl_pathc ? g.gl_pathv[0] : path);
  globfree(&g);
  fc_h5_unhush(q);
  return kind;
}
