/* io/series_fill.c - cells without a number: refused, or made from the values beside them. What lies behind
   the last value of a column is its open end and stays empty. */
#include "io/series_layout.h"

#include <math.h>
#include <stdio.h>

enum { TEXT = 512 };

typedef struct {
  const fc_series_raw *raw;
  const int64_t       *line; /* of the file, by row; 0: the row is made up */
  int                  column, owner;
  int64_t              lo, hi; /* rows of the series */
} run;

static double *cell(const run *r, int64_t row) {
  return &r->raw->s->x[row * r->raw->s->info.n_columns + r->column];
}

static fc_status refuse(const run *r, int64_t row) {
  char where[TEXT], owner[TEXT];

  fc_series_where(r->raw, r->line[row], where, sizeof where);
  return fc_fail(
      FC_E_INPUT,
      "%s: column '%s'%s has no value here; data.missing=interpolate or hold fills it in, data.ignore "
      "leaves the column out",
      where, r->raw->s->info.column[r->column].name,
      fc_series_owner(r->raw->s, r->owner, owner, sizeof owner));
}

static fc_status no_beginning(const run *r, int64_t first) {
  char where[TEXT], owner[TEXT];

  fc_series_where(r->raw, r->line[first < r->hi ? first : r->lo], where, sizeof where);
  fc_series_owner(r->raw->s, r->owner, owner, sizeof owner);
  const char *name = r->raw->s->info.column[r->column].name;
  FC_REQUIRE(first < r->hi, FC_E_INPUT,
             "%s: column '%s'%s has no value at all; leave it out with data.ignore", where, name, owner);
  return fc_fail(
      FC_E_INPUT,
      "%s: column '%s'%s has its first value here and none before it to fill %lld rows with; leave it "
      "out with data.ignore, or let the file begin here",
      where, name, owner, (long long)(first - r->lo));
}

/* rows a+1 .. b-1 lie between two values */
static void fill_between(const run *r, int64_t a, int64_t b) {
  const bool line = r->raw->told->missing == FC_MISSING_INTERPOLATE && !r->raw->s->info.category[r->column].n;
  const double from = *cell(r, a), by = line ? (*cell(r, b) - from) / (double)(b - a) : 0;

  for (int64_t i = a + 1; i < b; i++) {
    *cell(r, i) = from + by * (double)(i - a);
    r->raw->s->info.filled_cells += r->line[i] != 0;
  }
}

static fc_status fill_run(const run *r) {
  const bool refused = r->raw->told->missing == FC_MISSING_REFUSE;
  int64_t    last    = r->lo - 1;

  for (int64_t i = r->lo; i < r->hi; i++) {
    if (isnan(*cell(r, i))) continue;
    if (i > last + 1) {
      if (last < r->lo) return refused ? refuse(r, r->lo) : no_beginning(r, i);
      if (refused) return refuse(r, last + 1);
      fill_between(r, last, i);
    }
    last = i;
  }
  if (last < r->lo) return no_beginning(r, r->hi);
  r->raw->s->info.open_cells += r->hi - 1 - last;
  return FC_OK;
}

fc_status fc_series_fill(fc_series_raw *raw, int64_t *line) {
  const fc_series_info *info = &raw->s->info;

  if (raw->told->missing == FC_MISSING_KEEP) return FC_OK;
  for (int k = 0; k < info->n_series; k++)
    for (int c = 0; c < info->n_columns; c++)
      FC_TRY(fill_run(&(run){raw, line, c, k, info->at[k], info->at[k + 1]}));
  return FC_OK;
}
