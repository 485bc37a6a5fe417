/* tests/core/op_add_sample.c */
#include "tests/check.h"

/* over a copy, since the op works in place */
static fc_tensor *add(fc_ctx *c, fc_tensor **in) {
  static int64_t    at[] = {0, 5, 6, 9};
  const fc_segments s    = {3, at};

  return fc_add_sample(c, fc_affine(c, in[0], 1, 0), in[1], &s);
}

static fc_tensor *add_equal(fc_ctx *c, fc_tensor **in) {
  const fc_segments s = fc_segments_equal(c->arena, 2, 700);

  return fc_add_sample(c, fc_affine(c, in[0], 1, 0), in[1], &s);
}

static void gradient(void) {
  check_op("add_sample", add, CHECK_INS({2, {9, 4}}, {2, {3, 4}}), 0, 0);
  check_op("add_sample_equal", add_equal, CHECK_INS({3, {2, 700, 33}}, {2, {2, 33}}), 0, 1e-4);
}

static void definition(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(9, 4)), *e = check_random(c, FC_DIMS(3, 4));
  fc_tensor *y = add(c, (fc_tensor *[]){x, e});

  for (int64_t r = 0; r < 9; r++)
    for (int64_t j = 0; j < 4; j++)
      CHECK_NEAR(y->x[4 * r + j], x->x[4 * r + j] + e->x[4 * (r < 5 ? 0 : r < 6 ? 1 : 2) + j], 0);
}

CHECK_SUITE(add_sample, gradient, definition)
