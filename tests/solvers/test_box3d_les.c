/* tests/solvers/test_box3d_les.c - gradients and stresses of solvers/box3d_les.h. */
#include "solvers/box3d_les.h"
#include "tests/check.h"

enum { N = 24 };

typedef struct {
  fc_box3d      *s;
  fc_box3d_work *k;
  double        *g[9], *v[3], *nu_t;
} flow;

static flow begin(int dealias) {
  const fc_box3d_config c = {.n        = N,
                             .length   = 2 * M_PI,
                             .dealias  = dealias,
                             .scheme   = FC_BOX3D_RK4,
                             .initial  = FC_BOX3D_ISOTROPIC,
                             .spectrum = FC_BOX3D_EXPONENTIAL,
                             .peak     = 3,
                             .energy   = 1,
                             .mean_u   = 0.3,
                             .closure  = true};
  flow                  f = {0};

  if (fc_box3d_create(&c, false, &f.s) != FC_OK || fc_box3d_work_create(f.s, &f.k) != FC_OK) abort();
  const int64_t m = f.s->grid->m;
  for (int a = 0; a < 9; a++) f.g[a] = calloc((size_t)(m * m * m), sizeof(double));
  for (int a = 0; a < 3; a++) f.v[a] = calloc((size_t)(m * m * m), sizeof(double));
  f.nu_t = calloc((size_t)(m * m * m), sizeof(double));
  fc_box3d_start(f.s, f.k, 0);
  return f;
}

static void end(flow f) {
  for (int a = 0; a < 9; a++) free(f.g[a]);
  for (int a = 0; a < 3; a++) free(f.v[a]);
  free(f.nu_t);
  fc_box3d_work_destroy(f.k);
  fc_box3d_destroy(f.s);
}

static void constant(void *self, int64_t n, const double *const *g, double *nu_t) {
  (void)g;
  for (int64_t i = 0; i < n; i++) nu_t[i] = *(double *)self;
}

/* anything that varies: the first two components of the gradient, squared */
static double varied(double a, double b) { return 0.01 + a * a + 0.5 * b * b; }

static void variable(void *self, int64_t n, const double *const *g, double *nu_t) {
  (void)self;
  for (int64_t i = 0; i < n; i++) nu_t[i] = varied(g[0][i], g[1][i]);
}

static double apart(const fc_box3d *s, double *const *a, double *const *b) {
  double off = 0, top = 0;

  for (int c = 0; c < 3; c++)
    for (int64_t i = 0; i < fc_box3d_size(s); i++) {
      off = fmax(off, fabs(a[c][i] - b[c][i]));
      top = fmax(top, fabs(b[c][i]));
    }
  return off / top;
}

/* div(2 nu S) = nu lap u when nu is constant */
static void constant_viscosity(void) {
  for (int d = 0; d < 4; d++) {
    flow            f  = begin(d);
    const fc_box3d *s  = f.s;
    double          nu = 0.07;
    CHECK_OK(fc_box3d_eddies(s, f.k, f.k->u, constant, &nu, f.k->force));
    for (int a = 0; a < 3; a++)
      for (int64_t j = 0; j < s->grid->ny; j++)
        for (int64_t i = 0; i < s->grid->my; i++)
          for (int64_t c = 0; c < 2 * s->grid->mz; c++)
            fc_box3d_row(s, f.k->sum[a], j, i)[c] = -nu *
                                                    (s->k[i] * s->k[i] + s->k[j] * s->k[j] + s->kz2[c / 2]) *
                                                    fc_box3d_row(s, f.k->u[a], j, i)[c];
    CHECK_NEAR(apart(s, f.k->force, f.k->sum), 0, 1e-13);
    end(f);
  }
}

