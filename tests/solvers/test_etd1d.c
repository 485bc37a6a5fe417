/* tests/solvers/test_etd1d.c - Burgers and Kuramoto-Sivashinsky against exact solutions, orders, budgets and
   statistics; the two solvers as a user meets them. FC_SHOW=1 prints the numbers that docs/validation.md
   quotes. */
#include "solvers/etd1d.h"
#include "solvers/fft2.h"
#include "solvers/grf.h"
#include "tests/check.h"

#include <complex.h>

static void show(const char *what, double value) {
  if (getenv("FC_SHOW")) printf("  %-60s %.3g\n", what, value);
}

static fc_etd1d_config base(int equation, int64_t n) {
  return (fc_etd1d_config){.equation  = equation,
                           .n         = n,
                           .length    = equation == FC_ETD1D_KS ? 22 : 1,
                           .nu        = equation == FC_ETD1D_KS ? 1 : 0.05,
                           .dt        = 0.01,
                           .frame_dt  = 1,
                           .frames    = 1,
                           .n_traj    = 1,
                           .initial   = FC_ETD1D_SINE,
                           .waves     = 1,
                           .amplitude = 1,
                           .alpha     = 2,
                           .tau       = 5,
                           .sigma     = 25};
}

static fc_etd1d_work *begin(fc_etd1d_config c) {
  fc_etd1d      *s = NULL;
  fc_etd1d_work *w = NULL;

  if (fc_etd1d_create(&c, &s) != FC_OK || fc_etd1d_work_create(s, &w) != FC_OK) abort();
  fc_etd1d_start(w, 0);
  return w;
}

static void end(fc_etd1d_work *w) {
  fc_etd1d *s = (fc_etd1d *)w->s;

  fc_etd1d_work_destroy(w);
  fc_etd1d_destroy(s);
}

static void march(fc_etd1d_work *w, double span, int64_t steps) {
  for (int64_t i = 0; i < steps; i++) fc_etd1d_step(w, span / (double)steps);
}

/* the Fourier series at x */
static double at(const fc_etd1d_work *w, double x) {
  double u = w->u[0];

  for (int64_t j = 1; j < w->s->n / 2; j++)
    u += 2 * (w->u[2 * j] * cos(w->s->k[j] * x) - w->u[2 * j + 1] * sin(w->s->k[j] * x));
  return u;
}

static double apart(const double *a, const double *b, int64_t n) {
  double off = 0, all = 0;

  for (int64_t i = 0; i < n; i++) off += (a[i] - b[i]) * (a[i] - b[i]), all += b[i] * b[i];
  return sqrt(off / all);
}

/* ---- coefficients ---- */

/* phi_j = sum z^m/(m+j)! near 0, the recurrence phi_j+1 = (phi_j - 1/j!)/z elsewhere; f1 = phi1 - 3 phi2 + 4
   phi3 and so on (Cox and Matthews), Q = phi1(z/2)/2 */
static void phi(double z, double p[3]) {
  if (fabs(z) > 2) {
    p[0] = (exp(z) - 1) / z;
    p[1] = (p[0] - 1) / z;
    p[2] = (p[1] - 0.5) / z;
    return;
  }
  for (int j = 0; j < 3; j++) {
    double term = j == 2 ? 1.0 / 6 : j == 1 ? 0.5 : 1;
    p[j]        = term;
    for (int m = 1; m < 30; m++) p[j] += term *= z / (m + j + 1);
  }
}

static void contour_coefficients(void) {
  static const double z[] = {-1e6, -1234, -30, -3, -1.01, -1, -0.3, -1e-3, -1e-9, 0, 1e-7, 0.02, 0.25, 1, 3};
  double              worst = 0;

  for (int i = 0; i < FC_COUNT(z); i++) {
    double c[6], p[3], half[3];
    fc_etd1d_coefficients(z[i], c);
    phi(z[i], p), phi(z[i] / 2, half);
    const double want[6] = {exp(z[i]),       exp(z[i] / 2),  half[0] / 2, p[0] - 3 * p[1] + 4 * p[2],
                            p[1] - 2 * p[2], 4 * p[2] - p[1]};
    for (int a = 0; a < 6; a++) worst = fmax(worst, fabs(c[a] - want[a]) / (1 + fabs(want[a])));
  }
  show("ETDRK4 coefficients, contour against phi functions", worst);
  CHECK_NEAR(worst, 0, 1e-13);
}

