/* solvers/evolve.c */
#include "solvers/evolve.h"

#include "core/parallel.h"
#include "hpc/comm.h"
#include "solvers/crew.h"
#include "solvers/kept.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { /* one lane of a crew */
  const fc_evolve *e;
  fc_crew         *crew;
  fc_kept         *kept; /* NULL: nobody wants states, or the solver has none to give */
  int              lane;
  void            *state;
  fc_real         *frame;
  int64_t          traj, next, left, steps;          /* next frame; steps until then; steps so far */
  double           t, goal, h, last, cfl, first_cfl; /* time, of the next frame; step, last step, its CFL
                                                        number, that of the first step */
  char note[160];
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

/* ---- states that are kept: where in time a trajectory is, and what the solver gives ---- */

static int64_t flow_size(const fc_evolve_def *d, void *state) {
  return d->flow_size ? d->flow_size(state) : d->state_size(state);
}

static void keep(worker *w) {
  double *r = fc_kept_place(w->kept, w->lane, w->traj); /* sets its first number */

  r[1] = (double)w->next, r[2] = (double)w->left, r[3] = (double)w->steps;
  r[4] = w->t, r[5] = w->goal, r[6] = w->h, r[7] = w->last, r[8] = w->cfl, r[9] = w->first_cfl;
  r[FC_KEPT_FLOW] = (double)flow_size(w->e->def, w->state);
  w->e->def->keep(w->state, r + FC_KEPT_TIMES);
}

static fc_status keep_if_asked(worker *w) {
  if (!w->kept || !fc_kept_wants(w->kept, w->lane)) return FC_OK;
  keep(w);
  return fc_kept_given(w->kept, w->lane);
}

/* a trajectory from where it was; false: from its start */
static bool go_on(worker *w) {
  bool          afresh;
  const double *r = w->kept ? fc_kept_record(w->kept, w->traj, &afresh) : NULL;

  if (!r) return false;
  const fc_evolve_def *d = w->e->def;
  if (afresh && d->begin_at)
    d->begin_at(w->state, r + FC_KEPT_TIMES, w->traj);
  else
    d->restore(w->state, r + FC_KEPT_TIMES);
  if (!afresh) {
    w->next = (int64_t)r[1], w->left = (int64_t)r[2], w->steps = (int64_t)r[3];
    w->t = r[4], w->goal = r[5], w->h = r[6], w->last = r[7], w->cfl = r[8], w->first_cfl = r[9];
  }
  fc_kept_taken(w->kept, w->traj);
  return true;
}

/* ---- steps ---- */

static fc_status after_step(worker *w) {
  const int64_t every = fc_max64(1, (1 << 20) / w->e->points); /* measuring costs little then */

  if (w->crew->to->done && (w->steps % every == 1 || every == 1)) describe_state(w);
  FC_TRY(fc_crew_progress(w->crew, w->last / (fc_evolve_time(w->e) * (double)w->e->n_traj), w->note));
  return keep_if_asked(w);
}

static fc_status blown_up(const worker *w) {
  if (w->e->def->status) FC_TRY(w->e->def->status(w->state));
  return fc_fail(
      FC_E_NUMERIC,
      "trajectory %lld became infinite or NaN near t = %.6g: step %.3g, CFL number %.3g in the first "
      "step and %.3g in the last; lower dt, or let cfl=0.5 choose it",
      (long long)(w->e->first_traj + w->traj), w->t, w->last, w->first_cfl, w->cfl);
}

/* ranks in step all stop where one has to: the others would wait for it */
static bool failed(const worker *w, bool mine) { return w->e->together ? fc_comm_any(NULL, mine) : mine; }

/* The rest of the way in equal steps. With a CFL number the step is chosen at the beginning, so that a run
   may be cut at any frame, and again when the flow has become faster by a quarter. */
static void choose_steps(worker *w, double rest, double speed) {
  w->left = fc_evolve_steps(rest, fc_evolve_limit(w->e, speed));
  w->h    = rest / (double)w->left;
}

static fc_status march(worker *w) {
  const fc_evolve *e = w->e;

  while (w->left > 0) {
    const double speed = e->def->step(w->state, w->h);
    w->last            = w->h;
    w->t               = --w->left ? w->t + w->h : w->goal;
    if (failed(w, !isfinite(speed))) return blown_up(w);
    w->cfl = w->h * speed / e->dx;
    if (w->steps++ == 0) w->first_cfl = w->cfl;
    if (w->left && e->cfl > 0 && w->cfl > 1.25 * e->cfl) choose_steps(w, (double)w->left * w->h, speed);
    FC_TRY(after_step(w));
  }
  return FC_OK;
}

static fc_status march_for(worker *w, double span) {
  w->goal = w->t + span;
  choose_steps(w, span, w->e->cfl > 0 ? w->e->def->speed(w->state) : 0);
  return march(w);
}

/* ---- frames ---- */

