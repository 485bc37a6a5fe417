/* solvers/multigrid_solve.c - smoothing, the V-cycle, conjugate gradients. */
#include "solvers/multigrid.h"

#include "core/parallel.h"

#include <math.h>
#include <string.h>

/* sum of links times neighbours at k; nine: the diagonal ones too */
static inline double neighbours(const fc_mg_level *l, bool nine, const double *u, int64_t k) {
  const int64_t ld = l->ld;
  double sum = l->e[k] * u[k + 1] + l->e[k - 1] * u[k - 1] + l->s[k] * u[k + ld] + l->s[k - ld] * u[k - ld];

  if (nine)
    sum += l->se[k] * u[k + ld + 1] + l->sw[k] * u[k + ld - 1] + l->se[k - ld - 1] * u[k - ld - 1] +
           l->sw[k - ld + 1] * u[k - ld + 1];
  return sum;
}

/* ---- smoothing: Gauss-Seidel in four colours, which the nine-point stencil does not couple ---- */

static inline void smooth_row(const fc_mg_level *l, bool nine, int64_t i, int64_t j0) {
  const int64_t first = (i + 1) * l->ld + 1;
  double       *u     = l->u;

  FC_VECTOR for (int64_t k = first + j0; k < first + l->ny; k += 2) u[k] =
      (l->b[k] + neighbours(l, nine, u, k)) * l->inv[k];
}

FC_SIMD static void smooth_five(const fc_mg_level *l, int64_t i0, int64_t j0) {
  for (int64_t i = i0; i < l->nx; i += 2) smooth_row(l, false, i, j0);
}

FC_SIMD static void smooth_nine(const fc_mg_level *l, int64_t i0, int64_t j0) {
  for (int64_t i = i0; i < l->nx; i += 2) smooth_row(l, true, i, j0);
}

/* Backwards after the coarse correction, so that the cycle is symmetric. The order makes it red-black for the
   five-point stencil. */
static void smooth(const fc_mg_level *l, bool nine, bool backwards) {
  static const int order[4][2] = {{0, 0}, {1, 1}, {0, 1}, {1, 0}};

  for (int k = 0; k < 4; k++) {
    const int *at = order[backwards ? 3 - k : k];
    if (nine)
      smooth_nine(l, at[0], at[1]);
    else
      smooth_five(l, at[0], at[1]);
  }
}

/* ---- between levels ---- */

static inline void apply_row(const fc_mg_level *l, bool nine, int64_t i, const double *x, double *y) {
  const int64_t first = (i + 1) * l->ld + 1;

  FC_VECTOR for (int64_t k = first; k < first + l->ny; k++) y[k] = l->c[k] * x[k] - neighbours(l, nine, x, k);
}

FC_SIMD static void apply_five(const fc_mg_level *l, const double *x, double *y) {
  for (int64_t i = 0; i < l->nx; i++) apply_row(l, false, i, x, y);
}

FC_SIMD static void apply_nine(const fc_mg_level *l, const double *x, double *y) {
  for (int64_t i = 0; i < l->nx; i++) apply_row(l, true, i, x, y);
}

void fc_multigrid_apply(const fc_mg_level *l, bool nine, const double *x, double *y) {
  if (nine)
    apply_nine(l, x, y);
  else
    apply_five(l, x, y);
}

/* r = b - A u */
static void residual(const fc_mg_level *l, bool nine) {
  fc_multigrid_apply(l, nine, l->u, l->r);
  for (int64_t i = 0; i < l->nx; i++)
    for (int64_t k = (i + 1) * l->ld + 1; k < (i + 1) * l->ld + 1 + l->ny; k++) l->r[k] = l->b[k] - l->r[k];
}

/* the eight offsets of fc_mg_level.p on the finer grid */
static void offsets(int64_t ld, int64_t o[8]) {
  const int64_t all[8] = {-ld, ld, -1, 1, -ld - 1, -ld + 1, ld - 1, ld + 1};

  memcpy(o, all, sizeof all);
}

