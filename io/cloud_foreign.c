/* io/cloud_foreign.c - points in HDF5 of other tools: which data set is what, as the mapping says or by names
   that tools use and by shape. */
#include "io/cloud_foreign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- coordinates ---- */

/* [N, d] or [d, N], also behind a sample axis or an axis of length one */
static bool coordinate_axes(fc_look *l, int rank, bool alone, fc_cloud_array *a) {
  static const char *const flat[2][3] = {{"n", "bn", NULL}, {"n", "1n", NULL}};
  static const char *const full[2][3] = {{"nc", "bnc", "bcn"}, {"nc", "1nc", "1cn"}};
  const int                g          = l->m->grouped;
  const int64_t            last = rank ? a->dim[rank - 1] : 0, before = rank > 1 ? a->dim[rank - 2] : 0;

  if (!alone || rank == 1) return fc_look_axes(l, 3, flat[g], rank, a);
  if (rank == 2 && last > 3 && before <= 3) return fc_look_axes(l, 1, (const char *const[]){"cn"}, rank, a);
  if (rank == 3 && last > 3 && before <= 3) return fc_look_axes(l, 1, &full[g][2], rank, a);
  return last <= 3 && fc_look_axes(l, 2, full[g], rank, a);
}

static fc_status take_coordinate(fc_look *l, const char *name, bool alone) {
  int   array, rank;
  hid_t set;
  char  unit[FC_NAME] = "";

  FC_TRY(fc_cloud_add_array(l->m, l->path, name, FC_ROWS_POINTS, &array));
  fc_cloud_array *a = &l->m->array[array];
  FC_TRY(fc_h5_numbers(l->at, l->path, name, &set, &rank, a->dim));
  fc_h5_text(set, "units", unit, sizeof unit);
  fc_h5_close(set);
  if (!coordinate_axes(l, rank, alone, a)) return fc_look_misfit(l, a, name, rank);
  snprintf(l->m->info.space_unit, FC_NAME, "%s", unit);
  return fc_cloud_add_axes(l->m, l->path, array, name);
}

/* names that tools give to coordinates: one array, or one for each axis */
static const char *const known[][3] = {{"vertices"}, {"points"},      {"coordinates"}, {"coords"}, {"pos"},
                                       {"position"}, {"positions"},   {"nodes"},       {"xyz"},    {"xy"},
                                       {"mesh_pos"}, {"x", "y", "z"}, {"X", "Y", "Z"}};

/* How many of the names are data sets of one shape here, from the first on. One array alone needs an axis for
   its components. */
static int present(const fc_look *l, const char *const names[3]) {
  int64_t first[FC_H5_RANK], dim[FC_H5_RANK];
  int     n = 0, rank = fc_look_shape(l, names[0], first);

  for (; rank > 0 && n < 3 && names[n]; n++)
    if (fc_look_shape(l, names[n], dim) != rank || dim[0] != first[0]) break;
  return n == 1 && (rank < 2 || (names[1] && first[0] < 4)) ? 0 : n;
}

static fc_status told_coordinates(fc_look *l, int *n) {
  static const char key[] = "data.coordinates";
  fc_cloud_item     item;
  bool              more  = true;
  int               count = 0;

  for (const char *p = l->told->coordinates; more; count += more)
    FC_TRY(fc_cloud_next_item(key, &p, &item, &more));
  more = true;
  for (const char *p = l->told->coordinates; more;) {
    FC_TRY(fc_cloud_next_item(key, &p, &item, &more));
    if (!more) break;
    if (!fc_look_has(l, item.array[0])) return *n ? fc_look_absent(l, key, item.array[0]) : FC_OK;
    FC_TRY(take_coordinate(l, item.array[0], count == 1));
    ++*n;
  }
  return FC_OK;
}

fc_status fc_look_coordinates(fc_look *l, int *n) {
  *n = 0;
  if (fc_cloud_told(l->told->coordinates)) return told_coordinates(l, n);
  for (int k = 0; k < FC_COUNT(known) && !*n; k++) {
    *n = present(l, known[k]);
    for (int i = 0; i < *n; i++) FC_TRY(take_coordinate(l, known[k][i], *n == 1));
  }
  return FC_OK;
}

