/* solvers/grf.c */
#include "solvers/grf.h"

#include "core/parallel.h"
#include "solvers/fft2.h"

#include <math.h>

double fc_grf_weight(const fc_grf *g, double kx, double ky) {
  const double unit  = 2 * M_PI / g->length;
  const double sigma = g->sigma > 0 ? g->sigma : pow(g->tau, g->alpha - 1);

  if (kx == 0 && ky == 0) return 0;
  return sqrt(2) * sigma * pow(unit * unit * (kx * kx + ky * ky) + g->tau * g->tau, -g->alpha / 2);
}

/* 0, -1, 1, -2, 2, .. -> 0, 1, 2, 3, 4, ..: the same number for a mode on every grid */
static uint64_t fold(int64_t k) { return k < 0 ? (uint64_t)(-2 * k - 1) : (uint64_t)(2 * k); }

/* two independent normals of mode (kx, ky), the real and the imaginary part */
static void normal_pair(const fc_rng *r, int64_t kx, int64_t ky, double z[2]) {
  const uint64_t index = fold(kx) << 32 | fold(ky) << 1;

  z[0] = fc_rng_normal(r, index);
  z[1] = fc_rng_normal(r, index + 1);
}

/* A real field needs z_-k = conj z_k. Both variants arrive at it by taking (z_k + conj z_-k)/2, where parts
   have variance 1: everywhere (real part), or for ky = 0 only, with 1/sqrt 2 in front (half spectrum). */
static void unit_mode(const fc_grf *g, const fc_rng *r, int64_t kx, int64_t ky, double z[2]) {
  const bool half = g->kind == FC_GRF_HALF;
  double     other[2];

  normal_pair(r, kx, ky, z);
  if (!half || ky == 0) {
    normal_pair(r, -kx, -ky, other);
    z[0] = (z[0] + other[0]) / 2;
    z[1] = (z[1] - other[1]) / 2;
  }
  if (half) z[0] *= M_SQRT1_2, z[1] *= M_SQRT1_2;
}

void fc_grf_2d(const fc_grf *g, const fc_rng *r, int64_t n, double *hat) {
  const int64_t nh = n / 2 + 1;

  FC_FOR_ROWS(i, n, 64 * nh) {
    const int64_t kx = fc_fft2_mode(i, n);
    for (int64_t ky = 0; ky < nh; ky++) {
      double      *z = hat + 2 * (i * nh + ky);
      const double s = kx == n / 2 || ky == n / 2 ? 0 : fc_grf_weight(g, (double)kx, (double)ky);
      unit_mode(g, r, kx, ky, z);
      z[0] *= s;
      z[1] *= s;
    }
  }
}

void fc_grf_cosine_weights(const fc_grf *g, int64_t n, double *weight) {
  const double sigma = g->sigma > 0 ? g->sigma : pow(g->tau, g->alpha - 1);

  for (int64_t k = 0; k < n; k++)
    for (int64_t l = 0; l < n; l++) {
      const double norm = (k ? M_SQRT2 : 1) * (l ? M_SQRT2 : 1); /* of cosines: their mean square is 1/2 */
      weight[k * n + l] =
          norm * sigma * pow(M_PI * M_PI * (double)(k * k + l * l) + g->tau * g->tau, -g->alpha / 2);
    }
  weight[0] = 0;
}

void fc_grf_cosine(const fc_rng *r, int64_t n, const double *weight, double *c) {
  for (int64_t k = 0; k < n; k++)
    for (int64_t l = 0; l < n; l++)
      c[k * n + l] = weight[k * n + l] * fc_rng_normal(r, (uint64_t)k << 32 | (uint64_t)l);
}

void fc_grf_1d(const fc_grf *g, const fc_rng *r, int64_t n, bool mean, double *hat) {
  const double unit = 2 * M_PI / g->length, sigma = g->sigma > 0 ? g->sigma : pow(g->tau, g->alpha - 0.5);

  for (int64_t k = 0; k < n / 2; k++) {
    const double q = unit * (double)k, s = sigma * pow(q * q + g->tau * g->tau, -g->alpha / 2);
    hat[2 * k]     = s * M_SQRT1_2 * fc_rng_normal(r, 2 * (uint64_t)k);
    hat[2 * k + 1] = s * M_SQRT1_2 * fc_rng_normal(r, 2 * (uint64_t)k + 1);
  }
  hat[0] = mean ? M_SQRT2 * hat[0] : 0; /* real: all of the variance in one number */
  hat[1] = hat[n] = hat[n + 1] = 0;
}
