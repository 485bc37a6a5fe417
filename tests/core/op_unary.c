/* tests/core/op_unary.c */
#include "tests/check.h"

#define ACT(name, act)                                                                                       \
  static fc_tensor *name(fc_ctx *c, fc_tensor **in) { return fc_activate(c, in[0], act); }
ACT(gelu, FC_ACT_GELU)
ACT(gelu_tanh, FC_ACT_GELU_TANH)
ACT(silu, FC_ACT_SILU)
ACT(hyperbolic, FC_ACT_TANH)
ACT(sigmoid, FC_ACT_SIGMOID)
ACT(softplus, FC_ACT_SOFTPLUS)
static fc_tensor *exp_of(fc_ctx *c, fc_tensor **in) { return fc_exp_of(c, in[0]); }
static fc_tensor *sqrt_of(fc_ctx *c, fc_tensor **in) { return fc_sqrt_of(c, in[0]); }

/* of (+x, -x) with x >= 0.5: both sides of the kink, never on it */
static fc_tensor *both_sides(fc_ctx *c, fc_tensor **in, fc_act act) {
  const int64_t n = in[0]->dim[0], half = n / 2;
  fc_tensor    *part[] = {fc_slice(c, in[0], 0, 0, half),
                          fc_affine(c, fc_slice(c, in[0], 0, half, n - half), -1, 0)};

  return fc_activate(c, fc_concat(c, 0, 2, part), act);
}
static fc_tensor *relu(fc_ctx *c, fc_tensor **in) { return both_sides(c, in, FC_ACT_RELU); }
static fc_tensor *elu(fc_ctx *c, fc_tensor **in) { return both_sides(c, in, FC_ACT_ELU); }

static fc_act     act;
static fc_tensor *onto(fc_ctx *c, fc_tensor **in) { return fc_activate_onto(c, in[0], in[1], act); }
static fc_tensor *onto_itself(fc_ctx *c, fc_tensor **in) { return fc_activate_onto(c, in[0], in[0], act); }

/* r + act(z), also where r and z are one */
static void gradient_onto(void) {
  act = FC_ACT_GELU;
  check_op("activate_onto", onto, CHECK_INS({2, {3, 7}}, {2, {3, 7}}), 0, 0);
  check_op("activate_onto_large", onto, CHECK_INS({2, {131, 401}}, {2, {131, 401}}), 0, 0);
  check_op("activate_onto_fixed", onto, CHECK_INS({2, {3, 7}}, {2, {3, 7}, .fixed = true}), 0, 0);
  act = FC_ACT_TANH;
  check_op("activate_onto_itself", onto_itself, CHECK_INS({2, {3, 7}}), 0, 0);
}

static void gradient(void) {
  check_op("gelu", gelu, CHECK_INS({2, {3, 7}}), 0, 0);
  check_op("gelu_one", gelu, CHECK_INS({0, {0}}), 0, 0);
  check_op("gelu_large", gelu, CHECK_INS({2, {131, 401}}), 0, 0);
  check_op("gelu_tanh", gelu_tanh, CHECK_INS({2, {37, 29}}), 0, 0);
  check_op("gelu_tanh_large", gelu_tanh, CHECK_INS({2, {131, 401}}), 0, 0);
  check_op("silu", silu, CHECK_INS({2, {131, 401}}), 0, 0);
  check_op("tanh", hyperbolic, CHECK_INS({2, {131, 401}}), 0, 0);
  check_op("sigmoid", sigmoid, CHECK_INS({2, {131, 401}}), 0, 0);
  check_op("relu", relu, CHECK_INS({2, {5, 7}, .positive = true}), 0, 0);
  check_op("relu_large", relu, CHECK_INS({2, {131, 401}, .positive = true}), 0, 0);
  check_op("softplus", softplus, CHECK_INS({2, {131, 401}}), 0, 0);
  check_op("elu", elu, CHECK_INS({2, {5, 7}, .positive = true}), 0, 0);
  check_op("elu_large", elu, CHECK_INS({2, {131, 401}, .positive = true}), 0, 0);
  check_op("exp", exp_of, CHECK_INS({2, {131, 401}}), 0, 0);
  check_op("sqrt", sqrt_of, CHECK_INS({2, {131, 401}, .positive = true}), 0, 0);
}

