/* train/series_forecast_files.c - a forecast as CSV and as a picture. */
#include "train/series_forecast.h"

#include "io/csv.h"
#include "io/plot.h"
#include "train/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHARTS = 12, CURVES = 4, BANDS = 6 };

static const fc_channel *channel(const fc_forecast *w, int target) {
  return &fc_series_about(w->set.file)->column[w->set.target[target]];
}

static fc_real *value(const fc_forecast *w, fc_real *x, int width, int i, int64_t p, int target) {
  return x + ((i * w->set.wants.horizon + p) * w->set.n_targets + target) * width;
}

/* number of the quantile nearest to one half; 0 of a point forecast */
static int middle(const fc_forecast *w) {
  const fc_series_wants *m    = &w->set.wants;
  int                    best = 0;

  for (int q = 1; q < m->n_quantiles; q++)
    if (fabs(m->quantile[q] - 0.5) < fabs(m->quantile[best] - 0.5)) best = q;
  return best;
}

/* ---- CSV ---- */

static bool several(const fc_forecast *w) {
  const fc_series_info *i = fc_series_about(w->set.file);
  return i->n_series > 1 || (i->series[0] && i->series[0][0]);
}

static void csv_name(FILE *f, const char *name, const char *more) {
  char text[2 * FC_NAME];

  snprintf(text, sizeof text, "%s%s", name, more);
  fputc(',', f);
  fc_csv_put(f, text);
}

static void csv_header(const fc_forecast *w, FILE *f) {
  const fc_series_info *s  = fc_series_about(w->set.file);
  const char           *id = w->run->k.settings.data.id;
  char                  more[32];

  if (several(w)) {
    fc_csv_put(f, id[0] ? id : "series_name");
    fputc(',', f);
  }
  fc_csv_put(f, s->date_column[0] ? s->date_column : s->dated ? "date" : "row");
  for (int k = 0; k < w->set.n_targets; k++) {
    csv_name(f, channel(w, k)->name, "");
    for (int q = 0; q < w->set.wants.n_quantiles; q++) {
      snprintf(more, sizeof more, "_q%g", w->set.wants.quantile[q]);
      csv_name(f, channel(w, k)->name, more);
    }
    if (w->job->at) csv_name(f, channel(w, k)->name, "_true");
  }
  fputc('\n', f);
}

static void csv_number(FILE *f, double v) {
  if (isfinite(v))
    fprintf(f, ",%.7g", v);
  else
    fputc(',', f);
}

static void csv_row(const fc_forecast *w, FILE *f, int i, int64_t p) {
  char date[40];

  if (several(w)) {
    fc_csv_put(f, fc_series_about(w->set.file)->series[w->series[i]]);
    fputc(',', f);
  }
  fc_forecast_date(w, fc_forecast_time(w, i, p), date, sizeof date);
  fputs(date, f);
  for (int k = 0; k < w->set.n_targets; k++) {
    const fc_real *y = value(w, w->y, w->width, i, p, k);
    csv_number(f, fc_forecast_units(w, i, k, y[middle(w)]));
    for (int q = 0; q < w->set.wants.n_quantiles; q++) csv_number(f, fc_forecast_units(w, i, k, y[q]));
    if (w->job->at) csv_number(f, fc_forecast_truth(w, i, p, k));
  }
  fputc('\n', f);
}

void fc_forecast_csv(const fc_forecast *w, FILE *f) {
  csv_header(w, f);
  for (int i = 0; i < w->n; i++)
    for (int64_t p = 0; p < w->set.wants.horizon; p++) csv_row(w, f, i, p);
}

/* ---- picture: a chart for each series and target ---- */

typedef struct { /* the numbers behind one chart */
  double  *x, *y[CURVES], *lo[BANDS], *hi[BANDS];
  fc_curve curve[CURVES + BANDS];
  char     title[FC_NAME], label[2 * FC_NAME + 8], band[BANDS][48], when[96];
} drawing;

