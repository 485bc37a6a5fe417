/* core/ops/layer_norm.c - y = x^ w + b, x^ = (x - mean) / sqrt(var + eps), mean and biased variance over
   the last axis (Ba, Kiros, Hinton 2016). Kept for backward: mean and 1 / sqrt(var + eps) of each row. */
#include "core/ops.h"
#include "core/ops/norm_rows.h"
#include "core/spans.h"
#include "core/sums.h"

enum { CHUNK = 256 }; /* rows whose weight gradients are summed before they go to double */

/* the weight, or ones, or the bias, or zeros */
static const fc_real *values_or(fc_arena *scratch, const fc_tensor *t, int64_t n, fc_real constant) {
  if (t) return t->x;
  fc_real *x = fc_arena_push(scratch, (size_t)n * sizeof *x);
  for (int64_t j = 0; j < n; j++) x[j] = constant;
  return x;
}

/* Rows go in blocks small enough that x and dy stay in the first-level cache for both kernels. part_w and
   part_b [chunks, n] take one sum per chunk, added up by the caller; NULL if nobody asks. */
static void backward_chunk(const fc_node *node, fc_real *dx, bool fresh, const fc_real *w, int64_t row,
                           int64_t rows, fc_real *part_w, fc_real *part_b) {
  const int64_t  n = fc_last(node->out), at = row * n;
  const fc_real *dy = node->out->g + at, *x = node->in[0]->x + at,
                *stats = (const fc_real *)node->saved + 2 * row;

  if (part_w) fc_norm_rows_sums(part_w, part_b, dy, x, stats, rows, n);
  if (dx) fc_norm_rows_back(dx + at, dy, x, w, stats, rows, n, fresh);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const int64_t n = fc_last(node->out), rows = fc_rows(node->out), chunks = fc_ceil_div(rows, CHUNK);
  fc_tensor    *weight = node->in[1], *bias = node->in[2];
  bool          fresh, fresh_w, fresh_b;
  fc_real      *dx = fc_grad_raw(c, node->in[0], &fresh), *dw = fc_grad_raw(c, weight, &fresh_w);
  fc_real      *db   = fc_grad_raw(c, bias, &fresh_b);
  const size_t  mark = fc_arena_mark(c->arena);

  const fc_real *w      = values_or(c->arena, weight, n, 1);
  const size_t   bytes  = (size_t)(chunks * n) * sizeof(fc_real);
  fc_real       *part_w = dw || db ? fc_arena_push(c->arena, bytes) : NULL;
  fc_real       *part_b = dw || db ? fc_arena_push(c->arena, bytes) : NULL;
  FC_FOR_ROWS(k, chunks, CHUNK * n)
  backward_chunk(node, dx, fresh, w, k * CHUNK, fc_min64(CHUNK, rows - k * CHUNK),
                 part_w ? part_w + k * n : NULL, part_w ? part_b + k * n : NULL);
  if (dw) fc_sum_store(c->arena, &(fc_sum){FC_SUM_PLAIN, 1, chunks, n, .p = part_w}, 1, !fresh_w, dw);
  if (db) fc_sum_store(c->arena, &(fc_sum){FC_SUM_PLAIN, 1, chunks, n, .p = part_b}, 1, !fresh_b, db);
  fc_arena_pop(c->arena, mark);
}

static const fc_op layer_norm = {"layer_norm", backward, false};

static void forward(fc_arena *scratch, fc_tensor *y, const fc_tensor *x, const fc_tensor *weight,
                    const fc_tensor *bias, fc_real *stats, fc_real eps) {
  const size_t   mark = fc_arena_mark(scratch);
  const int64_t  n    = fc_last(x);
  const fc_real *w = values_or(scratch, weight, n, 1), *b = values_or(scratch, bias, n, 0);

  FC_FOR_ROW_BLOCKS(r, count, fc_rows(x), n)
  fc_norm_rows(y->x + r * n, x->x + r * n, w, b, stats ? stats + 2 * r : NULL, count, n, eps);
  fc_arena_pop(scratch, mark);
}

/* x [.., C]; weight, bias [C] or NULL; result of x's shape */
fc_tensor *fc_layer_norm(fc_ctx *c, fc_tensor *x, fc_tensor *weight, fc_tensor *bias, double eps) {
  fc_tensor    *in[] = {x, weight, bias};
  const int64_t n    = fc_last(x);

  for (int i = 1; i < 3; i++)
    FC_ASSERT(!in[i] || (in[i]->ndim == 1 && in[i]->dim[0] == n), "layer_norm: weight or bias %s for %s",
              fc_shape_text(in[i]), fc_shape_text(x));
  fc_tensor *y     = fc_tensor_new(c->arena, x->ndim, x->dim);
  fc_real   *stats = NULL;
  if (fc_needs_record(c, 3, in)) stats = fc_arena_push(c->arena, (size_t)(2 * fc_rows(x)) * sizeof *stats);
  if (!c->dry) forward(c->arena, y, x, weight, bias, stats, (fc_real)eps);
  return fc_record(c, &layer_norm, y, stats, 3, in);
}
