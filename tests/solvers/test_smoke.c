/* tests/solvers/test_smoke.c - solvers/smoke.h: projection, walls, what is kept, the random start, runs. */
#include "tests/solvers/smoke_box.h"

/* ---- projection ---- */

/* Divergences are sums of some numbers of size u/dx; what cosine transforms of this size leave is a few
   hundred times the rounding of one of them. */
static void projection_takes_all_divergence(void) {
  box grids[] = {made("smoke", SET("nx=13", "ny=20", "lx=2")),
                 made("smoke", SET("nx=12", "ny=9", "nz=7", "lz=0.5")),
                 made("smoke", SET("nx=32", "ny=32", "nz=32", "lx=8", "ly=8", "lz=8"))};

  for (int i = 0; i < FC_COUNT(grids); i++) {
    stir(grids[i], 3);
    const double before = fc_smoke_divergence(grids[i].w);
    fc_smoke_project(grids[i].w, grids[i].w->now);
    const double after = fc_smoke_divergence(grids[i].w);
    show("divergence before projection", before);
    show("after it", after);
    CHECK(before > 1);
    CHECK(after < 1e-12);
    drop(grids[i]);
  }
}

/* The gradient of any pressure is taken out entirely, and that pressure is found: the inverse of the
   Laplacian is exact. */
static void pressure_is_exact(void) {
  box           b       = made("smoke", SET("nx=10", "ny=7", "nz=8", "ly=0.6"));
  const int64_t next[3] = {56, 8, 1};
  const fc_rng  rng     = {5, 0, FC_RNG_TEST};
  double       *p = calloc((size_t)b.s->cells, sizeof *p), mean = 0, worst = 0, left = 0;

  for (int64_t i = 0; i < b.s->cells; i++)
    mean += (p[i] = fc_rng_normal(&rng, (uint64_t)i)) / (double)b.s->cells;
  for (int64_t i = 0; i < b.s->cells; i++) p[i] -= mean;
  for (int a = 0; a < 3; a++)
    for (int64_t r = 0; r < b.s->rows; r++)
      for (int64_t k = 0; k < fc_smoke_inside(b.s, a, r); k++) {
        const int64_t i                       = r * 8 + k;
        b.w->now[a][fc_smoke_row(b.s, r) + k] = (p[i + next[a]] - p[i]) / b.s->dx[a];
      }
  fc_smoke_project(b.w, b.w->now);
  for (int64_t i = 0; i < b.s->cells; i++) worst = fmax(worst, fabs(b.w->pressure[i] - p[i]));
  for (int a = 0; a < 3; a++)
    for (int64_t i = 0; i < b.s->size; i++) left = fmax(left, fabs(b.w->now[a][i]));
  show("a gradient: pressure", worst);
  show("a gradient: what is left of it", left);
  CHECK(worst < 1e-13 && left < 1e-12);
  free(p);
  drop(b);
}

/* ---- what is kept ---- */

static void stay(box b, int steps, double h, double *drift, double *lo, double *hi) {
  double before[2] = {INFINITY, -INFINITY}, total = fc_smoke_total(b.w);

  for (int64_t r = 0; r < b.s->rows; r++)
    for (int64_t k = 0; k < b.s->n[2]; k++) {
      const double v = b.w->now[FC_SMOKE][fc_smoke_row(b.s, r) + k];
      before[0]      = fmin(before[0], v);
      before[1]      = fmax(before[1], v);
    }
  *lo = *hi = 0;
  for (int i = 0; i < steps; i++) {
    fc_smoke_step(b.w, h);
    for (int64_t r = 0; r < b.s->rows; r++)
      for (int64_t k = 0; k < b.s->n[2]; k++) {
        const double v = b.w->now[FC_SMOKE][fc_smoke_row(b.s, r) + k];
        *lo            = fmin(*lo, v - before[0]);
        *hi            = fmax(*hi, v - before[1]);
      }
  }
  *drift = fc_smoke_total(b.w) / total - 1;
}

