/* core/ops/activation.c - values and slopes of the activations. GELU is exact: z (1 + erf(z / sqrt 2)) / 2
   (Hendrycks, Gimpel 2016); its tanh form uses sqrt(2 / pi) (z + 0.044715 z^3). */
#include "core/ops/activation.h"

#include "core/parallel.h"
#include "core/vmath.h"

#define SQRT_HALF      ((fc_real)0.70710678118654752440)
#define INV_SQRT_2PI   ((fc_real)0.39894228040143267794)
#define SQRT_2_OVER_PI ((fc_real)0.79788456080286535588)
#define CUBIC          ((fc_real)0.044715)

static inline fc_real sigmoid(fc_real z) { return 1 / (1 + fc_exp(-z)); }
static inline fc_real gelu_cdf(fc_real z) { return (fc_real)0.5 * (1 + fc_erf(z * SQRT_HALF)); }
static inline fc_real gelu_slope(fc_real z) {
  return gelu_cdf(z) + z * INV_SQRT_2PI * fc_exp((fc_real)-0.5 * z * z);
}
static inline fc_real gelu_tanh_of(fc_real z) { return fc_tanh(SQRT_2_OVER_PI * (z + CUBIC * z * z * z)); }
static inline fc_real gelu_tanh_slope(fc_real z) {
  const fc_real t = gelu_tanh_of(z);
  return (fc_real)0.5 * (1 + t) + (fc_real)0.5 * z * (1 - t * t) * SQRT_2_OVER_PI * (1 + 3 * CUBIC * z * z);
}
static inline fc_real tanh_slope(fc_real z) {
  const fc_real t = fc_tanh(z);
  return 1 - t * t;
}
static inline fc_real silu_slope(fc_real z) {
  const fc_real s = sigmoid(z);
  return s * (1 + z * (1 - s));
}
static inline fc_real sigmoid_slope(fc_real z) {
  const fc_real s = sigmoid(z);
  return s * (1 - s);
}

/* one function per activation, so that each loop becomes vector code */
#define SPANS(name, value, slope)                                                                            \
  FC_SIMD static void name##_value(fc_real *y, const fc_real *x, int64_t n) {                                \
    FC_VECTOR for (int64_t i = 0; i < n; i++) {                                                              \
      const fc_real z = x[i];                                                                                \
      y[i]            = (value);                                                                             \
    }                                                                                                        \
  }                                                                                                          \
  FC_SIMD static void name##_grad(fc_real *restrict g, const fc_real *restrict x, int64_t n) {               \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      const fc_real z = x[i];                                                                                \
      g[i] *= (slope);                                                                                       \
    }                                                                                                        \
  }
SPANS(gelu, z *gelu_cdf(z), gelu_slope(z))
SPANS(gelu_tanh, (fc_real)0.5 * z * (1 + gelu_tanh_of(z)), gelu_tanh_slope(z))
SPANS(relu, z > 0 ? z : 0, (fc_real)(z > 0 ? 1 : 0))
SPANS(silu, z *sigmoid(z), silu_slope(z))
SPANS(tanh, fc_tanh(z), tanh_slope(z))
SPANS(sigmoid, sigmoid(z), sigmoid_slope(z))

typedef struct {
  void (*value)(fc_real *, const fc_real *, int64_t);
  void (*grad)(fc_real *, const fc_real *, int64_t);
} span_pair;

static const span_pair table[] = {
    [FC_ACT_GELU] = {gelu_value, gelu_grad}, [FC_ACT_GELU_TANH] = {gelu_tanh_value, gelu_tanh_grad},
    [FC_ACT_RELU] = {relu_value, relu_grad}, [FC_ACT_SILU] = {silu_value, silu_grad},
    [FC_ACT_TANH] = {tanh_value, tanh_grad}, [FC_ACT_SIGMOID] = {sigmoid_value, sigmoid_grad},
};

void fc_act_span(fc_act act, fc_real *y, const fc_real *z, int64_t n) {
  if (act == FC_ACT_NONE) {
    for (int64_t i = 0; y != z && i < n; i++) y[i] = z[i];
    return;
  }
  table[act].value(y, z, n);
}

void fc_act_grad_span(fc_act act, fc_real *g, const fc_real *z, int64_t n) {
  if (act != FC_ACT_NONE) table[act].grad(g, z, n);
}
