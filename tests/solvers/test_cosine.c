/* tests/solvers/test_cosine.c - solvers/cosine.h against the sums written out, for lines in all positions. */
#include "solvers/cosine.h"
#include "solvers/fft2.h"
#include "tests/check.h"

static const int64_t shapes[][3] = {{1, 4, 1},   {5, 4, 1},   {40, 9, 1},   {3, 6, 7}, {1, 7, 33},
                                    {2, 64, 16}, {1, 30, 18}, {17, 128, 1}, {2, 1, 5}, {1, 2, 3}};

static double *numbers(int64_t n) {
  const fc_rng r = {n, 1, FC_RNG_TEST};
  double      *x = fc_fft2_alloc(n);

  for (int64_t i = 0; i < n; i++) x[i] = fc_rng_normal(&r, (uint64_t)i);
  return x;
}

/* number k of a line whose numbers lie `step` apart */
static double cosine_sum(const double *x, int64_t n, int64_t step, int64_t k, bool forward) {
  double sum = forward ? 0 : x[0];

  for (int64_t j = !forward; j < n; j++)
    sum +=
        2 * x[j * step] * cos(M_PI * (double)(forward ? k * (2 * j + 1) : j * (2 * k + 1)) / (double)(2 * n));
  return sum;
}

static double off(const int64_t *dim, bool forward) {
  const int64_t n = dim[1], inner = dim[2], size = dim[0] * n * inner;
  double       *x = numbers(size), *y = numbers(size), *work = fc_fft2_alloc(fc_cosine_work(n)), worst = 0;
  fc_cosine    *c;

  CHECK_OK(fc_cosine_create(n, false, &c));
  (forward ? fc_cosine_forward : fc_cosine_inverse)(c, dim[0], inner, y, work);
  for (int64_t o = 0; o < dim[0]; o++)
    for (int64_t i = 0; i < inner; i++)
      for (int64_t k = 0; k < n; k++) {
        const int64_t at = o * n * inner + i;
        worst            = fmax(worst, fabs(y[at + k * inner] - cosine_sum(x + at, n, inner, k, forward)));
      }
  fc_cosine_destroy(c);
  free(x), free(y), free(work);
  return worst;
}

/* sums of up to 128 normal numbers: 1e-14 is their rounding */
static void transforms_are_their_sums(void) {
  for (int i = 0; i < FC_COUNT(shapes); i++) {
    CHECK(off(shapes[i], true) < 1e-12);
    CHECK(off(shapes[i], false) < 1e-12);
  }
}

static void there_and_back(void) {
  for (int i = 0; i < FC_COUNT(shapes); i++) {
    const int64_t *d = shapes[i], size = d[0] * d[1] * d[2];
    double    *x = numbers(size), *y = numbers(size), *work = fc_fft2_alloc(fc_cosine_work(d[1])), worst = 0;
    fc_cosine *c;
    CHECK_OK(fc_cosine_create(d[1], false, &c));
    fc_cosine_forward(c, d[0], d[2], y, work);
    fc_cosine_inverse(c, d[0], d[2], y, work);
    for (int64_t k = 0; k < size; k++) worst = fmax(worst, fabs(y[k] / (double)(2 * d[1]) - x[k]));
    CHECK(worst < 1e-14);
    fc_cosine_destroy(c);
    free(x), free(y), free(work);
  }
}

static void bits_do_not_depend_on_threads(void) {
  const int  before = fc_threads();
  double    *one = numbers(20 * 64 * 50), *more, *work = fc_fft2_alloc(fc_cosine_work(64));
  fc_cosine *c;

  CHECK_OK(fc_cosine_create(64, false, &c));
  fc_threads_set(1);
  fc_cosine_forward(c, 20, 50, one, work);
  for (int n = 2; n <= 3; n++) {
    fc_threads_set(n);
    more = numbers(20 * 64 * 50);
    fc_cosine_forward(c, 20, 50, more, work);
    CHECK(!memcmp(one, more, 20 * 64 * 50 * sizeof *one));
    free(more);
  }
  fc_threads_set(before);
  fc_cosine_destroy(c);
  free(one), free(work);
}

CHECK_SUITE(cosine, transforms_are_their_sums, there_and_back, bits_do_not_depend_on_threads)
