/* core/ops/mul.c - y = a b and y = a / b; b has a's shape or a suffix of it:
   a [.., n], b [n]: y[r, j] = a[r, j] b[j] or a[r, j] / b[j]. */
#include "core/ops.h"
#include "core/ops/suffix.h"
#include "core/spans.h"
#include "core/sums.h"

/* y = a b, and its own adjoint: da += dy b, db += dy a */
FC_SIMD static void mul_span(fc_real *restrict y, const fc_real *restrict a, const fc_real *restrict b,
                             int64_t n, bool fresh) {
  for (int64_t i = 0; i < n; i++) y[i] = fc_into(fresh, y[i], a[i] * b[i]);
}

/* y = a / b, and da += dy / b */
FC_SIMD static void div_span(fc_real *restrict y, const fc_real *restrict a, const fc_real *restrict b,
                             int64_t n, bool fresh) {
  for (int64_t i = 0; i < n; i++) y[i] = fc_into(fresh, y[i], a[i] / b[i]);
}

/* y = a / b: db -= dy y / b */
FC_SIMD static void denominator_span(fc_real *restrict db, const fc_real *restrict dy,
                                     const fc_real *restrict y, const fc_real *restrict b, int64_t n,
                                     bool fresh) {
  for (int64_t i = 0; i < n; i++) db[i] = fc_into(fresh, db[i], -dy[i] * y[i] / b[i]);
}

static void backward_a(fc_ctx *c, const fc_node *node, fc_span_fn fn) {
  const fc_tensor *y = node->out, *b = node->in[1];
  bool             fresh;
  fc_real         *da = fc_grad_raw(c, node->in[0], &fresh);

  if (da) fc_spans_apply(c->arena, fn, fc_len(y), da, y->g, fc_len(b), b->x, fresh);
}

/* y[r, j] = a[r, j] b[j]: db[j] += sum_r dy[r, j] a[r, j]. Runs after backward_a: for a a both
   gradients are one buffer. */
static void mul_backward(fc_ctx *c, const fc_node *node) {
  const fc_tensor *y = node->out, *a = node->in[0];
  bool             fresh;

  backward_a(c, node, mul_span);
  const int64_t rows = fc_suffix_rows(y, node->in[1]), n = fc_len(node->in[1]);
  fc_real      *db = fc_grad_raw(c, node->in[1], &fresh);
  if (!db) return;
  if (rows == 1)
    fc_spans_apply(c->arena, mul_span, n, db, y->g, n, a->x, fresh);
  else
    fc_sum_store(c->arena, &(fc_sum){FC_SUM_PRODUCT, 1, rows, n, .p = y->g, .q = a->x}, 1, !fresh, db);
}

/* y[r, j] = a[r, j] / b[j]: db[j] -= sum_r dy[r, j] y[r, j] / b[j] */
static void div_backward(fc_ctx *c, const fc_node *node) {
  const fc_tensor *y = node->out, *b = node->in[1];
  bool             fresh;

  backward_a(c, node, div_span);
  const int64_t rows = fc_suffix_rows(y, b), n = fc_len(b);
  fc_real      *db = fc_grad_raw(c, node->in[1], &fresh);
  if (!db) return;
  if (rows == 1) {
    FC_FOR_SPANS(at, len, n) denominator_span(db + at, y->g + at, y->x + at, b->x + at, len, fresh);
    return;
  }
  const size_t mark = fc_arena_mark(c->arena);
  double      *sum  = fc_arena_push(c->arena, (size_t)n * sizeof *sum);
  fc_sum_middle(c->arena, &(fc_sum){FC_SUM_PRODUCT, 1, rows, n, .p = y->g, .q = y->x}, sum);
  for (int64_t j = 0; j < n; j++) db[j] = fc_into(fresh, db[j], (fc_real)(-sum[j] / (double)b->x[j]));
  fc_arena_pop(c->arena, mark);
}

static const fc_op mul = {"mul", mul_backward, false}, quotient = {"div", div_backward, false};

static fc_tensor *combine(fc_ctx *c, const fc_op *op, fc_span_fn fn, fc_tensor *a, fc_tensor *b) {
  fc_suffix_check(op->name, a, b);
  fc_tensor *y = fc_tensor_new(c->arena, a->ndim, a->dim);
  if (!c->dry) fc_spans_apply(c->arena, fn, fc_len(y), y->x, a->x, fc_len(b), b->x, true);
  return fc_record(c, op, y, NULL, FC_IN(a, b));
}

/* a [..]; b the same shape or a suffix of it; result of a's shape. Division by zero gives what IEEE says. */
fc_tensor *fc_mul(fc_ctx *c, fc_tensor *a, fc_tensor *b) { return combine(c, &mul, mul_span, a, b); }
fc_tensor *fc_div(fc_ctx *c, fc_tensor *a, fc_tensor *b) { return combine(c, &quotient, div_span, a, b); }
