/* core/copy.c */
#include "core/copy.h"

#include "core/spans.h"

#include <string.h>

enum { SHORT_RUN = 32 }; /* numbers below which a call per row costs more than the row */

FC_SIMD static void add_block(fc_real *restrict to, int64_t ts, const fc_real *restrict from, int64_t fs,
                              int64_t rows, int64_t run) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < run; j++) to[r * ts + j] += from[r * fs + j];
}

static void copy_block(fc_real *restrict to, int64_t ts, const fc_real *restrict from, int64_t fs,
                       int64_t rows, int64_t run) {
  for (int64_t r = 0; r < rows; r++)
    if (run >= SHORT_RUN)
      memcpy(to + r * ts, from + r * fs, (size_t)run * sizeof *to);
    else
      for (int64_t j = 0; j < run; j++) to[r * ts + j] = from[r * fs + j];
}

static void zero_block(fc_real *to, int64_t ts, int64_t rows, int64_t run) {
  for (int64_t r = 0; r < rows; r++) memset(to + r * ts, 0, (size_t)run * sizeof *to);
}

/* A block is several short rows or a part of a long one. */
typedef struct {
  int64_t rows, run, down, across;
} cut;

static cut plan(int64_t rows, int64_t run) {
  cut k = {.rows = 1, .run = fc_min64(run, FC_SPAN)};

  if (run < FC_SPAN) k.rows = fc_max64(1, FC_SPAN / fc_max64(run, 1));
  k.down   = fc_ceil_div(rows, k.rows);
  k.across = run ? fc_ceil_div(run, k.run) : 0;
  return k;
}

#define FOR_BLOCKS(k, r, j, all_rows, all_run)                                                               \
  FC_FOR_ROWS(b_, (k).down *(k).across, (k).rows *(k).run)                                                   \
  for (int64_t r = b_ / (k).across * (k).rows, j = b_ % (k).across * (k).run,                                \
               nr = fc_min64((k).rows, (all_rows)-r), nj = fc_min64((k).run, (all_run)-j);                   \
       nr > 0; nr = 0)

void fc_copy_rows(fc_rows_of to, const fc_real *from, int64_t from_stride, int64_t rows, int64_t run,
                  bool add) {
  const cut k = plan(rows, run);

  FOR_BLOCKS(k, r, j, rows, run) {
    fc_real       *t = to.x + r * to.stride + j;
    const fc_real *f = from + r * from_stride + j;
    if (add)
      add_block(t, to.stride, f, from_stride, nr, nj);
    else
      copy_block(t, to.stride, f, from_stride, nr, nj);
  }
}

void fc_zero_rows(fc_rows_of to, int64_t rows, int64_t run) {
  const cut k = plan(rows, run);

  FOR_BLOCKS(k, r, j, rows, run) zero_block(to.x + r * to.stride + j, to.stride, nr, nj);
}
