/* io/case_file.c */
#include "io/case_file.h"

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 128, MOST_NUMBERS = 1 << 30 };

struct fc_case_file {
  hid_t          file;
  char           path[512];
  fc_case_array *block[BLOCKS]; /* what was read, freed at close */
  int            length[BLOCKS], n_blocks;
};

fc_status fc_case_open(const char *path, fc_case_file **out) {
  fc_case_file *f = calloc(1, sizeof *f);

  FC_REQUIRE(f, FC_E_SYSTEM, "no memory to open %s", path);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* our message is enough */
  snprintf(f->path, sizeof f->path, "%s", path);
  f->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (f->file < 0) {
    free(f);
    return fc_fail(FC_E_INPUT, "%s: cannot be read as HDF5 (missing, truncated or another format)", path);
  }
  *out = f;
  return FC_OK;
}

void fc_case_close(fc_case_file *f) {
  if (!f) return;
  for (int b = 0; b < f->n_blocks; b++) {
    for (int i = 0; i < f->length[b]; i++) free(f->block[b][i].x);
    free(f->block[b]);
  }
  H5Fclose(f->file);
  free(f);
}

bool fc_case_has(const fc_case_file *f, const char *name) {
  char part[256];

  for (const char *s = strchr(name + 1, '/');;
       s             = strchr(s + 1, '/')) { /* every group on the way must exist */
    snprintf(part, sizeof part, "%.*s", s ? (int)(s - name) : (int)strlen(name), name);
    if (H5Lexists(f->file, part, H5P_DEFAULT) <= 0) return false;
    if (!s) return true;
  }
}

/* the shape, if it is one of numbers that a tensor can hold; returns how many numbers, 0 if not */
static int64_t shape_of(hid_t set, fc_case_array *a) {
  hsize_t     dim[FC_MAX_DIMS] = {0};
  const hid_t space = H5Dget_space(set), type = H5Dget_type(set);
  const int   ndim        = H5Sget_simple_extent_ndims(space);
  const H5T_class_t class = H5Tget_class(type);
  int64_t n = (class == H5T_FLOAT || class == H5T_INTEGER) && H5Sget_simple_extent_type(space) != H5S_NULL;

  if (ndim < 0 || ndim > FC_MAX_DIMS) n = 0;
  if (n) H5Sget_simple_extent_dims(space, dim, NULL);
  a->ndim = ndim;
  for (int i = 0; n && i < ndim; i++) {
    a->dim[i] = (int64_t)dim[i];
    if (dim[i] > MOST_NUMBERS || (n *= a->dim[i]) > MOST_NUMBERS) n = 0;
  }
  H5Tclose(type);
  H5Sclose(space);
  return n;
}

static fc_status read_numbers(const fc_case_file *f, const char *name, hid_t set, fc_case_array *a) {
  const int64_t n = shape_of(set, a);

  FC_REQUIRE(n > 0, FC_E_INPUT, "%s: %s is not an array of numbers with at most %d axes, none of them empty",
             f->path, name, FC_MAX_DIMS);
  a->x = malloc((size_t)n * sizeof *a->x);
  FC_REQUIRE(a->x, FC_E_SYSTEM, "%s: no memory for the %lld numbers of %s", f->path, (long long)n, name);
  FC_REQUIRE(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, a->x) >= 0, FC_E_INPUT,
             "%s: %s cannot be read; the file may be truncated", f->path, name);
  return FC_OK;
}

static fc_status read_set(const fc_case_file *f, const char *name, fc_case_array *a) {
  const hid_t set = fc_case_has(f, name) ? H5Dopen2(f->file, name, H5P_DEFAULT) : -1;

  FC_REQUIRE(set >= 0, FC_E_INPUT, "%s: there is no data set %s", f->path, name);
  const fc_status s = read_numbers(f, name, set, a);
  H5Dclose(set);
  return s;
}

static fc_status new_block(fc_case_file *f, int n, fc_case_array **out) {
  FC_REQUIRE(f->n_blocks < BLOCKS, FC_E_INPUT, "%s: more than %d reads", f->path, BLOCKS);
  *out = calloc((size_t)n + 1, sizeof **out);
  FC_REQUIRE(*out, FC_E_SYSTEM, "%s: no memory", f->path);
  f->block[f->n_blocks]    = *out;
  f->length[f->n_blocks++] = n;
  return FC_OK;
}

fc_status fc_case_read(fc_case_file *f, const char *name, const fc_case_array **out) {
  fc_case_array *a;

  FC_TRY(new_block(f, 1, &a));
  snprintf(a->name, sizeof a->name, "%s", name);
  *out = a;
  return read_set(f, name, a);
}

fc_status fc_case_group(fc_case_file *f, const char *group, int *n, const fc_case_array **out) {
  H5G_info_t     info = {0};
  fc_case_array *a;
  char           path[512];

  *n   = 0;
  *out = NULL;
  if (!fc_case_has(f, group)) return FC_OK;
  FC_REQUIRE(H5Gget_info_by_name(f->file, group, &info, H5P_DEFAULT) >= 0, FC_E_INPUT,
             "%s: %s is not a group", f->path, group);
  FC_TRY(new_block(f, (int)info.nlinks, &a));
  for (hsize_t i = 0; i < info.nlinks; i++) {
    FC_REQUIRE(H5Lget_name_by_idx(f->file, group, H5_INDEX_NAME, H5_ITER_INC, i, a[i].name, sizeof a[i].name,
                                  H5P_DEFAULT) > 0,
               FC_E_INPUT, "%s: entry %llu of %s has no name", f->path, (unsigned long long)i, group);
    snprintf(path, sizeof path, "%s/%s", group, a[i].name);
    FC_TRY(read_set(f, path, &a[i]));
  }
  *n   = (int)info.nlinks;
  *out = a;
  return FC_OK;
}