static void smoke_is_kept_or_its_drift_is_told(void) {
  box back    = made("pdearena-smoke2d", SET("nx=32", "ny=32")),
      volumes = made("pdearena-smoke2d", SET("nx=32", "ny=32", "accurate=true"));
  double drift[2], lo[2], hi[2];

  stay(back, 20, 1.5, &drift[0], &lo[0], &hi[0]);
  stay(volumes, 200, 0.15, &drift[1], &lo[1], &hi[1]);
  show("drift of smoke, semi_lagrangian, t = 30", drift[0]);
  show("drift of smoke, volumes, t = 30", drift[1]);
  show("volumes: below the smallest value of the start", lo[1]);
  show("volumes: above the largest", hi[1]);
  CHECK(fabs(drift[0]) < 0.5 && drift[0] != 0);
  CHECK(fabs(drift[1]) < 1e-13);
  CHECK(lo[0] >= -1e-15 && hi[0] <= 1e-14); /* interpolation makes no extremes */
  CHECK(lo[1] >= -1e-12 && hi[1] <= 1e-12);
  drop(back), drop(volumes);
}

/* largest velocity after 50 steps of smoke whose amount depends on the height alone */
static double creeping(int n, const char *const *set) {
  box b = made("smoke", n, set);

  for (int64_t at = 0; at < b.s->size; at++)
    b.w->now[FC_SMOKE][at] = pow((double)(at % b.s->p[2]) / (double)b.s->n[2], 3) - 1;
  fc_smoke_borders(b.s, FC_SMOKE, b.w->now[FC_SMOKE]);
  for (int i = 0; i < 50; i++) fc_smoke_step(b.w, 0.05);
  const double v = fastest(b);
  drop(b);
  return v;
}

/* Layers of smoke press on each other: buoyancy that depends on the height alone is a gradient on the grid
   too. The published step diffuses what buoyancy has just added, before pressure takes it away, so viscous
   walls disturb it. */
static void layers_stay_at_rest(void) {
  const double inviscid  = creeping(SET("nx=16", "ny=12", "nu=0")),
               published = creeping(SET("nx=16", "ny=12", "nu=1e-3"));
  const double solid     = creeping(SET("nx=8", "ny=10", "nz=12", "nu=1e-3", "accurate=true"));

  show("layers at rest: semi_lagrangian without viscosity", inviscid);
  show("layers at rest: semi_lagrangian, nu = 1e-3", published);
  show("layers at rest: volumes, nu = 1e-3", solid);
  CHECK(inviscid < 1e-13 && solid < 1e-13);
  CHECK(published > 1e-4 && published < 2e-2);
}

/* Central fluxes make no energy: what a step changes is the error of time stepping, of third order. */
static void fluxes_make_no_energy(void) {
  double change[2];

  for (int i = 0; i < 2; i++) {
    box b =
        made("smoke", SET("nx=16", "ny=12", "nz=9", "nu=0", "buoyancy=0", "initial=none", "scheme=volumes"));
    stir(b, 11);
    fc_smoke_project(b.w, b.w->now);
    for (int a = 0; a < 3; a++) fc_smoke_borders(b.s, a, b.w->now[a]);
    const double before = fc_smoke_energy(b.w);
    fc_smoke_step(b.w, i ? 5e-4 : 1e-3);
    change[i] = fc_smoke_energy(b.w) / before - 1;
    drop(b);
  }
  show("energy made by one step without viscosity, dt = 1e-3, random field", change[0]);
  show("order of it", log2(change[0] / change[1]));
  CHECK(fabs(change[0]) < 1e-4);
  CHECK(log2(change[0] / change[1]) > 3);
}

