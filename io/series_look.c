/* io/series_look.c - a first pass over a table: which columns hold dates (and in which order of day and
   month), numbers, names. */
#include "io/series_columns.h"

#include "core/options.h"
#include "core/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 256 };

/* ---- cells ---- */

bool fc_cell_missing(const char *cell) {
  static const char *const words[] = {"", "NA", "N/A", "NaN", "null", "none", "?", "-", "<NA>", "#N/A"};
  char                     word[8];

  cell += strspn(cell, " \t");
  size_t n = strlen(cell);
  while (n > 0 && isspace((unsigned char)cell[n - 1])) n--;
  if (n >= sizeof word) return false;
  snprintf(word, sizeof word, "%.*s", (int)n, cell);
  for (int k = 0; k < FC_COUNT(words); k++)
    if (fc_text_same(word, words[k])) return true;
  return false;
}

bool fc_cell_truth(const char *cell, double *x) {
  *x = fc_text_same(cell, "true") || fc_text_same(cell, "yes");
  return *x != 0 || fc_text_same(cell, "false") || fc_text_same(cell, "no");
}

/* "-1.5": a number, whatever else it may look like */
static bool strict_date(const char *cell) {
  const char *p = cell + strspn(cell, " 0123456789");
  return p > cell + strspn(cell, " ") ? *p && strchr("-/.: TQW", *p) : isalpha((unsigned char)*p) != 0;
}

static void take_date(fc_dates_look *d, bool is_date, int64_t t, const char *cell, int64_t line) {
  if (!is_date) {
    if (!d->bad_line) {
      d->bad_line = line;
      snprintf(d->bad, sizeof d->bad, "%.40s", cell);
    }
    return;
  }
  const int64_t diff = t - d->last;
  if (d->n > 0) d->same += diff == 0;
  if (d->n > 1) d->odd += llabs(diff - d->diff) > 4 * 86400; /* months differ by as much */
  d->diff = diff;
  d->last = t;
  d->n++;
}

static void take_dates(fc_dates_look *d, const char *cell, int64_t line) {
  for (int order = 0; order < 3; order++) {
    int64_t    t       = 0;
    const bool is_date = fc_date_read(cell, (fc_date_order)order, &t);
    take_date(&d[order], is_date, t, cell, line);
  }
}

/* columns whose first cells are no dates are not asked again, but for those that are called so */
static bool may_be_date(const fc_column_look *c, int64_t row) {
  int64_t n = 0;
  for (int order = 0; order < 3; order++) n = fc_max64(n, c->date[order].n);
  return row < 16 || 2 * n > row;
}

static fc_status take_class(fc_column_look *c, const char *cell) {
  if (c->too_many || fc_series_class_find(&c->classes, cell, &c->last) >= 0) return FC_OK;
  c->too_many = !c->declared && c->classes.n == CLASSES;
  if (c->too_many) return FC_OK;
  c->last = c->classes.n;
  return fc_series_class_add(&c->classes, cell);
}

static fc_status take_cell(fc_table_look *l, fc_column_look *c, const char *cell) {
  double     x;
  const bool number = fc_csv_value(l->t, cell, &x) && !isnan(x), missing = !number && fc_cell_missing(cell);

  if (c->ignored) return FC_OK;
  if (may_be_date(c, l->rows)) take_dates(c->date, cell, fc_csv_line(l->t));
  if (!l->rows) c->strict = strict_date(cell);
  c->numbers += number;
  c->missing += missing;
  if (!number && !missing && c->text++ == 0) {
    c->text_line = fc_csv_line(l->t);
    snprintf(c->text_cell, sizeof c->text_cell, "%.40s", cell);
  }
  c->truths += !number && !missing && fc_cell_truth(cell, &x);
  return !missing && (c->declared || !c->numbers) ? take_class(c, cell) : FC_OK;
}

/* ---- names of columns ---- */

