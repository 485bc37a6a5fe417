/* solvers/gradient.c - a line of points at a time, many lines side by side: f seen as [before, n, after]. */
#include "solvers/gradient.h"

#include "core/parallel.h"

#include <fftw3.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct fc_gradient {
  int64_t       dim[3];
  bool          periodic[3];
  double        step[3];   /* 2 pi / length of periodic axes */
  double       *weight[3]; /* [n, 3] of the others: of points first .. first + 2 */
  double       *line;      /* [points] */
  fftw_complex *hat;
  fftw_plan     there[3], back[3];
};

static int64_t after(const fc_gradient *g, int a) {
  return a == 0 ? g->dim[1] * g->dim[2] : a == 1 ? g->dim[2] : 1;
}
static int64_t points(const fc_gradient *g) { return g->dim[0] * g->dim[1] * g->dim[2]; }

/* ---- life ---- */

/* first of the three points whose parabola gives the slope at point i */
static int64_t first_of(int64_t n, int64_t i) { return fc_max64(0, fc_min64(i - 1, n - 3)); }

static void weights(int64_t n, const double *x, double *w) {
  for (int64_t i = 0; i < n; i++) {
    const double *a = x + first_of(n, i);
    for (int k = 0; k < 3; k++) {
      const double p = a[(k + 1) % 3], q = a[(k + 2) % 3];
      w[3 * i + k] = (2 * x[i] - p - q) / ((a[k] - p) * (a[k] - q));
    }
  }
}

static bool prepare_axis(fc_gradient *g, int a, const double *x) {
  const int n = (int)g->dim[a], m = (int)after(g, a);

  if (!g->periodic[a]) {
    g->weight[a] = malloc(3 * (size_t)n * sizeof **g->weight);
    if (g->weight[a]) weights(n, x, g->weight[a]);
    return g->weight[a] != NULL;
  }
  g->step[a]  = 2 * M_PI / ((double)n * (x[1] - x[0]));
  g->there[a] = fftw_plan_many_dft_r2c(1, &n, m, g->line, NULL, m, 1, g->hat, NULL, m, 1, FFTW_ESTIMATE);
  g->back[a]  = fftw_plan_many_dft_c2r(1, &n, m, g->hat, NULL, m, 1, g->line, NULL, m, 1, FFTW_ESTIMATE);
  return g->there[a] && g->back[a];
}

static int64_t largest_block(const fc_gradient *g) {
  int64_t most = 0;

  for (int a = 0; a < 3; a++) most = fc_max64(most, (g->dim[a] / 2 + 1) * after(g, a));
  return most;
}

fc_status fc_gradient_create(const fc_grid_axes *grid, fc_gradient **out) {
  *out = NULL;
  for (int a = 0; a < 3; a++)
    FC_REQUIRE(grid->dim[a] >= (grid->periodic[a] ? 2 : 3), FC_E_USAGE,
               "axis %c has %lld points, too few for derivatives", "xyz"[a], (long long)grid -> dim[a]);
  fc_gradient *g = calloc(1, sizeof *g);
  FC_REQUIRE(g, FC_E_SYSTEM, "no memory for derivatives");
  memcpy(g->dim, grid->dim, sizeof g->dim);
  memcpy(g->periodic, grid->periodic, sizeof g->periodic);
  g->line = fftw_alloc_real((size_t)points(g));
  g->hat  = fftw_alloc_complex((size_t)largest_block(g));
  bool ok = g->line && g->hat;
  for (int a = 0; a < 3 && ok; a++) ok = prepare_axis(g, a, grid->x[a]);
  if (!ok) {
    fc_gradient_destroy(g);
    return fc_fail(FC_E_SYSTEM, "no memory for derivatives of %lld points",
                   (long long)(grid->dim[0] * grid->dim[1] * grid->dim[2]));
  }
  *out = g;
  return FC_OK;
}

void fc_gradient_destroy(fc_gradient *g) {
  if (!g) return;
  for (int a = 0; a < 3; a++) {
    if (g->there[a]) fftw_destroy_plan(g->there[a]);
    if (g->back[a]) fftw_destroy_plan(g->back[a]);
    free(g->weight[a]);
  }
  fftw_free(g->line);
  fftw_free(g->hat);
  free(g);
}

/* ---- derivatives ---- */

/* one block [n, m] in g->line */
static void by_modes(fc_gradient *g, int a, int64_t m, double *df) {
  const int64_t n = g->dim[a];

  fftw_execute(g->there[a]);
  for (int64_t k = 0; k <= n / 2; k++) {
    const double factor = 2 * k == n ? 0 : (double)k * g->step[a] / (double)n;
    for (int64_t i = 0; i < m; i++) {
      double *c = g->hat[k * m + i], re = c[0];
      c[0] = -factor * c[1];
      c[1] = factor * re;
    }
  }
  fftw_execute(g->back[a]);
  memcpy(df, g->line, (size_t)(n * m) * sizeof *df);
}

static void by_parabolas(const fc_gradient *g, int a, int64_t m, const double *f, double *df) {
  const int64_t n = g->dim[a];

  FC_FOR_ROWS(i, n, m) {
    const double *w = g->weight[a] + 3 * i, *from = f + first_of(n, i) * m;
    for (int64_t k = 0; k < m; k++)
      df[i * m + k] = w[0] * from[k] + w[1] * from[m + k] + w[2] * from[2 * m + k];
  }
}

void fc_gradient_of(fc_gradient *g, int axis, const double *f, double *df) {
  const int64_t m = after(g, axis), block = g->dim[axis] * m;

  for (int64_t at = 0; at < points(g); at += block) {
    if (g->periodic[axis]) {
      memcpy(g->line, f + at, (size_t)block * sizeof *f);
      by_modes(g, axis, m, df + at);
    } else
      by_parabolas(g, axis, m, f + at, df + at);
  }
}

/* ---- divergence and walls ---- */

void fc_divergence(fc_gradient *g, const double *const u[3], double *div, double *work) {
  fc_gradient_of(g, 0, u[0], div);
  for (int a = 1; a < 3; a++) {
    fc_gradient_of(g, a, u[a], work);
    for (int64_t i = 0; i < points(g); i++) div[i] += work[i];
  }
}

static bool inside(const fc_gradient *g, int64_t i) {
  for (int a = 0; a < 3; a++) {
    const int64_t k = i / after(g, a) % g->dim[a];
    if (!g->periodic[a] && (k == 0 || k == g->dim[a] - 1)) return false;
  }
  return true;
}

void fc_divergence_size(const fc_gradient *g, const double *div, double *largest, double *mean_square) {
  int64_t n = 0;

  *largest = *mean_square = 0;
  for (int64_t i = 0; i < points(g); i++) {
    if (!inside(g, i)) continue;
    *largest = fmax(*largest, fabs(div[i]));
    *mean_square += div[i] * div[i];
    n++;
  }
  *mean_square /= (double)fc_max64(n, 1);
}

void fc_wall_residual(const fc_gradient *g, int a, const double *const u[3], double *largest,
                      double *mean_square) {
  int64_t n = 0;

  *largest = *mean_square = 0;
  for (int64_t i = 0; i < points(g); i++) {
    const int64_t k = i / after(g, a) % g->dim[a];
    if (k != 0 && k != g->dim[a] - 1) continue;
    const double square = u[0][i] * u[0][i] + u[1][i] * u[1][i] + u[2][i] * u[2][i];
    *largest            = fmax(*largest, sqrt(square));
    *mean_square += square;
    n++;
  }
  *mean_square /= (double)fc_max64(n, 1);
}
