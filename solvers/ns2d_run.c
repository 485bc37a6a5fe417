/* solvers/ns2d_run.c - trajectories from the initial field to the last frame, and continuation of a given
 * frame. */
#include "solvers/ns2d_run.h"

#include "core/parallel.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct { /* what the workers of a run share */
  const fc_ns2d *s;
  fc_frame_sink  sink;
  void          *user;
  fc_status (*done)(void *, double, const char *);
  void      *done_user;
  double     energy[2], enstrophy[2]; /* smallest and largest of all frames; under the lock */
  double     fraction;                /* of the work done; under the lock */
  atomic_int stopped;
  fc_status  status; /* first failure, with its text */
  char       text[1024];
} batch;

typedef struct { /* one worker */
  batch        *b;
  fc_ns2d_work *k;
  fc_real      *frame;
  int64_t       traj, steps;
  double        t, h, cfl, first_cfl; /* time; last step, its CFL number, that of the first step */
  char          note[160];
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
  const fc_ns2d       *s = w->b->s;
  const fc_ns2d_budget q = fc_ns2d_measure(s, w->k);

  snprintf(w->note, sizeof w->note, "trajectory %lld, t %.4g, energy %.4g, enstrophy %.4g, CFL %.2f",
           (long long)(s->c.first_traj + w->traj), w->t, q.energy, q.enstrophy, w->cfl);
}

static fc_status after_step(worker *w) {
  batch        *b     = w->b;
  const int64_t every = fc_max64(1, (1 << 20) / (b->s->n * b->s->n)); /* measuring costs little then */
  fc_status     s     = FC_OK;

  if (!b->done) return FC_OK;
  if (w->steps % every == 1 || every == 1) describe_state(w);
  FC_CRITICAL(fc_solver_out) {
    b->fraction += w->h / (fc_ns2d_time(&b->s->c) * (double)b->s->c.n_traj);
    s = b->done(b->done_user, fmin(b->fraction, 1), w->note);
  }
  return s;
}

static fc_status blown_up(const worker *w) {
  return fc_fail(
      FC_E_NUMERIC,
      "trajectory %lld became infinite or NaN near t = %.6g: step %.3g, CFL number %.3g in the first "
      "step and %.3g in the last; lower dt, or let cfl=0.5 choose it",
      (long long)(w->b->s->c.first_traj + w->traj), w->t, w->h, w->first_cfl, w->cfl);
}

/* Advances by a time span in equal steps. With a CFL number the step is chosen at the beginning, so that a
   run may be cut at any frame, and again when the flow has become faster by a quarter. */
static fc_status march(worker *w, double span) {
  const fc_ns2d *s     = w->b->s;
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
    if (atomic_load(&w->b->stopped)) return FC_STOPPED;
    if (n && s->c.cfl > 0 && w->cfl > 1.25 * s->c.cfl) {
      const double rest = (double)n * h;
      n                 = fc_ns2d_steps(rest, fc_ns2d_step_limit(s, w->k->speed));
      h                 = rest / (double)n;
    }
  }
  return FC_OK;
}

static void widen(double range[2], double v) {
  range[0] = fmin(range[0], v);
  range[1] = fmax(range[1], v);
}

static fc_status emit(worker *w, int64_t frame) {
  const fc_ns2d *s      = w->b->s;
  const int64_t  n      = s->c.n_keep * s->c.n_keep;
  fc_status      r      = FC_OK;
  bool           finite = true;

  const fc_ns2d_budget q = fc_ns2d_measure(s, w->k);
  fc_ns2d_values(s, w->k, w->frame);
  for (int64_t i = 0; i < n; i++) finite &= isfinite(w->frame[i]) != 0;
  if (!finite) return blown_up(w);
  FC_CRITICAL(fc_solver_out) {
    widen(w->b->energy, q.energy);
    widen(w->b->enstrophy, q.enstrophy);
    r = w->b->sink(w->b->user, w->traj, frame, w->frame);
  }
  return r;
}