/* the definitions, evaluated by libm in double; 4 ulp per vector function and a few products */
static void definitions(void) {
  fc_ctx          *c   = check_ctx();
  const double     tol = 8 * (sizeof(fc_real) == 8 ? 2.3e-16 : 1.2e-7);
  fc_tensor       *x   = check_random(c, FC_DIMS(1001));
  const fc_tensor *g = fc_activate(c, x, FC_ACT_GELU), *t = fc_activate(c, x, FC_ACT_GELU_TANH);
  const fc_tensor *s = fc_activate(c, x, FC_ACT_SILU), *r = fc_activate(c, x, FC_ACT_RELU);
  const fc_tensor *p = fc_activate(c, x, FC_ACT_SOFTPLUS), *e = fc_activate(c, x, FC_ACT_ELU);

  for (int64_t i = 0; i < 1001; i++) {
    const double v = (double)x->x[i], u = sqrt(2 / acos(-1)) * (v + 0.044715 * v * v * v);
    CHECK_NEAR(g->x[i], v * 0.5 * erfc(-v / sqrt(2)), tol * fmax(1, fabs(v)));
    CHECK_NEAR(t->x[i], v * 0.5 * (1 + tanh(u)), tol * fmax(1, fabs(v)));
    CHECK_NEAR(s->x[i], v / (1 + exp(-v)), tol * fmax(1, fabs(v)));
    CHECK_NEAR(r->x[i], v > 0 ? v : 0, 0);
    CHECK_NEAR(p->x[i], log1p(exp(v)), tol * fmax(1, fabs(v)));
    CHECK_NEAR(e->x[i], v > 0 ? v : expm1(v), tol * fabs(v));
  }
}

/* far below zero GELU is small but relatively exact: exp(-x^2 / 2) carries the rounding of its argument, x^2
   / 2 half units in the last place (the double build keeps 1 + erf, which loses the tail but not float's
   digits) */
static void gelu_tail(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = fc_tensor_new(c->arena, FC_DIMS(64));

  for (int i = 0; i < 64; i++) x->x[i] = (fc_real)(-i / 12.0);
  const fc_tensor *y = fc_activate(c, x, FC_ACT_GELU);
  for (int i = 0; i < 64; i++) {
    const double v = (double)x->x[i], exact = v * 0.5 * erfc(-v / sqrt(2));
    CHECK_NEAR(y->x[i], exact, 1.2e-7 * (4 + v * v / 2) * fabs(exact));
  }
}

static void far_arguments(void) {
  fc_ctx      *c      = check_ctx();
  const fc_act acts[] = {FC_ACT_GELU, FC_ACT_GELU_TANH, FC_ACT_SILU, FC_ACT_RELU, FC_ACT_SOFTPLUS};
  fc_tensor   *x      = check_random(c, FC_DIMS(2));

  x->x[0] = 200, x->x[1] = -200; /* e^200 overflows in float */
  for (int i = 0; i < FC_COUNT(acts); i++) {
    const fc_tensor *y = fc_activate(c, x, acts[i]);
    CHECK_NEAR(y->x[0], 200, 0);
    CHECK_NEAR(y->x[1], 0, 1e-80);
  }
  CHECK_NEAR(fc_activate(c, x, FC_ACT_ELU)->x[0], 200, 0);
  CHECK_NEAR(fc_activate(c, x, FC_ACT_ELU)->x[1], -1, 0);
  CHECK_NEAR(fc_activate(c, x, FC_ACT_SIGMOID)->x[1], 0, 1e-80);
  CHECK_NEAR(fc_activate(c, x, FC_ACT_TANH)->x[1], -1, 0);
  CHECK(fc_activate(c, x, FC_ACT_NONE) == x);
}

static void not_a_number_stays(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(1));

  x->x[0] = (fc_real)NAN;
  CHECK(isnan(fc_activate(c, x, FC_ACT_SOFTPLUS)->x[0]));
  CHECK(isnan(fc_activate(c, x, FC_ACT_ELU)->x[0]));
}

CHECK_SUITE(unary, gradient, gradient_onto, definitions, gelu_tail, far_arguments, not_a_number_stays)
