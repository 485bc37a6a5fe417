/* solvers/smoke_run.c - runs of solvers/smoke.h: its steps and frames as solvers/evolve.h wants them. */
#include "solvers/smoke.h"

#include "core/parallel.h"
#include "solvers/crew.h"

#include <math.h>
#include <string.h>

static void start(void *state, int64_t traj) { fc_smoke_start(state, traj); }

static double speed(void *state) { return fc_smoke_speed(state); }

static double step(void *state, double h) {
  const double v = fc_smoke_speed(state);

  fc_smoke_step(state, h);
  return v;
}

static void measure(void *state, double *out) {
  fc_smoke_work *w = state;

  out[2] = fc_smoke_total(w);
  out[0] = w->start != 0 ? out[2] / w->start - 1 : 0;
  out[1] = fc_smoke_energy(w);
}

static void values(void *state, fc_real *x) { fc_smoke_values(state, x); }

/* ---- runs that go on later: all fields with their borders, and the total at the start ---- */

static int64_t state_size(void *state) {
  const fc_smoke *s = ((fc_smoke_work *)state)->s;

  return (s->ndim + 1) * s->size + 1;
}

static void keep(void *state, double *x) {
  fc_smoke_work *w = state;

  for (int f = w->s->first; f < FC_SMOKE_FIELDS; f++, x += w->s->size)
    memcpy(x, w->now[f], (size_t)w->s->size * sizeof *x);
  *x = w->start;
}

static void restore(void *state, const double *x) {
  fc_smoke_work *w = state;

  for (int f = w->s->first; f < FC_SMOKE_FIELDS; f++, x += w->s->size) {
    memcpy(w->now[f], x, (size_t)w->s->size * sizeof *x);
    memset(w->next[0][f], 0, (size_t)w->s->size * sizeof *x); /* walls, and what is beyond them */
  }
  w->start = *x;
}

/* ---- runs ---- */

fc_evolve fc_smoke_evolve(const fc_smoke_config *c) {
  static const fc_evolve_def def   = {.start      = start,
                                      .speed      = speed,
                                      .step       = step,
                                      .measure    = measure,
                                      .values     = values,
                                      .name       = {"smoke drift", "energy", "smoke"},
                                      .state_size = state_size,
                                      .keep       = keep,
                                      .restore    = restore};
  const int64_t              cells = c->nx * c->ny * fc_max64(1, c->nz);
  double                     dx    = fmin(c->lx / (double)c->nx, c->ly / (double)c->ny);

  if (c->nz) dx = fmin(dx, c->lz / (double)c->nz);
  return (fc_evolve){.def        = &def,
                     .t_skip     = c->t_skip,
                     .frame_dt   = c->frame_dt,
                     .frames     = c->frames,
                     .n_traj     = c->n_traj,
                     .first_traj = c->first_traj,
                     .dt         = c->dt,
                     .cfl        = c->cfl,
                     .dx         = dx,
                     .points     = cells,
                     .size       = cells * (c->nz ? 4 : 3)};
}

/* A trajectory a thread while they are small; all threads on one of them otherwise. The bits are the same. */
int fc_smoke_lanes(const fc_smoke_config *c) {
  const bool large = c->nx * c->ny * fc_max64(1, c->nz) > 1 << 21;

  return large ? 1 : (int)fc_min64(fc_min64(c->n_traj, fc_threads()), FC_CREW_LANES);
}

fc_status fc_smoke_run(const fc_smoke_config *config, const fc_audience *to) {
  const fc_smoke_config c                     = fc_smoke_resolve(config);
  const fc_evolve       e                     = fc_smoke_evolve(&c);
  const int             n                     = fc_smoke_lanes(&c);
  void                 *states[FC_CREW_LANES] = {0};
  fc_smoke             *s                     = NULL;
  fc_status             status;

  FC_TRY(fc_smoke_check(config));
  status = fc_smoke_create(&c, &s);
  for (int i = 0; i < n && status == FC_OK; i++)
    status = fc_smoke_work_create(s, (fc_smoke_work **)&states[i]);
  if (status == FC_OK) status = fc_evolve_run(&e, n, states, to);
  for (int i = 0; i < n; i++) fc_smoke_work_destroy(states[i]);
  fc_smoke_destroy(s);
  return status;
}

fc_status fc_smoke_advance(const fc_smoke_config *config, const int64_t *dim, const fc_real *x, double t0,
                           double frame_dt, int64_t n, fc_frame_sink sink, void *user) {
  fc_smoke_config c = *config;
  fc_smoke       *s = NULL;
  fc_smoke_work  *w = NULL;
  fc_status       status;

  FC_REQUIRE(frame_dt > 0, FC_E_INPUT, "frames %g apart: the time between frames must be positive", frame_dt);
  c.nx       = dim[0];
  c.ny       = dim[1];
  c.nz       = c.nz ? dim[2] : 0;
  c.frame_dt = frame_dt;
  FC_TRY(fc_smoke_check(&c));
  c      = fc_smoke_resolve(&c);
  status = fc_smoke_create(&c, &s);
  if (status == FC_OK) status = fc_smoke_work_create(s, &w);
  if (status == FC_OK) {
    const fc_evolve e = fc_smoke_evolve(&c);
    fc_smoke_set(w, x);
    status = fc_evolve_on(&e, w, t0, n, sink, user);
  }
  fc_smoke_work_destroy(w);
  fc_smoke_destroy(s);
  return status;
}
