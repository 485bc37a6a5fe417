/* core/ops/matmul.c - batched products C = alpha op(A) op(B): A [.., m, k] ([.., k, m] if ta), B [.., k, n]
   ([.., n, k] if tb), equal leading axes. */
#include "core/gemm.h"
#include "core/ops.h"
#include "core/parallel.h"

typedef struct {
  bool    ta, tb;
  int64_t batch, m, n, k;
  fc_real alpha;
} product;

/* one product per task; a single large one is split by rows */
static void batched(const product *p, bool ta, bool tb, int64_t m, int64_t n, int64_t k, const fc_real *A,
                    int64_t lda, const fc_real *B, int64_t ldb, bool clear, fc_real *C) {
  if (p->batch == 1) {
    fc_gemm_rows(ta, tb, m, n, k, p->alpha, A, lda, B, ldb, !clear, C, n);
    return;
  }
  FC_FOR_TASKS(i, p->batch, p->batch * m * n * k)
  fc_gemm(ta, tb, m, n, k, p->alpha, A + i * m * k, lda, B + i * k * n, ldb, !clear, C + i * m * n, n);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const product *p = node->saved;
  const fc_real *A = node->in[0]->x, *B = node->in[1]->x, *g = node->out->g;
  const int64_t  lda = p->ta ? p->m : p->k, ldb = p->tb ? p->k : p->n;
  bool           fresh_a, fresh_b;
  fc_real       *dA = fc_grad_raw(c, node->in[0], &fresh_a), *dB = fc_grad_raw(c, node->in[1], &fresh_b);

  if (dA && !p->ta)
    batched(p, false, !p->tb, p->m, p->k, p->n, g, p->n, B, ldb, fresh_a, dA); /* dA = dC op(B)^T */
  if (dA && p->ta) batched(p, p->tb, true, p->k, p->m, p->n, B, ldb, g, p->n, fresh_a, dA);
  if (dB && !p->tb)
    batched(p, !p->ta, false, p->k, p->n, p->m, A, lda, g, p->n, fresh_b, dB); /* dB = op(A)^T dC */
  if (dB && p->tb) batched(p, true, p->ta, p->n, p->k, p->m, g, p->n, A, lda, fresh_b, dB);
  c->flops += 4.0 * (double)p->batch * (double)p->m * (double)p->n * (double)p->k;
}

static const fc_op matmul = {"matmul", backward, false};

fc_tensor *fc_matmul(fc_ctx *c, fc_tensor *a, bool ta, fc_tensor *b, bool tb, double alpha) {
  const int r = a->ndim;
  int64_t   dim[FC_MAX_DIMS];
  product  *p = fc_arena_push(c->arena, sizeof *p);

  FC_ASSERT(r >= 2 && b->ndim == r && fc_span(a, 0, r - 2) == fc_span(b, 0, r - 2) &&
                a->dim[ta ? r - 2 : r - 1] == b->dim[tb ? r - 1 : r - 2],
            "matmul: %s%s times %s%s", fc_shape_text(a), ta ? "^T" : "", fc_shape_text(b), tb ? "^T" : "");
  *p = (product){ta,
                 tb,
                 fc_span(a, 0, r - 2),
                 a->dim[ta ? r - 1 : r - 2],
                 b->dim[tb ? r - 2 : r - 1],
                 a->dim[ta ? r - 2 : r - 1],
                 (fc_real)alpha};
  for (int i = 0; i < r - 2; i++) dim[i] = a->dim[i];
  dim[r - 2]   = p->m;
  dim[r - 1]   = p->n;
  fc_tensor *y = fc_tensor_new(c->arena, r, dim);
  if (!c->dry) batched(p, ta, tb, p->m, p->n, p->k, a->x, fc_last(a), b->x, fc_last(b), true, y->x);
  c->flops += 2.0 * (double)p->batch * (double)p->m * (double)p->n * (double)p->k;
  return fc_record(c, &matmul, y, p, FC_IN(a, b));
}
