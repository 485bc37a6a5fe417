/* tests/solvers/test_profiles.c - statistics of flows whose means, stresses and spectra are known in closed
 * form. */
#include "io/field_writer.h"
#include "solvers/box_statistics.h"
#include "solvers/flow_statistics.h"
#include "solvers/profiles.h"
#include "tests/check.h"

enum { NX = 8, NY = 17, NZ = 12, FRAMES = 6 };

static const double LX = 4 * M_PI, LZ = 4 * M_PI / 3, NU = 0.01;

static void nodes(double y[NY]) {
  for (int j = 0; j < NY; j++) y[j] = tanh(1.4 * (2.0 * j / (NY - 1) - 1)) / tanh(1.4);
  y[(NY - 1) / 2] = 0; /* its own mirror image to the last bit */
  y[0] = -1, y[NY - 1] = 1;
}

/* ---- planes ---- */

typedef struct {
  double a, b, c; /* amplitudes of the waves of u, v, w */
} waves;

/* mode 2 along x, mode 3 along z; v is odd across the middle and in phase with u in the lower half */
static void planes(const waves *q, double y, double phase, double *u, double *v, double *w) {
  const double g = 1 - y * y;

  for (int i = 0; i < NX; i++)
    for (int k = 0; k < NZ; k++) {
      const double wave = cos(2 * 2 * M_PI * i / NX + phase) * cos(3 * 2 * M_PI * k / NZ);
      u[i * NZ + k]     = g + q->a * g * wave;
      v[i * NZ + k]     = -y * q->b * g * wave;
      w[i * NZ + k]     = q->c * g * sin(2 * 2 * M_PI * i / NX + phase);
    }
}

static fc_profiles *gather(const waves *q, int64_t lo, int64_t hi) {
  double           y[NY], u[NX * NZ], v[NX * NZ], w[NX * NZ];
  fc_profiles     *p;
  fc_profiles_spec spec = {.nx        = NX,
                           .ny        = NY,
                           .nz        = NZ,
                           .lx        = LX,
                           .lz        = LZ,
                           .y         = y,
                           .wall      = {-1, 1},
                           .n_spectra = 1,
                           .spectra   = {1}};

  nodes(y);
  CHECK_OK(fc_profiles_create(&spec, &p));
  for (int64_t t = lo; t < hi; t++) {
    for (int64_t j = 0; j < NY; j++) {
      planes(q, y[j], 0.7 * (double)t, u, v, w);
      fc_profiles_plane(p, j, u, v, w, NULL, NULL, NULL);
    }
    CHECK_OK(fc_profiles_sample(p));
  }
  return p;
}

static double one(const fc_statistics *s, const char *name) {
  const fc_quantity *q = fc_statistics_find(s, name, NULL);
  CHECK(q && q->n == 1);
  return q ? q->value[0] : NAN;
}

static const fc_quantity *profile(const fc_statistics *s, const char *name) {
  static const double      none[1];
  static const fc_quantity empty = {
      .n = 0, .x = (double *)none, .value = (double *)none, .half = (double *)none};
  const fc_quantity *q = fc_statistics_find(s, name, NULL);
  CHECK(q != NULL);
  return q ? q : &empty;
}

