/* solvers/box3d_step.c - time stepping. Every mode obeys u_t = -l u + N(u), l = nu k^2. A row of the rate is
   used while it is in the cache, so a step holds three spectra of the velocity and no rates. */
#include "core/parallel.h"
#include "solvers/box3d_sgs.h"

#include <math.h>
#include <string.h>

typedef struct {
  const fc_box3d *s;
  fc_box3d_work  *k;
  double          h;
  int             stage;
} stepper;

/* ---- RK4 with integrating factor ----
   v = exp(l t) u has no viscous term; the classical rule for v is, with e = exp(-l h/2),
     u2 = e (u + h/2 N1), u3 = e u + h/2 N2, u4 = e (e u + h N3),
     u' = e e (u + h/6 N1) + h/3 e (N2 + N3) + h/6 N4. Exact for the viscous term. */

FC_SIMD static void first_row(double *restrict stage, double *restrict sum, const double *restrict u,
                              const double *restrict r, const double *restrict e, double exy, double h,
                              int64_t n) {
  FC_VECTOR for (int64_t j = 0; j < n; j++) for (int64_t c = 2 * j; c < 2 * j + 2; c++) {
    const double f = exy * e[j];
    stage[c]       = f * (u[c] + h / 2 * r[c]);
    sum[c]         = f * f * (u[c] + h / 6 * r[c]);
  }
}

FC_SIMD static void second_row(double *restrict stage, double *restrict sum, const double *restrict u,
                               const double *restrict r, const double *restrict e, double exy, double h,
                               int64_t n) {
  FC_VECTOR for (int64_t j = 0; j < n; j++) for (int64_t c = 2 * j; c < 2 * j + 2; c++) {
    const double f = exy * e[j];
    stage[c]       = f * u[c] + h / 2 * r[c];
    sum[c] += h / 3 * f * r[c];
  }
}

FC_SIMD static void third_row(double *restrict stage, double *restrict sum, const double *restrict u,
                              const double *restrict r, const double *restrict e, double exy, double h,
                              int64_t n) {
  FC_VECTOR for (int64_t j = 0; j < n; j++) for (int64_t c = 2 * j; c < 2 * j + 2; c++) {
    const double f = exy * e[j];
    stage[c]       = f * (f * u[c] + h * r[c]);
    sum[c] += h / 3 * f * r[c];
  }
}

FC_SIMD static void fourth_row(double *restrict u, const double *restrict sum, const double *restrict r,
                               double h, int64_t n) {
  FC_VECTOR for (int64_t c = 0; c < 2 * n; c++) u[c] = sum[c] + h / 6 * r[c];
}

static void rk4_row(void *self, int64_t j, int64_t i, double *const *rate) {
  const stepper *t   = self;
  fc_box3d_work *k   = t->k;
  const int64_t  n   = t->s->grid->mz;
  const double   exy = k->e[0][i] * k->e[1][t->s->grid->k0 + j];

  for (int a = 0; a < 3; a++) {
    double *u = fc_box3d_row(t->s, k->u[a], j, i), *sum = fc_box3d_row(t->s, k->sum[a], j, i),
           *stage = fc_box3d_row(t->s, k->stage[a], j, i);
    switch (t->stage) {
    case 0:
      first_row(stage, sum, u, rate[a], k->e[2], exy, t->h, n);
      break;
    case 1:
      second_row(stage, sum, u, rate[a], k->e[2], exy, t->h, n);
      break;
    case 2:
      third_row(stage, sum, u, rate[a], k->e[2], exy, t->h, n);
      break;
    default:
      fourth_row(u, sum, rate[a], t->h, n);
      break;
    }
  }
}

static void prepare(const fc_box3d *s, fc_box3d_work *k, double h) {
  if (k->e_h == h) return;
  k->e_h = h;
  for (int64_t i = 0; i < s->grid->my; i++)
    k->e[0][i] = k->e[1][i] = exp(-s->c.nu * s->k[i] * s->k[i] * h / 2);
  for (int64_t i = 0; i < s->grid->mz; i++) k->e[2][i] = exp(-s->c.nu * s->kz2[i] * h / 2);
}

