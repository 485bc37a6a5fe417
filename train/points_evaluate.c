/* train/points_evaluate.c */
#include "core/progress.h"
#include "hpc/stop.h"
#include "train/evaluate.h"
#include "train/plan.h"
#include "train/points_linear.h"
#include "train/points_output.h"
#include "train/points_roll.h"
#include "train/points_sums.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL, PERSISTENCE, LINEAR, MEAN, METHODS, WIDTH = 14, LEFT = 22 };
static const char *const labels[METHODS] = {"", "persistence", "linear", "training mean"};

typedef struct { /* of one method, over all samples so far */
  fc_point_sums sums[FC_FIELD_CHANNELS];
  double        joint, relative[FC_FIELD_CHANNELS]; /* sums over frames of the relative L2 of that frame */
  double        frames, counted[FC_FIELD_CHANNELS];
} scores;

typedef struct {
  const fc_run          *run;
  const fc_evaluate_job *job;
  fc_process_grid        ranks;
  fc_points              p;
  fc_ctx                *ctx;
  fc_points_roll         roll;
  fc_points_linear      *linear; /* NULL: none, and why */
  const char            *no_linear;
  fc_points_output      *output;  /* NULL: not asked for */
  fc_sample              s, mine; /* with history: the linear map feeds back into a sample of its own */
  int64_t                lo, hi, count, frames;
  int64_t               *sample;                     /* [count] */
  fc_real               *y[METHODS], *truth, *guess; /* [N, C]; [frames, N, C] */
  scores                 first[METHODS], whole[METHODS];
  fc_progress            bar;
} work;

/* ---- which samples and frames ---- */

static fc_status choose(work *w) {
  const fc_data_settings *d = &w->run->k.settings.data;
  const fc_cloud_info    *i = fc_cloud_about(w->p.file);
  const int64_t           n = i->n_samples, cut = d->valid[0] ? n : fc_source_split(n, d->valid_fraction);

  w->lo = w->job->split == FC_SPLIT_VALID ? (d->valid[0] ? 0 : cut) : 0;
  w->hi = w->job->split == FC_SPLIT_TRAIN ? cut : n;
  FC_REQUIRE(w->lo < w->hi, FC_E_USAGE, "%s has no samples in this split; use --split all", w->job->data);
  w->count           = w->job->windows ? fc_min64(w->job->windows, w->hi - w->lo) : w->hi - w->lo;
  const int64_t most = i->n_steps - w->p.history;
  w->frames          = w->job->frames ? fc_min64(w->job->frames, most) : most;
  w->sample          = malloc((size_t)w->count * sizeof *w->sample);
  FC_REQUIRE(w->sample, FC_E_SYSTEM, "no memory for a list of samples");
  for (int64_t k = 0; k < w->count; k++)
    w->sample[k] = w->lo + (2 * k + 1) * (w->hi - w->lo) / (2 * w->count);
  return FC_OK;
}

static fc_status open_network(work *w) {
  const char *why;
  int64_t     bytes;

  FC_TRY(fc_points_roll_bytes(w->run->k.def, w->run->k.args, &w->p, &bytes));
  const int64_t left = fc_memory_available(&why);
  FC_REQUIRE(bytes <= left, FC_E_SYSTEM, "a call on %lld points needs %.0f MiB, there are %.0f (%s)",
             (long long)w->p.most.points, (double)bytes / 0x1p20, (double)left / 0x1p20, why);
  FC_TRY(fc_ctx_create((size_t)bytes + (size_t)bytes / 4 + ((size_t)64 << 20), false, &w->ctx));
  fc_ctx_share(w->ctx, &(fc_share){.domain = w->p.domain});
  return fc_points_roll_create(w->ctx, w->run->network, &w->p, &w->roll);
}

