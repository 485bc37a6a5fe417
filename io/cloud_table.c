/* io/cloud_table.c - points as tables of text: one row is one point. Columns x, y, z are coordinates, a
   column "sample" says where a new sample begins, all other columns of numbers are fields, unless they are
   named. */
#include "io/cloud_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char sample_column[] = "sample";

/* names that tools give to coordinates; the last are ParaView's */
static const char *const known[][3] = {
    {"x", "y", "z"}, {"X", "Y", "Z"}, {"Points:0", "Points:1", "Points:2"}};

typedef struct {
  fc_csv                 *t;
  const fc_cloud_mapping *told;
  fc_cloud_map           *m;
  fc_cloud_part          *p;
  int                     label; /* the sample column, -1: none */
} work;

/* ---- columns ---- */

/* by its whole name, or by the name before its unit */
static fc_status column_of(const work *w, const char *key, const char *name, int *out) {
  char own[FC_NAME], unit[FC_NAME];

  *out = fc_csv_find(w->t, name);
  for (int k = 0; *out < 0 && k < fc_csv_columns(w->t); k++) {
    fc_csv_split_unit(fc_csv_name(w->t, k), own, unit);
    if (!strcmp(own, name)) *out = k;
  }
  FC_REQUIRE(*out >= 0, FC_E_USAGE, "%s: %s names the column '%s', and there is none", w->p->path, key, name);
  return FC_OK;
}

static int known_axes(const fc_csv *t, const char *const names[3]) {
  int n = 0;

  while (n < 3 && fc_csv_find(t, names[n]) >= 0) n++;
  return n;
}

static fc_status coordinates(work *w) {
  fc_cloud_item item;
  bool          more = fc_cloud_told(w->told->coordinates);
  int           column;

  for (const char *at = w->told->coordinates; more;) {
    FC_TRY(fc_cloud_next_item("data.coordinates", &at, &item, &more));
    if (!more) break;
    FC_TRY(column_of(w, "data.coordinates", item.array[0], &column));
    FC_TRY(fc_cloud_add_axes(w->m, w->p->path, column, item.label));
  }
  for (int k = 0; k < FC_COUNT(known) && !w->m->info.space; k++) {
    const int n = known_axes(w->t, known[k]);
    for (int i = 0; n >= 2 && i < n; i++)
      FC_TRY(fc_cloud_add_axes(w->m, w->p->path, fc_csv_find(w->t, known[k][i]), known[k][i]));
  }
  FC_REQUIRE(w->m->info.space, FC_E_INPUT, "%s: no columns x and y; data.coordinates names the coordinates",
             w->p->path);
  return FC_OK;
}

static bool renamed(const fc_cloud_item *item) { return strcmp(item->label, item->array[0]) != 0; }

static fc_status named_fields(work *w, const char *key, const char *list, fc_cloud_role role) {
  fc_cloud_item item;
  bool          more = fc_cloud_told(list) && !fc_cloud_none(list);
  char          name[FC_NAME], unit[FC_NAME];
  int           column;

  for (const char *at = list; more;) {
    FC_TRY(fc_cloud_next_item(key, &at, &item, &more));
    if (!more) break;
    FC_TRY(column_of(w, key, item.array[0], &column));
    fc_csv_split_unit(fc_csv_name(w->t, column), name, unit);
    FC_TRY(fc_cloud_add_channels(w->m, w->p->path, column, renamed(&item) ? item.label : name, unit, role));
  }
  return FC_OK;
}

static fc_status params(work *w) {
  fc_cloud_item item;
  bool          more = fc_cloud_told(w->told->params) && !fc_cloud_none(w->told->params);
  char          name[FC_NAME], unit[FC_NAME];
  int           column;

  for (const char *at = w->told->params; more;) {
    FC_TRY(fc_cloud_next_item("data.params", &at, &item, &more));
    if (!more) break;
    FC_TRY(column_of(w, "data.params", item.array[0], &column));
    w->m->array[column].rows = FC_ROWS_ONE;
    fc_csv_split_unit(fc_csv_name(w->t, column), name, unit);
    FC_TRY(fc_cloud_add_params(w->m, w->p->path, column, renamed(&item) ? item.label : name, unit));
  }
  return FC_OK;
}

