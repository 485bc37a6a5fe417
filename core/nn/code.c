/* core/nn/code.c */
#include "core/domain.h"
#include "core/nn/nn.h"
#include "core/parallel.h"

/* coordinate a of point n; an axis of one point lies at 0, as in numpy.linspace */
static fc_real unit_coordinate(int64_t i, int64_t n) {
  return n > 1 ? (fc_real)((double)i / (double)(n - 1)) : 0;
}

fc_tensor *fc_unit_grid(fc_ctx *c, int ndim, const int64_t *dim, fc_cut first) {
  const int64_t lo = fc_cut_lo(c, first);
  int64_t       N  = 1;

  for (int a = 0; a < ndim; a++) N *= dim[a];
  fc_tensor *y = fc_tensor_new(c->arena, FC_DIMS(N, ndim));
  if (c->dry) return y;
  FC_FOR_ROWS(n, N, 8 * ndim) {
    int64_t rest = n;
    for (int a = ndim - 1; a > 0; rest /= dim[a], a--)
      y->x[n * ndim + a] = unit_coordinate(rest % dim[a], dim[a]);
    y->x[n * ndim] = unit_coordinate(lo + rest, first.n);
  }
  return y;
}
