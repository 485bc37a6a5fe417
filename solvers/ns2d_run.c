/* solvers/ns2d_run.c - runs of solvers/ns2d.h: its steps and frames as solvers/evolve.h wants them. */
#include "solvers/ns2d_run.h"

#include "core/parallel.h"
#include "solvers/crew.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  const fc_ns2d *s;
  fc_ns2d_work  *k;
} flow;

static void start(void *state, int64_t traj) {
  const flow *f = state;

  fc_ns2d_start(f->s, f->k, traj);
}

static double speed(void *state) {
  const flow *f = state;

  fc_ns2d_rate(f->s, f->k, f->k->w, f->k->rate[0]);
  return f->k->speed;
}

static double step(void *state, double h) {
  const flow *f = state;

  fc_ns2d_step(f->s, f->k, h);
  return f->k->speed;
}

static void measure(void *state, double out[2]) {
  const flow          *f = state;
  const fc_ns2d_budget q = fc_ns2d_measure(f->s, f->k);

  out[0] = q.energy;
  out[1] = q.enstrophy;
}

static void values(void *state, fc_real *x) {
  const flow *f = state;

  fc_ns2d_values(f->s, f->k, x);
}

/* Every step begins at the spectrum of the vorticity and nothing else. */
static int64_t state_size(void *state) {
  const flow *f = state;

  return 2 * f->s->n * f->s->nh;
}

static void keep(void *state, double *x) {
  const flow *f = state;

  memcpy(x, f->k->w, (size_t)state_size(state) * sizeof *x);
}

static void restore(void *state, const double *x) {
  const flow *f = state;

  memcpy(f->k->w, x, (size_t)state_size(state) * sizeof *x);
}

fc_evolve fc_ns2d_evolve(const fc_ns2d_config *c) {
  static const fc_evolve_def def = {start,
                                    speed,
                                    step,
                                    measure,
                                    values,
                                    {"energy", "enstrophy"},
                                    .state_size = state_size,
                                    .keep       = keep,
                                    .restore    = restore};

  return (fc_evolve){.def        = &def,
                     .t_skip     = c->t_skip,
                     .frame_dt   = c->frame_dt,
                     .frames     = c->frames,
                     .n_traj     = c->n_traj,
                     .first_traj = c->first_traj,
                     .dt         = c->dt,
                     .cfl        = c->cfl,
                     .dx         = c->length / (double)c->n,
                     .points     = c->n * c->n,
                     .size       = c->n_keep * c->n_keep};
}

/* Small grids: a trajectory a thread. Large ones: all threads on one trajectory. The bits are the same. */
int fc_ns2d_lanes(const fc_ns2d_config *c) {
  return c->n <= 256 ? (int)fc_min64(fc_min64(c->n_traj, fc_threads()), FC_CREW_LANES) : 1;
}

fc_status fc_ns2d_run(const fc_ns2d_config *config, const fc_audience *to) {
  const fc_ns2d_config c = fc_ns2d_resolve(config);
  const fc_evolve      e = fc_ns2d_evolve(&c);
  const int            n = fc_ns2d_lanes(&c);
  void                *states[FC_CREW_LANES];
  flow                *f      = calloc((size_t)n, sizeof *f);
  fc_ns2d             *s      = NULL;
  fc_status            status = f ? fc_ns2d_create(&c, &s) : fc_fail(FC_E_SYSTEM, "no memory for the solver");

  for (int i = 0; i < n && status == FC_OK; i++) {
    f[i].s    = s;
    states[i] = &f[i];
    status    = fc_ns2d_work_create(s, &f[i].k);
  }
  if (status == FC_OK) status = fc_evolve_run(&e, n, states, to);
  for (int i = 0; f && i < n; i++) fc_ns2d_work_destroy(f[i].k);
  free(f);
  fc_ns2d_destroy(s);
  return status;
}

fc_status fc_ns2d_advance(const fc_ns2d_config *config, const int64_t *dim, const fc_real *x, double t0,
                          double frame_dt, int64_t n, fc_frame_sink sink, void *user) {
  fc_ns2d_config c = *config;
  fc_ns2d       *s = NULL;
  flow           f = {0};
  fc_status      status;

  FC_REQUIRE(dim[0] == dim[1] && dim[0] >= 8 && dim[0] % 2 == 0, FC_E_INPUT,
             "spectral_2d continues fields on even square grids, not %lld x %lld", (long long)dim[0],
             (long long)dim[1]);
  FC_REQUIRE(frame_dt > 0, FC_E_INPUT, "frames %g apart: the time between frames must be positive", frame_dt);
  c.n = c.n_keep = dim[0];
  c.initial      = FC_NS2D_REST; /* not used; its options need not fit this grid */
  FC_TRY(fc_ns2d_check(&c));
  c          = fc_ns2d_resolve(&c);
  c.frame_dt = frame_dt;
  FC_TRY(fc_ns2d_create(&c, &s));
  f.s    = s;
  status = fc_ns2d_work_create(s, &f.k);
  if (status == FC_OK) {
    const fc_evolve e = fc_ns2d_evolve(&c);
    fc_ns2d_set(s, f.k, x);
    status = fc_evolve_on(&e, &f, t0, n, sink, user);
  }
  fc_ns2d_work_destroy(f.k);
  fc_ns2d_destroy(s);
  return status;
}
