/* io/field_create.c - the skeleton of a file in The Well's layout. Booleans are enumerations of int8
   and texts variable-length UTF-8, as h5py writes them, because The Well's own checker insists. */
#include "io/field_create.h"
#include "io/hdf5_put.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double LARGEST_CHUNK = 1 << 30; /* bytes; HDF5 refuses 4 GiB */

/* ---- the specification ---- */
static fc_status good_name(const char *what, const char *name) {
  FC_REQUIRE(name && name[0] && strlen(name) < FC_NAME && !strchr(name, '/') && strcmp(name, "."), FC_E_USAGE,
             "the %s '%s' cannot be a name in a file: 1 to %d characters, no '/'", what,
             name ? name : "(none)", FC_NAME - 1);
  return FC_OK;
}

static fc_status good_fields(int n, const fc_out_field *f) {
  for (int i = 0; i < n; i++) {
    FC_TRY(good_name("field", f[i].name));
    FC_REQUIRE(f[i].rank == 0 || f[i].rank == 1, FC_E_USAGE,
               "field '%s' has rank %d; scalars and vectors can be written", f[i].name, f[i].rank);
  }
  return FC_OK;
}

static const fc_out_field *any_field(const fc_field_spec *s, int i) {
  return i < s->n_fields ? &s->field[i] : &s->constant[i - s->n_fields];
}

static fc_status distinct(const fc_field_spec *s) {
  for (int i = 0; i < s->n_fields + s->n_constant; i++)
    for (int j = 0; j < i; j++)
      FC_REQUIRE(strcmp(any_field(s, i)->name, any_field(s, j)->name), FC_E_USAGE,
                 "two fields are called '%s'", any_field(s, i)->name);
  return FC_OK;
}

static fc_status rising(const fc_field_spec *s, int a) {
  const double *x = s->points[a];

  for (int64_t i = 0; x && i < s->dim[a]; i++)
    FC_REQUIRE(isfinite(x[i]) && (i == 0 || x[i] > x[i - 1]), FC_E_USAGE,
               "coordinate %lld along axis %d is %g; coordinates must be finite and rise", (long long)i, a,
               x[i]);
  return FC_OK;
}

fc_status fc_field_spec_check(const fc_field_spec *s) {
  FC_REQUIRE(s->name && s->name[0], FC_E_USAGE, "the data set to write has no name");
  FC_REQUIRE(s->ndim >= 1 && s->ndim <= 3, FC_E_USAGE, "%d space axes; 1 to 3 can be written", s->ndim);
  for (int a = 0; a < s->ndim; a++) {
    FC_REQUIRE(s->dim[a] >= 1, FC_E_USAGE, "%lld points along axis %d", (long long)s->dim[a], a);
    if (s->axis[a]) FC_TRY(good_name("axis", s->axis[a]));
    FC_TRY(rising(s, a));
  }
  FC_REQUIRE(s->n_traj >= 1 && s->n_steps >= 1 && s->n_fields >= 1, FC_E_USAGE,
             "nothing to write: %lld trajectories, %lld steps, %d fields", (long long)s->n_traj,
             (long long)s->n_steps, s->n_fields);
  FC_REQUIRE(s->n_params <= FC_FIELD_PARAMS && s->n_texts <= FC_COUNT(s->text), FC_E_USAGE,
             "too many parameters or texts: %d and %d", s->n_params, s->n_texts);
  FC_TRY(good_fields(s->n_fields, s->field));
  FC_TRY(good_fields(s->n_constant, s->constant));
  for (int i = 0; i < s->n_params; i++) FC_TRY(good_name("parameter", s->param[i].name));
  return distinct(s);
}

/* ---- small things ---- */
static bool varying(hid_t at, bool sample, bool time) {
  const signed char s = sample, t = time;
  return fc_h5_put_flags(at, "sample_varying", 0, &s) && fc_h5_put_flags(at, "time_varying", 0, &t);
}

static const char *axis_name(const fc_field_spec *s, int a) {
  static const char *const names[3] = {"x", "y", "z"};
  return s->axis[a] ? s->axis[a] : names[a];
}

/* scalars stand in front of vectors */
bool fc_field_spec_channel(const fc_field_spec *s, int n, const fc_out_field *fields, int c,
                           char name[FC_NAME]) {
  for (int rank = 0; rank < 2; rank++)
    for (int i = 0; i < n; i++) {
      if (fields[i].rank != rank) continue;
      const int parts = rank ? s->ndim : 1;
      if (c < parts) {
        snprintf(name, FC_NAME, rank ? "%.30s_%.30s" : "%.63s", fields[i].name, axis_name(s, c));
        return true;
      }
      c -= parts;
    }
  return false;
}

/* ---- groups ---- */

/* without the time of day, which HDF5 would note: the same run makes the same bytes */
static hid_t create(hid_t at, const char *name, hid_t type, hid_t space) {
  const hid_t p = H5Pcreate(H5P_DATASET_CREATE);

  H5Pset_obj_track_times(p, false);
  const hid_t set = H5Dcreate2(at, name, type, space, H5P_DEFAULT, p, H5P_DEFAULT);
  fc_h5_close(p);
  return set;
}