static fc_status find_column(const fc_table_look *l, const char *key, const char *name, int *out) {
  char        own[FC_NAME], unit[FC_NAME];
  const char *names[FC_SERIES_COLUMNS];
  const int   n = (int)fc_min64(l->n, FC_SERIES_COLUMNS);

  *out = fc_csv_find(l->t, name);
  for (int k = 0; *out < 0 && k < l->n; k++) {
    fc_csv_split_unit(fc_csv_name(l->t, k), own, unit);
    if (!strcmp(own, name)) *out = k;
  }
  if (*out >= 0) return FC_OK;
  for (int k = 0; k < n; k++) names[k] = fc_csv_name(l->t, k);
  const char *near = fc_nearest(name, n, names);
  return fc_fail(FC_E_USAGE, "%s: %s names the column '%s', and there is none%s%s%s", l->path, key, name,
                 near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* the next of words with `separator` between them, brackets around them */
static bool next_word(const char **list, char separator, char *out) {
  const char *p = *list + strspn(*list, " \t,+["), *end = strchr(p, separator);
  size_t      n = end ? (size_t)(end - p) : strlen(p);

  *list = p + n;
  while (n > 0 && strchr(" \t]", p[n - 1])) n--;
  snprintf(out, FC_NAME, "%.*s", (int)fc_min64((int64_t)n, FC_NAME - 1), p);
  return *out != 0;
}

static fc_status mark_columns(fc_table_look *l, const char *key, const char *list, bool ignored) {
  char word[FC_NAME];
  int  k;

  if (!fc_series_told(list) || fc_series_none(list)) return FC_OK;
  while (next_word(&list, ',', word)) {
    FC_TRY(find_column(l, key, word, &k));
    l->col[k].ignored |= ignored;
    l->col[k].declared |= !ignored;
  }
  return FC_OK;
}

static fc_status find_id(fc_table_look *l) {
  static const char *const usual[] = {"unique_id", "series_id", "item_id", "series_name"};

  l->id = -1;
  if (fc_series_none(l->told->id)) return FC_OK;
  if (fc_series_told(l->told->id))
    FC_TRY(find_column(l, "data.id", l->told->id, &l->id));
  else
    for (int k = 0; k < FC_COUNT(usual) && l->id < 0; k++) l->id = fc_csv_find(l->t, usual[k]);
  if (l->id < 0) return FC_OK;
  l->col[l->id].used     = !l->col[l->id].declared; /* among the categories it is a column as well */
  l->col[l->id].declared = true;
  return FC_OK;
}

static fc_status name_dates(fc_table_look *l) {
  const char *list = l->told->date;
  char        word[FC_NAME];

  if (!fc_series_told(list) || fc_series_none(list)) return FC_OK;
  int whole = fc_csv_find(l->t, list); /* a name may hold a '+' */
  if (whole >= 0) {
    l->date[l->n_date++] = whole;
    return FC_OK;
  }
  while (next_word(&list, '+', word)) {
    FC_REQUIRE(l->n_date < FC_DATE_PARTS, FC_E_USAGE, "data.date: more than %d columns", FC_DATE_PARTS);
    FC_TRY(find_column(l, "data.date", word, &l->date[l->n_date]));
    l->n_date++;
  }
  return FC_OK;
}

/* ---- the pass ---- */

static fc_status begin(fc_table_look *l) {
  l->n   = fc_csv_columns(l->t);
  l->col = calloc((size_t)l->n, sizeof *l->col);
  FC_REQUIRE(l->col, FC_E_SYSTEM, "%s: not enough memory", l->path);
  FC_TRY(name_dates(l));
  FC_TRY(mark_columns(l, "data.ignore", l->told->ignore, true));
  FC_TRY(mark_columns(l, "data.categories", l->told->categories, false));
  return find_id(l);
}

static fc_status pass(fc_table_look *l, int64_t most) {
  char **cell, text[4 * FC_CELL];

  FC_TRY(begin(l));
  l->first = fc_csv_tell(l->t);
  while (!most || l->rows < most) {
    FC_TRY(fc_csv_next(l->t, &cell));
    if (!cell) break;
    for (int k = 0; k < l->n; k++) FC_TRY(take_cell(l, &l->col[k], cell[k]));
    if (l->n_date) take_dates(l->joined, fc_table_date(l, cell, text, sizeof text), fc_csv_line(l->t));
    l->rows++;
  }
  return FC_OK;
}

fc_status fc_table_look_open(const char *path, const fc_series_mapping *told, int64_t most,
                             fc_table_look *l) {
  *l = (fc_table_look){.path = path, .told = told, .id = -1};
  FC_TRY(fc_csv_open(path, &l->t));
  const fc_status s = pass(l, most);
  if (s != FC_OK) fc_table_look_close(l);
  return s;
}

void fc_table_look_close(fc_table_look *l) {
  for (int k = 0; l->col && k < l->n; k++) {
    for (int c = 0; c < l->col[k].classes.n; c++) free(l->col[k].classes.name[c]);
    free(l->col[k].classes.name);
  }
  free(l->col);
  fc_csv_close(l->t);
  *l = (fc_table_look){0};
}

/* ---- dates ---- */

/* "2010" "1" "31" "7" -> "2010-1-31 7:00"; "16/12/2006" "17:24:00" -> "16/12/2006 17:24:00" */
const char *fc_table_date(const fc_table_look *l, char *const *cell, char *buf, size_t size) {
  size_t n = 0;

  if (l->n_date == 1) return cell[l->date[0]];
  *buf = 0;
  for (int k = 0; k < l->n_date && n < size; k++) {
    const char *one    = cell[l->date[k]];
    const bool  digits = *one && !one[strspn(one, "0123456789")];
    const int   added  = snprintf(buf + n, size - n, "%s%.40s%s",
                               !k                ? ""
                                  : k < 3 && digits ? "-"
                                  : digits && k > 3 ? ":"
                                                    : " ",
                                  one, digits && k == 3 && k == l->n_date - 1 ? ":00" : "");
    n += (size_t)added;
  }
  return buf;
}

static bool date_name(const char *name) {
  static const char *const usual[] = {"date", "datetime", "date_time", "timestamp", "time",
                                      "ds",   "day",      "week",      "month",     "quarter",
                                      "year", "utc",      "period",    "Date Time", "ts"};

  for (int k = 0; k < FC_COUNT(usual); k++)
    if (fc_text_same(name, usual[k])) return true;
  return false;
}

static int best_order(const fc_dates_look *d) {
  int best = 0;

  for (int k = 1; k < 3; k++)
    if (d[k].n > d[best].n || (d[k].n == d[best].n && d[k].n > d[0].n && d[k].odd < d[best].odd)) best = k;
  return best;
}

/* A column by its name if most of its cells are dates, another if all of them are and look like it. */
static bool candidate(const fc_table_look *l, int k) {
  const fc_column_look *c = &l->col[k];
  const int64_t         n = c->date[best_order(c->date)].n;
  char                  name[FC_NAME], unit[FC_NAME];

  if (c->ignored || c->declared || k == l->id || !n) return false;
  fc_csv_split_unit(fc_csv_name(l->t, k), name, unit);
  return (date_name(name) && 2 * n > l->rows) || (c->strict && n == l->rows);
}

/* of several, the one that changes most often from row to row */
static int find_dates(const fc_table_look *l) {
  int     best = -1;
  int64_t same = 0;

  for (int k = 0; k < l->n; k++) {
    if (!candidate(l, k)) continue;
    const int64_t own = l->col[k].date[best_order(l->col[k].date)].same;
    if (best >= 0 && own >= same) continue;
    best = k;
    same = own;
  }
  return best;
}

static const char *date_title(const fc_table_look *l, char *buf, size_t size) {
  size_t n = 0;

  for (int k = 0; k < l->n_date && n < size; k++)
    n += (size_t)snprintf(buf + n, size - n, "%s%.40s", k ? "+" : "", fc_csv_name(l->t, l->date[k]));
  return buf;
}

static fc_status decide(fc_table_look *l, const fc_dates_look *d) {
  char      title[8 * FC_CELL];
  const int order = best_order(d);

  l->order = (fc_date_order)order;
  date_title(l, title, sizeof title);
  FC_REQUIRE(d[order].n == l->rows, FC_E_INPUT, "%s:%lld: column '%s' holds '%s', which is no date like %s",
             l->path, (long long)d[order].bad_line, title, d[order].bad,
             d[order].n && order ? "those before it" : "2016-07-01 or 2016-07-01 13:00:00");
  const bool unclear = d[1].n == d[2].n && d[1].n > d[0].n && d[1].odd == d[2].odd;
  FC_REQUIRE(!unclear, FC_E_INPUT,
             "%s: column '%s': is it month/day or day/month? Its dates do not tell; write them as 2016-07-01",
             l->path, title);
  return FC_OK;
}

fc_status fc_table_look_dates(fc_table_look *l) {
  const bool told = l->n_date > 0;

  if (fc_series_none(l->told->date)) return FC_OK;
  if (!told && (l->date[0] = find_dates(l)) >= 0) l->n_date = 1;
  FC_REQUIRE(l->n_date || l->n > 1 || l->col[0].numbers, FC_E_INPUT,
             "%s: one column and no dates in it; cells are separated by comma, semicolon or tab", l->path);
  FC_REQUIRE(
      l->n_date, FC_E_INPUT,
      "%s: no column of dates; name it with data.date, or say data.date=none if the rows simply follow "
      "each other at equal steps",
      l->path);
  for (int k = 0; k < l->n_date; k++) l->col[l->date[k]].used = true;
  return decide(l, told ? l->joined : l->col[l->date[0]].date);
}
