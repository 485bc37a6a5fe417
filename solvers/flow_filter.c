/* solvers/flow_filter.c */
#include "solvers/flow_filter.h"

#include "core/progress.h"
#include "io/field_writer.h"
#include "solvers/line_map.h"
#include "solvers/projection.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S     fc_filter_options
#define KINDS "auto|none|subsample|cutoff|box|gaussian"
const fc_option fc_filter_options_table[] = {
    FC_OPT_INT(S, nx, "0", 0, 1 << 20, "points along the first axis; 0: as many as there are"),
    FC_OPT_INT(S, ny, "0", 0, 1 << 20, "points along the second axis"),
    FC_OPT_INT(S, nz, "0", 0, 1 << 20, "points along the third axis"),
    FC_OPT_CHOICE(S, filter_x, KINDS, "auto",
                  "auto: none if the points stay, cutoff if periodic, else subsample if possible, else box"),
    FC_OPT_CHOICE(S, filter_y, KINDS, "auto", "the same for the second axis"),
    FC_OPT_CHOICE(S, filter_z, KINDS, "auto", "the same for the third axis"),
    FC_OPT_REAL(S, width_x, "0", 0, 1e6, "filter width in new spacings; 0: 1, or 2 of a gaussian"),
    FC_OPT_REAL(S, width_y, "0", 0, 1e6, "the same for the second axis"),
    FC_OPT_REAL(S, width_z, "0", 0, 1e6, "the same for the third axis"),
    FC_OPT_BOOL(
        S, keep_walls, "true",
        "boxes along axes that are not periodic: keep the values on both ends; false: keep the integral"),
    FC_OPT_INT(S, frame_stride, "1", 1, 1 << 30, "keep every so many frames"),
    FC_OPT_REAL(S, from, "-1e300", -DBL_MAX, DBL_MAX, "time of the first frame that is kept"),
    FC_OPT_REAL(S, to, "1e300", -DBL_MAX, DBL_MAX, "no frame later than this"),
    FC_OPT_BOOL(S, project, "false", "then take the divergence out of the velocity (and its slip at walls)"),
    FC_OPT_END};
#undef S

typedef struct group { /* channels of the new file, scalars first, and the fields that they make up */
  int          n, n_fields;
  int          pick[FC_FIELD_CHANNELS];
  fc_out_field field[FC_FIELD_CHANNELS];
  char         name[FC_FIELD_CHANNELS][FC_NAME];
} group;

typedef struct work {
  const fc_filter_options *o;
  const char              *path;
  fc_field                *file;
  const fc_field_info     *info;
  double                  *x[3];
  fc_line_axis             axis[3];
  fc_line_map              map[3];
  int64_t                  dim[3], points_in, points_out, n_steps, *first; /* [n_traj] frames */
  double                   t0, dt;
  group                    varying, constant;
  fc_projection           *projection;
  int                      velocity; /* first of its channels in varying.pick; -1: none */
  fc_real                 *raw;
  double                  *a, *b;
  fc_field_writer         *writer;
  fc_progress              bar;
  fc_filter_report        *report;
} work;

/* ---- axes ---- */

static fc_status open_axis(work *w, int a) {
  const int64_t wanted[3] = {w->o->nx, w->o->ny, w->o->nz};
  const int     kind[3]   = {w->o->filter_x, w->o->filter_y, w->o->filter_z};
  const double  width[3]  = {w->o->width_x, w->o->width_y, w->o->width_z};
  const int64_t n         = w->info->dim[a];

  w->x[a] = malloc((size_t)n * sizeof **w->x);
  FC_REQUIRE(w->x[a], FC_E_SYSTEM, "%s: not enough memory", w->path);
  FC_TRY(fc_field_points(w->file, a, w->x[a]));
  FC_REQUIRE(n < 2 || w->x[a][1] > w->x[a][0], FC_E_INPUT, "%s: coordinates along %s do not rise", w->path,
             w->info->axis[a]);
  w->axis[a] = (fc_line_axis){w->info->axis[a], n, w->x[a], w->info->periodic[a], w->info->uniform[a]};
  FC_TRY(fc_line_map_create(&w->axis[a], (fc_line_kind)kind[a], wanted[a], width[a], w->o->keep_walls,
                            &w->map[a]));
  w->dim[a] = w->map[a].m;
  return FC_OK;
}

