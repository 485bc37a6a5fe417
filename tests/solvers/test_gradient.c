/* tests/solvers/test_gradient.c - derivatives, divergence and what is left at walls. */
#include "solvers/gradient.h"
#include "tests/check.h"

enum { NX = 12, NY = 9, NZ = 10 };

static double  x[NX], y[NY], z[NZ];
static double *field(void) { return calloc(NX * NY * NZ, sizeof(double)); }

static fc_gradient *make(void) {
  const fc_grid_axes grid = {{NX, NY, NZ}, {x, y, z}, {true, false, true}};
  fc_gradient       *g;

  for (int i = 0; i < NX; i++) x[i] = 4 * M_PI * i / NX;
  for (int j = 0; j < NY; j++) y[j] = tanh(2.0 * j / (NY - 1) - 1) / tanh(1);
  for (int k = 0; k < NZ; k++) z[k] = 1 + 2 * M_PI * k / NZ;
  CHECK_OK(fc_gradient_create(&grid, &g));
  return g;
}

static void at(int i, double out[3]) { out[0] = x[i / NZ / NY], out[1] = y[i / NZ % NY], out[2] = z[i % NZ]; }

/* waves along periodic axes and parabolas along the other are met exactly */
static void exact(void) {
  fc_gradient *g = make();
  double      *f = field(), *d[3], p[3];

  for (int i = 0; i < NX * NY * NZ; i++) {
    at(i, p);
    f[i] = sin(1.5 * p[0]) * (p[1] * p[1] - 3 * p[1]) * cos(2 * p[2]);
  }
  for (int a = 0; a < 3; a++) fc_gradient_of(g, a, f, d[a] = field());
  for (int i = 0; i < NX * NY * NZ; i++) {
    at(i, p);
    const double q = p[1] * p[1] - 3 * p[1];
    CHECK_NEAR(d[0][i], 1.5 * cos(1.5 * p[0]) * q * cos(2 * p[2]), 1e-13);
    CHECK_NEAR(d[1][i], sin(1.5 * p[0]) * (2 * p[1] - 3) * cos(2 * p[2]), 1e-13);
    CHECK_NEAR(d[2][i], -2 * sin(1.5 * p[0]) * q * sin(2 * p[2]), 1e-13);
  }
  for (int a = 0; a < 3; a++) free(d[a]);
  free(f);
  fc_gradient_destroy(g);
}

/* the highest mode cannot be told from its mirror image: no slope */
static void highest_mode(void) {
  fc_gradient *g = make();
  double      *f = field(), *d = field();

  for (int i = 0; i < NX * NY * NZ; i++) f[i] = i / NZ / NY % 2 ? -1 : 1;
  fc_gradient_of(g, 0, f, d);
  for (int i = 0; i < NX * NY * NZ; i++) CHECK_NEAR(d[i], 0, 1e-13);
  free(f), free(d);
  fc_gradient_destroy(g);
}

/* u = cos(x/2) y, v = sin(x/2) (y^2 - 1) / 4: none; then w = 0.1 sin z adds 0.1 cos z */
static void divergence(void) {
  fc_gradient *g    = make();
  double      *u[3] = {field(), field(), field()}, *div = field(), *work = field(), p[3], largest, square;

  for (int i = 0; i < NX * NY * NZ; i++) {
    at(i, p);
    u[0][i] = cos(0.5 * p[0]) * p[1];
    u[1][i] = 0.25 * sin(0.5 * p[0]) * (p[1] * p[1] - 1);
  }
  fc_divergence(g, (const double *const[3]){u[0], u[1], u[2]}, div, work);
  fc_divergence_size(g, div, &largest, &square);
  CHECK(largest < 1e-13 && square < 1e-26);
  fc_wall_residual(g, 1, (const double *const[3]){u[0], u[1], u[2]}, &largest, &square);
  CHECK_NEAR(largest, 1, 1e-14); /* u slips by cos(x/2) on both ends */
  CHECK_NEAR(square, 0.5, 1e-14);
  for (int i = 0; i < NX * NY * NZ; i++) {
    at(i, p);
    u[2][i] = 0.1 * sin(p[2]);
  }
  fc_divergence(g, (const double *const[3]){u[0], u[1], u[2]}, div, work);
  fc_divergence_size(g, div, &largest, &square);
  CHECK_NEAR(square, 0.005, 1e-14);
  for (int a = 0; a < 3; a++) free(u[a]);
  free(div), free(work);
  fc_gradient_destroy(g);
}

static void too_few(void) {
  const fc_grid_axes grid = {{4, 2, 4}, {x, y, z}, {true, false, true}};
  fc_gradient       *g;

  CHECK_FAILS(fc_gradient_create(&grid, &g), FC_E_USAGE, "axis y has 2 points");
}

CHECK_SUITE(gradient, exact, highest_mode, divergence, too_few)
