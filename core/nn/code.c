/* core/nn/code.c - constant codes of time and of the points of a grid. Published weights were trained on
   float32 numbers made in one order of rounding; with times in the thousands that order shows. */
#include "core/nn/nn.h"
#include "core/parallel.h"
#include "core/vmath.h"

/* f_i = exp(-ln(10000) i / k), each step rounded to fc_real: torch.exp(-math.log(10000) * arange(k) / k) */
static fc_real frequency(int64_t i, int64_t k) {
  const fc_real exponent = (fc_real)-9.210340371976182736 * (fc_real)i;

  return (fc_real)exp((double)(exponent / (fc_real)k));
}

/* sine and cosine in double: their own error is half a unit in the last place */
static void time_row(fc_real *y, fc_real t, const fc_real *f, int64_t width) {
  const int64_t k = width / 2;

  for (int64_t i = 0; i < k; i++) {
    const fc_real z = t * f[i];
    y[i]            = (fc_real)cos((double)z);
    y[k + i]        = (fc_real)sin((double)z);
  }
  if (width % 2) y[width - 1] = 0;
}

fc_tensor *fc_time_code(fc_ctx *c, const fc_tensor *T, int64_t width, double scale) {
  const int64_t B = fc_len(T), k = width / 2;
  fc_tensor    *y = fc_tensor_new(c->arena, FC_DIMS(B, width)), *f = fc_tensor_new(c->arena, FC_DIMS(k));

  FC_ASSERT(T->dim[0] == B && width >= 1, "time_code: times %s, width %lld", fc_shape_text(T),
            (long long)width);
  if (c->dry) return y;
  for (int64_t i = 0; i < k; i++) f->x[i] = frequency(i, k);
  FC_FOR_ROWS(b, B, 16 * width) time_row(y->x + b * width, (fc_real)scale * T->x[b], f->x, width);
  return y; /* a constant: nothing to record */
}

/* coordinate a of point n; an axis of one point lies at 0, as in numpy.linspace */
static fc_real unit_coordinate(int64_t i, int64_t n) {
  return n > 1 ? (fc_real)((double)i / (double)(n - 1)) : 0;
}

fc_tensor *fc_unit_grid(fc_ctx *c, int ndim, const int64_t *dim) {
  int64_t N = 1;

  for (int a = 0; a < ndim; a++) N *= dim[a];
  fc_tensor *y = fc_tensor_new(c->arena, FC_DIMS(N, ndim));
  if (c->dry) return y;
  FC_FOR_ROWS(n, N, 8 * ndim) {
    int64_t rest = n;
    for (int a = ndim - 1; a >= 0; rest /= dim[a], a--)
      y->x[n * ndim + a] = unit_coordinate(rest % dim[a], dim[a]);
  }
  return y;
}
