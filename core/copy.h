/* core/copy.h - strided blocks moved between buffers: what slices, concatenation, padding and rolls
   are made of. Rows of `run` numbers lie `stride` apart. */
#ifndef FC_COPY_H
#define FC_COPY_H
#include "core/base.h"

typedef struct fc_rows_of {
  fc_real *x;
  int64_t  stride;
} fc_rows_of;

/* row r of `to` = row r of `from`, or += it; the two do not overlap */
void fc_copy_rows(fc_rows_of to, const fc_real *from, int64_t from_stride, int64_t rows, int64_t run,
                  bool add);
void fc_zero_rows(fc_rows_of to, int64_t rows, int64_t run);
#endif
