/* io/plot.h - PNG pictures through cairo: panels of fields on grids and on points, curves. Light, thin,
   colour-blind safe. Texts are one line; "^-2" is raised ("m s^-2"), and what is too long for its place is
   shrunk, then cut. Files are complete or absent: PATH.tmp is renamed. Failures: FC_E_SYSTEM (memory, disk),
   FC_E_USAGE (too many panels for one picture). */
#ifndef FC_PLOT_H
#define FC_PLOT_H
#include "core/base.h"
#include "io/colour_map.h"

typedef struct fc_scene { /* points in the plane or in space, seen from far away */
  int64_t        n;
  int            space; /* 2: first coordinate to the right, second upwards; 3: see up */
  int            up;    /* of 3 coordinates: number of the one that points upwards in the picture */
  const fc_real *x;     /* [n, space] */
  int64_t        cells; /* 0: a disc for each point */
  int            corners;
  const int64_t *cell; /* [cells, corners]: filled, values change linearly between the corners */
  double         azimuth, elevation; /* of the eye, degrees; azimuth 0: from the end of the axis after up */
} fc_scene;

typedef struct fc_panel { /* one picture of x[nx, ny], first axis to the right, second upwards */
  const char     *title;  /* NULL: none */
  int64_t         nx, ny; /* of a scene: not used */
  const fc_real  *x;      /* NULL: the place stays empty */
  int64_t         stride; /* between values: number of channels when x is channels-last */
  double          lo, hi; /* colour range; lo == hi: from the data */
  fc_colour_map   map;
  const fc_scene *scene; /* x are values of its points; NULL: a grid */
} fc_panel;

/* rows x columns of panels p[rows * cols] with labels in front of rows and above columns (NULL, or NULL
   entries: none). The panels of a row share one colour bar, labelled with row_unit: map and range are those
   of the first panel of the row that is there; lo == hi takes the range of the data of the whole row
   (diverging: symmetric about 0). Every value is a block of equal pixels; fields larger than a panel are
   averaged. NaN and infinity are grey. */
fc_status fc_plot_panels(const char *path, const char *title, int rows, int cols, const fc_panel *p,
                         const char *const *row_label, const char *const *col_label,
                         const char *const *row_unit);

typedef struct fc_curve {
  const char   *label; /* NULL: not in the legend */
  int64_t       n;
  const double *x, *y;   /* NaN leaves a gap; so do values <= 0 on a log axis */
  const double *lo, *hi; /* shaded band or NULL */
  bool          dashed, markers;
  int           like; /* 1 + number of the curve of which this is a band: its colour, no line; 0: a curve */
} fc_curve;

typedef struct fc_axes {
  const char *title, *x_label, *y_label; /* NULL: none */
  bool        log_x, log_y;
  double      x_lo, x_hi, y_lo, y_hi; /* lo == hi: from the data */
  double      h_line;                 /* a grey reference line; NaN: none */
  bool        x_dates;                /* x are seconds since 1970: ticks of the calendar */
  bool        ordered; /* the curves are steps of one thing (times): colours from dark to light */
} fc_axes;
fc_status fc_plot_curves(const char *path, const fc_axes *axes, int n, const fc_curve *curves);

typedef struct fc_chart {
  fc_axes         axes;
  int             n;
  const fc_curve *curves;
} fc_chart;
/* rows x columns of charts in one picture; title may be NULL; a chart without curves (NULL) leaves its place
 * empty */
fc_status fc_plot_charts(const char *path, const char *title, int rows, int cols, const fc_chart *charts);
#endif
