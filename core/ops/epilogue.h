/* core/ops/epilogue.h - what follows a dense product, done on a block of rows while it is still in the
   cache: z += bias, y = act(z). Shared by the linear ops. */
#ifndef FC_EPILOGUE_H
#define FC_EPILOGUE_H
#include "core/ops.h"

/* z, y [rows, n]; y == z unless the activation's argument must survive */
void fc_epilogue(fc_act act, fc_real *y, fc_real *z, const fc_real *bias, int64_t rows, int64_t n);
/* y += bias (per column) and y += r (same shape); either may be NULL */
void fc_epilogue_add(fc_real *y, const fc_real *bias, const fc_real *r, int64_t rows, int64_t n);
/* dz = dy act'(z) in place over the node's gradient [rows, n]; z NULL for FC_ACT_NONE */
void fc_epilogue_back(fc_act act, fc_real *g, const fc_real *z, int64_t rows, int64_t n);
/* sum[n] += rows of x [rows, n], on the calling thread */
void fc_rows_sum(fc_real *sum, const fc_real *x, int64_t rows, int64_t n);
/* column sums: out[n] += sum over rows of g[rows, n], in chunks fixed by the shape */
void fc_column_sums(fc_arena *scratch, const fc_real *g, int64_t rows, int64_t n, fc_real *out);
#endif
