/* core/ops/standardize.c - x in `rows` contiguous blocks of n numbers: y = (x - mean) / sqrt(var + eps),
   var = sum (x - mean)^2 / (n - ddof). Blocks are few and long (a whole field), so each one is split
   over the team. Kept for backward: 1 / sqrt(var + eps) of each block; x^ is y itself.
   Where ranks share a field, the blocks of all of them together are one: two sums over the ranks. */
#include "core/domain.h"
#include "core/ops.h"
#include "core/spans.h"
#include "core/sums.h"

#include <math.h>

typedef struct {
  int64_t rows, n; /* n here, `all` on all ranks */
  int     ddof;
  double  all, rstd[];
} saved;

/* y = (x - mean) rstd */
FC_SIMD static void forward_span(fc_real *y, const fc_real *x, fc_real mean, fc_real rstd, int64_t n) {
  FC_VECTOR for (int64_t i = 0; i < n; i++) y[i] = (x[i] - mean) * rstd; /* y may be x */
}

/* Two passes over x: the mean, then squares around it. What rounding the mean to fc_real adds to the
   squares, n (mean - rounded)^2, is taken off again. */
static void moments(fc_arena *scratch, const saved *s, const fc_real *x, double *mean, double *square) {
  const size_t mark  = fc_arena_mark(scratch);
  fc_real     *shift = fc_arena_push(scratch, (size_t)s->rows * sizeof *shift);

  fc_sum_middle(scratch, &(fc_sum){FC_SUM_PLAIN, s->rows, s->n, 1, .p = x}, mean);
  for (int64_t r = 0; r < s->rows; r++) mean[r] /= (double)s->n, shift[r] = (fc_real)mean[r];
  fc_sum_middle(scratch, &(fc_sum){FC_SUM_SQUARE, s->rows, s->n, 1, .p = x, .shift = shift}, square);
  for (int64_t r = 0; r < s->rows; r++) {
    const double off = mean[r] - (double)shift[r];
    square[r]        = fmax(square[r] - (double)s->n * off * off, 0);
  }
  fc_arena_pop(scratch, mark);
}

static void statistics(fc_ctx *c, saved *s, const fc_real *x, double eps, fc_real *mean) {
  const size_t mark   = fc_arena_mark(c->arena);
  double      *middle = fc_arena_push(c->arena, (size_t)(2 * s->rows) * sizeof *middle),
         *square      = middle + s->rows;

  if (!c->dry) moments(c->arena, s, x, middle, square);
  s->all = fc_domain_moments(c, s->rows, (double)s->n, middle, square);
  for (int64_t r = 0; !c->dry && r < s->rows; r++) {
    mean[r]    = (fc_real)middle[r];
    s->rstd[r] = 1 / sqrt(square[r] / (s->all - s->ddof) + eps);
  }
  fc_arena_pop(c->arena, mark);
}

static void forward(fc_ctx *c, saved *s, fc_real *y, const fc_real *x, double eps) {
  const size_t  mark   = fc_arena_mark(c->arena);
  fc_real      *mean   = fc_arena_push(c->arena, (size_t)s->rows * sizeof *mean);
  const int64_t pieces = c->dry ? 0 : fc_ceil_div(s->n, FC_SPAN);

  statistics(c, s, x, eps, mean);
  FC_FOR_ROWS(i, s->rows * pieces, fc_min64(s->n, FC_SPAN)) {
    const int64_t r = i / pieces, from = i % pieces * FC_SPAN, at = r * s->n + from;
    forward_span(y + at, x + at, mean[r], (fc_real)s->rstd[r], fc_min64(FC_SPAN, s->n - from));
  }
  fc_arena_pop(c->arena, mark);
}

/* y = (x - mean) rstd: dx += rstd (dy - sum dy / n - y sum(dy y) / (n - ddof)) */
FC_SIMD static void backward_span(fc_real *restrict dx, const fc_real *restrict dy, const fc_real *restrict y,
                                  fc_real rstd, fc_real bar, fc_real dot, int64_t n, bool fresh) {
  for (int64_t i = 0; i < n; i++) dx[i] = fc_into(fresh, dx[i], rstd * (dy[i] - bar - y[i] * dot));
}

static void backward(fc_ctx *c, const fc_node *node) {
  const saved   *s  = node->saved;
  const fc_real *dy = node->out->g, *y = node->out->x;
  const int64_t  pieces = fc_ceil_div(s->n, FC_SPAN);
  bool           fresh;
  fc_real       *dx   = fc_grad_raw(c, node->in[0], &fresh);
  const size_t   mark = fc_arena_mark(c->arena);

  if (!dx) return;
  double *sum = fc_arena_push(c->arena, (size_t)(2 * s->rows) * sizeof *sum), *dot = sum + s->rows;
  fc_sum_middle(c->arena, &(fc_sum){FC_SUM_PLAIN, s->rows, s->n, 1, .p = dy}, sum);
  fc_sum_middle(c->arena, &(fc_sum){FC_SUM_PRODUCT, s->rows, s->n, 1, .p = dy, .q = y}, dot);
  fc_domain_sum_double(c, sum, 2 * s->rows);
  FC_FOR_ROWS(i, s->rows * pieces, fc_min64(s->n, FC_SPAN)) {
    const int64_t r = i / pieces, from = i % pieces * FC_SPAN, at = r * s->n + from;
    backward_span(dx + at, dy + at, y + at, (fc_real)s->rstd[r], (fc_real)(sum[r] / s->all),
                  (fc_real)(dot[r] / (s->all - s->ddof)), fc_min64(FC_SPAN, s->n - from), fresh);
  }
  fc_arena_pop(c->arena, mark);
}

static const fc_op standardize = {"standardize", backward, false};

/* x of any shape whose length is rows n with n > ddof; ddof 0 (biased) or 1; result of x's shape */
static fc_tensor *apply(fc_ctx *c, fc_tensor *x, fc_tensor *y, int64_t rows, int ddof, double eps) {
  FC_ASSERT(rows > 0 && fc_len(x) % rows == 0 && fc_len(x) / rows > ddof && ddof >= 0,
            "standardize: %s in %lld blocks, ddof %d", fc_shape_text(x), (long long)rows, ddof);
  saved *s = fc_arena_push(c->arena, sizeof *s + (size_t)rows * sizeof *s->rstd);
  s->rows = rows, s->n = fc_len(x) / rows, s->ddof = ddof;
  forward(c, s, y->x, x->x, eps);
  return fc_record(c, &standardize, y, s, FC_IN(x));
}

fc_tensor *fc_standardize(fc_ctx *c, fc_tensor *x, int64_t rows, int ddof, double eps) {
  return apply(c, x, fc_tensor_new(c->arena, x->ndim, x->dim), rows, ddof, eps);
}

fc_tensor *fc_standardize_in_place(fc_ctx *c, fc_tensor *x, int64_t rows, int ddof, double eps) {
  return apply(c, x, fc_tensor_view(c->arena, x, x->ndim, x->dim), rows, ddof, eps);
}
