/* cli/plot_curves.c - a chart for each channel: profiles of 1-D fields, spectra. */
#include "cli/plot_field.h"

#include "io/plot.h"
#include "train/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- curves ---- */

typedef struct { /* a chart for each row: curves over a common x */
  fc_chart *chart;
  fc_curve *curve; /* [n_rows, n_frames] */
  double   *x, *y; /* [n], [n_rows, n_frames, n] */
  char (*label)[2 * FC_NAME + 40];
} curves;

static void curves_close(curves *c) {
  free(c->chart);
  free(c->curve);
  free(c->x);
  free(c->y);
  free(c->label);
}

/* n points a curve, of which the first `skip` are not drawn */
static fc_status curves_open(const fc_picture *p, int64_t n, int64_t skip, curves *c) {
  const size_t all = (size_t)(p->n_rows * p->n_frames);

  *c = (curves){calloc((size_t)p->n_rows, sizeof *c->chart), calloc(all, sizeof *c->curve),
                malloc((size_t)n * sizeof *c->x), malloc(all * (size_t)n * sizeof *c->y),
                calloc((size_t)p->n_rows, sizeof *c->label)};
  FC_REQUIRE(c->chart && c->curve && c->x && c->y && c->label, FC_E_SYSTEM, "no memory for a picture");
  for (int64_t i = 0; i < (int64_t)all; i++)
    c->curve[i] = (fc_curve){
        .label = p->when_label[i % p->n_frames], .n = n - skip, .x = c->x + skip, .y = c->y + i * n + skip};
  for (int k = 0; k < p->n_rows; k++) {
    c->chart[k].n      = p->rows[k].constant ? 1 : p->n_frames;
    c->chart[k].curves = c->curve + k * p->n_frames;
    c->chart[k].axes   = (fc_axes){.y_label = c->label[k], .h_line = NAN, .ordered = true};
  }
  return FC_OK;
}

static fc_status curves_draw(const fc_picture *p, const curves *c) {
  const int cols = p->n_rows <= 3 ? p->n_rows : p->n_rows == 4 ? 2 : 3, rows = (p->n_rows + cols - 1) / cols;
  fc_chart *all = calloc((size_t)(rows * cols), sizeof *all);

  FC_REQUIRE(all, FC_E_SYSTEM, "no memory for a picture");
  memcpy(all, c->chart, (size_t)p->n_rows * sizeof *all);
  const fc_status s = fc_plot_charts(p->r->png, p->title, rows, cols, all);
  free(all);
  return s;
}

fc_status fc_picture_profiles(const fc_picture *p) {
  const fc_field_info *info  = p->info;
  const int64_t        n     = p->plane;
  const bool           known = isfinite(info->lo[0]) && info->hi[0] > info->lo[0] && n > 1;
  char                 axis[2 * FC_NAME + 40];
  curves               c;
  fc_status            s;

  fc_with_unit(known ? info->axis[0] : "point", known ? info->space_unit : "", axis, sizeof axis);
  FC_TRY_TO(done, s, curves_open(p, n, 0, &c));
  FC_TRY_TO(done, s, fc_field_points(p->file, 0, c.x));
  for (int64_t i = 0; i < p->n_rows * p->n_frames * n; i++) c.y[i] = (double)p->values[i];
  for (int k = 0; k < p->n_rows; k++) {
    fc_with_unit(p->rows[k].channel->name, p->rows[k].channel->unit, c.label[k], sizeof c.label[k]);
    c.chart[k].axes.x_label = axis;
  }
  s = curves_draw(p, &c);
done:
  curves_close(&c);
  return s;
}

/* ---- spectra ---- */

/* What lies below 1e-12 of the largest value is rounding of a float field: it may leave the frame. */
static void set_floor(fc_chart *chart) {
  double lo = INFINITY, hi = 0, least = INFINITY;

  for (int pass = 0; pass < 2; pass++)
    for (int k = 0; k < chart->n; k++)
      for (int64_t i = 0; i < chart->curves[k].n; i++) {
        const double v = chart->curves[k].y[i];
        if (!isfinite(v) || v <= 0) continue;
        hi    = fmax(hi, v);
        least = fmin(least, v);
        if (pass && v >= 1e-12 * hi) lo = fmin(lo, v);
      }
  if (least == lo) return;
  chart->axes.y_lo = lo / 2;
  chart->axes.y_hi = hi * 2;
}

fc_status fc_picture_spectra(const fc_picture *p) {
  fc_grid   g    = {.ndim = p->info->ndim, .channels = 1};
  int64_t   half = p->info->dim[0] / 2;
  curves    c;
  fc_status s;

  for (int a = 0; a < g.ndim; a++) {
    g.dim[a] = p->info->dim[a];
    half     = fc_min64(half, g.dim[a] / 2); /* shells beyond are not complete */
  }
  const int64_t n = fc_spectrum_size(&g);
  FC_TRY_TO(done, s, curves_open(p, n, 1, &c));
  for (int64_t i = 0; i < n; i++) c.x[i] = (double)i;
  for (int i = 0; i < p->n_rows * p->n_frames; i++) {
    FC_TRY_TO(done, s, fc_spectrum(&g, 1, p->values + i * p->plane, c.y + i * n));
    c.curve[i].n = fc_max64(1, fc_min64(half, n - 1));
  }
  for (int k = 0; k < p->n_rows; k++) {
    const char *unit = p->rows[k].channel->unit;
    snprintf(c.label[k], sizeof c.label[k], "E(k) of %s%s%s%s", p->rows[k].channel->name,
             fc_has_unit(unit) ? " (unit: square of " : "", fc_has_unit(unit) ? unit : "",
             fc_has_unit(unit) ? ")" : "");
    c.chart[k].axes.x_label = "wavenumber k (multiples of the box's fundamental)";
    c.chart[k].axes.log_x = c.chart[k].axes.log_y = true;
    set_floor(&c.chart[k]);
  }
  s = curves_draw(p, &c);
done:
  curves_close(&c);
  return s;
}
