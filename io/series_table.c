/* io/series_table.c - series from tables of text. */
#include "io/series_columns.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- which column is what ---- */

static fc_takes takes(const fc_column_look *c) {
  if (c->declared) return FC_TAKES_CLASSES;
  if (!c->text) return FC_TAKES_NUMBERS;
  if (c->numbers) return FC_TAKES_NUMBERS; /* text among them is refused */
  return c->truths == c->text ? FC_TAKES_TRUTHS : FC_TAKES_CLASSES;
}

/* "" and 0, 1, 2, ..: what pandas writes unasked */
static bool is_index(const fc_table_look *l, int k) {
  const char *name = fc_csv_name(l->t, k);
  return k == 0 && (!*name || !strcmp(name, "Unnamed: 0"));
}

static const char *useless(const fc_table_look *l, int k) {
  const fc_column_look *c     = &l->col[k];
  const bool            dates = c->date[0].n == l->rows || c->date[1].n == l->rows || c->date[2].n == l->rows;

  if (c->declared) return NULL;
  if (is_index(l, k)) return "numbers of rows";
  if (!c->numbers && !c->text) return "no values";
  if (c->strict && dates && !c->numbers) return "dates";
  return !c->numbers && c->truths != c->text && c->too_many ? "more texts than can be classes" : NULL;
}

static fc_status text_refused(const fc_table_look *l, int k) {
  const fc_column_look *c = &l->col[k];

  return fc_fail(FC_E_INPUT,
                 "%s:%lld: column '%s' holds '%s', which is no number; correct it, name the column in "
                 "data.categories if its values are classes, or in data.ignore",
                 l->path, (long long)c->text_line, fc_csv_name(l->t, k), c->text_cell);
}

/* "1,234.5", "12 %", "$5": numbers to people, which would make bad classes */
static bool almost_number(const char *cell) {
  return cell[strcspn(cell, "0123456789")] && !cell[strspn(cell, "+-$ 0123456789.,'%")];
}

static fc_status refuse_almost_numbers(const fc_table_look *l, int k) {
  const fc_column_look *c   = &l->col[k];
  const char           *why = useless(l, k);

  if (c->declared || c->numbers || !c->text || (why && !strcmp(why, "dates"))) return FC_OK;
  FC_REQUIRE(
      !almost_number(c->text_cell), FC_E_INPUT,
      "%s:%lld: column '%s' holds '%s', which is no number; write it without separators of thousands "
      "and without signs such as %%, or name the column in data.categories if its values are classes, or "
      "in data.ignore",
      l->path, (long long)c->text_line, fc_csv_name(l->t, k), c->text_cell);
  return FC_OK;
}

static fc_status add_column(fc_series_raw *raw, fc_table_look *l, int k, fc_takes *kind) {
  const char *why = useless(l, k), *name = fc_csv_name(l->t, k);
  char        number[FC_NAME];

  *kind = FC_TAKES_NOTHING;
  if (l->col[k].ignored || l->col[k].used) return FC_OK;
  FC_TRY(refuse_almost_numbers(l, k));
  if (why) return fc_series_leave_out(raw, *name ? name : "(no name)", why);
  *kind = takes(&l->col[k]);
  if (*kind == FC_TAKES_NUMBERS && l->col[k].text) return text_refused(l, k);
  snprintf(number, sizeof number, "column%d", k + 1);
  FC_TRY(fc_series_add_column(raw, *name ? name : number));
  if (*kind != FC_TAKES_CLASSES) return FC_OK;
  raw->s->info.category[raw->s->info.n_columns - 1] = l->col[k].classes;
  l->col[k].classes                                 = (fc_series_class){0}; /* handed over */
  return FC_OK;
}

/* ---- rows ---- */

typedef struct {
  fc_series_raw *raw;
  fc_table_look *l;
  fc_takes      *kind; /* [columns of the table] */
} work;

static fc_status read_number(const work *w, char *const *cell, int k, double *x) {
  if (!fc_csv_value(w->l->t, cell[k], x) || isnan(*x)) {
    *x = NAN;
    return FC_OK;
  }
  FC_REQUIRE(isfinite(*x), FC_E_INPUT, "%s:%lld: column '%s' holds '%.40s', which is not finite",
             w->raw->path, (long long)fc_csv_line(w->l->t), fc_csv_name(w->l->t, k), cell[k]);
  return FC_OK;
}

static double read_class(const work *w, int column, int k, const char *cell) {
  const fc_series_class *c = &w->raw->s->info.category[column];
  const int              n = fc_cell_missing(cell) ? -1 : fc_series_class_find(c, cell, &w->l->col[k].last);

  return n < 0 ? NAN : n;
}

static fc_status read_row(const work *w, char *const *cell, int64_t row) {
  double *x      = w->raw->x + row * w->raw->s->info.n_columns;
  int     column = 0;

  for (int k = 0; k < w->l->n; k++) {
    if (w->kind[k] == FC_TAKES_NOTHING) continue;
    if (w->kind[k] == FC_TAKES_NUMBERS) FC_TRY(read_number(w, cell, k, &x[column]));
    if (w->kind[k] == FC_TAKES_TRUTHS && !fc_cell_truth(cell[k], &x[column])) x[column] = NAN;
    if (w->kind[k] == FC_TAKES_CLASSES) x[column] = read_class(w, column, k, cell[k]);
    column++;
  }
  return FC_OK;
}

