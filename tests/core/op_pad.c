/* tests/core/op_pad.c */
#include "tests/check.h"

static fc_tensor *both(fc_ctx *c, fc_tensor **in) { return fc_pad(c, in[0], 1, 2, 3); }
static fc_tensor *before(fc_ctx *c, fc_tensor **in) { return fc_pad(c, in[0], 0, 1, 0); }
static fc_tensor *after(fc_ctx *c, fc_tensor **in) { return fc_pad(c, in[0], 2, 0, 4); }

static void gradient(void) {
  check_op("pad_both", both, CHECK_INS({3, {2, 4, 3}}), 0, 0);
  check_op("pad_before", before, CHECK_INS({3, {2, 4, 3}}), 0, 0);
  check_op("pad_after", after, CHECK_INS({3, {2, 4, 1}}), 0, 0);
  check_op("pad_large", both, CHECK_INS({3, {30, 41, 53}}), 0, 0);
  check_op("pad_channels", after, CHECK_INS({3, {2, 9001, 3}}), 0, 0);
}

static void slice_inverts(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(3, 5, 7));

  for (int axis = 0; axis < 3; axis++) {
    fc_tensor *y   = fc_pad(c, x, axis, 2, 1);
    double     sum = 0, want = 0;
    CHECK(check_distance(fc_slice(c, y, axis, 2, x->dim[axis]), x) == 0);
    for (int64_t i = 0; i < fc_len(y); i++) sum += fabs((double)y->x[i]);
    for (int64_t i = 0; i < fc_len(x); i++) want += fabs((double)x->x[i]);
    CHECK_NEAR(sum, want, 1e-12); /* everything else is exactly zero; the order of adding is the same */
  }
  CHECK(fc_pad(c, x, 1, 0, 0) == x);
}

CHECK_SUITE(pad, gradient, slice_inverts)
