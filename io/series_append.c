/* io/series_append.c - rows of a second file behind those of a series: what is known ahead of time. */
#include "io/series_layout.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  fc_series  *s;                         /* grows */
  fc_series  *f;                         /* what follows */
  const char *path;                      /* of f */
  int         column[FC_SERIES_COLUMNS]; /* of f for each of s, -1: absent */
  int64_t    *from, *to;                 /* [n_series of s] rows of f that are added */
} job;

/* ---- columns ---- */

static fc_status match_columns(job *j) {
  const fc_series_info *want = &j->s->info, *have = &j->f->info;

  for (int c = 0; c < want->n_columns; c++) {
    const int   k    = fc_series_find(j->f, want->column[c].name);
    const char *unit = k < 0 ? "" : have->column[k].unit;
    j->column[c]     = k;
    FC_REQUIRE(!unit[0] || !want->column[c].unit[0] || !strcmp(unit, want->column[c].unit), FC_E_MISMATCH,
               "%s: column '%s' is in %s, the series before it in %s", j->path, want->column[c].name, unit,
               want->column[c].unit);
    FC_REQUIRE(k < 0 || want->category[c].n || !have->category[k].n, FC_E_INPUT,
               "%s: column '%s' holds names, the series before it numbers", j->path, want->column[c].name);
  }
  return FC_OK;
}

/* number of a class by its name; one that the series has not seen yet is added */
static fc_status class_of(fc_series_class *in, const char *name, double *x) {
  int last = 0, at = fc_series_class_find(in, name, &last);

  if (at < 0) {
    at = in->n;
    FC_TRY(fc_series_class_add(in, name));
  }
  *x = at;
  return FC_OK;
}

static fc_status convert(job *j, int c, double x, double *out) {
  const fc_series_class *have = &j->f->info.category[j->column[c]];
  char                   text[40];

  *out = x;
  if (!j->s->info.category[c].n || isnan(x)) return FC_OK;
  snprintf(text, sizeof text, "%.15g", x); /* a class that is written as a number */
  return class_of(&j->s->info.category[c], have->n ? have->name[(int)x] : text, out);
}

/* ---- rows ---- */

static int same_series(const job *j, int k) {
  const fc_series_info *i = &j->f->info;

  if (i->n_series == 1 && !i->series[0][0]) return 0;
  for (int q = 0; q < i->n_series; q++)
    if (!strcmp(i->series[q], j->s->info.series[k])) return q;
  return -1;
}

static bool by_day(fc_date_step step) { return step.months || step.seconds % 86400 == 0; }

/* rows behind the last one of series k, the first of them a step later */
static fc_status choose_rows(job *j, int k) {
  const fc_series_info *s = &j->s->info;
  const int             q = same_series(j, k);
  char                  last[40], begin[40];

  j->from[k] = j->to[k] = 0;
  if (q < 0) return FC_OK;
  j->from[k] = j->f->info.at[q];
  j->to[k]   = j->f->info.at[q + 1];
  if (!s->dated) return FC_OK;
  const int64_t end = j->s->time[s->at[k + 1] - 1], next = fc_date_add(end, s->step, 1);
  while (j->from[k] < j->to[k] && j->f->time[j->from[k]] <= end) j->from[k]++;
  if (j->from[k] == j->to[k] || j->f->time[j->from[k]] == next) return FC_OK;
  fc_date_text(end, by_day(s->step), last, sizeof last);
  fc_date_text(j->f->time[j->from[k]], by_day(s->step), begin, sizeof begin);
  return fc_fail(FC_E_INPUT,
                 "%s: its rows begin at %s, but the series%s%s ends at %s; they must follow without a gap",
                 j->path, begin, s->series[k][0] ? " " : "", s->series[k], last);
}

/* ---- both together ---- */

static fc_status copy_rows(job *j, int k, double *x, int64_t *time) {
  const fc_series_info *s     = &j->s->info;
  const int64_t         first = s->at[k], n = s->at[k + 1] - first, C = s->n_columns;

  memcpy(x, j->s->x + first * C, (size_t)(n * C) * sizeof *x);
  memcpy(time, j->s->time + first, (size_t)n * sizeof *time);
  for (int64_t r = j->from[k]; r < j->to[k]; r++) {
    const int64_t at = n + r - j->from[k];
    time[at]         = s->dated ? j->f->time[r] : time[n - 1] + 1 + r - j->from[k];
    for (int c = 0; c < C; c++) {
      const int of  = j->column[c];
      x[at * C + c] = NAN;
      if (of >= 0) FC_TRY(convert(j, c, j->f->x[r * j->f->info.n_columns + of], &x[at * C + c]));
    }
  }
  return FC_OK;
}

static fc_status grow(job *j, int64_t rows) {
  fc_series_info *s    = &j->s->info;
  double         *x    = malloc((size_t)(rows * s->n_columns) * sizeof *x);
  int64_t        *time = malloc((size_t)rows * sizeof *time), at = 0;
  fc_status       st = x && time ? FC_OK : fc_fail(FC_E_SYSTEM, "%s: not enough memory", j->path);

  for (int k = 0; k < s->n_series && st == FC_OK; k++) {
    st = copy_rows(j, k, x + at * s->n_columns, time + at);
    at += s->at[k + 1] - s->at[k] + j->to[k] - j->from[k];
  }
  if (st != FC_OK) {
    free(x);
    free(time);
    return st;
  }
  free(j->s->x);
  free(j->s->time);
  j->s->x    = x;
  j->s->time = time;
  for (int64_t k = 0, more = 0; k < s->n_series; k++) more += j->to[k] - j->from[k], s->at[k + 1] += more;
  s->rows = rows;
  return FC_OK;
}

static fc_status join(job *j) {
  const fc_series_info *s    = &j->s->info;
  int64_t               rows = s->rows;

  FC_REQUIRE(!s->dated || j->f->info.dated, FC_E_INPUT, "%s has no dates, the series before it has", j->path);
  FC_TRY(match_columns(j));
  j->from = calloc((size_t)s->n_series, sizeof *j->from);
  j->to   = calloc((size_t)s->n_series, sizeof *j->to);
  FC_REQUIRE(j->from && j->to, FC_E_SYSTEM, "%s: not enough memory", j->path);
  for (int k = 0; k < s->n_series; k++) {
    FC_TRY(choose_rows(j, k));
    rows += j->to[k] - j->from[k];
  }
  return grow(j, rows);
}

fc_status fc_series_append(fc_series *s, const char *path, const fc_series_mapping *mapping) {
  fc_series_mapping m = *mapping;
  char              step[40];
  job               j = {.s = s, .path = path};

  /* columns may be absent, so nothing is said of them; a file of one row has no step of its own */
  m.categories = m.ignore = "";
  m.missing               = FC_MISSING_KEEP;
  if (s->info.dated) fc_date_step_text(s->info.step, step, sizeof step), m.step = step;
  FC_TRY(fc_series_open(path, &m, &j.f));
  const fc_status st = join(&j);
  fc_series_close(j.f);
  free(j.from);
  free(j.to);
  return st;
}
