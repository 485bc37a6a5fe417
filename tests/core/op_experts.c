/* tests/core/op_experts.c - the mixture against its formula out of other operations, where blocks and chunks
   of rows meet, with shared gates, and with one plain network. */
#include "tests/check.h"

static fc_act act = FC_ACT_GELU;

/* expert e of weights stacked along their first axis */
static fc_expert expert(fc_ctx *c, fc_tensor **w, int64_t n, int64_t e) {
  fc_tensor *part[4];

  for (int i = 0; i < 4; i++) {
    const int64_t rows = w[i]->dim[0] / n;
    part[i]            = fc_slice(c, w[i], 0, e * rows, rows);
  }
  return (fc_expert){part[0], part[1], part[2], part[3]};
}

static fc_tensor *mixture(fc_ctx *c, fc_tensor *x, fc_tensor *gate, fc_tensor **w, fc_tensor *r) {
  const int64_t n = gate ? fc_last(gate) : 1;
  fc_expert     e[FC_EXPERTS];

  for (int64_t i = 0; i < n; i++) e[i] = expert(c, w, n, i);
  return fc_experts(c, act, x, gate, (int)n, e, r);
}

/* inputs: x, gate, W1, b1, W2, b2, r */
static fc_tensor *gated(fc_ctx *c, fc_tensor **in) { return mixture(c, in[0], in[1], in + 2, NULL); }
static fc_tensor *gated_onto(fc_ctx *c, fc_tensor **in) { return mixture(c, in[0], in[1], in + 2, in[6]); }
/* inputs: x, W1, b1, W2, b2 */
static fc_tensor *plain(fc_ctx *c, fc_tensor **in) { return mixture(c, in[0], NULL, in + 1, NULL); }
static fc_tensor *plain_onto_itself(fc_ctx *c, fc_tensor **in) {
  return mixture(c, in[0], NULL, in + 1, in[0]);
}

static void gradient(void) {
  static const fc_act acts[] = {FC_ACT_GELU, FC_ACT_TANH, FC_ACT_SILU, FC_ACT_SIGMOID, FC_ACT_SOFTPLUS};
  char                name[32];

  for (int i = 0; i < FC_COUNT(acts); i++) {
    act = acts[i];
    snprintf(name, sizeof name, "experts_act_%d", (int)act);
    check_op(name, gated, CHECK_INS({2, {7, 3}}, {2, {7, 2}}, {2, {10, 3}}, {1, {10}}, {2, {8, 5}}, {1, {8}}),
             0, 0);
  }
  act = FC_ACT_GELU;
  check_op("experts_onto", gated_onto,
           CHECK_INS({3, {2, 5, 3}}, {3, {2, 5, 3}}, {2, {18, 3}}, {1, {18}}, {2, {12, 6}}, {1, {12}},
                     {3, {2, 5, 4}}),
           0, 0);
  check_op("experts_one", gated,
           CHECK_INS({2, {7, 3}}, {2, {7, 1}}, {2, {5, 3}}, {1, {5}}, {2, {4, 5}}, {1, {4}}), 0, 0);
}

static void gradient_without_gate(void) {
  act = FC_ACT_GELU;
  check_op("experts_plain", plain, CHECK_INS({2, {9, 4}}, {2, {6, 4}}, {1, {6}}, {2, {3, 6}}, {1, {3}}), 0,
           0);
  check_op("experts_itself", plain_onto_itself,
           CHECK_INS({2, {9, 4}}, {2, {6, 4}}, {1, {6}}, {2, {4, 6}}, {1, {4}}), 0, 0);
  check_op("experts_fixed_x", plain,
           CHECK_INS({2, {9, 2}, .fixed = true}, {2, {6, 2}}, {1, {6}}, {2, {3, 6}}, {1, {3}}), 0, 0);
  check_op("experts_fixed_weights", plain,
           CHECK_INS({2, {9, 2}}, {2, {6, 2}, .fixed = true}, {1, {6}, .fixed = true}, {2, {3, 6}}, {1, {3}}),
           0, 0);
}

