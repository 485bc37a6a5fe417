/* solvers/box3d_sgs.c */
#include "solvers/box3d_sgs.h"

#include "core/parallel.h"
#include "solvers/fft2.h"
#include "solvers/sgs_clipped.h"
#include "solvers/sgs_dynamic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* fields on their way in: u, v, w, then S or the gradients g in this order */
enum { XX = 3, YY, XY, XZ, YZ, YX, ZX, ZY, STRAINS = YX, GRADIENTS = ZY + 1, STRESSES = 5, STORED = 9 };

struct fc_box3d_sgs {
  int             model;
  double          constant, width, least, limit; /* limit: speed = limit nu_t keeps the step stable */
  bool            due;
  double          found; /* (C D)^2, or its mean */
  fc_sgs_box     *box;
  fc_sgs_clipped *clipped;
  double         *store[STORED]; /* u, v, w, S_xx .. S_zz on this rank's points, for dynamic models */
  double *coarse, *c_line;       /* of the clipped one: [keep, keep] as found, [nx, m] on lines of the grid */
  double *part[4];               /* of each pair of planes: largest speed; nu_t: sum, largest; dissipation */
  int     lanes;
  int64_t each;
  double *work, *block; /* of a lane: nu_t and S_zz of a block */
};

static bool dynamic(int model) { return model == FC_SGS_DYNAMIC || model == FC_SGS_DYNAMIC_CLIPPED; }
static bool strain_only(int model) { return dynamic(model) || model == FC_SGS_SMAGORINSKY; }

int fc_box3d_sgs_fields(const fc_box3d_config *c) { return strain_only(c->sgs) ? STRAINS : GRADIENTS; }

/* ---- making ---- */

static int64_t round_up(int64_t n) { return fc_ceil_div(n, 8) * 8; }

/* all arrays out of one block; block NULL: only its size */
static int64_t lay_out(const fc_box3d *s, fc_box3d_sgs *e, double *block) {
  const fc_slab3 *g      = s->grid;
  const int64_t   points = dynamic(e->model) ? g->nx * g->m * g->m : 0;
  const int64_t   keep = 2 * g->top + 2, clipped = e->model == FC_SGS_DYNAMIC_CLIPPED;
  int64_t         at = 0;

#define TAKE(p, size) ((p) = block ? block + at : NULL, at += round_up(size))
  for (int f = 0; f < STORED; f++) TAKE(e->store[f], points);
  TAKE(e->coarse, clipped * keep * keep);
  TAKE(e->c_line, clipped * g->nx * g->m);
  for (int f = 0; f < 4; f++) TAKE(e->part[f], g->nx + 1);
  TAKE(e->work, 2 * e->lanes * e->each);
#undef TAKE
  return at;
}

static fc_status create_model(const fc_box3d *s, fc_box3d_sgs *e) {
  const int64_t m = s->grid->m, keep = 2 * s->grid->top + 2, n[3] = {m, m, m}, k[3] = {keep, keep, keep};
  const double  d[3] = {e->width, e->width, e->width};

  if (e->model == FC_SGS_DYNAMIC)
    return fc_sgs_box_create(s->shared, s->c.test_filter, n, k, s->c.fft, &e->box);
  if (e->model == FC_SGS_DYNAMIC_CLIPPED)
    return fc_sgs_clipped_create(s->shared, n, k, NULL, d, e->constant, &e->clipped);
  return FC_OK;
}

fc_status fc_box3d_sgs_create(const fc_box3d *s, fc_box3d_sgs **out) {
  const double  unit = 2 * M_PI / s->c.length, top = unit * (double)s->grid->top;
  fc_box3d_sgs *e = calloc(1, sizeof *e);
  fc_status     status;

  *out = NULL;
  FC_REQUIRE(e, FC_E_SYSTEM, "no memory for the subgrid model");
  e->model    = s->c.sgs;
  e->constant = fc_sgs_constant(s->c.sgs, s->c.sgs_constant, false);
  e->width    = s->c.length / (double)(2 * s->grid->top + 2);
  e->least    = fc_sgs_least(s->c.sgs_clip, s->c.nu);
  e->limit    = s->c.cfl * s->dx * 3 * top * top / 2; /* Runge-Kutta: nu_t k^2 dt < 2.5 */
  e->due      = true;
  e->lanes    = fc_threads();
  e->each     = round_up(2 * s->grid->lines * s->grid->m);
  e->block    = fc_fft2_alloc(lay_out(s, e, NULL));
  status      = e->block ? create_model(s, e) : fc_fail(FC_E_SYSTEM, "no memory for the subgrid model");
  if (status != FC_OK) {
    fc_box3d_sgs_destroy(e);
    return status;
  }
  lay_out(s, e, e->block);
  *out = e;
  return FC_OK;
}

