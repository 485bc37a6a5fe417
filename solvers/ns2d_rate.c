/* solvers/ns2d_rate.c - the nonlinear term: spectra of the factors, products on the grid, back to spectra. */
#include "core/parallel.h"
#include "solvers/ns2d.h"

#include <math.h>
#include <string.h>

/* one row of u = i ky w/k^2 and v = -i kx w/k^2 */
FC_SIMD static void velocity_row(double *restrict u, double *restrict v, const double *restrict w, double kx,
                                 double  kx2, const double *restrict ky, const double *restrict ky2,
                                 int64_t n) {
  FC_VECTOR for (int64_t j = 0; j < n; j++) {
    const double k2 = kx2 + ky2[j], inverse = k2 > 0 ? 1 / k2 : 0;
    const double re = w[2 * j] * inverse, im = w[2 * j + 1] * inverse;
    u[2 * j]     = -ky[j] * im;
    u[2 * j + 1] = ky[j] * re;
    v[2 * j]     = kx * im;
    v[2 * j + 1] = -kx * re;
  }
}

/* one row of w_x = i kx w and w_y = i ky w */
FC_SIMD static void gradient_row(double *restrict gx, double *restrict gy, const double *restrict w,
                                 double kx, const double *restrict ky, int64_t n) {
  FC_VECTOR for (int64_t j = 0; j < n; j++) {
    const double re = w[2 * j], im = w[2 * j + 1];
    gx[2 * j]     = -kx * im;
    gx[2 * j + 1] = kx * re;
    gy[2 * j]     = -ky[j] * im;
    gy[2 * j + 1] = ky[j] * re;
  }
}

/* spectra of the factors on the product grid; padding is zero */
static void fill_factors(const fc_ns2d *s, fc_ns2d_work *k, const double *w) {
  const bool    gradient = s->c.form == FC_NS2D_CONVECTIVE;
  const int     count    = gradient ? 4 : 3;
  const int64_t nh = s->nh, mh = s->mh, used = s->m == s->n ? nh : s->n / 2;

  FC_FOR_ROWS(r, s->m, 8 * mh) {
    const int64_t i = s->source[r], at = 2 * r * mh, from = i < 0 ? 0 : used;
    const double *line = w + 2 * (i < 0 ? 0 : i) * nh;
    for (int a = 0; a < count; a++)
      memset(k->hat[a] + at + 2 * from, 0, (size_t)(2 * (mh - from)) * sizeof(double));
    if (i < 0) continue;
    velocity_row(k->hat[0] + at, k->hat[1] + at, line, s->kx[i], s->kx2[i], s->ky, s->ky2, used);
    if (gradient)
      gradient_row(k->hat[2] + at, k->hat[3] + at, line, s->kx[i], s->ky, used);
    else
      memcpy(k->hat[2] + at, line, (size_t)(2 * used) * sizeof(double));
  }
}

/* the largest |u+U| + |v+V| of a row, and their sum, which any NaN or infinity spoils */
FC_SIMD static void speed_row(const double *u, const double *v, double U, double V, int64_t n, double *top,
                              double *sum) {
  double t = 0, all = 0;

  FC_REDUCE(max, t) for (int64_t j = 0; j < n; j++) {
    const double speed = fabs(u[j] + U) + fabs(v[j] + V);
    t                  = speed > t ? speed : t;
  }
  FC_REDUCE(+, all) for (int64_t j = 0; j < n; j++) all += fabs(u[j] + U) + fabs(v[j] + V);
  *top = t;
  *sum = all;
}

/* u <- (u+U) w_x + (v+V) w_y */
FC_SIMD static void convect_row(double *restrict u, const double *restrict v, const double *restrict gx,
                                const double *restrict gy, double U, double V, int64_t n) {
  for (int64_t j = 0; j < n; j++) u[j] = (u[j] + U) * gx[j] + (v[j] + V) * gy[j];
}

