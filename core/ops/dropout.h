/* core/ops/dropout.h - the mask of a dropout, for operations that drop inside. */
#ifndef FC_DROPOUT_H
#define FC_DROPOUT_H
#include "core/ops.h"
#include "core/rng.h"

typedef struct fc_mask_piece { /* elements from `at` on are those from `place` on of the numbers of a seed */
  int64_t  at, place;
  uint64_t seed;
} fc_mask_piece;

typedef struct fc_mask {
  fc_rng               rng;
  uint64_t             first;     /* counter of the first four elements */
  uint32_t             threshold; /* a word below it drops its element; p 2^32 */
  fc_real              scale;     /* of what is kept: 1 / (1 - p) */
  int64_t              n;
  const fc_mask_piece *piece; /* [n], at[0] = 0; on the arena */
} fc_mask;

/* a mask of its own for each call of a step, 0 <= p <= 1, over `length` elements, those of each sample
   together and in order: ranks that share a batch draw what one rank would */
fc_mask fc_mask_draw(fc_ctx *c, double p, int64_t length);
/* The mask of samples of which other ranks may have a part: sample b has elements at[b] .. at[b + 1] - 1
   here, which are those from place[b] on of all its elements. A sample has numbers of its own: its place in
   the whole batch and that in the sample say which. */
fc_mask fc_mask_draw_shares(fc_ctx *c, double p, int64_t n, const int64_t *at, const int64_t *place);
/* y = (or +=, unless fresh) scale k x for elements at .. at+n-1 of what is masked; n at most FC_SPAN, y
   and x do not overlap */
void fc_mask_apply(const fc_mask *m, fc_real *y, const fc_real *x, int64_t at, int64_t n, bool fresh);
#endif
