/* tests/core/op_attention.c - against the plain formula, and where blocks of 128 queries and 256 keys meet.
 */
#include "tests/check.h"

#define EPS (sizeof(fc_real) == 8 ? 2.2e-16 : 1.2e-7)

static fc_tensor *plain(fc_ctx *c, fc_tensor **in) { return fc_attention(c, in[0], in[1], in[2], NULL, 0.5); }
static fc_tensor *biased(fc_ctx *c, fc_tensor **in) {
  return fc_attention(c, in[0], in[1], in[2], in[3], 0.5);
}
static fc_tensor *of_itself(fc_ctx *c, fc_tensor **in) {
  return fc_attention(c, in[0], in[0], in[0], NULL, 0.3);
}
static fc_tensor *keys_are_values(fc_ctx *c, fc_tensor **in) {
  return fc_attention(c, in[0], in[1], in[1], NULL, 0.3);
}

static void gradient(void) {
  check_op("attention", plain, CHECK_INS({4, {2, 3, 5, 4}}, {4, {2, 3, 7, 4}}, {4, {2, 3, 7, 6}}), 0, 0);
  check_op("attention_one_key", plain,
           CHECK_INS({4, {1, 1, 3, 2}, .fixed = true}, {4, {1, 1, 1, 2}, .fixed = true}, {4, {1, 1, 1, 2}}),
           0, 0);
  check_op("attention_fixed_v", plain,
           CHECK_INS({4, {2, 1, 5, 4}}, {4, {2, 1, 7, 4}}, {4, {2, 1, 7, 6}, .fixed = true}), 0, 0);
  check_op("attention_fixed_k", plain,
           CHECK_INS({4, {2, 1, 5, 4}}, {4, {2, 1, 7, 4}, .fixed = true}, {4, {2, 1, 7, 6}}), 0, 0);
  check_op("attention_itself", of_itself, CHECK_INS({4, {2, 2, 9, 3}}), 0, 0);
}

/* two and a bit blocks of queries, three of keys: dq is gathered in copies */
static void gradient_across_blocks(void) {
  check_op("attention_blocks", plain,
           CHECK_INS({4, {1, 2, 261, 4}}, {4, {1, 2, 519, 4}}, {4, {1, 2, 519, 5}}), 0, 0);
  check_op("attention_blocks_itself", of_itself, CHECK_INS({4, {2, 1, 300, 6}}), 0, 0);
  check_op("attention_blocks_kv", keys_are_values, CHECK_INS({4, {1, 1, 129, 4}}, {4, {1, 1, 257, 4}}), 0, 0);
  /* 33 heads: enough tasks without copies */
  check_op("attention_many_heads", plain,
           CHECK_INS({4, {3, 11, 20, 4}}, {4, {3, 11, 300, 4}}, {4, {3, 11, 300, 4}}), 0, 0);
}

static void gradient_with_bias(void) {
  check_op("attention_bias", biased,
           CHECK_INS({4, {2, 3, 5, 4}}, {4, {2, 3, 7, 4}}, {4, {2, 3, 7, 6}}, {3, {3, 5, 7}}), 0, 0);
  check_op("attention_bias_shared", biased,
           CHECK_INS({4, {2, 3, 5, 4}}, {4, {2, 3, 7, 4}}, {4, {2, 3, 7, 6}}, {3, {1, 5, 7}}), 0, 0);
  check_op("attention_bias_fixed", biased,
           CHECK_INS({4, {2, 3, 5, 4}}, {4, {2, 3, 7, 4}}, {4, {2, 3, 7, 6}}, {3, {3, 5, 7}, .fixed = true}),
           0, 0);
  /* many windows under one bias: dbias is gathered in copies, the last one of fewer windows */
  check_op("attention_windows", biased,
           CHECK_INS({4, {37, 2, 9, 8}}, {4, {37, 2, 9, 8}}, {4, {37, 2, 9, 8}}, {3, {2, 9, 9}}), 0, 0);
  check_op("attention_windows_shared", biased,
           CHECK_INS({4, {19, 3, 9, 8}}, {4, {19, 3, 9, 8}}, {4, {19, 3, 9, 8}}, {3, {1, 9, 9}}), 0, 0);
  check_op("attention_bias_blocks", biased,
           CHECK_INS({4, {2, 1, 131, 4}}, {4, {2, 1, 513, 4}}, {4, {2, 1, 513, 4}}, {3, {1, 131, 513}}), 0,
           0);
}

/* one row of the formula, in double */
static void reference_row(const fc_real *q, const fc_real *k, const fc_real *v, const fc_real *bias,
                          int64_t Nk, int64_t D, int64_t E, double scale, double *y) {
  double *w = malloc((size_t)Nk * sizeof *w), top = -INFINITY, sum = 0;

  for (int64_t j = 0; j < Nk; j++) {
    w[j] = bias ? (double)bias[j] : 0;
    for (int64_t i = 0; i < D; i++) w[j] += scale * (double)q[i] * (double)k[j * D + i];
    top = fmax(top, w[j]);
  }
  for (int64_t j = 0; j < Nk; j++) sum += w[j] = exp(w[j] - top);
  for (int64_t e = 0; e < E; e++) {
    y[e] = 0;
    for (int64_t j = 0; j < Nk; j++) y[e] += w[j] / sum * (double)v[j * E + e];
  }
  free(w);
}

