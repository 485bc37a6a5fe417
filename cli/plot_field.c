/* cli/plot_field.c - chosen channels and frames of a field file: read, named, drawn as panels. */
#include "cli/plot_field.h"

#include "core/options.h"
#include "io/plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_FRAMES = 6, MOST_PLACES = 512 };

/* ---- what to draw ---- */

static fc_status add_frame(fc_picture *p, int64_t t) {
  const int64_t n = fc_field_steps(p->file, p->r->trajectory);

  FC_REQUIRE(t >= 0 && t < n, FC_E_USAGE, "--frames: %s has frames 0 to %lld, not %lld", p->r->input,
             (long long)(n - 1), (long long)t);
  FC_REQUIRE(p->n_frames < FC_PICTURE_FRAMES, FC_E_USAGE, "--frames: more than %d frames", FC_PICTURE_FRAMES);
  p->frame[p->n_frames++] = t;
  return FC_OK;
}

static fc_status choose_frames(fc_picture *p) {
  const int64_t n    = fc_field_steps(p->file, p->r->trajectory);
  const int64_t many = fc_min64(n, DEFAULT_FRAMES);
  int64_t       list[FC_PICTURE_FRAMES];
  int           count;

  if (!p->r->frames) {
    for (int64_t i = 0; i < many; i++) FC_TRY(add_frame(p, many > 1 ? i * (n - 1) / (many - 1) : 0));
    return FC_OK;
  }
  FC_TRY(fc_plot_numbers("--frames", p->r->frames, FC_PICTURE_FRAMES, list, &count));
  for (int i = 0; i < count; i++) FC_TRY(add_frame(p, list[i]));
  FC_REQUIRE(p->n_frames, FC_E_USAGE, "--frames: no frame is given");
  return FC_OK;
}

static void add_row(fc_picture *p, bool constant, int index) {
  if (p->n_rows == FC_PICTURE_ROWS) return;
  p->rows[p->n_rows++] =
      (fc_picture_row){constant ? &p->info->constant[index] : &p->info->channel[index], index, constant};
}