/* ---- the nonlinear term ---- */

static void products_are_exact_convolutions(void) {
  for (int form = 0; form < 2; form++)
    for (int64_t n = 18; n < 24; n += 4) { /* 3n/2 odd, then even */
      fc_etd1d_config c = base(FC_ETD1D_KS, n);
      double          rate[64], off = 0, top = 0;
      c.initial         = FC_ETD1D_GRF;
      c.form            = form;
      fc_etd1d_work *w  = begin(c);
      const double   q  = 2 * M_PI / c.length;
      const int64_t  hi = n / 2 - 1;
      fc_etd1d_rate(w, w->u, rate);
      for (int64_t k = 1; k <= hi; k++) {
        double complex sum = 0;
        for (int64_t a = -hi; a <= hi; a++) {
          const int64_t b = k - a;
          if (b < -hi || b > hi) continue;
          const double complex ua = w->u[2 * llabs(a)] + I * (a < 0 ? -1 : 1) * w->u[2 * llabs(a) + 1];
          const double complex ub = w->u[2 * llabs(b)] + I * (b < 0 ? -1 : 1) * w->u[2 * llabs(b) + 1];
          sum += form ? (I * q * (double)a * ua) * (I * q * (double)b * ub) : ua * ub;
        }
        const double complex want = form ? -sum / 2 : -I * q * (double)k * sum / 2;
        off                       = fmax(off, cabs(rate[2 * k] + I * rate[2 * k + 1] - want));
        top                       = fmax(top, cabs(want));
      }
      CHECK_NEAR(off / top, 0, 1e-14);
      CHECK(rate[0] == 0 && rate[1] == 0 && rate[n] == 0 && rate[n + 1] == 0);
      end(w);
    }
}

/* ---- Burgers: Cole and Hopf ---- */

/* u = -2 nu v_x/v with v_t = nu v_xx; from u0 = sin(2 pi x), v = sum_k I_k(z) exp(-nu (2 pi k)^2 t) cos(2 pi
   k x) (k and -k), z = 1/(4 pi nu). exp(-z) I_k(z) is the mean of exp(z (cos s - 1)) cos(ks). */
static double cole_hopf(double nu, double t, double x) {
  enum { MODES = 80, POINTS = 512 };
  const double z = 1 / (4 * M_PI * nu);
  double       v = 0, vx = 0;

  for (int k = 0; k < MODES; k++) {
    double I_k = 0;
    for (int j = 0; j < POINTS; j++) {
      const double s = 2 * M_PI * j / POINTS;
      I_k += exp(z * (cos(s) - 1)) * cos(k * s) / POINTS;
    }
    const double q = 2 * M_PI * k, a = (k ? 2 : 1) * I_k * exp(-nu * q * q * t);
    v += a * cos(q * x);
    vx -= a * q * sin(q * x);
  }
  return -2 * nu * vx / v;
}

static double hopf_error(int64_t n, int64_t steps) {
  fc_etd1d_work *w = begin(base(FC_ETD1D_BURGERS, n));
  double         e = 0;

  march(w, 0.5, steps);
  for (int i = 0; i < 40; i++) e = fmax(e, fabs(at(w, i / 40.0) - cole_hopf(0.05, 0.5, i / 40.0)));
  end(w);
  return e;
}

static void burgers_follows_cole_and_hopf(void) {
  const double fine = hopf_error(128, 800), a = hopf_error(128, 25), b = hopf_error(128, 50);
  const double coarse = hopf_error(16, 800), half = hopf_error(32, 800);

  show("Burgers, nu 0.05, t 0.5: largest error, 128 points, dt 1/1600", fine);
  show("Burgers: largest error, dt 1/100", b);
  show("Burgers: observed order in time", log2(a / b));
  show("Burgers: largest error, 32 points", half);
  show("Burgers: largest error, 16 points", coarse);
  CHECK_NEAR(fine, 0, 1e-11);
  CHECK_NEAR(log2(a / b), 4, 0.15);
  CHECK(half < coarse / 30 && fine < half / 30); /* spectral */
}

