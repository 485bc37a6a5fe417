/* io/series_wide.c - tables with one series in each row: a name, then its values. The columns of values are
   called by dates, or numbered one after the other (V2, V3, ..); rows may end early. */
#include "io/csv.h"
#include "io/series_layout.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST = 4 }; /* columns */

/* "V17" -> "V" and 17; -1 without a number */
static long number_of(const char *name, size_t *prefix) {
  *prefix = strlen(name);
  while (*prefix > 0 && isdigit((unsigned char)name[*prefix - 1])) --*prefix;
  const size_t digits = strlen(name) - *prefix;
  return digits > 0 && digits < 9 ? atol(name + *prefix) : -1;
}

static bool numbered(const fc_csv *t) {
  size_t     prefix, own;
  const long first = number_of(fc_csv_name(t, 1), &prefix);

  for (int k = 1; k < fc_csv_columns(t); k++)
    if (number_of(fc_csv_name(t, k), &own) != first + k - 1 || own != prefix ||
        strncmp(fc_csv_name(t, k), fc_csv_name(t, 1), prefix) != 0)
      return false;
  return first >= 0;
}

static bool dated(const fc_csv *t) {
  int64_t x;

  for (int k = 1; k < fc_csv_columns(t); k++)
    if (!fc_date_read(fc_csv_name(t, k), FC_DATE_ISO, &x)) return false;
  return true;
}

bool fc_series_is_wide(const char *path, const fc_series_mapping *told) {
  fc_csv *t;
  char  **cell;
  double  x;
  int64_t date;
  bool    yes = false;

  if ((fc_series_told(told->date) && !fc_series_none(told->date)) || fc_csv_open(path, &t) != FC_OK)
    return false;
  if (fc_csv_columns(t) >= FEWEST && (numbered(t) || dated(t)) && fc_csv_next(t, &cell) == FC_OK && cell)
    yes = *cell[0] && !fc_csv_value(t, cell[0], &x) && !fc_date_read(cell[0], FC_DATE_ISO, &date) &&
          fc_csv_value(t, cell[1], &x);
  fc_csv_close(t);
  return yes;
}

static fc_status read_cell(fc_csv *t, const char *path, char *const *cell, int k, double *x) {
  *x = NAN;
  if (fc_cell_missing(cell[k])) return FC_OK;
  FC_REQUIRE(fc_csv_value(t, cell[k], x) && isfinite(*x), FC_E_INPUT,
             "%s:%lld: column '%s' holds '%.40s', which is no number", path, (long long)fc_csv_line(t),
             fc_csv_name(t, k), cell[k]);
  return FC_OK;
}

static fc_status read_series(fc_series_raw *raw, fc_csv *t, char *const *cell, int owner) {
  int64_t row;
  int     n = fc_csv_columns(t);

  while (n > 1 && fc_cell_missing(cell[n - 1])) n--;
  FC_REQUIRE(n > 1, FC_E_INPUT, "%s:%lld: the series '%.40s' has no values", raw->path,
             (long long)fc_csv_line(t), cell[0]);
  for (int k = 1; k < n; k++) {
    FC_TRY(fc_series_add_row(raw, &row));
    FC_TRY(read_cell(t, raw->path, cell, k, &raw->x[row]));
    raw->line[row]  = fc_csv_line(t);
    raw->owner[row] = owner;
    if (raw->s->info.dated) fc_date_read(fc_csv_name(t, k), FC_DATE_ISO, &raw->time[row]);
  }
  return FC_OK;
}

static fc_status read_all(fc_series_raw *raw, fc_csv *t) {
  fc_series_info *info  = &raw->s->info;
  fc_series_class names = {0};
  fc_status       s     = fc_series_add_column(raw, "value");
  char          **cell;
  int             last = 0;

  info->layout_name = "CSV table, a series in each row";
  info->dated       = dated(t) && !fc_series_none(raw->told->date);
  while (s == FC_OK && (s = fc_csv_next(t, &cell)) == FC_OK && cell) {
    if (fc_series_class_find(&names, cell[0], &last) >= 0)
      s = fc_fail(FC_E_INPUT, "%s:%lld: there are two series called '%.40s'", raw->path,
                  (long long)fc_csv_line(t), cell[0]);
    if (s == FC_OK) s = fc_series_class_add(&names, cell[0]);
    if (s == FC_OK) s = read_series(raw, t, cell, names.n - 1);
  }
  info->n_series = names.n;
  info->series   = names.name;
  return s;
}

fc_status fc_series_read_wide(fc_series_raw *raw) {
  fc_csv *t;

  FC_TRY(fc_csv_open(raw->path, &t));
  const fc_status s = read_all(raw, t);
  fc_csv_close(t);
  return s;
}
