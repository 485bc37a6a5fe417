/* tests/core/op_top_gates.c - the largest logits, how likely they stay so, and how even the experts' load is.
 */
#include "tests/check.h"

static int64_t k;

static fc_tensor *gates(fc_ctx *c, fc_tensor **in) { return fc_top_gates(c, in[0], k); }
static fc_tensor *probability(fc_ctx *c, fc_tensor **in) {
  return fc_top_probability(c, in[0], in[1], in[2], k);
}
static fc_tensor *imbalance(fc_ctx *c, fc_tensor **in) { return fc_imbalance(c, in[0]); }

/* one expert chosen has the gate 1 whatever its logit, so k is 2 at least */
static void gradient(void) {
  for (k = 2; k <= 5; k++) {
    char name[32];
    snprintf(name, sizeof name, "top_gates_%d", (int)k);
    check_op(name, gates, CHECK_INS({2, {7, 5}}), 0, 0);
    snprintf(name, sizeof name, "top_probability_%d", (int)k - 1);
    k--;
    check_op(name, probability, CHECK_INS({2, {7, 5}}, {2, {7, 5}}, {2, {7, 5}, .positive = true}), 0, 0);
    k++;
  }
  check_op("imbalance", imbalance, CHECK_INS({2, {6, 4}, .positive = true}), 0, 0);
  check_op("imbalance_two", imbalance, CHECK_INS({2, {1, 2}, .positive = true}), 0, 0);
}

static fc_tensor *numbers(fc_ctx *c, int64_t rows, int64_t cols, const double *x) {
  fc_tensor *t = fc_tensor_new(c->arena, FC_DIMS(rows, cols));

  for (int64_t i = 0; i < rows * cols; i++) t->x[i] = (fc_real)x[i];
  return t;
}

static void values(void) {
  fc_ctx          *c = check_ctx();
  fc_tensor       *l = numbers(c, 1, 4, (const double[]){1, 3, -2, 2});
  const fc_tensor *g = fc_top_gates(c, l, 2), *open = fc_gates_open(c, g);

  CHECK_NEAR(g->x[0], 0, 0);
  CHECK_NEAR(g->x[1], 1 / (1 + exp(-1)), 1e-6);
  CHECK_NEAR(g->x[2], 0, 0);
  CHECK_NEAR(g->x[3], 1 / (1 + exp(1)), 1e-6);
  for (int i = 0; i < 4; i++) CHECK_NEAR(open->x[i], i % 2, 0);
}

/* equal logits: the first ones are chosen, no more than k */
static void ties(void) {
  fc_ctx          *c = check_ctx();
  const fc_tensor *g = fc_top_gates(c, numbers(c, 1, 4, (const double[]){1, 1, 1, 1}), 2);

  CHECK(g->x[0] == (fc_real)0.5 && g->x[1] == (fc_real)0.5 && g->x[2] == 0 && g->x[3] == 0);
}

/* of 4, 2, 1 the largest stays so while it exceeds 2, the others must exceed 4 */
static void probabilities(void) {
  fc_ctx          *c     = check_ctx();
  fc_tensor       *clean = numbers(c, 1, 3, (const double[]){3, 2.5, 1});
  fc_tensor       *noisy = numbers(c, 1, 3, (const double[]){4, 2, 1});
  fc_tensor       *s     = numbers(c, 1, 3, (const double[]){1, 0.5, 2});
  const fc_tensor *p     = fc_top_probability(c, clean, noisy, s, 1);

  CHECK_NEAR(p->x[0], 0.841344746068543, 1e-6);  /* Phi(1) */
  CHECK_NEAR(p->x[1], 0.0013498980316301, 1e-6); /* Phi(-3) */
  CHECK_NEAR(p->x[2], 0.0668072012688581, 1e-6); /* Phi(-1.5) */
}

/* sums 6 and 2: mean 4, variance 8 */
static void imbalances(void) {
  fc_ctx *c = check_ctx();

  CHECK_NEAR(fc_imbalance(c, numbers(c, 2, 2, (const double[]){5, 1, 1, 1}))->x[0], 0.5, 1e-6);
  CHECK_NEAR(fc_imbalance(c, numbers(c, 2, 2, (const double[]){0, 0, 0, 0}))->x[0], 0, 0);
  CHECK_NEAR(fc_imbalance(c, numbers(c, 3, 1, (const double[]){5, 1, 1}))->x[0], 0, 0);
}

/* as if a second rank had samples whose columns sum to 2 and 6; and its loss the same slope */
static void other_rank(double *x, int64_t n) {
  if (n == 1) x[0] *= 2;
  if (n == 2) x[0] += 2, x[1] += 6;
}

static void over_ranks(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = numbers(c, 2, 2, (const double[]){5, 1, 1, 1}), *apart;

  c->batch_sum = other_rank;
  CHECK_NEAR(fc_imbalance(c, x)->x[0], 0.5, 1e-6); /* ranks meet in training only */
  c->training = c->grad = x->needs_grad = true;
  apart                                 = fc_imbalance(c, x);
  CHECK_NEAR(apart->x[0], 0, 1e-12); /* 8 and 8 */
  fc_backward(c, apart);
  for (int i = 0; i < 4; i++) CHECK_NEAR(x->g[i], 0, 1e-12);
  c->batch_sum = NULL;
}

CHECK_SUITE(top_gates, gradient, values, ties, probabilities, imbalances, over_ranks)
