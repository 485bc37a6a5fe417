/* solvers/chan_sgs_planes.c - gradients, eddy viscosities and stresses, plane by plane. */
#include "solvers/chan_sgs_planes.h"

#include "core/parallel.h"

#include <math.h>
#include <string.h>

static int64_t points(const fc_chan *s) { return s->fft->mx * s->fft->mz; }
static int64_t padded(int64_t n) { return (n + 7) / 8 * 8; }

/* strains are enough */
static bool symmetric(const fc_chan_sgs *e) { return e->model != FC_SGS_WALE && e->model != FC_SGS_VREMAN; }
/* and velocities are needed, to find a constant */
static bool dynamic(const fc_chan_sgs *e) { return e->plane || e->clipped; }

enum { REAL_PLANES = 9 + 3 + 3 + 3, COMPLEX_PLANES = 2 + 3 + 3 };

int64_t fc_chan_sgs_scratch(const fc_chan *s) {
  return (REAL_PLANES + 2 * COMPLEX_PLANES) * padded(points(s)) + 2 * padded(s->nkx * s->row);
}

fc_chan_eddy fc_chan_sgs_window(fc_chan *s, double *at, double *fft_scratch) {
  const int64_t n = padded(points(s));
  fc_chan_eddy  k = {.s = s, .scratch = fft_scratch};

  for (int i = 0; i < 9; i++, at += n) k.g[i] = at;
  for (int i = 0; i < 3; i++, at += 3 * n) k.u[i] = at, k.nu_t[i] = at + n, k.rest[i] = at + 2 * n;
  for (int i = 0; i < 3; i++, at += 4 * n) k.v[i] = at, k.cell[i] = at + 2 * n;
  for (int i = 0; i < 2; i++, at += 2 * n) k.d[i] = at;
  k.a = at;
  k.b = at + padded(s->nkx * s->row);
  for (int a = 0; a < 3; a++) k.in[a] = fc_chan_source(s, a);
  return k;
}

/* ---- derivatives along x and z ---- */

/* out = i (a p + b q); where az is given, its numbers stand for a */
FC_SIMD static void derive(double *restrict out, const double *restrict p, const double *restrict q, double a,
                           const double *restrict az, double b, int64_t nk) {
  FC_VECTOR for (int64_t l = 0; l < nk; l++) {
    const double f = az ? az[l] : a;
    out[l]         = -(f * p[nk + l] + b * q[nk + l]);
    out[nk + l]    = f * p[l] + b * q[l];
  }
}

static const double *row_of(const fc_chan_eddy *k, int a, int64_t i, int64_t y) {
  const fc_chan_row *r = &k->in[a];

  return r->at + i * r->x + (y - r->y0) * r->y;
}

static void to_plane(fc_chan_eddy *k, double *plane) {
  fc_chan_fft_inverse(k->s->fft, k->scratch, k->a, k->s->row, k->b, k->s->row, plane);
}

void fc_chan_sgs_face(fc_chan_eddy *k, int64_t f, double *plane) {
  const fc_chan *s = k->s;

  if (f <= 0 || f >= s->grid->n) {
    memset(plane, 0, (size_t)(2 * points(s)) * sizeof *plane);
    return;
  }
  for (int64_t i = 0; i < s->nkx; i++) {
    const double *v = row_of(k, FC_CHAN_V, i, f);
    derive(k->a + i * s->row, v, v, s->kx[i], NULL, 0, s->nk);
    derive(k->b + i * s->row, v, v, 0, s->kz, 0, s->nk);
  }
  to_plane(k, plane);
}

/* d[0] = u_x + i (u_z + w_x), or d[0] = u_x + i w_x and d[1] = u_z + i w_z */
static void cell_derivatives(fc_chan_eddy *k, int64_t j) {
  const fc_chan *s     = k->s;
  const bool     whole = !symmetric(s->sgs);

  for (int64_t i = 0; i < s->nkx; i++) {
    const double *u = row_of(k, FC_CHAN_U, i, j), *w = row_of(k, FC_CHAN_W, i, j);
    derive(k->a + i * s->row, u, u, s->kx[i], NULL, 0, s->nk);
    if (whole)
      derive(k->b + i * s->row, w, w, s->kx[i], NULL, 0, s->nk);
    else
      derive(k->b + i * s->row, u, w, 0, s->kz, s->kx[i], s->nk);
  }
  to_plane(k, k->d[0]);
  if (!whole) return;
  for (int64_t i = 0; i < s->nkx; i++) {
    const double *u = row_of(k, FC_CHAN_U, i, j), *w = row_of(k, FC_CHAN_W, i, j);
    derive(k->a + i * s->row, u, u, 0, s->kz, 0, s->nk);
    derive(k->b + i * s->row, w, w, 0, s->kz, 0, s->nk);
  }
  to_plane(k, k->d[1]);
}

