/* core/ops/norm_rows.h - layer norm of some rows on the calling thread, for operations that normalise or fuse
   it with a product: y = x^ w + b, x^ = (x - mean) / sqrt(var + eps), mean and biased variance over a row. */
#ifndef FC_NORM_ROWS_H
#define FC_NORM_ROWS_H
#include "core/base.h"

/* x, y [rows, n], w, b [n]; stats [rows, 2] takes mean and 1 / sqrt(var + eps), NULL: nobody asks */
void fc_norm_rows(fc_real *restrict y, const fc_real *restrict x, const fc_real *restrict w,
                  const fc_real *restrict b, fc_real *restrict stats, int64_t rows, int64_t n, fc_real eps);
/* dx = or += the gradient of the rows; fresh as in fc_into */
void fc_norm_rows_back(fc_real *restrict dx, const fc_real *restrict dy, const fc_real *restrict x,
                       const fc_real *restrict w, const fc_real *restrict stats, int64_t rows, int64_t n,
                       bool fresh);
/* dw = sum of dy x^, db = sum of dy over the rows */
void fc_norm_rows_sums(fc_real *restrict dw, fc_real *restrict db, const fc_real *restrict dy,
                       const fc_real *restrict x, const fc_real *restrict stats, int64_t rows, int64_t n);
#endif