/* u <- (u+U) w, v <- (v+V) w */
FC_SIMD static void flux_row(double *restrict u, double *restrict v, const double *restrict w, double U,
                             double V, int64_t n) {
  for (int64_t j = 0; j < n; j++) {
    u[j] = (u[j] + U) * w[j];
    v[j] = (v[j] + V) * w[j];
  }
}

static void multiply(const fc_ns2d *s, fc_ns2d_work *k) {
  const double  U = s->c.mean_u, V = s->c.mean_v;
  const int64_t m = s->m;

  FC_FOR_ROWS(i, m, 4 * m) {
    const int64_t at = i * m;
    speed_row(k->x[0] + at, k->x[1] + at, U, V, m, &k->row[0][i], &k->row[1][i]);
    if (s->c.form == FC_NS2D_CONVECTIVE)
      convect_row(k->x[0] + at, k->x[1] + at, k->x[2] + at, k->x[3] + at, U, V, m);
    else
      flux_row(k->x[0] + at, k->x[1] + at, k->x[2] + at, U, V, m);
  }
  double top = 0, sum = 0;
  for (int64_t i = 0; i < m; i++) {
    top = fmax(top, k->row[0][i]);
    sum += k->row[1][i];
  }
  k->speed = isfinite(sum) ? top : NAN;
}

/* rate = f - scale P (convective) or f - scale i(kx P + ky Q) (divergence) for the first n modes of a row */
FC_SIMD static void convective_row(double *restrict rate, const double *restrict f, const double *restrict p,
                                   double scale, int64_t n) {
  FC_VECTOR for (int64_t j = 0; j < 2 * n; j++) rate[j] = f[j] - scale * p[j];
}

FC_SIMD static void divergence_row(double *restrict rate, const double *restrict f, const double *restrict p,
                                   const double *restrict q, double kx, const double *restrict ky,
                                   double scale, int64_t n) {
  FC_VECTOR for (int64_t j = 0; j < n; j++) {
    rate[2 * j]     = f[2 * j] + scale * (kx * p[2 * j + 1] + ky[j] * q[2 * j + 1]);
    rate[2 * j + 1] = f[2 * j + 1] - scale * (kx * p[2 * j] + ky[j] * q[2 * j]);
  }
}

static void gather(const fc_ns2d *s, const fc_ns2d_work *k, double *rate) {
  const int64_t n = s->n, nh = s->nh, m = s->m, mh = s->mh;
  const double  scale = 1 / (double)(m * m);

  FC_FOR_ROWS(i, n, 4 * nh) {
    const int64_t r = (fc_fft2_mode(i, n) + m) % m, at = 2 * i * nh, from = 2 * r * mh;
    const int64_t used = s->c.mask == FC_NS2D_MASK_STEP && m == n ? nh : s->cut[i];
    if (s->c.form == FC_NS2D_CONVECTIVE)
      convective_row(rate + at, s->force + at, k->hat[0] + from, scale, used);
    else
      divergence_row(rate + at, s->force + at, k->hat[0] + from, k->hat[1] + from, s->kx[i], s->ky, scale,
                     used);
    memcpy(rate + at + 2 * used, s->force + at + 2 * used, (size_t)(2 * (nh - used)) * sizeof(double));
  }
  rate[0] = rate[1] = 0; /* advection moves vorticity about; rounding must not make any */
}

void fc_ns2d_rate(const fc_ns2d *s, fc_ns2d_work *k, const double *w, double *rate) {
  const int     in = s->c.form == FC_NS2D_CONVECTIVE ? 4 : 3, out = in == 4 ? 1 : 2;
  const int64_t work = s->m * s->m;

  fill_factors(s, k, w);
  FC_FOR_TASKS(a, in, in * work) fc_fft2_inverse(s->pad, k->hat[a], k->x[a]);
  multiply(s, k);
  FC_FOR_TASKS(a, out, out * work) fc_fft2_forward(s->pad, k->x[a], k->hat[a]);
  gather(s, k, rate);
}
