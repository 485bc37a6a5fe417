/* tests/core/op_code.c - constants, so there are no gradients to check. The rounding matters. */
#include "core/nn/nn.h"
#include "tests/check.h"

/* one rounding of the argument at 1000 rad is 3e-5 in float: the frequencies and the product are rounded step
   by step, as PyTorch does */
static double argument(double t, int64_t i, int64_t k) {
  const fc_real e = (fc_real)-9.210340371976182736 * (fc_real)i;
  const fc_real f = (fc_real)exp((double)(fc_real)(e / (fc_real)k));

  return (double)(fc_real)((fc_real)t * f);
}

static void time_code(void) {
  fc_ctx      *c      = check_ctx();
  fc_tensor   *T      = check_random(c, FC_DIMS(3, 1));
  const double time[] = {0, 0.35, 1}, tol = sizeof(fc_real) == 8 ? 1e-15 : 6e-8;

  for (int b = 0; b < 3; b++) T->x[b] = (fc_real)time[b];
  const fc_tensor *y = fc_time_code(c, T, 21, 1000);
  CHECK(y->ndim == 2 && y->dim[0] == 3 && y->dim[1] == 21 && !y->needs_grad);
  for (int64_t b = 0; b < 3; b++) {
    for (int64_t i = 0; i < 10; i++) {
      const double z = argument((double)((fc_real)1000 * T->x[b]), i, 10);
      CHECK_NEAR(y->x[b * 21 + i], cos(z), tol);
      CHECK_NEAR(y->x[b * 21 + 10 + i], sin(z), tol);
    }
    CHECK_NEAR(y->x[b * 21 + 20], 0, 0);
  }
}

/* widths 1 and 2: no frequency, and frequency 1 alone */
static void narrow_time_code(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *T = check_random(c, FC_DIMS(2));

  CHECK_NEAR(fc_time_code(c, T, 1, 1)->x[1], 0, 0);
  const fc_tensor *y = fc_time_code(c, T, 2, 1);
  CHECK_NEAR(y->x[2], cos((double)T->x[1]), 6e-8);
  CHECK_NEAR(y->x[3], sin((double)T->x[1]), 6e-8);
}

static void unit_grid(void) {
  fc_ctx          *c = check_ctx();
  const fc_tensor *y = fc_unit_grid(c, FC_DIMS(3, 1, 5));

  CHECK(y->ndim == 2 && y->dim[0] == 15 && y->dim[1] == 3);
  for (int64_t n = 0; n < 15; n++) {
    CHECK_NEAR(y->x[3 * n], (double)(n / 5) / 2, 0);
    CHECK_NEAR(y->x[3 * n + 1], 0, 0);
    CHECK_NEAR(y->x[3 * n + 2], (fc_real)((double)(n % 5) / 4), 0);
  }
}

CHECK_SUITE(code, time_code, narrow_time_code, unit_grid)
