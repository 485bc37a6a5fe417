/* solvers/burgers.c - the Burgers equation as a solver. The numerics are in etd1d.c and etd1d_step.c. */
#include "solvers/etd1d_options.h"

static const fc_option options[] = {
    FC_1D_GRID("8192", "1"), FC_1D_REAL(nu, "0.1", 0, 1e6, "viscosity, length^2/time"),
    FC_1D_TIME("1e-3", "0", "1", "2"), FC_1D_START("grf", "2", "5", "25", "1"), FC_OPT_END};

static fc_etd1d_config equation(const void *config) {
  fc_etd1d_config c = *(const fc_etd1d_config *)config;

  c.equation = FC_ETD1D_BURGERS;
  return c;
}

static fc_status check(const void *config) { return fc_etd1d_check(config); }

static void describe(const void *config, fc_field_spec *out) {
  const fc_etd1d_config c = equation(config);

  fc_etd1d_describe(&c, out);
}

static void plan(const void *config, FILE *out) {
  const fc_etd1d_config c = equation(config);

  fc_etd1d_plan(&c, out);
}

static fc_status run(const void *config, const fc_audience *to) {
  const fc_etd1d_config c = equation(config);

  return fc_etd1d_run(&c, to);
}

static fc_status advance(const void *config, const int64_t *dim, const fc_real *x, double t0, double frame_dt,
                         int64_t n, fc_frame_sink sink, void *user) {
  const fc_etd1d_config c = equation(config);

  return fc_etd1d_advance(&c, dim, x, t0, frame_dt, n, sink, user);
}

const fc_solver_def fc_solver_burgers = {
    .name        = "burgers",
    .summary     = "u_t + (u^2/2)_x = nu u_xx on a periodic line, Fourier and ETDRK4",
    .source      = "Li et al. 2021 (arXiv 2010.08895); Kassam and Trefethen, SIAM J. Sci. Comput. 26 (2005)",
    .options     = options,
    .config_size = sizeof(fc_etd1d_config),
    .check       = check,
    .describe    = describe,
    .plan        = plan,
    .run         = run,
    .advance     = advance,
};
