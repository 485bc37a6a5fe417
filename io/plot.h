/* io/plot.h - PNG pictures through cairo: panels of fields, curves, scatter of points. */
#ifndef FC_PLOT_H
#define FC_PLOT_H
#include "core/base.h"

typedef enum { FC_MAP_SEQUENTIAL, FC_MAP_DIVERGING } fc_colour_map; /* viridis-like; blue-white-red about 0 */

typedef struct fc_panel { /* one picture of x[nx, ny], first axis to the right, second upwards */
  const char     *title;   /* NULL: none */
  int64_t         nx, ny;
  const fc_real  *x;
  int64_t         stride;  /* between values: number of channels when x is channels-last */
  double          lo, hi;  /* colour range; lo == hi: from the data */
  fc_colour_map   map;
} fc_panel;

/* rows x columns of panels with labels in front of rows and above columns (NULL: none), one colour bar per
   panel row, labelled with row_unit. NaN is drawn grey. */
fc_status fc_plot_panels(const char *path, const char *title, int rows, int cols, const fc_panel *p,
                         const char *const *row_label, const char *const *col_label, const char *const *row_unit);

typedef struct fc_curve {
  const char   *label;
  int64_t       n;
  const double *x, *y;    /* NaN leaves a gap */
  const double *lo, *hi;  /* shaded band or NULL */
  bool          dashed, markers;
} fc_curve;

typedef struct fc_axes {
  const char *title, *x_label, *y_label;
  bool        log_x, log_y;
  double      x_lo, x_hi, y_lo, y_hi; /* lo == hi: from the data */
  double      h_line;                 /* a grey reference line; NaN: none */
} fc_axes;
fc_status fc_plot_curves(const char *path, const fc_axes *axes, int n, const fc_curve *curves);
#endif
