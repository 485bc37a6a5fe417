/* core/ops/concat.c - tensors side by side along one axis (concat) or along a new one (stack).
   With the axes before it flattened to `outer`, row o of y is the rows o of all x_i, one after the other. */
#include "core/copy.h"
#include "core/ops.h"

static int64_t run_of(const fc_tensor *x, int64_t outer) { return outer ? fc_len(x) / outer : 0; }

static void forward(fc_tensor *y, int64_t outer, int n, fc_tensor *const *x) {
  const int64_t row = run_of(y, outer);
  int64_t       at  = 0;

  for (int i = 0; i < n; i++) {
    const int64_t run = run_of(x[i], outer);
    fc_copy_rows((fc_rows_of){y->x + at, row}, x[i]->x, run, outer, run, false);
    at += run;
  }
}

/* y's columns at .. at+run are x_i: dx_i += those of dy */
static void backward(fc_ctx *c, const fc_node *node) {
  const int64_t outer = *(const int64_t *)node->saved, row = run_of(node->out, outer);
  int64_t       at = 0;

  for (int i = 0; i < node->n_in; i++) {
    const int64_t run = run_of(node->in[i], outer);
    bool          fresh;
    fc_real      *dx = fc_grad_raw(c, node->in[i], &fresh);
    if (dx) fc_copy_rows((fc_rows_of){dx, run}, node->out->g + at, row, outer, run, !fresh);
    at += run;
  }
}

static const fc_op concat = {"concat", backward, false}, stack = {"stack", backward, false};

static fc_tensor *join(fc_ctx *c, const fc_op *op, int ndim, const int64_t *dim, int64_t outer, int n,
                       fc_tensor *const *x) {
  fc_tensor *y     = fc_tensor_new(c->arena, ndim, dim);
  int64_t   *saved = fc_arena_push(c->arena, sizeof *saved);

  *saved = outer;
  if (!c->dry) forward(y, outer, n, x);
  return fc_record(c, op, y, saved, n, x);
}

/* x_i [.., n_i, ..], equal but for the axis -> [.., sum n_i, ..] */
fc_tensor *fc_concat(fc_ctx *c, int axis, int n, fc_tensor *const *x) {
  int64_t dim[FC_MAX_DIMS];

  FC_ASSERT(n > 0 && axis >= 0 && axis < x[0]->ndim, "concat: %d tensors along axis %d", n, axis);
  for (int k = 0; k < x[0]->ndim; k++) dim[k] = k == axis ? 0 : x[0]->dim[k];
  for (int i = 0; i < n; i++) {
    bool fits = x[i]->ndim == x[0]->ndim;
    for (int k = 0; fits && k < x[0]->ndim; k++) fits = k == axis || x[i]->dim[k] == dim[k];
    FC_ASSERT(fits, "concat along axis %d: %s and %s differ elsewhere", axis, fc_shape_text(x[0]),
              fc_shape_text(x[i]));
    dim[axis] += x[i]->dim[axis];
  }
  return join(c, &concat, x[0]->ndim, dim, fc_span(x[0], 0, axis), n, x);
}

/* n tensors [d_0, ..] -> [d_0, .., n, ..]: the new axis is number `axis`, 0 .. ndim */
fc_tensor *fc_stack(fc_ctx *c, int axis, int n, fc_tensor *const *x) {
  const int ndim = x[0]->ndim + 1;
  int64_t   dim[FC_MAX_DIMS];

  FC_ASSERT(n > 0 && axis >= 0 && axis < ndim && ndim <= FC_MAX_DIMS,
            "stack: %d tensors %s along new axis %d", n, fc_shape_text(x[0]), axis);
  for (int i = 1; i < n; i++)
    FC_ASSERT(fc_same_shape(x[i], x[0]), "stack: %s and %s differ", fc_shape_text(x[0]), fc_shape_text(x[i]));
  for (int k = 0; k < ndim; k++) dim[k] = k == axis ? n : x[0]->dim[k - (k > axis)];
  return join(c, &stack, ndim, dim, fc_span(x[0], 0, axis), n, x);
}
