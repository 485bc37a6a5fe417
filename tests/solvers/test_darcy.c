/* tests/solvers/test_darcy.c - Darcy flow against exact solutions, orders, balances and a second statement of
   the published scheme; random coefficients; the solver as a user meets it. FC_SHOW=1 prints the numbers that
   docs/validation.md quotes. */
#include "solvers/darcy.h"
#include "solvers/grf.h"
#include "tests/check.h"

static const char *const scheme_name[] = {"nodes", "volumes"};

static void show(const char *what, const char *which, double value) {
  if (getenv("FC_SHOW")) printf("  %-52s %-12s %.3g\n", what, which, value);
}

static fc_darcy_config base(int64_t n, int scheme) {
  return (fc_darcy_config){.n           = n,
                           .stride      = 1,
                           .coefficient = FC_DARCY_THRESHOLD,
                           .high        = 12,
                           .low         = 3,
                           .alpha       = 2,
                           .tau         = 3,
                           .force       = 1,
                           .scheme      = scheme,
                           .mean        = scheme == FC_DARCY_NODES ? FC_DARCY_ARITHMETIC : FC_DARCY_HARMONIC,
                           .tolerance   = 1e-12,
                           .n_traj      = 1};
}

static fc_darcy *begin(fc_darcy_config c) {
  fc_darcy *d = NULL;

  if (fc_darcy_create(&c, c.n, c.n, &d) != FC_OK) abort();
  return d;
}

static double centre(const fc_darcy *d, int64_t i) { return ((double)i + 0.5) / (double)d->nx; }

/* ---- exact solutions ---- */

/* -lap u = 1: u = x(1-x)/2 - 4/pi^3 sum over odd k of sin(k pi x) cosh(k pi (y-1/2)) / (k^3 cosh(k pi/2)) */
static double square_duct(double x, double y) {
  double u = x * (1 - x) / 2;

  for (int k = 1; k < 400; k += 2) {
    const double q = k * M_PI, e = fabs(y - 0.5);
    const double ratio = (exp(q * (e - 0.5)) + exp(-q * (e + 0.5))) / (1 + exp(-q));
    u -= 4 / (M_PI * M_PI * M_PI) * sin(q * x) * ratio / (k * k * k);
  }
  return u;
}

static double duct_error(int scheme, int64_t n) {
  fc_darcy_config c = base(n, scheme);
  double          e = 0;

  c.coefficient = FC_DARCY_UNIFORM;
  c.high        = 1;
  fc_darcy *d   = begin(c);
  fc_darcy_coefficient(d, 0);
  CHECK_OK(fc_darcy_solve(d));
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++)
      e = fmax(e, fabs(d->u[i * n + j] - square_duct(centre(d, i), centre(d, j))));
  fc_darcy_destroy(d);
  return e;
}

static void uniform_coefficient(void) {
  CHECK_NEAR(square_duct(0.5, 0.5), 0.07367135, 5e-9);
  for (int s = 0; s < 2; s++) {
    const double a = duct_error(s, 65), b = duct_error(s, 131);
    show("a = f = 1: largest error, 131^2", scheme_name[s], b);
    show("a = f = 1: observed order", scheme_name[s], log(a / b) / log(131.0 / 65));
    CHECK_NEAR(log(a / b) / log(131.0 / 65), 2, 0.15);
    CHECK(b < 2e-5);
  }
}

/* a = 2 + sin(2 pi x) cos(pi y)/2, u = sin(pi x) sin(2 pi y), f = -div(a grad u) */
static void manufactured(double x, double y, double *a, double *u, double *f) {
  const double p = M_PI, ax = p * cos(2 * p * x) * cos(p * y), ay = -p / 2 * sin(2 * p * x) * sin(p * y);
  const double ux = p * cos(p * x) * sin(2 * p * y), uy = 2 * p * sin(p * x) * cos(2 * p * y);

  *a = 2 + sin(2 * p * x) * cos(p * y) / 2;
  *u = sin(p * x) * sin(2 * p * y);
  *f = *a * 5 * p * p * *u - ax * ux - ay * uy;
}

