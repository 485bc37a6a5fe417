/* train/evaluate.c */
#include "train/evaluate.h"

#include "core/progress.h"
#include "hpc/stop.h"
#include "train/linear.h"
#include "train/metrics.h"
#include "train/rollout.h"
#include "train/windows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL, PERSISTENCE, LINEAR, MEAN, METHODS, PDEBENCH = 8, WIDTH = 13 };
static const char *const labels[METHODS]    = {"", "persistence", "linear", "training mean"};
static const char *const pdebench[PDEBENCH] = {"RMSE", "nRMSE",     "cRMSE",     "bRMSE",
                                               "max",  "fRMSE low", "fRMSE mid", "fRMSE high"};

typedef struct { /* sums over windows, divided at the end */
  double plain[FC_M_COUNT], pde[PDEBENCH];
} scores;

typedef struct {
  const fc_run  *run;
  fc_source      s;
  fc_rollout    *roll;
  fc_linear_map *linear; /* NULL: none, and why */
  const char    *no_linear;
  fc_windows    *windows;
  fc_grid        grid;
  int64_t        frames, count, lo, hi;
  fc_real       *truth, *guess[METHODS];
  double        *values;
  scores         first[METHODS], whole[METHODS];
  scores        *each; /* [count][2][METHODS]: summed in one order, whichever ranks had the windows */
  fc_progress    bar;
} work;

/* ---- which windows ---- */

static void choose_split(work *w, fc_split split) {
  const fc_data_settings *d = &w->run->k.settings.data;
  const int64_t           n = fc_field_about(w->s.field)->n_traj,
                cut         = d->valid[0] ? n : fc_source_split(n, d->valid_fraction);

  w->lo = split == FC_SPLIT_VALID ? (d->valid[0] ? 0 : cut) : 0;
  w->hi = split == FC_SPLIT_TRAIN ? cut : n;
}

static fc_status open_windows(work *w, const fc_evaluate_job *job) {
  const int64_t span = fc_rollout_span(w->roll), stride = w->s.frame_stride;
  int64_t       least = INT64_MAX;

  choose_split(w, job->split);
  FC_REQUIRE(w->lo < w->hi, FC_E_USAGE, "%s has no trajectories in this split; use --split all", job->data);
  for (int64_t i = w->lo; i < w->hi; i++) least = fc_min64(least, fc_source_steps(&w->s, i));
  w->frames = w->s.steady ? 1 : job->frames ? job->frames : fc_max64(1, (least - 1 - span) / stride + 1);
  const fc_window_spec spec = {w->lo, w->hi, w->run->network->frames.n_in, w->frames, 1, 0};
  FC_TRY(fc_windows_create(&w->s, &spec, &w->windows));
  const int64_t most = fc_windows_size(w->windows);
  w->count           = fc_min64(job->windows ? job->windows : w->hi - w->lo, most);
  return FC_OK;
}

static fc_status allocate(work *w) {
  const size_t len = (size_t)(w->frames * w->s.out_len);

  w->grid   = (fc_grid){w->s.geo.ndim, {w->s.geo.dim[0], w->s.geo.dim[1], w->s.geo.dim[2]}, w->s.out.n};
  w->truth  = malloc(len * sizeof(fc_real));
  w->values = malloc((size_t)(w->frames * w->s.out.n) * sizeof(double));
  w->each   = calloc((size_t)(2 * METHODS * w->count), sizeof *w->each);
  bool good = w->truth && w->values && w->each;
  for (int m = 0; m < METHODS; m++) good &= (w->guess[m] = malloc(len * sizeof(fc_real))) != NULL;
  FC_REQUIRE(good, FC_E_SYSTEM, "no memory for %lld frames; lower --frames", (long long)w->frames);
  return FC_OK;
}

/* nothing stands still before a steady field; a linear map needs the training data */
static bool shown(const work *w, int method) {
  return method == PERSISTENCE ? !w->s.steady : method == LINEAR ? w->linear != NULL : true;
}

/* ---- scores ---- */

