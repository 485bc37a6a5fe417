/* solvers/spectral_2d.c - data sets of two-dimensional Navier-Stokes flows: options, runs over trajectories,
   continuation of a given frame. The numerics are in ns2d*.c. */
#include "core/parallel.h"
#include "solvers/ns2d.h"
#include "solvers/solver.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#define INT(field, def, lo, hi, help)     FC_OPT_INT(fc_ns2d_config, field, def, lo, hi, help)
#define REAL(field, def, lo, hi, help)    FC_OPT_REAL(fc_ns2d_config, field, def, lo, hi, help)
#define CHOICE(field, choices, def, help) FC_OPT_CHOICE(fc_ns2d_config, field, choices, def, help)

static const fc_option options[] = {
    INT(n, "256", 8, 16384, "grid points a side of the computation, even"),
    INT(n_keep, "0", 0, 16384, "grid points a side that are kept, even; 0: all"),
    CHOICE(reduce, "subsample|truncate", "subsample",
           "n to n_keep: every n/n_keep-th point, or cut the spectrum"),
    REAL(length, "6.283185307179586", 1e-12, 1e12, "side of the periodic box"),
    REAL(nu, "1e-3", 0, 1e6, "kinematic viscosity, length^2/time"),
    REAL(mu, "0", 0, 1e6, "linear drag, 1/time"),
    REAL(mean_u, "0", -1e6, 1e6, "uniform stream along x, length/time"),
    REAL(mean_v, "0", -1e6, 1e6, "uniform stream along y, length/time"),
    CHOICE(forcing, "none|fno|kolmogorov", "none",
           "curl f = A (sin + cos)(2 pi m (x+y)/L), or f = (A sin(2 pi m y/L), 0)"),
    INT(forcing_mode, "1", 1, 4096, "m of the forcing: waves a side"),
    REAL(amplitude, "1", -1e6, 1e6, "A of the forcing: 1/time^2 (fno) or length/time^2 (kolmogorov)"),
    CHOICE(
        scheme, "euler_cn|heun_cn|rk3_cn|etdrk4", "heun_cn",
        "time stepping: explicit rule + Crank-Nicolson of order 1, 2, 3 (2 in viscosity), or exponential, 4"),
    CHOICE(form, "convective|divergence", "divergence", "advection as u.grad w or as div(u w)"),
    CHOICE(dealias, "square|circular|three_halves|none", "square",
           "2/3 rule by |kx|,|ky|; by |k|; 3/2 padding; nothing"),
    CHOICE(mask, "product|step|galerkin", "galerkin",
           "2/3 rule on the product, on each new state, or on product and start"),
    REAL(dt, "1e-3", 0, 1e6,
         "time step, time; the largest one if cfl > 0; 0: cfl alone decides. Frames are hit exactly"),
    REAL(cfl, "0", 0, 10, "step from max(|u|+|v|) dt/dx = cfl; 0: fixed step"),
    REAL(t_skip, "0", 0, 1e9, "time of the first frame; 0: the initial field is kept"),
    REAL(frame_dt, "1", 1e-12, 1e9, "time between frames"),
    INT(frames, "20", 1, 1000000, "frames a trajectory"),
    INT(n_traj, "1", 1, 1000000, "trajectories"),
    INT(first_traj, "0", 0, 1000000000,
        "number of the first trajectory: other numbers, other initial fields"),
    INT(seed, "0", 0, 9e15, "of the random initial fields"),
    CHOICE(initial, "grf|grf_half|taylor|laminar|rest", "grf",
           "random vorticity (FNO's or FactFormer's variant), Taylor vortices, laminar Kolmogorov flow, "
           "nothing"),
    REAL(alpha, "2.5", 0, 100, "GRF: decay exponent of the spectrum"),
    REAL(tau, "7", 1e-12, 1e6, "GRF: inverse correlation length, 1/length"),
    REAL(sigma, "0", 0, 1e12, "GRF: amplitude; 0: tau^(alpha-1)"),
    INT(initial_mode, "1", 1, 4096, "taylor: waves a side"),
    FC_OPT_BOOL(
        fc_ns2d_config, accurate, "false",
        "instead of scheme, form, dealias, mask, dt: etdrk4, divergence, square, galerkin, cfl (0.5)"),
    CHOICE(fft, "estimate|measure", "estimate", "FFTW plans: the same bits in every run, or the fastest"),
    FC_OPT_END};

