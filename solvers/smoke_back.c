/* solvers/smoke_back.c - a step of the published data sets: values are fetched from where they come from by
   one Euler step back, x - h u(x), and interpolated linearly; smoke first, so that buoyancy is that of the
   new smoke. */
#include "solvers/smoke.h"

#include "core/parallel.h"

#include <math.h>

typedef struct { /* where a field may be read, in indices, and from where on there is no next value */
  double  lo[3], hi[3];
  int32_t top[3];
} range;

static range readable(const fc_smoke *s, int field) {
  range r;

  for (int a = 0; a < 3; a++) {
    const double n = (double)s->n[a];
    r.lo[a]        = field == FC_SMOKE ? 1 : 0;
    r.hi[a]        = field == FC_SMOKE || field == a ? n : n + 1;
    r.top[a]       = (int32_t)s->n[a];
  }
  return r;
}

/* component b at the points of a field, f times it: there, or the mean of the two or four faces around */
FC_SIMD static void component(const fc_smoke *s, double *const *u, int field, int b, int64_t at, int64_t n,
                              double f, double *restrict out) {
  const double *p = u[b] + at, *q = p - s->step[b];

  if (field == b)
    FC_VECTOR for (int64_t k = 0; k < n; k++) out[k] = f * p[k];
  else if (field == FC_SMOKE)
    FC_VECTOR for (int64_t k = 0; k < n; k++) out[k] = f / 2 * (p[k] + q[k]);
  else {
    const double *r = p + s->step[field], *t = q + s->step[field];
    FC_VECTOR for (int64_t k = 0; k < n; k++) out[k] = f / 4 * ((p[k] + q[k]) + (r[k] + t[k]));
  }
}

/* a place along one axis: not a number counts as the lower end, so that every index exists */
static inline double within(double x, double lo, double hi) {
  x = x > lo ? x : lo;
  return x < hi ? x : hi;
}

static inline int32_t below(double x, int32_t top) {
  const int32_t i = (int32_t)x;

  return i < top ? i : top;
}

FC_SIMD static void fetch_2d(const fc_smoke *s, const range *g, const double *restrict x, const double at[3],
                             const double (*restrict back)[FC_SMOKE_TILE], int64_t n, double *restrict out) {
  const int32_t row = (int32_t)s->step[1];

  FC_VECTOR for (int64_t k = 0; k < n; k++) {
    const double  y = within(at[1] - back[1][k], g->lo[1], g->hi[1]);
    const double  z = within(at[2] + (double)(int32_t)k - back[2][k], g->lo[2], g->hi[2]);
    const int32_t j = below(y, g->top[1]), l = below(z, g->top[2]), i = j * row + l;
    const double  v = y - j, w = z - l;
    const double lower = x[i] + w * (x[i + 1] - x[i]), upper = x[i + row] + w * (x[i + row + 1] - x[i + row]);
    out[k] = lower + v * (upper - lower);
  }
}

FC_SIMD static void fetch_3d(const fc_smoke *s, const range *g, const double *restrict x, const double at[3],
                             const double (*restrict back)[FC_SMOKE_TILE], int64_t n, double *restrict out) {
  const int32_t plane = (int32_t)s->step[0], row = (int32_t)s->step[1];

  FC_VECTOR for (int64_t k = 0; k < n; k++) {
    const double  p = within(at[0] - back[0][k], g->lo[0], g->hi[0]);
    const double  y = within(at[1] - back[1][k], g->lo[1], g->hi[1]);
    const double  z = within(at[2] + (double)(int32_t)k - back[2][k], g->lo[2], g->hi[2]);
    const int32_t h = below(p, g->top[0]), j = below(y, g->top[1]), l = below(z, g->top[2]);
    const int32_t i = h * plane + j * row + l, m = i + plane;
    const double  u = p - h, v = y - j, w = z - l;
    const double  a = x[i] + w * (x[i + 1] - x[i]), b = x[i + row] + w * (x[i + row + 1] - x[i + row]);
    const double  c = x[m] + w * (x[m + 1] - x[m]), d = x[m + row] + w * (x[m + row + 1] - x[m + row]);
    const double  lower = a + v * (b - a), upper = c + v * (d - c);
    out[k] = lower + u * (upper - lower);
  }
}

