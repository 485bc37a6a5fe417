/* tests/solvers/test_spectral_2d.c - the solver as a user meets it: options, presets, runs, continuation,
   errors; and the random fields. */
#include "solvers/grf.h"
#include "solvers/solver.h"
#include "tests/check.h"

#define SMALL                                                                                                \
  "n=32", "nu=0.01", "dt=0.01", "t_skip=0.2", "frame_dt=0.1", "frames=4", "n_traj=3", "forcing=kolmogorov",  \
      "forcing_mode=4", "mu=0.1"

typedef struct { /* collects all frames */
  fc_real *x;
  int64_t  frames, size, calls, last[8];
  int64_t  fail_at;
} sink_state;

static fc_status collect(void *user, int64_t traj, int64_t t, const fc_real *x) {
  sink_state *s = user;

  if (s->fail_at && s->calls + 1 == s->fail_at) return fc_fail(FC_E_SYSTEM, "the disk is full");
  CHECK(t == s->last[traj % 8]++); /* in order within a trajectory */
  memcpy(s->x + (traj * s->frames + t) * s->size, x, (size_t)s->size * sizeof *x);
  s->calls++;
  return FC_OK;
}

typedef struct {
  const fc_solver_def *def;
  void                *config;
  fc_field_spec        spec;
  sink_state           out;
} trial;

static trial configured(const char *preset, int n, const char *const *set) {
  trial t = {0};

  CHECK_OK(fc_solver_configure(preset, n, set, &t.def, &t.config));
  if (!t.config) abort();
  t.def->describe(t.config, &t.spec);
  t.out.frames = t.spec.n_steps;
  t.out.size   = t.spec.dim[0] * t.spec.dim[1];
  t.out.x      = calloc((size_t)(t.spec.n_traj * t.out.frames * t.out.size), sizeof *t.out.x);
  return t;
}

#define WITH(...)                                                                                            \
  (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), (const char *[]) { __VA_ARGS__ }

static trial ran(int n, const char *const *set) {
  trial t = configured("spectral_2d", n, set);

  CHECK_OK(t.def->run(t.config, &(fc_audience){.sink = collect, .user = &t.out}));
  CHECK(t.out.calls == t.spec.n_traj * t.spec.n_steps);
  return t;
}

static void drop(trial t) {
  free(t.config);
  free(t.out.x);
}

static double apart(const fc_real *a, const fc_real *b, int64_t n) {
  double off = 0, top = 0;

  for (int64_t i = 0; i < n; i++) {
    const double d = fabs((double)a[i] - (double)b[i]);
    if (!(d <= off)) off = d;
    top = fmax(top, fabs((double)b[i]));
  }
  return off / top;
}

/* ---- random fields ---- */

/* mean of |w_k|^2 / s_k^2 over samples and modes; 1/2 for ky = 0 in the half-spectrum variant */
static void random_field_has_its_spectrum(void) {
  enum { N = 16, SAMPLES = 400 };
  for (int kind = 0; kind < 2; kind++) {
    const fc_grf g    = {(fc_grf_kind)kind, 2 * M_PI, 2.5, 7, 0};
    double       axis = 0, rest = 0, hat[2 * N * (N / 2 + 1)];
    int64_t      n_axis = 0, n_rest = 0;
    for (uint64_t sample = 0; sample < SAMPLES; sample++) {
      const fc_rng r = {3, sample, FC_RNG_FIELD};
      fc_grf_2d(&g, &r, N, hat);
      CHECK(hat[0] == 0 && hat[1] == 0);
      for (int64_t i = 0; i < N; i++)
        for (int64_t j = 0; j < N / 2; j++) {
          const double *z = hat + 2 * (i * (N / 2 + 1) + j),
                       s  = fc_grf_weight(&g, (double)(i < N / 2 ? i : i - N), (double)j);
          if (i == N / 2 || (i == 0 && j == 0)) continue;
          const double v = (z[0] * z[0] + z[1] * z[1]) / (s * s);
          if (j == 0)
            axis += v, n_axis++;
          else
            rest += v, n_rest++;
        }
      for (int64_t i = 1; i < N / 2; i++) { /* a real field: w_-k is the conjugate of w_k */
        const double *a = hat + 2 * i * (N / 2 + 1), *b = hat + 2 * (N - i) * (N / 2 + 1);
        CHECK(a[0] == b[0] && a[1] == -b[1]);
      }
    }
    /* |z|^2 is exponential: its mean has the standard error 1/sqrt(n), on the axis sqrt 2 more (pairs). 5 of
     * them. */
    CHECK_NEAR(rest / (double)n_rest, 1, 5 / sqrt((double)n_rest));
    CHECK_NEAR(axis / (double)n_axis, kind ? 0.5 : 1, 7 / sqrt((double)n_axis));
  }
  /* s_k by hand: sqrt 2 * 7^1.5 * (9 + 16 + 49)^-1.25 */
  const fc_grf g = {FC_GRF_HALF, 2 * M_PI, 2.5, 7, 0};
  CHECK_NEAR(fc_grf_weight(&g, 3, -4), sqrt(2) * pow(7, 1.5) * pow(74, -1.25), 1e-14);
}

