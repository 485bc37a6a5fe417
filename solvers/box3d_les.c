/* solvers/box3d_les.c - gradients to points, stresses back. div u = 0, so S has no trace and five components
   of the stress are enough: xx, yy, xy, xz, yz. */
#include "solvers/box3d_les.h"

#include "core/parallel.h"

#include <string.h>

enum { GRADIENTS = 9, STRESSES = 5 };

typedef struct {
  const fc_box3d *s;
  fc_box3d_work  *k;
  double *const *u, *const *v, *const *g, *const *force;
  const double      *nu_t;
  fc_box3d_viscosity viscosity;
  void              *self;
} trip;

/* ---- spectra ---- */

/* out[3] = i k u for one row */
FC_SIMD static void gradient_row(double *restrict x, double *restrict y, double *restrict z,
                                 const double *restrict u, double kx, double ky, const double *restrict kz,
                                 int64_t n) {
  FC_VECTOR for (int64_t j = 0; j < n; j++) {
    const double re = u[2 * j], im = u[2 * j + 1];
    x[2 * j]     = -kx * im;
    x[2 * j + 1] = kx * re;
    y[2 * j]     = -ky * im;
    y[2 * j + 1] = ky * re;
    z[2 * j]     = -kz[j] * im;
    z[2 * j + 1] = kz[j] * re;
  }
}

static void give_gradients(void *self, int64_t j, int64_t i, double *const *row) {
  const trip     *t = self;
  const fc_box3d *s = t->s;

  for (int a = 0; a < 3; a++)
    gradient_row(row[3 * a], row[3 * a + 1], row[3 * a + 2], fc_box3d_row(s, t->u[a], j, i), s->k[i],
                 s->k[s->grid->k0 + j], s->kz, s->grid->mz);
}

static void give_velocity(void *self, int64_t j, int64_t i, double *const *row) {
  const trip *t = self;

  for (int a = 0; a < 3; a++)
    memcpy(row[a], fc_box3d_row(t->s, t->u[a], j, i), (size_t)(2 * t->s->grid->mz) * sizeof **row);
}

/* f = scale i (kx a + ky b + kz c) */
FC_SIMD static void divergence_row(double *restrict f, const double *restrict a, const double *restrict b,
                                   const double *restrict c, double kx, double ky, const double *restrict kz,
                                   double scale, int64_t n) {
  FC_VECTOR for (int64_t j = 0; j < n; j++) {
    f[2 * j]     = -scale * (kx * a[2 * j + 1] + ky * b[2 * j + 1] + kz[j] * c[2 * j + 1]);
    f[2 * j + 1] = scale * (kx * a[2 * j] + ky * b[2 * j] + kz[j] * c[2 * j]);
  }
}

static void take_stress(void *self, int64_t j, int64_t i, double *const *row) {
  const trip     *t  = self;
  const fc_box3d *s  = t->s;
  const int64_t   n  = s->grid->mz;
  const double    kx = s->k[i], ky = s->k[s->grid->k0 + j], m = (double)s->grid->m, scale = 1 / (m * m * m);
  double *const  *f = t->force;

  divergence_row(fc_box3d_row(s, f[0], j, i), row[0], row[2], row[3], kx, ky, s->kz, scale, n);
  divergence_row(fc_box3d_row(s, f[1], j, i), row[2], row[1], row[4], kx, ky, s->kz, scale, n);
  for (int64_t c = 0; c < 2 * n; c++) row[0][c] = -row[0][c] - row[1][c]; /* zz */
  divergence_row(fc_box3d_row(s, f[2], j, i), row[3], row[4], row[0], kx, ky, s->kz, scale, n);
}

/* ---- points ---- */