static void walls_stand_still(void) {
  const char *const schemes[] = {"accurate=false", "accurate=true"};

  for (int i = 0; i < 2; i++) {
    box    b      = made("factformer-smoke3d", SET("nx=12", "ny=10", "nz=8", "dt=0.2", schemes[i]));
    double normal = 0, along = 0;
    for (int n = 0; n < 10; n++) fc_smoke_step(b.w, 0.1);
    CHECK(fastest(b) > 0.05);
    CHECK(fc_smoke_divergence(b.w) < 1e-12);
    for (int a = 0; a < 3; a++)
      for (int64_t at = 0; at < b.s->size; at++) {
        const int64_t c[3] = {at / b.s->step[0], at / b.s->step[1] % b.s->p[1], at % b.s->p[2]};
        if (c[a] == 0 || c[a] == b.s->n[a]) normal = fmax(normal, fabs(b.w->now[a][at]));
        for (int d = 0; d < 3; d++) /* half way between the first value and the one beyond */
          if (d != a && c[d] == 0)
            along = fmax(along, fabs(b.w->now[a][at] + b.w->now[a][at + b.s->step[d]]));
      }
    CHECK(normal == 0);
    CHECK(i == 0 || along == 0);
    drop(b);
  }
}

/* ---- the random start ---- */

/* coefficient of exp(2 pi i (m1 x / L1 + m2 y / L2)) in the field that smoke is the absolute value of,
 * unscaled */
static void coefficient(box b, int m1, int m2, double z[2]) {
  z[0] = z[1] = 0;
  for (int64_t i = 0; i < b.s->n[1]; i++)
    for (int64_t j = 0; j < b.s->n[2]; j++) {
      const double q =
          2 * M_PI * ((double)(m1 * i) / (double)b.s->n[1] + (double)(m2 * j) / (double)b.s->n[2]);
      const double v = b.w->pressure[i * b.s->n[2] + j] / (double)b.s->cells;
      z[0] += v * cos(q);
      z[1] -= v * sin(q);
    }
}

/* Weights as published; the bound is five standard errors of the mean of SAMPLES numbers of an exponential
 * law. */
static void noise_has_its_spectrum(void) {
  enum { SAMPLES = 400 };
  static const int mode[][2] = {{1, 0}, {0, 1}, {1, -1}, {2, 1}, {0, 3}};
  box              b         = made("pdearena-smoke2d", SET("nx=16", "ny=16", "lx=40", "smoothness=1.5"));

  for (int i = 0; i < FC_COUNT(mode); i++) {
    const double qx = 11.0 / 40 * mode[i][0], qy = 11.0 / 32 * mode[i][1];
    const double weight = pow(qx * qx + qy * qy, -1.5);
    double       sum    = 0, z[2];
    for (int n = 0; n < SAMPLES; n++) {
      fc_smoke_start(b.w, n);
      coefficient(b, mode[i][0], mode[i][1], z);
      sum += z[0] * z[0] + z[1] * z[1];
    }
    const double ratio = sum / SAMPLES / (weight * weight);
    if (qx * qx + qy * qy <= 0.1)
      CHECK(sum < 1e-20); /* waves longer than the limit are left out: (1, 0) here */
    else
      CHECK_NEAR(ratio, 1, 5 / sqrt(SAMPLES));
  }
  drop(b);
}

static void noise_has_its_moments(void) {
  box    b      = made("factformer-smoke3d", SET("nx=16", "ny=16", "nz=16"));
  double square = 0, least = 1, total = 0;

  for (int n = 0; n < 20; n++) {
    fc_smoke_start(b.w, n);
    for (int64_t r = 0; r < b.s->rows; r++)
      for (int64_t k = 0; k < 16; k++) {
        const double v = b.w->now[FC_SMOKE][fc_smoke_row(b.s, r) + k];
        square += v * v / 20 / (double)b.s->cells;
        least = fmin(least, v);
      }
    total += fc_smoke_total(b.w) / 20 / 512;
  }
  CHECK_NEAR(square, 1, 1e-12); /* unit deviation about a zero mean, whatever the sign */
  CHECK(least >= 0);
  show("mean of |noise|, 20 samples (a normal law has 0.798)", total);
  CHECK(total > 0.7 && total < 0.9);
  drop(b);
}

static void noise_is_the_same_on_every_grid(void) {
  box a = made("pdearena-smoke2d", SET("nx=16", "ny=24", "seed=4", "first_traj=7")),
      b = made("pdearena-smoke2d", SET("nx=32", "ny=20", "seed=4"));
  double p[2], q[2];

  fc_smoke_start(b.w, 7);
  for (int m = -3; m <= 3; m++) {
    coefficient(a, m, 2, p), coefficient(b, m, 2, q);
    CHECK_NEAR(p[0], q[0], 1e-9); /* the rounding of the largest wave, 4e5 */
    CHECK_NEAR(p[1], q[1], 1e-9);
  }
  drop(a), drop(b);
}