static double manufactured_error(int scheme, int mean, int64_t n) {
  fc_darcy_config c = base(n, scheme);
  double         *f = calloc((size_t)(n * n), sizeof *f), *u = calloc((size_t)(n * n), sizeof *u), e = 0;

  c.mean      = mean;
  fc_darcy *d = begin(c);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++)
      manufactured(centre(d, i), centre(d, j), &d->a[i * n + j], &u[i * n + j], &f[i * n + j]);
  d->f = f;
  CHECK_OK(fc_darcy_solve(d));
  for (int64_t i = 0; i < n * n; i++) e = fmax(e, fabs(d->u[i] - u[i]));
  fc_darcy_destroy(d);
  free(f), free(u);
  return e;
}

static void manufactured_solution(void) {
  for (int s = 0; s < 2; s++)
    for (int mean = 0; mean < 2; mean++) {
      const double a = manufactured_error(s, mean, 64), b = manufactured_error(s, mean, 128);
      show(mean ? "manufactured, harmonic: largest error, 128^2"
                : "manufactured, arithmetic: largest error, 128^2",
           scheme_name[s], b);
      show("manufactured: observed order", scheme_name[s], log2(a / b));
      CHECK_NEAR(log2(a / b), 2, 0.1);
      CHECK(b < 1e-3);
    }
}

/* a(x) = 1 up to x = 1/2, then 1/10; f = 1, no flux in y. The flux is q = c - x, so that u = (c x - x^2/2)/a
   from the left and the like from the right, with c from u being one function. */
static double strip_error(int mean, int64_t n) {
  const double left = 1, right = 0.1, c = (0.125 / left + 0.375 / right) / (0.5 / left + 0.5 / right);
  double       e = 0;

  fc_darcy_config k = base(n, FC_DARCY_VOLUMES);
  k.sides           = FC_DARCY_STRIP;
  k.mean            = mean;
  fc_darcy *d       = begin(k);
  for (int64_t i = 0; i < n * n; i++) d->a[i] = i / n < n / 2 ? left : right;
  CHECK_OK(fc_darcy_solve(d));
  for (int64_t i = 0; i < n; i++) {
    const double x = centre(d, i),
                 u = x < 0.5 ? (c * x - x * x / 2) / left : (c * (x - 1) - (x * x - 1) / 2) / right;
    for (int64_t j = 0; j < n; j++) e = fmax(e, fabs(d->u[i * n + j] - u));
  }
  fc_darcy_destroy(d);
  return e;
}

static void a_jump_between_cells(void) {
  for (int mean = 0; mean < 2; mean++) {
    const double a = strip_error(mean, 64), b = strip_error(mean, 128);
    show("strip with a jump: largest error, 128^2", mean ? "harmonic" : "arithmetic", b);
    show("strip with a jump: observed order", mean ? "harmonic" : "arithmetic", log2(a / b));
    CHECK_NEAR(log2(a / b), mean ? 2 : 1, 0.1);
  }
}

/* ---- balances ---- */

static void random_solutions_obey_the_laws(void) {
  for (int64_t traj = 0; traj < 3; traj++) {
    const int64_t n   = 97;
    fc_darcy     *d   = begin(base(n, FC_DARCY_VOLUMES));
    double        out = 0, low = INFINITY;
    fc_darcy_coefficient(d, traj);
    CHECK_OK(fc_darcy_solve(d));
    for (int64_t k = 0; k < n; k++) {
      out += d->down[k] * d->u[k] + d->down[n * n + k] * d->u[(n - 1) * n + k];
      out += d->right[k * (n + 1)] * d->u[k * n] + d->right[k * (n + 1) + n] * d->u[k * n + n - 1];
    }
    for (int64_t i = 0; i < n * n; i++) low = fmin(low, d->u[i]);
    show("flux through the border minus integral of f", "volumes", fabs(out - 1));
    CHECK_NEAR(out, 1, 1e-10);
    CHECK(low > 0); /* maximum principle */
    fc_darcy_destroy(d);
  }
}

/* Twice the force, twice u; twice a, half of u; a mirrored along x, u mirrored: orientation is kept. */
static void symmetries(void) {
  for (int s = 0; s < 2; s++) {
    const int64_t n = 40;
    fc_darcy     *d = begin(base(n, s)), *e = begin(base(n, s));
    double        off = 0, turned = 0, top = 0;
    fc_darcy_coefficient(d, 4);
    CHECK_OK(fc_darcy_solve(d));
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < n; j++) e->a[i * n + j] = 2 * d->a[(n - 1 - i) * n + j];
    e->c.force = 6;
    CHECK_OK(fc_darcy_solve(e));
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < n; j++) {
        off    = fmax(off, fabs(e->u[i * n + j] - 3 * d->u[(n - 1 - i) * n + j]));
        turned = fmax(turned, fabs(d->u[i * n + j] - d->u[j * n + i]));
        top    = fmax(top, fabs(d->u[i * n + j]));
      }
    CHECK_NEAR(off / top, 0, 1e-11);
    CHECK(turned > 0.05 * top); /* a transposed solution would be noticed */
    fc_darcy_destroy(d), fc_darcy_destroy(e);
  }
}

