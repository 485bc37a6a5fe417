/* tests/core/op_max_pool.c */
#include "tests/check.h"

/* neighbours further apart than a probe shakes them, or the largest would change */
static fc_tensor *spread(fc_ctx *c, fc_tensor *x) {
  fc_tensor *far = fc_tensor_new(c->arena, x->ndim, x->dim);

  for (int64_t i = 0; !c->dry && i < fc_len(x); i++)
    far->x[i] = (fc_real)(40 * (i / fc_span(x, 2, x->ndim) * 7 % 5));
  return fc_add(c, x, far);
}

static fc_tensor *halving(fc_ctx *c, fc_tensor **in) { return fc_max_pool(c, spread(c, in[0]), 3, 2, 1); }
static fc_tensor *apart(fc_ctx *c, fc_tensor **in) { return fc_max_pool(c, spread(c, in[0]), 4, 4, 0); }
static fc_tensor *dense(fc_ctx *c, fc_tensor **in) { return fc_max_pool(c, spread(c, in[0]), 5, 1, 2); }
static fc_tensor *sparse(fc_ctx *c, fc_tensor **in) { return fc_max_pool(c, spread(c, in[0]), 2, 3, 1); }

static void gradient(void) {
  check_op("max_pool", halving, CHECK_INS({3, {2, 9, 3}}), 0, 0);
  check_op("max_pool_even", halving, CHECK_INS({3, {1, 8, 5}}), 0, 0);
  check_op("max_pool_one_step", halving, CHECK_INS({3, {3, 1, 4}}), 0, 0);
  check_op("max_pool_apart", apart, CHECK_INS({2, {2, 13}}), 0, 0);
  check_op("max_pool_dense", dense, CHECK_INS({4, {2, 6, 2, 3}}), 0, 0);
  check_op("max_pool_sparse", sparse, CHECK_INS({3, {2, 11, 2}}), 0, 0);
  check_op("max_pool_large", halving, CHECK_INS({3, {8, 98, 70}}), 0, 0);
}

static fc_tensor *row(fc_ctx *c, int64_t n, const double *x) {
  fc_tensor *t = fc_tensor_new(c->arena, FC_DIMS(1, n, 1));

  for (int64_t i = 0; i < n; i++) t->x[i] = (fc_real)x[i];
  return t;
}

static void values(void) {
  static const double x[] = {-5, -7, -1, -2, -8, -6, -9}, y[] = {-5, -1, -2, -6};
  fc_ctx             *c = check_ctx();
  const fc_tensor    *t = fc_max_pool(c, row(c, 7, x), 3, 2, 1);

  CHECK(t->ndim == 3 && t->dim[1] == 4); /* what lies beyond the ends is never the largest */
  for (int i = 0; i < 4; i++) CHECK_NEAR(t->x[i], y[i], 0);
  CHECK(fc_max_pool(c, row(c, 6, x), 3, 2, 1)->dim[1] == 3);
}

/* the first of equal ones takes the whole gradient, and NaN is not lost */
static void ties_and_nan(void) {
  static const double x[] = {2, 2, 2, 1}, nan[] = {1, NAN, 3, 5};
  fc_ctx             *c   = check_ctx();
  fc_tensor          *t   = row(c, 4, x);
  const fc_real       v[] = {1, 10};

  t->needs_grad = c->grad = true;
  fc_backward_from(c, fc_max_pool(c, t, 3, 2, 1), v);
  c->grad = false;
  CHECK_NEAR(t->g[0], 1, 0);
  CHECK_NEAR(t->g[1], 10, 0);
  CHECK_NEAR(t->g[2] + t->g[3], 0, 0);
  const fc_tensor *y = fc_max_pool(c, row(c, 4, nan), 3, 2, 1);
  CHECK(isnan((double)y->x[0]) && isnan((double)y->x[1]));
}

CHECK_SUITE(max_pool, gradient, values, ties_and_nan)
