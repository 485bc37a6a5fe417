/* train/run.c */
#include "train/run.h"

#include "io/data_kind.h"
#include "io/file.h"
#include "train/points_batch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static fc_status find(const char *path, char out[FC_TEXT]) {
  static const char *const names[] = {"best.h5", "checkpoint.h5", "checkpoint-prev.h5"};
  struct stat              st;

  FC_REQUIRE(!stat(path, &st), FC_E_INPUT, "%s: no such checkpoint or run folder", path);
  FC_REQUIRE((size_t)snprintf(out, FC_TEXT, "%s", path) < FC_TEXT, FC_E_INPUT, "%s: the path is too long",
             path);
  if (!S_ISDIR(st.st_mode)) return FC_OK;
  for (int i = 0; i < FC_COUNT(names); i++) {
    FC_REQUIRE((size_t)snprintf(out, FC_TEXT, "%s/%s", path, names[i]) < FC_TEXT, FC_E_INPUT,
               "%s: the path is too long", path);
    if (fc_file_exists(out)) return FC_OK;
  }
  return fc_fail(FC_E_INPUT, "%s holds no checkpoint (best.h5 or checkpoint.h5); was it trained?", path);
}

fc_status fc_run_load(const char *path, bool average, fc_run **out) {
  fc_run   *r = calloc(1, sizeof *r);
  fc_status s;

  FC_REQUIRE(r, FC_E_SYSTEM, "no memory for a run");
  FC_TRY_TO(fail, s, find(path, r->path));
  FC_TRY_TO(fail, s, fc_checkpoint_read(r->path, &r->k));
  FC_TRY_TO(fail, s,
            fc_network_create(r->k.def, r->k.args, (uint64_t)r->k.settings.train.seed, false, &r->network));
  FC_TRY_TO(fail, s, fc_network_prepare(r->network, &r->k.settings, r->k.out.step));
  FC_TRY_TO(fail, s, fc_checkpoint_weights(r->path, r->network, average, &r->averaged));
  *out = r;
  return FC_OK;
fail:
  fc_run_free(r);
  return s;
}

void fc_run_free(fc_run *r) {
  if (!r) return;
  fc_network_destroy(r->network);
  fc_checkpoint_free(&r->k);
  free(r);
}

/* the names the run was trained on, so that a file with more channels, or in another order, is read right */
static void name_channels(const fc_scaling *s, char out[FC_TEXT]) {
  size_t at = 0;

  out[0] = 0;
  for (int c = 0; c < s->n && at < FC_TEXT; c++)
    at += (size_t)snprintf(out + at, FC_TEXT - at, "%s%s", c ? "," : "", s->channel[c].name);
  if (at >= FC_TEXT) out[0] = 0; /* too many to name: all, in file order; checked below */
}

static fc_status same_channels(const char *path, const fc_scaling *want, const fc_scaling *have) {
  FC_REQUIRE(want->n == have->n, FC_E_MISMATCH, "%s has %d channels, the model was trained on %d", path,
             have->n, want->n);
  for (int c = 0; c < want->n; c++)
    FC_REQUIRE(!strcmp(want->channel[c].name, have->channel[c].name), FC_E_MISMATCH,
               "%s: channel %d is %s, the model was trained on %s there", path, c, have->channel[c].name,
               want->channel[c].name);
  return FC_OK;
}

static fc_status adopt(const fc_run *r, const char *path, fc_source *s) {
  const fc_network *n = r->network;

  FC_TRY(fc_source_fits(s, n));
  FC_TRY(fc_network_check(n, s->geo.ndim, s->geo.dim, 1, n->frames.max_out));
  if (!r->k.out.n) return FC_OK;
  FC_TRY(same_channels(path, &r->k.out, &s->out));
  FC_TRY(same_channels(path, &r->k.in, &s->in));
  memcpy(s->out.mean, r->k.out.mean, sizeof s->out.mean);
  memcpy(s->out.std, r->k.out.std, sizeof s->out.std);
  memcpy(s->in.mean, r->k.in.mean, sizeof s->in.mean);
  memcpy(s->in.std, r->k.in.std, sizeof s->in.std);
  if (s->params.n) s->params = r->k.params;
  return FC_OK;
}

fc_status fc_run_open_data(const fc_run *r, const char *path, fc_source *out) {
  fc_data_settings d      = r->k.settings.data;
  const bool       steady = r->network->frames.steady;

  FC_REQUIRE(r->network->on_grid, FC_E_MISMATCH, "%s", r->network->not_on_grid);
  if (r->k.out.n) name_channels(&r->k.out, d.channels);
  if (r->k.out.n && steady) name_channels(&r->k.in, d.inputs);
  FC_TRY(fc_source_open(path, &d, steady, out));
  const fc_status s = adopt(r, path, out);
  if (s != FC_OK) fc_source_close(out);
  return s;
}

/* ---- points ---- */

bool fc_run_on_points(const fc_run *r, const char *path) {
  const int kind = r->k.settings.data.kind;

  if (kind != FC_KIND_AUTO) return kind == FC_KIND_POINTS;
  return r->network->on_points && (!r->network->on_grid || fc_data_kind_of(path) == FC_DATA_POINTS);
}

/* What the configuration left open was found in the training data: here it is what was found there. Lists
   that it names stay, for they may give arrays other names. */
static void pin(const fc_scaling *known, char out[FC_TEXT]) {
  if (out[0]) return;
  name_channels(known, out);
  if (!known->n) snprintf(out, FC_TEXT, "none");
}

static fc_status adopt_points(const fc_run *r, const char *path, fc_points *p) {
  fc_points known = {.x = r->k.x, .in = r->k.in, .out = r->k.out, .params = r->k.params};

  FC_TRY(fc_points_check(r->network, p));
  if (!r->k.out.n) return FC_OK;
  FC_TRY(same_channels(path, &r->k.out, &p->out));
  FC_TRY(same_channels(path, &r->k.in, &p->in));
  FC_TRY(same_channels(path, &r->k.params, &p->params));
  memcpy(known.function, r->k.function, sizeof known.function);
  fc_points_adopt(p, &known);
  return FC_OK;
}

fc_status fc_run_open_points(const fc_run *r, const char *path, fc_points *out) {
  fc_data_settings d = r->k.settings.data;

  FC_REQUIRE(r->network->on_points, FC_E_MISMATCH, "%s", r->network->not_on_points);
  if (r->k.out.n) {
    pin(&r->k.out, d.channels);
    pin(&r->k.in, d.inputs);
    pin(&r->k.params, d.params);
  }
  FC_TRY(fc_points_open(path, &d, &r->network->cloud, r->k.def->name, out));
  const fc_status s = adopt_points(r, path, out);
  if (s != FC_OK) fc_points_close(out);
  return s;
}
