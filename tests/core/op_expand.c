/* tests/core/op_expand.c */
#include "tests/check.h"

static fc_tensor *front(fc_ctx *c, fc_tensor **in) { return fc_expand(c, in[0], 0, 3); }
static fc_tensor *inside(fc_ctx *c, fc_tensor **in) { return fc_expand(c, in[0], 1, 70); }
static fc_tensor *back(fc_ctx *c, fc_tensor **in) { return fc_expand(c, in[0], 2, 5); }

static void gradient(void) {
  check_op("expand_front", front, CHECK_INS({2, {1, 5}}), 0, 0);
  check_op("expand_inside", inside, CHECK_INS({3, {2, 1, 3}}), 0, 0);
  check_op("expand_back", back, CHECK_INS({3, {2, 3, 1}}), 0, 0);
  check_op("expand_front_large", front, CHECK_INS({3, {1, 130, 131}}), 0, 0);
  check_op("expand_inside_large", inside, CHECK_INS({3, {9, 1, 129}}), 0, 0);
  check_op("expand_back_large", back, CHECK_INS({3, {101, 97, 1}}), 0, 0);
}

static void like_a_stack(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(4, 1, 6)), *flat = fc_reshape(c, x, FC_DIMS(4, 6));

  CHECK(check_distance(fc_expand(c, x, 1, 3), fc_stack(c, 1, 3, (fc_tensor *[]){flat, flat, flat})) == 0);
  CHECK(fc_expand(c, x, 1, 1) == x);
}

CHECK_SUITE(expand, gradient, like_a_stack)