/* the time step of the preset, which the published code does not fix, against a quarter of it */
static void fno_step_is_small_enough(void) {
  const fc_solver_def *def;
  void                *config;

  CHECK_OK(fc_solver_configure("fno-burgers-r10", 0, NULL, &def, &config));
  fc_etd1d_config c = *(fc_etd1d_config *)config;
  c.n               = 1024;
  fc_etd1d_work *w = begin(c), *v = begin(c);
  march(w, 1, (int64_t)(1 / c.dt + 0.5)), march(v, 1, (int64_t)(4 / c.dt + 0.5));
  show("fno-burgers-r10: dt 1e-3 against 2.5e-4 at t = 1, relative L2", apart(w->u, v->u, 1026));
  CHECK_NEAR(apart(w->u, v->u, 1026), 0, 6e-8); /* rounding of the frames that are kept */
  end(w), end(v);
  free(config);
}

/* u -> U + u(x - Ut, t): the mean carries the rest along */
static void burgers_in_a_moving_frame(void) {
  fc_etd1d_work *w = begin(base(FC_ETD1D_BURGERS, 128)), *v = begin(base(FC_ETD1D_BURGERS, 128));
  const double   U = 0.7, t = 0.3;
  double         off = 0;

  v->u[0] = U;
  march(w, t, 600), march(v, t, 600);
  for (int i = 0; i < 40; i++) off = fmax(off, fabs(at(v, i / 40.0) - U - at(w, i / 40.0 - U * t)));
  CHECK_NEAR(off, 0, 1e-9);
  CHECK_NEAR(v->u[0], U, 1e-15);
  end(w), end(v);
}

static fc_etd1d_work *on_attractor(int64_t n) {
  fc_etd1d_config c = base(FC_ETD1D_KS, n);

  c.initial        = FC_ETD1D_WAVES;
  c.waves          = 5;
  fc_etd1d_work *w = begin(c);
  march(w, 200, 2000);
  return w;
}

/* ---- budgets ---- */

/* The nonlinear term neither makes nor loses energy; so dE/dt = <u_x^2> - nu <u_xx^2> (or -nu <u_x^2>), here
   integrated by Simpson's rule. */
static void budget(int equation, double span, int steps) {
  fc_etd1d_config c   = base(equation, 64);
  double          sum = 0, stir = 0;

  c.initial                   = FC_ETD1D_GRF;
  c.alpha                     = 4; /* smooth: Simpson's rule has to follow the fast modes */
  fc_etd1d_work *w            = equation == FC_ETD1D_KS ? on_attractor(64) : begin(c);
  w->u[0]                     = 0.3;
  const fc_etd1d_budget first = fc_etd1d_measure(w);
  double               *rate  = fc_fft2_alloc(66);
  for (int i = 0; i <= steps; i++) {
    const fc_etd1d_budget b = fc_etd1d_measure(w);
    double                n = 0;
    fc_etd1d_rate(w, w->u, rate);
    for (int k = 2; k < 64; k++) n += 2 * w->u[k] * rate[k];
    stir = fmax(stir, fabs(n) / (b.energy + b.slope));
    sum += (i == 0 || i == steps ? 1
            : i % 2              ? 4
                                 : 2) *
           (equation == FC_ETD1D_KS ? b.slope - c.nu * b.bend : -c.nu * b.slope);
    if (i < steps) march(w, span / steps, 1);
  }
  const fc_etd1d_budget last = fc_etd1d_measure(w);
  const double          off  = fabs(last.energy - first.energy - sum * span / steps / 3);
  show(equation ? "KS: energy made by the nonlinear term" : "Burgers: energy made by the nonlinear term",
       stir);
  show(equation ? "KS: budget of energy, relative to its change"
                : "Burgers: budget of energy, relative to its change",
       off / fabs(last.energy - first.energy));
  CHECK_NEAR(stir, 0, 1e-14);
  CHECK_NEAR(off / fabs(last.energy - first.energy), 0, 1e-6);
  CHECK(last.mean == first.mean && first.mean != 0);
  free(rate);
  end(w);
}

static void energy_budgets(void) {
  budget(FC_ETD1D_BURGERS, 0.2, 400);
  budget(FC_ETD1D_KS, 4, 800);
}

/* ---- Kuramoto-Sivashinsky ---- */

