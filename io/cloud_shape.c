/* io/cloud_shape.c - what the axes of an array of another tool mean, found from known lengths. */
#include "io/cloud_foreign.h"

#include <stdio.h>
#include <string.h>

/* ---- what the axes of an array mean ---- */

/* the length an axis letter stands for; NULL where any will do */
int64_t *fc_look_extent(fc_look *l, int rows, char letter) {
  if (letter == 'b') return &l->B;
  if (letter == 't') return &l->T;
  return letter == 'n' && rows >= 0 ? &l->rows[rows] : NULL;
}

/* A second axis as long as there are points makes a grid, not a cloud; and a first axis before rows is that
   of samples only where their number is known already. */
static bool ambiguous(const fc_look *l, int rows, char letter, int rank, int64_t length) {
  const int64_t N = rows == FC_ROWS_POINTS ? l->rows[rows] : 0;

  if (letter == 'c') return length == N && N > 3;
  return letter == 'b' && !l->B && (rows == FC_ROWS_POINTS ? length == N && N > 1 : rows >= 0 && rank == 2);
}

static bool fits(fc_look *l, int rows, const char *axes, int rank, const int64_t *dim) {
  if ((int)strlen(axes) != rank) return false;
  for (int i = 0; i < rank; i++) {
    const int64_t *want = fc_look_extent(l, rows, axes[i]);
    if (dim[i] < 1 || ambiguous(l, rows, axes[i], rank, dim[i])) return false;
    if (want && *want && dim[i] != *want) return false;
    if (axes[i] == 't' && !l->T) return false;
    if (axes[i] == '1' && dim[i] != 1) return false;
    if (axes[i] == 'c' && dim[i] > FC_FIELD_CHANNELS) return false;
  }
  return true;
}

static void adopt(fc_look *l, fc_cloud_array *a) {
  a->n_comp = 1;
  for (int i = 0; a->axes[i]; i++) {
    int64_t *known = fc_look_extent(l, a->rows, a->axes[i]);
    if (known) *known = a->dim[i];
    if (a->axes[i] == 'c') a->n_comp = (int)a->dim[i];
  }
}

/* preferred first: what stands before the points is samples or times, what stands behind is components */
static const char *const point_axes[2][8] = {{"n", "bn", "tn", "nc", "cn", "bnc", "tnc", "btn"},
                                             {"n", "1n", "tn", "nc", "cn", "1nc", "tnc", "1tn"}};
static const char *const point_axes_4[2]  = {"btnc", "1tnc"};
static const char *const row_axes[2][6]   = {{"bnc", "bn", "nc", "n", NULL, NULL},
                                             {"n", "1n", "nc", "1nc", NULL, NULL}};
static const char *const one_axes[2][4]   = {{"", "b", "bc", NULL}, {"", "1", "c", "1c"}};

bool fc_look_axes(fc_look *l, int n, const char *const *candidates, int rank, fc_cloud_array *a) {
  for (int i = 0; i < n && candidates[i]; i++) {
    if (!fits(l, a->rows, candidates[i], rank, a->dim)) continue;
    strcpy(a->axes, candidates[i]);
    adopt(l, a);
    return true;
  }
  return false;
}

static bool understood(fc_look *l, int rank, fc_cloud_array *a) {
  const int g = l->m->grouped;

  if (a->rows == FC_ROWS_ONE) return fc_look_axes(l, 4, one_axes[g], rank, a);
  if (a->rows != FC_ROWS_POINTS) return fc_look_axes(l, 6, row_axes[g], rank, a);
  return fc_look_axes(l, 8, point_axes[g], rank, a) || fc_look_axes(l, 1, &point_axes_4[g], rank, a);
}

fc_status fc_look_misfit(const fc_look *l, const fc_cloud_array *a, const char *name, int rank) {
  const int64_t N     = a->rows < 0 ? 0 : l->rows[a->rows];
  const char   *shape = fc_dims_text(rank < FC_MAX_DIMS ? rank : FC_MAX_DIMS, a->dim);

  FC_REQUIRE(!N, FC_E_INPUT, "%s: %s'%s' has shape %s, which does not fit %lld %s%s", l->path, l->where, name,
             shape, (long long)N, a->rows == FC_ROWS_POINTS ? "points" : "rows",
             l->B > 1 ? " of each sample" : "");
  return fc_fail(FC_E_INPUT, "%s: %s'%s' has shape %s, which is not understood here", l->path, l->where, name,
                 shape);
}

/* adds a data set if its shape can be understood; strict: else it is an error */
fc_status fc_look_take(fc_look *l, const char *name, int rows, bool strict, char *unit, int *out) {
  fc_cloud_map *m = l->m;
  hid_t         set;
  int           rank;

  *out = -1;
  if (!strict && m->n_arrays == FC_CLOUD_ARRAYS) return FC_OK;
  FC_TRY(fc_cloud_add_array(m, l->path, name, rows, out));
  fc_cloud_array *a = &m->array[*out];
  fc_status       s = fc_h5_numbers(l->at, l->path, name, &set, &rank, a->dim);
  if (s == FC_OK && unit) fc_h5_text(set, "units", unit, FC_NAME);
  if (s == FC_OK) fc_h5_close(set);
  const bool known = s == FC_OK && understood(l, rank, a);
  if (s == FC_OK && !known && strict) s = fc_look_misfit(l, a, name, rank);
  if (known) return FC_OK;
  m->n_arrays--;
  *out = -1;
  return strict ? s : FC_OK;
}

bool fc_look_has(const fc_look *l, const char *name) { return fc_h5_what(l->at, name) == FC_H5_DATASET; }

bool fc_look_integers(const fc_look *l, const char *name) {
  const hid_t set = H5Dopen2(l->at, name, H5P_DEFAULT), type = set < 0 ? -1 : H5Dget_type(set);
  const bool  yes = type >= 0 && H5Tget_class(type) == H5T_INTEGER;

  fc_h5_close(type);
  fc_h5_close(set);
  return yes;
}

/* rank of a data set of numbers, -1 if it is none */
int fc_look_shape(const fc_look *l, const char *name, int64_t *dim) {
  hid_t set;
  int   rank;

  if (!fc_look_has(l, name) || fc_h5_numbers(l->at, l->path, name, &set, &rank, dim) != FC_OK) return -1;
  fc_h5_close(set);
  return rank;
}

typedef struct {
  char  *text;
  size_t size;
} name_list;

static bool add_name(void *user, hid_t at, const char *name) {
  name_list   *t = user;
  const size_t n = strlen(t->text);

  (void)at;
  snprintf(t->text + n, t->size - n, "%s%s", n ? ", " : "", name);
  return n + strlen(name) + 2 < t->size - 10;
}

void fc_look_names(hid_t at, char *out, size_t size) {
  name_list t = {out, size};

  *out = 0;
  fc_h5_each(at, add_name, &t);
  if (!*out) snprintf(out, size, "nothing");
}

fc_status fc_look_absent(const fc_look *l, const char *key, const char *name) {
  char names[160];

  fc_look_names(l->at, names, sizeof names);
  return fc_fail(FC_E_USAGE, "%s: %s%s names '%s', and there is no such data set; there are: %s", l->path,
                 l->where, key, name, names);
}
