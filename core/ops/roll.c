/* core/ops/roll.c - a periodic shift along one axis: y[o, (i + shift) mod n, j] = x[o, i, j]. */
#include "core/copy.h"
#include "core/ops.h"

typedef struct {
  int64_t outer, head, tail; /* a row of x is head, tail; a row of y is tail, head */
} turn;

/* rows (first, second) of x become rows (second, first) of y */
static void swap_parts(fc_real *y, const fc_real *x, int64_t outer, int64_t first, int64_t second, bool add) {
  const int64_t row = first + second;

  fc_copy_rows((fc_rows_of){y + second, row}, x, row, outer, first, add);
  fc_copy_rows((fc_rows_of){y, row}, x + first, row, outer, second, add);
}

/* y = (tail, head) of x = (head, tail): dx += dy swapped back */
static void backward(fc_ctx *c, const fc_node *node) {
  const turn *t = node->saved;
  bool        fresh;
  fc_real    *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (dx) swap_parts(dx, node->out->g, t->outer, t->tail, t->head, !fresh);
}

static const fc_op roll = {"roll", backward, false};

/* x and y have one shape; shift may be negative or longer than the axis. A full turn returns x itself. */
fc_tensor *fc_roll(fc_ctx *c, fc_tensor *x, int axis, int64_t shift) {
  FC_ASSERT(axis >= 0 && axis < x->ndim, "roll: %s has no axis %d", fc_shape_text(x), axis);
  const int64_t n = x->dim[axis], inner = fc_span(x, axis + 1, x->ndim);
  const int64_t by = n ? (shift % n + n) % n : 0;
  if (by == 0) return x;
  fc_tensor *y = fc_tensor_new(c->arena, x->ndim, x->dim);
  turn      *t = fc_arena_push(c->arena, sizeof *t);
  *t           = (turn){fc_span(x, 0, axis), (n - by) * inner, by * inner};
  if (!c->dry) swap_parts(y->x, x->x, t->outer, t->head, t->tail, false);
  return fc_record(c, &roll, y, t, FC_IN(x));
}
