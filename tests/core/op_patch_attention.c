/* tests/core/op_patch_attention.c */
#include "tests/check.h"

static fc_tensor *attend(fc_ctx *c, fc_tensor **in) { return fc_patch_attention(c, in[0], in[1], in[2]); }

#define ATTEND(name, B, p, n, N, H, D)                                                                       \
  check_op(name, attend, CHECK_INS({4, {B, n * p, N, D}}, {3, {n, N, D}}, {4, {N, H, n, D}}), 0, 0)

static void gradient(void) {
  ATTEND("patch_attention", 2, 4, 3, 3, 2, 4);
  ATTEND("patch_attention_one", 1, 1, 1, 1, 1, 1);
  ATTEND("patch_attention_steps", 3, 1, 5, 2, 2, 3);
  ATTEND("patch_attention_wide", 2, 6, 2, 2, 3, 16);
  ATTEND("patch_attention_large", 19, 8, 12, 7, 2, 8);
}

static void fixed(void) {
  check_op("patch_attention_fixed_x", attend,
           CHECK_INS({4, {2, 6, 2, 4}, .fixed = true}, {3, {3, 2, 4}}, {4, {2, 2, 3, 4}}), 0, 0);
  check_op("patch_attention_fixed_rest", attend,
           CHECK_INS({4, {2, 6, 2, 4}}, {3, {3, 2, 4}, .fixed = true}, {4, {2, 2, 3, 4}, .fixed = true}), 0,
           0);
}

/* one patch, variate and head at a time by full attention with one query */
static void as_attention(void) {
  enum { Bs = 2, P = 3, n = 2, N = 2, H = 2, D = 4 };
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(Bs, n * P, N, D)), *q = check_random(c, FC_DIMS(n, N, D));
  fc_tensor *u = check_random(c, FC_DIMS(N, H, n, D)), *z = fc_patch_attention(c, x, q, u);

  for (int t = 0; t < Bs * n * N * H; t++) {
    const int  b = t / (n * N * H), i = t / (N * H) % n, v = t / H % N, h = t % H;
    fc_tensor *own = fc_slice(c, fc_slice(c, q, 0, i, 1), 1, v, 1);
    fc_tensor *of  = fc_slice(c, fc_slice(c, fc_slice(c, x, 0, b, 1), 1, i * P, P), 2, v, 1);
    fc_tensor *token =
        fc_concat(c, 0, FC_IN(fc_reshape(c, own, FC_DIMS(1, D)), fc_reshape(c, of, FC_DIMS(P, D))));
    fc_tensor *query   = fc_slice(c, fc_slice(c, fc_slice(c, u, 0, v, 1), 1, h, 1), 2, i, 1);
    token              = fc_reshape(c, token, FC_DIMS(1, 1, 1 + P, D));
    const fc_tensor *y = fc_attention(c, query, token, token, NULL, 1);
    for (int j = 0; j < D; j++) CHECK_NEAR(z->x[(((v * n + i) * Bs + b) * H + h) * D + j], y->x[j], 2e-6);
  }
}

CHECK_SUITE(patch_attention, gradient, fixed, as_attention)
