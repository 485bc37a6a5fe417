/* train/contest.c */
#include "train/contest.h"

#include "core/progress.h"
#include "io/file.h"
#include "train/coarse.h"
#include "train/contest_report.h"
#include "train/linear.h"
#include "train/prediction.h"
#include "train/rollout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const fc_contest_job *job;
  fc_contest            t;   /* results */
  fc_run               *run; /* the one at work */
  fc_source             s;
  fc_rollout           *roll;
  int64_t               span, frames, n_traj; /* longest history of any run, in frames of the file */
  fc_real              *truth, *given;        /* a frame; what the solver begins with */
  fc_progress           bar;
} work;

/* ---- one run at a time ---- */

static void close_run(work *w) {
  fc_rollout_destroy(w->roll);
  fc_source_close(&w->s);
  fc_run_free(w->run);
  w->roll = NULL;
  w->run  = NULL;
}

static fc_status open_run(work *w, int i) {
  fc_status s;

  FC_TRY(fc_run_load(w->job->run[i], true, &w->run));
  FC_TRY_TO(fail, s, fc_run_open_data(w->run, w->job->data, &w->s));
  FC_TRY_TO(fail, s, fc_rollout_create(w->run, &w->s, NULL, &w->roll));
  return FC_OK;
fail:
  close_run(w);
  return s;
}

/* longest history, and whether all runs speak of the same fields */
static fc_status survey(work *w) {
  for (int i = 0; i < w->job->n; i++) {
    FC_TRY(open_run(w, i));
    w->span = fc_max64(w->span, fc_rollout_span(w->roll));
    if (i == 0) {
      w->t.geo = w->s.geo, w->t.channels = w->s.out, w->t.steady = w->s.steady;
    } else if (w->s.steady != w->t.steady || w->s.out.n != w->t.channels.n || w->s.points != w->t.points) {
      close_run(w);
      return fc_fail(FC_E_MISMATCH,
                     "%s predicts other fields than %s; only runs on the same data can be compared",
                     w->job->run[i], w->job->run[0]);
    }
    w->t.points = w->s.points;
    if (i < w->job->n - 1) close_run(w);
  }
  return FC_OK;
}

static fc_status choose_frames(work *w) {
  const fc_data_settings *d     = &w->run->k.settings.data;
  int64_t                 least = INT64_MAX;

  w->n_traj = fc_field_about(w->s.field)->n_traj;
  for (int64_t i = 0; i < w->n_traj; i++) least = fc_min64(least, fc_source_steps(&w->s, i));
  w->frames = w->t.steady ? 1 : (least - 1 - w->span) / d->frame_stride + 1;
  FC_REQUIRE(w->t.steady || (least > w->span && w->frames > 0), FC_E_INPUT,
             "%s has %lld frames, the longest history takes %lld: none are left to compare", w->job->data,
             (long long)least, (long long)w->span);
  if (w->job->frames) w->frames = fc_min64(w->frames, w->job->frames);
  w->truth = malloc((size_t)w->s.out_len * sizeof *w->truth);
  w->given = malloc((size_t)fc_max64(w->s.in_len, w->s.out_len) * sizeof *w->given);
  FC_REQUIRE(w->truth && w->given, FC_E_SYSTEM, "no memory for one frame");
  FC_TRY(fc_compare_create(&w->t.geo, w->t.channels.n, w->frames, NULL, &w->t.cmp));
  return fc_contest_shots(&w->t, w->s.out_len);
}

/* ---- predictions ---- */

static fc_status read_truth(work *w, int64_t traj, int64_t t) {
  return fc_source_truth(&w->s, traj, w->t.steady ? 0 : w->span + t * w->s.frame_stride, 1, w->truth);
}

static fc_status start(work *w, int64_t traj) {
  return fc_rollout_start(w->roll, traj, w->t.steady ? 0 : w->span - fc_rollout_span(w->roll));
}

static fc_status add(work *w, int method, int64_t traj, int64_t t, const fc_real *y) {
  FC_TRY(read_truth(w, traj, t));
  if (traj == 0) fc_contest_shot(&w->t, method, t, w->s.out_len, w->truth, y);
  return fc_compare_add(w->t.cmp, method, t, y, w->truth);
}

static fc_status roll(work *w, int i) {
  const int method = fc_contest_method(&w->t, w->job->run[i], FC_RIVAL_RUN);

  fc_contest_training(&w->t, method, w->job->run[i], fc_params_trainable(w->run->network->params),
                      w->run->k.step);
  for (int64_t traj = 0; traj < w->n_traj; traj++) {
    FC_TRY(start(w, traj));
    for (int64_t t = 0; t < w->frames; t++) FC_TRY(add(w, method, traj, t, fc_rollout_next(w->roll)));
    fc_progress_update(&w->bar, i * w->n_traj + traj + 1, NULL);
  }
  w->t.rival[method].seconds_a_frame = fc_rollout_cost(w->roll);
  return FC_OK;
}

static fc_status stand_still(work *w) {
  const int method =
      fc_contest_method(&w->t, w->t.steady ? "training mean" : "persistence", FC_RIVAL_BASELINE);

  for (int64_t traj = 0; traj < w->n_traj; traj++) {
    FC_TRY(start(w, traj));
    for (int64_t t = 0; t < w->frames; t++) FC_TRY(add(w, method, traj, t, fc_rollout_last(w->roll)));
  }
  return FC_OK;
}