static void ks_order_in_time(void) {
  fc_etd1d_work *start = on_attractor(64);
  double         u[4][66], d[3];

  for (int i = 0; i < 4; i++) {
    fc_etd1d_work *w = begin(base(FC_ETD1D_KS, 64));
    memcpy(w->u, start->u, sizeof u[i]);
    march(w, 4, 320 << i);
    memcpy(u[i], w->u, sizeof u[i]);
    end(w);
  }
  for (int i = 0; i < 3; i++) d[i] = apart(u[i], u[i + 1], 66);
  show("KS: difference of dt 1/160 and 1/320 at t = 4", d[1]);
  show("KS: observed order in time", log2(d[1] / d[2]));
  CHECK_NEAR(log2(d[0] / d[1]), 4, 0.5);
  CHECK_NEAR(log2(d[1] / d[2]), 4, 0.3);
  end(start);
}

/* u of the conservative form is h_x of the gradient form */
static void ks_forms_agree(void) {
  fc_etd1d_work  *u      = on_attractor(64);
  fc_etd1d_config c      = base(FC_ETD1D_KS, 64);
  double          hx[66] = {0};

  c.form           = FC_ETD1D_GRADIENT;
  fc_etd1d_work *h = begin(c);
  for (int64_t j = 1; j < 32; j++) {
    h->u[2 * j]     = u->u[2 * j + 1] / h->s->k[j];
    h->u[2 * j + 1] = -u->u[2 * j] / h->s->k[j];
  }
  march(u, 5, 500), march(h, 5, 500);
  for (int64_t j = 1; j < 32; j++) {
    hx[2 * j]     = -h->s->k[j] * h->u[2 * j + 1];
    hx[2 * j + 1] = h->s->k[j] * h->u[2 * j];
  }
  show("KS: gradient form against conservative form at t = 5", apart(hx, u->u, 66));
  CHECK_NEAR(apart(hx, u->u, 66), 0, 1e-11);
  CHECK(h->u[0] == 0);
  end(u), end(h);
}

/* The largest Lyapunov exponent from the growth of a small difference that is scaled back each time unit
   (Benettin), and the mean square, on L = 22 with 64 points. */
static void ks_statistics(void) {
  enum { T = 4000 };
  const double   small = 1e-7;
  fc_etd1d_work *u = on_attractor(64), *v = begin(base(FC_ETD1D_KS, 64));
  double         growth = 0, square = 0;

  for (int64_t j = 0; j < 64; j++) v->u[j] = u->u[j] + (j >= 2 && j < 12 ? small * (double)(j % 3 - 1) : 0);
  for (int t = 0; t < T; t++) {
    double size = 0;
    march(u, 1, 10), march(v, 1, 10);
    for (int64_t j = 0; j < 64; j++) size += pow(v->u[j] - u->u[j], 2);
    size = sqrt(size);
    if (t > 50) growth += log(size / small);
    for (int64_t j = 0; j < 64; j++) v->u[j] = u->u[j] + (v->u[j] - u->u[j]) * small / size;
    square += 2 * fc_etd1d_measure(u).energy / T;
  }
  show("KS, L = 22: largest Lyapunov exponent, T = 4000", growth / (T - 51));
  show("KS, L = 22: mean of u^2", square);
  CHECK(growth / (T - 51) > 0.04 && growth / (T - 51) < 0.055);
  CHECK_NEAR(square, 1.43, 0.05);
  CHECK(u->u[0] == 0);
  end(u), end(v);
}

/* ---- initial fields ---- */

static void random_lines_have_their_covariance(void) {
  enum { N = 32, SAMPLES = 2000 };
  const fc_grf g      = {.length = 1, .alpha = 2, .tau = 5, .sigma = 25};
  double       sum[N] = {0}, hat[N + 2], fine[2 * N + 2];

  for (uint64_t sample = 0; sample < SAMPLES; sample++) {
    const fc_rng r = {3, sample, FC_RNG_FIELD};
    fc_grf_1d(&g, &r, N, true, hat);
    for (int k = 0; k < N / 2; k++)
      sum[k] += (hat[2 * k] * hat[2 * k] + hat[2 * k + 1] * hat[2 * k + 1]) / SAMPLES;
    fc_grf_1d(&g, &r, 2 * N, true, fine);
    CHECK(!memcmp(hat, fine, N * sizeof *hat) && hat[1] == 0 && hat[N] == 0);
    fc_grf_1d(&g, &r, N, false, fine);
    CHECK(fine[0] == 0 && fine[2] == hat[2]);
  }
  for (int k = 0; k < N / 2;
       k++) /* |z|^2 has mean 1 and deviation 1 (sqrt 2 when real): five of its errors */
    CHECK_NEAR(sum[k] / (625 * pow(4 * M_PI * M_PI * k * k + 25, -2)), 1,
               5 * (k ? 1 : M_SQRT2) / sqrt(SAMPLES));
}

