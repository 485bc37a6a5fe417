/* core/ops/quantile_loss.c - the pinball loss of several quantiles at once (Koenker and Bassett 1978), twice
   over, as pytorch-forecasting has it: y [.., Q] holds the quantiles q_k of the target [..],
     loss = (1 / (R Q)) sum_rk 2 max((q_k - 1) e, q_k e),   e = t_r - y_rk
   At q = 1/2 a quantile adds the absolute error. Sums are in double, over pieces that depend on the shape. */
#include "core/ops.h"
#include "core/spans.h"

typedef struct {
  int64_t Q;
  fc_real q[];
} saved;

/* "2 max((q - 1) e, q e) / (R Q)": dy += -2 q / (R Q) where e >= 0, else 2 (1 - q) / (R Q) */
static void backward_rows(fc_real *restrict dy, const fc_real *restrict y, const fc_real *restrict t,
                          const saved *s, fc_real g, int64_t rows, bool fresh) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t k = 0; k < s->Q; k++) {
      const int64_t i     = r * s->Q + k;
      const fc_real slope = t[r] >= y[i] ? -s->q[k] : 1 - s->q[k];
      dy[i]               = fc_into(fresh, dy[i], g * slope);
    }
}

static void backward(fc_ctx *c, const fc_node *node) {
  const saved   *s = node->saved;
  const fc_real *y = node->in[0]->x, *t = node->in[1]->x;
  const int64_t  rows = fc_len(node->in[1]);
  const fc_real  g    = (fc_real)(2 * (double)node->out->g[0] / (double)(rows * s->Q));
  bool           fresh;
  fc_real       *dy = fc_grad_raw(c, node->in[0], &fresh);

  if (!dy) return;
  FC_FOR_ROW_BLOCKS(r, n, rows, s->Q)
  backward_rows(dy + r * s->Q, y + r * s->Q, t + r, s, g, n, fresh);
}

static const fc_op quantile_loss = {"quantile_loss", backward, false};

static double sum_rows(const fc_real *restrict y, const fc_real *restrict t, const saved *s, int64_t rows) {
  double sum = 0;

  for (int64_t r = 0; r < rows; r++)
    for (int64_t k = 0; k < s->Q; k++) {
      const double e = (double)t[r] - (double)y[r * s->Q + k], q = (double)s->q[k];
      sum += e >= 0 ? q * e : (q - 1) * e;
    }
  return sum;
}

static double value(fc_ctx *c, const fc_real *y, const fc_real *t, const saved *s, int64_t rows) {
  const size_t  mark  = fc_arena_mark(c->arena);
  const int64_t block = fc_block_rows(s->Q), pieces = fc_ceil_div(rows, block);
  double       *part = fc_arena_push(c->arena, (size_t)pieces * sizeof *part), sum = 0;

  FC_FOR_ROWS(i, pieces, block * s->Q)
  part[i] = sum_rows(y + i * block * s->Q, t + i * block, s, fc_min64(block, rows - i * block));
  for (int64_t i = 0; i < pieces; i++) sum += part[i];
  fc_arena_pop(c->arena, mark);
  return 2 * sum / (double)(rows * s->Q);
}

/* y [.., Q], target [..] or [.., 1] -> scalar */
fc_tensor *fc_quantile_loss(fc_ctx *c, fc_tensor *y, fc_tensor *target, int n, const double *quantile) {
  fc_tensor *loss = fc_tensor_new(c->arena, 0, NULL);
  saved     *s    = fc_arena_push(c->arena, sizeof *s + (size_t)n * sizeof *s->q);

  FC_ASSERT(n > 0 && fc_last(y) == n && fc_rows(y) == fc_len(target) && fc_len(y) > 0,
            "quantile_loss: prediction %s, target %s, %d quantiles", fc_shape_text(y), fc_shape_text(target),
            n);
  FC_ASSERT(!target->needs_grad, "quantile_loss: the target takes no gradient");
  s->Q = n;
  for (int k = 0; k < n; k++) s->q[k] = (fc_real)quantile[k];
  if (!c->dry) loss->x[0] = (fc_real)value(c, y->x, target->x, s, fc_len(target));
  return fc_record(c, &quantile_loss, loss, s, FC_IN(y, target));
}