/* known steps that are shown: a horizon, at least two seasons, at most what the file has */
static int64_t history_of(const fc_forecast *w, int i) {
  const int64_t P = w->set.wants.horizon, now = w->row[i] + w->set.wants.lookback;

  return fc_min64(now - fc_series_about(w->set.file)->at[w->series[i]], fc_max64(P, 2 * w->season));
}

/* ticks of one day are times of day, so the label says after which row the forecast begins */
static void name_axis(const fc_forecast *w, int i, char *buf, size_t size) {
  const int64_t *time = fc_series_times(w->set.file);
  char           date[40];

  fc_forecast_date(w, time[w->row[i] + w->set.wants.lookback - 1], date, sizeof date);
  snprintf(buf, size, "forecast after %s%s", fc_series_about(w->set.file)->dated ? "" : "row ", date);
}

/* bands between the quantiles of a pair, the widest first; what lies between them is the middle one */
static int bands_of(const fc_forecast *w) { return (int)fc_min64(w->set.wants.n_quantiles / 2, BANDS); }

/* Curves meet at the last known value; x[h - 1] is its date. */
static void fill_history(const fc_forecast *w, int i, int target, int64_t h, drawing *d) {
  const fc_series_info *s   = fc_series_about(w->set.file);
  const int64_t         now = w->row[i] + w->set.wants.lookback;
  const double         *x   = fc_series_values(w->set.file);

  for (int64_t j = 0; j < h; j++) {
    d->x[j]    = (double)fc_series_times(w->set.file)[now - h + j];
    d->y[0][j] = x[(now - h + j) * s->n_columns + w->set.target[target]];
  }
  for (int k = 1; k < CURVES; k++) d->y[k][h - 1] = d->y[0][h - 1];
  for (int b = 0; b < BANDS; b++) d->lo[b][h - 1] = d->hi[b][h - 1] = d->y[0][h - 1];
}

static void fill_future(const fc_forecast *w, int i, int target, int64_t h, drawing *d) {
  for (int64_t p = 0; p < w->set.wants.horizon; p++) {
    const fc_real *y = value(w, w->y, w->width, i, p, target);
    d->x[h + p]      = (double)fc_forecast_time(w, i, p);
    d->y[1][h + p]   = fc_forecast_truth(w, i, p, target);
    d->y[2][h + p]   = fc_forecast_units(w, i, target, *value(w, w->base, 1, i, p, target));
    d->y[3][h + p]   = fc_forecast_units(w, i, target, y[middle(w)]);
    for (int b = 0; b < bands_of(w); b++) {
      d->lo[b][h + p] = fc_forecast_units(w, i, target, y[b]);
      d->hi[b][h + p] = fc_forecast_units(w, i, target, y[w->width - 1 - b]);
    }
  }
}

static void add_bands(const fc_forecast *w, int64_t at, int like, int *count, drawing *d) {
  const double *q = w->set.wants.quantile;
  const int     n = w->set.wants.n_quantiles;

  for (int b = 0; b < bands_of(w); b++) {
    snprintf(d->band[b], sizeof d->band[b], "quantiles %.4g to %.4g", q[b], q[n - 1 - b]);
    d->curve[(*count)++] = (fc_curve){.label = d->band[b],
                                      .n     = w->set.wants.horizon + 1,
                                      .x     = d->x + at,
                                      .y     = d->y[3] + at,
                                      .lo    = d->lo[b] + at,
                                      .hi    = d->hi[b] + at,
                                      .like  = like + 1};
  }
}

