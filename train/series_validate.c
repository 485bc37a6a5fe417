/* train/series_validate.c - scores over all windows of the validation part. */
#include "hpc/comm.h"
#include "train/feed_series.h"
#include "train/loss.h"

#include <math.h>
#include <stdlib.h>

/* ---- the seasonal naive forecast ---- */

typedef struct {
  const fc_series_set *s;
  int64_t              season;
  int                  columns;
} naive;

/* the row that the forecast of row `at + h` repeats; at: first row of the horizon, from: of the series */
static int64_t repeated(const naive *q, int64_t at, int64_t h, int64_t from) {
  const int64_t row = at + h - (h / q->season + 1) * q->season;

  return row >= from ? row : at - 1;
}

static void one_window(const naive *q, int64_t row, double *squares, double *gaps) {
  const fc_series_set *s  = q->s;
  const int64_t        at = row + s->wants.lookback, P = s->wants.horizon;
  const int64_t        from   = fc_series_about(s->file)->at[fc_series_of_row(s, row)];
  const double         count  = (double)(P * s->n_targets);
  double               square = 0, gap = 0;

  for (int64_t h = 0; h < P; h++) {
    const fc_real *y     = s->scaled + repeated(q, at, h, from) * q->columns;
    const fc_real *truth = s->scaled + (at + h) * q->columns;
    for (int k = 0; k < s->n_targets; k++) {
      const double d = (double)y[s->target[k]] - (double)truth[s->target[k]];
      square += d * d;
      gap += fabs(d);
    }
  }
  *squares += square / count;
  *gaps += gap / count;
}

void fc_series_naive(const fc_series_set *s, int64_t n, const int64_t *row, double *squares, double *gaps) {
  const fc_series_info *i = fc_series_about(s->file);
  const naive           q = {s, i->dated ? fc_date_season(i->step) : 1, i->n_columns};

  *squares = *gaps = 0;
  for (int64_t b = 0; b < n; b++) one_window(&q, row[b], squares, gaps);
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
  double        square = 0, gap = 0;

  for (int64_t i = 0; i < n; i++) {
    const double d = (double)y->x[i * Q + middle(w)] - (double)target->x[i];
    square += d * d;
    gap += fabs(d);
  }
  sums[FC_SCORE_MSE] += weight * square;
  sums[FC_SCORE_MAE] += weight * gap;
}

static void one_batch(fc_ctx *c, const fc_network *n, const fc_series_set *s, const fc_train_settings *t,
                      int64_t count, const int64_t *row, double sums[]) {
  const size_t mark = fc_arena_mark(c->arena);
  fc_batch     batch;
  fc_tensor   *target;
  double       squares, gaps;

  fc_series_batch(c, s, count, row, &batch, &target);
  fc_tensor *y = fc_series_call(c, n, s, &batch);
  sums[FC_SCORE_LOSS] += (double)count * (double)fc_loss_series(c, t, &s->wants, y, target)->x[0];
  compare(&s->wants, y, target, sums);
  fc_series_naive(s, count, row, &squares, &gaps);
  sums[FC_SCORE_NAIVE_MSE] += squares;
  sums[FC_SCORE_NAIVE_MAE] += gaps;
  fc_step_end(c, mark);
}

fc_status fc_series_validate(fc_ctx *c, const fc_network *n, const fc_series_set *s,
                             const fc_train_settings *t, int64_t batch, fc_scores *out) {
  const int64_t all = fc_series_windows(s, FC_PART_VALID);
  int64_t      *row = malloc((size_t)batch * sizeof *row), lo, hi;
  int           series;

  *out         = (fc_scores){{0}};
  fc_status st = row ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for validation");
  FC_TRY(fc_comm_agree(NULL, st));
  fc_comm_block(NULL, all, &lo, &hi);
  for (int64_t at = lo; at < hi; at += batch) {
    const int64_t count = fc_min64(batch, hi - at);
    for (int64_t k = 0; k < count; k++) fc_series_window_at(s, FC_PART_VALID, at + k, &series, &row[k]);
    one_batch(c, n, s, t, count, row, out->v);
  }
  free(row);
  FC_TRY(fc_comm_sum_double(NULL, out->v, FC_SCORES));
  for (int i = 0; i < FC_SCORES; i++) out->v[i] /= (double)all;
  return FC_OK;
}