static void other_starts(void) {
  fc_etd1d_config c   = base(FC_ETD1D_KS, 256);
  double          top = 0, off = 0;

  c.initial = FC_ETD1D_WAVES, c.waves = 5, c.amplitude = 1.5;
  fc_etd1d_work *w = begin(c);
  for (int i = 0; i < 4000; i++) top = fmax(top, fabs(at(w, 22 * i / 4000.0)));
  CHECK_NEAR(top, 1.5, 2e-3);
  CHECK(w->u[0] == 0 && w->u[12] == 0 && w->u[10] != 0);
  end(w);
  c.initial = FC_ETD1D_COSINES, c.amplitude = 2;
  w = begin(c);
  for (int i = 0; i < 50; i++) {
    const double q = 2 * M_PI * i / 50;
    off            = fmax(off, fabs(at(w, 22 * i / 50.0) - 2 * cos(q) * (1 + sin(q))));
  }
  end(w);
  c.initial = FC_ETD1D_SINE, c.waves = 3;
  w = begin(c);
  for (int i = 0; i < 50; i++) off = fmax(off, fabs(at(w, 22 * i / 50.0) - 2 * sin(3 * 2 * M_PI * i / 50)));
  CHECK_NEAR(off, 0, 1e-13);
  end(w);
}

/* ---- as solvers ---- */

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

#define WITH(...)                                                                                            \
  (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), (const char *[]) { __VA_ARGS__ }

static trial ran(const char *preset, int n, const char *const *set) {
  trial t = {0};

  CHECK_OK(fc_solver_configure(preset, n, set, &t.def, &t.config));
  if (!t.config) abort();
  t.def->describe(t.config, &t.spec);
  t.out   = (sink_state){.frames = t.spec.n_steps, .size = t.spec.dim[0]};
  t.out.x = calloc((size_t)(t.spec.n_traj * t.out.frames * t.out.size), sizeof *t.out.x);
  CHECK_OK(t.def->run(t.config, &(fc_audience){.sink = collect, .user = &t.out}));
  return t;
}

static void drop(trial t) {
  free(t.config);
  free(t.out.x);
}

static double distance(const fc_real *a, const fc_real *b, int64_t n) {
  double off = 0, all = 0;

  for (int64_t i = 0; i < n; i++) off += pow((double)a[i] - (double)b[i], 2), all += pow((double)b[i], 2);
  return sqrt(off / all);
}

#define BURGERS "n=64", "nu=0.02", "dt=0.005", "frame_dt=0.05", "frames=5", "n_traj=3"
#define KS      "n=64", "t_skip=20", "frame_dt=0.5", "frames=5", "n_traj=3"

static void bits_do_not_depend_on_threads_or_numbering(void) {
  for (int ks = 0; ks < 2; ks++) {
    const char *preset = ks ? "ks" : "burgers";
    trial       one    = ks ? ran(preset, WITH(KS)) : ran(preset, WITH(BURGERS));
    fc_threads_set(3);
    trial three = ks ? ran(preset, WITH(KS)) : ran(preset, WITH(BURGERS));
    fc_threads_set(1);
    trial last = ks ? ran(preset, WITH(KS, "n_traj=1", "first_traj=2"))
                    : ran(preset, WITH(BURGERS, "n_traj=1", "first_traj=2"));
    CHECK(!memcmp(one.out.x, three.out.x, 3 * 5 * 64 * sizeof(fc_real)));
    CHECK(!memcmp(one.out.x + 2 * 5 * 64, last.out.x, 5 * 64 * sizeof(fc_real)));
    CHECK(distance(one.out.x, one.out.x + 5 * 64, 64) > 0.1);
    CHECK(one.spec.ndim == 1 && one.spec.periodic[0] && !strcmp(one.spec.param[0].name, "nu"));
    drop(one), drop(three), drop(last);
  }
}

