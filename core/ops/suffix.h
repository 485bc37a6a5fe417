/* core/ops/suffix.h - the one broadcasting rule: b has a's shape or a suffix of it, and is repeated
   along a's leading axes. */
#ifndef FC_SUFFIX_H
#define FC_SUFFIX_H
#include "core/tensor.h"

#include <string.h>

static inline void fc_suffix_check(const char *op, const fc_tensor *a, const fc_tensor *b) {
  FC_ASSERT(b->ndim <= a->ndim &&
                !memcmp(a->dim + a->ndim - b->ndim, b->dim, (size_t)b->ndim * sizeof *b->dim),
            "%s: %s is not a suffix of %s", op, fc_shape_text(b), fc_shape_text(a));
}

/* how often b is repeated */
static inline int64_t fc_suffix_rows(const fc_tensor *a, const fc_tensor *b) {
  return fc_span(a, 0, a->ndim - b->ndim);
}
#endif
