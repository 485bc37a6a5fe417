/* core/ops/weighted_sum.c - rows mixed with weights of their own: w [.., n], v_1 .. v_n [.., D] ->
     y[r, j] = sum_i w[r, i] v_i[r, j]
   The values stay where they are: nobody stacks them. */
#include "core/ops.h"
#include "core/spans.h"

#include <string.h>

/* y += w_i v for rows whose weights lie n apart */
FC_SIMD static void add_rows(fc_real *restrict y, const fc_real *restrict w, const fc_real *restrict v,
                             int64_t rows, int64_t n, int64_t D) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < D; j++) y[r * D + j] += w[r * n] * v[r * D + j];
}

/* "y = sum_i w_i v_i": dv_i += w_i dy */
FC_SIMD static void value_rows(fc_real *restrict dv, const fc_real *restrict w, const fc_real *restrict dy,
                               int64_t rows, int64_t n, int64_t D, bool fresh) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < D; j++) dv[r * D + j] = fc_into(fresh, dv[r * D + j], w[r * n] * dy[r * D + j]);
}

/* and dw_i += v_i . dy */
FC_SIMD static void weight_rows(fc_real *restrict dw, const fc_real *restrict v, const fc_real *restrict dy,
                                int64_t rows, int64_t n, int64_t D) {
  for (int64_t r = 0; r < rows; r++) {
    fc_real sum = 0;
    FC_REDUCE(+, sum) for (int64_t j = 0; j < D; j++) sum += v[r * D + j] * dy[r * D + j];
    dw[r * n] += sum;
  }
}

static void backward(fc_ctx *c, const fc_node *node) {
  const fc_tensor *y = node->out, *w = node->in[0];
  const int64_t    n = fc_last(w), D = fc_last(y), rows = fc_rows(y);
  fc_real         *dw = fc_grad(c, node->in[0]);

  for (int64_t i = 0; i < n; i++) {
    const fc_tensor *v = node->in[1 + i];
    bool             fresh;
    fc_real         *dv = fc_grad_raw(c, node->in[1 + i], &fresh);
    FC_FOR_ROW_BLOCKS(r, count, rows, D) {
      if (dw) weight_rows(dw + r * n + i, v->x + r * D, y->g + r * D, count, n, D);
      if (dv) value_rows(dv + r * D, w->x + r * n + i, y->g + r * D, count, n, D, fresh);
    }
  }
}

static const fc_op weighted_sum = {"weighted_sum", backward, false};

fc_tensor *fc_weighted_sum(fc_ctx *c, fc_tensor *w, int n, fc_tensor *const *v) {
  const int64_t D  = fc_last(v[0]);
  fc_tensor    *y  = fc_tensor_new(c->arena, v[0]->ndim, v[0]->dim);
  fc_tensor   **in = fc_arena_push(c->arena, (size_t)(n + 1) * sizeof *in);

  in[0] = w;
  for (int i = 0; i < n; i++) in[1 + i] = v[i];
  FC_ASSERT(fc_last(w) == n && fc_rows(w) == fc_rows(y), "weighted_sum: weights %s of %d values %s",
            fc_shape_text(w), n, fc_shape_text(y));
  for (int i = 0; i < n; i++)
    FC_ASSERT(fc_same_shape(v[i], y), "weighted_sum: values %s and %s", fc_shape_text(y),
              fc_shape_text(v[i]));
  if (!c->dry) FC_FOR_ROW_BLOCKS(r, count, fc_rows(y), D) {
      memset(y->x + r * D, 0, (size_t)(count * D) * sizeof *y->x);
      for (int i = 0; i < n; i++) add_rows(y->x + r * D, w->x + r * n + i, v[i]->x + r * D, count, n, D);
    }
  return fc_record(c, &weighted_sum, y, NULL, n + 1, in);
}
