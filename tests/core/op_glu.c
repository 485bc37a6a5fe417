/* tests/core/op_glu.c */
#include "tests/check.h"

static fc_tensor *plain(fc_ctx *c, fc_tensor **in) { return fc_glu(c, in[0], NULL); }
static fc_tensor *onto(fc_ctx *c, fc_tensor **in) { return fc_glu(c, in[0], in[1]); }

static void gradient(void) {
  check_op("glu", plain, CHECK_INS({3, {2, 3, 10}}), 0, 0);
  check_op("glu_onto", onto, CHECK_INS({3, {2, 3, 10}}, {3, {2, 3, 5}}), 0, 0);
  check_op("glu_large", onto, CHECK_INS({2, {900, 66}}, {2, {900, 33}}), 0, 0);
}

static void definition(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *z = check_random(c, FC_DIMS(4, 6)), *r = check_random(c, FC_DIMS(4, 3)), *y = fc_glu(c, z, r);

  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 3; j++)
      CHECK_NEAR(y->x[3 * i + j],
                 (double)r->x[3 * i + j] + (double)z->x[6 * i + j] / (1 + exp(-(double)z->x[6 * i + 3 + j])),
                 1e-6);
}

CHECK_SUITE(glu, gradient, definition)
