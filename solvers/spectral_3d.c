/* solvers/spectral_3d.c - three-dimensional Navier-Stokes flows in a periodic cube as a solver: options,
   description, plan. The numerics are in slab3*.c and box3d*.c, the runs in spectral_3d_run.c. */
#include "core/parallel.h"
#include "solvers/box3d_sgs.h"
#include "solvers/evolve_options.h"
#include "solvers/solver.h"
#include "solvers/spectral_3d_run.h"

#include <math.h>

#define INT(field, def, lo, hi, help)     FC_OPT_INT(fc_box3d_config, field, def, lo, hi, help)
#define REAL(field, def, lo, hi, help)    FC_OPT_REAL(fc_box3d_config, field, def, lo, hi, help)
#define CHOICE(field, choices, def, help) FC_OPT_CHOICE(fc_box3d_config, field, choices, def, help)

static const fc_option options[] = {
    INT(n, "64", 8, 8192, "grid points a side, even"),
    REAL(length, "6.283185307179586", 1e-12, 1e12, "side of the periodic cube"),
    REAL(nu, "1e-3", 0, 1e6, "kinematic viscosity, length^2/time"),
    REAL(mean_u, "0", -1e6, 1e6, "uniform stream along x, length/time"),
    REAL(mean_v, "0", -1e6, 1e6, "uniform stream along y, length/time"),
    REAL(mean_w, "0", -1e6, 1e6, "uniform stream along z, length/time"),
    CHOICE(forcing, "none|rescale|power", "none",
           "large eddies are scaled after each step so that all energy stays, or are fed at a constant rate"),
    REAL(forcing_band, "2.5", 1, 8192, "forced modes: |k| up to this, in units of 2 pi/length"),
    REAL(energy, "0", 0, 1e12,
         "<u.u>/2 of the initial field, kept by forcing=rescale, (length/time)^2; 0: as the field comes"),
    REAL(power, "0.1", 0, 1e12, "forcing=power: energy fed, length^2/time^3"),
    CHOICE(scheme, "rk3_cn|rk4", "rk4",
           "time stepping: order 3 (2 in viscosity), low storage; or 4, exact for viscosity"),
    CHOICE(dealias, "square|spherical|three_halves|none", "square",
           "2/3 rule by |kx|,|ky|,|kz|; by |k|; 3/2 padding; nothing"),
    FC_EVOLVE_OPTIONS(fc_box3d_config, "1e-2", "max(|u|+|v|+|w|) dt/dx", 10, "0", "1", "20"),
    REAL(t_end, "0", 0, 1e9,
         "time of the last frame: frames are evenly apart from t_skip on; 0: frame_dt apart"),
    CHOICE(initial, "taylor_green|abc|isotropic|factformer|rest", "taylor_green",
           "Taylor-Green vortices, ABC flow, random phases, FactFormer's variant of them, nothing"),
    CHOICE(
        spectrum, "kolmogorov|exponential|grid", "kolmogorov",
        "random fields: E(k) ~ k^2 up to the peak and k^(-5/3) from there, k^4 exp(-2 (k/peak)^2), or that "
        "measured behind a grid by Comte-Bellot and Corrsin (length in m, time in s)"),
    REAL(peak, "3", 0.1, 8192, "random fields: where their spectrum peaks, in units of 2 pi/length"),
    FC_OPT_BOOL(fc_box3d_config, pressure, "false", "frames hold the pressure too, with mean zero"),
    FC_SGS_OPTIONS(fc_box3d_config),
    FC_OPT_TEXT(fc_box3d_config, history, "",
                "CSV file: energy, dissipation, enstrophy, helicity, budget, Re_lambda, scales, CFL, subgrid "
                "model against time"),
    REAL(history_dt, "0", 0, 1e9, "time between rows of the history; 0: a row a step"),
    FC_OPT_BOOL(fc_box3d_config, accurate, "false",
                "instead of scheme, dt and a doubtful start: rk4, cfl (0.75), dealiased, initial=isotropic"),
    CHOICE(fft, "estimate|measure", "estimate", "FFTW plans: the same bits in every run, or the fastest"),
    FC_OPT_END};

static bool random_start(const fc_box3d_config *c) {
  return c->initial == FC_BOX3D_ISOTROPIC || c->initial == FC_BOX3D_FACTFORMER;
}

fc_status fc_box3d_check(const fc_box3d_config *config) {
  const fc_box3d_config c = fc_box3d_resolve(config);
  int64_t               m, top;

  FC_REQUIRE(c.n % 2 == 0, FC_E_USAGE, "n=%lld: the grid must be even", (long long)c.n);
  fc_box3d_grid(&c, &m, &top);
  FC_REQUIRE(c.dt > 0 || c.cfl > 0, FC_E_USAGE,
             "dt=0 leaves the time step open: set dt, or cfl (0.75 is a good start)");
  FC_REQUIRE(c.t_end == 0 || (c.t_end > c.t_skip && c.frames > 1) || (c.frames == 1 && c.t_end >= c.t_skip),
             FC_E_USAGE, "t_end=%g is not after t_skip=%g, the time of the first frame", c.t_end, c.t_skip);
  FC_REQUIRE(c.frame_dt > 0, FC_E_USAGE, "frames %g apart: set frame_dt or t_end", c.frame_dt);
  FC_REQUIRE(c.forcing == FC_BOX3D_UNFORCED || c.forcing_band <= (double)top, FC_E_USAGE,
             "forcing_band=%g needs a finer grid than n=%lld: modes up to %lld are kept", c.forcing_band,
             (long long)c.n, (long long)top);
  FC_REQUIRE(c.forcing != FC_BOX3D_RESCALE || c.energy > 0, FC_E_USAGE,
             "forcing=rescale keeps the energy of the flow at a given value: set energy");
  FC_REQUIRE(!random_start(&c) || c.energy > 0 || c.spectrum == FC_BOX3D_GRID, FC_E_USAGE,
             "random initial fields are scaled to a given energy: set energy");
  return FC_OK;
}