/* points, or n numbers from first by step */
static bool put_row(hid_t g, const char *name, int64_t n, const double *points, double first, double step,
                    const char *unit, bool time) {
  const hsize_t len   = (hsize_t)n;
  double       *x     = malloc((size_t)n * sizeof *x);
  const hid_t   space = H5Screate_simple(1, &len, NULL);
  const hid_t   set   = create(g, name, H5T_IEEE_F64LE, space);

  for (int64_t i = 0; x && i < n; i++) x[i] = points ? points[i] : first + (double)i * step;
  const bool ok = x && set >= 0 && H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0 &&
                  varying(set, false, time) && fc_h5_put_text(set, "units", fc_h5_unit(unit));
  fc_h5_close(space);
  fc_h5_close(set);
  free(x);
  return ok;
}

static bool dimensions(hid_t file, const fc_field_spec *s) {
  const hid_t g = H5Gcreate2(file, "dimensions", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const char *names[3];
  bool        ok = put_row(g, "time", s->n_steps, NULL, s->t0, s->dt, s->time_unit, true);

  for (int a = 0; a < s->ndim; a++) {
    names[a] = axis_name(s, a);
    ok       = ok &&
         put_row(g, names[a], s->dim[a], s->points[a], s->origin[a], s->spacing[a], s->space_unit, false);
  }
  ok = ok && fc_h5_put_texts(g, "spatial_dims", s->ndim, names);
  fc_h5_close(g);
  return ok;
}

/* true at both ends of the axis */
static bool put_mask(hid_t g, int64_t n) {
  const hsize_t len  = (hsize_t)n;
  signed char  *x    = calloc((size_t)n, 1);
  const hid_t   type = fc_h5_flag_type(), space = H5Screate_simple(1, &len, NULL);
  const hid_t   set = create(g, "mask", type, space);

  if (x) x[0] = x[n - 1] = 1;
  const bool ok = x && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0;
  fc_h5_close(set);
  fc_h5_close(space);
  fc_h5_close(type);
  free(x);
  return ok;
}

static bool boundary(hid_t at, const fc_field_spec *s, int a) {
  const char *kind = s->periodic[a] ? "PERIODIC" : s->wall[a] ? "WALL" : "OPEN", *axis = axis_name(s, a);
  char        name[2 * FC_NAME];

  snprintf(name, sizeof name, "%s_%s", axis, s->periodic[a] ? "periodic" : s->wall[a] ? "wall" : "open");
  const hid_t g  = H5Gcreate2(at, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const bool  ok = fc_h5_put_text(g, "bc_type", kind) && fc_h5_put_texts(g, "associated_dims", 1, &axis) &&
                  fc_h5_put_texts(g, "associated_fields", 0, NULL) && varying(g, false, false) &&
                  put_mask(g, s->dim[a]);
  fc_h5_close(g);
  return ok;
}

static bool boundaries(hid_t file, const fc_field_spec *s) {
  const hid_t g  = H5Gcreate2(file, "boundary_conditions", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  bool        ok = g >= 0;

  for (int a = 0; ok && a < s->ndim; a++) ok = boundary(g, s, a);
  fc_h5_close(g);
  return ok;
}

/* Parameters stand twice, as The Well wants it: root attribute and scalar. */
static bool parameters(hid_t file, const fc_field_spec *s) {
  const hid_t g = H5Gcreate2(file, "scalars", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const char *names[FC_FIELD_PARAMS];
  bool        ok = g >= 0;

  for (int i = 0; ok && i < s->n_params; i++) {
    const double x     = s->param[i].value;
    const hid_t  space = H5Screate(H5S_SCALAR);
    names[i]           = s->param[i].name;
    const hid_t set    = create(g, names[i], H5T_IEEE_F64LE, space);
    ok                 = H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, &x) >= 0 &&
         varying(set, false, false) && fc_h5_put_real(file, names[i], x);
    fc_h5_close(set);
    fc_h5_close(space);
  }
  ok = ok && fc_h5_put_texts(g, "field_names", s->n_params, names) &&
       fc_h5_put_texts(file, "simulation_parameters", s->n_params, names);
  fc_h5_close(g);
  return ok;
}

/* t0_fields, t1_fields, t2_fields with the order of their fields; all three exist even when empty */
static bool field_group(hid_t file, const fc_field_spec *s, int rank) {
  const int    n     = s->n_fields + s->n_constant;
  const char **names = malloc((size_t)n * sizeof *names);
  char         group[32];
  int          k = 0;

  if (!names) return false;
  for (int i = 0; i < n; i++)
    if (any_field(s, i)->rank == rank) names[k++] = any_field(s, i)->name;
  snprintf(group, sizeof group, "t%d_fields", rank);
  const hid_t g  = H5Gcreate2(file, group, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const bool  ok = g >= 0 && fc_h5_put_texts(g, "field_names", k, names);
  fc_h5_close(g);
  free(names);
  return ok;
}

bool fc_field_write_skeleton(hid_t file, const fc_field_spec *s) {
  bool ok = fc_h5_put_text(file, "dataset_name", s->name) && fc_h5_put_text(file, "grid_type", "cartesian") &&
            fc_h5_put_int(file, "n_spatial_dims", s->ndim) &&
            fc_h5_put_int(file, "n_trajectories", s->n_traj) &&
            fc_h5_put_text(file, "fieldcast_version", FC_VERSION);

  for (int i = 0; ok && i < s->n_texts; i++) ok = fc_h5_put_text(file, s->text[i].name, s->text[i].value);
  ok = ok && dimensions(file, s) && boundaries(file, s) && parameters(file, s);
  for (int rank = 0; ok && rank < 3; rank++) ok = field_group(file, s, rank);
  return ok;
}

/* One chunk is one frame; a frame too large for HDF5 is cut along its first axes. */
static hid_t properties(const fc_field_spec *s, int rank, int lead, const hsize_t *dim) {
  const hid_t   p    = H5Pcreate(H5P_DATASET_CREATE);
  const fc_real none = (fc_real)NAN;
  hsize_t       chunk[FC_H5_RANK];
  double        bytes = sizeof(fc_real);

  H5Pset_obj_track_times(p, false);
  if (s->shared) { /* in one piece at an address that is known now; nobody writes the fill value first */
    H5Pset_layout(p, H5D_CONTIGUOUS);
    H5Pset_alloc_time(p, H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(p, H5D_FILL_TIME_NEVER);
    return p;
  }
  for (int i = 0; i < rank; i++) bytes *= (double)(chunk[i] = i < lead ? 1 : dim[i]);
  for (int i = lead; i < rank; i++)
    for (; bytes > LARGEST_CHUNK && chunk[i] > 1; chunk[i] = (chunk[i] + 1) / 2) bytes /= 2;
  H5Pset_chunk(p, rank, chunk);
  H5Pset_fill_value(p, sizeof none == 8 ? H5T_NATIVE_DOUBLE : H5T_NATIVE_FLOAT, &none);
  if (s->compress) {
    H5Pset_shuffle(p);
    H5Pset_deflate(p, 1);
  }
  return p;
}

static int shape_of(const fc_field_spec *s, const fc_out_field *field, bool constant, hsize_t *dim) {
  int n = 0;

  dim[n++] = (hsize_t)s->n_traj;
  if (!constant) dim[n++] = (hsize_t)s->n_steps;
  for (int a = 0; a < s->ndim; a++) dim[n++] = (hsize_t)s->dim[a];
  if (field->rank) dim[n++] = (hsize_t)s->ndim;
  return n;
}

hid_t fc_field_create_set(hid_t file, const fc_field_spec *s, const fc_out_field *field, bool constant) {
  const signed char all[3] = {1, 1, 1};
  hsize_t           dim[FC_H5_RANK];
  const int         n = shape_of(s, field, constant, dim), lead = constant ? 1 : 2;
  char              name[FC_NAME + 16];

  snprintf(name, sizeof name, "t%d_fields/%s", field->rank, field->name);
  const hid_t space = H5Screate_simple(n, dim, NULL), p = properties(s, n, lead, dim);
  const hid_t type = sizeof(fc_real) == 8 ? H5T_IEEE_F64LE : H5T_IEEE_F32LE;
  hid_t       set  = H5Dcreate2(file, name, type, space, H5P_DEFAULT, p, H5P_DEFAULT);
  fc_h5_close(p);
  fc_h5_close(space);
  if (set >= 0 && !(varying(set, true, !constant) && fc_h5_put_flags(set, "dim_varying", s->ndim, all) &&
                    fc_h5_put_text(set, "units", fc_h5_unit(field->unit)))) {
    fc_h5_close(set);
    set = -1;
  }
  return set;
}

int64_t fc_field_find_set(hid_t file, const fc_field_spec *s, const fc_out_field *field, bool constant) {
  hsize_t   wanted[FC_H5_RANK], dim[FC_H5_RANK];
  const int n = shape_of(s, field, constant, wanted);
  char      name[FC_NAME + 16];

  snprintf(name, sizeof name, "t%d_fields/%s", field->rank, field->name);
  const hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  if (set < 0) return -1;
  const hid_t   space = H5Dget_space(set), type = H5Dget_type(set);
  const haddr_t at = H5Dget_offset(set);
  bool ok = H5Sget_simple_extent_ndims(space) == n && H5Sget_simple_extent_dims(space, dim, NULL) == n &&
            H5Tequal(type, sizeof(fc_real) == 8 ? H5T_IEEE_F64LE : H5T_IEEE_F32LE) > 0 && at != HADDR_UNDEF;
  for (int i = 0; i < n && ok; i++) ok = dim[i] == wanted[i];
  fc_h5_close(space);
  fc_h5_close(type);
  fc_h5_close(set);
  return ok ? (int64_t)at : -1;
}