static fc_status open_axes(work *w) {
  const int64_t wanted[3] = {w->o->nx, w->o->ny, w->o->nz};

  w->points_in = w->points_out = 1;
  for (int a = 0; a < 3; a++) {
    w->dim[a] = 1;
    FC_REQUIRE(a < w->info->ndim || !wanted[a], FC_E_USAGE, "n%c: %s has only %d axes", "xyz"[a], w -> path,
               w -> info -> ndim);
    if (a < w->info->ndim) FC_TRY(open_axis(w, a));
    w->points_in *= a < w->info->ndim ? w->info->dim[a] : 1;
    w->points_out *= w->dim[a];
  }
  return FC_OK;
}

/* ---- frames ---- */

static fc_status choose_frames(work *w) {
  const int64_t n_traj = w->info->n_traj;

  w->first   = calloc((size_t)n_traj, sizeof *w->first);
  w->n_steps = INT64_MAX;
  FC_REQUIRE(w->first, FC_E_SYSTEM, "%s: not enough memory", w->path);
  for (int64_t b = 0; b < n_traj; b++) {
    const int64_t steps = fc_field_steps(w->file, b);
    double       *t     = malloc((size_t)steps * sizeof *t);
    fc_status     s = t ? fc_field_times(w->file, b, 0, steps, t) : fc_fail(FC_E_SYSTEM, "not enough memory");
    int64_t       lo = 0, hi = steps;
    while (s == FC_OK && lo < steps && t[lo] < w->o->from) lo++;
    while (s == FC_OK && hi > lo && t[hi - 1] > w->o->to) hi--;
    if (s == FC_OK && b == 0 && lo < steps) w->t0 = t[lo];
    free(t);
    FC_TRY(s);
    FC_REQUIRE(hi > lo, FC_E_USAGE, "%s: trajectory %lld has no frame between the times %g and %g", w->path,
               (long long)b, w->o->from, w->o->to);
    w->first[b] = lo;
    w->n_steps  = fc_min64(w->n_steps, (hi - lo - 1) / w->o->frame_stride + 1);
  }
  w->dt = w->info->dt * (double)w->o->frame_stride;
  FC_REQUIRE(
      w->n_steps == 1 || isfinite(w->dt), FC_E_INPUT,
      "%s: times between frames differ, and a file of ours has one; take one frame with --set from and to",
      w->path);
  if (!isfinite(w->dt)) w->dt = 1;
  return FC_OK;
}

/* ---- channels ---- */

/* "velocity_x" of a vector is written again as a part of "velocity" */
static bool starts_vector(const fc_channel *c, int i, int n, int ndim) {
  if (c[i].rank != 1 || i + ndim > n) return false;
  for (int k = 0; k < ndim; k++)
    if (c[i + k].field != c[i].field || c[i + k].component != k) return false;
  return true;
}

static void choose_channels(const fc_channel *c, int n, int ndim, group *g) {
  for (int vectors = 0; vectors < 2; vectors++)
    for (int i = 0; i < n; i++) {
      const bool vector = starts_vector(c, i, n, ndim);
      if (vector == (bool)vectors) {
        char *name = g->name[g->n_fields];
        snprintf(name, FC_NAME, "%s", c[i].name);
        char *end = vector ? strrchr(name, '_') : NULL;
        if (end && end > name) *end = 0;
        g->field[g->n_fields++] = (fc_out_field){name, c[i].unit, vector};
        for (int k = 0; k < (vector ? ndim : 1); k++) g->pick[g->n++] = i + k;
      }
      if (vector) i += ndim - 1;
    }
}

static fc_status check_params(work *w) {
  int    all[FC_FIELD_PARAMS];
  double v[FC_FIELD_PARAMS];

  for (int i = 0; i < w->info->n_params; i++) all[i] = i;
  for (int64_t b = 0; b < w->info->n_traj; b++) {
    FC_TRY(fc_field_params(w->file, b, w->info->n_params, all, v));
    for (int i = 0; i < w->info->n_params; i++)
      FC_REQUIRE(
          v[i] == w->info->param[i].value, FC_E_INPUT,
          "%s: the parameter '%s' differs between trajectories, which one file of ours cannot hold; filter "
          "the files one by one",
          w->path, w->info->param[i].name);
  }
  return FC_OK;
}

/* ---- the new file ---- */

static void say(char *text, size_t size, const char *what) {
  const size_t at = strlen(text);
  snprintf(text + at, size - at, "%s%s", at && text[at - 1] != ' ' ? "; " : "", what);
}

