/* io/hdf5_list.c - walks all data sets of a file. */
#include "io/hdf5_list.h"

#include <stdlib.h>
#include <string.h>

static const size_t LONGEST = (size_t)1 << 24; /* bytes of a text that is read */

typedef struct walk {
  fc_status (*visit)(void *, const fc_h5_entry *);
  void     *user;
  fc_status s;
} walk;

static const char *number_type(hid_t type) {
  static const char *const ints[]  = {"int8", "int16", "int32", "int64"};
  static const char *const uints[] = {"uint8", "uint16", "uint32", "uint64"};
  const size_t             size    = H5Tget_size(type);

  if (H5Tget_class(type) == H5T_FLOAT)
    return size == 2 ? "float16" : size == 4 ? "float32" : size == 8 ? "float64" : "float";
  for (int k = 0; k < 4; k++)
    if (size == (size_t)1 << k) return H5Tget_sign(type) == H5T_SGN_NONE ? uints[k] : ints[k];
  return "integer";
}

static const char *type_name(hid_t type) {
  switch (H5Tget_class(type)) {
  case H5T_INTEGER:
  case H5T_FLOAT:
    return number_type(type);
  case H5T_STRING:
    return "text";
  case H5T_ENUM:
    return "enumeration";
  case H5T_COMPOUND:
    return "compound";
  case H5T_REFERENCE:
    return "reference";
  case H5T_VLEN:
    return "variable-length list";
  default:
    return "other";
  }
}

/* One text, fixed or variable; NULL if it is something else or cannot be read. */
static char *read_text(hid_t set, hid_t type, hid_t space) {
  const bool   variable = H5Tis_variable_str(type) > 0;
  const size_t size     = H5Tget_size(type);
  char        *out      = NULL;

  if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1 || size > LONGEST)
    return NULL;
  if (!variable) {
    out = calloc(1, size + 1);
    if (out && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0) return out;
    free(out);
    return NULL;
  }
  char *text = NULL;
  if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &text) < 0) return NULL;
  if (text) out = strdup(text);
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, &text);
  return out;
}

static void describe(walk *w, hid_t set, const char *name) {
  const hid_t type = H5Dget_type(set), space = H5Dget_space(set);
  hsize_t     dim[H5S_MAX_RANK] = {0};
  fc_h5_entry e                 = {
                      .name = name, .type = type_name(type), .rank = H5Sget_simple_extent_dims(space, dim, NULL)};

  for (int i = 0; i < e.rank && i < FC_H5_RANK; i++) e.dim[i] = (int64_t)dim[i];
  e.text = read_text(set, type, space);
  w->s   = w->visit(w->user, &e);
  free(e.text);
  fc_h5_close(space);
  fc_h5_close(type);
}

static herr_t visit_object(hid_t at, const char *name, const H5O_info_t *info, void *user) {
  walk *w = user;

  if (info->type != H5O_TYPE_DATASET) return 0;
  const hid_t set = H5Dopen2(at, name, H5P_DEFAULT);
  if (set < 0) return -1;
  describe(w, set, name);
  fc_h5_close(set);
  return w->s == FC_OK ? 0 : 1;
}

fc_status fc_h5_list(hid_t file, const char *path, fc_status (*visit)(void *, const fc_h5_entry *),
                     void *user) {
  walk w = {visit, user, FC_OK};

  FC_REQUIRE(H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, visit_object, &w) >= 0, FC_E_INPUT,
             "%s: HDF5, but damaged: its contents cannot be listed", path);
  return w.s;
}
