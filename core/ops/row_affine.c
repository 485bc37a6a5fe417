/* core/ops/row_affine.c - a scale and two shifts for each row: y_rj = (x_rj - m_r) a_r + s_r, x and y [..,
   L]. m, a, s hold one number for each row, or fewer that repeat along the rows (a number for each variate of
   all windows). A window is normalised by itself, and brought back, in one pass over memory. */
#include "core/ops.h"
#include "core/spans.h"

#include <math.h>
#include <string.h>

/* m, a, s; NULL: 0, 1, 0 */
enum { MIDDLE, SCALE, SHIFT, FACTORS };

static fc_real factor(const fc_tensor *t, int64_t row, fc_real otherwise) {
  return t ? t->x[row % fc_len(t)] : otherwise;
}

FC_SIMD static void forward_row(fc_real *restrict y, const fc_real *restrict x, fc_real m, fc_real a,
                                fc_real s, int64_t n) {
  for (int64_t j = 0; j < n; j++) y[j] = (x[j] - m) * a + s;
}

/* "y = (x - m) a + s": dx += a dy */
FC_SIMD static void backward_row(fc_real *restrict dx, const fc_real *restrict dy, fc_real a, int64_t n,
                                 bool fresh) {
  for (int64_t j = 0; j < n; j++) dx[j] = fc_into(fresh, dx[j], a * dy[j]);
}

/* sums[0] = sum dy, sums[1] = sum dy (x - m) */
FC_SIMD static void sum_row(fc_real *sums, const fc_real *restrict dy, const fc_real *restrict x, fc_real m,
                            int64_t n) {
  fc_real sum = 0, dot = 0;

  FC_PRAGMA(omp simd reduction(+ : sum, dot)) for (int64_t j = 0; j < n; j++) {
    sum += dy[j];
    dot += dy[j] * (x[j] - m);
  }
  sums[0] = sum;
  sums[1] = dot;
}

/* ds += sum dy, da += sum dy (x - m), dm -= a sum dy, over all rows that share the number */
static void backward_factors(fc_tensor *const *f, fc_real *const *d, const fc_real *sums, int64_t rows) {
  for (int64_t r = 0; d[MIDDLE] && r < rows; r++)
    d[MIDDLE][r % fc_len(f[MIDDLE])] -= factor(f[SCALE], r, 1) * sums[2 * r];
  for (int64_t r = 0; d[SCALE] && r < rows; r++) d[SCALE][r % fc_len(f[SCALE])] += sums[2 * r + 1];
  for (int64_t r = 0; d[SHIFT] && r < rows; r++) d[SHIFT][r % fc_len(f[SHIFT])] += sums[2 * r];
}

static void backward(fc_ctx *c, const fc_node *node) {
  const fc_real    *x = node->in[0]->x, *dy = node->out->g;
  const int64_t     rows = fc_rows(node->out), L = fc_last(node->out);
  fc_tensor *const *f = node->in + 1;
  bool              fresh;
  fc_real          *dx = fc_grad_raw(c, node->in[0], &fresh), *d[FACTORS];

  for (int i = 0; i < FACTORS; i++) d[i] = fc_grad(c, f[i]);
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *sums = NULL;
  if (d[MIDDLE] || d[SCALE] || d[SHIFT]) sums = fc_arena_push(c->arena, (size_t)(2 * rows) * sizeof *sums);
  FC_FOR_ROWS(r, rows, L) {
    if (sums) sum_row(sums + 2 * r, dy + r * L, x + r * L, factor(f[MIDDLE], r, 0), L);
    if (dx) backward_row(dx + r * L, dy + r * L, factor(f[SCALE], r, 1), L, fresh);
  }
  if (sums) backward_factors(f, d, sums, rows);
  fc_arena_pop(c->arena, mark);
}

static const fc_op row_affine = {"row_affine", backward, false};

fc_tensor *fc_row_affine(fc_ctx *c, fc_tensor *x, fc_tensor *m, fc_tensor *a, fc_tensor *s) {
  fc_tensor *const f[]  = {m, a, s};
  const int64_t    rows = fc_rows(x), L = fc_last(x);

  for (int i = 0; i < FACTORS; i++)
    FC_ASSERT(!f[i] || (fc_len(f[i]) > 0 && rows % fc_len(f[i]) == 0), "row_affine: factors %s for %s",
              fc_shape_text(f[i]), fc_shape_text(x));
  fc_tensor *y = fc_tensor_new(c->arena, x->ndim, x->dim);
  if (!c->dry) FC_FOR_ROWS(r, rows, L)
  forward_row(y->x + r * L, x->x + r * L, factor(m, r, 0), factor(a, r, 1), factor(s, r, 0), L);
  return fc_record(c, &row_affine, y, NULL, FC_IN(x, m, a, s));
}

/* ---- mean and deviation of a row ---- */

/* Numbers are taken relative to the row's first one, so that a row of equal numbers has exactly that mean. */
FC_SIMD static void moments_row(const fc_real *x, int64_t n, fc_real eps, fc_real *mean, fc_real *deviation) {
  const fc_real first = x[0];
  fc_real       sum = 0, square = 0;

  FC_REDUCE(+, sum) for (int64_t j = 0; j < n; j++) sum += x[j] - first;
  const fc_real middle = first + sum / (fc_real)n;
  FC_REDUCE(+, square) for (int64_t j = 0; j < n; j++) square += (x[j] - middle) * (x[j] - middle);
  *mean      = middle;
  *deviation = (fc_real)sqrt((double)(square / (fc_real)n + eps));
}

void fc_row_moments(fc_ctx *c, const fc_tensor *x, double eps, fc_tensor **mean, fc_tensor **deviation) {
  const int64_t rows = fc_rows(x), L = fc_last(x);

  FC_ASSERT(x->ndim > 0 && L > 0, "row_moments: %s", fc_shape_text(x));
  *mean      = fc_tensor_new(c->arena, x->ndim - 1, x->dim);
  *deviation = fc_tensor_new(c->arena, x->ndim - 1, x->dim);
  if (c->dry) return;
  FC_FOR_ROWS(r, rows, L)
  moments_row(x->x + r * L, L, (fc_real)eps, (*mean)->x + r, (*deviation)->x + r);
}
