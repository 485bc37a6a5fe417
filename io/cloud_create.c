/* io/cloud_create.c - the skeleton of a file in our own layout of points: groups, attributes, data sets. */
#include "io/cloud_create.h"
#include "io/hdf5_put.h"

#include <stdio.h>
#include <string.h>

enum { CHUNK = 1 << 13 /* numbers */ };

int64_t fc_cloud_rows_of(const fc_cloud_size *z, int rows) {
  return rows == FC_ROWS_POINTS  ? z->points
         : rows == FC_ROWS_CELLS ? z->cells
                                 : z->rows[rows - FC_ROWS_FUNCTION];
}

int64_t fc_cloud_total(const fc_cloud_spec *s, int rows) {
  int64_t n = 0;

  for (int64_t i = 0; s->shared && i < s->n_samples; i++) n += fc_cloud_rows_of(&s->size[i], rows);
  return n;
}

/* ---- the specification ---- */

static fc_status good_name(const char *what, const char *name) {
  FC_REQUIRE(name && name[0] && strlen(name) < FC_NAME && !strchr(name, '/') && strcmp(name, "."), FC_E_USAGE,
             "the %s '%s' cannot be a name in a file: 1 to %d characters, no '/'", what,
             name ? name : "(none)", FC_NAME - 1);
  return FC_OK;
}

fc_status fc_cloud_spec_check(const fc_cloud_spec *s) {
  FC_REQUIRE(s->name && s->name[0], FC_E_USAGE, "the data set to write has no name");
  FC_REQUIRE(s->space >= 1 && s->space <= 3, FC_E_USAGE, "%d coordinates; 1 to 3 can be written", s->space);
  FC_REQUIRE(s->n_fields >= 1 && s->n_fields <= FC_FIELD_CHANNELS && s->n_params <= FC_CLOUD_PARAMS &&
                 s->n_functions <= FC_CLOUD_FUNCTIONS && s->n_texts <= FC_COUNT(s->text),
             FC_E_USAGE, "%d fields, %d parameters, %d functions, %d texts cannot be written", s->n_fields,
             s->n_params, s->n_functions, s->n_texts);
  for (int i = 0; i < s->n_fields; i++) {
    FC_TRY(good_name("field", s->field[i].name));
    FC_REQUIRE(s->field[i].n >= 1, FC_E_USAGE, "field '%s' has no components", s->field[i].name);
    FC_REQUIRE(!s->field[i].varying || s->n_steps, FC_E_USAGE,
               "field '%s' varies in time, and there are no times", s->field[i].name);
    for (int j = 0; j < i; j++)
      FC_REQUIRE(strcmp(s->field[i].name, s->field[j].name), FC_E_USAGE, "two fields are called '%s'",
                 s->field[i].name);
  }
  for (int i = 0; i < s->n_params; i++) FC_TRY(good_name("parameter", s->param[i].name));
  for (int i = 0; i < s->n_functions; i++) FC_TRY(good_name("function", s->function[i].name));
  FC_REQUIRE(!s->shared || s->n_samples >= 1, FC_E_USAGE, "there are no samples to write");
  FC_REQUIRE(!s->shared || (!s->n_functions && !s->mask), FC_E_USAGE,
             "ranks that share a file of points cannot write functions or a mask");
  return FC_OK;
}

/* ---- data sets ---- */

static hid_t real_memory(void) { return sizeof(fc_real) == 8 ? H5T_NATIVE_DOUBLE : H5T_NATIVE_FLOAT; }
static hid_t real_disk(void) { return sizeof(fc_real) == 8 ? H5T_IEEE_F64LE : H5T_IEEE_F32LE; }

/* Data sets grow; those of a file that ranks share have all their rows, in one piece at an address that is
   known now, and nobody writes a fill value first. */
