/* core/panel.h - our own product for small float matrices on processors with AVX-512.

   The products of these networks are short: 128 to 512 rows and columns. A general library copies both
   factors into its own order for each of them, which costs a quarter of the time. Here op(A) is read where it
   lies and only 32 columns of op(B) at a time are copied, into a panel that stays in the first cache. */
#ifndef FC_PANEL_H
#define FC_PANEL_H
#include "core/base.h"

/* Blocks of m rows that meet the same op(B): block i reads op(A) from A + i step_a on and writes at C + i
 * step_c */
typedef struct fc_panel_blocks {
  int64_t count, step_a, step_c;
} fc_panel_blocks;

/* C[m,n] = op(A) op(B) (+ C if accumulate) for each block, on the calling thread, as fc_gemm with alpha = 1.
   False, with nothing done: this processor, build (double, sanitizers) or shape is better served by the
   library, or the environment says FIELDCAST_GEMM=openblas. An element of C is the same sum in the same order
   wherever it lies in C, so a caller may cut C in any blocks. C is not read unless accumulate. */
bool fc_panel_product(const fc_panel_blocks *b, bool ta, bool tb, int64_t m, int64_t n, int64_t k,
                      const fc_real *A, int64_t lda, const fc_real *B, int64_t ldb, bool accumulate,
                      fc_real *C, int64_t ldc);
#endif
