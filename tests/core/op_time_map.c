/* tests/core/op_time_map.c */
#include "tests/check.h"

static fc_tensor *biased(fc_ctx *c, fc_tensor **in) { return fc_time_map(c, in[0], in[1], in[2]); }
static fc_tensor *plain(fc_ctx *c, fc_tensor **in) { return fc_time_map(c, in[0], in[1], NULL); }

static void gradient(void) {
  check_op("time_map", biased, CHECK_INS({3, {2, 7, 3}}, {2, {4, 7}}, {1, {4}}), 0, 0);
  check_op("time_map_plain", plain, CHECK_INS({2, {3, 5}}, {2, {1, 5}}), 0, 0);
  check_op("time_map_fixed_x", biased, CHECK_INS({3, {2, 3, 2}, .fixed = true}, {2, {4, 3}}, {1, {4}}), 0, 0);
  check_op("time_map_fixed_weight", plain, CHECK_INS({4, {2, 3, 2, 2}}, {2, {4, 3}, .fixed = true}), 0, 0);
  check_op("time_map_large", biased, CHECK_INS({4, {37, 24, 7, 4}}, {2, {96, 24}}, {1, {96}}), 0, 1e-4);
}

/* the same by way of the last axis */
static void as_linear(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(3, 6, 5)), *W = check_random(c, FC_DIMS(4, 6));
  fc_tensor *b = check_random(c, FC_DIMS(4)), *y = fc_permute(c, x, (int[]){0, 2, 1});

  y = fc_permute(c, fc_linear_op(c, y, W, b, FC_ACT_NONE), (int[]){0, 2, 1});
  CHECK(check_distance(fc_time_map(c, x, W, b), y) < 1e-6);
}

CHECK_SUITE(time_map, gradient, as_linear)