/* ---- fields, parameters, functions, cells ---- */

static bool taken(const fc_look *l, const char *name) {
  for (int k = 0; k < l->m->n_arrays; k++)
    if (!strcmp(l->m->array[k].path, name)) return true;
  return false;
}

/* what simulations give rather than ask for */
static fc_cloud_role role_of(const char *name) {
  static const char *const words[] = {"normal", "sdf",       "dist",     "bound",     "flag",
                                      "area",   "curvature", "material", "node_type", "label"};

  for (int i = 0; i < FC_COUNT(words); i++)
    if (strcasestr(name, words[i])) return FC_ROLE_INPUT;
  return FC_ROLE_TARGET;
}

/* "velocity_x" names a component of the array "velocity" */
static bool array_of(const fc_look *l, const fc_cloud_item *item, char *name) {
  snprintf(name, FC_ARRAY_PATH, "%s", item->array[0]);
  if (fc_look_has(l, name)) return true;
  char *cut = strrchr(name, '_');
  if (cut) *cut = 0;
  return cut && fc_look_has(l, name);
}

static fc_status named_fields(fc_look *l, const char *key, const char *list, fc_cloud_role role) {
  fc_cloud_item item;
  bool          more = fc_cloud_told(list) && !fc_cloud_none(list);
  char          name[FC_ARRAY_PATH], unit[FC_NAME];
  int           array;

  for (const char *at = list; more;) {
    FC_TRY(fc_cloud_next_item(key, &at, &item, &more));
    if (!more) break;
    if (!array_of(l, &item, name)) return fc_look_absent(l, key, item.array[0]);
    if (taken(l, name) && strcmp(name, item.array[0])) continue; /* another component of the same array */
    const char *slash = strrchr(name, '/');
    const bool  whole = !strcmp(name, item.array[0]);
    unit[0]           = 0;
    FC_TRY(fc_look_take(l, name, FC_ROWS_POINTS, true, unit, &array));
    FC_TRY(fc_cloud_add_channels(l->m, l->path, array,
                                 whole   ? item.label
                                 : slash ? slash + 1
                                         : name,
                                 unit, role));
  }
  return FC_OK;
}

typedef struct {
  fc_look  *l;
  fc_status s;
} visit_fields;

static bool unnamed_field(void *user, hid_t at, const char *name) {
  visit_fields *v             = user;
  fc_look      *l             = v->l;
  char          unit[FC_NAME] = "";
  int           array;

  (void)at;
  if (!fc_look_has(l, name) || taken(l, name)) return true;
  if (fc_cloud_told(l->told->inputs) && role_of(name) == FC_ROLE_INPUT) return true;
  if (fc_cloud_told(l->told->channels) && role_of(name) == FC_ROLE_TARGET) return true;
  v->s = fc_look_take(l, name, FC_ROWS_POINTS, false, unit, &array);
  if (v->s == FC_OK && array >= 0 && l->m->info.n_channels + l->m->array[array].n_comp <= FC_FIELD_CHANNELS)
    v->s = fc_cloud_add_channels(l->m, l->path, array, name, unit, role_of(name));
  return v->s == FC_OK;
}

/* named ones first; of a role that names nothing, all that have as many values as there are points */
static fc_status fields(fc_look *l) {
  visit_fields v = {l, FC_OK};

  FC_TRY(named_fields(l, "data.inputs", l->told->inputs, FC_ROLE_INPUT));
  FC_TRY(named_fields(l, "data.channels", l->told->channels, FC_ROLE_TARGET));
  if (!fc_cloud_told(l->told->inputs) || !fc_cloud_told(l->told->channels))
    fc_h5_each(l->at, unnamed_field, &v);
  return v.s;
}

