/* tests/core/op_weighted_sum.c */
#include "tests/check.h"

static fc_tensor *three(fc_ctx *c, fc_tensor **in) { return fc_weighted_sum(c, in[0], 3, in + 1); }
static fc_tensor *one(fc_ctx *c, fc_tensor **in) { return fc_weighted_sum(c, in[0], 1, in + 1); }
/* the same values twice */
static fc_tensor *twice(fc_ctx *c, fc_tensor **in) {
  return fc_weighted_sum(c, in[0], 2, (fc_tensor *[]){in[1], in[1]});
}

static void gradient(void) {
  check_op("weighted_sum", three, CHECK_INS({3, {2, 5, 3}}, {3, {2, 5, 4}}, {3, {2, 5, 4}}, {3, {2, 5, 4}}),
           0, 0);
  check_op("weighted_sum_large", three,
           CHECK_INS({2, {700, 3}}, {2, {700, 33}}, {2, {700, 33}}, {2, {700, 33}}), 0, 0);
  check_op("weighted_sum_one", one, CHECK_INS({2, {4, 1}}, {2, {4, 6}}), 0, 0);
  check_op("weighted_sum_twice", twice, CHECK_INS({2, {4, 2}}, {2, {4, 6}}), 0, 0);
}

static void definition(void) {
  fc_ctx    *c     = check_ctx();
  fc_tensor *in[4] = {check_random(c, FC_DIMS(5, 3))}, *y;

  for (int i = 1; i < 4; i++) in[i] = check_random(c, FC_DIMS(5, 2));
  y = three(c, in);
  for (int r = 0; r < 5; r++)
    for (int j = 0; j < 2; j++) {
      double want = 0;
      for (int i = 0; i < 3; i++) want += (double)in[0]->x[3 * r + i] * (double)in[1 + i]->x[2 * r + j];
      CHECK_NEAR(y->x[2 * r + j], want, 1e-6);
    }
}

CHECK_SUITE(weighted_sum, gradient, definition)
