/* solvers/smoke.c - buoyant smoke in a closed box as a solver: options, description, plan. The numerics are
   in smoke_back.c, smoke_volumes.c and smoke_project.c, the random start in smoke_start.c, runs in
   smoke_run.c. */
#include "solvers/smoke.h"

#include "core/parallel.h"
#include "solvers/evolve_options.h"

#include <math.h>

#define INT(field, def, lo, hi, help)     FC_OPT_INT(fc_smoke_config, field, def, lo, hi, help)
#define REAL(field, def, lo, hi, help)    FC_OPT_REAL(fc_smoke_config, field, def, lo, hi, help)
#define CHOICE(field, choices, def, help) FC_OPT_CHOICE(fc_smoke_config, field, choices, def, help)

static const fc_option options[] = {
    INT(nx, "64", 4, 16384, "cells along x"),
    INT(ny, "64", 4, 16384, "cells along y"),
    INT(nz, "0", 0, 16384, "cells along z; 0: a flow in two dimensions, that rises along y"),
    REAL(lx, "1", 1e-12, 1e12, "side of the box along x"),
    REAL(ly, "1", 1e-12, 1e12, "side of the box along y"),
    REAL(lz, "1", 1e-12, 1e12, "side of the box along z"),
    REAL(nu, "1e-2", 0, 1e6, "kinematic viscosity, length^2/time; smoke does not diffuse"),
    REAL(buoyancy, "0.5", -1e6, 1e6, "force of smoke along the last axis, length/time^2"),
    REAL(lid, "0", -1e6, 1e6, "velocity along x of the upper wall, length/time"),
    CHOICE(scheme, "semi_lagrangian|volumes", "semi_lagrangian",
           "published: an Euler step back, linear interpolation; or fluxes and three stages a step"),
    FC_EVOLVE_OPTIONS(fc_smoke_config, "0.1", "max(sum |u|/dx) dt", 100, "0", "1", "20"),
    CHOICE(initial, "noise|none", "noise", "smoke at the start: |random field|, or nothing"),
    REAL(scale, "1", 1e-12, 1e12, "noise: length of its waves, those longer than 3.16 of it left out"),
    REAL(smoothness, "4", 0, 100, "noise: waves of length l have amplitudes (scale/l)^(-2 smoothness)"),
    FC_OPT_BOOL(fc_smoke_config, accurate, "false", "instead of scheme, dt: volumes, cfl (0.5)"),
    CHOICE(fft, "estimate|measure", "estimate", "FFTW plans: the same bits in every run, or the fastest"),
    FC_OPT_END};

/* sum of 1/dx^2 */
static double stiffness(const fc_smoke_config *c) {
  const double k[3] = {(double)c->nx / c->lx, (double)c->ny / c->ly, c->nz ? (double)c->nz / c->lz : 0};

  return k[0] * k[0] + k[1] * k[1] + k[2] * k[2];
}

fc_status fc_smoke_check(const fc_smoke_config *config) {
  const fc_smoke_config c    = fc_smoke_resolve(config);
  const double          size = (double)(c.nx + 2) * (double)(c.ny + 2) * (double)(c.nz ? c.nz + 2 : 1);

  FC_REQUIRE(c.nz == 0 || c.nz >= 4, FC_E_USAGE, "nz=%lld: 0 for two dimensions, or at least 4 cells",
             (long long)c.nz);
  FC_REQUIRE(size < 2147483648.0, FC_E_USAGE, "%g cells are too many for this solver; its limit is 2^31",
             size);
  FC_REQUIRE(c.dt > 0 || c.cfl > 0, FC_E_USAGE,
             "dt=0 leaves the time step open: set dt, or cfl (0.5 is a good start)");
  FC_REQUIRE(c.scheme == FC_SMOKE_VOLUMES ||
                 2 * c.nu * stiffness(&c) * (c.dt > 0 ? c.dt : c.frame_dt) <= 1 + 1e-9,
             FC_E_USAGE, "explicit diffusion with nu=%g on these cells needs steps of at most %.4g: lower dt",
             c.nu, 1 / (2 * c.nu * stiffness(&c)));
  return FC_OK;
}

