/* solvers/flow_statistics.c */
#include "solvers/flow_statistics.h"

#include "core/progress.h"
#include "solvers/box_statistics.h"
#include "solvers/flow_file.h"
#include "solvers/gradient.h"
#include "solvers/profiles.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S fc_flow_options
const fc_option fc_flow_options_table[] = {
    FC_OPT_CHOICE(
        S, kind, "auto|channel|box", "auto",
        "channel: walls on the ends of y, periodic in x and z; box: periodic; auto: as the file says"),
    FC_OPT_REAL(S, from, "-1e300", -DBL_MAX, DBL_MAX, "time of the first frame that counts"),
    FC_OPT_REAL(S, to, "1e300", -DBL_MAX, DBL_MAX, "time of the last one"),
    FC_OPT_REAL(S, nu, "0", 0, 1e12, "kinematic viscosity, length^2/time; 0: as the file says"),
    FC_OPT_BOOL(S, halves, "true", "channel: the mean of both halves; false: from wall to wall"),
    FC_OPT_REALS(S, walls, "[]", -DBL_MAX, DBL_MAX, "channel: where the walls are; empty: the ends of y"),
    FC_OPT_CHOICE(
        S, shear, "parabola|first_node", "parabola",
        "channel: wall shear from a parabola through the wall and two points, or as nu U/y of the first"),
    FC_OPT_REALS(S, spectra, "[0.1, 1]", 0, 1,
                 "channel: distances from the wall over h where spectra are taken"),
    FC_OPT_BOOL(S, divergence, "true",
                "channel: also divergence (spectral in x, z, second order in y) and slip"),
    FC_OPT_NAMES(S, velocity, "[]", "names of the three components; empty: velocity_x, .. or u, v, w"),
    FC_OPT_TEXT(S, pressure, "", "name of the pressure (over density); empty: pressure or p, if there"),
    FC_OPT_TEXT(S, eddy_viscosity, "", "name of the eddy viscosity; empty: eddy_viscosity or nu_t, if there"),
    FC_OPT_END};
#undef S

typedef struct work {
  fc_flow_file           f;
  const fc_flow_options *o;
  fc_statistics         *out;
  fc_progress            bar;
  int64_t                total, done;
  /* channel */
  fc_profiles *profiles;
  fc_gradient *gradient;
  double      *plane[6];            /* u, v, w, p, nu_t, stress of one plane */
  double      *div, *slope, *shear; /* [points] */
  double       wall[2], largest[2]; /* divergence, slip */
  /* box */
  fc_box  *box;
  int64_t  n_history;
  double  *time, *history; /* [n_history]; [7, n_history, 2]: sums and squares over trajectories */
  int64_t *counted;        /* [n_history] */
} work;

static const char *unit_of(const char *unit) {
  return unit[0] && strcmp(unit, "1") && strcmp(unit, "-") ? unit : "";
}
static const char *velocity_unit(const work *w) { return unit_of(w->f.info->channel[w->f.pick[0]].unit); }
static const char *length_unit(const work *w) { return unit_of(w->f.info->space_unit); }

static double *numbers(int64_t n) { return calloc((size_t)fc_max64(n, 1), sizeof(double)); }

/* ---- channel ---- */

/* Walls on the ends of y are believed if the first frame is nearly at rest there. */
static fc_status find_walls(work *w) {
  const fc_flow_file *f  = &w->f;
  const int64_t       ny = f->info->dim[1], nz = f->info->dim[2];
  double              ends = 0, all = 0;

  w->wall[0] = w->o->walls.n ? w->o->walls.v[0] : f->axis[1][0];
  w->wall[1] = w->o->walls.n ? w->o->walls.v[1] : f->axis[1][ny - 1];
  FC_REQUIRE(!w->o->walls.n ||
                 (w->o->walls.n == 2 && w->wall[0] <= f->axis[1][0] && w->wall[1] >= f->axis[1][ny - 1]),
             FC_E_USAGE, "walls: two places are wanted, not between the ends of y, %g and %g", f->axis[1][0],
             f->axis[1][ny - 1]);
  if (w->o->walls.n) return FC_OK;
  for (int64_t i = 0; i < f->points; i++) {
    const int64_t j      = i / nz % ny;
    const double  square = f->x[0][i] * f->x[0][i];
    all += square / (double)ny;
    if (j == 0 || j == ny - 1) ends += square / 2;
  }
  FC_REQUIRE(
      ends <= 0.0025 * all, FC_E_INPUT,
      "%s: the flow is not at rest on the ends of y; say where the walls are, --set walls=%g,%g if they are "
      "there and the flow slips",
      f->path, w->wall[0], w->wall[1]);
  return FC_OK;
}

