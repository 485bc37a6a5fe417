/* io/store.c - a store under construction is PATH.tmp, which HDF5 writes through our own driver
   (io/hdf5_disk.c): HDF5 1.10 crashes when it cannot write while closing a file (full disk). */
#include "hpc/watch.h"
#include "io/file.h"
#include "io/hdf5_util.h"
#include "io/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- HDF5 prints its own errors; while a store is open it is quiet, then as it was ---- */

static int         quiet;
static H5E_auto2_t printer;
static void       *printer_data;

static void silence(void) {
  if (quiet++) return;
  H5Eget_auto2(H5E_DEFAULT, &printer, &printer_data);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static void unsilence(void) {
  if (--quiet == 0) H5Eset_auto2(H5E_DEFAULT, printer, printer_data);
}

/* ---- life ---- */

static char *temporary(const char *path) {
  char *tmp = malloc(strlen(path) + 5);

  return tmp ? strcat(strcpy(tmp, path), ".tmp") : NULL;
}

static void release(fc_store *s) {
  free(s->path);
  free(s->tmp);
  free(s);
}

fc_status fc_store_new(const char *path, bool writing, fc_store **out) {
  fc_store *s = calloc(1, sizeof *s);

  *out = NULL;
  FC_REQUIRE(s, FC_E_SYSTEM, "%s: no memory", path);
  s->path = strdup(path);
  s->tmp  = writing ? temporary(path) : NULL;
  s->file = -1;
  if (!s->path || (writing && !s->tmp)) {
    release(s);
    return fc_fail(FC_E_SYSTEM, "%s: no memory", path);
  }
  silence();
  *out = s;
  return FC_OK;
}

static void close_store(fc_store *s) {
  if (s->file >= 0) H5Fclose(s->file);
  s->file = -1;
}

void fc_store_abandon(fc_store *s) {
  if (!s) return;
  close_store(s);
  if (s->tmp) unlink(s->tmp);
  if (s->tmp) fc_watch_litter(s->tmp, false);
  unsilence();
  release(s);
}

/* ---- writing ---- */

static fc_status put_attribute(hid_t file, const char *name, hid_t type, const void *value) {
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t a     = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  const bool  ok    = a >= 0 && H5Awrite(a, type, value) >= 0;

  if (a >= 0) H5Aclose(a);
  H5Sclose(space);
  FC_REQUIRE(ok, FC_E_SYSTEM, "cannot make the attribute %s; no memory?", name);
  return FC_OK;
}

/* UTF-8 of fixed length, with its final zero */
static hid_t text_type(size_t bytes) {
  const hid_t type = H5Tcopy(H5T_C_S1);

  H5Tset_size(type, bytes);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

static fc_status not_written(const char *path, int why) {
  return fc_fail(FC_E_SYSTEM, "%s: writing failed: %s; the file is as it was before", path,
                 why ? strerror(why) : "the disk may be full");
}

static fc_status create(fc_store *s) {
  const int version = FC_STORE_VERSION;

  FC_TRY(fc_file_check_target(s->path));
  s->file = fc_h5_create(s->tmp, &s->error);
  FC_REQUIRE(s->file >= 0, FC_E_SYSTEM, "%s: cannot write here: %s", s->tmp,
             s->error ? strerror(s->error) : "no memory");
  fc_watch_litter(s->tmp, true);
  const hid_t type = text_type(sizeof FC_VERSION);
  fc_status   st   = put_attribute(s->file, "fieldcast_store", H5T_NATIVE_INT, &version);
  if (st == FC_OK) st = put_attribute(s->file, "fieldcast_version", type, FC_VERSION);
  if (st == FC_OK) st = put_attribute(s->file, "fieldcast_sum", H5T_NATIVE_INT, &version);
  H5Tclose(type);
  return st;
}

fc_status fc_store_create(const char *path, fc_store **out) {
  FC_TRY(fc_store_new(path, true, out));
  const fc_status st = create(*out);
  if (st == FC_OK) return FC_OK;
  fc_store_abandon(*out);
  *out = NULL;
  return st;
}

/* In one piece, at an address that is known at once, and nobody writes a fill value first. Times of day would
   make other bytes of the same numbers. */
static hid_t properties(void) {
  const hid_t p = H5Pcreate(H5P_DATASET_CREATE);

  H5Pset_obj_track_times(p, false);
  H5Pset_layout(p, H5D_CONTIGUOUS);
  H5Pset_alloc_time(p, H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(p, H5D_FILL_TIME_NEVER);
  return p;
}

static int64_t numbers(int ndim, const int64_t *dim) {
  int64_t n = 1;

  for (int i = 0; i < ndim; i++) n *= dim[i];
  return n;
}

/* groups named before '/' are made as needed; negative: refused */
static hid_t new_set(fc_store *s, const char *name, int ndim, const int64_t *dim, hid_t type) {
  hsize_t size[FC_STORE_DIMS];

  FC_ASSERT(s->tmp && s->file >= 0 && ndim <= FC_STORE_DIMS, "fc_store_put: %s cannot be stored here", name);
  for (int i = 0; i < ndim; i++) size[i] = (hsize_t)dim[i];
  const hid_t links = H5Pcreate(H5P_LINK_CREATE), p = properties();
  const hid_t space = ndim ? H5Screate_simple(ndim, size, NULL) : H5Screate(H5S_SCALAR);
  H5Pset_create_intermediate_group(links, 1);
  const hid_t set = H5Dcreate2(s->file, name, type, space, links, p, H5P_DEFAULT);
  H5Sclose(space);
  H5Pclose(p);
  H5Pclose(links);
  return set;
}

/* of what the disk refuses HDF5 does not hear; seal tells */
static fc_status stored(fc_store *s, const char *name, hid_t set, bool ok) {
  if (set >= 0) H5Dclose(set);
  s->failed |= !ok;
  FC_REQUIRE(ok, FC_E_SYSTEM, "%s: cannot store '%s': no memory, or the name is taken", s->path, name);
  return FC_OK;
}

static fc_status put(fc_store *s, const char *name, int ndim, const int64_t *dim, hid_t file_type, hid_t type,
                     const void *x) {
  const hid_t d     = new_set(s, name, ndim, dim, file_type);
  const bool  empty = numbers(ndim, dim) == 0;

  return stored(s, name, d, d >= 0 && (empty || H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0));
}

fc_status fc_store_reserve_reals(fc_store *s, const char *name, int ndim, const int64_t *dim, int64_t *at) {
  const hid_t   d     = new_set(s, name, ndim, dim, FC_STORE_REAL);
  const bool    empty = numbers(ndim, dim) == 0;
  const haddr_t place = d >= 0 && !empty ? H5Dget_offset(d) : 0;

  *at = (int64_t)place;
  return stored(s, name, d, d >= 0 && place != HADDR_UNDEF);
}

fc_status fc_store_put_reals(fc_store *s, const char *name, int ndim, const int64_t *dim, const fc_real *x) {
  return put(s, name, ndim, dim, FC_STORE_REAL, FC_STORE_NATIVE, x);
}

fc_status fc_store_put_doubles(fc_store *s, const char *name, int64_t n, const double *x) {
  return put(s, name, 1, &n, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, x);
}

fc_status fc_store_put_ints(fc_store *s, const char *name, int64_t n, const int64_t *x) {
  return put(s, name, 1, &n, H5T_STD_I64LE, H5T_NATIVE_INT64, x);
}

fc_status fc_store_put_text(fc_store *s, const char *name, const char *text) {
  const hid_t     type = text_type(strlen(text) + 1);
  const fc_status r    = put(s, name, 0, NULL, type, type, text);

  H5Tclose(type);
  return r;
}

/* ---- making it the file ---- */

fc_status fc_store_seal(fc_store *s) {
  close_store(s);
  FC_REQUIRE(!s->failed, FC_E_SYSTEM, "%s: not written, because a part could not be stored", s->path);
  return s->error ? not_written(s->path, s->error) : FC_OK;
}

/* Each rank syncs what it has written: another node's kernel does not know of it. */
fc_status fc_store_fill(const char *path, int n, const fc_store_piece *piece) {
  char *tmp = temporary(path);
  int   fd = tmp ? open(tmp, O_WRONLY | O_CLOEXEC) : -1, why = fd < 0 ? tmp ? errno : ENOMEM : 0;

  if (fd >= 0) fc_watch_litter(tmp, true);
  for (int i = 0; i < n && !why; i++)
    why = fc_file_put(fd, piece[i].x, piece[i].n * (int64_t)sizeof(fc_real), piece[i].at);
  if (fd >= 0 && fsync(fd) && !why && errno != EINVAL && errno != ENOTSUP && errno != EROFS) why = errno;
  if (fd >= 0 && close(fd) && !why) why = errno;
  if (fd >= 0) fc_watch_litter(tmp, false);
  free(tmp);
  return why ? not_written(path, why) : FC_OK;
}

static fc_status finish(fc_store *s) {
  FC_TRY(fc_store_seal(s));
  const int why = fc_store_put_sum(s->tmp);
  return why ? not_written(s->path, why) : fc_file_replace(s->tmp, s->path);
}

fc_status fc_store_commit(fc_store *s) {
  FC_ASSERT(s->tmp, "fc_store_commit: %s is open for reading", s->path);
  const fc_status r = finish(s);

  fc_store_abandon(s); /* PATH.tmp is gone by now, whatever became of it */
  return r;
}
