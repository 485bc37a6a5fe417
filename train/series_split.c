/* train/series_split.c - parts in time and the windows inside them.

   A window of L + P rows belongs to the part that holds its P targets. The lookback of training windows stays
   in the training rows; that of validation and test may reach back before their first row
   (the protocol of thuml's library: ETTh1 at 96 and 96 has 8449, 2785 and 2785 windows).
   With data.min_lookback windows may begin before their series; those rows do not exist, and a batch says how
   many of a lookback do (fc_series_missing). data.window_step thins out the windows of training. */
#include "train/series_columns.h"

#include "core/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  int64_t at[FC_PARTS + 1]; /* rows of a series: part p is at[p] .. at[p+1]-1 */
} cuts;

/* ---- where parts begin ---- */

/* whole rows of training and test; validation has the rest where the shares add up to all */
static void by_share(const fc_reals *f, int64_t n, cuts *q) {
  const int64_t train = (int64_t)(f->v[0] * (double)n), test = (int64_t)(f->v[2] * (double)n);
  const bool    all   = fabs(f->v[0] + f->v[1] + f->v[2] - 1) < 1e-9;
  const int64_t valid = all ? n - train - test : (int64_t)(f->v[1] * (double)n);

  *q = (cuts){{0, train, train + valid, train + valid + test}};
}

static fc_status by_rows(const fc_series_set *s, const fc_ints *f, int64_t n, bool clip, cuts *q) {
  *q = (cuts){{0, f->v[0], f->v[0] + f->v[1], f->v[0] + f->v[1] + f->v[2]}};
  for (int p = 0; clip && p <= FC_PARTS; p++) q->at[p] = fc_min64(q->at[p], n);
  FC_REQUIRE(q->at[3] <= n, FC_E_USAGE, "data.split_rows asks for %lld rows, %s has %lld",
             (long long)q->at[3], s->path, (long long)n);
  return FC_OK;
}

static fc_status by_end(const fc_series_set *s, const fc_ints *f, int64_t n, bool clip, cuts *q) {
  const int64_t valid = f->v[0], test = f->v[1];

  FC_REQUIRE(clip || n > valid + test, FC_E_USAGE,
             "data.split_last takes the last %lld rows of each series, one of %s has %lld; ask for fewer",
             (long long)(valid + test), s->path, (long long)n);
  *q = (cuts){{0, fc_max64(0, n - valid - test), fc_max64(0, n - test), n}};
  return FC_OK;
}

