/* tests/core/op_lattice_distance.c */
#include "tests/check.h"

static const double lo[3] = {-2, -1.5, 0}, hi[3] = {4, 1.5, 1};
static int64_t      ref;

static fc_tensor *distance(fc_ctx *c, fc_tensor **in) { return fc_lattice_distance(c, in[0], ref, lo, hi); }

static void gradient(void) {
  ref = 3;
  check_op("lattice_distance_1d", distance, CHECK_INS({2, {5, 1}}), 1e-6, 0);
  check_op("lattice_distance_2d", distance, CHECK_INS({3, {2, 7, 2}}), 1e-6, 0);
  check_op("lattice_distance_3d", distance, CHECK_INS({2, {3, 3}}), 1e-6, 0);
  ref = 8;
  check_op("lattice_distance_large", distance, CHECK_INS({2, {701, 2}}), 1e-6, 0);
  ref = 1;
  check_op("lattice_distance_one", distance, CHECK_INS({2, {4, 3}}), 1e-6, 0);
}

/* the published lattice of AirfRANS: first axis slowest */
static void definition(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(9, 2));

  const fc_tensor *y = fc_lattice_distance(c, x, 4, lo, hi);
  CHECK(y->ndim == 2 && y->dim[0] == 9 && y->dim[1] == 16);
  for (int64_t n = 0; n < 9; n++)
    for (int64_t j = 0; j < 16; j++) {
      const double a = -2 + 2 * (double)(j / 4), b = -1.5 + (double)(j % 4);
      CHECK_NEAR(y->x[n * 16 + j], hypot((double)x->x[2 * n] - a, (double)x->x[2 * n + 1] - b), 2e-6);
    }
}

/* on a lattice point one distance is 0 and has no slope; the others have theirs */
static void on_the_lattice(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(1, 1)), *v = check_random(c, FC_DIMS(1, 3));

  x->x[0]       = 1; /* lattice -2, 1, 4 */
  x->needs_grad = c->grad = true;
  fc_tensor *y            = fc_lattice_distance(c, x, 3, lo, hi);
  fc_keep(y);
  fc_backward_from(c, y, v->x);
  CHECK_NEAR(y->x[1], 0, 0);
  CHECK_NEAR(x->g[0], (double)v->x[0] - (double)v->x[2], 1e-6);
}

CHECK_SUITE(lattice_distance, gradient, definition, on_the_lattice)