static void random_field_is_the_same_on_every_grid(void) {
  double coarse[2 * 16 * 9], fine[2 * 48 * 25];
  for (int kind = 0; kind < 2; kind++) {
    const fc_grf g = {(fc_grf_kind)kind, 1, 2.5, 7, 0};
    fc_rng       r = {1, 5, FC_RNG_FIELD};
    fc_grf_2d(&g, &r, 16, coarse);
    fc_grf_2d(&g, &r, 48, fine);
    for (int64_t k = -7; k < 8; k++)
      CHECK(
          !memcmp(coarse + 2 * ((k + 16) % 16 * 9), fine + 2 * ((k + 48) % 48 * 25), sizeof(double) * 2 * 8));
    r.sample = 6;
    fc_grf_2d(&g, &r, 48, fine);
    CHECK(fine[2 * 25 + 2] != coarse[2 * 9 + 2]);
  }
}

/* ---- runs ---- */

static void bits_do_not_depend_on_threads(void) {
  trial t[3];

  for (int i = 0; i < 3; i++) {
    fc_threads_set(i + 1);
    t[i] = ran(WITH(SMALL, "accurate=true"));
  }
  fc_threads_set(1);
  const int64_t n = 3 * 4 * 32 * 32;
  for (int i = 1; i < 3; i++) CHECK(!memcmp(t[0].out.x, t[i].out.x, (size_t)n * sizeof(fc_real)));
  CHECK(apart(t[0].out.x, t[0].out.x + n / 3, n / 3) > 0.1); /* trajectories differ */
  for (int i = 0; i < 3; i++) drop(t[i]);
}

/* Starting again from a stored frame: its rounding to fc_real, 6e-8, grows a little in 0.3 time units. */
static void advance_continues_a_run(void) {
  for (int adaptive = 0; adaptive < 2; adaptive++) {
    trial         t      = ran(WITH(SMALL, adaptive ? "cfl=0.4" : "cfl=0", "scheme=rk3_cn"));
    sink_state    next   = {.frames = 3, .size = 32 * 32, .x = calloc(3 * 32 * 32, sizeof(fc_real))};
    const int64_t dim[2] = {32, 32};
    CHECK_OK(t.def->advance(t.config, dim, t.out.x, 0.2, 0.1, 3, collect, &next));
    CHECK_NEAR(apart(next.x, t.out.x + 32 * 32, 3 * 32 * 32), 0, 2e-6);
    CHECK(apart(t.out.x, t.out.x + 3 * 32 * 32, 32 * 32) > 0.02); /* the flow moved */
    free(next.x);
    drop(t);
  }
}

/* the same field on a coarser grid stays near for a short time: the baseline means something */
static void advance_takes_coarser_grids(void) {
  trial         t      = ran(WITH(SMALL, "n=64", "n_keep=32", "reduce=truncate", "nu=0.05", "n_traj=1"));
  sink_state    next   = {.frames = 1, .size = 32 * 32, .x = calloc(32 * 32, sizeof(fc_real))};
  const int64_t dim[2] = {32, 32}, odd[2] = {31, 31};

  CHECK_OK(t.def->advance(t.config, dim, t.out.x, 0.2, 0.1, 1, collect, &next));
  /* the coarse grid lacks a third of the modes, yet does far better than standing still */
  const double error = apart(next.x, t.out.x + 32 * 32, 32 * 32),
               still = apart(t.out.x, t.out.x + 32 * 32, 32 * 32);
  CHECK(error < 0.1 && error < 0.5 * still);
  CHECK_FAILS(t.def->advance(t.config, odd, t.out.x, 0, 0.1, 1, collect, &next), FC_E_INPUT,
              "even square grids");
  free(next.x);
  drop(t);
}

