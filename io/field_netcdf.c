/* io/field_netcdf.c - NetCDF-4 files with CF conventions, read as the HDF5 files they are. Coordinates are
   dimension scales; a variable refers to them in DIMENSION_LIST. The grid is that of the variable that
   changes in time and has the most space axes; variables on other grids are left out. Values may be packed:
   raw * scale_factor + add_offset, and raw values equal to _FillValue or missing_value are missing (NaN). */
#include "io/field_layout.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VARS = FC_FIELD_CHANNELS, MOST_AXES = 5 };

typedef struct axis {
  char name[FC_NAME];
  char letter; /* t, b, 1 or s: space */
} axis;
typedef struct variable {
  char name[FC_NAME];
  int  rank, n_space;
  axis axes[MOST_AXES];
} variable;
typedef struct scan {
  int       n;
  variable *v;
  bool      any_time;
} scan;

static bool is_scale(hid_t data_set) {
  char class[FC_NAME] = "";
  return fc_h5_text(data_set, "CLASS", class, sizeof class) && !strcmp(class, "DIMENSION_SCALE");
}

static bool one_of(const char *word, const char *list) { /* list: " a b c " */
  char key[FC_NAME + 3];
  snprintf(key, sizeof key, " %.63s ", word);
  return strstr(list, key) != NULL;
}

static char classify(hid_t scale, const char *name, int64_t n) {
  char units[FC_NAME] = "", kind[FC_NAME] = "", letter[FC_NAME] = "";

  fc_h5_text(scale, "units", units, sizeof units);
  fc_h5_text(scale, "standard_name", kind, sizeof kind);
  fc_h5_text(scale, "axis", letter, sizeof letter);
  if (strstr(units, " since ") || !strcmp(kind, "time") || !strcmp(letter, "T") ||
      one_of(name, " time valid_time t Time "))
    return 't';
  if (one_of(name, " number member realization ensemble trajectory sample ")) return 'b';
  return n == 1 ? '1' : 's';
}

/* The scale behind the reference of axis i. */
static void read_axis(hid_t data_set, const hvl_t *refs, int i, int64_t n, axis *out) {
  char  path[FC_NAME] = "";
  hid_t scale         = -1;

  snprintf(out->name, FC_NAME, "axis%d", i);
  if (refs && refs[i].len == 1) scale = H5Rdereference2(data_set, H5P_DEFAULT, H5R_OBJECT, refs[i].p);
  if (scale >= 0 && H5Iget_name(scale, path, sizeof path) > 0 && path[0] == '/' && !strchr(path + 1, '/'))
    snprintf(out->name, FC_NAME, "%s", path + 1);
  out->letter = scale >= 0 ? classify(scale, out->name, n) : n == 1 ? '1' : 's';
  fc_h5_close(scale);
}

/* DIMENSION_LIST: one variable-length list of references per axis; without it axes have no names. */
static void read_axes(hid_t data_set, int rank, const int64_t *dim, axis *out) {
  hvl_t       refs[MOST_AXES];
  const hid_t a =
      H5Aexists(data_set, "DIMENSION_LIST") > 0 ? H5Aopen(data_set, "DIMENSION_LIST", H5P_DEFAULT) : -1;
  const hid_t space = a < 0 ? -1 : H5Aget_space(a), file_type = a < 0 ? -1 : H5Aget_type(a);
  const hid_t type = H5Tvlen_create(H5T_STD_REF_OBJ);
  const bool  ok   = a >= 0 && H5Tequal(type, file_type) > 0 && H5Sget_simple_extent_npoints(space) == rank &&
                  H5Aread(a, type, refs) >= 0;

  for (int i = 0; i < rank; i++) read_axis(data_set, ok ? refs : NULL, i, dim[i], &out[i]);
  if (ok) H5Dvlen_reclaim(type, space, H5P_DEFAULT, refs);
  fc_h5_close(type);
  fc_h5_close(file_type);
  fc_h5_close(space);
  fc_h5_close(a);
}

static bool look(void *user, hid_t at, const char *name) {
  scan     *s = user;
  variable *v = &s->v[s->n];
  int64_t   dim[FC_H5_RANK];
  hid_t     id;

  if (s->n == MOST_VARS) return false;
  if (strlen(name) >= FC_NAME || fc_h5_what(at, name) != FC_H5_DATASET) return true;
  if (fc_h5_numbers(at, "", name, &id, &v->rank, dim) != FC_OK) return true;
  if (v->rank >= 1 && v->rank <= MOST_AXES && !is_scale(id)) {
    snprintf(v->name, FC_NAME, "%s", name);
    read_axes(id, v->rank, dim, v->axes);
    v->n_space = 0;
    for (int i = 0; i < v->rank; i++) {
      v->n_space += v->axes[i].letter == 's';
      s->any_time |= v->axes[i].letter == 't';
    }
    s->n += v->n_space >= 1 && v->n_space <= 3;
  }
  fc_h5_close(id);
  return true;
}

