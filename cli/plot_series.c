/* cli/plot_series.c - columns of a time series against its dates. What is missing stays open. */
#include "cli/plot.h"

#include "core/options.h"
#include "io/plot.h"
#include "io/series.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHARTS = 12, LABEL = 2 * FC_NAME + 8 };

typedef struct {
  const fc_plot_request *r;
  fc_series             *s;
  int64_t                lo, n; /* rows */
  int                    charts, column[CHARTS];
  double                *x, *y; /* [n], [charts, n] */
  char                   label[CHARTS][LABEL], title[1200], day[40];
} picture;

/* ---- what is drawn ---- */

static fc_status named_column(picture *p, const char *name) {
  const fc_series_info *i = fc_series_about(p->s);
  const int             c = fc_series_find(p->s, name);
  const char           *names[FC_SERIES_COLUMNS];

  for (int k = 0; k < i->n_columns; k++) names[k] = i->column[k].name;
  const char *near = c < 0 ? fc_nearest(name, i->n_columns, names) : NULL;
  FC_REQUIRE(c >= 0, FC_E_USAGE, "%s: there is no column '%s'%s%s%s", p->r->input, name,
             near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
  FC_REQUIRE(p->charts < CHARTS, FC_E_USAGE, "more than %d columns in one picture", CHARTS);
  p->column[p->charts++] = c;
  return FC_OK;
}

/* those asked for, else the first columns of numbers */
static fc_status choose_columns(picture *p) {
  const fc_series_info *i    = fc_series_about(p->s);
  int                   more = 0;

  for (int k = 0; k < p->r->channels.n; k++) FC_TRY(named_column(p, p->r->channels.v[k]));
  for (int c = 0; c < i->n_columns && !p->r->channels.n; c++) {
    if (i->category[c].n) continue;
    if (p->charts < CHARTS)
      p->column[p->charts++] = c;
    else
      more++;
  }
  FC_REQUIRE(p->charts, FC_E_INPUT, "%s: no column of numbers to draw; name columns with --channel",
             p->r->input);
  if (more)
    fprintf(stderr, "the first %d columns of numbers; --channel NAME draws others (%d)\n", CHARTS, more);
  return FC_OK;
}

static fc_status choose_rows(picture *p) {
  const fc_series_info *i = fc_series_about(p->s);
  const int64_t         k = p->r->trajectory;
  int64_t               ends[2];
  int                   n = 0;

  FC_REQUIRE(k >= 0 && k < i->n_series, FC_E_USAGE, "%s holds the series 0 to %d, not %lld", p->r->input,
             i->n_series - 1, (long long)k);
  const int64_t rows = i->at[k + 1] - i->at[k];
  p->lo              = i->at[k];
  p->n               = rows;
  if (!p->r->frames) return FC_OK;
  FC_TRY(fc_plot_numbers("--frames", p->r->frames, 2, ends, &n));
  FC_REQUIRE(n == 2 && ends[0] >= 0 && ends[0] < ends[1] && ends[1] < rows, FC_E_USAGE,
             "--frames %s: the first and the last row are wanted, as in --frames 0,%lld", p->r->frames,
             (long long)rows - 1);
  p->lo += ends[0];
  p->n = ends[1] - ends[0] + 1;
  return FC_OK;
}

/* ---- drawing ---- */

/* what stands below the axes: times of day do not say which day it is */
static const char *x_label(picture *p) {
  const fc_date first = fc_date_of((int64_t)p->x[0]), last = fc_date_of((int64_t)p->x[p->n - 1]);

  if (!fc_series_about(p->s)->dated) return "row";
  if (first.year != last.year || first.year_day != last.year_day) return NULL;
  fc_date_text((int64_t)p->x[0], true, p->day, sizeof p->day);
  return p->day;
}

static void set_title(picture *p) {
  const fc_series_info *i     = fc_series_about(p->s);
  const char           *name  = i->series[p->r->trajectory];
  const char           *slash = strrchr(p->r->input, '/');

  snprintf(p->title, sizeof p->title, "%.500s%s%.500s", slash ? slash + 1 : p->r->input, *name ? ": " : "",
           name);
}

static fc_status draw(picture *p) {
  const fc_series_info *i = fc_series_about(p->s);
  const int cols = p->charts <= 4 ? 1 : p->charts <= 8 ? 2 : 3, rows = (p->charts + cols - 1) / cols;
  fc_curve  curve[CHARTS];
  fc_chart  chart[CHARTS + 2] = {0};

  for (int64_t r = 0; r < p->n; r++) p->x[r] = (double)fc_series_times(p->s)[p->lo + r];
  for (int k = 0; k < p->charts; k++) {
    const fc_channel *c = &i->column[p->column[k]];
    double           *y = p->y + k * p->n;
    for (int64_t r = 0; r < p->n; r++)
      y[r] = fc_series_values(p->s)[(p->lo + r) * i->n_columns + p->column[k]];
    snprintf(p->label[k], LABEL, "%s%s%s%s", c->name, c->unit[0] ? " (" : "", c->unit, c->unit[0] ? ")" : "");
    curve[k] = (fc_curve){.n = p->n, .x = p->x, .y = y};
    chart[k] = (fc_chart){{.x_label = x_label(p),
                           .x_lo    = p->x[0],
                           .x_hi    = p->x[p->n - 1],
                           .y_label = p->label[k],
                           .x_dates = i->dated,
                           .h_line  = NAN},
                          1,
                          &curve[k]};
  }
  set_title(p);
  return fc_plot_charts(p->r->png, p->title, rows, cols, chart);
}

static fc_status work(picture *p) {
  FC_TRY(choose_columns(p));
  FC_TRY(choose_rows(p));
  p->x = malloc((size_t)p->n * sizeof *p->x);
  p->y = malloc((size_t)(p->charts * p->n) * sizeof *p->y);
  FC_REQUIRE(p->x && p->y, FC_E_SYSTEM, "no memory for a picture of %lld rows", (long long)p->n);
  return draw(p);
}

fc_status fc_plot_series_file(const fc_plot_request *r) {
  fc_series_mapping look = {.missing = FC_MISSING_KEEP, .sort = true};
  picture          *p    = calloc(1, sizeof *p);

  FC_REQUIRE(p, FC_E_SYSTEM, "no memory for a picture");
  p->r        = r;
  look.date   = fc_series_recognised(r->input) ? NULL : "none";
  fc_status s = fc_series_open(r->input, &look, &p->s);
  if (s == FC_OK) s = work(p);
  fc_series_close(p->s);
  free(p->x);
  free(p->y);
  free(p);
  return s;
}
