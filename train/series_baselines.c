/* train/series_baselines.c */
#include "train/series_baselines.h"

#include "core/gemm.h"
#include "core/parallel.h"
#include "core/ridge.h"

#include <math.h>
#include <stdlib.h>

enum { ROWS = 256, LAMBDAS = 15 };
static const double lambdas[LAMBDAS] = {1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3,
                                        1e-2, 3e-2, 0.1,  0.3,  1,    3,    10};
static const double usual_lambda     = 1e-4;

const char *fc_base_name(fc_base which) {
  static const char *const names[FC_BASES] = {"naive", "seasonal naive", "window mean", "ridge",
                                              "ridge - mean"};
  return names[which];
}

static fc_real at(const fc_window_table *t, int64_t row, int column) {
  return t->x[row * t->columns + column];
}

/* ---- what needs no fit ---- */

void fc_base_naive(const fc_window_table *t, int64_t row, fc_real *y) {
  for (int64_t p = 0; p < t->horizon; p++)
    for (int k = 0; k < t->n_targets; k++) *y++ = at(t, row + t->lookback - 1, t->target[k]);
}

void fc_base_season(const fc_window_table *t, int64_t first, int64_t season, int64_t row, fc_real *y) {
  const int64_t now = row + t->lookback, m = now - season >= first ? season : 1;

  for (int64_t p = 0; p < t->horizon; p++)
    for (int k = 0; k < t->n_targets; k++) *y++ = at(t, now - m + p % m, t->target[k]);
}

/* without the first `missing` steps */
static double window_mean(const fc_window_table *t, int64_t missing, int64_t row, int column) {
  double sum = 0;

  for (int64_t i = missing; i < t->lookback; i++) sum += (double)at(t, row + i, column);
  return sum / (double)(t->lookback - missing);
}

void fc_base_mean(const fc_window_table *t, int64_t missing, int64_t row, fc_real *y) {
  for (int k = 0; k < t->n_targets; k++) {
    const fc_real mean = (fc_real)window_mean(t, missing, row, t->target[k]);
    for (int64_t p = 0; p < t->horizon; p++) y[p * t->n_targets + k] = mean;
  }
}

double fc_seasonal_error(const fc_window_table *t, int column, int64_t lo, int64_t hi, int64_t season) {
  double sum = 0;

  for (int64_t i = lo + season; i < hi; i++)
    sum += fabs((double)at(t, i, column) - (double)at(t, i - season, column));
  return sum > 0 ? sum / (double)(hi - lo - season) : NAN;
}

/* ---- the linear map ---- */

/* Rows of the regression are pairs of a window and a target: number i is target i % targets of window i /
   targets. ROWS of them are gathered at a time. */
struct fc_series_ridge {
  bool     centred;
  int64_t  L, P;
  double   lambda;
  double  *W, *b;         /* [L, P], [P] */
  fc_real *map, *shift;   /* the same, rounded */
  fc_real *x, *y, *level; /* [ROWS, L], [ROWS, P], [ROWS] */
};

/* lookback of one row; returns what is taken off */
static double gather_input(const fc_series_ridge *m, const fc_window_table *t, int64_t row, int column,
                           fc_real *x) {
  const double level = m->centred ? window_mean(t, 0, row, column) : 0;

  for (int64_t j = 0; j < m->L; j++) x[j] = (fc_real)((double)at(t, row + j, column) - level);
  return level;
}

static void add_windows(fc_series_ridge *m, const fc_window_table *t, int64_t n, const int64_t *row,
                        fc_ridge *r) {
  const int64_t all = n * t->n_targets;

  for (int64_t from = 0; from < all; from += ROWS) {
    const int64_t count = fc_min64(ROWS, all - from);
    FC_FOR_ROWS(i, count, m->L + m->P) {
      const int64_t first  = row[(from + i) / t->n_targets];
      const int     column = t->target[(from + i) % t->n_targets];
      const double  level  = gather_input(m, t, first, column, m->x + i * m->L);
      for (int64_t j = 0; j < m->P; j++)
        m->y[i * m->P + j] = (fc_real)((double)at(t, first + m->L + j, column) - level);
    }
    fc_ridge_add(r, count, m->x, m->y);
  }
}

