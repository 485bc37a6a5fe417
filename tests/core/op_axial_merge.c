/* tests/core/op_axial_merge.c */
#include "tests/check.h"

static const double eps = 1e-5;
static bool         by_index;

static fc_tensor *all_axes(fc_ctx *c, fc_tensor **in) {
  return fc_axial_merge(c, 3, in + 2, (int[]){0, 1, 2}, in[0], in[1], by_index, eps);
}
static fc_tensor *two_axes(fc_ctx *c, fc_tensor **in) {
  return fc_axial_merge(c, 2, in + 2, (int[]){0, 1}, in[0], in[1], by_index, eps);
}
static fc_tensor *last_axis(fc_ctx *c, fc_tensor **in) {
  return fc_axial_merge(c, 1, in + 2, (int[]){2}, in[0], in[1], by_index, eps);
}
/* the values are read elsewhere too, so their gradient is not fresh */
static fc_tensor *twice(fc_ctx *c, fc_tensor **in) {
  fc_tensor *y = two_axes(c, in), *m = fc_mean_axes(c, in[0], (1u << 1) | (1u << 4));
  return fc_add(c, y, fc_reshape(c, m, y->ndim, y->dim));
}

static void gradients(const char *norm) {
  char name[5][64];

  for (int i = 0; i < 5; i++) snprintf(name[i], sizeof name[i], "axial_merge_%s_%d", norm, i);
  check_op(name[0], all_axes,
           CHECK_INS({6, {2, 2, 4, 3, 5, 3}}, {2, {4, 18}}, {4, {2, 2, 4, 4}}, {4, {2, 2, 3, 3}},
                     {4, {2, 2, 5, 5}}),
           0, 5e-5);
  check_op(name[1], two_axes,
           CHECK_INS({5, {2, 1, 4, 7, 2}}, {2, {5, 4}}, {4, {2, 1, 4, 4}}, {4, {2, 1, 7, 7}}), 0, 5e-5);
  check_op(name[2], last_axis, CHECK_INS({6, {1, 3, 3, 2, 6, 4}}, {2, {3, 12}}, {4, {1, 3, 6, 6}}), 0, 5e-5);
  check_op(name[3], twice,
           CHECK_INS({5, {1, 2, 5, 4, 3}}, {2, {1, 12}}, {4, {1, 2, 5, 5}}, {4, {1, 2, 4, 4}}), 0, 5e-5);
  check_op(name[4], two_axes,
           CHECK_INS({5, {1, 2, 40, 33, 24}}, {2, {20, 96}}, {4, {1, 2, 40, 40}}, {4, {1, 2, 33, 33}}), 0,
           1e-4);
}

/* values made of a state, and a part that is made already */
static fc_tensor *of_state(fc_ctx *c, fc_tensor **in) {
  return fc_axial_merge_of(c, 2, in + 3, (int[]){0, 1}, in[0], in[1], 2, in[2], eps);
}
static fc_tensor *state_twice(fc_ctx *c, fc_tensor **in) {
  return fc_add(c, fc_linear_op(c, in[0], in[4], NULL, FC_ACT_NONE),
                fc_axial_merge_of(c, 1, in + 3, (int[]){1}, in[0], in[1], 3, in[2], eps));
}
static fc_tensor *part_made(fc_ctx *c, fc_tensor **in) {
  return fc_axial_merge(c, 3, in + 2, (int[]){FC_AXIAL_MADE, 1, 2}, in[0], in[1], by_index, eps);
}

static void gradient_of_state(void) {
  check_op("axial_merge_of", of_state,
           CHECK_INS({4, {2, 4, 7, 5}}, {2, {6, 5}}, {2, {3, 12}}, {4, {2, 2, 4, 4}}, {4, {2, 2, 7, 7}}), 0,
           5e-5);
  check_op("axial_merge_of_twice", state_twice,
           CHECK_INS({4, {2, 3, 5, 4}}, {2, {6, 4}}, {2, {3, 6}}, {4, {2, 3, 5, 5}}, {2, {3, 4}}), 0, 5e-5);
}