/* what a rollout's coarse solver does: continue a stored frame, on its grid and on coarser ones */
static void advance_continues_a_run(void) {
  for (int ks = 0; ks < 2; ks++) {
    trial      t = ks ? ran("ks", WITH(KS)) : ran("burgers", WITH(BURGERS, "alpha=6", "tau=15", "sigma=1e7"));
    sink_state next      = {.frames = 4, .size = 64, .x = calloc(4 * 64, sizeof(fc_real))};
    const int64_t own[1] = {64}, half[1] = {32}, odd[1] = {31};
    const double  frame_dt = ks ? 0.5 : 0.05;
    fc_real       coarse[32];
    CHECK_OK(t.def->advance(t.config, own, t.out.x, 0, frame_dt, 4, collect, &next));
    CHECK_NEAR(distance(next.x, t.out.x + 64, 4 * 64), 0, 2e-6);
    CHECK(distance(t.out.x, t.out.x + 4 * 64, 64) > 0.05);
    for (int i = 0; i < 32; i++) coarse[i] = t.out.x[2 * i];
    next.size = 32;
    CHECK_OK(t.def->advance(t.config, half, coarse, 0, frame_dt, 1, collect, &next));
    for (int i = 0; i < 32; i++) coarse[i] = t.out.x[64 + 2 * i];
    CHECK(distance(next.x, coarse, 32) < 0.02);
    CHECK_FAILS(t.def->advance(t.config, odd, coarse, 0, frame_dt, 1, collect, &next), FC_E_INPUT,
                "even grids");
    CHECK_FAILS(t.def->advance(t.config, half, coarse, 0, 0, 1, collect, &next), FC_E_INPUT,
                "must be positive");
    free(next.x);
    drop(t);
  }
}

static void kept_points_and_cfl(void) {
  trial whole = ran("burgers", WITH(BURGERS)), part = ran("burgers", WITH(BURGERS, "n_keep=16")),
        cut = ran("burgers", WITH(BURGERS, "n_keep=16", "reduce=truncate")),
        cfl = ran("burgers", WITH(BURGERS, "dt=0", "cfl=0.2"));
  for (int i = 0; i < 16; i++) CHECK(part.out.x[4 * 16 + i] == whole.out.x[4 * 64 + 4 * i]);
  CHECK(distance(cut.out.x, part.out.x, 16) > 1e-3); /* the rough start is folded back by subsampling */
  CHECK(part.spec.dim[0] == 16 && part.spec.spacing[0] == 1.0 / 16);
  CHECK_NEAR(distance(cfl.out.x, whole.out.x, 5 * 64), 0, 1e-5);
  drop(whole), drop(part), drop(cut), drop(cfl);
}

static void failures(void) {
  static const struct {
    const char *set, *message;
  } bad[] = {{"n=33", "even"},
             {"n_keep=24", "not a multiple"},
             {"dt=0", "cfl"},
             {"nu=-1", "nu"},
             {"initial=noise", "grf"}};
  const fc_solver_def *def;
  void                *config;

  for (int i = 0; i < FC_COUNT(bad); i++)
    CHECK_FAILS(fc_solver_configure("burgers", 1, &bad[i].set, &def, &config), FC_E_USAGE, bad[i].message);
  CHECK_FAILS(fc_solver_configure("ks", WITH("n=8", "waves=5"), &def, &config), FC_E_USAGE, "finer grid");
  CHECK_OK(fc_solver_configure(
      "burgers", WITH("n=64", "nu=0", "dt=0.1", "amplitude=100", "initial=sine", "frame_dt=100"), &def,
      &config));
  sink_state out = {.frames = 2, .size = 64, .x = calloc(128, sizeof(fc_real))};
  CHECK_FAILS(def->run(config, &(fc_audience){.sink = collect, .user = &out}), FC_E_NUMERIC, "lower dt");
  free(out.x);
  free(config);
}

CHECK_SUITE(etd1d, contour_coefficients, products_are_exact_convolutions, burgers_follows_cole_and_hopf,
            fno_step_is_small_enough, burgers_in_a_moving_frame, energy_budgets, ks_order_in_time,
            ks_forms_agree, ks_statistics, random_lines_have_their_covariance, other_starts,
            bits_do_not_depend_on_threads_or_numbering, advance_continues_a_run, kept_points_and_cfl,
            failures)
