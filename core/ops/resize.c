/* core/ops/resize.c - nearest neighbour on grids of one to three dimensions:
   y[b, i.., c] = x[b, s.., c] with s = floor(i in / out) on each axis (integer arithmetic, exact). */
#include "core/ops.h"
#include "core/spans.h"

#include <string.h>

typedef struct {
  int64_t B, C, in[3], out[3]; /* missing leading space axes have length 1 */
} grid;

static int64_t source(const grid *g, int axis, int64_t i) { return i * g->in[axis] / g->out[axis]; }

/* the first i whose source is s: the smallest i with i in >= s out */
static int64_t first_of(const grid *g, int axis, int64_t s) {
  return fc_ceil_div(s * g->out[axis], g->in[axis]);
}

/* one line of y along the last space axis */
static void forward_line(const grid *g, fc_real *restrict y, const fc_real *restrict x) {
  for (int64_t k = 0; k < g->out[2]; k++) {
    const fc_real *from = x + source(g, 2, k) * g->C;
    if (g->C == 1)
      y[k] = *from;
    else
      memcpy(y + k * g->C, from, (size_t)g->C * sizeof *y);
  }
}

static void forward(const grid *g, fc_real *y, const fc_real *x) {
  const int64_t line = g->out[2] * g->C;

  FC_FOR_ROWS(l, g->B * g->out[0] * g->out[1], line) {
    const int64_t j = l % g->out[1], i = l / g->out[1] % g->out[0], b = l / g->out[1] / g->out[0];
    const int64_t from = (b * g->in[0] + source(g, 0, i)) * g->in[1] + source(g, 1, j);
    forward_line(g, y + l * line, x + from * g->in[2] * g->C);
  }
}

/* y[i] = x[s(i)]: dx[s] += sum of dy over all i with s(i) = s; here for one line of x and one of y */
static void backward_line(const grid *g, fc_real *restrict dx, const fc_real *restrict dy) {
  for (int64_t s = 0; s < g->in[2]; s++)
    for (int64_t k = first_of(g, 2, s), end = first_of(g, 2, s + 1); k < end; k++)
      fc_span_add(dx + s * g->C, dy + k * g->C, g->C);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const grid    *g  = node->saved;
  const fc_real *dy = node->out->g;
  fc_real       *dx = fc_grad(c, node->in[0]);

  if (!dx) return;
  FC_FOR_ROWS(l, g->B * g->in[0] * g->in[1], g->in[2] * g->C) {
    const int64_t t = l % g->in[1], s = l / g->in[1] % g->in[0], b = l / g->in[1] / g->in[0];
    for (int64_t i = first_of(g, 0, s); i < first_of(g, 0, s + 1); i++)
      for (int64_t j = first_of(g, 1, t); j < first_of(g, 1, t + 1); j++)
        backward_line(g, dx + l * g->in[2] * g->C,
                      dy + ((b * g->out[0] + i) * g->out[1] + j) * g->out[2] * g->C);
  }
}

static const fc_op resize = {"resize_nearest", backward, false};

/* x [B, X.., C] -> [B, to.., C]; n_space = 1, 2 or 3 axes, larger or smaller */
fc_tensor *fc_resize_nearest(fc_ctx *c, fc_tensor *x, int n_space, const int64_t *to) {
  int64_t dim[FC_MAX_DIMS];

  FC_ASSERT(n_space >= 1 && n_space <= 3 && x->ndim == n_space + 2,
            "resize_nearest: %s is not [B, %d space axes, C]", fc_shape_text(x), n_space);
  for (int i = 0; i < x->ndim; i++) dim[i] = i > 0 && i <= n_space ? to[i - 1] : x->dim[i];
  fc_tensor *y = fc_tensor_new(c->arena, x->ndim, dim);
  grid      *g = fc_arena_push(c->arena, sizeof *g);
  *g           = (grid){x->dim[0], fc_last(x), {1, 1, 1}, {1, 1, 1}};
  for (int i = 0; i < n_space; i++) {
    g->in[3 - n_space + i]  = x->dim[1 + i];
    g->out[3 - n_space + i] = to[i];
    FC_ASSERT(to[i] > 0 && x->dim[1 + i] > 0, "resize_nearest: %s to %s", fc_shape_text(x), fc_shape_text(y));
  }
  if (!c->dry) forward(g, y->x, x->x);
  return fc_record(c, &resize, y, g, FC_IN(x));
}
