/* core/spans.c - sums of spans, and a binary kernel over a tensor and a broadcast suffix. */
#include "core/spans.h"

#include <string.h>

enum { SHORT_PERIOD = 512 }; /* below this the call per row would show */

FC_SIMD void fc_span_add(fc_real *restrict y, const fc_real *restrict x, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] += x[i];
}

/* b repeated as often as fits well above SHORT_PERIOD, but not beyond n */
static const fc_real *repeat(fc_arena *scratch, const fc_real *b, int64_t *period, int64_t n) {
  const int64_t copies = fc_min64(fc_ceil_div(SHORT_PERIOD, *period), n / *period);
  fc_real      *tiled  = fc_arena_push(scratch, (size_t)(copies * *period) * sizeof *tiled);

  for (int64_t i = 0; i < copies; i++) memcpy(tiled + i * *period, b, (size_t)*period * sizeof *b);
  *period *= copies;
  return tiled;
}

void fc_spans_apply(fc_arena *scratch, fc_span_fn fn, int64_t n, fc_real *y, const fc_real *a, int64_t period,
                    const fc_real *b, bool fresh) {
  const size_t mark = fc_arena_mark(scratch);

  if (n == 0) return;
  if (period < SHORT_PERIOD && period < n) b = repeat(scratch, b, &period, n);
  const int64_t rows = fc_ceil_div(n, period), pieces = fc_ceil_div(period, FC_SPAN);
  FC_FOR_ROWS(i, rows * pieces, fc_min64(period, FC_SPAN)) {
    const int64_t column = i % pieces * FC_SPAN, at = i / pieces * period + column;
    const int64_t len = fc_min64(fc_min64(FC_SPAN, period - column), n - at);
    if (len > 0) fn(y + at, a + at, b + column, len, fresh);
  }
  fc_arena_pop(scratch, mark);
}
