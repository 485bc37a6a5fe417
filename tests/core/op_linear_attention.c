/* tests/core/op_linear_attention.c - against the plain formula, over ragged samples, several input functions,
   and where pieces and blocks of rows meet. */
#include "tests/check.h"

static int64_t heads = 1;

enum { MAX_SAMPLES = 4 };
typedef struct {
  int64_t n, rows[MAX_SAMPLES], keys[2][MAX_SAMPLES];
} samples;
static samples with;

static fc_segments segments(fc_ctx *c, int64_t n, const int64_t *length) {
  fc_tensor *t = fc_tensor_new(c->arena, FC_DIMS(n));

  for (int64_t i = 0; i < n; i++) t->x[i] = (fc_real)length[i];
  return fc_segments_of(c->arena, t);
}

/* over copies: the operation works on the memory of q, k and v */
static fc_tensor *attend(fc_ctx *c, fc_tensor *q, int n, fc_tensor **kv) {
  const fc_segments rows = segments(c, with.n, with.rows);
  fc_segments       key_rows[2];
  fc_tensor        *k[2], *v[2];

  for (int i = 0; i < n; i++) {
    key_rows[i] = segments(c, with.n, with.keys[i]);
    k[i]        = fc_affine(c, kv[2 * i], 1, 0);
    v[i]        = fc_affine(c, kv[2 * i + 1], 1, 0);
  }
  return fc_linear_attention(c, fc_affine(c, q, 1, 0), &rows, n, k, v, key_rows, heads);
}

static fc_tensor *none(fc_ctx *c, fc_tensor **in) { return attend(c, in[0], 0, in + 1); }
static fc_tensor *one(fc_ctx *c, fc_tensor **in) { return attend(c, in[0], 1, in + 1); }
static fc_tensor *two(fc_ctx *c, fc_tensor **in) { return attend(c, in[0], 2, in + 1); }
static fc_tensor *itself(fc_ctx *c, fc_tensor **in) {
  return attend(c, in[0], 1, (fc_tensor *[]){in[0], in[0]});
}

static void gradient(void) {
  with  = (samples){1, {5}, {{7}}};
  heads = 1;
  check_op("linear_attention", one, CHECK_INS({2, {5, 6}}, {2, {7, 6}}, {2, {7, 6}}), 0, 0);
  heads = 3;
  check_op("linear_attention_heads", one, CHECK_INS({2, {5, 6}}, {2, {7, 6}}, {2, {7, 6}}), 0, 0);
  check_op("linear_attention_none", none, CHECK_INS({2, {5, 6}}), 0, 0);
  check_op("linear_attention_fixed_k", one, CHECK_INS({2, {5, 6}}, {2, {7, 6}, .fixed = true}, {2, {7, 6}}),
           0, 0);
  check_op("linear_attention_fixed_q", one,
           CHECK_INS({2, {5, 6}, .fixed = true}, {2, {7, 6}}, {2, {7, 6}, .fixed = true}), 0, 0);
  with = (samples){2, {4, 4}, {{4, 4}}};
  check_op("linear_attention_itself", itself, CHECK_INS({3, {2, 4, 6}}), 0, 0);
}

static void gradient_of_ragged_samples(void) {
  heads = 2;
  with  = (samples){3, {5, 1, 3}, {{2, 6, 1}, {1, 1, 9}}};
  check_op("linear_attention_ragged", two,
           CHECK_INS({2, {9, 8}}, {2, {9, 8}}, {2, {9, 8}}, {2, {11, 8}}, {2, {11, 8}}), 0, 0);
}

/* pieces of 1024 and less, blocks of 128, shares added in order */
static void gradient_across_pieces(void) {
  heads = 2;
  with  = (samples){2, {1200, 131}, {{520, 2}, {150, 1151}}};
  check_op("linear_attention_pieces", two,
           CHECK_INS({2, {1331, 6}}, {2, {522, 6}}, {2, {522, 6}}, {2, {1301, 6}}, {2, {1301, 6}}), 0, 1e-4);
  heads = 1;
  with  = (samples){1, {2100}, {{2100}}};
  check_op("linear_attention_wide", itself, CHECK_INS({2, {2100, 17}}), 0, 1e-4);
}