static fc_status allocate(work *w) {
  const size_t  len  = (size_t)(w->p.most.points * w->p.out.n);
  const int64_t nt   = w->p.history ? w->p.history + w->frames : 1;
  bool          good = true;

  FC_TRY(fc_sample_create(&w->p, &w->p.most, nt, &w->s));
  if (w->p.history) FC_TRY(fc_sample_create(&w->p, &w->p.most, nt, &w->mine));
  for (int m = 0; m < METHODS; m++) good &= (w->y[m] = malloc(len * sizeof(fc_real))) != NULL;
  w->truth = malloc(len * (size_t)w->frames * sizeof(fc_real));
  w->guess = malloc(len * (size_t)w->frames * sizeof(fc_real));
  FC_REQUIRE(good && w->truth && w->guess, FC_E_SYSTEM, "no memory for %lld frames; lower --frames",
             (long long)w->frames);
  return FC_OK;
}

static bool shown(const work *w, int method) {
  return method == PERSISTENCE ? w->p.history > 0 : method == LINEAR ? w->linear != NULL : true;
}

/* ---- scores ---- */

static fc_status add_scores(const work *w, const fc_real *y, const fc_real *truth, scores *out) {
  fc_point_sums one[FC_FIELD_CHANNELS] = {0};
  double        square = 0, t2 = 0;

  fc_point_sums_add(w->s.points, w->p.out.n, y, truth, w->s.weight, one);
  FC_TRY(fc_point_sums_join(w->ranks.points, w->p.out.n, one));
  for (int c = 0; c < w->p.out.n; c++) {
    square += one[c].square;
    t2 += one[c].t2;
    if (one[c].n > 0) out->relative[c] += fc_point_relative_l2(&one[c]), out->counted[c]++;
    out->sums[c].n += one[c].n;
    out->sums[c].square += one[c].square;
    out->sums[c].absolute += one[c].absolute;
    out->sums[c].t += one[c].t;
    out->sums[c].t2 += one[c].t2;
  }
  out->joint += sqrt(square / t2);
  out->frames++;
  return FC_OK;
}

/* groups of ranks have predicted samples of their own */
static fc_status join_scores(work *w) {
  double *const parts[2] = {(double *)w->first, (double *)w->whole};

  for (int i = 0; i < 2; i++)
    FC_TRY(fc_comm_sum_double(w->ranks.data, parts[i], METHODS * (int64_t)(sizeof(scores) / sizeof(double))));
  return FC_OK;
}

/* frame t, which lies at `at` in the samples */
static fc_status one_frame(work *w, int64_t t, int64_t at) {
  const int64_t len   = w->s.points * w->p.out.n;
  const size_t  bytes = (size_t)len * sizeof(fc_real);
  fc_real      *truth = w->truth + t * len;
  const bool    feed  = w->p.history > 0;

  memcpy(truth, w->s.out + at * len, bytes);
  fc_points_undo(&w->p, w->s.points, truth);
  fc_points_roll_frame(&w->roll, &w->s, at, feed, w->y[MODEL]);
  FC_TRY(fc_domain_status(w->ctx));
  if (w->linear)
    FC_TRY(fc_points_linear_frame(w->linear, &w->p, feed ? &w->mine : &w->s, at, feed, w->y[LINEAR]));
  memcpy(w->guess + t * len, w->y[MODEL], bytes);
  for (int m = 0; m < METHODS; m++) {
    if (!shown(w, m)) continue;
    if (t == 0) FC_TRY(add_scores(w, w->y[m], truth, &w->first[m]));
    FC_TRY(add_scores(w, w->y[m], truth, &w->whole[m]));
  }
  return FC_OK;
}

static void set_constants(work *w) {
  const size_t len = (size_t)(w->s.points * w->p.out.n);

  memset(w->y[MEAN], 0, len * sizeof(fc_real));
  fc_points_undo(&w->p, w->s.points, w->y[MEAN]);
  if (!w->p.history) return;
  memcpy(w->y[PERSISTENCE], w->s.out + (w->p.history - 1) * (int64_t)len, len * sizeof(fc_real));
  fc_points_undo(&w->p, w->s.points, w->y[PERSISTENCE]);
}

