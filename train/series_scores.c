/* train/series_scores.c */
#include "train/series_scores.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int middle_of(int n, const double *level) {
  int best = 0;

  for (int q = 1; q < n; q++)
    if (fabs(level[q] - 0.5) < fabs(level[best] - 0.5)) best = q;
  return best;
}

fc_status fc_series_scores_create(int64_t horizon, int targets, int quantiles, const double *level,
                                  fc_series_scores *out) {
  const size_t n = (size_t)(horizon * targets), K = (size_t)targets, Q = (size_t)quantiles;

  *out = (fc_series_scores){horizon, 0, targets, quantiles, middle_of(quantiles, level)};
  for (int q = 0; q < quantiles; q++) out->level[q] = level[q];
  out->square         = calloc(n, sizeof *out->square);
  out->absolute       = calloc(n, sizeof *out->absolute);
  out->ratio          = calloc(K, sizeof *out->ratio);
  out->counted        = calloc(K, sizeof *out->counted);
  out->before         = calloc(K, sizeof *out->before);
  out->older          = calloc(K, sizeof *out->older);
  out->symmetric      = calloc(K, sizeof *out->symmetric);
  out->square_units   = calloc(K, sizeof *out->square_units);
  out->absolute_units = calloc(K, sizeof *out->absolute_units);
  out->pinball        = calloc(Q * K + 1, sizeof *out->pinball);
  out->inside         = calloc(Q * K + 1, sizeof *out->inside);
  if (out->square && out->absolute && out->ratio && out->counted && out->before && out->older &&
      out->symmetric && out->square_units && out->absolute_units && out->pinball && out->inside)
    return FC_OK;
  fc_series_scores_free(out);
  return fc_fail(FC_E_SYSTEM, "no memory for the scores of %lld steps and %d columns", (long long)horizon,
                 targets);
}

void fc_series_scores_free(fc_series_scores *s) {
  free(s->square);
  free(s->absolute);
  free(s->ratio);
  free(s->counted);
  free(s->before);
  free(s->older);
  free(s->symmetric);
  free(s->square_units);
  free(s->absolute_units);
  free(s->pinball);
  free(s->inside);
  memset(s, 0, sizeof *s);
}

static void add_quantiles(fc_series_scores *s, const fc_real *y, double t, int k) {
  const int Q = s->quantiles;

  for (int q = 0; q < Q; q++) {
    const double e = t - (double)y[q];
    s->pinball[q * s->targets + k] += fmax(s->level[q] * e, (s->level[q] - 1) * e);
  }
  for (int q = 0; q < fc_series_bands(s); q++)
    s->inside[q * s->targets + k] += (double)y[q] <= t && t <= (double)y[Q - 1 - q];
}

/* a forecast and the truth of target k */
static void add_units(fc_series_scores *s, double y, double t, int k, const fc_series_gauge *g) {
  const double u = y * g->std[k] + g->mean[k], v = t * g->std[k] + g->mean[k], sum = fabs(u) + fabs(v);

  s->square_units[k] += (u - v) * (u - v);
  s->absolute_units[k] += fabs(u - v);
  s->symmetric[k] += sum > 0 ? 200 * fabs(u - v) / sum : 0;
}

void fc_series_scores_add(fc_series_scores *s, const fc_real *y, const fc_real *truth,
                          const fc_series_gauge *g) {
  const int64_t K = s->targets, width = s->quantiles ? s->quantiles : 1;

  for (int64_t i = 0; i < s->horizon * K; i++) {
    const int    k = (int)(i % K);
    const double t = (double)truth[i], e = (double)y[i * width + s->middle] - t;
    s->square[i] += e * e;
    s->absolute[i] += fabs(e);
    if (!isnan(g->d[k])) s->ratio[k] += fabs(e) / g->d[k], s->counted[k]++;
    if (!isnan(g->before[k])) s->before[k] += fabs(e) / g->before[k], s->older[k]++;
    add_units(s, (double)y[i * width + s->middle], t, k, g);
    if (s->quantiles) add_quantiles(s, y + i * width, t, k);
  }
  s->windows++;
}

static double mean_of(const fc_series_scores *s, const double *sum, int target, int64_t step) {
  const int64_t p0 = step < 0 ? 0 : step, p1 = step < 0 ? s->horizon : step + 1;
  const int     k0 = target < 0 ? 0 : target, k1 = target < 0 ? s->targets : target + 1;
  double        all = 0;

  for (int64_t p = p0; p < p1; p++)
    for (int k = k0; k < k1; k++) all += sum[p * s->targets + k];
  return all / ((double)s->windows * (double)(p1 - p0) * (double)(k1 - k0));
}

double fc_series_mse(const fc_series_scores *s, int target, int64_t step) {
  return mean_of(s, s->square, target, step);
}

double fc_series_mae(const fc_series_scores *s, int target, int64_t step) {
  return mean_of(s, s->absolute, target, step);
}

static double ratio_of(const fc_series_scores *s, const double *ratio, const double *counted, int target) {
  const int k0 = target < 0 ? 0 : target, k1 = target < 0 ? s->targets : target + 1;
  double    sum = 0, n = 0;

  for (int k = k0; k < k1; k++) sum += ratio[k], n += counted[k];
  return sum / n;
}

double fc_series_mase(const fc_series_scores *s, int target) {
  return ratio_of(s, s->ratio, s->counted, target);
}

double fc_series_mase_before(const fc_series_scores *s, int target) {
  return ratio_of(s, s->before, s->older, target);
}

/* sums that hold all steps of a window */
static double over_steps(const fc_series_scores *s, const double *sum, int target) {
  const int k0 = target < 0 ? 0 : target, k1 = target < 0 ? s->targets : target + 1;
  double    all = 0;

  for (int k = k0; k < k1; k++) all += sum[k];
  return all / ((double)s->windows * (double)s->horizon * (double)(k1 - k0));
}

double fc_series_smape(const fc_series_scores *s, int target) { return over_steps(s, s->symmetric, target); }

double fc_series_mse_units(const fc_series_scores *s, int target) {
  return over_steps(s, s->square_units, target);
}

double fc_series_mae_units(const fc_series_scores *s, int target) {
  return over_steps(s, s->absolute_units, target);
}

double fc_series_pinball(const fc_series_scores *s, int quantile, int target) {
  return over_steps(s, s->pinball + quantile * s->targets, target);
}

/* levels that lie the same way on both sides of one half */
int fc_series_bands(const fc_series_scores *s) {
  int n = 0;

  while (n < s->quantiles / 2 && fabs(s->level[n] + s->level[s->quantiles - 1 - n] - 1) < 1e-6) n++;
  return n;
}

double fc_series_band(const fc_series_scores *s, int band) {
  return s->level[s->quantiles - 1 - band] - s->level[band];
}

double fc_series_coverage(const fc_series_scores *s, int band, int target) {
  return over_steps(s, s->inside + band * s->targets, target);
}
