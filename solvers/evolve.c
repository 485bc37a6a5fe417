/* solvers/evolve.c */
#include "solvers/evolve.h"

#include "core/parallel.h"
#include "hpc/comm.h"
#include "solvers/attendant.h"
#include "solvers/crew.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct { /* one lane of a crew */
  const fc_evolve *e;
  fc_crew         *crew;
  void            *state;
  fc_real         *frame;
  int64_t          traj, steps;
  double           t, h, cfl, first_cfl; /* time; last step, its CFL number, that of the first step */
  char             note[160];
} worker;

double fc_evolve_time(const fc_evolve *e) { return e->t_skip + (double)(e->frames - 1) * e->frame_dt; }

int64_t fc_evolve_steps(double span, double limit) {
  return fc_max64(1, (int64_t)fmin(ceil(span / limit - 1e-9), 1e15));
}

double fc_evolve_limit(const fc_evolve *e, double speed) {
  const double dt = e->dt > 0 ? e->dt : INFINITY;

  return e->cfl > 0 && speed > 0 ? fmin(dt, e->cfl * e->dx / speed) : dt;
}

static int measures(const fc_evolve_def *d) {
  int n = 0;

  while (n < FC_EVOLVE_MEASURES && d->name[n]) n++;
  return n;
}

/* the first two of what is measured: more would not fit a line */
static void describe_state(worker *w) {
  const fc_evolve_def *d    = w->e->def;
  const int            size = (int)sizeof w->note;
  double               q[FC_EVOLVE_MEASURES];
  int                  at = snprintf(w->note, sizeof w->note, "trajectory %lld, t %.4g",
                                     (long long)(w->e->first_traj + w->traj), w->t);

  d->measure(w->state, q);
  for (int i = 0; i < fc_min64(2, measures(d)) && at < size; i++)
    at += snprintf(w->note + at, (size_t)(size - at), ", %s %.4g", d->name[i], q[i]);
  if (at < size) snprintf(w->note + at, (size_t)(size - at), ", CFL %.2f", w->cfl);
}

static fc_status after_step(worker *w) {
  const int64_t every = fc_max64(1, (1 << 20) / w->e->points); /* measuring costs little then */

  if (w->crew->done && (w->steps % every == 1 || every == 1)) describe_state(w);
  return fc_crew_progress(w->crew, w->h / (fc_evolve_time(w->e) * (double)w->e->n_traj), w->note);
}

static fc_status blown_up(const worker *w) {
  if (w->e->def->status) FC_TRY(w->e->def->status(w->state));
  return fc_fail(
      FC_E_NUMERIC,
      "trajectory %lld became infinite or NaN near t = %.6g: step %.3g, CFL number %.3g in the first "
      "step and %.3g in the last; lower dt, or let cfl=0.5 choose it",
      (long long)(w->e->first_traj + w->traj), w->t, w->h, w->first_cfl, w->cfl);
}

/* ranks in step all stop where one has to: the others would wait for it */
static bool failed(const worker *w, bool mine) { return w->e->together ? fc_comm_any(NULL, mine) : mine; }

/* Advances by a time span in equal steps. With a CFL number the step is chosen at the beginning, so that a
   run may be cut at any frame, and again when the flow has become faster by a quarter. */
static fc_status march(worker *w, double span) {
  const fc_evolve *e     = w->e;
  const double     start = w->t;
  double           speed = e->cfl > 0 ? e->def->speed(w->state) : 0;
  int64_t          n     = fc_evolve_steps(span, fc_evolve_limit(e, speed));
  double           h     = span / (double)n;

  while (n-- > 0) {
    w->h  = h;
    speed = e->def->step(w->state, h);
    w->t  = n ? w->t + h : start + span;
    if (failed(w, !isfinite(speed))) return blown_up(w);
    w->cfl = h * speed / e->dx;
    if (w->steps++ == 0) w->first_cfl = w->cfl;
    FC_TRY(after_step(w));
    if (n && e->cfl > 0 && w->cfl > 1.25 * e->cfl) {
      const double rest = (double)n * h;
      n                 = fc_evolve_steps(rest, fc_evolve_limit(e, speed));
      h                 = rest / (double)n;
    }
  }
  return FC_OK;
}

static void tell(const worker *w, const double *q) {
  const fc_attendant *a = fc_attendant_get();

  if (!a || !a->measured) return;
  FC_CRITICAL(fc_solver_out) a->measured(a->self, w->traj, measures(w->e->def), w->e->def->name, q);
}

static fc_status emit(worker *w, int64_t frame) {
  bool   finite = true;
  double q[FC_EVOLVE_MEASURES];

  w->e->def->measure(w->state, q);
  w->e->def->values(w->state, w->frame);
  for (int64_t i = 0; i < w->e->size; i++) finite &= isfinite(w->frame[i]) != 0;
  if (failed(w, !finite)) return blown_up(w);
  for (int i = 0; i < measures(w->e->def); i++) fc_crew_widen(w->crew, i, q[i]);
  if (frame == w->e->frames - 1) tell(w, q);
  return fc_crew_emit(w->crew, w->traj, frame, w->frame);
}

static fc_status trajectory(void *self, int lane, int64_t traj) {
  worker          *w = (worker *)self + lane;
  const fc_evolve *e = w->e;

  w->traj  = traj;
  w->t     = 0;
  w->steps = 0;
  e->def->start(w->state, traj);
  for (int64_t f = 0; f < e->frames; f++) {
    const double span = f ? e->frame_dt : e->t_skip;
    if (span > 0) FC_TRY(march(w, span));
    w->t = e->t_skip + (double)f * e->frame_dt;
    FC_TRY(emit(w, f));
  }
  return FC_OK;
}

static fc_status summarise(const fc_evolve *e, fc_crew *c) {
  char note[200] = "";
  int  at        = 0;

  for (int i = 0; i < measures(e->def) && at < (int)sizeof note; i++)
    at += snprintf(note + at, sizeof note - (size_t)at, "%s%s %.4g to %.4g", i ? ", " : "", e->def->name[i],
                   c->range[i][0], c->range[i][1]);
  return fc_crew_finish(c, note);
}

fc_status fc_evolve_run(const fc_evolve *e, int lanes, void *const *states, fc_frame_sink sink, void *user,
                        fc_status (*done)(void *, double, const char *), void *done_user) {
  fc_crew   crew   = {sink, user, done, done_user};
  worker   *w      = calloc((size_t)lanes, sizeof *w);
  fc_real  *frames = calloc((size_t)lanes * (size_t)e->size, sizeof *frames);
  fc_status s      = w && frames ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for %d frames", lanes);

  for (int i = 0; i < lanes && s == FC_OK; i++) w[i] = (worker){e, &crew, states[i], frames + i * e->size};
  if (s == FC_OK) s = fc_crew_run(&crew, e->n_traj, lanes, trajectory, w);
  if (s == FC_OK) s = summarise(e, &crew);
  free(w);
  free(frames);
  return s;
}

fc_status fc_evolve_on(const fc_evolve *e, void *state, double t0, int64_t n, fc_frame_sink sink,
                       void *user) {
  fc_crew   crew = {sink, user};
  worker    w    = {e, &crew, state, calloc((size_t)e->size, sizeof *w.frame), .t = t0};
  fc_status s    = w.frame ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for a frame");

  for (int64_t f = 0; f < n && s == FC_OK; f++) {
    s = march(&w, e->frame_dt);
    if (s == FC_OK) s = emit(&w, f);
  }
  free(w.frame);
  return s;
}
