/* tests/core/test_ridge.c - linear regression: recovers a map it can represent, both forms agree. */
#include "core/ridge.h"
#include "tests/check.h"

enum { N = 600, IN = 7, OUT = 3 };

static void draw(int n, fc_real *x, fc_real *y, double noise) {
  const fc_rng r = {11, 0, FC_RNG_TEST};

  fc_rng_normals(&r, 0, n * IN, x);
  for (int i = 0; i < n; i++)
    for (int k = 0; k < OUT; k++) {
      double sum = 2.0 * k - 1 + noise * fc_rng_normal(&r, (uint64_t)(100000 + i * OUT + k));
      for (int j = 0; j < IN; j++) sum += (0.3 * j - 0.5 * k) * (double)x[i * IN + j];
      y[i * OUT + k] = (fc_real)sum;
    }
}

static void finds_the_map(void) {
  static fc_real x[N * IN], y[N * OUT];
  double         W[IN * OUT], b[OUT];
  fc_ridge      *r;

  draw(N, x, y, 0);
  CHECK_OK(fc_ridge_create(IN, OUT, &r));
  fc_ridge_add(r, 100, x, y);
  fc_ridge_add(r, N - 100, x + 100 * IN, y + 100 * OUT);
  CHECK_OK(fc_ridge_solve(r, 0, W, b));
  for (int k = 0; k < OUT; k++) {
    CHECK_NEAR(b[k], 2.0 * k - 1, 1e-6); /* float data */
    for (int j = 0; j < IN; j++) CHECK_NEAR(W[j * OUT + k], 0.3 * j - 0.5 * k, 1e-6);
  }
  fc_ridge_destroy(r);
}

/* fewer samples than numbers: only the penalty makes the map unique */
static void dual_is_primal(void) {
  enum { FEW = 5 };
  fc_real   x[FEW * IN], y[FEW * OUT], at[IN];
  double    W[IN * OUT], b[OUT], mean_x[IN], mean_y[OUT];
  fc_ridge *r;

  draw(FEW, x, y, 0.1);
  fc_rng_normals(&(fc_rng){12, 0, FC_RNG_TEST}, 0, IN, at);
  CHECK_OK(fc_ridge_create(IN, OUT, &r));
  fc_ridge_add(r, FEW, x, y);
  CHECK_OK(fc_ridge_solve(r, 1e-2, W, b));
  CHECK_OK(fc_ridge_dual(FEW, IN, OUT, 1e-2, x, y, mean_x, mean_y));
  for (int k = 0; k < OUT; k++) {
    double primal = b[k], dual = mean_y[k];
    for (int j = 0; j < IN; j++) primal += W[j * OUT + k] * (double)at[j];
    for (int i = 0; i < FEW; i++) {
      double product = 0;
      for (int j = 0; j < IN; j++) product += (double)x[i * IN + j] * ((double)at[j] - mean_x[j]);
      dual += product * (double)y[i * OUT + k];
    }
    CHECK_NEAR(primal, dual, 1e-4); /* float sums, divided by 1e-2 */
  }
  fc_ridge_destroy(r);
}

/* any map is judged as if its residuals were formed one by one */
static void error_from_sums(void) {
  static fc_real x[N * IN], y[N * OUT];
  double         W[IN * OUT], b[OUT], sum = 0, got;
  fc_ridge      *r;

  draw(N, x, y, 0.5);
  for (int i = 0; i < IN * OUT; i++) W[i] = 0.1 * i - 0.7;
  for (int k = 0; k < OUT; k++) b[k] = 1 - k;
  for (int i = 0; i < N; i++)
    for (int k = 0; k < OUT; k++) {
      double e = b[k] - (double)y[i * OUT + k];
      for (int j = 0; j < IN; j++) e += W[j * OUT + k] * (double)x[i * IN + j];
      sum += e * e;
    }
  CHECK_OK(fc_ridge_create(IN, OUT, &r));
  fc_ridge_add(r, N, x, y);
  CHECK_OK(fc_ridge_error(r, W, b, &got));
  CHECK_NEAR(got / sum, 1, 1e-12);
  fc_ridge_destroy(r);
}

static void singular_is_said(void) {
  fc_real   x[4] = {1, 1, 2, 2}, y[2] = {1, 2};
  double    W[2], b[1];
  fc_ridge *r;

  CHECK_OK(fc_ridge_create(2, 1, &r));
  fc_ridge_add(r, 2, x, y);
  CHECK_FAILS(fc_ridge_solve(r, 0, W, b), FC_E_NUMERIC, "singular");
  CHECK_OK(fc_ridge_solve(r, 1e-6, W, b));
  CHECK_NEAR(W[0], 0.5, 1e-5);
  fc_ridge_destroy(r);
}

CHECK_SUITE(ridge, finds_the_map, dual_is_primal, error_from_sums, singular_is_said)
