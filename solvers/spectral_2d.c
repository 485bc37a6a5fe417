/* solvers/spectral_2d.c - two-dimensional Navier-Stokes flows as a solver: options, description, plan.
   The numerics are in ns2d.c, ns2d_rate.c and ns2d_step.c, the runs in ns2d_run.c. */
#include "core/parallel.h"
#include "solvers/evolve_options.h"
#include "solvers/ns2d_run.h"

#include <math.h>

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
    FC_EVOLVE_OPTIONS(fc_ns2d_config, "1e-3", "max(|u|+|v|) dt/dx", 10, "0", "1", "20"),
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

fc_status fc_ns2d_check(const fc_ns2d_config *config) {
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
    const fc_evolve e = fc_ns2d_evolve(c);
    h                 = fmin(fc_evolve_limit(&e, k->speed), c->frame_dt);
  }
  fc_ns2d_work_destroy(k);
  fc_ns2d_destroy(s);
  return h;
}

static void plan(const void *config, FILE *out) {
  const fc_ns2d_config c     = fc_ns2d_resolve(config);
  const double         h     = first_step(&c);
  const fc_evolve      e     = fc_ns2d_evolve(&c);
  const double         steps = (double)fc_evolve_steps(c.frame_dt, h) * (fc_evolve_time(&e) / c.frame_dt);
  const int            calls = fc_ns2d_evaluations(c.scheme), lanes = fc_ns2d_lanes(&c);
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

static fc_status check(const void *config) { return fc_ns2d_check(config); }

static fc_status run(const void *config, const fc_audience *to) {
  FC_TRY(fc_ns2d_check(config));
  return fc_ns2d_run(config, to);
}

static fc_status advance(const void *config, const int64_t *dim, const fc_real *x, double t0, double frame_dt,
                         int64_t n, fc_frame_sink sink, void *user) {
  return fc_ns2d_advance(config, dim, x, t0, frame_dt, n, sink, user);
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