static fc_status open_profiles(work *w) {
  const fc_flow_file *f    = &w->f;
  const bool          ends = w->o->divergence;
  fc_profiles_spec    spec = {.nx        = f->info->dim[0],
                              .ny        = f->info->dim[1],
                              .nz        = f->info->dim[2],
                              .lx        = f->length[0],
                              .lz        = f->length[2],
                              .y         = f->axis[1],
                              .wall      = {w->wall[0], w->wall[1]},
                              .n_spectra = (int)fc_min64(w->o->spectra.n, FC_PROFILE_SPECTRA),
                              .pressure  = f->has_pressure,
                              .model     = f->has_model,
                              .n_extra   = ends ? 2 : 0,
                              .extra     = {{"divergence_rms", "rms of div u inside, over U_b / h", 1},
                                            {"slip_rms", "rms of the velocity on the ends of y, over U_b", 0}}};

  for (int k = 0; k < spec.n_spectra; k++) spec.spectra[k] = w->o->spectra.v[k];
  return fc_profiles_create(&spec, &w->profiles);
}

static fc_status open_channel(work *w) {
  fc_flow_file      *f    = &w->f;
  const fc_grid_axes grid = {{f->info->dim[0], f->info->dim[1], f->info->dim[2]},
                             {f->axis[0], f->axis[1], f->axis[2]},
                             {true, false, true}};
  const int64_t      n    = f->info->dim[0] * f->info->dim[2];
  bool               ok   = true;

  FC_TRY(find_walls(w));
  FC_TRY(open_profiles(w));
  FC_TRY(fc_gradient_create(&grid, &w->gradient));
  for (int i = 0; i < FC_COUNT(w->plane); i++) ok &= (w->plane[i] = numbers(n)) != NULL;
  ok &= (w->div = numbers(f->points)) && (w->slope = numbers(f->points)) && (w->shear = numbers(f->points));
  FC_REQUIRE(ok, FC_E_SYSTEM, "%s: not enough memory for a frame", f->path);
  return FC_OK;
}

/* nu_t (du/dy + dv/dx) at all points */
static void modelled_stress(work *w) {
  fc_gradient_of(w->gradient, 1, w->f.x[0], w->shear);
  fc_gradient_of(w->gradient, 0, w->f.x[1], w->slope);
  for (int64_t i = 0; i < w->f.points; i++) w->shear[i] = w->f.x[4][i] * (w->shear[i] + w->slope[i]);
}

static void plane_of(const work *w, const double *x, int64_t j, double *out) {
  const int64_t nx = w->f.info->dim[0], ny = w->f.info->dim[1], nz = w->f.info->dim[2];

  for (int64_t i = 0; i < nx; i++) memcpy(out + i * nz, x + (i * ny + j) * nz, (size_t)nz * sizeof *out);
}

static void check_constraints(work *w) {
  const double *const u[3] = {w->f.x[0], w->f.x[1], w->f.x[2]};
  double              largest[2], square[2];

  fc_divergence(w->gradient, u, w->div, w->slope);
  fc_divergence_size(w->gradient, w->div, &largest[0], &square[0]);
  fc_wall_residual(w->gradient, 1, u, &largest[1], &square[1]);
  for (int i = 0; i < 2; i++) {
    w->largest[i] = fmax(w->largest[i], largest[i]);
    fc_profiles_extra(w->profiles, i, square[i]);
  }
}

static fc_status sample_channel(work *w) {
  fc_flow_file *f = &w->f;

  if (f->has_model) modelled_stress(w);
  for (int64_t j = 0; j < f->info->dim[1]; j++) {
    for (int c = 0; c < FC_FLOW_FIELDS; c++)
      if (f->x[c]) plane_of(w, f->x[c], j, w->plane[c]);
    if (f->has_model) plane_of(w, w->shear, j, w->plane[5]);
    fc_profiles_plane(w->profiles, j, w->plane[0], w->plane[1], w->plane[2],
                      f->has_pressure ? w->plane[3] : NULL, f->has_model ? w->plane[4] : NULL,
                      f->has_model ? w->plane[5] : NULL);
  }
  if (w->o->divergence) check_constraints(w);
  return fc_profiles_sample(w->profiles);
}