static fc_status mask(work *w) {
  const char   *at   = w->told->mask;
  fc_cloud_item item = {.array = {"mask"}};
  bool          more;

  if (fc_cloud_none(at)) return FC_OK;
  if (fc_cloud_told(at)) FC_TRY(fc_cloud_next_item("data.mask", &at, &item, &more));
  const int column = fc_csv_find(w->t, item.array[0]);
  FC_REQUIRE(column >= 0 || !fc_cloud_told(w->told->mask), FC_E_USAGE,
             "%s: data.mask names the column '%s', and there is none", w->p->path, item.array[0]);
  if (column < 0) return FC_OK;
  w->m->mask               = column;
  w->m->info.mask          = 1;
  w->m->array[column].used = true;
  return FC_OK;
}

/* of a role that names nothing, the columns of numbers that are nothing else */
static fc_status other_fields(work *w, char *const *first_row) {
  char   name[FC_NAME], unit[FC_NAME];
  double x;

  if (fc_cloud_told(w->told->channels)) return FC_OK;
  for (int k = 0; k < w->m->n_arrays; k++) {
    if (w->m->array[k].used || k == w->label || !first_row || !fc_csv_value(w->t, first_row[k], &x)) continue;
    if (w->m->info.n_channels == FC_FIELD_CHANNELS) break;
    fc_csv_split_unit(fc_csv_name(w->t, k), name, unit);
    FC_TRY(fc_cloud_add_channels(w->m, w->p->path, k, name, unit, FC_ROLE_TARGET));
  }
  return FC_OK;
}

static fc_status arrays(work *w) {
  int k;

  for (int i = 0; i < fc_csv_columns(w->t); i++) {
    FC_TRY(fc_cloud_add_array(w->m, w->p->path, fc_csv_name(w->t, i), FC_ROWS_POINTS, &k));
    strcpy(w->m->array[k].axes, "n");
  }
  w->label = fc_csv_find(w->t, sample_column);
  return FC_OK;
}

static fc_status impossible(const work *w, const char *key, const char *list) {
  FC_REQUIRE(!fc_cloud_told(list) || fc_cloud_none(list), FC_E_USAGE,
             "%s: %s cannot come from a table; it needs HDF5 (docs/formats.md)", w->p->path, key);
  return FC_OK;
}

static fc_status describe_columns(work *w, char *const *first_row) {
  FC_TRY(impossible(w, "data.functions", w->told->functions));
  FC_TRY(impossible(w, "data.cells", w->told->cells));
  FC_TRY(impossible(w, "data.times", w->told->times));
  FC_TRY(coordinates(w));
  FC_TRY(params(w));
  FC_TRY(mask(w));
  FC_TRY(named_fields(w, "data.inputs", w->told->inputs, FC_ROLE_INPUT));
  FC_TRY(named_fields(w, "data.channels", w->told->channels, FC_ROLE_TARGET));
  FC_TRY(other_fields(w, first_row));
  FC_REQUIRE(w->m->info.n_channels, FC_E_INPUT, "%s: no column of numbers beside the coordinates",
             w->p->path);
  return FC_OK;
}

/* ---- samples ---- */

typedef struct {
  char        *label;
  int64_t      rows;
  fc_csv_place place;
} block;

typedef struct {
  block  *b;
  int64_t n, room;
} block_list;

static fc_status begin_block(work *w, block_list *l, const char *label, fc_csv_place at) {
  if (l->n == l->room) {
    l->room    = l->room ? 2 * l->room : 16;
    void *more = realloc(l->b, (size_t)l->room * sizeof *l->b);
    FC_REQUIRE(more, FC_E_SYSTEM, "%s: not enough memory for a list of samples", w->p->path);
    l->b = more;
  }
  l->b[l->n] = (block){strdup(label), 0, at};
  FC_REQUIRE(l->b[l->n++].label, FC_E_SYSTEM, "%s: not enough memory for a list of samples", w->p->path);
  return FC_OK;
}

/* one pass over the file: the number of cells in each row is checked, their values are not */
static fc_status find_blocks(work *w, block_list *l) {
  char **cell;

  for (bool first = true;; first = false) {
    const fc_csv_place at = fc_csv_tell(w->t);
    FC_TRY(fc_csv_next(w->t, &cell));
    if (first) FC_TRY(describe_columns(w, cell));
    if (!cell) return FC_OK;
    const char *label = w->label >= 0 ? cell[w->label] : "";
    if (!l->n || strcmp(label, l->b[l->n - 1].label)) FC_TRY(begin_block(w, l, label, at));
    l->b[l->n - 1].rows++;
  }
}

static int by_label(const void *a, const void *b) {
  return strcmp(((const block *)a)->label, ((const block *)b)->label);
}

