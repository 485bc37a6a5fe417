/* tests/train/toy.h - a problem whose answer is known. Each point of a 2-D grid carries two channels that
   turn by a fixed angle and shrink a little from frame to frame; the model is one linear map from the last
   n_in frames to the next max_out. The best weights reproduce the data exactly. */
#ifndef FC_TOY_H
#define FC_TOY_H
#include "core/model.h"
#include "io/field_writer.h"
#include "tests/check.h"
#include "train/feed_grid.h"
#include "train/registry.h"
#include "train/trainer.h"

typedef struct toy_config {
  int64_t n_in, max_out, params;
} toy_config;
typedef struct toy_model {
  toy_config cfg;
  fc_tensor *W, *b, *V, *unused; /* V: what a parameter adds */
} toy_model;

static const fc_option toy_options[] = {
    FC_OPT_INT(toy_config, n_in, "1", 1, 8, "frames in"),
    FC_OPT_INT(toy_config, max_out, "1", 1, 8, "frames out"),
    FC_OPT_INT(toy_config, params, "0", 0, 8, "parameters per trajectory"),
    FC_OPT_END,
};

static fc_status toy_init(void *self, fc_params *p, const void *config) {
  toy_model *m = self;

  m->cfg = *(const toy_config *)config;
  m->W   = fc_param(p, "map.weight", fc_init_fan_in(2 * m->cfg.n_in),
                    FC_DIMS(2 * m->cfg.max_out, 2 * m->cfg.n_in));
  m->b   = fc_param(p, "map.bias", fc_init_uniform(0.1), FC_DIMS(2 * m->cfg.max_out));
  if (m->cfg.params)
    m->V = fc_param(p, "told.weight", fc_init_constant(0), FC_DIMS(2 * m->cfg.max_out, m->cfg.params));
  m->unused = fc_param(p, "spare.weight", fc_init_constant(1), FC_DIMS(3)); /* no gradient ever reaches it */
  return FC_OK;
}

/* u [B, X, Y, n_in C] -> the first n frames [B, X, Y, n C] */
static fc_tensor *toy_apply(fc_ctx *c, const void *self, const fc_batch *b) {
  const toy_model *m = self;
  fc_tensor       *y = fc_linear_op(c, fc_batch_get(b, "u"), m->W, m->b, FC_ACT_NONE);

  if (m->V) {
    fc_tensor *v = fc_linear_op(c, fc_batch_get(b, "params"), m->V, NULL, FC_ACT_NONE);
    v            = fc_reshape(c, v, FC_DIMS(v->dim[0], 1, 1, v->dim[1]));
    y            = fc_add(c, y, fc_expand(c, fc_expand(c, v, 1, y->dim[1]), 2, y->dim[2]));
  }
  return fc_slice(c, y, 3, 0, 2 * (int64_t)fc_batch_get(b, "n")->x[0]);
}

static fc_status toy_frames(const void *self, fc_frames *out) {
  const toy_model *m = self;

  *out = (fc_frames){.n_in         = (int)m->cfg.n_in,
                     .max_out      = (int)m->cfg.max_out,
                     .ndim         = 2,
                     .channels_in  = 2,
                     .channels_out = 2,
                     .multiple     = 1,
                     .params       = m->cfg.params};
  return FC_OK;
}

/* [B, T, X, Y, C] -> [B, X, Y, T C], and the number of frames asked for */
static void toy_pack(fc_ctx *c, const void *self, fc_tensor *w, int n_out, fc_batch *out) {
  const int64_t *d = w->dim;
  fc_tensor     *n = fc_tensor_new(c->arena, FC_DIMS(1));

  (void)self;
  n->x[0] = (fc_real)n_out;
  w       = fc_permute(c, w, (int[]){0, 2, 3, 1, 4});
  fc_batch_put(out, "u", fc_reshape(c, w, FC_DIMS(d[0], d[2], d[3], d[1] * d[4])));
  fc_batch_put(out, "n", n);
}

