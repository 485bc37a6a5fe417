/* train/trainer.c - building a training, and its step. */
#include "train/trainer.h"

#include "core/parallel.h"
#include "core/rng.h"
#include "hpc/comm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- building ---- */

/* frames per call and target frames per window, from the options and what the model can */
static fc_status set_frames(fc_trainer *t, const fc_frames *f) {
  fc_train_settings *s = &t->k.settings.train;

  if (f->steady) s->pushes = 0, s->teacher_calls = 1;
  if (!s->out_frames) s->out_frames = f->max_out;
  FC_REQUIRE(s->out_frames <= f->max_out, FC_E_USAGE,
             "train.out_frames = %lld, but %s gives at most %d frames per call", (long long)s->out_frames,
             t->k.def->name, f->max_out);
  FC_REQUIRE(s->curriculum_start <= s->out_frames, FC_E_USAGE,
             "train.curriculum.start = %lld is more than the %lld frames per call",
             (long long)s->curriculum_start, (long long)s->out_frames);
  t->n_target         = t->k.settings.data.window_out;
  const int64_t calls = s->pushes + s->teacher_calls; /* one of the two is at its least */
  if (!t->n_target || f->steady) t->n_target = s->out_frames * calls;
  FC_REQUIRE(
      t->n_target >= s->out_frames * calls, FC_E_USAGE,
      "data.window_out = %lld is too short for %lld calls of %lld frames (train.pushforward.pushes + 1 or "
      "train.teacher_calls, train.out_frames)",
      (long long)t->n_target, (long long)calls, (long long)s->out_frames);
  return FC_OK;
}

/* the model without weights: tells its frames, and whether the data fits */
static fc_status probe(fc_trainer *t) {
  const fc_data_settings *d = &t->k.settings.data;
  fc_network             *n;
  fc_status               s;

  FC_REQUIRE(t->k.settings.train.batch >= fc_comm_size(NULL), FC_E_USAGE,
             "train.batch = %lld is less than one window for each of %d ranks",
             (long long)t->k.settings.train.batch, fc_comm_size(NULL));
  FC_REQUIRE(d->train[0], FC_E_USAGE,
             "no data to learn from; write 'data: {train: FILE}' or --set data.train=FILE");
  FC_TRY(fc_network_create(t->k.def, t->k.args, 0, true, &n));
  FC_TRY_TO(done, s, fc_network_prepare(n, &t->k.settings, t->k.out.step));
  FC_TRY_TO(done, s, set_frames(t, &n->frames));
  FC_TRY_TO(done, s, fc_source_open(d->train, d, n->frames.steady, &t->train));
  FC_TRY_TO(done, s, fc_source_open(d->valid[0] ? d->valid : d->train, d, n->frames.steady, &t->valid));
  FC_TRY_TO(done, s, fc_source_fits(&t->train, n));
  FC_TRY_TO(done, s, fc_source_fits(&t->valid, n));
  s = fc_network_check(n, t->train.geo.ndim, t->train.geo.dim, 1, n->frames.max_out);
done:
  fc_network_destroy(n);
  return s;
}

/* rank 0 measures, all ranks get its numbers */
static fc_status measure(fc_trainer *t, int64_t n_train) {
  const fc_data_settings *d = &t->k.settings.data;
  fc_status               s = FC_OK;

  if (d->normalize) {
    if (!fc_comm_rank(NULL)) s = fc_source_measure(&t->train, 0, n_train, t->quiet);
    FC_TRY(fc_comm_agree(NULL, s));
    FC_TRY(fc_comm_broadcast(NULL, &t->train.in, sizeof t->train.in, 0));
    FC_TRY(fc_comm_broadcast(NULL, &t->train.out, sizeof t->train.out, 0));
    FC_TRY(fc_comm_broadcast(NULL, &t->train.params, sizeof t->train.params, 0));
  }
  return FC_OK;
}

static void share_scaling(fc_trainer *t) {
  t->valid.in     = t->train.in;
  t->valid.out    = t->train.out;
  t->valid.params = t->train.params;
  t->k.params     = t->train.params;
  t->k.in         = t->train.in;
  t->k.out        = t->train.out;
  t->k.geo        = t->train.geo;
}