/* ---- gradients at points of a cell ---- */

typedef struct { /* of a cell: planes, and weights of differences along y */
  const double *below, *here, *above, *lower, *upper, *dv_lower, *dv_upper;
  double        a, b, c; /* half a difference at the lower and the upper face; v_y */
} stencil;

/* S as a symmetric gradient: g[1], g[2], g[5] are half sums */
FC_SIMD static void strains(double *const *g, const double *restrict d, const stencil *t, int64_t n) {
  double *restrict xx = g[0], *restrict xy = g[1], *restrict xz = g[2], *restrict yy = g[4],
                   *restrict yz = g[5], *restrict zz = g[8];
  const double *below = t->below, *here = t->here, *above = t->above, *lower = t->lower, *upper = t->upper,
               *p = t->dv_lower, *q = t->dv_upper;
  const double a = t->a, b = t->b, c = t->c;

  FC_VECTOR for (int64_t i = 0; i < n; i++) {
    const double uy = a * (here[2 * i] - below[2 * i]) + b * (above[2 * i] - here[2 * i]);
    const double wy = a * (here[2 * i + 1] - below[2 * i + 1]) + b * (above[2 * i + 1] - here[2 * i + 1]);
    const double ux = d[2 * i], vy = c * (upper[2 * i] - lower[2 * i]);
    xx[i] = ux;
    yy[i] = vy;
    zz[i] = -ux - vy;
    xz[i] = 0.5 * d[2 * i + 1];
    xy[i] = 0.5 * uy + 0.25 * (p[2 * i] + q[2 * i]);
    yz[i] = 0.5 * wy + 0.25 * (p[2 * i + 1] + q[2 * i + 1]);
  }
}

FC_SIMD static void gradients(double *const *g, const double *restrict d, const double *restrict e,
                              const stencil *t, int64_t n) {
  double *restrict xx = g[0], *restrict xy = g[1], *restrict xz = g[2], *restrict yx = g[3],
                   *restrict yy = g[4], *restrict yz = g[5], *restrict zx = g[6], *restrict zy = g[7],
                   *restrict zz = g[8];
  const double *below = t->below, *here = t->here, *above = t->above, *lower = t->lower, *upper = t->upper,
               *p = t->dv_lower, *q = t->dv_upper;
  const double a = t->a, b = t->b, c = t->c;

  FC_VECTOR for (int64_t i = 0; i < n; i++) {
    xx[i] = d[2 * i];
    zx[i] = d[2 * i + 1];
    xz[i] = e[2 * i];
    zz[i] = e[2 * i + 1];
    yy[i] = c * (upper[2 * i] - lower[2 * i]);
    xy[i] = a * (here[2 * i] - below[2 * i]) + b * (above[2 * i] - here[2 * i]);
    zy[i] = a * (here[2 * i + 1] - below[2 * i + 1]) + b * (above[2 * i + 1] - here[2 * i + 1]);
    yx[i] = 0.5 * (p[2 * i] + q[2 * i]);
    yz[i] = 0.5 * (p[2 * i + 1] + q[2 * i + 1]);
  }
}

FC_SIMD static void velocities(double *const *u, const stencil *t, int64_t n) {
  double *restrict x = u[0], *restrict y = u[1], *restrict z = u[2];
  const double *here = t->here, *lower = t->lower, *upper = t->upper;

  FC_VECTOR for (int64_t i = 0; i < n; i++) {
    x[i] = here[2 * i];
    y[i] = 0.5 * (lower[2 * i] + upper[2 * i]);
    z[i] = here[2 * i + 1];
  }
}

/* ---- nu_t ---- */

static bool keeps(const fc_chan_eddy *k, int64_t j) { return j >= k->from && j < k->to; }

