/* io/plot_panels.c - a table of field pictures with one colour bar per row. */
#include "io/plot_shade.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BAR = 16, PAD = 12, FONT = 15, SMALL = 13 };

/* ---- layout ---- */

typedef struct {
  int                rows, cols;
  const fc_panel    *p;
  const char        *title;
  const char *const *row_label, *const *col_label, *const *row_unit;
  double     target; /* pixels of the longer side of a panel, about */
  fc_shades *scales;
  fc_ticks  *ticks;
  int64_t   *row_height, *col_width;                /* of the fields */
  double     left, top, head, bar_x, width, height; /* head: of a row, for titles of panels */
} layout;

static const char *label(const char *const *list, int i) {
  return list && list[i] && list[i][0] ? list[i] : NULL;
}

static bool any(const char *const *list, int n) {
  for (int i = 0; i < n; i++)
    if (label(list, i)) return true;
  return false;
}

static bool any_title(const layout *l) {
  for (int i = 0; i < l->rows * l->cols; i++)
    if (l->p[i].title) return true;
  return false;
}

static bool any_factor(const layout *l) {
  for (int r = 0; r < l->rows; r++)
    if (l->ticks[r].exponent) return true;
  return false;
}

static void measure_panels(layout *l) {
  int64_t w, h;

  for (int i = 0; i < l->rows * l->cols; i++) {
    const fc_panel *p = &l->p[i];
    if (!p->x) continue;
    FC_ASSERT(p->stride > 0 && (p->scene ? p->scene->n > 0 : p->nx > 0 && p->ny > 0),
              "a panel of %lld x %lld values, %lld apart", (long long)p->nx, (long long)p->ny,
              (long long)p->stride);
    fc_panel_size(p, l->target, &w, &h);
    l->row_height[i / l->cols] = fc_max64(l->row_height[i / l->cols], h);
    l->col_width[i % l->cols]  = fc_max64(l->col_width[i % l->cols], w);
  }
  for (int i = 0; i < l->rows; i++) l->row_height[i] = fc_max64(l->row_height[i], 40);
  for (int j = 0; j < l->cols; j++) l->col_width[j] = fc_max64(l->col_width[j], 40);
}

/* width of the widest label beside any colour bar; the ticks are made here */
static double measure_bars(layout *l) {
  fc_canvas probe;
  double    widest = 0;
  char      buf[32];

  if (fc_canvas_open(8, 8, 1, &probe) != FC_OK) return 60; /* the real canvas will fail and say so */
  for (int r = 0; r < l->rows; r++) {
    fc_ticks *t = &l->ticks[r];
    fc_ticks_linear(l->scales[r].lo, l->scales[r].hi,
                    l->row_height[r] < 110   ? 2
                    : l->row_height[r] < 200 ? 4
                                             : 5,
                    t);
    for (int i = 0; i < t->n; i++)
      widest = fmax(widest, fc_text_width(&probe, (fc_text){.size = SMALL}, t->label[i]));
    widest = fmax(widest,
                  fc_text_width(&probe, (fc_text){.size = SMALL}, fc_ticks_factor(t, buf, sizeof buf)) - BAR);
  }
  fc_canvas_close(&probe);
  return widest;
}

static void arrange(layout *l) {
  double widest = 0;

  l->target = l->cols <= 3 ? 320 : l->cols <= 6 ? 240 : 180;
  if (l->cols == 1 && l->p->scene) l->target = l->rows == 1 ? 640 : 420; /* fine things in few pixels */
  measure_panels(l);
  for (int r = 0; r < l->rows; r++) fc_shades_set(l->p + r * l->cols, l->cols, &l->scales[r]);
  widest    = measure_bars(l);
  l->left   = any(l->row_label, l->rows) ? PAD + FONT + 10 : PAD;
  l->top    = PAD + (l->title ? 30 : 0) + (any(l->col_label, l->cols) ? 24 : 0);
  l->head   = any_title(l) || any_factor(l) ? 22 : 0;
  l->bar_x  = l->left;
  l->height = l->top + PAD;
  for (int j = 0; j < l->cols; j++) l->bar_x += (double)l->col_width[j] + PAD;
  for (int r = 0; r < l->rows; r++)
    l->height += (double)l->row_height[r] + l->head + (r < l->rows - 1 ? PAD + 6 : 0);
  l->width = l->bar_x + BAR + 8 + widest + (any(l->row_unit, l->rows) ? FONT + 10 : 0) + PAD;
}

static fc_status layout_open(layout *l) {
  const size_t rows = (size_t)l->rows, cols = (size_t)l->cols;

  l->scales     = calloc(rows, sizeof *l->scales);
  l->ticks      = calloc(rows, sizeof *l->ticks);
  l->row_height = calloc(rows, sizeof *l->row_height);
  l->col_width  = calloc(cols, sizeof *l->col_width);
  FC_REQUIRE(l->scales && l->ticks && l->row_height && l->col_width, FC_E_SYSTEM, "no memory for a picture");
  arrange(l);
  return FC_OK;
}

static void layout_close(layout *l) {
  free(l->scales);
  free(l->ticks);
  free(l->row_height);
  free(l->col_width);
}

/* ---- drawing ---- */

static void frame(fc_canvas *c, double x, double y, double w, double h) {
  fc_canvas_colour(c, fc_faint, 1);
  cairo_set_line_width(c->cr, 1);
  cairo_rectangle(c->cr, x - 0.5, y - 0.5, w + 1, h + 1);
  cairo_stroke(c->cr);
}

