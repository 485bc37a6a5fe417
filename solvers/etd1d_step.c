/* solvers/etd1d_step.c - the nonlinear term and one step. */
#include "solvers/etd1d.h"

#include "core/parallel.h"

#include <complex.h>
#include <fftw3.h>
#include <math.h>
#include <string.h>

/* ---- N(u) ---- */

/* spectrum of u, or of u_x, on the grid of products */
static void fill_factor(fc_etd1d_work *w, const double *u) {
  const int64_t n = w->s->n / 2;

  memset(w->hat + 2 * n, 0, (size_t)(2 * (w->s->mh - n)) * sizeof *w->hat);
  for (int64_t j = 0; j < n; j++) {
    const bool   gradient = w->s->c.form == FC_ETD1D_GRADIENT;
    const double k        = w->s->k[j];
    w->hat[2 * j]         = gradient ? -k * u[2 * j + 1] : u[2 * j];
    w->hat[2 * j + 1]     = gradient ? k * u[2 * j] : u[2 * j + 1];
  }
}

/* x <- x^2; returns max |x|, or NaN if any value is not finite (as its square then is not) */
FC_SIMD static double square(double *x, int64_t n) {
  double top = 0, sum = 0;

  FC_REDUCE(max, top) for (int64_t i = 0; i < n; i++) top = fabs(x[i]) > top ? fabs(x[i]) : top;
  FC_REDUCE(+, sum) for (int64_t i = 0; i < n; i++) {
    x[i] *= x[i];
    sum += x[i];
  }
  return isfinite(sum) ? top : NAN;
}

void fc_etd1d_rate(fc_etd1d_work *w, const double *u, double *rate) {
  const fc_etd1d *s     = w->s;
  const double    scale = -0.5 / (double)s->m;

  fill_factor(w, u);
  fftw_execute_dft_c2r(s->to_grid, (fftw_complex *)w->hat, w->x);
  w->speed = square(w->x, s->m);
  fftw_execute_dft_r2c(s->to_modes, w->x, (fftw_complex *)w->hat);
  for (int64_t j = 0; j < s->n / 2; j++) {
    const bool   gradient = s->c.form == FC_ETD1D_GRADIENT;
    const double k = s->k[j], re = scale * w->hat[2 * j], im = scale * w->hat[2 * j + 1];
    rate[2 * j]     = gradient ? re : -k * im;
    rate[2 * j + 1] = gradient ? im : k * re;
  }
  rate[0] = rate[1] = rate[s->n] = rate[s->n + 1] = 0;
}

/* ---- coefficients ---- */

/* The formulas cancel near z = 0; their mean over a circle around z, where they are analytic, does not. z is
   real, so the upper half of the circle is enough. */
void fc_etd1d_coefficients(double z, double out[6]) {
  enum { POINTS = 16 }; /* of the half: 32 on the circle */
  double complex sum[4] = {0};

  for (int j = 0; j < POINTS; j++) {
    const double complex r = z + cexp(I * M_PI * (j + 0.5) / POINTS), e = cexp(r), r3 = r * r * r;
    sum[0] += (cexp(r / 2) - 1) / r;
    sum[1] += (-4 - r + e * (4 - 3 * r + r * r)) / r3;
    sum[2] += (2 + r + e * (r - 2)) / r3;
    sum[3] += (-4 - 3 * r - r * r + e * (4 - r)) / r3;
  }
  out[0] = exp(z);
  out[1] = exp(z / 2);
  for (int a = 0; a < 4; a++) out[2 + a] = creal(sum[a]) / POINTS;
}

static void prepare(fc_etd1d_work *w, double h) {
  if (w->etd_h == h) return;
  w->etd_h = h;
  for (int64_t j = 0; j < w->s->n / 2; j++) {
    double c[6];
    fc_etd1d_coefficients(h * w->s->linear[j], c);
    for (int a = 0; a < 6; a++) w->etd[a][j] = a < 2 ? c[a] : h * c[a];
  }
}

/* ---- one step ---- */

/* out = e u + q (a p + b r) */
FC_SIMD static void stage(double *restrict out, const double *restrict u, const double *restrict e,
                          const double *restrict q, const double *p, const double *r, double a, double b,
                          int64_t n) {
  FC_VECTOR for (int64_t j = 0; j < n; j++) {
    out[2 * j]     = e[j] * u[2 * j] + q[j] * (a * p[2 * j] + b * r[2 * j]);
    out[2 * j + 1] = e[j] * u[2 * j + 1] + q[j] * (a * p[2 * j + 1] + b * r[2 * j + 1]);
  }
}

/* u <- E u + f1 N0 + 2 f2 (N1 + N2) + f3 N3 */
FC_SIMD static void finish(double *restrict u, double *const *f, double *const *r, int64_t n) {
  const double *e = f[0], *f1 = f[3], *f2 = f[4], *f3 = f[5];
  const double *n0 = r[0], *n1 = r[1], *n2 = r[2], *n3 = r[3];

  FC_VECTOR for (int64_t j = 0; j < n; j++) for (int64_t c = 2 * j; c < 2 * j + 2; c++) u[c] =
      e[j] * u[c] + f1[j] * n0[c] + 2 * f2[j] * (n1[c] + n2[c]) + f3[j] * n3[c];
}

void fc_etd1d_step(fc_etd1d_work *w, double h) {
  double *const *s = w->stage, *const *r = w->rate, *const *f = w->etd;
  const int64_t  n = w->s->n / 2;

  prepare(w, h);
  fc_etd1d_rate(w, w->u, r[0]);
  const double speed = w->speed;
  stage(s[0], w->u, f[1], f[2], r[0], r[0], 1, 0, n);
  fc_etd1d_rate(w, s[0], r[1]);
  stage(s[1], w->u, f[1], f[2], r[1], r[1], 1, 0, n);
  fc_etd1d_rate(w, s[1], r[2]);
  stage(s[2], s[0], f[1], f[2], r[2], r[0], 2, -1, n);
  fc_etd1d_rate(w, s[2], r[3]);
  finish(w->u, f, r, n);
  w->speed = isfinite(w->speed) ? speed : NAN;
}