static void put_largest(work *w, const char *name, const char *text, double value) {
  fc_quantity *q = fc_statistics_add(w->out, name, "", "", 1, NULL, text);
  if (q) q->value[0] = value;
}

static fc_status report_channel(work *w) {
  const fc_profiles_use use = {.nu            = w->f.nu,
                               .halves        = w->o->halves,
                               .first_node    = w->o->shear == FC_SHEAR_FIRST_NODE,
                               .velocity_unit = velocity_unit(w),
                               .length_unit   = length_unit(w)};

  FC_TRY(fc_profiles_report(w->profiles, &use, w->out));
  const fc_quantity *bulk  = fc_statistics_find(w->out, "U_b", NULL);
  const double       scale = bulk && bulk->value[0] ? fabs(bulk->value[0]) : 1;
  if (!w->o->divergence) return FC_OK;
  put_largest(w, "divergence_max", "largest |div u| inside, over U_b / h",
              w->largest[0] / scale * (w->wall[1] - w->wall[0]) / 2);
  put_largest(w, "slip_max", "largest velocity on the ends of y, over U_b", w->largest[1] / scale);
  return FC_OK;
}

/* ---- box ---- */

enum { HISTORIES = 7 };

static fc_status open_box(work *w) {
  const fc_box_spec spec = {.n             = {w->f.info->dim[0], w->f.info->dim[1], w->f.info->dim[2]},
                            .length        = {w->f.length[0], w->f.length[1], w->f.length[2]},
                            .nu            = w->f.nu,
                            .velocity_unit = velocity_unit(w),
                            .length_unit   = length_unit(w)};

  w->time    = numbers(w->n_history);
  w->history = numbers(2 * HISTORIES * w->n_history);
  w->counted = calloc((size_t)w->n_history, sizeof *w->counted);
  FC_REQUIRE(w->time && w->history && w->counted, FC_E_SYSTEM, "%s: not enough memory", w->f.path);
  return fc_box_create(&spec, &w->box);
}

static void sample_box(work *w, int64_t t) {
  const double *const u[3] = {w->f.x[0], w->f.x[1], w->f.x[2]};
  fc_box_numbers      now;

  fc_box_sample(w->box, u, &now);
  const double v[HISTORIES] = {now.energy,    now.dissipation, now.enstrophy, now.integral_scale,
                               now.re_lambda, now.skewness,    now.divergence};
  for (int i = 0; i < HISTORIES; i++) {
    w->history[2 * (i * w->n_history + t)] += v[i];
    w->history[2 * (i * w->n_history + t) + 1] += v[i] * v[i];
  }
  w->counted[t]++;
}

/* means over trajectories, with intervals from their spread */
static void put_history(work *w, int i, const char *name, const char *unit, const char *definition) {
  const char *t = unit_of(w->f.info->time_unit);
  char        axis[FC_NAME + 8];

  snprintf(axis, sizeof axis, "time%s%.50s%s", t[0] ? " (" : "", t, t[0] ? ")" : "");
  fc_quantity *q = fc_statistics_add(w->out, name, unit, axis, w->n_history, w->time, definition);
  for (int64_t k = 0; q && k < w->n_history; k++) {
    const double *sum = w->history + 2 * (i * w->n_history + k), n = (double)w->counted[k];
    q->value[k]         = sum[0] / n;
    const double square = fmax(sum[1] / n - q->value[k] * q->value[k], 0);
    q->half[k]          = n > 1 ? fc_student_t((int)n - 1) * sqrt(square / (n - 1)) : NAN;
  }
}

static fc_status report_box(work *w) {
  const char *v                   = velocity_unit(w);
  char        square[FC_NAME + 8] = "";

  FC_TRY(fc_box_report(w->box, w->out));
  if (v[0]) snprintf(square, sizeof square, "(%s)^2", v);
  put_history(w, 0, "energy_t", square, "energy of each frame, mean over trajectories");
  if (w->f.nu > 0) put_history(w, 1, "dissipation_t", "", "nu <|grad u|^2> of each frame");
  put_history(w, 2, "enstrophy_t", "", "<|curl u|^2> / 2 of each frame");
  put_history(w, 3, "integral_scale_t", length_unit(w), "integral scale of each frame");
  if (w->f.nu > 0) put_history(w, 4, "Re_lambda_t", "", "Taylor Reynolds number of each frame");
  put_history(w, 5, "skewness_t", "", "skewness of du/dx of each frame");
  put_history(w, 6, "divergence_rms_t", "", "rms of div u over rms of grad u of each frame");
  return FC_OK;
}

