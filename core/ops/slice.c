/* core/ops/slice.c - y[o, i, j] = x[o, from + i, j], i < len: a part of one axis. */
#include "core/copy.h"
#include "core/ops.h"

typedef struct {
  int64_t outer, run, row, skip; /* rows of `row` numbers, of which `run` from `skip` on are taken */
} part;

/* y = part of x: dx[part] += dy; a fresh buffer is cleared around the part */
static void backward(fc_ctx *c, const fc_node *node) {
  const part *p = node->saved;
  bool        fresh;
  fc_real    *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (!dx) return;
  if (fresh) {
    const int64_t end = p->skip + p->run;
    fc_zero_rows((fc_rows_of){dx, p->row}, p->outer, p->skip);
    fc_zero_rows((fc_rows_of){dx + end, p->row}, p->outer, p->row - end);
  }
  fc_copy_rows((fc_rows_of){dx + p->skip, p->row}, node->out->g, p->run, p->outer, p->run, !fresh);
}

static const fc_op slice = {"slice", backward, false};

/* x [.., n, ..] -> [.., len, ..] along axis; 0 <= from, from + len <= n. The whole axis returns x itself. */
fc_tensor *fc_slice(fc_ctx *c, fc_tensor *x, int axis, int64_t from, int64_t len) {
  int64_t dim[FC_MAX_DIMS];

  FC_ASSERT(axis >= 0 && axis < x->ndim, "slice: %s has no axis %d", fc_shape_text(x), axis);
  FC_ASSERT(from >= 0 && len >= 0 && from + len <= x->dim[axis],
            "slice: %lld values from %lld on axis %d of %s", (long long)len, (long long)from, axis,
            fc_shape_text(x));
  if (len == x->dim[axis]) return x;
  for (int i = 0; i < x->ndim; i++) dim[i] = i == axis ? len : x->dim[i];
  fc_tensor    *y     = fc_tensor_new(c->arena, x->ndim, dim);
  part         *p     = fc_arena_push(c->arena, sizeof *p);
  const int64_t inner = fc_span(x, axis + 1, x->ndim);
  *p                  = (part){fc_span(x, 0, axis), len * inner, x->dim[axis] * inner, from * inner};
  if (!c->dry) fc_copy_rows((fc_rows_of){y->x, p->run}, x->x + p->skip, p->row, p->outer, p->run, false);
  return fc_record(c, &slice, y, p, FC_IN(x));
}
