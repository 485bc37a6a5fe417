/* tests/solvers/test_public_data.c - our solvers against small public data sets, where they are at hand; what
   does the comparing is tried on data of our own in any case. FC_SHOW=1 prints the numbers docs/validation.md
   quotes. */
#include "io/field.h"
#include "solvers/solver.h"
#include "tests/check.h"

#include <unistd.h>

static void show(const char *what, double value) {
  if (getenv("FC_SHOW")) printf("  %-66s %.3g\n", what, value);
}

/* NULL if it is not there */
static fc_field *public_file(const char *name) {
  const char *root = getenv("FC_SOURCE_DIR");
  char        path[4096];
  fc_field   *f = NULL;

  snprintf(path, sizeof path, "%s/../shared/data/pde/%s", root ? root : ".", name);
  if (access(path, R_OK)) return NULL;
  CHECK_OK(fc_field_open(path, &f));
  return f;
}

static double relative(const fc_real *a, const fc_real *b, int64_t n) {
  double off = 0, all = 0;

  for (int64_t i = 0; i < n; i++) off += pow((double)a[i] - (double)b[i], 2), all += pow((double)b[i], 2);
  return sqrt(off / all);
}

typedef struct { /* collects frames */
  fc_real *x, *constant;
  int64_t  size;
} frames;

static fc_status collect(void *user, int64_t traj, int64_t t, const fc_real *x) {
  frames *f = user;

  (void)traj;
  memcpy(t == FC_FRAME_CONSTANT ? f->constant : f->x + t * f->size, x, (size_t)f->size * sizeof *x);
  return FC_OK;
}

typedef struct {
  const fc_solver_def *def;
  void                *config;
} solver;

static solver made(const char *name, int n, const char *const *set) {
  solver s = {0};

  CHECK_OK(fc_solver_configure(name, n, set, &s.def, &s.config));
  if (!s.config) abort();
  return s;
}
#define WITH(...)                                                                                            \
  (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), (const char *[]) { __VA_ARGS__ }

/* ---- Darcy: a mask and u on points i/n ---- */

/* misfit of u to the solution for a = high and low where the mask is 1 and 0, on twice as many cells */
static double darcy_misfit(int64_t n, double lo, double hi, const fc_real *mask, const fc_real *u,
                           double high, double low) {
  const solver  s = made("darcy", 0, NULL);
  fc_real      *a = calloc((size_t)(n * n), sizeof *a), *y = calloc((size_t)(n * n), sizeof *y);
  const int64_t dim[2] = {n, n}, cells[2] = {2 * n, 2 * n};

  for (int64_t i = 0; i < n * n; i++) a[i] = (fc_real)(mask[i] > 0.5 ? high : low);
  CHECK_OK(s.def->steady(s.config, dim, (double[]){lo, lo}, (double[]){hi, hi}, cells, a, y));
  const double off = relative(y, u, n * n);
  free(a), free(y), free(s.config);
  return off;
}

static void darcy_made_here(void) {
  fc_real a[1024], u[1024];
  solver  s = made("darcy", WITH("n=32", "high=0.38", "low=0.02", "seed=5"));

  CHECK_OK(s.def->run(s.config, &(fc_audience){.sink = collect, .user = &(frames){u, a, 1024}}));
  for (int i = 0; i < 1024; i++) a[i] = a[i] > 0.1;
  const double lo = 0.5 / 32, hi = 31.5 / 32;
  CHECK(darcy_misfit(32, lo, hi, a, u, 0.38, 0.02) < 0.05);
  CHECK(darcy_misfit(32, lo, hi, a, u, 0.38, 0.04) > 0.15);
  CHECK(darcy_misfit(32, lo, hi, a, u, 0.38, 0.015) > 0.15);
  free(s.config);
}

