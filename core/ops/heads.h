/* core/ops/heads.h - sizes shared by linear_split and linear_merge. */
#ifndef FC_HEADS_H
#define FC_HEADS_H
#include "core/gemm.h"
#include "core/ops/epilogue.h"
#include "core/parallel.h"

typedef struct {
  int64_t  B, H, N, D, C; /* batch, heads, points, head width, channels of the channels-last side */
  fc_act   act;
  fc_real *z;
} fc_heads;

/* Rows of one block and the number of blocks over all samples; a block stays inside one sample. */
static inline int64_t fc_heads_block(const fc_heads *s) { return fc_gemm_block(s->N, s->D * s->H, s->C); }

/* channels-last [B, N, C] += sum over heads of head-major [B, H, N, D] times matrices; both ops need it,
   one forward, one backward. w_h is at W + h * step with leading dimension ld, transposed if tw. */
void fc_heads_gather(const fc_heads *s, fc_real *y, bool clear, const fc_real *v, const fc_real *W,
                     int64_t step, int64_t ld, bool tw);
/* head-major [B, H, N, D] (+)= channels-last [B, N, C] times matrices */
void fc_heads_scatter(const fc_heads *s, fc_real *v, bool clear, const fc_real *x, const fc_real *W,
                      int64_t step, int64_t ld, bool tw);
#endif
