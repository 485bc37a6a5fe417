/* io/cloud_read.c - columns of any arrays of a sample into [time, row, column]. One array is read at a time,
   all its picked components together; then its values are put in place. */
#include "io/cloud_layout.h"

#include "core/parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t fc_cloud_rows(const fc_cloud_part *p, int64_t local, int rows) {
  if (rows == FC_ROWS_ONE) return 1;
  return p->at[rows] ? p->at[rows][local + 1] - p->at[rows][local] : 0;
}

fc_status fc_cloud_raw(fc_cloud *c, size_t bytes) {
  c->table_sample = -1;
  if (bytes <= c->raw_bytes) return FC_OK;
  void *raw = realloc(c->raw, bytes);
  FC_REQUIRE(raw, FC_E_SYSTEM, "%s: not enough memory to read %.3g GB at once", c->part[0].path,
             (double)bytes / 1e9);
  c->raw       = raw;
  c->raw_bytes = bytes;
  return FC_OK;
}

/* ---- HDF5 ---- */

typedef struct slab { /* a selection on disk (count blocks, stride apart) and how its values lie in the buffer
                       */
  int     rank;
  hsize_t start[FC_H5_RANK], stride[FC_H5_RANK], count[FC_H5_RANK], block[FC_H5_RANK];
  int64_t t, row, component; /* strides in the buffer; 0: does not vary along it */
} slab;

static void set_axis(slab *s, int axis, int64_t start, int64_t block) {
  s->start[axis] = (hsize_t)start;
  s->block[axis] = (hsize_t)block;
}

/* rows of all samples lie one after the other, those of a sample once for each time (v) or once (f) */
static void select_flat(const fc_cloud_part *p, const fc_cloud_array *a, fc_range own, int64_t local,
                        int64_t t0, int64_t nt, bool varying, slab *s, int axis) {
  const int64_t n = fc_cloud_rows(p, local, a->rows), before = p->at[a->rows][local];

  set_axis(s, axis, (varying ? before * p->steps[local] + t0 * n : before) + own.lo, own.hi - own.lo);
  if (!varying) return;
  s->stride[axis] = (hsize_t)n;
  s->count[axis]  = (hsize_t)nt;
}

static slab select_slab(const fc_cloud *c, const fc_cloud_part *p, const fc_cloud_array *a, int64_t local,
                        int64_t t0, int64_t nt) {
  slab           s      = {.rank = (int)strlen(a->axes)};
  const fc_range own    = fc_cloud_block(c, a->rows, fc_cloud_rows(p, local, a->rows));
  int64_t        stride = 1;

  for (int i = 0; i < s.rank; i++) {
    const char l = a->axes[i];
    s.count[i] = s.stride[i] = s.block[i] = 1;
    if (l == 'b') set_axis(&s, i, local, 1);
    if (l == 't') set_axis(&s, i, t0, nt);
    if (l == 'n') set_axis(&s, i, own.lo, own.hi - own.lo);
    if (l == 'c') set_axis(&s, i, 0, a->n_comp);
    if (l == 'f' || l == 'v') select_flat(p, a, own, local, t0, nt, l == 'v', &s, i);
    if (s.stride[i] < s.block[i]) s.stride[i] = s.block[i];
  }
  for (int i = s.rank - 1; i >= 0; i--) {
    const char l = a->axes[i];
    if (l == 't') s.t = stride;
    if (l == 'n' || l == 'f' || l == 'v') s.row = stride;
    if (l == 'v') s.t = stride * (own.hi - own.lo);
    if (l == 'c') s.component = stride;
    stride *= (int64_t)(s.count[i] * s.block[i]);
  }
  return s;
}

static fc_status read_attribute(hid_t at, const fc_cloud_part *p, const fc_cloud_array *a, bool integers,
                                void *raw) {
  double x;

  FC_REQUIRE(fc_h5_real(at, a->path, &x), FC_E_INPUT, "%s: the attribute '%s' is missing or no number",
             p->path, a->path);
  if (integers)
    *(int64_t *)raw = (int64_t)x;
  else
    *(fc_real *)raw = (fc_real)x;
  return FC_OK;
}

