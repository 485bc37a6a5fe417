/* tests/core/op_dense.c - linear, grouped, split, merge, matmul, axial product. */
#include "tests/check.h"

static fc_act act;

static fc_tensor *linear(fc_ctx *c, fc_tensor **in) { return fc_linear_op(c, in[0], in[1], in[2], act); }
static fc_tensor *linear_plain(fc_ctx *c, fc_tensor **in) { return fc_linear_op(c, in[0], in[1], NULL, act); }
static fc_tensor *grouped(fc_ctx *c, fc_tensor **in) { return fc_linear_grouped(c, in[0], in[1], in[2], 3); }
static fc_tensor *split(fc_ctx *c, fc_tensor **in) { return fc_linear_split(c, in[0], in[1], in[2], 3); }
static fc_tensor *merge(fc_ctx *c, fc_tensor **in) { return fc_linear_merge(c, in[0], in[1], in[2], act); }
static fc_tensor *axial0(fc_ctx *c, fc_tensor **in) { return fc_axial_product(c, in[0], in[1], 0); }
static fc_tensor *axial1(fc_ctx *c, fc_tensor **in) { return fc_axial_product(c, in[0], in[1], 1); }
static fc_tensor *axial2(fc_ctx *c, fc_tensor **in) { return fc_axial_product(c, in[0], in[1], 2); }

static void linear_gradients(void) {
  for (act = FC_ACT_NONE; act <= FC_ACT_ELU; act++) {
    char name[32];
    if (act == FC_ACT_RELU || act == FC_ACT_ELU) continue; /* kinks have no difference quotient */
    snprintf(name, sizeof name, "linear_%d", (int)act);
    check_op(name, linear, CHECK_INS({3, {2, 3, 5}}, {2, {7, 5}}, {1, {7}}), 0, 0);
  }
  act = FC_ACT_GELU;
  check_op("linear_rows", linear, CHECK_INS({2, {2600, 33}}, {2, {40, 33}}, {1, {40}}), 0, 5e-5);
  check_op("linear_plain", linear_plain, CHECK_INS({2, {1, 1}}, {2, {1, 1}}), 0, 0);
}

static fc_tensor *linear_of(fc_ctx *c, fc_tensor **in) {
  return fc_linear_of(c, act, in[0], in[1], in[2], in[3]);
}
/* x also serves as the residual, so its gradient is not fresh */
static fc_tensor *linear_of_twice(fc_ctx *c, fc_tensor **in) {
  return fc_linear_of(c, act, in[0], in[1], NULL, in[0]);
}
static fc_tensor *linear_of_plain(fc_ctx *c, fc_tensor **in) {
  return fc_add(c, fc_linear_of(c, act, in[0], in[1], NULL, NULL), in[0]);
}

static void linear_of_gradients(void) {
  for (act = FC_ACT_NONE; act <= FC_ACT_ELU; act++) {
    char name[32];
    if (act == FC_ACT_RELU || act == FC_ACT_ELU) continue;
    snprintf(name, sizeof name, "linear_of_%d", (int)act);
    check_op(name, linear_of, CHECK_INS({3, {2, 3, 5}}, {2, {7, 5}}, {1, {7}}, {3, {2, 3, 7}}), 0, 0);
    snprintf(name, sizeof name, "linear_of_twice_%d", (int)act);
    check_op(name, linear_of_twice, CHECK_INS({2, {4, 5}}, {2, {5, 5}}), 0, 0);
  }
  act = FC_ACT_GELU;
  check_op("linear_of_rows", linear_of, CHECK_INS({2, {2600, 33}}, {2, {40, 33}}, {1, {40}}, {2, {2600, 40}}),
           0, 5e-5);
  check_op("linear_of_sum", linear_of_plain, CHECK_INS({2, {2600, 33}}, {2, {33, 33}}), 0, 5e-5);
}

static void relu_values(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(1, 2)), *W = check_random(c, FC_DIMS(2, 2));

  x->x[0] = 3, x->x[1] = -2;
  W->x[0] = 1, W->x[1] = 0, W->x[2] = 0, W->x[3] = 1;
  const fc_tensor *y = fc_linear_op(c, x, W, NULL, FC_ACT_RELU);
  CHECK_NEAR(y->x[0], 3, 0);
  CHECK_NEAR(y->x[1], 0, 0);
}

/* f(x) = y and its gradient with respect to x for dy = v: what fuses an activation against the plain one */
static fc_tensor *value_and_slope(fc_ctx *c, fc_tensor *x, fc_tensor *W, bool fused, const fc_tensor *v,
                                  fc_tensor **dx) {
  x->g          = NULL;
  x->needs_grad = c->grad = true;
  fc_tensor *y            = fused ? fc_linear_op(c, x, W, NULL, act)
                                  : fc_activate(c, fc_linear_op(c, x, W, NULL, FC_ACT_NONE), act);
  fc_keep(y);
  fc_backward_from(c, y, v->x);
  *dx = fc_tensor_borrow(c->arena, x->g, x->ndim, x->dim);
  return y;
}

