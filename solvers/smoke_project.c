/* solvers/smoke_project.c - takes the divergence out of velocities on faces: u <- u - grad p with lap p = div
   u and dp/dn = 0 at walls. On this grid cosines diagonalise the Laplacian (with half a cell between the
   first value and the wall: transforms of kind II and III), so the result is exact. */
#include "solvers/smoke.h"

#include "core/parallel.h"

#include <fftw3.h>
#include <math.h>

FC_SIMD static void row_divergence(const fc_smoke *s, double *const *u, int64_t at, double *restrict out) {
  for (int64_t k = 0; k < s->n[2]; k++) out[k] = 0;
  for (int a = s->first; a < 3; a++) {
    const double *p = u[a] + at, *q = p - s->step[a], f = 1 / s->dx[a];
    FC_VECTOR for (int64_t k = 0; k < s->n[2]; k++) out[k] += (p[k] - q[k]) * f;
  }
}

double fc_smoke_divergence(fc_smoke_work *w) {
  double most = 0;

  for (int64_t r = 0; r < w->s->rows; r++) {
    double *p = w->pressure + r * w->s->n[2];
    row_divergence(w->s, w->now, fc_smoke_row(w->s, r), p);
    for (int64_t k = 0; k < w->s->n[2]; k++) most = fmax(most, fabs(p[k]));
  }
  return most;
}

/* along all axes; threads share rows, columns of planes, and lines through planes */
static void transform(const fc_smoke *s, fftw_plan const *plan, double *x) {
  const int64_t plane = s->n[1] * s->n[2], work = 8 * s->cells;

  FC_FOR_ROWS(r, s->rows, 8 * s->n[2]) fftw_execute_r2r(plan[2], x + r * s->n[2], x + r * s->n[2]);
  FC_FOR_TASKS(i, s->n[0], work) fftw_execute_r2r(plan[1], x + i * plane, x + i * plane);
  if (s->ndim == 3)
    FC_FOR_TASKS(j, s->n[1], work) fftw_execute_r2r(plan[0], x + j * s->n[2], x + j * s->n[2]);
}

/* minus the inverse of the eigenvalues, and what both transforms leave as a factor; a constant is left alone
 */
FC_SIMD static void row_divide(const fc_smoke *s, int64_t r, double *restrict p) {
  const double lines = (s->ndim == 3 ? s->eigen[0][r / s->n[1]] : 0) + s->eigen[1][r % s->n[1]];
  const double norm  = -1 / (double)(s->cells << s->ndim);

  FC_VECTOR for (int64_t k = (r == 0); k < s->n[2]; k++) p[k] *= norm / (lines + s->eigen[2][k]);
  if (r == 0) p[0] = 0;
}

FC_SIMD static void row_gradient(double *restrict u, const double *restrict p, int64_t next, double f,
                                 int64_t n) {
  FC_VECTOR for (int64_t k = 0; k < n; k++) u[k] -= (p[k + next] - p[k]) * f;
}

void fc_smoke_project(fc_smoke_work *w, double *const *u) {
  const fc_smoke *s       = w->s;
  const int64_t   next[3] = {s->n[1] * s->n[2], s->n[2], 1};
  double         *p       = w->pressure;

  FC_FOR_ROWS(r, s->rows, 4 * s->n[2]) row_divergence(s, u, fc_smoke_row(s, r), p + r * s->n[2]);
  transform(s, s->forward, p);
  FC_FOR_ROWS(r, s->rows, 4 * s->n[2]) row_divide(s, r, p + r * s->n[2]);
  transform(s, s->inverse, p);
  FC_FOR_ROWS(r, s->rows, 4 * s->n[2]) {
    for (int a = s->first; a < 3; a++)
      row_gradient(u[a] + fc_smoke_row(s, r), p + r * s->n[2], next[a], 1 / s->dx[a],
                   fc_smoke_inside(s, a, r));
  }
}
