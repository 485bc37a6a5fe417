/* train/series_table.c */
#include "train/series_table.h"

#include "io/csv.h"
#include "io/file.h"
#include "io/plot.h"
#include "train/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEFT = 24, WIDTH = 15, ROWS = 12 };

const char *fc_series_part_name(fc_series_part part) {
  static const char *const names[FC_PARTS] = {"train", "valid", "test"};
  return names[part];
}

static const char *method_name(const fc_series_table *t, int k) {
  return k ? fc_base_name((fc_base)(k - 1)) : t->run->k.def->name;
}

static const fc_channel *channel_of(const fc_series_table *t, int target) {
  return &fc_series_about(t->set->file)->column[t->set->target[target]];
}

/* ---- quantities: a number of a method, a target (-1: all) and a step (-1: all) ---- */

typedef double (*quantity)(const fc_series_table *t, int method, int target, int64_t step);

static double mse(const fc_series_table *t, int m, int target, int64_t step) {
  return fc_series_mse(&t->scores[m], target, step);
}
static double mae(const fc_series_table *t, int m, int target, int64_t step) {
  return fc_series_mae(&t->scores[m], target, step);
}
static double mase(const fc_series_table *t, int m, int target, int64_t step) {
  return (void)step, fc_series_mase(&t->scores[m], target);
}
static double mase_before(const fc_series_table *t, int m, int target, int64_t step) {
  return (void)step, fc_series_mase_before(&t->scores[m], target);
}
static double smape(const fc_series_table *t, int m, int target, int64_t step) {
  return (void)step, fc_series_smape(&t->scores[m], target);
}
static double rmse_in_units(const fc_series_table *t, int m, int target, int64_t step) {
  return (void)step, sqrt(fc_series_mse_units(&t->scores[m], target));
}
static double mae_in_units(const fc_series_table *t, int m, int target, int64_t step) {
  return (void)step, fc_series_mae_units(&t->scores[m], target);
}

/* ---- the table ---- */

static void print_heads(const fc_series_table *t, FILE *f) {
  fprintf(f, "\n%-*s", LEFT, "");
  for (int m = 0; m < FC_SERIES_METHODS; m++)
    if (t->shown[m]) fprintf(f, " %*s", WIDTH, method_name(t, m));
  fputc('\n', f);
}

static void print_number(FILE *f, double v, const char *format) {
  if (isfinite(v))
    fprintf(f, format, WIDTH, v);
  else
    fprintf(f, " %*s", WIDTH, "-");
}

static void print_row(const fc_series_table *t, FILE *f, const char *name, quantity of, int target,
                      int64_t step, const char *format) {
  fprintf(f, "%-*.*s", LEFT, LEFT, name);
  for (int m = 0; m < FC_SERIES_METHODS; m++)
    if (t->shown[m]) print_number(f, of(t, m, target, step), format);
  fputc('\n', f);
}

/* at most ROWS steps, first and last among them */
static void print_steps(const fc_series_table *t, FILE *f) {
  const int64_t P = t->scores[0].horizon;
  const int     n = (int)fc_min64(P, ROWS);
  char          name[32];

  if (P < 2) return;
  fputs("MSE by step\n", f);
  for (int i = 0; i < n; i++) {
    const int64_t step = i * (P - 1) / (n - 1);
    snprintf(name, sizeof name, "  %lld", (long long)step + 1);
    print_row(t, f, name, mse, -1, step, " %*.4f");
  }
}

static void print_targets(const fc_series_table *t, FILE *f, const char *title, quantity of) {
  char name[2 * FC_NAME + 8];

  fprintf(f, "%s\n", title);
  for (int k = 0; k < t->set->n_targets; k++) {
    const fc_channel *h    = channel_of(t, k);
    const char       *unit = fc_unit_text(h->unit);
    snprintf(name, sizeof name, "  %s%s%s%s", h->name, unit[0] ? " (" : "", unit, unit[0] ? ")" : "");
    print_row(t, f, name, of, k, -1, " %*.4g");
  }
}

static void print_quantiles(const fc_series_table *t, FILE *f) {
  const fc_series_scores *s = &t->scores[0];
  char                    name[32];

  if (!s->quantiles) return;
  fputs("quantile loss (scaled)\n", f);
  for (int q = 0; q < s->quantiles; q++) {
    snprintf(name, sizeof name, "  q %g", s->level[q]);
    fprintf(f, "%-*s", LEFT, name);
    print_number(f, fc_series_pinball(s, q, -1), " %*.4f");
    fputc('\n', f);
  }
  if (fc_series_bands(s)) fputs("coverage of bands, %\n", f);
  for (int b = 0; b < fc_series_bands(s); b++) {
    snprintf(name, sizeof name, "  %.4g %%", 100 * fc_series_band(s, b));
    fprintf(f, "%-*s", LEFT, name);
    print_number(f, 100 * fc_series_coverage(s, b, -1), " %*.1f");
    fputc('\n', f);
  }
}

