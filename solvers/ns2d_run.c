/* solvers/ns2d_run.c - trajectories from the initial field to the last frame, and continuation of a given
 * frame. */
#include "solvers/ns2d_run.h"

#include "core/parallel.h"
#include "solvers/crew.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ENERGY, ENSTROPHY }; /* diagnostics whose range is told */

typedef struct { /* one lane of a crew */
  const fc_ns2d *s;
  fc_crew       *crew;
  fc_ns2d_work  *k;
  fc_real       *frame;
  int64_t        traj, steps;
  double         t, h, cfl, first_cfl; /* time; last step, its CFL number, that of the first step */
  char           note[160];
} worker;

double fc_ns2d_time(const fc_ns2d_config *c) { return c->t_skip + (double)(c->frames - 1) * c->frame_dt; }

int64_t fc_ns2d_steps(double span, double limit) {
  return fc_max64(1, (int64_t)fmin(ceil(span / limit - 1e-9), 1e15));
}

double fc_ns2d_step_limit(const fc_ns2d *s, double speed) {
  const double dt = s->c.dt > 0 ? s->c.dt : INFINITY;

  return s->c.cfl > 0 && speed > 0 ? fmin(dt, s->c.cfl * s->dx / speed) : dt;
}

static void describe_state(worker *w) {
  const fc_ns2d       *s = w->s;
  const fc_ns2d_budget q = fc_ns2d_measure(s, w->k);

  snprintf(w->note, sizeof w->note, "trajectory %lld, t %.4g, energy %.4g, enstrophy %.4g, CFL %.2f",
           (long long)(s->c.first_traj + w->traj), w->t, q.energy, q.enstrophy, w->cfl);
}

static fc_status after_step(worker *w) {
  const int64_t every = fc_max64(1, (1 << 20) / (w->s->n * w->s->n)); /* measuring costs little then */

  if (w->crew->done && (w->steps % every == 1 || every == 1)) describe_state(w);
  return fc_crew_progress(w->crew, w->h / (fc_ns2d_time(&w->s->c) * (double)w->s->c.n_traj), w->note);
}

static fc_status blown_up(const worker *w) {
  return fc_fail(
      FC_E_NUMERIC,
      "trajectory %lld became infinite or NaN near t = %.6g: step %.3g, CFL number %.3g in the first "
      "step and %.3g in the last; lower dt, or let cfl=0.5 choose it",
      (long long)(w->s->c.first_traj + w->traj), w->t, w->h, w->first_cfl, w->cfl);
}

/* Advances by a time span in equal steps. With a CFL number the step is chosen at the beginning, so that a
   run may be cut at any frame, and again when the flow has become faster by a quarter. */
static fc_status march(worker *w, double span) {
  const fc_ns2d *s     = w->s;
  const double   start = w->t;

  if (s->c.cfl > 0) fc_ns2d_rate(s, w->k, w->k->w, w->k->rate[0]);
  int64_t n = fc_ns2d_steps(span, fc_ns2d_step_limit(s, w->k->speed));
  double  h = span / (double)n;
  while (n-- > 0) {
    w->h = h;
    fc_ns2d_step(s, w->k, h);
    w->t = n ? w->t + h : start + span;
    if (!isfinite(w->k->speed)) return blown_up(w);
    w->cfl = h * w->k->speed / s->dx;
    if (w->steps++ == 0) w->first_cfl = w->cfl;
    FC_TRY(after_step(w));
    if (n && s->c.cfl > 0 && w->cfl > 1.25 * s->c.cfl) {
      const double rest = (double)n * h;
      n                 = fc_ns2d_steps(rest, fc_ns2d_step_limit(s, w->k->speed));
      h                 = rest / (double)n;
    }
  }
  return FC_OK;
}

static fc_status emit(worker *w, int64_t frame) {
  const fc_ns2d       *s      = w->s;
  const fc_ns2d_budget q      = fc_ns2d_measure(s, w->k);
  bool                 finite = true;

  fc_ns2d_values(s, w->k, w->frame);
  for (int64_t i = 0; i < s->c.n_keep * s->c.n_keep; i++) finite &= isfinite(w->frame[i]) != 0;
  if (!finite) return blown_up(w);
  fc_crew_widen(w->crew, ENERGY, q.energy);
  fc_crew_widen(w->crew, ENSTROPHY, q.enstrophy);
  return fc_crew_emit(w->crew, w->traj, frame, w->frame);
}

