/* tests/core/op_group_norm.c */
#include "tests/check.h"

#define GROUPS(name, G)                                                                                      \
  static fc_tensor *name(fc_ctx *c, fc_tensor **in) { return fc_group_norm(c, in[0], G, in[1], in[2], 1e-5); }
GROUPS(two, 2)
GROUPS(one, 1)
GROUPS(six, 6)
GROUPS(sixteen, 16)
static fc_tensor *plain(fc_ctx *c, fc_tensor **in) { return fc_group_norm(c, in[0], 3, NULL, NULL, 1e-5); }
static fc_tensor *weight_only(fc_ctx *c, fc_tensor **in) {
  return fc_group_norm(c, in[0], 3, in[1], NULL, 1e-5);
}

static void gradient(void) {
  check_op("group_norm", two, CHECK_INS({3, {3, 5, 6}}, {1, {6}}, {1, {6}}), 0, 0);
  check_op("group_norm_one", one, CHECK_INS({2, {3, 6}}, {1, {6}}, {1, {6}}), 0, 0);
  check_op("group_norm_instance", six, CHECK_INS({4, {2, 3, 4, 6}}, {1, {6}}, {1, {6}}), 0, 0);
  check_op("group_norm_plain", plain, CHECK_INS({3, {2, 7, 6}}), 0, 0);
  check_op("group_norm_weight", weight_only, CHECK_INS({3, {2, 7, 6}}, {1, {6}}), 0, 0);
  check_op("group_norm_fixed_x", two, CHECK_INS({3, {3, 5, 6}, .fixed = true}, {1, {6}}, {1, {6}}), 0, 0);
  check_op("group_norm_large", sixteen, CHECK_INS({3, {2, 700, 64}}, {1, {64}}, {1, {64}}), 0, 0);
}

/* every group of every sample has mean 0 and variance 1, also when the mean is far larger than the
   deviation; float numbers near 1000 are 6e-5 apart, which leaves about 1e-4 on the mean */
static void groups_are_normal(void) {
  enum { B = 2, N = 1000, C = 12, G = 4, W = C / G };
  fc_ctx          *c = check_ctx();
  fc_tensor       *x = fc_affine(c, check_random(c, FC_DIMS(B, N, C)), 2, 1000);
  const fc_tensor *y = fc_group_norm(c, x, G, NULL, NULL, 0);

  for (int k = 0; k < B * G; k++) {
    double mean = 0, square = 0;
    for (int i = 0; i < N * W; i++) {
      const double v = (double)y->x[(k / G * N + i / W) * C + k % G * W + i % W];
      mean += v / (N * W);
      square += v * v / (N * W);
    }
    CHECK_NEAR(mean, 0, 2e-4);
    CHECK_NEAR(square, 1, 2e-4);
  }
}

/* one group and one point is the layer norm of that point */
static void like_layer_norm(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(50, 1, 33)), *w = check_random(c, FC_DIMS(33)),
            *b = check_random(c, FC_DIMS(33));

  CHECK(check_distance(fc_group_norm(c, x, 1, w, b, 1e-5), fc_layer_norm(c, x, w, b, 1e-5)) <=
        1e-6); /* float sums of 33 */
}

CHECK_SUITE(group_norm, gradient, groups_are_normal, like_layer_norm)
