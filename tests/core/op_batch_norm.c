/* tests/core/op_batch_norm.c */
#include "tests/check.h"

static fc_tensor *constant(fc_ctx *c, int64_t C, double value) {
  fc_tensor *t = fc_tensor_new(c->arena, FC_DIMS(C));

  for (int64_t j = 0; !c->dry && j < C; j++) t->x[j] = (fc_real)(value + 0.1 * (double)j);
  return t;
}

static fc_tensor *apply(fc_ctx *c, fc_tensor **in, bool training) {
  const int64_t C      = fc_last(in[0]);
  const bool    before = c->training;

  c->training  = training;
  fc_tensor *y = fc_batch_norm(c, in[0], in[1], in[2], constant(c, C, 0.3), constant(c, C, 0.8), 0.1, 1e-5);
  c->training  = before;
  return y;
}
static fc_tensor *of_batch(fc_ctx *c, fc_tensor **in) { return apply(c, in, true); }
static fc_tensor *of_running(fc_ctx *c, fc_tensor **in) { return apply(c, in, false); }

static void gradient(void) {
  check_op("batch_norm", of_batch, CHECK_INS({3, {3, 5, 6}}, {1, {6}}, {1, {6}}), 0, 0);
  check_op("batch_norm_many", of_batch, CHECK_INS({2, {700, 70}}, {1, {70}}, {1, {70}}), 0, 0);
  check_op("batch_norm_fixed_x", of_batch, CHECK_INS({2, {9, 3}, .fixed = true}, {1, {3}}, {1, {3}}), 0, 0);
  check_op("batch_norm_running", of_running, CHECK_INS({3, {3, 5, 6}}, {1, {6}}, {1, {6}}), 0, 0);
}

/* one step: mean 0 and variance 1 out of the batch, running statistics moved by a tenth, variance unbiased */
static void statistics(void) {
  enum { R = 5, C = 2 };
  static const double x[R][C] = {{1, 100}, {2, 104}, {3, 102}, {4, 98}, {5, 96}};
  fc_ctx             *c       = check_ctx();
  fc_tensor *t = fc_tensor_new(c->arena, FC_DIMS(R, C)), *one = constant(c, C, 1), *zero = constant(c, C, 0);
  fc_tensor *mean = constant(c, C, 10), *var = constant(c, C, 20);

  for (int i = 0; i < R * C; i++) t->x[i] = (fc_real)x[i / C][i % C];
  one->x[1] = 1, zero->x[1] = 0;
  c->training        = true;
  const fc_tensor *y = fc_batch_norm(c, t, one, zero, mean, var, 0.1, 0);
  c->training        = false;
  for (int i = 0; i < R; i++) {
    CHECK_NEAR(y->x[i * C], (x[i][0] - 3) / sqrt(2), 1e-6);
    CHECK_NEAR(y->x[i * C + 1], (x[i][1] - 100) / sqrt(8), 1e-6);
  }
  CHECK_NEAR(mean->x[0], 0.9 * 10 + 0.1 * 3, 1e-6);
  CHECK_NEAR(mean->x[1], 0.9 * 10.1 + 0.1 * 100, 1e-5);
  CHECK_NEAR(var->x[0], 0.9 * 20 + 0.1 * 2.5, 1e-5);
  CHECK_NEAR(var->x[1], 0.9 * 20.1 + 0.1 * 10, 1e-5);
  y = fc_batch_norm(c, t, one, zero, mean, var, 0.1, 1e-5); /* not training: nothing moves */
  CHECK_NEAR(mean->x[0], 9.3, 1e-6);
  CHECK_NEAR(y->x[0], (1 - 9.3) / sqrt(18.25 + 1e-5), 1e-6);
}

/* two ranks with the same rows: the sums double, the result is that of one */
static void doubled(double *x, int64_t n) {
  for (int64_t i = 0; i < n; i++) x[i] *= 2;
}

static void over_ranks(void) {
  fc_ctx    *c     = check_ctx();
  fc_tensor *in[]  = {check_random(c, FC_DIMS(4, 3)), constant(c, 3, 1), constant(c, 3, 0)};
  fc_tensor *alone = apply(c, in, true);

  c->batch_sum = doubled;
  CHECK(check_distance(apply(c, in, true), alone) < 1e-6);
  c->batch_sum = NULL;
}

CHECK_SUITE(batch_norm, gradient, statistics, over_ranks)
