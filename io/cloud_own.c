/* io/cloud_own.c - our own layout of points (docs/formats.md): the rows of all samples follow each other, and
   offsets say where each sample begins. */
#include "io/cloud_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool fc_cloud_is_own(hid_t file) { return H5Aexists(file, "fieldcast_points") > 0; }

typedef struct {
  hid_t          file;
  fc_cloud_map  *m;
  fc_cloud_part *p;
} work;

/* where the samples begin: offsets[n + 1] from 0 on, not falling */
static fc_status read_offsets(const work *w, const char *name, int rows, int64_t *total) {
  const int64_t n = w->p->n;
  double       *x = malloc((size_t)(n + 1) * sizeof *x);
  fc_status     s = x ? FC_OK : fc_fail(FC_E_SYSTEM, "%s: not enough memory", w->p->path);

  if (s == FC_OK) s = fc_h5_row(w->file, w->p->path, name, 0, 0, n + 1, x);
  for (int64_t i = 0; s == FC_OK && i <= n; i++) {
    if (!(x[i] >= (i ? x[i - 1] : 0)) || (i == 0 && x[i] != 0) || x[i] > 1e15)
      s = fc_fail(FC_E_INPUT, "%s: '%s' must begin with 0 and never fall; entry %lld is %g", w->p->path, name,
                  (long long)i, x[i]);
    else
      w->p->at[rows][i] = (int64_t)x[i];
  }
  free(x);
  *total = s == FC_OK ? w->p->at[rows][n] : 0;
  return s;
}

static fc_status length_of(const work *w, const char *name, int64_t *n) {
  hid_t   set;
  int     rank;
  int64_t dim[FC_H5_RANK];

  *n = 0;
  FC_TRY(fc_h5_numbers(w->file, w->p->path, name, &set, &rank, dim));
  fc_h5_close(set);
  FC_REQUIRE(rank >= 1, FC_E_INPUT, "%s: '%s' is one number, where a list is expected", w->p->path, name);
  *n = dim[0];
  return FC_OK;
}

/* an array whose first axis has so many rows; letter says what they are. The unit is read if asked for. */
static fc_status add(work *w, const char *name, char letter, int rows, int64_t n, char *unit, int *out) {
  hid_t           set;
  int             rank;
  fc_cloud_array *a;

  FC_TRY(fc_cloud_add_array(w->m, w->p->path, name, rows, out));
  a = &w->m->array[*out];
  FC_TRY(fc_h5_numbers(w->file, w->p->path, name, &set, &rank, a->dim));
  if (unit) fc_h5_text(set, "units", unit, FC_NAME);
  fc_h5_close(set);
  FC_REQUIRE(rank == 1 || rank == 2, FC_E_INPUT, "%s: '%s' has %d axes; 1 or 2 are expected", w->p->path,
             name, rank);
  FC_REQUIRE(a->dim[0] == n, FC_E_INPUT, "%s: '%s' has %lld rows, the offsets say %lld; the file is damaged",
             w->p->path, name, (long long)a->dim[0], (long long)n);
  snprintf(a->axes, sizeof a->axes, "%c%s", letter, rank == 2 ? "c" : "");
  FC_REQUIRE(rank == 1 || (a->dim[1] >= 1 && a->dim[1] <= FC_FIELD_CHANNELS), FC_E_INPUT,
             "%s: '%s' has %lld components", w->p->path, name, (long long)a->dim[1]);
  a->n_comp = rank == 2 ? (int)a->dim[1] : 1;
  return FC_OK;
}

/* "1" is how files write that a number has no unit */
static const char *plain(const char *unit) { return strcmp(unit, "1") ? unit : ""; }

/* ---- parts of the layout ---- */

static fc_status points(work *w, int64_t *total) {
  char unit[FC_NAME] = "", names[3][FC_NAME];
  int  array;

  FC_TRY(read_offsets(w, "points/offsets", FC_ROWS_POINTS, total));
  FC_TRY(add(w, "points/coordinates", 'f', FC_ROWS_POINTS, *total, unit, &array));
  FC_TRY(fc_cloud_add_axes(w->m, w->p->path, array, "points/coordinates"));
  snprintf(w->m->info.space_unit, FC_NAME, "%s", plain(unit));
  const hid_t set = H5Dopen2(w->file, "points/coordinates", H5P_DEFAULT);
  if (fc_h5_texts(set, "axes", 3, names) == w->m->info.space)
    memcpy(w->m->info.axis, names, (size_t)w->m->info.space * sizeof names[0]);
  fc_h5_close(set);
  return FC_OK;
}