/* U = 1 - y^2 with any points: parabolas have no error but rounding */
static void poiseuille(void) {
  const waves     none = {0};
  fc_profiles    *p    = gather(&none, 0, 4);
  fc_profiles_use use  = {.nu = NU, .halves = true, .velocity_unit = "m/s", .length_unit = "m"};
  fc_statistics   s;

  fc_statistics_init(&s, "channel");
  CHECK_OK(fc_profiles_report(p, &use, &s));
  const double u_tau = sqrt(2 * NU);
  CHECK_NEAR(one(&s, "tau_w"), 2 * NU, 1e-14);
  CHECK_NEAR(one(&s, "u_tau"), u_tau, 1e-14);
  CHECK_NEAR(one(&s, "Re_tau"), u_tau / NU, 1e-11);
  CHECK_NEAR(one(&s, "U_b"), 2.0 / 3, 1e-13);
  CHECK_NEAR(one(&s, "U_c"), 1, 1e-13);
  CHECK_NEAR(one(&s, "C_f"), 2 * 2 * NU / (4.0 / 9), 1e-12);
  CHECK_NEAR(one(&s, "stress_imbalance"), 0, 1e-12);
  const fc_quantity *u = profile(&s, "mean_u"), *plus = profile(&s, "mean_u_plus"),
                    *rms = profile(&s, "u_rms");
  CHECK(u->n == 9 && !strcmp(u->unit, "m/s") && !strcmp(u->axis, "y") && !strcmp(u->axis_unit, "m"));
  for (int64_t j = 0; j < u->n; j++) {
    const double d = u->x[j];
    CHECK_NEAR(u->value[j], d * (2 - d), 1e-14);
    CHECK_NEAR(plus->value[j], d * (2 - d) / u_tau, 1e-12);
    CHECK_NEAR(plus->x[j], d * u_tau / NU, 1e-11);
    CHECK(rms->value[j] < 1e-14 && rms->half[j] < 1e-14); /* rounding of sums over a plane */
  }
  fc_statistics_free(&s);
  /* of the first point: nu U_1 / y_1 = nu (2 - y_1) */
  use.first_node = true, use.halves = false;
  CHECK_OK(fc_profiles_report(p, &use, &s));
  u = profile(&s, "mean_u");
  CHECK(u->n == NY);
  CHECK_NEAR(one(&s, "tau_w"), NU * (2 - u->x[1]), 1e-14);
  fc_statistics_free(&s);
  fc_profiles_destroy(p);
}

static void stresses(void) {
  const waves           q   = {0.3, 0.2, 0.1};
  fc_profiles          *p   = gather(&q, 0, FRAMES);
  const fc_profiles_use use = {.nu = NU, .halves = true, .velocity_unit = "", .length_unit = ""};
  fc_statistics         s;

  fc_statistics_init(&s, "channel");
  CHECK_OK(fc_profiles_report(p, &use, &s));
  const fc_quantity *uu = profile(&s, "uu"), *vv = profile(&s, "vv"), *uv = profile(&s, "uv"),
                    *w = profile(&s, "w_rms"), *total = profile(&s, "total_stress"),
                    *mean_v = profile(&s, "mean_v");
  for (int64_t j = 0; j < uu->n; j++) {
    const double y = 1 - uu->x[j], g = 1 - y * y; /* the lower half: y is -y there */
    CHECK_NEAR(uu->value[j], 0.09 * g * g / 4, 1e-14);
    CHECK_NEAR(vv->value[j], 0.04 * y * y * g * g / 4, 1e-14);
    CHECK_NEAR(uv->value[j], 0.06 * y * g * g / 4, 1e-14);
    CHECK_NEAR(w->value[j], 0.1 * g / sqrt(2), 1e-14);
    CHECK_NEAR(total->value[j], 2 * NU * y - 0.06 * y * g * g / 4, 1e-13);
    CHECK_NEAR(mean_v->value[j], 0, 1e-15);
    CHECK(uu->half[j] < 1e-14);
  }
  /* all energy is in mode 2 along x: k = 2 2 pi / LX = 1, width 1/2; in mode 3 along z */
  const fc_quantity *ex = profile(&s, "E_uu_kx_at_1"), *ez = profile(&s, "E_uu_kz_at_1");
  CHECK(ex->n == NX / 2 && ez->n == NZ / 2 && !strcmp(ex->axis, "kx"));
  for (int64_t i = 0; i < ex->n; i++) CHECK_NEAR(ex->value[i], i == 1 ? 0.09 / 4 / 0.5 : 0, 1e-14);
  for (int64_t i = 0; i < ez->n; i++)
    CHECK_NEAR(ez->value[i], i == 2 ? 0.09 / 4 / (2 * M_PI / LZ) : 0, 1e-14);
  CHECK_NEAR(ex->x[1], 1, 1e-14);
  fc_statistics_free(&s);
  fc_profiles_destroy(p);
}