static fc_status roll_linear(work *w) {
  fc_linear_map *m;
  const int64_t  len = w->s.out_len;

  FC_TRY(fc_linear_fit(w->run, &w->s, &m, &w->t.no_linear));
  if (!m) return FC_OK;
  const int method = fc_contest_method(&w->t, "linear", FC_RIVAL_BASELINE);
  fc_real  *y      = malloc((size_t)(w->frames * len) * sizeof *y);
  fc_status s      = y ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for %lld frames", (long long)w->frames);
  double    spent  = 0;
  for (int64_t traj = 0; traj < w->n_traj && s == FC_OK; traj++) {
    if ((s = start(w, traj)) != FC_OK) break;
    const double begin = fc_now();
    fc_linear_predict(m, fc_rollout_history(w->roll), w->frames, y);
    spent += fc_now() - begin;
    fc_scaling_undo(&w->s.out, w->frames * w->s.points, y);
    for (int64_t t = 0; t < w->frames && s == FC_OK; t++) s = add(w, method, traj, t, y + t * len);
  }
  w->t.rival[method].seconds_a_frame = spent / (double)(w->n_traj * w->frames);
  snprintf(w->t.linear, sizeof w->t.linear, "%s", fc_linear_text(m));
  free(y);
  fc_linear_free(m);
  return s;
}

typedef struct {
  work   *w;
  int     method;
  int64_t traj;
} coarse_frame;

static fc_status take_coarse(void *user, int64_t unused, int64_t t, const fc_real *x) {
  const coarse_frame *k = user;

  (void)unused;
  return add(k->w, k->method, k->traj, t, x);
}

/* what the solver begins with: the last known frame, or the inputs of a steady problem */
static fc_status coarse_start(work *w, int64_t traj) {
  if (w->t.steady) return fc_source_given(&w->s, traj, w->given);
  FC_TRY(start(w, traj));
  memcpy(w->given, fc_rollout_last(w->roll), (size_t)w->s.out_len * sizeof *w->given);
  return FC_OK;
}

static fc_status run_coarse(work *w, const fc_coarse *k, const char *label, double t0) {
  const int method = fc_contest_method(&w->t, label, FC_RIVAL_SOLVER);

  w->t.rival[method].seconds_a_frame = k->seconds;
  w->t.rival[method].dearer          = k->dearer;
  for (int64_t traj = 0; traj < w->n_traj; traj++) {
    coarse_frame c = {w, method, traj};
    FC_TRY(coarse_start(w, traj));
    FC_TRY(fc_coarse_run(k, &w->s, w->given, t0, w->frames, take_coarse, &c));
  }
  return FC_OK;
}

/* the solver's grid for one budget, unless an earlier budget chose the same */
static fc_status roll_coarse(work *w, double budget) {
  char      label[48] = "solver ", *at = label + strlen(label);
  double    t0 = 0;
  fc_coarse k;

  FC_TRY(coarse_start(w, 0));
  if (w->t.steady || fc_field_times(w->s.field, 0, w->span - w->s.frame_stride, 1, &t0) != FC_OK) t0 = 0;
  FC_TRY(fc_coarse_choose(&w->s, w->given, t0, budget, &k, &w->t.no_solver));
  if (!k.def) return FC_OK;
  for (int a = 0; a < w->s.geo.ndim; a++)
    at += snprintf(at, (size_t)(label + sizeof label - at), "%s%lld", a ? "x" : "", (long long)k.dim[a]);
  const fc_status s = fc_contest_find(&w->t, label) < 0 ? run_coarse(w, &k, label, t0) : FC_OK;
  fc_coarse_free(&k);
  return s;
}

static fc_status add_file(work *w, const char *path) {
  const int     method = fc_contest_method(&w->t, path, FC_RIVAL_FILE);
  fc_prediction p;
  fc_status     s;
  double        t;

  FC_TRY(fc_prediction_open(path, &w->s, &p));
  for (int64_t traj = 0; traj < w->n_traj; traj++)
    for (int64_t k = 0; k < w->frames; k++) {
      FC_TRY_TO(done, s, fc_field_times(w->s.field, traj, w->span + k * w->s.frame_stride, 1, &t));
      FC_TRY_TO(done, s, fc_prediction_at(&p, traj, t, w->given));
      FC_TRY_TO(done, s, add(w, method, traj, k, w->given));
    }
  s = FC_OK;
done:
  fc_prediction_close(&p);
  return s;
}

static fc_status roll_all(work *w) {
  for (int i = 0; i < w->job->n; i++) {
    if (i > 0 || !w->roll) FC_TRY(open_run(w, i));
    FC_TRY(roll(w, i));
    if (i < w->job->n - 1) close_run(w);
  }
  FC_TRY(stand_still(w));
  FC_TRY(roll_linear(w));
  for (int i = 0; i < w->job->n_files; i++) FC_TRY(add_file(w, w->job->file[i]));
  const int runs = w->job->n;
  for (int m = 0; m < runs; m++) FC_TRY(roll_coarse(w, w->t.rival[m].seconds_a_frame));
  return FC_OK;
}

fc_status fc_contest_run(const fc_contest_job *job, FILE *f) {
  work      w = {.job = job, .t.data = job->data, .t.good_error = job->good_error, .t.no_solver = ""};
  fc_status s;

  FC_TRY(fc_make_folder(job->out));
  FC_TRY_TO(done, s, survey(&w));
  FC_TRY_TO(done, s, choose_frames(&w));
  close_run(&w);
  fc_progress_start(&w.bar, "compare", "rollout", 0, job->n * w.n_traj, job->quiet);
  s = roll_all(&w);
  fc_progress_end(&w.bar, NULL);
  if (s == FC_OK) s = fc_contest_print(&w.t, f);
  if (s == FC_OK) s = fc_contest_files(&w.t, job->out);
done:
  close_run(&w);
  fc_contest_free(&w.t);
  free(w.truth);
  free(w.given);
  return s;
}
