/* tests/train/toy_points.h - points with a known answer: each target is a linear function of the coordinates,
   a given field, a parameter of the sample and the mean of an input function. The model is one linear map of
   these numbers, so the best weights reproduce the data exactly. Samples differ in their number of points. */
#ifndef FC_TOY_POINTS_H
#define FC_TOY_POINTS_H
#include "core/segments.h"
#include "io/cloud_writer.h"
#include "tests/check.h"
#include "train/feed_points.h"
#include "train/registry.h"
#include "train/trainer.h"

typedef struct spots_config {
  int64_t features, params, targets, function;
  bool    time;
} spots_config;
typedef struct spots_model {
  spots_config cfg;
  fc_tensor   *W, *b;
} spots_model;

static const fc_option spots_options[] = {
    FC_OPT_INT(spots_config, features, "1", 0, 64, "given numbers per point"),
    FC_OPT_INT(spots_config, params, "1", 0, 8, "numbers per sample"),
    FC_OPT_INT(spots_config, targets, "2", 1, 8, "numbers to predict"),
    FC_OPT_INT(spots_config, function, "3", 0, 8, "columns of the input function; 0: none"),
    FC_OPT_BOOL(spots_config, time, "false", "takes the time"),
    FC_OPT_END,
};

static int64_t spots_width(const spots_config *g) {
  return 2 + g->features + g->params + g->function + g->time;
}

static fc_status spots_init(void *self, fc_params *p, const void *config) {
  spots_model *m = self;

  m->cfg          = *(const spots_config *)config;
  const int64_t n = spots_width(&m->cfg);
  m->W            = fc_param(p, "map.weight", fc_init_fan_in(n), FC_DIMS(m->cfg.targets, n));
  m->b            = fc_param(p, "map.bias", fc_init_uniform(0.1), FC_DIMS(m->cfg.targets));
  return FC_OK;
}

static fc_status spots_check(const void *self, const fc_batch *b) {
  const spots_model *m = self;
  fc_tensor         *x, *n;

  FC_TRY(fc_batch_need(b, "x", 2, (const int64_t[]){-1, 2}, &x));
  FC_TRY(fc_batch_need(b, "x_lengths", 1, (const int64_t[]){-1}, &n));
  if (m->cfg.function) FC_TRY(fc_batch_need(b, "f0", 2, (const int64_t[]){-1, m->cfg.function}, &x));
  return fc_segments_check(n, "x_lengths", fc_batch_get(b, "x")->dim[0]);
}

static void spots_put(fc_real **to, const fc_tensor *t, int64_t row) {
  for (int64_t k = 0; t && k < fc_last(t); k++) *(*to)++ = t->x[row * fc_last(t) + k];
}

/* rows of all numbers a point knows */
static fc_tensor *spots_apply(fc_ctx *c, const void *self, const fc_batch *b) {
  const spots_model *m = self;
  const fc_tensor   *x = fc_batch_get(b, "x"), *f = fc_batch_get(b, "f0");
  fc_tensor         *z  = fc_tensor_new(c->arena, FC_DIMS(x->dim[0], spots_width(&m->cfg)));
  const fc_segments  s  = fc_segments_of(c->arena, fc_batch_get(b, "x_lengths"));
  fc_real           *to = z->x;
  fc_segments        g  = s;

  if (f) g = fc_segments_of(c->arena, fc_batch_get(b, "f0_lengths"));
  for (int64_t k = 0; k < s.n && !c->dry; k++)
    for (int64_t i = s.at[k]; i < s.at[k + 1]; i++) {
      spots_put(&to, x, i);
      spots_put(&to, fc_batch_get(b, "fx"), i);
      spots_put(&to, fc_batch_get(b, "u_p"), k);
      for (int64_t j = 0; f && j < fc_last(f); j++, to++) {
        double sum = 0;
        for (int64_t r = g.at[k]; r < g.at[k + 1]; r++) sum += (double)f->x[r * fc_last(f) + j];
        *to = (fc_real)(sum / (double)(g.at[k + 1] - g.at[k]));
      }
      if (m->cfg.time) spots_put(&to, fc_batch_get(b, "T"), k);
    }
  return fc_linear_op(c, z, m->W, m->b, FC_ACT_NONE);
}

