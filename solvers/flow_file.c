/* solvers/flow_file.c */
#include "solvers/flow_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- which channels ---- */

static const char *const usual[][3] = {
    {"velocity_x", "velocity_y", "velocity_z"}, {"u", "v", "w"}, {"ux", "uy", "uz"}, {"Vx", "Vy", "Vz"}};

static bool have(const fc_field_info *i, const char *name, int *pick) {
  *pick = fc_field_channel(i, name, false);
  return *pick >= 0;
}

static fc_status choose_velocity(fc_flow_file *f, const fc_names *names) {
  for (int a = 0; a < 3 && names->n == 3; a++)
    FC_REQUIRE(have(f->info, names->v[a], &f->pick[a]), FC_E_USAGE,
               "velocity: %s has no channel '%s'; 'fieldcast info' lists them", f->path, names->v[a]);
  if (names->n == 3) return FC_OK;
  FC_REQUIRE(!names->n, FC_E_USAGE, "velocity: three names of channels are wanted, not %d", names->n);
  for (int k = 0; k < FC_COUNT(usual); k++)
    if (have(f->info, usual[k][0], &f->pick[0]) && have(f->info, usual[k][1], &f->pick[1]) &&
        have(f->info, usual[k][2], &f->pick[2]))
      return FC_OK;
  /* a vector field on axes of other names: its components follow each other */
  for (int i = 0; i + 2 < f->info->n_channels; i++)
    if (f->info->channel[i].rank == 1 && !strncmp(f->info->channel[i].name, "velocity", 8)) {
      for (int a = 0; a < 3; a++) f->pick[a] = i + a;
      return FC_OK;
    }
  return fc_fail(FC_E_INPUT, "%s: which channels are the velocity? say --set velocity=U,V,W", f->path);
}

/* wanted "": the usual names, and none is fine */
static fc_status choose_scalar(fc_flow_file *f, const char *option, const char *wanted, const char *a,
                               const char *b, bool *there) {
  int *pick = &f->pick[f->n_pick];

  *there = have(f->info, wanted[0] ? wanted : a, pick) || (!wanted[0] && have(f->info, b, pick));
  FC_REQUIRE(*there || !wanted[0], FC_E_USAGE, "%s: %s has no channel '%s'; 'fieldcast info' lists them",
             option, f->path, wanted);
  f->n_pick += *there;
  return FC_OK;
}

/* ---- which flow ---- */

static fc_status choose_kind(fc_flow_file *f, const fc_flow_options *o) {
  const bool *p = f->info->periodic;

  FC_REQUIRE(f->info->ndim == 3, FC_E_INPUT,
             "%s: fields with %d axes of space; statistics of flows need three", f->path, f->info->ndim);
  f->kind = o->kind;
  if (f->kind == FC_FLOW_AUTO && p[0] && p[1] && p[2]) f->kind = FC_FLOW_BOX;
  if (f->kind == FC_FLOW_AUTO && p[0] && !p[1] && p[2]) f->kind = FC_FLOW_CHANNEL;
  FC_REQUIRE(
      f->kind != FC_FLOW_AUTO, FC_E_INPUT,
      "%s: neither periodic along all axes nor along x and z alone; say --set kind=channel (walls on the "
      "ends of y) or kind=box",
      f->path);
  for (int a = 0; a < 3; a++)
    FC_REQUIRE(f->info->uniform[a] || (f->kind == FC_FLOW_CHANNEL && a == 1), FC_E_INPUT,
               "%s: points along %s are unevenly spaced; a periodic axis must be even", f->path,
               f->info->axis[a]);
  return FC_OK;
}

static double viscosity(const fc_field_info *i, double wanted) {
  static const char *const names[] = {"nu", "viscosity", "kinematic_viscosity"}, *const inverse[] = {
                                                                                     "Re", "Reynolds"};

  if (wanted > 0) return wanted;
  for (int k = 0; k < FC_COUNT(names); k++) {
    const int at = fc_field_param(i, names[k]);
    if (at >= 0 && i->param[at].value > 0) return i->param[at].value;
  }
  for (int k = 0; k < FC_COUNT(inverse); k++) {
    const int at = fc_field_param(i, inverse[k]);
    if (at >= 0 && i->param[at].value > 0) return 1 / i->param[at].value;
  }
  return 0;
}