static int64_t shortest(const fc_source *s, int64_t lo, int64_t hi) {
  int64_t n = INT64_MAX;

  for (int64_t i = lo; i < hi; i++) n = fc_min64(n, fc_source_steps(s, i));
  return n;
}

/* as many frames of rollout as asked for and the shortest trajectory has */
static fc_status open_valid(fc_trainer *t, int64_t lo, int64_t hi, int64_t n_in) {
  const fc_settings *set  = &t->k.settings;
  fc_window_spec     spec = {lo, hi, n_in, set->train.eval_frames, 1, 0};

  if (lo >= hi) return FC_OK;
  if (!t->valid.steady) {
    const int64_t room = (shortest(&t->valid, lo, hi) - 1) / t->valid.frame_stride + 1 - n_in;
    spec.n_target      = fc_max64(1, fc_min64(spec.n_target, room));
  }
  return fc_windows_create(&t->valid, &spec, &t->valid_windows);
}

static fc_status open_windows(fc_trainer *t, int64_t n_train, int n_in, bool plan_only) {
  const fc_data_settings *d    = &t->k.settings.data;
  const fc_window_spec    spec = {0,           n_train,        n_in,
                                  t->n_target, d->window_step, plan_only ? -1 : d->cache_mb << 20};
  const int64_t           all  = fc_field_about(t->valid.field)->n_traj;

  FC_TRY(fc_windows_create(&t->train, &spec, &t->train_windows));
  return d->valid[0] ? open_valid(t, 0, all, n_in) : open_valid(t, n_train, all, n_in);
}

/* what the data takes; *held: what of it is already in memory */
static int64_t data_bytes(const fc_trainer *t, int64_t *held) {
  const int64_t all  = fc_windows_bytes(t->train_windows);
  const bool    keep = all <= t->k.settings.data.cache_mb << 20;

  *held = fc_windows_cached(t->train_windows) ? all : 0;
  return (keep ? all : 0) + fc_loader_bytes(t->train_windows, t->k.settings.train.batch);
}

static void set_total(fc_trainer *t) {
  fc_train_settings *s        = &t->k.settings.train;
  const int64_t      per_step = s->batch * s->accumulate;

  t->total = s->steps ? s->steps : fc_ceil_div(s->epochs * fc_windows_size(t->train_windows), per_step);
  s->schedule.total = t->total;
}

/* the data: opened, measured, cut into windows */
static fc_status open_data(fc_trainer *t, bool plan_only) {
  const fc_data_settings *d = &t->k.settings.data;
  fc_network             *n;

  FC_TRY(fc_comm_agree(NULL, probe(t)));
  FC_TRY(fc_network_create(t->k.def, t->k.args, 0, true, &n));
  fc_status s    = fc_network_prepare(n, &t->k.settings, t->k.out.step);
  const int n_in = n->frames.n_in;
  fc_network_destroy(n);
  FC_TRY(s);
  const int64_t all     = fc_field_about(t->train.field)->n_traj;
  const int64_t n_train = d->valid[0] ? all : fc_source_split(all, d->valid_fraction);
  if (!plan_only) FC_TRY(measure(t, n_train));
  share_scaling(t);
  FC_TRY(fc_comm_agree(NULL, open_windows(t, n_train, n_in, plan_only)));
  set_total(t);
  return FC_OK;
}

/* what costs memory, after the plan has said that it fits */
static fc_status build(fc_trainer *t) {
  const fc_train_settings *s    = &t->k.settings.train;
  const uint64_t           seed = (uint64_t)s->seed;
  const size_t             room = (size_t)t->plan.activation_bytes;

  FC_TRY(fc_plan_fits(&t->plan));
  FC_TRY(fc_network_create(t->k.def, t->k.args, seed, false, &t->network));
  FC_TRY(fc_network_prepare(t->network, &t->k.settings, t->k.out.step));
  FC_TRY(fc_optim_create(t->network->params, s->ema > 0, &t->optim));
  FC_TRY(fc_ctx_create(room + room / 4 + ((size_t)256 << 20), false, &t->ctx));
  t->ctx->seed = seed;
  return fc_loader_create(t->train_windows, s->batch, seed, &t->loader);
}

