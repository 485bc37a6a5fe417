/* tests/core/op_lane_attention.c - gradients, and that it is attention, with scores added up by layers. */
#include "tests/check.h"

static int64_t heads;

static fc_tensor *attend(fc_ctx *c, fc_tensor **in) { return fc_lane_attention(c, 1, in, heads, 0.7); }
static fc_tensor *three(fc_ctx *c, fc_tensor **in) { return fc_lane_attention(c, 3, in, heads, 0.4); }
/* the input serves again, so its gradient is not fresh */
static fc_tensor *attend_onto(fc_ctx *c, fc_tensor **in) {
  return fc_add(c, fc_concat(c, 2, FC_IN(attend(c, in), attend(c, in), attend(c, in))), in[0]);
}
/* as a network has them: the first layer is read twice */
static fc_tensor *network(fc_ctx *c, fc_tensor **in) {
  fc_tensor *y     = attend(c, in);
  fc_tensor *qkv[] = {in[0], fc_concat(c, 2, FC_IN(y, y, y))};

  return fc_lane_attention(c, 2, qkv, heads, 0.4);
}
static fc_tensor *of_itself(fc_ctx *c, fc_tensor **in) {
  return fc_lane_attention(c, 2, (fc_tensor *[]){in[0], in[0]}, heads, 0.3);
}

#define SAME(R, n, W)                                                                                        \
  {                                                                                                          \
    3, { R, n, 3 * (W) }                                                                                     \
  }

static void gradient(void) {
  heads = 2;
  check_op("lane_attention", attend, CHECK_INS(SAME(3, 5, 8)), 0, 0);
  check_op("lane_attention_onto", attend_onto, CHECK_INS(SAME(5, 3, 2)), 0, 0);
  check_op("lane_attention_three", three, CHECK_INS(SAME(3, 9, 6), SAME(3, 9, 6), SAME(3, 9, 6)), 0, 0);
  check_op("lane_attention_fixed", three,
           CHECK_INS(SAME(2, 3, 4), {3, {2, 3, 12}, .fixed = true}, SAME(2, 3, 4)), 0, 0);
  check_op("lane_attention_itself", of_itself, CHECK_INS(SAME(3, 6, 8)), 0, 0);
  check_op("lane_attention_large", attend, CHECK_INS(SAME(67, 24, 12)), 0, 0); /* threads; odd rows */
  heads = 3;
  check_op("lane_attention_one", attend, CHECK_INS(SAME(17, 1, 6)), 0, 0);
  check_op("lane_attention_broken", three, CHECK_INS(SAME(7, 4, 9), SAME(7, 4, 9), SAME(7, 4, 9)), 0, 0);
  heads = 8;
  check_op("lane_attention_eight", network, CHECK_INS(SAME(5, 11, 24)), 0, 0);
}

/* heads that fill vectors */
static void gradient_in_place(void) {
  heads = 16;
  check_op("lane_attention_in_place", three, CHECK_INS(SAME(2, 13, 48), SAME(2, 13, 48), SAME(2, 13, 48)), 0,
           0);
  check_op("lane_attention_in_place_fixed", three,
           CHECK_INS(SAME(1, 3, 32), SAME(1, 3, 32), {3, {1, 3, 96}, .fixed = true}), 0, 0);
  check_op("lane_attention_network", network, CHECK_INS(SAME(5, 42, 32)), 0, 0);
  check_op("lane_attention_in_place_itself", of_itself, CHECK_INS(SAME(2, 9, 16)), 0, 0);
  heads = 32;
  check_op("lane_attention_wide", network, CHECK_INS(SAME(3, 7, 32)), 0, 0);
}

/* part i of x [R, n, 3 D H] by heads: [R, H, n, D] */
static fc_tensor *head_major(fc_ctx *c, fc_tensor *x, int i, int64_t H) {
  const int64_t R = x->dim[0], n = x->dim[1], W = x->dim[2] / 3;

  x = fc_reshape(c, fc_slice(c, x, 2, i * W, W), FC_DIMS(R, n, W / H, H));
  return fc_permute(c, x, (int[]){0, 3, 1, 2});
}

/* scores of two layers added up, their softmax times the values */
static void as_stored_scores_give(void) {
  enum { R = 19, n = 6, H = 3, D = 5 };
  fc_ctx    *c = check_ctx();
  fc_tensor *x[2], *S = NULL;

  for (int l = 0; l < 2; l++) {
    x[l]           = check_random(c, FC_DIMS(R, n, 3 * H * D));
    fc_tensor *own = fc_matmul(c, head_major(c, x[l], 0, H), false, head_major(c, x[l], 1, H), true, 0.7);
    S              = S ? fc_add(c, own, S) : own;
  }
  fc_tensor *want = fc_matmul(c, fc_softmax(c, S), false, head_major(c, x[1], 2, H), false, 1);
  want            = fc_reshape(c, fc_permute(c, want, (int[]){0, 2, 3, 1}), FC_DIMS(R, n, D * H));
  CHECK(check_distance(fc_lane_attention(c, 2, x, H, 0.7), want) < 2e-6);
}

/* scores far apart do not overflow, and what is not a number stays none */
static void odd_scores(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = fc_tensor_new(c->arena, FC_DIMS(1, 2, 3));

  for (int i = 0; i < 6; i++) x->x[i] = (fc_real)(i % 3 == 2 ? i : 1e3 * i);
  heads              = 1;
  const fc_tensor *y = attend(c, &x);
  CHECK_NEAR(y->x[1], 5, 1e-6);
  x->x[1] = (fc_real)NAN;
  y       = attend(c, &x);
  CHECK(isnan((double)y->x[0]) && isnan((double)y->x[1]));
}

CHECK_SUITE(lane_attention, gradient, gradient_in_place, as_stored_scores_give, odd_scores)
