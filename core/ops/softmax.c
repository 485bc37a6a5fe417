/* core/ops/softmax.c - softmax over the last axis. */
#include "core/ops.h"
#include "core/parallel.h"
#include "core/vmath.h"

/* y = exp(x - max x) / sum: one row. Subtracting the maximum only keeps exp finite. */
FC_SIMD static void row_forward(fc_real *restrict y, const fc_real *restrict x, int64_t n) {
  fc_real top = x[0], sum = 0;

  FC_REDUCE(max, top) for (int64_t j = 1; j < n; j++) top = x[j] > top ? x[j] : top;
  for (int64_t j = 0; j < n; j++) y[j] = fc_exp(x[j] - top);
  FC_REDUCE(+, sum) for (int64_t j = 0; j < n; j++) sum += y[j];
  for (int64_t j = 0; j < n; j++) y[j] /= sum;
}

/* dx += J^T dy with J = diag(y) - y y^T; needs y, not x. */
FC_SIMD static void row_backward(fc_real *restrict dx, const fc_real *restrict dy, const fc_real *restrict y,
                                 int64_t n) {
  fc_real dot = 0;

  FC_REDUCE(+, dot) for (int64_t j = 0; j < n; j++) dot += dy[j] * y[j];
  for (int64_t j = 0; j < n; j++) dx[j] += y[j] * (dy[j] - dot);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const fc_tensor *y  = node->out;
  fc_real         *dx = fc_grad(c, node->in[0]);
  const int64_t    n  = fc_last(y);

  if (!dx) return;
  FC_FOR_ROWS(r, fc_rows(y), n) row_backward(dx + r * n, y->g + r * n, y->x + r * n, n);
}

static const fc_op softmax = {"softmax", backward, false};

fc_tensor *fc_softmax(fc_ctx *c, fc_tensor *x) {
  fc_tensor    *y = fc_tensor_new(c->arena, x->ndim, x->dim);
  const int64_t n = fc_last(x);

  if (!c->dry) FC_FOR_ROWS(r, fc_rows(x), n) row_forward(y->x + r * n, x->x + r * n, n);
  return fc_record(c, &softmax, y, NULL, FC_IN(x));
}
