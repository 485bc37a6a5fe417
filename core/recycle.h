/* core/recycle.h - dead stretches of an arena, in order of address, merged with their neighbours and
   handed out again. Backward walks the tape from the end, so what dies grows together from the top down. */
#ifndef FC_RECYCLE_H
#define FC_RECYCLE_H
#include "core/base.h"

enum { FC_RECYCLE_PARTS = 512 };

typedef struct fc_recycle {
  int n;
  struct {
    char *lo, *hi;
  } part[FC_RECYCLE_PARTS];
} fc_recycle;

void fc_recycle_clear(fc_recycle *r);
/* lo .. hi-1 is dead, on 64-byte borders. If there are too many parts the smallest is forgotten until the
 * step ends. */
void fc_recycle_add(fc_recycle *r, void *lo, void *hi);
/* the smallest part that holds so many bytes, cut from its low end; NULL if there is none */
void *fc_recycle_take(fc_recycle *r, size_t bytes);
#endif
