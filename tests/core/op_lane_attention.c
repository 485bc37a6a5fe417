/* tests/core/op_lane_attention.c */
#include "tests/check.h"

static int64_t heads;

static fc_tensor *attend(fc_ctx *c, fc_tensor **in) { return fc_lane_attention(c, in[0], heads, 0.7); }
/* the input serves again, so its gradient is not fresh */
static fc_tensor *attend_onto(fc_ctx *c, fc_tensor **in) {
  return fc_add(c, fc_concat(c, 2, FC_IN(attend(c, in), attend(c, in), attend(c, in))), in[0]);
}

static void gradient(void) {
  heads = 2;
  check_op("lane_attention", attend, CHECK_INS({3, {3, 5, 3 * 2 * 4}}), 0, 0);
  check_op("lane_attention_onto", attend_onto, CHECK_INS({3, {5, 3, 3 * 2 * 1}}), 0, 0);
  check_op("lane_attention_large", attend, CHECK_INS({3, {67, 24, 3 * 2 * 6}}), 0, 0); /* threads; odd rows */
  heads = 3;
  check_op("lane_attention_one", attend, CHECK_INS({3, {17, 1, 3 * 3 * 2}}), 0, 0);
}

/* by way of heads as an axis */
static void as_attention(void) {
  enum { R = 19, n = 6, H = 3, D = 5 };
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(R, n, 3 * H * D)), *part[3];

  heads = H;
  for (int i = 0; i < 3; i++) {
    part[i] = fc_reshape(c, fc_slice(c, x, 2, i * H * D, H * D), FC_DIMS(R, n, H, D));
    part[i] = fc_permute(c, part[i], (int[]){0, 2, 1, 3});
  }
  fc_tensor *y = fc_permute(c, fc_attention(c, part[0], part[1], part[2], NULL, 0.7), (int[]){0, 2, 1, 3});
  CHECK(check_distance(attend(c, &x), fc_reshape(c, y, FC_DIMS(R, n, H * D))) < 2e-6);
}

/* scores far apart do not overflow */
static void large_scores(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = fc_tensor_new(c->arena, FC_DIMS(1, 2, 3));

  for (int i = 0; i < 6; i++) x->x[i] = (fc_real)(i % 3 == 2 ? i : 1e3 * i);
  heads              = 1;
  const fc_tensor *y = attend(c, &x);
  CHECK_NEAR(y->x[1], 5, 1e-6);
}

CHECK_SUITE(lane_attention, gradient, as_attention, large_scores)