/* all ranks that share a sample, or none */
static fc_status read(work *w, int64_t sample, int64_t t0, int64_t nt, fc_sample *s) {
  return fc_comm_agree(w->ranks.points, fc_points_read(&w->p, sample, t0, nt, s));
}

static fc_status one_sample(work *w, int64_t k) {
  const int64_t h = w->p.history, sample = w->sample[k];

  if (h) {
    FC_TRY(read(w, sample, 0, h + w->frames, &w->s));
    FC_TRY(read(w, sample, 0, h + w->frames, &w->mine));
    set_constants(w);
    for (int64_t t = 0; t < w->frames; t++) FC_TRY(one_frame(w, t, h + t));
  } else {
    for (int64_t t = 0; t < w->frames; t++) {
      FC_TRY(read(w, sample, t, 1, &w->s));
      set_constants(w);
      FC_TRY(one_frame(w, t, 0));
    }
  }
  return w->output ? fc_points_output_add(w->output, k, sample, w->guess, w->truth) : FC_OK;
}

/* ---- the table ---- */

static double relative(const scores *s, int c) { return s->relative[c] / s->counted[c]; }
static double rmse(const scores *s, int c) { return fc_point_rmse(&s->sums[c]); }
static double mae(const scores *s, int c) { return fc_point_mae(&s->sums[c]); }
static double r2(const scores *s, int c) { return fc_point_r2(&s->sums[c]); }
static double joint(const scores *s, int c) { return (void)c, s->joint / s->frames; }

static void print_row(const work *w, FILE *f, const char *name, double (*value)(const scores *, int), int c) {
  const int parts = w->p.history && w->frames > 1 ? 2 : 1;

  fprintf(f, "%-*s", LEFT, name);
  for (int part = 0; part < parts; part++) {
    fputs(part ? "  |" : "", f);
    for (int m = 0; m < METHODS; m++) {
      const scores *s = parts == 2 && part == 0 ? &w->first[m] : &w->whole[m];
      if (!shown(w, m)) continue;
      const double v = value(s, c);
      if (isfinite(v))
        fprintf(f, " %*.4g", WIDTH, v);
      else
        fprintf(f, " %*s", WIDTH, "-");
    }
  }
  fputc('\n', f);
}

static void print_heads(const work *w, FILE *f) {
  const int parts   = w->p.history && w->frames > 1 ? 2 : 1;
  int       methods = 0;

  for (int m = 0; m < METHODS; m++) methods += shown(w, m);
  if (parts == 2)
    fprintf(f, "\n%-*s%*s  |%*s %lld", LEFT, "", methods * (WIDTH + 1), "one frame ahead",
            methods * (WIDTH + 1) - 4, "mean over frames 1 to", (long long)w->frames);
  fprintf(f, "\n%-*s", LEFT, "");
  for (int part = 0; part < parts; part++) {
    fputs(part ? "  |" : "", f);
    for (int m = 0; m < METHODS; m++)
      if (shown(w, m)) fprintf(f, " %*s", WIDTH, m ? labels[m] : w->run->k.def->name);
  }
  fputc('\n', f);
}

static void print_channel(const work *w, FILE *f, int c) {
  const fc_channel *h    = &w->p.out.channel[c];
  const bool        unit = h->unit[0] && strcmp(h->unit, "1");

  fprintf(f, "%s%s%s%s\n", h->name, unit ? " (" : "", unit ? h->unit : "", unit ? ")" : "");
  print_row(w, f, "  relative L2", relative, c);
  print_row(w, f, "  RMSE", rmse, c);
  print_row(w, f, "  MAE", mae, c);
  print_row(w, f, "  R2", r2, c);
}

