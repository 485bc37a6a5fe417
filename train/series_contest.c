/* train/series_contest.c */
#include "train/series_contest.h"

#include "io/csv.h"
#include "io/file.h"
#include "io/plot.h"
#include "train/series_run.h"
#include "train/series_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 16, RIVALS = RUNS + FC_BASES };

typedef struct {
  char    name[FC_NAME];
  bool    run;
  int64_t lookback, weights, steps;
  double  mse, mae, mase, ridge; /* ridge: MSE of the better of the linear maps of that lookback; NaN: none */
  double *by_step;               /* [horizon] MSE */
} rival;

typedef struct {
  const fc_series_contest_job *job;
  int                          n, at; /* rivals; number of the run at work */
  rival                        rivals[RIVALS];
  int64_t                      horizon, windows;
  int                          targets;
  char                         columns[FC_TEXT]; /* names of the targets, to see that they are the same */
} contest;

/* ---- collecting ---- */

static fc_status add(contest *c, const char *name, const fc_series_table *t, int method) {
  rival                  *r = &c->rivals[c->n];
  const fc_series_scores *s = &t->scores[method];

  *r = (rival){.run = method == 0, .lookback = t->set->wants.lookback, .ridge = NAN};
  snprintf(r->name, sizeof r->name, "%.60s", name);
  r->mse     = fc_series_mse(s, -1, -1);
  r->mae     = fc_series_mae(s, -1, -1);
  r->mase    = fc_series_mase(s, -1);
  r->by_step = malloc((size_t)c->horizon * sizeof *r->by_step);
  FC_REQUIRE(r->by_step, FC_E_SYSTEM, "no memory for a comparison");
  for (int64_t p = 0; p < c->horizon; p++) r->by_step[p] = fc_series_mse(s, -1, p);
  c->n++;
  return FC_OK;
}

static double best_ridge(const fc_series_table *t) {
  double best = NAN;

  for (int m = 1 + FC_BASE_RIDGE; m < FC_SERIES_METHODS; m++)
    if (t->shown[m]) best = fmin(best, fc_series_mse(&t->scores[m], -1, -1));
  return best;
}

static void last_component(const char *path, char out[FC_NAME]) {
  size_t n = strlen(path);

  while (n > 1 && path[n - 1] == '/') n--;
  size_t from = n;
  while (from > 0 && path[from - 1] != '/') from--;
  snprintf(out, FC_NAME, "%.*s", (int)fc_min64((int64_t)(n - from), FC_NAME - 1), path + from);
}

/* the columns of the first run are those of all */
static fc_status same_task(contest *c, const fc_series_table *t) {
  char   columns[FC_TEXT] = "";
  size_t at               = 0;

  for (int k = 0; k < t->set->n_targets && at < sizeof columns; k++)
    at += (size_t)snprintf(columns + at, sizeof columns - at, "%s,",
                           fc_series_about(t->set->file)->column[t->set->target[k]].name);
  if (c->at == 0) {
    memcpy(c->columns, columns, sizeof columns);
    c->horizon = t->set->wants.horizon;
    c->targets = t->set->n_targets;
    c->windows = t->scores[0].windows;
    return FC_OK;
  }
  FC_REQUIRE(c->horizon == t->set->wants.horizon, FC_E_MISMATCH,
             "%s forecasts %lld steps, %s %lld; only the same horizon can be compared", c->job->run[c->at],
             (long long)t->set->wants.horizon, c->job->run[0], (long long)c->horizon);
  FC_REQUIRE(!strcmp(c->columns, columns) && c->windows == t->scores[0].windows, FC_E_MISMATCH,
             "%s forecasts other columns or windows than %s; only the same ones can be compared",
             c->job->run[c->at], c->job->run[0]);
  return FC_OK;
}

static fc_status take(void *user, const fc_series_table *t) {
  contest *c = user;
  char     name[FC_NAME];

  FC_TRY(same_task(c, t));
  last_component(c->job->run[c->at], name);
  FC_TRY(add(c, name, t, 0));
  rival *r   = &c->rivals[c->n - 1];
  r->weights = fc_params_trainable(t->run->network->params);
  r->steps   = t->run->k.step;
  r->ridge   = best_ridge(t);
  if (c->at < c->job->n - 1) return FC_OK;
  for (int m = 1; m < FC_SERIES_METHODS; m++)
    if (t->shown[m]) FC_TRY(add(c, fc_base_name((fc_base)(m - 1)), t, m));
  return FC_OK;
}

