/* tests/train/test_series_baselines.c - baselines of forecasters: by hand, exact on what they can represent;
   scores by hand. */
#include "tests/check.h"
#include "train/series_baselines.h"
#include "train/series_scores.h"

enum { ROWS = 400, L = 12, P = 5 };

/* two columns, 10 t and t^2; the second is the target */
static const fc_real squares[] = {0, 0, 10, 1, 20, 4, 30, 9, 40, 16, 50, 25, 60, 36};
static const int     second[] = {1}, both[] = {0, 1};

static void simple_ones_by_hand(void) {
  const fc_window_table t = {squares, 2, 3, 4, 1, second};
  fc_real               y[4];

  fc_base_naive(&t, 2, y); /* lookback 4, 9, 16 */
  for (int p = 0; p < 4; p++) CHECK_NEAR(y[p], 16, 0);
  fc_base_mean(&t, 0, 2, y);
  for (int p = 0; p < 4; p++) CHECK_NEAR(y[p], 29. / 3, 1e-6);
  fc_base_season(&t, 0, 3, 2, y);
  const double season[] = {4, 9, 16, 4}; /* longer than a season: it repeats */
  for (int p = 0; p < 4; p++) CHECK_NEAR(y[p], season[p], 0);
}

/* a season longer than the lookback is taken from the series; where that is too short, the last value stays
 */
static void season_reaches_back(void) {
  const fc_window_table t = {squares, 2, 2, 2, 2, both};
  fc_real               y[4];

  fc_base_season(&t, 0, 4, 3, y); /* lookback rows 3, 4; rows 1 and 2 come again */
  CHECK(y[0] == 10 && y[1] == 1 && y[2] == 20 && y[3] == 4);
  fc_base_season(&t, 2, 4, 3, y);
  CHECK(y[0] == 40 && y[1] == 16 && y[2] == 40 && y[3] == 16);
}

static void seasonal_error_by_hand(void) {
  const fc_window_table t = {squares, 2, 1, 1, 1, second};

  CHECK_NEAR(fc_seasonal_error(&t, 0, 0, 7, 2), 20, 1e-12);
  CHECK_NEAR(fc_seasonal_error(&t, 1, 1, 5, 2), ((9 - 1) + (16 - 4)) / 2., 1e-12);
  CHECK(isnan(fc_seasonal_error(&t, 1, 3, 5, 2))); /* no pair of rows */
}

/* waves about levels that differ by column: x_t = 2 cos(w) x_(t-1) - x_(t-2) + constant, the same w */
static void waves(fc_real *x, double lift) {
  for (int t = 0; t < ROWS; t++) {
    x[2 * t]     = (fc_real)(lift + 1.5 * sin(0.37 * t));
    x[2 * t + 1] = (fc_real)(lift - 0.5 + 0.7 * cos(0.37 * t + 1));
  }
}

static void windows(int64_t from, int64_t n, int64_t *row) {
  for (int64_t i = 0; i < n; i++) row[i] = from + i;
}

static double distance(const fc_window_table *t, int64_t n, const int64_t *row, const fc_real *y) {
  double worst = 0;

  for (int64_t i = 0; i < n * P * t->n_targets; i++) {
    const int64_t w = i / (P * t->n_targets), p = i / t->n_targets % P, k = i % t->n_targets;
    worst = fmax(worst, fabs((double)y[i] - (double)t->x[(row[w] + L + p) * 2 + t->target[k]]));
  }
  return worst;
}

static void ridge_finds_the_recurrence(void) {
  static fc_real x[2 * ROWS], high[2 * ROWS], y[300 * P * 2]; /* more rows than are gathered at a time */
  const fc_window_table t = {x, 2, L, P, 2, both}, lifted = {high, 2, L, P, 2, both};
  int64_t               fit[200], held[60], test[300];
  fc_series_ridge      *m;

  waves(x, 0);
  waves(high, 50);
  windows(0, 200, fit);
  windows(200, 60, held);
  windows(50, 300, test);
  for (int centred = 0; centred < 2; centred++) {
    CHECK_OK(fc_series_ridge_fit(&t, centred, 200, fit, 60, held, &m));
    CHECK_NEAR(fc_series_ridge_lambda(m), 1e-6, 1e-12); /* exact data want no penalty */
    fc_series_ridge_apply(m, &t, 300, test, y);
    CHECK_NEAR(distance(&t, 300, test, y), 0, 2e-4);
    fc_series_ridge_apply(m, &lifted, 300, test, y);
    if (centred) CHECK_NEAR(distance(&lifted, 300, test, y), 0, 2e-3); /* a level never seen before */
    fc_series_ridge_free(m);
  }
}

