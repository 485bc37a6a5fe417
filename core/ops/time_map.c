/* core/ops/time_map.c - one linear map along the second axis, for all samples and everything behind it:
     y_b = W x_b + bias_o,   x [B, T, I..], W [O, T], bias [O] or NULL -> y [B, O, I..]
   A product for each sample reads x where it lies; permuting time to the end and back would cost two passes
   more. Weight gradients are summed per chunk of samples, the chunks in order. */
#include "core/gemm.h"
#include "core/ops.h"
#include "core/parallel.h"

#include <string.h>

enum { CHUNKS = 16 };

typedef struct {
  int64_t B, T, O, I;
} shape;

FC_SIMD static void add_constant(fc_real *y, fc_real value, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] += value;
}

FC_SIMD static fc_real sum_of(const fc_real *x, int64_t n) {
  fc_real s = 0;

  FC_REDUCE(+, s) for (int64_t i = 0; i < n; i++) s += x[i];
  return s;
}

static void forward(const shape *s, fc_real *y, const fc_real *x, const fc_real *W, const fc_real *bias) {
  FC_FOR_TASKS(b, s->B, s->B * s->O * s->T * s->I) {
    fc_real *to = y + b * s->O * s->I;
    fc_gemm(false, false, s->O, s->I, s->T, 1, W, s->T, x + b * s->T * s->I, s->I, 0, to, s->I);
    for (int64_t o = 0; bias && o < s->O; o++) add_constant(to + o * s->I, bias[o], s->I);
  }
}

/* one chunk's share of dW and dbias */
static void weight_share(const shape *s, int64_t from, int64_t to, const fc_real *dy, const fc_real *x,
                         fc_real *dW, fc_real *dbias) {
  memset(dW, 0, (size_t)(s->O * s->T) * sizeof *dW);
  memset(dbias, 0, (size_t)s->O * sizeof *dbias);
  for (int64_t b = from; b < to; b++) {
    const fc_real *g = dy + b * s->O * s->I;
    fc_gemm(false, true, s->O, s->T, s->I, 1, g, s->I, x + b * s->T * s->I, s->I, 1, dW, s->T);
    for (int64_t o = 0; o < s->O; o++) dbias[o] += sum_of(g + o * s->I, s->I);
  }
}

/* "y = W x + bias": dW += sum_b dy_b x_b^T, dbias += sum of dy over samples and I */
static void weights(fc_ctx *c, const shape *s, const fc_real *dy, const fc_real *x, fc_real *dW,
                    fc_real *dbias) {
  const int64_t each = s->O * s->T + s->O, per = fc_ceil_div(s->B, CHUNKS), chunks = fc_ceil_div(s->B, per);
  const size_t  mark = fc_arena_mark(c->arena);
  fc_real      *part = fc_arena_push(c->arena, (size_t)(chunks * each) * sizeof *part);

  FC_FOR_TASKS(k, chunks, s->B * s->O * s->T * s->I)
  weight_share(s, k * per, fc_min64(s->B, (k + 1) * per), dy, x, part + k * each,
               part + k * each + s->O * s->T);
  for (int64_t k = 0; k < chunks; k++)
    for (int64_t i = 0; i < each; i++) {
      fc_real *to = i < s->O * s->T ? (dW ? dW + i : NULL) : dbias ? dbias + i - s->O * s->T : NULL;
      if (to) *to += part[k * each + i];
    }
  fc_arena_pop(c->arena, mark);
}

/* "y_b = W x_b": dx_b += W^T dy_b */
static void backward(fc_ctx *c, const fc_node *node) {
  const shape   *s = node->saved;
  const fc_real *x = node->in[0]->x, *W = node->in[1]->x, *dy = node->out->g;
  bool           fresh;
  fc_real       *dx = fc_grad_raw(c, node->in[0], &fresh);
  fc_real       *dW = fc_grad(c, node->in[1]), *dbias = fc_grad(c, node->in[2]);

  if (dx) FC_FOR_TASKS(b, s->B, s->B * s->O * s->T * s->I)
  fc_gemm(true, false, s->T, s->I, s->O, 1, W, s->T, dy + b * s->O * s->I, s->I, !fresh, dx + b * s->T * s->I,
          s->I);
  if (dW || dbias) weights(c, s, dy, x, dW, dbias);
  c->flops += 4.0 * (double)(s->B * s->I) * (double)(s->O * s->T);
}

static const fc_op time_map = {"time_map", backward, false};

fc_tensor *fc_time_map(fc_ctx *c, fc_tensor *x, fc_tensor *W, fc_tensor *bias) {
  int64_t dim[FC_MAX_DIMS];
  shape  *s = fc_arena_push(c->arena, sizeof *s);

  FC_ASSERT(x->ndim >= 2 && W->ndim == 2 && W->dim[1] == x->dim[1] && (!bias || fc_len(bias) == W->dim[0]),
            "time_map: %s with weight %s", fc_shape_text(x), fc_shape_text(W));
  *s = (shape){x->dim[0], x->dim[1], W->dim[0], fc_span(x, 2, x->ndim)};
  memcpy(dim, x->dim, sizeof dim);
  dim[1]       = s->O;
  fc_tensor *y = fc_tensor_new(c->arena, x->ndim, dim);
  if (!c->dry) forward(s, y->x, x->x, W->x, bias ? bias->x : NULL);
  c->flops += 2.0 * (double)(s->B * s->I) * (double)(s->O * s->T);
  return fc_record(c, &time_map, y, s, FC_IN(x, W, bias));
}
