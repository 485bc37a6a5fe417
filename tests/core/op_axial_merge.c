/* tests/core/op_axial_merge.c */
#include "tests/check.h"

static const double eps = 1e-5;

static fc_tensor *all_axes(fc_ctx *c, fc_tensor **in) {
  return fc_axial_merge(c, 3, in + 2, (int[]){0, 1, 2}, in[0], in[1], eps);
}
static fc_tensor *two_axes(fc_ctx *c, fc_tensor **in) {
  return fc_axial_merge(c, 2, in + 2, (int[]){0, 1}, in[0], in[1], eps);
}
static fc_tensor *last_axis(fc_ctx *c, fc_tensor **in) {
  return fc_axial_merge(c, 1, in + 2, (int[]){2}, in[0], in[1], eps);
}
/* the values are read elsewhere too, so their gradient is not fresh */
static fc_tensor *twice(fc_ctx *c, fc_tensor **in) {
  fc_tensor *y = two_axes(c, in), *m = fc_mean_axes(c, in[0], (1u << 1) | (1u << 4));
  return fc_add(c, y, fc_reshape(c, m, y->ndim, y->dim));
}

static void gradient(void) {
  check_op("axial_merge", all_axes,
           CHECK_INS({6, {2, 2, 4, 3, 5, 3}}, {2, {4, 18}}, {4, {2, 2, 4, 4}}, {4, {2, 2, 3, 3}},
                     {4, {2, 2, 5, 5}}),
           0, 5e-5);
  check_op("axial_merge_2d", two_axes,
           CHECK_INS({5, {2, 1, 4, 7, 2}}, {2, {5, 4}}, {4, {2, 1, 4, 4}}, {4, {2, 1, 7, 7}}), 0, 5e-5);
  check_op("axial_merge_one", last_axis, CHECK_INS({6, {1, 3, 3, 2, 6, 4}}, {2, {3, 12}}, {4, {1, 3, 6, 6}}),
           0, 5e-5);
  check_op("axial_merge_shared", twice,
           CHECK_INS({5, {1, 2, 5, 4, 3}}, {2, {1, 12}}, {4, {1, 2, 5, 5}}, {4, {1, 2, 4, 4}}), 0, 5e-5);
  check_op("axial_merge_wide", two_axes,
           CHECK_INS({5, {1, 2, 40, 33, 24}}, {2, {20, 96}}, {4, {1, 2, 40, 40}}, {4, {1, 2, 33, 33}}), 0,
           1e-4);
}

/* the same from the separate operations: products, instance norm, one map */
static fc_tensor *composed(fc_ctx *c, fc_tensor **in) {
  fc_tensor *x[3];

  for (int a = 0; a < 3; a++) x[a] = fc_axial_product(c, in[2 + a], in[0], a);
  fc_tensor *y = fc_permute(c, fc_concat(c, 5, 3, x), (int[]){0, 2, 3, 4, 1, 5});
  y            = fc_reshape(c, y, FC_DIMS(y->dim[0], y->dim[1], y->dim[2], y->dim[3], y->dim[4] * y->dim[5]));
  return fc_linear_op(c, fc_group_norm(c, y, fc_last(y), NULL, NULL, eps), in[1], NULL, FC_ACT_NONE);
}

static void equals_separate_operations(void) {
  fc_ctx    *c    = check_ctx();
  fc_tensor *in[] = {check_random(c, FC_DIMS(2, 3, 9, 8, 7, 4)), check_random(c, FC_DIMS(6, 36)),
                     check_random(c, FC_DIMS(2, 3, 9, 9)), check_random(c, FC_DIMS(2, 3, 8, 8)),
                     check_random(c, FC_DIMS(2, 3, 7, 7))};

  CHECK(check_distance(all_axes(c, in), composed(c, in)) < (sizeof(fc_real) == 8 ? 1e-13 : 2e-6));
}

/* values far from zero lose no more than their own rounding */
static void far_from_zero(void) {
  fc_ctx    *c    = check_ctx();
  fc_tensor *v    = check_random(c, FC_DIMS(1, 1, 30, 40, 2)),
            *K    = fc_tensor_new(c->arena, FC_DIMS(1, 1, 40, 40));
  fc_tensor *W    = fc_tensor_new(c->arena, FC_DIMS(2, 2));
  const int  axis = 1;

  for (int i = 0; i < 1600; i++) K->x[i] = i % 41 == 0;
  for (int i = 0; i < 4; i++) W->x[i] = i % 3 == 0;
  const fc_tensor *near = fc_axial_merge(c, 1, &K, &axis, v, W, 0);
  const fc_tensor *far  = fc_axial_merge(c, 1, &K, &axis, fc_affine(c, v, 1, 1000), W, 0);
  CHECK(check_distance(far, near) < 3e-5); /* float numbers near 1000 are 6e-5 apart */
}

CHECK_SUITE(axial_merge, gradient, equals_separate_operations, far_from_zero)
