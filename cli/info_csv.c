/* cli/info_csv.c - tables that are neither series nor points, or that are broken ones: columns, dates and
   gaps between them, empty cells and text, statistics. */
#include "cli/info.h"
#include "io/calendar.h"
#include "io/csv.h"
#include "io/data_kind.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct column {
  const char *name; /* of the reader */
  int64_t     numbers, empty, text;
  double      mean, m2, lo, hi;
} column;

typedef struct table {
  const char *path;
  int         n;
  column     *col;
  int64_t     rows, odd_step; /* steps of the first column that differ from the first step */
  int64_t     before, step;   /* seconds */
  int64_t     dates;
  char        first[64], last[64];
} table;

static void take_number(column *c, double x) {
  const double d = x - c->mean;

  c->numbers++;
  c->mean += d / (double)c->numbers;
  c->m2 += d * (x - c->mean);
  c->lo = c->numbers == 1 || x < c->lo ? x : c->lo;
  c->hi = c->numbers == 1 || x > c->hi ? x : c->hi;
}

static void take_cell(column *c, const char *cell) {
  double x;

  if (!*cell)
    c->empty++;
  else if (!fc_csv_number(cell, &x) || !isfinite(x))
    c->text++; /* "nan" and "NA" are text too */
  else
    take_number(c, x);
}

static void take_date(table *t, const char *cell) {
  int64_t now;

  if (!fc_date_read(cell, FC_DATE_ISO, &now)) return;
  if (t->dates == 0) snprintf(t->first, sizeof t->first, "%.60s", cell);
  snprintf(t->last, sizeof t->last, "%.60s", cell);
  if (t->dates == 1) t->step = now - t->before;
  if (t->dates >= 1 && now - t->before != t->step) t->odd_step++;
  t->before = now;
  t->dates++;
}

static fc_status take_header(table *t, const fc_csv *f) {
  t->n   = fc_csv_columns(f);
  t->col = calloc((size_t)t->n, sizeof *t->col);
  FC_REQUIRE(t->col, FC_E_SYSTEM, "%s: not enough memory", t->path);
  for (int k = 0; k < t->n; k++) t->col[k].name = fc_csv_name(f, k);
  return FC_OK;
}

static fc_status read_table(fc_csv *f, table *t) {
  char **cell;

  FC_TRY(take_header(t, f));
  for (;;) {
    FC_TRY(fc_csv_next(f, &cell));
    if (!cell) return FC_OK;
    take_date(t, cell[0]);
    for (int k = 0; k < t->n; k++) take_cell(&t->col[k], cell[k]);
    t->rows++;
  }
}

static json_t *column_row(const column *c) {
  json_t *row = json_object();

  fc_info_text(row, "column", c->name);
  fc_info_real(row, "min", c->numbers ? c->lo : NAN);
  fc_info_real(row, "mean", c->numbers ? c->mean : NAN);
  fc_info_real(row, "std", c->numbers ? sqrt(c->m2 / (double)c->numbers) : NAN);
  fc_info_real(row, "max", c->numbers ? c->hi : NAN);
  fc_info_int(row, "numbers", c->numbers);
  fc_info_int(row, "empty", c->empty);
  fc_info_int(row, "text", c->text);
  return row;
}

static void report(const table *t, json_t *out) {
  const bool dated = t->rows > 0 && t->dates == t->rows;
  json_t    *list  = json_array();

  fc_info_text(out, "kind", dated ? "CSV, time series" : "CSV, table");
  fc_info_int(out, "rows", t->rows);
  fc_info_int(out, "columns", t->n);
  if (t->dates) {
    fc_info_text(out, "first date", t->first);
    fc_info_text(out, "last date", t->last);
    fc_info_int(out, "step in s", t->step);
    fc_info_int(out, "odd steps", t->odd_step);
  }
  if (t->dates && !dated) fc_info_int(out, "rows without a date", t->rows - t->dates);
  for (int k = t->dates ? 1 : 0; k < t->n; k++) json_array_append_new(list, column_row(&t->col[k]));
  json_object_set_new(out, "contents", list);
}

static fc_status any_table(const char *path, json_t *out) {
  table   t = {.path = path};
  fc_csv *f;

  fc_info_text(out, "kind", "CSV");
  FC_TRY(fc_csv_open(path, &f));
  const fc_status s = read_table(f, &t);
  if (s == FC_OK) report(&t, out);
  free(t.col);
  fc_csv_close(f);
  return s;
}

fc_status fc_info_csv(const char *path, const fc_info_options *o, json_t *out) {
  const fc_data_kind kind = fc_data_kind_of(path);
  char               why[512];

  if (kind == FC_DATA_POINTS) return fc_info_cloud(path, o, out);
  if (kind == FC_DATA_SERIES) {
    if (fc_info_series(path, o, out) == FC_OK) return FC_OK;
    snprintf(why, sizeof why, "%s", fc_error());
    FC_TRY(any_table(path, out));
    fc_info_text(out, "note", why);
    return FC_OK;
  }
  return any_table(path, out);
}
