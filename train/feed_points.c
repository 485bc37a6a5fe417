/* train/feed_points.c */
#include "train/feed_points.h"

#include "core/ops.h"
#include "core/parallel.h"
#include "hpc/comm.h"
#include "train/loss.h"

#include <string.h>

/* ---- opening ---- */

static fc_status refuse(bool set, const char *key) {
  FC_REQUIRE(!set, FC_E_USAGE, "%s is for fields on a grid; these data are points", key);
  return FC_OK;
}

/* what only means something on a grid must not be asked for in vain */
static fc_status check_settings(const fc_settings *s) {
  const fc_data_settings  *d = &s->data;
  const fc_train_settings *t = &s->train;

  FC_TRY(refuse(d->space_stride.n > 0, "data.space_stride"));
  FC_TRY(refuse(d->frame_stride > 1, "data.frame_stride"));
  FC_TRY(refuse(d->window_step > 1, "data.window_step"));
  FC_TRY(refuse(d->window_out > 0, "data.window_out"));
  FC_TRY(refuse(d->predict == FC_PREDICT_INCREMENT, "data.predict = increment"));
  FC_TRY(refuse(t->out_frames > 1, "train.out_frames"));
  FC_TRY(refuse(t->curriculum_start > 0, "train.curriculum"));
  FC_TRY(refuse(t->pushes > 0, "train.pushforward"));
  FC_TRY(refuse(t->teacher_calls > 1, "train.teacher_calls"));
  FC_TRY(refuse(t->flow_steps > 0, "train.flow_steps"));
  FC_TRY(refuse(t->loss_ring, "train.loss_ring"));
  FC_REQUIRE(t->loss != FC_LOSS_MAE && t->loss != FC_LOSS_QUANTILE, FC_E_USAGE,
             "train.loss = mae and quantile are not for points");
  return refuse(t->loss_derivative > 0, "train.loss_derivative");
}

static fc_status open_sets(fc_points_feed *g, fc_saved *k, const fc_network *probe) {
  const fc_data_settings *d    = &k->settings.data;
  const char             *name = k->def->name;

  FC_TRY(check_settings(&k->settings));
  FC_TRY(fc_points_open(d->train, d, &probe->cloud, name, &g->train));
  FC_TRY(fc_points_open(d->valid[0] ? d->valid : d->train, d, &probe->cloud, name, &g->valid));
  FC_TRY(fc_loss_check(&k->settings.train, g->train.out.n));
  k->settings.train.out_frames = 1;
  return fc_points_check(probe, &g->train);
}

static void remember(const fc_points *p, fc_saved *k) {
  k->x           = p->x;
  k->in          = p->in;
  k->out         = p->out;
  k->params      = p->params;
  k->n_functions = p->n_functions;
  memcpy(k->function, p->function, sizeof k->function);
}

static fc_status open_items(fc_points_feed *g, const fc_data_settings *d, int64_t n_train, bool plan_only) {
  const int64_t lo = d->valid[0] ? 0 : n_train, hi = fc_cloud_about(g->valid.file)->n_samples;

  FC_TRY(fc_points_items_create(&g->train, 0, n_train, plan_only ? -1 : d->cache_mb << 20, &g->train_items));
  return lo < hi ? fc_points_items_create(&g->valid, lo, hi, -1, &g->valid_items) : FC_OK;
}

static void tell(fc_feed *f, const fc_points_feed *g, const fc_data_settings *d) {
  const int64_t all = fc_points_items_bytes(g->train_items);

  f->items      = fc_points_items_size(g->train_items);
  f->in_memory  = fc_points_items_cached(g->train_items);
  f->validates  = g->valid_items != NULL;
  f->measure    = "VRMSE";
  f->data_bytes = all <= d->cache_mb << 20 ? all : 0;
  f->held_bytes = f->in_memory ? all : 0;
}

/* Each rank of a domain reads its block of each sample and nothing else. */
static fc_status share(fc_points_feed *g, const fc_feed *f, const fc_network *probe) {
  const fc_domain *d = &f->ranks->domain;

  if (d->size == 1) return FC_OK;
  FC_REQUIRE(probe->def->sharing, FC_E_USAGE,
             "train.domain = %d: the points of %s cannot be shared by ranks; 1 leaves whole samples to each",
             d->size, probe->def->name);
  fc_points_share(&g->train, d);
  fc_points_share(&g->valid, d);
  return FC_OK;
}

