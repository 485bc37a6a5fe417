/* train/trainer.c - building a training, and its step. */
#include "train/trainer.h"

#include "core/rng.h"
#include "core/text.h"
#include "hpc/comm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- building ---- */

static void set_total(fc_trainer *t) {
  fc_train_settings *s        = &t->k.settings.train;
  const int64_t      per_step = s->batch * s->accumulate;

  t->total             = s->steps ? s->steps : fc_ceil_div(s->epochs * t->feed.items, per_step);
  s->schedule.total    = t->total;
  s->schedule.items    = t->feed.items;
  s->schedule.per_step = per_step;
  s->schedule.epochs   = s->steps ? fc_ceil_div(t->total * per_step, t->feed.items) : s->epochs;
}

/* the model without weights tells what it wants of the data */
static fc_status open_data(fc_trainer *t, bool plan_only) {
  fc_network *probe;

  FC_TRY(fc_process_grid_create((int)t->k.settings.train.domain, &t->ranks));
  FC_REQUIRE(t->k.settings.train.batch >= t->ranks.groups, FC_E_USAGE,
             "train.batch = %lld is less than one for each of %d %s", (long long)t->k.settings.train.batch,
             t->ranks.groups, t->ranks.domain.size > 1 ? "domains" : "ranks");
  FC_TRY(fc_network_create(t->k.def, t->k.args, 0, true, &probe));
  fc_status s = fc_network_prepare(probe, &t->k.settings, t->k.out.step);
  if (s == FC_OK) s = fc_feed_open(probe, &t->k, &t->ranks, plan_only, t->quiet, &t->feed);
  fc_network_destroy(probe);
  FC_TRY(s);
  set_total(t);
  return FC_OK;
}

/* statistics of a batch are those of all ranks (batch norm) */
static void sum_over_ranks(double *x, int64_t n) { fc_comm_sum_double(NULL, x, n); }

/* train.group_lr: part of a name=factor, .. */
static fc_status set_groups(fc_trainer *t) {
  const char *list = t->k.settings.train.group_lr;
  char        word[FC_NAME], *equals, *end;

  while (fc_text_item(&list, sizeof word, word)) {
    equals              = strchr(word, '=');
    const double factor = equals ? strtod(equals + 1, &end) : 0;
    FC_REQUIRE(equals && factor > 0 && !*end, FC_E_USAGE,
               "train.group_lr: '%s' is not of the form 'part of a name=factor'", word);
    *equals = 0;
    FC_REQUIRE(fc_optim_group(t->optim, word, factor), FC_E_USAGE,
               "train.group_lr: %s has no weights with '%s' in their names", t->k.def->name, word);
  }
  return FC_OK;
}

/* what costs memory, after the plan has said that it fits */
static fc_status build(fc_trainer *t) {
  const fc_train_settings *s    = &t->k.settings.train;
  const uint64_t           seed = (uint64_t)s->seed;
  const size_t             room = (size_t)t->plan.activation_bytes;

  FC_TRY(fc_comm_agree(NULL, fc_plan_fits(&t->plan))); /* rank 0 needs more than others */
  FC_TRY(fc_network_create(t->k.def, t->k.args, seed, false, &t->network));
  FC_TRY(fc_network_prepare(t->network, &t->k.settings, t->k.out.step));
  FC_TRY((s->shard_optimiser ? fc_optim_create_shared : fc_optim_create)(t->network->params, s->ema > 0,
                                                                         &t->optim));
  FC_TRY(set_groups(t));
  FC_TRY(fc_grad_sum_create(t->network->params, FC_GRAD_BUCKET, &t->sums));
  if (s->sam_rho > 0) FC_TRY(fc_sam_create(t->network->params, &t->sam));
  FC_TRY(fc_ctx_create(room + room / 4 + ((size_t)256 << 20), false, &t->ctx));
  t->ctx->seed = seed;
  fc_feed_attach(&t->feed, t->ctx);
  if (fc_comm_size(NULL) > 1) t->ctx->batch_sum = sum_over_ranks;
  return fc_loader_create(&t->feed, s->batch, seed, &t->loader);
}

/* Nodes may see other configurations and data: ranks that do not fit together would wait for each other, or
   add up what does not belong together. */
static fc_status must_be_alike(const fc_trainer *t) {
  const fc_train_settings *s       = &t->k.settings.train;
  static const char *const what[4] = {"weights", "items of data", "steps", "items of a batch"};
  const double own[4] = {(double)t->plan.weights, (double)t->feed.items, (double)t->total, (double)s->batch};
  double       sum[4];
  fc_status    st = FC_OK;

  memcpy(sum, own, sizeof sum);
  FC_TRY(fc_comm_sum_double(NULL, sum, 4));
  for (int i = 0; i < 4 && st == FC_OK; i++)
    if (sum[i] != own[i] * fc_comm_size(NULL))
      st = fc_fail(FC_E_INPUT,
                   "the ranks do not agree: rank %d counts %.0f %s, the mean is %g; every node must see the "
                   "same configuration and data",
                   fc_comm_rank(NULL), own[i], what[i], sum[i] / fc_comm_size(NULL));
  return fc_comm_agree(NULL, st);
}

