/* tests/core/op_attention_rows.c - gradients, and that the sum of scores is what RealFormer adds up. */
#include "tests/check.h"

static fc_tensor *one(fc_ctx *c, fc_tensor **in) {
  return fc_attention_rows(c, 1, in, in + 1, in[2], 3, 0.5, 0);
}
static fc_tensor *three(fc_ctx *c, fc_tensor **in) {
  return fc_attention_rows(c, 3, in, in + 3, in[6], 2, 0.4, 0);
}
static fc_tensor *of_itself(fc_ctx *c, fc_tensor **in) {
  return fc_attention_rows(c, 1, in, in, in[0], 2, 0.3, 0);
}
/* as a network has them: queries and keys of the first layer are read twice */
static fc_tensor *network(fc_ctx *c, fc_tensor **in) {
  fc_tensor *y   = fc_attention_rows(c, 1, in, in + 1, in[2], 2, 0.4, 0);
  fc_tensor *q[] = {in[0], y}, *k[] = {in[1], fc_add(c, in[2], y)};

  return fc_attention_rows(c, 2, q, k, y, 2, 0.4, 0);
}

/* the mask is the same in every run of one trial */
static fc_tensor *dropped(fc_ctx *c, fc_tensor **in) {
  const bool before = c->training;

  c->training  = true;
  fc_tensor *y = fc_attention_rows(c, 1, in, in + 1, in[2], 2, 0.5, 0.3);
  c->training  = before;
  return y;
}

#define SAME(...)                                                                                            \
  {                                                                                                          \
    3, { __VA_ARGS__ }                                                                                       \
  }
#define SEVEN(...)                                                                                           \
  CHECK_INS(SAME(__VA_ARGS__), SAME(__VA_ARGS__), SAME(__VA_ARGS__), SAME(__VA_ARGS__), SAME(__VA_ARGS__),   \
            SAME(__VA_ARGS__), SAME(__VA_ARGS__))

static void gradient(void) {
  check_op("attention_rows", one, CHECK_INS(SAME(2, 5, 12), SAME(2, 5, 12), SAME(2, 5, 12)), 0, 0);
  check_op("attention_rows_two_tokens", one, CHECK_INS(SAME(1, 2, 3), SAME(1, 2, 3), SAME(1, 2, 3)), 0, 0);
  check_op("attention_rows_fixed_q", one,
           CHECK_INS({3, {2, 5, 12}, .fixed = true}, SAME(2, 5, 12), SAME(2, 5, 12)), 0, 0);
  check_op("attention_rows_fixed_v", one,
           CHECK_INS(SAME(2, 5, 12), SAME(2, 5, 12), {3, {2, 5, 12}, .fixed = true}), 0, 0);
  check_op("attention_rows_itself", of_itself, CHECK_INS(SAME(3, 6, 8)), 0, 0);
  check_op("attention_rows_three", three, SEVEN(2, 7, 6), 0, 0);
}

/* two and a bit blocks of 64 rows; heads as wide as published ones and wider than 16 */
static void gradient_large(void) {
  check_op("attention_rows_dropped", dropped, CHECK_INS(SAME(2, 71, 6), SAME(2, 71, 6), SAME(2, 71, 6)), 0,
           0);
  check_op("attention_rows_blocks", three, SEVEN(1, 131, 10), 0, 0);
  check_op("attention_rows_wide", three, SEVEN(2, 20, 40), 0, 0);
  check_op("attention_rows_network", network, CHECK_INS(SAME(5, 42, 16), SAME(5, 42, 16), SAME(5, 42, 16)), 0,
           0);
}

/* [B, n, H E] -> [B, H, n, E] */
static fc_tensor *head_major(fc_ctx *c, fc_tensor *x, int64_t H) {
  x = fc_reshape(c, x, FC_DIMS(x->dim[0], x->dim[1], H, x->dim[2] / H));
  return fc_permute(c, x, (int[]){0, 2, 1, 3});
}

/* scores of two layers added up, their softmax times the values */
static void as_stored_scores_give(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *q[2], *k[2], *v = check_random(c, FC_DIMS(2, 70, 12)), *S = NULL;

  for (int l = 0; l < 2; l++) {
    q[l] = check_random(c, FC_DIMS(2, 70, 12)), k[l] = check_random(c, FC_DIMS(2, 70, 12));
    fc_tensor *own = fc_matmul(c, head_major(c, q[l], 3), false, head_major(c, k[l], 3), true, 0.7);
    S              = S ? fc_add(c, own, S) : own;
  }
  fc_tensor *want = fc_matmul(c, fc_softmax(c, S), false, head_major(c, v, 3), false, 1);
  CHECK(check_distance(head_major(c, fc_attention_rows(c, 2, q, k, v, 3, 0.7, 0), 3), want) < 2e-6);
}

/* values of one: what is left of the weights of a query, divided by the share that stays, is 1 on average,
   and outside of training exactly 1 */
static void dropout(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *q = fc_affine(c, check_random(c, FC_DIMS(3, 70, 8)), 0.1, 0), *one = fc_affine(c, q, 0, 1);
  double     mean = 0;

  c->training        = true;
  const fc_tensor *y = fc_attention_rows(c, 1, &q, &q, one, 4, 1, 0.25), *z;
  z                  = fc_attention_rows(c, 1, &q, &q, one, 4, 1, 0.25);
  c->training        = false;
  for (int64_t i = 0; i < fc_len(y); i++) mean += (double)y->x[i] / (double)fc_len(y);
  CHECK_NEAR(mean, 1, 0.01);
  CHECK(check_distance(y, z) > 1e-2); /* another call, another mask */
  y = fc_attention_rows(c, 1, &q, &q, one, 4, 1, 0.25);
  CHECK(check_distance(y, one) < 1e-6);
}

CHECK_SUITE(attention_rows, gradient, gradient_large, as_stored_scores_give, dropout)
