/* solvers/smoke_project.c - takes the divergence out of velocities on faces: u <- u - grad p with lap p = div
   u and dp/dn = 0 at walls. On this grid cosines diagonalise the Laplacian (with half a cell between the
   first value and the wall: transforms of kind II and III), so the result is exact. */
#include "solvers/smoke.h"

#include "core/parallel.h"

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
  fc_cosine_forward(s->cosine[2], s->rows, 1, p, w->work);
  fc_cosine_forward(s->cosine[1], s->n[0], s->n[2], p, w->work);
  if (s->ndim == 3) fc_cosine_forward(s->cosine[0], 1, s->n[1] * s->n[2], p, w->work);
  FC_FOR_ROWS(r, s->rows, 4 * s->n[2]) row_divide(s, r, p + r * s->n[2]);
  if (s->ndim == 3) fc_cosine_inverse(s->cosine[0], 1, s->n[1] * s->n[2], p, w->work);
  fc_cosine_inverse(s->cosine[1], s->n[0], s->n[2], p, w->work);
  fc_cosine_inverse(s->cosine[2], s->rows, 1, p, w->work);
  FC_FOR_ROWS(r, s->rows, 4 * s->n[2]) {
    for (int a = s->first; a < 3; a++)
      row_gradient(u[a] + fc_smoke_row(s, r), p + r * s->n[2], next[a], 1 / s->dx[a],
                   fc_smoke_inside(s, a, r));
  }
}
