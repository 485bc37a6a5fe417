/* solvers/darcy.c - Darcy flow as a solver: options, description, plan, runs. The numerics are in
   darcy_solve.c and multigrid.c, given coefficients on other grids in darcy_steady.c. */
#include "solvers/darcy.h"

#include "core/parallel.h"
#include "solvers/crew.h"

#include <math.h>
#include <stdlib.h>

#define INT(field, def, lo, hi, help)     FC_OPT_INT(fc_darcy_config, field, def, lo, hi, help)
#define REAL(field, def, lo, hi, help)    FC_OPT_REAL(fc_darcy_config, field, def, lo, hi, help)
#define CHOICE(field, choices, def, help) FC_OPT_CHOICE(fc_darcy_config, field, choices, def, help)

static const fc_option options[] = {
    INT(n, "421", 4, 16384, "cells a side of the unit square"),
    INT(stride, "1", 1, 4096, "keep every stride-th value along each axis, the first one included"),
    CHOICE(coefficient, "threshold|lognormal|uniform", "threshold",
           "a = high where a random field is >= 0, else low; its exponential; high everywhere"),
    REAL(high, "12", 1e-12, 1e12, "larger value of a, or that of coefficient=uniform"),
    REAL(low, "3", 1e-12, 1e12,
         "smaller value of a; published files are described with 3, their script has 4"),
    REAL(alpha, "2", 1.001, 100, "random field: decay exponent of the spectrum"),
    REAL(tau, "3", 1e-12, 1e6, "random field: inverse correlation length"),
    REAL(sigma, "0", 0, 1e12, "random field: amplitude; 0: tau^(alpha-1)"),
    REAL(force, "1", -1e12, 1e12, "f, constant"),
    CHOICE(scheme, "nodes|volumes", "volumes",
           "the FNO data sets' nodes, reached from the cells and left again by splines, or flux balances of "
           "cells"),
    CHOICE(mean, "arithmetic|harmonic", "harmonic", "of a between two values"),
    CHOICE(sides, "closed|strip", "closed",
           "u = 0 on the border, or only at x = 0 and 1 (no flux through y = 0, 1)"),
    REAL(tolerance, "1e-12", 1e-15, 0.1, "of the linear system: residual over right-hand side, 2-norms"),
    INT(n_traj, "1", 1, 1000000, "samples"),
    INT(first_traj, "0", 0, 1000000000, "number of the first sample: other numbers, other coefficients"),
    INT(seed, "0", 0, 9e15, "of the random coefficients"),
    FC_OPT_BOOL(fc_darcy_config, accurate, "false", "instead of scheme and mean: volumes, harmonic"),
    FC_OPT_END};

static fc_status check(const void *config) {
  const fc_darcy_config c = fc_darcy_resolve(config);

  FC_REQUIRE(c.stride < c.n, FC_E_USAGE, "stride=%lld leaves one value of n=%lld; lower it",
             (long long)c.stride, (long long)c.n);
  FC_REQUIRE(c.coefficient != FC_DARCY_THRESHOLD || c.low <= c.high, FC_E_USAGE,
             "low=%g is larger than high=%g: a is high where the random field is positive", c.low, c.high);
  FC_REQUIRE(c.sides == FC_DARCY_CLOSED || c.scheme == FC_DARCY_VOLUMES, FC_E_USAGE,
             "sides=strip needs scheme=volumes (or accurate=true): the nodes of the other lie on the border");
  return FC_OK;
}

static int64_t kept(const fc_darcy_config *c) { return fc_ceil_div(c->n, c->stride); }

static void describe(const void *config, fc_field_spec *out) {
  static const fc_out_field field[] = {{"u", "1", 0}}, constant[] = {{"a", "1", 0}};
  static const int          values[] = {2, 0, 1}; /* threshold: high and low; lognormal; uniform: high */
  const fc_darcy_config     c        = fc_darcy_resolve(config);
  const double              half = 0.5 / (double)c.n, step = (double)c.stride / (double)c.n;

  *out = (fc_field_spec){
      .name       = "darcy_flow",
      .ndim       = 2,
      .dim        = {kept(&c), kept(&c)},
      .axis       = {"x", "y"},
      .origin     = {half, half},
      .spacing    = {step, step},
      .wall       = {true, true},
      .n_traj     = c.n_traj,
      .n_steps    = 1,
      .dt         = 1,
      .time_unit  = "",
      .space_unit = "",
      .n_fields   = 1,
      .field      = field,
      .n_constant = 1,
      .constant   = constant,
      .n_params   = 3 + values[c.coefficient],
      .param      = {
               {"f", c.force}, {"grf_alpha", c.alpha}, {"grf_tau", c.tau}, {"a_high", c.high}, {"a_low", c.low}}};
}

