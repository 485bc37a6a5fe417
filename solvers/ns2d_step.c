/* solvers/ns2d_step.c - time stepping and diagnostics. With l = nu k^2 + mu and N the rate of fc_ns2d_rate,
   every mode obeys w_t = -l w + N(w). The implicit schemes treat l by Crank-Nicolson, so a steady state
   l w = N(w) is a fixed point of each scheme here. */
#include "core/parallel.h"
#include "solvers/ns2d.h"

#include <math.h>
#include <string.h>

/* ---- Crank-Nicolson for the linear part ---- */

/* w' = ((1 - c l) w + a p + b q)/(1 + c l) for one row; p and q may be the same array, w' may be w */
FC_SIMD static void cn_row(double *out, const double *w, const double *p, const double *q, double kx2,
                           const double *ky2, double nu, double mu, double c, double a, double b, int64_t n) {
  FC_VECTOR for (int64_t j = 0; j < n; j++) {
    const double l = c * (nu * (kx2 + ky2[j]) + mu), d = 1 / (1 + l), e = (1 - l) * d;
    out[2 * j]     = e * w[2 * j] + d * (a * p[2 * j] + b * q[2 * j]);
    out[2 * j + 1] = e * w[2 * j + 1] + d * (a * p[2 * j + 1] + b * q[2 * j + 1]);
  }
}

/* out = Crank-Nicolson over the fraction weight of h, with explicit terms h (a p + b q) */
static void implicit(const fc_ns2d *s, double *out, const double *w, const double *p, const double *q,
                     double h, double weight, double a, double b) {
  FC_FOR_ROWS(i, s->n, 8 * s->nh) {
    const int64_t at = 2 * i * s->nh;
    cn_row(out + at, w + at, p + at, q + at, s->kx2[i], s->ky2, s->c.nu, s->c.mu, weight * h / 2, h * a,
           h * b, s->nh);
  }
}

static void euler_cn(const fc_ns2d *s, fc_ns2d_work *k, double h) {
  fc_ns2d_rate(s, k, k->w, k->rate[0]);
  implicit(s, k->w, k->w, k->rate[0], k->rate[0], h, 1, 1, 0);
}

/* Heun's rule for N; Chandler and Kerswell, J. Fluid Mech. 722 (2013), section 2 */
static void heun_cn(const fc_ns2d *s, fc_ns2d_work *k, double h) {
  fc_ns2d_rate(s, k, k->w, k->rate[0]);
  implicit(s, k->stage[0], k->w, k->rate[0], k->rate[0], h, 1, 1, 0);
  fc_ns2d_rate(s, k, k->stage[0], k->rate[1]);
  implicit(s, k->w, k->w, k->rate[0], k->rate[1], h, 1, 0.5, 0.5);
}

/* Wray's third-order low-storage Runge-Kutta with Crank-Nicolson over each substage (Spalart, Moser and
   Rogers, J. Comput. Phys. 96 (1991), with equal weights): third order in N, second in the viscous term. */
static void rk3_cn(const fc_ns2d *s, fc_ns2d_work *k, double h) {
  static const double gamma[3] = {8.0 / 15, 5.0 / 12, 3.0 / 4}, zeta[3] = {0, -17.0 / 60, -5.0 / 12};

  for (int i = 0; i < 3; i++) {
    double *new = k->rate[i % 2], *old = i ? k->rate[1 - i % 2] : new;
    fc_ns2d_rate(s, k, k->w, new);
    implicit(s, k->w, k->w, new, old, h, gamma[i] + zeta[i], gamma[i], zeta[i]);
  }
}

/* ---- exponential time differencing ---- */

/* phi_1..3 of z <= 0: phi_0 = exp, phi_(j+1) = (phi_j - 1/j!)/z. The recurrence cancels near 0, where the
   Taylor series sum z^m/(m+j)! takes over (Kassam and Trefethen, SIAM J. Sci. Comput. 26 (2005), use a
   contour). */
static void phi(double z, double p[3]) {
  if (z < -1) {
    p[0] = expm1(z) / z;
    p[1] = (p[0] - 1) / z;
    p[2] = (p[1] - 0.5) / z;
    return;
  }
  double factorial[3] = {1, 2, 6};
  for (int j = 0; j < 3; j++) {
    double term = 1 / factorial[j];
    p[j]        = term;
    for (int m = 1; m < 20; m++) p[j] += term *= z / (m + j + 1);
  }
}

static void prepare(const fc_ns2d *s, fc_ns2d_work *k, double h) {
  if (k->etd_h == h) return;
  k->etd_h = h;
  FC_FOR_ROWS(i, s->n, 256 * s->nh) for (int64_t j = 0; j < s->nh; j++) {
    const int64_t at = i * s->nh + j;
    const double  z  = -h * (s->c.nu * (s->kx2[i] + s->ky2[j]) + s->c.mu);
    double        p[3], half[3];
    phi(z, p);
    phi(z / 2, half);
    k->etd[0][at] = exp(z);
    k->etd[1][at] = exp(z / 2);
    k->etd[2][at] = h / 2 * half[0];
    k->etd[3][at] = h * (p[0] - 3 * p[1] + 4 * p[2]);
    k->etd[4][at] = h * (2 * p[1] - 4 * p[2]);
    k->etd[5][at] = h * (4 * p[2] - p[1]);
  }
}

