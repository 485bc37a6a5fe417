/* solvers/darcy_steady.c - coefficients given at evenly spaced points of the unit square, solved on cells of
   any number: a of a cell is the mean of what the points around stand for, u at the points is interpolated.
 */
#include "solvers/darcy.h"

#include <math.h>
#include <stdlib.h>

typedef struct { /* evenly spaced points of one axis of the unit square */
  int64_t n;
  double  lo, h;
} points;

/* the border between points i-1 and i; the outer ones are the square's */
static double edge(const points *p, int64_t i) {
  return i <= 0 ? 0 : i >= p->n ? 1 : p->lo + ((double)i - 0.5) * p->h;
}

static double overlap(const points *p, int64_t i, double from, double to) {
  return fmax(0, fmin(to, edge(p, i + 1)) - fmax(from, edge(p, i)));
}

/* the first point whose share of the axis may reach into a cell that begins at x */
static int64_t first_point(const points *p, double x) {
  return fc_max64(0, fc_min64(p->n - 1, (int64_t)floor((x - p->lo) / p->h - 0.5)));
}

/* Geometric mean over a cell: between the arithmetic one (layers along the flow) and the harmonic one (across
   it), and exact for a checkerboard. */
static double cell_mean(const points p[2], const double *log_a, double x0, double x1, double y0, double y1) {
  double sum = 0;

  for (int64_t i = first_point(&p[0], x0); i < p[0].n && edge(&p[0], i) < x1; i++) {
    const double wide = overlap(&p[0], i, x0, x1);
    double       line = 0;
    for (int64_t j = first_point(&p[1], y0); j < p[1].n && edge(&p[1], j) < y1; j++)
      line += overlap(&p[1], j, y0, y1) * log_a[i * p[1].n + j];
    sum += wide * line;
  }
  return exp(sum / ((x1 - x0) * (y1 - y0)));
}

static void coefficient_of_cells(fc_darcy *d, const points p[2], const double *log_a) {
  const double hx = 1 / (double)d->nx, hy = 1 / (double)d->ny;

  for (int64_t i = 0; i < d->nx; i++)
    for (int64_t j = 0; j < d->ny; j++)
      d->a[i * d->ny + j] =
          cell_mean(p, log_a, (double)i * hx, (double)(i + 1) * hx, (double)j * hy, (double)(j + 1) * hy);
}

/* u of cell (i, j), continued beyond the border: odd where u = 0 there, even where there is no flux */
static double continued(const fc_darcy *d, int64_t i, int64_t j) {
  const int64_t ci = fc_max64(0, fc_min64(d->nx - 1, i)), cj = fc_max64(0, fc_min64(d->ny - 1, j));
  const double  sign = (ci != i ? -1 : 1) * (cj != j && d->c.sides == FC_DARCY_CLOSED ? -1 : 1);

  return sign * d->u[ci * d->ny + cj];
}

static void values_at_points(const fc_darcy *d, const points p[2], fc_real *y) {
  for (int64_t i = 0; i < p[0].n; i++)
    for (int64_t j = 0; j < p[1].n; j++) {
      const double  x = (p[0].lo + (double)i * p[0].h) * (double)d->nx - 0.5, k = floor(x), s = x - k;
      const double  z = (p[1].lo + (double)j * p[1].h) * (double)d->ny - 0.5, l = floor(z), t = z - l;
      const int64_t a = (int64_t)k, b = (int64_t)l;
      y[i * p[1].n + j] = (fc_real)((1 - s) * ((1 - t) * continued(d, a, b) + t * continued(d, a, b + 1)) +
                                    s * ((1 - t) * continued(d, a + 1, b) + t * continued(d, a + 1, b + 1)));
    }
}

static fc_status look_at_points(const int64_t *dim, const double *lo, const double *hi, points p[2]) {
  for (int a = 0; a < 2; a++) {
    FC_REQUIRE(dim[a] > 1 && lo[a] >= 0 && hi[a] > lo[a] && hi[a] <= 1 + 1e-9, FC_E_INPUT,
               "darcy solves in the unit square; axis %d has %lld points from %g to %g", a, (long long)dim[a],
               lo[a], hi[a]);
    p[a] = (points){dim[a], lo[a], (hi[a] - lo[a]) / (double)(dim[a] - 1)};
  }
  return FC_OK;
}

/* Always by volumes with harmonic means: a rival should be as good as it can. */
fc_status fc_darcy_steady(const void *config, const int64_t *dim, const double *lo, const double *hi,
                          const int64_t *cells, const fc_real *x, fc_real *y) {
  fc_darcy_config c     = *(const fc_darcy_config *)config;
  fc_darcy       *d     = NULL;
  double         *log_a = NULL;
  points          p[2];
  fc_status       s;

  FC_TRY(look_at_points(dim, lo, hi, p));
  FC_REQUIRE(cells[0] >= 1 && cells[1] >= 1, FC_E_INPUT, "darcy needs at least one cell");
  c.accurate    = true;
  c.coefficient = FC_DARCY_UNIFORM; /* nothing random */
  log_a         = malloc((size_t)(dim[0] * dim[1]) * sizeof *log_a);
  s             = log_a ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for a coefficient");
  if (s == FC_OK) s = fc_darcy_create(&c, cells[0], cells[1], &d);
  if (s == FC_OK) {
    for (int64_t i = 0; i < dim[0] * dim[1]; i++) log_a[i] = log((double)x[i]);
    coefficient_of_cells(d, p, log_a);
    s = fc_darcy_solve(d);
  }
  if (s == FC_OK) values_at_points(d, p, y);
  fc_darcy_destroy(d);
  free(log_a);
  return s;
}
