/* core/ops/moving_average.c - means of n neighbours along axis 1 of x [B, T, I..], the ends repeated:
     y_t = sum_{i < n} x_{clamp(t - before + i, 0, T - 1)} / n
   A cell's neighbours are added anew for each t: n is small beside the rows that are added. */
#include "core/ops.h"
#include "core/spans.h"

typedef struct {
  int64_t B, T, I, n, before;
} shape;

static int64_t clamped(const shape *s, int64_t t) { return fc_max64(0, fc_min64(t, s->T - 1)); }

FC_SIMD static void add_scaled(fc_real *restrict y, const fc_real *restrict x, fc_real factor, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] += factor * x[i];
}

static void forward(const shape *s, fc_real *y, const fc_real *x) {
  const fc_real share = 1 / (fc_real)s->n;

  FC_FOR_ROWS(r, s->B * s->T, s->n * s->I) {
    const int64_t b = r / s->T, t = r % s->T;
    for (int64_t j = 0; j < s->I; j++) y[r * s->I + j] = 0;
    for (int64_t i = 0; i < s->n; i++)
      add_scaled(y + r * s->I, x + (b * s->T + clamped(s, t - s->before + i)) * s->I, share, s->I);
  }
}

/* y_t = sum_i x_{clamp(t - before + i)} / n: dx at each of these += dy_t / n; one task for each sample */
static void backward(fc_ctx *c, const fc_node *node) {
  const shape   *s     = node->saved;
  const fc_real  share = 1 / (fc_real)s->n;
  fc_real       *dx    = fc_grad(c, node->in[0]);
  const fc_real *dy    = node->out->g;

  if (!dx) return;
  FC_FOR_ROWS(b, s->B, s->T * s->n * s->I)
  for (int64_t t = 0; t < s->T; t++)
    for (int64_t i = 0; i < s->n; i++)
      add_scaled(dx + (b * s->T + clamped(s, t - s->before + i)) * s->I, dy + (b * s->T + t) * s->I, share,
                 s->I);
}

static const fc_op moving_average = {"moving_average", backward, false};

fc_tensor *fc_moving_average(fc_ctx *c, fc_tensor *x, int64_t n, int64_t before) {
  FC_ASSERT(x->ndim >= 2 && n > 0 && before >= 0 && before < n, "moving_average: %lld neighbours of %s",
            (long long)n, fc_shape_text(x));
  fc_tensor *y = fc_tensor_new(c->arena, x->ndim, x->dim);
  shape     *s = fc_arena_push(c->arena, sizeof *s);
  *s           = (shape){x->dim[0], x->dim[1], fc_span(x, 2, x->ndim), n, before};
  if (!c->dry) forward(s, y->x, x->x);
  return fc_record(c, &moving_average, y, s, FC_IN(x));
}
