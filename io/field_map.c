/* io/field_map.c - builds the description of one file: axes, channels, parameters. */
#include "io/field_layout.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TIMES = 1 << 20 };          /* looked at to see whether dt is uniform */
static const double MOST_VALUES = 17e9; /* of one frame: 2048^3 with two channels */

/* the size that an axis letter stands for, NULL for c and 1 */
static int64_t *extent(fc_field_map *m, char letter) {
  switch (letter) {
  case 'b':
    return &m->info.n_traj;
  case 't':
    return &m->info.n_steps;
  case 'x':
    return &m->info.dim[0];
  case 'y':
    return &m->info.dim[1];
  case 'z':
    return &m->info.dim[2];
  default:
    return NULL;
  }
}

static const char *meaning(char letter) {
  switch (letter) {
  case 'b':
    return "trajectories";
  case 't':
    return "steps";
  case '1':
    return "entry";
  default:
    return "points";
  }
}

static fc_status agree(fc_field_map *m, const char *path, const char *name, const fc_var *v, int i) {
  int64_t *n = extent(m, v->axes[i]);

  if (n && *n == 0) *n = v->dim[i];
  const int64_t want = n ? *n : 1;
  FC_REQUIRE(v->axes[i] == 'c' || v->dim[i] == want, FC_E_INPUT,
             "%s: data set '%s' has length %lld along axis %d, where %lld %s are expected", path, name,
             (long long)v->dim[i], i, (long long)want, meaning(v->axes[i]));
  FC_REQUIRE(v->dim[i] > 0, FC_E_INPUT, "%s: data set '%s' is empty along axis %d", path, name, i);
  return FC_OK;
}

static fc_status components(const fc_field_map *m, const char *path, const char *name, fc_var *v, int rank) {
  const int d    = m->info.ndim;
  int64_t   n    = 1;
  const int want = rank == 0 ? 0 : rank == 1 ? d : d * d;

  for (int i = 0; v->axes[i]; i++)
    if (v->axes[i] == 'c') n *= v->dim[i];
  FC_REQUIRE(!want || n == want, FC_E_INPUT, "%s: data set '%s' has %lld components, where %d are expected",
             path, name, (long long)n, want);
  FC_REQUIRE(n <= FC_FIELD_CHANNELS, FC_E_INPUT,
             "%s: data set '%s' has %lld channels; at most %d are possible", path, name, (long long)n,
             FC_FIELD_CHANNELS);
  v->n_comp = (int)n;
  return FC_OK;
}

/* long names are cut so that the component stays visible */
static void name_component(const fc_field_map *m, const char *name, int rank, int n, int k, char *out) {
  const int d       = m->info.ndim;
  char      end[24] = "";

  if (rank == 1) snprintf(end, sizeof end, "_%.10s", m->info.axis[k]);
  if (rank == 2) snprintf(end, sizeof end, "_%.10s%.10s", m->info.axis[k / d], m->info.axis[k % d]);
  if (rank == 0 && n > 1) snprintf(end, sizeof end, "_%d", k);
  snprintf(out, FC_NAME, "%.*s%s", (int)(FC_NAME - 1 - strlen(end)), name, end);
}

static fc_status add_channels(fc_field_map *m, const char *path, const fc_var *v, const char *name, int rank,
                              const char *unit, bool constant) {
  fc_channel *c = constant ? m->info.constant : m->info.channel;
  int        *n = constant ? &m->info.n_constant : &m->info.n_channels;

  FC_REQUIRE(*n + v->n_comp <= FC_FIELD_CHANNELS, FC_E_INPUT, "%s: more than %d channels", path,
             FC_FIELD_CHANNELS);
  for (int k = 0; k < v->n_comp; k++, (*n)++) {
    c[*n] = (fc_channel){.field = m->n_vars, .rank = rank, .component = k};
    name_component(m, name, rank, v->n_comp, k, c[*n].name);
    snprintf(c[*n].unit, FC_NAME, "%s", unit);
  }
  return FC_OK;
}