static void tell(const worker *w, const double *q) {
  const fc_audience *to = w->crew->to;
  const int          n  = measures(w->e->def);

  for (int i = 0; i < n; i++) fc_crew_widen(w->crew, i, q[i]);
  if (w->kept) fc_kept_measured(w->kept, n, q);
  if (!to->measured || w->next < w->e->frames - 1) return;
  FC_CRITICAL(fc_solver_out) to->measured(to->done_user, w->traj, n, w->e->def->name, q);
}

static fc_status emit(worker *w) {
  bool   finite = true;
  double q[FC_EVOLVE_MEASURES];

  FC_TRY(keep_if_asked(w));
  w->e->def->measure(w->state, q);
  w->e->def->values(w->state, w->frame);
  for (int64_t i = 0; i < w->e->size; i++) finite &= isfinite(w->frame[i]) != 0;
  if (failed(w, !finite)) return blown_up(w);
  tell(w, q);
  FC_TRY(fc_crew_emit(w->crew, w->traj, w->next, w->frame));
  w->next++;
  return FC_OK;
}

static fc_status frames(worker *w, bool going_on) {
  const fc_evolve *e = w->e;

  while (w->next < e->frames) {
    const double span = w->next ? e->frame_dt : e->t_skip;
    if (going_on) {
      FC_TRY(march(w));
    } else if (span > 0)
      FC_TRY(march_for(w, span));
    going_on = false;
    w->t     = e->t_skip + (double)w->next * e->frame_dt;
    FC_TRY(emit(w));
  }
  return FC_OK;
}

static fc_status trajectory(void *self, int lane, int64_t traj) {
  worker          *w     = (worker *)self + lane;
  const fc_evolve *e     = w->e;
  const double     share = 1 / (double)e->n_traj;

  if (w->kept && fc_kept_finished(w->kept, traj)) {
    fc_crew_credit(w->crew, share);
    fc_kept_finish(w->kept, lane, traj);
    return FC_OK;
  }
  w->traj = traj;
  w->t = w->goal = w->h = w->last = w->cfl = w->first_cfl = 0;
  w->next = w->left = w->steps = 0;
  const bool restored = go_on(w), going_on = restored && (w->steps || w->next);
  if (!restored) e->def->start(w->state, traj);
  if (going_on && w->t > 0) fc_crew_credit(w->crew, share * w->t / fc_evolve_time(e));
  const fc_status s = frames(w, going_on);
  if (s == FC_STOPPED) keep_if_asked(w); /* another lane was asked first, and stopped all */
  if (s == FC_OK && w->kept && w->kept->last) keep(w);
  if (s == FC_OK && w->kept) fc_kept_finish(w->kept, lane, traj);
  return s;
}

/* the audience gets the states, if it wants them and there are any */
static fc_status begin_keeping(const fc_evolve *e, int lanes, void *const *states, fc_crew *c,
                               fc_kept **out) {
  *out = e->def->keep ? c->to->kept : NULL;
  if (!*out) return FC_OK;
  for (int i = 0; i < measures(e->def); i++) {
    const double range[2] = {(*out)->sums.least[i], (*out)->sums.most[i]};
    if (range[0] <= range[1]) fc_crew_widen(c, i, range[0]), fc_crew_widen(c, i, range[1]);
  }
  return fc_kept_begin(*out, e->n_traj, lanes, e->def->state_size(states[0]), flow_size(e->def, states[0]));
}

fc_status fc_evolve_run(const fc_evolve *e, int lanes, void *const *states, const fc_audience *to) {
  fc_crew   crew = {.to = to};
  fc_kept  *kept = NULL;
  worker   *w    = calloc((size_t)lanes, sizeof *w);
  fc_real  *room = calloc((size_t)lanes * (size_t)e->size, sizeof *room);
  fc_status s    = w && room ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for %d frames", lanes);

  if (s == FC_OK) s = begin_keeping(e, lanes, states, &crew, &kept);
  for (int i = 0; i < lanes && s == FC_OK; i++)
    w[i] = (worker){e, &crew, kept, i, states[i], room + i * e->size};
  if (s == FC_OK) s = fc_crew_run(&crew, e->n_traj, lanes, trajectory, w);
  if (s == FC_OK) s = fc_crew_finish(&crew, measures(e->def), e->def->name);
  free(w);
  free(room);
  return s;
}

fc_status fc_evolve_on(const fc_evolve *e, void *state, double t0, int64_t n, fc_frame_sink sink,
                       void *user) {
  const fc_audience to   = {.sink = sink, .user = user};
  fc_crew           crew = {.to = &to};
  worker            w    = {
                    .e = e, .crew = &crew, .state = state, .frame = calloc((size_t)e->size, sizeof *w.frame), .t = t0};
  fc_status s = w.frame ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for a frame");

  for (int64_t f = 0; f < n && s == FC_OK; f++) {
    w.next = f;
    s      = march_for(&w, e->frame_dt);
    if (s == FC_OK) s = emit(&w);
  }
  free(w.frame);
  return s;
}
