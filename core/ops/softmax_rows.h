/* core/ops/softmax_rows.h - softmax of a block of rows that lies in the cache, shared by the operations that
   contain one. */
#ifndef FC_SOFTMAX_ROWS_H
#define FC_SOFTMAX_ROWS_H
#include "core/base.h"

/* y = exp(x - max x) / sum for each of `rows` rows of n numbers; y may be x */
void fc_softmax_rows(fc_real *y, const fc_real *x, int64_t rows, int64_t n);
/* dx = y (dy - dy . y), or += it unless fresh */
void fc_softmax_rows_back(fc_real *dx, const fc_real *dy, const fc_real *y, int64_t rows, int64_t n,
                          bool fresh);
#endif
