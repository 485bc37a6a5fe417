/* core/ops/modulation.h - where the vectors of a fc_modulation lie. */
#ifndef FC_MODULATION_H
#define FC_MODULATION_H
#include "core/ops.h"

enum { FC_MOD_SHIFT, FC_MOD_SCALE, FC_MOD_GATE };

/* offset of one vector of C numbers in m.rows */
static inline int64_t fc_modulation_at(const fc_modulation *m, int64_t sample, int64_t C, int vector) {
  return sample * fc_last(m->rows) + (m->first + vector) * C;
}

/* rows of each sample in x [.., C], of which the op reads the vectors up to `vector` */
static inline int64_t fc_modulation_rows(const char *op, const fc_modulation *m, const fc_tensor *x,
                                         int vector) {
  const int64_t B = m->rows->dim[0], rows = fc_rows(x);

  FC_ASSERT(m->rows->ndim == 2 && B > 0 && rows % B == 0 && m->first >= 0 &&
                fc_last(m->rows) >= (m->first + vector + 1) * fc_last(x),
            "%s: modulation %s from vector %d on for %s", op, fc_shape_text(m->rows), m->first,
            fc_shape_text(x));
  return rows / B;
}
#endif