/* ---- all frames ---- */

static fc_status count(work *w) {
  int64_t first, n;
  double  t[2];

  for (int64_t b = 0; b < w->f.info->n_traj; b++) {
    FC_TRY(fc_flow_frames(&w->f, b, w->o->from, w->o->to, &first, &n));
    w->total += n;
    w->n_history = fc_max64(w->n_history, n);
    if (!n) continue;
    FC_TRY(fc_field_times(w->f.file, b, first, 1, &t[0]));
    FC_TRY(fc_field_times(w->f.file, b, first + n - 1, 1, &t[1]));
    w->out->from = fmin(w->out->from, t[0]); /* fmin and fmax pass over NaN */
    w->out->to   = fmax(w->out->to, t[1]);
  }
  FC_REQUIRE(w->total, FC_E_USAGE, "%s: no frame between the times %g and %g", w->f.path, w->o->from,
             w->o->to);
  return FC_OK;
}

static fc_status begin(work *w, int64_t traj, int64_t frame) {
  if (w->profiles || w->box) return FC_OK;
  FC_TRY(fc_flow_read(&w->f, traj, frame));
  return w->f.kind == FC_FLOW_CHANNEL ? open_channel(w) : open_box(w);
}

static fc_status trajectory(work *w, int64_t b) {
  int64_t first, n;

  FC_TRY(fc_flow_frames(&w->f, b, w->o->from, w->o->to, &first, &n));
  for (int64_t t = 0; t < n; t++) {
    FC_TRY(begin(w, b, first));
    FC_TRY(fc_flow_read(&w->f, b, first + t));
    if (w->f.kind == FC_FLOW_CHANNEL)
      FC_TRY(sample_channel(w));
    else
      sample_box(w, t);
    if (w->box && w->counted[t] == 1) FC_TRY(fc_field_times(w->f.file, b, first + t, 1, &w->time[t]));
    fc_progress_update(&w->bar, ++w->done, NULL);
  }
  return FC_OK;
}

static void close_work(work *w) {
  fc_flow_close(&w->f);
  fc_profiles_destroy(w->profiles);
  fc_gradient_destroy(w->gradient);
  fc_box_destroy(w->box);
  for (int i = 0; i < FC_COUNT(w->plane); i++) free(w->plane[i]);
  free(w->div);
  free(w->slope);
  free(w->shear);
  free(w->time);
  free(w->history);
  free(w->counted);
}

static void provenance(work *w) {
  static const char *const names[] = {"filter", "solver", "solver_config", "solver_source", "model"};
  char                     text[FC_NAME];

  fc_statistics_text(w->out, "source", w->f.path);
  snprintf(text, sizeof text, "%lld", (long long)w->f.info->n_traj);
  fc_statistics_text(w->out, "trajectories", text);
  for (int i = 0; i < FC_COUNT(names); i++)
    fc_statistics_text(w->out, names[i], fc_field_text(w->f.file, names[i]));
}

static fc_status run(work *w, bool quiet) {
  FC_TRY(count(w));
  provenance(w);
  fc_progress_start(&w->bar, "statistics", "frame", 0, w->total, quiet);
  fc_status s = FC_OK;
  for (int64_t b = 0; b < w->f.info->n_traj && s == FC_OK; b++) s = trajectory(w, b);
  fc_progress_end(&w->bar, NULL);
  FC_TRY(s);
  return w->f.kind == FC_FLOW_CHANNEL ? report_channel(w) : report_box(w);
}

fc_status fc_flow_statistics(const char *path, const fc_flow_options *o, bool quiet, fc_statistics *out) {
  work w = {.o = o, .out = out};

  fc_statistics_init(out, "");
  FC_TRY(fc_flow_open(path, o, &w.f));
  snprintf(out->kind, sizeof out->kind, "%s", w.f.kind == FC_FLOW_CHANNEL ? "channel" : "isotropic");
  const fc_status s = run(&w, quiet);
  close_work(&w);
  if (s != FC_OK) fc_statistics_free(out);
  return s;
}
