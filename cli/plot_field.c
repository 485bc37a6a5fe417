/* cli/plot_field.c - chosen frames of a field file as pictures, curves (1-D) or spectra. */
#include "cli/plot.h"

#include "core/options.h"
#include "io/field.h"
#include "io/plot.h"
#include "train/metrics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FRAMES = 64, MAX_ROWS = 2 * FC_FIELD_CHANNELS, DEFAULT_FRAMES = 6 };

typedef struct { /* what is drawn in one row (2-D, 3-D) or one chart (1-D, spectra) */
  const fc_channel *channel;
  int               index; /* among the channels, or among the constant ones */
  bool              constant;
} row;

typedef struct {
  const fc_plot_request *r;
  fc_field              *file;
  const fc_field_info   *info;
  int                    n_frames, n_rows;
  int64_t                frame[MAX_FRAMES];
  row                    rows[MAX_ROWS];
  int64_t                points, plane; /* of the grid, and of what is kept of a frame */
  fc_real               *values;        /* [n_rows, n_frames, plane] */
  char                   when[MAX_FRAMES][FC_NAME + 32], title[3 * FC_NAME];
  const char            *when_label[MAX_FRAMES];
} picture;

/* ---- what to draw ---- */

static fc_status add_frame(picture *p, int64_t t) {
  const int64_t n = fc_field_steps(p->file, p->r->trajectory);

  FC_REQUIRE(t >= 0 && t < n, FC_E_USAGE, "--frames: %s has frames 0 to %lld, not %lld", p->r->input,
             (long long)(n - 1), (long long)t);
  FC_REQUIRE(p->n_frames < MAX_FRAMES, FC_E_USAGE, "--frames: more than %d frames", MAX_FRAMES);
  p->frame[p->n_frames++] = t;
  return FC_OK;
}

static fc_status choose_frames(picture *p) {
  const int64_t n    = fc_field_steps(p->file, p->r->trajectory);
  const int64_t many = fc_min64(n, DEFAULT_FRAMES);

  if (!p->r->frames) {
    for (int64_t i = 0; i < many; i++) FC_TRY(add_frame(p, many > 1 ? i * (n - 1) / (many - 1) : 0));
    return FC_OK;
  }
  for (const char *s = p->r->frames; *s;) {
    char *end;
    errno             = 0;
    const long long t = strtoll(s, &end, 10);
    FC_REQUIRE(!errno && end != s && (*end == ',' || !*end) && !(*end && !end[1]), FC_E_USAGE,
               "--frames %s: whole numbers with commas between are wanted", p->r->frames);
    FC_TRY(add_frame(p, t));
    s = *end ? end + 1 : end;
  }
  FC_REQUIRE(p->n_frames, FC_E_USAGE, "--frames: no frame is given");
  return FC_OK;
}

static void add_row(picture *p, bool constant, int index) {
  if (p->n_rows == MAX_ROWS) return;
  p->rows[p->n_rows++] =
      (row){constant ? &p->info->constant[index] : &p->info->channel[index], index, constant};
}

static fc_status add_named(picture *p, const char *name) {
  const fc_field_info *info = p->info;
  const char          *names[2 * FC_FIELD_CHANNELS];
  int                  n = 0;

  for (int i = 0; i < info->n_channels; i++) names[n++] = info->channel[i].name;
  for (int i = 0; i < info->n_constant; i++) names[n++] = info->constant[i].name;
  for (int i = 0; i < n; i++) {
    if (strcmp(names[i], name)) continue;
    add_row(p, i >= info->n_channels, i < info->n_channels ? i : i - info->n_channels);
    return FC_OK;
  }
  const char *near = fc_nearest(name, n, names);
  return fc_fail(FC_E_USAGE, "%s has no channel '%s'%s%s%s; 'fieldcast info' lists them", p->r->input, name,
                 near ? "; did you mean '" : "", near ? near : "", near ? "'" : "");
}

/* All channels; of steady problems also what is given: coefficients and forcing. */
static fc_status choose_rows(picture *p) {
  for (int i = 0; i < p->r->channels.n; i++) FC_TRY(add_named(p, p->r->channels.v[i]));
  if (p->n_rows) return FC_OK;
  for (int i = 0; p->info->n_steps == 1 && i < p->info->n_constant; i++) add_row(p, true, i);
  for (int i = 0; i < p->info->n_channels; i++) add_row(p, false, i);
  FC_REQUIRE(p->n_rows, FC_E_INPUT, "%s: no fields to draw", p->r->input);
  return FC_OK;
}

/* ---- words ---- */

static bool has_unit(const char *unit) { return unit[0] && strcmp(unit, "1") && strcmp(unit, "-"); }