static double public_misfit(fc_field *f, double high, double low) {
  const int64_t n = fc_field_about(f)->dim[0], samples = fc_min64(fc_field_about(f)->n_traj, 50);
  fc_real       a[1024], u[1024];
  double        sum = 0;

  for (int64_t k = 0; k < samples; k++) {
    CHECK_OK(fc_field_read_constant(f, k, NULL, 0, NULL, a));
    CHECK_OK(fc_field_read(f, k, 0, 1, 1, NULL, 0, NULL, u));
    sum += darcy_misfit(n, 0, (double)(n - 1) / (double)n, a, u, high, low);
  }
  return sum / (double)samples;
}

/* The values are not documented; 0.38 and 0.02 fit best. The 12 and 3 of the FNO paper have another ratio,
   and no force can make up for that. */
static void darcy_public(void) {
  fc_field *f = public_file("darcy_test_32.h5");

  if (!f) return;
  const double fit = public_misfit(f, 0.38, 0.02), more = public_misfit(f, 0.38, 0.03),
               less = public_misfit(f, 0.38, 0.015);
  show("darcy_test_32: mean relative L2 misfit, a = 0.38 and 0.02", fit);
  show("darcy_test_32: a = 0.38 and 0.03", more);
  show("darcy_test_32: a = 0.38 and 0.015", less);
  show("darcy_test_32: a = 0.38 and 0.095, the ratio of 12 and 3", public_misfit(f, 0.38, 0.095));
  CHECK(fit < 0.05 && more > 1.5 * fit && less > 1.5 * fit);
  fc_field_close(f);
}

/* ---- Burgers on 16 points ---- */

/* the values of a finer grid: u0 continued by its Fourier series, which 16 points leave open at the highest
 * mode */
static void refine(const fc_real *x, int64_t n, int64_t fine, fc_real *y) {
  for (int64_t j = 0; j < fine; j++) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
      double s = 1;
      for (int64_t k = 1; k < n / 2; k++)
        s += 2 * cos(2 * M_PI * (double)k * ((double)j / (double)fine - (double)i / (double)n));
      sum += (double)x[i] * s / (double)n;
    }
    y[j] = (fc_real)sum;
  }
}

/* frames u[T, 16] from t = 0 on, 1/16 apart, against ours from the first one at this viscosity */
static double burgers_misfit(const fc_real *u, const char *nu) {
  enum { N = 16, FINE = 64, T = 17 };
  char    set[40];
  fc_real start[FINE], y[(T - 1) * FINE], kept[(T - 1) * N];

  snprintf(set, sizeof set, "nu=%s", nu);
  const solver s = made("burgers", WITH("n=64", "dt=1e-3", set));
  refine(u, N, FINE, start);
  CHECK_OK(s.def->advance(s.config, (int64_t[]){FINE}, start, 0, 1.0 / 16, T - 1, collect,
                          &(frames){y, NULL, FINE}));
  for (int i = 0; i < (T - 1) * N; i++) kept[i] = y[i * FINE / N];
  free(s.config);
  return relative(kept, u + N, (T - 1) * N);
}

static const char *const viscosity[3] = {"0.01", "0.005", "0.02"};

static void burgers_made_here(void) {
  fc_real u[17 * 16];
  solver  s = made("burgers", WITH("n=256", "n_keep=16", "nu=0.01", "frame_dt=0.0625", "frames=17", "seed=5",
                                   "alpha=4", "tau=7", "sigma=2000"));

  CHECK_OK(s.def->run(s.config, &(fc_audience){.sink = collect, .user = &(frames){u, NULL, 16}}));
  const double fit = burgers_misfit(u, viscosity[0]);
  CHECK(fit < 0.05 && burgers_misfit(u, viscosity[1]) > 2 * fit && burgers_misfit(u, viscosity[2]) > 2 * fit);
  free(s.config);
}

