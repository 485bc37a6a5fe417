/* tests/train/toy_series.h - the smallest forecaster: one linear map along time, shared by all columns. What
   it wants of the data is an option each, so that every kind of batch can be asked for. */
#ifndef FC_TOY_SERIES_H
#define FC_TOY_SERIES_H
#include "core/model.h"
#include "io/file.h"
#include "tests/check.h"
#include "train/feed_series.h"
#include "train/registry.h"
#include "train/run.h"
#include "train/trainer.h"

typedef struct tide_config {
  int64_t lookback, horizon, label, variates, targets, quantiles;
  int     marks;
  bool    named;
  double  start;
} tide_config;
typedef struct tide_model {
  tide_config cfg;
  fc_tensor  *W, *b; /* [P Q, L], [P Q] */
} tide_model;

static const fc_option tide_options[] = {
    FC_OPT_INT(tide_config, lookback, "4", 1, 4096, "L"),
    FC_OPT_INT(tide_config, horizon, "3", 1, 4096, "P"),
    FC_OPT_INT(tide_config, label, "0", 0, 4096, "known steps in x_dec"),
    FC_OPT_INT(tide_config, variates, "0", 0, 64, "columns it takes"),
    FC_OPT_INT(tide_config, targets, "0", 0, 64, "columns it gives"),
    FC_OPT_INT(tide_config, quantiles, "0", 0, 3, "0, or those of 0.1, 0.5, 0.9"),
    FC_OPT_CHOICE(tide_config, marks, "none|scaled|whole", "none", "calendar"),
    FC_OPT_BOOL(tide_config, named, "false", "columns by name"),
    FC_OPT_REAL(tide_config, start, "0", -1e3, 1e3, "first forecast"),
    FC_OPT_END,
};

static fc_status tide_init(void *self, fc_params *p, const void *config) {
  tide_model *m = self;

  m->cfg          = *(const tide_config *)config;
  const int64_t n = m->cfg.horizon * fc_max64(1, m->cfg.quantiles);
  m->W            = fc_param(p, "map.weight", fc_init_constant(0), FC_DIMS(n, m->cfg.lookback));
  m->b            = fc_param(p, "map.bias", fc_init_constant(m->cfg.start), FC_DIMS(n));
  return FC_OK;
}

/* [B, L, N] -> [B, P, N] or [B, P, N, Q] */
static fc_tensor *tide_apply(fc_ctx *c, const void *self, const fc_batch *b) {
  const tide_model *m      = self;
  const int         swap[] = {0, 2, 1};
  fc_tensor        *x      = fc_batch_get(b, m->cfg.named ? "target" : "x_enc");

  fc_tensor *y = fc_linear_op(c, fc_permute(c, x, swap), m->W, m->b, FC_ACT_NONE);
  if (!m->cfg.quantiles) return fc_permute(c, y, swap);
  y = fc_reshape(c, y, FC_DIMS(x->dim[0], x->dim[2], m->cfg.horizon, m->cfg.quantiles));
  return fc_permute(c, y, (int[]){0, 2, 1, 3});
}

static fc_status tide_series(const void *self, fc_series_wants *out) {
  const tide_config *g = &((const tide_model *)self)->cfg;

  *out             = (fc_series_wants){.lookback = g->lookback,
                                       .horizon  = g->horizon,
                                       .label    = g->label,
                                       .variates = g->variates,
                                       .targets  = g->targets,
                                       .marks    = (fc_marks_kind)g->marks,
                                       .freq     = "h"};
  out->n_quantiles = (int)g->quantiles;
  memcpy(out->quantile, (double[]){0.1, 0.5, 0.9}, (size_t)g->quantiles * sizeof(double));
  if (!g->named) return FC_OK;
  out->n_columns = 5;
  out->column[0] = (fc_series_column){"place", FC_COLUMN_STATIC, 2};
  out->column[1] = (fc_series_column){"wind", FC_COLUMN_OBSERVED, 0};
  out->column[2] = (fc_series_column){"moon", FC_COLUMN_KNOWN, 0};
  out->column[3] = (fc_series_column){"day", FC_COLUMN_KNOWN, 3};
  out->column[4] = (fc_series_column){"level", FC_COLUMN_TARGET, 0};
  return FC_OK;
}

static const fc_model_def tide_def = {
    .name        = "tide",
    .task        = "forecaster",
    .summary     = "linear map of a test",
    .paper       = "none",
    .options     = tide_options,
    .config_size = sizeof(tide_config),
    .self_size   = sizeof(tide_model),
    .init        = tide_init,
    .apply       = tide_apply,
    .series      = tide_series,
};

/* hourly rows from 2020-03-01 00:00 on; row(r, text) writes what follows the date */
__attribute__((unused)) static const char *tide_file(const char *name, const char *columns, int64_t rows,
                                                     void (*row)(int64_t r, FILE *f)) {
  const char *path = check_path(name);
  FILE       *f    = fopen(path, "w");
  char        date[64];

  fprintf(f, "date,%s\n", columns);
  for (int64_t r = 0; r < rows; r++) {
    fc_date_text(fc_date_seconds(2020, 3, 1, 0, 0, 0) + 3600 * r, false, date, sizeof date);
    fprintf(f, "%s,", date);
    row(r, f);
    fputc('\n', f);
  }
  fclose(f);
  return path;
}

/* a configuration from text and assignments separated by spaces */
static fc_config *tide_config_of(const char *data, const char *assignments) {
  char       text[1024], word[256];
  fc_config *c;
  int        n;

  if (!fc_model_find("tide")) fc_model_add(&tide_def);
  snprintf(text, sizeof text,
           "model: tide\ndata:\n  train: %s\ntrain:\n  batch: 8\n  epochs: 4\n  save_minutes: 0\n", data);
  CHECK_OK(fc_config_parse(text, "test", &c));
  for (const char *p = assignments; sscanf(p, " %255s%n", word, &n) == 1; p += n)
    CHECK_OK(fc_config_set(c, word));
  return c;
}

__attribute__((unused)) static fc_trainer *tide_trainer(const char *data, const char *assignments) {
  fc_config  *c = tide_config_of(data, assignments);
  fc_trainer *t = NULL;

  CHECK_OK(fc_trainer_create(c, false, true, &t));
  fc_config_destroy(c);
  return t;
}

/* the set alone */
typedef struct tide {
  fc_settings   settings;
  fc_network   *net;
  fc_series_set set;
} tide;

__attribute__((unused)) static fc_status tide_open(const char *data, const char *assignments,
                                                   const fc_series_known *known, tide *out) {
  fc_config          *c = tide_config_of(data, assignments);
  const fc_model_def *def;
  void               *args;

  memset(out, 0, sizeof *out);
  CHECK_OK(fc_settings_bind(c, false, &out->settings, &def, &args));
  fc_config_destroy(c);
  CHECK_OK(fc_network_create(def, args, 1, false, &out->net));
  free(args);
  return fc_series_set_open(data, &out->settings.data, out->net, known, &out->set);
}

__attribute__((unused)) static void tide_close(tide *t) {
  fc_series_set_close(&t->set);
  fc_network_destroy(t->net);
}

/* settings that are refused: status, and what is said */
typedef struct tide_refusal {
  const char *set;
  fc_status   status;
  const char *text;
} tide_refusal;

__attribute__((unused)) static void tide_refused(const char *data, int n, const tide_refusal *r,
                                                 fc_status (*work)(const char *data, const char *set)) {
  for (int i = 0; i < n; i++) CHECK_FAILS(work(data, r[i].set), r[i].status, r[i].text);
}
#endif
