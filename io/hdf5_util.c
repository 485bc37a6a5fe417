/* io/hdf5_util.c - opening, links and data sets. Attributes are in hdf5_attribute.c. */
#include "io/hdf5_util.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

fc_h5_quiet fc_h5_hush(void) {
  fc_h5_quiet q = {NULL, NULL};

  H5Eget_auto2(H5E_DEFAULT, &q.print, &q.data);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  fc_lzf_register();
  return q;
}

void fc_h5_unhush(fc_h5_quiet q) { H5Eset_auto2(H5E_DEFAULT, q.print, q.data); }

void fc_h5_close(hid_t id) {
  if (id < 0) return;
  switch (H5Iget_type(id)) {
  case H5I_FILE:
    H5Fclose(id);
    break;
  case H5I_GROUP:
    H5Gclose(id);
    break;
  case H5I_DATASET:
    H5Dclose(id);
    break;
  case H5I_DATASPACE:
    H5Sclose(id);
    break;
  case H5I_DATATYPE:
    H5Tclose(id);
    break;
  case H5I_ATTR:
    H5Aclose(id);
    break;
  case H5I_GENPROP_LST:
    H5Pclose(id);
    break;
  default:
    break;
  }
}

/* The first bytes say more than HDF5's "unable to open". */
static fc_status not_hdf5(const char *path) {
  unsigned char head[8] = {0};
  FILE         *f       = fopen(path, "rb");

  FC_REQUIRE(f, FC_E_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  const size_t n = fread(head, 1, sizeof head, f);
  fclose(f);
  FC_REQUIRE(n > 0, FC_E_INPUT, "%s: the file is empty", path);
  FC_REQUIRE(memcmp(head, "CDF", 3), FC_E_INPUT,
             "%s: a classic netCDF-3 file; convert it first: nccopy -k nc4 OLD.nc NEW.nc", path);
  FC_REQUIRE(n < 8 || memcmp(head, "\211HDF\r\n\032\n", 8), FC_E_INPUT,
             "%s: HDF5, but truncated or damaged: it cannot be opened; copy or make it again", path);
  return fc_fail(FC_E_INPUT, "%s: not an HDF5 file; 'fieldcast info' says what it is", path);
}

fc_status fc_h5_open(const char *path, hid_t *out) {
  struct stat st;

  *out = -1;
  FC_REQUIRE(!stat(path, &st), FC_E_INPUT, "%s: %s", path, strerror(errno));
  FC_REQUIRE(!S_ISDIR(st.st_mode), FC_E_INPUT, "%s: a folder, where a file is wanted", path);
  FC_REQUIRE(S_ISREG(st.st_mode), FC_E_INPUT, "%s: not a regular file", path);
  *out = fc_h5_open_checked(path);
  return *out >= 0 ? FC_OK : not_hdf5(path);
}

fc_h5_kind fc_h5_what(hid_t at, const char *name) {
  H5O_info_t info;

  if (H5Oget_info_by_name(at, name, &info, H5P_DEFAULT) < 0) return FC_H5_NOTHING;
  if (info.type == H5O_TYPE_GROUP) return FC_H5_GROUP;
  return info.type == H5O_TYPE_DATASET ? FC_H5_DATASET : FC_H5_NOTHING;
}

typedef struct visitor {
  bool (*visit)(void *, hid_t, const char *);
  void *user;
} visitor;

static herr_t visit_link(hid_t at, const char *name, const H5L_info_t *info, void *user) {
  const visitor *v = user;

  (void)info;
  return v->visit(v->user, at, name) ? 0 : 1;
}

void fc_h5_each(hid_t at, bool (*visit)(void *, hid_t, const char *), void *user) {
  visitor v = {visit, user};
  H5Literate(at, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_link, &v);
}

/* A damaged header may claim any size. Stored bytes are the truth: contiguous data must all be there, and
   no filter shrinks a million times. */
static fc_status plausible(hid_t data_set, const char *path, const char *name, int rank, const int64_t *dim) {
  const double  limit  = 1048576.0 * 4096;
  const hsize_t stored = H5Dget_storage_size(data_set);
  const hid_t   dcpl   = H5Dget_create_plist(data_set);
  const bool    whole  = H5Pget_layout(dcpl) == H5D_CONTIGUOUS && H5Pget_external_count(dcpl) <= 0;
  const hid_t   type   = H5Dget_type(data_set);
  double        bytes  = (double)H5Tget_size(type);

  fc_h5_close(type);
  fc_h5_close(dcpl);
  for (int i = 0; i < rank; i++) bytes *= (double)dim[i];
  FC_REQUIRE(bytes == 0 || stored > 0, FC_E_INPUT, "%s: data set '%s' was declared but never written", path,
             name);
  FC_REQUIRE(!whole || (double)stored >= bytes, FC_E_INPUT,
             "%s: data set '%s' claims %.3g bytes and has %.3g; the file is damaged", path, name, bytes,
             (double)stored);
  FC_REQUIRE(bytes < limit || bytes < 1e6 * (double)stored, FC_E_INPUT,
             "%s: data set '%s' claims %.3g bytes from %.3g stored; the file is damaged", path, name, bytes,
             (double)stored);
  return FC_OK;
}

static bool is_numeric(hid_t data_set) {
  const hid_t type        = H5Dget_type(data_set);
  const H5T_class_t class = H5Tget_class(type);

  fc_h5_close(type);
  return class == H5T_INTEGER || class == H5T_FLOAT || class == H5T_ENUM;
}

static fc_status shape(hid_t data_set, const char *path, const char *name, int *rank, int64_t *dim) {
  hsize_t     n[H5S_MAX_RANK] = {0};
  const hid_t space           = H5Dget_space(data_set);
  const bool  simple          = H5Sget_simple_extent_type(space) != H5S_NULL;

  *rank = space < 0 ? -1 : H5Sget_simple_extent_dims(space, n, NULL);
  fc_h5_close(space);
  FC_REQUIRE(*rank >= 0 && simple, FC_E_INPUT, "%s: data set '%s' has no shape", path, name);
  FC_REQUIRE(*rank <= FC_H5_RANK, FC_E_INPUT, "%s: data set '%s' has %d axes, which no known layout has",
             path, name, *rank);
  for (int i = 0; i < *rank; i++) {
    FC_REQUIRE(n[i] < (hsize_t)1 << 40, FC_E_INPUT, "%s: data set '%s' claims an axis of length %llu", path,
               name, (unsigned long long)n[i]);
    dim[i] = (int64_t)n[i];
  }
  return FC_OK;
}

fc_status fc_h5_numbers(hid_t at, const char *path, const char *name, hid_t *out, int *rank, int64_t *dim) {
  fc_status s = FC_OK;

  *out = -1;
  FC_REQUIRE(fc_h5_what(at, name) == FC_H5_DATASET, FC_E_INPUT, "%s: there is no data set '%s'", path, name);
  *out = H5Dopen2(at, name, H5P_DEFAULT);
  FC_REQUIRE(*out >= 0, FC_E_INPUT, "%s: data set '%s' cannot be opened; the file is damaged", path, name);
  if (!is_numeric(*out)) {
    s = fc_fail(FC_E_INPUT, "%s: data set '%s' does not hold numbers", path, name);
    goto fail;
  }
  FC_TRY_TO(fail, s, shape(*out, path, name, rank, dim));
  FC_TRY_TO(fail, s, plausible(*out, path, name, *rank, dim));
  return FC_OK;
fail:
  fc_h5_close(*out);
  *out = -1;
  return s;
}

fc_status fc_h5_unreadable(hid_t data_set, const char *path, const char *name) {
  const hid_t dcpl    = H5Dget_create_plist(data_set);
  const int   n       = dcpl < 0 ? 0 : H5Pget_nfilters(dcpl);
  int         missing = -1;

  for (int i = 0; i < n && missing < 0; i++) {
    unsigned           flags;
    size_t             n_values = 0;
    const H5Z_filter_t id       = H5Pget_filter2(dcpl, (unsigned)i, &flags, &n_values, NULL, 0, NULL, NULL);
    if (id >= 0 && H5Zfilter_avail(id) <= 0) missing = id;
  }
  fc_h5_close(dcpl);
  FC_REQUIRE(missing < 0, FC_E_INPUT,
             "%s: data set '%s' is compressed by HDF5 filter %d, which is not available; "
             "rewrite it where it is: h5repack -f GZIP=1 OLD NEW",
             path, name, missing);
  return fc_fail(FC_E_INPUT, "%s: data set '%s' cannot be read; the file is truncated or damaged", path,
                 name);
}

fc_status fc_h5_row(hid_t at, const char *path, const char *name, int64_t lead, int64_t start, int64_t n,
                    double *x) {
  int       rank;
  int64_t   dim[FC_H5_RANK];
  hsize_t   from[FC_H5_RANK] = {0}, count[FC_H5_RANK], len = (hsize_t)n;
  hid_t     data_set, file_space = -1, memory = -1;
  fc_status s = FC_OK;

  FC_TRY(fc_h5_numbers(at, path, name, &data_set, &rank, dim));
  for (int i = 0; i < rank; i++) count[i] = 1;
  if (rank == 2) from[0] = (hsize_t)lead;
  if (rank > 0) from[rank - 1] = (hsize_t)start, count[rank - 1] = (hsize_t)n;
  if (rank > 2 || (rank == 2 && lead >= dim[0]) || start + n > (rank ? dim[rank - 1] : 1)) {
    s = fc_fail(FC_E_INPUT, "%s: data set '%s' has fewer than %lld entries", path, name,
                (long long)(start + n));
    goto done;
  }
  memory     = H5Screate_simple(1, &len, NULL);
  file_space = H5Dget_space(data_set);
  if (rank > 0) H5Sselect_hyperslab(file_space, H5S_SELECT_SET, from, NULL, count, NULL);
  if (n > 0 && H5Dread(data_set, H5T_NATIVE_DOUBLE, memory, file_space, H5P_DEFAULT, x) < 0)
    s = fc_h5_unreadable(data_set, path, name);
done:
  fc_h5_close(memory);
  fc_h5_close(file_space);
  fc_h5_close(data_set);
  return s;
}