/* b of the coarse level = P^T r */
FC_SIMD static void restrict_to(const fc_mg_level *l, const fc_mg_level *c) {
  int64_t o[8];

  offsets(l->ld, o);
  for (int64_t i = 0; i < c->nx; i++)
    for (int64_t j = 0; j < c->ny; j++) {
      const int64_t k = (i + 1) * c->ld + 1 + j, f = (2 * i + 1) * l->ld + 1 + 2 * j;
      double        sum = l->r[f];
      for (int a = 0; a < 8; a++) sum += c->p[a][k] * l->r[f + o[a]];
      c->b[k] = sum;
    }
}

/* u += P times u of the coarse level. Beyond the last point the weights are zero, or their value is: */
FC_SIMD static void correct(const fc_mg_level *l, const fc_mg_level *c) {
  int64_t o[8];

  offsets(l->ld, o);
  for (int64_t i = 0; i < c->nx; i++)
    for (int64_t j = 0; j < c->ny; j++) {
      const int64_t k = (i + 1) * c->ld + 1 + j, f = (2 * i + 1) * l->ld + 1 + 2 * j;
      const double  u = c->u[k];
      l->u[f] += u;
      for (int a = 0; a < 8; a++) l->u[f + o[a]] += c->p[a][k] * u;
    }
}

static void descend(fc_multigrid *m, int at) {
  fc_mg_level *l    = &m->level[at];
  const bool   nine = at > 0;

  memset(l->u, 0, (size_t)((l->nx + 2) * l->ld) * sizeof *l->u);
  smooth(l, nine, false);
  if (at + 1 == m->levels) return; /* one point: solved */
  residual(l, nine);
  restrict_to(l, l + 1);
  descend(m, at + 1);
  correct(l, l + 1);
  smooth(l, nine, true);
}

void fc_multigrid_cycle(fc_multigrid *m) { descend(m, 0); }

/* ---- conjugate gradients ---- */

FC_SIMD static double dot(const double *a, const double *b, int64_t n) {
  double sum = 0;

  FC_REDUCE(+, sum) for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

/* y += s x */
FC_SIMD static void add(double *restrict y, const double *restrict x, double s, int64_t n) {
  FC_VECTOR for (int64_t i = 0; i < n; i++) y[i] += s * x[i];
}

/* y = x + s y */
FC_SIMD static void turn(double *restrict y, const double *restrict x, double s, int64_t n) {
  FC_VECTOR for (int64_t i = 0; i < n; i++) y[i] = x[i] + s * y[i];
}

static void copy_in(const fc_mg_level *l, const double *from, double *to) {
  for (int64_t i = 0; i < l->nx; i++)
    memcpy(to + (i + 1) * l->ld + 1, from + i * l->ny, (size_t)l->ny * sizeof *to);
}

/* Level 0 lends its b (the preconditioner's argument is the residual), u (its value) and r (A d). */
static int iterate(fc_multigrid *m, double tolerance, int most) {
  fc_mg_level  *l     = &m->level[0];
  const int64_t n     = (l->nx + 2) * l->ld;
  const double  small = tolerance * sqrt(dot(m->r, m->r, n));
  double        rho   = 0;

  for (int k = 0; k <= most; k++) {
    if (sqrt(dot(m->r, m->r, n)) <= small) return k;
    memcpy(l->b, m->r, (size_t)n * sizeof *l->b);
    fc_multigrid_cycle(m);
    const double before = rho;
    rho                 = dot(m->r, l->u, n);
    turn(m->d, l->u, k ? rho / before : 0, n);
    fc_multigrid_apply(l, false, m->d, l->r);
    const double alpha = rho / dot(m->d, l->r, n);
    if (!isfinite(alpha) || alpha <= 0) return -1; /* not positive definite */
    add(m->x, m->d, alpha, n);
    add(m->r, l->r, -alpha, n);
  }
  return -1;
}

int fc_multigrid_solve(fc_multigrid *m, const double *b, double tolerance, int most, double *u) {
  const fc_mg_level *l     = &m->level[0];
  const size_t       bytes = (size_t)((l->nx + 2) * l->ld) * sizeof(double);

  memset(m->x, 0, bytes);
  memset(m->d, 0, bytes);
  memset(l->r, 0, bytes);
  copy_in(l, b, m->r);
  const int iterations = iterate(m, tolerance, most);
  for (int64_t i = 0; i < l->nx; i++)
    memcpy(u + i * l->ny, m->x + (i + 1) * l->ld + 1, (size_t)l->ny * sizeof *u);
  return iterations;
}
