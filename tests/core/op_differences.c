/* tests/core/op_differences.c */
#include "tests/check.h"

static fc_tensor *steps(fc_ctx *c, fc_tensor **in) { return fc_differences(c, in[0], in[1]); }

static void gradient(void) {
  check_op("differences", steps, CHECK_INS({3, {2, 7, 3}}, {1, {3}}), 0, 0);
  check_op("differences_one", steps, CHECK_INS({3, {3, 1, 4}}, {2, {2, 2}}), 0, 0);
  check_op("differences_large", steps, CHECK_INS({3, {5, 96, 130}}, {1, {130}}), 0, 0);
}

/* a straight line has equal steps */
static void line(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = fc_tensor_new(c->arena, FC_DIMS(1, 6, 1)), *first = fc_tensor_new(c->arena, FC_DIMS(1));

  for (int t = 0; t < 6; t++) x->x[t] = (fc_real)(3 * t);
  first->x[0]        = 5;
  const fc_tensor *y = fc_differences(c, x, first);
  CHECK_NEAR(y->x[0], -5, 0);
  for (int t = 1; t < 6; t++) CHECK_NEAR(y->x[t], 3, 0);
}

CHECK_SUITE(differences, gradient, line)