/* a flow that the walls do not hold back, as bad surrogates have it: no friction velocity, no wall units */
static void no_wall_units(void) {
  double                 y[NY], u[NX * NZ], zero[NX * NZ] = {0};
  fc_profiles           *p;
  const fc_profiles_spec spec = {
      .nx = NX, .ny = NY, .nz = NZ, .lx = LX, .lz = LZ, .y = y, .wall = {-1, 1}, .n_spectra = 0};
  const fc_profiles_use use = {.nu = NU, .halves = true, .velocity_unit = "", .length_unit = ""};
  fc_statistics         s;

  nodes(y);
  CHECK_OK(fc_profiles_create(&spec, &p));
  for (int t = 0; t < 4; t++) {
    for (int64_t j = 0; j < NY; j++) {
      for (int i = 0; i < NX * NZ; i++) u[i] = 1 + y[j] * y[j] * (t - 0.5); /* once the other way round */
      fc_profiles_plane(p, j, u, zero, zero, NULL, NULL, NULL);
    }
    CHECK_OK(fc_profiles_sample(p));
  }
  fc_statistics_init(&s, "channel");
  CHECK_OK(fc_profiles_report(p, &use, &s));
  CHECK_NEAR(one(&s, "tau_w"), -2 * NU, 1e-14);
  CHECK(one(&s, "u_tau") == 0 && !fc_statistics_find(&s, "mean_u_plus", NULL) &&
        fc_statistics_find(&s, "mean_u", NULL));
  fc_statistics_free(&s);
  fc_profiles_destroy(p);
}

/* A mean that is a million times the fluctuation: in raw moments nothing would be left of 1e-12 beside 1. */
static void small_fluctuations(void) {
  const waves           q   = {1e-6, 1e-6, 1e-6};
  fc_profiles          *p   = gather(&q, 0, FRAMES);
  const fc_profiles_use use = {.nu = NU, .halves = true, .velocity_unit = "", .length_unit = ""};
  fc_statistics         s;

  fc_statistics_init(&s, "channel");
  CHECK_OK(fc_profiles_report(p, &use, &s));
  const fc_quantity *rms = profile(&s, "u_rms");
  CHECK_NEAR(rms->value[rms->n - 1] / 1e-6, 0.5, 1e-9); /* 2^-52 / 1e-6 */
  fc_statistics_free(&s);
  fc_profiles_destroy(p);
}

/* Amplitudes that change: variances follow the amplitude, and the interval of the rms is that of the delta
   method, half(uu) / (2 rms), as far as the jackknife of 12 batches sees curvature. */
static void intervals(void) {
  double                y[NY], u[NX * NZ], v[NX * NZ], w[NX * NZ];
  const fc_rng          r = {3, 0, FC_RNG_TEST};
  fc_profiles          *p;
  fc_profiles_spec      spec = {.nx = NX, .ny = NY, .nz = NZ, .lx = LX, .lz = LZ, .y = y, .wall = {-1, 1}};
  const fc_profiles_use use  = {.nu = NU, .halves = true, .velocity_unit = "", .length_unit = ""};
  fc_statistics         s;

  nodes(y);
  CHECK_OK(fc_profiles_create(&spec, &p));
  for (uint64_t t = 0; t < 24; t++) {
    const double a = 0.3 + 0.05 * fc_rng_normal(&r, t);
    for (int64_t j = 0; j < NY; j++) {
      planes(&(waves){a, a, a}, y[j], 0.5 * (double)t, u, v, w);
      fc_profiles_plane(p, j, u, v, w, NULL, NULL, NULL);
    }
    CHECK_OK(fc_profiles_sample(p));
  }
  fc_statistics_init(&s, "channel");
  CHECK_OK(fc_profiles_report(p, &use, &s));
  const fc_quantity *uu = profile(&s, "uu"), *rms = profile(&s, "u_rms"), *plus = profile(&s, "u_rms_plus");
  CHECK(s.samples == 24 && s.batches == 24);
  for (int64_t j = 1; j < uu->n; j++) {
    CHECK(uu->half[j] > 0);
    CHECK_NEAR(rms->half[j] / (uu->half[j] / 2 / rms->value[j]), 1, 0.02);
    CHECK_NEAR(plus->half[j] / rms->half[j], 1 / one(&s, "u_tau"), 1e-6); /* u_tau does not vary here */
  }
  fc_statistics_free(&s);
  fc_profiles_destroy(p);
}

