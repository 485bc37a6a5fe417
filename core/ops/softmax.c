/* core/ops/softmax.c - softmax over the last axis. */
#include "core/ops.h"
#include "core/ops/softmax_rows.h"
#include "core/spans.h"
#include "core/vmath.h"

/* Subtracting the maximum only keeps exp finite. The exponentials are one loop over all rows, so that short
   rows (a handful of experts, 16 channels of a head) fill the vector lanes as well. */
FC_SIMD void fc_softmax_rows(fc_real *y, const fc_real *x, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; r++) {
    const fc_real *from = x + r * n;
    fc_real       *to = y + r * n, top = from[0];
    FC_REDUCE(max, top) for (int64_t j = 0; j < n; j++) top = from[j] > top ? from[j] : top;
    FC_VECTOR for (int64_t j = 0; j < n; j++) to[j]         = from[j] - top;
  }
  for (int64_t i = 0; i < rows * n; i++) y[i] = fc_exp_below(y[i]);
  for (int64_t r = 0; r < rows; r++) {
    fc_real *to = y + r * n, sum = 0;
    FC_REDUCE(+, sum) for (int64_t j = 0; j < n; j++) sum += to[j];
    const fc_real scale = 1 / sum;
    for (int64_t j = 0; j < n; j++) to[j] *= scale;
  }
}

/* dx += J^T dy with J = diag(y) - y y^T; needs y, not x. */
FC_SIMD static void rows_back(fc_real *restrict dx, const fc_real *restrict dy, const fc_real *restrict y,
                              int64_t rows, int64_t n, bool fresh) {
  for (int64_t r = 0; r < rows; r++, dx += n, dy += n, y += n) {
    fc_real dot = 0;
    FC_REDUCE(+, dot) for (int64_t j = 0; j < n; j++) dot += dy[j] * y[j];
    for (int64_t j = 0; j < n; j++) dx[j] = fc_into(fresh, dx[j], y[j] * (dy[j] - dot));
  }
}

void fc_softmax_rows_back(fc_real *dx, const fc_real *dy, const fc_real *y, int64_t rows, int64_t n,
                          bool fresh) {
  rows_back(dx, dy, y, rows, n, fresh);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const fc_tensor *y = node->out;
  const int64_t    n = fc_last(y);
  bool             fresh;
  fc_real         *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (!dx) return;
  FC_FOR_ROW_BLOCKS(r, count, fc_rows(y), n)
  rows_back(dx + r * n, y->g + r * n, y->x + r * n, count, n, fresh);
}

static const fc_op softmax = {"softmax", backward, false};

fc_tensor *fc_softmax(fc_ctx *c, fc_tensor *x) {
  fc_tensor    *y = fc_tensor_new(c->arena, x->ndim, x->dim);
  const int64_t n = fc_last(x);

  if (!c->dry) FC_FOR_ROW_BLOCKS(r, count, fc_rows(x), n)
  fc_softmax_rows(y->x + r * n, x->x + r * n, count, n);
  return fc_record(c, &softmax, y, NULL, FC_IN(x));
}
