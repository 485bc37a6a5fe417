/* solvers/ks.c - the Kuramoto-Sivashinsky equation as a solver. The numerics are in etd1d.c and etd1d_step.c.
 */
#include "solvers/etd1d_options.h"

static const fc_option options[] = {
    FC_1D_GRID("64", "22"),
    FC_1D_REAL(nu, "1", 0, 1e6, "factor of the fourth derivative"),
    FC_1D_CHOICE(form, "conservative|gradient", "conservative",
                 "-(u^2/2)_x, or -(u_x)^2/2 without its mean (u is then the integral of the other)"),
    FC_1D_TIME("0.1", "200", "1", "100"),
    FC_1D_START("waves", "2", "1", "0", "5"),
    FC_OPT_END};

static fc_etd1d_config equation(const void *config) {
  fc_etd1d_config c = *(const fc_etd1d_config *)config;

  c.equation = FC_ETD1D_KS;
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

const fc_solver_def fc_solver_ks = {
    .name = "ks",
    .summary =
        "Kuramoto-Sivashinsky u_t + u u_x + u_xx + nu u_xxxx = 0 on a periodic line, Fourier and ETDRK4",
    .source  = "Kassam and Trefethen, SIAM J. Sci. Comput. 26 (2005); Koehler et al. 2024, APEBench (arXiv "
               "2411.00180)",
    .options = options,
    .config_size = sizeof(fc_etd1d_config),
    .check       = check,
    .describe    = describe,
    .plan        = plan,
    .run         = run,
    .advance     = advance,
};
