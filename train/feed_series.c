/* train/feed_series.c */
#include "train/feed_series.h"

#include "core/ops.h"
#include "core/parallel.h"
#include "hpc/comm.h"
#include "train/loss.h"

#include <string.h>

/* ---- opening ---- */

static fc_status refuse(bool set, const char *key) {
  FC_REQUIRE(!set, FC_E_USAGE, "%s is for fields or points; these data are series", key);
  return FC_OK;
}

static fc_status check_data(const fc_data_settings *d) {
  FC_REQUIRE(!d->valid[0], FC_E_USAGE,
             "data.valid: series are cut in time; data.split, data.split_rows, data.split_dates or "
             "data.split_last say where, and data.continue=FILE appends the rows of a second file");
  FC_TRY(refuse(d->channels[0], "data.channels"));
  FC_TRY(refuse(d->inputs[0], "data.inputs"));
  FC_TRY(refuse(d->params[0], "data.params"));
  FC_TRY(refuse(d->space_stride.n > 0, "data.space_stride"));
  FC_TRY(refuse(d->frame_stride > 1, "data.frame_stride"));
  FC_TRY(refuse(d->window_out > 0, "data.window_out"));
  FC_TRY(refuse(d->predict == FC_PREDICT_INCREMENT, "data.predict = increment"));
  FC_TRY(refuse(d->coordinates[0], "data.coordinates"));
  FC_TRY(refuse(d->functions[0], "data.functions"));
  FC_TRY(refuse(d->mask[0], "data.mask"));
  FC_TRY(refuse(d->cells[0], "data.cells"));
  FC_TRY(refuse(d->times[0], "data.times"));
  return refuse(d->history > 0, "data.history");
}

static fc_status check_training(const fc_train_settings *t) {
  FC_TRY(refuse(t->out_frames > 1, "train.out_frames"));
  FC_TRY(refuse(t->curriculum_start > 0, "train.curriculum"));
  FC_TRY(refuse(t->pushes > 0, "train.pushforward"));
  FC_TRY(refuse(t->teacher_calls > 1, "train.teacher_calls"));
  FC_TRY(refuse(t->flow_steps > 0, "train.flow_steps"));
  FC_TRY(refuse(t->loss_in_units, "train.loss_in_units"));
  FC_TRY(refuse(t->loss_ring, "train.loss_ring"));
  FC_TRY(refuse(t->loss_derivative > 0, "train.loss_derivative"));
  FC_TRY(refuse(t->channel_weights.n > 0, "train.channel_weights"));
  return refuse(t->loss == FC_LOSS_RELATIVE_L2 || t->loss == FC_LOSS_RELATIVE_L2_CHANNELS,
                "train.loss = relative_l2");
}

static fc_status settle_loss(fc_train_settings *t, const fc_network *n) {
  const int quantiles = n->series.n_quantiles;

  if (t->loss == FC_LOSS_AUTO) t->loss = quantiles ? FC_LOSS_QUANTILE : FC_LOSS_MSE;
  FC_REQUIRE(t->loss != FC_LOSS_QUANTILE || quantiles, FC_E_USAGE,
             "train.loss = quantile: %s with these options gives no quantiles", n->def->name);
  FC_REQUIRE(t->loss == FC_LOSS_QUANTILE || !quantiles, FC_E_USAGE,
             "%s with these options gives quantiles; leave train.loss to itself or set it to quantile",
             n->def->name);
  t->out_frames = 1;
  return FC_OK;
}

static fc_status has_windows(const fc_series_set *s) {
  const fc_series_wants *w = &s->wants;

  FC_REQUIRE(fc_series_windows(s, FC_PART_TRAIN) > 0, FC_E_INPUT,
             "%s: the training part of no series is as long as a window of %lld + %lld rows (lookback and "
             "horizon); see data.split",
             s->path, (long long)w->lookback, (long long)w->horizon);
  return FC_OK;
}

/* columns by name hold classes, and zeros where the future is not known */
static fc_status check_noise(const fc_train_settings *t, const fc_network *n) {
  FC_REQUIRE(t->noise == 0 || !n->series.n_columns, FC_E_USAGE,
             "train.noise: %s names its columns; noise is for models that take all of them alike",
             n->def->name);
  return FC_OK;
}

static fc_status open_set(fc_series_feed *g, fc_saved *k, const fc_network *probe) {
  fc_settings *s = &k->settings;
  int64_t      lo, hi;

  FC_TRY(check_data(&s->data));
  FC_TRY(check_training(&s->train));
  FC_TRY(settle_loss(&s->train, probe));
  FC_TRY(check_noise(&s->train, probe));
  FC_TRY(fc_series_set_open(s->data.train, &s->data, probe, NULL, &g->set));
  FC_TRY(has_windows(&g->set));
  fc_comm_block(NULL, s->train.batch, &lo, &hi);
  g->batch = hi - lo;
  return fc_series_remember(&g->set, &k->series);
}

