/* solvers/spline.h - cubic splines through values at the integers, with not-a-knot ends (the first two and
   the last two pieces are one cubic each), as MATLAB's spline and interp2(.., 'spline') make them. */
#ifndef FC_SPLINE_H
#define FC_SPLINE_H
#include "core/base.h"

/* out[m, m] = the tensor product of splines through a[n, n] (value i at position i) at positions
   (first + k step, first + l step), k, l < m, also beyond the ends. n >= 4; work: fc_spline_work(n, m)
   doubles. */
void    fc_spline_2d(int64_t n, const double *a, int64_t m, double first, double step, double *out,
                     double *work);
int64_t fc_spline_work(int64_t n, int64_t m);
#endif
