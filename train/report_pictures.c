/* train/report_pictures.c - fields side by side, error curves, spectra. */
#include "io/plot.h"
#include "train/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- kept frames ---- */

fc_status fc_shots_create(int64_t frames, int64_t len, fc_shots *out) {
  memset(out, 0, sizeof *out);
  out->n = (int)fc_min64(frames, FC_SHOTS);
  for (int i = 0; i < out->n; i++) {
    out->frame[i] = out->n == 1 ? 0 : i * (frames - 1) / (out->n - 1);
    out->truth[i] = calloc((size_t)len, sizeof(fc_real));
    out->guess[i] = calloc((size_t)len, sizeof(fc_real));
    if (out->truth[i] && out->guess[i]) continue;
    fc_shots_free(out);
    return fc_fail(FC_E_SYSTEM, "no memory for the frames of pictures");
  }
  return FC_OK;
}

void fc_shots_free(fc_shots *s) {
  for (int i = 0; i < FC_SHOTS; i++) {
    free(s->truth[i]);
    free(s->guess[i]);
  }
  memset(s, 0, sizeof *s);
}

void fc_shots_take(fc_shots *s, int64_t frame, int64_t len, const fc_real *truth, const fc_real *guess) {
  for (int i = 0; i < s->n; i++) {
    if (s->frame[i] != frame) continue;
    memcpy(s->truth[i], truth, (size_t)len * sizeof *truth);
    memcpy(s->guess[i], guess, (size_t)len * sizeof *guess);
  }
}

/* ---- fields: rows truth, prediction, difference; columns times; 3-D fields in the middle plane of the last
 * axis ---- */

typedef struct {
  double lo, hi;
} range;

static range range_of(const fc_panel *p, int n) {
  range r = {INFINITY, -INFINITY};

  for (int k = 0; k < n; k++)
    for (int64_t i = 0; i < (p[k].scene ? p[k].scene->n : p[k].nx * p[k].ny); i++) {
      const double v = (double)p[k].x[i * p[k].stride];
      if (!isfinite(v)) continue;
      r.lo = fmin(r.lo, v);
      r.hi = fmax(r.hi, v);
    }
  if (!(r.lo < r.hi)) r = (range){isfinite(r.lo) ? r.lo - 1 : 0, isfinite(r.lo) ? r.lo + 1 : 1};
  return r;
}

static fc_panel panel_of(const fc_geometry *g, const fc_real *x, int64_t C) {
  const int64_t depth = g->ndim == 3 ? g->dim[2] : 1;

  return (fc_panel){.nx = g->dim[0], .ny = g->dim[1], .x = x + depth / 2 * C, .stride = depth * C};
}

static void set_range(fc_panel *p, int n, range r, fc_colour_map map) {
  for (int i = 0; i < n; i++) p[i].lo = r.lo, p[i].hi = r.hi, p[i].map = map;
}

/* around zero with both signs: the diverging map, the same length on both sides */
void fc_report_colours(fc_panel *p, int n) {
  range      r    = range_of(p, n); /* of the truth */
  const bool both = r.lo < 0 && r.hi > 0 && fmin(-r.lo, r.hi) > 0.2 * fmax(-r.lo, r.hi);

  if (both) r.hi = fmax(-r.lo, r.hi), r.lo = -r.hi;
  set_range(p, 2 * n, r, both ? FC_MAP_DIVERGING : FC_MAP_SEQUENTIAL);
  range d = range_of(p + 2 * n, n);
  d.hi    = fmax(fabs(d.lo), fabs(d.hi));
  d.lo    = -d.hi;
  set_range(p + 2 * n, n, d, FC_MAP_DIVERGING);
}

static fc_status draw_fields(const fc_report *r, const char *path) {
  const fc_shots *s   = r->shots;
  const int64_t   C   = r->channels->n;
  int64_t         len = C;
  fc_panel        p[3 * FC_SHOTS];
  char            when[FC_SHOTS][40];
  const char     *rows[3] = {"truth", r->c->label[0], "difference"}, *cols[FC_SHOTS];
  const char     *unit = fc_unit_text(r->channels->channel[0].unit), *units[3] = {unit, unit, unit};

  for (int a = 0; a < r->geo->ndim; a++) len *= r->geo->dim[a];
  fc_real *difference = malloc((size_t)(s->n * len) * sizeof *difference);
  FC_REQUIRE(difference, FC_E_SYSTEM, "no memory for a picture");
  for (int i = 0; i < s->n; i++) {
    for (int64_t k = 0; k < len; k++) difference[i * len + k] = s->guess[i][k] - s->truth[i][k];
    p[i]            = panel_of(r->geo, s->truth[i], C);
    p[s->n + i]     = panel_of(r->geo, s->guess[i], C);
    p[2 * s->n + i] = panel_of(r->geo, difference + i * len, C);
    snprintf(when[i], sizeof when[i], "+%.3g %.20s", r->c->lead[s->frame[i]],
             fc_unit_text(r->geo->time_unit));
    cols[i] = when[i];
  }
  fc_report_colours(p, s->n);
  const fc_status st = fc_plot_panels(path, r->title, 3, s->n, p, rows, cols, units);
  free(difference);
  return st;
}