/* a singular system only rules out its lambda */
static fc_status choose_lambda(fc_series_ridge *m, const fc_ridge *fit, const fc_ridge *held) {
  double best = INFINITY, error;

  for (int k = 0; k < LAMBDAS; k++) {
    const fc_status s = fc_ridge_solve(fit, lambdas[k], m->W, m->b);
    if (s == FC_E_NUMERIC) continue;
    FC_TRY(s);
    FC_TRY(fc_ridge_error(held, m->W, m->b, &error));
    if (error < best) best = error, m->lambda = lambdas[k];
  }
  FC_REQUIRE(isfinite(best), FC_E_NUMERIC, "no linear regression fits this data");
  return FC_OK;
}

static fc_status fit_map(fc_series_ridge *m, const fc_window_table *t, int64_t n_fit, const int64_t *fit,
                         int64_t n_held, const int64_t *held) {
  fc_ridge *r = NULL, *h = NULL;
  fc_status s;

  m->lambda = usual_lambda;
  FC_TRY_TO(done, s, fc_ridge_create(m->L, m->P, &r));
  FC_TRY_TO(done, s, fc_ridge_create(m->L, m->P, &h));
  add_windows(m, t, n_fit, fit, r);
  add_windows(m, t, n_held, held, h);
  if (n_held) FC_TRY_TO(done, s, choose_lambda(m, r, h));
  s = fc_ridge_solve(r, m->lambda, m->W, m->b);
  for (int64_t i = 0; i < m->L * m->P; i++) m->map[i] = (fc_real)m->W[i];
  for (int64_t i = 0; i < m->P; i++) m->shift[i] = (fc_real)m->b[i];
done:
  fc_ridge_destroy(r);
  fc_ridge_destroy(h);
  return s;
}

static fc_status create(const fc_window_table *t, bool centred, fc_series_ridge **out) {
  fc_series_ridge *m = calloc(1, sizeof *m);
  const size_t     L = (size_t)t->lookback, P = (size_t)t->horizon;

  FC_REQUIRE(m, FC_E_SYSTEM, "no memory for the linear baseline");
  *out       = m;
  m->centred = centred;
  m->L       = t->lookback;
  m->P       = t->horizon;
  m->W       = calloc(L * P, sizeof *m->W);
  m->b       = calloc(P, sizeof *m->b);
  m->map     = calloc(L * P, sizeof *m->map);
  m->shift   = calloc(P, sizeof *m->shift);
  m->x       = calloc(ROWS * L, sizeof *m->x);
  m->y       = calloc(ROWS * P, sizeof *m->y);
  m->level   = calloc(ROWS, sizeof *m->level);
  FC_REQUIRE(m->W && m->b && m->map && m->shift && m->x && m->y && m->level, FC_E_SYSTEM,
             "no memory for the linear baseline");
  return FC_OK;
}

fc_status fc_series_ridge_fit(const fc_window_table *t, bool centred, int64_t n_fit, const int64_t *fit,
                              int64_t n_held, const int64_t *held, fc_series_ridge **out) {
  fc_series_ridge *m = NULL;

  *out        = NULL;
  fc_status s = create(t, centred, &m);
  if (s == FC_OK) s = fit_map(m, t, n_fit, fit, n_held, held);
  if (s == FC_OK)
    *out = m;
  else
    fc_series_ridge_free(m);
  return s;
}

void fc_series_ridge_free(fc_series_ridge *m) {
  if (!m) return;
  free(m->W);
  free(m->b);
  free(m->map);
  free(m->shift);
  free(m->x);
  free(m->y);
  free(m->level);
  free(m);
}

double fc_series_ridge_lambda(const fc_series_ridge *m) { return m->lambda; }

void fc_series_ridge_apply(fc_series_ridge *m, const fc_window_table *t, int64_t n, const int64_t *row,
                           fc_real *y) {
  const int64_t K = t->n_targets, all = n * K;

  for (int64_t from = 0; from < all; from += ROWS) {
    const int64_t count = fc_min64(ROWS, all - from);
    FC_FOR_ROWS(i, count, m->L) {
      const int column = t->target[(from + i) % K];
      m->level[i]      = (fc_real)gather_input(m, t, row[(from + i) / K], column, m->x + i * m->L);
    }
    fc_gemm_rows(false, false, count, m->P, m->L, 1, m->x, m->L, m->map, m->P, 0, m->y, m->P);
    FC_FOR_ROWS(i, count, m->P)
    for (int64_t p = 0; p < m->P; p++)
      y[(from + i) / K * m->P * K + p * K + (from + i) % K] = m->y[i * m->P + p] + m->shift[p] + m->level[i];
  }
}
