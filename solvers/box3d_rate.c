/* solvers/box3d_rate.c - the nonlinear term: velocity and vorticity to the grid, u x omega back, projected.
   The enstrophy of the argument comes out on the way; what becomes of a row of the rate is decided by the
   caller while the row is in the cache. */
#include "core/parallel.h"
#include "solvers/box3d_sgs.h"

#include <math.h>
#include <string.h>

typedef struct {
  const fc_box3d *s;
  fc_box3d_work  *k;
  double *const  *u;
  fc_box3d_use    use;
  void           *self;
} trip;

/* omega = i k x u for one row; returns the sum of |omega|^2 over all modes that the row stands for */
FC_SIMD static double curl_row(double *const *out, const double *restrict u, const double *restrict v,
                               const double *restrict w, double kx, double ky, const double *restrict kz,
                               int64_t n) {
  double *restrict x = out[0], *restrict y = out[1], *restrict z = out[2], all = 0;

  FC_REDUCE(+, all) for (int64_t j = 0; j < n; j++) {
    const double ur = u[2 * j], ui = u[2 * j + 1], vr = v[2 * j], vi = v[2 * j + 1], wr = w[2 * j],
                 wi = w[2 * j + 1];
    const double xr = kz[j] * vi - ky * wi, xi = ky * wr - kz[j] * vr, yr = kx * wi - kz[j] * ui,
                 yi = kz[j] * ur - kx * wr, zr = ky * ui - kx * vi, zi = kx * vr - ky * ur;
    x[2 * j]     = xr;
    x[2 * j + 1] = xi;
    y[2 * j]     = yr;
    y[2 * j + 1] = yi;
    z[2 * j]     = zr;
    z[2 * j + 1] = zi;
    all += xr * xr + xi * xi + yr * yr + yi * yi + zr * zr + zi * zi;
  }
  /* modes with kz > 0 stand for their conjugates too */
  return 2 * all - (x[0] * x[0] + x[1] * x[1] + y[0] * y[0] + y[1] * y[1] + z[0] * z[0] + z[1] * z[1]);
}

static void give(void *self, int64_t j, int64_t i, double *const *row) {
  const trip   *t = self;
  const int64_t n = t->s->grid->mz;
  const double *u[3];

  for (int a = 0; a < 3; a++) {
    u[a] = fc_box3d_row(t->s, t->u[a], j, i);
    memcpy(row[a], u[a], (size_t)(2 * n) * sizeof **row);
  }
  if (i == 0) t->k->part[0][j] = 0;
  t->k->part[0][j] +=
      curl_row(row + 3, u[0], u[1], u[2], t->s->k[i], t->s->k[t->s->grid->k0 + j], t->s->kz, n);
}

/* (u, v, w) <- u x omega; the largest |u| + |v| + |w|, in which a NaN may get lost */
FC_SIMD static void cross(double *restrict u, double *restrict v, double *restrict w,
                          const double *restrict x, const double *restrict y, const double *restrict z,
                          int64_t n, double *top) {
  double t = *top;

  FC_REDUCE(max, t) for (int64_t j = 0; j < n; j++) {
    const double a = u[j], b = v[j], c = w[j], speed = fabs(a) + fabs(b) + fabs(c);
    u[j] = b * z[j] - c * y[j];
    v[j] = c * x[j] - a * z[j];
    w[j] = a * y[j] - b * x[j];
    t    = speed > t ? speed : t;
  }
  *top = t;
}

static void point(void *self, int64_t x, int64_t y, double *const *f) {
  const trip     *t = self;
  const fc_slab3 *g = t->s->grid;

  if (y == 0) t->k->part[1][x] = 0;
  cross(f[0], f[1], f[2], f[3], f[4], f[5], 2 * g->lines * g->m, &t->k->part[1][x]);
}

/* scale (r - k k.r/k^2) for the first n modes of a row */
FC_SIMD static void project_row(double *restrict u, double *restrict v, double *restrict w, double kx,
                                double ky, const double *restrict kz, const double *restrict kz2,
                                double scale, int64_t n) {
  const double k2 = kx * kx + ky * ky;

  FC_VECTOR for (int64_t j = 0; j < n; j++) {
    const double s = k2 + kz2[j], inverse = s > 0 ? 1 / s : 0;
    const double re = inverse * (kx * u[2 * j] + ky * v[2 * j] + kz[j] * w[2 * j]),
                 im = inverse * (kx * u[2 * j + 1] + ky * v[2 * j + 1] + kz[j] * w[2 * j + 1]);
    u[2 * j]        = scale * (u[2 * j] - kx * re);
    u[2 * j + 1]    = scale * (u[2 * j + 1] - kx * im);
    v[2 * j]        = scale * (v[2 * j] - ky * re);
    v[2 * j + 1]    = scale * (v[2 * j + 1] - ky * im);
    w[2 * j]        = scale * (w[2 * j] - kz[j] * re);
    w[2 * j + 1]    = scale * (w[2 * j + 1] - kz[j] * im);
  }
}

