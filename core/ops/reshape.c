/* core/ops/reshape.c - the same numbers under another shape; nothing is copied. */
#include "core/ops.h"

static void backward(fc_ctx *c, const fc_node *node) { fc_grad_give(c, node, node->in[0]); }

static const fc_op reshape = {"reshape", backward, false};

fc_tensor *fc_reshape(fc_ctx *c, fc_tensor *x, int ndim, const int64_t *dim) {
  fc_tensor *y = fc_tensor_view(c->arena, x, ndim, dim);

  FC_ASSERT(fc_len(y) == fc_len(x), "reshape: %s cannot become %s", fc_shape_text(x), fc_shape_text(y));
  return fc_record(c, &reshape, y, NULL, FC_IN(x));
}