/* energy lost and given in a part of a step, by the quadrature of the scheme: rates of this rank */
static void account(const fc_box3d *s, fc_box3d_work *k, double weight) {
  k->lost += weight * (2 * s->c.nu * k->enstrophy + (k->sgs ? fc_box3d_sgs_drain(s, k->sgs) : 0));
  k->given += k->lift > 0 ? weight * s->c.power : 0;
}

static double rk4(const fc_box3d *s, fc_box3d_work *k, double h) {
  static const double weight[] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6};
  double              speed    = 0;

  prepare(s, k, h);
  for (int i = 0; i < 4; i++) {
    stepper t = {s, k, h, i};
    fc_box3d_evaluate(s, k, i ? k->stage : k->u, rk4_row, &t);
    account(s, k, h * weight[i]);
    if (i == 0) speed = k->speed;
  }
  return speed;
}

/* ---- Wray's third-order low-storage Runge-Kutta with Crank-Nicolson over each substage (Spalart, Moser and
   Rogers, J. Comput. Phys. 96 (1991), with equal weights): third order in N, second in the viscous term ----
 */

static const double gamma_[3] = {8.0 / 15, 5.0 / 12, 3.0 / 4}, zeta[3] = {0, -17.0 / 60, -5.0 / 12};

/* u' = ((1 - l) u + a r + b old)/(1 + l), old' = r, l = c k^2 */
FC_SIMD static void cn_row(double *restrict u, double *restrict old, const double *restrict r, double k2,
                           const double *restrict kz2, double c, double a, double b, int64_t n) {
  FC_VECTOR for (int64_t j = 0; j < n; j++) {
    const double l = c * (k2 + kz2[j]), d = 1 / (1 + l), e = (1 - l) * d;
    u[2 * j]       = e * u[2 * j] + d * (a * r[2 * j] + b * old[2 * j]);
    u[2 * j + 1]   = e * u[2 * j + 1] + d * (a * r[2 * j + 1] + b * old[2 * j + 1]);
    old[2 * j]     = r[2 * j];
    old[2 * j + 1] = r[2 * j + 1];
  }
}

static void rk3_row(void *self, int64_t j, int64_t i, double *const *rate) {
  const stepper  *t = self;
  const fc_box3d *s = t->s;
  const double    g = gamma_[t->stage], z = zeta[t->stage], kx = s->k[i], ky = s->k[s->grid->k0 + j];

  for (int a = 0; a < 3; a++)
    cn_row(fc_box3d_row(s, t->k->u[a], j, i), fc_box3d_row(s, t->k->sum[a], j, i), rate[a], kx * kx + ky * ky,
           s->kz2, s->c.nu * (g + z) * t->h / 2, g * t->h, z * t->h, s->grid->mz);
}

/* the energy's budget by Simpson's... */
static double rk3_cn(const fc_box3d *s, fc_box3d_work *k, double h) {
  double speed = 0;

  for (int a = 0; a < 3; a++) memset(k->sum[a], 0, (size_t)fc_box3d_size(s) * sizeof **k->sum);
  for (int i = 0; i < 3; i++) {
    stepper t = {s, k, h, i};
    fc_box3d_evaluate(s, k, k->u, rk3_row, &t);
    account(s, k, h * (i < 2 ? gamma_[i] + zeta[i + 1] : gamma_[i]));
    if (i == 0) speed = k->speed;
  }
  return speed;
}

/* ---- one step ---- */

void fc_box3d_step(const fc_box3d *s, fc_box3d_work *k, double h) {
  if (k->sgs) fc_box3d_sgs_renew(k->sgs);
  k->speed = s->c.scheme == FC_BOX3D_RK4 ? rk4(s, k, h) : rk3_cn(s, k, h);
  if (s->c.forcing == FC_BOX3D_RESCALE) fc_box3d_rescale(s, k);
  fc_box3d_agree(s, k);
}

int fc_box3d_evaluations(int scheme) { return scheme == FC_BOX3D_RK4 ? 4 : 3; }