void fc_box3d_project(const fc_box3d *s, int64_t j, int64_t i, double *const *row, double scale) {
  const int64_t n = s->grid->mz, kept = fc_box3d_kept(s, j, i), ky = s->grid->k0 + j;

  project_row(row[0], row[1], row[2], s->k[i], s->k[ky], s->kz, s->kz2, scale, kept);
  for (int a = 0; a < 3; a++) memset(row[a] + 2 * kept, 0, (size_t)(2 * (n - kept)) * sizeof **row);
}

static double points(const fc_box3d *s) {
  return (double)s->grid->m * (double)s->grid->m * (double)s->grid->m;
}

void fc_box3d_finish(const fc_box3d *s, fc_box3d_work *k, double *const *u, int64_t j, int64_t i,
                     double *const *row, fc_box3d_use use, void *self) {
  const int64_t band = k->lift == 0 ? 0 : fc_box3d_band(s, j, i);

  fc_box3d_project(s, j, i, row, 1 / points(s));
  for (int a = 0; a < 3; a++) {
    const double *v = fc_box3d_row(s, u[a], j, i);
    for (int64_t c = 0; c < 2 * band; c++) row[a][c] += k->lift * v[c];
    if (i == 0 && s->grid->k0 + j == 0) row[a][0] = row[a][1] = 0; /* momentum is moved about, none is made */
  }
  use(self, j, i, row);
}

static void take(void *self, int64_t j, int64_t i, double *const *row) {
  const trip *t = self;

  fc_box3d_finish(t->s, t->k, t->u, j, i, row, t->use, t->self);
}

/* total pressure p + |u|^2/2 = -i k.(u x omega)/k^2 */
static void take_head(void *self, int64_t j, int64_t i, double *const *row) {
  const trip     *t    = self;
  const fc_box3d *s    = t->s;
  double         *head = fc_box3d_row(s, t->self, j, i);
  const double    kx = s->k[i], ky = s->k[s->grid->k0 + j];

  memset(head, 0, (size_t)(2 * s->grid->mz) * sizeof *head);
  for (int64_t l = 0; l < fc_box3d_kept(s, j, i); l++) {
    const double k2 = kx * kx + ky * ky + s->kz2[l], scale = k2 > 0 ? 1 / (k2 * points(s)) : 0;
    head[2 * l] = scale * (kx * row[0][2 * l + 1] + ky * row[1][2 * l + 1] + s->kz[l] * row[2][2 * l + 1]);
    head[2 * l + 1] = -scale * (kx * row[0][2 * l] + ky * row[1][2 * l] + s->kz[l] * row[2][2 * l]);
  }
}

void fc_box3d_head(const fc_box3d *s, fc_box3d_work *k, double *head) {
  static const fc_slab3_pass pass = {6, 3, give, point, take_head};
  trip                       t    = {s, k, k->u, NULL, head};

  if (k->status == FC_OK) k->status = fc_slab3_run(s->grid, &pass, &t);
}

static void note_failure(fc_box3d_work *k, fc_status status) {
  if (k->status == FC_OK) k->status = status;
}

static fc_status evaluate_plain(const fc_box3d *s, fc_box3d_work *k, double *const *u, fc_box3d_use use,
                                void *self) {
  static const fc_slab3_pass pass = {6, 3, give, point, take};
  trip                       t    = {s, k, u, use, self};

  FC_TRY(fc_slab3_run(s->grid, &pass, &t));
  k->speed = 0;
  for (int64_t x = 0; x < s->grid->nx; x += 2) k->speed = fmax(k->speed, k->part[1][x]);
  return FC_OK;
}

/* The square of the vorticity is summed without branches, so it tells whether all of the state is finite. */
void fc_box3d_evaluate(const fc_box3d *s, fc_box3d_work *k, double *const *u, fc_box3d_use use, void *self) {
  if (k->status != FC_OK) return;
  fc_box3d_lift(s, k, u);
  note_failure(k, k->sgs ? fc_box3d_sgs_evaluate(s, k, u, use, self) : evaluate_plain(s, k, u, use, self));
  k->enstrophy = 0;
  for (int64_t j = 0; j < s->grid->ny; j++) k->enstrophy += k->part[0][j] / 2;
}

void fc_box3d_agree(const fc_box3d *s, fc_box3d_work *k) {
  double x[2] = {k->speed, isfinite(k->enstrophy) && isfinite(k->speed) ? 0 : 1};

  if (s->shared && k->status == FC_OK) note_failure(k, fc_comm_max_double(NULL, x, 2));
  k->speed = x[1] > 0 || k->status != FC_OK ? NAN : x[0];
}

typedef struct {
  const fc_box3d *s;
  double *const  *rate;
} store;

static void keep(void *self, int64_t j, int64_t i, double *const *row) {
  const store *t = self;

  for (int a = 0; a < 3; a++)
    memcpy(fc_box3d_row(t->s, t->rate[a], j, i), row[a], (size_t)(2 * t->s->grid->mz) * sizeof **row);
}

void fc_box3d_rate(const fc_box3d *s, fc_box3d_work *k, double *const *u, double *const *rate) {
  store t = {s, rate};

  if (k->sgs) fc_box3d_sgs_renew(k->sgs);
  fc_box3d_evaluate(s, k, u, keep, &t);
  fc_box3d_agree(s, k);
}