/* ---- runs ---- */

typedef struct {
  int64_t size, frames;
  fc_real x[4][4096];
  double  last;
} film;

static fc_status take(void *user, int64_t traj, int64_t t, const fc_real *x) {
  film *f = user;

  memcpy(f->x[(traj * 2 + t) % 4], x, (size_t)f->size * sizeof *x);
  f->frames++;
  return FC_OK;
}

static fc_status told(void *user, double fraction, const char *note) {
  film *f = user;

  f->last = fraction;
  CHECK(strstr(note, "smoke drift") != NULL);
  return FC_OK;
}

static film ran(const char *preset, int n, const char *const *set) {
  const fc_solver_def *def;
  void                *config = NULL;
  fc_field_spec        spec;
  film                 f = {.size = 1};

  CHECK_OK(fc_solver_configure(preset, n, set, &def, &config));
  def->describe(config, &spec);
  for (int a = 0; a < spec.ndim; a++) f.size *= spec.dim[a];
  f.size *= spec.ndim + 1;
  CHECK(f.size <= 4096);
  CHECK_OK(def->run(config, &(fc_audience){.sink = take, .user = &f, .done = told, .done_user = &f}));
  CHECK(f.frames == spec.n_traj * spec.n_steps && f.last == 1);
  free(config);
  return f;
}

static void bits_do_not_depend_on_threads(void) {
  const char *const modes[] = {"accurate=false", "accurate=true"};
  const int         before  = fc_threads();

  for (int i = 0; i < 2; i++) {
    fc_threads_set(1);
    film one = ran("factformer-smoke3d",
                   SET("nx=8", "ny=9", "nz=10", "frames=2", "t_skip=1.5", "n_traj=2", modes[i]));
    for (int n = 2; n <= 3; n++) {
      fc_threads_set(n);
      film more = ran("factformer-smoke3d",
                      SET("nx=8", "ny=9", "nz=10", "frames=2", "t_skip=1.5", "n_traj=2", modes[i]));
      film last = ran("factformer-smoke3d", SET("nx=8", "ny=9", "nz=10", "frames=2", "t_skip=1.5", "n_traj=1",
                                                "first_traj=1", modes[i]));
      CHECK(!memcmp(one.x, more.x, sizeof one.x));
      CHECK(!memcmp(one.x[2], last.x[0], sizeof one.x[0])); /* alone, and numbered on */
    }
  }
  fc_threads_set(before);
}

/* one large trajectory, whose rows the threads share */
static void rows_may_be_shared(void) {
  const char *const schemes[] = {"accurate=false", "accurate=true"};
  const int         before    = fc_threads();

  for (int i = 0; i < 2; i++) {
    box b[3];
    for (int n = 0; n < 3; n++) {
      fc_threads_set(n + 1);
      b[n] = made("factformer-smoke3d", SET("nx=40", "ny=36", "nz=32", schemes[i]));
      for (int t = 0; t < 3; t++) fc_smoke_step(b[n].w, 0.2);
      for (int f = 0; f < FC_SMOKE_FIELDS; f++)
        CHECK(!memcmp(b[n].w->now[f], b[0].w->now[f], (size_t)b[0].s->size * sizeof(double)));
      CHECK(fc_smoke_speed(b[n].w) == fc_smoke_speed(b[0].w) &&
            fc_smoke_energy(b[n].w) == fc_smoke_energy(b[0].w));
    }
    for (int n = 0; n < 3; n++) drop(b[n]);
  }
  fc_threads_set(before);
}