void fc_box3d_sgs_destroy(fc_box3d_sgs *e) {
  if (!e) return;
  fc_sgs_box_destroy(e->box);
  fc_sgs_clipped_destroy(e->clipped);
  free(e->block);
  free(e);
}

/* with the part of the models themselves estimated: nine pairs on the points of the test filter, twice */
int64_t fc_box3d_sgs_bytes(const fc_box3d_config *c, int ranks) {
  int64_t m, top;

  fc_box3d_grid(c, &m, &top);
  if (!dynamic(c->sgs)) return 0;
  const int64_t half = c->sgs == FC_SGS_DYNAMIC && c->test_filter == FC_SGS_CUTOFF ? top + 1 : 2 * top + 2;
  return (int64_t)sizeof(double) * fc_ceil_div(STORED * m * m * m + 36 * 2 * m * half * half, ranks);
}

void fc_box3d_sgs_renew(fc_box3d_sgs *e) { e->due = true; }

/* ---- spectra ---- */

typedef struct {
  const fc_box3d *s;
  fc_box3d_work  *k;
  double *const  *u;
  fc_box3d_use    use;
  void           *self;
} trip;

/* out = i (a p + b q)/c; the factors may differ along z */
FC_SIMD static void derive(double *restrict out, const double *restrict p, const double *restrict q, double a,
                           const double *restrict az, double b, double c, int64_t n) {
  FC_VECTOR for (int64_t j = 0; j < n; j++) {
    const double f = az ? az[j] : a;
    out[2 * j]     = -(f * p[2 * j + 1] + b * q[2 * j + 1]) * c;
    out[2 * j + 1] = (f * p[2 * j] + b * q[2 * j]) * c;
  }
}

/* |u|^2 k^2 of a row, with the modes it stands for: the square of the vorticity */
FC_SIMD static double square_row(const double *restrict u, const double *restrict v, const double *restrict w,
                                 double kxy2, const double *restrict kz2, int64_t n) {
  double all = 0, zero = 0;

  for (int c = 0; c < 2; c++) zero += u[c] * u[c] + v[c] * v[c] + w[c] * w[c];
  FC_REDUCE(+, all)
  for (int64_t j = 0; j < n; j++)
    all +=
        (kxy2 + kz2[j]) * (u[2 * j] * u[2 * j] + u[2 * j + 1] * u[2 * j + 1] + v[2 * j] * v[2 * j] +
                           v[2 * j + 1] * v[2 * j + 1] + w[2 * j] * w[2 * j] + w[2 * j + 1] * w[2 * j + 1]);
  return 2 * all - kxy2 * zero;
}

static void velocities(const trip *t, int64_t j, int64_t i, double *const *row) {
  for (int a = 0; a < 3; a++)
    memcpy(row[a], fc_box3d_row(t->s, t->u[a], j, i), (size_t)(2 * t->s->grid->mz) * sizeof **row);
}

static void give_strains(void *self, int64_t j, int64_t i, double *const *row) {
  const trip   *t  = self;
  const double *kz = t->s->kz, kx = t->s->k[i], ky = t->s->k[t->s->grid->k0 + j];
  const int64_t n = t->s->grid->mz;

  velocities(t, j, i, row);
  derive(row[XX], row[0], row[0], kx, NULL, 0, 1, n);
  derive(row[YY], row[1], row[1], ky, NULL, 0, 1, n);
  derive(row[XY], row[0], row[1], ky, NULL, kx, 0.5, n);
  derive(row[XZ], row[0], row[2], 0, kz, kx, 0.5, n);
  derive(row[YZ], row[1], row[2], 0, kz, ky, 0.5, n);
}