fc_status fc_trainer_create(fc_config *config, bool plan_only, bool quiet, fc_trainer **out) {
  fc_trainer *t = calloc(1, sizeof *t);
  fc_status   s;

  FC_REQUIRE(t, FC_E_SYSTEM, "no memory for a training");
  t->quiet = quiet || fc_comm_rank(NULL);
  FC_TRY_TO(fail, s, fc_settings_bind(config, false, &t->k.settings, &t->k.def, &t->k.args));
  t->k.best = INFINITY;
  FC_TRY_TO(fail, s, open_data(t, plan_only));
  FC_TRY_TO(fail, s, fc_plan_train(t->k.def, t->k.args, &t->feed, &t->k.settings, &t->plan));
  FC_TRY_TO(fail, s, must_be_alike(t));
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
  fc_feed_close(&t->feed);
  fc_optim_destroy(t->optim);
  fc_sam_destroy(t->sam);
  fc_grad_sum_destroy(t->sums);
  fc_ctx_destroy(t->ctx);
  fc_network_destroy(t->network);
  fc_checkpoint_free(&t->k);
  fc_process_grid_destroy(&t->ranks);
  free(t);
}

/* ---- one step ---- */

/* one batch: gradients are added; *loss grows by this rank's part of the mean over all items */
static fc_status accumulate(fc_trainer *t, int64_t number, const fc_step_facts *f, double *loss) {
  const fc_train_settings *s            = &t->k.settings.train;
  const int64_t            batch_number = f->step * s->accumulate + number;
  const fc_rng             r            = {(uint64_t)s->seed, (uint64_t)batch_number, FC_RNG_NOISE};
  fc_load                  b;

  FC_TRY(fc_loader_next(t->loader, &b));
  const double  part = (double)b.n / (double)(s->batch * s->accumulate);
  const fc_turn turn = {b.batch, b.n, b.first, s->batch, f->k, f->pushes, part};
  if (s->noise > 0) t->feed.kind->noise(t->feed.self, &r, s->noise, &turn);
  t->ctx->step   = (uint64_t)batch_number;
  t->ctx->items  = b.n;
  t->ctx->before = b.first;
  *loss += part * t->feed.kind->pass(t->feed.self, t->ctx, t->network, s, &turn);
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
  const fc_train_settings *s  = &t->k.settings.train;
  fc_status                st = FC_OK;

  fc_params_zero_grads(t->network->params);
  f->loss = 0;
  for (int64_t i = 0; i < s->accumulate && st == FC_OK; i++) {
    if (i == s->accumulate - 1 && s->teacher_calls == 1) fc_grad_sum_watch(t->sums, t->ctx);
    st = accumulate(t, i, f, &f->loss);
  }
  if (st == FC_OK) st = fc_domain_status(t->ctx);
  st = fc_comm_agree(NULL, st);
  if (st == FC_OK) st = fc_comm_sum_double(NULL, &f->loss, 1);
  /* sums that some ranks have begun before another one failed must end before gradients are freed */
  const fc_status summed = st == FC_E_COMM ? FC_OK : fc_grad_sum_finish(t->sums, t->ctx);
  FC_TRY(st);
  FC_TRY(summed);
  return must_be_finite(t, f->loss, "loss", f->step);
}

/* the gradient up the slope, of the same batches with the same random numbers; the weights stay */
static fc_status sharpen(fc_trainer *t, fc_step_facts *f) {
  fc_step_facts there = *f;

  fc_sam_climb(t->sam, t->k.settings.train.sam_rho, f->grad_norm);
  fc_loader_seek(t->loader, t->k.position);
  const fc_status s = gather(t, &there);
  fc_sam_return(t->sam);
  FC_TRY(s);
  f->grad_norm = fc_optim_grad_norm(t->optim);
  return must_be_finite(t, f->grad_norm, "gradient", f->step);
}

/* do the weights of train.group_lr have a rate of their own in this step? */
static bool groups_apart(const fc_train_settings *s, int64_t step) {
  return !s->group_epochs || fc_schedule_epoch(&s->schedule, step) < s->group_epochs;
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
  if (t->sam) FC_TRY(sharpen(t, &f));
  const fc_adamw_rates r = {.lr           = f.lr,
                            .beta1        = f.beta1,
                            .beta2        = s->beta2,
                            .eps          = s->eps,
                            .weight_decay = s->weight_decay,
                            .group_lr     = groups_apart(s, f.step) ? s->schedule.lr : 0,
                            .coupled      = s->decay == FC_DECAY_COUPLED};
  const double         scale =
      s->clip_average ? fc_clip_factor(&t->k.clip, f.grad_norm) : fc_optim_clip(f.grad_norm, s->clip);
  FC_TRY(fc_optim_step(t->optim, &r, scale));
  fc_optim_average(t->optim, s->ema, f.step);
  t->k.step     = f.step + 1;
  t->k.position = fc_loader_position(t->loader);
  *out          = f;
  return FC_OK;
}

/* ---- validation and checkpoints ---- */

fc_status fc_trainer_validate(fc_trainer *t, fc_scores *out) {
  const fc_train_settings *s = &t->k.settings.train;

  *out = (fc_scores){{NAN, NAN, NAN, NAN, NAN}};
  if (!t->feed.validates) return FC_OK;
  fc_loader_quiet(t->loader);
  FC_TRY(fc_optim_swap_average(t->optim));
  const fc_status st = fc_comm_agree(NULL, t->feed.kind->validate(t->feed.self, t->ctx, t->network, s, out));
  const fc_status back = fc_optim_swap_average(t->optim);
  return st != FC_OK ? st : back;
}

fc_status fc_trainer_save(fc_trainer *t, const char *path, const char *previous) {
  fc_loader_quiet(t->loader);
  const bool writes = !fc_comm_rank(NULL) || fc_optim_is_shared(t->optim);
  return fc_comm_agree(NULL,
                       writes ? fc_checkpoint_write(path, previous, &t->k, t->network, t->optim) : FC_OK);
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
  t->k.waited   = k.waited;
  t->k.clip     = k.clip;
done:
  fc_checkpoint_free(&k);
  return s;
}
