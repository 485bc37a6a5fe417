/* tests/train/test_series_train.c - training on series: the optimum, validation by hand, early stopping,
 * resuming. */
#include "tests/train/toy_series.h"

#include <unistd.h>

/* two columns that turn by a fifth of a circle a row: what follows is a linear map of the last two rows, and
   the mean of whole turns is that of the circle */
static void waves(int64_t r, FILE *f) {
  fprintf(f, "%.9f,%.9f", 3 + sin(0.4 * M_PI * (double)r), 5 - 2 * cos(0.4 * M_PI * (double)r));
}

static double loss_after(fc_trainer *t, int64_t steps) {
  fc_step_facts f = {0};

  for (int64_t i = 0; i < steps; i++) CHECK_OK(fc_trainer_step(t, &f));
  return f.loss;
}

static void finds_the_optimum(void) {
  const char *data = tide_file("waves.csv", "a,b", 400, waves);
  fc_trainer *t    = tide_trainer(data, "train.steps=3000 train.lr=0.05 train.weight_decay=0");
  fc_scores   s;

  CHECK(t->k.settings.data.kind == FC_KIND_SERIES && t->k.settings.train.loss == FC_LOSS_MSE);
  CHECK(t->feed.items == 280 - 7 + 1 && t->feed.validates);
  CHECK(loss_after(t, 3000) < 1e-6);
  CHECK_OK(fc_trainer_validate(t, &s));
  CHECK(s.v[FC_SCORE_LOSS] < 1e-6 && s.v[FC_SCORE_MAE] < 1e-3);
  CHECK_NEAR(s.v[FC_SCORE_LOSS], s.v[FC_SCORE_MSE], 1e-9 * s.v[FC_SCORE_MSE] + 1e-9);
  fc_trainer_destroy(t);
}

/* rows r: forecast 0 in scaled numbers is the training mean; the season of hours is a day */
static void count_up(int64_t r, FILE *f) { fprintf(f, "%lld", (long long)r); }

static void validation_by_hand(void) {
  const char *data = tide_file("count.csv", "a", 100, count_up);
  fc_trainer *t    = tide_trainer(data, "args.horizon=30 data.split_rows=40,50,10 data.normalize=false "
                                           "train.loss=mae");
  double      mse = 0, mae = 0, season = 0, season_gap = 0;
  fc_scores   s;

  for (int w = 40; w <= 60; w++) /* first row of the horizon */
    for (int h = 0; h < 30; h++) {
      const double truth = w + h, late = h < 24 ? 24 : 48;
      mse += truth * truth / (21 * 30);
      mae += truth / (21 * 30);
      season += late * late / (21 * 30);
      season_gap += late / (21 * 30);
    }
  CHECK_OK(fc_trainer_validate(t, &s));
  CHECK_NEAR(s.v[FC_SCORE_LOSS], mae, 1e-5 * mae);
  CHECK_NEAR(s.v[FC_SCORE_MAE], mae, 1e-6 * mae);
  CHECK_NEAR(s.v[FC_SCORE_MSE], mse, 1e-6 * mse);
  CHECK_NEAR(s.v[FC_SCORE_NAIVE_MSE], season, 1e-9 * season);
  CHECK_NEAR(s.v[FC_SCORE_NAIVE_MAE], season_gap, 1e-9 * season_gap);
  CHECK_NEAR(fc_feed_score(&t->feed, &s), s.v[FC_SCORE_LOSS], 0);
  fc_trainer_destroy(t);
}

/* noise without memory: the best forecast of a quantile is that of the noise, and the point forecast is the
   median, 0 in scaled numbers of a uniform distribution, whose deviation is sqrt(1 / 12) */
static void uniform(int64_t r, FILE *f) {
  const fc_rng rng = {3, 0, FC_RNG_TEST};

  fprintf(f, "%.9f", fc_rng_uniform(&rng, (uint64_t)r));
}