static fc_status add_scores(work *w, int64_t frames, const fc_real *y, scores *out) {
  const int64_t      n = frames * w->s.out.n;
  fc_pdebench_scores p;
  double             box[3] = {1, 1, 1};

  for (int m = 0; m < FC_M_COUNT; m++) {
    double sum = 0;
    fc_metric_eval((fc_metric)m, &w->grid, frames, y, w->truth, w->values);
    for (int64_t i = 0; i < n; i++) sum += w->values[i];
    out->plain[m] += sum / (double)n;
  }
  for (int a = 0; a < w->s.geo.ndim; a++) {
    const double length =
        (w->s.geo.hi[a] - w->s.geo.lo[a]) * (double)w->s.geo.dim[a] / (double)(w->s.geo.dim[a] - 1);
    if (isfinite(length) && length > 0) box[a] = length;
  }
  FC_TRY(fc_pdebench_eval(&w->grid, 1, frames, box, y, w->truth, &p));
  const double v[PDEBENCH] = {p.rmse, p.nrmse, p.crmse, p.brmse, p.max, p.frmse[0], p.frmse[1], p.frmse[2]};
  for (int i = 0; i < PDEBENCH; i++) out->pde[i] += v[i];
  return FC_OK;
}

static void predict(work *w) {
  const int64_t len = w->s.out_len;
  const size_t  one = (size_t)len * sizeof(fc_real);

  if (w->linear) fc_linear_predict(w->linear, fc_rollout_history(w->roll), w->frames, w->guess[LINEAR]);
  if (w->linear) fc_scaling_undo(&w->s.out, w->frames * w->s.points, w->guess[LINEAR]);
  for (int64_t t = 0; t < w->frames; t++) {
    memcpy(w->guess[MODEL] + t * len, fc_rollout_next(w->roll), one);
    memcpy(w->guess[PERSISTENCE] + t * len, fc_rollout_last(w->roll), one);
    memset(w->guess[MEAN] + t * len, 0, one);
  }
  fc_scaling_undo(&w->s.out, w->frames * w->s.points, w->guess[MEAN]);
}

static fc_status one_window(work *w, int64_t number) {
  const int64_t place = (2 * number + 1) * fc_windows_size(w->windows) / (2 * w->count);
  scores       *first = w->each + 2 * METHODS * number;
  int64_t       traj, start;

  fc_windows_at(w->windows, place, &traj, &start);
  FC_TRY(fc_rollout_start(w->roll, traj, start));
  FC_TRY(
      fc_source_truth(&w->s, traj, w->s.steady ? 0 : start + fc_rollout_span(w->roll), w->frames, w->truth));
  predict(w);
  for (int m = 0; m < METHODS; m++) {
    if (!shown(w, m)) continue;
    FC_TRY(add_scores(w, 1, w->guess[m], &first[m]));
    FC_TRY(add_scores(w, w->frames, w->guess[m], &first[METHODS + m]));
  }
  return FC_OK;
}

/* this rank's windows */
static fc_status all_windows(work *w, bool quiet) {
  int64_t lo, hi;

  fc_comm_block(NULL, w->count, &lo, &hi);
  fc_progress_start(&w->bar, "eval", "window", 0, hi - lo, quiet);
  for (int64_t i = lo; i < hi; i++) {
    FC_TRY(one_window(w, i));
    fc_progress_update(&w->bar, i + 1 - lo, NULL);
    FC_REQUIRE(!fc_stop_signal(), FC_STOPPED, "stopped by a signal; nothing was written");
  }
  fc_progress_end(&w->bar, NULL);
  return FC_OK;
}

static void add(scores *sum, const scores *x) {
  for (int m = 0; m < FC_M_COUNT; m++) sum->plain[m] += x->plain[m];
  for (int i = 0; i < PDEBENCH; i++) sum->pde[i] += x->pde[i];
}

static fc_status join_windows(work *w) {
  const int64_t n = 2 * METHODS * w->count;

  FC_TRY(fc_comm_sum_double(NULL, w->each->plain, n * (int64_t)(sizeof(scores) / sizeof(double))));
  for (int64_t i = 0; i < n; i++) {
    const int64_t m = i % (2 * METHODS);
    add(m < METHODS ? &w->first[m] : &w->whole[m - METHODS], &w->each[i]);
  }
  return FC_OK;
}

/* ---- the table ---- */