static fc_status score_run(contest *c) {
  const fc_backtest_job job = {
      .data = c->job->data, .part = FC_PART_TEST, .stride = 1, .quiet = c->job->quiet};
  fc_run *run;

  FC_TRY(fc_run_load(c->job->run[c->at], true, &run));
  const fc_status s =
      fc_run_on_series(run)
          ? fc_series_score(run, &job, take, c)
          : fc_fail(FC_E_MISMATCH, "%s is no forecaster; only runs on the same data can be compared",
                    c->job->run[c->at]);
  fc_run_free(run);
  return s;
}

/* ---- telling ---- */

static void number(FILE *f, int width, double v, const char *format) {
  char text[40];

  snprintf(text, sizeof text, isfinite(v) ? format : "-", v);
  fprintf(f, " %*s", width, text);
}

static void print(const contest *c, FILE *f) {
  fprintf(f, "%d runs on the test part of %s: %lld windows, %lld steps, %d columns\n\n", c->job->n,
          c->job->data, (long long)c->windows, (long long)c->horizon, c->targets);
  fprintf(f, "%-20s %9s %9s %8s %9s %9s %9s %11s\n", "", "look-back", "weights", "steps", "MSE", "MAE",
          "MASE", "ridge's MSE");
  for (int i = 0; i < c->n; i++) {
    const rival *r = &c->rivals[i];
    fprintf(f, "%-20.20s %9lld", r->name, (long long)r->lookback);
    number(f, 9, r->run ? (double)r->weights * 1e-6 : NAN, "%.3f");
    number(f, 8, r->run ? (double)r->steps : NAN, "%.0f");
    number(f, 9, r->mse, "%.4f");
    number(f, 9, r->mae, "%.4f");
    number(f, 9, r->mase, "%.4f");
    number(f, 11, r->ridge, "%.4f");
    fputc('\n', f);
  }
  fputs("\nweights in millions; steps of the optimiser; MSE, MAE in units of the training rows' standard "
        "deviation;\n"
        "MASE: errors over those of the seasonal naive forecast on the training rows\n"
        "ridge's MSE: the better of the closed-form linear maps with the look-back of the run\n"
        "baselines: with the look-back of the last run\n",
        f);
}

static fc_status write_csv(const contest *c, const char *path) {
  FILE *f;

  FC_TRY(fc_file_begin(path, &f));
  fputs("method,kind,lookback,weights,steps,mse,mae,mase,ridge_mse\n", f);
  for (int i = 0; i < c->n; i++) {
    const rival *r = &c->rivals[i];
    fc_csv_put(f, r->name);
    fprintf(f, ",%s,%lld,%lld,%lld,%.8g,%.8g,%.8g,%.8g\n", r->run ? "run" : "baseline",
            (long long)r->lookback, (long long)r->weights, (long long)r->steps, r->mse, r->mae, r->mase,
            r->ridge);
  }
  return fc_file_commit(path, f);
}

static fc_status draw(const contest *c, const char *path) {
  fc_curve curve[RIVALS];
  fc_axes  axes = {.x_label = "step of the horizon", .y_label = "MSE (scaled)", .h_line = NAN};
  double  *x    = malloc((size_t)c->horizon * sizeof *x);

  FC_REQUIRE(x, FC_E_SYSTEM, "no memory for a picture");
  for (int64_t p = 0; p < c->horizon; p++) x[p] = (double)p + 1;
  for (int i = 0; i < c->n; i++)
    curve[i] = (fc_curve){.label   = c->rivals[i].name,
                          .n       = c->horizon,
                          .x       = x,
                          .y       = c->rivals[i].by_step,
                          .dashed  = !c->rivals[i].run,
                          .markers = c->horizon == 1};
  const fc_status s = fc_plot_curves(path, &axes, c->n, curve);
  free(x);
  return s;
}

static fc_status tell(const contest *c, FILE *f) {
  char path[FC_TEXT + 16];

  print(c, f);
  FC_TRY(fc_make_folder(c->job->out));
  snprintf(path, sizeof path, "%s/contest.csv", c->job->out);
  FC_TRY(write_csv(c, path));
  snprintf(path, sizeof path, "%s/error.png", c->job->out);
  return draw(c, path);
}

fc_status fc_series_contest_run(const fc_series_contest_job *job, FILE *f) {
  contest   c = {.job = job};
  fc_status s = FC_OK;

  FC_ASSERT(job->n <= RUNS, "%d runs to compare", job->n);
  for (c.at = 0; c.at < job->n && s == FC_OK; c.at++) s = score_run(&c);
  if (s == FC_OK) s = tell(&c, f);
  for (int i = 0; i < c.n; i++) free(c.rivals[i].by_step);
  return s;
}
