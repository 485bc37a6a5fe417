/* tests/solvers/test_multigrid.c - linear systems against dense elimination, symmetry of the cycle,
   iterations; splines against cubics and against their definition. */
#include "solvers/multigrid.h"
#include "solvers/spline.h"
#include "tests/check.h"

enum { MOST = 60 };

static void show(const char *what, int64_t nx, int64_t ny, double value) {
  if (getenv("FC_SHOW")) printf("  %-44s %4lld x %-4lld %.3g\n", what, (long long)nx, (long long)ny, value);
}

static double uniform(uint64_t sample, uint64_t i) {
  const fc_rng r = {11, sample, FC_RNG_TEST};

  return fc_rng_uniform(&r, i);
}

typedef struct {
  int64_t       nx, ny;
  double       *down, *right, *b, *u;
  fc_multigrid *m;
} system_of;

/* links over `decades` orders of magnitude */
static system_of random_system(int64_t nx, int64_t ny, double decades, uint64_t sample) {
  system_of s = {nx, ny};

  s.down  = calloc((size_t)((nx + 1) * ny), sizeof *s.down);
  s.right = calloc((size_t)(nx * (ny + 1)), sizeof *s.right);
  s.b     = calloc((size_t)(nx * ny), sizeof *s.b);
  s.u     = calloc((size_t)(nx * ny), sizeof *s.u);
  for (int64_t i = 0; i < (nx + 1) * ny; i++) s.down[i] = pow(10, decades * uniform(sample, 2 * (uint64_t)i));
  for (int64_t i = 0; i < nx * (ny + 1); i++)
    s.right[i] = pow(10, decades * uniform(sample, 2 * (uint64_t)i + 1));
  for (int64_t i = 0; i < nx * ny; i++) s.b[i] = uniform(sample + 1, (uint64_t)i) - 0.5;
  CHECK_OK(fc_multigrid_create(nx, ny, &s.m));
  fc_multigrid_set(s.m, s.down, s.right);
  return s;
}

static void drop(system_of s) {
  fc_multigrid_destroy(s.m);
  free(s.down), free(s.right), free(s.b), free(s.u);
}

/* x <- A^-1 x by elimination without pivots (A is positive definite) */
static void eliminate(int64_t n, double *A, double *x) {
  for (int64_t k = 0; k < n; k++)
    for (int64_t i = k + 1; i < n; i++) {
      const double f = A[i * n + k] / A[k * n + k];
      for (int64_t j = k; j < n; j++) A[i * n + j] -= f * A[k * n + j];
      x[i] -= f * x[k];
    }
  for (int64_t k = n - 1; k >= 0; k--) {
    for (int64_t j = k + 1; j < n; j++) x[k] -= A[k * n + j] * x[j];
    x[k] /= A[k * n + k];
  }
}

/* the matrix written out from its definition */
static double *dense(const system_of *s) {
  const int64_t n = s->nx * s->ny;
  double       *A = calloc((size_t)(n * n), sizeof *A);

  for (int64_t i = 0; i < s->nx; i++)
    for (int64_t j = 0; j < s->ny; j++) {
      const int64_t p       = i * s->ny + j;
      const double  link[4] = {s->down[p], s->down[p + s->ny], s->right[p + i], s->right[p + i + 1]};
      const int64_t q[4]    = {i > 0 ? p - s->ny : -1, i + 1 < s->nx ? p + s->ny : -1, j > 0 ? p - 1 : -1,
                            j + 1 < s->ny ? p + 1 : -1};
      for (int a = 0; a < 4; a++) {
        A[p * n + p] += link[a];
        if (q[a] >= 0) A[p * n + q[a]] -= link[a];
      }
    }
  return A;
}

static void solutions_are_those_of_elimination(void) {
  static const int64_t size[][2] = {{1, 1}, {1, 9},   {8, 1},   {2, 2}, {3, 2},
                                    {5, 8}, {16, 16}, {17, 13}, {7, 23}};

  for (int k = 0; k < FC_COUNT(size); k++)
    for (int decades = 0; decades < 5; decades += 2) {
      system_of     s = random_system(size[k][0], size[k][1], decades, (uint64_t)k);
      const int64_t n = s.nx * s.ny;
      double       *A = dense(&s), *x = malloc((size_t)n * sizeof *x), off = 0, top = 0;
      memcpy(x, s.b, (size_t)n * sizeof *x);
      eliminate(n, A, x);
      CHECK(fc_multigrid_solve(s.m, s.b, 1e-13, MOST, s.u) >= 0);
      for (int64_t i = 0; i < n; i++) off = fmax(off, fabs(s.u[i] - x[i])), top = fmax(top, fabs(x[i]));
      CHECK_NEAR(off / top, 0, 1e-9 * pow(10, decades - 4) + 1e-12);
      free(A), free(x);
      drop(s);
    }
}

