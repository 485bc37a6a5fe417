/* io/store_read.c - opening a store and asking it. */
#include "io/store_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 16, NAME = 512 };

/* ---- opening ---- */

static fc_status check_version(const char *path, hid_t file) {
  int         version = 0;
  const hid_t a = H5Aexists(file, "fieldcast_store") > 0 ? H5Aopen(file, "fieldcast_store", H5P_DEFAULT) : -1;
  const hid_t type  = a >= 0 ? H5Aget_type(a) : -1;
  const hid_t space = a >= 0 ? H5Aget_space(a) : -1;
  const bool  ok    = type >= 0 && H5Tget_class(type) == H5T_INTEGER &&
                  H5Sget_simple_extent_npoints(space) == 1 && H5Aread(a, H5T_NATIVE_INT, &version) >= 0;

  if (type >= 0) H5Tclose(type);
  if (space >= 0) H5Sclose(space);
  if (a >= 0) H5Aclose(a);
  FC_REQUIRE(ok, FC_E_INPUT,
             "%s: an HDF5 file, but not a fieldcast checkpoint (no attribute fieldcast_store)", path);
  FC_REQUIRE(version == FC_STORE_VERSION, FC_E_INPUT,
             "%s: stored in format %d; this version of fieldcast reads format %d", path, version,
             FC_STORE_VERSION);
  return FC_OK;
}

static fc_status open_file(fc_store *s) {
  FILE *f = fopen(s->path, "rb"); /* for the system's own words when it cannot be read */
  bool  summed;

  FC_REQUIRE(f, FC_E_INPUT, "%s: cannot be opened: %s", s->path, strerror(errno));
  const fc_status whole = fc_store_check_sum(s->path, f, &summed);
  fclose(f);
  FC_TRY(whole);
  FC_REQUIRE(H5Fis_hdf5(s->path) > 0, FC_E_INPUT, "%s: not a fieldcast checkpoint: not an HDF5 file",
             s->path);
  s->file = H5Fopen(s->path, H5F_ACC_RDONLY, H5P_DEFAULT);
  FC_REQUIRE(s->file >= 0, FC_E_INPUT,
             "%s: truncated or damaged (or on a file system without locks: set HDF5_USE_FILE_LOCKING=FALSE)",
             s->path);
  FC_REQUIRE(summed || H5Aexists(s->file, "fieldcast_sum") <= 0, FC_E_INPUT,
             "%s: truncated or damaged: its sum is missing", s->path);
  return check_version(s->path, s->file);
}

fc_status fc_store_open(const char *path, fc_store **out) {
  FC_TRY(fc_store_new(path, false, out));
  const fc_status r = open_file(*out);
  if (r != FC_OK) {
    fc_store_abandon(*out);
    *out = NULL;
  }
  return r;
}

/* ---- reading ---- */

bool fc_store_has(const fc_store *s, const char *name) {
  char part[NAME];

  for (const char *p = strchr(name, '/'); p; p = strchr(p + 1, '/')) { /* every group on the way */
    if (snprintf(part, sizeof part, "%.*s", (int)(p - name), name) >= NAME) return false;
    if (*part && H5Lexists(s->file, part, H5P_DEFAULT) <= 0) return false;
  }
  return H5Lexists(s->file, name, H5P_DEFAULT) > 0;
}

static fc_status open_array(const fc_store *s, const char *name, hid_t *out) {
  *out = fc_store_has(s, name) ? H5Dopen2(s->file, name, H5P_DEFAULT) : -1;
  FC_REQUIRE(*out >= 0, FC_E_INPUT, "%s: has no array '%s'", s->path, name);
  return FC_OK;
}

static int extent(hid_t dataset, int64_t *dim) {
  hsize_t     size[H5S_MAX_RANK];
  const hid_t space = H5Dget_space(dataset);
  const int   ndim  = H5Sget_simple_extent_dims(space, size, NULL);

  for (int i = 0; i < ndim && i < FC_STORE_DIMS; i++) dim[i] = (int64_t)size[i];
  H5Sclose(space);
  return ndim;
}

