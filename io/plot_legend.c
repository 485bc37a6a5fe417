/* io/plot_legend.c - where no curve runs, the legend may stand; else it goes beside the chart. */
#include "io/plot_chart.h"

#include <stdio.h>
#include <string.h>

enum { CELL = 5, MAX_X = 192, MAX_Y = 160, LINE = 16, SAMPLE = 22, EDGE = 6 };

/* ---- size ---- */

static bool labelled(const fc_curve *u) { return u->label && u->label[0]; }

static int count(const fc_chart *chart) {
  int n = 0;

  for (int k = 0; k < chart->n; k++) n += labelled(&chart->curves[k]);
  return n;
}

void fc_legend_measure(fc_canvas *c, const fc_chart *chart, fc_box room, fc_box *size) {
  const int n = count(chart), most = (int)fmax(1, (room.h - 2 * EDGE) / LINE);
  double    width = 0;

  *size = (fc_box){0};
  if (!n) return;
  for (int k = 0; k < chart->n; k++)
    if (labelled(&chart->curves[k]))
      width = fmax(width, fc_text_width(c, (fc_text){.size = FC_CHART_SMALL}, chart->curves[k].label));
  if (n > most) width = fmax(width, fc_text_width(c, (fc_text){.size = FC_CHART_SMALL}, "and 99 more"));
  size->w = fmin(room.w, width + SAMPLE + 6 + 2 * EDGE);
  size->h = LINE * (n < most ? n : most) + 2 * EDGE;
}

/* ---- place ---- */

typedef struct { /* which cells of the box a curve touches */
  fc_box        box;
  unsigned char taken[MAX_Y][MAX_X];
} map;

static void mark(map *m, double x, double y) {
  const int i = (int)floor((x - m->box.x) / CELL), j = (int)floor((y - m->box.y) / CELL);

  if (i >= 0 && i < MAX_X && j >= 0 && j < MAX_Y) m->taken[j][i] = 1;
}

/* the part of a segment near the box, in steps smaller than a cell */
static void mark_segment(map *m, double x0, double y0, double x1, double y1) {
  const double length = fmax(fabs(x1 - x0), fabs(y1 - y0));
  const int    steps  = (int)fmin(ceil(length / (CELL * 0.8)), 20000);

  if (isnan(length)) return;
  for (int i = 0; i <= steps; i++) {
    const double s = steps ? (double)i / steps : 0;
    mark(m, x0 + s * (x1 - x0), y0 + s * (y1 - y0));
  }
}

static void mark_curve(map *m, const fc_chart_view *v, const fc_curve *u) {
  double x0 = NAN, y0 = NAN;

  for (int64_t i = 0; i < u->n; i++) {
    const double x = fc_view_x(v, u->x[i]), y = fc_view_y(v, u->y[i]);
    mark(m, isnan(x) ? -1 : x, isnan(y) ? -1 : y);
    mark_segment(m, x0, y0, x, y);
    if (u->lo && u->hi) mark_segment(m, x, fc_view_y(v, u->lo[i]), x, fc_view_y(v, u->hi[i]));
    x0 = x;
    y0 = y;
  }
}

static bool is_free(const map *m, const fc_box *at) {
  const int i0 = (int)((at->x - m->box.x) / CELL), i1 = (int)((at->x + at->w - m->box.x) / CELL);
  const int j0 = (int)((at->y - m->box.y) / CELL), j1 = (int)((at->y + at->h - m->box.y) / CELL);

  for (int j = j0; j <= j1 && j < MAX_Y; j++)
    for (int i = i0; i <= i1 && i < MAX_X; i++)
      if (m->taken[j][i]) return false;
  return true;
}

bool fc_legend_place(const fc_chart_view *v, fc_box *size) {
  /* across, down: corners first */
  static const double places[][2] = {{1, 0}, {0, 0}, {1, 1}, {0, 1}, {1, 0.5}, {0, 0.5}, {0.5, 0}, {0.5, 1}};
  const double        gap = 8, free_x = v->box.w - size->w - 2 * gap, free_y = v->box.h - size->h - 2 * gap;
  map                 m;

  if (free_x < 0 || free_y < 0 || size->w > 0.6 * v->box.w) return false;
  memset(m.taken, 0, sizeof m.taken);
  m.box = v->box;
  for (int k = 0; k < v->chart->n; k++) mark_curve(&m, v, &v->chart->curves[k]);
  const double h_line = fc_view_y(v, v->chart->axes.h_line);
  mark_segment(&m, v->box.x, h_line, v->box.x + v->box.w, h_line);
  for (int i = 0; i < FC_COUNT(places); i++) {
    size->x = v->box.x + gap + places[i][0] * free_x;
    size->y = v->box.y + gap + places[i][1] * free_y;
    if (is_free(&m, size)) return true;
  }
  return false;
}

/* ---- drawing ---- */

void fc_legend_draw(fc_canvas *c, const fc_chart *chart, const fc_box *at) {
  const int rows = (int)((at->h - 2 * EDGE) / LINE + 0.5), n = count(chart);
  double    y = at->y + EDGE + LINE / 2.;
  char      more[40];
  int       row = 0;

  fc_canvas_colour(c, (fc_rgb){1, 1, 1}, 0.85);
  cairo_rectangle(c->cr, at->x, at->y, at->w, at->h);
  cairo_fill(c->cr);
  for (int k = 0; k < chart->n && row < rows; k++) {
    if (!labelled(&chart->curves[k])) continue;
    const fc_text style = {.size = FC_CHART_SMALL, .room = at->w - SAMPLE - 6 - 2 * EDGE};
    const bool    rest  = row == rows - 1 && n > rows;
    snprintf(more, sizeof more, "and %d more", n - rows + 1);
    if (!rest) fc_chart_sample_draw(c, chart, k, at->x + EDGE, y, SAMPLE);
    fc_canvas_colour(c, fc_ink, 1);
    fc_text_draw(c, style, at->x + EDGE + SAMPLE + 6, y, rest ? more : chart->curves[k].label);
    y += LINE;
    row++;
  }
}