static void learns_quantiles(void) {
  const char *data = tide_file("uniform.csv", "a", 4000, uniform);
  fc_trainer *t =
      tide_trainer(data, "args.quantiles=3 args.lookback=1 args.horizon=1 train.batch=256 train.epochs=60 "
                         "train.lr=0.05 train.weight_decay=0");
  fc_scores s;

  CHECK(t->k.settings.train.loss == FC_LOSS_QUANTILE && !strcmp(t->feed.measure, "quantile loss"));
  loss_after(t, t->total);
  const fc_real *b = fc_params_find(t->network->params, "map.bias")->x;
  for (int k = 0; k < 3; k++) CHECK_NEAR(b[k], (k - 1) * 0.4 * sqrt(12), 0.15); /* 2800 numbers */
  CHECK_OK(fc_trainer_validate(t, &s));
  /* 2 q (1 - q) / 2 of a uniform distribution of width 1: 0.09, 0.25, 0.09 */
  CHECK_NEAR(s.v[FC_SCORE_LOSS], sqrt(12) * (0.09 + 0.25 + 0.09) / 3, 0.03);
  CHECK_NEAR(s.v[FC_SCORE_MSE], 1, 0.1);
  CHECK_NEAR(s.v[FC_SCORE_MAE], sqrt(12) / 4, 0.05);
  fc_trainer_destroy(t);
}

/* ---- early stopping ---- */

/* 0 or 2 in the training rows, always -1 behind them: what the training teaches takes the forecast, which
   starts right for validation, away from it */
static void breaks(int64_t r, FILE *f) { fprintf(f, "%d", r < 200 ? (int)(r % 3 > 0) : -1); }

#define STOPS                                                                                                \
  "args.lookback=2 args.horizon=1 data.split_rows=200,50,50 data.normalize=false args.start=-1 "             \
  "train.schedule=constant train.weight_decay=0 train.epochs=20 train.clip=0 "

static int rows_with_score(const char *dir) {
  char   path[FC_TEXT + 16], *text, *keep;
  int    n = 0;
  size_t bytes;

  snprintf(path, sizeof path, "%s/log.csv", dir);
  CHECK_OK(fc_file_read(path, 1 << 20, &text, &bytes));
  CHECK(strstr(text,
               ",pushes,valid_loss,valid_mse,valid_mae,seasonal_naive_mse,seasonal_naive_mae,memory_mib,"));
  strtok_r(text, "\n", &keep);
  for (char *line; (line = strtok_r(NULL, "\n", &keep));) {
    for (int i = 0; i < 9; i++) line = strchr(line, ',') + 1;
    n += *line != ',';
  }
  free(text);
  return n;
}

static void stops_early(void) {
  const char *data = tide_file("breaks.csv", "a", 300, breaks);
  char        dir[FC_TEXT];
  fc_run     *r;

  snprintf(dir, sizeof dir, "%s", check_path("run-early"));
  fc_trainer   *t     = tide_trainer(data, STOPS "train.lr=1e-3 train.patience=3");
  const int64_t epoch = fc_ceil_div(t->feed.items, 8);
  CHECK_OK(fc_trainer_run(t, dir, false));
  CHECK(t->k.step < 5 * epoch && t->k.step > 3 * (epoch - 1)); /* the first epoch is the best */
  CHECK(t->k.waited == 3 && rows_with_score(dir) == 4);
  CHECK_OK(fc_run_load(dir, true, &r)); /* best.h5 */
  CHECK(r->k.waited == 0 && r->k.step < 2 * epoch);
  CHECK_NEAR(r->k.best, t->k.best, 0);
  fc_run_free(r);
  const int64_t step = t->k.step;
  fc_trainer_destroy(t);
  t = tide_trainer(data, STOPS "train.lr=1e-3 train.patience=3");
  CHECK_OK(fc_trainer_run(t, dir, true)); /* nothing is left to do */
  CHECK(t->k.step == step);
  fc_trainer_destroy(t);
}

/* nothing moves: every validation ties, and that counts as better */
static void ties_go_on(void) {
  const char *data = tide_file("ties.csv", "a", 300, breaks);
  char        dir[FC_TEXT];

  snprintf(dir, sizeof dir, "%s", check_path("run-ties"));
  fc_trainer *t = tide_trainer(data, STOPS "train.lr=0 train.patience=1 train.epochs=5");
  CHECK_OK(fc_trainer_run(t, dir, false));
  CHECK(t->k.step == t->total && t->k.waited == 0 && rows_with_score(dir) == 5);
  fc_trainer_destroy(t);
}

/* ---- the rest of a run ---- */

