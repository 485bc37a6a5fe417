/* core/ops/mae.c - the mean absolute error: mae = sum |y - t| / n. The sum is in double. */
#include "core/ops.h"
#include "core/spans.h"
#include "core/sums.h"

/* d |y - t| / dy = sign(y - t), 0 where they are equal: dy += sign(y - t) slope */
FC_SIMD static void backward_span(fc_real *restrict dx, const fc_real *restrict y, const fc_real *restrict t,
                                  fc_real slope, int64_t n, bool fresh) {
  for (int64_t i = 0; i < n; i++) {
    const fc_real s = y[i] > t[i] ? slope : y[i] < t[i] ? -slope : 0;
    dx[i]           = fc_into(fresh, dx[i], s);
  }
}

static void backward(fc_ctx *c, const fc_node *node) {
  const fc_real *y = node->in[0]->x, *t = node->in[1]->x;
  const int64_t  n     = fc_len(node->in[0]);
  const fc_real  slope = (fc_real)((double)node->out->g[0] / (double)n);
  bool           fresh;
  fc_real       *dy = fc_grad_raw(c, node->in[0], &fresh);

  if (!dy) return;
  FC_FOR_SPANS(at, len, n) backward_span(dy + at, y + at, t + at, slope, len, fresh);
}

static const fc_op mae = {"mae", backward, false};

/* y, target of one shape -> scalar */
fc_tensor *fc_mae(fc_ctx *c, fc_tensor *y, fc_tensor *target) {
  fc_tensor *loss = fc_tensor_new(c->arena, 0, NULL);
  double     sum;

  FC_ASSERT(fc_same_shape(y, target) && fc_len(y) > 0, "mae: prediction %s, target %s", fc_shape_text(y),
            fc_shape_text(target));
  FC_ASSERT(!target->needs_grad, "mae: the target takes no gradient");
  if (!c->dry) {
    fc_sum_middle(c->arena, &(fc_sum){FC_SUM_GAP, 1, fc_len(y), 1, .p = y->x, .q = target->x}, &sum);
    loss->x[0] = (fc_real)(sum / (double)fc_len(y));
  }
  return fc_record(c, &mae, loss, NULL, FC_IN(y, target));
}
