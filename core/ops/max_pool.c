/* core/ops/max_pool.c - the largest of n neighbours along axis 1 of x [B, T, I..], every `stride` steps;
   beyond the ends lies -infinity: y_t = max_{i < n} x_{stride t - pad + i},   t < (T + 2 pad - n) / stride +
   1, rounded down Kept for backward: which of the n it was, the first of equal ones. NaN counts as the
   largest. */
#include "core/ops.h"
#include "core/spans.h"

#include <string.h>

typedef struct {
  int64_t        B, T, Y, I, n, stride, pad;
  unsigned char *which; /* [B, Y, I] */
} shape;

/* the neighbours of y_t that exist: from <= i < to, at x_{first + i} */
typedef struct {
  int64_t first, from, to;
} reach;

static reach reach_of(const shape *s, int64_t t) {
  const int64_t first = s->stride * t - s->pad;

  return (reach){first, fc_max64(0, -first), fc_min64(s->n, s->T - first)};
}

FC_SIMD static void raise_span(fc_real *restrict y, unsigned char *restrict which, const fc_real *restrict x,
                               unsigned char i, int64_t n) {
  for (int64_t j = 0; j < n; j++) {
    const bool more = x[j] > y[j] || x[j] != x[j];
    y[j]            = more ? x[j] : y[j];
    which[j]        = more ? i : which[j];
  }
}

static void forward(const shape *s, fc_real *y, const fc_real *x) {
  FC_FOR_ROWS(r, s->B * s->Y, s->n * s->I) {
    const reach    w   = reach_of(s, r % s->Y);
    const fc_real *row = x + (r / s->Y * s->T + w.first) * s->I;
    memcpy(y + r * s->I, row + w.from * s->I, (size_t)s->I * sizeof *y);
    memset(s->which + r * s->I, (int)w.from, (size_t)s->I);
    for (int64_t i = w.from + 1; i < w.to; i++)
      raise_span(y + r * s->I, s->which + r * s->I, row + i * s->I, (unsigned char)i, s->I);
  }
}

FC_SIMD static void return_span(fc_real *restrict dx, const fc_real *restrict dy,
                                const unsigned char *restrict which, unsigned char i, int64_t n) {
  for (int64_t j = 0; j < n; j++) dx[j] += which[j] == i ? dy[j] : 0;
}

/* "y_t = max x": dx += dy where the largest was; neighbours overlap, so a sample is one task */
static void backward(fc_ctx *c, const fc_node *node) {
  const shape   *s  = node->saved;
  fc_real       *dx = fc_grad(c, node->in[0]);
  const fc_real *dy = node->out->g;

  if (!dx) return;
  FC_FOR_ROWS(b, s->B, s->Y * s->n * s->I)
  for (int64_t t = 0; t < s->Y; t++) {
    const int64_t r = b * s->Y + t;
    const reach   w = reach_of(s, t);
    for (int64_t i = w.from; i < w.to; i++)
      return_span(dx + (b * s->T + w.first + i) * s->I, dy + r * s->I, s->which + r * s->I, (unsigned char)i,
                  s->I);
  }
}

static const fc_op max_pool = {"max_pool", backward, false};

fc_tensor *fc_max_pool(fc_ctx *c, fc_tensor *x, int64_t n, int64_t stride, int64_t pad) {
  int64_t dim[FC_MAX_DIMS];

  FC_ASSERT(x->ndim >= 2 && n > 0 && n < 256 && stride > 0 && pad >= 0 && pad < n && x->dim[1] + 2 * pad >= n,
            "max_pool: %lld neighbours every %lld, padding %lld, of %s", (long long)n, (long long)stride,
            (long long)pad, fc_shape_text(x));
  memcpy(dim, x->dim, sizeof dim);
  dim[1]       = (x->dim[1] + 2 * pad - n) / stride + 1;
  fc_tensor *y = fc_tensor_new(c->arena, x->ndim, dim);
  shape     *s = fc_arena_push(c->arena, sizeof *s);
  *s           = (shape){x->dim[0], x->dim[1], dim[1], fc_span(x, 2, x->ndim), n, stride, pad, NULL};
  s->which     = fc_arena_push(c->arena, (size_t)fc_len(y));
  if (!c->dry) forward(s, y->x, x->x);
  return fc_record(c, &max_pool, y, s, FC_IN(x));
}