static fc_status name_frames(picture *p) {
  double     t;
  const bool timed = fc_field_times(p->file, p->r->trajectory, p->frame[0], 1, &t) == FC_OK && isfinite(t);

  for (int i = 0; i < p->n_frames; i++) {
    p->when_label[i] = p->info->n_steps > 1 ? p->when[i] : NULL;
    snprintf(p->when[i], sizeof p->when[i], "frame %lld", (long long)p->frame[i]);
    if (!timed) continue;
    FC_TRY(fc_field_times(p->file, p->r->trajectory, p->frame[i], 1, &t));
    snprintf(p->when[i], sizeof p->when[i], "t = %.4g%s%s", t, has_unit(p->info->time_unit) ? " " : "",
             has_unit(p->info->time_unit) ? p->info->time_unit : "");
  }
  return FC_OK;
}

static void name_picture(picture *p) {
  const fc_field_info *info             = p->info;
  char                 cut[2 * FC_NAME] = "";

  if (info->ndim == 3 && !p->r->spectrum)
    snprintf(cut, sizeof cut, ", plane %s = %lld of %lld", info->axis[2], (long long)(info->dim[2] / 2),
             (long long)info->dim[2]);
  snprintf(p->title, sizeof p->title, "%.64s, trajectory %lld%s", info->name, (long long)p->r->trajectory,
           cut);
}

static const char *with_unit(const char *name, const char *unit, char *buf, size_t size) {
  if (has_unit(unit))
    snprintf(buf, size, "%s (%s)", name, unit);
  else
    snprintf(buf, size, "%s", name);
  return buf;
}

/* ---- values ---- */

/* frame[points] of one channel -> values to keep: all, or the middle plane of the last axis in 3-D */
static void keep(const picture *p, const fc_real *frame, fc_real *out) {
  const int64_t nz = p->points / p->plane;

  for (int64_t i = 0; i < p->plane; i++) out[i] = frame[i * nz + nz / 2];
}

static fc_status read_row(picture *p, int k, fc_real *frame) {
  const row *w = &p->rows[k];

  for (int i = 0; i < p->n_frames; i++) {
    fc_real *out = p->values + (k * p->n_frames + i) * p->plane;
    if (w->constant)
      FC_TRY(fc_field_read_constant(p->file, p->r->trajectory, NULL, 1, &w->index, frame));
    else
      FC_TRY(fc_field_read(p->file, p->r->trajectory, p->frame[i], 1, 1, NULL, 1, &w->index, frame));
    keep(p, frame, out);
  }
  return FC_OK;
}

static fc_status read_values(picture *p) {
  fc_status s = FC_OK;

  p->points = 1;
  for (int a = 0; a < p->info->ndim; a++) p->points *= p->info->dim[a];
  p->plane       = p->info->ndim == 3 && !p->r->spectrum ? p->points / p->info->dim[2] : p->points;
  fc_real *frame = malloc((size_t)p->points * sizeof *frame);
  p->values      = malloc((size_t)(p->n_rows * p->n_frames * p->plane) * sizeof *p->values);
  if (!frame || !p->values)
    s = fc_fail(FC_E_SYSTEM,
                "no memory for %d frames of %d channels; choose fewer with --frames and --channel",
                p->n_frames, p->n_rows);
  for (int k = 0; s == FC_OK && k < p->n_rows; k++) s = read_row(p, k, frame);
  free(frame);
  return s;
}

/* ---- pictures ---- */

/* about zero if the values are on both sides of it */
static fc_colour_map map_for(const picture *p, int k) {
  const fc_real *x  = p->values + k * p->n_frames * p->plane;
  double         lo = 0, hi = 0;

  for (int64_t i = 0; i < p->n_frames * p->plane; i++) {
    if (!isfinite((double)x[i])) continue;
    lo = fmin(lo, (double)x[i]);
    hi = fmax(hi, (double)x[i]);
  }
  return fmin(-lo, hi) > 0.1 * fmax(-lo, hi) ? FC_MAP_DIVERGING : FC_MAP_SEQUENTIAL;
}