static void give_gradients(void *self, int64_t j, int64_t i, double *const *row) {
  const trip   *t  = self;
  const double *kz = t->s->kz, kx = t->s->k[i], ky = t->s->k[t->s->grid->k0 + j];
  const int64_t n = t->s->grid->mz;

  velocities(t, j, i, row);
  derive(row[XX], row[0], row[0], kx, NULL, 0, 1, n);
  derive(row[XY], row[0], row[0], ky, NULL, 0, 1, n);
  derive(row[XZ], row[0], row[0], 0, kz, 0, 1, n);
  derive(row[YX], row[1], row[1], kx, NULL, 0, 1, n);
  derive(row[YY], row[1], row[1], ky, NULL, 0, 1, n);
  derive(row[YZ], row[1], row[1], 0, kz, 0, 1, n);
  derive(row[ZX], row[2], row[2], kx, NULL, 0, 1, n);
  derive(row[ZY], row[2], row[2], ky, NULL, 0, 1, n);
}

static void give(void *self, int64_t j, int64_t i, double *const *row) {
  const trip     *t  = self;
  const fc_slab3 *g  = t->s->grid;
  const double    kx = t->s->k[i], ky = t->s->k[g->k0 + j];

  if (strain_only(t->s->c.sgs))
    give_strains(self, j, i, row);
  else
    give_gradients(self, j, i, row);
  if (i == 0) t->k->part[0][j] = 0;
  t->k->part[0][j] += square_row(row[0], row[1], row[2], kx * kx + ky * ky, t->s->kz2, g->mz);
}

/* -div T from xx - zz, yy - zz, xy, xz, yz, over the first three */
FC_SIMD static void divergence(double *restrict xx, double *restrict yy, double *restrict xy,
                               const double *restrict xz, const double *restrict yz, double kx, double ky,
                               const double *restrict kz, int64_t n) {
  FC_VECTOR for (int64_t j = 0; j < n; j++) {
    const double ar = xx[2 * j], ai = xx[2 * j + 1], br = yy[2 * j], bi = yy[2 * j + 1], cr = xy[2 * j],
                 ci = xy[2 * j + 1], dr = xz[2 * j], di = xz[2 * j + 1], er = yz[2 * j], ei = yz[2 * j + 1];
    xx[2 * j]     = kx * ai + ky * ci + kz[j] * di;
    xx[2 * j + 1] = -(kx * ar + ky * cr + kz[j] * dr);
    yy[2 * j]     = kx * ci + ky * bi + kz[j] * ei;
    yy[2 * j + 1] = -(kx * cr + ky * br + kz[j] * er);
    xy[2 * j]     = kx * di + ky * ei;
    xy[2 * j + 1] = -(kx * dr + ky * er);
  }
}

static void take(void *self, int64_t j, int64_t i, double *const *row) {
  const trip     *t = self;
  const fc_box3d *s = t->s;

  divergence(row[0], row[1], row[2], row[3], row[4], s->k[i], s->k[s->grid->k0 + j], s->kz, s->grid->mz);
  fc_box3d_finish(s, t->k, t->u, j, i, row, t->use, t->self);
}

/* ---- points ---- */

/* S_zz = -S_xx - S_yy: the flow is solenoidal */
FC_SIMD static void third(double *restrict zz, const double *restrict xx, const double *restrict yy,
                          int64_t n) {
  FC_VECTOR for (int64_t i = 0; i < n; i++) zz[i] = -xx[i] - yy[i];
}

FC_SIMD static void symmetrise(double *restrict a, const double *restrict b, int64_t n) {
  FC_VECTOR for (int64_t i = 0; i < n; i++) a[i] = (a[i] + b[i]) / 2;
}

/* the clipped model: nu_t = c |S|, c known for each line of both planes */
static void scale_lines(const fc_box3d *s, const fc_box3d_sgs *e, int64_t x, int64_t y, double *nu_t) {
  const int64_t m = s->grid->m;

  for (int64_t l = 0; l < s->grid->lines; l++)
    for (int b = 0; b < 2; b++) {
      const double c = x + b < s->grid->nx ? e->c_line[(x + b) * m + y + l] : 0;
      for (int64_t i = 0; i < m; i++) nu_t[2 * (l * m + i) + b] *= c;
    }
}

