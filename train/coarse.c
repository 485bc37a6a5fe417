/* train/coarse.c */
#include "train/coarse.h"

#include "core/progress.h"
#include "train/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const fc_coarse *c;
  const fc_source *s;
  fc_frame_sink    sink;
  void            *user;
  fc_real         *fine;
} relay;

static fc_status refine(void *user, int64_t traj, int64_t t, const fc_real *x) {
  relay *r = user;

  if (!r->sink) return FC_OK; /* only timed */
  FC_TRY(fc_resample(r->s->geo.ndim, r->c->dim, r->s->geo.dim, r->s->out.n, x, r->fine));
  return r->sink(r->user, traj, t, r->fine);
}

/* from frame to frame, by Fourier series between the grids */
static fc_status march(const fc_coarse *c, const fc_source *s, const fc_real *x, double t0, int64_t n,
                       relay *r) {
  fc_real  *start = malloc((size_t)s->out_len * sizeof *start); /* the coarse grid is never finer */
  fc_status st    = start ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for the coarse solver");

  if (st == FC_OK) st = fc_resample(s->geo.ndim, s->geo.dim, c->dim, s->out.n, x, start);
  if (st == FC_OK) st = c->def->advance(c->config, c->dim, start, t0, s->geo.dt, n, refine, r);
  free(start);
  return st;
}

fc_status fc_coarse_run(const fc_coarse *c, const fc_source *s, const fc_real *x, double t0, int64_t n,
                        fc_frame_sink sink, void *user) {
  relay     r  = {c, s, sink, user, malloc((size_t)s->out_len * sizeof(fc_real))};
  fc_status st = r.fine ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for the coarse solver");

  if (st == FC_OK && !s->steady) st = march(c, s, x, t0, n, &r);
  if (st == FC_OK && s->steady) {
    st = c->def->steady(c->config, s->geo.dim, s->geo.lo, s->geo.hi, c->dim, x, r.fine);
    if (st == FC_OK && sink) st = sink(user, 0, 0, r.fine);
  }
  free(r.fine);
  return st;
}

static fc_status time_grid(fc_coarse *c, const fc_source *s, const fc_real *x, double t0) {
  FC_TRY(fc_coarse_run(c, s, x, t0, 1, NULL, NULL));
  const double begin = fc_now();
  FC_TRY(fc_coarse_run(c, s, x, t0, 1, NULL, NULL));
  c->seconds = fc_now() - begin;
  return FC_OK;
}

static bool same_names(int n, const fc_channel *have, const fc_field_spec *spec, int n_want,
                       const fc_out_field *want) {
  char name[FC_NAME];

  for (int i = 0; i < n; i++)
    if (!fc_field_spec_channel(spec, n_want, want, i, name) || strcmp(have[i].name, name)) return false;
  return !fc_field_spec_channel(spec, n_want, want, n, name);
}

/* NULL if the baseline can be run */
static const char *obstacle(const fc_source *s, const fc_coarse *c) {
  fc_field_spec spec;

  c->def->describe(c->config, &spec);
  if (!same_names(s->out.n, s->out.channel, &spec, spec.n_fields, spec.field))
    return "the channels are not the fields of its solver";
  if (s->steady) {
    if (!c->def->steady) return "its solver is not one for steady problems";
    return same_names(s->in.n, s->in.channel, &spec, spec.n_constant, spec.constant)
               ? NULL
               : "the inputs are not what its solver is given";
  }
  if (!c->def->advance) return "its solver cannot start from a given frame";
  for (int a = 0; a < s->geo.ndim; a++)
    if (!s->geo.periodic[a]) return "its box is not periodic";
  return isnan(s->geo.dt) ? "its frames are not equally spaced in time" : NULL;
}

/* even numbers of points per axis; at least 8 */
static bool set_grid(fc_coarse *c, const fc_source *s, double share) {
  bool large = true;

  for (int a = 0; a < s->geo.ndim; a++) {
    c->dim[a] = share == 1 ? s->geo.dim[a] : 2 * (int64_t)(share * (double)s->geo.dim[a] / 2);
    large &= c->dim[a] >= 8;
  }
  return large;
}

static fc_status search(fc_coarse *c, const fc_source *s, const fc_real *x, double t0, double budget) {
  static const double shares[] = {0.125, 0.1875, 0.25, 0.375, 0.5, 0.75};
  fc_coarse           best = *c, now = *c;

  set_grid(&now, s, 1);
  FC_TRY(time_grid(&now, s, x, t0));
  best.full = now.seconds;
  for (int i = 0; i < FC_COUNT(shares); i++) {
    if (!set_grid(&now, s, shares[i])) continue;
    const fc_status st = time_grid(&now, s, x, t0);
    if (st == FC_E_USAGE || st == FC_E_INPUT || st == FC_E_NUMERIC)
      continue; /* too coarse for the forcing, or unstable */
    FC_TRY(st);
    if (best.dim[0] && now.seconds > budget) break;
    memcpy(best.dim, now.dim, sizeof best.dim);
    best.seconds = now.seconds;
    best.dearer  = now.seconds > budget;
  }
  *c = best;
  return FC_OK;
}

fc_status fc_coarse_choose(const fc_source *s, const fc_real *x, double t0, double budget, fc_coarse *out,
                           const char **why) {
  const char *solver = fc_field_text(s->field, "solver");
  char        name[FC_NAME];

  memset(out, 0, sizeof *out);
  *why = "the data file does not say which solver made it";
  if (!solver[0]) return FC_OK;
  snprintf(name, sizeof name, "%s", solver);
  *why = "the solver named in the data file is not one of ours";
  if (fc_solver_restore(name, fc_field_text(s->field, "solver_config"), &out->def, &out->config) != FC_OK) {
    fc_coarse_free(out);
    return FC_OK;
  }
  *why         = obstacle(s, out);
  fc_status st = *why ? FC_OK : search(out, s, x, t0, budget);
  if (st == FC_OK && !*why && !out->dim[0]) *why = "its grid is too small to be made coarser";
  if (st != FC_OK || *why) fc_coarse_free(out);
  return st;
}

void fc_coarse_free(fc_coarse *c) {
  free(c->config);
  memset(c, 0, sizeof *c);
}
