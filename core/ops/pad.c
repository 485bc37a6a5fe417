/* core/ops/pad.c - zeros before and after one axis: y[o, before + i, j] = x[o, i, j]. */
#include "core/copy.h"
#include "core/ops.h"

typedef struct {
  int64_t outer, run, row, skip; /* y's rows of `row` numbers hold x's rows of `run` from `skip` on */
} part;

static void forward(const part *p, fc_real *y, const fc_real *x) {
  const int64_t end = p->skip + p->run;

  fc_zero_rows((fc_rows_of){y, p->row}, p->outer, p->skip);
  fc_zero_rows((fc_rows_of){y + end, p->row}, p->outer, p->row - end);
  fc_copy_rows((fc_rows_of){y + p->skip, p->row}, x, p->run, p->outer, p->run, false);
}

/* y[part] = x: dx += dy[part] */
static void backward(fc_ctx *c, const fc_node *node) {
  const part *p = node->saved;
  bool        fresh;
  fc_real    *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (dx) fc_copy_rows((fc_rows_of){dx, p->run}, node->out->g + p->skip, p->row, p->outer, p->run, !fresh);
}

static const fc_op pad = {"pad", backward, false};

/* x [.., n, ..] -> [.., before + n + after, ..] along axis; neither may be negative. None returns x itself.
 */
fc_tensor *fc_pad(fc_ctx *c, fc_tensor *x, int axis, int64_t before, int64_t after) {
  int64_t dim[FC_MAX_DIMS];

  FC_ASSERT(axis >= 0 && axis < x->ndim && before >= 0 && after >= 0, "pad: %lld and %lld on axis %d of %s",
            (long long)before, (long long)after, axis, fc_shape_text(x));
  if (before + after == 0) return x;
  for (int i = 0; i < x->ndim; i++) dim[i] = x->dim[i] + (i == axis ? before + after : 0);
  fc_tensor    *y     = fc_tensor_new(c->arena, x->ndim, dim);
  part         *p     = fc_arena_push(c->arena, sizeof *p);
  const int64_t inner = fc_span(x, axis + 1, x->ndim);
  *p                  = (part){fc_span(x, 0, axis), x->dim[axis] * inner, dim[axis] * inner, before * inner};
  if (!c->dry) forward(p, y->x, x->x);
  return fc_record(c, &pad, y, p, FC_IN(x));
}
