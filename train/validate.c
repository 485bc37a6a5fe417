/* train/validate.c */
#include "train/validate.h"

#include "hpc/comm.h"
#include "train/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  fc_ctx           *c;
  const fc_network *n;
  const fc_source  *s;
  fc_grid           grid;
  const fc_sharers *ranks;
  int64_t           n_target, k;
  fc_real          *window, *target, *params, *base, *guess; /* guess: frames of one call, in units */
  double           *values;
  double            sums[5]; /* one_step, base, rollout, base, windows */
} work;

static fc_status work_create(work *w) {
  const size_t in = (size_t)(w->n->frames.n_in * w->s->in_len), len = (size_t)w->s->out_len;

  w->window = malloc(in * sizeof(fc_real));
  w->target = malloc((size_t)w->n_target * len * sizeof(fc_real));
  w->params = malloc((size_t)(w->s->params.n + 1) * sizeof(fc_real));
  w->base   = malloc(len * sizeof(fc_real));
  w->guess  = malloc((size_t)w->k * len * sizeof(fc_real));
  w->values = malloc((size_t)(w->k * w->s->out.n) * sizeof(double));
  FC_REQUIRE(w->window && w->target && w->params && w->base && w->guess && w->values, FC_E_SYSTEM,
             "no memory for validation");
  return FC_OK;
}

static void work_free(work *w) {
  free(w->window);
  free(w->target);
  free(w->params);
  free(w->base);
  free(w->guess);
  free(w->values);
}

/* sum over n frames of the mean VRMSE over channels; *first takes that of frame 0 */
static double score(work *w, int64_t n, const fc_real *y, const fc_real *truth, double *first) {
  const int C   = w->s->out.n;
  double    sum = 0;

  fc_metric_eval_shared(FC_M_VRMSE, &w->grid, w->ranks->domain, n, y, truth, w->values);
  for (int64_t i = 0; i < n * C; i++) {
    sum += w->values[i] / C;
    if (i == C - 1 && first) *first = sum;
  }
  return sum;
}

static void set_base(work *w) {
  const int64_t len = w->s->out_len;

  if (w->s->steady)
    memset(w->base, 0, (size_t)len * sizeof *w->base); /* the mean, in normalised numbers */
  else
    memcpy(w->base, w->window + (w->n->frames.n_in - 1) * len, (size_t)len * sizeof *w->base);
  fc_scaling_undo(&w->s->out, w->s->points, w->base);
}

static void score_base(work *w) {
  const int64_t len = w->s->out_len;

  for (int64_t t = 0; t < w->n_target; t++) {
    const double v = score(w, 1, w->base, w->target + t * len, NULL);
    if (t == 0) w->sums[1] += v;
    w->sums[3] += v / (double)w->n_target;
  }
}

static void one_window(work *w) {
  const int64_t len = w->s->out_len;

  set_base(w);
  fc_scaling_undo(&w->s->out, w->n_target * w->s->points, w->target);
  score_base(w);
  for (int64_t t = 0; t < w->n_target; t += w->k) {
    const size_t  mark  = fc_arena_mark(w->c->arena);
    const int64_t n     = fc_min64(w->k, w->n_target - t);
    double        first = 0;
    fc_tensor *y = fc_march_quiet(w->c, w->n, w->s->geo.ndim, w->s->geo.dim, 1, w->window, w->params, w->k);
    memcpy(w->guess, y->x, (size_t)(w->k * len) * sizeof *w->guess);
    if (!w->s->steady) fc_march_shift(w->window, w->guess, 1, w->n->frames.n_in, w->k, len);
    fc_scaling_undo(&w->s->out, w->k * w->s->points, w->guess);
    w->sums[2] += score(w, n, w->guess, w->target + t * len, &first) / (double)w->n_target;
    if (t == 0) w->sums[0] += first;
    fc_step_end(w->c, mark);
  }
  w->sums[4] += 1;
}

static fc_status all_windows(work *w, fc_windows *windows, int64_t count) {
  const int64_t size = fc_windows_size(windows);
  int64_t       lo, hi;

  fc_comm_block(w->ranks->data, count, &lo, &hi);
  for (int64_t i = lo; i < hi; i++) {
    FC_TRY(fc_windows_read(windows, (2 * i + 1) * size / (2 * count), w->window, w->target, w->params));
    one_window(w);
  }
  return FC_OK;
}

fc_status fc_validate(fc_ctx *c, const fc_network *n, fc_windows *windows, const fc_sharers *ranks,
                      int64_t max_windows, int64_t k, fc_scores *out) {
  const fc_source *s = fc_windows_source(windows);
  work             w = {.c        = c,
                        .n        = n,
                        .s        = s,
                        .ranks    = ranks,
                        .k        = k,
                        .n_target = s->steady ? 1 : fc_windows_spec(windows)->n_target};

  w.grid       = (fc_grid){s->geo.ndim, {s->geo.dim[0], s->geo.dim[1], s->geo.dim[2]}, s->out.n};
  fc_status st = work_create(&w);
  if (st == FC_OK) st = all_windows(&w, windows, fc_min64(max_windows, fc_windows_size(windows)));
  work_free(&w);
  FC_TRY(fc_comm_agree(NULL, st));
  FC_TRY(fc_comm_sum_double(NULL, w.sums, 5));
  const double m = w.sums[4];
  *out           = (fc_scores){
                {w.sums[0] / m, w.sums[1] / m, s->steady ? NAN : w.sums[2] / m, s->steady ? NAN : w.sums[3] / m, NAN}};
  return FC_OK;
}