static fc_status open_feed(fc_feed *f, const fc_network *probe, fc_saved *k, bool plan_only) {
  const fc_data_settings *d = &k->settings.data;
  fc_points_feed         *g = f->self;

  g->ranks = f->ranks;
  FC_TRY(fc_comm_agree(NULL, open_sets(g, k, probe)));
  FC_TRY(fc_comm_agree(NULL, share(g, f, probe)));
  const int64_t all     = fc_cloud_about(g->train.file)->n_samples;
  const int64_t n_train = d->valid[0] ? all : fc_source_split(all, d->valid_fraction);
  if (d->normalize && !plan_only) FC_TRY(fc_points_measure(&g->train, f->ranks, 0, n_train, f->quiet));
  fc_points_adopt(&g->valid, &g->train);
  remember(&g->train, k);
  FC_TRY(fc_comm_agree(NULL, open_items(g, d, n_train, plan_only)));
  tell(f, g, d);
  return FC_OK;
}

static void close_feed(void *self) {
  fc_points_feed *g = self;

  fc_points_items_destroy(g->train_items);
  fc_points_items_destroy(g->valid_items);
  fc_points_close(&g->train);
  fc_points_close(&g->valid);
}

/* ---- batches ---- */

static int64_t batch_bytes(const void *self, int64_t n) {
  return fc_points_batch_bytes(&((const fc_points_feed *)self)->train, n);
}

static fc_status fetch(void *self, int64_t item, int64_t n, int64_t at, void *batch) {
  fc_points_feed *g = self;

  if (at == 0) fc_points_batch_begin(&g->train, n, batch);
  return fc_points_items_add(g->train_items, item, batch);
}

/* Noise on what is given for each point. A sample has the numbers of its place in the whole batch, as many as
   the largest sample takes, and a point those of its place in the sample, whoever has it. */
static void noise(const void *self, const fc_rng *r, double std, const fc_turn *t) {
  const fc_points_feed  *g = self;
  const fc_points_batch *b = t->batch;
  const int64_t          F = fc_points_features(&g->train), room = F * g->train.most_points;
  fc_real               *next = b->fx;

  for (int64_t k = 0; k < b->n; k++) {
    const int64_t n = F * (int64_t)b->lengths[k], first = (t->first + k) * room + F * b->first[k];
    FC_FOR_ROWS(i, n, 8) next[i] += (fc_real)(std * fc_rng_normal(r, (uint64_t)(first + i)));
    next += n;
  }
}

/* ---- use ---- */

/* for the plan: the largest sample that training and validation meet */
static fc_cloud_size largest(const fc_points_feed *g) {
  fc_cloud_size z = g->train.most;

  z.points = fc_max64(z.points, g->valid.most.points);
  for (int f = 0; f < FC_CLOUD_FUNCTIONS; f++) z.rows[f] = fc_max64(z.rows[f], g->valid.most.rows[f]);
  return z;
}

static double pass(const void *self, fc_ctx *c, const fc_network *n, const fc_train_settings *t,
                   const fc_turn *turn) {
  const fc_points_feed *g    = self;
  const fc_points      *p    = &g->train;
  const size_t          mark = fc_arena_mark(c->arena);
  const fc_cloud_size   size = largest(g);
  fc_points_batch       plan;

  if (!turn->batch) fc_points_batch_plan(c, p, &size, turn->n, &plan);
  const fc_points_batch *b = turn->batch ? turn->batch : &plan;
  c->grad = c->training = true;
  c->firsts             = turn->batch ? b->first : NULL;
  fc_tensor   *lengths  = fc_tensor_borrow(c->arena, b->lengths, FC_DIMS(b->n));
  fc_tensor   *target   = fc_tensor_borrow(c->arena, b->target, FC_DIMS(b->rows, p->out.n));
  fc_tensor   *weight = p->masked ? fc_tensor_borrow(c->arena, b->weight, FC_DIMS(b->rows, p->out.n)) : NULL;
  fc_tensor   *l      = fc_loss_rows(c, t, &p->out, fc_points_call(c, n, p, b), target, weight, lengths);
  const double loss   = c->dry ? 0 : (double)l->x[0];
  fc_backward(c, fc_affine(c, l, turn->weight, 0));
  c->grad = c->training = false;
  fc_step_end(c, mark);
  c->draws  = 0;
  c->firsts = NULL;
  return loss;
}

static fc_status validate(void *self, fc_ctx *c, const fc_network *n, const fc_train_settings *t,
                          fc_scores *out) {
  fc_points_feed *g = self;

  return fc_points_validate(c, n, &g->valid, g->valid_items, g->ranks, t->eval_windows, t->eval_frames, out);
}

const fc_feed_kind fc_feed_points = {.items       = "samples",
                                     .score       = {"valid_one_step_vrmse", "persistence_one_step_vrmse",
                                                     "valid_rollout_vrmse", "persistence_rollout_vrmse"},
                                     .decides     = {FC_SCORE_ROLLOUT, FC_SCORE_ONE_STEP},
                                     .size        = sizeof(fc_points_feed),
                                     .open        = open_feed,
                                     .close       = close_feed,
                                     .batch_bytes = batch_bytes,
                                     .fetch       = fetch,
                                     .noise       = noise,
                                     .pass        = pass,
                                     .validate    = validate};
