/* core/ops/expand.c - an axis of length 1 repeated: x [O, 1, I] -> y [O, n, I], y[o, k, i] = x[o, i]. */
#include "core/ops.h"
#include "core/spans.h"
#include "core/sums.h"

#include <string.h>

/* rows row .. row+count-1 of y [O n, I] */
static void forward_rows(fc_real *restrict y, const fc_real *restrict x, int64_t row, int64_t count,
                         int64_t n, int64_t I) {
  for (int64_t r = row; r < row + count; r++) {
    const fc_real *from = x + r / n * I;
    if (I == 1)
      y[r] = *from;
    else
      memcpy(y + r * I, from, (size_t)I * sizeof *y);
  }
}

/* y[o, k, i] = x[o, i]: dx[o, i] += sum_k dy[o, k, i] */
static void backward(fc_ctx *c, const fc_node *node) {
  const int        axis = *(const int *)node->saved;
  const fc_tensor *y    = node->out;
  bool             fresh;
  fc_real         *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (!dx) return;
  const fc_sum s = {FC_SUM_PLAIN, fc_span(y, 0, axis), y->dim[axis], fc_span(y, axis + 1, y->ndim),
                    .p = y->g};
  fc_sum_store(c->arena, &s, 1, !fresh, dx);
}

static const fc_op expand = {"expand", backward, false};

/* x [.., 1, ..] -> [.., n, ..] along axis; n = 1 returns x itself */
fc_tensor *fc_expand(fc_ctx *c, fc_tensor *x, int axis, int64_t n) {
  int64_t dim[FC_MAX_DIMS];

  FC_ASSERT(axis >= 0 && axis < x->ndim && x->dim[axis] == 1 && n >= 0,
            "expand: axis %d of %s cannot be repeated %lld times", axis, fc_shape_text(x), (long long)n);
  if (n == 1) return x;
  for (int i = 0; i < x->ndim; i++) dim[i] = i == axis ? n : x->dim[i];
  fc_tensor    *y     = fc_tensor_new(c->arena, x->ndim, dim);
  int          *saved = fc_arena_push(c->arena, sizeof *saved);
  const int64_t I     = fc_span(x, axis + 1, x->ndim);
  *saved              = axis;
  if (!c->dry)
    FC_FOR_ROW_BLOCKS(row, count, fc_len(y) / fc_max64(I, 1), I) forward_rows(y->x, x->x, row, count, n, I);
  return fc_record(c, &expand, y, saved, FC_IN(x));
}
