/* io/plot_charts.c - axes around curves, and several charts in one picture. */
#include "io/plot_chart.h"

#include <stdio.h>

typedef struct {
  fc_chart_view view;
  fc_box        cell, legend;
  fc_ticks      x, y;
} chart_layout;

static const fc_text small = {.size = FC_CHART_SMALL, .align = 0.5};

/* ---- layout ---- */

static double widest_label(fc_canvas *c, const fc_ticks *t) {
  double w = 0;

  for (int i = 0; i < t->n; i++) w = fmax(w, fc_text_width(c, small, t->label[i]));
  return w;
}

static void make_ticks(const fc_span *s, int target, fc_ticks *t) {
  if (s->dates)
    fc_ticks_dates(s->lo, s->hi, target, t);
  else if (s->logarithmic)
    fc_ticks_log(s->lo, s->hi, target, t);
  else
    fc_ticks_linear(s->lo, s->hi, target, t);
}

/* as many labels as stand apart */
static void make_x_ticks(fc_canvas *c, const fc_chart_view *v, fc_ticks *t) {
  for (int target = (int)fmax(2, v->box.w / 60); target > 0; target--) {
    make_ticks(&v->x, target, t);
    double room = v->box.w;
    for (int i = 0; i + 1 < t->n; i++) room = fmin(room, fc_view_x(v, t->at[i + 1]) - fc_view_x(v, t->at[i]));
    if (room > widest_label(c, t) + 8) return;
  }
}

static void arrange(fc_canvas *c, chart_layout *l) {
  const fc_axes *a     = &l->view.chart->axes;
  fc_box        *box   = &l->view.box;
  const double   above = (a->title ? 24 : 8);

  fc_chart_ranges(l->view.chart, &l->view.x, &l->view.y);
  make_ticks(&l->view.x, 5, &l->x); /* only to know whether a factor stands below the axis */
  *box = l->cell;
  make_ticks(&l->view.y, (int)fmax(2, (l->cell.h - 70) / 45), &l->y);
  const double top = above + (l->y.exponent ? 14 : 0), bottom = 26 + (a->x_label || l->x.exponent ? 18 : 0);
  const double left = widest_label(c, &l->y) + 14 + (a->y_label ? 20 : 0), right = 18;
  box->x += left;
  box->y += top;
  box->w -= left + right;
  box->h -= top + bottom;
  fc_legend_measure(c, l->view.chart, (fc_box){0, 0, 0.4 * l->cell.w, box->h}, &l->legend);
  if (l->legend.w > 0 && !fc_legend_place(&l->view, &l->legend)) {
    box->w -= l->legend.w;
    l->legend.x = box->x + box->w + 10;
    l->legend.y = box->y;
  }
  make_x_ticks(c, &l->view, &l->x);
}

/* ---- drawing ---- */

static void draw_x_axis(fc_canvas *c, const chart_layout *l) {
  const fc_box *b      = &l->view.box;
  const double  bottom = b->y + b->h;
  char          text[300], factor[32];

  for (int i = 0; i < l->x.n_minor; i++) {
    const double x = fc_view_x(&l->view, l->x.minor[i]);
    fc_canvas_colour(c, fc_faint, 1);
    fc_canvas_line(c, x, bottom, x, bottom + 2.5, 0.6);
  }
  for (int i = 0; i < l->x.n; i++) {
    const double x = fc_view_x(&l->view, l->x.at[i]);
    fc_canvas_colour(c, fc_faint, 0.18);
    fc_canvas_line(c, x, b->y, x, bottom, 0.7);
    fc_canvas_colour(c, fc_faint, 1);
    fc_canvas_line(c, x, bottom, x, bottom + 4.5, 0.8);
    fc_canvas_colour(c, fc_ink, 1);
    fc_text_draw(c, small, x, bottom + 14, l->x.label[i]);
  }
  const char *label = l->view.chart->axes.x_label;
  fc_ticks_factor(&l->x, factor, sizeof factor);
  snprintf(text, sizeof text, "%.240s%s%s%s", label ? label : "", factor[0] ? "  (" : "", factor,
           factor[0] ? ")" : "");
  fc_text_draw(c, (fc_text){.size = FC_CHART_FONT, .align = 0.5, .room = b->w}, b->x + b->w / 2, bottom + 34,
               text);
}

