/* train/series_forecast.c */
#include "train/series_forecast.h"

#include "io/file.h"
#include "train/series_baselines.h"
#include "train/series_explain.h"
#include "train/series_run.h"
#include "train/series_table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 32 }; /* series at a time, at most */

static const fc_series_info *about(const fc_forecast *w) { return fc_series_about(w->set.file); }

int64_t fc_forecast_time(const fc_forecast *w, int i, int64_t p) {
  const fc_series_info *s    = about(w);
  const int64_t        *time = fc_series_times(w->set.file);
  const int64_t         last = w->row[i] + w->set.wants.lookback - 1;
  int64_t               from = last;

  if (!s->dated) return time[last] + p + 1;
  for (int64_t r = last; s->step.months && r >= w->row[i];
       r--) /* after February 28, March 31 at ends of months */
    if (fc_date_of(time[r]).day > fc_date_of(time[from]).day) from = r;
  return fc_date_add(time[from], s->step, last - from + p + 1);
}

void fc_forecast_date(const fc_forecast *w, int64_t t, char *buf, size_t size) {
  const fc_date_step step = about(w)->step;

  if (about(w)->dated)
    fc_date_text(t, step.months || step.seconds % 86400 == 0, buf, size);
  else
    snprintf(buf, size, "%lld", (long long)t);
}

double fc_forecast_units(const fc_forecast *w, int i, int target, fc_real scaled) {
  const int c = w->set.target[target], k = w->series[i];

  return (double)scaled * fc_series_std(&w->set, k, c) + fc_series_mean(&w->set, k, c);
}

double fc_forecast_truth(const fc_forecast *w, int i, int64_t p, int target) {
  const int64_t row = w->row[i] + w->set.wants.lookback + p;

  if (row >= about(w)->at[w->series[i] + 1]) return NAN;
  return fc_series_values(w->set.file)[row * about(w)->n_columns + w->set.target[target]];
}

/* ---- where it begins ---- */

static fc_status parse_at(const fc_forecast *w, int64_t *t) {
  const char *text = w->job->at;
  char       *end;

  if (about(w)->dated) {
    FC_REQUIRE(fc_date_read(text, FC_DATE_ISO, t), FC_E_USAGE,
               "--at %s: a date such as 2018-06-26 or \"2018-06-26 19:00\" is wanted", text);
    return FC_OK;
  }
  errno = 0;
  *t    = strtoll(text, &end, 10);
  FC_REQUIRE(!errno && end != text && !*end, FC_E_USAGE,
             "--at %s: this file has no dates; a row number is wanted", text);
  return FC_OK;
}

/* "" for a file with one series */
static const char *series_name(const fc_forecast *w, int k) {
  const char *name = about(w)->series[k];
  return name ? name : "";
}

/* "data.csv" or "data.csv, series NAME" */
static void place(const fc_forecast *w, int k, char *buf, size_t size) {
  snprintf(buf, size, "%s%s%s", w->job->data, series_name(w, k)[0] ? ", series " : "", series_name(w, k));
}

/* Rows behind the last value of any target hold columns that are known ahead of time. */
static bool open_row(const fc_forecast *w, int64_t row) {
  const double *x = fc_series_values(w->set.file) + row * about(w)->n_columns;

  for (int k = 0; k < w->set.n_targets; k++)
    if (isfinite(x[w->set.target[k]])) return false;
  return true;
}

/* one behind the last row of series k that has values to be forecast */
static int64_t known_end(const fc_forecast *w, int k) {
  int64_t end = about(w)->at[k + 1];

  while (end > about(w)->at[k] && open_row(w, end - 1)) end--;
  return end;
}

/* one behind the last row of series k that counts as known: the end of the values, or behind job->at */
static fc_status find_origin(const fc_forecast *w, int k, int64_t *out) {
  const int64_t *time = fc_series_times(w->set.file), first = about(w)->at[k], end = known_end(w, k);
  int64_t        t;
  char           where[FC_TEXT], from[40], to[40];

  *out = end;
  if (!w->job->at) return FC_OK;
  FC_TRY(parse_at(w, &t));
  while (*out > first && time[*out - 1] != t) --*out;
  if (*out > first) return FC_OK;
  place(w, k, where, sizeof where);
  fc_forecast_date(w, time[first], from, sizeof from);
  fc_forecast_date(w, time[end > first ? end - 1 : first], to, sizeof to);
  return fc_fail(FC_E_USAGE, "--at %s: %s has no row of this date; its rows go from %s to %s", w->job->at,
                 where, from, to);
}

