/* io/plot_scene.c - points and meshes to pixels: parallel projection, a depth for each part of a pixel, discs
   or filled triangles. Every pixel is the mean of SUB x SUB parts, so that edges are smooth; values are never
   mixed with the background before they have their colour. */
#include "io/plot_shade.h"

#include <math.h>
#include <stdlib.h>

enum { SUB = 3 };
#define MARGIN 0.03 /* of the longer side, left free around the points */

/* ---- projection ---- */

typedef struct {
  double right[3], up[3], towards[3]; /* directions in space */
} view;

static view view_of(const fc_scene *s) {
  const double a = s->azimuth * M_PI / 180, e = s->elevation * M_PI / 180;

  const view v = {{-sin(a), cos(a), 0},
                  {-sin(e) * cos(a), -sin(e) * sin(a), cos(e)},
                  {cos(e) * cos(a), cos(e) * sin(a), sin(e)}};
  view       out;

  if (s->space < 3) return (view){{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  for (int k = 0; k < 3; k++) {
    const int to  = (s->up + 1 + k) % 3; /* the axis after up, the next, up */
    out.right[to] = v.right[k], out.up[to] = v.up[k], out.towards[to] = v.towards[k];
  }
  return out;
}

static double along(const fc_scene *s, int64_t i, const double direction[3]) {
  double sum = 0;

  for (int k = 0; k < s->space; k++) sum += direction[k] * (double)s->x[i * s->space + k];
  return sum;
}

typedef struct {
  double x0, x1, y0, y1;
} extent;

static extent extent_of(const fc_scene *s, const view *v) {
  extent e    = {INFINITY, -INFINITY, INFINITY, -INFINITY};
  double size = 1e-30;

  for (int64_t i = 0; i < s->n; i++) {
    const double x = along(s, i, v->right), y = along(s, i, v->up);
    if (!isfinite(x) || !isfinite(y)) continue;
    size = fmax(size, fabs(along(s, i, v->towards)));
    e.x0 = fmin(e.x0, x), e.x1 = fmax(e.x1, x);
    e.y0 = fmin(e.y0, y), e.y1 = fmax(e.y1, y);
  }
  if (!(e.x0 <= e.x1)) e = (extent){0, 1, 0, 1};
  const double longest = fmax(e.x1 - e.x0, e.y1 - e.y0);
  size                 = fmax(size, fmax(fabs(e.x0), fabs(e.y0)));
  const double free    = longest > 1e-9 * size ? MARGIN * longest : size; /* one place: any box around it */
  return (extent){e.x0 - free, e.x1 + free, e.y0 - free, e.y1 + free};
}

/* both axes have one scale; a strip gets room above and below rather than another scale */
void fc_scene_size(const fc_scene *s, double target, int64_t *w, int64_t *h) {
  const view   v = view_of(s);
  const extent e = extent_of(s, &v);
  const double x = e.x1 - e.x0, y = e.y1 - e.y0, longest = fmax(x, y);

  *w = (int64_t)fmax(target / 5, target * x / longest);
  *h = (int64_t)fmax(target / 5, target * y / longest);
}

/* ---- parts of pixels ---- */

typedef struct {
  int64_t w, h;                  /* parts */
  double *depth, *value, *light; /* of what is in front; depth -INFINITY: nothing is there */
  double  scale, x0, y0;         /* parts per unit; the left and lower border */
} buffer;

typedef struct {
  double x, y, depth, value;
} vertex;

static vertex project(const buffer *b, const fc_panel *p, const view *v, int64_t i) {
  return (vertex){(along(p->scene, i, v->right) - b->x0) * b->scale,
                  (along(p->scene, i, v->up) - b->y0) * b->scale, along(p->scene, i, v->towards),
                  (double)p->x[i * p->stride]};
}

static void touch(buffer *b, int64_t x, int64_t y, double depth, double value, double light) {
  const int64_t at = (b->h - 1 - y) * b->w + x;

  if (!(depth > b->depth[at])) return;
  b->depth[at] = depth;
  b->value[at] = value;
  b->light[at] = light;
}

static void draw_disc(buffer *b, const vertex *v, double radius) {
  const int64_t x0 = (int64_t)fmax(0, ceil(v->x - radius - 0.5)),
                y0 = (int64_t)fmax(0, ceil(v->y - radius - 0.5));
  const int64_t x1 = (int64_t)fmin((double)b->w - 1, floor(v->x + radius - 0.5));
  const int64_t y1 = (int64_t)fmin((double)b->h - 1, floor(v->y + radius - 0.5));

  if (!isfinite(v->x) || !isfinite(v->y)) return;
  for (int64_t y = y0; y <= y1; y++)
    for (int64_t x = x0; x <= x1; x++) {
      const double dx = (double)x + 0.5 - v->x, dy = (double)y + 0.5 - v->y;
      if (dx * dx + dy * dy <= radius * radius) touch(b, x, y, v->depth, v->value, 1);
    }
}

/* twice the area of a, b and the place (x, y), positive if they turn left */
static double turn(const vertex *a, const vertex *b, double x, double y) {
  return (b->x - a->x) * (y - a->y) - (b->y - a->y) * (x - a->x);
}

/* barycentric weights tell whether a part is inside, and mix depth and value */
static void draw_triangle(buffer *b, const vertex *p, const vertex *q, const vertex *r, double light) {
  const double area = turn(p, q, r->x, r->y);
  const double lo_x = fmin(p->x, fmin(q->x, r->x)), hi_x = fmax(p->x, fmax(q->x, r->x));
  const double lo_y = fmin(p->y, fmin(q->y, r->y)), hi_y = fmax(p->y, fmax(q->y, r->y));

  if (!(fabs(area) > 1e-12)) return; /* seen from the side, or not finite */
  const int64_t x1 = (int64_t)fmin((double)b->w - 1, hi_x), y1 = (int64_t)fmin((double)b->h - 1, hi_y);
  for (int64_t y = (int64_t)fmax(0, lo_y); y <= y1; y++)
    for (int64_t x = (int64_t)fmax(0, lo_x); x <= x1; x++) {
      const double cx = (double)x + 0.5, cy = (double)y + 0.5;
      const double wp = turn(q, r, cx, cy) / area, wq = turn(r, p, cx, cy) / area, wr = 1 - wp - wq;
      if (wp < 0 || wq < 0 || wr < 0) continue;
      touch(b, x, y, wp * p->depth + wq * q->depth + wr * r->depth,
            wp * p->value + wq * q->value + wr * r->value, light);
    }
}

/* Surfaces that turn away from the eye are a little darker: shape is seen, colours can still be read. */
static double light_on(const fc_scene *s, const view *v, int64_t a, int64_t b, int64_t c) {
  double p[3], q[3], n[3], length = 0, towards = 0;

  if (s->space < 3) return 1;
  for (int k = 0; k < 3; k++) {
    p[k] = (double)s->x[b * 3 + k] - (double)s->x[a * 3 + k];
    q[k] = (double)s->x[c * 3 + k] - (double)s->x[a * 3 + k];
  }
  for (int k = 0; k < 3; k++) {
    n[k] = p[(k + 1) % 3] * q[(k + 2) % 3] - p[(k + 2) % 3] * q[(k + 1) % 3];
    length += n[k] * n[k];
    towards += n[k] * v->towards[k];
  }
  return length > 0 ? 0.72 + 0.28 * fabs(towards) / sqrt(length) : 1;
}

/* a cell is a fan of triangles around its first corner */
static void draw_cells(buffer *b, const fc_panel *p, const view *v) {
  const fc_scene *s = p->scene;

  for (int64_t i = 0; i < s->cells; i++) {
    const int64_t *k     = s->cell + i * s->corners;
    const vertex   first = project(b, p, v, k[0]);
    for (int j = 1; j + 1 < s->corners; j++) {
      const vertex second = project(b, p, v, k[j]), third = project(b, p, v, k[j + 1]);
      draw_triangle(b, &first, &second, &third, light_on(s, v, k[0], k[j], k[j + 1]));
    }
  }
}

/* In the plane the discs grow where points are sparse, so that all of it is covered; small ones lie on top.
   In space they have one size, else near and far could not be told apart. */
typedef struct {
  int64_t w, h, *count; /* points in boxes of BOX x BOX parts */
} density;

enum { BOX = 10 * SUB };

static int64_t *box_at(const density *d, const vertex *v) {
  const int64_t x = (int64_t)v->x / BOX, y = (int64_t)v->y / BOX;
  return v->x >= 0 && v->y >= 0 && x < d->w && y < d->h ? &d->count[y * d->w + x] : NULL;
}

static bool count_points(const buffer *b, const fc_panel *p, const view *v, density *d) {
  *d       = (density){.w = b->w / BOX + 1, .h = b->h / BOX + 1};
  d->count = calloc((size_t)(d->w * d->h), sizeof *d->count);
  for (int64_t i = 0; d->count && i < p->scene->n; i++) {
    const vertex q   = project(b, p, v, i);
    int64_t     *box = isfinite(q.x) && isfinite(q.y) ? box_at(d, &q) : NULL;
    if (box) ++*box;
  }
  return d->count != NULL;
}

static double radius_for(double area, double n) {
  return fmin(fmax(0.75 * sqrt(area / n), 0.6 * SUB), 6 * SUB);
}

static void draw_points(buffer *b, const fc_panel *p, const view *v) {
  const double all  = radius_for((double)(b->w * b->h) / M_PI, (double)p->scene->n);
  density      d    = {0};
  const bool   flat = p->scene->space < 3 && count_points(b, p, v, &d);

  for (int64_t i = 0; i < p->scene->n; i++) {
    vertex         q     = project(b, p, v, i);
    const int64_t *box   = flat && isfinite(q.x) && isfinite(q.y) ? box_at(&d, &q) : NULL;
    const double   local = box ? radius_for(BOX * BOX, (double)*box) : all;
    if (p->scene->space < 3) q.depth = -local;
    draw_disc(b, &q, local);
  }
  free(d.count);
}

/* ---- pixels ---- */

static uint32_t mean_colour(const buffer *b, const fc_shades *s, int64_t x, int64_t y) {
  double rgb[3] = {0};

  for (int64_t j = 0; j < SUB; j++)
    for (int64_t i = 0; i < SUB; i++) {
      const int64_t  at    = (y * SUB + j) * b->w + x * SUB + i;
      const bool     empty = b->depth[at] == -INFINITY;
      const uint32_t shade = empty ? 0xffffff : fc_shade_of(s, b->value[at]);
      for (int k = 0; k < 3; k++)
        rgb[k] += (double)(shade >> (16 - 8 * k) & 255) * (empty ? 1 : b->light[at]) / (SUB * SUB);
    }
  return (uint32_t)lround(rgb[0]) << 16 | (uint32_t)lround(rgb[1]) << 8 | (uint32_t)lround(rgb[2]);
}

static bool open_buffer(const fc_panel *p, const view *v, int64_t w, int64_t h, buffer *b) {
  const extent e = extent_of(p->scene, v);
  const size_t n = (size_t)(w * h * SUB * SUB);

  *b       = (buffer){.w = w * SUB, .h = h * SUB};
  b->scale = fmin((double)b->w / (e.x1 - e.x0), (double)b->h / (e.y1 - e.y0));
  b->x0    = (e.x0 + e.x1) / 2 - (double)b->w / b->scale / 2;
  b->y0    = (e.y0 + e.y1) / 2 - (double)b->h / b->scale / 2;
  b->depth = malloc(3 * n * sizeof *b->depth);
  if (!b->depth) return false;
  b->value = b->depth + n;
  b->light = b->value + n;
  for (size_t i = 0; i < n; i++) b->depth[i] = -INFINITY;
  return true;
}

void fc_scene_paint(fc_canvas *c, const fc_panel *p, const fc_shades *s, int64_t left, int64_t top, int64_t w,
                    int64_t h) {
  const view v = view_of(p->scene);
  buffer     b;

  if (!open_buffer(p, &v, w, h, &b)) return; /* an empty frame; pictures that large do not fit anyhow */
  if (p->scene->cells)
    draw_cells(&b, p, &v);
  else
    draw_points(&b, p, &v);
  cairo_surface_flush(c->surface);
  unsigned char *data  = cairo_image_surface_get_data(c->surface);
  const int64_t  pitch = cairo_image_surface_get_stride(c->surface);
  for (int64_t y = 0; y < h; y++) {
    uint32_t *row = (uint32_t *)(void *)(data + (top + y) * pitch) + left;
    for (int64_t x = 0; x < w; x++) row[x] = mean_colour(&b, s, x, y);
  }
  cairo_surface_mark_dirty(c->surface);
  free(b.depth);
}
