/* core/ops/differences.c - steps of a series along time: y_t = x_t - x_{t-1}, x_{-1} = first;
   x [B, T, C], first C numbers -> [B, T, C]. */
#include "core/ops.h"
#include "core/spans.h"
#include "core/sums.h"

#include <string.h>

FC_SIMD static void subtract(fc_real *restrict y, const fc_real *restrict a, const fc_real *restrict b,
                             int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] = a[i] - b[i];
}

/* y_t = x_t - x_{t-1}: dx_t = or += dy_t - dy_{t+1} */
FC_SIMD static void subtract_into(fc_real *restrict dx, const fc_real *restrict dy, const fc_real *restrict g,
                                  int64_t n, bool fresh) {
  for (int64_t i = 0; i < n; i++) dx[i] = fc_into(fresh, dx[i], dy[i] - g[i]);
}

FC_SIMD static void last_into(fc_real *restrict dx, const fc_real *restrict dy, int64_t n, bool fresh) {
  for (int64_t i = 0; i < n; i++) dx[i] = fc_into(fresh, dx[i], dy[i]);
}

static void forward(fc_tensor *y, const fc_tensor *x, const fc_tensor *first) {
  const int64_t T = x->dim[1], C = x->dim[2];

  FC_FOR_ROWS(b, x->dim[0], T * C) {
    const int64_t at = b * T * C;
    subtract(y->x + at, x->x + at, first->x, C);
    subtract(y->x + at + C, x->x + at + C, x->x + at, (T - 1) * C);
  }
}

static void backward(fc_ctx *c, const fc_node *node) {
  const int64_t  B = node->out->dim[0], T = node->out->dim[1], C = node->out->dim[2];
  const fc_real *dy = node->out->g;
  bool           fresh;
  fc_real       *dx = fc_grad_raw(c, node->in[0], &fresh), *dfirst = fc_grad(c, node->in[1]);

  if (dx) FC_FOR_ROWS(b, B, T * C) {
      const int64_t at = b * T * C, last = at + (T - 1) * C;
      subtract_into(dx + at, dy + at, dy + at + C, (T - 1) * C, fresh);
      last_into(dx + last, dy + last, C, fresh);
    }
  if (!dfirst) return;
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *row  = fc_arena_push(c->arena, (size_t)(B * C) * sizeof *row);
  for (int64_t b = 0; b < B; b++) memcpy(row + b * C, dy + b * T * C, (size_t)C * sizeof *row);
  fc_sum_store(c->arena, &(fc_sum){FC_SUM_PLAIN, 1, B, C, .p = row}, -1, true, dfirst);
  fc_arena_pop(c->arena, mark);
}

static const fc_op differences = {"differences", backward, false};

fc_tensor *fc_differences(fc_ctx *c, fc_tensor *x, fc_tensor *first) {
  FC_ASSERT(x->ndim == 3 && x->dim[1] > 0 && fc_len(first) == fc_last(x), "differences: %s, first %s",
            fc_shape_text(x), fc_shape_text(first));
  fc_tensor *y = fc_tensor_new(c->arena, x->ndim, x->dim);
  if (!c->dry) forward(y, x, first);
  return fc_record(c, &differences, y, NULL, FC_IN(x, first));
}