/* one field along row r, into the same places of out */
static void carry_row(const fc_smoke *s, double *const *now, int field, const range *g, int64_t r, double h,
                      double *out) {
  const int64_t n = fc_smoke_inside(s, field, r), at = fc_smoke_row(s, r);
  const double  i0 = (double)(at / s->step[0]), i1 = (double)(at / s->step[1] % s->p[1]);
  double        back[3][FC_SMOKE_TILE];

  for (int64_t k = 0; k < n; k += FC_SMOKE_TILE) {
    const int64_t m        = fc_min64(FC_SMOKE_TILE, n - k);
    const double  place[3] = {i0, i1, (double)(k + 1)};
    for (int b = s->first; b < 3; b++) component(s, now, field, b, at + k, m, h / s->dx[b], back[b]);
    if (s->ndim == 3)
      fetch_3d(s, g, now[field], place, back, m, out + at + k);
    else
      fetch_2d(s, g, now[field], place, back, m, out + at + k);
  }
}

static void carry(const fc_smoke *s, double *const *now, int field, double h, double *const *next) {
  const range g = readable(s, field);

  FC_FOR_ROWS(r, s->rows, 32 * s->n[2]) carry_row(s, now, field, &g, r, h, next[field]);
  fc_smoke_borders(s, field, next[field]);
}

FC_SIMD static void row_buoyancy(double *restrict u, const double *restrict s, double f, int64_t n) {
  FC_VECTOR for (int64_t k = 0; k < n; k++) u[k] += f * (s[k] + s[k + 1]);
}

FC_SIMD static void row_diffuse(const fc_smoke *s, const double *restrict x, double amount, int64_t n,
                                double *restrict out) {
  FC_VECTOR for (int64_t k = 0; k < n; k++) out[k] = x[k];
  for (int a = s->first; a < 3; a++) {
    const double  f  = amount / (s->dx[a] * s->dx[a]);
    const double *up = x + s->step[a], *down = x - s->step[a];
    FC_VECTOR for (int64_t k = 0; k < n; k++) out[k] += f * ((up[k] - x[k]) + (down[k] - x[k]));
  }
}

static void buoyancy(fc_smoke_work *w, double h) {
  const fc_smoke *s = w->s;

  FC_FOR_ROWS(r, s->rows, 2 * s->n[2]) {
    const int64_t at = fc_smoke_row(s, r);
    row_buoyancy(w->next[0][2] + at, w->next[0][FC_SMOKE] + at, h * s->c.buoyancy / 2,
                 fc_smoke_inside(s, 2, r));
  }
  fc_smoke_borders(s, 2, w->next[0][2]);
}

void fc_smoke_step_back(fc_smoke_work *w, double h) {
  const fc_smoke *s     = w->s;
  double         *smoke = w->now[FC_SMOKE];

  carry(s, w->now, FC_SMOKE, h, w->next[0]);
  if (!w->frozen) {
    for (int a = s->first; a < 3; a++) carry(s, w->now, a, h, w->next[0]);
    buoyancy(w, h);
    FC_FOR_ROWS(r, s->rows, 16 * s->n[2]) {
      const int64_t at = fc_smoke_row(s, r);
      for (int a = s->first; a < 3; a++)
        row_diffuse(s, w->next[0][a] + at, h * s->c.nu, fc_smoke_inside(s, a, r), w->now[a] + at);
    }
    fc_smoke_project(w, w->now);
    for (int a = s->first; a < 3; a++) fc_smoke_borders(s, a, w->now[a]);
  }
  w->now[FC_SMOKE]     = w->next[0][FC_SMOKE];
  w->next[0][FC_SMOKE] = smoke;
}
