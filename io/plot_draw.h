/* io/plot_draw.h - what the pictures share: a surface, text, ticks. Private to io/plot*.c. */
#ifndef FC_PLOT_DRAW_H
#define FC_PLOT_DRAW_H
#include "core/base.h"
#include "io/colour_map.h"

#include <cairo.h>

/* ---- surface; lengths are units, one unit = scale pixels ---- */

typedef struct fc_canvas {
  cairo_surface_t *surface;
  cairo_t         *cr;
  bool             ascii; /* no fonts on this machine: cairo's built-in strokes know ASCII only */
} fc_canvas;

/* FC_E_USAGE: larger than a picture can be; FC_E_SYSTEM: no memory */
fc_status fc_canvas_open(double width, double height, double scale, fc_canvas *c);
void      fc_canvas_close(fc_canvas *c);
fc_status fc_canvas_save(fc_canvas *c, const char *path); /* PATH.tmp, then renamed */
void      fc_canvas_colour(fc_canvas *c, fc_rgb colour, double alpha);
void      fc_canvas_line(fc_canvas *c, double x0, double y0, double x1, double y1, double width);

/* ---- text ---- */

extern const fc_rgb fc_ink, fc_faint; /* of text; of frames and ticks */

typedef struct fc_text {
  double size, align; /* 0: x is the left end, 0.5: the middle, 1: the right end */
  double room;        /* shrink, then cut the text to this width; 0: any */
  bool   upright;     /* turned left by 90 degrees, align along y */
  bool   bold;
} fc_text;

/* y is the middle of the line. "^-2" is raised, "-1" gets a true minus, broken UTF-8 becomes '?'. */
void   fc_text_draw(fc_canvas *c, fc_text style, double x, double y, const char *text);
double fc_text_width(fc_canvas *c, fc_text style, const char *text);

/* ---- ticks ---- */

enum { FC_TICKS = 24, FC_MINOR_TICKS = 96 };

typedef struct fc_ticks {
  int    n, n_minor;
  double at[FC_TICKS], minor[FC_MINOR_TICKS];
  char   label[FC_TICKS][24]; /* may be empty on log axes */
  int    exponent;            /* labels are to be multiplied by 10^exponent */
} fc_ticks;

/* about `target` ticks at 1, 2, 5 x 10^k within lo..hi (lo < hi, finite) */
void fc_ticks_linear(double lo, double hi, int target, fc_ticks *t);
/* decades with minor ticks at 2 .. 9 (0 < lo < hi); 1, 2, 5 x 10^k if there are few decades */
void fc_ticks_log(double lo, double hi, int target, fc_ticks *t);
/* at most about `target` ticks where seconds, hours, days, months or years begin; lo, hi: seconds since 1970
 */
void fc_ticks_dates(double lo, double hi, int target, fc_ticks *t);
/* "x 10^-3" into buf; "" if the exponent is 0 */
const char *fc_ticks_factor(const fc_ticks *t, char *buf, size_t size);

#define FC_LOG_LEAST 1e-150 /* what a log axis can show */
#define FC_LOG_MOST  1e150

/* widens an empty or zero range so that it can be an axis; a log range becomes positive */
void fc_range_mend(double *lo, double *hi, bool logarithmic);
#endif
