/* tests/core/op_attention_scores.c - both steps, and together they are fc_attention. */
#include "tests/check.h"

static fc_tensor *first(fc_ctx *c, fc_tensor **in) {
  return fc_attention_scores(c, in[0], in[1], 3, 0.5, NULL);
}
static fc_tensor *next(fc_ctx *c, fc_tensor **in) {
  return fc_attention_scores(c, in[0], in[1], 3, 0.5, in[2]);
}
static fc_tensor *of_itself(fc_ctx *c, fc_tensor **in) {
  return fc_attention_scores(c, in[0], in[0], 2, 0.3, NULL);
}
static fc_tensor *values(fc_ctx *c, fc_tensor **in) { return fc_attention_values(c, in[0], in[1]); }
/* as a network has them: scores are read by their own layer and by the next one */
static fc_tensor *layers(fc_ctx *c, fc_tensor **in) {
  fc_tensor *S = fc_attention_scores(c, in[0], in[1], 2, 0.4, NULL);
  fc_tensor *y = fc_attention_values(c, S, in[2]);

  S = fc_attention_scores(c, y, in[1], 2, 0.4, S);
  return fc_attention_values(c, S, fc_add(c, in[2], y));
}

static void gradient(void) {
  check_op("attention_scores", first, CHECK_INS({3, {2, 5, 12}}, {3, {2, 7, 12}}), 0, 0);
  check_op("attention_scores_onto", next, CHECK_INS({3, {2, 5, 12}}, {3, {2, 7, 12}}, {4, {2, 3, 5, 7}}), 0,
           0);
  check_op("attention_scores_fixed", next,
           CHECK_INS({3, {2, 5, 3}, .fixed = true}, {3, {2, 7, 3}}, {4, {2, 3, 5, 7}, .fixed = true}), 0, 0);
  check_op("attention_scores_itself", of_itself, CHECK_INS({3, {3, 6, 8}}), 0, 0);
  check_op("attention_values", values, CHECK_INS({4, {2, 3, 5, 7}}, {3, {2, 7, 12}}), 0, 0);
  check_op("attention_values_one", values, CHECK_INS({4, {1, 1, 1, 2}}, {3, {1, 2, 1}}), 0, 0);
  check_op("attention_values_fixed", values, CHECK_INS({4, {2, 1, 5, 7}, .fixed = true}, {3, {2, 7, 3}}), 0,
           0);
  check_op("attention_values_fixed_v", values, CHECK_INS({4, {2, 1, 5, 7}}, {3, {2, 7, 3}, .fixed = true}), 0,
           0);
}

/* two and a bit blocks of 64 rows, and as many heads as threads can share */
static void gradient_large(void) {
  check_op("attention_values_blocks", values, CHECK_INS({4, {2, 2, 131, 40}}, {3, {2, 40, 18}}), 0, 0);
  check_op("attention_layers", layers, CHECK_INS({3, {5, 42, 16}}, {3, {5, 42, 16}}, {3, {5, 42, 16}}), 0, 0);
}

/* [B, n, H E] -> [B, H, n, E] */
static fc_tensor *head_major(fc_ctx *c, fc_tensor *x, int64_t H) {
  x = fc_reshape(c, x, FC_DIMS(x->dim[0], x->dim[1], H, x->dim[2] / H));
  return fc_permute(c, x, (int[]){0, 2, 1, 3});
}

static void is_attention(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *q = check_random(c, FC_DIMS(2, 70, 12)), *k = check_random(c, FC_DIMS(2, 30, 12));
  fc_tensor *v = check_random(c, FC_DIMS(2, 30, 12));
  fc_tensor *y = fc_attention_values(c, fc_attention_scores(c, q, k, 3, 0.7, NULL), v);
  fc_tensor *z = fc_attention(c, head_major(c, q, 3), head_major(c, k, 3), head_major(c, v, 3), NULL, 0.7);

  CHECK(check_distance(head_major(c, y, 3), z) < 2e-6);
}

CHECK_SUITE(attention_scores, gradient, gradient_large, is_attention)