static void gradient_of_made_part(void) {
  for (int i = 0; i < 2; i++) {
    by_index = i;
    check_op(i ? "axial_merge_made_index" : "axial_merge_made", part_made,
             CHECK_INS({6, {2, 2, 4, 3, 5, 3}}, {2, {4, 18}}, {6, {2, 2, 4, 3, 5, 3}}, {4, {2, 2, 3, 3}},
                       {4, {2, 2, 5, 5}}),
             0, 5e-5);
  }
}

/* both equal what fc_axial_merge makes of kernels and values */
static void equal_the_plain_form(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *u = check_random(c, FC_DIMS(2, 9, 8, 6)), *V = check_random(c, FC_DIMS(12, 6)),
            *W       = check_random(c, FC_DIMS(5, 24)),
            *K[2]    = {check_random(c, FC_DIMS(2, 3, 9, 9)), check_random(c, FC_DIMS(2, 3, 8, 8))};
  fc_tensor       *v = fc_linear_split(c, u, V, NULL, 3), *made[2] = {fc_axial_product(c, K[0], v, 0), K[1]};
  const fc_tensor *y   = fc_axial_merge(c, 2, K, (int[]){0, 1}, v, W, false, eps);
  const double     tol = sizeof(fc_real) == 8 ? 1e-13 : 2e-6;

  CHECK(check_distance(fc_axial_merge_of(c, 2, K, (int[]){0, 1}, u, V, 3, W, eps), y) < tol);
  CHECK(check_distance(fc_axial_merge(c, 2, made, (int[]){FC_AXIAL_MADE, 1}, v, W, false, eps), y) < tol);
}

static void gradient(void) {
  by_index = false;
  gradients("channel");
  by_index = true;
  gradients("index");
}

/* the same from the separate operations: products, instance norm, one map */
static fc_tensor *composed(fc_ctx *c, fc_tensor **in) {
  fc_tensor *x[3];

  for (int a = 0; a < 3; a++) x[a] = fc_axial_product(c, in[2 + a], in[0], a);
  fc_tensor *y = fc_permute(c, fc_concat(c, 5, 3, x), (int[]){0, 2, 3, 4, 1, 5});
  y            = fc_reshape(c, y, FC_DIMS(y->dim[0], y->dim[1], y->dim[2], y->dim[3], y->dim[4] * y->dim[5]));
  y            = by_index ? fc_standardize(c, y, y->dim[0] * y->dim[1], 0, eps)
                          : fc_group_norm(c, y, fc_last(y), NULL, NULL, eps);
  return fc_linear_op(c, y, in[1], NULL, FC_ACT_NONE);
}

static void equals_separate_operations(void) {
  for (int i = 0; i < 2; i++) {
    fc_ctx    *c    = check_ctx();
    fc_tensor *in[] = {check_random(c, FC_DIMS(2, 3, 9, 8, 7, 4)), check_random(c, FC_DIMS(6, 36)),
                       check_random(c, FC_DIMS(2, 3, 9, 9)), check_random(c, FC_DIMS(2, 3, 8, 8)),
                       check_random(c, FC_DIMS(2, 3, 7, 7))};
    by_index        = i;
    CHECK(check_distance(all_axes(c, in), composed(c, in)) < (sizeof(fc_real) == 8 ? 1e-13 : 2e-6));
  }
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
  for (int k = 0; k < 2; k++) {
    const fc_tensor *near = fc_axial_merge(c, 1, &K, &axis, v, W, k, 0);
    const fc_tensor *far  = fc_axial_merge(c, 1, &K, &axis, fc_affine(c, v, 1, 1000), W, k, 0);
    CHECK(check_distance(far, near) < 6e-5); /* as far as float numbers near 1000 are apart */
  }
}

CHECK_SUITE(axial_merge, gradient, gradient_of_state, gradient_of_made_part, equal_the_plain_form,
            equals_separate_operations, far_from_zero)
