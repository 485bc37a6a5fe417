/* io/plot_curves.c - ranges of a chart, and its lines, bands and markers. */
#include "io/plot_chart.h"

enum { STROKE = 200 };           /* points a stroke: cairo's time grows faster than the length of a path */
static const double BAND = 0.18; /* darkness */

/* ---- ranges ---- */

static bool fits(double v, bool logarithmic) { return isfinite(v) && (!logarithmic || v > 0); }

static void take(fc_span *s, double v) {
  if (!fits(v, s->logarithmic)) return;
  s->lo = fmin(s->lo, v);
  s->hi = fmax(s->hi, v);
}

static bool inside(const fc_span *s, double v) { return v >= s->lo && v <= s->hi; }

static void x_range(const fc_chart *chart, fc_span *x) {
  for (int k = 0; k < chart->n; k++)
    for (int64_t i = 0; i < chart->curves[k].n; i++)
      if (fits(chart->curves[k].y[i], chart->axes.log_y)) take(x, chart->curves[k].x[i]);
}

static void y_range(const fc_chart *chart, const fc_span *x, fc_span *y) {
  for (int k = 0; k < chart->n; k++) {
    const fc_curve *u = &chart->curves[k];
    for (int64_t i = 0; i < u->n; i++) {
      if (!inside(x, u->x[i])) continue;
      take(y, u->y[i]);
      if (u->lo && u->hi) take(y, u->lo[i]), take(y, u->hi[i]);
    }
  }
}

static void pad(fc_span *s, double part) {
  const double by = s->logarithmic ? pow(s->hi / s->lo, part) : part * (s->hi - s->lo);

  s->lo = s->logarithmic ? s->lo / by : s->lo - by;
  s->hi = s->logarithmic ? s->hi * by : s->hi + by;
}

static bool has_markers(const fc_chart *chart) {
  for (int k = 0; k < chart->n; k++)
    if (chart->curves[k].markers) return true;
  return false;
}

/* a wish that is no range (reversed, or <= 0 on a log axis) counts as none */
static bool wished(double lo, double hi, fc_span *s) {
  if (!(lo < hi) || !isfinite(hi - lo) || (s->logarithmic && (lo < FC_LOG_LEAST || hi > FC_LOG_MOST)))
    return false;
  s->lo = lo;
  s->hi = hi;
  return true;
}

void fc_chart_ranges(const fc_chart *chart, fc_span *x, fc_span *y) {
  const fc_axes *a = &chart->axes;

  *x = (fc_span){INFINITY, -INFINITY, a->log_x, a->x_dates};
  *y = (fc_span){INFINITY, -INFINITY, a->log_y, false};
  if (!wished(a->x_lo, a->x_hi, x)) {
    x_range(chart, x);
    fc_range_mend(&x->lo, &x->hi, a->log_x);
    if (has_markers(chart)) pad(x, 0.03);
  }
  if (wished(a->y_lo, a->y_hi, y)) return;
  y_range(chart, x, y);
  take(y, a->h_line);
  fc_range_mend(&y->lo, &y->hi, a->log_y);
  pad(y, 0.05);
}

/* ---- drawing ---- */

fc_rgb fc_chart_colour(const fc_chart *chart, int i) {
  if (chart->curves[i].like) i = chart->curves[i].like - 1;
  if (!chart->axes.ordered) return fc_colour_line(i);
  /* the light end of the map would vanish on white */
  return fc_colour_at(FC_MAP_SEQUENTIAL, chart->n > 1 ? 0.05 + 0.77 * i / (chart->n - 1) : 0.3);
}

static void set_line(fc_canvas *c, const fc_chart *chart, int i) {
  static const double dash[] = {5, 3};
  const bool          again  = !chart->axes.ordered && (i / 8) % 2; /* the colours start over */

  fc_canvas_colour(c, fc_chart_colour(chart, i), 1);
  cairo_set_line_width(c->cr, 1.5);
  cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
  cairo_set_dash(c->cr, dash, chart->curves[i].dashed || again ? 2 : 0, 0);
}

static void dot(fc_canvas *c, double x, double y, double radius) {
  cairo_new_path(c->cr);
  cairo_arc(c->cr, x, y, radius, 0, 2 * M_PI);
  cairo_fill(c->cr);
}

static bool there(const fc_chart_view *v, const fc_curve *u, int64_t i) {
  return i >= 0 && i < u->n && !isnan(fc_view_x(v, u->x[i])) && !isnan(fc_view_y(v, u->y[i]));
}

/* Points that fall into one narrow column become the column's extent: the picture is the same and its cost
   bounded by its width. */
typedef struct {
  cairo_t *cr;
  int64_t  n; /* points of the path so far */
  bool     open;
  double   x, lo, hi, last; /* of the column */
} pen;

static void pen_to(pen *p, double x, double y) {
  if (p->n++ == 0)
    cairo_move_to(p->cr, x, y);
  else
    cairo_line_to(p->cr, x, y);
  if (p->n % STROKE) return;
  cairo_stroke(p->cr);
  cairo_move_to(p->cr, x, y);
}