static void draw_y_axis(fc_canvas *c, const chart_layout *l) {
  const fc_box *b = &l->view.box;
  char          factor[32];

  for (int i = 0; i < l->y.n_minor; i++) {
    const double y = fc_view_y(&l->view, l->y.minor[i]);
    fc_canvas_colour(c, fc_faint, 1);
    fc_canvas_line(c, b->x - 2.5, y, b->x, y, 0.6);
  }
  for (int i = 0; i < l->y.n; i++) {
    const double y = fc_view_y(&l->view, l->y.at[i]);
    fc_canvas_colour(c, fc_faint, 0.18);
    fc_canvas_line(c, b->x, y, b->x + b->w, y, 0.7);
    fc_canvas_colour(c, fc_faint, 1);
    fc_canvas_line(c, b->x - 4.5, y, b->x, y, 0.8);
    fc_canvas_colour(c, fc_ink, 1);
    fc_text_draw(c, (fc_text){.size = FC_CHART_SMALL, .align = 1}, b->x - 8, y, l->y.label[i]);
  }
  fc_text_draw(c, (fc_text){.size = FC_CHART_SMALL}, b->x, b->y - 10,
               fc_ticks_factor(&l->y, factor, sizeof factor));
  if (l->view.chart->axes.y_label)
    fc_text_draw(c, (fc_text){.size = FC_CHART_FONT, .align = 0.5, .upright = true, .room = b->h},
                 l->cell.x + 10, b->y + b->h / 2, l->view.chart->axes.y_label);
}

static void draw_chart(fc_canvas *c, const fc_chart *chart, fc_box cell) {
  chart_layout  l = {.view = {.chart = chart}, .cell = cell};
  const fc_box *b = &l.view.box;

  arrange(c, &l);
  draw_x_axis(c, &l);
  draw_y_axis(c, &l);
  fc_canvas_colour(c, fc_faint, 1);
  fc_canvas_line(c, b->x, b->y, b->x, b->y + b->h, 0.8);
  fc_canvas_line(c, b->x, b->y + b->h, b->x + b->w, b->y + b->h, 0.8);
  fc_chart_curves_draw(c, &l.view);
  fc_canvas_colour(c, fc_ink, 1);
  if (chart->axes.title)
    fc_text_draw(c, (fc_text){.size = FC_CHART_FONT, .align = 0.5, .bold = true, .room = cell.w - 16},
                 b->x + b->w / 2, cell.y + 9, chart->axes.title);
  if (l.legend.w > 0) fc_legend_draw(c, chart, &l.legend);
}

fc_status fc_plot_charts(const char *path, const char *title, int rows, int cols, const fc_chart *charts) {
  const bool   alone = rows * cols == 1;
  const double w = cols == 1 ? 640 : 430, h = alone ? 400 : 290, edge = 10, head = title ? 30 : 0;
  fc_canvas    c;

  FC_ASSERT(rows > 0 && cols > 0, "a picture of %d x %d charts", rows, cols);
  FC_TRY(fc_canvas_open(cols * w + 2 * edge, rows * h + 2 * edge + head, cols <= 3 ? 2 : 1.5, &c));
  if (title) {
    fc_canvas_colour(&c, fc_ink, 1);
    fc_text_draw(&c, (fc_text){.size = FC_CHART_FONT + 2, .align = 0.5, .bold = true, .room = cols * w},
                 edge + cols * w / 2, edge + 10, title);
  }
  for (int i = 0; i < rows * cols; i++)
    if (charts[i].curves)
      draw_chart(&c, &charts[i], (fc_box){edge + i % cols * w, edge + head + i / cols * h, w, h});
  const fc_status s = fc_canvas_save(&c, path);
  fc_canvas_close(&c);
  return s;
}

fc_status fc_plot_curves(const char *path, const fc_axes *axes, int n, const fc_curve *curves) {
  const fc_chart chart = {*axes, n, curves};

  return fc_plot_charts(path, NULL, 1, 1, &chart);
}
