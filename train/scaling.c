/* train/scaling.c - serial on purpose: the reader thread calls it beside a computing team. */
#include "train/scaling.h"

#include "core/parallel.h"

void fc_scaling_none(fc_scaling *s) {
  for (int c = 0; c < s->n; c++) s->mean[c] = 0, s->std[c] = s->step[c] = 1;
}

/* x a + b on every n-th number */
FC_SIMD static void affine(fc_real *x, int64_t points, int64_t n, fc_real a, fc_real b) {
  for (int64_t i = 0; i < points; i++) x[i * n] = x[i * n] * a + b;
}

void fc_scaling_apply(const fc_scaling *s, int64_t points, fc_real *x) {
  for (int c = 0; c < s->n; c++)
    affine(x + c, points, s->n, (fc_real)(1 / s->std[c]), (fc_real)(-s->mean[c] / s->std[c]));
}

void fc_scaling_undo(const fc_scaling *s, int64_t points, fc_real *x) {
  for (int c = 0; c < s->n; c++) affine(x + c, points, s->n, (fc_real)s->std[c], (fc_real)s->mean[c]);
}