/* conjugate gradients need (M r, s) = (r, M s) and (r, M r) > 0 */
static void the_cycle_is_symmetric(void) {
  static const int64_t size[][2] = {{9, 9}, {12, 31}, {40, 17}};

  for (int k = 0; k < FC_COUNT(size); k++) {
    system_of          s    = random_system(size[k][0], size[k][1], 3, 5);
    const fc_mg_level *l    = &s.m->level[0];
    double             a[4] = {0}, *keep = calloc((size_t)(s.nx * s.ny), sizeof *keep);
    for (int side = 0; side < 2; side++) {
      for (int64_t i = 0; i < s.nx; i++)
        for (int64_t j = 0; j < s.ny; j++)
          l->b[(i + 1) * l->ld + j + 1] = uniform(7 + (uint64_t)side, (uint64_t)(i * s.ny + j)) - 0.5;
      fc_multigrid_cycle(s.m);
      for (int64_t i = 0; i < s.nx; i++)
        for (int64_t j = 0; j < s.ny; j++) {
          const double u     = l->u[(i + 1) * l->ld + j + 1],
                       other = uniform(8 - (uint64_t)side, (uint64_t)(i * s.ny + j)) - 0.5;
          a[side] += u * other;
          a[2 + side] += u * l->b[(i + 1) * l->ld + j + 1];
        }
    }
    CHECK_NEAR(a[0], a[1], 1e-12 * fmax(fabs(a[2]), fabs(a[3])));
    CHECK(a[2] > 0 && a[3] > 0);
    free(keep);
    drop(s);
  }
}

/* checkerboards, the hardest pattern (all flux must pass the corners), on grids of any size */
static void iterations_do_not_grow(void) {
  static const int64_t size[] = {16, 33, 100, 257};

  for (int jump = 0; jump < 2; jump++)
    for (int k = 0; k < FC_COUNT(size); k++) {
      const int64_t n = size[k];
      system_of     s = random_system(n, n, 0, 3);
      for (int64_t i = 0; i <= n; i++)
        for (int64_t j = 0; j < n; j++)
          s.down[i * n + j] = (i * 7 / n + j * 7 / n) % 2 ? 1 : jump ? 1e-3 : 0.25;
      for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= n; j++)
          s.right[i * (n + 1) + j] = (i * 7 / n + j * 7 / n) % 2 ? 1 : jump ? 1e-3 : 0.25;
      fc_multigrid_set(s.m, s.down, s.right);
      const int it = fc_multigrid_solve(s.m, s.b, 1e-12, MOST, s.u);
      show(jump ? "iterations to 1e-12, jumps of 1000" : "iterations to 1e-12, jumps of 4", n, n, it);
      CHECK(it > 0 && it <= (jump ? 45 : 16));
      drop(s);
    }
}

static void failures_are_told(void) {
  system_of s = random_system(20, 20, 4, 9);

  CHECK(fc_multigrid_solve(s.m, s.b, 1e-12, 2, s.u) == -1);
  for (int64_t i = 0; i < 21 * 20; i++) s.down[i] = -s.down[i]; /* indefinite */
  fc_multigrid_set(s.m, s.down, s.right);
  CHECK(fc_multigrid_solve(s.m, s.b, 1e-12, MOST, s.u) == -1);
  memset(s.b, 0, 400 * sizeof *s.b);
  CHECK(fc_multigrid_solve(s.m, s.b, 1e-12, MOST, s.u) == 0 && s.u[7] == 0);
  drop(s);
}

/* ---- splines ---- */

static double cubic(double x, double y) {
  return (1 - x + 0.3 * x * x - 0.02 * x * x * x) * (2 + 0.5 * y - 0.1 * y * y * y);
}

/* not-a-knot splines reproduce cubics, beyond the ends too */
static void splines_are_exact_for_cubics(void) {
  for (int64_t n = 4; n < 12; n++) {
    double a[144], out[400], work[2000];
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < n; j++) a[i * n + j] = cubic((double)i, (double)j);
    CHECK(fc_spline_work(n, 20) <= 2000);
    fc_spline_2d(n, a, 20, -0.5, ((double)n + 0.2) / 20, out, work);
    for (int64_t i = 0; i < 20; i++)
      for (int64_t j = 0; j < 20; j++) {
        const double h = ((double)n + 0.2) / 20;
        CHECK_NEAR(out[i * 20 + j], cubic(-0.5 + (double)i * h, -0.5 + (double)j * h), 1e-9);
      }
  }
}

/* values, and third derivatives that do not jump at the last knots but one: by differences of a fine sampling
 */
static void splines_have_no_knot_near_the_ends(void) {
  enum { FINE = 8 };
  double a[64], out[3249], work[3700], d[57];

  for (int i = 0; i < 64; i++) a[i] = uniform(3, (uint64_t)i);
  CHECK(fc_spline_work(8, 57) <= 3700);
  fc_spline_2d(8, a, 57, 0, 1.0 / FINE, out, work);
  for (int i = 0; i < 8; i++)
    for (int j = 0; j < 8; j++) CHECK_NEAR(out[i * FINE * 57 + j * FINE], a[i * 8 + j], 1e-13);
  for (int i = 0; i < 54; i++)
    d[i] = out[(i + 3) * 57 + 5] - 3 * out[(i + 2) * 57 + 5] + 3 * out[(i + 1) * 57 + 5] - out[i * 57 + 5];
  for (int i = 1; i < 2 * FINE - 2; i++) CHECK_NEAR(d[i], d[0], 1e-13);
  for (int i = 54 - 2 * FINE + 3; i < 54; i++) CHECK_NEAR(d[i], d[53], 1e-13);
  CHECK(fabs(d[2 * FINE] - d[0]) > 1e-6); /* as they do at the others */
}

CHECK_SUITE(multigrid, solutions_are_those_of_elimination, the_cycle_is_symmetric, iterations_do_not_grow,
            failures_are_told, splines_are_exact_for_cubics, splines_have_no_knot_near_the_ends)