static void fused_as_alone(void) {
  for (act = FC_ACT_GELU; act <= FC_ACT_ELU; act++) {
    fc_ctx    *c = check_ctx();
    fc_tensor *x = check_random(c, FC_DIMS(40, 7)), *W = check_random(c, FC_DIMS(9, 7)), *da, *db;
    fc_tensor *v = check_random(c, FC_DIMS(40, 9));
    fc_tensor *a = value_and_slope(c, x, W, true, v, &da), *b = value_and_slope(c, x, W, false, v, &db);
    CHECK(check_distance(a, b) < (sizeof(fc_real) == 8 ? 1e-14 : 1e-6));
    CHECK(check_distance(da, db) < (sizeof(fc_real) == 8 ? 1e-14 : 1e-6));
  }
}

static void grouped_gradients(void) {
  check_op("grouped", grouped, CHECK_INS({3, {2, 3, 12}}, {2, {6, 4}}, {1, {6}}), 0, 0);
  check_op("grouped_single", grouped, CHECK_INS({2, {1200, 3}}, {4, {9, 1, 1, 1}}, {1, {9}}), 0, 5e-5);
}

static void head_gradients(void) {
  act = FC_ACT_NONE;
  check_op("split", split, CHECK_INS({3, {2, 7, 5}}, {2, {12, 5}}, {1, {12}}), 0, 0);
  check_op("split_grid", split, CHECK_INS({4, {2, 48, 47, 5}}, {2, {6, 5}}, {1, {6}}), 0, 1e-4);
  check_op("merge", merge, CHECK_INS({4, {2, 3, 7, 4}}, {2, {5, 12}}, {1, {5}}), 0, 0);
  act = FC_ACT_GELU;
  check_op("merge_grid", merge, CHECK_INS({5, {2, 3, 46, 47, 2}}, {2, {5, 6}}, {1, {5}}), 0, 1e-4);
}

static void matmul_gradients(void);

/* split then merge with the same matrix, transposed, equals two plain linear maps */
static void heads_equal_linear(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(2, 9, 5)), *W = check_random(c, FC_DIMS(12, 5)),
            *M = check_random(c, FC_DIMS(4, 12));
  fc_tensor *a = fc_linear_merge(c, fc_linear_split(c, x, W, NULL, 3), M, NULL, FC_ACT_GELU);
  fc_tensor *b = fc_linear_op(c, fc_linear_op(c, x, W, NULL, FC_ACT_NONE), M, NULL, FC_ACT_GELU);

  CHECK(check_distance(a, b) < (sizeof(fc_real) == 8 ? 1e-14 : 1e-5)); /* another order of summation */
}

static void axial_gradients(void) {
  check_op("axial0", axial0, CHECK_INS({4, {2, 2, 5, 5}}, {5, {2, 2, 5, 3, 2}}), 0, 0);
  check_op("axial1", axial1, CHECK_INS({4, {2, 2, 3, 3}}, {5, {2, 2, 5, 3, 2}}), 0, 0);
  check_op("axial2", axial2, CHECK_INS({4, {1, 3, 4, 4}}, {6, {1, 3, 2, 3, 4, 5}}), 0, 0);
  check_op("axial0_wide", axial0, CHECK_INS({4, {1, 2, 9, 9}}, {5, {1, 2, 9, 70, 20}}), 0, 1e-4);
  check_op("axial1_wide", axial1, CHECK_INS({4, {1, 2, 31, 31}}, {5, {1, 2, 40, 31, 6}}), 0, 1e-4);
}

/* identity kernels leave the values alone */
static void axial_identity(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *v = check_random(c, FC_DIMS(1, 2, 4, 5, 3)), *K = check_random(c, FC_DIMS(1, 2, 5, 5));

  for (int64_t i = 0; i < 50; i++) K->x[i] = i % 25 % 6 == 0;
  CHECK(check_distance(fc_axial_product(c, K, v, 1), v) == 0);
}

static bool       ta, tb;
static fc_tensor *matmul(fc_ctx *c, fc_tensor **in) { return fc_matmul(c, in[0], ta, in[1], tb, 0.5); }

static void matmul_gradients(void) {
  ta = tb = false;
  check_op("matmul_nn", matmul, CHECK_INS({3, {3, 4, 5}}, {3, {3, 5, 2}}), 0, 0);
  check_op("matmul_one", matmul, CHECK_INS({2, {301, 70}}, {2, {70, 65}}), 0, 1e-4);
  tb = true;
  check_op("matmul_nt", matmul, CHECK_INS({4, {2, 3, 4, 5}}, {4, {2, 3, 2, 5}}), 0, 0);
  ta = true;
  check_op("matmul_tt", matmul, CHECK_INS({3, {3, 5, 4}}, {3, {3, 2, 5}}), 0, 0);
  tb = false;
  check_op("matmul_tn", matmul, CHECK_INS({3, {3, 5, 4}}, {3, {3, 5, 2}}), 0, 0);
}

CHECK_SUITE(dense, linear_gradients, linear_of_gradients, relu_values, fused_as_alone, grouped_gradients,
            head_gradients, heads_equal_linear, axial_gradients, axial_identity, matmul_gradients)
