/* core/ops/odometer.h - walks an index of several axes in row-major order and keeps the offset it
   has in another layout, given by one stride per axis (0: the axis is absent there). */
#ifndef FC_ODOMETER_H
#define FC_ODOMETER_H
#include "core/tensor.h"

typedef struct fc_odometer {
  int     nd;
  int64_t n[FC_MAX_DIMS], stride[FC_MAX_DIMS], i[FC_MAX_DIMS], at;
} fc_odometer;

/* sets it to the flat index */
static inline void fc_odometer_set(fc_odometer *o, int64_t index) {
  o->at = 0;
  for (int k = o->nd - 1; k >= 0; k--) {
    o->i[k] = index % o->n[k];
    o->at += o->i[k] * o->stride[k];
    index /= o->n[k];
  }
}

static inline void fc_odometer_next(fc_odometer *o) {
  for (int k = o->nd - 1; k >= 0; k--) {
    o->at += o->stride[k];
    if (++o->i[k] < o->n[k]) return;
    o->at -= o->n[k] * o->stride[k];
    o->i[k] = 0;
  }
}
#endif
