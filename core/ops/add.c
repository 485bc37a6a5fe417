/* core/ops/add.c - y = a + b and y = a - b; b has a's shape or a suffix of it:
   a [.., n], b [n]: y[r, j] = a[r, j] +- b[j]. */
#include "core/ops.h"
#include "core/ops/suffix.h"
#include "core/spans.h"
#include "core/sums.h"

FC_SIMD static void add_span(fc_real *restrict y, const fc_real *restrict a, const fc_real *restrict b,
                             int64_t n, bool fresh) {
  (void)fresh;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}

FC_SIMD static void sub_span(fc_real *restrict y, const fc_real *restrict a, const fc_real *restrict b,
                             int64_t n, bool fresh) {
  (void)fresh;
  for (int64_t i = 0; i < n; i++) y[i] = a[i] - b[i];
}

/* y is a */
FC_SIMD static void add_into_span(fc_real *restrict y, const fc_real *a, const fc_real *restrict b, int64_t n,
                                  bool fresh) {
  (void)fresh, (void)a;
  for (int64_t i = 0; i < n; i++) y[i] += b[i];
}

/* y = a - b: db -= dy */
FC_SIMD static void negative_span(fc_real *restrict db, const fc_real *restrict dy, int64_t n, bool fresh) {
  for (int64_t i = 0; i < n; i++) db[i] = fc_into(fresh, db[i], -dy[i]);
}

/* y[r, j] = a[r, j] + sign b[j]: db[j] += sign sum_r dy[r, j] */
static void backward_b(fc_ctx *c, const fc_node *node, double sign) {
  const fc_tensor *y = node->out;
  fc_tensor       *b = node->in[1];
  bool             fresh;

  if (!b->needs_grad) return;
  if (fc_len(b) == fc_len(y) && sign > 0) {
    fc_grad_add(c, b, y->g);
    return;
  }
  const int64_t n = fc_len(b), rows = fc_suffix_rows(y, b);
  fc_real      *db = fc_grad_raw(c, b, &fresh);
  if (rows == 1)
    FC_FOR_SPANS(at, len, n) negative_span(db + at, y->g + at, len, fresh);
  else
    fc_sum_store(c->arena, &(fc_sum){FC_SUM_PLAIN, 1, rows, n, .p = y->g}, sign, !fresh, db);
}

/* y = a +- b: da += dy, last, because the buffer may change hands */
static void add_backward(fc_ctx *c, const fc_node *node) {
  backward_b(c, node, 1);
  fc_grad_give(c, node, node->in[0]);
}

static void sub_backward(fc_ctx *c, const fc_node *node) {
  backward_b(c, node, -1);
  fc_grad_give(c, node, node->in[0]);
}

static const fc_op add = {"add", add_backward, false}, sub = {"sub", sub_backward, false};

static fc_tensor *combine(fc_ctx *c, const fc_op *op, fc_span_fn fn, fc_tensor *a, fc_tensor *b) {
  fc_suffix_check(op->name, a, b);
  fc_tensor *y = fc_tensor_new(c->arena, a->ndim, a->dim);
  if (!c->dry) fc_spans_apply(c->arena, fn, fc_len(y), y->x, a->x, fc_len(b), b->x, true);
  return fc_record(c, op, y, NULL, FC_IN(a, b));
}

/* a [..]; b the same shape or a suffix of it; result of a's shape */
fc_tensor *fc_add(fc_ctx *c, fc_tensor *a, fc_tensor *b) { return combine(c, &add, add_span, a, b); }
fc_tensor *fc_sub(fc_ctx *c, fc_tensor *a, fc_tensor *b) { return combine(c, &sub, sub_span, a, b); }

fc_tensor *fc_add_in_place(fc_ctx *c, fc_tensor *a, fc_tensor *b) {
  fc_suffix_check("add_in_place", a, b);
  fc_tensor *y = fc_tensor_view(c->arena, a, a->ndim, a->dim);
  if (!c->dry) fc_spans_apply(c->arena, add_into_span, fc_len(y), y->x, a->x, fc_len(b), b->x, true);
  return fc_record(c, &add, y, NULL, FC_IN(a, b));
}
