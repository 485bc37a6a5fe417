/* io/store.c - a store under construction is an HDF5 file in memory; commit writes it in one piece.
   HDF5 1.10 crashes when it cannot write while closing a file (full disk), so it never writes to disk itself.
 */
#include "io/store_file.h"

#include "io/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t grow = (size_t)1 << 20; /* bytes by which the file in memory grows */

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

fc_status fc_store_new(const char *path, bool writing, fc_store **out) {
  fc_store *s = calloc(1, sizeof *s);

  *out = NULL;
  if (s) s->path = strdup(path);
  if (!s || !s->path) {
    free(s);
    return fc_fail(FC_E_SYSTEM, "%s: no memory", path);
  }
  s->file    = -1;
  s->writing = writing;
  silence();
  *out = s;
  return FC_OK;
}

void fc_store_abandon(fc_store *s) {
  if (!s) return;
  if (s->file >= 0) H5Fclose(s->file);
  unsilence();
  free(s->path);
  free(s);
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

fc_status fc_store_create(const char *path, fc_store **out) {
  const int version = FC_STORE_VERSION;

  FC_TRY(fc_store_new(path, true, out));
  const hid_t fapl = H5Pcreate(H5P_FILE_ACCESS), type = text_type(sizeof FC_VERSION);
  H5Pset_fapl_core(fapl, grow, false);
  (*out)->file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, fapl);
  fc_status s  = FC_OK;
  if ((*out)->file < 0)
    s = fc_fail(FC_E_SYSTEM, "%s: no memory to build the file", path);
  else
    s = put_attribute((*out)->file, "fieldcast_store", H5T_NATIVE_INT, &version);
  if (s == FC_OK) s = put_attribute((*out)->file, "fieldcast_version", type, FC_VERSION);
  if (s == FC_OK) s = put_attribute((*out)->file, "fieldcast_sum", H5T_NATIVE_INT, &version);
  H5Tclose(type);
  H5Pclose(fapl);
  if (s != FC_OK) {
    fc_store_abandon(*out);
    *out = NULL;
  }
  return s;
}

/* a contiguous dataset; groups named before '/' are made as needed */
static fc_status put(fc_store *s, const char *name, int ndim, const int64_t *dim, hid_t file_type, hid_t type,
                     const void *x) {
  hsize_t size[FC_STORE_DIMS];
  int64_t n = 1;

  FC_ASSERT(s->writing && ndim <= FC_STORE_DIMS, "fc_store_put: %s cannot be stored here", name);
  for (int i = 0; i < ndim; i++) n *= dim[i], size[i] = (hsize_t)dim[i];
  const hid_t lcpl  = H5Pcreate(H5P_LINK_CREATE);
  const hid_t space = ndim ? H5Screate_simple(ndim, size, NULL) : H5Screate(H5S_SCALAR);
  H5Pset_create_intermediate_group(lcpl, 1);
  const hid_t d  = H5Dcreate2(s->file, name, file_type, space, lcpl, H5P_DEFAULT, H5P_DEFAULT);
  const bool  ok = d >= 0 && (n == 0 || H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0);
  if (d >= 0) H5Dclose(d);
  H5Sclose(space);
  H5Pclose(lcpl);
  s->failed |= !ok;
  FC_REQUIRE(ok, FC_E_SYSTEM, "%s: cannot store '%s': no memory, or the name is taken", s->path, name);
  return FC_OK;
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

/* The bytes of the file in memory, without a copy. */
static fc_status image(const fc_store *s, const void **bytes, size_t *n) {
  const hid_t   fapl    = H5Fget_access_plist(s->file);
  void        **handle  = NULL;
  const bool    flushed = H5Fflush(s->file, H5F_SCOPE_GLOBAL) >= 0;
  const ssize_t size    = flushed ? H5Fget_file_image(s->file, NULL, 0) : -1;
  const bool    ok = size > 0 && H5Fget_vfd_handle(s->file, fapl, (void **)&handle) >= 0 && handle && *handle;

  H5Pclose(fapl);
  FC_REQUIRE(ok, FC_E_SYSTEM, "%s: cannot build the file; no memory?", s->path);
  *bytes = *handle;
  *n     = (size_t)size;
  return FC_OK;
}

static fc_status write_out(const fc_store *s) {
  const void *bytes = NULL;
  size_t      n     = 0;
  FILE       *f;

  FC_REQUIRE(!s->failed, FC_E_SYSTEM, "%s: not written, because a part could not be stored", s->path);
  FC_TRY(image(s, &bytes, &n));
  FC_TRY(fc_file_begin(s->path, &f));
  fwrite(bytes, 1, n, f); /* commit sees whether it failed */
  fc_store_put_sum(bytes, n, f);
  return fc_file_commit(s->path, f);
}

fc_status fc_store_commit(fc_store *s) {
  FC_ASSERT(s->writing, "fc_store_commit: %s is open for reading", s->path);
  const fc_status r = write_out(s);

  fc_store_abandon(s);
  return r;
}
