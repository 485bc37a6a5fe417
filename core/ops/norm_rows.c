/* core/ops/norm_rows.c */
#include "core/ops/norm_rows.h"

#include "core/spans.h"
#include "core/vmath.h"

/* mean, then the variance around it: the row is read from cache the second time */
FC_SIMD void fc_norm_rows(fc_real *restrict y, const fc_real *restrict x, const fc_real *restrict w,
                          const fc_real *restrict b, fc_real *restrict stats, int64_t rows, int64_t n,
                          fc_real eps) {
  for (int64_t r = 0; r < rows; r++, x += n, y += n) {
    fc_real sum = 0, square = 0;
    FC_REDUCE(+, sum) for (int64_t j = 0; j < n; j++) sum += x[j];
    const fc_real mean = sum / (fc_real)n;
    FC_REDUCE(+, square) for (int64_t j = 0; j < n; j++) square += (x[j] - mean) * (x[j] - mean);
    const fc_real rstd = 1 / fc_sqrt(square / (fc_real)n + eps);
    for (int64_t j = 0; j < n; j++) y[j] = (x[j] - mean) * rstd * w[j] + b[j];
    if (!stats) continue;
    stats[2 * r]     = mean;
    stats[2 * r + 1] = rstd;
  }
}

/* y = x^ w + b, so with g = dy w, bars for means over the row, x^ = (x - mean) rstd:
   dx += rstd (g - g_bar - x^ (g x^)_bar) */
FC_SIMD void fc_norm_rows_back(fc_real *restrict dx, const fc_real *restrict dy, const fc_real *restrict x,
                               const fc_real *restrict w, const fc_real *restrict stats, int64_t rows,
                               int64_t n, bool fresh) {
  for (int64_t r = 0; r < rows; r++, x += n, dy += n, dx += n) {
    const fc_real mean = stats[2 * r], rstd = stats[2 * r + 1];
    fc_real       sum = 0, dot = 0;
    FC_PRAGMA(omp simd reduction(+ : sum, dot)) for (int64_t j = 0; j < n; j++) {
      sum += dy[j] * w[j];
      dot += dy[j] * w[j] * (x[j] - mean);
    }
    const fc_real shift = rstd * sum / (fc_real)n, slope = rstd * rstd * rstd * dot / (fc_real)n;
    for (int64_t j = 0; j < n; j++)
      dx[j] = fc_into(fresh, dx[j], rstd * dy[j] * w[j] - shift - (x[j] - mean) * slope);
  }
}

FC_SIMD void fc_norm_rows_sums(fc_real *restrict dw, fc_real *restrict db, const fc_real *restrict dy,
                               const fc_real *restrict x, const fc_real *restrict stats, int64_t rows,
                               int64_t n) {
  for (int64_t j = 0; j < n; j++) dw[j] = db[j] = 0;
  for (int64_t r = 0; r < rows; r++, x += n, dy += n) {
    const fc_real mean = stats[2 * r], rstd = stats[2 * r + 1];
    for (int64_t j = 0; j < n; j++) {
      dw[j] += dy[j] * (x[j] - mean) * rstd;
      db[j] += dy[j];
    }
  }
}
