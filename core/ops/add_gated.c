/* core/ops/add_gated.c - y = a + g x over a's own memory: a, x [.., C], a factor g [C] for each channel.
   The product is never stored. */
#include "core/ops.h"
#include "core/spans.h"
#include "core/sums.h"

FC_SIMD static void add_product(fc_real *restrict y, const fc_real *restrict a, const fc_real *restrict b,
                                int64_t n, bool fresh) {
  for (int64_t i = 0; i < n; i++) y[i] = fc_into(fresh, y[i], a[i] * b[i]);
}

/* y = a + g x: dx += g dy,  dg += sum over rows of x dy,  da += dy last, for the buffer may change hands */
static void backward(fc_ctx *c, const fc_node *node) {
  const fc_tensor *x = node->in[1], *g = node->in[2];
  const fc_real   *dy   = node->out->g;
  const int64_t    rows = fc_rows(x), C = fc_last(x);
  bool             fresh, fresh_g;
  fc_real         *dx = fc_grad_raw(c, node->in[1], &fresh), *dg = fc_grad_raw(c, node->in[2], &fresh_g);

  if (dx) fc_spans_apply(c->arena, add_product, rows * C, dx, dy, C, g->x, fresh);
  if (dg) fc_sum_store(c->arena, &(fc_sum){FC_SUM_PRODUCT, 1, rows, C, .p = dy, .q = x->x}, 1, !fresh_g, dg);
  fc_grad_give(c, node, node->in[0]);
}

static const fc_op add_gated = {"add_gated", backward, false};

fc_tensor *fc_add_gated(fc_ctx *c, fc_tensor *a, fc_tensor *x, fc_tensor *g) {
  FC_ASSERT(fc_same_shape(a, x) && fc_len(g) == fc_last(x), "add_gated: %s and %s, factors %s",
            fc_shape_text(a), fc_shape_text(x), fc_shape_text(g));
  fc_tensor *y = fc_tensor_view(c->arena, a, a->ndim, a->dim);
  if (!c->dry) fc_spans_apply(c->arena, add_product, fc_len(y), y->x, x->x, fc_last(x), g->x, false);
  return fc_record(c, &add_gated, y, NULL, FC_IN(a, x, g));
}
