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
#endif
#endif
