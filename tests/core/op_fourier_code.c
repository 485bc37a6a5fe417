/* tests/core/op_fourier_code.c - a constant, so there is no gradient to check. The rounding matters. */
#include "tests/check.h"

/* coordinates 0 .. 2 pi with both ends, frequencies of standard deviation 8: arguments reach 1100 rad */
static fc_tensor *grid(fc_ctx *c, int64_t n) {
  fc_tensor *x = fc_tensor_new(c->arena, FC_DIMS(n));

  for (int64_t i = 0; i < n; i++) x->x[i] = (fc_real)(2 * M_PI * (double)i / (double)(n - 1));
  return x;
}

static fc_tensor *frequencies(fc_ctx *c, int64_t d, int64_t half) {
  fc_tensor *B = check_random(c, FC_DIMS(d, half));

  for (int64_t i = 0; i < d * half; i++) B->x[i] *= 8;
  B->x[0] = (fc_real)27.8; /* 2 pi * 27.8 * 2 pi = 1097 */
  return B;
}

/* the argument in the documented order: one rounding for the first product, one for each later product and
   sum, one for 2 pi. The fused step is written out in long double, which holds a product of two floats
   exactly. */
static fc_real argument(const fc_real *p, const fc_tensor *B, int64_t j) {
  const int64_t d = B->dim[0], half = B->dim[1];
  fc_real       z = p[0] * B->x[j];

  for (int64_t a = 1; a < d; a++)
    z = sizeof(fc_real) == 8
            ? (fc_real)fma((double)p[a], (double)B->x[a * half + j], (double)z)
            : (fc_real)((long double)p[a] * (long double)B->x[a * half + j] + (long double)z);
  return z * (fc_real)6.283185307179586;
}

/* in float one unit in the last place; in double four, the bound of the vector sine */
static double tolerance(double value) {
  const float at = (float)fabs(value);

  return sizeof(fc_real) == 4 ? (double)(nextafterf(at, 2) - at)
                              : 4 * (nextafter(fabs(value), 2) - fabs(value));
}

static void check_point(const fc_real *y, const fc_real *p, const fc_tensor *B) {
  const int64_t half = B->dim[1];

  for (int64_t j = 0; j < half; j++) {
    const double z = (double)argument(p, B, j);
    CHECK_NEAR(y[j], sin(z), tolerance(sin(z)));
    CHECK_NEAR(y[half + j], cos(z), tolerance(cos(z)));
  }
}

static void three_coordinates(void) {
  fc_ctx          *c        = check_ctx();
  fc_tensor       *coord[3] = {grid(c, 7), grid(c, 4), grid(c, 5)}, *B = frequencies(c, 3, 9);
  const fc_tensor *y = fc_fourier_code(c, 3, coord, B);

  CHECK(y->ndim == 4 && y->dim[0] == 7 && y->dim[1] == 4 && y->dim[2] == 5 && y->dim[3] == 18);
  for (int64_t r = 0; r < 140; r++) {
    const fc_real p[3] = {coord[0]->x[r / 20], coord[1]->x[r / 5 % 4], coord[2]->x[r % 5]};
    check_point(y->x + r * 18, p, B);
  }
}

static void one_and_two_coordinates(void) {
  fc_ctx    *c        = check_ctx();
  fc_tensor *coord[2] = {grid(c, 33), grid(c, 18)}, *B1 = frequencies(c, 1, 16), *B2 = frequencies(c, 2, 16);
  const fc_tensor *one = fc_fourier_code(c, 1, coord, B1), *two = fc_fourier_code(c, 2, coord, B2);

  for (int64_t i = 0; i < 33; i++) check_point(one->x + i * 32, &coord[0]->x[i], B1);
  for (int64_t i = 0; i < 33; i++)
    for (int64_t j = 0; j < 18; j++) {
      const fc_real p[2] = {coord[0]->x[i], coord[1]->x[j]};
      check_point(two->x + (i * 18 + j) * 32, p, B2);
    }
}

static void threads_do_not_matter(void) {
  fc_ctx    *c        = check_ctx();
  fc_tensor *coord[2] = {grid(c, 33), grid(c, 40)}, *B = frequencies(c, 2, 24);

  fc_threads_set(1);
  const fc_tensor *one = fc_fourier_code(c, 2, coord, B);
  fc_threads_set(3);
  const fc_tensor *three = fc_fourier_code(c, 2, coord, B);
  fc_threads_set(1);
  CHECK(!memcmp(one->x, three->x, (size_t)fc_len(one) * sizeof(fc_real)));
}

static void a_constant_without_node(void) {
  fc_ctx    *c        = check_ctx();
  fc_tensor *coord[1] = {grid(c, 5)}, *B = frequencies(c, 1, 2);

  c->grad      = true;
  fc_tensor *y = fc_fourier_code(c, 1, coord, B);
  CHECK(!y->needs_grad && !c->tape);
}

CHECK_SUITE(fourier_code, three_coordinates, one_and_two_coordinates, threads_do_not_matter,
            a_constant_without_node)