/* 2 nu_t S over the first five of g */
FC_SIMD static void stress(double *const *g, const double *restrict nu_t, int64_t n) {
  double *restrict xx = g[0], *restrict xy = g[1], *restrict xz = g[2], *restrict yx = g[3],
                   *restrict yy = g[4];
  const double *restrict yz = g[5], *restrict zx = g[6], *restrict zy = g[7];

  FC_VECTOR for (int64_t i = 0; i < n; i++) {
    const double a = 2 * nu_t[i] * xx[i], b = 2 * nu_t[i] * yy[i], c = nu_t[i] * (xy[i] + yx[i]),
                 d = nu_t[i] * (xz[i] + zx[i]), e = nu_t[i] * (yz[i] + zy[i]);
    xx[i] = a;
    xy[i] = b;
    xz[i] = c;
    yx[i] = d;
    yy[i] = e;
  }
}

static void point_eddies(void *self, int64_t x, int64_t y, double *const *f) {
  const trip     *t = self;
  const fc_slab3 *g = t->s->grid;
  const int64_t   n = 2 * g->lines * g->m;

  (void)x, (void)y;
  t->viscosity(t->self, n, (const double *const *)f, f[GRADIENTS]);
  stress(f, f[GRADIENTS], n);
}

/* The planes x and x + 1 of a block take turns; arrays of slabs have one after the other. */
static void part(const fc_slab3 *g, int64_t x, int64_t y, const double *f, double *slab) {
  const int64_t n = g->lines * g->m;

  for (int64_t b = 0; b < 2 && x + b < g->nx; b++)
    for (int64_t i = 0; i < n; i++) slab[((x + b) * g->m + y) * g->m + i] = f[2 * i + b];
}

static void join(const fc_slab3 *g, int64_t x, int64_t y, const double *slab, double *f) {
  const int64_t n = g->lines * g->m;

  for (int64_t b = 0; b < 2; b++)
    for (int64_t i = 0; i < n; i++) f[2 * i + b] = x + b < g->nx ? slab[((x + b) * g->m + y) * g->m + i] : 0;
}

static void point_gradients(void *self, int64_t x, int64_t y, double *const *f) {
  const trip *t = self;

  for (int a = 0; a < GRADIENTS; a++) part(t->s->grid, x, y, f[a], t->g[a]);
}

static void point_velocity(void *self, int64_t x, int64_t y, double *const *f) {
  const trip *t = self;

  for (int a = 0; a < 3; a++) part(t->s->grid, x, y, f[a], t->v[a]);
}

static void point_stress(void *self, int64_t x, int64_t y, double *const *f) {
  const trip     *t = self;
  const fc_slab3 *g = t->s->grid;

  for (int a = 0; a < GRADIENTS - 1; a++) join(g, x, y, t->g[a], f[a]);
  join(g, x, y, t->nu_t, f[GRADIENTS]);
  stress(f, f[GRADIENTS], 2 * g->lines * g->m);
}

/* ---- journeys ---- */

fc_status fc_box3d_eddies(const fc_box3d *s, fc_box3d_work *k, double *const *u, fc_box3d_viscosity viscosity,
                          void *self, double *const *force) {
  static const fc_slab3_pass pass = {GRADIENTS, STRESSES, give_gradients, point_eddies, take_stress};
  trip                       t    = {s, k, u, .force = force, .viscosity = viscosity, .self = self};

  return fc_slab3_run(s->grid, &pass, &t);
}

fc_status fc_box3d_points(const fc_box3d *s, fc_box3d_work *k, double *const *u, double *const *v,
                          double *const *g) {
  static const fc_slab3_pass gradients = {GRADIENTS, 0, give_gradients, point_gradients, NULL};
  static const fc_slab3_pass velocity  = {3, 0, give_velocity, point_velocity, NULL};
  trip                       t         = {s, k, u, v, g};

  if (v) FC_TRY(fc_slab3_run(s->grid, &velocity, &t));
  return fc_slab3_run(s->grid, &gradients, &t);
}

fc_status fc_box3d_stress(const fc_box3d *s, fc_box3d_work *k, const double *nu_t, double *const *g,
                          double *const *force) {
  static const fc_slab3_pass pass = {0, STRESSES, NULL, point_stress, take_stress};
  trip                       t    = {s, k, .g = g, .nu_t = nu_t, .force = force};

  return fc_slab3_run(s->grid, &pass, &t);
}
