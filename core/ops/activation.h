/* core/ops/activation.h - activation functions and their slopes, inline so that kernels which fuse
   them vectorise. Phi and phi are the normal distribution function and density. */
#ifndef FC_ACTIVATION_H
#define FC_ACTIVATION_H
#include "core/ops.h"
#include "core/vmath.h"

void fc_act_span(fc_act act, fc_real *y, const fc_real *z, int64_t n);      /* y = act(z); y may be z */
void fc_act_grad_span(fc_act act, fc_real *g, const fc_real *z, int64_t n); /* g *= act'(z) */

#define FC_SQRT_HALF      ((fc_real)0.70710678118654752440)
#define FC_INV_SQRT_2PI   ((fc_real)0.39894228040143267794)
#define FC_SQRT_2_OVER_PI ((fc_real)0.79788456080286535588)

/* The normal distribution function and density at x. In float 1 + erf would lose the tail, where GELU is
   small but not zero: below zero Phi = exp(-x^2 / 2) t P(t), t = 1 / (1 + 0.21 |x|) (the form of Abramowitz
   and Stegun 7.1.26), with P fitted to a relative error of 1.4e-8 over 0 <= |x| <= 13.5. One exp
   serves both. */
typedef struct fc_normal {
  fc_real Phi, phi;
} fc_normal;

static inline fc_normal fc_normal_at(fc_real x) {
  const fc_real e = fc_exp_below((fc_real)-0.5 * x * x);
#ifdef FC_DOUBLE
  const fc_real Phi = 0.5 * (1 + fc_erf(x * FC_SQRT_HALF));
#else
  const float t = 1 / (1 + 0.21f * fc_fabs(x)), t2 = t * t, t4 = t2 * t2;
  const float low   = 0.083707704f + 0.085129392f * t + t2 * (0.06879015f + 0.12635472f * t);
  const float high  = -0.09724471f + 0.35403219f * t + t2 * (-0.33418835f + 0.28545275f * t);
  const float P     = low + t4 * (high - 0.072033843f * t4);
  const float below = e * t * P, Phi = x < 0 ? below : 1 - below;
#endif
  return (fc_normal){Phi, e * FC_INV_SQRT_2PI};
}

/* GELU(x) = x Phi(x) (Hendrycks and Gimpel 2016), slope Phi + x phi */
static inline fc_real fc_gelu(fc_real x) { return x * fc_normal_at(x).Phi; }
static inline fc_real fc_gelu_slope(fc_real x) {
  const fc_normal n = fc_normal_at(x);
  return n.Phi + x * n.phi;
}

/* its tanh form: x (1 + tanh u) / 2, u = sqrt(2/pi) (x + 0.044715 x^3) */
static inline fc_real fc_gelu_tanh(fc_real x) {
  const fc_real u = FC_SQRT_2_OVER_PI * x * (1 + (fc_real)0.044715 * x * x);
  return (fc_real)0.5 * x * (1 + fc_tanh(u));
}
static inline fc_real fc_gelu_tanh_slope(fc_real x) {
  const fc_real t  = fc_tanh(FC_SQRT_2_OVER_PI * x * (1 + (fc_real)0.044715 * x * x));
  const fc_real du = FC_SQRT_2_OVER_PI * (1 + 3 * (fc_real)0.044715 * x * x);
  return (fc_real)0.5 * (1 + t + x * (1 - t * t) * du);
}

static inline fc_real fc_sigmoid(fc_real x) { return 1 / (1 + fc_exp(-x)); }
static inline fc_real fc_silu(fc_real x) { return x * fc_sigmoid(x); }
static inline fc_real fc_silu_slope(fc_real x) {
  const fc_real s = fc_sigmoid(x);
  return s * (1 + x * (1 - s));
}
static inline fc_real fc_relu(fc_real x) { return x > 0 ? x : 0; }
static inline fc_real fc_relu_slope(fc_real x) { return x > 0 ? 1 : 0; }

/* log(1 + e^x) without overflow, slope sigmoid (PyTorch goes over to x at 20, below half a unit in the last
   place of float). The part below zero is written so that NaN stays NaN. */
static inline fc_real fc_below_zero(fc_real x) { return x > 0 ? 0 : x; }
static inline fc_real fc_softplus(fc_real x) { return fc_relu(x) + fc_log1p(fc_exp(-fc_fabs(x))); }
/* x above zero, e^x - 1 below (alpha = 1); sums instead of branches, for vector code */
static inline fc_real fc_elu(fc_real x) { return fc_relu(x) + fc_expm1(fc_below_zero(x)); }
static inline fc_real fc_elu_slope(fc_real x) { return fc_exp(fc_below_zero(x)); }
#endif
