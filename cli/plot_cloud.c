/* cli/plot_cloud.c - one sample of points or a mesh: a row of panels for each field, a column for each frame.
 */
#include "cli/plot.h"

#include "cli/plot_field.h"
#include "core/options.h"
#include "io/cloud.h"
#include "io/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_FRAMES = 6 };

typedef struct {
  const fc_plot_request *r;
  fc_cloud              *c;
  const fc_cloud_info   *info;
  fc_cloud_size          size;
  fc_scene               scene;
  int                    n_frames, n_rows;
  int64_t                frame[FC_PICTURE_FRAMES];
  int                    row[FC_FIELD_CHANNELS]; /* channels */
  fc_real               *x, *values;             /* [N, space]; [n_frames, N, n_rows] */
  int64_t               *cell;
} picture;

/* ---- what to draw ---- */

static fc_status choose_frames(picture *p) {
  const int64_t n = p->size.steps, many = fc_min64(n, DEFAULT_FRAMES);
  int64_t       list[FC_PICTURE_FRAMES];

  if (p->r->frames) {
    FC_TRY(fc_plot_numbers("--frames", p->r->frames, FC_PICTURE_FRAMES, list, &p->n_frames));
    for (int i = 0; i < p->n_frames; i++)
      FC_REQUIRE(list[i] >= 0 && list[i] < n, FC_E_USAGE, "--frames: %s has frames 0 to %lld, not %lld",
                 p->r->input, (long long)(n - 1), (long long)list[i]);
  } else {
    p->n_frames = (int)many;
    for (int64_t i = 0; i < many; i++) list[i] = many > 1 ? i * (n - 1) / (many - 1) : 0;
  }
  memcpy(p->frame, list, (size_t)p->n_frames * sizeof *list);
  return FC_OK;
}

/* the named fields, else all targets */
static fc_status choose_rows(picture *p) {
  int n, pick[FC_FIELD_CHANNELS];

  for (int i = 0; i < p->r->channels.n; i++) {
    FC_TRY(fc_cloud_pick(p->c, p->r->channels.v[i], FC_ROLE_TARGET, &n, pick));
    for (int k = 0; k < n && p->n_rows < FC_FIELD_CHANNELS; k++) p->row[p->n_rows++] = pick[k];
  }
  if (!p->n_rows) FC_TRY(fc_cloud_pick(p->c, "", FC_ROLE_TARGET, &p->n_rows, p->row));
  if (!p->n_rows) FC_TRY(fc_cloud_pick(p->c, "", FC_ROLE_INPUT, &p->n_rows, p->row));
  FC_REQUIRE(p->n_rows, FC_E_INPUT, "%s: no fields to draw", p->r->input);
  return FC_OK;
}

/* ---- values ---- */

static fc_status read_values(picture *p) {
  const int64_t N = p->size.points, len = N * p->n_rows;

  p->x      = malloc((size_t)(N * p->info->space) * sizeof *p->x);
  p->values = malloc((size_t)(p->n_frames * len) * sizeof *p->values);
  p->cell   = malloc((size_t)(p->size.cells * p->info->corners + 1) * sizeof *p->cell);
  FC_REQUIRE(p->x && p->values && p->cell, FC_E_SYSTEM,
             "no memory for %d frames of %d fields; choose fewer with --frames and --channel", p->n_frames,
             p->n_rows);
  FC_TRY(fc_cloud_read_points(p->c, p->r->trajectory, p->x));
  for (int i = 0; i < p->n_frames; i++)
    FC_TRY(fc_cloud_read(p->c, p->r->trajectory, p->frame[i], 1, p->n_rows, p->row, p->values + i * len));
  if (p->size.cells && !p->r->points) FC_TRY(fc_cloud_read_cells(p->c, p->r->trajectory, p->cell));
  return FC_OK;
}

static void set_scene(picture *p) {
  p->scene = (fc_scene){.n         = p->size.points,
                        .space     = p->info->space,
                        .up        = p->r->up,
                        .x         = p->x,
                        .cells     = p->r->points ? 0 : p->size.cells,
                        .corners   = p->info->corners,
                        .cell      = p->cell,
                        .azimuth   = p->r->view[0],
                        .elevation = p->r->view[1]};
}

