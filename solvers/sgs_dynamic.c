/* solvers/sgs_dynamic.c - what the dynamic procedure does at a point, and the procedure plane by plane. */
#include "solvers/sgs_dynamic.h"

#include "core/parallel.h"
#include "solvers/fft2.h"
#include "solvers/sgs.h"

#include <math.h>
#include <stdlib.h>

/* ---- at a point ---- */

FC_SIMD void fc_sgs_factors(int64_t n, const double *const u[3], const double *const g[9],
                            double *const pair[FC_SGS_PAIRS], double *restrict strain) {
  const double *restrict u0 = u[0], *restrict u1 = u[1], *restrict u2 = u[2];
  double *restrict p0 = pair[0], *restrict p1 = pair[1], *restrict p2 = pair[2], *restrict p3 = pair[3],
                   *restrict p4 = pair[4], *restrict p5 = pair[5], *restrict p6 = pair[6],
                   *restrict p7 = pair[7], *restrict p8 = pair[8];

  FC_VECTOR for (int64_t i = 0; i < n; i++) {
    const double third = (g[0][i] + g[4][i] + g[8][i]) / 3, xx = g[0][i] - third, yy = g[4][i] - third;
    const double xy = (g[1][i] + g[3][i]) / 2, xz = (g[2][i] + g[6][i]) / 2, yz = (g[5][i] + g[7][i]) / 2;
    const double s = fc_sgs_strain(xx, yy, xy, xz, yz), ww = u2[i] * u2[i];
    strain[i] = s;
    p0[2 * i] = u0[i], p0[2 * i + 1] = u1[i];
    p1[2 * i] = u2[i], p1[2 * i + 1] = xx;
    p2[2 * i] = yy, p2[2 * i + 1] = xy;
    p3[2 * i] = xz, p3[2 * i + 1] = yz;
    p4[2 * i] = u0[i] * u0[i] - ww, p4[2 * i + 1] = u1[i] * u1[i] - ww;
    p5[2 * i] = u0[i] * u1[i], p5[2 * i + 1] = u0[i] * u2[i];
    p6[2 * i] = u1[i] * u2[i], p6[2 * i + 1] = s * xx;
    p7[2 * i] = s * yy, p7[2 * i + 1] = s * xy;
    p8[2 * i] = s * xz, p8[2 * i + 1] = s * yz;
  }
}

/* With M_zz = -M_xx - M_yy, L:M = (L_xx - L_zz) M_xx + (L_yy - L_zz) M_yy + 2 (..): the products of
   velocities come as these differences. */
FC_SIMD static void contract(int64_t n, double *const pair[FC_SGS_PAIRS], double a, double *lm, double *mm) {
  const double *p0 = pair[0], *p1 = pair[1], *p2 = pair[2], *p3 = pair[3], *p4 = pair[4], *p5 = pair[5],
               *p6 = pair[6], *p7 = pair[7], *p8 = pair[8];

  FC_VECTOR for (int64_t i = 0; i < n; i++) {
    const double u = p0[2 * i], v = p0[2 * i + 1], w = p1[2 * i], xx = p1[2 * i + 1];
    const double yy = p2[2 * i], xy = p2[2 * i + 1], xz = p3[2 * i], yz = p3[2 * i + 1];
    const double s   = a * fc_sgs_strain(xx, yy, xy, xz, yz);
    const double mxx = p6[2 * i + 1] - s * xx, myy = p7[2 * i] - s * yy, mxy = p7[2 * i + 1] - s * xy,
                 mxz = p8[2 * i] - s * xz, myz = p8[2 * i + 1] - s * yz;
    const double lxx = p4[2 * i] - u * u + w * w, lyy = p4[2 * i + 1] - v * v + w * w;
    const double lxy = p5[2 * i] - u * v, lxz = p5[2 * i + 1] - u * w, lyz = p6[2 * i] - v * w;
    lm[i] = 2 * (lxx * mxx + lyy * myy + 2 * (lxy * mxy + lxz * mxz + lyz * myz));
    mm[i] = 8 * (mxx * mxx + myy * myy + mxx * myy + mxy * mxy + mxz * mxz + myz * myz);
  }
}

FC_SIMD static double sum(int64_t n, const double *x) {
  double s = 0;

  FC_REDUCE(+, s) for (int64_t i = 0; i < n; i++) s += x[i];
  return s;
}

enum { BLOCK = 256 };

void fc_sgs_contract(int64_t n, double *const pair[FC_SGS_PAIRS], double a, double *lm, double *mm) {
  double l[BLOCK], m[BLOCK];

  *lm = *mm = 0;
  for (int64_t at = 0; at < n; at += BLOCK) {
    const int64_t here = fc_min64(BLOCK, n - at);
    double       *part[FC_SGS_PAIRS];
    for (int k = 0; k < FC_SGS_PAIRS; k++) part[k] = pair[k] + 2 * at;
    contract(here, part, a, l, m);
    *lm += sum(here, l);
    *mm += sum(here, m);
  }
}

/* ---- plane by plane ---- */

fc_status fc_sgs_plane_create(fc_sgs_filter_kind kind, int64_t n0, int64_t n1, int64_t keep0, int64_t keep1,
                              int lanes, bool measure, fc_sgs_plane **out) {
  const int64_t m0 = fc_sgs_filter_points(kind, keep0), m1 = fc_sgs_filter_points(kind, keep1);
  fc_sgs_plane *d = calloc(1, sizeof *d);
  fc_status     s = FC_OK;

  *out = NULL;
  if (d) {
    *d = (fc_sgs_plane){n0, n1, m0, m1, cbrt(16)};
    s  = fc_sgs_filter_create(kind, false, FC_SGS_PAIRS, n0, keep0, n1, measure, &d->first);
    if (s == FC_OK)
      s = fc_sgs_filter_create(kind, false, FC_SGS_PAIRS * m0, n1, keep1, 1, measure, &d->second);
    d->lanes = lanes;
    d->each  = fc_ceil_div(2 * FC_SGS_PAIRS * n0 * n1, 8) * 8;
    d->work  = fc_fft2_alloc(2 * lanes * d->each);
  }
  if (s == FC_OK && d && d->work) {
    *out = d;
    return FC_OK;
  }
  fc_sgs_plane_destroy(d);
  return s == FC_OK ? fc_fail(FC_E_SYSTEM, "no memory for the dynamic model on planes of %lld x %lld points",
                              (long long)n0, (long long)n1)
                    : s;
}

void fc_sgs_plane_destroy(fc_sgs_plane *d) {
  if (!d) return;
  fc_sgs_filter_destroy(d->first);
  fc_sgs_filter_destroy(d->second);
  free(d->work);
  free(d);
}

static void pairs_of(double *base, int64_t points, double *pair[FC_SGS_PAIRS]) {
  for (int k = 0; k < FC_SGS_PAIRS; k++) pair[k] = base + 2 * k * points;
}

double fc_sgs_plane_find(fc_sgs_plane *d, int lane, const double *const u[3], const double *const g[9],
                         double *strain) {
  double *x = d->work + 2 * lane * d->each, *y = x + d->each, lm, mm, *pair[FC_SGS_PAIRS];

  pairs_of(x, d->n0 * d->n1, pair);
  fc_sgs_factors(d->n0 * d->n1, u, g, pair, strain);
  fc_sgs_filter_apply(d->first, x, y);
  fc_sgs_filter_apply(d->second, y, x);
  pairs_of(x, d->m0 * d->m1, pair);
  fc_sgs_contract(d->m0 * d->m1, pair, d->a, &lm, &mm);
  return mm > 0 ? lm / mm : 0;
}
