/* solvers/smoke_volumes.c - balances of cells (smoke) and of the volumes around faces (momentum); three
   projected stages a step. */
#include "solvers/smoke.h"

#include "core/parallel.h"

#include <math.h>

/* ---- smoke ---- */

/* What the flow carries from cell c to d, b being behind c: c + (2 (d - c) + (c - b)) / 6, with limits that
   keep it between the cells around (B. Koren, in: Numerical Methods for Advection-Diffusion Problems, 1993).
 */
static inline double carried(double b, double c, double d) {
  const double p = c - b, q = d - c, ap = 2 * fabs(p), aq = 2 * fabs(q), mean = fabs(p + 2 * q) / 3;
  double       most = ap < aq ? ap : aq;

  most = most < mean ? most : mean;
  most = p * q > 0 ? most : 0;
  return c + (q > 0 ? most : -most) / 2;
}

/* rate += f flux through faces; cells x[k] and x[k + one] are on both sides of face k */
FC_SIMD static void row_flux(const double *restrict x, const double *restrict u, int64_t one, double f,
                             int64_t n, double *restrict rate) {
  const double *before = x - one, *after = x + one, *beyond = x + 2 * one;

  FC_VECTOR for (int64_t k = 0; k < n; k++) {
    const double forth = carried(before[k], x[k], after[k]), back = carried(beyond[k], after[k], x[k]);
    rate[k] += f * u[k] * (u[k] > 0 ? forth : back);
  }
}

/* does the lower face of row r lie on a wall */
static bool first_along(const fc_smoke *s, int axis, int64_t r) {
  return axis == 0 ? r / s->n[1] == 0 : axis == 1 && r % s->n[1] == 0;
}

/* Of n cells from column k of row r. Each face counts twice, with the same number: the total is kept. */
static void smoke_rate(const fc_smoke *s, double *const *u, const double *x, int64_t r, int64_t k, int64_t n,
                       double *rate) {
  for (int a = s->first; a < 3; a++) {
    const int64_t at = fc_smoke_row(s, r) + k, one = s->step[a], upper = fc_smoke_inside(s, a, r) - k;
    const int64_t skip = a == 2 && k == 0;
    row_flux(x + at, u[a] + at, one, -1 / s->dx[a], fc_min64(n, upper), rate);
    if (!first_along(s, a, r))
      row_flux(x + at + skip - one, u[a] + at + skip - one, one, 1 / s->dx[a], n - skip, rate + skip);
  }
}

/* ---- momentum ---- */

/* rate -= difference along an axis of (mean of u along it) (mean of the other component v along u's own) */
FC_SIMD static void row_momentum(const double *u, const double *v, int64_t own, int64_t one, double f,
                                 int64_t n, double *restrict rate) {
  FC_VECTOR for (int64_t k = 0; k < n; k++) {
    const double up   = (u[k] + u[k + one]) * (v[k] + v[k + own]);
    const double down = (u[k - one] + u[k]) * (v[k - one] + v[k - one + own]);
    rate[k] -= f / 4 * (up - down);
  }
}

FC_SIMD static void row_friction(const double *u, int64_t one, double f, int64_t n, double *restrict rate) {
  FC_VECTOR for (int64_t k = 0; k < n; k++) rate[k] += f * ((u[k + one] - u[k]) + (u[k - one] - u[k]));
}

FC_SIMD static void row_buoyancy(const double *s, double f, int64_t n, double *restrict rate) {
  FC_VECTOR for (int64_t k = 0; k < n; k++) rate[k] += f / 2 * (s[k] + s[k + 1]);
}

static void momentum_rate(const fc_smoke *s, double *const *x, int a, int64_t at, int64_t n, double *rate) {
  for (int b = s->first; b < 3; b++) {
    const double inverse = 1 / s->dx[b];
    row_momentum(x[a] + at, x[b] + at, s->step[a], s->step[b], inverse, n, rate);
    row_friction(x[a] + at, s->step[b], s->c.nu * inverse * inverse, n, rate);
  }
  if (a == 2) row_buoyancy(x[FC_SMOKE] + at, s->c.buoyancy, n, rate);
}

/* ---- stages ---- */

FC_SIMD static void row_join(double *restrict out, const double *base, const double *in, const double *rate,
                             double a, double b, double h, int64_t n) {
  FC_VECTOR for (int64_t k = 0; k < n; k++) out[k] = a * base[k] + b * (in[k] + h * rate[k]);
}

typedef struct {                                              /* out = a base + b (in + h rate(in)) */
  double *const *out, *const *base, *const *in, *const *flow; /* the velocity that carries smoke */
  double a, b, h;
} stage;

static void stage_row(const fc_smoke *s, const stage *g, int field, int64_t r) {
  const int64_t n = fc_smoke_inside(s, field, r), first = fc_smoke_row(s, r);

  for (int64_t k = 0; k < n; k += FC_SMOKE_TILE) {
    const int64_t m = fc_min64(FC_SMOKE_TILE, n - k), at = first + k;
    double        rate[FC_SMOKE_TILE] = {0};
    if (field == FC_SMOKE)
      smoke_rate(s, g->flow, g->in[FC_SMOKE], r, k, m, rate);
    else
      momentum_rate(s, g->in, field, at, m, rate);
    row_join(g->out[field] + at, g->base[field] + at, g->in[field] + at, rate, g->a, g->b, g->h, m);
  }
}

static void run_stage(fc_smoke_work *w, const stage *g) {
  const fc_smoke *s     = w->s;
  const int       first = w->frozen ? FC_SMOKE : s->first;

  FC_FOR_ROWS(r, s->rows, 64 * s->n[2]) {
    for (int f = first; f < FC_SMOKE_FIELDS; f++) stage_row(s, g, f, r);
  }
  if (!w->frozen) fc_smoke_project(w, g->out);
  for (int f = first; f < FC_SMOKE_FIELDS; f++) fc_smoke_borders(s, f, g->out[f]);
}

/* Projection and the combinations commute: stages are as divergence-free as what they combine. */
void fc_smoke_step_volumes(fc_smoke_work *w, double h) {
  const int      first = w->frozen ? FC_SMOKE : w->s->first;
  double *const *u = w->now, *const *v = w->next[0], *const *z = w->next[1];

  run_stage(w, &(stage){v, u, u, u, 0, 1, h});
  run_stage(w, &(stage){z, u, v, w->frozen ? u : v, 3.0 / 4, 1.0 / 4, h});
  run_stage(w, &(stage){v, u, z, w->frozen ? u : z, 1.0 / 3, 2.0 / 3, h});
  for (int f = first; f < FC_SMOKE_FIELDS; f++) {
    double *old   = w->now[f];
    w->now[f]     = w->next[0][f];
    w->next[0][f] = old;
  }
}

void fc_smoke_step(fc_smoke_work *w, double h) {
  if (w->s->c.scheme == FC_SMOKE_VOLUMES)
    fc_smoke_step_volumes(w, h);
  else
    fc_smoke_step_back(w, h);
}