static fc_status shape_of(const fc_store *s, hid_t dataset, const char *name, int *ndim, int64_t *dim) {
  *ndim = extent(dataset, dim);
  FC_REQUIRE(*ndim >= 0 && *ndim <= FC_STORE_DIMS, FC_E_INPUT, "%s: '%s' has more than %d axes", s->path,
             name, FC_STORE_DIMS);
  return FC_OK;
}

fc_status fc_store_shape(const fc_store *s, const char *name, int *ndim, int64_t *dim) {
  hid_t d;

  FC_TRY(open_array(s, name, &d));
  const fc_status r = shape_of(s, d, name, ndim, dim);
  H5Dclose(d);
  return r;
}

static fc_status check_array(const fc_store *s, hid_t d, const char *name, H5T_class_t class, int64_t n) {
  static const char *const kind[] = {"whole numbers", "numbers", "dates", "a text"};
  const hid_t              type = H5Dget_type(d), space = H5Dget_space(d);
  const H5T_class_t        is     = H5Tget_class(type);
  const int64_t            points = H5Sget_simple_extent_npoints(space);

  H5Tclose(type);
  H5Sclose(space);
  FC_REQUIRE(is == class, FC_E_INPUT, "%s: '%s' does not hold %s", s->path, name, kind[class]);
  FC_REQUIRE(points == n, FC_E_INPUT, "%s: '%s' holds %lld values, %lld are wanted", s->path, name,
             (long long)points, (long long)n);
  return FC_OK;
}

static fc_status get(const fc_store *s, const char *name, H5T_class_t class, hid_t type, int64_t n, void *x) {
  hid_t d;

  FC_TRY(open_array(s, name, &d));
  fc_status r = check_array(s, d, name, class, n);
  if (r == FC_OK && n && H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) < 0)
    r = fc_fail(FC_E_INPUT, "%s: '%s' cannot be read; the file is damaged", s->path, name);
  H5Dclose(d);
  return r;
}

fc_status fc_store_get_reals(const fc_store *s, const char *name, int64_t n, fc_real *x) {
  return get(s, name, H5T_FLOAT, FC_STORE_NATIVE, n, x);
}

fc_status fc_store_get_rows(const fc_store *s, const char *name, int64_t first, int64_t n, fc_real *x) {
  hsize_t start[FC_STORE_DIMS] = {0}, count[FC_STORE_DIMS], all = 1;
  int64_t dim[FC_STORE_DIMS];
  int     ndim;
  hid_t   d;

  FC_TRY(fc_store_shape(s, name, &ndim, dim));
  if (!ndim) return fc_store_get_reals(s, name, 1, x);
  FC_REQUIRE(first >= 0 && first + n <= dim[0], FC_E_INPUT, "%s: '%s' has %lld rows, %lld are wanted",
             s->path, name, (long long)dim[0], (long long)(first + n));
  dim[0]   = n;
  start[0] = (hsize_t)first;
  for (int i = 0; i < ndim; i++) all *= count[i] = (hsize_t)dim[i];
  FC_TRY(open_array(s, name, &d));
  const hid_t space = H5Dget_space(d), memory = H5Screate_simple(1, &all, NULL);
  const bool  ok = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                  H5Dread(d, FC_STORE_NATIVE, memory, space, H5P_DEFAULT, x) >= 0;
  H5Sclose(memory);
  H5Sclose(space);
  H5Dclose(d);
  FC_REQUIRE(ok, FC_E_INPUT, "%s: '%s' cannot be read; the file is damaged", s->path, name);
  return FC_OK;
}

fc_status fc_store_get_doubles(const fc_store *s, const char *name, int64_t n, double *x) {
  return get(s, name, H5T_FLOAT, H5T_NATIVE_DOUBLE, n, x);
}

fc_status fc_store_get_ints(const fc_store *s, const char *name, int64_t n, int64_t *x) {
  return get(s, name, H5T_INTEGER, H5T_NATIVE_INT64, n, x);
}