static void pen_flush(pen *p) {
  if (!p->open) return;
  if (p->lo < p->hi) {
    pen_to(p, p->x, p->lo);
    pen_to(p, p->x, p->hi);
  }
  pen_to(p, p->x, p->last);
  p->open = false;
}

static void pen_add(pen *p, double x, double y, double width) {
  if (p->open && fabs(x - p->x) < width) {
    p->lo   = fmin(p->lo, y);
    p->hi   = fmax(p->hi, y);
    p->last = y;
    return;
  }
  pen_flush(p);
  *p = (pen){p->cr, p->n, true, x, y, y, y};
}

static void draw_line(fc_canvas *c, const fc_chart_view *v, const fc_curve *u) {
  const double column = (double)u->n > 6 * v->box.w ? 0.25 : 0;
  pen          p      = {.cr = c->cr};

  cairo_new_path(c->cr);
  for (int64_t i = 0; i < u->n; i++) {
    if (there(v, u, i)) {
      pen_add(&p, fc_view_x(v, u->x[i]), fc_view_y(v, u->y[i]), column);
    } else {
      pen_flush(&p);
      p.n = 0;
    }
  }
  pen_flush(&p);
  cairo_stroke(c->cr);
}

/* markers where wanted, and a dot for a point without neighbours, which has no line */
static void draw_points(fc_canvas *c, const fc_chart_view *v, const fc_curve *u) {
  for (int64_t i = 0; i < u->n; i++)
    if (there(v, u, i) && (u->markers || (!there(v, u, i - 1) && !there(v, u, i + 1))))
      dot(c, fc_view_x(v, u->x[i]), fc_view_y(v, u->y[i]), u->markers ? 2.6 : 2.2);
}

/* a lower edge below a log axis goes down to the frame */
static double edge_y(const fc_chart_view *v, double y) {
  const double at = fc_view_y(v, y);
  return isnan(at) && v->y.logarithmic && y <= 0 ? v->box.y + v->box.h : at;
}

static bool band_there(const fc_chart_view *v, const fc_curve *u, int64_t i) {
  return i < u->n && !isnan(fc_view_x(v, u->x[i])) && !isnan(edge_y(v, u->lo[i])) &&
         !isnan(edge_y(v, u->hi[i]));
}

static void draw_band(fc_canvas *c, const fc_chart_view *v, int k) {
  const fc_curve *u = &v->chart->curves[k];

  fc_canvas_colour(c, fc_chart_colour(v->chart, k), BAND);
  for (int64_t i = 0, end; i < u->n; i = end + 1) {
    cairo_new_path(c->cr);
    for (end = i; band_there(v, u, end); end++)
      cairo_line_to(c->cr, fc_view_x(v, u->x[end]), edge_y(v, u->hi[end]));
    for (int64_t j = end - 1; j >= i; j--) cairo_line_to(c->cr, fc_view_x(v, u->x[j]), edge_y(v, u->lo[j]));
    cairo_fill(c->cr);
  }
}

void fc_chart_curves_draw(fc_canvas *c, const fc_chart_view *v) {
  const double h_line = fc_view_y(v, v->chart->axes.h_line);

  cairo_save(c->cr);
  cairo_rectangle(c->cr, v->box.x, v->box.y - 1, v->box.w + 1, v->box.h + 2);
  cairo_clip(c->cr);
  for (int k = 0; k < v->chart->n; k++)
    if (v->chart->curves[k].lo && v->chart->curves[k].hi) draw_band(c, v, k);
  fc_canvas_colour(c, (fc_rgb){0.6, 0.6, 0.6}, 1);
  if (!isnan(h_line)) fc_canvas_line(c, v->box.x, h_line, v->box.x + v->box.w, h_line, 1);
  for (int k = 0; k < v->chart->n; k++) {
    if (v->chart->curves[k].like) continue;
    set_line(c, v->chart, k);
    draw_line(c, v, &v->chart->curves[k]);
    draw_points(c, v, &v->chart->curves[k]);
  }
  cairo_restore(c->cr);
}

void fc_chart_sample_draw(fc_canvas *c, const fc_chart *chart, int i, double x, double y, double length) {
  cairo_save(c->cr);
  if (chart->curves[i].like) {
    /* as dark as it looks in the chart, where it lies on the wider ones before it */
    for (int k = i; k >= 0 && chart->curves[k].like == chart->curves[i].like; k--) {
      fc_canvas_colour(c, fc_chart_colour(chart, i), BAND);
      cairo_rectangle(c->cr, x, y - 5, length, 10);
      cairo_fill(c->cr);
    }
    cairo_restore(c->cr);
    return;
  }
  set_line(c, chart, i);
  cairo_move_to(c->cr, x, y);
  cairo_line_to(c->cr, x + length, y);
  cairo_stroke(c->cr);
  if (chart->curves[i].markers) dot(c, x + length / 2, y, 2.6);
  cairo_restore(c->cr);
}