static hid_t properties(const fc_cloud_spec *s, int rank, int n) {
  const hsize_t chunk[2] = {(hsize_t)fc_max64(1, CHUNK / (n ? n : 1)), (hsize_t)n};
  const hid_t   p        = H5Pcreate(H5P_DATASET_CREATE);

  if (s->shared) {
    H5Pset_layout(p, H5D_CONTIGUOUS);
    H5Pset_alloc_time(p, H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(p, H5D_FILL_TIME_NEVER);
    return p;
  }
  H5Pset_chunk(p, rank, chunk);
  if (s->compress) {
    H5Pset_shuffle(p);
    H5Pset_deflate(p, 1);
  }
  return p;
}

static fc_cloud_set *add_set(fc_cloud_writer *w, const char *name, int n, hid_t disk, hid_t memory,
                             int64_t rows) {
  const bool    shared = w->spec->shared;
  const int     rank   = n ? 2 : 1;
  const hsize_t dim[2] = {(hsize_t)(shared ? rows : 0), (hsize_t)n}, most[2] = {H5S_UNLIMITED, (hsize_t)n};
  const hid_t   space = H5Screate_simple(rank, dim, shared ? NULL : most), p = properties(w->spec, rank, n),
              links = H5Pcreate(H5P_LINK_CREATE);

  H5Pset_create_intermediate_group(links, 1);
  fc_cloud_set *g = &w->set[w->n++];
  *g              = (fc_cloud_set){.id     = H5Dcreate2(w->file, name, disk, space, links, p, H5P_DEFAULT),
                                   .n      = n,
                                   .memory = memory,
                                   .total  = shared ? rows : 0,
                                   .whole  = shared};
  fc_h5_close(links);
  fc_h5_close(p);
  fc_h5_close(space);
  return g;
}

static fc_cloud_set *add_reals(fc_cloud_writer *w, const char *name, int n, int64_t rows) {
  return add_set(w, name, n, real_disk(), real_memory(), rows);
}

bool fc_cloud_append(fc_cloud_set *g, int64_t rows, const void *x) {
  const hsize_t dim[2] = {(hsize_t)(g->rows + rows), (hsize_t)g->n}, start[2] = {(hsize_t)g->rows, 0},
                count[2] = {(hsize_t)rows, (hsize_t)g->n};

  if (rows == 0) return true;
  if (!g->whole && H5Dset_extent(g->id, dim) < 0) return false;
  const hid_t space = H5Dget_space(g->id), memory = H5Screate_simple(g->n ? 2 : 1, count, NULL);
  H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
  const bool ok = H5Dwrite(g->id, g->memory, memory, space, H5P_DEFAULT, x) >= 0;
  fc_h5_close(memory);
  fc_h5_close(space);
  g->rows += rows;
  return ok;
}

/* one-component arrays have one axis */
static int width(int n) { return n > 1 ? n : 0; }

static bool add_field(fc_cloud_writer *w, const fc_out_points_field *f) {
  const signed char varying = f->varying;
  char              path[FC_NAME + 16];

  snprintf(path, sizeof path, "fields/%s", f->name);
  const fc_cloud_set *g = add_reals(w, path, width(f->n), w->points * (f->varying ? w->spec->n_steps : 1));
  return g->id >= 0 && fc_h5_put_text(g->id, "units", fc_h5_unit(f->unit)) &&
         fc_h5_put_text(g->id, "role", f->role == FC_ROLE_INPUT ? "input" : "target") &&
         fc_h5_put_flags(g->id, "time_varying", 0, &varying) &&
         (!f->component || fc_h5_put_texts(g->id, "components", f->n, f->component));
}

static bool add_param(fc_cloud_writer *w, int i) {
  char path[FC_NAME + 16];

  snprintf(path, sizeof path, "parameters/%s", w->spec->param[i].name);
  const fc_cloud_set *g = add_reals(w, path, 0, w->spec->n_samples);
  return g->id >= 0 && fc_h5_put_text(g->id, "units", fc_h5_unit(w->spec->param[i].unit));
}

/* rows: of a sample, by its size; of a shared file all are known */
static fc_cloud_set *add_offsets(fc_cloud_writer *w, const char *name, int rows) {
  const fc_cloud_spec *s  = w->spec;
  int64_t              at = 0;
  fc_cloud_set        *g  = add_set(w, name, 0, H5T_STD_I64LE, H5T_NATIVE_INT64, s->n_samples + 1);

  if (g->id >= 0) fc_cloud_append(g, 1, &at);
  for (int64_t i = 0; g->id >= 0 && s->shared && i < s->n_samples; i++) {
    at += fc_cloud_rows_of(&s->size[i], rows);
    fc_cloud_append(g, 1, &at);
  }
  return g;
}

static bool add_function(fc_cloud_writer *w, int i) {
  const fc_out_function *f = &w->spec->function[i];
  char                   path[FC_NAME + 32];

  snprintf(path, sizeof path, "functions/%s/values", f->name);
  const fc_cloud_set *g  = add_reals(w, path, width(f->n), fc_cloud_total(w->spec, FC_ROWS_FUNCTION + i));
  bool                ok = g->id >= 0 && fc_h5_put_int(g->id, "space", f->space) &&
            (!f->column || fc_h5_put_texts(g->id, "columns", f->n, f->column)) &&
            (!f->unit || fc_h5_put_texts(g->id, "units", f->n, f->unit));
  snprintf(path, sizeof path, "functions/%s/offsets", f->name);
  return add_offsets(w, path, FC_ROWS_FUNCTION + i)->id >= 0 && ok;
}

/* group "fields" lists its fields in order, HDF5 would sort them */
static bool put_list(fc_cloud_writer *w, const char *group, const char *attribute, int n, size_t step,
                     const char *const *first) {
  const char *names[FC_FIELD_CHANNELS];

  if (!n) return true;
  for (int i = 0; i < n; i++)
    names[i] = *(const char *const *)(const void *)((const char *)first + (size_t)i * step);
  const hid_t g  = H5Gopen2(w->file, group, H5P_DEFAULT);
  const bool  ok = g >= 0 && fc_h5_put_texts(g, attribute, n, names);
  fc_h5_close(g);
  return ok;
}

static bool lists(fc_cloud_writer *w) {
  const fc_cloud_spec *s = w->spec;

  return put_list(w, "fields", "field_names", s->n_fields, sizeof *s->field, &s->field->name) &&
         put_list(w, "parameters", "parameter_names", s->n_params, sizeof s->param[0], &s->param[0].name) &&
         (!s->n_functions || put_list(w, "functions", "function_names", s->n_functions, sizeof *s->function,
                                      &s->function->name));
}

static bool root(const fc_cloud_writer *w) {
  const fc_cloud_spec *s  = w->spec;
  bool                 ok = fc_h5_put_int(w->file, "fieldcast_points", 1) &&
            fc_h5_put_text(w->file, "fieldcast_version", FC_VERSION) &&
            fc_h5_put_text(w->file, "dataset_name", s->name);

  for (int i = 0; ok && i < s->n_texts; i++) ok = fc_h5_put_text(w->file, s->text[i].name, s->text[i].value);
  return ok;
}

static bool points(fc_cloud_writer *w) {
  static const char *const axes[3] = {"x", "y", "z"};
  const char              *names[3];

  for (int a = 0; a < w->spec->space; a++) names[a] = w->spec->axis[a] ? w->spec->axis[a] : axes[a];
  const fc_cloud_set *g =
      add_set(w, "points/coordinates", w->spec->space, real_disk(), real_memory(), w->points);
  return g->id >= 0 && fc_h5_put_text(g->id, "units", fc_h5_unit(w->spec->space_unit)) &&
         fc_h5_put_texts(g->id, "axes", w->spec->space, names) &&
         add_offsets(w, "points/offsets", FC_ROWS_POINTS)->id >= 0;
}

static bool times(fc_cloud_writer *w) {
  if (!w->spec->n_steps) return true;
  fc_cloud_set *g = add_set(w, "time", 0, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, w->spec->n_steps);
  return g->id >= 0 && fc_h5_put_text(g->id, "units", fc_h5_unit(w->spec->time_unit)) &&
         fc_cloud_append(g, w->spec->n_steps, w->spec->time);
}

/* the order is that of fc_cloud_write */
bool fc_cloud_build(fc_cloud_writer *w) {
  const fc_cloud_spec *s = w->spec;

  w->points = fc_cloud_total(s, FC_ROWS_POINTS);
  bool ok   = root(w) && points(w);

  for (int i = 0; ok && i < s->n_fields; i++) ok = add_field(w, &s->field[i]);
  for (int i = 0; ok && i < s->n_params; i++) ok = add_param(w, i);
  if (ok && s->mask) ok = add_reals(w, "mask", width(s->mask), w->points)->id >= 0;
  for (int i = 0; ok && i < s->n_functions; i++) ok = add_function(w, i);
  if (ok && s->corners)
    ok = add_set(w, "cells/corners", s->corners, H5T_STD_I32LE, H5T_NATIVE_INT64,
                 fc_cloud_total(s, FC_ROWS_CELLS))
                 ->id >= 0 &&
         add_offsets(w, "cells/offsets", FC_ROWS_CELLS)->id >= 0;
  return ok && lists(w) && times(w);
}