static void viscosity(const fc_box3d *s, const fc_box3d_sgs *e, int64_t x, int64_t y, double *const *f,
                      double *zz, double *nu_t) {
  const int64_t n        = 2 * s->grid->lines * s->grid->m;
  const bool    strains  = strain_only(e->model);
  const double  width[3] = {e->width, e->width, e->width};
  const double *g[9]     = {f[XX], f[XY], f[XZ], f[XY], f[YY], f[YZ], f[XZ], f[YZ], zz};

  if (!strains) g[3] = f[YX], g[6] = f[ZX], g[7] = f[ZY];
  third(zz, f[XX], f[YY], n);
  if (e->model == FC_SGS_DYNAMIC) {
    fc_sgs_eddies(n, g, e->found, e->least, nu_t);
  } else if (e->model == FC_SGS_DYNAMIC_CLIPPED) {
    fc_sgs_eddies(n, g, 1, 0, nu_t);
    scale_lines(s, e, x, y, nu_t);
  } else {
    fc_sgs_viscosity(e->model, e->constant, n, g, width, 1, nu_t);
  }
  if (strains) return;
  symmetrise(f[XY], f[YX], n);
  symmetrise(f[XZ], f[ZX], n);
  symmetrise(f[YZ], f[ZY], n);
}

/* T over the first five fields; what nu_t takes from the flow at each point goes to drain */
FC_SIMD static void stress(double *const *f, const double *restrict nu_t, double *restrict drain, int64_t n) {
  double *restrict u = f[0], *restrict v = f[1], *restrict w = f[2], *restrict xx = f[XX],
                   *restrict yy = f[YY];
  const double *restrict xy = f[XY], *restrict xz = f[XZ], *restrict yz = f[YZ];

  FC_VECTOR for (int64_t i = 0; i < n; i++) {
    const double a = u[i], b = v[i], c = w[i], p = xx[i], q = yy[i], t = 2 * nu_t[i];
    drain[i] = 2 * t * (p * p + q * q + p * q + xy[i] * xy[i] + xz[i] * xz[i] + yz[i] * yz[i]);
    u[i]     = a * a - c * c - t * (2 * p + q);
    v[i]     = b * b - c * c - t * (2 * q + p);
    w[i]     = a * b - t * xy[i];
    xx[i]    = a * c - t * xz[i];
    yy[i]    = b * c - t * yz[i];
  }
}

FC_SIMD static double most_speed(const double *u, const double *v, const double *w, int64_t n) {
  double top = 0;

  FC_REDUCE(max, top) for (int64_t i = 0; i < n; i++) {
    const double speed = fabs(u[i]) + fabs(v[i]) + fabs(w[i]);
    top                = speed > top ? speed : top;
  }
  return top;
}

FC_SIMD static double most(const double *x, int64_t n) {
  double top = 0;

  FC_REDUCE(max, top) for (int64_t i = 0; i < n; i++) top = x[i] > top ? x[i] : top;
  return top;
}

FC_SIMD static double sum(const double *x, int64_t n) {
  double all = 0;

  FC_REDUCE(+, all) for (int64_t i = 0; i < n; i++) all += x[i];
  return all;
}

static void point(void *self, int64_t x, int64_t y, double *const *f) {
  const trip         *t    = self;
  const fc_box3d_sgs *e    = t->k->sgs;
  const int64_t       n    = 2 * t->s->grid->lines * t->s->grid->m;
  double             *nu_t = e->work + 2 * fc_thread() * e->each, *zz = nu_t + e->each;

  for (int a = 0; a < 4 && y == 0; a++) e->part[a][x] = 0;
  viscosity(t->s, e, x, y, f, zz, nu_t);
  e->part[0][x] = fmax(e->part[0][x], most_speed(f[0], f[1], f[2], n));
  stress(f, nu_t, zz, n);
  e->part[1][x] += sum(nu_t, n);
  e->part[2][x] = fmax(e->part[2][x], most(nu_t, n));
  e->part[3][x] += sum(zz, n);
}

/* ---- the constant of dynamic models ---- */

/* The planes x and x + 1 take turns in a block; the models want one after the other. */
static void store_points(void *self, int64_t x, int64_t y, double *const *f) {
  const trip         *t = self;
  const fc_box3d_sgs *e = t->k->sgs;
  const int64_t       m = t->s->grid->m, n = t->s->grid->lines * m;

  for (int64_t b = 0; b < 2 && x + b < t->s->grid->nx; b++) {
    const int64_t at = ((x + b) * m + y) * m;
    for (int a = 0; a < STORED - 1; a++)
      for (int64_t i = 0; i < n; i++) e->store[a][at + i] = f[a][2 * i + b];
    third(e->store[STORED - 1] + at, e->store[XX] + at, e->store[YY] + at, n);
  }
}