static void compare(fc_tensor *q, fc_tensor *k, fc_tensor *v, fc_tensor *bias, const fc_tensor *y,
                    double scale) {
  const int64_t B = q->dim[0], H = q->dim[1], Nq = q->dim[2], D = q->dim[3], Nk = k->dim[2], E = v->dim[3];
  double        row[64], off = 0;

  for (int64_t h = 0; h < B * H; h++)
    for (int64_t i = 0; i < Nq; i++) {
      const int64_t  bias_head = !bias || bias->dim[0] == 1 ? 0 : h % H;
      const fc_real *b         = bias ? bias->x + (bias_head * Nq + i) * Nk : NULL;
      reference_row(q->x + (h * Nq + i) * D, k->x + h * Nk * D, v->x + h * Nk * E, b, Nk, D, E, scale, row);
      for (int64_t e = 0; e < E; e++) {
        const double d = fabs(row[e] - (double)y->x[(h * Nq + i) * E + e]);
        if (!(d <= off)) off = d; /* NaN sticks */
      }
    }
  CHECK(off <=
        40 * EPS); /* scores below 20 carry 20 roundings' worth into the exponential; values are near 1 */
}

static void as_the_formula(void) {
  static const int64_t sizes[][2] = {{1, 1}, {5, 9}, {128, 256}, {129, 257}, {300, 700}};

  for (int s = 0; s < FC_COUNT(sizes); s++)
    for (int64_t heads = 0; heads <= 2; heads++) {
      fc_ctx    *c    = check_ctx();
      fc_tensor *q    = check_random(c, FC_DIMS(2, 2, sizes[s][0], 8)),
                *k    = check_random(c, FC_DIMS(2, 2, sizes[s][1], 8));
      fc_tensor *v    = check_random(c, FC_DIMS(2, 2, sizes[s][1], 5));
      fc_tensor *bias = heads ? check_random(c, FC_DIMS(heads, sizes[s][0], sizes[s][1])) : NULL;
      compare(q, k, v, bias, fc_attention(c, q, k, v, bias, 0.35), 0.35);
    }
}

/* Scores of several thousand, growing from key to key: every block raises the running maximum. */
static void large_scores_stay_finite(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *q = check_random(c, FC_DIMS(1, 1, 3, 1)), *k = check_random(c, FC_DIMS(1, 1, 600, 1));
  fc_tensor *v = check_random(c, FC_DIMS(1, 1, 600, 2));

  for (int64_t i = 0; i < 3; i++) q->x[i] = 1;
  for (int64_t j = 0; j < 600; j++) k->x[j] = (fc_real)(8 * j);
  const fc_tensor *y = fc_attention(c, q, k, v, NULL, 1);
  for (int64_t i = 0; i < 6; i++) /* the last key outweighs the one before by exp(8) */
    CHECK_NEAR(y->x[i], v->x[1198 + i % 2], 1e-3 * (fabs((double)v->x[1196 + i % 2]) + 4));
}

/* A bias of -infinity hides keys: the same as attention over the other keys alone. Here a whole block of 256
   is hidden before the first visible key. */
static void hidden_keys_do_not_count(void) {
  enum { NK = 520, FIRST = 300, E = 4 };
  fc_ctx    *c = check_ctx();
  fc_tensor *q = check_random(c, FC_DIMS(1, 1, 7, 4)), *k = check_random(c, FC_DIMS(1, 1, NK, 4));
  fc_tensor *v = check_random(c, FC_DIMS(1, 1, NK, E)), *bias = check_random(c, FC_DIMS(1, 7, NK));
  fc_tensor *k2 = fc_tensor_borrow(c->arena, k->x + FIRST * 4, FC_DIMS(1, 1, NK - FIRST, 4));
  fc_tensor *v2 = fc_tensor_borrow(c->arena, v->x + FIRST * E, FC_DIMS(1, 1, NK - FIRST, E));

  for (int64_t i = 0; i < 7 * NK; i++) bias->x[i] = i % NK < FIRST ? -(fc_real)INFINITY : 0;
  q->needs_grad = k->needs_grad = v->needs_grad = true;
  c->grad                                       = true;
  fc_tensor *y = fc_attention(c, q, k, v, bias, 0.5), *visible = fc_attention(c, q, k2, v2, NULL, 0.5);
  CHECK(check_distance(y, visible) <= 20 * EPS);
  fc_keep(y);
  fc_backward_from(c, y, visible->x);
  double hidden = 0, seen = 0;
  for (int64_t i = 0; i < NK * E; i++) {
    CHECK(isfinite((double)v->g[i]) && isfinite((double)k->g[i]));
    *(i < FIRST * E ? &hidden : &seen) += fabs((double)v->g[i]) + fabs((double)k->g[i]);
  }
  CHECK_NEAR(hidden, 0, 0);
  CHECK(seen > 0);
}

/* equal scores everywhere give the mean of the values */
static void equal_scores_average(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *q = check_random(c, FC_DIMS(1, 1, 4, 3)), *k = check_random(c, FC_DIMS(1, 1, 400, 3));
  fc_tensor *v    = check_random(c, FC_DIMS(1, 1, 400, 1));
  double     mean = 0;

  for (int64_t j = 0; j < 400; j++) mean += (double)v->x[j] / 400;
  const fc_tensor *y = fc_attention(c, q, k, v, NULL, 0);
  for (int64_t i = 0; i < 4; i++) CHECK_NEAR(y->x[i], mean, 20 * EPS);
}

CHECK_SUITE(attention, gradient, gradient_across_blocks, gradient_with_bias, as_the_formula,
            large_scores_stay_finite, hidden_keys_do_not_count, equal_scores_average)