static void describe(const void *config, fc_field_spec *out) {
  static const fc_out_field field[] = {{"velocity", "1", 1}, {"pressure", "1", 0}};
  const fc_box3d_config     c       = fc_box3d_resolve(config);
  const double              dx      = c.length / (double)c.n;

  *out =
      (fc_field_spec){.name       = "navier_stokes_3d",
                      .ndim       = 3,
                      .dim        = {c.n, c.n, c.n},
                      .axis       = {"x", "y", "z"},
                      .spacing    = {dx, dx, dx},
                      .periodic   = {true, true, true},
                      .n_traj     = c.n_traj,
                      .n_steps    = c.frames,
                      .t0         = c.t_skip,
                      .dt         = c.frame_dt,
                      .time_unit  = "",
                      .space_unit = "",
                      .n_fields   = c.pressure ? 2 : 1,
                      .field      = field,
                      .n_params   = 2,
                      .param = {{"nu", c.nu}, {"forcing_power", c.forcing == FC_BOX3D_POWER ? c.power : 0}}};
}

/* With a CFL number the speed is not known before the run: the estimate takes the initial field of trajectory
 * 0, of this rank alone. */
static double first_step(const fc_box3d_config *c) {
  fc_box3d      *s = NULL;
  fc_box3d_work *k = NULL;
  double         h = NAN;

  if (c->cfl == 0) return c->dt;
  if (fc_box3d_create(c, false, &s) == FC_OK && fc_box3d_work_create(s, &k) == FC_OK) {
    fc_box3d_start(s, k, 0);
    fc_box3d_rate(s, k, k->u, k->stage);
    const fc_evolve e = fc_box3d_evolve(c, c->n);
    h                 = fmin(fc_evolve_limit(&e, k->speed), c->frame_dt);
  }
  fc_box3d_work_destroy(k);
  fc_box3d_destroy(s);
  return h;
}

/* a step, but for those of the dynamic models' own filters */
static double transforms(const fc_box3d_config *c) {
  const int  fields = c->sgs ? fc_box3d_sgs_fields(c) + 5 : 9;
  const bool finds  = c->sgs == FC_SGS_DYNAMIC || c->sgs == FC_SGS_DYNAMIC_CLIPPED;

  return fields * fc_box3d_evaluations(c->scheme) + (finds ? 8 : 0);
}

static void plan(const void *config, FILE *out) {
  const fc_box3d_config c     = fc_box3d_resolve(config);
  const fc_evolve       e     = fc_box3d_evolve(&c, c.n);
  const double          h     = first_step(&c);
  const double          steps = (double)fc_evolve_steps(fmax(fc_evolve_time(&e), h), h);
  const int             ranks = fc_comm_size(NULL), channels = c.pressure ? 4 : 3;
  int64_t               m, top;

  fc_box3d_grid(&c, &m, &top);
  fprintf(out, "grid         %lld^3 kept, products on %lld^3, modes up to %lld\n", (long long)c.n,
          (long long)m, (long long)top);
  fprintf(out, "frames       %lld x %lld, %g apart, the first at t = %g\n", (long long)c.n_traj,
          (long long)c.frames, c.frame_dt, c.t_skip);
  fprintf(out, "steps        %.0f a trajectory, %.3g %s\n", ceil(steps), h,
          c.cfl > 0 ? "long, judging by the speed of the first initial field" : "long");
  fprintf(out, "transforms   %.3g of %lld^3 points in all\n", steps * transforms(&c) * (double)c.n_traj,
          (long long)m);
  fprintf(out, "memory       %.0f MB on each of %d rank%s, %d thread%s\n",
          (double)fc_box3d_bytes(&c, ranks) / 1e6, ranks, ranks == 1 ? "" : "s", fc_threads(),
          fc_threads() == 1 ? "" : "s");
  fprintf(out, "output       %.0f MB\n",
          (double)(c.n_traj * c.frames * c.n * c.n * c.n * channels) * (double)sizeof(fc_real) / 1e6);
}

static void share(const void *config, int64_t *lo, int64_t *n) {
  const fc_box3d_config *c = config;

  fc_comm_block(NULL, c->n, lo, n);
  *n -= *lo;
}

static fc_status check(const void *config) { return fc_box3d_check(config); }

static fc_status run(const void *config, const fc_audience *to) {
  FC_TRY(fc_box3d_check(config));
  return fc_box3d_run(config, to);
}

static fc_status advance(const void *config, const int64_t *dim, const fc_real *x, double t0, double frame_dt,
                         int64_t n, fc_frame_sink sink, void *user) {
  return fc_box3d_advance(config, dim, x, t0, frame_dt, n, sink, user);
}

const fc_solver_def fc_solver_spectral_3d = {
    .name    = "spectral_3d",
    .summary = "3-D incompressible Navier-Stokes in a periodic cube, pseudo-spectral: DNS and LES on any "
               "number of ranks",
    .source =
        "Orszag and Patterson, Phys. Rev. Lett. 28 (1972); Rogallo, NASA TM 81315 (1981); Spalart, Moser "
        "and Rogers, J. Comput. Phys. 96 (1991)",
    .options     = options,
    .config_size = sizeof(fc_box3d_config),
    .check       = check,
    .describe    = describe,
    .plan        = plan,
    .run         = run,
    .advance     = advance,
    .share       = share,
};