static void dynamic_plane(fc_chan_eddy *k, int64_t j, const double *const g[9], double *nu_t) {
  fc_chan_sgs *e = k->s->sgs;
  double       c;

  if (!e->due) {
    fc_sgs_eddies(points(k->s), g, e->found[j], e->least, nu_t);
    return;
  }
  c = fc_sgs_plane_find(e->plane, fc_thread(), (const double *const *)k->u, g, nu_t);
  fc_sgs_close(points(k->s), c, e->least, nu_t);
  if (keeps(k, j)) e->found[j] = c;
}

/* c of a line x, between those of the flow's points: straight lines keep it positive */
static void clipped_plane(fc_chan_eddy *k, int64_t j, const double *const g[9], double *nu_t) {
  const fc_chan *s  = k->s;
  const int64_t  nx = s->c.nx, mz = s->fft->mz;
  const double  *c = s->sgs->lines + j * nx, step = (double)nx / (double)s->fft->mx;

  fc_sgs_eddies(points(s), g, 1, 0, nu_t);
  for (int64_t i = 0; i < s->fft->mx; i++) {
    const int64_t lo = (int64_t)(step * (double)i);
    const double  a  = step * (double)i - (double)lo;
    fc_sgs_close(mz, (1 - a) * c[lo] + a * c[(lo + 1) % nx], 0, nu_t + i * mz);
  }
}

static void viscosity(fc_chan_eddy *k, int64_t j, double *nu_t) {
  const fc_chan     *s   = k->s;
  const fc_chan_sgs *e   = s->sgs;
  const double  width[3] = {s->c.length_x / (double)s->c.nx, s->grid->dc[j], s->c.length_z / (double)s->c.nz};
  const bool    half     = symmetric(e);
  const double *g[9]     = {
          k->g[0], k->g[1], k->g[2], k->g[half ? 1 : 3], k->g[4], k->g[5], k->g[half ? 2 : 6], k->g[half ? 5 : 7],
          k->g[8]};

  if (e->plane)
    dynamic_plane(k, j, g, nu_t);
  else if (e->clipped)
    clipped_plane(k, j, g, nu_t);
  else
    fc_sgs_viscosity(e->model, e->constant, points(s), g, width, e->damping[j], nu_t);
}

static void look(fc_chan_eddy *k, int64_t j) {
  const double *const g[9] = {k->g[0], k->g[1], k->g[2], k->g[1], k->g[4],
                              k->g[5], k->g[2], k->g[5], k->g[8]};

  if (keeps(k, j) && j >= k->s->y_lo)
    fc_sgs_clipped_line(k->s->sgs->clipped, j - k->s->y_lo, (const double *const *)k->u, g);
}

/* ---- stresses ---- */

/* with gradients, xz + zx is twice what the half sum is */
FC_SIMD static void cell_stress(double *restrict out, double *restrict rest, const double *restrict nu_t,
                                double *const *g, bool whole, int64_t n) {
  const double *restrict xx = g[0], *restrict xz = g[2], *restrict yy = g[4], *restrict zz = g[8];
  const double *restrict zx = g[whole ? 6 : 2];

  FC_VECTOR for (int64_t i = 0; i < n; i++) {
    const double t = 2 * nu_t[i];
    out[2 * i]     = t * (xx[i] - zz[i]);
    out[2 * i + 1] = 0.5 * t * (xz[i] + zx[i]);
    rest[i]        = t * (yy[i] - zz[i]);
  }
}

FC_SIMD static double sum(const double *x, int64_t n) {
  double all = 0;

  FC_REDUCE(+, all) for (int64_t i = 0; i < n; i++) all += x[i];
  return all;
}

FC_SIMD static double most(const double *x, int64_t n) {
  double top = 0;

  FC_REDUCE(max, top) for (int64_t i = 0; i < n; i++) top = x[i] > top ? x[i] : top;
  return top;
}

static void note(fc_chan_eddy *k, int64_t j, const double *nu_t) {
  const fc_chan *s = k->s;

  if (!keeps(k, j) || j < s->y_lo) return;
  s->sgs->mean[j - s->y_lo]  = sum(nu_t, points(s)) / (double)points(s);
  s->sgs->most[j - s->y_lo]  = most(nu_t, points(s));
  s->sgs->shear[j - s->y_lo] = 0;
}