/* three chunks of two and a bit blocks; float sums over a thousand rows */
static void gradient_of_many_rows(void) {
  act = FC_ACT_GELU;
  check_op("experts_rows", gated,
           CHECK_INS({2, {907, 5}}, {2, {907, 2}}, {2, {66, 5}}, {1, {66}}, {2, {36, 33}}, {1, {36}}), 0,
           1e-4);
  check_op("experts_wide", plain,
           CHECK_INS({2, {70, 3}}, {2, {2100, 3}}, {1, {2100}}, {2, {17, 2100}}, {1, {17}}), 0, 1e-4);
}

/* two inputs, sixteen outputs: the hidden array is made again */
static void gradient_with_few_inputs(void) {
  act = FC_ACT_GELU;
  check_op("experts_again", plain,
           CHECK_INS({2, {300, 2}}, {2, {20, 2}}, {1, {20}}, {2, {16, 20}}, {1, {16}}), 0, 1e-4);
  check_op("experts_again_gated", gated,
           CHECK_INS({2, {9, 1}}, {2, {9, 2}}, {2, {10, 1}}, {1, {10}}, {2, {18, 5}}, {1, {18}}), 0, 0);
}

/* three samples on one mesh of seven points */
static void gradient_of_shared_gates(void) {
  act = FC_ACT_GELU;
  check_op("experts_shared", gated,
           CHECK_INS({3, {3, 7, 4}}, {2, {7, 2}}, {2, {12, 4}}, {1, {12}}, {2, {6, 6}}, {1, {6}}), 0, 0);
}

/* the same sum out of linear maps, row by row weighted */
static fc_tensor *composed(fc_ctx *c, fc_tensor *x, fc_tensor *gate, fc_tensor **w, int n) {
  fc_tensor *y = NULL;

  for (int i = 0; i < n; i++) {
    const fc_expert e = expert(c, w, n, i);
    fc_tensor      *z = fc_linear_op(c, fc_linear_op(c, x, e.W1, e.b1, FC_ACT_GELU), e.W2, e.b2, FC_ACT_NONE);
    z                 = fc_mul(c, z, fc_expand(c, fc_slice(c, gate, 1, i, 1), 1, fc_last(z)));
    y                 = y ? fc_add(c, y, z) : z;
  }
  return y;
}

static void as_the_formula(void) {
  enum { R = 300, E = 3, D = 20, K = 40, O = 18 };
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(R, D)), *gate = fc_softmax(c, check_random(c, FC_DIMS(R, E)));
  fc_tensor *w[] = {check_random(c, FC_DIMS(E * K, D)), check_random(c, FC_DIMS(E * K)),
                    check_random(c, FC_DIMS(E * O, K)), check_random(c, FC_DIMS(E * O))};

  act = FC_ACT_GELU;
  CHECK(check_distance(mixture(c, x, gate, w, NULL), composed(c, x, gate, w, E)) <
        (sizeof(fc_real) == 8 ? 1e-14 : 2e-6));
}

/* equal experts: gates that add up to one do not matter */
static void equal_experts_are_one(void) {
  fc_ctx         *c = check_ctx();
  fc_tensor      *x = check_random(c, FC_DIMS(11, 4)), *gate = fc_softmax(c, check_random(c, FC_DIMS(11, 2)));
  fc_tensor      *w[] = {check_random(c, FC_DIMS(6, 4)), check_random(c, FC_DIMS(6)),
                         check_random(c, FC_DIMS(4, 6)), check_random(c, FC_DIMS(4))};
  const fc_expert e[] = {{w[0], w[1], w[2], w[3]}, {w[0], w[1], w[2], w[3]}};

  CHECK(check_distance(fc_experts(c, FC_ACT_GELU, x, gate, 2, e, x),
                       fc_experts(c, FC_ACT_GELU, x, NULL, 1, e, x)) < (sizeof(fc_real) == 8 ? 1e-14 : 2e-6));
}

CHECK_SUITE(experts, gradient, gradient_without_gate, gradient_of_many_rows, gradient_of_shared_gates,
            gradient_with_few_inputs, as_the_formula, equal_experts_are_one)