static fc_status read_slab(hid_t set, const fc_cloud_part *p, const fc_cloud_array *a, const slab *s,
                           bool integers, void *raw) {
  const hid_t type   = integers               ? H5T_NATIVE_INT64
                       : sizeof(fc_real) == 8 ? H5T_NATIVE_DOUBLE
                                              : H5T_NATIVE_FLOAT;
  hsize_t     n      = 1;
  fc_status   status = FC_OK;

  for (int i = 0; i < s->rank; i++) n *= s->count[i] * s->block[i];
  if (!n) return FC_OK;
  const hid_t memory = H5Screate_simple(1, &n, NULL), space = H5Dget_space(set);
  if (H5Sget_simple_extent_ndims(space) != s->rank ||
      (s->rank && H5Sselect_hyperslab(space, H5S_SELECT_SET, s->start, s->stride, s->count, s->block) < 0) ||
      H5Dread(set, type, memory, space, H5P_DEFAULT, raw) < 0)
    status = fc_h5_unreadable(set, p->path, a->path);
  fc_h5_close(space);
  fc_h5_close(memory);
  return status;
}

static fc_status open_set(hid_t at, const fc_cloud_part *p, const fc_cloud_array *a, hid_t *set) {
  *set = H5Dopen2(at, a->path, H5P_DEFAULT);
  FC_REQUIRE(*set >= 0, FC_E_INPUT, "%s: data set '%s' cannot be opened; the file is damaged", p->path,
             a->path);
  return FC_OK;
}

/* of a file whose groups are samples: opened for this once */
static fc_status read_in_group(fc_cloud_part *p, int64_t local, const fc_cloud_array *a, const slab *s,
                               bool integers, void *raw) {
  const hid_t at = H5Gopen2(p->file, p->group[local], H5P_DEFAULT);
  hid_t       set;

  FC_REQUIRE(at >= 0, FC_E_INPUT, "%s: group '%s' cannot be opened; the file is damaged", p->path,
             p->group[local]);
  fc_status status = FC_OK;
  if (a->axes[0] == '@') {
    status = read_attribute(at, p, a, integers, raw);
  } else if ((status = open_set(at, p, a, &set)) == FC_OK) {
    status = read_slab(set, p, a, s, integers, raw);
    fc_h5_close(set);
  }
  fc_h5_close(at);
  return status;
}

static fc_status read_array(fc_cloud *c, fc_cloud_part *p, int64_t local, int array, int64_t t0, int64_t nt,
                            bool integers, slab *s) {
  const fc_cloud_array *a = &c->map->array[array];
  size_t                n = 1;

  *s = select_slab(c, p, a, local, t0, nt);
  for (int i = 0; i < s->rank; i++) n *= (size_t)(s->count[i] * s->block[i]);
  FC_TRY(fc_cloud_raw(c, (n + 1) * (integers ? sizeof(int64_t) : sizeof(fc_real))));
  if (c->map->grouped) return read_in_group(p, local, a, s, integers, c->raw);
  if (a->axes[0] == '@') return read_attribute(p->file, p, a, integers, c->raw);
  if (p->set[array] <= 0) FC_TRY(open_set(p->file, p, a, &p->set[array]));
  return read_slab(p->set[array], p, a, s, integers, c->raw);
}

/* ---- columns ---- */

typedef struct place {
  int64_t rows, nt;
  int     n; /* columns of out */
} place;

static void put(const place *w, const slab *s, const fc_real *raw, int component, int col, fc_real *out) {
  const fc_real *from = raw + component * s->component;

  for (int64_t t = 0; t < w->nt; t++)
    for (int64_t i = 0; i < w->rows; i++) out[(t * w->rows + i) * w->n + col] = from[t * s->t + i * s->row];
}

static bool seen_before(const fc_cloud_column *col, int i) {
  for (int j = 0; j < i; j++)
    if (col[j].array == col[i].array) return true;
  return false;
}

static fc_status from_hdf5(fc_cloud *c, fc_cloud_part *p, int64_t local, int64_t t0, const place *w,
                           const fc_cloud_column *col, fc_real *out) {
  for (int i = 0; i < w->n; i++) {
    slab s;
    if (seen_before(col, i)) continue;
    FC_TRY(read_array(c, p, local, col[i].array, t0, w->nt, false, &s));
    for (int j = i; j < w->n; j++)
      if (col[j].array == col[i].array) put(w, &s, c->raw, col[j].component, j, out);
  }
  return FC_OK;
}

/* a column of a table must be one number if it is to be a parameter: each of the share's rows is compared
   with the sample's first */
