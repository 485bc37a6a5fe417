/* core/gemm.h - dense products. Our AVX-512 tiles (core/panel.h) or OpenBLAS compute,
   always on one thread; our team splits the work in blocks that depend on the shape
   alone, so the same bits come out for any number of threads. All matrices are row-major. */
#ifndef FC_GEMM_H
#define FC_GEMM_H
#include "core/arena.h"

/* C[m,n] = alpha op(A) op(B) + beta C on the calling thread; op(A) is [m,k], op(B) is [k,n]. */
void fc_gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, fc_real alpha, const fc_real *A, int64_t lda,
             const fc_real *B, int64_t ldb, fc_real beta, fc_real *C, int64_t ldc);

/* Products with one B on the calling thread: C_i[m,n] = A_i B + beta C_i, A_i = A + i step_a, C_i = C + i
   step_c, i < count. As fast as one product of count m rows. */
void fc_gemm_blocks(int64_t count, int64_t m, int64_t n, int64_t k, const fc_real *A, int64_t lda,
                    int64_t step_a, const fc_real *B, int64_t ldb, fc_real beta, fc_real *C, int64_t ldc,
                    int64_t step_c);

/* fc_gemm with the rows of C split over the team. */
void fc_gemm_rows(bool ta, bool tb, int64_t m, int64_t n, int64_t k, fc_real alpha, const fc_real *A,
                  int64_t lda, const fc_real *B, int64_t ldb, fc_real beta, fc_real *C, int64_t ldc);

/* C[m,n] (+)= A^T B with A [k,m], B [k,n] and k large (weight gradients): the sum over k is
   done in fixed chunks whose results are added in order. scratch is popped before return. */
void fc_gemm_reduce(fc_arena *scratch, int64_t m, int64_t n, int64_t k, const fc_real *A, int64_t lda,
                    const fc_real *B, int64_t ldb, bool accumulate, fc_real *C, int64_t ldc);

/* rows in one block of fc_gemm_rows; shared by fused kernels that split the same way */
int64_t fc_gemm_block(int64_t m, int64_t n, int64_t k);
#endif
