/* tests/core/op_patches_1d.c */
#include "tests/check.h"

static fc_tensor *overlapping(fc_ctx *c, fc_tensor **in) { return fc_patches_1d(c, in[0], 4, 2, 4); }
static fc_tensor *apart(fc_ctx *c, fc_tensor **in) { return fc_patches_1d(c, in[0], 2, 3, 3); }
static fc_tensor *longer(fc_ctx *c, fc_tensor **in) { return fc_patches_1d(c, in[0], 9, 4, 1); }
static fc_tensor *published(fc_ctx *c, fc_tensor **in) { return fc_patches_1d(c, in[0], 16, 8, 42); }

static void gradient(void) {
  check_op("patches_1d", overlapping, CHECK_INS({3, {2, 8, 3}}), 0, 0); /* the last one ends at step 10 */
  check_op("patches_1d_apart", apart, CHECK_INS({3, {2, 8, 3}}), 0, 0);
  check_op("patches_1d_longer", longer, CHECK_INS({3, {3, 5, 1}}), 0, 0); /* than the series */
  check_op("patches_1d_published", published, CHECK_INS({3, {16, 336, 7}}), 0, 0);
}

/* of variate 1 of sample 1, by hand */
static void by_hand(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = fc_tensor_new(c->arena, FC_DIMS(2, 5, 2));

  for (int i = 0; i < 20; i++) x->x[i] = (fc_real)i;
  const fc_tensor    *y      = fc_patches_1d(c, x, 3, 2, 3);
  static const double want[] = {11, 13, 15, 15, 17, 19, 19, 19, 19};
  CHECK(y->ndim == 3 && y->dim[0] == 4 && y->dim[1] == 3 && y->dim[2] == 3);
  for (int i = 0; i < 9; i++) CHECK_NEAR(y->x[27 + i], want[i], 0);
}

CHECK_SUITE(patches_1d, gradient, by_hand)
