/* solvers/line_map.h - filters along one axis and new points on it, as matrices: b_i = sum_j w_ij a_j. Rows
   add up to one, so constants stay what they are. Along a periodic axis of even spacing h (new spacing H,
   filter width D = width H) a field is its Fourier series, of which modes |k| < pi / H are kept (none is
   aliased onto the new points) and multiplied by cutoff   1 if |k| < pi / D, else 0 box      sin(k D / 2) /
   (k D / 2) gaussian exp(-k^2 D^2 / 24) (Pope, Turbulent Flows, table 13.2). The mean is kept. Along other
   axes a box is the average of the straight lines between the points, from one border to the next; borders
   lie midway between new points, times width, but not beyond the ends. With width 1 these are the cells of
   the new points, and the integral along the axis is kept to rounding. subsample takes every k-th point and
   filters nothing. */
#ifndef FC_LINE_MAP_H
#define FC_LINE_MAP_H
#include "core/base.h"

typedef enum {
  FC_LINE_AUTO,
  FC_LINE_NONE,
  FC_LINE_SUBSAMPLE,
  FC_LINE_CUTOFF,
  FC_LINE_BOX,
  FC_LINE_GAUSSIAN
} fc_line_kind;

typedef struct fc_line_axis {
  const char   *name; /* for messages */
  int64_t       n;
  const double *x; /* rising */
  bool          periodic, even;
} fc_line_axis;

typedef struct fc_line_map {
  fc_line_kind kind;
  int64_t      n, m;
  double       width; /* as used: in new spacings */
  double      *w;     /* [m, n] */
  double      *x;     /* [m] */
} fc_line_map;

/* m points (0: as many as there are) by kind; width 0: the usual one, 1, or 2 for gaussian. keep_ends: the
   ends of axes that are not periodic keep their values (walls stay at rest; the integral then changes by what
   the box would have moved there). FC_E_USAGE names what is impossible. */
fc_status fc_line_map_create(const fc_line_axis *a, fc_line_kind kind, int64_t m, double width,
                             bool keep_ends, fc_line_map *out);
void      fc_line_map_free(fc_line_map *l);
/* out[before, m, after] of in[before, n, after]: the same bits for any number of threads */
void fc_line_map_apply(const fc_line_map *l, int64_t before, int64_t after, const double *in, double *out);
/* "Fourier cut-off |k| < 8 modes, 64 to 16 points" */
void fc_line_map_text(const fc_line_map *l, const fc_line_axis *a, bool keep_ends, char *buf, size_t size);
#endif