static fc_status take_times(fc_look *l) {
  static const char *const names[] = {"times", "time", "t"};
  const char              *name    = NULL;
  fc_cloud_item            item;
  bool                     more;
  int64_t                  dim[FC_H5_RANK];

  if (fc_cloud_none(l->told->times)) return FC_OK;
  if (fc_cloud_told(l->told->times)) {
    const char *at = l->told->times;
    FC_TRY(fc_cloud_next_item("data.times", &at, &item, &more));
    if (!fc_look_has(l, item.array[0])) return fc_look_absent(l, "data.times", item.array[0]);
    name = item.array[0];
  }
  for (int i = 0; !name && i < FC_COUNT(names); i++)
    if (fc_look_shape(l, names[i], dim) == 1 && dim[0] > 1) name = names[i];
  if (!name) return FC_OK;
  FC_REQUIRE(fc_look_shape(l, name, dim) == 1, FC_E_INPUT, "%s: '%s' should be a list of times", l->path,
             name);
  FC_TRY(fc_cloud_add_array(l->m, l->path, name, FC_ROWS_ONE, &l->m->times));
  fc_cloud_array *a = &l->m->array[l->m->times];
  a->dim[0] = l->T = dim[0];
  strcpy(a->axes, "t");
  const hid_t set = H5Dopen2(l->at, name, H5P_DEFAULT);
  fc_h5_text(set, "units", l->m->info.time_unit, FC_NAME);
  fc_h5_close(set);
  return FC_OK;
}

/* times without a field that changes are no time axis of ours */
static void forget_times(fc_look *l) {
  for (int k = 0; k < l->m->n_arrays; k++)
    if (k != l->m->times && strchr(l->m->array[k].axes, 't')) return;
  if (!fc_cloud_told(l->told->times)) l->m->times = -1, l->T = 0;
}

static fc_status attribute(fc_look *l, const char *name, int *out) {
  double x;

  *out = -1;
  if (!fc_h5_real(l->at, name, &x)) return FC_OK;
  FC_TRY(fc_cloud_add_array(l->m, l->path, name, FC_ROWS_ONE, out));
  strcpy(l->m->array[*out].axes, "@");
  return FC_OK;
}

static fc_status params(fc_look *l) {
  fc_cloud_item item;
  bool          more = fc_cloud_told(l->told->params) && !fc_cloud_none(l->told->params);
  char          unit[FC_NAME];
  int           array = -1;

  for (const char *at = l->told->params; more;) {
    FC_TRY(fc_cloud_next_item("data.params", &at, &item, &more));
    if (!more) break;
    unit[0] = 0;
    if (fc_look_has(l, item.array[0]))
      FC_TRY(fc_look_take(l, item.array[0], FC_ROWS_ONE, true, unit, &array));
    else
      FC_TRY(attribute(l, item.array[0], &array));
    if (array < 0) return fc_look_absent(l, "data.params", item.array[0]);
    FC_TRY(fc_cloud_add_params(l->m, l->path, array, item.label, unit));
  }
  return FC_OK;
}

static bool unnamed_param(void *user, hid_t at, const char *name) {
  visit_fields *v             = user;
  fc_look      *l             = v->l;
  char          unit[FC_NAME] = "";
  int64_t       dim[FC_H5_RANK];
  int           array;

  (void)at;
  const int  rank = fc_look_shape(l, name, dim);
  const bool one  = rank == 0 || (rank == 1 && dim[0] == (l->m->grouped ? 1 : l->B));
  if (!one || taken(l, name) || l->m->info.n_params == FC_CLOUD_PARAMS) return true;
  v->s = fc_look_take(l, name, FC_ROWS_ONE, false, unit, &array);
  if (v->s == FC_OK && array >= 0) v->s = fc_cloud_add_params(l->m, l->path, array, name, unit);
  return v->s == FC_OK;
}

