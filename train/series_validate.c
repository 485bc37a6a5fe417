/* train/series_validate.c - scores over all windows of the validation part. */
#include "hpc/comm.h"
#include "train/feed_series.h"
#include "train/loss.h"
#include "train/series_baselines.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
  fc_ctx                  *c;
  const fc_network        *n;
  const fc_series_set     *s;
  const fc_train_settings *t;
  fc_window_table          table;
  int64_t                  season;
  fc_real                 *guess; /* [P, targets] */
  double                  *sums;  /* [FC_SCORES] */
} work;

/* ---- the forecast that repeats the last season ---- */

static void score_season(const work *w, int64_t row) {
  const fc_window_table *t     = &w->table;
  const int64_t          first = fc_series_about(w->s->file)->at[fc_series_of_window(w->s, row)];
  const double           count = (double)(t->horizon * t->n_targets);
  const fc_real         *y     = w->guess;

  fc_base_season(t, first, w->season, row, w->guess);
  for (int64_t p = 0; p < t->horizon; p++)
    for (int k = 0; k < t->n_targets; k++) {
      const double d = (double)*y++ - (double)t->x[(row + t->lookback + p) * t->columns + t->target[k]];
      w->sums[FC_SCORE_NAIVE_MSE] += d * d / count;
      w->sums[FC_SCORE_NAIVE_MAE] += fabs(d) / count;
    }
}

/* ---- the network ---- */

/* which of the quantiles is the point forecast */
static int middle(const fc_series_wants *w) {
  int best = 0;

  for (int k = 1; k < w->n_quantiles; k++)
    if (fabs(w->quantile[k] - 0.5) < fabs(w->quantile[best] - 0.5)) best = k;
  return best;
}

/* means over the numbers of a batch, each with the weight of its windows */
static void compare(const fc_series_wants *w, const fc_tensor *y, const fc_tensor *target, double sums[]) {
  const int64_t n = fc_len(target), Q = w->n_quantiles ? w->n_quantiles : 1;
  const double  weight = (double)target->dim[0] / (double)n;
  const int     which  = middle(w);
  double        square = 0, gap = 0;

  for (int64_t i = 0; i < n; i++) {
    const double d = (double)y->x[i * Q + which] - (double)target->x[i];
    square += d * d;
    gap += fabs(d);
  }
  sums[FC_SCORE_MSE] += weight * square;
  sums[FC_SCORE_MAE] += weight * gap;
}

static void one_batch(const work *w, int64_t count, const int64_t *row) {
  fc_ctx      *c    = w->c;
  const size_t mark = fc_arena_mark(c->arena);
  fc_batch     batch;
  fc_tensor   *target;

  fc_series_batch(c, w->s, count, row, &batch, &target);
  fc_tensor *y    = fc_series_call(c, w->n, w->s, &batch);
  fc_tensor *loss = fc_loss_series(c, w->t, &w->s->wants, y, target);
  w->sums[FC_SCORE_LOSS] += (double)count * (double)loss->x[0];
  compare(&w->s->wants, y, target, w->sums);
  for (int64_t k = 0; k < count; k++) score_season(w, row[k]);
  fc_step_end(c, mark);
}

/* this rank's share of the windows */
static void all_windows(const work *w, int64_t all, int64_t batch, int64_t *row) {
  int64_t lo, hi;
  int     series;

  fc_comm_block(NULL, all, &lo, &hi);
  for (int64_t at = lo; at < hi; at += batch) {
    const int64_t count = fc_min64(batch, hi - at);
    for (int64_t k = 0; k < count; k++) fc_series_window_at(w->s, FC_PART_VALID, at + k, &series, &row[k]);
    one_batch(w, count, row);
  }
}

fc_status fc_series_validate(fc_ctx *c, const fc_network *n, const fc_series_set *s,
                             const fc_train_settings *t, int64_t batch, fc_scores *out) {
  const fc_series_info *i   = fc_series_about(s->file);
  const int64_t         all = fc_series_windows(s, FC_PART_VALID);
  int64_t              *row = malloc((size_t)batch * sizeof *row);
  work                  w   = {.c = c, .n = n, .s = s, .t = t, .sums = out->v};

  *out         = (fc_scores){{0}};
  w.season     = i->dated ? fc_date_season(i->step) : 1;
  w.table      = (fc_window_table){s->scaled,        i->n_columns, s->wants.lookback,
                                   s->wants.horizon, s->n_targets, s->target};
  w.guess      = malloc((size_t)(s->wants.horizon * s->n_targets) * sizeof *w.guess);
  fc_status st = row && w.guess ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for validation");
  if (st == FC_OK) all_windows(&w, all, batch, row);
  free(row);
  free(w.guess);
  FC_TRY(fc_comm_agree(NULL, st));
  FC_TRY(fc_comm_sum_double(NULL, out->v, FC_SCORES));
  for (int k = 0; k < FC_SCORES; k++) out->v[k] /= (double)all;
  return FC_OK;
}