/* first row of a series at or after a date */
static int64_t row_of(const int64_t *times, int64_t n, int64_t date) {
  int64_t lo = 0, hi = n;

  while (lo < hi) {
    const int64_t mid = (lo + hi) / 2;
    if (times[mid] < date)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo;
}

typedef struct {
  int     n;
  int64_t date[3]; /* first of validation, first of test, first that is not used */
} borders;

static fc_status read_dates(const fc_series_set *s, const char *list, borders *b) {
  char word[FC_NAME];

  FC_REQUIRE(fc_series_about(s->file)->dated, FC_E_USAGE, "data.split_dates: %s has no dates", s->path);
  for (b->n = 0; b->n < 3 && fc_text_item(&list, sizeof word, word); b->n++)
    FC_REQUIRE(fc_date_read(word, FC_DATE_ISO, &b->date[b->n]), FC_E_USAGE,
               "data.split_dates: '%s' is no date such as 2013-01-31 or 2013-01-31 06:00:00", word);
  FC_REQUIRE(b->n >= 2, FC_E_USAGE,
             "data.split_dates wants the first date of validation and that of test, separated by a comma");
  for (int k = 1; k < b->n; k++)
    FC_REQUIRE(b->date[k - 1] <= b->date[k], FC_E_USAGE, "data.split_dates go back in time");
  return FC_OK;
}

static void by_date(const int64_t *times, int64_t n, const borders *b, cuts *q) {
  *q = (cuts){{0, row_of(times, n, b->date[0]), row_of(times, n, b->date[1]),
               b->n == 3 ? row_of(times, n, b->date[2]) : n}};
}

static fc_status check(const fc_series_set *s, const fc_data_settings *d) {
  const int told = (d->split_rows.n > 0) + (d->split_dates[0] != 0) + (d->split_last.n > 0);

  FC_REQUIRE(told < 2, FC_E_USAGE,
             "data.split_rows, data.split_dates and data.split_last say the same thing; give one of them");
  FC_REQUIRE(!d->split_last.n || d->split_last.n == 2, FC_E_USAGE,
             "data.split_last wants two numbers: rows of validation and test at the end of each series");
  FC_REQUIRE(!d->min_lookback || s->wants.n_columns, FC_E_USAGE,
             "data.min_lookback: this model takes whole lookbacks alone; the full tft takes shorter ones");
  FC_REQUIRE(d->min_lookback <= s->wants.lookback, FC_E_USAGE,
             "data.min_lookback = %lld is more than the lookback of %lld steps", (long long)d->min_lookback,
             (long long)s->wants.lookback);
  FC_REQUIRE(!d->split_rows.n || d->split_rows.n == 3, FC_E_USAGE,
             "data.split_rows wants three numbers: rows of training, validation and test");
  FC_REQUIRE(d->split.n == 3 && d->split.v[0] + d->split.v[1] + d->split.v[2] < 1 + 1e-9, FC_E_USAGE,
             "data.split wants three shares, of training, validation and test, that add up to at most 1");
  return FC_OK;
}

/* rows of series k before its open end, where a column that is needed has no more values */
static int64_t closed_rows(const fc_series_set *s, int k) {
  const fc_series_info *i    = fc_series_about(s->file);
  int64_t               rows = i->at[k + 1] - i->at[k];
  bool                  open = true;

  while (rows > 0 && open) {
    const double *x = fc_series_values(s->file) + (i->at[k] + rows - 1) * i->n_columns;
    open            = false;
    for (int v = 0; v < s->n_variates; v++) open = open || isnan(x[s->variate[v]]);
    rows -= open;
  }
  return rows;
}

/* ---- windows ---- */

static int64_t first_window(const fc_series_set *s, int part, int k) {
  const fc_series_info *i        = fc_series_about(s->file);
  const int64_t         lo       = s->lo[part * i->n_series + k];
  const int64_t         short_by = s->wants.lookback - s->min_lookback;

  return part == FC_PART_TRAIN ? lo - short_by : fc_max64(i->at[k] - short_by, lo - s->wants.lookback);
}

/* rows from one window of a part to the next */
static int64_t step_of(const fc_series_set *s, int part) {
  return part == FC_PART_TRAIN ? s->window_step : 1;
}

static void count_windows(fc_series_set *s) {
  const int     n    = fc_series_about(s->file)->n_series;
  const int64_t span = s->wants.lookback + s->wants.horizon;

  for (int p = 0; p < FC_PARTS; p++)
    for (int k = 0; k < n; k++) {
      const int64_t rows = s->hi[p * n + k] - first_window(s, p, k), step = step_of(s, p);
      const bool    none = s->lo[p * n + k] == s->hi[p * n + k] || rows < span;
      int64_t      *at   = s->before + p * (n + 1) + k;
      at[1]              = at[0] + (none ? 0 : (rows - span) / step + 1);
    }
}

fc_status fc_series_cut(fc_series_set *s, const fc_data_settings *d, bool clip) {
  const fc_series_info *i     = fc_series_about(s->file);
  const size_t          n     = (size_t)i->n_series;
  const int64_t        *times = fc_series_times(s->file);
  borders               b     = {0};

  FC_TRY(check(s, d));
  s->min_lookback = d->min_lookback ? d->min_lookback : s->wants.lookback;
  s->window_step  = d->window_step;
  if (d->split_dates[0]) FC_TRY(read_dates(s, d->split_dates, &b));
  s->lo     = calloc(FC_PARTS * n, sizeof *s->lo);
  s->hi     = calloc(FC_PARTS * n, sizeof *s->hi);
  s->before = calloc(FC_PARTS * (n + 1), sizeof *s->before);
  FC_REQUIRE(s->lo && s->hi && s->before, FC_E_SYSTEM, "no memory for the parts of %s", s->path);
  for (int k = 0; k < i->n_series; k++) {
    const int64_t from = i->at[k], rows = closed_rows(s, k);
    cuts          q = {{0}};
    if (b.n)
      by_date(times + from, rows, &b, &q);
    else if (d->split_last.n)
      FC_TRY(by_end(s, &d->split_last, rows, clip, &q));
    else if (d->split_rows.n)
      FC_TRY(by_rows(s, &d->split_rows, rows, clip, &q));
    else
      by_share(&d->split, rows, &q);
    for (int p = 0; p < FC_PARTS; p++) {
      s->lo[p * i->n_series + k] = from + q.at[p];
      s->hi[p * i->n_series + k] = from + q.at[p + 1];
    }
  }
  count_windows(s);
  return FC_OK;
}

int64_t fc_series_windows(const fc_series_set *s, fc_series_part part) {
  const int n = fc_series_about(s->file)->n_series;

  return s->before[(int)part * (n + 1) + n];
}

/* the last k of 0 .. n-1 with at[k] <= x */
static int place(const int64_t *at, int n, int64_t x) {
  int lo = 0, hi = n;

  while (hi - lo > 1) {
    const int mid = (lo + hi) / 2;
    if (at[mid] <= x)
      lo = mid;
    else
      hi = mid;
  }
  return lo;
}

void fc_series_window_at(const fc_series_set *s, fc_series_part part, int64_t window, int *series,
                         int64_t *row) {
  const int      n  = fc_series_about(s->file)->n_series;
  const int64_t *at = s->before + (int)part * (n + 1);

  *series = place(at, n, window);
  *row    = first_window(s, (int)part, *series) + (window - at[*series]) * step_of(s, (int)part);
}

int fc_series_of_window(const fc_series_set *s, int64_t row) {
  return fc_series_of_row(s, row + s->wants.lookback - 1);
}

int64_t fc_series_missing(const fc_series_set *s, int64_t row) {
  return fc_max64(0, fc_series_about(s->file)->at[fc_series_of_window(s, row)] - row);
}

int fc_series_of_row(const fc_series_set *s, int64_t row) {
  const fc_series_info *i = fc_series_about(s->file);

  return place(i->at, i->n_series, row);
}