/* axis letters of v on the grid of m; false if it lies on another grid */
static bool letters_of(const fc_field_map *m, const variable *v, char axes[FC_H5_RANK + 1], bool *time) {
  *time = false;
  for (int i = 0; i < v->rank; i++) {
    axes[i] = v->axes[i].letter;
    *time |= axes[i] == 't';
    for (int a = 0; axes[i] == 's' && a < m->info.ndim; a++)
      if (!strcmp(m->info.axis[a], v->axes[i].name)) axes[i] = (char)('x' + a);
    const bool twice = axes[i] != '1' && memchr(axes, axes[i], (size_t)i);
    if (axes[i] == 's' || twice) return false;
  }
  axes[v->rank] = 0;
  return true;
}

static void unpack(hid_t file, fc_var *v) {
  const hid_t id = H5Dopen2(file, v->path, H5P_DEFAULT);

  const bool scaled = fc_h5_real(id, "scale_factor", &v->scale),
             moved  = fc_h5_real(id, "add_offset", &v->offset);
  v->has_missing = fc_h5_real(id, "_FillValue", &v->missing) || fc_h5_real(id, "missing_value", &v->missing);
  v->packed      = scaled || moved || v->has_missing;
  fc_h5_close(id);
}

static fc_status coordinate(hid_t file, const char *path, fc_field_map *m, int a) {
  const char *name      = m->info.axis[a];
  char        note[128] = "", unit[FC_NAME] = "";
  const hid_t id = fc_h5_what(file, name) == FC_H5_DATASET ? H5Dopen2(file, name, H5P_DEFAULT) : -1;

  if (id < 0) return FC_OK;
  fc_h5_text(id, "NAME", note, sizeof note);
  fc_h5_text(id, "units", unit, sizeof unit);
  fc_h5_close(id);
  if (!strncmp(note, "This is a netCDF dimension but not a netCDF variable", 52)) return FC_OK;
  FC_TRY(fc_map_axis(m, file, path, a, name));
  const double step = (m->info.hi[a] - m->info.lo[a]) / (double)fc_max64(m->info.dim[a] - 1, 1);
  /* longitudes that go once around the globe */
  m->info.periodic[a] =
      !strncmp(unit, "degrees_east", 12) && fabs(fabs(step) * (double)m->info.dim[a] - 360) < 1e-3 * 360;
  return FC_OK;
}

static fc_status add_variables(hid_t file, const char *path, fc_field_map *m, const scan *s) {
  for (int k = 0; k < s->n; k++) {
    char axes[FC_H5_RANK + 1];
    bool time;
    if (!letters_of(m, &s->v[k], axes, &time)) continue;
    FC_TRY(fc_map_add(m, file, path, s->v[k].name, axes, s->v[k].name, 0, s->any_time && !time));
    unpack(file, &m->var[m->n_vars - 1]);
    for (int i = 0; time && !m->time[0] && i < s->v[k].rank; i++)
      if (axes[i] == 't' && fc_h5_what(file, s->v[k].axes[i].name) == FC_H5_DATASET)
        FC_TRY(fc_map_time(m, file, path, s->v[k].axes[i].name));
  }
  for (int a = 0; a < m->info.ndim; a++) FC_TRY(coordinate(file, path, m, a));
  return FC_OK;
}

/* which variable tells the grid: one that changes in time, with many space axes, all of them named */
static int score(const variable *v) {
  int time = 0, named = 1;

  for (int i = 0; i < v->rank; i++) {
    time |= v->axes[i].letter == 't';
    named &= strncmp(v->axes[i].name, "axis", 4) != 0;
  }
  return 8 * time + 2 * v->n_space + named;
}

static fc_status on_grid(hid_t file, const char *path, fc_field_map *m, const scan *s) {
  const variable *best = NULL;

  for (int k = 0; k < s->n; k++)
    if (!best || score(&s->v[k]) > score(best)) best = &s->v[k];
  FC_REQUIRE(best, FC_E_INPUT, "%s: a NetCDF-4 file without a variable on a grid of 1 to 3 axes", path);
  for (int i = 0; i < best->rank; i++)
    if (best->axes[i].letter == 's')
      snprintf(m->info.axis[m->info.ndim++], FC_NAME, "%s", best->axes[i].name);
  return add_variables(file, path, m, s);
}

static bool first_scale(void *user, hid_t at, const char *name) {
  const hid_t id = fc_h5_what(at, name) == FC_H5_DATASET ? H5Dopen2(at, name, H5P_DEFAULT) : -1;

  *(bool *)user = id >= 0 && is_scale(id);
  fc_h5_close(id);
  return !*(bool *)user;
}

static bool match(hid_t file) {
  bool found = H5Aexists(file, "_NCProperties") > 0;
  if (!found) fc_h5_each(file, first_scale, &found);
  return found;
}

static fc_status describe(hid_t file, const char *path, fc_field_map *m) {
  scan s = {0, malloc((MOST_VARS + 1) * sizeof(variable)), false};

  FC_REQUIRE(s.v, FC_E_SYSTEM, "%s: not enough memory", path);
  m->info.layout_name = "NetCDF-4";
  if (!fc_h5_text(file, "title", m->info.name, FC_NAME)) fc_map_name_from_path(m, path);
  fc_h5_each(file, look, &s);
  const fc_status status = on_grid(file, path, m, &s);
  free(s.v);
  return status;
}

const fc_layout_def fc_layout_netcdf = {FC_LAYOUT_NETCDF, match, describe};
