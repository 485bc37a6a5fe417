/* train/network.c */
#include "train/network.h"

#include "core/domain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* what the model is for, in the words of a refusal */
static const char *place_of(const fc_model_def *def) {
  const bool grid = def->frames && def->pack && def->unpack;

  return grid && def->cloud ? "grids and points" : grid ? "grids" : def->cloud ? "points" : "series";
}

/* s: what the model's own function says; its words are kept for whoever asks for that use */
static void note(fc_status s, bool *use, char *why, size_t size) {
  *use = s == FC_OK;
  if (!*use) snprintf(why, size, "%s", fc_error());
}

/* Options may suit some uses only: the others then fail. */
static fc_status find_uses(fc_network *n) {
  const fc_model_def *def   = n->def;
  const char         *place = place_of(def);
  fc_status           s     = FC_E_USAGE;

  snprintf(n->not_on_grid, sizeof n->not_on_grid, "%s works on %s, not on grids", def->name, place);
  snprintf(n->not_on_points, sizeof n->not_on_points, "%s works on %s, not on points", def->name, place);
  snprintf(n->not_on_series, sizeof n->not_on_series, "%s works on %s, not on series", def->name, place);
  if (def->series)
    note(s = def->series(n->self, &n->series), &n->on_series, n->not_on_series, sizeof n->not_on_series);
  if (def->cloud)
    note(s = def->cloud(n->self, &n->cloud), &n->on_points, n->not_on_points, sizeof n->not_on_points);
  if (def->frames)
    note(s = def->frames(n->self, &n->frames), &n->on_grid, n->not_on_grid, sizeof n->not_on_grid);
  if (n->on_grid || n->on_points || n->on_series) return FC_OK;
  return fc_fail(s, "%s", def->frames ? n->not_on_grid : def->cloud ? n->not_on_points : n->not_on_series);
}

static fc_status build(fc_network *n, const void *args, uint64_t seed, bool dry) {
  n->args = calloc(1, n->def->config_size);
  n->self = calloc(1, n->def->self_size);
  FC_REQUIRE(n->args && n->self, FC_E_SYSTEM, "no memory for the model %s", n->def->name);
  memcpy(n->args, args, n->def->config_size);
  FC_TRY(fc_params_create(&n->params));
  FC_TRY(n->def->init(n->self, n->params, n->args));
  FC_TRY(fc_params_commit(n->params, seed, dry));
  return find_uses(n);
}

fc_status fc_network_create(const fc_model_def *def, const void *args, uint64_t seed, bool dry,
                            fc_network **out) {
  FC_REQUIRE(
      (def->frames && def->pack && def->unpack) || def->cloud || def->series, FC_E_USAGE,
      "%s is a model for the task '%s', not for fields on a grid, points or series; 'fieldcast models' lists "
      "the tasks",
      def->name, def->task);
  fc_network *n = calloc(1, sizeof *n);
  FC_REQUIRE(n, FC_E_SYSTEM, "no memory for the model %s", def->name);
  n->def            = def;
  const fc_status s = build(n, args, seed, dry);
  if (s == FC_OK)
    *out = n;
  else
    fc_network_destroy(n);
  return s;
}

void fc_network_destroy(fc_network *n) {
  if (!n) return;
  fc_params_destroy(n->params);
  free(n->args);
  free(n->self);
  free(n);
}

/* the first of the model's frames is the noisy one */
static fc_status use_flow(fc_network *n, const fc_settings *s) {
  fc_frames *f = &n->frames;

  FC_REQUIRE(f->timestep && !f->steady && f->n_in >= 2 && f->max_out == 1, FC_E_USAGE,
             "train.flow_steps: %s with these options is no velocity of a flow; it must take a time, the "
             "noisy frame "
             "and at least one known frame, and give one",
             n->def->name);
  FC_REQUIRE(!n->increment, FC_E_USAGE, "train.flow_steps wants data.predict = state");
  n->flow_steps = s->train.flow_steps;
  f->n_in--;
  return FC_OK;
}

fc_status fc_network_prepare(fc_network *n, const fc_settings *s, const double *step) {
  if (s->data.predict == FC_PREDICT_INCREMENT && n->on_grid) {
    FC_REQUIRE(!n->frames.steady, FC_E_USAGE,
               "data.predict = increment makes no sense for %s: its problem is steady", n->def->name);
    n->increment = true;
    memcpy(n->step, step, (size_t)n->frames.channels_out * sizeof *step);
  }
  return s->train.flow_steps ? use_flow(n, s) : FC_OK;
}

