/* train/series_evaluate.c */
#include "train/series_evaluate.h"

#include "core/progress.h"
#include "hpc/stop.h"
#include "train/series_explain.h"
#include "train/series_run.h"
#include "train/series_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BATCH = 32 }; /* at most */

typedef struct {
  const fc_backtest_job *job;
  fc_series_table        t; /* results */
  fc_series_set          set;
  fc_window_table        table;
  fc_ctx                *ctx;
  fc_explain            *explain;  /* NULL: not asked for */
  fc_series_ridge       *ridge[2]; /* raw, centred; NULL: none */
  int64_t               *row, n;   /* windows that are scored */
  int64_t                batch;    /* of them at a time */
  int                   *series;
  double  *d, *before; /* [n_series, targets] seasonal errors of the training rows, of all before the part */
  double  *mean, *std; /* [n_series, targets] */
  fc_real *y[FC_SERIES_METHODS]; /* [BATCH, P, targets(, quantiles)] */
  fc_progress bar;
} work;

/* ---- helpers for forecasts too ---- */

int64_t fc_series_season(const fc_series_set *s, int64_t asked) {
  const fc_series_info *i = fc_series_about(s->file);

  return asked > 0 ? asked : i->dated ? fc_date_season(i->step) : 1;
}

fc_status fc_series_pick(const fc_series_set *s, const char *name, int *out) {
  const fc_series_info *i = fc_series_about(s->file);

  *out = -1;
  if (!name) return FC_OK;
  for (int k = 0; k < i->n_series; k++)
    if (!strcmp(i->series[k], name)) return *out = k, FC_OK;
  const char *near = fc_nearest(name, i->n_series, (const char *const *)i->series);
  return fc_fail(FC_E_USAGE, "--series %s: the file has no series of this name%s%s%s", name,
                 near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

void fc_series_when(const fc_series_set *s, int64_t row, char *buf, size_t size) {
  const fc_series_info *i = fc_series_about(s->file);
  const int64_t         t = fc_series_times(s->file)[row];

  if (i->dated)
    fc_date_text(t, i->step.months || i->step.seconds % 86400 == 0, buf, size);
  else
    snprintf(buf, size, "row %lld", (long long)t);
}

/* ---- which windows ---- */

/* last window of each series that the part has; -1 if it has none */
static fc_status last_windows(const work *w, int64_t all, int64_t **out) {
  const int n    = fc_series_about(w->set.file)->n_series;
  int64_t  *last = malloc((size_t)n * sizeof *last), row;
  int       k;

  FC_REQUIRE(last, FC_E_SYSTEM, "no memory for an evaluation");
  for (k = 0; k < n; k++) last[k] = -1;
  for (int64_t i = 0; i < all; i++) {
    fc_series_window_at(&w->set, w->job->part, i, &k, &row);
    last[k] = fc_max64(last[k], row);
  }
  *out = last;
  return FC_OK;
}

static bool wanted(const work *w, int only, int series, int64_t before_last) {
  const fc_backtest_job *j = w->job;

  if (only >= 0 && series != only) return false;
  return before_last % j->stride == 0 && (!j->origins || before_last / j->stride < j->origins);
}

static fc_status choose_windows(work *w) {
  const fc_backtest_job *j    = w->job;
  const int64_t          all  = fc_series_windows(&w->set, j->part);
  int64_t               *last = NULL, row;
  int                    only, k;

  FC_TRY(fc_series_pick(&w->set, j->series, &only));
  FC_REQUIRE(all > 0, FC_E_INPUT,
             "%s: the %s part has no window of %lld + %lld steps; choose another --split", j->data,
             fc_series_part_name(j->part), (long long)w->table.lookback, (long long)w->table.horizon);
  w->row    = malloc((size_t)all * sizeof *w->row);
  w->series = malloc((size_t)all * sizeof *w->series);
  FC_REQUIRE(w->row && w->series, FC_E_SYSTEM, "no memory for %lld windows", (long long)all);
  FC_TRY(last_windows(w, all, &last));
  for (int64_t i = 0; i < all; i++) {
    fc_series_window_at(&w->set, j->part, i, &k, &row);
    if (wanted(w, only, k, last[k] - row)) w->row[w->n] = row, w->series[w->n++] = k;
  }
  free(last);
  w->t.windows = w->n;
  if (j->drop_last) w->n -= w->n % j->drop_last;
  w->t.dropped = w->t.windows - w->n;
  FC_REQUIRE(w->n > 0, FC_E_USAGE, "%s: --drop-last %lld leaves none of the %lld windows of the %s part",
             j->data, (long long)j->drop_last, (long long)w->t.windows, fc_series_part_name(j->part));
  return FC_OK;
}

/* ---- baselines ---- */

static fc_window_table table_of(const fc_series_set *s) {
  return (fc_window_table){s->scaled,         fc_series_about(s->file)->n_columns,
                           s->wants.lookback, s->wants.horizon,
                           s->n_targets,      s->target};
}

/* windows with whole lookbacks */
static fc_status rows_of(const fc_series_set *s, fc_series_part part, int64_t *n, int64_t **out) {
  const int64_t all = fc_series_windows(s, part);
  int64_t       row;
  int           k;

  *n   = 0;
  *out = malloc((size_t)(all + 1) * sizeof **out);
  FC_REQUIRE(*out, FC_E_SYSTEM, "no memory for %lld windows", (long long)all);
  for (int64_t i = 0; i < all; i++) {
    fc_series_window_at(s, part, i, &k, &row);
    if (!fc_series_missing(s, row)) (*out)[(*n)++] = row;
  }
  return FC_OK;
}

/* the linear map takes nothing else */
static bool all_whole(const work *w) {
  for (int64_t i = 0; i < w->n; i++)
    if (fc_series_missing(&w->set, w->row[i])) return false;
  return true;
}

static fc_status fit_ridges(work *w, const fc_series_set *on) {
  const fc_window_table table = table_of(on);
  int64_t              *fit = NULL, *held = NULL, n_fit, n_held;
  fc_status             s;

  if (!all_whole(w)) return FC_OK;
  FC_TRY_TO(done, s, rows_of(on, FC_PART_TRAIN, &n_fit, &fit));
  FC_TRY_TO(done, s, rows_of(on, FC_PART_VALID, &n_held, &held));
  for (int k = 0; k < 2 && n_fit && s == FC_OK; k++) {
    s = fc_series_ridge_fit(&table, k == 1, n_fit, fit, n_held, held, &w->ridge[k]);
    if (s == FC_OK) w->t.lambda[k] = fc_series_ridge_lambda(w->ridge[k]);
  }
  w->t.ridge_windows = n_fit;
done:
  free(fit);
  free(held);
  return s;
}

static bool same_file(const char *a, const char *b) {
  struct stat x, y;
  return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The model and the linear map should know the same data: the run's own, if it is still there; else the
   training part of the file, and the report says so. */
static fc_status fit_linear(work *w, const fc_run *run) {
  const char   *own = run->k.settings.data.train, *go_on = run->k.settings.data.continued;
  fc_series_set set = {0};

  if (!own[0] || same_file(own, w->job->data) ||
      fc_run_open_series(run, own, go_on[0] ? go_on : NULL, &set) != FC_OK) {
    w->t.own_missing = own[0] && !same_file(own, w->job->data);
    return fit_ridges(w, &w->set);
  }
  w->t.ridge_data   = own;
  const fc_status s = fit_ridges(w, &set);
  fc_series_set_close(&set);
  return s;
}

static fc_status gauges(work *w) {
  const fc_series_info *i = fc_series_about(w->set.file);
  const int             K = w->table.n_targets, n = i->n_series;

  w->d = malloc((size_t)(4 * n * K) * sizeof *w->d);
  FC_REQUIRE(w->d, FC_E_SYSTEM, "no memory for %d series", n);
  w->before = w->d + n * K;
  w->mean   = w->before + n * K;
  w->std    = w->mean + n * K;
  for (int j = 0; j < n * K; j++) {
    const int     s = j / K, column = w->table.target[j % K], at = FC_PART_TRAIN * n + s;
    const int64_t part = w->set.lo[(int)w->job->part * n + s];
    w->d[j]            = fc_seasonal_error(&w->table, column, w->set.lo[at], w->set.hi[at], w->t.season);
    w->before[j]       = fc_seasonal_error(&w->table, column, i->at[s], part, w->t.season);
    w->mean[j]         = fc_series_mean(&w->set, s, column);
    w->std[j]          = fc_series_std(&w->set, s, column);
  }
  return FC_OK;
}

static void predict_baseline(work *w, fc_base base, int64_t from, int64_t n, fc_real *y) {
  const int64_t *at = fc_series_about(w->set.file)->at, len = w->table.horizon * w->table.n_targets;

  if (base >= FC_BASE_RIDGE) {
    fc_series_ridge_apply(w->ridge[base - FC_BASE_RIDGE], &w->table, n, w->row + from, y);
    return;
  }
  for (int64_t i = from; i < from + n; i++, y += len) {
    if (base == FC_BASE_NAIVE) fc_base_naive(&w->table, w->row[i], y);
    if (base == FC_BASE_SEASON) fc_base_season(&w->table, at[w->series[i]], w->t.season, w->row[i], y);
    if (base == FC_BASE_MEAN) fc_base_mean(&w->table, fc_series_missing(&w->set, w->row[i]), w->row[i], y);
  }
}

/* ---- the passes ---- */

static fc_status prepare(work *w, const fc_run *run) {
  const fc_series_wants *m = &w->set.wants;

  w->table    = table_of(&w->set);
  w->t.season = fc_series_season(&w->set, w->job->season);
  FC_TRY(choose_windows(w));
  FC_TRY(fit_linear(w, run));
  FC_TRY(gauges(w));
  w->t.shown[0] = true;
  for (int b = 0; b < FC_BASES; b++)
    w->t.shown[1 + b] =
        b == FC_BASE_SEASON ? w->t.season > 1 : b < FC_BASE_RIDGE || w->ridge[b - FC_BASE_RIDGE];
  for (int k = 0; k < FC_SERIES_METHODS; k++) {
    const int    Q   = k ? 0 : m->n_quantiles;
    const size_t len = (size_t)(BATCH * m->horizon * w->set.n_targets * (Q ? Q : 1));
    FC_TRY(fc_series_scores_create(m->horizon, w->set.n_targets, Q, m->quantile, &w->t.scores[k]));
    FC_REQUIRE((w->y[k] = malloc(len * sizeof(fc_real))), FC_E_SYSTEM, "no memory for %d windows", BATCH);
  }
  FC_TRY(fc_series_context(run, &w->set, BATCH, &w->batch, &w->ctx));
  if (w->job->explain) FC_TRY(fc_explain_create(&w->set, &w->explain));
  return FC_OK;
}

static void score_batch(work *w, int64_t from, int64_t n, const fc_real *truth) {
  const int64_t len = w->table.horizon * w->table.n_targets;

  for (int k = 0; k < FC_SERIES_METHODS; k++) {
    const int64_t width = w->t.scores[k].quantiles ? w->t.scores[k].quantiles : 1;
    if (!w->t.shown[k]) continue;
    if (k) predict_baseline(w, (fc_base)(k - 1), from, n, w->y[k]);
    for (int64_t i = 0; i < n; i++) {
      const int64_t         at = (int64_t)w->series[from + i] * w->table.n_targets;
      const fc_series_gauge g  = {w->d + at, w->before + at, w->mean + at, w->std + at};
      fc_series_scores_add(&w->t.scores[k], w->y[k] + i * len * width, truth + i * len, &g);
    }
  }
}

static void one_batch(work *w, const fc_network *net, int64_t from, int64_t n) {
  const size_t mark = fc_arena_mark(w->ctx->arena);
  fc_batch     b    = {0};
  fc_tensor   *truth;

  fc_series_batch(w->ctx, &w->set, n, w->row + from, &b, &truth);
  if (w->explain) fc_explain_watch(w->explain, w->ctx, n);
  const fc_tensor *y = fc_series_call(w->ctx, net, &w->set, &b);
  memcpy(w->y[0], y->x, (size_t)fc_len(y) * sizeof *y->x);
  score_batch(w, from, n, truth->x);
  fc_step_end(w->ctx, mark);
}

static fc_status perform(work *w, const fc_run *run, fc_series_taker take, void *user) {
  FC_TRY(prepare(w, run));
  fc_progress_start(&w->bar, "eval", "window", 0, w->n, w->job->quiet);
  for (int64_t from = 0; from < w->n; from += w->batch) {
    one_batch(w, run->network, from, fc_min64(w->batch, w->n - from));
    FC_TRY(fc_stop_check(NULL, "nothing was written"));
    fc_progress_update(&w->bar, fc_min64(w->n, from + w->batch), NULL);
  }
  fc_progress_end(&w->bar, NULL);
  w->t.run     = run;
  w->t.job     = w->job;
  w->t.set     = &w->set;
  w->t.explain = w->explain;
  w->t.first   = w->row[0] + w->table.lookback;
  w->t.last    = w->row[w->n - 1] + w->table.lookback;
  return take(user, &w->t);
}

static void release(work *w) {
  fc_series_set_close(&w->set);
  for (int k = 0; k < 2; k++) fc_series_ridge_free(w->ridge[k]);
  for (int k = 0; k < FC_SERIES_METHODS; k++) {
    fc_series_scores_free(&w->t.scores[k]);
    free(w->y[k]);
  }
  fc_explain_free(w->explain);
  fc_ctx_destroy(w->ctx);
  free(w->row);
  free(w->series);
  free(w->d);
  free(w);
}

fc_status fc_series_score(const fc_run *run, const fc_backtest_job *job, fc_series_taker take, void *user) {
  work *w = calloc(1, sizeof *w);

  FC_REQUIRE(w, FC_E_SYSTEM, "no memory for an evaluation");
  w->job      = job;
  fc_status s = fc_run_open_series(run, job->data, job->continued, &w->set);
  if (s == FC_OK) s = perform(w, run, take, user);
  release(w);
  return s;
}

static fc_status report(void *user, const fc_series_table *t) {
  FILE *f = user;

  fc_series_table_print(t, f);
  if (t->job->out) FC_TRY(fc_series_table_files(t, t->job->out));
  return t->explain ? fc_explain_write(t->explain, t->job->explain, f) : FC_OK;
}

fc_status fc_series_evaluate(const fc_run *run, const fc_backtest_job *job, FILE *f) {
  return fc_series_score(run, job, report, f);
}
