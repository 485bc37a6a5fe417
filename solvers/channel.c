/* solvers/channel.c - flow between two plane walls as a solver: options, description, plan. The numerics are
   described in chan.h, the runs are in channel_run.c. */
#include "core/parallel.h"
#include "solvers/channel_run.h"
#include "solvers/evolve_options.h"
#include "solvers/sgs_options.h"

#include <math.h>

#define INT(field, def, lo, hi, help)     FC_OPT_INT(fc_chan_config, field, def, lo, hi, help)
#define REAL(field, def, lo, hi, help)    FC_OPT_REAL(fc_chan_config, field, def, lo, hi, help)
#define CHOICE(field, choices, def, help) FC_OPT_CHOICE(fc_chan_config, field, choices, def, help)

static const fc_option options[] = {
    INT(nx, "32", 4, 8192, "wave numbers along the stream, even; products have 3/2 as many points"),
    INT(ny, "32", 4, FC_CHAN_MOST_Y, "cells from wall to wall"),
    INT(nz, "32", 4, 8192, "wave numbers across, even"),
    REAL(length_x, "12.566370614359172", 1e-6, 1e6,
         "period along the stream; half the distance of the walls is 1"),
    REAL(length_z, "4.1887902047863905", 1e-6, 1e6, "period across"),
    CHOICE(map, "uniform|tanh|chebyshev|arctan", "tanh",
           "faces of the cells: even, or refined at the walls (arctan: the map of Xcompact3d, both walls)"),
    REAL(stretch, "1.8", 1e-6, 1e3, "tanh: s of 1 + tanh(s (2 j/n - 1))/tanh s; arctan: beta"),
    REAL(nu, "2.380952380952381e-4", 0, 1e6, "kinematic viscosity (default 1/4200)"),
    REAL(bulk, "0.6666666666666666", 0, 1e6, "mean velocity of the start, and kept if re_tau=0"),
    REAL(re_tau, "0", 0, 1e6, "0: the flow rate is kept; else the pressure gradient (re_tau nu)^2"),
    FC_EVOLVE_OPTIONS(fc_chan_config, "5e-3", "max(|u|/dx + |v|/dy + |w|/dz) dt", 10, "0", "1", "10"),
    CHOICE(initial, "laminar|noise|orr_sommerfeld", "noise",
           "the mean flow alone, with random waves, with the most unstable wave of length_x"),
    CHOICE(mean, "parabola|reichardt", "parabola", "mean flow of the start: laminar, or turbulent"),
    REAL(noise, "0.2", 0, 1e3,
         "size of the disturbances: of a velocity over bulk; of v over the speed at the centre"),
    INT(noise_modes, "4", 1, 4096, "noise: waves along each period, at most"),
    CHOICE(points, "centres|nodes", "nodes",
           "points of y in frames: middles of cells, or faces and both walls"),
    INT(nx_keep, "0", 0, 8192, "points along the stream that are kept, even: the spectrum is cut; 0: all"),
    INT(nz_keep, "0", 0, 8192, "points across that are kept, even; 0: all"),
    INT(y_stride, "1", 1, 4096, "points=nodes: every y_stride-th node is kept"),
    FC_SGS_OPTIONS(fc_chan_config),
    FC_OPT_TEXT(fc_chan_config, history, "",
                "FILE of a table (CSV): what was measured in every step; empty: none"),
    FC_OPT_TEXT(fc_chan_config, statistics, "",
                "FILE of profiles, spectra and wall units with intervals (HDF5), sampled as the run goes; "
                "empty: none"),
    REAL(stats_from, "0", 0, 1e9, "statistics: time of the first sample"),
    REAL(stats_every, "0.5", 1e-9, 1e9, "statistics: time between samples"),
    FC_OPT_BOOL(fc_chan_config, accurate, "false", "changes nothing: there is one scheme"),
    CHOICE(fft, "estimate|measure", "estimate", "FFTW plans: the same bits in every run, or the fastest"),
    FC_OPT_END};

