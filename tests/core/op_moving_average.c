/* tests/core/op_moving_average.c */
#include "tests/check.h"

static fc_tensor *centred(fc_ctx *c, fc_tensor **in) { return fc_moving_average(c, in[0], 5, 2); }
static fc_tensor *late(fc_ctx *c, fc_tensor **in) { return fc_moving_average(c, in[0], 4, 3); }
static fc_tensor *longer(fc_ctx *c, fc_tensor **in) { return fc_moving_average(c, in[0], 25, 12); }

static void gradient(void) {
  check_op("moving_average", centred, CHECK_INS({3, {2, 7, 3}}), 0, 0);
  check_op("moving_average_late", late, CHECK_INS({2, {3, 9}}), 0, 0);
  check_op("moving_average_longer", longer, CHECK_INS({3, {2, 6, 2}}), 0, 0); /* than the series */
  check_op("moving_average_large", longer, CHECK_INS({3, {8, 96, 21}}), 0, 0);
}

/* a straight line keeps its values but at the ends */
static void line(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = fc_tensor_new(c->arena, FC_DIMS(1, 10));

  for (int t = 0; t < 10; t++) x->x[t] = (fc_real)t;
  const fc_tensor *y = fc_moving_average(c, x, 3, 1);
  for (int t = 1; t < 9; t++) CHECK_NEAR(y->x[t], t, 1e-6);
  CHECK_NEAR(y->x[0], 1.0 / 3, 1e-6);
  CHECK_NEAR(y->x[9], 9 - 1.0 / 3, 1e-6);
}

CHECK_SUITE(moving_average, gradient, line)