static void later_trajectories_are_numbered_on(void) {
  trial         all = ran(WITH(SMALL)), last = ran(WITH(SMALL, "n_traj=1", "first_traj=2"));
  const int64_t n = 4 * 32 * 32;

  CHECK(!memcmp(all.out.x + 2 * n, last.out.x, (size_t)n * sizeof(fc_real)));
  drop(all), drop(last);
}

static void kept_grid(void) {
  trial whole = ran(WITH(SMALL, "n_traj=1")), half = ran(WITH(SMALL, "n_traj=1", "n_keep=16")),
        cut      = ran(WITH(SMALL, "n_traj=1", "n_keep=16", "reduce=truncate"));
  double sum_cut = 0, sum_whole = 0, mean = 0;

  for (int64_t i = 0; i < 16; i++)
    for (int64_t j = 0; j < 16; j++) CHECK(half.out.x[i * 16 + j] == whole.out.x[2 * i * 32 + 2 * j]);
  for (int64_t i = 0; i < 256; i++) {
    sum_cut += pow((double)cut.out.x[i], 2) / 256;
    mean += (double)cut.out.x[i] / 256;
  }
  for (int64_t i = 0; i < 1024; i++) sum_whole += pow((double)whole.out.x[i], 2) / 1024;
  CHECK_NEAR(mean, 0, 1e-6);                               /* float rounding of 256 values near 1 */
  CHECK(sum_cut < sum_whole && sum_cut > 0.7 * sum_whole); /* what the high modes carried is gone */
  CHECK(apart(cut.out.x, half.out.x, 256) > 1e-3);         /* subsampling folds it back */
  CHECK(whole.spec.dim[0] == 32 && cut.spec.dim[0] == 16 && cut.spec.spacing[0] == 2 * whole.spec.spacing[0]);
  drop(whole), drop(half), drop(cut);
}

static void first_frame_may_be_the_initial_field(void) {
  trial t = ran(WITH("n=16", "initial=taylor", "initial_mode=2", "t_skip=0", "frames=1"));

  for (int64_t i = 0; i < 16; i++)
    for (int64_t j = 0; j < 16; j++)
      CHECK_NEAR(t.out.x[i * 16 + j], 4 * cos(2 * M_PI * (double)i / 8) * cos(2 * M_PI * (double)j / 8),
                 1e-6);
  drop(t);
}

typedef struct {
  double  last;
  int64_t calls;
  char    note[200];
  int64_t stop_at;
} progress;

static fc_status watch(void *user, double fraction, const char *note) {
  progress *p = user;

  CHECK(fraction >= p->last && fraction <= 1);
  p->last = fraction;
  snprintf(p->note, sizeof p->note, "%s", note);
  return ++p->calls == p->stop_at ? fc_fail(FC_STOPPED, "enough") : FC_OK;
}

static void progress_reaches_the_end(void) {
  trial    t = configured("spectral_2d", WITH(SMALL));
  progress p = {0};

  CHECK_OK(
      t.def->run(t.config, &(fc_audience){.sink = collect, .user = &t.out, .done = watch, .done_user = &p}));
  CHECK(p.calls == 3 * 50 + 1); /* 0.5 time units in steps of 0.01; the summary */
  CHECK_NEAR(p.last, 1, 1e-12);
  CHECK(strstr(p.note, "energy") && strstr(p.note, " to "));
  drop(t);
}

/* ---- failures ---- */

static void a_failing_sink_stops_the_run(void) {
  for (int threads = 1; threads <= 2; threads++) {
    trial t = configured("spectral_2d", WITH(SMALL));
    fc_threads_set(threads);
    t.out.fail_at = 5;
    CHECK_FAILS(t.def->run(t.config, &(fc_audience){.sink = collect, .user = &t.out}), FC_E_SYSTEM,
                "the disk is full");
    CHECK(t.out.calls == 4);
    progress p = {.stop_at = 7};
    memset(t.out.last, 0, sizeof t.out.last);
    CHECK_FAILS(
        t.def->run(t.config, &(fc_audience){.sink = collect, .user = &t.out, .done = watch, .done_user = &p}),
        FC_STOPPED, "enough");
    CHECK(p.calls <= 7 + threads);
    drop(t);
  }
  fc_threads_set(1);
}

