/* io/series_derive.c - columns by formula: the series a row belongs to, its number, its place in a period,
   and what another column was so many rows before. */
#include "io/series_layout.h"

#include "core/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 10000 }; /* period */

/* ---- words ---- */

/* N of "row%N", 0 for "row" and "series", -1: no such word */
static long period_of(const char *word) {
  char *end;

  if (!strcmp(word, "row") || !strcmp(word, "series")) return 0;
  if (strncmp(word, "row%", 4) != 0) return -1;
  errno        = 0;
  const long n = strtol(word + 4, &end, 10);
  return !errno && end > word + 4 && !*end && n >= 2 && n <= LONGEST ? n : -1;
}

int64_t fc_series_lag(const char *word, char name[FC_NAME]) {
  const char *at = strrchr(word, '@');
  char       *end;

  if (!at || at == word || at - word >= FC_NAME) return 0;
  errno        = 0;
  const long n = strtol(at + 1, &end, 10);
  snprintf(name, FC_NAME, "%.*s", (int)(at - word), word);
  return !errno && end > at + 1 && !*end && n >= 1 && n <= LONGEST ? n : 0;
}

/* column that a word looks back on, -1: none */
static int source_of(const fc_series *s, const char *word) {
  char name[FC_NAME];

  return fc_series_lag(word, name) ? fc_series_find(s, name) : -1;
}

static fc_status check_word(const fc_series *s, const char *word) {
  const int from = source_of(s, word);

  FC_REQUIRE(period_of(word) >= 0 || from >= 0, FC_E_USAGE,
             "data.derive: '%s' is no formula; series, row, row%%N with N from 2 to %d, or COLUMN@N, what a "
             "column of the file was N rows before",
             word, LONGEST);
  FC_REQUIRE(from < 0 || !s->info.category[from].n, FC_E_USAGE,
             "data.derive: '%s': the column holds classes, numbers are wanted", word);
  FC_REQUIRE(fc_series_find(s, word) < 0, FC_E_USAGE, "data.derive: the file has a column '%s' already",
             word);
  FC_REQUIRE(strcmp(word, "series") != 0 || s->info.series[0][0], FC_E_USAGE,
             "data.derive: series: the file holds one series without a name");
  FC_REQUIRE(s->info.n_columns < FC_SERIES_COLUMNS, FC_E_USAGE, "data.derive: more than %d columns",
             FC_SERIES_COLUMNS);
  return FC_OK;
}

static fc_status class_names(fc_series *s, const char *word, fc_series_class *out) {
  const long n = period_of(word);
  char       text[24];

  for (int k = 0; !strcmp(word, "series") && k < s->info.n_series; k++)
    FC_TRY(fc_series_class_add(out, s->info.series[k]));
  for (long k = 0; k < n; k++) {
    snprintf(text, sizeof text, "%ld", k);
    FC_TRY(fc_series_class_add(out, text));
  }
  return FC_OK;
}

/* name and classes of one more column; its values come with the rows */
static fc_status add_column(fc_series *s, const char *word) {
  const int c    = s->info.n_columns;
  char    **more = realloc(s->header, (size_t)(c + 1) * sizeof *more);

  FC_REQUIRE(more, FC_E_SYSTEM, "data.derive: not enough memory");
  s->header           = more;
  s->header[c]        = strdup(word);
  s->info.column[c]   = (fc_channel){.field = c};
  s->info.category[c] = (fc_series_class){0};
  snprintf(s->info.column[c].name, FC_NAME, "%s", word);
  s->info.n_columns = c + 1;
  FC_REQUIRE(s->header[c], FC_E_SYSTEM, "data.derive: not enough memory");
  return class_names(s, word, &s->info.category[c]);
}

/* ---- rows ---- */

/* before the first row its value stands in; old: columns of the rows as they are */
static double value_before(const fc_series *s, int old, const char *word, int series, int64_t row) {
  char          name[FC_NAME];
  const int64_t at = fc_max64(0, row - fc_series_lag(word, name)),
                n  = s->info.at[series + 1] - s->info.at[series];

  return at < n ? s->x[(s->info.at[series] + at) * old + fc_series_find(s, name)] : NAN;
}

static double value_of(const fc_series *s, int old, int column, int series, int64_t row) {
  const char *word = s->header[column];
  const long  n    = period_of(word);

  if (n < 0) return value_before(s, old, word, series, row);
  return !strcmp(word, "series") ? series : n ? (double)(row % n) : (double)row;
}

/* row r of series k, and behind its end, where only formulas know something */
static void fill_row(const fc_series *s, int old, int k, int64_t r, double *x, int64_t *time) {
  const fc_series_info *i    = &s->info;
  const int64_t         from = i->at[k], n = i->at[k + 1] - from, last = s->time[from + n - 1];

  for (int c = 0; c < old; c++) x[c] = r < n ? s->x[(from + r) * old + c] : NAN;
  for (int c = old; c < i->n_columns; c++) x[c] = value_of(s, old, c, k, r);
  *time = r < n ? s->time[from + r] : i->dated ? fc_date_add(last, i->step, r - n + 1) : last + r - n + 1;
}

static fc_status widen(fc_series *s, int old, int64_t more) {
  fc_series_info *i    = &s->info;
  const int64_t   rows = i->rows + more * i->n_series;
  double         *x = malloc((size_t)(rows * i->n_columns) * sizeof *x), *to = x;
  int64_t        *time = malloc((size_t)rows * sizeof *time), *when = time;

  if (!x || !time) {
    free(x);
    free(time);
    i->n_columns = old; /* as many as the rows have */
    return fc_fail(FC_E_SYSTEM, "data.derive: not enough memory");
  }
  for (int k = 0; k < i->n_series; k++)
    for (int64_t r = 0; r < i->at[k + 1] - i->at[k] + more; r++, to += i->n_columns)
      fill_row(s, old, k, r, to, when++);
  free(s->x);
  free(s->time);
  s->x    = x;
  s->time = time;
  for (int k = 1; k <= i->n_series; k++) i->at[k] += k * more;
  i->rows = rows;
  return FC_OK;
}

fc_status fc_series_derive(fc_series *s, const char *list, int64_t more) {
  const int old = s->info.n_columns;
  char      word[FC_NAME];

  while (fc_text_item(&list, sizeof word, word)) {
    FC_TRY(check_word(s, word));
    FC_TRY(add_column(s, word));
  }
  return s->info.n_columns > old ? widen(s, old, more) : FC_OK;
}