static fc_status functions(fc_look *l) {
  fc_cloud_item item;
  bool          more = fc_cloud_told(l->told->functions) && !fc_cloud_none(l->told->functions);
  char          unit[FC_NAME];
  int           array;

  for (const char *at = l->told->functions; more;) {
    const int i = l->m->info.n_functions;
    FC_TRY(fc_cloud_next_item("data.functions", &at, &item, &more));
    if (!more) break;
    FC_REQUIRE(i < FC_CLOUD_FUNCTIONS, FC_E_USAGE, "data.functions: more than %d functions",
               FC_CLOUD_FUNCTIONS);
    fc_cloud_function *f = &l->m->info.function[i];
    snprintf(f->name, sizeof f->name, "%s", item.label);
    for (int k = 0; k < item.n; k++) {
      unit[0] = 0;
      if (!fc_look_has(l, item.array[k])) return fc_look_absent(l, "data.functions", item.array[k]);
      FC_TRY(fc_look_take(l, item.array[k], FC_ROWS_FUNCTION + i, true, unit, &array));
      FC_TRY(fc_cloud_add_columns(l->m, l->path, i, array, item.array[k], unit));
      if (k == 0 && f->n >= l->m->info.space) f->space = l->m->info.space;
    }
    l->m->info.n_functions++;
  }
  return FC_OK;
}

static fc_status mask(fc_look *l) {
  const char   *at   = l->told->mask;
  fc_cloud_item item = {.n = 1, .array = {"mask"}};
  bool          more;

  if (fc_cloud_none(at)) return FC_OK;
  if (fc_cloud_told(at)) {
    FC_TRY(fc_cloud_next_item("data.mask", &at, &item, &more));
    if (!fc_look_has(l, item.array[0])) return fc_look_absent(l, "data.mask", item.array[0]);
  }
  if (!fc_look_has(l, item.array[0])) return FC_OK;
  FC_TRY(fc_look_take(l, item.array[0], FC_ROWS_POINTS, fc_cloud_told(l->told->mask), NULL, &l->m->mask));
  if (l->m->mask >= 0) l->m->info.mask = l->m->array[l->m->mask].n_comp;
  return FC_OK;
}

/* corners as whole numbers, or the middles of triangles */
static fc_status take_cells(fc_look *l, const char *name, bool strict) {
  fc_cloud_map *m = l->m;
  int           array;

  FC_TRY(fc_look_take(l, name, FC_ROWS_CELLS, strict, NULL, &array));
  if (array < 0) return FC_OK;
  const int n     = m->array[array].n_comp;
  m->centroids    = !fc_look_integers(l, name);
  const bool good = m->centroids ? n == m->info.space : n >= 2 && n <= FC_CLOUD_CORNERS;
  FC_REQUIRE(
      good || !strict, FC_E_INPUT,
      "%s: %s'%s' has %d numbers a row; cells are 2 to %d numbers of points, or the middles of triangles",
      l->path, l->where, name, n, FC_CLOUD_CORNERS);
  if (!good) return m->n_arrays--, FC_OK;
  m->cells        = array;
  m->info.corners = m->centroids ? 3 : n;
  return FC_OK;
}

static fc_status cells(fc_look *l) {
  static const char *const names[] = {"cells", "triangles", "faces", "elements", "connectivity", "centroids"};
  const char              *at      = l->told->cells;
  fc_cloud_item            item;
  bool                     more;

  if (fc_cloud_none(at)) return FC_OK;
  if (fc_cloud_told(at)) {
    FC_TRY(fc_cloud_next_item("data.cells", &at, &item, &more));
    if (!fc_look_has(l, item.array[0])) return fc_look_absent(l, "data.cells", item.array[0]);
    return take_cells(l, item.array[0], true);
  }
  for (int i = 0; i < FC_COUNT(names) && l->m->cells < 0; i++)
    if (fc_look_has(l, names[i]) && !taken(l, names[i])) FC_TRY(take_cells(l, names[i], false));
  return FC_OK;
}

fc_status fc_look_everything(fc_look *l) {
  visit_fields v = {l, FC_OK};

  FC_TRY(take_times(l));
  FC_TRY(params(l)); /* before the fields: what is named here is no field */
  FC_TRY(mask(l));
  FC_TRY(functions(l));
  FC_TRY(cells(l));
  FC_TRY(fields(l));
  forget_times(l);
  if (!l->B) l->B = 1;
  if (!fc_cloud_told(l->told->params)) fc_h5_each(l->at, unnamed_param, &v);
  FC_TRY(v.s);
  FC_REQUIRE(l->m->info.n_channels, FC_E_INPUT, "%s: %sno data set has one value for each of the %lld points",
             l->path, l->where, (long long)l->rows[FC_ROWS_POINTS]);
  return FC_OK;
}