/* c of the lines of the grid, between those of the flow (straight lines keep it positive) */
static void spread_lines(const fc_box3d *s, fc_box3d_sgs *e) {
  const int64_t m = s->grid->m, keep = 2 * s->grid->top + 2;
  const double  step = (double)keep / (double)m;

  for (int64_t x = 0; x < s->grid->nx; x++)
    for (int64_t y = 0; y < m; y++) {
      const double  p = step * (double)(s->grid->x0 + x), q = step * (double)y;
      const int64_t i = (int64_t)p, j = (int64_t)q, i1 = (i + 1) % keep, j1 = (j + 1) % keep;
      const double  a = p - (double)i, b = q - (double)j, *c = e->coarse;
      e->c_line[x * m + y] = (1 - a) * ((1 - b) * c[i * keep + j] + b * c[i * keep + j1]) +
                             a * ((1 - b) * c[i1 * keep + j] + b * c[i1 * keep + j1]);
    }
}

static fc_status find(const fc_box3d *s, fc_box3d_work *k, double *const *u) {
  static const fc_slab3_pass pass = {STRAINS, 0, give_strains, store_points, NULL};
  fc_box3d_sgs              *e    = k->sgs;
  trip                       t    = {s, k, u};
  double *const             *S    = e->store;
  const double *const        g[9] = {S[XX], S[XY], S[XZ], S[XY], S[YY], S[YZ], S[XZ], S[YZ], S[STORED - 1]};
  const int64_t              keep = 2 * s->grid->top + 2;

  e->due = false;
  FC_TRY(fc_slab3_run(s->grid, &pass, &t));
  if (e->box) return fc_sgs_box_find(e->box, (const double *const *)S, g, &e->found);
  FC_TRY(fc_sgs_clipped_find(e->clipped, (const double *const *)S, g, e->coarse));
  spread_lines(s, e);
  e->found = 0;
  for (int64_t i = 0; i < keep * keep; i++) e->found += e->coarse[i] / (double)(keep * keep);
  return FC_OK;
}

/* ---- an evaluation ---- */

static double largest(const double *part, int64_t nx) {
  double top = 0;

  for (int64_t x = 0; x < nx; x += 2) top = fmax(top, part[x]);
  return top;
}

static double total(const double *part, int64_t nx) {
  double all = 0;

  for (int64_t x = 0; x < nx; x += 2) all += part[x];
  return all;
}

fc_status fc_box3d_sgs_evaluate(const fc_box3d *s, fc_box3d_work *k, double *const *u, fc_box3d_use use,
                                void *self) {
  const fc_slab3_pass pass = {fc_box3d_sgs_fields(&s->c), STRESSES, give, point, take};
  fc_box3d_sgs       *e    = k->sgs;
  trip                t    = {s, k, u, use, self};

  if (e->due && dynamic(e->model)) FC_TRY(find(s, k, u));
  FC_TRY(fc_slab3_run(s->grid, &pass, &t));
  k->speed = fmax(largest(e->part[0], s->grid->nx), e->limit * largest(e->part[2], s->grid->nx));
  return FC_OK;
}

static double points(const fc_box3d *s) {
  return (double)s->grid->m * (double)s->grid->m * (double)s->grid->m;
}

double fc_box3d_sgs_drain(const fc_box3d *s, const fc_box3d_sgs *e) {
  return total(e->part[3], s->grid->nx) / points(s);
}

fc_box3d_eddies fc_box3d_sgs_measure(const fc_box3d *s, fc_box3d_work *k) {
  const fc_box3d_sgs *e           = k->sgs;
  double              x[2]        = {total(e->part[1], s->grid->nx) / points(s), fc_box3d_sgs_drain(s, e)};
  double              most_of_all = largest(e->part[2], s->grid->nx);

  fc_box3d_sum(s, k, x, 2);
  if (s->shared && k->status == FC_OK) k->status = fc_comm_max_double(NULL, &most_of_all, 1);
  const double c = dynamic(e->model) ? sqrt(fmax(e->found, 0)) / e->width : e->constant;
  return (fc_box3d_eddies){x[0], most_of_all, c, x[1]};
}
