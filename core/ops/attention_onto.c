/* core/ops/attention_onto.c - one head whose queries, keys, residual and values are columns of one product:
   x = (q, k, u, v) [B, n, 2 E + 2 P] -> y [B, n, P],

     A = softmax(scale q k^T) over the n tokens of a sample,   y = u + A v

   Tokens are few (7 variates) and A is never stored. With g = dL/dy:

     du = g,   dv = A^T g,   dA = g v^T,   dS = scale softmax'(dA),   dq = dS k,   dk = dS^T q */
#include "core/gemm.h"
#include "core/ops.h"
#include "core/ops/softmax_rows.h"
#include "core/spans.h"

#include <string.h>

enum { SMALL = 1 << 14 }; /* multiply-adds below which a call of the library costs more than the product */

typedef struct {
  int64_t B, n, E, P, width;
  fc_real scale;
} problem;

/* C (+)= op(A) B, and C = A B^T */
FC_SIMD static void product_small(bool ta, int64_t m, int64_t n, int64_t k, const fc_real *restrict A,
                                  int64_t lda, const fc_real *restrict B, int64_t ldb, fc_real *restrict C,
                                  int64_t ldc) {
  for (int64_t i = 0; i < m; i++)
    for (int64_t p = 0; p < k; p++) {
      const fc_real a = ta ? A[p * lda + i] : A[i * lda + p];
      for (int64_t j = 0; j < n; j++) C[i * ldc + j] += a * B[p * ldb + j];
    }
}

FC_SIMD static void dots_small(int64_t m, int64_t n, int64_t k, const fc_real *restrict A, int64_t lda,
                               const fc_real *restrict B, int64_t ldb, fc_real *restrict C) {
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      fc_real sum = 0;
      FC_REDUCE(+, sum) for (int64_t p = 0; p < k; p++) sum += A[i * lda + p] * B[j * ldb + p];
      C[i * n + j] = sum;
    }
}

static void zero(fc_real *C, int64_t ldc, int64_t m, int64_t n) {
  for (int64_t i = 0; i < m; i++) memset(C + i * ldc, 0, (size_t)n * sizeof *C);
}

/* C [m, n] (+)= op(A) B with k terms */
static void product(bool ta, int64_t m, int64_t n, int64_t k, const fc_real *A, int64_t lda, const fc_real *B,
                    int64_t ldb, bool add, fc_real *C, int64_t ldc) {
  if (m * n * k > SMALL) {
    fc_gemm(ta, false, m, n, k, 1, A, lda, B, ldb, add, C, ldc);
    return;
  }
  if (!add) zero(C, ldc, m, n);
  product_small(ta, m, n, k, A, lda, B, ldb, C, ldc);
}

/* C [n, n] = A B^T of rows `width` apart with k columns */
static void dots(int64_t n, int64_t k, const fc_real *A, int64_t lda, const fc_real *B, int64_t ldb,
                 fc_real *C) {
  if (n * n * k > SMALL)
    fc_gemm(false, true, n, n, k, 1, A, lda, B, ldb, 0, C, n);
  else
    dots_small(n, n, k, A, lda, B, ldb, C);
}

FC_SIMD static void scale_span(fc_real *x, fc_real scale, int64_t n) {
  for (int64_t i = 0; i < n; i++) x[i] *= scale;
}

/* A [n, n] of the sample at x */
static void weights(const problem *p, const fc_real *x, fc_real *A) {
  dots(p->n, p->E, x, p->width, x + p->E, p->width, A);
  scale_span(A, p->scale, p->n * p->n);
  fc_softmax_rows(A, A, p->n, p->n);
}

static void forward_sample(const problem *p, const fc_real *x, fc_real *y, fc_real *A) {
  const fc_real *u = x + 2 * p->E;

  weights(p, x, A);
  for (int64_t i = 0; i < p->n; i++) memcpy(y + i * p->P, u + i * p->width, (size_t)p->P * sizeof *y);
  product(false, p->n, p->P, p->n, A, p->n, u + p->P, p->width, true, y, p->P);
}

static void backward_sample(const problem *p, const fc_real *x, const fc_real *g, fc_real *dx, bool fresh,
                            fc_real *A) {
  const int64_t  n = p->n, E = p->E, P = p->P, width = p->width;
  const fc_real *v  = x + 2 * E + P;
  fc_real       *dA = A + n * n, *dS = dA + n * n, *du = dx + 2 * E;

  weights(p, x, A);
  for (int64_t i = 0; i < n; i++) /* "y = u + A v" */
    if (fresh)
      memcpy(du + i * width, g + i * P, (size_t)P * sizeof *g);
    else
      fc_span_add(du + i * width, g + i * P, P);
  product(true, n, P, n, A, n, g, P, !fresh, du + P, width);
  dots(n, P, g, P, v, width, dA);
  fc_softmax_rows_back(dS, dA, A, n, n, true);
  scale_span(dS, p->scale, n * n);
  product(false, n, E, n, dS, n, x + E, width, !fresh, dx, width);
  product(true, n, E, n, dS, n, x, width, !fresh, dx + E, width);
}

static double pairs(const problem *p) { return (double)p->B * (double)(p->n * p->n); }

/* room for `squares` matrices [n, n] for each thread */
static fc_real *room_for(fc_arena *a, const problem *p, int64_t squares) {
  return fc_arena_push(a, (size_t)(fc_threads() * squares * p->n * p->n) * sizeof(fc_real));
}

static void backward(fc_ctx *c, const fc_node *node) {
  const problem *p = node->saved;
  const fc_real *x = node->in[0]->x, *g = node->out->g;
  const int64_t  n = p->n, square = 3 * n * n;
  bool           fresh;
  fc_real       *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (!dx) return;
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *room = room_for(c->arena, p, 3);
  c->flops += 2 * pairs(p) * (double)(3 * p->E + 2 * p->P);
  if (!c->dry) FC_FOR_ROWS(b, p->B, n * n * p->width)
  backward_sample(p, x + b * n * p->width, g + b * n * p->P, dx + b * n * p->width, fresh,
                  room + fc_thread() * square);
  fc_arena_pop(c->arena, mark);
}

static const fc_op attention_onto = {"attention_onto", backward, true};

fc_tensor *fc_attention_onto(fc_ctx *c, fc_tensor *x, int64_t E, double scale) {
  FC_ASSERT(x->ndim == 3 && x->dim[1] > 0 && E > 0 && x->dim[2] > 2 * E && x->dim[2] % 2 == 0,
            "attention_onto: %s, queries of %lld", fc_shape_text(x), (long long)E);
  problem *p         = fc_arena_push(c->arena, sizeof *p);
  *p                 = (problem){x->dim[0], x->dim[1], E, x->dim[2] / 2 - E, x->dim[2], (fc_real)scale};
  const int64_t n    = p->n;
  fc_tensor    *y    = fc_tensor_new(c->arena, FC_DIMS(p->B, n, p->P));
  const size_t  mark = fc_arena_mark(c->arena);
  fc_real      *room = room_for(c->arena, p, 1);
  c->flops += 2 * pairs(p) * (double)(p->E + p->P);
  if (!c->dry) FC_FOR_ROWS(b, p->B, n * n * p->width)
  forward_sample(p, x->x + b * n * p->width, y->x + b * n * p->P, room + fc_thread() * n * n);
  fc_arena_pop(c->arena, mark);
  return fc_record(c, &attention_onto, y, p, FC_IN(x));
}