static fc_status check_length(const fc_forecast *w, int k, int64_t end) {
  const int64_t L = w->set.min_lookback, rows = end - about(w)->at[k];
  char          where[FC_TEXT];

  place(w, k, where, sizeof where);
  FC_REQUIRE(rows >= L, FC_E_INPUT,
             "%s: %lld known rows, but %s looks back %lld steps%s; give it more history", where,
             (long long)rows, w->run->k.def->name, (long long)L,
             L < w->set.wants.lookback ? " at least" : "");
  return FC_OK;
}

/* no hole in what the model looks back on */
static fc_status check_history(const fc_forecast *w, int k, int64_t end) {
  const fc_series_info *s = about(w);
  char                  where[FC_TEXT], date[40];

  for (int64_t r = fc_max64(s->at[k], end - w->set.wants.lookback); r < end; r++)
    for (int v = 0; v < w->set.n_variates; v++) {
      if (isfinite(fc_series_values(w->set.file)[r * s->n_columns + w->set.variate[v]])) continue;
      place(w, k, where, sizeof where);
      fc_forecast_date(w, fc_series_times(w->set.file)[r], date, sizeof date);
      return fc_fail(FC_E_INPUT,
                     "%s: column '%s' has no value of %s, which the model looks back on; fill it in, or let "
                     "the forecast "
                     "begin earlier with --at",
                     where, s->column[w->set.variate[v]].name, date);
    }
  return FC_OK;
}

/* columns that the model wants ahead of time must be there for every step of the horizon */
static fc_status check_known(const fc_forecast *w, int k, int64_t end) {
  const fc_series_wants *m    = &w->set.wants;
  const int64_t          have = about(w)->at[k + 1] - end;
  char                   where[FC_TEXT], date[40];

  place(w, k, where, sizeof where);
  for (int c = 0; c < m->n_columns; c++) {
    int64_t p = 0;
    if (m->column[c].role != FC_COLUMN_KNOWN) continue;
    while (p < fc_min64(have, m->horizon) &&
           isfinite(fc_series_values(w->set.file)[(end + p) * about(w)->n_columns + w->set.variate[c]]))
      p++;
    const int64_t last = fc_series_times(w->set.file)[end - 1];
    fc_forecast_date(w, about(w)->dated ? fc_date_add(last, about(w)->step, p + 1) : last + p + 1, date,
                     sizeof date);
    FC_REQUIRE(p == m->horizon, FC_E_INPUT,
               "%s: column '%s' must be known %lld steps ahead, but its value of %s is missing; add rows "
               "with the known "
               "columns to the file, or give them with --future FILE",
               where, m->column[c].name, (long long)m->horizon, date);
  }
  return FC_OK;
}

static fc_status choose(fc_forecast *w) {
  const int n = about(w)->n_series;
  int       only;

  FC_TRY(fc_series_pick(&w->set, w->job->series, &only));
  w->series = malloc((size_t)n * sizeof *w->series);
  w->row    = malloc((size_t)n * sizeof *w->row);
  FC_REQUIRE(w->series && w->row, FC_E_SYSTEM, "no memory for %d series", n);
  for (int k = 0; k < n; k++) {
    int64_t end;
    if (only >= 0 && k != only) continue;
    FC_TRY(find_origin(w, k, &end));
    FC_TRY(check_length(w, k, end));
    FC_TRY(check_history(w, k, end));
    FC_TRY(check_known(w, k, end));
    w->series[w->n] = k;
    w->row[w->n++]  = end - w->set.wants.lookback;
  }
  return FC_OK;
}

/* ---- numbers ---- */

