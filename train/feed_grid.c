/* train/feed_grid.c */
#include "train/feed_grid.h"

#include "core/parallel.h"
#include "hpc/comm.h"
#include "train/loss.h"
#include "train/step.h"
#include "train/validate.h"

#include <string.h>

/* ---- opening ---- */

/* frames per call and target frames per window, from the options and what the model can */
static fc_status set_frames(fc_grid_feed *g, fc_saved *k, const fc_frames *f) {
  fc_train_settings *s = &k->settings.train;

  if (f->steady) s->pushes = 0, s->teacher_calls = 1;
  if (!s->out_frames) s->out_frames = f->max_out;
  FC_REQUIRE(s->out_frames <= f->max_out, FC_E_USAGE,
             "train.out_frames = %lld, but %s gives at most %d frames per call", (long long)s->out_frames,
             k->def->name, f->max_out);
  FC_REQUIRE(s->curriculum_start <= s->out_frames, FC_E_USAGE,
             "train.curriculum.start = %lld is more than the %lld frames per call",
             (long long)s->curriculum_start, (long long)s->out_frames);
  g->n_target         = k->settings.data.window_out;
  const int64_t calls = s->pushes + s->teacher_calls; /* one of the two is at its least */
  if (!g->n_target || f->steady) g->n_target = s->out_frames * calls;
  FC_REQUIRE(
      g->n_target >= s->out_frames * calls, FC_E_USAGE,
      "data.window_out = %lld is too short for %lld calls of %lld frames (train.pushforward.pushes + 1 or "
      "train.teacher_calls, train.out_frames)",
      (long long)g->n_target, (long long)calls, (long long)s->out_frames);
  return FC_OK;
}

static fc_status refuse(bool set, const char *key) {
  FC_REQUIRE(!set, FC_E_USAGE, "%s is for points; these data are fields on a grid", key);
  return FC_OK;
}

/* does the data suit the model? */
static fc_status open_sources(fc_grid_feed *g, fc_saved *k, const fc_network *probe) {
  const fc_data_settings *d      = &k->settings.data;
  const bool              steady = probe->frames.steady;

  FC_TRY(refuse(d->history > 0, "data.history"));
  FC_TRY(refuse(d->mask[0], "data.mask"));
  FC_TRY(refuse(d->functions[0], "data.functions"));
  FC_REQUIRE(k->settings.train.loss != FC_LOSS_QUANTILE, FC_E_USAGE,
             "train.loss = quantile is for series; these data are fields on a grid");
  FC_TRY(set_frames(g, k, &probe->frames));
  FC_TRY(fc_source_open(d->train, d, steady, &g->train));
  FC_TRY(fc_source_open(d->valid[0] ? d->valid : d->train, d, steady, &g->valid));
  FC_TRY(fc_source_fits(&g->train, probe));
  FC_TRY(fc_source_fits(&g->valid, probe));
  FC_TRY(fc_loss_check(&k->settings.train, g->train.out.n));
  return fc_network_check(probe, g->train.geo.ndim, g->train.geo.dim, 1, probe->frames.max_out);
}

/* the first of the data groups measures, all ranks get its numbers */
static fc_status measure(const fc_grid_feed *g, fc_source *s, int64_t n_train, bool quiet) {
  fc_status st = FC_OK;

  if (!fc_comm_rank(g->data)) st = fc_source_measure(s, 0, n_train, g->domain, quiet);
  FC_TRY(fc_comm_agree(NULL, st));
  FC_TRY(fc_comm_broadcast(g->data, &s->in, sizeof s->in, 0));
  FC_TRY(fc_comm_broadcast(g->data, &s->out, sizeof s->out, 0));
  return fc_comm_broadcast(g->data, &s->params, sizeof s->params, 0);
}