static fc_status add_named(fc_picture *p, const char *name) {
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
static fc_status choose_rows(fc_picture *p) {
  for (int i = 0; i < p->r->channels.n; i++) FC_TRY(add_named(p, p->r->channels.v[i]));
  if (p->n_rows) return FC_OK;
  for (int i = 0; p->info->n_steps == 1 && i < p->info->n_constant; i++) add_row(p, true, i);
  for (int i = 0; i < p->info->n_channels; i++) add_row(p, false, i);
  FC_REQUIRE(p->n_rows, FC_E_INPUT, "%s: no fields to draw", p->r->input);
  return FC_OK;
}

/* ---- words ---- */

bool fc_has_unit(const char *unit) { return unit[0] && strcmp(unit, "1") && strcmp(unit, "-"); }

static fc_status name_frames(fc_picture *p) {
  double     t;
  const bool timed = fc_field_times(p->file, p->r->trajectory, p->frame[0], 1, &t) == FC_OK && isfinite(t);

  for (int i = 0; i < p->n_frames; i++) {
    p->when_label[i] = p->info->n_steps > 1 ? p->when[i] : NULL;
    snprintf(p->when[i], sizeof p->when[i], "frame %lld", (long long)p->frame[i]);
    if (!timed) continue;
    FC_TRY(fc_field_times(p->file, p->r->trajectory, p->frame[i], 1, &t));
    snprintf(p->when[i], sizeof p->when[i], "t = %.4g%s%s", t, fc_has_unit(p->info->time_unit) ? " " : "",
             fc_has_unit(p->info->time_unit) ? p->info->time_unit : "");
  }
  return FC_OK;
}

static void name_picture(fc_picture *p) {
  const fc_field_info *info             = p->info;
  char                 cut[2 * FC_NAME] = "";

  if (info->ndim == 3 && !p->r->spectrum)
    snprintf(cut, sizeof cut, ", plane %s = %lld of %lld", info->axis[2], (long long)(info->dim[2] / 2),
             (long long)info->dim[2]);
  snprintf(p->title, sizeof p->title, "%.64s, trajectory %lld%s", info->name, (long long)p->r->trajectory,
           cut);
}

const char *fc_with_unit(const char *name, const char *unit, char *buf, size_t size) {
  if (fc_has_unit(unit))
    snprintf(buf, size, "%s (%s)", name, unit);
  else
    snprintf(buf, size, "%s", name);
  return buf;
}

/* ---- values ---- */

/* latitudes from north to south are turned, as maps are read */
static int64_t place_on_map(const fc_field_info *info, int64_t i) {
  const int64_t n_lat = info->dim[0], n_lon = info->dim[1], lat = i / n_lon, lon = i % n_lon;

  /* without coordinates: from the north, as the archives of ERA5 have them */
  return lon * n_lat + (info->lo[0] < info->hi[0] ? lat : n_lat - 1 - lat);
}

/* Uneven axes are drawn to scale: places as close as the closest points, each with its nearest point. */
static fc_status scale_axis(fc_picture *p, int a) {
  const int64_t n = p->info->dim[a];
  double       *x = malloc((size_t)n * sizeof *x), least = INFINITY;
  int64_t       k = 0;

  FC_REQUIRE(x, FC_E_SYSTEM, "no memory for %lld coordinates", (long long)n);
  fc_status s = fc_field_points(p->file, a, x);
  for (int64_t i = 1; i < n; i++) least = fmin(least, fabs(x[i] - x[i - 1]));
  const double places = fmin(MOST_PLACES, ceil(fabs(x[n - 1] - x[0]) / least) + 1);
  p->side[a]          = s == FC_OK ? (int64_t)places : 1;
  p->node[a]          = malloc((size_t)p->side[a] * sizeof *p->node[a]);
  if (!p->node[a]) s = fc_fail(FC_E_SYSTEM, "no memory for %lld places", (long long)p->side[a]);
  for (int64_t i = 0; s == FC_OK && i < p->side[a]; i++) {
    const double at = x[0] + (x[n - 1] - x[0]) * (double)i / (double)(p->side[a] - 1);
    while (k + 1 < n && fabs(x[k + 1] - at) <= fabs(x[k] - at)) k++;
    p->node[a][i] = k;
  }
  free(x);
  return s;
}

static fc_status choose_places(fc_picture *p) {
  const bool panels = p->info->ndim > 1 && !p->r->spectrum && !p->map;

  for (int a = 0; a < 2; a++) p->side[a] = a < p->info->ndim ? p->info->dim[a] : 1;
  for (int a = 0; panels && a < 2; a++)
    if (!p->info->uniform[a]) FC_TRY(scale_axis(p, a));
  if (panels) p->plane = p->side[0] * p->side[1];
  return FC_OK;
}

static int64_t node_of(const fc_picture *p, int a, int64_t i) { return p->node[a] ? p->node[a][i] : i; }

/* frame[points] of one channel -> values to keep: all, or the middle plane of the last axis in 3-D */
static void keep(const fc_picture *p, const fc_real *frame, fc_real *out) {
  const int64_t nz = p->info->ndim == 3 && !p->r->spectrum ? p->info->dim[2] : 1, ny = p->side[1];

  for (int64_t i = 0; i < p->plane; i++) {
    int64_t from = i;
    if (p->node[0] || p->node[1]) from = node_of(p, 0, i / ny) * p->info->dim[1] + node_of(p, 1, i % ny);
    out[p->map ? place_on_map(p->info, i) : i] = frame[from * nz + nz / 2];
  }
}

static fc_status read_row(fc_picture *p, int k, fc_real *frame) {
  const fc_picture_row *w = &p->rows[k];

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

static fc_status read_values(fc_picture *p) {
  fc_status s = FC_OK;

  p->map    = p->info->ndim == 2 && !p->r->spectrum && !strncmp(p->info->axis[0], "lat", 3);
  p->points = 1;
  for (int a = 0; a < p->info->ndim; a++) p->points *= p->info->dim[a];
  p->plane = p->info->ndim == 3 && !p->r->spectrum ? p->points / p->info->dim[2] : p->points;
  FC_TRY(choose_places(p));
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
static fc_colour_map map_for(const fc_picture *p, int k) {
  const fc_real *x  = p->values + k * p->n_frames * p->plane;
  double         lo = 0, hi = 0;

  for (int64_t i = 0; i < p->n_frames * p->plane; i++) {
    if (!isfinite((double)x[i])) continue;
    lo = fmin(lo, (double)x[i]);
    hi = fmax(hi, (double)x[i]);
  }
  return fmin(-lo, hi) > 0.1 * fmax(-lo, hi) ? FC_MAP_DIVERGING : FC_MAP_SEQUENTIAL;
}

static fc_status draw_panels(const fc_picture *p) {
  const char *name[FC_PICTURE_ROWS], *unit[FC_PICTURE_ROWS];
  fc_panel   *panel = calloc((size_t)(p->n_rows * p->n_frames), sizeof *panel);

  FC_REQUIRE(panel, FC_E_SYSTEM, "no memory for a picture");
  for (int k = 0; k < p->n_rows; k++) {
    const fc_colour_map map = map_for(p, k);
    name[k]                 = p->rows[k].channel->name;
    unit[k]                 = fc_has_unit(p->rows[k].channel->unit) ? p->rows[k].channel->unit : NULL;
    for (int i = 0; i < p->n_frames; i++) {
      const bool again = p->rows[k].constant && i > 0;
      const int  at    = k * p->n_frames + i;
      panel[at]        = (fc_panel){.nx     = p->side[p->map],
                                    .ny     = p->side[!p->map],
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

/* ---- all ---- */

static fc_status make(fc_picture *p) {
  const int64_t n = p->info->n_traj;

  FC_REQUIRE(p->r->trajectory >= 0 && p->r->trajectory < n, FC_E_USAGE,
             "--trajectory %lld: %s has trajectories 0 to %lld", (long long)p->r->trajectory, p->r->input,
             (long long)(n - 1));
  FC_TRY(choose_frames(p));
  FC_TRY(choose_rows(p));
  FC_TRY(name_frames(p));
  name_picture(p);
  FC_TRY(read_values(p));
  if (p->r->spectrum) return fc_picture_spectra(p);
  return p->info->ndim == 1 ? fc_picture_profiles(p) : draw_panels(p);
}

fc_status fc_plot_field_file(const fc_plot_request *r) {
  fc_picture *p = calloc(1, sizeof *p);

  FC_REQUIRE(p, FC_E_SYSTEM, "no memory for a picture");
  p->r        = r;
  fc_status s = fc_field_open(r->input, &p->file);
  if (s == FC_OK) {
    p->info = fc_field_about(p->file);
    s       = make(p);
  }
  fc_field_close(p->file);
  for (int a = 0; a < 2; a++) free(p->node[a]);
  free(p->values);
  free(p);
  return s;
}
