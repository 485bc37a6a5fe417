/* tests/core/op_powers.c */
#include "tests/check.h"

static fc_tensor *rising(fc_ctx *c, fc_tensor **in) { return fc_powers(c, FC_POWERS_RISING, in[0], 6); }
static fc_tensor *falling(fc_ctx *c, fc_tensor **in) { return fc_powers(c, FC_POWERS_FALLING, in[0], 5); }
static fc_tensor *sums(fc_ctx *c, fc_tensor **in) { return fc_powers(c, FC_POWERS_SUMS, in[0], 7); }

static void gradient(void) {
  check_op("powers_rising", rising, CHECK_INS({2, {1, 4}}), 0, 0);
  check_op("powers_falling", falling, CHECK_INS({1, {3}}), 0, 0);
  check_op("powers_sums", sums, CHECK_INS({2, {1, 2}}), 0, 0);
}

/* the geometric series, over so many steps that the last powers are below any number */
static void geometric(void) {
  const int64_t    n  = 2000;
  fc_ctx          *c  = check_ctx();
  fc_tensor       *w  = check_random(c, FC_DIMS(3));
  const fc_tensor *up = fc_powers(c, FC_POWERS_RISING, w, n), *down = fc_powers(c, FC_POWERS_FALLING, w, n);
  const fc_tensor *sum = fc_powers(c, FC_POWERS_SUMS, w, n);

  for (int64_t h = 0; h < 3; h++) {
    const double a = 1 / (1 + exp(-(double)w->x[h]));
    for (int64_t i = 0; i < n; i++) {
      const double power = pow(a, (double)(i + 1));
      CHECK_NEAR(up->x[i * 3 + h], power, 1e-6);
      CHECK_NEAR(down->x[(n - 1 - i) * 3 + h], power, 1e-6);
      CHECK_NEAR(sum->x[i * 3 + h], a * (1 - power) / (1 - a), 1e-6 * a / (1 - a));
    }
  }
}

CHECK_SUITE(powers, gradient, geometric)