static void a_blow_up_says_what_to_do(void) {
  trial t =
      configured("spectral_2d", WITH(SMALL, "dt=0.5", "nu=0", "mu=0", "frame_dt=500", "scheme=euler_cn"));

  CHECK_FAILS(t.def->run(t.config, &(fc_audience){.sink = collect, .user = &t.out}), FC_E_NUMERIC,
              "lower dt");
  drop(t);
}

static void bad_options(void) {
  static const struct {
    const char *set, *message;
  } bad[] = {{"n=33", "even"},
             {"n_keep=24", "not a multiple"},
             {"n_keep=512", "at most n"},
             {"dt=0", "cfl"},
             {"initial=laminar", "forcing=kolmogorov"},
             {"nu=-1", "nu"},
             {"schema=heun_cn", "scheme"},
             {"nu", "key=value"},
             {"scheme=rk5", "rk3_cn"}};
  const fc_solver_def *def;
  void                *config;

  for (int i = 0; i < FC_COUNT(bad); i++) {
    CHECK_FAILS(fc_solver_configure("spectral_2d", 1, &bad[i].set, &def, &config), FC_E_USAGE,
                bad[i].message);
    CHECK(config == NULL);
  }
  const char *two[] = {"forcing=kolmogorov", "forcing_mode=90"};
  CHECK_FAILS(fc_solver_configure("spectral_2d", 2, two, &def, &config), FC_E_USAGE, "finer grid");
  CHECK_FAILS(fc_solver_configure("fno-ns-v1e3", 0, NULL, &def, &config), FC_E_USAGE, "fno-ns-v1e-3");
}

/* ---- presets ---- */

static void presets_are_sound(void) {
  int n = 0;

  for (const fc_preset *p; (p = fc_preset_at(n)); n++) {
    const fc_solver_def *def;
    void                *config, *again;
    char                *text, *second;
    CHECK(fc_preset_find(p->name) == p && !fc_solver_find(p->name));
    CHECK_OK(fc_solver_configure(p->name, 0, NULL, &def, &config));
    CHECK_OK(fc_solver_text(def, config, &text));
    CHECK_OK(
        fc_solver_restore(def->name, text, &def, &again)); /* what a file carries makes the same solver */
    CHECK_OK(fc_solver_text(def, again, &second));
    CHECK(!strcmp(text, second));
    free(text), free(second), free(config), free(again);
  }
  CHECK(n >= 6);
  CHECK(fc_solver_at(0) && !fc_solver_at(99) && fc_solver_find("spectral_2d"));
  const fc_solver_def *def;
  void                *config;
  CHECK_FAILS(fc_solver_restore("none", "", &def, &config), FC_E_INPUT, "does not have");
  CHECK_FAILS(fc_solver_restore("spectral_2d", "n=64\nodd=1\n", &def, &config), FC_E_INPUT, "solver_config");
}

static void published_settings(void) {
  trial fno = configured("fno-ns-v1e-4", 0, NULL), km = configured("factformer-km2d", 0, NULL);

  CHECK(fno.spec.dim[0] == 64 && fno.spec.n_steps == 30 && fno.spec.dt == 1 && fno.spec.t0 == 1);
  CHECK_NEAR(fno.spec.spacing[0], 1.0 / 64, 0);
  CHECK(km.spec.dim[0] == 256 && km.spec.n_steps == 320 && km.spec.dt == 0.03125);
  CHECK(!strcmp(km.spec.param[1].name, "mu") && km.spec.param[1].value == 0.1);
  drop(fno), drop(km);
}

CHECK_SUITE(spectral_2d, random_field_has_its_spectrum, random_field_is_the_same_on_every_grid,
            bits_do_not_depend_on_threads, advance_continues_a_run, advance_takes_coarser_grids,
            later_trajectories_are_numbered_on, kept_grid, first_frame_may_be_the_initial_field,
            progress_reaches_the_end, a_failing_sink_stops_the_run, a_blow_up_says_what_to_do, bad_options,
            presets_are_sound, published_settings)