/* ---- the published scheme, stated a second time: splines and the system written out ---- */
enum { K = 12, M = K - 2, UNKNOWNS = M * M };

/* x <- A^-1 x with row exchanges */
static void eliminate(int n, double *A, double *x) {
  for (int k = 0; k < n; k++) {
    int p = k;
    for (int i = k + 1; i < n; i++) p = fabs(A[i * n + k]) > fabs(A[p * n + k]) ? i : p;
    for (int j = 0; j < n; j++) {
      const double t = A[k * n + j];
      A[k * n + j] = A[p * n + j], A[p * n + j] = t;
    }
    const double t = x[k];
    x[k] = x[p], x[p] = t;
    for (int i = k + 1; i < n; i++) {
      const double f = A[i * n + k] / A[k * n + k];
      for (int j = k; j < n; j++) A[i * n + j] -= f * A[k * n + j];
      x[i] -= f * x[k];
    }
  }
  for (int k = n - 1; k >= 0; k--) {
    for (int j = k + 1; j < n; j++) x[k] -= A[k * n + j] * x[j];
    x[k] /= A[k * n + k];
  }
}

/* A spline as a cubic plus truncated powers c_k (x - knot_k)^3 at the inner knots but the second and the last
   but one (not a knot there), found from its K values. */
static double spline_at(const double *y, double x) {
  double A[K * K], c[K];

  for (int i = 0; i < K; i++) {
    for (int k = 0; k < 4; k++) A[i * K + k] = pow(i / (double)K, k);
    for (int k = 4; k < K; k++) A[i * K + k] = pow(fmax(0, i - (k - 2)) / (double)K, 3);
    c[i] = y[i];
  }
  eliminate(K, A, c);
  double sum = 0;
  for (int k = 0; k < 4; k++) sum += c[k] * pow(x / K, k);
  for (int k = 4; k < K; k++) sum += c[k] * pow(fmax(0, x - (k - 2)) / K, 3);
  return sum;
}

/* values at cell centres to nodes (up) or back */
static void carry(const double *from, bool up, double *to) {
  double half[K * K], line[K];

  for (int axis = 0; axis < 2; axis++)
    for (int i = 0; i < K; i++) {
      const double *in = axis ? half : from;
      for (int k = 0; k < K; k++) line[k] = axis ? in[i * K + k] : in[k * K + i];
      for (int k = 0; k < K; k++) {
        const double x = up ? k / (K - 1.0) * K - 0.5 : (k + 0.5) / K * (K - 1);
        (axis ? to : half)[axis ? i * K + k : k * K + i] = spline_at(line, x);
      }
    }
}

static void published(const double *a, double *u) {
  static double A[UNKNOWNS * UNKNOWNS], x[UNKNOWNS], node[K * K], inner[K * K];

  memset(A, 0, sizeof A);
  memset(inner, 0, sizeof inner);
  carry(a, true, node);
  for (int i = 1; i <= M; i++)
    for (int j = 1; j <= M; j++) {
      const int p = (i - 1) * M + j - 1, q[4][2] = {{i - 1, j}, {i + 1, j}, {i, j - 1}, {i, j + 1}};
      for (int d = 0; d < 4; d++) {
        const double mean = (node[i * K + j] + node[q[d][0] * K + q[d][1]]) / 2 * (K - 1) * (K - 1);
        A[p * UNKNOWNS + p] += mean;
        if (q[d][0] > 0 && q[d][0] <= M && q[d][1] > 0 && q[d][1] <= M)
          A[p * UNKNOWNS + (q[d][0] - 1) * M + q[d][1] - 1] -= mean;
      }
      x[p] = 1;
    }
  eliminate(UNKNOWNS, A, x);
  for (int i = 1; i <= M; i++)
    for (int j = 1; j <= M; j++) inner[i * K + j] = x[(i - 1) * M + j - 1];
  carry(inner, false, u);
}