void fc_chan_sgs_cell(fc_chan_eddy *k, int i, int64_t j, double *const uw[3], const double *lower,
                      const double *upper, const double *dv_lower, const double *dv_upper, bool looking) {
  const fc_chan      *s = k->s;
  const fc_chan_grid *y = s->grid;
  const int64_t       n = points(s);
  const stencil       t = {
            uw[0],       uw[1], uw[2], lower, upper, dv_lower, dv_upper, 0.5 / y->df[j], 0.5 / y->df[j + 1],
            1 / y->dc[j]};

  cell_derivatives(k, j);
  if (symmetric(s->sgs))
    strains(k->g, k->d[0], &t, n);
  else
    gradients(k->g, k->d[0], k->d[1], &t, n);
  if (dynamic(s->sgs) && s->sgs->due) velocities(k->u, &t, n);
  if (looking) {
    look(k, j);
    return;
  }
  viscosity(k, j, k->nu_t[i]);
  note(k, j, k->nu_t[i]);
  cell_stress(k->cell[i], k->rest[i], k->nu_t[i], k->g, !symmetric(s->sgs), n);
}

void fc_chan_sgs_nothing(fc_chan_eddy *k, int i) {
  memset(k->nu_t[i], 0, (size_t)points(k->s) * sizeof **k->nu_t);
  memset(k->rest[i], 0, (size_t)points(k->s) * sizeof **k->rest);
}

static void swap(double **a, double **b) {
  double *c = *a;

  *a = *b;
  *b = c;
}

void fc_chan_sgs_shift(fc_chan_eddy *k) {
  swap(&k->v[0], &k->v[2]);
  swap(&k->nu_t[0], &k->nu_t[2]);
  swap(&k->rest[0], &k->rest[2]);
}

/* ---- off the products ---- */

FC_SIMD static void take_off(double *restrict out, const double *restrict x, int64_t n) {
  FC_VECTOR for (int64_t i = 0; i < n; i++) out[i] -= x[i];
}

void fc_chan_sgs_off_cell(const fc_chan_eddy *k, int i, int64_t at, int64_t n, double *out) {
  take_off(out, k->cell[i] + 2 * at, 2 * n);
}

/* (T_xy, T_yz) at a face, off out; returns the sum of T_xy */
FC_SIMD static double face_stress(double *restrict out, const double *restrict below,
                                  const double *restrict above, const double *restrict v,
                                  const double *restrict p, const double *restrict q, double c, int64_t n) {
  double all = 0;

  FC_REDUCE(+, all) for (int64_t i = 0; i < n; i++) {
    const double t = 0.5 * (p[i] + q[i]), x = t * (c * (above[2 * i] - below[2 * i]) + v[2 * i]),
                 z = t * (c * (above[2 * i + 1] - below[2 * i + 1]) + v[2 * i + 1]);
    out[2 * i] -= x;
    out[2 * i + 1] -= z;
    all += x;
  }
  return all;
}

void fc_chan_sgs_off_face(fc_chan_eddy *k, int i, int64_t f, int64_t at, const double *below,
                          const double *above, int64_t n, double *out) {
  const fc_chan *s = k->s;

  if (f == 0) return; /* nu_t is zero at walls */
  s->sgs->shear[f - s->y_lo] += face_stress(out, below + 2 * at, above + 2 * at, k->v[i - 1] + 2 * at,
                                            k->nu_t[i - 1] + at, k->nu_t[i] + at, 1 / s->grid->df[f], n) /
                                (double)points(s);
}

FC_SIMD static void add_differences(double *restrict out, const double *restrict x, const double *restrict y,
                                    const double *restrict z, double a, double b, int64_t n) {
  FC_VECTOR for (int64_t i = 0; i < n; i++) {
    out[2 * i] += a * (y[i] - x[i]);
    out[2 * i + 1] += b * (z[i] - y[i]);
  }
}

/* a, b: 1/df of the faces below slots 1 and 2, 0 where nothing is wanted */
void fc_chan_sgs_off_rest(const fc_chan_eddy *k, int64_t at, double a, double b, int64_t n, double *out) {
  add_differences(out, k->rest[0] + at, k->rest[1] + at, k->rest[2] + at, a, b, n);
}
