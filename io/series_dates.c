/* io/series_dates.c - from rows as they lie in a file to series at equal steps: grouping, order, the step,
   gaps. */
#include "io/series_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY = 86400, TEXT = 512, DATE = 48 };

typedef struct {
  fc_series_raw *raw;
  int64_t       *row; /* [rows] rows of the file, series by series, in the order of dates */
  int64_t       *gap; /* [rows] rows that are missing before row[i] */
} plan;

/* as short as the dates of the file allow */
static const char *date_text(const fc_series_raw *raw, int64_t t, char *buf) {
  const fc_date_step step = raw->s->info.step;

  fc_date_text(t, (step.months || step.seconds % DAY == 0) && t % DAY == 0, buf, DATE);
  return buf;
}

/* ---- order ---- */

/* rows of one series stand together afterwards; equal ones keep the order of the file */
static int compare(const void *a, const void *b, void *user) {
  const fc_series_raw *raw = user;
  const int64_t        i = *(const int64_t *)a, j = *(const int64_t *)b;

  if (raw->owner[i] != raw->owner[j]) return raw->owner[i] < raw->owner[j] ? -1 : 1;
  if (raw->told->sort && raw->time[i] != raw->time[j]) return raw->time[i] < raw->time[j] ? -1 : 1;
  return (i > j) - (i < j);
}

static void order(plan *p) {
  const fc_series_raw *raw = p->raw;

  for (int64_t i = 0; i < raw->rows; i++) p->row[i] = i;
  qsort_r(p->row, (size_t)raw->rows, sizeof *p->row, compare, p->raw);
  for (int64_t i = 1; i < raw->rows; i++)
    if (raw->owner[p->row[i]] == raw->owner[p->row[i - 1]] && p->row[i] < p->row[i - 1])
      raw->s->info.reordered = true;
}

static bool follows(const plan *p, int64_t i) {
  return i > 0 && p->raw->owner[p->row[i]] == p->raw->owner[p->row[i - 1]];
}

/* ---- the step ---- */

typedef struct {
  int64_t value, times;
} mode;