static fc_status read_axes(fc_flow_file *f) {
  f->points = 1;
  for (int a = 0; a < 3; a++) {
    const int64_t n = f->info->dim[a];
    f->points *= n;
    f->axis[a] = malloc((size_t)n * sizeof **f->axis);
    FC_REQUIRE(f->axis[a], FC_E_SYSTEM, "%s: not enough memory", f->path);
    FC_TRY(fc_field_points(f->file, a, f->axis[a]));
    FC_REQUIRE(n >= 3 && f->axis[a][1] > f->axis[a][0], FC_E_INPUT,
               "%s: %lld points along %s; at least three rising ones are wanted", f->path, (long long)n,
               f->info->axis[a]);
    f->length[a] = (double)n * (f->axis[a][n - 1] - f->axis[a][0]) / (double)(n - 1);
  }
  return FC_OK;
}

static fc_status allocate(fc_flow_file *f) {
  f->raw = malloc((size_t)(f->points * f->n_pick) * sizeof *f->raw);
  FC_REQUIRE(f->raw, FC_E_SYSTEM, "%s: not enough memory for a frame", f->path);
  for (int i = 0; i < FC_FLOW_FIELDS; i++) {
    if (i == 3 && !f->has_pressure) continue;
    if (i == 4 && !f->has_model) continue;
    f->x[i] = malloc((size_t)f->points * sizeof **f->x);
    FC_REQUIRE(f->x[i], FC_E_SYSTEM, "%s: not enough memory for a frame", f->path);
  }
  return FC_OK;
}

static fc_status describe(fc_flow_file *f, const fc_flow_options *o) {
  FC_TRY(choose_kind(f, o));
  FC_TRY(choose_velocity(f, &o->velocity));
  f->n_pick = 3;
  FC_TRY(choose_scalar(f, "pressure", o->pressure, "pressure", "p", &f->has_pressure));
  FC_TRY(choose_scalar(f, "eddy_viscosity", o->eddy_viscosity, "eddy_viscosity", "nu_t", &f->has_model));
  f->nu = viscosity(f->info, o->nu);
  FC_TRY(read_axes(f));
  return allocate(f);
}

fc_status fc_flow_open(const char *path, const fc_flow_options *o, fc_flow_file *f) {
  *f = (fc_flow_file){.path = path};
  FC_TRY(fc_field_open(path, &f->file));
  f->info           = fc_field_about(f->file);
  const fc_status s = describe(f, o);
  if (s != FC_OK) fc_flow_close(f);
  return s;
}

void fc_flow_close(fc_flow_file *f) {
  fc_field_close(f->file);
  for (int a = 0; a < 3; a++) free(f->axis[a]);
  for (int i = 0; i < FC_FLOW_FIELDS; i++) free(f->x[i]);
  free(f->raw);
  *f = (fc_flow_file){0};
}

/* ---- frames ---- */

fc_status fc_flow_read(fc_flow_file *f, int64_t traj, int64_t t) {
  FC_TRY(fc_field_read(f->file, traj, t, 1, 1, NULL, f->n_pick, f->pick, f->raw));
  for (int c = 0, k = 0; k < f->n_pick; k++, c++) {
    while (!f->x[c]) c++; /* a field between that is not there */
    double sum = 0;
    for (int64_t i = 0; i < f->points; i++) sum += f->x[c][i] = (double)f->raw[i * f->n_pick + k];
    FC_REQUIRE(isfinite(sum), FC_E_INPUT, "%s: channel '%s' is not finite in trajectory %lld, frame %lld",
               f->path, f->info->channel[f->pick[k]].name, (long long)traj, (long long)t);
  }
  return FC_OK;
}

fc_status fc_flow_frames(fc_flow_file *f, int64_t traj, double from, double to, int64_t *first, int64_t *n) {
  const int64_t steps = fc_field_steps(f->file, traj);
  double       *t     = malloc((size_t)steps * sizeof *t);

  FC_REQUIRE(t, FC_E_SYSTEM, "%s: not enough memory", f->path);
  const fc_status s     = fc_field_times(f->file, traj, 0, steps, t);
  const double    slack = steps > 1 ? 1e-6 * fabs(t[steps - 1] - t[0]) / (double)steps : 0;
  *first = *n = 0;
  for (int64_t i = 0; s == FC_OK && i < steps; i++) {
    if (t[i] < from - slack || t[i] > to + slack) continue;
    if (!(*n)++) *first = i;
  }
  free(t);
  return s;
}