/* each rank of a domain sees its share of the first axis */
static fc_status share(fc_feed *f, const fc_network *probe) {
  fc_grid_feed    *g = f->self;
  const fc_domain *d = &f->ranks->domain;
  fc_cut          *s = &f->cut;

  g->data = f->ranks->data;
  if (d->size == 1) return FC_OK;
  g->domain = d;
  FC_TRY(fc_network_cut(probe, g->train.geo.ndim, g->train.geo.dim, d->size, s));
  FC_REQUIRE(g->valid.geo.dim[0] == s->n, FC_E_INPUT,
             "%s has %lld points along its first axis, the training data have %lld; ranks that share a grid "
             "need equal grids",
             g->valid.path, (long long)g->valid.geo.dim[0], (long long)s->n);
  g->lo           = fc_cut_at(*s, d->rank, d->size);
  const int64_t n = fc_cut_at(*s, d->rank + 1, d->size) - g->lo;
  fc_source_share(&g->train, g->lo, n);
  fc_source_share(&g->valid, g->lo, n);
  return FC_OK;
}

static void share_scaling(fc_grid_feed *g, fc_saved *k) {
  g->valid.in     = g->train.in;
  g->valid.out    = g->train.out;
  g->valid.params = g->train.params;
  k->params       = g->train.params;
  k->in           = g->train.in;
  k->out          = g->train.out;
  k->geo          = g->train.geo;
  k->geo.dim[0]   = g->train.whole;
}

static int64_t shortest(const fc_source *s, int64_t lo, int64_t hi) {
  int64_t n = INT64_MAX;

  for (int64_t i = lo; i < hi; i++) n = fc_min64(n, fc_source_steps(s, i));
  return n;
}

/* as many frames of rollout as asked for and the shortest trajectory has */
static fc_status open_valid(fc_grid_feed *g, const fc_settings *set, int64_t lo, int64_t hi) {
  fc_window_spec spec = {lo, hi, g->n_in, set->train.eval_frames, 1, 0};

  if (lo >= hi) return FC_OK;
  if (!g->valid.steady) {
    const int64_t room = (shortest(&g->valid, lo, hi) - 1) / g->valid.frame_stride + 1 - g->n_in;
    spec.n_target      = fc_max64(1, fc_min64(spec.n_target, room));
  }
  return fc_windows_create(&g->valid, &spec, &g->valid_windows);
}

static fc_status open_windows(fc_grid_feed *g, const fc_settings *set, int64_t n_train, bool plan_only) {
  const fc_data_settings *d    = &set->data;
  const fc_window_spec    spec = {0,           n_train,        g->n_in,
                                  g->n_target, d->window_step, plan_only ? -1 : d->cache_mb << 20};
  const int64_t           all  = fc_field_about(g->valid.field)->n_traj;

  FC_TRY(fc_windows_create(&g->train, &spec, &g->train_windows));
  return d->valid[0] ? open_valid(g, set, 0, all) : open_valid(g, set, n_train, all);
}

static void tell(fc_feed *f, const fc_grid_feed *g, const fc_data_settings *d) {
  const int64_t all = fc_windows_bytes(g->train_windows);

  f->items      = fc_windows_size(g->train_windows);
  f->in_memory  = fc_windows_cached(g->train_windows);
  f->validates  = g->valid_windows != NULL;
  f->measure    = "VRMSE";
  f->data_bytes = all <= d->cache_mb << 20 ? all : 0;
  f->held_bytes = f->in_memory ? all : 0;
}

static fc_status open_feed(fc_feed *f, const fc_network *probe, fc_saved *k, bool plan_only) {
  const fc_data_settings *d = &k->settings.data;
  fc_grid_feed           *g = f->self;

  FC_TRY(fc_comm_agree(NULL, open_sources(g, k, probe)));
  FC_TRY(fc_comm_agree(NULL, share(f, probe)));
  g->n_in               = probe->frames.n_in;
  const int64_t all     = fc_field_about(g->train.field)->n_traj;
  const int64_t n_train = d->valid[0] ? all : fc_source_split(all, d->valid_fraction);
  if (d->normalize && !plan_only) FC_TRY(measure(g, &g->train, n_train, f->quiet));
  share_scaling(g, k);
  FC_TRY(fc_comm_agree(NULL, open_windows(g, &k->settings, n_train, plan_only)));
  tell(f, g, d);
  return FC_OK;
}

