/* tests/core/op_octave_code.c */
#include "tests/check.h"

static int64_t octaves;

static fc_tensor *code(fc_ctx *c, fc_tensor **in) { return fc_octave_code(c, in[0], octaves); }

static void gradient(void) {
  octaves = 2;
  check_op("octave_code", code, CHECK_INS({3, {2, 5, 3}}), 0, 0);
  octaves = 0;
  check_op("octave_code_none", code, CHECK_INS({2, {5, 3}}), 0, 0);
  octaves = 4;
  check_op("octave_code_long", code, CHECK_INS({2, {400, 3}}), 1e-7,
           0); /* 16 x: the difference rule feels it */
}

/* columns stay together: x, all cosines from the lowest to the highest, then all sines */
static void order(void) {
  fc_ctx          *c = check_ctx();
  const fc_tensor *x = check_random(c, FC_DIMS(4, 3));

  octaves            = 1;
  const fc_tensor *y = code(c, (fc_tensor *[]){(fc_tensor *)x});
  CHECK(y->dim[0] == 4 && y->dim[1] == 21);
  for (int64_t i = 0; i < 12; i++) {
    const fc_real *v = y->x + i * 7;
    const double   u = (double)x->x[i];
    CHECK_NEAR(v[0], u, 0);
    for (int k = -1; k <= 1; k++) {
      CHECK_NEAR(v[2 + k], cos(ldexp(u, k)), 4e-7);
      CHECK_NEAR(v[5 + k], sin(ldexp(u, k)), 4e-7);
    }
  }
}

CHECK_SUITE(octave_code, gradient, order)
