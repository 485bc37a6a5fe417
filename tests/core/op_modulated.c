/* tests/core/op_modulated.c - adaptive norm alone, in front of a product, and gated ends of branches. */
#include "tests/check.h"

#define EPS (sizeof(fc_real) == 8 ? 2.2e-16 : 1.2e-7)

static fc_modulation from(fc_tensor *rows, int first) { return (fc_modulation){rows, first}; }

static fc_tensor *affine(fc_ctx *c, fc_tensor **in) {
  return fc_modulate(c, in[0], in[1], in[2], 1e-5, from(in[3], 1));
}
static fc_tensor *plain(fc_ctx *c, fc_tensor **in) {
  return fc_modulate(c, in[0], NULL, NULL, 1e-5, from(in[1], 0));
}
static fc_tensor *product(fc_ctx *c, fc_tensor **in) {
  return fc_linear_modulated(c, in[0], in[1], in[2], 1e-5, from(in[3], 0), in[4], in[5]);
}
static fc_tensor *product_without_bias(fc_ctx *c, fc_tensor **in) {
  return fc_linear_modulated(c, in[0], NULL, NULL, 1e-5, from(in[1], 2), in[2], NULL);
}
static fc_tensor *gated(fc_ctx *c, fc_tensor **in) {
  return fc_linear_gated(c, FC_ACT_GELU, in[0], in[1], in[2], in[3], from(in[4], 0));
}
static fc_tensor *gated_plain(fc_ctx *c, fc_tensor **in) {
  return fc_linear_gated(c, FC_ACT_NONE, in[0], in[1], NULL, in[2], from(in[3], 1));
}
/* one tensor is input and residual */
static fc_tensor *gated_itself(fc_ctx *c, fc_tensor **in) {
  return fc_linear_gated(c, FC_ACT_SILU, in[0], in[1], NULL, in[0], from(in[2], 0));
}

static void gradient(void) {
  check_op("modulate", affine, CHECK_INS({3, {3, 7, 10}}, {1, {10}}, {1, {10}}, {2, {3, 30}}), 0, 0);
  check_op("modulate_plain", plain, CHECK_INS({3, {2, 150, 18}}, {2, {2, 36}}), 0, 0);
  check_op("modulate_of_fixed", affine,
           CHECK_INS({3, {1, 7, 10}, .fixed = true}, {1, {10}}, {1, {10}, .fixed = true}, {2, {1, 40}}), 0,
           0);
  check_op("linear_modulated", product,
           CHECK_INS({4, {2, 3, 5, 8}}, {1, {8}}, {1, {8}}, {2, {2, 24}}, {2, {11, 8}}, {1, {11}}), 0, 0);
  check_op("linear_modulated_large", product,
           CHECK_INS({3, {2, 300, 24}}, {1, {24}}, {1, {24}}, {2, {2, 72}}, {2, {40, 24}}, {1, {40}}), 0, 0);
  check_op("linear_modulated_plain", product_without_bias,
           CHECK_INS({3, {3, 17, 20}}, {2, {3, 80}}, {4, {16, 20, 1, 1}}), 0, 0);
  check_op("linear_modulated_fixed", product,
           CHECK_INS({3, {1, 40, 24}}, {1, {24}}, {1, {24}}, {2, {1, 72}, .fixed = true},
                     {2, {40, 24}, .fixed = true}, {1, {40}}),
           0, 0);
}

static void gradient_of_gates(void) {
  check_op("linear_gated", gated,
           CHECK_INS({3, {2, 5, 12}}, {2, {7, 12}}, {1, {7}}, {3, {2, 5, 7}}, {2, {2, 21}}), 0, 0);
  check_op("linear_gated_large", gated,
           CHECK_INS({3, {3, 310, 40}}, {2, {24, 40}}, {1, {24}}, {3, {3, 310, 24}}, {2, {3, 72}}), 0, 0);
  check_op("linear_gated_plain", gated_plain,
           CHECK_INS({4, {2, 3, 4, 6}}, {2, {6, 6}}, {4, {2, 3, 4, 6}}, {2, {2, 24}}), 0, 0);
  check_op("linear_gated_itself", gated_itself, CHECK_INS({3, {2, 9, 6}}, {2, {6, 6}}, {2, {2, 18}}), 0, 0);
  check_op("linear_gated_fixed", gated,
           CHECK_INS({3, {1, 5, 12}}, {2, {7, 12}, .fixed = true}, {1, {7}, .fixed = true},
                     {3, {1, 5, 7}, .fixed = true}, {2, {1, 21}}),
           0, 0);
}

/* vector k of rows [B, n C] as [B, 1, C] repeated over N rows */
static fc_tensor *spread(fc_ctx *c, fc_tensor *rows, int64_t k, int64_t N, int64_t C) {
  fc_tensor *v = fc_slice(c, rows, 1, k * C, C);

  return fc_expand(c, fc_reshape(c, v, FC_DIMS(v->dim[0], 1, C)), 1, N);
}

/* the same from single operations */
static void as_the_formula(void) {
  enum { B = 2, N = 37, C = 24, O = 33 };
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(B, N, C)), *w = check_random(c, FC_DIMS(C)),
            *b = check_random(c, FC_DIMS(C)), *rows = check_random(c, FC_DIMS(B, 6 * C)),
            *W = check_random(c, FC_DIMS(O, C)), *a = check_random(c, FC_DIMS(O));
  fc_tensor *back = check_random(c, FC_DIMS(C, O));

  fc_tensor *z = fc_layer_norm(c, x, w, b, 1e-5);
  z            = fc_mul(c, z, fc_affine(c, spread(c, rows, 4, N, C), 1, 1));
  z            = fc_add(c, z, spread(c, rows, 3, N, C));
  CHECK(check_distance(fc_modulate(c, x, w, b, 1e-5, from(rows, 3)), z) <= 40 * EPS);
  fc_tensor *h = fc_linear_op(c, z, W, a, FC_ACT_NONE);
  CHECK(check_distance(fc_linear_modulated(c, x, w, b, 1e-5, from(rows, 3), W, a), h) <= 40 * EPS);
  fc_tensor *y = fc_linear_of(c, FC_ACT_GELU, h, back, b, NULL);
  y            = fc_add(c, x, fc_mul(c, y, fc_affine(c, spread(c, rows, 5, N, C), 1, 1)));
  CHECK(check_distance(fc_linear_gated(c, FC_ACT_GELU, h, back, b, x, from(rows, 3)), y) <= 40 * EPS);
}

CHECK_SUITE(modulated, gradient, gradient_of_gates, as_the_formula)
