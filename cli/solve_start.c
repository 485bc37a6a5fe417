/* cli/solve_start.c - runs that begin at fields of a file: every trajectory goes on from one of its frames.
 */
#include "cli/solve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static fc_status same_channels(const fc_solve_job *j, const fc_field_info *i) {
  char name[FC_NAME] = "";
  int  c             = 0;

  while (c < i->n_channels && fc_field_spec_channel(&j->spec, j->spec.n_fields, j->spec.field, c, name) &&
         !strcmp(name, i->channel[c].name))
    c++;
  FC_REQUIRE(c == i->n_channels && !fc_field_spec_channel(&j->spec, j->spec.n_fields, j->spec.field, c, name),
             FC_E_MISMATCH, "%s: channel %d is '%s', %s begins at '%s'", j->start, c,
             c < i->n_channels ? i->channel[c].name : "missing", j->def->name, name);
  return FC_OK;
}

static double point(const fc_field_spec *s, int a, int64_t k) {
  return s->points[a] ? s->points[a][k] : s->origin[a] + (double)k * s->spacing[a];
}

/* files carry coordinates in single precision */
static fc_status same_points(const fc_solve_job *j, fc_field *f, int a) {
  const fc_field_spec *s = &j->spec;
  double              *x = malloc((size_t)s->dim[a] * sizeof *x);
  fc_status            r = x ? fc_field_points(f, a, x) : fc_fail(FC_E_SYSTEM, "no memory for coordinates");

  for (int64_t k = 0; k < s->dim[a] && r == FC_OK; k++)
    if (isfinite(x[k]) && fabs(x[k] - point(s, a, k)) > 1e-5 * (point(s, a, s->dim[a] - 1) - point(s, a, 0)))
      r = fc_fail(FC_E_MISMATCH, "%s: point %lld of axis %d lies at %.7g, that of %s at %.7g", j->start,
                  (long long)k, a + 1, x[k], j->preset, point(s, a, k));
  free(x);
  return r;
}

static fc_status same_grid(const fc_solve_job *j, fc_field *f) {
  const fc_field_info *i = fc_field_about(f);

  for (int a = 0; a < j->spec.ndim; a++) {
    FC_REQUIRE(
        i->ndim == j->spec.ndim && i->dim[a] == j->spec.dim[a], FC_E_MISMATCH,
        "%s has %lld points along axis %d, %s keeps %lld: set the solver's grid, or bring the fields to "
        "it with 'fieldcast filter'",
        j->start, (long long)i->dim[a], a + 1, j->preset, (long long)j->spec.dim[a]);
    FC_TRY(same_points(j, f, a));
  }
  return FC_OK;
}

/* number of the frame to begin at, and its time */
static fc_status find_frame(const fc_solve_job *j, fc_field *f, int64_t traj, int64_t *frame, double *t) {
  const int64_t n   = fc_field_steps(f, traj);
  const double  off = 1e-4 * j->spec.dt;

  for (*frame = 0; *frame < n; ++*frame) {
    FC_TRY(fc_field_times(f, traj, *frame, 1, t));
    if (isnan(j->start_at) || fabs(*t - j->start_at) <= off) return FC_OK;
  }
  return fc_fail(FC_E_USAGE, "%s: trajectory %lld has no frame at time %g; 'fieldcast info' tells its times",
                 j->start, (long long)traj, j->start_at);
}

fc_status fc_solve_start_specify(fc_solve_job *j) {
  fc_field *f;
  int64_t   frame;
  fc_status s;

  FC_REQUIRE(j->def->advance, FC_E_USAGE, "%s cannot begin at given fields", j->def->name);
  FC_TRY(fc_field_open(j->start, &f));
  s = same_channels(j, fc_field_about(f));
  if (s == FC_OK) s = same_grid(j, f);
  if (s == FC_OK) s = find_frame(j, f, 0, &frame, &j->spec.t0);
  j->spec.n_traj = fc_field_about(f)->n_traj;
  fc_field_close(f);
  return s;
}

typedef struct {
  fc_solve_job *j;
  int64_t       traj;
} flow;

static fc_status take(void *user, int64_t unused, int64_t t, const fc_real *x) {
  const flow         *k    = user;
  const fc_field_spec s    = k->j->spec;
  const double        done = ((double)k->traj + (double)(t + 2) / (double)s.n_steps) / (double)k->j->total;

  (void)unused;
  FC_TRY(fc_solve_take(k->j, k->traj, t + 1, x)); /* the first frame is the given one */
  return fc_solve_show(k->j, fmin(done, 1 - 1e-9), "");
}

static fc_status go_on(fc_solve_job *j, fc_field *f, int64_t traj, fc_real *x) {
  flow    k = {j, traj};
  int64_t frame;
  double  t;

  FC_TRY(find_frame(j, f, traj, &frame, &t));
  FC_TRY(fc_field_read(f, traj, frame, 1, 1, NULL, 0, NULL, x));
  for (int64_t i = 0; i < j->size; i++)
    FC_REQUIRE(isfinite(x[i]), FC_E_INPUT, "%s: trajectory %lld, time %g: a value is not finite", j->start,
               (long long)traj, t);
  FC_TRY(fc_solve_take(j, traj, 0, x));
  if (j->spec.n_steps < 2) return FC_OK;
  return j->def->advance(j->config, j->spec.dim, x, t, j->spec.dt, j->spec.n_steps - 1, take, &k);
}

fc_status fc_solve_start_run(fc_solve_job *j) {
  fc_real  *x = malloc((size_t)j->size * sizeof *x);
  fc_field *f = NULL;
  fc_status s = x ? fc_field_open(j->start, &f) : fc_fail(FC_E_SYSTEM, "no memory for a frame");

  for (int64_t traj = 0; traj < j->total && s == FC_OK; traj++) s = go_on(j, f, traj, x);
  if (s == FC_OK) s = fc_solve_show(j, 1, "");
  fc_field_close(f);
  free(x);
  return s;
}