static const char *measure_of(int loss) {
  return loss == FC_LOSS_MSE ? "MSE (scaled)" : loss == FC_LOSS_MAE ? "MAE (scaled)" : "quantile loss";
}

static fc_status open_feed(fc_feed *f, const fc_network *probe, fc_saved *k, bool plan_only) {
  fc_series_feed       *g = f->self;
  const fc_series_info *i;

  (void)plan_only;
  FC_TRY(fc_comm_agree(NULL, open_set(g, k, probe)));
  i             = fc_series_about(g->set.file);
  f->items      = fc_series_windows(&g->set, FC_PART_TRAIN);
  f->in_memory  = true;
  f->validates  = fc_series_windows(&g->set, FC_PART_VALID) > 0;
  f->measure    = measure_of(k->settings.train.loss);
  f->held_bytes = i->rows * (int64_t)(i->n_columns * (sizeof(double) + sizeof(fc_real)) +
                                      g->set.n_marks * sizeof(fc_real) + sizeof(int64_t));
  f->data_bytes = f->held_bytes;
  return FC_OK;
}

static void close_feed(void *self) { fc_series_set_close(&((fc_series_feed *)self)->set); }

/* ---- batches ---- */

static int64_t batch_bytes(const void *self, int64_t n) {
  (void)self;
  return (int64_t)sizeof(fc_series_rows) + n * (int64_t)sizeof(int64_t);
}

static fc_status fetch(void *self, int64_t item, int64_t n, int64_t at, void *batch) {
  fc_series_rows *b = batch;
  int             series;

  (void)n;
  if (at == 0) b->noise = 0;
  fc_series_window_at(&((fc_series_feed *)self)->set, FC_PART_TRAIN, item, &series, &b->row[at]);
  return FC_OK;
}

/* the windows do not exist yet: noise is added when they do */
static void noise(const void *self, const fc_rng *r, double std, const fc_turn *t) {
  fc_series_rows *b = t->batch;

  (void)self;
  b->rng   = *r;
  b->noise = std;
  b->first = t->first;
}

static void add_noise(const fc_series_rows *b, int64_t n, fc_tensor *x) {
  const int64_t len = fc_len(x) / n, first = b->first * len;

  FC_FOR_ROWS(i, n * len, 8)
  x->x[i] += (fc_real)(b->noise * fc_rng_normal(&b->rng, (uint64_t)(first + i)));
}

/* ---- use ---- */

static double pass(const void *self, fc_ctx *c, const fc_network *n, const fc_train_settings *t,
                   const fc_turn *turn) {
  const fc_series_set  *s    = &((const fc_series_feed *)self)->set;
  const fc_series_rows *b    = turn->batch;
  const size_t          mark = fc_arena_mark(c->arena);
  fc_batch              batch;
  fc_tensor            *target;

  c->grad = c->training = true;
  fc_series_batch(c, s, turn->n, b ? b->row : NULL, &batch, &target);
  if (b && b->noise > 0) add_noise(b, turn->n, batch.t[0]);
  fc_tensor   *y    = fc_series_call(c, n, s, &batch);
  fc_tensor   *l    = fc_loss_series(c, t, &s->wants, y, target);
  fc_tensor   *all  = c->penalty ? fc_add(c, l, c->penalty) : l;
  const double loss = c->dry ? 0 : (double)all->x[0];
  fc_backward(c, fc_affine(c, all, turn->weight, 0));
  c->grad = c->training = false;
  fc_step_end(c, mark);
  c->draws = 0;
  return loss;
}

static fc_status validate(void *self, fc_ctx *c, const fc_network *n, const fc_train_settings *t,
                          fc_scores *out) {
  const fc_series_feed *g = self;

  return fc_series_validate(c, n, &g->set, t, g->batch, out);
}

const fc_feed_kind fc_feed_series = {
    .items       = "windows",
    .score       = {"valid_loss", "valid_mse", "valid_mae", "seasonal_naive_mse", "seasonal_naive_mae"},
    .decides     = {FC_SCORE_LOSS, FC_SCORE_LOSS},
    .size        = sizeof(fc_series_feed),
    .open        = open_feed,
    .close       = close_feed,
    .batch_bytes = batch_bytes,
    .fetch       = fetch,
    .noise       = noise,
    .pass        = pass,
    .validate    = validate};