/* noise without memory: the mean is the best forecast, so the strongest penalty wins */
static void penalty_is_chosen_on_held_out_windows(void) {
  static fc_real        x[2 * ROWS];
  const fc_window_table t = {x, 2, L, P, 1, second};
  int64_t               fit[40], held[250];
  fc_series_ridge      *m;

  fc_rng_normals(&(fc_rng){3, 0, FC_RNG_TEST}, 0, 2 * ROWS, x);
  windows(0, 40, fit);
  windows(100, 250, held);
  CHECK_OK(fc_series_ridge_fit(&t, false, 40, fit, 250, held, &m));
  CHECK(fc_series_ridge_lambda(m) >= 1);
  fc_series_ridge_free(m);
  CHECK_OK(fc_series_ridge_fit(&t, false, 40, fit, 0, NULL, &m));
  CHECK_NEAR(fc_series_ridge_lambda(m), 1e-4, 1e-12);
  fc_series_ridge_free(m);
}

/* two windows, two steps, two targets */
static void scores_by_hand(void) {
  const fc_real    truth[2][4] = {{0, 1, 2, 3}, {1, 1, 1, 1}};
  const fc_real    y[2][4]     = {{1, 1, 2, 1}, {1, 4, 1, 1}};
  const double     d[2] = {0.5, NAN}, older[2] = {2, 2}, mean[2] = {1, 0}, std[2] = {2, 1};
  fc_series_scores s;

  CHECK_OK(fc_series_scores_create(2, 2, 0, NULL, &s));
  for (int i = 0; i < 2; i++)
    fc_series_scores_add(&s, y[i], truth[i], &(fc_series_gauge){d, older, mean, std});
  CHECK_NEAR(fc_series_mse(&s, -1, -1), (1 + 4 + 9) / 8., 1e-12);
  CHECK_NEAR(fc_series_mae(&s, -1, -1), (1 + 2 + 3) / 8., 1e-12);
  CHECK_NEAR(fc_series_mse(&s, 1, -1), (4 + 9) / 4., 1e-12);
  CHECK_NEAR(fc_series_mae(&s, -1, 1), 2 / 4., 1e-12);
  CHECK_NEAR(fc_series_mse(&s, 1, 0), 9 / 2., 1e-12);
  CHECK_NEAR(fc_series_mase(&s, 0), 1 / 0.5 / 4, 1e-12); /* one error of 1 in four values, d = 0.5 */
  CHECK_NEAR(fc_series_mase(&s, -1), 1 / 0.5 / 4, 1e-12);
  CHECK(isnan(fc_series_mase(&s, 1)));
  CHECK_NEAR(fc_series_mase_before(&s, -1), (1 + 2 + 3) / 2. / 8, 1e-12);
  /* target 0 in units: 1 5 3 3, forecast as 3 5 3 3 */
  CHECK_NEAR(fc_series_mae_units(&s, 0), 2 / 4., 1e-12);
  CHECK_NEAR(fc_series_mse_units(&s, 0), 4 / 4., 1e-12);
  CHECK_NEAR(fc_series_smape(&s, 0), 200 * (2 / 4.) / 4, 1e-12);
  CHECK_NEAR(fc_series_smape(&s, 1), 200 * (2 / 4. + 3 / 5.) / 4, 1e-12);
  fc_series_scores_free(&s);
}

static void quantiles_by_hand(void) {
  const double     level[3] = {0.1, 0.5, 0.9}, d[1] = {1}, zero[1] = {0};
  const fc_real    truth[2] = {1, 5}, y[6] = {0, 2, 3, 0, 2, 3};
  fc_series_scores s;

  CHECK_OK(fc_series_scores_create(2, 1, 3, level, &s));
  fc_series_scores_add(&s, y, truth, &(fc_series_gauge){d, d, zero, d});
  CHECK_NEAR(fc_series_mae(&s, -1, -1), (1 + 3) / 2., 1e-12); /* of the middle one */
  CHECK_NEAR(fc_series_pinball(&s, 0, -1), (0.1 * 1 + 0.1 * 5) / 2, 1e-12);
  CHECK_NEAR(fc_series_pinball(&s, 1, -1), (0.5 * 1 + 0.5 * 3) / 2, 1e-12);
  CHECK_NEAR(fc_series_pinball(&s, 2, -1), (0.1 * 2 + 0.9 * 2) / 2, 1e-12);
  CHECK(fc_series_bands(&s) == 1);
  CHECK_NEAR(fc_series_band(&s, 0), 0.8, 1e-12);
  CHECK_NEAR(fc_series_coverage(&s, 0, -1), 0.5, 1e-12);
  fc_series_scores_free(&s);
}

CHECK_SUITE(series_baselines, simple_ones_by_hand, season_reaches_back, seasonal_error_by_hand,
            ridge_finds_the_recurrence, penalty_is_chosen_on_held_out_windows, scores_by_hand,
            quantiles_by_hand)