static fc_status times(work *w) {
  char    unit[FC_NAME] = "";
  int64_t n;

  if (fc_h5_what(w->file, "time") != FC_H5_DATASET) return FC_OK;
  FC_TRY(length_of(w, "time", &n));
  FC_TRY(add(w, "time", 't', FC_ROWS_ONE, n, unit, &w->m->times));
  snprintf(w->m->info.time_unit, FC_NAME, "%s", plain(unit));
  for (int64_t i = 0; i < w->p->n; i++) w->p->steps[i] = n;
  return FC_OK;
}

static void name_components(work *w, hid_t set, int first) {
  char      names[FC_FIELD_CHANNELS][FC_NAME];
  const int n = w->m->info.n_channels - first;

  if (n > 1 && fc_h5_texts(set, "components", FC_FIELD_CHANNELS, names) == n)
    for (int k = 0; k < n; k++) memcpy(w->m->info.channel[first + k].name, names[k], FC_NAME);
}

static fc_status field(work *w, const char *name, int64_t total) {
  char path[FC_ARRAY_PATH], unit[FC_NAME] = "", role[FC_NAME] = "";
  bool varying = false;
  int  array;

  snprintf(path, sizeof path, "fields/%.63s", name);
  FC_REQUIRE(fc_h5_what(w->file, path) == FC_H5_DATASET, FC_E_INPUT,
             "%s: the group 'fields' lists '%s', which is not there", w->p->path, name);
  const hid_t set = H5Dopen2(w->file, path, H5P_DEFAULT);
  fc_h5_flag(set, "time_varying", &varying);
  fc_h5_text(set, "role", role, sizeof role);
  const int64_t steps = varying ? w->p->steps[0] : 1;
  const int     first = w->m->info.n_channels;
  fc_status     s     = add(w, path, varying ? 'v' : 'f', FC_ROWS_POINTS, total * steps, unit, &array);
  if (s == FC_OK)
    s = fc_cloud_add_channels(w->m, w->p->path, array, name, plain(unit),
                              strcmp(role, "input") ? FC_ROLE_TARGET : FC_ROLE_INPUT);
  if (s == FC_OK) name_components(w, set, first);
  fc_h5_close(set);
  return s;
}

static int names_of(const work *w, const char *group, const char *attribute, int max, char (*out)[FC_NAME]) {
  if (fc_h5_what(w->file, group) != FC_H5_GROUP) return 0;
  const hid_t g = H5Gopen2(w->file, group, H5P_DEFAULT);
  const int   n = fc_h5_texts(g, attribute, max, out);
  fc_h5_close(g);
  return n;
}

static fc_status fields(work *w, int64_t total) {
  char      names[FC_FIELD_CHANNELS][FC_NAME];
  const int n = names_of(w, "fields", "field_names", FC_FIELD_CHANNELS, names);

  FC_REQUIRE(n >= 0, FC_E_INPUT, "%s: the group 'fields' has no readable attribute field_names", w->p->path);
  for (int i = 0; i < n; i++) FC_TRY(field(w, names[i], total));
  return FC_OK;
}

static fc_status parameters(work *w) {
  char      names[FC_CLOUD_PARAMS][FC_NAME], path[FC_ARRAY_PATH], unit[FC_NAME];
  const int n = names_of(w, "parameters", "parameter_names", FC_CLOUD_PARAMS, names);
  int       array;

  for (int i = 0; i < n; i++) {
    snprintf(path, sizeof path, "parameters/%.63s", names[i]);
    unit[0] = 0;
    FC_TRY(add(w, path, 'b', FC_ROWS_ONE, w->p->n, unit, &array));
    FC_TRY(fc_cloud_add_params(w->m, w->p->path, array, names[i], plain(unit)));
  }
  return FC_OK;
}

/* names and units of the columns, and how many of them are coordinates */
static void describe_columns(const work *w, const char *path, fc_cloud_function *f) {
  char        texts[FC_CLOUD_COLUMNS][FC_NAME];
  double      space;
  const hid_t set = H5Dopen2(w->file, path, H5P_DEFAULT);

  if (fc_h5_texts(set, "columns", FC_CLOUD_COLUMNS, texts) == f->n)
    for (int k = 0; k < f->n; k++) memcpy(f->column[k].name, texts[k], FC_NAME);
  if (fc_h5_texts(set, "units", FC_CLOUD_COLUMNS, texts) == f->n)
    for (int k = 0; k < f->n; k++) snprintf(f->column[k].unit, FC_NAME, "%.63s", plain(texts[k]));
  if (fc_h5_real(set, "space", &space) && space >= 0 && space <= f->n) f->space = (int)space;
  fc_h5_close(set);
}

