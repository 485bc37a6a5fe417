/* core/spans.h - elementwise work cut into pieces of fixed length: a piece fits the first-level
   cache, one thread does it, and where the cuts lie depends on the length of the tensor alone. */
#ifndef FC_SPANS_H
#define FC_SPANS_H
#include "core/arena.h"
#include "core/parallel.h"

#define FC_SPAN 4096 /* elements */

/* runs the statement for each piece [at, at + len) of 0 .. total-1, pieces shared among the team */
#define FC_FOR_SPANS(at, len, total)                                                                         \
  FC_FOR_ROWS(piece_, fc_ceil_div(total, FC_SPAN), FC_SPAN)                                                  \
  for (int64_t at = piece_ * FC_SPAN, len = fc_min64(FC_SPAN, (total)-at); len > 0; len = 0)

/* the same for whole rows: [row, row + count) of 0 .. rows-1, about FC_SPAN elements at a time */
#define FC_FOR_ROW_BLOCKS(row, count, rows, width)                                                           \
  FC_FOR_ROWS(piece_, fc_ceil_div(rows, fc_block_rows(width)), fc_block_rows(width) * (width))               \
  for (int64_t row = piece_ * fc_block_rows(width), count = fc_min64(fc_block_rows(width), (rows)-row);      \
       count > 0; count = 0)
static inline int64_t fc_block_rows(int64_t width) {
  return width >= FC_SPAN || width < 1 ? 1 : FC_SPAN / width;
}

/* What a gradient kernel stores: the value itself into a fresh buffer (fc_grad_raw), else the sum.
   fresh does not change inside a loop, so the compiler makes two loops of it. */
static inline fc_real fc_into(bool fresh, fc_real old, fc_real value) { return fresh ? value : old + value; }

/* y += x on the calling thread; the two do not overlap */
void fc_span_add(fc_real *restrict y, const fc_real *restrict x, int64_t n);

/* A binary kernel: y[i] from a[i], b[i]. fresh is passed through; kernels that only overwrite ignore it. */
typedef void (*fc_span_fn)(fc_real *restrict y, const fc_real *restrict a, const fc_real *restrict b,
                           int64_t n, bool fresh);

/* fn over n elements of y and a, with b of length period repeated along them; n is a multiple of period.
   Short periods are repeated in scratch first, so that a bias of three channels vectorises as well. */
void fc_spans_apply(fc_arena *scratch, fc_span_fn fn, int64_t n, fc_real *y, const fc_real *a, int64_t period,
                    const fc_real *b, bool fresh);
#endif