static void fno_data_are_made_as_published(void) {
  double u[K * K], off = 0, top = 0;

  for (int64_t traj = 0; traj < 3; traj++) {
    fc_darcy *d = begin(base(K, FC_DARCY_NODES));
    fc_darcy_coefficient(d, traj);
    CHECK_OK(fc_darcy_solve(d));
    published(d->a, u);
    for (int i = 0; i < K * K; i++) off = fmax(off, fabs(u[i] - d->u[i])), top = fmax(top, fabs(u[i]));
    fc_darcy_destroy(d);
  }
  show("published scheme stated again, 12^2, 3 samples", "nodes", off / top);
  CHECK_NEAR(off / top, 0, 1e-9); /* the truncated powers are ill-conditioned */
}

/* what the published numerics cost: relative L2 distance of u on 421^2 */
static void published_numerics_against_ours(void) {
  for (int64_t traj = 0; traj < 2; traj++) {
    fc_darcy *d = begin(base(421, FC_DARCY_NODES)), *e = begin(base(421, FC_DARCY_VOLUMES));
    double    off = 0, all = 0, edge = 0;
    fc_darcy_coefficient(d, traj), fc_darcy_coefficient(e, traj);
    CHECK_OK(fc_darcy_solve(d));
    CHECK_OK(fc_darcy_solve(e));
    for (int64_t i = 0; i < 421 * 421; i++) {
      off += pow(d->u[i] - e->u[i], 2), all += pow(e->u[i], 2);
      edge = fmin(edge, d->u[i]);
    }
    show("421^2: nodes against volumes, relative L2", "", sqrt(off / all));
    show("421^2: smallest u of the published scheme", "", edge);
    CHECK(off < 1e-4 * all && edge > -1e-4 * sqrt(all / (421 * 421)) * 421);
    fc_darcy_destroy(d), fc_darcy_destroy(e);
  }
}

/* ---- random coefficients ---- */

/* w = sum lambda_k z_k phi_k: the mean over the square of its variance is sum lambda_k^2, without (0, 0) */
static void random_field_has_its_variance(void) {
  enum { N = 24, SAMPLES = 400 };
  const fc_grf g = {.alpha = 2, .tau = 3};
  double       weight[N * N], c[N * N], want = 0, got = 0;

  fc_grf_cosine_weights(&g, N, weight);
  CHECK_NEAR(weight[3 * N + 4], 2 * 3 / (M_PI * M_PI * 25 + 9), 1e-15);
  CHECK_NEAR(weight[5], sqrt(2) * 3 / (M_PI * M_PI * 25 + 9), 1e-15);
  for (int k = 0; k < N; k++)
    for (int l = 0; l < N; l++) want += k || l ? pow(3 / (M_PI * M_PI * (k * k + l * l) + 9), 2) : 0;
  for (uint64_t sample = 0; sample < SAMPLES; sample++) {
    const fc_rng r = {3, sample, FC_RNG_FIELD};
    fc_grf_cosine(&r, N, weight, c);
    CHECK(c[0] == 0);
    for (int k = 0; k < N; k++)
      for (int l = 0; l < N; l++)
        got += c[k * N + l] * c[k * N + l] * (k ? 0.5 : 1) * (l ? 0.5 : 1) / SAMPLES;
  }
  CHECK_NEAR(got / want, 1, 0.2); /* two modes (0,1), (1,0) carry half of it: standard error 0.04 */
}