static void describe_work(work *w, char *text, size_t size) {
  const char *before = fc_field_text(w->file, "filter");
  char        line[300];
  bool        any = false;

  snprintf(text, size, "%s%s", before, before[0] ? "; then " : "");
  for (int a = 0; a < w->info->ndim; a++) {
    if (w->map[a].kind == FC_LINE_NONE) continue;
    fc_line_map_text(&w->map[a], &w->axis[a], w->o->keep_walls, line, sizeof line);
    say(text, size, line), any = true;
  }
  snprintf(line, sizeof line, "every %lld. frame", (long long)w->o->frame_stride);
  if (w->o->frame_stride > 1) say(text, size, line), any = true;
  if (w->projection) say(text, size, fc_projection_text(w->projection)), any = true;
  if (!any) say(text, size, "all points as they are");
}

static void provenance(work *w, const char *command, fc_field_spec *spec) {
  static const char *const kept[] = {"preset", "solver", "solver_config", "solver_source", "model"};
  const char              *value;

  spec->text[spec->n_texts].name = "command", spec->text[spec->n_texts++].value = command;
  spec->text[spec->n_texts].name = "filter", spec->text[spec->n_texts++].value = w->report->text;
  spec->text[spec->n_texts].name = "filtered_from", spec->text[spec->n_texts++].value = w->path;
  for (int i = 0; i < FC_COUNT(kept); i++)
    if ((value = fc_field_text(w->file, kept[i]))[0])
      spec->text[spec->n_texts].name = kept[i], spec->text[spec->n_texts++].value = value;
}

static fc_status open_writer(work *w, const char *out, const char *command) {
  const fc_field_info *i    = w->info;
  fc_field_spec        spec = {.name       = i->name,
                               .ndim       = i->ndim,
                               .n_traj     = i->n_traj,
                               .n_steps    = w->n_steps,
                               .t0         = w->t0,
                               .dt         = w->dt,
                               .time_unit  = i->time_unit,
                               .space_unit = i->space_unit,
                               .n_fields   = w->varying.n_fields,
                               .field      = w->varying.field,
                               .n_constant = w->constant.n_fields,
                               .constant   = w->constant.field,
                               .n_params   = i->n_params,
                               .compress   = true};

  for (int a = 0; a < i->ndim; a++) {
    const double *x  = w->map[a].x;
    spec.dim[a]      = w->dim[a];
    spec.axis[a]     = i->axis[a];
    spec.periodic[a] = i->periodic[a];
    spec.wall[a]     = i->wall[a];
    spec.origin[a]   = x[0];
    spec.spacing[a]  = w->dim[a] > 1 ? (x[w->dim[a] - 1] - x[0]) / (double)(w->dim[a] - 1) : 1;
    spec.points[a]   = i->uniform[a] ? NULL : x;
  }
  for (int k = 0; k < i->n_params; k++)
    spec.param[k].name = i->param[k].name, spec.param[k].value = i->param[k].value;
  describe_work(w, w->report->text, sizeof w->report->text);
  provenance(w, command, &spec);
  return fc_field_writer_create(out, &spec, &w->writer);
}

/* ---- frames through the filter ---- */

/* raw[points_in, n] -> raw[points_out, n] */
static void filter_frame(work *w, int n) {
  int64_t before = 1, after = w->points_in * n;

  for (int64_t i = 0; i < after; i++) w->a[i] = (double)w->raw[i];
  for (int a = 0; a < w->info->ndim; a++) {
    after /= w->map[a].n;
    if (w->map[a].kind != FC_LINE_NONE) {
      fc_line_map_apply(&w->map[a], before, after, w->a, w->b);
      double *swap = w->a;
      w->a = w->b, w->b = swap;
    }
    before *= w->map[a].m;
  }
}

static void project_frame(work *w, int n) {
  double size[2];

  fc_projection_apply(w->projection, n, w->a + w->velocity, size);
  for (int i = 0; i < 2; i++) w->report->divergence[i] = fmax(w->report->divergence[i], size[i]);
}

static void back_to_real(work *w, int n) {
  for (int64_t i = 0; i < w->points_out * n; i++) w->raw[i] = (fc_real)w->a[i];
}

static fc_status one_frame(work *w, int64_t traj, int64_t t) {
  const int n = w->varying.n;

  FC_TRY(fc_field_read(w->file, traj, w->first[traj] + t * w->o->frame_stride, 1, 1, NULL, n, w->varying.pick,
                       w->raw));
  filter_frame(w, n);
  if (w->projection) project_frame(w, n);
  back_to_real(w, n);
  return fc_field_write(w->writer, traj, t, 1, w->raw);
}