static fc_status constant(const fc_cloud *c, const fc_cloud_part *p, int64_t sample, int64_t rows, int n,
                          int column) {
  const double *x = (const double *)c->raw + column;

  for (int64_t i = 1; i <= rows; i++)
    FC_REQUIRE(x[i * n] == x[0], FC_E_INPUT,
               "%s: column '%s' changes within sample %lld (%g, then %g); a parameter must not", p->path,
               c->map->array[column].path, (long long)sample, x[0], x[i * n]);
  return FC_OK;
}

static fc_status from_table(fc_cloud *c, fc_cloud_part *p, int64_t local, int64_t sample, const place *w,
                            const fc_cloud_column *col, fc_real *out) {
  const fc_range own = fc_cloud_own(c, fc_cloud_rows(p, local, FC_ROWS_POINTS));
  int            n;

  FC_TRY(fc_cloud_read_table(c, p, local, sample, &n));
  for (int j = 0; j < w->n; j++) {
    const bool    one = c->map->array[col[j].array].rows == FC_ROWS_ONE;
    const double *x   = (const double *)c->raw + (one ? 0 : n) + col[j].array;
    if (one) FC_TRY(constant(c, p, sample, own.hi - own.lo, n, col[j].array));
    for (int64_t t = 0; t < w->nt; t++)
      for (int64_t i = 0; i < w->rows; i++) out[(t * w->rows + i) * w->n + j] = (fc_real)x[i * n];
  }
  return FC_OK;
}

fc_status fc_cloud_read_columns(fc_cloud *c, int64_t sample, int rows, int64_t t0, int64_t nt, int n,
                                const fc_cloud_column *col, fc_real *out) {
  fc_cloud_part *p;
  int64_t        local;

  if (!n) return FC_OK;
  FC_TRY(fc_cloud_locate(c, sample, &p, &local));
  FC_REQUIRE(t0 >= 0 && nt >= 0 && t0 + nt <= p->steps[local], FC_E_USAGE,
             "%s: frames %lld to %lld are asked for, sample %lld has %lld", p->path, (long long)t0,
             (long long)(t0 + nt - 1), (long long)sample, (long long)p->steps[local]);
  const fc_range own = fc_cloud_block(c, rows, fc_cloud_rows(p, local, rows));
  const place    w   = {own.hi - own.lo, nt, n};
  return c->map->table ? from_table(c, p, local, sample, &w, col, out)
                       : from_hdf5(c, p, local, t0, &w, col, out);
}

static fc_status quiet_columns(fc_cloud *c, int64_t sample, int rows, int64_t t0, int64_t nt, int n,
                               const fc_cloud_column *col, fc_real *out) {
  const fc_h5_quiet q = fc_h5_hush();
  const fc_status   s = fc_cloud_read_columns(c, sample, rows, t0, nt, n, col, out);
  fc_h5_unhush(q);
  return s;
}

/* ---- what callers ask for ---- */

fc_status fc_cloud_read_points(fc_cloud *c, int64_t sample, fc_real *x) {
  return quiet_columns(c, sample, FC_ROWS_POINTS, 0, 1, c->map->info.space, c->map->point, x);
}

fc_status fc_cloud_read(fc_cloud *c, int64_t sample, int64_t t0, int64_t nt, int n_pick, const int *pick,
                        fc_real *x) {
  fc_cloud_column col[FC_FIELD_CHANNELS];
  const int       n = pick ? n_pick : c->map->info.n_channels;

  for (int i = 0; i < n; i++) col[i] = c->map->channel[pick ? pick[i] : i];
  return quiet_columns(c, sample, FC_ROWS_POINTS, t0, nt, n, col, x);
}

fc_status fc_cloud_read_params(fc_cloud *c, int64_t sample, fc_real *x) {
  return quiet_columns(c, sample, FC_ROWS_ONE, 0, 1, c->map->info.n_params, c->map->param, x);
}

fc_status fc_cloud_read_mask(fc_cloud *c, int64_t sample, fc_real *x) {
  fc_cloud_column col[FC_FIELD_CHANNELS];

  for (int k = 0; k < c->map->info.mask; k++) col[k] = (fc_cloud_column){c->map->mask, k};
  return quiet_columns(c, sample, FC_ROWS_POINTS, 0, 1, c->map->info.mask, col, x);
}

fc_status fc_cloud_read_function(fc_cloud *c, int64_t sample, int function, fc_real *x) {
  return quiet_columns(c, sample, FC_ROWS_FUNCTION + function, 0, 1, c->map->info.function[function].n,
                       c->map->function[function], x);
}