static void burgers_public(void) {
  fc_field *f      = public_file("burgers1d_test_16.h5");
  double    fit[3] = {0};
  fc_real   u[17 * 16];

  if (!f) return;
  for (int64_t k = 0; k < 100; k++) {
    CHECK_OK(fc_field_read(f, k, 0, 17, 1, NULL, 0, NULL, u));
    for (int v = 0; v < 3; v++) fit[v] += burgers_misfit(u, viscosity[v]) / 100;
  }
  show("burgers1d_test_16: mean relative L2 misfit, nu = 0.01", fit[0]);
  show("burgers1d_test_16: nu = 0.005", fit[1]);
  show("burgers1d_test_16: nu = 0.02", fit[2]);
  CHECK(fit[0] < 0.03 && fit[1] > 3 * fit[0] && fit[2] > 3 * fit[0]);
  fc_field_close(f);
}

/* ---- the Burgers shock: u0 = -sin pi x on [-1, 1], u = 0 at both ends, nu = 0.01/pi ---- */

/* Odd about both ends, the start stays zero there on a periodic line of length 2. Exact: Cole and Hopf,
   u = -integral of sin(pi (x - e)) f exp(-e^2/(4 nu t)) over that of f exp(..), f = exp(-cos(pi (x - e))/(2
   pi nu)). */
static double exact_shock(double x, double t) {
  enum { POINTS = 20000 };
  const double nu = 0.01 / M_PI, width = 30 * sqrt(nu * t);
  double       top = 0, all = 0;

  for (int i = 0; i <= POINTS; i++) {
    const double e = width * (2.0 * i / POINTS - 1), y = M_PI * (x - e);
    const double w = exp(-(cos(y) + 1) / (2 * M_PI * nu) - e * e / (4 * nu * t)); /* + 1: only ratios count */
    top -= sin(y) * w;
    all += w;
  }
  return top / all;
}

enum { SHOCK = 2040, SHOCK_FRAMES = 100 }; /* 255 intervals of 8 points: the file's points are among ours */

static void shock(fc_real *u) {
  const solver s = made("burgers", WITH("n=2040", "length=2", "nu=0.0031830988618379067", "initial=sine",
                                        "dt=5e-4", "frame_dt=0.01", "frames=100"));

  CHECK_OK(s.def->run(s.config, &(fc_audience){.sink = collect, .user = &(frames){u, NULL, SHOCK}}));
  free(s.config);
}

static void burgers_shock(void) {
  fc_real  *u = calloc(SHOCK_FRAMES * SHOCK, sizeof *u), *data = calloc(SHOCK_FRAMES * 256, sizeof *data);
  double    off = 0;
  fc_field *f   = public_file("burgers_shock.h5");

  shock(u); /* our x = 0 is theirs -1, where -sin(pi x) = sin(pi (x + 1)) */
  for (int t = 20; t < SHOCK_FRAMES; t += 26)
    for (int i = 0; i < 256; i += 5) {
      const double x = -1 + 2.0 * i / 255;
      off            = fmax(off, fabs((double)u[t * SHOCK + 8 * i] - exact_shock(x, 0.01 * t)));
    }
  show("Burgers shock against Cole and Hopf: largest error", off);
  CHECK_NEAR(off, 0, 3e-7); /* frames are float */
  if (f) {
    double worst = 0;
    CHECK_OK(fc_field_read(f, 0, 0, SHOCK_FRAMES, 1, NULL, 0, NULL, data));
    for (int i = 0; i < SHOCK_FRAMES * 256; i++)
      worst = fmax(worst,
                   fabs((double)data[i] - (double)u[i / 256 * SHOCK + (i % 256 == 255 ? 0 : 8 * (i % 256))]));
    show("burgers_shock.h5 against ours: largest difference", worst);
    CHECK_NEAR(worst, 0, 1e-6);
  }
  fc_field_close(f);
  free(u), free(data);
}

CHECK_SUITE(public_data, darcy_made_here, darcy_public, burgers_made_here, burgers_public, burgers_shock)