/* b is sorted afterwards */
static fc_status all_distinct(const work *w, block_list *l) {
  qsort(l->b, (size_t)l->n, sizeof *l->b, by_label);
  for (int64_t i = 1; i < l->n; i++)
    FC_REQUIRE(strcmp(l->b[i].label, l->b[i - 1].label), FC_E_INPUT,
               "%s: the rows of sample '%s' do not stand together; sort the table by its column '%s'",
               w->p->path, l->b[i].label, sample_column);
  return FC_OK;
}

static fc_status keep_blocks(work *w, block_list *l) {
  FC_REQUIRE(l->n, FC_E_INPUT, "%s: a header and no rows", w->p->path);
  FC_TRY(fc_cloud_part_room(w->m, w->p, l->n));
  w->p->place = malloc((size_t)l->n * sizeof *w->p->place);
  FC_REQUIRE(w->p->place, FC_E_SYSTEM, "%s: not enough memory for a list of samples", w->p->path);
  int64_t *at = w->p->at[FC_ROWS_POINTS];
  for (int64_t i = 0; i < l->n; i++) {
    w->p->place[i] = l->b[i].place;
    at[i + 1]      = at[i] + l->b[i].rows;
  }
  return all_distinct(w, l);
}

fc_status fc_cloud_describe_table(const fc_cloud_mapping *told, fc_cloud_map *m, fc_cloud_part *p) {
  work       w = {.told = told, .m = m, .p = p, .label = -1};
  block_list l = {0};

  FC_TRY(fc_csv_open(p->path, &w.t));
  m->table            = true;
  m->info.layout_name = "table of points";
  fc_status s         = arrays(&w);
  if (s == FC_OK) s = find_blocks(&w, &l);
  if (s == FC_OK) s = keep_blocks(&w, &l);
  for (int64_t i = 0; i < l.n; i++) free(l.b[i].label);
  free(l.b);
  fc_csv_close(w.t);
  return s;
}

bool fc_cloud_is_table(const char *path) {
  fc_csv *t;
  bool    yes = false;

  if (fc_csv_open(path, &t) != FC_OK) return false;
  for (int k = 0; k < FC_COUNT(known); k++) yes |= known_axes(t, known[k]) >= 2;
  yes &= fc_csv_columns(t) > 2 && fc_csv_find(t, "date") < 0; /* else a time series */
  fc_csv_close(t);
  return yes;
}

/* ---- values ---- */

/* columns that nothing refers to may hold anything */
static fc_status read_row(const fc_cloud *c, fc_csv *t, char **cell, double *x) {
  const int n = fc_csv_columns(t);

  for (int k = 0; k < n; k++)
    if (c->map->array[k].used) FC_TRY(fc_csv_real(t, cell, k, &x[k]));
  return FC_OK;
}

/* Rows in front of the share are walked through: their lengths are not known. */
static fc_status read_rows(const fc_cloud *c, fc_csv *t, fc_range own, double *x) {
  const int n = fc_csv_columns(t);
  char    **cell;

  for (int64_t i = 0; i < own.hi; i++) {
    FC_TRY(fc_csv_next(t, &cell));
    FC_REQUIRE(cell, FC_E_INPUT, "%s: the table has become shorter while it was read", c->part[0].path);
    if (i == 0) FC_TRY(read_row(c, t, cell, x));
    if (i >= own.lo) FC_TRY(read_row(c, t, cell, x + (1 + i - own.lo) * n));
  }
  return FC_OK;
}

fc_status fc_cloud_read_table(fc_cloud *c, const fc_cloud_part *p, int64_t local, int64_t sample,
                              int *columns) {
  const fc_range own = fc_cloud_own(c, fc_cloud_rows(p, local, FC_ROWS_POINTS));
  fc_csv        *t;

  *columns = c->map->n_arrays;
  if (c->table_sample == sample) return FC_OK;
  FC_TRY(fc_cloud_raw(c, (size_t)((1 + own.hi - own.lo) * *columns) * sizeof(double)));
  FC_TRY(fc_csv_open(p->path, &t));
  fc_status s = fc_csv_seek(t, p->place[local]);
  if (s == FC_OK && fc_csv_columns(t) != *columns)
    s = fc_fail(FC_E_INPUT, "%s: the table has changed while it was read", p->path);
  if (s == FC_OK) s = read_rows(c, t, own, c->raw);
  fc_csv_close(t);
  if (s == FC_OK) c->table_sample = sample;
  return s;
}