/* ---- the formula, row by row, in double: weights (q^ . k^_m) / sum over m, then the sum of the values ----
 */

static void softmax_of(const fc_real *x, int64_t n, double *y) {
  double top = -INFINITY, sum = 0;

  for (int64_t j = 0; j < n; j++) top = fmax(top, (double)x[j]);
  for (int64_t j = 0; j < n; j++) sum += y[j] = exp((double)x[j] - top);
  for (int64_t j = 0; j < n; j++) y[j] /= sum;
}

static void add_answer(const double *soft_q, const fc_real *k, const fc_real *v, int64_t keys, int64_t C,
                       int64_t D, double *y) {
  double soft_k[32], total = 0, sum[32] = {0};

  for (int64_t m = 0; m < keys; m++) {
    double weight = 0;
    softmax_of(k + m * C, D, soft_k);
    for (int64_t j = 0; j < D; j++) weight += soft_q[j] * soft_k[j];
    total += weight;
    for (int64_t j = 0; j < D; j++) sum[j] += weight * (double)v[m * C + j];
  }
  for (int64_t j = 0; j < D; j++) y[j] += sum[j] / total;
}

static double distance_from_formula(const fc_tensor *q, fc_tensor **kv, const fc_tensor *y) {
  const int64_t C = fc_last(q), D = C / heads;
  int64_t       row = 0, key[2] = {0};
  double        off = 0;

  for (int64_t b = 0; b < with.n; b++) {
    for (int64_t r = row; r < row + with.rows[b]; r++)
      for (int64_t h = 0; h < heads; h++) {
        double soft[32], want[32];
        softmax_of(q->x + r * C + h * D, D, soft);
        memcpy(want, soft, sizeof want);
        for (int i = 0; i < 2; i++)
          add_answer(soft, kv[2 * i]->x + key[i] * C + h * D, kv[2 * i + 1]->x + key[i] * C + h * D,
                     with.keys[i][b], C, D, want);
        for (int64_t j = 0; j < D; j++) off = fmax(off, fabs(want[j] - (double)y->x[r * C + h * D + j]));
      }
    row += with.rows[b];
    for (int i = 0; i < 2; i++) key[i] += with.keys[i][b];
  }
  return off;
}

static void as_the_formula(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *q = check_random(c, FC_DIMS(340, 24));
  fc_tensor *kv[4];

  with = (samples){3, {5, 300, 35}, {{2, 200, 1}, {1, 1, 9}}};
  for (int i = 0; i < 4; i++) kv[i] = check_random(c, FC_DIMS(i < 2 ? 203 : 11, 24));
  for (heads = 1; heads <= 6; heads++) {
    if (24 % heads) continue;
    CHECK(distance_from_formula(q, kv, attend(c, q, 2, kv)) < (sizeof(fc_real) == 8 ? 1e-13 : 5e-6));
  }
}

/* one key: every query takes its value, whatever the scores */
static void one_key_is_taken(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *q = check_random(c, FC_DIMS(3, 4)), *k = check_random(c, FC_DIMS(1, 4)),
            *v = check_random(c, FC_DIMS(1, 4));

  heads              = 2;
  with               = (samples){1, {3}, {{1}}};
  const fc_tensor *y = one(c, (fc_tensor *[]){q, k, v}), *own = none(c, (fc_tensor *[]){q});
  for (int64_t i = 0; i < 12; i++) CHECK_NEAR(y->x[i] - own->x[i], v->x[i % 4], 1e-6);
}

CHECK_SUITE(linear_attention, gradient, gradient_of_ragged_samples, gradient_across_pieces, as_the_formula,
            one_key_is_taken)