/* frames are floats: 1e-7 of velocities of about 1, carried on for a few steps */
static void advance_continues_a_run(void) {
  const char *const modes[] = {"accurate=false", "accurate=true"};

  for (int i = 0; i < 2; i++) {
    const char *const    set[] = {"nx=8", "ny=9", "nz=10", "frames=2", "t_skip=3", "n_traj=1", modes[i]};
    film                 run = ran("factformer-smoke3d", FC_COUNT(set), set), on = {.size = run.size};
    const fc_solver_def *def;
    void                *config = NULL;
    double               worst  = 0;
    CHECK_OK(fc_solver_configure("factformer-smoke3d", FC_COUNT(set), set, &def, &config));
    CHECK_OK(def->advance(config, (int64_t[]){8, 9, 10}, run.x[0], 3, 0.75, 1, take, &on));
    for (int64_t k = 0; k < run.size; k++) worst = fmax(worst, fabs((double)(on.x[0][k] - run.x[1][k])));
    CHECK(worst < 2e-6);
    free(config);
  }
}

/* what keep writes and restore reads is all that the steps to come depend on */
static void a_kept_state_goes_on(void) {
  const char *const schemes[] = {"accurate=false", "accurate=true"};

  for (int i = 0; i < 2; i++) {
    box one           = made("factformer-smoke3d", SET("nx=6", "ny=7", "nz=8", schemes[i])),
        two           = made("factformer-smoke3d", SET("nx=6", "ny=7", "nz=8", "seed=5", schemes[i]));
    const fc_evolve e = fc_smoke_evolve(&one.s->c);
    double         *x = calloc((size_t)e.def->state_size(one.w), sizeof *x), a[FC_EVOLVE_MEASURES],
           b[FC_EVOLVE_MEASURES];
    for (int t = 0; t < 5; t++) {
      if (t == 3) e.def->keep(one.w, x);
      fc_smoke_step(one.w, 0.3);
    }
    fc_smoke_step(two.w, 0.3);
    e.def->restore(two.w, x);
    for (int t = 3; t < 5; t++) fc_smoke_step(two.w, 0.3);
    for (int f = 0; f < FC_SMOKE_FIELDS; f++)
      CHECK(!memcmp(one.w->now[f], two.w->now[f], (size_t)one.s->size * sizeof(double)));
    e.def->measure(one.w, a), e.def->measure(two.w, b);
    for (int k = 0; e.def->name[k]; k++) CHECK(a[k] == b[k]);
    free(x);
    drop(one), drop(two);
  }
}

/* From rest the first step is limited by what buoyancy will add in it. */
static void steps_follow_the_flow(void) {
  box             b = made("factformer-smoke3d", SET("nx=8", "ny=8", "nz=8", "accurate=true"));
  const fc_evolve e = fc_smoke_evolve(&b.s->c);

  for (int i = 0; i < 20; i++) {
    const double h = fc_evolve_limit(&e, fc_smoke_speed(b.w));
    fc_smoke_step(b.w, h);
    CHECK(h > 0.01);
    CHECK(fastest(b) * h < 0.75 * b.s->finest); /* half a cell, and what turbulence adds */
  }
  b.w->now[0][fc_smoke_row(b.s, 3) + 2] = NAN;
  CHECK(isnan(fc_smoke_speed(b.w)));
  drop(b);
}

static void bad_options(void) {
  static const struct {
    const char *set, *message;
  } bad[] = {{"nz=2", "two dimensions"},
             {"dt=0", "cfl"},
             {"nu=10", "lower dt"},
             {"nx=3", "nx"},
             {"scheme=euler", "volumes"}};
  const fc_solver_def *def;
  void                *config;

  for (int i = 0; i < FC_COUNT(bad); i++)
    CHECK_FAILS(fc_solver_configure("smoke", 1, &bad[i].set, &def, &config), FC_E_USAGE, bad[i].message);
}

CHECK_SUITE(smoke, projection_takes_all_divergence, pressure_is_exact, smoke_is_kept_or_its_drift_is_told,
            layers_stay_at_rest, fluxes_make_no_energy, walls_stand_still, noise_has_its_spectrum,
            noise_has_its_moments, noise_is_the_same_on_every_grid, bits_do_not_depend_on_threads,
            rows_may_be_shared, advance_continues_a_run, a_kept_state_goes_on, steps_follow_the_flow,
            bad_options)
