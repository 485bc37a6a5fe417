/* core/batch.c */
#include "core/batch.h"

#include "core/vmath.h"

#include <math.h>
#include <string.h>

fc_tensor *fc_batch_get(const fc_batch *b, const char *name) {
  for (int i = 0; i < b->n; i++)
    if (!strcmp(b->name[i], name)) return b->t[i];
  return NULL;
}

void fc_batch_put(fc_batch *b, const char *name, fc_tensor *t) {
  FC_ASSERT(b->n < FC_BATCH_MAX, "more than %d inputs", FC_BATCH_MAX);
  b->name[b->n] = name;
  b->t[b->n++]  = t;
}

fc_status fc_batch_need(const fc_batch *b, const char *name, int ndim, const int64_t *dim, fc_tensor **out) {
  fc_tensor *t = fc_batch_get(b, name);

  FC_REQUIRE(t, FC_E_MISMATCH, "the model wants an input named %s; there is none", name);
  bool fits = t->ndim == ndim;
  for (int i = 0; fits && i < ndim; i++) fits = dim[i] < 0 ? t->dim[i] > 0 : t->dim[i] == dim[i];
  FC_REQUIRE(fits, FC_E_MISMATCH, "input %s has shape %s, the model wants %s (-1: any)", name,
             fc_shape_text(t), fc_dims_text(ndim, dim));
  *out = t;
  return FC_OK;
}

fc_status fc_batch_int(const fc_batch *b, const char *name, int64_t def, int64_t lo, int64_t hi,
                       int64_t *out) {
  const fc_tensor *t = fc_batch_get(b, name);

  *out = def;
  if (!t) return FC_OK;
  FC_REQUIRE(fc_len(t) == 1, FC_E_MISMATCH, "input %s has shape %s, one number is wanted", name,
             fc_shape_text(t));
  const double x = (double)t->x[0];
  FC_REQUIRE(x >= (double)lo && x <= (double)hi && x == floor(x), FC_E_MISMATCH,
             "input %s is %g, a whole number from %lld to %lld is wanted", name, x, (long long)lo,
             (long long)hi);
  *out = (int64_t)x;
  return FC_OK;
}
