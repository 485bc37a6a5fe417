/* solvers/sgs.c - eddy viscosities that need nothing but the gradient at a point. */
#include "solvers/sgs.h"

#include "core/parallel.h"

#include <float.h>
#include <math.h>

double fc_sgs_usual(fc_sgs_model model, bool walls) {
  switch (model) {
  case FC_SGS_SMAGORINSKY:
    return walls ? 0.11 : 0.17;
  case FC_SGS_WALE:
    return walls ? 0.325 : 0.5;
  case FC_SGS_VREMAN:
    return 0.07;
  case FC_SGS_DYNAMIC_CLIPPED:
    return 0.3;
  default:
    return 0;
  }
}

double fc_sgs_damping(double y_plus) { return -expm1(-y_plus / 25); }

/* S:S of one point */
static inline double square(double xx, double yy, double zz, double xy, double xz, double yz) {
  return xx * xx + yy * yy + zz * zz + 2 * (xy * xy + xz * xz + yz * yz);
}

#define POINT(g, p)                                                                                          \
  const double xx = g[0][p], xy = g[1][p], xz = g[2][p], yx = g[3][p], yy = g[4][p], yz = g[5][p],           \
               zx = g[6][p], zy = g[7][p], zz = g[8][p]

/* nu_t = c |S|, c = (C f D)^2 */
FC_SIMD static void smagorinsky(int64_t n, const double *const g[9], double c, double *restrict nu_t) {
  FC_VECTOR for (int64_t p = 0; p < n; p++) {
    POINT(g, p);
    nu_t[p] = c * sqrt(2 * square(xx, yy, zz, (xy + yx) / 2, (xz + zx) / 2, (yz + zy) / 2));
  }
}

/* nu_t = c q^(3/2) / (s^(5/2) + q^(5/4)), c = (C D)^2, s = S:S, q = Q:Q. DBL_MIN: 0 in a uniform flow. */
FC_SIMD static void wale(int64_t n, const double *const g[9], double c, double *restrict nu_t) {
  FC_VECTOR for (int64_t p = 0; p < n; p++) {
    POINT(g, p);
    const double s = square(xx, yy, zz, (xy + yx) / 2, (xz + zx) / 2, (yz + zy) / 2);
    const double a = xx * xx + xy * yx + xz * zx, b = yx * xy + yy * yy + yz * zy,
                 d = zx * xz + zy * yz + zz * zz, third = (a + b + d) / 3;
    const double ab = (xx * xy + xy * yy + xz * zy + yx * xx + yy * yx + yz * zx) / 2,
                 ad = (xx * xz + xy * yz + xz * zz + zx * xx + zy * yx + zz * zx) / 2,
                 bd = (yx * xz + yy * yz + yz * zz + zx * xy + zy * yy + zz * zy) / 2;
    const double q = square(a - third, b - third, d - third, ab, ad, bd), root = sqrt(q);
    nu_t[p] = c * q * root / (s * s * sqrt(s) + q * sqrt(root) + DBL_MIN);
  }
}

/* nu_t = c sqrt(B/(g:g)); B is no less than 0 but for rounding */
FC_SIMD static void vreman(int64_t n, const double *const g[9], double c, const double width[3],
                           double *restrict nu_t) {
  const double u = width[0] * width[0], v = width[1] * width[1], w = width[2] * width[2];

  FC_VECTOR for (int64_t p = 0; p < n; p++) {
    POINT(g, p);
    const double a = u * xx * xx + v * xy * xy + w * xz * xz, b = u * yx * yx + v * yy * yy + w * yz * yz,
                 d  = u * zx * zx + v * zy * zy + w * zz * zz;
    const double ab = u * xx * yx + v * xy * yy + w * xz * yz, ad = u * xx * zx + v * xy * zy + w * xz * zz,
                 bd = u * yx * zx + v * yy * zy + w * yz * zz;
    const double B  = a * b - ab * ab + a * d - ad * ad + b * d - bd * bd;
    const double gg = xx * xx + xy * xy + xz * xz + yx * yx + yy * yy + yz * yz + zx * zx + zy * zy + zz * zz;
    nu_t[p]         = c * sqrt((B > 0 ? B : 0) / (gg + DBL_MIN));
  }
}

void fc_sgs_viscosity(fc_sgs_model model, double constant, int64_t n, const double *const g[9],
                      const double width[3], double damping, double *nu_t) {
  const double D = cbrt(width[0] * width[1] * width[2]) * constant, c = D * D;

  switch (model) {
  case FC_SGS_SMAGORINSKY:
    smagorinsky(n, g, c * damping * damping, nu_t);
    break;
  case FC_SGS_WALE:
    wale(n, g, c, nu_t);
    break;
  case FC_SGS_VREMAN:
    vreman(n, g, constant, width, nu_t);
    break;
  default:
    FC_ASSERT(false, "model %d has no pointwise eddy viscosity", (int)model);
  }
}

FC_SIMD void fc_sgs_close(int64_t n, double c, double least, double *restrict nu_t) {
  FC_VECTOR for (int64_t i = 0; i < n; i++) nu_t[i] = c * nu_t[i] > least ? c * nu_t[i] : least;
}

void fc_sgs_eddies(int64_t n, const double *const g[9], double c, double least, double *nu_t) {
  smagorinsky(n, g, 1, nu_t);
  fc_sgs_close(n, c, least, nu_t);
}