static fc_status spots_cloud(const void *self, fc_cloud_wants *out) {
  const spots_model *m = self;

  *out = (fc_cloud_wants){.space     = 2,
                          .features  = m->cfg.features,
                          .params    = m->cfg.params,
                          .targets   = m->cfg.targets,
                          .functions = m->cfg.function > 0,
                          .width     = {m->cfg.function},
                          .time      = m->cfg.time};
  return FC_OK;
}

static const fc_model_def spots_def = {.name        = "spots",
                                       .task        = "operator",
                                       .summary     = "linear map of a test",
                                       .paper       = "none",
                                       .options     = spots_options,
                                       .config_size = sizeof(spots_config),
                                       .self_size   = sizeof(spots_model),
                                       .init        = spots_init,
                                       .check       = spots_check,
                                       .apply       = spots_apply,
                                       .cloud       = spots_cloud};

/* ---- data ---- */

enum { SPOTS_MOST = 40 };

static int64_t spots_points(int64_t sample) { return 7 + sample * 11 % (SPOTS_MOST - 7); }

static double spots_draw(int64_t sample, int64_t i, int k) {
  const fc_rng r = {17, (uint64_t)sample, FC_RNG_TEST};
  return fc_rng_normal(&r, (uint64_t)(16 * i + k));
}

typedef struct {
  fc_real x[2 * SPOTS_MOST], bump[SPOTS_MOST], out[2 * SPOTS_MOST], mask[2 * SPOTS_MOST], Re,
      f[3 * SPOTS_MOST];
  int64_t n, rows;
} spots_sample;

/* targets a = 3 + 2 x - y + 0.5 bump + Re + mean load, b = 100 (1 + y); Re about 50 */
static void spots_make(int64_t sample, spots_sample *s) {
  double load = 0;

  s->n    = spots_points(sample);
  s->rows = 1 + sample % 5;
  s->Re   = (fc_real)(50 + 5 * spots_draw(sample, 0, 5));
  for (int64_t r = 0; r < s->rows; r++) {
    for (int k = 0; k < 3; k++) s->f[3 * r + k] = (fc_real)(k + spots_draw(sample, r, 6 + k));
    load += (double)s->f[3 * r + 2] / (double)s->rows;
  }
  for (int64_t i = 0; i < s->n; i++) {
    const double x = 4 * spots_draw(sample, i, 0), y = spots_draw(sample, i, 1) - 10,
                 bump = spots_draw(sample, i, 2);
    s->x[2 * i] = (fc_real)x, s->x[2 * i + 1] = (fc_real)y, s->bump[i] = (fc_real)bump;
    s->out[2 * i]      = (fc_real)(3 + 2 * x - y + 0.5 * bump + (double)s->Re + load);
    s->out[2 * i + 1]  = (fc_real)(100 * (1 + y));
    s->mask[2 * i]     = 1;
    s->mask[2 * i + 1] = (fc_real)(i % 3 == 0);
  }
}

/* masked: target b counts at every third point only, and is not a number elsewhere */
__attribute__((unused)) static const char *spots_file(const char *name, int64_t samples, bool masked) {
  static const char *const columns[] = {"x", "y", "load"}, *const units[] = {"m", "m", "N"};
  static const fc_out_points_field fields[] = {{"bump", "m", 1, NULL, FC_ROLE_INPUT, false},
                                               {"a", "Pa", 1, NULL, FC_ROLE_TARGET, false},
                                               {"b", "K", 1, NULL, FC_ROLE_TARGET, false}};
  static const fc_out_function     function = {"force", 2, 3, columns, units};
  fc_cloud_spec                    spec     = {.name        = "spots",
                                               .space       = 2,
                                               .space_unit  = "m",
                                               .n_fields    = 3,
                                               .field       = fields,
                                               .n_params    = 1,
                                               .n_functions = 1,
                                               .function    = &function,
                                               .mask        = masked ? 2 : 0};
  const char                      *path     = check_path(name);
  fc_cloud_writer                 *w;
  spots_sample                     s;
  fc_real                          a[SPOTS_MOST], b[SPOTS_MOST];

  spec.param[0].name = "Re", spec.param[0].unit = "";
  CHECK_OK(fc_cloud_writer_create(path, &spec, &w));
  for (int64_t k = 0; k < samples; k++) {
    spots_make(k, &s);
    for (int64_t i = 0; i < s.n; i++) {
      a[i] = s.out[2 * i];
      b[i] = masked && s.mask[2 * i + 1] == 0 ? (fc_real)NAN : s.out[2 * i + 1];
    }
    const fc_real *const  field[] = {s.bump, a, b};
    const fc_cloud_sample sample  = {.points   = s.n,
                                     .x        = s.x,
                                     .field    = field,
                                     .params   = &s.Re,
                                     .mask     = s.mask,
                                     .rows     = {s.rows},
                                     .function = {s.f}};
    CHECK_OK(fc_cloud_write(w, &sample));
  }
  CHECK_OK(fc_cloud_writer_finish(w));
  return path;
}

