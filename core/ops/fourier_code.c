/* core/ops/fourier_code.c - random Fourier features of grid coordinates (Tancik et al. 2020, eq. 5):
     out[i_0, .., i_{d-1}] = [ sin(2 pi p B), cos(2 pi p B) ],   p = (coord_0[i_0], .., coord_{d-1}[i_{d-1}])
   coord[a] [n_a], B [d, D/2] -> [n_0, .., n_{d-1}, D]; the first coordinate varies slowest.

   With |p B| near 175 the argument reaches 1100 rad, where one rounding of it in float32 moves the result by
   6e-5. Published weights were trained with one order of rounding, so that order is part of the model:
     z = p_0 B_0 rounded, then z = p_a B_a + z with one rounding for product and sum, then z * fl(2 pi)
   rounded. The fused step is what PyTorch's matrix product p B does: on the FactFormer reference cases the
   largest deviation of an output fell from 3.5e-5, with products and sums rounded one by one, to 2.0e-6.
   fma() rounds once by definition, so all machines give the same z. Sine and cosine are taken in double:
   their own error is half a unit in the last place. */
#include "core/ops.h"
#include "core/parallel.h"
#include "core/vmath.h"

#ifdef FC_DOUBLE
#define fused fma
#else
#define fused fmaf
#endif

enum { MAX_AXES = 3 };

/* z[j] = 2 pi sum_a p[a] B[a, j], rounded as above */
FC_SIMD static void arguments(fc_real *restrict z, const fc_real *restrict B, const fc_real *p, int d,
                              int64_t half) {
  const fc_real two_pi = (fc_real)6.283185307179586476925; /* 6.2831855f in float */

  for (int64_t j = 0; j < half; j++) z[j] = p[0] * B[j];
  for (int a = 1; a < d; a++)
    for (int64_t j = 0; j < half; j++) z[j] = fused(p[a], B[a * half + j], z[j]);
  for (int64_t j = 0; j < half; j++) z[j] *= two_pi;
}

/* one grid point: y = [sin z, cos z]; z is left in the first half of y until it is replaced */
FC_SIMD static void waves(fc_real *restrict y, int64_t half) {
  for (int64_t j = 0; j < half; j++) y[half + j] = (fc_real)cos((double)y[j]);
  for (int64_t j = 0; j < half; j++) y[j] = (fc_real)sin((double)y[j]);
}

static void point(fc_real *y, int64_t row, int d, fc_tensor *const *coord, const fc_tensor *B) {
  fc_real p[MAX_AXES];

  for (int a = d - 1; a >= 0; a--) {
    p[a] = coord[a]->x[row % coord[a]->dim[0]];
    row /= coord[a]->dim[0];
  }
  arguments(y, B->x, p, d, B->dim[1]);
  waves(y, B->dim[1]);
}

fc_tensor *fc_fourier_code(fc_ctx *c, int d, fc_tensor *const *coord, const fc_tensor *B) {
  int64_t dim[MAX_AXES + 1];

  FC_ASSERT(d >= 1 && d <= MAX_AXES, "fourier_code: %d coordinates, 1 to %d are possible", d, MAX_AXES);
  FC_ASSERT(B->ndim == 2 && B->dim[0] == d, "fourier_code: frequencies %s for %d coordinates",
            fc_shape_text(B), d);
  for (int a = 0; a < d; a++) {
    FC_ASSERT(coord[a]->ndim == 1, "fourier_code: coordinate %d has shape %s", a, fc_shape_text(coord[a]));
    dim[a] = coord[a]->dim[0];
  }
  dim[d]             = 2 * B->dim[1];
  fc_tensor    *y    = fc_tensor_new(c->arena, d + 1, dim);
  const int64_t rows = fc_rows(y), width = dim[d];
  if (!c->dry) FC_FOR_ROWS(r, rows, 8 * width) point(y->x + r * width, r, d, coord, B);
  return y; /* a constant: nothing to record */
}