static fc_status trajectory(worker *w) {
  const fc_ns2d_config *c = &w->b->s->c;

  w->t     = 0;
  w->steps = 0;
  fc_ns2d_start(w->b->s, w->k, w->traj);
  for (int64_t f = 0; f < c->frames; f++) {
    const double span = f ? c->frame_dt : c->t_skip;
    if (span > 0) FC_TRY(march(w, span));
    w->t = c->t_skip + (double)f * c->frame_dt;
    FC_TRY(emit(w, f));
  }
  return FC_OK;
}

/* error texts belong to a thread: keep the first for the caller */
static void stop(batch *b, fc_status s) {
  FC_CRITICAL(fc_solver_out) {
    if (b->status == FC_OK && !atomic_load(&b->stopped)) {
      b->status = s;
      snprintf(b->text, sizeof b->text, "%s", fc_error());
    }
    atomic_store(&b->stopped, 1);
  }
}

/* worker number lane of lanes takes every lanes-th trajectory */
static void work(batch *b, fc_ns2d_work *k, fc_real *frame, int64_t lane, int64_t lanes) {
  worker w = {.b = b, .k = k, .frame = frame};

  for (w.traj = lane; w.traj < b->s->c.n_traj && !atomic_load(&b->stopped); w.traj += lanes) {
    const fc_status s = trajectory(&w);
    if (s != FC_OK) stop(b, s);
  }
}

static fc_status summarise(const batch *b) {
  char note[160];

  if (!b->done) return FC_OK;
  snprintf(note, sizeof note, "energy %.4g to %.4g, enstrophy %.4g to %.4g", b->energy[0], b->energy[1],
           b->enstrophy[0], b->enstrophy[1]);
  return b->done(b->done_user, 1, note);
}

/* Small grids: a trajectory a thread. Large ones: all threads on one trajectory. The bits are the same. */
int fc_ns2d_lanes(const fc_ns2d_config *c) {
  return c->n <= 256 ? (int)fc_min64(c->n_traj, fc_threads()) : 1;
}

fc_status fc_ns2d_run(const fc_ns2d_config *config, fc_frame_sink sink, void *user,
                      fc_status (*done)(void *, double, const char *), void *done_user) {
  enum { MAX = 512 };
  fc_ns2d_work *k[MAX] = {0};
  fc_ns2d      *s      = NULL;
  fc_real      *frames = NULL;
  fc_status     status;

  FC_TRY(fc_ns2d_create(config, &s));
  const int     lanes = (int)fc_min64(fc_ns2d_lanes(&s->c), MAX);
  const int64_t size  = s->c.n_keep * s->c.n_keep;
  batch         b     = {.s         = s,
                         .sink      = sink,
                         .user      = user,
                         .done      = done,
                         .done_user = done_user,
                         .status    = FC_OK,
                         .energy    = {INFINITY, -INFINITY},
                         .enstrophy = {INFINITY, -INFINITY}};
  for (int i = 0; i < lanes; i++) FC_TRY_TO(end, status, fc_ns2d_work_create(s, &k[i]));
  frames = calloc((size_t)lanes * (size_t)size, sizeof *frames);
  status = frames ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for %d frames", lanes);
  if (status != FC_OK) goto end;
  if (lanes == 1)
    work(&b, k[0], frames, 0, 1);
  else
    FC_FOR_TASKS(i, lanes, INT64_MAX) work(&b, k[i], frames + i * size, i, lanes);
  status = b.status == FC_OK ? summarise(&b) : fc_fail(b.status, "%s", b.text);
end:
  for (int i = 0; i < lanes; i++) fc_ns2d_work_destroy(k[i]);
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
  batch  b = {.s = s, .sink = sink, .user = user};
  worker w = {.b = &b, .t = t0, .frame = calloc((size_t)(dim[0] * dim[1]), sizeof(fc_real))};
  status   = w.frame ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for a frame");
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
