/* tests/core/op_layer_norm.c */
#include "tests/check.h"

static fc_tensor *full(fc_ctx *c, fc_tensor **in) { return fc_layer_norm(c, in[0], in[1], in[2], 1e-5); }
static fc_tensor *plain(fc_ctx *c, fc_tensor **in) { return fc_layer_norm(c, in[0], NULL, NULL, 1e-5); }
static fc_tensor *no_bias(fc_ctx *c, fc_tensor **in) { return fc_layer_norm(c, in[0], in[1], NULL, 1e-5); }
static fc_tensor *residual(fc_ctx     *c,
                           fc_tensor **in) { /* the gradient of x exists when the norm's turn comes */
  fc_tensor *x = fc_affine(c, in[0], 2, 0);
  return fc_add(c, x, full(c, (fc_tensor *[]){x, in[1], in[2]}));
}

static void gradient(void) {
  check_op("layer_norm", full, CHECK_INS({3, {2, 3, 8}}, {1, {8}}, {1, {8}}), 0, 0);
  check_op("layer_norm_three", full, CHECK_INS({2, {5, 3}}, {1, {3}}, {1, {3}}), 0, 1e-4); /* dx cancels */
  check_op("layer_norm_plain", plain, CHECK_INS({2, {7, 13}}), 0, 0);
  check_op("layer_norm_no_bias", no_bias, CHECK_INS({2, {7, 13}}, {1, {13}}), 0, 0);
  check_op("layer_norm_fixed_x", full, CHECK_INS({2, {7, 13}, .fixed = true}, {1, {13}}, {1, {13}}), 0, 0);
  check_op("layer_norm_fixed_w", full, CHECK_INS({2, {7, 13}}, {1, {13}, .fixed = true}, {1, {13}}), 0, 0);
  check_op("layer_norm_large", full, CHECK_INS({2, {777, 129}}, {1, {129}}, {1, {129}}), 0, 0);
  check_op("layer_norm_residual", residual, CHECK_INS({2, {300, 129}}, {1, {129}}, {1, {129}}), 0, 0);
}

static fc_tensor *pair(fc_ctx *c, fc_tensor **in) {
  return fc_layer_norm_pair(c, in[0], in[1], in[2], in[3], in[4], 1e-5);
}
static fc_tensor *pair_residual(fc_ctx *c, fc_tensor **in) {
  fc_tensor *x = fc_affine(c, in[0], 2, 0);
  return fc_add(c, x, pair(c, (fc_tensor *[]){x, in[1], in[2], in[3], in[4]}));
}

static void pair_gradient(void) {
  check_op("layer_norm_pair", pair, CHECK_INS({3, {2, 3, 8}}, {1, {8}}, {1, {8}}, {1, {8}}, {1, {8}}), 0, 0);
  check_op("layer_norm_pair_fixed", pair,
           CHECK_INS({2, {7, 13}, .fixed = true}, {1, {13}}, {1, {13}, .fixed = true}, {1, {13}}, {1, {13}}),
           0, 0);
  check_op("layer_norm_pair_large", pair_residual,
           CHECK_INS({2, {777, 129}}, {1, {129}}, {1, {129}}, {1, {129}}, {1, {129}}), 0, 5e-5);
}

static void pair_is_two_norms(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(150, 37)), *w[4];

  for (int i = 0; i < 4; i++) w[i] = check_random(c, FC_DIMS(37));
  const fc_tensor *two = fc_layer_norm(c, fc_layer_norm(c, x, w[0], w[1], 1e-5), w[2], w[3], 1e-5);
  CHECK(check_distance(fc_layer_norm_pair(c, x, w[0], w[1], w[2], w[3], 1e-5), two) == 0);
}

static void rows_are_normal(void) {
  fc_ctx          *c = check_ctx();
  fc_tensor       *x = fc_affine(c, check_random(c, FC_DIMS(40, 257)), 3, 100); /* mean 100, deviation 3 */
  const fc_tensor *y = fc_layer_norm(c, x, NULL, NULL, 0);

  for (int64_t r = 0; r < 40; r++) {
    double mean = 0, square = 0;
    for (int64_t j = 0; j < 257; j++) mean += (double)y->x[r * 257 + j] / 257;
    for (int64_t j = 0; j < 257; j++) square += pow((double)y->x[r * 257 + j], 2) / 257;
    CHECK_NEAR(mean, 0, 1e-4); /* float: rounding in a sum of 257 numbers near 100, over 257 and 3 */
    CHECK_NEAR(square, 1, 1e-5);
  }
}

static void one_channel_gives_the_bias(void) {
  fc_ctx          *c = check_ctx();
  fc_tensor       *w = check_random(c, FC_DIMS(1)), *b = check_random(c, FC_DIMS(1));
  const fc_tensor *y = fc_layer_norm(c, check_random(c, FC_DIMS(3, 1)), w, b, 1e-5);

  for (int i = 0; i < 3; i++) CHECK_NEAR(y->x[i], b->x[0], 0);
}

CHECK_SUITE(layer_norm, gradient, pair_gradient, pair_is_two_norms, rows_are_normal,
            one_channel_gives_the_bias)