static fc_status function(work *w, int i, const char *name) {
  fc_cloud_function *f = &w->m->info.function[i];
  char               path[FC_ARRAY_PATH];
  int64_t            total;
  int                array;

  snprintf(f->name, sizeof f->name, "%.63s", name);
  snprintf(path, sizeof path, "functions/%.63s/offsets", name);
  FC_TRY(read_offsets(w, path, FC_ROWS_FUNCTION + i, &total));
  snprintf(path, sizeof path, "functions/%.63s/values", name);
  FC_TRY(add(w, path, 'f', FC_ROWS_FUNCTION + i, total, NULL, &array));
  FC_TRY(fc_cloud_add_columns(w->m, w->p->path, i, array, name, ""));
  describe_columns(w, path, f);
  w->m->info.n_functions++;
  return FC_OK;
}

static fc_status cells(work *w) {
  int64_t total;

  if (fc_h5_what(w->file, "cells") != FC_H5_GROUP) return FC_OK;
  FC_TRY(read_offsets(w, "cells/offsets", FC_ROWS_CELLS, &total));
  FC_TRY(add(w, "cells/corners", 'f', FC_ROWS_CELLS, total, NULL, &w->m->cells));
  w->m->info.corners = w->m->array[w->m->cells].n_comp;
  FC_REQUIRE(w->m->info.corners >= 2 && w->m->info.corners <= FC_CLOUD_CORNERS, FC_E_INPUT,
             "%s: cells with %d corners; 2 to %d are possible", w->p->path, w->m->info.corners,
             FC_CLOUD_CORNERS);
  return FC_OK;
}

static fc_status mask(work *w, int64_t total) {
  if (fc_h5_what(w->file, "mask") != FC_H5_DATASET) return FC_OK;
  FC_TRY(add(w, "mask", 'f', FC_ROWS_POINTS, total, NULL, &w->m->mask));
  w->m->info.mask = w->m->array[w->m->mask].n_comp;
  return FC_OK;
}

/* what the mapping names for a role has that role, whatever the file says */
static fc_status roles(work *w, const char *key, const char *list, fc_cloud_role role) {
  fc_cloud_item item;
  bool          more = fc_cloud_told(list) && !fc_cloud_none(list);

  for (const char *at = list; more;) {
    FC_TRY(fc_cloud_next_item(key, &at, &item, &more));
    for (int k = 0; more && k < w->m->info.n_channels; k++) {
      const char *array = strrchr(w->m->array[w->m->channel[k].array].path, '/') + 1;
      if (!strcmp(w->m->info.channel[k].name, item.label) || !strcmp(array, item.label))
        w->m->info.role[k] = role;
    }
  }
  return FC_OK;
}

static fc_status rows_room(work *w, int rows, int64_t n) {
  w->p->at[rows] = calloc((size_t)n + 1, sizeof *w->p->at[rows]);
  FC_REQUIRE(w->p->at[rows], FC_E_SYSTEM, "%s: not enough memory for %lld samples", w->p->path, (long long)n);
  return FC_OK;
}

static fc_status functions(work *w) {
  char      names[FC_CLOUD_FUNCTIONS][FC_NAME];
  const int n = names_of(w, "functions", "function_names", FC_CLOUD_FUNCTIONS, names);

  for (int i = 0; i < n; i++) {
    FC_TRY(rows_room(w, FC_ROWS_FUNCTION + i, w->p->n));
    FC_TRY(function(w, i, names[i]));
  }
  return FC_OK;
}

fc_status fc_cloud_describe_own(hid_t file, const fc_cloud_mapping *mapping, fc_cloud_map *m,
                                fc_cloud_part *p) {
  work    w = {file, m, p};
  int64_t n, total;

  m->info.layout_name = "fieldcast points";
  fc_h5_text(file, "dataset_name", m->info.name, FC_NAME);
  FC_TRY(length_of(&w, "points/offsets", &n));
  FC_REQUIRE(n >= 2, FC_E_INPUT, "%s: 'points/offsets' has %lld entries: no samples", p->path, (long long)n);
  FC_TRY(rows_room(&w, FC_ROWS_POINTS, n - 1));
  FC_TRY(rows_room(&w, FC_ROWS_CELLS, n - 1));
  FC_TRY(fc_cloud_part_room(m, p, n - 1));
  FC_TRY(points(&w, &total));
  FC_TRY(times(&w));
  FC_TRY(fields(&w, total));
  FC_TRY(parameters(&w));
  FC_TRY(functions(&w));
  FC_TRY(cells(&w));
  if (!fc_cloud_none(mapping->mask)) FC_TRY(mask(&w, total));
  FC_TRY(roles(&w, "data.channels", mapping->channels, FC_ROLE_TARGET));
  return roles(&w, "data.inputs", mapping->inputs, FC_ROLE_INPUT);
}