fc_status fc_trainer_create(fc_config *config, bool plan_only, bool quiet, fc_trainer **out) {
  fc_trainer *t = calloc(1, sizeof *t);
  int64_t     held;
  fc_status   s;

  FC_REQUIRE(t, FC_E_SYSTEM, "no memory for a training");
  t->quiet = quiet || fc_comm_rank(NULL);
  FC_TRY_TO(fail, s, fc_settings_bind(config, false, &t->k.settings, &t->k.def, &t->k.args));
  t->k.best = INFINITY;
  FC_TRY_TO(fail, s, open_data(t, plan_only));
  const int64_t data = data_bytes(t, &held);
  FC_TRY_TO(fail, s, fc_plan_train(t->k.def, t->k.args, &t->train, &t->k.settings, data, held, &t->plan));
  if (!plan_only) FC_TRY_TO(fail, s, fc_comm_agree(NULL, build(t)));
  *out = t;
  return FC_OK;
fail:
  fc_trainer_destroy(t);
  return s;
}

void fc_trainer_destroy(fc_trainer *t) {
  if (!t) return;
  fc_loader_destroy(t->loader);
  fc_windows_destroy(t->train_windows);
  fc_windows_destroy(t->valid_windows);
  fc_source_close(&t->train);
  fc_source_close(&t->valid);
  fc_optim_destroy(t->optim);
  fc_ctx_destroy(t->ctx);
  fc_network_destroy(t->network);
  fc_checkpoint_free(&t->k);
  free(t);
}

/* ---- one step ---- */

/* Philox numbers by (seed, batch number) and place in the whole batch: the same for any number of ranks */
static void add_noise(const fc_trainer *t, const fc_load *b, int64_t batch_number) {
  const double  std = t->k.settings.train.noise;
  const int64_t len = t->train.in_len * t->network->frames.n_in;
  const fc_rng  r   = {(uint64_t)t->k.settings.train.seed, (uint64_t)batch_number, FC_RNG_NOISE};

  if (std <= 0) return;
  FC_FOR_ROWS(i, b->n * len, 8)
  b->input[i] += (fc_real)(std * fc_rng_normal(&r, (uint64_t)(b->first * len + i)));
}

/* one batch: gradients are added; *loss grows by this rank's part of the mean over all windows */
static fc_status accumulate(fc_trainer *t, int64_t number, const fc_step_facts *f, double *loss) {
  const fc_train_settings *s = &t->k.settings.train;
  fc_load                  b;

  FC_TRY(fc_loader_next(t->loader, &b));
  add_noise(t, &b, f->step * s->accumulate + number);
  const double  part = (double)b.n / (double)(s->batch * s->accumulate);
  const fc_pass pass = {.B        = b.n,
                        .k        = f->k,
                        .pushes   = f->pushes,
                        .n_target = t->n_target,
                        .first    = b.first,
                        .whole    = s->batch,
                        .window   = b.input,
                        .target   = b.target,
                        .params   = b.params,
                        .weight   = part};
  t->ctx->step       = (uint64_t)(f->step * s->accumulate + number);
  *loss += part * fc_pass_run(t->ctx, t->network, &t->train, s, &pass);
  return FC_OK;
}

static fc_status must_be_finite(const fc_trainer *t, double v, const char *what, int64_t step) {
  FC_REQUIRE(
      isfinite(v), FC_E_NUMERIC,
      "the %s became %s at step %lld; the weights of the last checkpoint are kept; lower train.lr, set "
      "train.clip, or look for extreme values in the data (lr there: %g)",
      what, isnan(v) ? "NaN" : "infinite", (long long)step, t->k.settings.train.schedule.lr);
  return FC_OK;
}

/* a batch that fails on one rank must not leave the others waiting */
static fc_status gather(fc_trainer *t, fc_step_facts *f) {
  fc_params *p  = t->network->params;
  fc_status  st = FC_OK;

  fc_params_zero_grads(p);
  f->loss = 0;
  for (int64_t i = 0; i < t->k.settings.train.accumulate && st == FC_OK; i++)
    st = accumulate(t, i, f, &f->loss);
  FC_TRY(fc_comm_agree(NULL, st));
  FC_TRY(fc_comm_sum_double(NULL, &f->loss, 1));
  FC_TRY(must_be_finite(t, f->loss, "loss", f->step));
  return fc_comm_sum(NULL, fc_params_grads(p), fc_params_block(p, true));
}