fc_status fc_map_add(fc_field_map *m, hid_t at, const char *path, const char *data_set, const char *axes,
                     const char *name, int rank, bool constant) {
  fc_var   *v = &m->var[m->n_vars];
  hid_t     id;
  int       n_axes;
  fc_status s             = FC_OK;
  char      unit[FC_NAME] = "";

  FC_REQUIRE(m->n_vars < FC_FIELD_VARS, FC_E_INPUT, "%s: more than %d fields", path, FC_FIELD_VARS);
  FC_REQUIRE(strlen(axes) <= FC_H5_RANK && strlen(data_set) < FC_VAR_PATH, FC_E_INPUT,
             "%s: data set '%.60s' has too many axes or too long a name", path, data_set);
  *v = (fc_var){.scale = 1, .missing = NAN};
  FC_TRY(fc_h5_numbers(at, path, data_set, &id, &n_axes, v->dim));
  fc_h5_text(id, "units", unit, sizeof unit);
  fc_h5_close(id);
  FC_REQUIRE(n_axes == (int)strlen(axes), FC_E_INPUT, "%s: data set '%s' has %d axes, where %d are expected",
             path, data_set, n_axes, (int)strlen(axes));
  snprintf(v->path, sizeof v->path, "%s", data_set);
  snprintf(v->axes, sizeof v->axes, "%s", axes);
  for (int i = 0; i < n_axes && s == FC_OK; i++) s = agree(m, path, data_set, v, i);
  FC_TRY(s);
  FC_TRY(components(m, path, data_set, v, rank));
  FC_TRY(add_channels(m, path, v, name, rank, unit, constant));
  m->n_vars++;
  return FC_OK;
}

/* NaN unless every step has the same length. Coordinates are often stored as float32, which alone moves a
   step by 6e-8 t/dt; steps that really differ differ by more than a thousandth. */
static double uniform_step(int64_t n, const double *t) {
  if (n < 2) return NAN;
  const double dt = (t[n - 1] - t[0]) / (double)(n - 1);
  if (dt == 0 || !isfinite(dt)) return NAN;
  for (int64_t i = 1; i < n; i++)
    if (!(fabs(t[i] - t[i - 1] - dt) <= 1e-3 * fabs(dt))) return NAN;
  return dt;
}

/* Uneven are coordinates that rise or fall throughout with steps that differ; anything else says nothing. */
static bool uneven(int64_t n, const double *x) {
  for (int64_t i = 1; i < n; i++)
    if (!((x[i] - x[i - 1]) * (x[1] - x[0]) > 0)) return false;
  return n > 2 && isnan(uniform_step(n, x));
}

fc_status fc_map_axis(fc_field_map *m, hid_t at, const char *path, int a, const char *data_set) {
  int     rank;
  int64_t dim[FC_H5_RANK];
  hid_t   id;

  FC_TRY(fc_h5_numbers(at, path, data_set, &id, &rank, dim));
  if (!m->info.space_unit[0]) fc_h5_text(id, "units", m->info.space_unit, FC_NAME);
  fc_h5_close(id);
  const int64_t n = rank > 0 ? dim[rank - 1] : 1;
  if (m->info.dim[a] == 0) m->info.dim[a] = n;
  FC_REQUIRE(n > 0 && n >= m->info.dim[a], FC_E_INPUT, "%s: coordinate '%s' has %lld entries for %lld points",
             path, data_set, (long long)n, (long long)m->info.dim[a]);
  const int64_t points = m->info.dim[a];
  double       *x      = malloc((size_t)points * sizeof *x);
  FC_REQUIRE(x, FC_E_SYSTEM, "%s: not enough memory for %lld coordinates", path, (long long)points);
  const fc_status s = fc_h5_row(at, path, data_set, 0, 0, points, x);
  if (s == FC_OK)
    m->info.lo[a] = x[0], m->info.hi[a] = x[points - 1], m->info.uniform[a] = !uneven(points, x);
  free(x);
  snprintf(m->points[a], sizeof m->points[a], "%s", data_set);
  return s;
}

