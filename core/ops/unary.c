/* core/ops/unary.c - y = f(x), element by element: activations, scale x + shift, exp, square root. */
#include "core/ops.h"
#include "core/ops/activation.h"
#include "core/spans.h"

typedef void (*value_fn)(fc_real *restrict y, const fc_real *restrict x, int64_t n);
typedef void (*slope_fn)(fc_real *restrict dx, const fc_real *restrict dy, const fc_real *restrict x,
                         const fc_real *restrict y, int64_t n, bool fresh);

/* y = f(x), and below each the inverse line dx += f'(x) dy; f' may use x and y, whichever is cheaper */
#define UNARY(name, value, slope)                                                                            \
  FC_SIMD static void name##_value(fc_real *restrict out, const fc_real *restrict in, int64_t n) {           \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      const fc_real x = in[i];                                                                               \
      out[i]          = (value);                                                                             \
    }                                                                                                        \
  }                                                                                                          \
  FC_SIMD static void name##_slope(fc_real *restrict dx, const fc_real *restrict dy,                         \
                                   const fc_real *restrict in, const fc_real *restrict out, int64_t n,       \
                                   bool fresh) {                                                             \
    for (int64_t i = 0; i < n; i++) {                                                                        \
      const fc_real x = in[i], y = out[i];                                                                   \
      (void)x, (void)y;                                                                                      \
      dx[i] = fc_into(fresh, dx[i], (slope)*dy[i]);                                                          \
    }                                                                                                        \
  }

UNARY(gelu, fc_gelu(x), fc_gelu_slope(x))
UNARY(gelu_tanh, fc_gelu_tanh(x), fc_gelu_tanh_slope(x))
UNARY(relu, fc_relu(x), fc_relu_slope(x))
UNARY(silu, fc_silu(x), fc_silu_slope(x))
UNARY(tanh, fc_tanh(x), 1 - y * y)
UNARY(sigmoid, fc_sigmoid(x), y *(1 - y))
UNARY(softplus, fc_softplus(x), fc_sigmoid(x))
UNARY(elu, fc_elu(x), fc_elu_slope(x))
UNARY(exp, fc_exp(x), y)
UNARY(sqrt, fc_sqrt(x), (fc_real)0.5 / y)

static void run_forward(const fc_ctx *c, value_fn f, fc_tensor *y, const fc_tensor *x) {
  if (c->dry) return;
  FC_FOR_SPANS(at, n, fc_len(y)) f(y->x + at, x->x + at, n);
}

static void run_backward(fc_ctx *c, const fc_node *node, slope_fn f) {
  const fc_tensor *y = node->out, *x = node->in[0];
  bool             fresh;
  fc_real         *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (!dx) return;
  FC_FOR_SPANS(at, n, fc_len(y)) f(dx + at, y->g + at, x->x + at, y->x + at, n, fresh);
}

#define UNARY_OP(name)                                                                                        \
  static void        name##_backward(fc_ctx *c, const fc_node *node) { run_backward(c, node, name##_slope); } \
  static const fc_op name##_op = {#name, name##_backward, false};

UNARY_OP(gelu)
UNARY_OP(gelu_tanh)
UNARY_OP(relu)
UNARY_OP(silu)
UNARY_OP(tanh)
UNARY_OP(sigmoid)
UNARY_OP(softplus)
UNARY_OP(elu)
UNARY_OP(exp)
UNARY_OP(sqrt)

static fc_tensor *unary(fc_ctx *c, const fc_op *op, value_fn f, fc_tensor *x) {
  fc_tensor *y = fc_tensor_new(c->arena, x->ndim, x->dim);

  run_forward(c, f, y, x);
  return fc_record(c, op, y, NULL, FC_IN(x));
}

/* act(x), same shape; FC_ACT_NONE returns x itself */
fc_tensor *fc_activate(fc_ctx *c, fc_tensor *x, fc_act act) {
  switch (act) {
  case FC_ACT_NONE:
    return x;
  case FC_ACT_GELU:
    return unary(c, &gelu_op, gelu_value, x);
  case FC_ACT_GELU_TANH:
    return unary(c, &gelu_tanh_op, gelu_tanh_value, x);
  case FC_ACT_RELU:
    return unary(c, &relu_op, relu_value, x);
  case FC_ACT_SILU:
    return unary(c, &silu_op, silu_value, x);
  case FC_ACT_TANH:
    return unary(c, &tanh_op, tanh_value, x);
  case FC_ACT_SIGMOID:
    return unary(c, &sigmoid_op, sigmoid_value, x);
  case FC_ACT_SOFTPLUS:
    return unary(c, &softplus_op, softplus_value, x);
  case FC_ACT_ELU:
    return unary(c, &elu_op, elu_value, x);
  }
  fc_panic(__FILE__, __LINE__, "fc_activate: no activation has number %d", (int)act);
}

/* e^x and the square root, same shape. As in every framework, the slope of the root at 0 is infinite. */
fc_tensor *fc_exp_of(fc_ctx *c, fc_tensor *x) { return unary(c, &exp_op, exp_value, x); }
fc_tensor *fc_sqrt_of(fc_ctx *c, fc_tensor *x) { return unary(c, &sqrt_op, sqrt_value, x); }
