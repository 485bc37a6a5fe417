/* core/tensor.c */
#include "core/tensor.h"

#include <stdio.h>
#include <string.h>

static fc_tensor *shaped(fc_arena *a, int ndim, const int64_t *dim) {
  fc_tensor *t = fc_arena_push(a, sizeof *t);

  FC_ASSERT(ndim >= 0 && ndim <= FC_MAX_DIMS, "tensor of %d axes, at most %d are possible", ndim,
            FC_MAX_DIMS);
  memset(t, 0, sizeof *t);
  t->ndim = ndim;
  for (int i = 0; i < ndim; i++) {
    FC_ASSERT(dim[i] >= 0, "axis %d of a tensor has length %lld", i, (long long)dim[i]);
    t->dim[i] = dim[i];
  }
  return t;
}

fc_tensor *fc_tensor_new(fc_arena *a, int ndim, const int64_t *dim) {
  fc_tensor *t = shaped(a, ndim, dim);

  t->x = fc_arena_push(a, (size_t)fc_len(t) * sizeof(fc_real));
  return t;
}

fc_tensor *fc_tensor_borrow(fc_arena *a, fc_real *x, int ndim, const int64_t *dim) {
  fc_tensor *t = shaped(a, ndim, dim);

  t->x = x;
  return t;
}

fc_tensor *fc_tensor_view(fc_arena *a, fc_tensor *x, int ndim, const int64_t *dim) {
  fc_tensor *t = fc_tensor_borrow(a, x->x, ndim, dim);

  t->owner = x->owner ? x->owner : x;
  return t;
}

int64_t fc_span(const fc_tensor *t, int from, int to) {
  int64_t n = 1;

  for (int i = from; i < to; i++) n *= t->dim[i];
  return n;
}

int64_t fc_len(const fc_tensor *t) { return fc_span(t, 0, t->ndim); }
int64_t fc_last(const fc_tensor *t) { return t->ndim ? t->dim[t->ndim - 1] : 1; }
int64_t fc_rows(const fc_tensor *t) { return t->ndim ? fc_span(t, 0, t->ndim - 1) : 1; }

bool fc_same_shape(const fc_tensor *a, const fc_tensor *b) {
  return a->ndim == b->ndim && memcmp(a->dim, b->dim, (size_t)a->ndim * sizeof *a->dim) == 0;
}

const char *fc_dims_text(int ndim, const int64_t *dim) {
  static _Thread_local char ring[8][128];
  static _Thread_local int  turn;
  char                     *s = ring[turn++ % 8];
  size_t                    n = 0;

  n += (size_t)snprintf(s, 128, "[");
  for (int i = 0; i < ndim && n < 100; i++)
    n += (size_t)snprintf(s + n, 128 - n, "%s%lld", i ? ", " : "", (long long)dim[i]);
  snprintf(s + n, 128 - n, "]");
  return s;
}

const char *fc_shape_text(const fc_tensor *t) { return fc_dims_text(t->ndim, t->dim); }