static fc_status check(const void *config) {
  const fc_ns2d_config c   = fc_ns2d_resolve(config);
  const double         f   = 2 * M_PI * (double)c.forcing_mode / c.length;
  const int64_t        top = (c.n - 1) / 3;

  FC_REQUIRE(c.n % 2 == 0, FC_E_USAGE, "n=%lld: the grid must be even", (long long)c.n);
  FC_REQUIRE(c.n_keep % 2 == 0 && c.n_keep >= 4 && c.n_keep <= c.n, FC_E_USAGE,
             "n_keep=%lld must be even, at least 4 and at most n=%lld", (long long)c.n_keep, (long long)c.n);
  FC_REQUIRE(c.reduce || c.n % c.n_keep == 0, FC_E_USAGE,
             "n=%lld is not a multiple of n_keep=%lld: choose another n_keep, or reduce=truncate",
             (long long)c.n, (long long)c.n_keep);
  FC_REQUIRE(c.dt > 0 || c.cfl > 0, FC_E_USAGE,
             "dt=0 leaves the time step open: set dt, or cfl (0.5 is a good start)");
  FC_REQUIRE(c.forcing == FC_NS2D_UNFORCED || c.forcing_mode <= top, FC_E_USAGE,
             "forcing_mode=%lld needs a finer grid than n=%lld: at most %lld waves are resolved",
             (long long)c.forcing_mode, (long long)c.n, (long long)top);
  FC_REQUIRE(c.initial != FC_NS2D_TAYLOR || c.initial_mode <= top, FC_E_USAGE,
             "initial_mode=%lld needs a finer grid than n=%lld: at most %lld waves are resolved",
             (long long)c.initial_mode, (long long)c.n, (long long)top);
  FC_REQUIRE(c.initial != FC_NS2D_LAMINAR ||
                 (c.forcing == FC_NS2D_FORCE_KOLMOGOROV && c.nu * f * f + c.mu > 0),
             FC_E_USAGE, "initial=laminar is the balance of forcing=kolmogorov with nu or mu: set these");
  FC_REQUIRE(isfinite(c.sigma), FC_E_USAGE, "sigma is not a number");
  return FC_OK;
}

static void describe(const void *config, fc_field_spec *out) {
  static const fc_out_field field[] = {{"vorticity", "1", 0}};
  const fc_ns2d_config      c       = fc_ns2d_resolve(config);

  *out =
      (fc_field_spec){.name       = "navier_stokes_2d",
                      .ndim       = 2,
                      .dim        = {c.n_keep, c.n_keep},
                      .axis       = {"x", "y"},
                      .spacing    = {c.length / (double)c.n_keep, c.length / (double)c.n_keep},
                      .periodic   = {true, true},
                      .n_traj     = c.n_traj,
                      .n_steps    = c.frames,
                      .t0         = c.t_skip,
                      .dt         = c.frame_dt,
                      .time_unit  = "",
                      .space_unit = "",
                      .n_fields   = 1,
                      .field      = field,
                      .n_params   = 6,
                      .param      = {{"nu", c.nu},
                                     {"mu", c.mu},
                                     {"forcing_amplitude", c.forcing == FC_NS2D_UNFORCED ? 0 : c.amplitude},
                                     {"forcing_mode", c.forcing == FC_NS2D_UNFORCED ? 0 : (double)c.forcing_mode},
                                     {"mean_u", c.mean_u},
                                     {"mean_v", c.mean_v}}};
}

/* ---- runs ---- */

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

static double total_time(const fc_ns2d_config *c) {
  return c->t_skip + (double)(c->frames - 1) * c->frame_dt;
}

/* frames are hit exactly: the number of equal steps for a time span, each at most limit */
static int64_t steps_for(double span, double limit) {
  return fc_max64(1, (int64_t)fmin(ceil(span / limit - 1e-9), 1e15));
}

