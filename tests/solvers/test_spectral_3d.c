/* tests/solvers/test_spectral_3d.c - the solver as a user meets it: options, runs, continuation, errors. */
#include "solvers/solver.h"
#include "tests/check.h"

#define SMALL                                                                                                \
  "n=16", "nu=0.05", "initial=isotropic", "energy=1", "dt=0.02", "t_skip=0.1", "frame_dt=0.1", "frames=3"

enum { SIZE = 3 * 16 * 16 * 16 };

typedef struct {
  fc_real *x;
  int64_t  frames, size;
} sink_state;

static fc_status collect(void *user, int64_t traj, int64_t t, const fc_real *x) {
  sink_state *s = user;

  memcpy(s->x + (traj * s->frames + t) * s->size, x, (size_t)s->size * sizeof *x);
  return FC_OK;
}

typedef struct {
  const fc_solver_def *def;
  void                *config;
  fc_field_spec        spec;
  sink_state           out;
} trial;

static trial configured(int n, const char *const *set) {
  trial t = {0};

  CHECK_OK(fc_solver_configure("spectral_3d", n, set, &t.def, &t.config));
  if (!t.config) abort();
  t.def->describe(t.config, &t.spec);
  t.out.frames = t.spec.n_steps;
  t.out.size   = t.spec.dim[0] * t.spec.dim[1] * t.spec.dim[2] * (t.spec.n_fields == 2 ? 4 : 3);
  t.out.x      = calloc((size_t)(t.spec.n_traj * t.spec.n_steps * t.out.size), sizeof(fc_real));
  return t;
}

#define WITH(...)                                                                                            \
  FC_COUNT(((const char *const[]){__VA_ARGS__})), (const char *const[]) { __VA_ARGS__ }

static trial ran(int n, const char *const *set) {
  trial t = configured(n, set);

  CHECK_OK(t.def->run(t.config, &(fc_audience){.sink = collect, .user = &t.out}));
  return t;
}

static void drop(trial t) {
  free(t.config);
  free(t.out.x);
}

/* relative L2 distance */
static double apart(const fc_real *a, const fc_real *b, int64_t n) {
  double d = 0, s = 0;

  for (int64_t i = 0; i < n; i++) d += pow((double)a[i] - (double)b[i], 2), s += pow((double)b[i], 2);
  return sqrt(d / s);
}

/* the last frame is at t_end, the others evenly before it */
static void frames_end_where_told(void) {
  trial a = ran(WITH(SMALL, "t_end=0.3")), b = ran(WITH(SMALL)),
        c = ran(WITH(SMALL, "t_end=0.3", "frames=1"));

  CHECK_NEAR(a.spec.dt, 0.1, 1e-15);
  CHECK_NEAR(apart(a.out.x, b.out.x, 3 * SIZE), 0, 1e-6);
  CHECK(c.spec.n_steps == 1 && c.spec.t0 == 0.3);
  CHECK_NEAR(apart(c.out.x, b.out.x + 2 * SIZE, SIZE), 0, 1e-6); /* the same steps but for their rounding */
  CHECK(apart(b.out.x, b.out.x + 2 * SIZE, SIZE) > 0.05);        /* the flow moved */
  drop(a), drop(b), drop(c);
}

/* Starting again from a stored frame: its rounding to fc_real, 6e-8, grows a little in 0.2 time units. */
static void advance_continues_a_run(void) {
  for (int i = 0; i < 4; i++) {
    trial t = ran(WITH(SMALL, i % 2 ? "cfl=0.5" : "cfl=0", i / 2 ? "pressure=true" : "dealias=three_halves",
                       "mean_u=0.3", i == 3 ? "forcing=power" : "forcing=none"));
    sink_state next = {.frames = 2, .size = t.out.size, .x = calloc(2 * (size_t)t.out.size, sizeof(fc_real))};
    const int64_t dim[3] = {16, 16, 16}, odd[3] = {16, 16, 8};
    CHECK_OK(t.def->advance(t.config, dim, t.out.x, 0.1, 0.1, 2, collect, &next));
    CHECK_NEAR(apart(next.x, t.out.x + t.out.size, 2 * t.out.size), 0, 2e-6);
    CHECK_FAILS(t.def->advance(t.config, odd, t.out.x, 0, 0.1, 1, collect, &next), FC_E_INPUT, "even cubes");
    free(next.x);
    drop(t);
  }
}

/* the same field on a coarser grid stays near for a short time */
static void advance_takes_coarser_grids(void) {
  trial    t = ran(WITH("n=32", "nu=0.05", "initial=isotropic", "spectrum=exponential", "peak=2", "energy=1",
                        "dt=0.02", "frame_dt=0.2", "frames=2"));
  fc_real *coarse = calloc(2 * SIZE, sizeof *coarse), *want = coarse + SIZE;
  sink_state    next   = {.frames = 1, .size = SIZE, .x = calloc(SIZE, sizeof(fc_real))};
  const int64_t dim[3] = {16, 16, 16};

  for (int64_t i = 0; i < SIZE; i++) {
    const int64_t p = i / 3, at = ((p / 256 * 2 * 32 + p / 16 % 16 * 2) * 32 + p % 16 * 2) * 3 + i % 3;
    coarse[i] = t.out.x[at];
    want[i]   = t.out.x[3 * 32 * 32 * 32 + at];
  }
  CHECK_OK(t.def->advance(t.config, dim, coarse, 0, 0.2, 1, collect, &next));
  CHECK(apart(next.x, want, SIZE) < 0.1 && apart(next.x, want, SIZE) < 0.5 * apart(coarse, want, SIZE));
  free(coarse), free(next.x);
  drop(t);
}