fc_status fc_network_fits(const fc_network *n, int ndim, const int64_t *dim, int64_t channels_in,
                          int64_t channels_out, int64_t params) {
  const fc_frames *f    = &n->frames;
  const char      *name = n->def->name;

  FC_REQUIRE(n->on_grid, FC_E_MISMATCH, "%s", n->not_on_grid);
  FC_REQUIRE(f->ndim == ndim, FC_E_MISMATCH,
             "%s with these options works on %d-dimensional fields, the data has %d", name, f->ndim, ndim);
  FC_REQUIRE(f->channels_in == channels_in, FC_E_MISMATCH,
             "%s takes %lld channels, the data gives %lld; set data.channels or the model's channel options",
             name, (long long)f->channels_in, (long long)channels_in);
  FC_REQUIRE(f->channels_out == channels_out, FC_E_MISMATCH,
             "%s predicts %lld channels, the data has %lld; set data.channels or the model's channel options",
             name, (long long)f->channels_out, (long long)channels_out);
  FC_REQUIRE(
      f->params == params, FC_E_MISMATCH,
      "%s takes %lld parameters per trajectory, data.params names %lld; name as many or change the model's "
      "option",
      name, (long long)f->params, (long long)params);
  FC_REQUIRE(f->steady || channels_in == channels_out, FC_E_MISMATCH,
             "%s takes %lld channels and predicts %lld: a rollout needs as many", name,
             (long long)channels_in, (long long)channels_out);
  for (int a = 0; a < ndim; a++) {
    FC_REQUIRE(f->multiple <= 1 || dim[a] % f->multiple == 0, FC_E_MISMATCH,
               "%s wants axis lengths that are multiples of %lld, the grid is %s; set data.space_stride",
               name, (long long)f->multiple, fc_dims_text(ndim, dim));
    FC_REQUIRE(!f->square || dim[a] == dim[0], FC_E_MISMATCH, "%s wants axes of one length, the grid is %s",
               name, fc_dims_text(ndim, dim));
  }
  return FC_OK;
}

typedef fc_status (*question)(const fc_network *n, const fc_batch *b, void *user);

/* asks about the official inputs of a batch of fields of this shape, without arithmetic */
static fc_status ask_model(const fc_network *n, int ndim, const int64_t *dim, int64_t batch, int n_out,
                           question ask, void *user) {
  int64_t  shape[FC_MAX_DIMS] = {batch, n->frames.n_in + (n->flow_steps > 0)};
  fc_batch b                  = {0};
  fc_ctx  *c;

  for (int a = 0; a < ndim; a++) shape[2 + a] = dim[a];
  shape[2 + ndim] = n->frames.channels_in;
  FC_TRY(fc_ctx_create((size_t)1 << 40, true, &c));
  if (n->frames.params) fc_batch_put(&b, "params", fc_tensor_new(c->arena, FC_DIMS(batch, n->frames.params)));
  n->def->pack(c, n->self, fc_tensor_new(c->arena, ndim + 3, shape), n_out, &b);
  const fc_status s = ask(n, &b, user);
  fc_ctx_destroy(c);
  return s;
}

static fc_status check_batch(const fc_network *n, const fc_batch *b, void *user) {
  (void)user;
  return n->def->check ? n->def->check(n->self, b) : FC_OK;
}

fc_status fc_network_check(const fc_network *n, int ndim, const int64_t *dim, int64_t batch, int n_out) {
  return ask_model(n, ndim, dim, batch, n_out, check_batch, NULL);
}

static fc_status cut_batch(const fc_network *n, const fc_batch *b, void *user) {
  return n->def->sharing->cut(n->self, b, user);
}

fc_status fc_network_cut(const fc_network *n, int ndim, const int64_t *dim, int ranks, fc_cut *out) {
  FC_REQUIRE(n->def->sharing, FC_E_USAGE,
             "train.domain = %d: %s cannot be shared by ranks; 1 leaves whole samples to each", ranks,
             n->def->name);
  FC_REQUIRE(!n->flow_steps, FC_E_USAGE, "train.domain = %d: flow matching is not shared by ranks", ranks);
  FC_TRY(ask_model(n, ndim, dim, 1, 1, cut_batch, out));
  if (out->n != dim[0])
    *out = fc_cut_coarser(*out, out->n / dim[0]); /* a flattened grid: lines, not points */
  return fc_cut_check(*out, ranks, "the first axis of the grid");
}

void fc_network_use(fc_network *n, const fc_real *trained) {
  memcpy(fc_params_values(n->params), trained, (size_t)fc_params_block(n->params, true) * sizeof *trained);
}
