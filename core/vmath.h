/* core/vmath.h - elementary functions that vectorise without -ffast-math.
   glibc's libmvec has vector variants; declaring the scalar functions
   simd("notinbranch") before math.h lets the compiler call them from loops.
   At most 4 ulp; NaN, infinities and denormals come out right. */
#ifndef FC_VMATH_H
#define FC_VMATH_H
#include "core/base.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__GLIBC__)
#define FC_MVEC __attribute__((simd("notinbranch")))
#else
#define FC_MVEC
#endif
FC_MVEC float  expf(float);
FC_MVEC float  tanhf(float);
FC_MVEC float  erff(float);
FC_MVEC float  logf(float);
FC_MVEC float  sinf(float);
FC_MVEC float  cosf(float);
FC_MVEC float  log1pf(float);
FC_MVEC float  expm1f(float);
FC_MVEC double exp(double);
FC_MVEC double tanh(double);
FC_MVEC double erf(double);
FC_MVEC double log(double);
FC_MVEC double sin(double);
FC_MVEC double cos(double);
FC_MVEC double log1p(double);
FC_MVEC double expm1(double);
#include <math.h>

#ifdef FC_DOUBLE
#define fc_exp  exp
#define fc_tanh tanh
#define fc_erf  erf
#define fc_log  log
#define fc_sin  sin
#define fc_cos  cos
#define fc_sqrt sqrt
#define fc_fabs fabs
#define fc_pow  pow

#define fc_log1p log1p
#define fc_expm1 expm1
static inline fc_real fc_exp_below(fc_real x) { return exp(x); }
#else
#define fc_exp  expf
#define fc_tanh tanhf
#define fc_erf  erff
#define fc_log  logf
#define fc_sin  sinf
#define fc_cos  cosf
#define fc_sqrt sqrtf
#define fc_fabs fabsf
#define fc_pow  powf

#define fc_log1p log1pf
#define fc_expm1 expm1f

/* e^x for x <= 0, where most of a network's exponentials lie (softmax, GELU), inline: half the time of a
   call. e^x = 2^n e^r, n = x / ln 2 rounded, which the last bits of 1.5 2^23 + n hold, e^r = 1 + r + r^2 Q(r)
   with Q fitted to a relative error of 3e-9 over |r| <= ln 2 / 2. 0 below -87; NaN stays NaN. */
static inline float fc_exp_below(float x) {
  const float shift = 12582912, high = 0.693145752f, rest = 1.42860677e-6f; /* high + rest = ln 2 */
  const float t = x * 1.44269504f + shift, n = t - shift, r = x - n * high - n * rest, r2 = r * r;
  const float Q =
      0.499999934f + 0.166665201f * r + r2 * (0.0416683942f + r * (0.00836878057f + 0.00138144662f * r));
  union {
    float    number;
    uint32_t bits;
  } power = {t};

  power.bits = (power.bits << 23) + (127u << 23);
  return x < -87 ? 0 : (1 + (r + r2 * Q)) * power.number;
}
#endif
#endif
