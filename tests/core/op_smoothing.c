/* tests/core/op_smoothing.c */
#include "tests/check.h"

static fc_tensor *plain(fc_ctx *c, fc_tensor **in) { return fc_smoothing(c, in[0], in[1], in[2], false); }
static fc_tensor *led(fc_ctx *c, fc_tensor **in) { return fc_smoothing(c, in[0], in[1], in[2], true); }

static void gradient(void) {
  check_op("smoothing", plain, CHECK_INS({3, {2, 9, 6}}, {2, {2, 1}}, {4, {1, 1, 2, 3}}), 0, 0);
  check_op("smoothing_led", led, CHECK_INS({3, {3, 7, 5}}, {1, {5}}, {1, {5}}), 0, 0);
  check_op("smoothing_one", led, CHECK_INS({3, {1, 1, 1}}, {1, {1}}, {1, {1}}), 0, 0);
  check_op("smoothing_tiles", led, CHECK_INS({3, {4, 40, 260}}, {1, {4}}, {1, {260}}), 0, 0);
}

/* the recursion, and the sum it stands for: a^(t+1) start + (1 - a) sum_i a^(t-i) x_i */
static void closed_form(void) {
  const int64_t    T = 30, C = 6;
  fc_ctx          *c = check_ctx();
  fc_tensor       *x = check_random(c, FC_DIMS(2, T, C)), *w = check_random(c, FC_DIMS(3));
  fc_tensor       *start = check_random(c, FC_DIMS(C));
  const fc_tensor *y = fc_smoothing(c, x, w, start, true), *z = fc_smoothing(c, x, w, start, false);

  CHECK(y->dim[1] == T + 1 && z->dim[1] == T);
  for (int64_t b = 0; b < 2; b++)
    for (int64_t j = 0; j < C; j++) {
      const double a = 1 / (1 + exp(-(double)w->x[j / 2]));
      CHECK_NEAR(y->x[b * (T + 1) * C + j], start->x[j], 0);
      for (int64_t t = 0; t < T; t++) {
        double sum = pow(a, (double)(t + 1)) * (double)start->x[j];
        for (int64_t i = 0; i <= t; i++)
          sum += (1 - a) * pow(a, (double)(t - i)) * (double)x->x[(b * T + i) * C + j];
        CHECK_NEAR(y->x[(b * (T + 1) + t + 1) * C + j], sum, 1e-5);
        CHECK_NEAR(z->x[(b * T + t) * C + j], sum, 1e-5);
      }
    }
}

/* what does not change stays; w far out: the start for ever, or x itself */
static void limits(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(1, 5, 2)), *w = fc_tensor_new(c->arena, FC_DIMS(2));
  fc_tensor *start = check_random(c, FC_DIMS(2));

  w->x[0] = 60, w->x[1] = -60;
  const fc_tensor *y = fc_smoothing(c, x, w, start, false);
  for (int64_t t = 0; t < 5; t++) {
    CHECK_NEAR(y->x[2 * t], start->x[0], 1e-6);
    CHECK_NEAR(y->x[2 * t + 1], x->x[2 * t + 1], 1e-6);
  }
}

CHECK_SUITE(smoothing, gradient, closed_form, limits)