static void print_row(const work *w, FILE *f, const char *name, size_t offset) {
  fprintf(f, "%-13s", name);
  for (int part = 0; part < 2; part++) {
    fputs(part ? "  |" : "", f);
    for (int m = 0; m < METHODS; m++) {
      const double v =
          /* cppcheck-suppress invalidPointerCast ; a place within a struct of doubles */
          *(const double *)((const char *)(part ? &w->whole[m] : &w->first[m]) + offset) / (double)w->count;
      if (!shown(w, m)) continue;
      if (isfinite(v))
        fprintf(f, " %*.4g", WIDTH, v);
      else
        fprintf(f, " %*s", WIDTH, isnan(v) ? "-" : "inf");
    }
    if (w->s.steady) break;
  }
  fputc('\n', f);
}

static void print_heads(const work *w, FILE *f) {
  int methods = 0;

  for (int m = 0; m < METHODS; m++) methods += shown(w, m);

  if (!w->s.steady)
    fprintf(f, "\n%-13s%*s  |%*s %lld", "", methods * (WIDTH + 1), "one frame ahead",
            methods * (WIDTH + 1) - 4, "mean over frames 1 to", (long long)w->frames);
  fprintf(f, "\n%-13s", "");
  for (int part = 0; part < (w->s.steady ? 1 : 2); part++) {
    fputs(part ? "  |" : "", f);
    for (int m = 0; m < METHODS; m++)
      if (shown(w, m)) fprintf(f, " %*s", WIDTH, m ? labels[m] : w->run->k.def->name);
  }
  fputc('\n', f);
}

static void print_all(const work *w, FILE *f) {
  fprintf(f, "%s from %s, step %lld%s: %lld windows of %lld trajectories\n", w->run->k.def->name,
          w->run->path, (long long)w->run->k.step, w->run->averaged ? " (moving average of the weights)" : "",
          (long long)w->count, (long long)(w->hi - w->lo));
  print_heads(w, f);
  for (int m = 0; m < FC_M_COUNT; m++)
    print_row(w, f, fc_metric_name((fc_metric)m), offsetof(scores, plain) + (size_t)m * sizeof(double));
  fputs("PDEBench\n", f);
  for (int i = 0; i < PDEBENCH; i++)
    print_row(w, f, pdebench[i], offsetof(scores, pde) + (size_t)i * sizeof(double));
  fputs("\nmeans over windows, frames and channels, in the units of the data\n", f);
  for (int m = 0; m < FC_M_COUNT; m++)
    fprintf(f, "%s: %s\n", fc_metric_name((fc_metric)m), fc_metric_definition((fc_metric)m));
  fputs("PDEBench: Takamoto et al. 2022, appendix B\n", f);
  if (w->linear)
    fprintf(f, "%s\n", fc_linear_text(w->linear));
  else
    fprintf(f, "no linear baseline: %s\n", w->no_linear);
}

static fc_status prepare(work *w, const fc_evaluate_job *job) {
  FC_TRY(fc_rollout_create(w->run, &w->s, NULL, &w->roll));
  FC_TRY(open_windows(w, job));
  FC_TRY(allocate(w));
  return fc_linear_fit(w->run, &w->s, &w->linear, &w->no_linear);
}

static fc_status perform(work *w, const fc_evaluate_job *job, FILE *f) {
  FC_TRY(fc_comm_agree(NULL, prepare(w, job)));
  FC_TRY(fc_comm_agree(NULL, all_windows(w, job->quiet)));
  FC_TRY(join_windows(w));
  if (!fc_comm_rank(NULL)) print_all(w, f);
  return FC_OK;
}

fc_status fc_evaluate(const fc_run *run, const fc_evaluate_job *job, FILE *f) {
  work *w = calloc(1, sizeof *w);

  FC_REQUIRE(w, FC_E_SYSTEM, "no memory for an evaluation");
  w->run      = run;
  fc_status s = fc_comm_agree(NULL, fc_run_open_data(run, job->data, &w->s));
  if (s == FC_OK) s = perform(w, job, f);
  fc_windows_destroy(w->windows);
  fc_rollout_destroy(w->roll);
  fc_linear_free(w->linear);
  fc_source_close(&w->s);
  for (int m = 0; m < METHODS; m++) free(w->guess[m]);
  free(w->truth);
  free(w->values);
  free(w->each);
  free(w);
  return s;
}