static fc_status read_keys(const work *w, char *const *cell, int64_t row) {
  fc_table_look *l = w->l;
  char           text[4 * FC_CELL];
  int           *last = l->id >= 0 ? &l->col[l->id].last : NULL;

  w->raw->line[row] = fc_csv_line(l->t);
  if (l->n_date && !fc_date_read(fc_table_date(l, cell, text, sizeof text), l->order, &w->raw->time[row]))
    return fc_fail(FC_E_INPUT, "%s:%lld: the file has changed while it was read", l->path,
                   (long long)fc_csv_line(l->t));
  if (!last) return FC_OK;
  const fc_series_class names = {w->raw->s->info.n_series, w->raw->s->info.series};
  w->raw->owner[row]          = fc_series_class_find(&names, cell[l->id], last);
  FC_REQUIRE(w->raw->owner[row] >= 0, FC_E_INPUT,
             "%s:%lld: column '%s' does not say which series the row belongs to", l->path,
             (long long)fc_csv_line(l->t), fc_csv_name(l->t, l->id));
  return FC_OK;
}

static fc_status read_rows(const work *w) {
  char  **cell;
  int64_t row;

  FC_TRY(fc_csv_seek(w->l->t, w->l->first));
  for (;;) {
    FC_TRY(fc_csv_next(w->l->t, &cell));
    if (!cell) return FC_OK;
    FC_TRY(fc_series_add_row(w->raw, &row));
    FC_TRY(read_keys(w, cell, row));
    FC_TRY(read_row(w, cell, row));
  }
}

/* ---- the table ---- */

static fc_status copy_names(const fc_series_class *from, fc_series_class *to) {
  for (int k = 0; k < from->n; k++) FC_TRY(fc_series_class_add(to, from->name[k]));
  return FC_OK;
}

/* kept: the column of names, if it is a column of the series as well; -1 */
static fc_status name_series(fc_series_raw *raw, fc_table_look *l, int kept) {
  fc_series_class names = {0};

  if (kept >= 0) {
    FC_TRY(copy_names(&raw->s->info.category[kept], &names));
  } else if (l->id >= 0) {
    names                 = l->col[l->id].classes;
    l->col[l->id].classes = (fc_series_class){0};
  } else
    FC_TRY(fc_series_class_add(&names, ""));
  raw->s->info.n_series = names.n;
  raw->s->info.series   = names.name;
  return FC_OK;
}

/* values where names should be: dates, or nothing but numbers */
static fc_status has_header(const fc_table_look *l) {
  bool    numbers = true;
  int64_t t;
  double  x;

  for (int k = 0; k < l->n; k++) numbers &= fc_csv_value(l->t, fc_csv_name(l->t, k), &x);
  for (int k = 0; k < l->n_date; k++) numbers |= fc_date_read(fc_csv_name(l->t, l->date[k]), l->order, &t);
  FC_REQUIRE(!numbers, FC_E_INPUT, "%s: the first line is no header with the names of the columns; add one",
             l->path);
  return FC_OK;
}

static fc_status describe(fc_series_raw *raw, fc_table_look *l, fc_takes *kind) {
  fc_series_info *info = &raw->s->info;

  info->layout_name = "CSV table";
  FC_REQUIRE(l->rows, FC_E_INPUT, "%s: a header and no rows", raw->path);
  FC_TRY(has_header(l)); /* numbers alone have no dates either: the header is what is missing */
  FC_TRY(fc_table_look_dates(l));
  FC_TRY(has_header(l));
  info->dated = l->n_date > 0;
  for (int k = 0; k < l->n_date; k++) {
    const size_t n = strlen(info->date_column);
    snprintf(info->date_column + n, sizeof info->date_column - n, "%s%s", k ? "+" : "",
             fc_csv_name(l->t, l->date[k]));
  }
  int kept = -1;
  for (int k = 0; k < l->n; k++) {
    FC_TRY(add_column(raw, l, k, &kind[k]));
    if (k == l->id && kind[k] == FC_TAKES_CLASSES) kept = info->n_columns - 1;
  }
  return name_series(raw, l, kept);
}

fc_status fc_series_read_table(fc_series_raw *raw) {
  fc_table_look l;

  FC_TRY(fc_table_look_open(raw->path, raw->told, 0, &l));
  fc_takes *kind = calloc((size_t)l.n, sizeof *kind);
  fc_status s    = kind ? describe(raw, &l, kind) : fc_fail(FC_E_SYSTEM, "%s: not enough memory", raw->path);
  if (s == FC_OK) s = read_rows(&(work){raw, &l, kind});
  free(kind);
  fc_table_look_close(&l);
  return s;
}

/* a column of dates is enough, right or wrong: opening says what is wrong with it */
bool fc_series_table_recognised(const char *path) {
  static const fc_series_mapping none = {0};
  fc_table_look                  l;

  if (fc_series_is_wide(path, &none)) return true;
  if (fc_table_look_open(path, &none, 200, &l) != FC_OK) return false;
  fc_table_look_dates(&l);
  bool yes = l.rows > 1 && l.n_date > 0;
  /* years and other numbers must at least grow */
  if (yes && !l.col[l.date[0]].strict) yes = l.col[l.date[0]].date[l.order].same == 0;
  fc_table_look_close(&l);
  return yes;
}
