/* io/cloud_writer.c - data sets that grow by one sample at a time: PATH.tmp until all is there. */
#include "io/cloud_writer.h"
#include "io/file.h"
#include "io/hdf5_put.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  CHUNK = 1 << 13 /* numbers */,
  SETS  = FC_FIELD_CHANNELS + FC_CLOUD_PARAMS + 2 * FC_CLOUD_FUNCTIONS + 5
};

typedef struct { /* one growing data set */
  hid_t   id;
  int     n; /* numbers per row; 0: rows are numbers */
  hid_t   memory;
  int64_t rows;
} grow;

struct fc_cloud_writer {
  char                *path, *tmp;
  const fc_cloud_spec *spec;
  hid_t                file;
  int                  error; /* the first of the disk, an errno */
  int                  n;
  grow                 set[SETS]; /* in the order of build */
};

/* ---- the specification ---- */

static fc_status good_name(const char *what, const char *name) {
  FC_REQUIRE(name && name[0] && strlen(name) < FC_NAME && !strchr(name, '/') && strcmp(name, "."), FC_E_USAGE,
             "the %s '%s' cannot be a name in a file: 1 to %d characters, no '/'", what,
             name ? name : "(none)", FC_NAME - 1);
  return FC_OK;
}

static fc_status check(const fc_cloud_spec *s) {
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
  return FC_OK;
}

/* ---- data sets ---- */

static hid_t real_memory(void) { return sizeof(fc_real) == 8 ? H5T_NATIVE_DOUBLE : H5T_NATIVE_FLOAT; }
static hid_t real_disk(void) { return sizeof(fc_real) == 8 ? H5T_IEEE_F64LE : H5T_IEEE_F32LE; }

static grow *add_set(fc_cloud_writer *w, const char *name, int n, hid_t disk, hid_t memory) {
  const hsize_t dim[2] = {0, (hsize_t)n}, most[2] = {H5S_UNLIMITED, (hsize_t)n};
  const int     rank     = n ? 2 : 1;
  const hsize_t chunk[2] = {(hsize_t)fc_max64(1, CHUNK / (n ? n : 1)), (hsize_t)n};
  const hid_t   space = H5Screate_simple(rank, dim, most), p = H5Pcreate(H5P_DATASET_CREATE),
              links = H5Pcreate(H5P_LINK_CREATE);

  H5Pset_create_intermediate_group(links, 1);
  H5Pset_chunk(p, rank, chunk);
  if (w->spec->compress) {
    H5Pset_shuffle(p);
    H5Pset_deflate(p, 1);
  }
  grow *g = &w->set[w->n++];
  *g      = (grow){H5Dcreate2(w->file, name, disk, space, links, p, H5P_DEFAULT), n, memory, 0};
  fc_h5_close(links);
  fc_h5_close(p);
  fc_h5_close(space);
  return g;
}

static grow *add_reals(fc_cloud_writer *w, const char *name, int n) {
  return add_set(w, name, n, real_disk(), real_memory());
}

static bool append(grow *g, int64_t rows, const void *x) {
  const hsize_t dim[2] = {(hsize_t)(g->rows + rows), (hsize_t)g->n}, start[2] = {(hsize_t)g->rows, 0},
                count[2] = {(hsize_t)rows, (hsize_t)g->n};

  if (rows == 0) return true;
  if (H5Dset_extent(g->id, dim) < 0) return false;
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
  const grow *g = add_reals(w, path, width(f->n));
  return g->id >= 0 && fc_h5_put_text(g->id, "units", fc_h5_unit(f->unit)) &&
         fc_h5_put_text(g->id, "role", f->role == FC_ROLE_INPUT ? "input" : "target") &&
         fc_h5_put_flags(g->id, "time_varying", 0, &varying) &&
         (!f->component || fc_h5_put_texts(g->id, "components", f->n, f->component));
}

static bool add_param(fc_cloud_writer *w, int i) {
  char path[FC_NAME + 16];

  snprintf(path, sizeof path, "parameters/%s", w->spec->param[i].name);
  const grow *g = add_reals(w, path, 0);
  return g->id >= 0 && fc_h5_put_text(g->id, "units", fc_h5_unit(w->spec->param[i].unit));
}

static grow *add_offsets(fc_cloud_writer *w, const char *name) {
  const int64_t first = 0;
  grow         *g     = add_set(w, name, 0, H5T_STD_I64LE, H5T_NATIVE_INT64);

  if (g->id >= 0) append(g, 1, &first);
  return g;
}

static bool add_function(fc_cloud_writer *w, const fc_out_function *f) {
  char path[FC_NAME + 32];

  snprintf(path, sizeof path, "functions/%s/values", f->name);
  const grow *g  = add_reals(w, path, width(f->n));
  bool        ok = g->id >= 0 && fc_h5_put_int(g->id, "space", f->space) &&
            (!f->column || fc_h5_put_texts(g->id, "columns", f->n, f->column)) &&
            (!f->unit || fc_h5_put_texts(g->id, "units", f->n, f->unit));
  snprintf(path, sizeof path, "functions/%s/offsets", f->name);
  return add_offsets(w, path)->id >= 0 && ok;
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
  const grow *g = add_set(w, "points/coordinates", w->spec->space, real_disk(), real_memory());
  return g->id >= 0 && fc_h5_put_text(g->id, "units", fc_h5_unit(w->spec->space_unit)) &&
         fc_h5_put_texts(g->id, "axes", w->spec->space, names) && add_offsets(w, "points/offsets")->id >= 0;
}

