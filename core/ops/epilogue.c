/* core/ops/epilogue.c */
#include "core/ops/epilogue.h"

#include "core/ops/activation_spans.h"
#include "core/parallel.h"
#include "core/spans.h"

#include <string.h>

/* one call for all rows: some have four columns */
FC_SIMD static void add_to_rows(fc_real *restrict y, const fc_real *restrict bias, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < n; j++) y[i * n + j] += bias[j];
}

FC_SIMD static void add_two(fc_real *restrict y, const fc_real *restrict bias, const fc_real *restrict r,
                            int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < n; j++) y[i * n + j] += bias[j] + r[i * n + j];
}

FC_SIMD static void sum_rows(fc_real *restrict sum, const fc_real *restrict x, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < n; j++) sum[j] += x[i * n + j];
}

void fc_epilogue_add(fc_real *y, const fc_real *bias, const fc_real *r, int64_t rows, int64_t n) {
  if (bias && r)
    add_two(y, bias, r, rows, n);
  else if (bias)
    add_to_rows(y, bias, rows, n);
  else if (r)
    fc_span_add(y, r, rows * n);
}

void fc_rows_sum(fc_real *sum, const fc_real *x, int64_t rows, int64_t n) { sum_rows(sum, x, rows, n); }

void fc_epilogue(fc_act act, fc_real *y, fc_real *z, const fc_real *bias, int64_t rows, int64_t n) {
  fc_epilogue_add(z, bias, NULL, rows, n);
  if (act != FC_ACT_NONE) fc_act_span(act, y, z, rows * n);
}

void fc_epilogue_back(fc_act act, fc_real *g, const fc_real *z, int64_t rows, int64_t n) {
  if (act == FC_ACT_NONE) return;
  FC_FOR_ROWS(r, rows, n) fc_act_grad_span(act, g + r * n, z + r * n, n);
}

void fc_column_sums(fc_arena *scratch, const fc_real *g, int64_t rows, int64_t n, fc_real *out) {
  const int64_t chunk = fc_max64(64, fc_ceil_div(rows, 32)), chunks = fc_ceil_div(rows, chunk);
  const size_t  mark = fc_arena_mark(scratch);
  fc_real      *part = fc_arena_push(scratch, (size_t)(chunks * n) * sizeof *part);

  FC_FOR_ROWS(t, chunks, chunk * n) {
    memset(part + t * n, 0, (size_t)n * sizeof *part);
    sum_rows(part + t * n, g + t * chunk * n, fc_min64(rows - t * chunk, chunk), n);
  }
  for (int64_t t = 0; t < chunks; t++) fc_span_add(out, part + t * n, n);
  fc_arena_pop(scratch, mark);
}