/* noise and an average carry state as well; the second run ends after 20 steps and goes on */
static void resumes_bit_for_bit(void) {
  const char *options = "train.epochs=3 train.noise=0.1 train.ema=0.9 train.lr=1e-2 train.save_every=10 "
                        "train.schedule=type1 train.log_every=1 train.patience=9";
  const char *data    = tide_file("resume.csv", "a,b", 200, waves);
  char        dir[2][FC_TEXT];

  for (int i = 0; i < 2; i++) snprintf(dir[i], sizeof dir[i], "%s", check_path(i ? "run-cut" : "run-whole"));
  fc_trainer *whole = tide_trainer(data, options), *first = tide_trainer(data, options),
             *rest = tide_trainer(data, options);
  CHECK_OK(fc_trainer_run(whole, dir[0], false));
  first->total = 20;
  CHECK_OK(fc_trainer_run(first, dir[1], false));
  CHECK_OK(fc_trainer_run(rest, dir[1], true));
  const size_t n = (size_t)fc_params_block(whole->network->params, true) * sizeof(fc_real);
  CHECK(rest->k.step == whole->k.step && whole->k.step == fc_ceil_div(3 * (140 - 6), 8));
  CHECK(!memcmp(fc_params_values(whole->network->params), fc_params_values(rest->network->params), n));
  CHECK(!memcmp(fc_optim_ema(whole->optim), fc_optim_ema(rest->optim), n));
  fc_trainer_destroy(whole);
  fc_trainer_destroy(first);
  fc_trainer_destroy(rest);
}

/* what forecasting sees of a run: columns, scale, the same window the same forecast */
static void a_run_knows_its_series(void) {
  const char   *data = tide_file("run.csv", "a,b", 200, waves);
  char          dir[FC_TEXT];
  fc_run       *r;
  fc_series_set s;

  snprintf(dir, sizeof dir, "%s", check_path("run-series"));
  fc_trainer *t = tide_trainer(data, "train.epochs=1 data.targets=b");
  CHECK_OK(fc_trainer_run(t, dir, false));
  CHECK_OK(fc_run_load(dir, true, &r));
  CHECK(r->k.series && r->k.series->n == 2 && r->k.series->n_targets == 1 && r->k.series->dated);
  CHECK(!strcmp(r->k.series->column[1].name, "b") && r->k.series->step.seconds == 3600);
  CHECK_NEAR(r->k.series->mean[1], t->k.series->mean[1], 0);
  CHECK_OK(fc_series_set_open(data, &r->k.settings.data, r->network, r->k.series, &s));
  CHECK(s.n_targets == 1 && s.target[0] == 1);
  CHECK_NEAR(s.scale.std[1], t->k.series->std[1], 0);
  fc_series_set_close(&s);
  fc_run_free(r);
  fc_trainer_destroy(t);
}

static fc_status create(const char *data, const char *set) {
  fc_config      *c = tide_config_of(data, set);
  fc_trainer     *t;
  const fc_status s = fc_trainer_create(c, false, true, &t);

  if (s == FC_OK) fc_trainer_destroy(t);
  fc_config_destroy(c);
  return s;
}

static void refuses(void) {
  static const tide_refusal tries[] = {
      {"data.channels=a", FC_E_USAGE, "data.channels is for fields or points"},
      {"data.valid=x.csv", FC_E_USAGE, "series are cut in time"},
      {"train.pushforward.pushes=1", FC_E_USAGE, "train.pushforward is for fields"},
      {"train.loss=relative_l2", FC_E_USAGE, "train.loss = relative_l2 is for fields"},
      {"train.loss=quantile", FC_E_USAGE, "gives no quantiles"},
      {"train.loss=mse args.quantiles=3", FC_E_USAGE, "gives quantiles; leave train.loss"},
      {"data.kind=grid", FC_E_MISMATCH, "tide works on series, not on grids"},
      {"model=factformer data.kind=series", FC_E_MISMATCH, "factformer works on grids, not on series"},
      {"data.split_rows=6,50,50", FC_E_INPUT, "as long as a window of 4 + 3 rows"},
      {"train.group_lr=map", FC_E_USAGE, "part of a name=factor"},
      {"train.group_lr=mop=2", FC_E_USAGE, "no weights with 'mop'"},
  };
  const char *data = tide_file("refuse.csv", "a,b", 200, waves);

  tide_refused(data, FC_COUNT(tries), tries, create);
}

CHECK_SUITE(series_train, finds_the_optimum, validation_by_hand, learns_quantiles, stops_early, ties_go_on,
            resumes_bit_for_bit, a_run_knows_its_series, refuses)
