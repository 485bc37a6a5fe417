/* tests/core/test_vmath.c - our own exponential below zero against the C library's in double. */
#include "tests/check.h"

#include "core/vmath.h"

static void exponential_below_zero(void) {
  enum { STEPS = 200000 };
  double worst = 0;

  for (int i = 0; i <= STEPS; i++) {
    const fc_real x = (fc_real)(-87.0 * i / STEPS);
    worst           = fmax(worst, fabs((double)fc_exp_below(x) / exp((double)x) - 1));
  }
  CHECK(worst < 2e-7);
  CHECK(fc_exp_below(0) == 1);
}

static void ends(void) {
  CHECK((double)fc_exp_below(-200) < 1e-80);
  CHECK(fc_exp_below(-(fc_real)INFINITY) == 0);
  CHECK(isnan((double)fc_exp_below((fc_real)NAN)));
}

CHECK_SUITE(vmath, exponential_below_zero, ends)