static void print_title(const fc_series_table *t, FILE *f) {
  const fc_run         *r = t->run;
  const fc_series_info *i = fc_series_about(t->set->file);
  char                  from[40], to[40], step[40] = "";

  fc_series_when(t->set, t->first, from, sizeof from);
  fc_series_when(t->set, t->last, to, sizeof to);
  if (i->dated) fc_date_step_text(i->step, step, sizeof step);
  fprintf(f, "%s from %s, step %lld%s: %s part of %s\n", r->k.def->name, r->path, (long long)r->k.step,
          r->averaged ? " (moving average of the weights)" : "", fc_series_part_name(t->job->part),
          t->job->data);
  fprintf(f, "%lld windows of %lld + %lld steps%s%s, %d of %d columns", (long long)t->scores[0].windows,
          (long long)t->set->wants.lookback, (long long)t->set->wants.horizon, step[0] ? " of " : "", step,
          t->set->n_targets, i->n_columns);
  if (i->n_series > 1) fprintf(f, ", %d series", t->job->series ? 1 : i->n_series);
  fprintf(f, "; first forecast of %s, last of %s\n", from, to);
  if (t->job->drop_last)
    fprintf(
        f,
        "--drop-last %lld: the last %lld of %lld windows are not scored, as the loaders of older papers did; "
        "compare with such papers only\n",
        (long long)t->job->drop_last, (long long)t->dropped, (long long)t->windows);
}

static void print_ridge(const fc_series_table *t, FILE *f) {
  const char *where = t->ridge_data ? t->ridge_data : "this file";

  if (t->ridge_windows)
    fprintf(
        f,
        "ridge: one linear map of the lookback for all columns, closed form on %lld training windows of %s, "
        "lambda %g; ridge - mean: the window's mean taken off before, lambda %g\n",
        (long long)t->ridge_windows, where, t->lambda[0], t->lambda[1]);
  else
    fprintf(f,
            "no ridge baseline: the training part of %s has no whole window, or one that is scored is not "
            "whole\n",
            where);
  if (t->own_missing)
    fprintf(
        f,
        "the model was trained on %s, which cannot be read here: ridge knows this file, the model does not\n",
        t->run->k.settings.data.train);
}

static void print_definitions(const fc_series_table *t, FILE *f) {
  fputs("\nmeans over windows, steps and columns; y: forecast, t: truth\n"
        "MSE, MAE: mean (y - t)^2, mean |y - t|, in units of the training rows' standard deviation",
        f);
  fputs(t->set->own_mean ? " in the same series\n" : "\n", f);
  fprintf(
      f,
      "MASE: mean of |y - t| / d, d the mean |t_i - t_(i - %lld)| over the training rows; all rows before: "
      "over all rows of the series before the %s part\n"
      "sMAPE: mean of 200 |y - t| / (|y| + |t|), numbers in units\n",
      (long long)t->season, fc_series_part_name(t->job->part));
  if (t->scores[0].quantiles)
    fprintf(f,
            "errors of a model with quantiles are those of q %g\n"
            "quantile loss: mean max(q (t - y_q), (q - 1) (t - y_q)); coverage: share of t within the band\n",
            t->scores[0].level[t->scores[0].middle]);
  fputs("naive: the last value stays; window mean: mean of the lookback", f);
  if (t->season > 1) fprintf(f, "; seasonal naive: the value %lld steps before", (long long)t->season);
  fputc('\n', f);
  print_ridge(t, f);
}

void fc_series_table_print(const fc_series_table *t, FILE *f) {
  print_title(t, f);
  print_heads(t, f);
  print_row(t, f, "MSE", mse, -1, -1, " %*.4f");
  print_row(t, f, "MAE", mae, -1, -1, " %*.4f");
  print_row(t, f, "MASE", mase, -1, -1, " %*.4f");
  print_row(t, f, "MASE, all rows before", mase_before, -1, -1, " %*.4f");
  print_row(t, f, "sMAPE, %", smape, -1, -1, " %*.3f");
  print_quantiles(t, f);
  print_steps(t, f);
  print_targets(t, f, "RMSE in units", rmse_in_units);
  print_targets(t, f, "MAE in units", mae_in_units);
  print_definitions(t, f);
}

/* ---- files ---- */

static void csv_line(const fc_series_table *t, FILE *f, int m, const char *what, int target, int64_t step,
                     double v) {
  fc_csv_put(f, method_name(t, m));
  fprintf(f, ",%s,", what);
  if (target >= 0) fc_csv_put(f, channel_of(t, target)->name);
  if (step >= 0)
    fprintf(f, ",%lld,", (long long)step + 1);
  else
    fputs(",,", f);
  if (isfinite(v)) fprintf(f, "%.9g", v);
  fputc('\n', f);
}

