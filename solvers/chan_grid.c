/* solvers/chan_grid.c */
#include "solvers/chan_grid.h"

#include "solvers/fft2.h"

#include <math.h>
#include <stdlib.h>

static double map_lower(int map, double s, double e) { /* e <= 1/2 */
  switch (map) {
  case FC_CHAN_TANH:
    return 1 + tanh(s * (2 * e - 1)) / tanh(s);
  case FC_CHAN_CHEBYSHEV:
    return 1 - cos(M_PI * e);
  case FC_CHAN_ARCTAN: {
    const double ab = (sqrt(M_PI * M_PI * s * s + 1) - 1) / 2, r = sqrt(1 + 1 / ab);
    return 1 + M_2_PI * atan(r * tan(M_PI * (e - 0.5)));
  }
  default:
    return 2 * e;
  }
}

void fc_chan_nodes(int map, double s, int64_t n, double *y) {
  for (int64_t j = 0; j <= n; j++) {
    const int64_t m = fc_min64(j, n - j); /* mirrored, so that both halves have the same bits */
    const double  a = m == 0 ? 0 : 2 * m == n ? 1 : map_lower(map, s, (double)m / (double)n);
    y[j]            = j == m ? a : 2 - a;
  }
}

static void fill_differences(fc_chan_grid *g) {
  const int64_t n = g->n;

  for (int64_t j = 0; j < n; j++) {
    g->lower[FC_CHAN_CELLS][j]    = 1 / (g->dc[j] * g->df[j]);
    g->upper[FC_CHAN_CELLS][j]    = 1 / (g->dc[j] * g->df[j + 1]);
    g->lower[FC_CHAN_PRESSURE][j] = j > 0 ? g->lower[FC_CHAN_CELLS][j] : 0;
    g->upper[FC_CHAN_PRESSURE][j] = j < n - 1 ? g->upper[FC_CHAN_CELLS][j] : 0;
    g->lower[FC_CHAN_FACES][j]    = j > 0 ? 1 / (g->df[j] * g->dc[j - 1]) : 0;
    g->upper[FC_CHAN_FACES][j]    = j > 0 ? 1 / (g->df[j] * g->dc[j]) : 0;
  }
}

fc_status fc_chan_grid_create(int map, double s, int64_t n, fc_chan_grid **out) {
  const int64_t each = (n + 1 + 7) / 8 * 8;
  fc_chan_grid *g    = calloc(1, sizeof *g);

  *out = NULL;
  if (g) g->block = fc_fft2_alloc(10 * each);
  if (!g || !g->block) {
    free(g);
    return fc_fail(FC_E_SYSTEM, "no memory for %lld points between the walls", (long long)n);
  }
  g->n          = n;
  double **at[] = {&g->y,        &g->c,        &g->dc,       &g->df,       &g->lower[0],
                   &g->lower[1], &g->lower[2], &g->upper[0], &g->upper[1], &g->upper[2]};
  for (int i = 0; i < FC_COUNT(at); i++) *at[i] = g->block + i * each;
  fc_chan_nodes(map, s, n, g->y);
  for (int64_t j = 0; j < n; j++) g->dc[j] = g->y[j + 1] - g->y[j], g->c[j] = (g->y[j] + g->y[j + 1]) / 2;
  for (int64_t j = 1; j < n; j++) g->df[j] = (g->dc[j - 1] + g->dc[j]) / 2;
  g->df[0] = g->dc[0] / 2;
  g->df[n] = g->dc[n - 1] / 2;
  fill_differences(g);
  *out = g;
  return FC_OK;
}

void fc_chan_grid_destroy(fc_chan_grid *g) {
  if (!g) return;
  free(g->block);
  free(g);
}

void fc_chan_cubic(int64_t n, const double *x, double t, int64_t *first, double w[4]) {
  int64_t at = 0;

  while (at < n - 4 && x[at + 2] < t) at++;
  *first = at;
  for (int i = 0; i < 4; i++) {
    w[i] = 1;
    for (int k = 0; k < 4; k++)
      if (k != i) w[i] *= (t - x[at + k]) / (x[at + i] - x[at + k]);
  }
}