static void describe(const void *config, fc_field_spec *out) {
  static const fc_out_field field[] = {{"smoke", "1", 0}, {"velocity", "1", 1}};
  const fc_smoke_config     c       = fc_smoke_resolve(config);
  const double dx = c.lx / (double)c.nx, dy = c.ly / (double)c.ny, dz = c.nz ? c.lz / (double)c.nz : 0;

  *out = (fc_field_spec){
      .name       = c.nz ? "smoke_3d" : "smoke_2d",
      .ndim       = c.nz ? 3 : 2,
      .dim        = {c.nx, c.ny, c.nz},
      .axis       = {"x", "y", "z"},
      .origin     = {dx / 2, dy / 2, dz / 2},
      .spacing    = {dx, dy, dz},
      .wall       = {true, true, true},
      .n_traj     = c.n_traj,
      .n_steps    = c.frames,
      .t0         = c.t_skip,
      .dt         = c.frame_dt,
      .time_unit  = "",
      .space_unit = "",
      .n_fields   = 2,
      .field      = field,
      .n_params   = 3,
      .param      = {{"nu", c.nu}, {"buoyancy", c.buoyancy}, {"lid", c.lid}},
      .n_texts    = 1,
      .text       = {{"positions", "smoke: centres of cells. velocity: each component at the centre of "
                                         "the cell's lower face along its own axis (staggered), so the first "
                                         "plane lies on a wall; the last one, on the other wall, is left out"}}};
}

/* With a CFL number the speed is not known before the run: the estimate takes that of unit smoke which has
   risen freely through half of the box. */
static double typical_step(const fc_smoke_config *c, const fc_evolve *e) {
  const double speed = fmax(fabs(c->lid), sqrt(fabs(c->buoyancy) * (c->nz ? c->lz : c->ly)));

  return fmin(fc_evolve_limit(e, speed), c->frame_dt);
}

static void plan(const void *config, FILE *out) {
  const fc_smoke_config c     = fc_smoke_resolve(config);
  const fc_evolve       e     = fc_smoke_evolve(&c);
  const double          h     = typical_step(&c, &e);
  const double          steps = (double)fc_evolve_steps(c.frame_dt, h) * (fc_evolve_time(&e) / c.frame_dt);
  const int             lanes = fc_smoke_lanes(&c);

  fprintf(out, "grid         %lld x %lld", (long long)c.nx, (long long)c.ny);
  if (c.nz) fprintf(out, " x %lld", (long long)c.nz);
  fprintf(out, " cells in a box of %g x %g", c.lx, c.ly);
  if (c.nz) fprintf(out, " x %g", c.lz);
  fprintf(out, "\nframes       %lld x %lld, %g apart, the first at t = %g\n", (long long)c.n_traj,
          (long long)c.frames, c.frame_dt, c.t_skip);
  fprintf(out, "steps        %.0f a trajectory, %.3g long%s\n", ceil(steps), h,
          c.cfl > 0 ? ", if velocities stay below sqrt(buoyancy height)" : "");
  fprintf(out, "transforms   %.3g cosine transforms of the grid in all\n",
          ceil(steps) * (double)c.n_traj * (c.scheme == FC_SMOKE_VOLUMES ? 6 : 2));
  fprintf(out, "memory       %.0f MB, %d trajector%s at a time on %d threads\n",
          (double)(lanes * fc_smoke_bytes(&c)) / 1e6, lanes, lanes == 1 ? "y" : "ies", fc_threads());
  fprintf(out, "output       %.3g MB\n",
          (double)(c.n_traj * c.frames * e.size) * (double)sizeof(fc_real) / 1e6);
}

static fc_status check(const void *config) { return fc_smoke_check(config); }

static fc_status run(const void *config, const fc_audience *to) { return fc_smoke_run(config, to); }

static fc_status advance(const void *config, const int64_t *dim, const fc_real *x, double t0, double frame_dt,
                         int64_t n, fc_frame_sink sink, void *user) {
  return fc_smoke_advance(config, dim, x, t0, frame_dt, n, sink, user);
}

const fc_solver_def fc_solver_smoke = {
    .name = "smoke",
    .summary =
        "buoyant smoke in a closed box, 2-D or 3-D, staggered grid, exact projection by cosine transforms",
    .source = "Li, Shu and Farimani 2023 (arXiv 2305.17560); Gupta and Brandstetter 2022 (arXiv 2209.15616); "
              "Harlow and "
              "Welch, Phys. Fluids 8 (1965); Stam, SIGGRAPH 1999",
    .options     = options,
    .config_size = sizeof(fc_smoke_config),
    .check       = check,
    .describe    = describe,
    .plan        = plan,
    .run         = run,
    .advance     = advance,
};