static fc_status constants(work *w, int64_t traj) {
  if (!w->constant.n) return FC_OK;
  FC_TRY(fc_field_read_constant(w->file, traj, NULL, w->constant.n, w->constant.pick, w->raw));
  filter_frame(w, w->constant.n);
  back_to_real(w, w->constant.n);
  return fc_field_write_constant(w->writer, traj, w->raw);
}

static fc_status all_frames(work *w) {
  const int64_t n = w->info->n_traj;

  for (int64_t b = 0; b < n; b++) {
    FC_TRY(constants(w, b));
    for (int64_t t = 0; t < w->n_steps; t++) {
      FC_TRY(one_frame(w, b, t));
      fc_progress_update(&w->bar, b * w->n_steps + t + 1, NULL);
    }
  }
  return FC_OK;
}

/* ---- all ---- */

static fc_status open_projection(work *w) {
  fc_grid_axes grid = {{w->dim[0], w->dim[1], w->dim[2]}, {w->map[0].x, w->map[1].x, w->map[2].x}, {false}};

  w->velocity = -1;
  for (int i = 0, at = 0; i < w->varying.n_fields; at += w->varying.field[i].rank ? w->info->ndim : 1, i++)
    if (w->varying.field[i].rank == 1 && !strcmp(w->varying.field[i].name, "velocity")) w->velocity = at;
  if (!w->o->project) return FC_OK;
  FC_REQUIRE(w->velocity >= 0 && w->info->ndim == 3, FC_E_USAGE,
             "project: %s has no vector field 'velocity' in three dimensions", w->path);
  for (int a = 0; a < 3; a++) grid.periodic[a] = w->info->periodic[a];
  for (int a = 0; a < 3; a++)
    FC_REQUIRE(!grid.periodic[a] || w->info->uniform[a], FC_E_USAGE,
               "project: points along %s are unevenly spaced; a periodic axis must be even",
               w->info->axis[a]);
  return fc_projection_create(&grid, &w->projection);
}

static fc_status allocate(work *w) {
  const int64_t channels = fc_max64(w->varying.n, w->constant.n), n = w->points_in * channels;

  w->raw = malloc((size_t)n * sizeof *w->raw);
  w->a   = malloc((size_t)n * sizeof *w->a);
  w->b   = malloc((size_t)n * sizeof *w->b);
  FC_REQUIRE(w->raw && w->a && w->b, FC_E_SYSTEM, "%s: not enough memory for a frame", w->path);
  return FC_OK;
}

static fc_status prepare(work *w, const char *out, const char *command) {
  FC_TRY(open_axes(w));
  FC_TRY(choose_frames(w));
  FC_TRY(check_params(w));
  choose_channels(w->info->channel, w->info->n_channels, w->info->ndim, &w->varying);
  choose_channels(w->info->constant, w->info->n_constant, w->info->ndim, &w->constant);
  FC_TRY(open_projection(w));
  FC_TRY(allocate(w));
  return open_writer(w, out, command);
}

static void fill_report(const work *w) {
  w->report->n_traj = w->info->n_traj;
  w->report->frames = w->n_steps;
  w->report->ndim   = w->info->ndim;
  memcpy(w->report->dim, w->dim, sizeof w->dim);
}

static fc_status run(work *w, const char *out, const char *command, bool quiet) {
  FC_TRY(prepare(w, out, command));
  fc_progress_start(&w->bar, "filter", "frame", 0, w->info->n_traj * w->n_steps, quiet);
  const fc_status s = all_frames(w);
  fc_progress_end(&w->bar, NULL);
  FC_TRY(s);
  fill_report(w);
  fc_field_writer *writer = w->writer;
  w->writer               = NULL; /* gone, whatever finish returns */
  return fc_field_writer_finish(writer);
}

fc_status fc_flow_filter(const char *in, const char *out, const fc_filter_options *o, const char *command,
                         bool quiet, fc_filter_report *report) {
  work *w = calloc(1, sizeof *w);

  FC_REQUIRE(w, FC_E_SYSTEM, "no memory for a filter");
  *report     = (fc_filter_report){0};
  w->o        = o;
  w->path     = in;
  w->report   = report;
  fc_status s = fc_field_open(in, &w->file);
  if (s == FC_OK) {
    w->info = fc_field_about(w->file);
    s       = run(w, out, command, quiet);
  }
  fc_field_writer_abandon(w->writer);
  fc_field_close(w->file);
  fc_projection_destroy(w->projection);
  for (int a = 0; a < 3; a++) {
    fc_line_map_free(&w->map[a]);
    free(w->x[a]);
  }
  free(w->first), free(w->raw), free(w->a), free(w->b);
  free(w);
  return s;
}