static fc_status allocate(fc_forecast *w) {
  const int64_t len = w->n * w->set.wants.horizon * w->set.n_targets;

  w->width = w->set.wants.n_quantiles ? w->set.wants.n_quantiles : 1;
  w->y     = malloc((size_t)(len * w->width) * sizeof *w->y);
  w->base  = malloc((size_t)len * sizeof *w->base);
  w->truth = malloc((size_t)len * sizeof *w->truth);
  FC_REQUIRE(w->y && w->base && w->truth, FC_E_SYSTEM, "no memory for the forecasts of %d series", w->n);
  return FC_OK;
}

static void known_truth(const fc_forecast *w, int i, fc_real *truth) {
  const int q = w->series[i];

  for (int64_t p = 0; p < w->set.wants.horizon; p++)
    for (int k = 0; k < w->set.n_targets; k++) {
      const double mean = fc_series_mean(&w->set, q, w->set.target[k]);
      *truth++ =
          (fc_real)((fc_forecast_truth(w, i, p, k) - mean) / fc_series_std(&w->set, q, w->set.target[k]));
    }
}

static void compare_with(fc_forecast *w) {
  const int64_t         len   = w->set.wants.horizon * w->set.n_targets;
  const fc_window_table table = {w->set.scaled,        about(w)->n_columns, w->set.wants.lookback,
                                 w->set.wants.horizon, w->set.n_targets,    w->set.target};

  w->season = fc_series_season(&w->set, w->job->season);
  for (int i = 0; i < w->n; i++) {
    fc_base_season(&table, about(w)->at[w->series[i]], w->season, w->row[i], w->base + i * len);
    known_truth(w, i, w->truth + i * len);
  }
}

static fc_status predict(fc_forecast *w, fc_explain *e) {
  const int64_t len = w->set.wants.horizon * w->set.n_targets * w->width;
  int64_t       batch;
  fc_ctx       *c;

  FC_TRY(fc_series_context(w->run, &w->set, BATCH, &batch, &c));
  for (int64_t from = 0; from < w->n; from += batch) {
    const int64_t n    = fc_min64(batch, w->n - from);
    const size_t  mark = fc_arena_mark(c->arena);
    fc_batch      b    = {0};
    fc_series_batch(c, &w->set, n, w->row + from, &b, NULL);
    if (e) fc_explain_watch(e, c, n);
    const fc_tensor *y = fc_series_call(c, w->run->network, &w->set, &b);
    memcpy(w->y + from * len, y->x, (size_t)(n * len) * sizeof *y->x);
    fc_step_end(c, mark);
  }
  fc_ctx_destroy(c);
  return FC_OK;
}

/* ---- what is told ---- */

static bool complete(const fc_forecast *w, int i) {
  const int64_t len = w->set.wants.horizon * w->set.n_targets;

  for (int64_t j = 0; j < len; j++)
    if (!isfinite((double)w->truth[i * len + j])) return false;
  return true;
}

static void print_errors(const fc_forecast *w, const fc_series_scores *model, const fc_series_scores *base,
                         FILE *f) {
  const char *rival = w->season > 1 ? "seasonal naive" : "naive";

  fprintf(f, "%lld of %d forecasts end within the file; MAE in units\n%-24s %14s %14s\n",
          (long long)model->windows, w->n, "", w->run->k.def->name, rival);
  for (int k = 0; k < w->set.n_targets; k++) {
    fprintf(f, "%-24.24s %14.4g %14.4g\n", about(w)->column[w->set.target[k]].name,
            fc_series_mae_units(model, k), fc_series_mae_units(base, k));
  }
  fprintf(f, "%-24s %14.4f %14.4f\n%-24s %14.4f %14.4f\n", "MSE (scaled)", fc_series_mse(model, -1, -1),
          fc_series_mse(base, -1, -1), "MAE (scaled)", fc_series_mae(model, -1, -1),
          fc_series_mae(base, -1, -1));
  for (int b = 0; b < fc_series_bands(model); b++)
    fprintf(f, "%.4g %% band covers %22.1f %%\n", 100 * fc_series_band(model, b),
            100 * fc_series_coverage(model, b, -1));
}

