/* solvers/etd1d_run.c - description, plan and runs of both equations. */
#include "solvers/etd1d.h"

#include "core/parallel.h"
#include "solvers/crew.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the output will be, and cost ---- */

void fc_etd1d_describe(const fc_etd1d_config *config, fc_field_spec *out) {
  static const fc_out_field field[] = {{"u", "1", 0}};
  const fc_etd1d_config     c       = fc_etd1d_resolve(config);

  *out = (fc_field_spec){.name       = c.equation == FC_ETD1D_BURGERS ? "burgers" : "kuramoto_sivashinsky",
                         .ndim       = 1,
                         .dim        = {c.n_keep},
                         .axis       = {"x"},
                         .spacing    = {c.length / (double)c.n_keep},
                         .periodic   = {true},
                         .n_traj     = c.n_traj,
                         .n_steps    = c.frames,
                         .t0         = c.t_skip,
                         .dt         = c.frame_dt,
                         .time_unit  = "",
                         .space_unit = "",
                         .n_fields   = 1,
                         .field      = field,
                         .n_params   = 1,
                         .param      = {{"nu", c.nu}}};
}

/* Every step begins at the spectrum and nothing else. */
static int64_t state_size(void *state) {
  const fc_etd1d_work *w = state;

  return 2 * w->s->nh;
}

static void keep(void *state, double *x) {
  const fc_etd1d_work *w = state;

  memcpy(x, w->u, (size_t)state_size(state) * sizeof *x);
}

static void restore(void *state, const double *x) {
  const fc_etd1d_work *w = state;

  memcpy(w->u, x, (size_t)state_size(state) * sizeof *x);
}

static fc_evolve evolution(const fc_etd1d_config *c);

static int lanes_of(const fc_etd1d_config *c) {
  return (int)fc_min64(fc_min64(c->n_traj, fc_threads()), FC_CREW_LANES);
}

/* With a CFL number the speed is not known before the run: the estimate takes the first initial field. */
static double first_step(const fc_etd1d_config *c) {
  const fc_evolve e = evolution(c);
  fc_etd1d       *s = NULL;
  fc_etd1d_work  *w = NULL;
  double          h = NAN;

  if (c->cfl == 0) return c->dt;
  if (fc_etd1d_create(c, &s) == FC_OK && fc_etd1d_work_create(s, &w) == FC_OK) {
    fc_etd1d_start(w, 0);
    h = fmin(fc_evolve_limit(&e, e.def->speed(w)), c->frame_dt);
  }
  fc_etd1d_work_destroy(w);
  fc_etd1d_destroy(s);
  return h;
}

void fc_etd1d_plan(const fc_etd1d_config *config, FILE *out) {
  const fc_etd1d_config c = fc_etd1d_resolve(config);
  const fc_evolve       e = evolution(&c);
  const double          h = first_step(&c);
  const double steps      = ceil((double)fc_evolve_steps(c.frame_dt, h) * (fc_evolve_time(&e) / c.frame_dt));

  fprintf(out, "grid         %lld points computed, %lld kept\n", (long long)c.n, (long long)c.n_keep);
  fprintf(out, "frames       %lld x %lld, %g apart, the first at t = %g\n", (long long)c.n_traj,
          (long long)c.frames, c.frame_dt, c.t_skip);
  fprintf(out, "steps        %.0f a trajectory, %.3g %s\n", steps, h,
          c.cfl > 0 ? "long, judging by the speed of the first initial field" : "long");
  fprintf(out, "transforms   %.3g of %lld points in all\n", steps * 8 * (double)c.n_traj,
          (long long)(3 * c.n / 2));
  fprintf(out, "output       %.3g MB\n",
          (double)(c.n_traj * c.frames * c.n_keep) * (double)sizeof(fc_real) / 1e6);
}

/* ---- runs ---- */

static void start(void *state, int64_t traj) { fc_etd1d_start(state, traj); }

static double speed(void *state) {
  fc_etd1d_work *w = state;

  fc_etd1d_rate(w, w->u, w->rate[0]);
  return w->speed;
}

static double step(void *state, double h) {
  fc_etd1d_work *w = state;

  fc_etd1d_step(w, h);
  return w->speed;
}

static void measure(void *state, double out[2]) {
  const fc_etd1d_budget b = fc_etd1d_measure(state);

  out[0] = b.energy;
  out[1] = b.mean;
}

static void values(void *state, fc_real *x) { fc_etd1d_values(state, x); }

static fc_evolve evolution(const fc_etd1d_config *c) {
  static const fc_evolve_def def = {start,
                                    speed,
                                    step,
                                    measure,
                                    values,
                                    {"energy", "mean"},
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
                     .points     = c->n,
                     .size       = c->n_keep};
}

fc_status fc_etd1d_run(const fc_etd1d_config *config, const fc_audience *to) {
  const fc_etd1d_config c                     = fc_etd1d_resolve(config);
  const fc_evolve       e                     = evolution(&c);
  const int             n                     = lanes_of(&c);
  void                 *states[FC_CREW_LANES] = {0};
  fc_etd1d             *s                     = NULL;
  fc_status             status;

  FC_TRY(fc_etd1d_check(&c));
  status = fc_etd1d_create(&c, &s);
  for (int i = 0; i < n && status == FC_OK; i++)
    status = fc_etd1d_work_create(s, (fc_etd1d_work **)&states[i]);
  if (status == FC_OK) status = fc_evolve_run(&e, n, states, to);
  for (int i = 0; i < n; i++) fc_etd1d_work_destroy(states[i]);
  fc_etd1d_destroy(s);
  return status;
}

fc_status fc_etd1d_advance(const fc_etd1d_config *config, const int64_t *dim, const fc_real *x, double t0,
                           double frame_dt, int64_t n, fc_frame_sink sink, void *user) {
  fc_etd1d_config c = *config;
  fc_etd1d       *s = NULL;
  fc_etd1d_work  *w = NULL;
  fc_status       status;

  FC_REQUIRE(dim[0] >= 8 && dim[0] % 2 == 0, FC_E_INPUT,
             "the solver continues fields on even grids of 8 points "
             "or more, not on %lld",
             (long long)dim[0]);
  FC_REQUIRE(frame_dt > 0, FC_E_INPUT, "frames %g apart: the time between frames must be positive", frame_dt);
  c.n = c.n_keep = dim[0];
  c.initial      = FC_ETD1D_GRF; /* not used; waves need not fit this grid */
  c.frame_dt     = frame_dt;
  FC_TRY(fc_etd1d_check(&c));
  status = fc_etd1d_create(&c, &s);
  if (status == FC_OK) status = fc_etd1d_work_create(s, &w);
  if (status == FC_OK) {
    const fc_evolve e = evolution(&c);
    fc_etd1d_set(w, x);
    status = fc_evolve_on(&e, w, t0, n, sink, user);
  }
  fc_etd1d_work_destroy(w);
  fc_etd1d_destroy(s);
  return status;
}