static void draw_bar(fc_canvas *c, const layout *l, int r, double top) {
  const fc_shades *s = &l->scales[r];
  const fc_ticks  *t = &l->ticks[r];
  const int64_t    h = l->row_height[r];
  const double     x = l->bar_x, unit_x = l->width - PAD - FONT / 2.;
  char             buf[32];

  for (int64_t i = 0; i < h; i++) {
    const uint32_t v = s->empty ? s->grey : s->shade[i * FC_SHADES / h];
    fc_canvas_colour(c, (fc_rgb){(v >> 16) / 255., (v >> 8 & 255) / 255., (v & 255) / 255.}, 1);
    cairo_rectangle(c->cr, x, top + (double)(h - 1 - i), BAR, 1);
    cairo_fill(c->cr);
  }
  frame(c, x, top, BAR, (double)h);
  if (s->empty) {
    fc_canvas_colour(c, fc_ink, 1);
    fc_text_draw(c, (fc_text){.size = SMALL, .align = 0.5, .upright = true, .room = (double)h}, x + BAR + 10,
                 top + (double)h / 2, "no finite value");
    return;
  }
  for (int i = 0; i < t->n; i++) {
    const double y = top + (double)h * (1 - (t->at[i] - s->lo) / (s->hi - s->lo));
    fc_canvas_colour(c, fc_faint, 1);
    fc_canvas_line(c, x + BAR + 1, y, x + BAR + 5, y, 1);
    fc_canvas_colour(c, fc_ink, 1);
    fc_text_draw(c, (fc_text){.size = SMALL}, x + BAR + 8, y, t->label[i]);
  }
  fc_text_draw(c, (fc_text){.size = SMALL}, x, top - 11, fc_ticks_factor(t, buf, sizeof buf));
  if (label(l->row_unit, r))
    fc_text_draw(c, (fc_text){.size = FONT, .align = 0.5, .upright = true, .room = (double)h}, unit_x,
                 top + (double)h / 2, l->row_unit[r]);
}

static void draw_panel(fc_canvas *c, const layout *l, int r, int j, double x, double y) {
  const fc_panel *p = &l->p[r * l->cols + j];
  int64_t         w, h;

  if (!p->x) return;
  fc_panel_size(p, l->target, &w, &h);
  const int64_t left = (int64_t)x + (l->col_width[j] - w) / 2, top = (int64_t)y + (l->row_height[r] - h) / 2;
  fc_panel_paint(c, p, &l->scales[r], left, top, w, h);
  frame(c, (double)left, (double)top, (double)w, (double)h);
  fc_canvas_colour(c, fc_ink, 1);
  if (p->title)
    fc_text_draw(c, (fc_text){.size = SMALL, .align = 0.5, .room = (double)l->col_width[j]},
                 x + (double)l->col_width[j] / 2, (double)top - 11, p->title);
}

static void draw_row(fc_canvas *c, const layout *l, int r, double y) {
  double x = l->left;

  for (int j = 0; j < l->cols; j++) {
    draw_panel(c, l, r, j, x, y);
    x += (double)l->col_width[j] + PAD;
  }
  draw_bar(c, l, r, y);
  fc_canvas_colour(c, fc_ink, 1);
  if (label(l->row_label, r))
    fc_text_draw(c, (fc_text){.size = FONT, .align = 0.5, .upright = true, .room = (double)l->row_height[r]},
                 PAD + FONT / 2., y + (double)l->row_height[r] / 2, l->row_label[r]);
}

static void draw(fc_canvas *c, const layout *l) {
  double x = l->left, y = l->top;

  fc_canvas_colour(c, fc_ink, 1);
  if (l->title)
    fc_text_draw(c, (fc_text){.size = FONT + 2, .align = 0.5, .bold = true, .room = l->width - 2 * PAD},
                 l->width / 2, PAD + 10, l->title);
  for (int j = 0; j < l->cols; j++) {
    if (label(l->col_label, j))
      fc_text_draw(c, (fc_text){.size = FONT, .align = 0.5, .room = (double)l->col_width[j]},
                   x + (double)l->col_width[j] / 2, PAD + (l->title ? 30 : 0) + 8, l->col_label[j]);
    x += (double)l->col_width[j] + PAD;
  }
  for (int r = 0; r < l->rows; r++) {
    y += l->head;
    draw_row(c, l, r, y);
    y += (double)l->row_height[r] + PAD + 6;
  }
}

fc_status fc_plot_panels(const char *path, const char *title, int rows, int cols, const fc_panel *p,
                         const char *const *row_label, const char *const *col_label,
                         const char *const *row_unit) {
  layout    l = {.rows      = rows,
                 .cols      = cols,
                 .p         = p,
                 .title     = title,
                 .row_label = row_label,
                 .col_label = col_label,
                 .row_unit  = row_unit};
  fc_canvas c = {0};
  fc_status s;

  FC_ASSERT(rows > 0 && cols > 0, "a picture of %d x %d panels", rows, cols);
  FC_TRY_TO(done, s, layout_open(&l));
  FC_TRY_TO(done, s, fc_canvas_open(l.width, l.height, 1, &c));
  draw(&c, &l);
  s = fc_canvas_save(&c, path);
done:
  fc_canvas_close(&c);
  layout_close(&l);
  return s;
}