static void close_feed(void *self) {
  fc_grid_feed *g = self;

  fc_windows_destroy(g->train_windows);
  fc_windows_destroy(g->valid_windows);
  fc_source_close(&g->train);
  fc_source_close(&g->valid);
}

/* ---- batches ---- */

static int64_t input_length(const fc_windows *w) {
  const fc_source *s = fc_windows_source(w);
  return (s->steady ? 1 : fc_windows_spec(w)->n_in) * s->in_len;
}

static int64_t target_length(const fc_windows *w) {
  const fc_source *s = fc_windows_source(w);
  return (s->steady ? 1 : fc_windows_spec(w)->n_target) * s->out_len;
}

fc_grid_batch fc_grid_batch_at(const fc_windows *w, int64_t n, void *batch) {
  fc_real *input = batch, *target = input + n * input_length(w);

  return (fc_grid_batch){input, target, target + n * target_length(w)};
}

static int64_t batch_bytes(const void *self, int64_t n) {
  const fc_windows *w = ((const fc_grid_feed *)self)->train_windows;

  return n * (input_length(w) + target_length(w) + fc_windows_source(w)->params.n) * (int64_t)sizeof(fc_real);
}

static fc_status fetch(void *self, int64_t item, int64_t n, int64_t at, void *batch) {
  fc_windows         *w = ((fc_grid_feed *)self)->train_windows;
  const fc_grid_batch b = fc_grid_batch_at(w, n, batch);

  return fc_windows_read(w, item, b.input + at * input_length(w), b.target + at * target_length(w),
                         b.params + at * fc_windows_source(w)->params.n);
}

static void noise(const void *self, const fc_rng *r, double std, const fc_turn *t) {
  const fc_grid_feed *g   = self;
  const fc_source    *s   = &g->train;
  const fc_grid_batch b   = fc_grid_batch_at(g->train_windows, t->n, t->batch);
  const int64_t       own = s->in_len, line = own / s->geo.dim[0], whole = line * s->whole; /* of a frame */
  const int64_t       count = input_length(g->train_windows) / own;                         /* frames */

  FC_FOR_ROWS(i, t->n * count * own, 8) {
    const int64_t frame = t->first * count + i / own;
    b.input[i] += (fc_real)(std * fc_rng_normal(r, (uint64_t)(frame * whole + g->lo * line + i % own)));
  }
}

/* ---- use ---- */

static double pass(const void *self, fc_ctx *c, const fc_network *n, const fc_train_settings *t,
                   const fc_turn *turn) {
  const fc_grid_feed *g = self;
  fc_grid_batch       b = {NULL, NULL, NULL};

  if (turn->batch) b = fc_grid_batch_at(g->train_windows, turn->n, turn->batch);
  const fc_pass p = {.B        = turn->n,
                     .k        = turn->k,
                     .pushes   = turn->pushes,
                     .n_target = turn->batch ? g->n_target : turn->k * (turn->pushes + t->teacher_calls),
                     .first    = turn->first,
                     .whole    = turn->whole,
                     .window   = b.input,
                     .target   = b.target,
                     .params   = b.params,
                     .weight   = turn->weight};
  return fc_pass_run(c, n, &g->train, t, &p);
}

static fc_status validate(void *self, fc_ctx *c, const fc_network *n, const fc_train_settings *t,
                          fc_scores *out) {
  const fc_grid_feed *g = self;

  return fc_validate(c, n, g->valid_windows, &(fc_sharers){g->domain, g->data}, t->eval_windows,
                     t->out_frames, out);
}

const fc_feed_kind fc_feed_grid = {.items       = "windows",
                                   .score       = {"valid_one_step_vrmse", "persistence_one_step_vrmse",
                                                   "valid_rollout_vrmse", "persistence_rollout_vrmse"},
                                   .decides     = {FC_SCORE_ROLLOUT, FC_SCORE_ONE_STEP},
                                   .size        = sizeof(fc_grid_feed),
                                   .open        = open_feed,
                                   .close       = close_feed,
                                   .batch_bytes = batch_bytes,
                                   .fetch       = fetch,
                                   .noise       = noise,
                                   .pass        = pass,
                                   .validate    = validate};
