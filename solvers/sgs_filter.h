/* solvers/sgs_filter.h - test filters of dynamic models, one axis at a time: along the middle axis of complex
   arrays [outer, n, inner] to [outer, m, inner]. A complex number holds two real fields; all filters here
   treat them alike. A flow is resolved by `keep` points; n > keep: the points of a padded grid. cutoff keeps
   the waves |k| < keep/4 of those up to keep/2: the ratio of widths is 2. What is left is known from m =
   keep/2 points, which are all that is computed. trapezoid   1/4, 1/2, 1/4 on neighbouring points, m = keep:
   the transfer function cos^2(k dx/2) falls to one half at the cut-off's wave (ratio 2); a box with its
   second moment is sqrt(6) = 2.45 spacings wide. sixth       11/16, 15/64, -3/32, 1/64 on 7 points, m = keep:
   the filter of solvers/sgs_clipped.h. Its transfer function falls to one half at k dx = 2.2, a ratio of 1.4.
   On padded grids waves are multiplied by the transfer function. Axes are periodic, or end at walls (sixth
   only): the two points beside a wall have one-sided weights. */
#ifndef FC_SGS_FILTER_H
#define FC_SGS_FILTER_H
#include "core/base.h"

typedef enum { FC_SGS_CUTOFF, FC_SGS_TRAPEZOID, FC_SGS_SIXTH } fc_sgs_filter_kind;

typedef struct fc_sgs_filter {
  fc_sgs_filter_kind  kind;
  bool                walls;
  int64_t             outer, n, m, inner, top; /* top: the highest wave kept */
  double             *factor; /* [top + 1], transfer function over n; NULL: weights on points */
  struct fftw_plan_s *forward, *inverse;
} fc_sgs_filter;

/* measure as in solvers/fft2.h; plan outside parallel loops. FC_E_SYSTEM: no memory. */
fc_status fc_sgs_filter_create(fc_sgs_filter_kind kind, bool walls, int64_t outer, int64_t n, int64_t keep,
                               int64_t inner, bool measure, fc_sgs_filter **out);
void      fc_sgs_filter_destroy(fc_sgs_filter *f);                     /* NULL is fine */
int64_t   fc_sgs_filter_points(fc_sgs_filter_kind kind, int64_t keep); /* m */

/* x[outer, n, inner] -> y[outer, m, inner], different arrays from fc_fft2_alloc, or parts of them that begin
   at multiples of 8 numbers. x is spoilt. Serial, without allocation; threads may share f. */
void fc_sgs_filter_apply(const fc_sgs_filter *f, double *x, double *y);
#endif