static void coefficients_are_the_same_on_every_grid(void) {
  fc_darcy_config c = base(32, FC_DARCY_VOLUMES), f = base(96, FC_DARCY_VOLUMES);
  int64_t         high = 0, same = 0;
  double          smooth = 0;

  c.coefficient = f.coefficient = FC_DARCY_LOGNORMAL;
  c.alpha = f.alpha = 4; /* smooth: the modes of the coarse grid are nearly all */
  fc_darcy *d = begin(c), *e = begin(f);
  fc_darcy_coefficient(d, 7), fc_darcy_coefficient(e, 7);
  for (int i = 0; i < 32; i++)
    for (int j = 0; j < 32; j++) /* the middle one of 3 x 3 cells has the same centre */
      smooth = fmax(smooth, fabs(log(d->a[i * 32 + j] / e->a[(3 * i + 1) * 96 + 3 * j + 1])));
  CHECK_NEAR(smooth, 0, 2e-3);
  fc_darcy_destroy(d), fc_darcy_destroy(e);
  d = begin(base(32, FC_DARCY_VOLUMES)), e = begin(base(96, FC_DARCY_VOLUMES));
  for (int64_t traj = 0; traj < 40; traj++) {
    fc_darcy_coefficient(d, traj), fc_darcy_coefficient(e, traj);
    for (int i = 0; i < 1024; i++) {
      CHECK(d->a[i] == 12 || d->a[i] == 3);
      high += d->a[i] == 12;
      same += d->a[i] == e->a[(3 * (i / 32) + 1) * 96 + 3 * (i % 32) + 1];
    }
  }
  CHECK_NEAR((double)high / (40 * 1024), 0.5, 0.1);
  CHECK((double)same / (40 * 1024) > 0.95);
  fc_darcy_destroy(d), fc_darcy_destroy(e);
}

/* ---- as a solver ---- */

typedef struct {
  fc_real *a, *u;
  int64_t  size, calls, fail_at;
} sink_state;

static fc_status collect(void *user, int64_t traj, int64_t t, const fc_real *x) {
  sink_state *s = user;

  if (s->fail_at && ++s->calls == s->fail_at) return fc_fail(FC_E_SYSTEM, "the disk is full");
  CHECK(t == 0 || t == FC_FRAME_CONSTANT);
  memcpy((t == 0 ? s->u : s->a) + traj * s->size, x, (size_t)s->size * sizeof *x);
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
  t.out.size = t.spec.dim[0] * t.spec.dim[1];
  t.out.a    = calloc((size_t)(t.spec.n_traj * t.out.size), sizeof *t.out.a);
  t.out.u    = calloc((size_t)(t.spec.n_traj * t.out.size), sizeof *t.out.u);
  CHECK_OK(t.def->run(t.config, &(fc_audience){.sink = collect, .user = &t.out}));
  return t;
}

static void drop(trial t) {
  free(t.config);
  free(t.out.a), free(t.out.u);
}

static double distance(const fc_real *a, const fc_real *b, int64_t n) {
  double off = 0, all = 0;

  for (int64_t i = 0; i < n; i++) off += pow((double)a[i] - (double)b[i], 2), all += pow((double)b[i], 2);
  return sqrt(off / all);
}

static void samples_do_not_depend_on_threads_or_numbering(void) {
  trial one = ran("fno-darcy-421", WITH("n=33", "n_traj=5"));
  fc_threads_set(3);
  trial three = ran("fno-darcy-421", WITH("n=33", "n_traj=5"));
  fc_threads_set(1);
  trial         last = ran("fno-darcy-421", WITH("n=33", "n_traj=2", "first_traj=3"));
  const size_t  all  = 5 * 33 * 33 * sizeof(fc_real);
  const int64_t n    = 33 * 33;

  CHECK(one.spec.n_steps == 1 && one.spec.n_constant == 1 && one.spec.wall[1]);
  CHECK(!memcmp(one.out.a, three.out.a, all) && !memcmp(one.out.u, three.out.u, all));
  CHECK(!memcmp(one.out.u + 3 * n, last.out.u, 2 * (size_t)n * sizeof(fc_real)));
  CHECK(distance(one.out.u, one.out.u + n, n) > 0.02);
  drop(one), drop(three), drop(last);
}

static void every_stride_th_value_is_kept(void) {
  trial whole = ran("fno-darcy-421", WITH("n=41", "n_traj=1")),
        part  = ran("fno-darcy-421", WITH("n=41", "n_traj=1", "stride=5"));

  CHECK(part.spec.dim[0] == 9);
  CHECK_NEAR(part.spec.origin[0], 0.5 / 41, 1e-15);
  CHECK_NEAR(part.spec.spacing[1], 5.0 / 41, 1e-15);
  for (int i = 0; i < 9; i++)
    for (int j = 0; j < 9; j++) {
      CHECK(part.out.u[i * 9 + j] == whole.out.u[i * 5 * 41 + j * 5]);
      CHECK(part.out.a[i * 9 + j] == whole.out.a[i * 5 * 41 + j * 5]);
    }
  drop(whole), drop(part);
}