fc_chan_config fc_channel_resolve(const fc_chan_config *c) {
  fc_chan_config r = *c;

  if (r.nx_keep == 0) r.nx_keep = r.nx;
  if (r.nz_keep == 0) r.nz_keep = r.nz;
  return r;
}

static fc_status check_kept(const fc_chan_config *c) {
  FC_REQUIRE(c->nx_keep % 2 == 0 && c->nx_keep >= 4 && c->nx_keep <= c->nx, FC_E_USAGE,
             "nx_keep=%lld must be even, at least 4 and at most nx=%lld", (long long)c->nx_keep,
             (long long)c->nx);
  FC_REQUIRE(c->nz_keep % 2 == 0 && c->nz_keep >= 4 && c->nz_keep <= c->nz, FC_E_USAGE,
             "nz_keep=%lld must be even, at least 4 and at most nz=%lld", (long long)c->nz_keep,
             (long long)c->nz);
  FC_REQUIRE(c->y_stride == 1 || c->points == FC_CHAN_AT_NODES, FC_E_USAGE,
             "y_stride=%lld leaves out nodes: set points=nodes", (long long)c->y_stride);
  FC_REQUIRE(c->ny % c->y_stride == 0 && c->ny / c->y_stride >= 3, FC_E_USAGE,
             "y_stride=%lld must divide ny=%lld and leave 4 nodes or more", (long long)c->y_stride,
             (long long)c->ny);
  return FC_OK;
}

fc_status fc_channel_check(const fc_chan_config *config) {
  const fc_chan_config c     = fc_channel_resolve(config);
  const int            ranks = fc_comm_size(NULL);

  FC_REQUIRE(c.nx % 2 == 0 && c.nz % 2 == 0, FC_E_USAGE, "nx=%lld and nz=%lld must be even", (long long)c.nx,
             (long long)c.nz);
  FC_REQUIRE(c.dt > 0 || c.cfl > 0, FC_E_USAGE,
             "dt=0 leaves the time step open: set dt, or cfl (0.5 is a good start)");
  FC_REQUIRE(c.nu > 0 || c.initial == FC_CHAN_NOISE, FC_E_USAGE,
             "initial=laminar and orr_sommerfeld need nu > 0");
  FC_REQUIRE(c.nu > 0 || c.mean != FC_CHAN_REICHARDT, FC_E_USAGE, "mean=reichardt needs nu > 0");
  FC_REQUIRE(c.ny >= FC_CHAN_HALO * ranks, FC_E_USAGE,
             "%d ranks share %lld planes: %d or more each are needed; use fewer ranks or a larger ny", ranks,
             (long long)c.ny, FC_CHAN_HALO);
  FC_REQUIRE(c.sgs != FC_SGS_DYNAMIC_CLIPPED || c.ny >= 6, FC_E_USAGE,
             "sgs=dynamic_clipped filters over seven cells, one-sided at walls: ny=%lld must be 6 or more",
             (long long)c.ny);
  return check_kept(&c);
}

static void describe(const void *config, fc_field_spec *out) {
  static const fc_out_field   field[] = {{"velocity", "1", 1}};
  static _Thread_local double y[FC_CHAN_MOST_Y + 2]; /* lives until the next description */
  const fc_chan_config        c = fc_channel_resolve(config);
  const int64_t               n = fc_chan_frame_points(&c);

  fc_chan_frame_y(&c, y);
  *out = (fc_field_spec){.name       = "channel",
                         .ndim       = 3,
                         .dim        = {c.nx_keep, n, c.nz_keep},
                         .axis       = {"x", "y", "z"},
                         .origin     = {0, y[0], 0},
                         .spacing    = {c.length_x / (double)c.nx_keep, (y[n - 1] - y[0]) / (double)(n - 1),
                                        c.length_z / (double)c.nz_keep},
                         .points     = {NULL, y, NULL},
                         .periodic   = {true, false, true},
                         .wall       = {false, true, false},
                         .n_traj     = c.n_traj,
                         .n_steps    = c.frames,
                         .t0         = c.t_skip,
                         .dt         = c.frame_dt,
                         .time_unit  = "",
                         .space_unit = "",
                         .n_fields   = 1,
                         .field      = field,
                         .n_params   = 5,
                         .param      = {{"nu", c.nu},
                                        {"bulk_velocity", c.bulk},
                                        {"re_tau", c.re_tau},
                                        {"length_x", c.length_x},
                                        {"length_z", c.length_z}}};
}