/* ---- curves ---- */

static fc_status draw_errors(const fc_report *r, const char *path) {
  const fc_compare *c = r->c;
  fc_curve          curves[FC_METHODS];
  double           *v = malloc((size_t)(c->methods * c->frames) * sizeof *v);
  char              x_label[FC_NAME + 32];
  fc_axes axes = {.title = r->title, .x_label = x_label, .y_label = "VRMSE", .h_line = r->good_error};

  FC_REQUIRE(v, FC_E_SYSTEM, "no memory for a picture");
  const char *unit = fc_unit_text(r->geo->time_unit);
  snprintf(x_label, sizeof x_label, "lead time%s%s", unit[0] ? ", " : "", unit);
  for (int m = 0; m < c->methods; m++) {
    double *y = v + m * c->frames;
    for (int64_t t = 0; t < c->frames; t++) y[t] = fc_compare_at(c, m, FC_C_VRMSE, t, -1);
    curves[m] = (fc_curve){.label   = c->label[m],
                           .n       = c->frames,
                           .x       = c->lead,
                           .y       = y,
                           .dashed  = m > 0,
                           .markers = c->frames == 1};
  }
  const fc_status st = fc_plot_curves(path, &axes, c->methods, curves);
  free(v);
  return st;
}

/* E(k) of the first channel at first, middle and last kept frame: truth full, prediction dashed */
static fc_status draw_spectra(const fc_report *r, const char *path) {
  const fc_shots *s = r->shots;
  const int64_t   n = r->c->spectrum, C = r->channels->n;
  const int       pick[3] = {0, s->n / 2, s->n - 1}, shown = s->n < 3 ? s->n : 3;
  double   *e = malloc((size_t)(2 * shown * n * C + n) * sizeof *e), *k = e ? e + 2 * shown * n * C : NULL;
  fc_curve  curves[6];
  char      label[6][64];
  fc_axes   axes = {.title   = r->title,
                    .x_label = "wavenumber k",
                    .y_label = "E(k)",
                    .log_x   = true,
                    .log_y   = true,
                    .h_line  = NAN};
  fc_status st   = e ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for a picture");

  for (int64_t i = 0; i < n && e; i++) k[i] = (double)i;
  for (int i = 0; i < 2 * shown && st == FC_OK; i++) {
    const int at = s->n < 3 ? i / 2 : pick[i / 2];
    double   *y  = e + i * n * C;
    st           = fc_spectrum(&r->c->grid, 1, i % 2 ? s->guess[at] : s->truth[at], y);
    snprintf(label[i], sizeof label[i], "%s, +%.3g", i % 2 ? r->c->label[0] : "truth",
             r->c->lead[s->frame[at]]);
    curves[i] = (fc_curve){.label = label[i], .n = n - 1, .x = k + 1, .y = y + 1, .dashed = i % 2 != 0};
    for (int64_t q = 1; q < n; q++) axes.y_hi = fmax(axes.y_hi, 3 * y[q]);
    axes.y_lo = 1e-9 * axes.y_hi; /* what lies deeper is rounding noise */
  }
  if (st == FC_OK) st = fc_plot_curves(path, &axes, 2 * shown, curves);
  free(e);
  return st;
}

fc_status fc_report_pictures(const fc_report *r, const char *stem) {
  char path[FC_TEXT + 32];

  if (r->geo->ndim >= 2) {
    snprintf(path, sizeof path, "%sfields.png", stem);
    FC_TRY(draw_fields(r, path));
  }
  snprintf(path, sizeof path, "%serror.png", stem);
  FC_TRY(draw_errors(r, path));
  snprintf(path, sizeof path, "%sspectra.png", stem);
  return draw_spectra(r, path);
}
