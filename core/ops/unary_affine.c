/* core/ops/unary_affine.c - y = scale x + shift with two constants. */
#include "core/ops.h"
#include "core/spans.h"

FC_SIMD static void forward(fc_real *restrict y, const fc_real *restrict x, int64_t n, fc_real scale,
                            fc_real shift) {
  for (int64_t i = 0; i < n; i++) y[i] = scale * x[i] + shift;
}

/* y = scale x + shift: dx += scale dy */
FC_SIMD static void backward_span(fc_real *restrict dx, const fc_real *restrict dy, int64_t n, fc_real scale,
                                  bool fresh) {
  for (int64_t i = 0; i < n; i++) dx[i] = fc_into(fresh, dx[i], scale * dy[i]);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const fc_real  scale = *(const fc_real *)node->saved;
  const fc_real *dy    = node->out->g;
  bool           fresh;

  if (scale == 1) {
    fc_grad_give(c, node, node->in[0]);
    return;
  }
  fc_real *dx = fc_grad_raw(c, node->in[0], &fresh);
  if (!dx) return;
  FC_FOR_SPANS(at, n, fc_len(node->out)) backward_span(dx + at, dy + at, n, scale, fresh);
}

static const fc_op affine = {"affine", backward, false};

/* scale x + shift, same shape */
fc_tensor *fc_affine(fc_ctx *c, fc_tensor *x, double scale, double shift) {
  fc_tensor    *y     = fc_tensor_new(c->arena, x->ndim, x->dim);
  fc_real      *saved = fc_arena_push(c->arena, sizeof *saved);
  const fc_real s = (fc_real)scale, t = (fc_real)shift;

  *saved = s;
  if (!c->dry) FC_FOR_SPANS(at, n, fc_len(x)) forward(y->x + at, x->x + at, n, s, t);
  return fc_record(c, &affine, y, saved, FC_IN(x));
}