static void print_all(const work *w, FILE *f) {
  const fc_run *r = w->run;

  fprintf(f, "%s from %s, step %lld%s: %lld of %lld samples, up to %lld points\n", r->k.def->name, r->path,
          (long long)r->k.step, r->averaged ? " (moving average of the weights)" : "", (long long)w->count,
          (long long)(w->hi - w->lo), (long long)w->p.most_points);
  print_heads(w, f);
  if (w->p.out.n > 1) print_row(w, f, "relative L2, all", joint, 0);
  for (int c = 0; c < w->p.out.n; c++) print_channel(w, f, c);
  fputs("\nin the units of the data; y: prediction, t: truth, over the points that the mask leaves\n"
        "relative L2: sqrt(sum (y - t)^2 / sum t^2) of a sample and frame, mean over them\n"
        "RMSE, MAE: sqrt(mean (y - t)^2), mean |y - t| over all points\n"
        "R2: 1 - sum (y - t)^2 / sum (t - mean t)^2 over all points; 0: no better than their mean\n",
        f);
  if (w->linear)
    fprintf(f, "%s\n", fc_points_linear_text(w->linear));
  else
    fprintf(f, "no linear baseline: %s\n", w->no_linear);
}

/* ---- all ---- */

/* ranks that share points do not see those of the others */
static fc_status share(work *w) {
  const fc_model_def *def = w->run->k.def;
  const fc_domain    *d   = &w->ranks.domain;

  if (d->size == 1) return FC_OK;
  FC_REQUIRE(def->sharing, FC_E_USAGE,
             "--domain %d: the points of %s cannot be shared by ranks; 1 leaves whole samples to each",
             d->size, def->name);
  fc_points_share(&w->p, d);
  w->no_linear = "ranks share the points; a single rank fits it";
  return FC_OK;
}

static fc_status prepare(work *w) {
  FC_TRY(fc_run_open_points(w->run, w->job->data, &w->p));
  FC_TRY(share(w));
  FC_TRY(choose(w));
  FC_TRY(open_network(w));
  FC_TRY(allocate(w));
  return w->p.domain ? FC_OK : fc_points_linear_fit(w->run, &w->linear, &w->no_linear);
}

static fc_status all_samples(work *w) {
  int64_t lo, hi;

  fc_comm_block(w->ranks.data, w->count, &lo, &hi);
  fc_progress_start(&w->bar, "eval", "sample", 0, hi - lo, w->job->quiet);
  for (int64_t k = lo; k < hi; k++) {
    FC_TRY(one_sample(w, k));
    FC_TRY(fc_stop_check(w->ranks.points, "nothing was written"));
    fc_progress_update(&w->bar, k + 1 - lo, NULL);
  }
  fc_progress_end(&w->bar, NULL);
  return FC_OK;
}

static fc_status perform(work *w, FILE *f) {
  FC_TRY(fc_comm_agree(NULL, prepare(w)));
  if (w->job->out)
    FC_TRY(fc_points_output_create(w->run, w->job, &w->p, w->frames, w->count, w->sample, &w->output));
  FC_TRY(fc_comm_agree(NULL, all_samples(w)));
  FC_TRY(join_scores(w));
  if (!fc_comm_rank(NULL)) print_all(w, f);
  fc_points_output *o = w->output;
  w->output           = NULL;
  return o ? fc_points_output_finish(o, f) : FC_OK;
}

fc_status fc_points_evaluate(const fc_run *run, const fc_evaluate_job *job, FILE *f) {
  work *w = calloc(1, sizeof *w);

  FC_REQUIRE(w, FC_E_SYSTEM, "no memory for an evaluation");
  w->run      = run;
  w->job      = job;
  fc_status s = fc_process_grid_create((int)fc_max64(1, job->domain), &w->ranks);
  if (s == FC_OK) s = perform(w, f);
  fc_points_output_abandon(w->output);
  fc_points_linear_free(w->linear);
  fc_points_roll_free(&w->roll);
  fc_ctx_destroy(w->ctx);
  fc_sample_free(&w->s);
  fc_sample_free(&w->mine);
  for (int m = 0; m < METHODS; m++) free(w->y[m]);
  free(w->sample);
  free(w->truth);
  free(w->guess);
  if (w->p.file) fc_points_close(&w->p);
  fc_process_grid_destroy(&w->ranks);
  free(w);
  return s;
}