/* about zero if the values are on both sides of it */
static fc_colour_map map_for(const picture *p, int row) {
  double lo = 0, hi = 0;

  for (int64_t i = 0; i < p->n_frames * p->size.points; i++) {
    const double v = (double)p->values[i * p->n_rows + row];
    if (!isfinite(v)) continue;
    lo = fmin(lo, v);
    hi = fmax(hi, v);
  }
  return fmin(-lo, hi) > 0.1 * fmax(-lo, hi) ? FC_MAP_DIVERGING : FC_MAP_SEQUENTIAL;
}

/* ---- picture ---- */

static fc_status name_frame(picture *p, int i, char *out, size_t size) {
  const bool unit = fc_has_unit(p->info->time_unit);
  double     t;

  FC_TRY(fc_cloud_times(p->c, p->r->trajectory, p->frame[i], 1, &t));
  snprintf(out, size, "t = %.4g%s%s", t, unit ? " " : "", unit ? p->info->time_unit : "");
  return FC_OK;
}

static fc_status draw(picture *p) {
  const int64_t len = p->size.points * p->n_rows;
  char          when[FC_PICTURE_FRAMES][FC_NAME + 32], title[2 * FC_NAME + 64];
  const char   *name[FC_FIELD_CHANNELS], *unit[FC_FIELD_CHANNELS], *label[FC_PICTURE_FRAMES] = {NULL};
  fc_panel     *panel = calloc((size_t)(p->n_rows * p->n_frames), sizeof *panel);
  fc_status     s     = panel ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for a picture");

  for (int i = 0; i < p->n_frames && p->size.steps > 1 && s == FC_OK; i++) {
    s        = name_frame(p, i, when[i], sizeof when[i]);
    label[i] = when[i];
  }
  for (int k = 0; k < p->n_rows && s == FC_OK; k++) {
    const fc_channel   *h   = &p->info->channel[p->row[k]];
    const fc_colour_map map = map_for(p, k);
    name[k]                 = h->name;
    unit[k]                 = fc_has_unit(h->unit) ? h->unit : NULL;
    for (int i = 0; i < p->n_frames; i++)
      panel[k * p->n_frames + i] =
          (fc_panel){.x = p->values + i * len + k, .stride = p->n_rows, .map = map, .scene = &p->scene};
  }
  snprintf(title, sizeof title, "%.64s, sample %lld: %lld %s", p->info->name, (long long)p->r->trajectory,
           (long long)(p->scene.cells ? p->scene.cells : p->scene.n), p->scene.cells ? "cells" : "points");
  if (s == FC_OK) s = fc_plot_panels(p->r->png, title, p->n_rows, p->n_frames, panel, name, label, unit);
  free(panel);
  return s;
}

static fc_status make(picture *p) {
  const int64_t n = p->info->n_samples;

  FC_REQUIRE(p->r->trajectory >= 0 && p->r->trajectory < n, FC_E_USAGE,
             "--trajectory %lld: %s has samples 0 to %lld", (long long)p->r->trajectory, p->r->input,
             (long long)(n - 1));
  FC_REQUIRE(p->info->space >= 2, FC_E_USAGE,
             "%s: points on a line; points in 2 and 3 dimensions can be drawn", p->r->input);
  p->size = fc_cloud_size_of(p->c, p->r->trajectory);
  FC_TRY(choose_frames(p));
  FC_TRY(choose_rows(p));
  FC_TRY(read_values(p));
  set_scene(p);
  return draw(p);
}

fc_status fc_plot_cloud_file(const fc_plot_request *r) {
  picture *p = calloc(1, sizeof *p);

  FC_REQUIRE(p, FC_E_SYSTEM, "no memory for a picture");
  p->r        = r;
  fc_status s = fc_cloud_open(r->input, NULL, &p->c);
  if (s == FC_OK) {
    p->info = fc_cloud_about(p->c);
    s       = make(p);
  }
  fc_cloud_close(p->c);
  free(p->x);
  free(p->values);
  free(p->cell);
  free(p);
  return s;
}
