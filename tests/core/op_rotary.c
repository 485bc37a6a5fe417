/* tests/core/op_rotary.c */
#include "tests/check.h"

#define EPS (sizeof(fc_real) == 8 ? 2.2e-16 : 1.2e-7)

static fc_tensor *rotary(fc_ctx *c, fc_tensor **in) { return fc_rotary(c, in[0], in[1], in[2], 3.5); }

static void gradient(void) {
  check_op("rotary", rotary, CHECK_INS({4, {2, 3, 5, 6}}, {1, {5}, .fixed = true}, {1, {3}, .fixed = true}),
           0, 0);
  check_op("rotary_odd", rotary, CHECK_INS({2, {7, 10}}, {1, {7}, .fixed = true}, {1, {5}, .fixed = true}), 0,
           0);
  /* large enough for several threads */
  check_op("rotary_wide", rotary,
           CHECK_INS({3, {9, 64, 128}}, {1, {64}, .fixed = true}, {1, {64}, .fixed = true}), 0, 0);
}

static void pairs_turn_by_the_stated_angle(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(3, 4)), *p = check_random(c, FC_DIMS(3)),
            *f       = check_random(c, FC_DIMS(2));
  const fc_tensor *y = fc_rotary(c, x, p, f, 8);

  for (int64_t i = 0; i < 3; i++)
    for (int64_t j = 0; j < 2; j++) {
      const double a = 8 * (double)p->x[i] * (double)f->x[j], t1 = (double)x->x[i * 4 + j],
                   t2 = (double)x->x[i * 4 + j + 2];
      const double tol =
          EPS * (4 + 2 * fabs(a)) * (fabs(t1) + fabs(t2)); /* two roundings of the angle, few of the rest */
      CHECK_NEAR(y->x[i * 4 + j], t1 * cos(a) - t2 * sin(a), tol);
      CHECK_NEAR(y->x[i * 4 + j + 2], t2 * cos(a) + t1 * sin(a), tol);
    }
}

static void norms_are_kept(void) {
  fc_ctx          *c = check_ctx();
  fc_tensor       *x = check_random(c, FC_DIMS(4, 11, 16)), *p = check_random(c, FC_DIMS(11));
  const fc_tensor *y = fc_rotary(c, x, p, check_random(c, FC_DIMS(8)), 64);

  for (int64_t r = 0; r < 44; r++) {
    double before = 0, after = 0;
    for (int64_t j = 0; j < 16; j++) {
      before += (double)x->x[r * 16 + j] * (double)x->x[r * 16 + j];
      after += (double)y->x[r * 16 + j] * (double)y->x[r * 16 + j];
    }
    CHECK_NEAR(after / before, 1, 8 * EPS); /* a few roundings per value */
  }
}

static double product(const fc_tensor *a, const fc_tensor *b, int64_t i, int64_t j) {
  const int64_t n = fc_last(a);
  double        s = 0;

  for (int64_t k = 0; k < n; k++) s += (double)a->x[i * n + k] * (double)b->x[j * n + k];
  return s;
}

/* q_i . k_j after the code depends on position_i - position_j only: shift all positions and nothing changes.
   Positions and frequencies are small dyadic numbers, so every angle is exact and only the turning rounds. */
static void products_depend_on_differences(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *q = check_random(c, FC_DIMS(6, 8)), *k = check_random(c, FC_DIMS(6, 8)),
            *f = check_random(c, FC_DIMS(4));
  fc_tensor *p = check_random(c, FC_DIMS(6)), *shifted = check_random(c, FC_DIMS(6));

  for (int64_t i = 0; i < 4; i++) f->x[i] = (fc_real)(1.0 / (double)(1 << i));
  for (int64_t i = 0; i < 6; i++)
    p->x[i] = (fc_real)(0.25 * (double)(i * i)), shifted->x[i] = p->x[i] + (fc_real)2.5;
  const fc_tensor *q1 = fc_rotary(c, q, p, f, 2), *k1 = fc_rotary(c, k, p, f, 2);
  const fc_tensor *q2 = fc_rotary(c, q, shifted, f, 2), *k2 = fc_rotary(c, k, shifted, f, 2);
  double           moved = 0;
  for (int64_t i = 0; i < 6; i++)
    for (int64_t j = 0; j < 6; j++) {
      CHECK_NEAR(product(q1, k1, i, j), product(q2, k2, i, j), 100 * EPS);
      moved = fmax(moved, fabs(product(q1, k1, i, j) - product(q, k, i, j)));
    }
  CHECK(moved > 0.1); /* and positions do matter */
}

CHECK_SUITE(rotary, gradient, pairs_turn_by_the_stated_angle, norms_are_kept, products_depend_on_differences)
