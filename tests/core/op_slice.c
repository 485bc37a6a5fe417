/* tests/core/op_slice.c */
#include "tests/check.h"

static fc_tensor *first(fc_ctx *c, fc_tensor **in) { return fc_slice(c, in[0], 0, 1, 1); }
static fc_tensor *middle(fc_ctx *c, fc_tensor **in) { return fc_slice(c, in[0], 1, 2, in[0]->dim[1] - 3); }
static fc_tensor *last(fc_ctx *c, fc_tensor **in) { return fc_slice(c, in[0], 2, 0, in[0]->dim[2] - 1); }
static fc_tensor *overlap(fc_ctx *c, fc_tensor **in) { /* two parts of one tensor: copied, then added */
  return fc_mul(c, fc_slice(c, in[0], 1, 0, 3), fc_slice(c, in[0], 1, 1, 3));
}

static void gradient(void) {
  check_op("slice_first", first, CHECK_INS({3, {3, 4, 5}}), 0, 0);
  check_op("slice_middle", middle, CHECK_INS({3, {3, 7, 5}}), 0, 0);
  check_op("slice_last", last, CHECK_INS({3, {3, 4, 5}}), 0, 0);
  check_op("slice_overlap", overlap, CHECK_INS({3, {6, 4, 5}}), 0, 0);
  check_op("slice_large", middle, CHECK_INS({3, {20, 77, 53}}), 0, 0);
  check_op("slice_channels", last, CHECK_INS({3, {3, 9000, 3}}), 0, 0);
  check_op("slice_long", middle, CHECK_INS({3, {2, 5, 20000}}), 0, 0);
}

static void parts_make_the_whole(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(4, 9, 5));

  for (int axis = 0; axis < 3; axis++) {
    const int64_t n      = x->dim[axis];
    fc_tensor    *part[] = {fc_slice(c, x, axis, 0, 1), fc_slice(c, x, axis, 1, n - 2),
                            fc_slice(c, x, axis, n - 1, 1)};
    CHECK(check_distance(fc_concat(c, axis, 3, part), x) == 0);
    CHECK(fc_slice(c, x, axis, 0, n) == x);
  }
  CHECK_NEAR(fc_slice(c, x, 1, 3, 2)->x[0], x->x[3 * 5], 0);
}

CHECK_SUITE(slice, gradient, parts_make_the_whole)
