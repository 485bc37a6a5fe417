/* train/points_validate.c - VRMSE of a few frames, as for grids: one frame ahead, and with history rolled
 * out. */
#include "hpc/comm.h"
#include "train/feed_points.h"
#include "train/points_roll.h"
#include "train/points_sums.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  fc_points             *p;
  const fc_process_grid *ranks;
  fc_points_roll         roll;
  fc_sample              s;
  fc_real               *y, *base, *truth; /* [N, C] of the largest sample; truth [frames, N, C] */
  int64_t                frames;
  double                 sums[5]; /* one step, base, rollout, base, items */
} work;

static fc_status open_work(work *w) {
  const size_t len = (size_t)(w->p->most.points * w->p->out.n);

  FC_TRY(fc_sample_create(w->p, &w->p->most, w->p->history + w->frames, &w->s));
  w->y     = malloc(len * sizeof *w->y);
  w->base  = malloc(len * sizeof *w->base);
  w->truth = malloc((size_t)w->frames * len * sizeof *w->truth);
  FC_REQUIRE(w->y && w->base && w->truth, FC_E_SYSTEM, "no memory for validation");
  return FC_OK;
}

static void close_work(work *w) {
  fc_points_roll_free(&w->roll);
  fc_sample_free(&w->s);
  free(w->y);
  free(w->base);
  free(w->truth);
}

/* mean over the channels that have a variance to compare with */
static double mean_vrmse(const work *w, const fc_point_sums *sums) {
  double sum = 0;
  int    n   = 0;

  for (int c = 0; c < w->p->out.n; c++) {
    const double v = fc_point_vrmse(&sums[c]);
    if (isnan(v) && sums[c].n < 2) continue;
    sum += v;
    n++;
  }
  return n ? sum / n : 0;
}

static fc_status score(const work *w, const fc_real *y, const fc_real *truth, double *out) {
  fc_point_sums sums[FC_FIELD_CHANNELS] = {0};

  fc_point_sums_add(w->s.points, w->p->out.n, y, truth, w->s.weight, sums);
  FC_TRY(fc_point_sums_join(w->ranks->points, w->p->out.n, sums));
  *out = mean_vrmse(w, sums);
  return FC_OK;
}

/* the last known frame, or the training mean, in units */
static void set_base(work *w) {
  const size_t len = (size_t)(w->s.points * w->p->out.n);

  if (w->p->history)
    memcpy(w->base, w->s.out + (w->p->history - 1) * (int64_t)len, len * sizeof *w->base);
  else
    memset(w->base, 0, len * sizeof *w->base);
  fc_points_undo(w->p, w->s.points, w->base);
}

static fc_status one_item(work *w, int64_t frames) {
  const int64_t h = w->p->history, len = w->s.points * w->p->out.n;
  double        model, base;

  set_base(w);
  memcpy(w->truth, w->s.out + h * len, (size_t)(frames * len) * sizeof *w->truth);
  fc_points_undo(w->p, frames * w->s.points, w->truth);
  for (int64_t t = 0; t < frames; t++) {
    fc_points_roll_frame(&w->roll, &w->s, h + t, h > 0, w->y);
    FC_TRY(score(w, w->y, w->truth + t * len, &model));
    FC_TRY(score(w, w->base, w->truth + t * len, &base));
    if (t == 0) w->sums[0] += model, w->sums[1] += base;
    w->sums[2] += model / (double)frames;
    w->sums[3] += base / (double)frames;
  }
  w->sums[4]++;
  return FC_OK;
}

static fc_status all_items(work *w, const fc_points_items *k, int64_t count) {
  const int64_t size = fc_points_items_size(k), h = w->p->history;
  int64_t       lo, hi, sample, frame;

  fc_comm_block(w->ranks->data, count, &lo, &hi);
  for (int64_t i = lo; i < hi; i++) {
    fc_points_items_at(k, (2 * i + 1) * size / (2 * count), &sample, &frame);
    const int64_t frames = fc_min64(w->frames, fc_cloud_size_of(w->p->file, sample).steps - frame);
    FC_TRY(fc_comm_agree(w->ranks->points, fc_points_read(w->p, sample, frame - h, h + frames, &w->s)));
    FC_TRY(one_item(w, frames));
  }
  return FC_OK;
}

fc_status fc_points_validate(fc_ctx *c, const fc_network *n, fc_points *p, const fc_points_items *k,
                             const fc_process_grid *ranks, int64_t max_items, int64_t frames,
                             fc_scores *out) {
  const int64_t count = fc_min64(max_items, fc_points_items_size(k));
  work          w     = {.p = p, .ranks = ranks, .frames = p->history ? frames : 1};

  fc_status s = fc_points_roll_create(c, n, p, &w.roll);
  if (s == FC_OK) s = open_work(&w);
  if (s == FC_OK) s = all_items(&w, k, count);
  close_work(&w);
  FC_TRY(fc_comm_agree(NULL, s));
  FC_TRY(fc_comm_sum_double(NULL, w.sums, 5));
  const double m     = w.sums[4];
  const bool   rolls = p->history > 0;
  *out               = (fc_scores){
                    {w.sums[0] / m, w.sums[1] / m, rolls ? w.sums[2] / m : NAN, rolls ? w.sums[3] / m : NAN, NAN}};
  return FC_OK;
}
