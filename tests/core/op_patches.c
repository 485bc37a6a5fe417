/* tests/core/op_patches.c */
#include "tests/check.h"

static fc_tensor *down(fc_ctx *c, fc_tensor **in) { return fc_patch_down(c, in[0], in[1]); }
/* over the memory of a product's result, as models use it */
static fc_tensor *up(fc_ctx *c, fc_tensor **in) {
  return fc_patch_up_in_place(c, fc_affine(c, in[0], 2, 0), in[1], in[2], 0.5);
}
/* gradients that are not fresh */
static fc_tensor *down_and_up(fc_ctx *c, fc_tensor **in) {
  fc_tensor *y = down(c, in), *u = fc_patch_up_in_place(c, fc_affine(c, in[0], 1, 0), y, in[1], 1);
  return fc_mul(c, u, in[0]);
}

static void gradient(void) {
  check_op("patch_down", down, CHECK_INS({4, {2, 4, 6, 3}}, {4, {5, 2, 2, 3}}), 0, 0);
  check_op("patch_down_thirds", down, CHECK_INS({4, {1, 9, 3, 2}}, {4, {1, 3, 3, 2}}), 0, 0);
  check_op("patch_down_large", down, CHECK_INS({4, {1, 64, 60, 16}}, {4, {20, 4, 4, 16}}), 0, 1e-4);
  check_op("patch_up", up, CHECK_INS({4, {2, 4, 6, 3}}, {4, {2, 2, 3, 5}}, {4, {5, 2, 2, 3}}), 0, 0);
  check_op("patch_up_large", up, CHECK_INS({4, {1, 64, 60, 16}}, {4, {1, 16, 15, 20}}, {4, {20, 4, 4, 16}}),
           0, 1e-4);
  check_op("patch_down_and_up", down_and_up, CHECK_INS({4, {1, 6, 8, 3}}, {4, {3, 2, 2, 3}}), 0, 5e-5);
}

/* the general convolution with the same kernel */
static void down_is_a_convolution(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(2, 6, 9, 4)), *W = check_random(c, FC_DIMS(5, 4, 3, 3));

  CHECK(check_distance(fc_patch_down(c, x, fc_permute(c, W, (int[]){0, 2, 3, 1})),
                       fc_conv(c, x, W, NULL, (fc_conv_spec){3, 0, 1, false})) <
        (sizeof(fc_real) == 8 ? 1e-14 : 2e-6));
}

/* <up(x), y> = <x, down(y)> with the same weight */
static void up_is_the_adjoint(void) {
  fc_ctx          *c = check_ctx();
  fc_tensor       *y = check_random(c, FC_DIMS(1, 4, 6, 3)), *x = check_random(c, FC_DIMS(1, 2, 3, 5));
  fc_tensor       *W = check_random(c, FC_DIMS(5, 2, 2, 3));
  const fc_tensor *a = fc_patch_up_in_place(c, fc_affine(c, y, 0, 0), x, W, 1), *b = fc_patch_down(c, y, W);
  double           left = 0, right = 0;

  for (int64_t i = 0; i < fc_len(y); i++) left += (double)a->x[i] * (double)y->x[i];
  for (int64_t i = 0; i < fc_len(x); i++) right += (double)b->x[i] * (double)x->x[i];
  CHECK_NEAR(left, right, sizeof(fc_real) == 8 ? 1e-12 : 1e-4);
}

CHECK_SUITE(patches, gradient, down_is_a_convolution, up_is_the_adjoint)