/* With a CFL number the step is not known before the run: the estimate takes the mean flow at the centre. */
static double likely_step(const fc_chan_config *c) {
  const double limit = c->cfl / (1.5 * c->bulk * (double)c->nx / c->length_x);

  if (c->cfl == 0 || !isfinite(limit)) return c->dt > 0 ? c->dt : c->frame_dt;
  return fmin(c->dt > 0 ? fmin(c->dt, limit) : limit, c->frame_dt);
}

static void plan(const void *config, FILE *out) {
  const fc_chan_config c = fc_channel_resolve(config);
  const fc_evolve      e = fc_channel_evolve(&c);
  const double         h = likely_step(&c);
  const double  steps    = ceil((double)fc_evolve_steps(c.frame_dt, h) * (fc_evolve_time(&e) / c.frame_dt));
  const int64_t y = fc_chan_frame_points(&c), mx = 3 * c.nx / 2, mz = 3 * c.nz / 2;

  fprintf(out, "grid         %lld x %lld x %lld computed, %lld x %lld x %lld kept\n", (long long)c.nx,
          (long long)c.ny, (long long)c.nz, (long long)c.nx_keep, (long long)y, (long long)c.nz_keep);
  fprintf(out, "frames       %lld x %lld, %g apart, the first at t = %g\n", (long long)c.n_traj,
          (long long)c.frames, c.frame_dt, c.t_skip);
  fprintf(out, "steps        %.0f a trajectory, %.3g %s\n", steps, h,
          c.cfl > 0 ? "long, judging by the mean flow alone" : "long");
  fprintf(out, "transforms   %.3g of %lld x %lld points, as many as 8 real ones a plane and substep\n",
          steps * 12 * (double)c.ny * (double)c.n_traj, (long long)mx, (long long)mz);
  fprintf(out, "memory       %.0f MB a rank on %d thread%s, %d rank%s\n", fc_chan_bytes(&c) / 1e6,
          fc_threads(), fc_threads() > 1 ? "s" : "", fc_comm_size(NULL), fc_comm_size(NULL) > 1 ? "s" : "");
  fprintf(out, "output       %.0f MB\n",
          (double)(c.n_traj * c.frames * c.nx_keep * y * c.nz_keep * 3) * (double)sizeof(fc_real) / 1e6);
}

static fc_status check(const void *config) { return fc_channel_check(config); }

static fc_status run(const void *config, const fc_audience *to) {
  FC_TRY(fc_channel_check(config));
  return fc_channel_run(config, to);
}

static fc_status advance(const void *config, const int64_t *dim, const fc_real *x, double t0, double frame_dt,
                         int64_t n, fc_frame_sink sink, void *user) {
  return fc_channel_advance(config, dim, x, t0, frame_dt, n, sink, user);
}

static void share(const void *config, int64_t *lo, int64_t *n) {
  const fc_chan_config c = fc_channel_resolve(config);

  fc_chan_frame_share(&c, lo, n);
}

const fc_solver_def fc_solver_channel = {
    .name = "channel",
    .summary =
        "3-D flow between two walls, Fourier in x and z, energy-conserving differences in y: DNS and LES",
    .source =
        "Moser, Kim and Mansour, Phys. Fluids 11 (1999); Spalart, Moser and Rogers, J. Comput. Phys. 96 "
        "(1991); Kim and Moin, J. Comput. Phys. 59 (1985)",
    .options     = options,
    .config_size = sizeof(fc_chan_config),
    .check       = check,
    .describe    = describe,
    .plan        = plan,
    .run         = run,
    .advance     = advance,
    .share       = share,
};