static fc_status read_times(fc_cloud *c, int64_t sample, int64_t t0, int64_t nt, double *t) {
  fc_cloud_part *p;
  int64_t        local;
  char           name[FC_NAME + FC_ARRAY_PATH + 2];

  FC_TRY(fc_cloud_locate(c, sample, &p, &local));
  FC_REQUIRE(t0 >= 0 && nt >= 0 && t0 + nt <= p->steps[local], FC_E_USAGE,
             "%s: times %lld to %lld are asked for, sample %lld has %lld frames", p->path, (long long)t0,
             (long long)(t0 + nt - 1), (long long)sample, (long long)p->steps[local]);
  for (int64_t i = 0; i < nt; i++) t[i] = (double)(t0 + i);
  if (c->map->times < 0) return FC_OK;
  const char *group = c->map->grouped ? p->group[local] : "";
  snprintf(name, sizeof name, "%s%s%s", group, group[0] ? "/" : "", c->map->array[c->map->times].path);
  return fc_h5_row(p->file, p->path, name, 0, t0, nt, t);
}

fc_status fc_cloud_times(fc_cloud *c, int64_t sample, int64_t t0, int64_t nt, double *t) {
  const fc_h5_quiet q = fc_h5_hush();
  const fc_status   s = read_times(c, sample, t0, nt, t);
  fc_h5_unhush(q);
  return s;
}

/* ---- cells ---- */

static fc_status read_corners(fc_cloud *c, fc_cloud_part *p, int64_t local, int64_t sample, int64_t *cell) {
  const int     k = c->map->info.corners;
  const int64_t n = fc_cloud_rows(p, local, FC_ROWS_CELLS), N = fc_cloud_rows(p, local, FC_ROWS_POINTS);
  slab          s;

  FC_TRY(read_array(c, p, local, c->map->cells, 0, 1, true, &s));
  for (int64_t i = 0; i < n; i++)
    for (int j = 0; j < k; j++) {
      const int64_t v = ((const int64_t *)c->raw)[i * s.row + j * s.component];
      FC_REQUIRE(v >= 0 && v < N, FC_E_INPUT,
                 "%s: '%s' of sample %lld: cell %lld has the corner %lld, the points are 0 to %lld", p->path,
                 c->map->array[c->map->cells].path, (long long)sample, (long long)i, (long long)v,
                 (long long)N - 1);
      cell[i * k + j] = v;
    }
  return FC_OK;
}

/* among all points, whoever reads what */
static fc_status find_triangles(fc_cloud *c, fc_cloud_part *p, int64_t local, int64_t sample, int64_t *cell) {
  const int       D = c->map->info.space, rank = c->rank, ranks = c->ranks;
  const int64_t   n = fc_cloud_rows(p, local, FC_ROWS_CELLS), N = fc_cloud_rows(p, local, FC_ROWS_POINTS);
  fc_cloud_column col[3];
  fc_real        *x = malloc((size_t)((n + N) * D) * sizeof *x);
  fc_status       s = x ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for the triangles of one sample");

  for (int a = 0; a < D; a++) col[a] = (fc_cloud_column){c->map->cells, a};
  fc_cloud_share(c, 0, 1);
  if (s == FC_OK) s = fc_cloud_read_columns(c, sample, FC_ROWS_POINTS, 0, 1, D, c->map->point, x);
  fc_cloud_share(c, rank, ranks);
  if (s == FC_OK) s = fc_cloud_read_columns(c, sample, FC_ROWS_CELLS, 0, 1, D, col, x + N * D);
  if (s == FC_OK && fc_cloud_triangles(D, N, x, n, x + N * D, cell) != FC_OK)
    s = fc_fail(FC_E_INPUT, "%s: sample %lld: a row of '%s' is the middle of no three neighbouring points",
                p->path, (long long)sample, c->map->array[c->map->cells].path);
  free(x);
  return s;
}

fc_status fc_cloud_read_cells(fc_cloud *c, int64_t sample, int64_t *cell) {
  fc_cloud_part *p;
  int64_t        local;

  if (c->map->cells < 0) return FC_OK;
  const fc_h5_quiet q = fc_h5_hush();
  fc_status         s = fc_cloud_locate(c, sample, &p, &local);
  if (s == FC_OK)
    s = c->map->centroids ? find_triangles(c, p, local, sample, cell)
                          : read_corners(c, p, local, sample, cell);
  fc_h5_unhush(q);
  return s;
}