/* out = e w + q (a p + b r) */
FC_SIMD static void stage_row(double *restrict out, const double *restrict w, const double *restrict e,
                              const double *restrict q, const double *p, const double *r, double a, double b,
                              int64_t n) {
  FC_VECTOR for (int64_t j = 0; j < n; j++) {
    out[2 * j]     = e[j] * w[2 * j] + q[j] * (a * p[2 * j] + b * r[2 * j]);
    out[2 * j + 1] = e[j] * w[2 * j + 1] + q[j] * (a * p[2 * j + 1] + b * r[2 * j + 1]);
  }
}

static void stage(const fc_ns2d *s, fc_ns2d_work *k, double *out, const double *w, const double *p,
                  const double *r, double a, double b) {
  FC_FOR_ROWS(i, s->n, 8 * s->nh) {
    const int64_t at = i * s->nh;
    stage_row(out + 2 * at, w + 2 * at, k->etd[1] + at, k->etd[2] + at, p + 2 * at, r + 2 * at, a, b, s->nh);
  }
}

/* w <- E w + f1 N0 + f2 (N1 + N2) + f3 N3 */
FC_SIMD static void finish_row(double *restrict w, double *const *rate, double *const *f, int64_t at,
                               int64_t n) {
  const double *n0 = rate[0] + 2 * at, *n1 = rate[1] + 2 * at, *n2 = rate[2] + 2 * at, *n3 = rate[3] + 2 * at;
  const double *e = f[0] + at, *f1 = f[3] + at, *f2 = f[4] + at, *f3 = f[5] + at;

  FC_VECTOR for (int64_t j = 0; j < n; j++) for (int64_t c = 2 * j; c < 2 * j + 2; c++) w[c] =
      e[j] * w[c] + f1[j] * n0[c] + f2[j] * (n1[c] + n2[c]) + f3[j] * n3[c];
}

/* Cox and Matthews, J. Comput. Phys. 176 (2002), equations 26-29: fourth order */
static void etdrk4(const fc_ns2d *s, fc_ns2d_work *k, double h) {
  double *const *st = k->stage, *const *r = k->rate;

  prepare(s, k, h);
  fc_ns2d_rate(s, k, k->w, r[0]);
  stage(s, k, st[0], k->w, r[0], r[0], 1, 0);
  fc_ns2d_rate(s, k, st[0], r[1]);
  stage(s, k, st[1], k->w, r[1], r[1], 1, 0);
  fc_ns2d_rate(s, k, st[1], r[2]);
  stage(s, k, st[2], st[0], r[2], r[0], 2, -1);
  fc_ns2d_rate(s, k, st[2], r[3]);
  FC_FOR_ROWS(i, s->n, 16 * s->nh) finish_row(k->w + 2 * i * s->nh, r, k->etd, i * s->nh, s->nh);
}

/* ---- one step ---- */

static void mask_state(const fc_ns2d *s, double *w) {
  FC_FOR_ROWS(i, s->n, s->nh) {
    const int64_t at = 2 * (i * s->nh + s->cut[i]);
    memset(w + at, 0, (size_t)(2 * (s->nh - s->cut[i])) * sizeof *w);
  }
  w[0] = w[1] = 0;
}

void fc_ns2d_step(const fc_ns2d *s, fc_ns2d_work *k, double h) {
  switch (s->c.scheme) {
  case FC_NS2D_EULER_CN:
    euler_cn(s, k, h);
    break;
  case FC_NS2D_HEUN_CN:
    heun_cn(s, k, h);
    break;
  case FC_NS2D_RK3_CN:
    rk3_cn(s, k, h);
    break;
  default:
    etdrk4(s, k, h);
    break;
  }
  if (s->c.mask == FC_NS2D_MASK_STEP) mask_state(s, k->w);
}

int fc_ns2d_evaluations(int scheme) {
  static const int n[] = {1, 2, 3, 4};

  return n[scheme];
}

/* ---- diagnostics ---- */

/* Parseval: modes with 0 < ky < n/2 stand for themselves and their conjugates */
static void budget_row(const fc_ns2d *s, const double *w, int64_t i, double out[3]) {
  out[0] = out[1] = out[2] = 0;
  for (int64_t j = 0; j < s->nh; j++) {
    const double *z = w + 2 * (i * s->nh + j), *f = s->force + 2 * (i * s->nh + j);
    const double  k2 = s->kx2[i] + s->ky2[j], twice = j > 0 && j < s->n / 2 ? 2 : 1;
    if (k2 == 0) continue;
    out[0] += twice * (z[0] * z[0] + z[1] * z[1]) / (2 * k2);
    out[1] += twice * (z[0] * z[0] + z[1] * z[1]) / 2;
    out[2] += twice * (z[0] * f[0] + z[1] * f[1]) / k2;
  }
}

fc_ns2d_budget fc_ns2d_measure(const fc_ns2d *s, fc_ns2d_work *k) {
  fc_ns2d_budget b = {0};

  FC_FOR_ROWS(i, s->n, 8 * s->nh) {
    double part[3];
    budget_row(s, k->w, i, part);
    for (int a = 0; a < 3; a++) k->row[a][i] = part[a];
  }
  for (int64_t i = 0; i < s->n; i++) {
    b.energy += k->row[0][i];
    b.enstrophy += k->row[1][i];
    b.input += k->row[2][i];
  }
  return b;
}
