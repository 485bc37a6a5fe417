/* solvers/grf.h - Gaussian random fields on a periodic square of side L:
     w(x) = sum_k s_k z_k exp(i 2 pi k.x / L),  s_k = sqrt(2) sigma ((2 pi/L)^2 |k|^2 + tau^2)^(-alpha/2), s_0
   = 0, the random vorticity of the published operator-learning data sets (Li et al. 2021, arXiv 2010.08895,
   and the generators that follow it). z_k are unit complex normals. */
#ifndef FC_GRF_H
#define FC_GRF_H
#include "core/rng.h"

typedef enum {
  FC_GRF_REAL_PART, /* real part of the inverse transform of a full complex array (FNO): |z_k|^2 has mean 1
                       for all k */
  FC_GRF_HALF /* inverse real transform of the half spectrum (FactFormer): modes with ky = 0 have mean 1/2,
                 so the field is slightly anisotropic */
} fc_grf_kind;

typedef struct fc_grf {
  fc_grf_kind kind;
  double      length, alpha, tau, sigma; /* sigma = 0: tau^(alpha - 1), the usual choice in two dimensions */
} fc_grf;

/* hat[n, n/2+1] complex: Fourier coefficients of sample r->sample. The numbers of mode (kx, ky) depend on
   (seed, sample, kx, ky) alone: grids of different n carry the same field up to the modes they share. The
   highest mode (n/2) is left out; its variance is below that of any other mode. */
void   fc_grf_2d(const fc_grf *g, const fc_rng *r, int64_t n, double *hat);
double fc_grf_weight(const fc_grf *g, double kx, double ky); /* s_k for integer mode numbers */

/* A field on the unit square without flux through its sides,
     w(x) = sum_k sigma (pi^2 |k|^2 + tau^2)^(-alpha/2) z_k phi_k(x),  k1, k2 = 0, 1, .., without (0, 0),
   phi the cosines of unit norm: Darcy coefficients of the FNO paper, with sigma = tau^(alpha - 1). length is
   not used. c[n, n]: coefficients of cos(pi k1 x1) cos(pi k2 x2) of sample r->sample, again the same on every
   grid. weight[n, n] is fc_grf_cosine_weights, kept by the caller because it is the same for all samples. */
void fc_grf_cosine_weights(const fc_grf *g, int64_t n, double *weight);
void fc_grf_cosine(const fc_rng *r, int64_t n, const double *weight, double *c);

/* On a periodic line of length L: hat_k = sigma ((2 pi k/L)^2 + tau^2)^(-alpha/2) z_k, the field of
   covariance sigma^2 (-d^2/dx^2 + tau^2)^(-alpha) (Burgers data of the FNO paper); sigma = 0: tau^(alpha -
   1/2). kind is not used. mean: is there a mode 0? hat[n/2+1] complex, the highest mode left out; the same on
   every grid. */
void fc_grf_1d(const fc_grf *g, const fc_rng *r, int64_t n, bool mean, double *hat);
#endif
