/* tests/core/test_code.c */
#include "core/nn/nn.h"
#include "tests/check.h"

static void unit_grid(void) {
  fc_ctx          *c = check_ctx();
  const fc_tensor *y = fc_unit_grid(c, FC_DIMS(3, 1, 5), (fc_cut){3, 1});

  CHECK(y->ndim == 2 && y->dim[0] == 15 && y->dim[1] == 3);
  for (int64_t n = 0; n < 15; n++) {
    CHECK_NEAR(y->x[3 * n], (double)(n / 5) / 2, 0);
    CHECK_NEAR(y->x[3 * n + 1], 0, 0);
    CHECK_NEAR(y->x[3 * n + 2], (fc_real)((double)(n % 5) / 4), 0);
  }
}

CHECK_SUITE(code, unit_grid)
