/* core/gemm.c - products split in blocks fixed by the shape. */
#include "core/gemm.h"

#include "core/panel.h"
#include "core/parallel.h"

#include <cblas.h>
#include <string.h>

#ifdef FC_DOUBLE
#define cblas_gemm cblas_dgemm
#else
#define cblas_gemm cblas_sgemm
#endif

static const fc_panel_blocks single = {1, 0, 0};

void fc_gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, fc_real alpha, const fc_real *A, int64_t lda,
             const fc_real *B, int64_t ldb, fc_real beta, fc_real *C, int64_t ldc) {
  if (m == 0 || n == 0) return;
  if (k == 0) { /* BLAS leaves C alone; the definition does not */
    for (int64_t i = 0; i < m; i++)
      for (int64_t j = 0; j < n; j++) C[i * ldc + j] = beta == 0 ? 0 : beta * C[i * ldc + j];
    return;
  }
  if (alpha == 1 && (beta == 0 || beta == 1) &&
      fc_panel_product(&single, ta, tb, m, n, k, A, lda, B, ldb, beta == 1, C, ldc))
    return;
  cblas_gemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n,
             (int)k, alpha, A, (int)lda, B, (int)ldb, beta, C, (int)ldc);
}

void fc_gemm_blocks(int64_t count, int64_t m, int64_t n, int64_t k, const fc_real *A, int64_t lda,
                    int64_t step_a, const fc_real *B, int64_t ldb, fc_real beta, fc_real *C, int64_t ldc,
                    int64_t step_c) {
  const fc_panel_blocks blocks = {count, step_a, step_c};

  if ((beta == 0 || beta == 1) &&
      fc_panel_product(&blocks, false, false, m, n, k, A, lda, B, ldb, beta == 1, C, ldc))
    return;
  for (int64_t i = 0; i < count; i++)
    fc_gemm(false, false, m, n, k, 1, A + i * step_a, lda, B, ldb, beta, C + i * step_c, ldc);
}

/* About 256 rows keep the packing of B near 2 % of the work; fewer only so that a few cores find something to
   do, and never so few that a block is less than a quarter of a million multiply-adds. Blocks are nearly
   equal and a multiple of four, so that two or four threads end together. */
int64_t fc_gemm_block(int64_t m, int64_t n, int64_t k) {
  const int64_t least = 88, pieces = m >= 8 * least && m < 2048 ? 8 : 4 * fc_ceil_div(m, 1024);
  int64_t       block = fc_ceil_div(m, fc_max64(pieces, 1));

  while (block < m && block * n * k < (1 << 18)) block *= 2;
  return fc_min64(fc_max64(block, 1), fc_max64(m, 1));
}

/* How C is cut: in blocks of rows, or of columns if there are more of them, or if all rows fit the second
   cache, for then nothing of op(B) is copied twice. Where that leaves only a few rows (weight gradients of
   short inputs), each block would copy all of op(B) for them: then in both directions. */
typedef struct {
  int64_t rows, cols;
} cut;

static cut cut_of(int64_t m, int64_t n, int64_t k) {
  const int64_t few = 64, panel = 32;
  cut           c = {m, n};

  if (m < n || (m <= 8 * few && n >= 4 * panel))
    c.cols = fc_min64(n, fc_ceil_div(fc_gemm_block(n, m, k), panel) * panel);
  else
    c.rows = fc_gemm_block(m, n, k);
  if (c.rows == m || c.rows >= few) return c;
  c = (cut){fc_min64(few, m), panel};
  while (c.cols < n && c.rows * c.cols * k < (1 << 18)) c.cols *= 2;
  return (cut){c.rows, fc_min64(c.cols, n)};
}

void fc_gemm_rows(bool ta, bool tb, int64_t m, int64_t n, int64_t k, fc_real alpha, const fc_real *A,
                  int64_t lda, const fc_real *B, int64_t ldb, fc_real beta, fc_real *C, int64_t ldc) {
  if (m == 0 || n == 0) return;
  const cut     c    = cut_of(m, n, k);
  const int64_t wide = fc_ceil_div(n, c.cols), blocks = fc_ceil_div(m, c.rows) * wide;

  FC_FOR_TASKS(t, blocks, m * n * k) {
    const int64_t i = t / wide * c.rows, j = t % wide * c.cols;
    fc_gemm(ta, tb, fc_min64(c.rows, m - i), fc_min64(c.cols, n - j), k, alpha, A + (ta ? i : i * lda), lda,
            B + (tb ? j * ldb : j), ldb, beta, C + i * ldc + j, ldc);
  }
}

FC_SIMD static void add_row(fc_real *restrict y, const fc_real *restrict x, int64_t n) {
  for (int64_t j = 0; j < n; j++) y[j] += x[j];
}

void fc_gemm_reduce(fc_arena *scratch, int64_t m, int64_t n, int64_t k, const fc_real *A, int64_t lda,
                    const fc_real *B, int64_t ldb, bool accumulate, fc_real *C, int64_t ldc) {
  /* nearly equal chunks, so that threads end together */
  const int64_t most   = fc_max64(1, fc_ceil_div(k, fc_max64(1024, fc_ceil_div(k, 8))));
  const int64_t chunk  = fc_max64(16, fc_ceil_div(fc_ceil_div(k, most), 16) * 16);
  const int64_t chunks = fc_ceil_div(k, chunk);

  if (chunks <= 1) {
    fc_gemm_rows(true, false, m, n, k, 1, A, lda, B, ldb, accumulate, C, ldc);
    return;
  }
  const size_t mark = fc_arena_mark(scratch);
  fc_real     *part = fc_arena_push(scratch, (size_t)(chunks * m * n) * sizeof *part);
  FC_FOR_TASKS(t, chunks, m * n * k) {
    const int64_t at = t * chunk, len = fc_min64(chunk, k - at);
    fc_gemm(true, false, m, n, len, 1, A + at * lda, lda, B + at * ldb, ldb, 0, part + t * m * n, n);
  }
  FC_FOR_ROWS(i, m, n * chunks) {
    fc_real *row = C + i * ldc;
    if (!accumulate) memset(row, 0, (size_t)n * sizeof *row);
    for (int64_t t = 0; t < chunks; t++) add_row(row, part + (t * m + i) * n, n);
  }
  fc_arena_pop(scratch, mark);
}