/* the truth only where it was asked for, bands only of a model with quantiles */
static int make_curves(const fc_forecast *w, int64_t h, drawing *d) {
  const fc_series_wants *m = &w->set.wants;
  const int64_t          n = m->horizon + 1, at = h - 1;
  const bool             median = m->n_quantiles && fabs(m->quantile[middle(w)] - 0.5) < 1e-9;
  int                    count  = 0;

  d->curve[count++] = (fc_curve){.label = "history", .n = h, .x = d->x, .y = d->y[0]};
  d->curve[count++] = (fc_curve){
      .label = median ? "forecast (median)" : "forecast", .n = n, .x = d->x + at, .y = d->y[3] + at};
  d->curve[count++] = (fc_curve){.label  = w->season > 1 ? "seasonal naive" : "naive",
                                 .n      = n,
                                 .x      = d->x + at,
                                 .y      = d->y[2] + at,
                                 .dashed = true};
  if (w->job->at) d->curve[count++] = (fc_curve){.label = "truth", .n = n, .x = d->x + at, .y = d->y[1] + at};
  add_bands(w, at, 1, &count, d);
  return count;
}

static void title_chart(const fc_forecast *w, int i, int target, drawing *d) {
  const char *name = several(w) ? fc_series_about(w->set.file)->series[w->series[i]] : "";
  const char *unit = fc_unit_text(channel(w, target)->unit);

  snprintf(d->title, sizeof d->title, "%.*s", FC_NAME - 1, name);
  snprintf(d->label, sizeof d->label, unit[0] ? "%s (%s)" : "%s", channel(w, target)->name, unit);
  name_axis(w, i, d->when, sizeof d->when);
}

static fc_status open_drawing(int64_t n, drawing *d) {
  double *x = calloc((size_t)((CURVES + 1 + 2 * BANDS) * n), sizeof *x);

  FC_REQUIRE(x, FC_E_SYSTEM, "no memory for a picture");
  d->x = x;
  for (int k = 0; k < CURVES; k++) d->y[k] = x + (k + 1) * n;
  for (int b = 0; b < BANDS; b++) {
    d->lo[b] = x + (CURVES + 1 + 2 * b) * n;
    d->hi[b] = d->lo[b] + n;
  }
  return FC_OK;
}

static fc_status make_chart(const fc_forecast *w, int number, drawing *d, fc_chart *chart) {
  const int     i = number / w->set.n_targets, target = number % w->set.n_targets;
  const int64_t h = history_of(w, i);

  FC_TRY(open_drawing(h + w->set.wants.horizon, d));
  fill_history(w, i, target, h, d);
  fill_future(w, i, target, h, d);
  title_chart(w, i, target, d);
  *chart = (fc_chart){{.title   = d->title[0] ? d->title : NULL,
                       .x_label = d->when,
                       .y_label = d->label,
                       .h_line  = NAN,
                       .x_dates = fc_series_about(w->set.file)->dated},
                      make_curves(w, h, d),
                      d->curve};
  return FC_OK;
}

fc_status fc_forecast_picture(const fc_forecast *w, const char *path) {
  const int all = w->n * w->set.n_targets, n = all < CHARTS ? all : CHARTS;
  const int cols = n <= 3 ? 1 : n <= 8 ? 2 : 3, rows = (n + cols - 1) / cols;
  fc_chart *chart = calloc((size_t)(rows * cols), sizeof *chart);
  drawing  *d     = calloc((size_t)n, sizeof *d);
  fc_status s     = chart && d ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for a picture");
  char      title[160];

  for (int i = 0; i < n && s == FC_OK; i++) {
    s = make_chart(w, i, &d[i], &chart[i]);
    for (int k = 0; i && k < CURVES + BANDS; k++) d[i].curve[k].label = NULL; /* one legend is enough */
  }
  snprintf(title, sizeof title, "%s: %lld steps ahead%s", w->run->k.def->name,
           (long long)w->set.wants.horizon, n < all ? ", the first columns" : "");
  if (s == FC_OK) s = fc_plot_charts(path, title, rows, cols, chart);
  for (int i = 0; i < n && d; i++) free(d[i].x);
  free(chart);
  free(d);
  return s;
}
