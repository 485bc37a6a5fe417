/* core/recycle.c */
#include "core/recycle.h"

#include <string.h>

enum { ALIGN = 64 };

void fc_recycle_clear(fc_recycle *r) { r->n = 0; }

static void remove_part(fc_recycle *r, int i) {
  r->n--;
  memmove(&r->part[i], &r->part[i + 1], (size_t)(r->n - i) * sizeof r->part[0]);
}

static int smallest(const fc_recycle *r, size_t at_least) {
  int best = -1;

  for (int i = 0; i < r->n; i++) {
    const ptrdiff_t size = r->part[i].hi - r->part[i].lo;
    if (size >= (ptrdiff_t)at_least && (best < 0 || size < r->part[best].hi - r->part[best].lo)) best = i;
  }
  return best;
}

void fc_recycle_add(fc_recycle *r, void *lo, void *hi) {
  int i = 0;

  if (hi <= lo) return;
  if (r->n == FC_RECYCLE_PARTS) remove_part(r, smallest(r, 0));
  while (i < r->n && r->part[i].hi < (char *)lo) i++;
  if (i < r->n && r->part[i].lo <= (char *)hi) { /* touches part i: grow it, perhaps up to the next */
    if ((char *)lo < r->part[i].lo) r->part[i].lo = lo;
    if ((char *)hi > r->part[i].hi) r->part[i].hi = hi;
    if (i + 1 < r->n && r->part[i + 1].lo <= r->part[i].hi) {
      r->part[i].hi = r->part[i + 1].hi;
      remove_part(r, i + 1);
    }
    return;
  }
  memmove(&r->part[i + 1], &r->part[i], (size_t)(r->n - i) * sizeof r->part[0]);
  r->part[i].lo = lo;
  r->part[i].hi = hi;
  r->n++;
}

void *fc_recycle_take(fc_recycle *r, size_t bytes) {
  const size_t need = (bytes + ALIGN - 1) / ALIGN * ALIGN;
  const int    i    = smallest(r, need);

  if (i < 0) return NULL;
  char *p = r->part[i].lo;
  r->part[i].lo += need;
  if (r->part[i].lo == r->part[i].hi) remove_part(r, i);
  return p;
}
