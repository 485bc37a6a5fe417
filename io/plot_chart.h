/* io/plot_chart.h - from numbers to places inside one chart. Private to io/plot*.c. */
#ifndef FC_PLOT_CHART_H
#define FC_PLOT_CHART_H
#include "io/plot.h"
#include "io/plot_draw.h"

#include <math.h>

enum { FC_CHART_FONT = 12, FC_CHART_SMALL = 11 };

typedef struct fc_box {
  double x, y, w, h;
} fc_box;

typedef struct fc_span {
  double lo, hi;
  bool   logarithmic, dates;
} fc_span; /* of one axis */

typedef struct fc_chart_view {
  const fc_chart *chart;
  fc_box          box; /* inside the axes */
  fc_span         x, y;
} fc_chart_view;

/* 0 at lo, 1 at hi; NaN if v has no place on the axis */
static inline double fc_span_at(const fc_span *s, double v) {
  if (!isfinite(v) || (s->logarithmic && v <= 0)) return NAN;
  return s->logarithmic ? (log(v) - log(s->lo)) / (log(s->hi) - log(s->lo)) : (v - s->lo) / (s->hi - s->lo);
}

/* far outside is as good as any place outside, and cairo's coordinates are 24 bits */
static inline double fc_view_x(const fc_chart_view *v, double x) {
  const double at = fc_span_at(&v->x, x);
  return isnan(at) ? NAN : v->box.x + v->box.w * fmin(fmax(at, -100), 101);
}

static inline double fc_view_y(const fc_chart_view *v, double y) {
  const double at = fc_span_at(&v->y, y);
  return isnan(at) ? NAN : v->box.y + v->box.h * (1 - fmin(fmax(at, -100), 101));
}

/* axis ranges from the axes' wishes or the data */
void   fc_chart_ranges(const fc_chart *chart, fc_span *x, fc_span *y);
fc_rgb fc_chart_colour(const fc_chart *chart, int i);
void   fc_chart_curves_draw(fc_canvas *c, const fc_chart_view *v);
/* a short piece of curve i from (x, y) to the right, as in the legend */
void fc_chart_sample_draw(fc_canvas *c, const fc_chart *chart, int i, double x, double y, double length);

/* ---- legend ---- */

/* size of the legend, w = 0 if no curve has a label; not larger than room */
void fc_legend_measure(fc_canvas *c, const fc_chart *chart, fc_box room, fc_box *size);
/* sets size->x, y to a free place inside the axes; false if there is none */
bool fc_legend_place(const fc_chart_view *v, fc_box *size);
void fc_legend_draw(fc_canvas *c, const fc_chart *chart, const fc_box *at);
#endif