/* Trajectories on a fixed cloud for each sample: (a, b) turns by 0.3 and shrinks by 0.98 from frame to frame
   about (2.5, 0), a different start at each point; c = 3 + 2 t - x. Times are 0.5 t. */
static void spots_frame(int64_t sample, int64_t t, fc_real *x, fc_real *a, fc_real *b, fc_real *c) {
  for (int64_t i = 0; i < spots_points(sample); i++) {
    const double p = spots_draw(sample, i, 0), q = spots_draw(sample, i, 1), s = pow(0.98, (double)t);
    const double co = s * cos(0.3 * (double)t), si = s * sin(0.3 * (double)t);
    x[2 * i] = (fc_real)spots_draw(sample, i, 2), x[2 * i + 1] = (fc_real)spots_draw(sample, i, 3);
    a[i] = (fc_real)(co * p - si * q + 2.5), b[i] = (fc_real)(si * p + co * q);
    c[i] = (fc_real)(3 + (double)t - (double)x[2 * i]);
  }
}

__attribute__((unused)) static const char *spots_movie(const char *name, int64_t samples, int64_t steps) {
  static const fc_out_points_field fields[] = {{"a", "m", 1, NULL, FC_ROLE_TARGET, true},
                                               {"b", "m", 1, NULL, FC_ROLE_TARGET, true},
                                               {"c", "m", 1, NULL, FC_ROLE_TARGET, true}};
  double                           time[32];
  fc_cloud_spec                    spec = {.name      = "movie",
                                           .space     = 2,
                                           .time_unit = "s",
                                           .n_steps   = steps,
                                           .time      = time,
                                           .n_fields  = 3,
                                           .field     = fields};
  const char                      *path = check_path(name);
  fc_cloud_writer                 *w;
  fc_real                          x[2 * SPOTS_MOST], v[3][32 * SPOTS_MOST];

  for (int64_t t = 0; t < steps; t++) time[t] = 0.5 * (double)t;
  CHECK_OK(fc_cloud_writer_create(path, &spec, &w));
  for (int64_t k = 0; k < samples; k++) {
    const int64_t        N       = spots_points(k);
    const fc_real *const field[] = {v[0], v[1], v[2]};
    for (int64_t t = 0; t < steps; t++) spots_frame(k, t, x, v[0] + t * N, v[1] + t * N, v[2] + t * N);
    const fc_cloud_sample s = {.points = N, .x = x, .field = field};
    CHECK_OK(fc_cloud_write(w, &s));
  }
  CHECK_OK(fc_cloud_writer_finish(w));
  return path;
}

/* ---- trainings ---- */

/* a configuration from text and assignments separated by spaces */
static fc_config *spots_config_of(const char *data, const char *assignments) {
  char       text[1024], word[256];
  fc_config *c;
  int        n;

  if (!fc_model_find("spots")) fc_model_add(&spots_def);
  snprintf(text, sizeof text,
           "model: spots\ndata:\n  train: %s\ntrain:\n  batch: 4\n  steps: 20\n  save_minutes: 0\n", data);
  CHECK_OK(fc_config_parse(text, "test", &c));
  for (const char *p = assignments; sscanf(p, " %255s%n", word, &n) == 1; p += n)
    CHECK_OK(fc_config_set(c, word));
  return c;
}

__attribute__((unused)) static fc_trainer *spots_trainer(const char *data, const char *assignments) {
  fc_config  *c = spots_config_of(data, assignments);
  fc_trainer *t = NULL;

  CHECK_OK(fc_trainer_create(c, false, true, &t));
  fc_config_destroy(c);
  return t;
}
#endif