fc_status fc_map_time(fc_field_map *m, hid_t at, const char *path, const char *data_set) {
  int       rank;
  int64_t   dim[FC_H5_RANK];
  hid_t     id;
  fc_status s;

  FC_TRY(fc_h5_numbers(at, path, data_set, &id, &rank, dim));
  fc_h5_text(id, "units", m->info.time_unit, FC_NAME);
  fc_h5_close(id);
  const int64_t have = rank > 0 ? dim[rank - 1] : 1;
  if (m->info.n_steps == 0) m->info.n_steps = have;
  FC_REQUIRE(rank <= 2 && have >= m->info.n_steps, FC_E_INPUT,
             "%s: data set '%s' has %lld times for %lld steps", path, data_set, (long long)have,
             (long long)m->info.n_steps);
  const int64_t n = fc_min64(m->info.n_steps, MOST_TIMES);
  double       *t = malloc((size_t)fc_max64(n, 1) * sizeof *t);
  FC_REQUIRE(t, FC_E_SYSTEM, "%s: not enough memory for %lld times", path, (long long)n);
  if ((s = fc_h5_row(at, path, data_set, 0, 0, n, t)) == FC_OK) {
    const double dt = uniform_step(n, t);
    m->info.dt      = dt > 0 ? dt : NAN;
  }
  free(t);
  snprintf(m->time, sizeof m->time, "%s", data_set);
  return s;
}

void fc_map_param(fc_field_map *m, const char *name, double value, bool by_traj) {
  for (int i = 0; i < m->info.n_params; i++)
    if (!strcmp(m->info.param[i].name, name)) return;
  if (m->info.n_params == FC_FIELD_PARAMS) return;
  snprintf(m->info.param[m->info.n_params].name, FC_NAME, "%s", name);
  m->info.param[m->info.n_params].by_traj = by_traj;
  m->info.param[m->info.n_params++].value = value;
}

static herr_t take_param(hid_t at, const char *name, const H5A_info_t *info, void *user) {
  double x;

  (void)info;
  if (strcmp(name, "latestIndex") && name[0] != '_' && fc_h5_real(at, name, &x))
    fc_map_param(user, name, x, false);
  return 0;
}

void fc_map_params_from_attributes(fc_field_map *m, hid_t at) {
  H5Aiterate2(at, H5_INDEX_NAME, H5_ITER_INC, NULL, take_param, m);
}

void fc_map_name_from_path(fc_field_map *m, const char *path) {
  const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');
  snprintf(m->info.name, FC_NAME, "%.*s", (int)(dot && dot > base ? dot - base : (ptrdiff_t)strlen(base)),
           base);
}

fc_status fc_map_check(fc_field_map *m, const char *path) {
  fc_field_info *i      = &m->info;
  double         values = fc_max64(i->n_channels, 1);

  if (i->n_traj == 0) i->n_traj = 1;
  if (i->n_steps == 0) i->n_steps = 1;
  FC_REQUIRE(i->n_channels > 0, FC_E_INPUT, "%s: holds no field that changes in time%s", path,
             i->n_constant ? ", only constants" : "");
  FC_REQUIRE(i->ndim >= 1 && i->ndim <= 3, FC_E_INPUT, "%s: %d space axes; 1 to 3 are possible", path,
             i->ndim);
  for (int a = 0; a < i->ndim; a++) {
    FC_REQUIRE(i->dim[a] > 0, FC_E_INPUT, "%s: no field tells the number of points along %s", path,
               i->axis[a]);
    values *= (double)i->dim[a];
  }
  FC_REQUIRE(values < MOST_VALUES, FC_E_INPUT, "%s: a frame would have %.3g values; the file is damaged",
             path, values);
  return FC_OK;
}