static void csv_quantiles(const fc_series_table *t, FILE *f, int target) {
  const fc_series_scores *s = &t->scores[0];
  char                    what[40];

  for (int q = 0; q < s->quantiles; q++) {
    snprintf(what, sizeof what, "quantile loss %g", s->level[q]);
    csv_line(t, f, 0, what, target, -1, fc_series_pinball(s, q, target));
  }
  for (int b = 0; b < fc_series_bands(s); b++) {
    snprintf(what, sizeof what, "coverage %.4g", fc_series_band(s, b));
    csv_line(t, f, 0, what, target, -1, fc_series_coverage(s, b, target));
  }
}

static void csv_method(const fc_series_table *t, FILE *f, int m) {
  for (int k = -1; k < t->set->n_targets; k++) {
    csv_line(t, f, m, "MSE", k, -1, mse(t, m, k, -1));
    csv_line(t, f, m, "MAE", k, -1, mae(t, m, k, -1));
    csv_line(t, f, m, "MASE", k, -1, mase(t, m, k, -1));
    csv_line(t, f, m, "MASE before", k, -1, mase_before(t, m, k, -1));
    csv_line(t, f, m, "sMAPE", k, -1, smape(t, m, k, -1));
    if (m == 0) csv_quantiles(t, f, k);
    if (k < 0) continue;
    csv_line(t, f, m, "RMSE in units", k, -1, rmse_in_units(t, m, k, -1));
    csv_line(t, f, m, "MAE in units", k, -1, mae_in_units(t, m, k, -1));
  }
  for (int64_t p = 0; p < t->scores[m].horizon; p++) {
    csv_line(t, f, m, "MSE", -1, p, mse(t, m, -1, p));
    csv_line(t, f, m, "MAE", -1, p, mae(t, m, -1, p));
  }
}

/* baselines may be a hundred times as far off as a good model */
static bool wide_range(const fc_curve *c, int n) {
  double lo = INFINITY, hi = 0;

  for (int k = 0; k < n; k++)
    for (int64_t p = 0; p < c[k].n; p++) lo = fmin(lo, c[k].y[p]), hi = fmax(hi, c[k].y[p]);
  return lo > 0 && hi > 20 * lo;
}

static fc_status draw(const fc_series_table *t, const char *path) {
  const int64_t P = t->scores[0].horizon;
  double       *v = malloc((size_t)((FC_SERIES_METHODS + 1) * P) * sizeof *v);
  fc_curve      curve[FC_SERIES_METHODS];
  int           n    = 0;
  fc_axes       axes = {.x_label = "step of the horizon", .y_label = "MSE (scaled)", .h_line = NAN};

  FC_REQUIRE(v, FC_E_SYSTEM, "no memory for a picture");
  for (int64_t p = 0; p < P; p++) v[p] = (double)p + 1;
  for (int m = 0; m < FC_SERIES_METHODS; m++) {
    double *y = v + (m + 1) * P;
    if (!t->shown[m]) continue;
    for (int64_t p = 0; p < P; p++) y[p] = mse(t, m, -1, p);
    curve[n] =
        (fc_curve){.label = method_name(t, m), .n = P, .x = v, .y = y, .dashed = m > 0, .markers = P == 1};
    n++;
  }
  axes.log_y        = wide_range(curve, n);
  const fc_status s = fc_plot_curves(path, &axes, n, curve);
  free(v);
  return s;
}

fc_status fc_path_with(const char *path, const char *ending, char *buf, size_t size) {
  const char  *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
  const size_t stem = dot && (!slash || dot > slash + 1) && dot != path ? (size_t)(dot - path) : strlen(path);

  FC_REQUIRE((size_t)snprintf(buf, size, "%.*s%s", (int)stem, path, ending) < size, FC_E_USAGE,
             "%s: the path is too long", path);
  FC_REQUIRE(strcmp(buf, path), FC_E_USAGE, "%s: the table is CSV; a picture of that name is drawn beside it",
             path);
  return FC_OK;
}

fc_status fc_series_table_files(const fc_series_table *t, const char *path) {
  char  png[FC_TEXT];
  FILE *f;

  FC_TRY(fc_path_with(path, ".png", png, sizeof png));
  FC_TRY(fc_file_begin(path, &f));
  fputs("method,quantity,column,step,value\n", f);
  for (int m = 0; m < FC_SERIES_METHODS; m++)
    if (t->shown[m]) csv_method(t, f, m);
  FC_TRY(fc_file_commit(path, f));
  return draw(t, png);
}
