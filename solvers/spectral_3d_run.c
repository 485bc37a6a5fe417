/* solvers/spectral_3d_run.c - runs of solvers/box3d.h: its steps and frames as solvers/evolve.h wants them.
 */
#include "solvers/spectral_3d_run.h"

#include "solvers/box3d_history.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  fc_box3d         *s;
  fc_box3d_work    *k;
  fc_box3d_history *history;
  double           *spectrum;
} flow;

static void start(void *state, int64_t traj) {
  const flow *f = state;

  fc_box3d_start(f->s, f->k, traj);
  fc_box3d_history_start(f->history, f->s, f->k, traj);
}

/* the rate itself is of no interest; it may lie where a step begins with other numbers anyway */
static double speed(void *state) {
  const flow *f = state;

  fc_box3d_rate(f->s, f->k, f->k->u, f->k->stage);
  return f->k->speed;
}

static double step(void *state, double h) {
  const flow *f = state;

  fc_box3d_step(f->s, f->k, h);
  fc_box3d_history_step(f->history, f->s, f->k, h);
  return f->k->speed;
}

static void measure(void *state, double *out) {
  const flow           *f = state;
  const fc_box3d_budget q = fc_box3d_measure(f->s, f->k);

  fc_box3d_spectrum(f->s, f->k, f->spectrum);
  const fc_box3d_scales r = fc_box3d_scales_of(f->s, &q, f->spectrum);
  out[0]                  = q.energy;
  out[1]                  = q.enstrophy;
  out[2]                  = r.dissipation;
  out[3]                  = q.helicity;
  out[4]                  = r.re_lambda;
  out[5]                  = r.integral;
}

static void values(void *state, fc_real *x) {
  const flow *f = state;

  fc_box3d_values(f->s, f->k, x);
}

/* ---- states: the spectra of this rank, sums since the start, the place in the table ---- */

static int64_t flow_size(void *state) { return 3 * fc_box3d_size(((const flow *)state)->s); }
static int64_t state_size(void *state) { return flow_size(state) + 2 + FC_BOX3D_HISTORY; }

static void keep(void *state, double *x) {
  const flow   *f = state;
  const int64_t n = fc_box3d_size(f->s);

  for (int a = 0; a < 3; a++, x += n) memcpy(x, f->k->u[a], (size_t)n * sizeof *x);
  x[0] = f->k->lost, x[1] = f->k->given;
  fc_box3d_history_keep(f->history, x + 2);
}

static const double *restore_flow(const flow *f, const double *x) {
  const int64_t n = fc_box3d_size(f->s);

  for (int a = 0; a < 3; a++, x += n) memcpy(f->k->u[a], x, (size_t)n * sizeof *x);
  return x;
}

static void restore(void *state, const double *x) {
  const flow   *f    = state;
  const double *rest = restore_flow(f, x);

  f->k->lost = rest[0], f->k->given = rest[1];
  fc_box3d_history_restore(f->history, rest + 2);
}

static void begin_at(void *state, const double *x, int64_t traj) {
  const flow *f = state;

  restore_flow(f, x);
  f->k->lost = f->k->given = 0;
  fc_box3d_history_start(f->history, f->s, f->k, traj);
}

static fc_status failure(void *state) { return ((const flow *)state)->k->status; }

fc_evolve fc_box3d_evolve(const fc_box3d_config *c, int64_t nx) {
  static const fc_evolve_def def = {
      start,   speed,      step,
      measure, values,     {"energy", "enstrophy", "dissipation", "helicity", "Re_lambda", "integral scale"},
      failure, state_size, keep,
      restore, flow_size,  begin_at};

  return (fc_evolve){.def        = &def,
                     .t_skip     = c->t_skip,
                     .frame_dt   = c->frame_dt,
                     .frames     = c->frames,
                     .n_traj     = c->n_traj,
                     .first_traj = c->first_traj,
                     .dt         = c->dt,
                     .cfl        = c->cfl,
                     .dx         = c->length / (double)c->n,
                     .together   = fc_comm_size(NULL) > 1,
                     .points     = c->n * c->n * c->n,
                     .size       = nx * c->n * c->n * (c->pressure ? 4 : 3)};
}

static fc_status create(const fc_box3d_config *c, bool shared, flow *f) {
  FC_TRY(fc_box3d_create(c, shared, &f->s));
  FC_TRY(fc_box3d_work_create(f->s, &f->k));
  f->spectrum = calloc((size_t)fc_box3d_shells(f->s), sizeof *f->spectrum);
  FC_REQUIRE(f->spectrum, FC_E_SYSTEM, "no memory for a spectrum");
  return FC_OK;
}

static void destroy(flow *f) {
  free(f->spectrum);
  fc_box3d_work_destroy(f->k);
  fc_box3d_destroy(f->s);
}

/* ranks without memory must not leave the others waiting */
static fc_status agreed(fc_status mine, bool shared) {
  const fc_status all = shared ? fc_comm_agree(NULL, mine) : mine;

  return mine == FC_OK && all != FC_OK ? fc_fail(all, "another rank has no memory for the solver") : mine;
}

fc_status fc_box3d_run(const fc_box3d_config *config, const fc_audience *to) {
  const fc_box3d_config c        = fc_box3d_resolve(config);
  const bool            shared   = fc_comm_size(NULL) > 1;
  flow                  f        = {0};
  void                 *states[] = {&f};
  fc_status             s        = agreed(create(&c, true, &f), shared);

  if (s == FC_OK) s = fc_box3d_history_create(f.s, &f.history);
  if (s == FC_OK) {
    const fc_evolve e    = fc_box3d_evolve(&c, f.s->frame->nx);
    s                    = fc_evolve_run(&e, 1, states, to);
    const fc_status last = fc_box3d_history_finish(f.history, s);
    if (s == FC_OK) s = last;
  }
  destroy(&f);
  return s;
}

fc_status fc_box3d_advance(const fc_box3d_config *config, const int64_t *dim, const fc_real *x, double t0,
                           double frame_dt, int64_t n, fc_frame_sink sink, void *user) {
  fc_box3d_config c = *config;
  flow            f = {0};
  fc_status       s;

  FC_REQUIRE(dim[0] == dim[1] && dim[0] == dim[2] && dim[0] >= 8 && dim[0] % 2 == 0, FC_E_INPUT,
             "spectral_3d continues fields on even cubes, not %lld x %lld x %lld", (long long)dim[0],
             (long long)dim[1], (long long)dim[2]);
  FC_REQUIRE(frame_dt > 0, FC_E_INPUT, "frames %g apart: the time between frames must be positive", frame_dt);
  c.n       = dim[0];
  c.initial = FC_BOX3D_REST; /* not used; its options need not fit this grid */
  c.t_end   = 0;
  FC_TRY(fc_box3d_check(&c));
  c          = fc_box3d_resolve(&c);
  c.frame_dt = frame_dt;
  s          = create(&c, false, &f);
  if (s == FC_OK) {
    fc_evolve e = fc_box3d_evolve(&c, c.n);
    e.together  = false;
    fc_box3d_set(f.s, f.k, x);
    s = fc_evolve_on(&e, &f, t0, n, sink, user);
  }
  destroy(&f);
  return s;
}