static int by_size(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* the most frequent positive one, the smallest of equally frequent ones; x is sorted */
static mode most_frequent(int64_t *x, int64_t n) {
  mode best = {0, 0};

  qsort(x, (size_t)n, sizeof *x, by_size);
  for (int64_t i = 0, end; i < n; i = end) {
    for (end = i; end < n && x[end] == x[i]; end++) {}
    if (x[i] > 0 && end - i > best.times) best = (mode){x[i], end - i};
  }
  return best;
}

static int64_t month_number(int64_t t) {
  const fc_date d = fc_date_of(t);
  return d.year * 12 + d.month - 1;
}

/* Months and years have no fixed length: a step in months explains more of the differences. */
static fc_status find_step(plan *p, fc_date_step *out) {
  const fc_series_raw *raw  = p->raw;
  int64_t             *diff = malloc((size_t)raw->rows * sizeof *diff), n = 0, m = 0;
  mode                 months = {0, 0};

  FC_REQUIRE(diff, FC_E_SYSTEM, "%s: not enough memory", raw->path);
  for (int64_t i = 0; i < raw->rows; i++)
    if (follows(p, i)) diff[n++] = raw->time[p->row[i]] - raw->time[p->row[i - 1]];
  const mode seconds = most_frequent(diff, n);
  if (seconds.value >= 28 * DAY) {
    for (int64_t i = 0; i < raw->rows; i++)
      if (follows(p, i))
        diff[m++] = month_number(raw->time[p->row[i]]) - month_number(raw->time[p->row[i - 1]]);
    months = most_frequent(diff, m);
  }
  free(diff);
  const bool whole_weeks = seconds.value % (7 * DAY) == 0;
  *out                   = months.times > seconds.times - !whole_weeks ? (fc_date_step){0, months.value}
                                                                       : (fc_date_step){seconds.value, 0};
  FC_REQUIRE(n, FC_E_INPUT, "%s: one row for each series; say their step with data.step, or give more rows",
             raw->path);
  if (seconds.value == 0) *out = (fc_date_step){DAY, 0}; /* no date after another: refused row by row */
  return FC_OK;
}

static fc_status choose_step(plan *p) {
  const fc_series_raw *raw  = p->raw;
  fc_date_step        *step = &raw->s->info.step;

  if (!fc_series_told(raw->told->step)) return find_step(p, step);
  FC_REQUIRE(fc_date_step_read(raw->told->step, step), FC_E_USAGE,
             "data.step: '%s' is no step such as 30min, 1h, 7d or '1 month'", raw->told->step);
  return FC_OK;
}

/* ---- gaps ---- */

/* steps from a to b; -1: b is on no step. Months are counted, whatever the day. */
static int64_t steps_between(fc_date_step step, int64_t a, int64_t b) {
  const int64_t d = step.months ? month_number(b) - month_number(a) : b - a;
  const int64_t s = step.months ? step.months : step.seconds;

  return d > 0 && d % s == 0 ? d / s : -1;
}

typedef struct {
  char    where[TEXT], owner[TEXT], now[DATE], before[DATE], step[DATE];
  int64_t line;
} place;

static place place_of(const plan *p, int64_t i) {
  const fc_series_raw *raw = p->raw;
  const int64_t        row = p->row[i], last = p->row[i - 1];
  place                w;

  fc_series_where(raw, raw->line[row], w.where, sizeof w.where);
  fc_series_owner(raw->s, raw->owner[row], w.owner, sizeof w.owner);
  date_text(raw, raw->time[row], w.now);
  date_text(raw, raw->time[last], w.before);
  fc_date_step_text(raw->s->info.step, w.step, sizeof w.step);
  w.line = raw->line[last];
  return w;
}

static fc_status not_after(const plan *p, int64_t i) {
  const fc_series_info *s    = &p->raw->s->info;
  const place           w    = place_of(p, i);
  const bool            same = p->raw->time[p->row[i]] == p->raw->time[p->row[i - 1]];

  FC_REQUIRE(
      !same, FC_E_INPUT, "%s: the date %s%s comes again (%s %lld has it too); take one of the rows out; %s",
      w.where, w.now, w.owner, p->raw->table ? "line" : "row", (long long)w.line,
      s->n_series > 1 ? "if time of day is in a column of its own, name both: data.date=DATE+TIME"
                      : "if these are several series, name the column that tells them apart: data.id; if "
                        "time of day is in a column of its own: data.date=DATE+TIME");
  return fc_fail(FC_E_INPUT, "%s: the date %s%s comes after %s; data.sort=true sorts the rows by date",
                 w.where, w.now, w.owner, w.before);
}

static fc_status off_step(const plan *p, int64_t i) {
  const place w = place_of(p, i);

  return fc_fail(FC_E_INPUT,
                 "%s: the date %s%s does not lie on the step of %s after %s; correct it, give another "
                 "data.step, or number the rows with data.date=none",
                 w.where, w.now, w.owner, w.step, w.before);
}

static fc_status refuse_gap(const plan *p, int64_t i) {
  const place w   = place_of(p, i);
  const bool  day = p->raw->s->info.step.seconds == DAY;

  return fc_fail(
      FC_E_INPUT,
      "%s: %lld row%s%s of the step of %s between %s and %s %s missing; data.missing=interpolate or "
      "hold fills them in%s",
      w.where, (long long)p->gap[i], p->gap[i] > 1 ? "s" : "", w.owner, w.step, w.before, w.now,
      p->gap[i] > 1 ? "are" : "is", day ? ", data.date=none numbers the rows (working days)" : "");
}

/* asked before gaps are: rows in no order look like gaps, and filling them in would not help */
static fc_status refuse_disorder(const plan *p) {
  for (int64_t i = 1; i < p->raw->rows; i++)
    if (follows(p, i) && p->raw->time[p->row[i]] <= p->raw->time[p->row[i - 1]]) return not_after(p, i);
  return FC_OK;
}

static fc_status find_gaps(plan *p) {
  const fc_series_raw *raw  = p->raw;
  fc_series_info      *info = &raw->s->info;

  FC_TRY(refuse_disorder(p));
  for (int64_t i = 1; i < raw->rows; i++) {
    if (!follows(p, i)) continue;
    const int64_t a = raw->time[p->row[i - 1]], b = raw->time[p->row[i]];
    const int64_t n = steps_between(info->step, a, b);
    if (n < 0) return off_step(p, i);
    p->gap[i] = n - 1;
    if (p->gap[i] && raw->told->missing == FC_MISSING_REFUSE) return refuse_gap(p, i);
    info->filled_rows += p->gap[i];
    if (info->filled_rows <= raw->rows) continue;
    const place w = place_of(p, i);
    return fc_fail(
        FC_E_INPUT,
        "%s: with the gap between %s and %s more rows are missing than there are; is the date right, "
        "and the step of %s (data.step)?",
        w.where, w.before, w.now, w.step);
  }
  return FC_OK;
}

/* ---- the grid ---- */

static void put_row(const plan *p, int64_t i, int64_t to, int64_t *line) {
  const fc_series_raw *raw = p->raw;
  const int            n   = raw->s->info.n_columns;
  const int64_t        row = p->row[i];

  for (int64_t k = p->gap[i]; k > 0; k--) {
    const int64_t at = to - k;
    for (int c = 0; c < n; c++) raw->s->x[at * n + c] = __builtin_nan("");
    raw->s->time[at] = fc_date_add(raw->time[p->row[i - 1]], raw->s->info.step, p->gap[i] - k + 1);
    line[at]         = 0;
  }
  memcpy(raw->s->x + to * n, raw->x + row * n, (size_t)n * sizeof *raw->x);
  raw->s->time[to] = raw->time[row];
  line[to]         = raw->line[row];
}

static fc_status build(plan *p, int64_t *line) {
  fc_series_raw  *raw  = p->raw;
  fc_series_info *info = &raw->s->info;
  int64_t         to   = 0;

  for (int64_t i = 0; i < raw->rows; i++) {
    const int owner = raw->owner[p->row[i]];
    if (!follows(p, i)) info->at[owner] = to;
    to += p->gap[i];
    put_row(p, i, to, line);
    if (!info->dated) raw->s->time[to] = to - info->at[owner];
    info->at[owner + 1] = ++to;
  }
  return fc_series_fill(raw, line);
}

static fc_status settle(plan *p) {
  fc_series_raw  *raw  = p->raw;
  fc_series_info *info = &raw->s->info;

  order(p);
  if (info->dated) {
    FC_TRY(choose_step(p));
    FC_TRY(find_gaps(p));
  }
  info->rows     = raw->rows + info->filled_rows;
  raw->s->x      = malloc((size_t)(info->rows * info->n_columns) * sizeof *raw->s->x);
  raw->s->time   = malloc((size_t)info->rows * sizeof *raw->s->time);
  info->at       = calloc((size_t)info->n_series + 1, sizeof *info->at);
  int64_t  *line = malloc((size_t)info->rows * sizeof *line);
  fc_status s =
      raw->s->x && raw->s->time && info->at && line
          ? build(p, line)
          : fc_fail(FC_E_SYSTEM, "%s: not enough memory for %lld rows", raw->path, (long long)info->rows);
  free(line);
  return s;
}

fc_status fc_series_settle(fc_series_raw *raw) {
  plan p = {raw, malloc((size_t)raw->rows * sizeof *p.row), calloc((size_t)raw->rows, sizeof *p.gap)};

  const fc_status s = p.row && p.gap ? settle(&p) : fc_fail(FC_E_SYSTEM, "%s: not enough memory", raw->path);
  free(p.row);
  free(p.gap);
  return s;
}
