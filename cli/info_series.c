/* cli/info_series.c - time series: span, step, columns with statistics, what is missing. Nothing is refused
   that can be shown: cells and rows that are missing are counted, rows are sorted. */
#include "cli/info.h"
#include "io/series.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DAY = 86400, NAMES = 48, MOST = 200 };

typedef struct {
  double  mean, m2, lo, hi;
  int64_t n;
} moments;

static void take(moments *m, double x) {
  if (isnan(x)) return;
  const double d = x - m->mean;
  m->lo          = m->n == 0 || x < m->lo ? x : m->lo;
  m->hi          = m->n == 0 || x > m->hi ? x : m->hi;
  m->n++;
  m->mean += d / (double)m->n;
  m->m2 += d * (x - m->mean);
}

/* "clear, mist, rain", as many as fit */
static void class_names(const fc_series_class *c, char *buf, size_t size) {
  size_t n = (size_t)snprintf(buf, size, "%d:", c->n);

  for (int k = 0; k < c->n; k++) {
    const size_t more = strlen(c->name[k]) + 2;
    if (n + more + 5 > size) {
      snprintf(buf + n, size - n, ", ..");
      return;
    }
    n += (size_t)snprintf(buf + n, size - n, "%s%s", k ? ", " : " ", c->name[k]);
  }
}

static json_t *column_row(const fc_series *s, int c, bool statistics, bool classes) {
  const fc_series_info *i            = fc_series_about(s);
  json_t               *row          = json_object();
  moments               m            = {0};
  char                  names[NAMES] = "";

  for (int64_t r = 0; r < i->rows; r++) take(&m, fc_series_values(s)[r * i->n_columns + c]);
  const bool numbers = !i->category[c].n && m.n > 0;
  fc_info_text(row, "column", i->column[c].name);
  fc_info_text(row, "unit", i->column[c].unit);
  if (statistics) {
    fc_info_real(row, "min", numbers ? m.lo : NAN);
    fc_info_real(row, "mean", numbers ? m.mean : NAN);
    fc_info_real(row, "std", numbers ? sqrt(m.m2 / (double)m.n) : NAN);
    fc_info_real(row, "max", numbers ? m.hi : NAN);
    fc_info_int(row, "missing", i->rows - i->filled_rows - m.n);
  }
  if (i->category[c].n) class_names(&i->category[c], names, sizeof names);
  if (classes) fc_info_text(row, "classes", names);
  return row;
}

static void date(json_t *out, const fc_series_info *i, const char *key, int64_t t) {
  char text[48];

  fc_date_text(t, (i->step.months || i->step.seconds % DAY == 0) && t % DAY == 0, text, sizeof text);
  fc_info_text(out, key, text);
}

static void span(json_t *out, const fc_series *s) {
  const fc_series_info *i    = fc_series_about(s);
  const int64_t        *time = fc_series_times(s);
  int64_t               lo = time[0], hi = time[0];
  char                  step[48];

  for (int64_t r = 1; r < i->rows; r++) {
    lo = fc_min64(lo, time[r]);
    hi = fc_max64(hi, time[r]);
  }
  fc_date_step_text(i->step, step, sizeof step);
  fc_info_text(out, "dates in", i->date_column);
  date(out, i, "first date", lo);
  date(out, i, "last date", hi);
  fc_info_text(out, "step", step);
  fc_info_int(out, "steps of a season", fc_date_season(i->step));
}

static void lengths(json_t *out, const fc_series_info *i) {
  int64_t least = i->rows, most = 0;

  for (int k = 0; k < i->n_series; k++) {
    least = fc_min64(least, i->at[k + 1] - i->at[k]);
    most  = fc_max64(most, i->at[k + 1] - i->at[k]);
  }
  if (i->n_series == 1 && !i->series[0][0]) return;
  fc_info_int(out, "series", i->n_series);
  fc_info_text(out, "first series", i->series[0]);
  fc_info_int(out, "rows of the shortest", least);
  fc_info_int(out, "rows of the longest", most);
}

static void left_out(json_t *out, const fc_series_info *i) {
  json_t *list = json_array();

  for (int k = 0; k < i->n_left_out && k < FC_COUNT(i->left_out); k++)
    json_array_append_new(list, json_string(i->left_out[k]));
  if (i->n_left_out) json_object_set(out, "left out", list);
  json_decref(list);
}

static void general(json_t *out, const fc_series *s) {
  const fc_series_info *i = fc_series_about(s);
  char                  kind[96];

  snprintf(kind, sizeof kind, "%s, time series", i->layout_name);
  fc_info_text(out, "kind", kind);
  fc_info_int(out, "rows", i->rows - i->filled_rows);
  fc_info_int(out, "columns", i->n_columns);
  lengths(out, i);
  if (i->dated) span(out, s);
  if (i->filled_rows) fc_info_int(out, "missing rows", i->filled_rows);
  if (i->reordered) fc_info_text(out, "order", "not by date; data.sort=true sorts the rows");
  left_out(out, i);
}

fc_status fc_info_series(const char *path, const fc_info_options *o, json_t *out) {
  const fc_series_mapping look    = {.missing = FC_MISSING_KEEP, .sort = true};
  json_t                 *list    = json_array();
  bool                    classes = false;
  fc_series              *s;
  fc_status               st = fc_series_open(path, &look, &s);

  if (st == FC_OK) {
    const fc_series_info *i = fc_series_about(s);
    general(out, s);
    for (int c = 0; c < i->n_columns; c++) classes |= i->category[c].n > 0;
    for (int c = 0; c < i->n_columns && c < MOST; c++)
      json_array_append_new(list, column_row(s, c, o->statistics, classes));
    json_object_set(out, "contents", list);
    if (i->n_columns > MOST) fc_info_text(out, "note", "only the first 200 columns are listed");
    fc_series_close(s);
  }
  json_decref(list);
  return st;
}