static double step_limit(const fc_ns2d *s, double speed) {
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
    b->fraction += w->h / (total_time(&b->s->c) * (double)b->s->c.n_traj);
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
  int64_t n = steps_for(span, step_limit(s, w->k->speed));
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
      n                 = steps_for(rest, step_limit(s, w->k->speed));
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
static int lanes_for(const fc_ns2d_config *c) {
  return c->n <= 256 ? (int)fc_min64(c->n_traj, fc_threads()) : 1;
}

static fc_status run(const void *config, fc_frame_sink sink, void *user,
                     fc_status (*done)(void *, double, const char *), void *done_user) {
  enum { MAX = 512 };
  fc_ns2d_work *k[MAX] = {0};
  fc_ns2d      *s      = NULL;
  fc_real      *frames = NULL;
  fc_status     status;

  FC_TRY(check(config));
  FC_TRY(fc_ns2d_create(config, &s));
  const int     lanes = (int)fc_min64(lanes_for(&s->c), MAX);
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

static fc_status advance(const void *config, const int64_t *dim, const fc_real *x, double t0, double frame_dt,
                         int64_t n, fc_frame_sink sink, void *user) {
  fc_ns2d_config c = *(const fc_ns2d_config *)config;
  fc_ns2d       *s = NULL;
  fc_status      status;

  FC_REQUIRE(dim[0] == dim[1] && dim[0] >= 8 && dim[0] % 2 == 0, FC_E_INPUT,
             "spectral_2d continues fields on even square grids, not %lld x %lld", (long long)dim[0],
             (long long)dim[1]);
  FC_REQUIRE(frame_dt > 0, FC_E_INPUT, "frames %g apart: the time between frames must be positive", frame_dt);
  c.n = c.n_keep = dim[0];
  c.initial      = FC_NS2D_REST; /* not used; its options need not fit this grid */
  FC_TRY(check(&c));
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

/* With a CFL number the speed is not known before the run: the estimate takes the initial field of trajectory
 * 0. */
static double first_step(const fc_ns2d_config *c) {
  fc_ns2d      *s = NULL;
  fc_ns2d_work *k = NULL;
  double        h = NAN;

  if (c->cfl == 0) return c->dt;
  if (fc_ns2d_create(c, &s) == FC_OK && fc_ns2d_work_create(s, &k) == FC_OK) {
    fc_ns2d_start(s, k, 0);
    fc_ns2d_rate(s, k, k->w, k->rate[0]);
    h = fmin(step_limit(s, k->speed), c->frame_dt);
  }
  fc_ns2d_work_destroy(k);
  fc_ns2d_destroy(s);
  return h;
}

static void plan(const void *config, FILE *out) {
  const fc_ns2d_config c     = fc_ns2d_resolve(config);
  const double         h     = first_step(&c);
  const double         steps = (double)steps_for(c.frame_dt, h) * (total_time(&c) / c.frame_dt);
  const int            calls = fc_ns2d_evaluations(c.scheme), lanes = lanes_for(&c);
  const int64_t        m = c.dealias == FC_NS2D_THREE_HALVES ? 3 * c.n / 2 : c.n;

  fprintf(out, "grid         %lld x %lld computed, %lld x %lld kept\n", (long long)c.n, (long long)c.n,
          (long long)c.n_keep, (long long)c.n_keep);
  fprintf(out, "frames       %lld x %lld, %g apart, the first at t = %g\n", (long long)c.n_traj,
          (long long)c.frames, c.frame_dt, c.t_skip);
  fprintf(out, "steps        %.0f a trajectory, %.3g %s\n", ceil(steps), h,
          c.cfl > 0 ? "long, judging by the speed of the first initial field" : "long");
  fprintf(out, "transforms   %.3g of %lld x %lld points in all\n", ceil(steps) * 5 * calls * (double)c.n_traj,
          (long long)m, (long long)m);
  fprintf(out, "memory       %.0f MB, %d trajector%s at a time on %d threads\n",
          (double)fc_ns2d_bytes(&c, lanes) / 1e6, lanes, lanes == 1 ? "y" : "ies", fc_threads());
  fprintf(out, "output       %.0f MB\n",
          (double)(c.n_traj * c.frames * c.n_keep * c.n_keep) * (double)sizeof(fc_real) / 1e6);
}

const fc_solver_def fc_solver_spectral_2d = {
    .name        = "spectral_2d",
    .summary     = "2-D incompressible Navier-Stokes in vorticity form, periodic, pseudo-spectral",
    .source      = "Li et al. 2021 (arXiv 2010.08895); Chandler and Kerswell, J. Fluid Mech. 722 (2013); "
                   "Cox and Matthews, J. Comput. Phys. 176 (2002)",
    .options     = options,
    .config_size = sizeof(fc_ns2d_config),
    .check       = check,
    .describe    = describe,
    .plan        = plan,
    .run         = run,
    .advance     = advance,
};
