/* io/plot_shade.c - a field to pixels: range, colour of a value, blocks or means. */
#include "io/plot_shade.h"

#include <math.h>

/* ---- one field to pixels ---- */

/* Pixels for n values when about `wanted` are at hand: whole blocks, or fewer pixels than values. */
static int64_t pixels_for(int64_t n, double wanted) {
  if ((double)n > 1.35 * wanted) return (int64_t)wanted;
  return fc_max64(1, llround(wanted / (double)n)) * n;
}

void fc_panel_size(const fc_panel *p, double target, int64_t *w, int64_t *h) {
  const double longest = (double)fc_max64(p->nx, p->ny);
  const double least   = target / 4; /* long strips are not drawn to scale */

  if (p->scene) {
    fc_scene_size(p->scene, target, w, h);
    return;
  }
  *w = pixels_for(p->nx, fmax(least, target * (double)p->nx / longest));
  *h = pixels_for(p->ny, fmax(least, target * (double)p->ny / longest));
}

/* mean of the finite values in the block of cells [i0, i1) x [j0, j1), NaN if there are none */
static double block_mean(const fc_panel *p, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
  double  sum = 0;
  int64_t n   = 0;

  for (int64_t i = i0; i < i1; i++)
    for (int64_t j = j0; j < j1; j++) {
      const double v = (double)p->x[(i * p->ny + j) * p->stride];
      if (!isfinite(v)) continue;
      sum += v;
      n++;
    }
  return n ? sum / (double)n : NAN;
}

static uint32_t packed(fc_rgb c) {
  return (uint32_t)lround(255 * c.r) << 16 | (uint32_t)lround(255 * c.g) << 8 | (uint32_t)lround(255 * c.b);
}

uint32_t fc_shade_of(const fc_shades *s, double v) {
  if (isnan(v)) return s->grey;
  const double at = (v - s->lo) / (s->hi - s->lo) * FC_SHADES;
  return s->shade[at < 0 ? 0 : at >= FC_SHADES ? FC_SHADES - 1 : (int)at];
}

/* straight into the surface: no filter of cairo may touch the values */
void fc_panel_paint(fc_canvas *c, const fc_panel *p, const fc_shades *s, int64_t left, int64_t top, int64_t w,
                    int64_t h) {
  if (p->scene) {
    fc_scene_paint(c, p, s, left, top, w, h);
    return;
  }
  cairo_surface_flush(c->surface);
  unsigned char *data  = cairo_image_surface_get_data(c->surface);
  const int64_t  pitch = cairo_image_surface_get_stride(c->surface);
  for (int64_t y = 0; y < h; y++) {
    const int64_t j0 = (h - 1 - y) * p->ny / h, j1 = fc_max64(j0 + 1, (h - y) * p->ny / h);
    uint32_t     *row = (uint32_t *)(void *)(data + (top + y) * pitch) + left;
    for (int64_t x = 0; x < w; x++) {
      const int64_t i0 = x * p->nx / w, i1 = fc_max64(i0 + 1, (x + 1) * p->nx / w);
      row[x] = fc_shade_of(s, block_mean(p, i0, i1, j0, j1));
    }
  }
  cairo_surface_mark_dirty(c->surface);
}

/* ---- colour range of a row ---- */

static void data_range(const fc_panel *p, double *lo, double *hi) {
  const int64_t n = p->scene ? p->scene->n : p->nx * p->ny;

  for (int64_t i = 0; p->x && i < n; i++) {
    const double v = (double)p->x[i * p->stride];
    if (!isfinite(v)) continue;
    *lo = fmin(*lo, v);
    *hi = fmax(*hi, v);
  }
}

void fc_shades_set(const fc_panel *p, int cols, fc_shades *s) {
  const fc_panel *first = p;
  double          lo = INFINITY, hi = -INFINITY;

  while (first < p + cols - 1 && !first->x) first++;
  for (int j = 0; j < cols; j++) data_range(&p[j], &lo, &hi);
  s->empty = lo > hi;
  if (first->lo != first->hi) {
    lo = first->lo;
    hi = first->hi;
  } else if (first->map == FC_MAP_DIVERGING && !s->empty) {
    hi = fmax(fabs(lo), fabs(hi));
    if (hi == 0) hi = 1;
    lo = -hi;
  }
  fc_range_mend(&lo, &hi, false);
  s->lo   = lo;
  s->hi   = hi;
  s->grey = packed(fc_colour_at(first->map, NAN));
  for (int i = 0; i < FC_SHADES; i++) s->shade[i] = packed(fc_colour_at(first->map, (i + 0.5) / FC_SHADES));
}