/* velocity, gradients and vorticity of points against sums over the grid; a known mode pointwise */
static void gradients_at_points(void) {
  flow          f      = begin(FC_BOX3D_SQUARE);
  const int64_t n      = N * N * N;
  double        energy = 0, enstrophy = 0, trace = 0;

  CHECK_OK(fc_box3d_points(f.s, f.k, f.k->u, f.v, f.g));
  for (int64_t i = 0; i < n; i++) {
    const double x = f.g[7][i] - f.g[5][i], y = f.g[2][i] - f.g[6][i], z = f.g[3][i] - f.g[1][i];
    enstrophy += (x * x + y * y + z * z) / (2 * (double)n);
    for (int a = 0; a < 3; a++) energy += f.v[a][i] * f.v[a][i] / (2 * (double)n);
    trace = fmax(trace, fabs(f.g[0][i] + f.g[4][i] + f.g[8][i]));
  }
  const fc_box3d_budget b = fc_box3d_measure(f.s, f.k);
  CHECK_NEAR(energy, b.energy + b.mean, 1e-13);
  CHECK_NEAR(enstrophy / b.enstrophy, 1, 1e-13);
  CHECK_NEAR(trace, 0, 1e-12);
  for (int a = 0; a < 3; a++) memset(f.k->u[a], 0, (size_t)fc_box3d_size(f.s) * sizeof(double));
  fc_box3d_row(f.s, f.k->u[1], 3, 2)[2 * 1] = 0.5; /* v = cos(2x + 3y + z) */
  CHECK_OK(fc_box3d_points(f.s, f.k, f.k->u, f.v, f.g));
  for (int64_t i = 0; i < n; i++) {
    const double angle = 2 * M_PI / N * (double)(2 * (i / (N * N)) + 3 * (i / N % N) + i % N);
    CHECK_NEAR(f.v[1][i], cos(angle), 1e-14);
    for (int a = 0; a < 3; a++) CHECK_NEAR(f.g[3 + a][i], -(a == 2 ? 1.0 : 2.0 + a) * sin(angle), 1e-13);
  }
  end(f);
}

/* <u.div(2 nu_t S)> = -<2 nu_t S:S>, exactly, whatever nu_t is; and both ways to the force are one */
static void work_of_the_stress(void) {
  for (int d = 0; d < 4; d++) {
    flow            f = begin(d);
    const fc_box3d *s = f.s;
    const int64_t   m = s->grid->m, n = m * m * m;
    double          work = 0, loss = 0;
    CHECK_OK(fc_box3d_points(s, f.k, f.k->u, NULL, f.g));
    for (int64_t i = 0; i < n; i++) {
      double ss = 0;
      for (int a = 0; a < 9; a++) ss += pow((f.g[a][i] + f.g[a % 3 * 3 + a / 3][i]) / 2, 2);
      f.nu_t[i] = varied(f.g[0][i], f.g[1][i]);
      loss += 2 * f.nu_t[i] * ss / (double)n;
    }
    CHECK_OK(fc_box3d_eddies(s, f.k, f.k->u, variable, NULL, f.k->force));
    CHECK_OK(fc_box3d_stress(s, f.k, f.nu_t, f.g, f.k->sum));
    CHECK_NEAR(apart(s, f.k->sum, f.k->force), 0, 1e-14);
    for (int a = 0; a < 3; a++)
      for (int64_t i = 0; i < fc_box3d_size(s); i++)
        work += (i / 2 % s->grid->mz ? 2 : 1) * f.k->u[a][i] * f.k->force[a][i];
    CHECK_NEAR(work / loss, -1, 1e-13);
    end(f);
  }
}

static fc_status eddies(void *self, const fc_box3d *s, fc_box3d_work *k, double *const *u,
                        double *const *force) {
  return fc_box3d_eddies(s, k, u, constant, self, force);
}

/* a closure of constant viscosity is viscosity: in the rate, and after steps to the order of the scheme */
static void closure_acts_as_viscosity(void) {
  flow   a = begin(FC_BOX3D_SQUARE), b = begin(FC_BOX3D_SQUARE);
  double nu = 0.05;

  a.k->closure      = eddies;
  a.k->closure_self = &nu;
  b.s->c.nu         = nu;
  for (int i = 0; i < 20; i++) {
    fc_box3d_step(a.s, a.k, 0.005);
    fc_box3d_step(b.s, b.k, 0.005);
  }
  CHECK_OK(a.k->status);
  CHECK_NEAR(apart(a.s, a.k->u, b.k->u), 0, 1e-8); /* explicit and exact decay differ by (nu k^2 h)^5/120 */
  CHECK(fc_box3d_measure(a.s, a.k).energy < 0.95);
  end(a), end(b);
}

CHECK_SUITE(box3d_les, constant_viscosity, gradients_at_points, work_of_the_stress, closure_acts_as_viscosity)