/* A text of fixed length whose bytes are in the file: a damaged length asks for no memory. */
static fc_status read_text(const fc_store *s, hid_t d, const char *name, char **out) {
  FC_TRY(check_array(s, d, name, H5T_STRING, 1));
  const hid_t  type  = H5Dget_type(d);
  const size_t bytes = H5Tis_variable_str(type) ? 0 : H5Tget_size(type);
  fc_status    r     = FC_OK;

  if (!bytes || bytes > H5Dget_storage_size(d))
    r = fc_fail(FC_E_INPUT, "%s: '%s' is not a text as fieldcast writes it", s->path, name);
  else if (!(*out = calloc(bytes + 1, 1)))
    r = fc_fail(FC_E_SYSTEM, "%s: no memory to read '%s'", s->path, name);
  else if (H5Dread(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *out) < 0)
    r = fc_fail(FC_E_INPUT, "%s: '%s' cannot be read; the file is damaged", s->path, name);
  H5Tclose(type);
  return r;
}

fc_status fc_store_get_text(const fc_store *s, const char *name, char **out) {
  hid_t d;

  *out = NULL;
  FC_TRY(open_array(s, name, &d));
  const fc_status r = read_text(s, d, name, out);
  H5Dclose(d);
  if (r == FC_OK) return r;
  free(*out);
  *out = NULL;
  return r;
}

/* ---- walking ---- */

typedef fc_status (*visit_fn)(void *user, const char *name, int ndim, const int64_t *dim);

static fc_status walk(const fc_store *s, const char *group, int depth, visit_fn visit, void *user);

static fc_status walk_entry(const fc_store *s, hid_t object, const char *name, int depth, visit_fn visit,
                            void *user) {
  int64_t dim[FC_STORE_DIMS];
  int     ndim;

  if (H5Iget_type(object) == H5I_GROUP) return walk(s, name, depth + 1, visit, user);
  if (H5Iget_type(object) != H5I_DATASET) return FC_OK;
  FC_TRY(shape_of(s, object, name, &ndim, dim));
  return visit(user, name, ndim, dim);
}

static fc_status walk_at(const fc_store *s, hid_t g, const char *group, hsize_t i, int depth, visit_fn visit,
                         void *user) {
  char          name[NAME];
  const int     n   = snprintf(name, sizeof name, "%s%s", group, *group ? "/" : "");
  const ssize_t len = H5Lget_name_by_idx(g, ".", H5_INDEX_NAME, H5_ITER_INC, i, name + n,
                                         sizeof name - (size_t)n, H5P_DEFAULT);

  FC_REQUIRE(len > 0 && n + len < NAME, FC_E_INPUT, "%s: damaged, or names too long, in group '%s'", s->path,
             group);
  const hid_t object = H5Oopen(s->file, name, H5P_DEFAULT);
  FC_REQUIRE(object >= 0, FC_E_INPUT, "%s: '%s' cannot be read; the file is damaged", s->path, name);
  const fc_status r = walk_entry(s, object, name, depth, visit, user);
  H5Oclose(object);
  return r;
}

static fc_status walk(const fc_store *s, const char *group, int depth, visit_fn visit, void *user) {
  H5G_info_t info;
  fc_status  r = FC_OK;

  FC_REQUIRE(depth < DEPTH, FC_E_INPUT, "%s: groups nest too deep at '%s'", s->path, group);
  const hid_t g = H5Gopen2(s->file, *group ? group : "/", H5P_DEFAULT);
  FC_REQUIRE(g >= 0 && H5Gget_info(g, &info) >= 0, FC_E_INPUT, "%s: '%s' is not a group", s->path, group);
  for (hsize_t i = 0; i < info.nlinks && r == FC_OK; i++) r = walk_at(s, g, group, i, depth, visit, user);
  H5Gclose(g);
  return r;
}

fc_status fc_store_each(const fc_store *s, const char *group, visit_fn visit, void *user) {
  if (*group && !fc_store_has(s, group)) return FC_OK;
  return walk(s, group, 0, visit, user);
}