static void restart(void) {
  const waves  q     = {0.3, 0.2, 0.1};
  fc_profiles *whole = gather(&q, 0, 9), *first = gather(&q, 0, 5), *second = gather(&q, 20, 20);
  double      *state = malloc((size_t)fc_profiles_state(first) * sizeof *state), *a, *b;
  double       y[NY], u[NX * NZ], v[NX * NZ], w[NX * NZ];

  nodes(y);
  fc_profiles_keep(first, state);
  fc_profiles_restore(second, state);
  for (int t = 5; t < 9; t++) {
    for (int64_t j = 0; j < NY; j++) {
      planes(&q, y[j], 0.7 * t, u, v, w);
      fc_profiles_plane(second, j, u, v, w, NULL, NULL, NULL);
    }
    CHECK_OK(fc_profiles_sample(second));
  }
  const size_t n = (size_t)fc_profiles_state(whole);
  a = malloc(n * sizeof *a), b = malloc(n * sizeof *b);
  fc_profiles_keep(whole, a);
  fc_profiles_keep(second, b);
  CHECK(!memcmp(a, b, n * sizeof *a));
  free(a), free(b), free(state);
  fc_profiles_destroy(whole), fc_profiles_destroy(first), fc_profiles_destroy(second);
}

static void no_halves(void) {
  const double           y[4] = {-1, -0.5, 0.2, 1}, zero[4] = {0};
  const fc_profiles_spec spec = {.nx = 2, .ny = 4, .nz = 2, .lx = 1, .lz = 1, .y = y, .wall = {-1, 1}};
  const fc_profiles_use  use  = {.halves = true, .velocity_unit = "", .length_unit = ""};
  fc_profiles           *p;
  fc_statistics          s;

  CHECK_OK(fc_profiles_create(&spec, &p));
  for (int64_t j = 0; j < 4; j++) fc_profiles_plane(p, j, zero, zero, zero, NULL, NULL, NULL);
  CHECK_OK(fc_profiles_sample(p));
  fc_statistics_init(&s, "channel");
  CHECK_FAILS(fc_profiles_report(p, &use, &s), FC_E_USAGE, "mirror image");
  fc_statistics_free(&s);
  fc_profiles_destroy(p);
}

/* ---- boxes ---- */

enum { N = 16 };