static void later_trajectories_are_numbered_on(void) {
  trial all = ran(WITH(SMALL, "n_traj=3", "frames=2")), last = ran(WITH(SMALL, "frames=2", "first_traj=2"));

  CHECK(!memcmp(all.out.x + 4 * SIZE, last.out.x, 2 * SIZE * sizeof(fc_real)));
  CHECK(apart(all.out.x, all.out.x + 2 * SIZE, SIZE) > 0.5);
  drop(all), drop(last);
}

static void frames_say_what_they_hold(void) {
  trial t = configured(WITH("n=12", "length=3", "pressure=true", "forcing=power", "power=0.2"));

  CHECK(t.spec.n_fields == 2 && t.spec.field[0].rank == 1 && t.spec.field[1].rank == 0);
  CHECK(t.spec.spacing[2] == 0.25 && t.spec.periodic[1]);
  CHECK(t.spec.param[1].value == 0.2);
  drop(t);
}

/* a row a step, or one in so many; the last one is at the end */
static void history_of_a_run(void) {
  for (int sparse = 0; sparse < 2; sparse++) {
    char  set[300], line[400] = "";
    int   rows = 0;
    FILE *f;
    snprintf(set, sizeof set, "history=%s", check_path("history.csv"));
    trial t = ran(WITH(SMALL, "n_traj=2", set, sparse ? "history_dt=0.1" : "history_dt=0"));
    CHECK((f = fopen(set + 8, "r")) != NULL);
    while (f && fgets(line, sizeof line, f)) rows++;
    if (f) fclose(f);
    CHECK(rows == 1 + 2 * (sparse ? 4 : 16));
    double v[12] = {0};
    char  *at    = line;
    for (int i = 0; i < 12; i++, at += *at == ',') v[i] = strtod(at, &at);
    CHECK(v[0] == 1);
    CHECK_NEAR(v[1], 0.3, 1e-12);
    CHECK_NEAR(v[3], 2 * 0.05 * v[4], 1e-10);
    CHECK_NEAR(v[8], 0, 1e-6); /* the budget */
    CHECK(v[2] < 1 && v[2] > 0.5 && v[9] > 1 && v[10] > 0.1);
    drop(t);
  }
  trial t = configured(WITH(SMALL, "history=/nowhere/x.csv"));
  CHECK_FAILS(t.def->run(t.config, &(fc_audience){.sink = collect, .user = &t.out}), FC_E_SYSTEM,
              "cannot be written");
  drop(t);
}

static void a_blow_up_says_what_to_do(void) {
  trial t = configured(WITH(SMALL, "dt=2", "nu=0", "t_skip=200"));

  CHECK_FAILS(t.def->run(t.config, &(fc_audience){.sink = collect, .user = &t.out}), FC_E_NUMERIC,
              "lower dt");
  drop(t);
}

static void bad_options(void) {
  static const struct {
    const char *set[3], *message;
  } bad[] = {{{"n=33"}, "even"},
             {{"dt=0"}, "cfl"},
             {{"t_skip=3", "t_end=2"}, "t_end"},
             {{"initial=isotropic"}, "set energy"},
             {{"forcing=rescale"}, "set energy"},
             {{"forcing=power", "forcing_band=30"}, "finer grid"},
             {{"scheme=rk5"}, "rk4"}};
  const fc_solver_def *def;
  void                *config;

  for (int i = 0; i < FC_COUNT(bad); i++) {
    int n = 0;
    while (n < 3 && bad[i].set[n]) n++;
    CHECK_FAILS(fc_solver_configure("spectral_3d", n, bad[i].set, &def, &config), FC_E_USAGE, bad[i].message);
  }
}

/* the script's energy Re_lambda (nu kd)^2/sqrt(20/3) and viscosity kd^(-4/3) */
static void published_settings(void) {
  const fc_solver_def *def;
  void                *config;
  char                *text;
  double               nu = 0, energy = 0;

  CHECK_OK(fc_solver_configure("factformer-iso3d", 0, NULL, &def, &config));
  CHECK_OK(fc_solver_text(def, config, &text));
  sscanf(strstr(text, "\nnu=") + 4, "%lf", &nu);
  sscanf(strstr(text, "\nenergy=") + 8, "%lf", &energy);
  CHECK_NEAR(nu, pow(50, -4.0 / 3), 1e-16);
  CHECK_NEAR(energy, 84 * pow(nu * 50, 2) / sqrt(20.0 / 3), 1e-14);
  free(text), free(config);
}

CHECK_SUITE(spectral_3d, frames_end_where_told, advance_continues_a_run, advance_takes_coarser_grids,
            later_trajectories_are_numbered_on, frames_say_what_they_hold, history_of_a_run,
            a_blow_up_says_what_to_do, bad_options, published_settings)
