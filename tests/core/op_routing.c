/* tests/core/op_routing.c - samples to experts and back, against the formula sample by sample. */
#include "tests/check.h"

enum { B = 6, E = 4, K = 2 };

/* sample b goes to experts b mod 3 and b mod 3 + 1 but for the last, whose gates are all shut */
static fc_tensor *fixed_gates(fc_ctx *c) {
  fc_tensor *g = fc_tensor_new(c->arena, FC_DIMS(B, E));

  for (int64_t i = 0; i < B * E; i++) {
    const int64_t b = i / E, e = i % E - b % 3;
    if (!c->dry)
      g->x[i] = b < B - 1 && e >= 0 && e < K ? (fc_real)(0.2 + 0.1 * (double)b + 0.3 * (double)e) : 0;
  }
  return g;
}

static const fc_routes *routes(fc_ctx *c, const fc_tensor *gates) {
  return fc_routes_of(c, gates, K, (const int64_t[]){1, 5, 2, 4});
}

/* expert e multiplies by e + 1 */
static fc_tensor *ask(fc_ctx *c, fc_tensor *x, fc_tensor *gates, bool residual) {
  const fc_routes *r    = routes(c, gates);
  fc_tensor       *v[E] = {NULL};

  for (int e = 0; e < E; e++)
    if (r->count[e]) v[e] = fc_affine(c, fc_take_samples(c, x, r, e), 0.3 * (e + 1), 0.1 * e);
  return fc_mix_log(c, gates, r, v, x, residual);
}

static fc_tensor *plain(fc_ctx *c, fc_tensor **in) { return ask(c, in[0], fixed_gates(c), false); }
static fc_tensor *onto(fc_ctx *c, fc_tensor **in) { return ask(c, in[0], fixed_gates(c), true); }
static fc_tensor *by_gates(fc_ctx *c, fc_tensor **in) {
  return ask(c, in[0], fc_top_gates(c, in[1], K), true);
}
/* the answers need no gradient, the gates do */
static fc_tensor *gates_alone(fc_ctx *c, fc_tensor **in) { return by_gates(c, in); }

static void gradient(void) {
  check_op("mix_log", plain, CHECK_INS({3, {B, 3, 5}}), 0, 0);
  check_op("mix_log_onto", onto, CHECK_INS({2, {B, 5000}}), 0, 0);
  check_op("mix_log_gates", by_gates, CHECK_INS({3, {B, 3, 5}}, {2, {B, E}}), 0, 0);
  check_op("mix_log_gates_alone", gates_alone, CHECK_INS({2, {B, 3}, .fixed = true}, {2, {B, E}}), 0, 0);
}

static void values(void) {
  fc_ctx          *c = check_ctx();
  fc_tensor       *x = check_random(c, FC_DIMS(B, 7)), *g = fixed_gates(c);
  const fc_tensor *y = ask(c, x, g, true);

  for (int64_t i = 0; i < B * 7; i++) {
    double S = 0;
    for (int e = 0; e < E; e++)
      S += (double)g->x[i / 7 * E + e] * exp(0.3 * (e + 1) * (double)x->x[i] + 0.1 * e);
    CHECK_NEAR(y->x[i], log(S == 0 ? 2.220446049250313e-16 : S) + (double)x->x[i], 4e-6);
  }
}

static void who_goes_where(void) {
  fc_ctx          *c = check_ctx();
  fc_tensor       *x = check_random(c, FC_DIMS(B, 2));
  const fc_routes *r = routes(c, fixed_gates(c));

  CHECK(r->n == E && r->samples == B);
  CHECK(r->count[0] == 2 && r->count[1] == 4 && r->count[2] == 3 && r->count[3] == 1);
  CHECK(r->row[1][0] == 0 && r->row[1][1] == 1 && r->row[1][2] == 3 && r->row[1][3] == 4);
  CHECK(r->place[4 * E + 1] == 3 && r->place[4 * E + 0] == -1 && r->place[5 * E + 1] == -1);
  CHECK(fc_take_samples(c, x, r, 3)->x[1] == x->x[2 * 2 + 1]);
}

/* a plan: the two dearest experts get all samples, the others one */
static void plan(void) {
  fc_ctx *c;

  CHECK_OK(fc_ctx_create((size_t)1 << 20, true, &c));
  const fc_routes *r = routes(c, fixed_gates(c));
  CHECK(r->count[0] == 1 && r->count[1] == B && r->count[2] == 1 && r->count[3] == B);
  fc_ctx_destroy(c);
}

static void reached(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(3)), *w = check_random(c, FC_DIMS(2));

  c->grad = x->needs_grad = w->needs_grad = true;
  fc_tensor *y                            = fc_reach(c, x, 1, &w);
  CHECK(y->x == x->x);
  fc_backward(c, fc_sum_all(c, y));
  CHECK(w->has_grad && w->g[0] == 0 && w->g[1] == 0);
  for (int i = 0; i < 3; i++) CHECK_NEAR(x->g[i], 1, 0);
}

CHECK_SUITE(routing, gradient, values, who_goes_where, plan, reached)