/* Taylor-Green: energy 1/8, enstrophy 3/8, all of it at |k| = sqrt 3 */
static void taylor_green(void) {
  const fc_box_spec spec = {{N, N, N}, {2 * M_PI, 2 * M_PI, 2 * M_PI}, NU, "", ""};
  double           *u[3];
  fc_box           *b;
  fc_box_numbers    now;
  fc_statistics     s;

  for (int a = 0; a < 3; a++) u[a] = calloc(N * N * N, sizeof **u);
  for (int i = 0; i < N * N * N; i++) {
    const double h = 2 * M_PI / N, x = h * (i / N / N), y = h * (i / N % N), z = h * (i % N);
    u[0][i] = sin(x) * cos(y) * cos(z) + 5; /* a mean flow is no turbulence */
    u[1][i] = -cos(x) * sin(y) * cos(z);
  }
  CHECK_OK(fc_box_create(&spec, &b));
  for (int t = 0; t < 3; t++) fc_box_sample(b, (const double *const[3]){u[0], u[1], u[2]}, &now);
  CHECK_NEAR(now.energy, 0.125, 1e-14);
  CHECK_NEAR(now.enstrophy, 0.375, 1e-14);
  CHECK_NEAR(now.dissipation, 2 * NU * 0.375, 1e-15);
  CHECK_NEAR(now.skewness, 0, 1e-12);
  CHECK_NEAR(now.divergence, 0, 1e-13);
  fc_statistics_init(&s, "isotropic");
  CHECK_OK(fc_box_report(b, &s));
  const fc_quantity *e = profile(&s, "E");
  CHECK(e->n == N / 2);
  for (int64_t i = 0; i < e->n; i++) CHECK_NEAR(e->value[i], i == 1 ? 0.125 : 0, 1e-14);
  CHECK_NEAR(one(&s, "integral_scale"), M_PI / 2 * (0.125 / 2) / (0.25 / 3), 1e-13);
  CHECK_NEAR(one(&s, "taylor_scale"), sqrt(15 * (0.25 / 3) / 0.75), 1e-13);
  CHECK_NEAR(one(&s, "Re_lambda"), sqrt(0.25 / 3) * sqrt(15 * (0.25 / 3) / 0.75) / NU, 1e-11);
  fc_statistics_free(&s);
  fc_box_destroy(b);
  for (int a = 0; a < 3; a++) free(u[a]);
}

/* u = sin x + 1/2 sin 2x: nothing but divergence. Of s = cos x + cos 2x: <s^2> = 1, <s^3> = 3/4. */
static void skewed(void) {
  const fc_box_spec spec = {{N, 4, 4}, {2 * M_PI, 2 * M_PI, 2 * M_PI}, 0, "", ""};
  double            u[N * 16], zero[N * 16] = {0};
  fc_box           *b;
  fc_box_numbers    now;
  fc_statistics     s;

  for (int i = 0; i < N * 16; i++) {
    const double x = 2 * M_PI / N * (i / 16);
    u[i]           = sin(x) + sin(2 * x) / 2;
  }
  CHECK_OK(fc_box_create(&spec, &b));
  fc_box_sample(b, (const double *const[3]){u, zero, zero}, &now);
  CHECK_NEAR(now.divergence, 1, 1e-14);
  /* the mean over three directions, of which two are at rest */
  CHECK_NEAR(now.skewness, 0.75 / 3 / pow(1.0 / 3, 1.5), 1e-12);
  fc_statistics_init(&s, "isotropic");
  CHECK_OK(fc_box_report(b, &s));
  CHECK(!fc_statistics_find(&s, "dissipation", NULL)); /* no viscosity is known */
  fc_statistics_free(&s);
  fc_box_destroy(b);
}

/* ---- files ---- */

static const fc_out_field fields[2] = {{"velocity", "", 1}, {"nu_t", "", 0}};

/* scalars come first: nu_t, u, v, w */
static void write_channel(const char *name, bool periodic, double slip) {
  double           y[NY], u[NX * NZ], v[NX * NZ], w[NX * NZ];
  fc_field_spec    spec = {.name     = "channel",
                           .ndim     = 3,
                           .dim      = {NX, NY, NZ},
                           .spacing  = {LX / NX, 1, LZ / NZ},
                           .points   = {NULL, y},
                           .periodic = {true, periodic, true},
                           .n_traj   = 2,
                           .n_steps  = FRAMES,
                           .t0       = 10,
                           .dt       = 0.5,
                           .n_fields = 2,
                           .field    = fields,
                           .n_params = 1};
  fc_field_writer *f;
  fc_real         *x = malloc(NX * NY * NZ * 4 * sizeof *x);

  spec.param[0].name = "nu", spec.param[0].value = NU;
  nodes(y);
  CHECK_OK(fc_field_writer_create(check_path(name), &spec, &f));
  for (int64_t k = 0; k < 2 * FRAMES; k++) {
    for (int j = 0; j < NY; j++) {
      planes(&(waves){0.3, 0.2, 0.1}, y[j], 0.7 * (double)k, u, v, w);
      for (int i = 0; i < NX * NZ; i++) {
        fc_real *to = x + ((i / NZ * NY + j) * NZ + i % NZ) * 4;
        to[0] = (fc_real)0.5, to[1] = (fc_real)(u[i] + slip), to[2] = (fc_real)v[i], to[3] = (fc_real)w[i];
      }
    }
    CHECK_OK(fc_field_write(f, k / FRAMES, k % FRAMES, 1, x));
  }
  CHECK_OK(fc_field_writer_finish(f));
  free(x);
}