static fc_status trajectory(void *self, int lane, int64_t traj) {
  worker               *w = (worker *)self + lane;
  const fc_ns2d_config *c = &w->s->c;

  w->traj  = traj;
  w->t     = 0;
  w->steps = 0;
  fc_ns2d_start(w->s, w->k, traj);
  for (int64_t f = 0; f < c->frames; f++) {
    const double span = f ? c->frame_dt : c->t_skip;
    if (span > 0) FC_TRY(march(w, span));
    w->t = c->t_skip + (double)f * c->frame_dt;
    FC_TRY(emit(w, f));
  }
  return FC_OK;
}

static fc_status summarise(fc_crew *c) {
  char note[160];

  snprintf(note, sizeof note, "energy %.4g to %.4g, enstrophy %.4g to %.4g", c->range[ENERGY][0],
           c->range[ENERGY][1], c->range[ENSTROPHY][0], c->range[ENSTROPHY][1]);
  return fc_crew_finish(c, note);
}

/* Small grids: a trajectory a thread. Large ones: all threads on one trajectory. The bits are the same. */
int fc_ns2d_lanes(const fc_ns2d_config *c) {
  return c->n <= 256 ? (int)fc_min64(c->n_traj, fc_threads()) : 1;
}

fc_status fc_ns2d_run(const fc_ns2d_config *config, fc_frame_sink sink, void *user,
                      fc_status (*done)(void *, double, const char *), void *done_user) {
  fc_crew   crew   = {sink, user, done, done_user};
  fc_ns2d  *s      = NULL;
  worker   *w      = NULL;
  fc_real  *frames = NULL;
  int       lanes  = 0;
  fc_status status;

  FC_TRY(fc_ns2d_create(config, &s));
  lanes              = (int)fc_min64(fc_ns2d_lanes(&s->c), FC_CREW_LANES);
  const int64_t size = s->c.n_keep * s->c.n_keep;
  w                  = calloc((size_t)lanes, sizeof *w);
  frames             = calloc((size_t)lanes * (size_t)size, sizeof *frames);
  status             = w && frames ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for %d frames", lanes);
  for (int i = 0; i < lanes && status == FC_OK; i++) {
    w[i]   = (worker){.s = s, .crew = &crew, .frame = frames + i * size};
    status = fc_ns2d_work_create(s, &w[i].k);
  }
  if (status == FC_OK) status = fc_crew_run(&crew, s->c.n_traj, lanes, trajectory, w);
  if (status == FC_OK) status = summarise(&crew);
  for (int i = 0; w && i < lanes; i++) fc_ns2d_work_destroy(w[i].k);
  free(w);
  free(frames);
  fc_ns2d_destroy(s);
  return status;
}

fc_status fc_ns2d_advance(const fc_ns2d_config *config, const int64_t *dim, const fc_real *x, double t0,
                          double frame_dt, int64_t n, fc_frame_sink sink, void *user) {
  fc_ns2d_config c = *config;
  fc_ns2d       *s = NULL;
  fc_status      status;

  FC_REQUIRE(dim[0] == dim[1] && dim[0] >= 8 && dim[0] % 2 == 0, FC_E_INPUT,
             "spectral_2d continues fields on even square grids, not %lld x %lld", (long long)dim[0],
             (long long)dim[1]);
  FC_REQUIRE(frame_dt > 0, FC_E_INPUT, "frames %g apart: the time between frames must be positive", frame_dt);
  c.n = c.n_keep = dim[0];
  c.initial      = FC_NS2D_REST; /* not used; its options need not fit this grid */
  FC_TRY(fc_ns2d_check(&c));
  FC_TRY(fc_ns2d_create(&c, &s));
  fc_crew crew = {sink, user};
  worker  w = {.s = s, .crew = &crew, .t = t0, .frame = calloc((size_t)(dim[0] * dim[1]), sizeof(fc_real))};
  status    = w.frame ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for a frame");
  if (status != FC_OK) goto end;
  FC_TRY_TO(end, status, fc_ns2d_work_create(s, &w.k));
  fc_ns2d_set(s, w.k, x);
  for (int64_t f = 0; f < n; f++) {
    FC_TRY_TO(end, status, march(&w, frame_dt));
    FC_TRY_TO(end, status, emit(&w, f));
  }
end:
  fc_ns2d_work_destroy(w.k);
  free(w.frame);
  fc_ns2d_destroy(s);
  return status;
}