fc_status fc_trainer_step(fc_trainer *t, fc_step_facts *out) {
  const fc_train_settings *s = &t->k.settings.train;
  fc_step_facts            f = {
                 .step = t->k.step, .k = fc_curriculum_at(s, t->k.step), .pushes = fc_pushes_at(s, t->k.step)};

  fc_loader_seek(t->loader, t->k.position);
  fc_schedule_at(&s->schedule, f.step, &f.lr, &f.beta1);
  FC_TRY(gather(t, &f));
  f.grad_norm = fc_optim_grad_norm(t->optim);
  FC_TRY(must_be_finite(t, f.grad_norm, "gradient", f.step));
  const fc_adamw_rates r = {f.lr, f.beta1, s->beta2, s->eps, s->weight_decay};
  fc_optim_step(t->optim, &r,
                s->clip_average ? fc_clip_factor(&t->k.clip, f.grad_norm)
                                : fc_optim_clip(f.grad_norm, s->clip));
  fc_optim_average(t->optim, s->ema, f.step);
  t->k.step     = f.step + 1;
  t->k.position = fc_loader_position(t->loader);
  *out          = f;
  return FC_OK;
}

/* ---- validation and checkpoints ---- */

/* exchanges weights and average, so that nothing is copied aside */
static void swap_average(fc_trainer *t) {
  fc_real *a = fc_optim_ema(t->optim), *w = fc_params_values(t->network->params);

  if (!a) return;
  for (int64_t i = 0; i < fc_params_block(t->network->params, true); i++) {
    const fc_real keep = a[i];
    a[i]               = w[i];
    w[i]               = keep;
  }
}

fc_status fc_trainer_validate(fc_trainer *t, fc_scores *out) {
  const fc_train_settings *s = &t->k.settings.train;

  *out = (fc_scores){NAN, NAN, NAN, NAN};
  if (!t->valid_windows) return FC_OK;
  fc_loader_quiet(t->loader);
  swap_average(t);
  const fc_status st = fc_validate(t->ctx, t->network, t->valid_windows, s->eval_windows, s->out_frames, out);
  swap_average(t);
  return st;
}

fc_status fc_trainer_save(fc_trainer *t, const char *path, const char *previous) {
  fc_status s = FC_OK;

  fc_loader_quiet(t->loader);
  if (!fc_comm_rank(NULL)) s = fc_checkpoint_write(path, previous, &t->k, t->network, t->optim);
  return fc_comm_agree(NULL, s);
}

/* the order of the data depends on these: resuming with others would not continue the same stream */
static fc_status same_run(const fc_trainer *t, const char *path, const fc_saved *k) {
  FC_REQUIRE(k->def == t->k.def, FC_E_MISMATCH, "%s was trained with the model %s, the configuration says %s",
             path, k->def->name, t->k.def->name);
  FC_REQUIRE(k->settings.train.seed == t->k.settings.train.seed, FC_E_MISMATCH,
             "%s was trained with train.seed = %lld, the configuration says %lld", path,
             (long long)k->settings.train.seed, (long long)t->k.settings.train.seed);
  return FC_OK;
}

fc_status fc_trainer_restore(fc_trainer *t, const char *path) {
  fc_saved  k;
  fc_status s;

  fc_loader_quiet(t->loader);
  FC_TRY(fc_checkpoint_read(path, &k));
  FC_TRY_TO(done, s, same_run(t, path, &k));
  FC_TRY_TO(done, s, fc_checkpoint_weights(path, t->network, false, NULL));
  FC_TRY_TO(done, s, fc_checkpoint_optim(path, t->network, t->optim));
  t->k.step     = k.step;
  t->k.position = k.position;
  t->k.best     = k.best;
  t->k.clip     = k.clip;
done:
  fc_checkpoint_free(&k);
  return s;
}
