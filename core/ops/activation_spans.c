/* core/ops/activation_spans.c */
#include "core/ops/activation_spans.h"

#include "core/ops/activation.h"
#include "core/parallel.h"

static inline fc_real tanh_slope(fc_real z) {
  const fc_real t = fc_tanh(z);
  return 1 - t * t;
}

static inline fc_real sigmoid_slope(fc_real z) {
  const fc_real s = fc_sigmoid(z);
  return s * (1 - s);
}

/* one function per activation, so that each loop becomes vector code */
#define SPANS(name, value, slope)                                                                            \
  FC_SIMD static void name##_value(fc_real *y, const fc_real *x, int64_t n) {                                \
    FC_VECTOR for (int64_t i = 0; i < n; i++) y[i] = value(x[i]);                                            \
  }                                                                                                          \
  FC_SIMD static void name##_grad(fc_real *restrict g, const fc_real *restrict x, int64_t n) {               \
    for (int64_t i = 0; i < n; i++) g[i] *= slope(x[i]);                                                     \
  }                                                                                                          \
  FC_SIMD static void name##_both(fc_real *restrict y, fc_real *restrict s, const fc_real *restrict x,       \
                                  int64_t n) {                                                               \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      y[i] = value(x[i]);                                                                                    \
      s[i] = slope(x[i]);                                                                                    \
    }                                                                                                        \
  }                                                                                                          \
  FC_SIMD static void name##_value_grad(fc_real *restrict y, fc_real *restrict g, const fc_real *restrict x, \
                                        int64_t n) {                                                         \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      y[i] = value(x[i]);                                                                                    \
      g[i] *= slope(x[i]);                                                                                   \
    }                                                                                                        \
  }
SPANS(gelu, fc_gelu, fc_gelu_slope)
SPANS(gelu_tanh, fc_gelu_tanh, fc_gelu_tanh_slope)
SPANS(relu, fc_relu, fc_relu_slope)
SPANS(silu, fc_silu, fc_silu_slope)
SPANS(tanh, fc_tanh, tanh_slope)
SPANS(sigmoid, fc_sigmoid, sigmoid_slope)
SPANS(softplus, fc_softplus, fc_sigmoid)
SPANS(elu, fc_elu, fc_elu_slope)

typedef struct {
  void (*value)(fc_real *, const fc_real *, int64_t);
  void (*grad)(fc_real *, const fc_real *, int64_t);
  void (*both)(fc_real *, fc_real *, const fc_real *, int64_t);
  void (*value_grad)(fc_real *, fc_real *, const fc_real *, int64_t);
} span_fns;

static const span_fns table[] = {
    [FC_ACT_GELU]      = {gelu_value, gelu_grad, gelu_both, gelu_value_grad},
    [FC_ACT_GELU_TANH] = {gelu_tanh_value, gelu_tanh_grad, gelu_tanh_both, gelu_tanh_value_grad},
    [FC_ACT_RELU]      = {relu_value, relu_grad, relu_both, relu_value_grad},
    [FC_ACT_SILU]      = {silu_value, silu_grad, silu_both, silu_value_grad},
    [FC_ACT_TANH]      = {tanh_value, tanh_grad, tanh_both, tanh_value_grad},
    [FC_ACT_SIGMOID]   = {sigmoid_value, sigmoid_grad, sigmoid_both, sigmoid_value_grad},
    [FC_ACT_SOFTPLUS]  = {softplus_value, softplus_grad, softplus_both, softplus_value_grad},
    [FC_ACT_ELU]       = {elu_value, elu_grad, elu_both, elu_value_grad},
};

void fc_act_span(fc_act act, fc_real *y, const fc_real *z, int64_t n) {
  if (act != FC_ACT_NONE) table[act].value(y, z, n);
}

void fc_act_grad_span(fc_act act, fc_real *g, const fc_real *z, int64_t n) {
  if (act != FC_ACT_NONE) table[act].grad(g, z, n);
}

void fc_act_both_span(fc_act act, fc_real *y, fc_real *s, const fc_real *z, int64_t n) {
  table[act].both(y, s, z, n);
}

void fc_act_value_grad_span(fc_act act, fc_real *y, fc_real *g, const fc_real *z, int64_t n) {
  table[act].value_grad(y, g, z, n);
}