static fc_status draw_panels(const picture *p) {
  const char *name[MAX_ROWS], *unit[MAX_ROWS];
  fc_panel   *panel = calloc((size_t)(p->n_rows * p->n_frames), sizeof *panel);

  FC_REQUIRE(panel, FC_E_SYSTEM, "no memory for a picture");
  for (int k = 0; k < p->n_rows; k++) {
    const fc_colour_map map = map_for(p, k);
    name[k]                 = p->rows[k].channel->name;
    unit[k]                 = has_unit(p->rows[k].channel->unit) ? p->rows[k].channel->unit : NULL;
    for (int i = 0; i < p->n_frames; i++) {
      const bool again = p->rows[k].constant && i > 0;
      const int  at    = k * p->n_frames + i;
      panel[at]        = (fc_panel){.nx     = p->info->dim[0],
                                    .ny     = p->info->dim[1],
                                    .x      = again ? NULL : p->values + at * p->plane,
                                    .stride = 1,
                                    .map    = map};
    }
  }
  const fc_status s =
      fc_plot_panels(p->r->png, p->title, p->n_rows, p->n_frames, panel, name, p->when_label, unit);
  free(panel);
  return s;
}

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
static fc_status curves_open(const picture *p, int64_t n, int64_t skip, curves *c) {
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

static fc_status curves_draw(const picture *p, const curves *c) {
  const int cols = p->n_rows <= 3 ? p->n_rows : p->n_rows == 4 ? 2 : 3, rows = (p->n_rows + cols - 1) / cols;
  fc_chart *all = calloc((size_t)(rows * cols), sizeof *all);

  FC_REQUIRE(all, FC_E_SYSTEM, "no memory for a picture");
  memcpy(all, c->chart, (size_t)p->n_rows * sizeof *all);
  const fc_status s = fc_plot_charts(p->r->png, p->title, rows, cols, all);
  free(all);
  return s;
}

static fc_status draw_profiles(const picture *p) {
  const fc_field_info *info  = p->info;
  const int64_t        n     = p->plane;
  const bool           known = isfinite(info->lo[0]) && info->hi[0] > info->lo[0] && n > 1;
  char                 axis[2 * FC_NAME + 40];
  curves               c;
  fc_status            s;

  with_unit(known ? info->axis[0] : "point", known ? info->space_unit : "", axis, sizeof axis);
  FC_TRY_TO(done, s, curves_open(p, n, 0, &c));
  for (int64_t i = 0; i < n; i++)
    c.x[i] = known ? info->lo[0] + (info->hi[0] - info->lo[0]) * (double)i / (double)(n - 1) : (double)i;
  for (int64_t i = 0; i < p->n_rows * p->n_frames * n; i++) c.y[i] = (double)p->values[i];
  for (int k = 0; k < p->n_rows; k++) {
    with_unit(p->rows[k].channel->name, p->rows[k].channel->unit, c.label[k], sizeof c.label[k]);
    c.chart[k].axes.x_label = axis;
  }
  s = curves_draw(p, &c);
done:
  curves_close(&c);
  return s;
}

/* ---- spectra ---- */

/* Below 1e-14 of the largest value a float field has nothing but rounding. */
static void set_floor(fc_chart *chart) {
  double lo = INFINITY, hi = 0;

  for (int k = 0; k < chart->n; k++)
    for (int64_t i = 0; i < chart->curves[k].n; i++) {
      const double v = chart->curves[k].y[i];
      if (!isfinite(v) || v <= 0) continue;
      lo = fmin(lo, v);
      hi = fmax(hi, v);
    }
  if (lo >= 1e-14 * hi) return;
  chart->axes.y_lo = 1e-14 * hi;
  chart->axes.y_hi = 2 * hi;
}

static fc_status draw_spectra(const picture *p) {
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
             has_unit(unit) ? " (unit: square of " : "", has_unit(unit) ? unit : "",
             has_unit(unit) ? ")" : "");
    c.chart[k].axes.x_label = "wavenumber k (multiples of the box's fundamental)";
    c.chart[k].axes.log_x = c.chart[k].axes.log_y = true;
    set_floor(&c.chart[k]);
  }
  s = curves_draw(p, &c);
done:
  curves_close(&c);
  return s;
}

/* ---- all ---- */

static fc_status make(picture *p) {
  const int64_t n = p->info->n_traj;

  FC_REQUIRE(p->r->trajectory >= 0 && p->r->trajectory < n, FC_E_USAGE,
             "--trajectory %lld: %s has trajectories 0 to %lld", (long long)p->r->trajectory, p->r->input,
             (long long)(n - 1));
  FC_TRY(choose_frames(p));
  FC_TRY(choose_rows(p));
  FC_TRY(name_frames(p));
  name_picture(p);
  FC_TRY(read_values(p));
  if (p->r->spectrum) return draw_spectra(p);
  return p->info->ndim == 1 ? draw_profiles(p) : draw_panels(p);
}

fc_status fc_plot_field_file(const fc_plot_request *r) {
  picture *p = calloc(1, sizeof *p);

  FC_REQUIRE(p, FC_E_SYSTEM, "no memory for a picture");
  p->r        = r;
  fc_status s = fc_field_open(r->input, &p->file);
  if (s == FC_OK) {
    p->info = fc_field_about(p->file);
    s       = make(p);
  }
  fc_field_close(p->file);
  free(p->values);
  free(p);
  return s;
}