static bool times(fc_cloud_writer *w) {
  if (!w->spec->n_steps) return true;
  grow *g = add_set(w, "time", 0, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE);
  return g->id >= 0 && fc_h5_put_text(g->id, "units", fc_h5_unit(w->spec->time_unit)) &&
         append(g, w->spec->n_steps, w->spec->time);
}

/* the order is that of fc_cloud_write */
static bool build(fc_cloud_writer *w) {
  const fc_cloud_spec *s  = w->spec;
  bool                 ok = root(w) && points(w);

  for (int i = 0; ok && i < s->n_fields; i++) ok = add_field(w, &s->field[i]);
  for (int i = 0; ok && i < s->n_params; i++) ok = add_param(w, i);
  if (ok && s->mask) ok = add_reals(w, "mask", width(s->mask))->id >= 0;
  for (int i = 0; ok && i < s->n_functions; i++) ok = add_function(w, &s->function[i]);
  if (ok && s->corners)
    ok = add_set(w, "cells/corners", s->corners, H5T_STD_I32LE, H5T_NATIVE_INT64)->id >= 0 &&
         add_offsets(w, "cells/offsets")->id >= 0;
  return ok && lists(w) && times(w);
}

/* ---- life ---- */

static fc_status refused(const fc_cloud_writer *w) {
  return fc_fail(FC_E_SYSTEM, "%s: cannot write: %s", w->tmp, w->error ? strerror(w->error) : "HDF5 refused");
}

static bool close_file(fc_cloud_writer *w) {
  bool ok = true;

  for (int i = 0; i < w->n; i++)
    if (w->set[i].id >= 0) ok &= H5Dclose(w->set[i].id) >= 0;
  w->n = 0;
  if (w->file >= 0) ok &= H5Fclose(w->file) >= 0;
  w->file = -1;
  return ok && !w->error;
}

static void release(fc_cloud_writer *w) {
  free(w->path);
  free(w->tmp);
  free(w);
}

fc_status fc_cloud_writer_create(const char *path, const fc_cloud_spec *spec, fc_cloud_writer **out) {
  *out = NULL;
  FC_TRY(check(spec));
  FC_TRY(fc_file_check_target(path));
  fc_cloud_writer *w = calloc(1, sizeof *w);
  FC_REQUIRE(w, FC_E_SYSTEM, "%s: not enough memory", path);
  w->spec = spec;
  w->file = -1;
  w->path = strdup(path);
  w->tmp  = malloc(strlen(path) + 5);
  if (!w->path || !w->tmp) {
    release(w);
    return fc_fail(FC_E_SYSTEM, "%s: not enough memory", path);
  }
  strcat(strcpy(w->tmp, path), ".tmp");
  const fc_h5_quiet q = fc_h5_hush();
  w->file             = fc_h5_create(w->tmp, &w->error);
  const fc_status s   = w->file >= 0 && build(w) && !w->error ? FC_OK : refused(w);
  fc_h5_unhush(q);
  if (s == FC_OK)
    *out = w;
  else
    fc_cloud_writer_abandon(w);
  return s;
}

/* the rows so far, after a sample's own */
static bool append_offset(grow *rows, grow *offsets) { return append(offsets, 1, &rows->rows); }

static bool write_all(fc_cloud_writer *w, const fc_cloud_sample *x) {
  const fc_cloud_spec *s  = w->spec;
  grow                *g  = w->set;
  bool                 ok = append(g, x->points, x->x) && append_offset(g, g + 1);

  g += 2;
  for (int i = 0; ok && i < s->n_fields; i++, g++)
    ok = append(g, x->points * (s->field[i].varying ? s->n_steps : 1), x->field[i]);
  for (int i = 0; ok && i < s->n_params; i++, g++) ok = append(g, 1, x->params + i);
  if (ok && s->mask) ok = append(g++, x->points, x->mask);
  for (int i = 0; ok && i < s->n_functions; i++, g += 2)
    ok = append(g, x->rows[i], x->function[i]) && append_offset(g, g + 1);
  if (ok && s->corners) ok = append(g, x->cells, x->cell) && append_offset(g, g + 1);
  return ok;
}

fc_status fc_cloud_write(fc_cloud_writer *w, const fc_cloud_sample *x) {
  FC_REQUIRE(x->points >= 1, FC_E_USAGE, "%s: a sample without points cannot be written", w->path);
  const fc_h5_quiet q  = fc_h5_hush();
  const bool        ok = write_all(w, x) && !w->error;
  fc_h5_unhush(q);
  return ok ? FC_OK : refused(w);
}

fc_status fc_cloud_writer_finish(fc_cloud_writer *w) {
  const fc_h5_quiet q   = fc_h5_hush();
  const bool        any = w->set[0].rows > 0;
  fc_status         s   = close_file(w) ? FC_OK : refused(w);

  fc_h5_unhush(q);
  if (s == FC_OK && !any) s = fc_fail(FC_E_USAGE, "%s: there are no samples to write", w->path);
  if (s == FC_OK)
    s = fc_file_replace(w->tmp, w->path);
  else
    unlink(w->tmp);
  release(w);
  return s;
}

void fc_cloud_writer_abandon(fc_cloud_writer *w) {
  if (!w) return;
  const fc_h5_quiet q = fc_h5_hush();
  close_file(w);
  fc_h5_unhush(q);
  unlink(w->tmp);
  release(w);
}