/* of one forecast; d: no MASE is asked for */
static void add_forecast(const fc_forecast *w, int i, const double *d, double *mean, double *std,
                         fc_series_scores *model, fc_series_scores *base) {
  const int64_t         len = w->set.wants.horizon * w->set.n_targets;
  const fc_series_gauge g   = {d, d, mean, std};

  for (int k = 0; k < w->set.n_targets; k++) {
    mean[k] = fc_series_mean(&w->set, w->series[i], w->set.target[k]);
    std[k]  = fc_series_std(&w->set, w->series[i], w->set.target[k]);
  }
  fc_series_scores_add(model, w->y + i * len * w->width, w->truth + i * len, &g);
  fc_series_scores_add(base, w->base + i * len, w->truth + i * len, &g);
}

static fc_status tell_errors(const fc_forecast *w, FILE *f) {
  const fc_series_wants *m     = &w->set.wants;
  const int              K     = w->set.n_targets;
  fc_series_scores       model = {0}, base = {0};
  double                *none = malloc((size_t)(3 * K) * sizeof *none);
  fc_status              s    = none ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for errors");

  for (int k = 0; k < K && none; k++) none[k] = NAN;
  if (s == FC_OK)
    s = fc_series_scores_create(m->horizon, w->set.n_targets, m->n_quantiles, m->quantile, &model);
  if (s == FC_OK) s = fc_series_scores_create(m->horizon, w->set.n_targets, 0, NULL, &base);
  for (int i = 0; i < w->n && s == FC_OK; i++) {
    if (complete(w, i)) add_forecast(w, i, none, none + K, none + 2 * K, &model, &base);
  }
  if (s == FC_OK && model.windows) print_errors(w, &model, &base, f);
  if (s == FC_OK && !model.windows)
    fputs("the file does not go on for a whole horizon: no error to tell\n", f);
  fc_series_scores_free(&model);
  fc_series_scores_free(&base);
  free(none);
  return s;
}

static fc_status write_files(const fc_forecast *w, FILE *f) {
  char  png[FC_TEXT], from[40], to[40];
  FILE *out;

  FC_TRY(fc_path_with(w->job->out, ".png", png, sizeof png));
  FC_TRY(fc_file_begin(w->job->out, &out));
  fc_forecast_csv(w, out);
  FC_TRY(fc_file_commit(w->job->out, out));
  FC_TRY(fc_forecast_picture(w, png));
  fc_forecast_date(w, fc_forecast_time(w, 0, 0), from, sizeof from);
  fc_forecast_date(w, fc_forecast_time(w, 0, w->set.wants.horizon - 1), to, sizeof to);
  fprintf(f, "%s: %lld steps of %d column%s", w->job->out, (long long)w->set.wants.horizon, w->set.n_targets,
          w->set.n_targets > 1 ? "s" : "");
  if (w->n > 1)
    fprintf(f, " of %d series", w->n);
  else
    fprintf(f, ", %s to %s", from, to);
  fprintf(f, "; picture: %s\n", png);
  return FC_OK;
}

static fc_status explain_to(fc_explain *e, const fc_forecast *w, FILE *f) {
  return e ? fc_explain_write(e, w->job->explain, f) : FC_OK;
}

static fc_status perform(fc_forecast *w, FILE *report, FILE *messages) {
  FILE       *told = w->job->out ? report : messages; /* a table on the report is for other programs */
  fc_explain *e    = NULL;
  fc_status   s;

  FC_TRY(choose(w));
  FC_TRY(allocate(w));
  compare_with(w);
  if (w->job->explain) FC_TRY(fc_explain_create(&w->set, &e));
  FC_TRY_TO(done, s, predict(w, e));
  if (w->job->out)
    s = write_files(w, report);
  else
    fc_forecast_csv(w, report);
  if (s == FC_OK && w->job->at) s = tell_errors(w, told);
  if (s == FC_OK) s = explain_to(e, w, told);
done:
  fc_explain_free(e);
  return s;
}

fc_status fc_forecast_run(const fc_run *run, const fc_forecast_job *job, FILE *report, FILE *messages) {
  fc_forecast w = {.run = run, .job = job};
  fc_status   s = fc_run_open_future(run, job->data, job->future, &w.set);

  if (s != FC_OK) return s;
  s = perform(&w, report, messages);
  fc_series_set_close(&w.set);
  free(w.series);
  free(w.row);
  free(w.y);
  free(w.base);
  free(w.truth);
  return s;
}