static fc_tensor *toy_unpack(fc_ctx *c, const void *self, fc_tensor *y) {
  (void)self;
  y = fc_reshape(c, y, FC_DIMS(y->dim[0], y->dim[1], y->dim[2], y->dim[3] / 2, 2));
  return fc_permute(c, y, (int[]){0, 3, 1, 2, 4});
}

static const fc_model_def toy_def = {
    .name        = "toy",
    .task        = "operator",
    .summary     = "linear map of a test",
    .paper       = "none",
    .options     = toy_options,
    .config_size = sizeof(toy_config),
    .self_size   = sizeof(toy_model),
    .init        = toy_init,

    .apply  = toy_apply,
    .frames = toy_frames,
    .pack   = toy_pack,
    .unpack = toy_unpack,
};

enum { TOY_N = 4 };
static const double toy_angle = 0.3, toy_decay = 0.98, toy_offset = 2.5;

/* channel 0 stands around an offset: normalisation has something to do */
static void toy_frame(int64_t traj, int64_t t, fc_real *x) {
  const fc_rng r = {7, (uint64_t)traj, FC_RNG_TEST};

  for (int64_t i = 0; i < TOY_N * TOY_N; i++) {
    const double a = fc_rng_normal(&r, (uint64_t)(2 * i)), b = fc_rng_normal(&r, (uint64_t)(2 * i + 1));
    const double s = pow(toy_decay, (double)t), co = cos(toy_angle * (double)t),
                 si = sin(toy_angle * (double)t);
    x[2 * i]        = (fc_real)(s * (co * a - si * b) + toy_offset);
    x[2 * i + 1]    = (fc_real)(s * (si * a + co * b));
  }
}

/* n_traj trajectories of n_steps frames, written as a file */
__attribute__((unused)) static const char *toy_file(const char *name, int64_t n_traj, int64_t n_steps) {
  static const fc_out_field fields[] = {{"a", "m", 0}, {"b", "m", 0}};
  fc_field_spec             spec     = {.name       = "toy",
                                        .ndim       = 2,
                                        .dim        = {TOY_N, TOY_N},
                                        .spacing    = {1, 1},
                                        .periodic   = {true, true},
                                        .n_traj     = n_traj,
                                        .n_steps    = n_steps,
                                        .dt         = 0.5,
                                        .time_unit  = "s",
                                        .space_unit = "m",
                                        .n_fields   = 2,
                                        .field      = fields};
  const char               *path     = check_path(name);
  fc_field_writer          *w;
  fc_real                   x[TOY_N * TOY_N * 2];

  CHECK_OK(fc_field_writer_create(path, &spec, &w));
  for (int64_t k = 0; k < n_traj; k++)
    for (int64_t t = 0; t < n_steps; t++) {
      toy_frame(k, t, x);
      CHECK_OK(fc_field_write(w, k, t, 1, x));
    }
  CHECK_OK(fc_field_writer_finish(w));
  return path;
}

static void toy_register(void) {
  if (!fc_model_find("toy")) fc_model_add(&toy_def);
}

/* a configuration from text and assignments separated by spaces */
static fc_config *toy_config_of(const char *data, const char *assignments) {
  char       text[1024], word[256];
  fc_config *c;
  int        n;

  toy_register();
  snprintf(text, sizeof text,
           "model: toy\ndata:\n  train: %s\ntrain:\n  batch: 4\n  steps: 20\n  save_minutes: 0\n", data);
  CHECK_OK(fc_config_parse(text, "test", &c));
  for (const char *p = assignments; sscanf(p, " %255s%n", word, &n) == 1; p += n)
    CHECK_OK(fc_config_set(c, word));
  return c;
}

__attribute__((unused)) static fc_trainer *toy_trainer(const char *data, const char *assignments) {
  fc_config  *c = toy_config_of(data, assignments);
  fc_trainer *t = NULL;

  CHECK_OK(fc_trainer_create(c, false, true, &t));
  fc_config_destroy(c);
  return t;
}
#endif
