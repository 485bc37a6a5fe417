/* tests/core/op_time_code.c */
#include "tests/check.h"

static int64_t    width;
static fc_tensor *code(fc_ctx *c, fc_tensor **in) { return fc_time_code(c, in[0], width, 3); }

static void gradient(void) {
  width = 8;
  check_op("time_code", code, CHECK_INS({1, {5}}), 1e-7, 0);
  width = 11;
  check_op("time_code_odd", code, CHECK_INS({2, {4, 1}}), 1e-7, 0);
}

/* The frequencies and the product are rounded step by step, as PyTorch does. The frequencies themselves are
   good to one unit: at 1000 rad that is 6e-5. */
static double argument(double t, int64_t i, int64_t k) {
  const fc_real e = (fc_real)-9.210340371976182736 * (fc_real)i;
  const fc_real f = (fc_real)exp((double)(fc_real)(e / (fc_real)k));

  return (double)(fc_real)((fc_real)t * f);
}

static void definition(void) {
  fc_ctx      *c      = check_ctx();
  fc_tensor   *T      = check_random(c, FC_DIMS(3, 1));
  const double time[] = {0, 0.35, 1}, tol = sizeof(fc_real) == 8 ? 1e-15 : 6e-8;

  for (int b = 0; b < 3; b++) T->x[b] = (fc_real)time[b];
  const fc_tensor *y = fc_time_code(c, T, 21, 1000);
  CHECK(y->ndim == 2 && y->dim[0] == 3 && y->dim[1] == 21);
  for (int64_t b = 0; b < 3; b++) {
    for (int64_t i = 0; i < 10; i++) {
      const double z = argument((double)((fc_real)1000 * T->x[b]), i, 10);
      CHECK_NEAR(y->x[b * 21 + i], cos(z), tol * (1 + 2 * z));
      CHECK_NEAR(y->x[b * 21 + 10 + i], sin(z), tol * (1 + 2 * z));
    }
    CHECK_NEAR(y->x[b * 21 + 20], 0, 0);
  }
}

/* Frequencies as PyTorch 1.13 has them on AVX2 and AVX-512, among them some that a correctly rounded
   exponential misses by one unit. At t = 2^20 one unit turns the code by 0.01 rad and more. */
static void published_frequencies(void) {
  static const struct {
    int    i;
    double f;
  } known[]    = {{0, 1},
                  {13, 0x1.91d648p-2},
                  {14, 0x1.75f034p-2},
                  {56, 0x1.235a74p-6},
                  {91, 0x1.77a7d4p-10},
                  {119, 0x1.90c18p-13}};
  fc_ctx    *c = check_ctx();
  fc_tensor *T = check_random(c, FC_DIMS(1));

  if (sizeof(fc_real) == 8) return;
  T->x[0]            = 1;
  const fc_tensor *y = fc_time_code(c, T, 256, 0x1p20);
  for (int k = 0; k < FC_COUNT(known); k++) {
    CHECK_NEAR(y->x[known[k].i], cos(0x1p20 * known[k].f), 6e-8);
    CHECK_NEAR(y->x[128 + known[k].i], sin(0x1p20 * known[k].f), 6e-8);
  }
}

/* widths 1 and 2: no frequency, and frequency 1 alone */
static void narrow(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *T = check_random(c, FC_DIMS(2));

  CHECK_NEAR(fc_time_code(c, T, 1, 1)->x[1], 0, 0);
  const fc_tensor *y = fc_time_code(c, T, 2, 1);
  CHECK_NEAR(y->x[2], cos((double)T->x[1]), 6e-8);
  CHECK_NEAR(y->x[3], sin((double)T->x[1]), 6e-8);
}

CHECK_SUITE(time_code, gradient, definition, published_frequencies, narrow)