static fc_flow_options defaults(void) {
  fc_flow_options o;
  fc_options_defaults(fc_flow_options_table, &o);
  return o;
}

/* numbers are stored in float: 6e-8 relative, and the slope at the wall has 1 / y_1 = 30 times that */
static void channel_file(void) {
  fc_flow_options o = defaults();
  fc_statistics   s;

  write_channel("channel.h5", false, 0);
  o.from = 10.5, o.to = 12;
  CHECK_OK(fc_flow_statistics(check_path("channel.h5"), &o, true, &s));
  CHECK(!strcmp(s.kind, "channel") && s.samples == 8 && s.from == 10.5 && s.to == 12);
  CHECK_NEAR(one(&s, "tau_w") / (2 * NU), 1, 3e-6);
  CHECK_NEAR(one(&s, "slip_rms"), 0, 1e-6);
  const fc_quantity *uv = profile(&s, "uv"), *stress = profile(&s, "modelled_stress"),
                    *nu_t = profile(&s, "nu_t");
  for (int64_t j = 0; j < uv->n; j++) {
    const double y = 1 - uv->x[j], g = 1 - y * y;
    CHECK_NEAR(uv->value[j], 0.06 * y * g * g / 4, 1e-7);
    CHECK_NEAR(stress->value[j], 0.5 * 2 * y, 1e-5); /* dv/dx has no mean */
    CHECK_NEAR(nu_t->value[j], 0.5, 0);
  }
  fc_statistics_free(&s);
}

static void wrong_files(void) {
  fc_flow_options o = defaults();
  fc_statistics   s;
  const char     *path = check_path("channel.h5");

  write_channel("channel.h5", false, 0);
  o.from = 20;
  CHECK_FAILS(fc_flow_statistics(path, &o, true, &s), FC_E_USAGE, "no frame between the times 20");
  o = defaults(), o.kind = FC_FLOW_BOX;
  CHECK_FAILS(fc_flow_statistics(path, &o, true, &s), FC_E_INPUT, "unevenly spaced");
  o = defaults(), o.velocity.n = 3;
  for (int a = 0; a < 3; a++) strcpy(o.velocity.v[a], "speed");
  CHECK_FAILS(fc_flow_statistics(path, &o, true, &s), FC_E_USAGE, "no channel 'speed'");
  o = defaults(), strcpy(o.pressure, "q");
  CHECK_FAILS(fc_flow_statistics(path, &o, true, &s), FC_E_USAGE, "no channel 'q'");
  o = defaults(), o.walls.n = 2, o.walls.v[0] = -0.5, o.walls.v[1] = 1;
  CHECK_FAILS(fc_flow_statistics(path, &o, true, &s), FC_E_USAGE, "walls");
  write_channel("slip.h5", false, 0.2);
  o = defaults();
  CHECK_FAILS(fc_flow_statistics(check_path("slip.h5"), &o, true, &s), FC_E_INPUT, "not at rest");
  CHECK_FAILS(fc_flow_statistics(check_path("absent.h5"), &o, true, &s), FC_E_INPUT, "absent.h5");
}

CHECK_SUITE(profiles, poiseuille, stresses, no_wall_units, small_fluctuations, intervals, restart, no_halves,
            taylor_green, skewed, channel_file, wrong_files)