static double solved_again(const trial *t, int64_t cells) {
  const int64_t *dim = t->spec.dim;
  double         lo[2], hi[2];
  fc_real       *y = calloc((size_t)t->out.size, sizeof *y);

  for (int a = 0; a < 2; a++) {
    lo[a] = t->spec.origin[a];
    hi[a] = lo[a] + (double)(dim[a] - 1) * t->spec.spacing[a];
  }
  CHECK_OK(t->def->steady(t->config, dim, lo, hi, (int64_t[]){cells, cells}, t->out.a, y));
  const double off = distance(y, t->out.u, t->out.size);
  free(y);
  return off;
}

/* the same grid: the same solution; coarser ones: worse by degrees, yet solutions */
static void given_coefficients_on_other_grids(void) {
  trial  own = ran("darcy", WITH("n=64", "seed=2")), kept = ran("darcy", WITH("n=255", "stride=5", "seed=2"));
  double last = 0;

  CHECK_NEAR(solved_again(&own, 64), 0, 1e-6); /* float rounding of a */
  for (int64_t cells = 48; cells >= 8; cells /= 2) {
    const double off = solved_again(&own, cells);
    char         name[32];
    snprintf(name, sizeof name, "%lld^2", (long long)cells);
    show("64^2 coefficients on a coarser grid, relative L2", name, off);
    CHECK(off > 0.3 * last && off < 0.25);
    last = off;
  }
  show("every fifth value of 255^2 as the coefficient", "51^2", solved_again(&kept, 51));
  CHECK(solved_again(&kept, 51) < 0.05);
  drop(own), drop(kept);
}

static fc_status quit(void *user, double fraction, const char *note) {
  *(double *)user = fraction;
  return strstr(note, "iterations") && fraction < 0.6 ? FC_OK : fc_fail(FC_STOPPED, "enough");
}

static void failures(void) {
  static const struct {
    const char *set, *message;
  } bad[] = {{"n=3", "n"},
             {"stride=421", "leaves one value"},
             {"low=13", "larger than high"},
             {"scheme=cells", "volumes"}};
  const fc_solver_def *def;
  void                *config;
  double               fraction = 0;

  for (int i = 0; i < FC_COUNT(bad); i++)
    CHECK_FAILS(fc_solver_configure("darcy", 1, &bad[i].set, &def, &config), FC_E_USAGE, bad[i].message);
  CHECK_FAILS(fc_solver_configure("fno-darcy-421", WITH("sides=strip"), &def, &config), FC_E_USAGE,
              "scheme=volumes");
  trial t     = ran("darcy", WITH("n=16", "n_traj=4"));
  t.out.calls = 0, t.out.fail_at = 4;
  CHECK_FAILS(t.def->run(t.config, &(fc_audience){.sink = collect, .user = &t.out}), FC_E_SYSTEM,
              "the disk is full");
  t.out.fail_at = 0;
  CHECK_FAILS(
      t.def->run(t.config,
                 &(fc_audience){.sink = collect, .user = &t.out, .done = quit, .done_user = &fraction}),
      FC_STOPPED, "enough");
  CHECK(fraction == 0.75);
  const int64_t dim[2] = {16, 16}, cells[2] = {8, 8};
  CHECK_FAILS(t.def->steady(t.config, dim, (double[]){0, 0}, (double[]){2, 1}, cells, t.out.a, t.out.u),
              FC_E_INPUT, "unit square");
  t.out.a[17] = 0;
  CHECK_FAILS(t.def->steady(t.config, dim, (double[]){0, 0}, (double[]){1, 1}, dim, t.out.a, t.out.u),
              FC_E_NUMERIC, "positive numbers");
  drop(t);
  fc_darcy_config c = base(16, FC_DARCY_NODES); /* splines through jumps of 1e4 */
  c.low             = 1e-3;
  fc_darcy *d       = begin(c);
  fc_darcy_coefficient(d, 1);
  CHECK_FAILS(fc_darcy_solve(d), FC_E_NUMERIC, "accurate=true");
  fc_darcy_destroy(d);
}

CHECK_SUITE(darcy, uniform_coefficient, manufactured_solution, a_jump_between_cells,
            random_solutions_obey_the_laws, symmetries, fno_data_are_made_as_published,
            published_numerics_against_ours, random_field_has_its_variance,
            coefficients_are_the_same_on_every_grid, samples_do_not_depend_on_threads_or_numbering,
            every_stride_th_value_is_kept, given_coefficients_on_other_grids, failures)
