/* core/sums.h - sums over the middle axis of [O, R, I]: bias gradients, means, norms, losses.
   Cut into blocks that depend on the shape alone; short runs are added in fc_real lanes, everything
   above in double and in fixed order, so the result is accurate and the same for any team. */
#ifndef FC_SUMS_H
#define FC_SUMS_H
#include "core/arena.h"

typedef enum {
  FC_SUM_PLAIN,    /* p */
  FC_SUM_PRODUCT,  /* p q */
  FC_SUM_SQUARE,   /* (p - shift)^2 */
  FC_SUM_DISTANCE, /* (p - q)^2 */
  FC_SUM_GAP       /* |p - q| */
} fc_sum_kind;

typedef struct fc_sum {
  fc_sum_kind    kind;
  int64_t        O, R, I;
  const fc_real *p, *q; /* [O, R, I]; q only where the kind names it */
  const fc_real *shift; /* [O], only for FC_SUM_SQUARE */
} fc_sum;

/* total[o, i] = sum over r; scratch is popped before return. Not to be called inside a parallel loop. */
void fc_sum_middle(fc_arena *scratch, const fc_sum *s, double *total);

/* out[o, i] = scale total[o, i], or += it */
void fc_sum_store(fc_arena *scratch, const fc_sum *s, double scale, bool add, fc_real *out);
#endif