static int lanes_of(const fc_darcy_config *c) {
  return (int)fc_min64(fc_min64(c->n_traj, fc_threads()), FC_CREW_LANES);
}

static void plan(const void *config, FILE *out) {
  const fc_darcy_config c     = fc_darcy_resolve(config);
  const int             lanes = lanes_of(&c);

  fprintf(out, "grid         %lld x %lld cells, %lld x %lld values kept\n", (long long)c.n, (long long)c.n,
          (long long)kept(&c), (long long)kept(&c));
  fprintf(out, "samples      %lld, seed %lld\n", (long long)c.n_traj, (long long)c.seed);
  fprintf(out, "systems      %lld unknowns, about 12 V-cycles each\n",
          (long long)(c.scheme == FC_DARCY_NODES ? (c.n - 2) * (c.n - 2) : c.n * c.n));
  fprintf(out, "memory       %.0f MB, %d sample%s at a time on %d threads\n",
          (double)(lanes * fc_darcy_bytes(&c)) / 1e6, lanes, lanes == 1 ? "" : "s", fc_threads());
  fprintf(out, "output       %.0f MB\n",
          (double)(2 * c.n_traj * kept(&c) * kept(&c)) * (double)sizeof(fc_real) / 1e6);
}

/* ---- runs ---- */

enum { LARGEST, ITERATIONS }; /* diagnostics whose range is told */

typedef struct { /* one lane */
  fc_crew  *crew;
  fc_darcy *d;
  fc_real  *frame;
} worker;

static void keep(const fc_darcy *d, const double *x, fc_real *out) {
  const int64_t n = kept(&d->c), s = d->c.stride;

  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) out[i * n + j] = (fc_real)x[i * s * d->ny + j * s];
}

static double largest(const fc_darcy *d) {
  double top = 0;

  for (int64_t i = 0; i < d->nx * d->ny; i++) top = fmax(top, fabs(d->u[i]));
  return top;
}

static fc_status sample(void *self, int lane, int64_t traj) {
  worker      *w = (worker *)self + lane;
  fc_darcy    *d = w->d;
  char         note[160];
  const double share = 1 / (double)d->c.n_traj;

  fc_darcy_coefficient(d, traj);
  FC_TRY(fc_darcy_solve(d));
  keep(d, d->a, w->frame);
  FC_TRY(fc_crew_emit(w->crew, traj, FC_FRAME_CONSTANT, w->frame));
  keep(d, d->u, w->frame);
  FC_TRY(fc_crew_emit(w->crew, traj, 0, w->frame));
  fc_crew_widen(w->crew, LARGEST, largest(d));
  fc_crew_widen(w->crew, ITERATIONS, d->iterations);
  snprintf(note, sizeof note, "sample %lld, |u| up to %.4g, %d iterations",
           (long long)(d->c.first_traj + traj), largest(d), d->iterations);
  return fc_crew_progress(w->crew, share, note);
}

static fc_status run(const void *config, const fc_audience *to) {
  static const char *const names[] = {[LARGEST] = "largest |u|", [ITERATIONS] = "iterations"};
  const fc_darcy_config    c       = fc_darcy_resolve(config);
  const int                lanes   = lanes_of(&c);
  const int64_t            size    = kept(&c) * kept(&c);
  fc_crew                  crew    = {.to = to};
  worker                  *w       = calloc((size_t)lanes, sizeof *w);
  fc_real                 *x       = calloc((size_t)(lanes * size), sizeof *x);
  fc_status                s       = check(config);

  if (s == FC_OK && !(w && x)) s = fc_fail(FC_E_SYSTEM, "no memory for %d samples", lanes);
  for (int i = 0; i < lanes && s == FC_OK; i++) {
    w[i] = (worker){&crew, NULL, x + i * size};
    s    = fc_darcy_create(&c, c.n, c.n, &w[i].d);
  }
  if (s == FC_OK) s = fc_crew_run(&crew, c.n_traj, lanes, sample, w);
  if (s == FC_OK) s = fc_crew_finish(&crew, FC_COUNT(names), names);
  for (int i = 0; w && i < lanes; i++) fc_darcy_destroy(w[i].d);
  free(w);
  free(x);
  return s;
}

const fc_solver_def fc_solver_darcy = {
    .name        = "darcy",
    .summary     = "steady Darcy flow -div(a grad u) = f in the unit square, u = 0 on the border, multigrid",
    .source      = "Li et al. 2021 (arXiv 2010.08895); Dendy, J. Comput. Phys. 48 (1982)",
    .options     = options,
    .config_size = sizeof(fc_darcy_config),
    .check       = check,
    .describe    = describe,
    .plan        = plan,
    .run         = run,
    .steady      = fc_darcy_steady,
};
