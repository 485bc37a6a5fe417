/* tests/core/op_fft.c - rfft and irfft against the sums that define them, their symmetries, and their
 * adjoints. */
#include "tests/check.h"

#define EPS (sizeof(fc_real) == 8 ? 2.2e-16 : 1.2e-7)

static fc_tensor *rfft_1(fc_ctx *c, fc_tensor **in) { return fc_rfft(c, in[0], 1, FC_FFT_BACKWARD); }
static fc_tensor *rfft_2(fc_ctx *c, fc_tensor **in) { return fc_rfft(c, in[0], 2, FC_FFT_ORTHO); }
static fc_tensor *rfft_3(fc_ctx *c, fc_tensor **in) { return fc_rfft(c, in[0], 3, FC_FFT_FORWARD); }

/* the length of the last axis is not in the shape of the modes: one function per parity */
static fc_tensor *irfft_1_even(fc_ctx *c, fc_tensor **in) {
  return fc_irfft(c, in[0], 1, 2 * (in[0]->dim[in[0]->ndim - 2] - 1), FC_FFT_FORWARD);
}
static fc_tensor *irfft_1_odd(fc_ctx *c, fc_tensor **in) {
  return fc_irfft(c, in[0], 1, 2 * in[0]->dim[in[0]->ndim - 2] - 1, FC_FFT_BACKWARD);
}
static fc_tensor *irfft_2_even(fc_ctx *c, fc_tensor **in) {
  return fc_irfft(c, in[0], 2, 2 * (in[0]->dim[in[0]->ndim - 2] - 1), FC_FFT_ORTHO);
}
static fc_tensor *irfft_3_odd(fc_ctx *c, fc_tensor **in) {
  return fc_irfft(c, in[0], 3, 2 * in[0]->dim[in[0]->ndim - 2] - 1, FC_FFT_BACKWARD);
}

static void rfft_gradient(void) {
  check_op("rfft_1_even", rfft_1, CHECK_INS({2, {3, 8}}), 0, 0);
  check_op("rfft_1_odd", rfft_1, CHECK_INS({3, {2, 3, 15}}), 0, 0);
  check_op("rfft_1_short", rfft_1, CHECK_INS({2, {5, 2}}), 0, 0);
  check_op("rfft_1_single", rfft_1, CHECK_INS({2, {5, 1}}), 0, 0);
  check_op("rfft_1_blocks", rfft_1, CHECK_INS({2, {700, 49}}), 0,
           0); /* three FFTW calls, the last one shorter */
  check_op("rfft_2_even", rfft_2, CHECK_INS({3, {3, 6, 10}}), 0, 0);
  check_op("rfft_2_odd", rfft_2, CHECK_INS({4, {2, 2, 5, 7}}), 0, 0);
  check_op("rfft_2_large", rfft_2, CHECK_INS({3, {3, 65, 129}}), 0, 0); /* one call each, off the alignment */
  check_op("rfft_3", rfft_3, CHECK_INS({4, {2, 4, 3, 6}}), 0, 0);
  check_op("rfft_3_odd", rfft_3, CHECK_INS({3, {3, 5, 7}}), 0, 0);
}

/* random half spectra: they do not belong to real fields, and the adjoint must know what irfft ignores */
static void irfft_gradient(void) {
  check_op("irfft_1_even", irfft_1_even, CHECK_INS({3, {3, 5, 2}}), 0, 0);
  check_op("irfft_1_odd", irfft_1_odd, CHECK_INS({4, {2, 3, 8, 2}}), 0, 0);
  check_op("irfft_1_short", irfft_1_even, CHECK_INS({3, {3, 2, 2}}), 0, 0);
  check_op("irfft_1_single", irfft_1_odd, CHECK_INS({3, {3, 1, 2}}), 0, 0);
  check_op("irfft_1_blocks", irfft_1_odd, CHECK_INS({3, {700, 25, 2}}), 0, 0);
  check_op("irfft_2_even", irfft_2_even, CHECK_INS({4, {3, 6, 6, 2}}), 0, 0);
  check_op("irfft_2_large", irfft_2_even, CHECK_INS({4, {3, 65, 66, 2}}), 0, 0);
  check_op("irfft_3_odd", irfft_3_odd, CHECK_INS({5, {2, 4, 3, 4, 2}}), 0, 0);
}

/* ---- the defining sums, for one array of 3 axes (leading ones may be 1) ---- */

static double angle(const int64_t *n, const int64_t *k, const int64_t *x) {
  double turns = 0;

  for (int a = 0; a < 3; a++) turns += (double)(k[a] * x[a] % n[a]) / (double)n[a];
  return 2 * M_PI * turns;
}

static void split(const int64_t *n, int64_t at, int64_t *i) {
  for (int a = 2; a >= 0; a--) i[a] = at % n[a], at /= n[a];
}

static void sum_to_mode(const fc_real *x, const int64_t *n, const int64_t *k, double z[2]) {
  int64_t i[3];

  z[0] = z[1] = 0;
  for (int64_t p = 0; p < n[0] * n[1] * n[2]; p++) {
    split(n, p, i);
    z[0] += (double)x[p] * cos(angle(n, k, i));
    z[1] -= (double)x[p] * sin(angle(n, k, i));
  }
}

static double sum_to_point(const fc_real *z, const int64_t *n, const int64_t *i) {
  const int64_t half[3] = {n[0], n[1], n[2] / 2 + 1};
  double        x       = 0;

  for (int64_t m = 0; m < half[0] * half[1] * half[2]; m++) {
    int64_t k[3];
    split(half, m, k);
    const double w = k[2] == 0 || 2 * k[2] == n[2] ? 1 : 2, t = angle(n, k, i);
    x += w * ((double)z[2 * m] * cos(t) - (double)z[2 * m + 1] * sin(t));
  }
  return x;
}

/* small ones, powers of two, and large primes, for which FFTW has other algorithms */
static const int64_t sizes[][3] = {{1, 1, 1},   {1, 1, 2},   {1, 1, 9},   {1, 1, 16}, {1, 1, 22}, {1, 1, 173},
                                   {1, 1, 256}, {1, 1, 346}, {1, 1, 360}, {1, 6, 8},  {1, 5, 7},  {1, 12, 3},
                                   {1, 17, 62}, {4, 6, 8},   {5, 3, 7},   {2, 3, 64}};

static int space_axes(const int64_t *n) { return n[0] > 1 ? 3 : n[1] > 1 ? 2 : 1; }

static void modes_are_the_defining_sums(void) {
  for (int s = 0; s < FC_COUNT(sizes); s++) {
    const int64_t   *n = sizes[s], points = n[0] * n[1] * n[2], half[3] = {n[0], n[1], n[2] / 2 + 1};
    const int64_t    modes = half[0] * half[1] * half[2];
    fc_ctx          *c     = check_ctx();
    fc_tensor       *x     = check_random(c, FC_DIMS(5, n[0], n[1], n[2]));
    const fc_tensor *z     = fc_rfft(c, x, space_axes(n), FC_FFT_BACKWARD);
    const double     tol   = 20 * EPS * (double)points; /* rounding grows slower than the sum of |x| */
    CHECK(z->ndim == 5 && z->dim[3] == half[2] && z->dim[4] == 2);
    for (int64_t m = 0; m < modes; m++) {
      int64_t k[3];
      double  want[2];
      split(half, m, k);
      sum_to_mode(x->x + 4 * points, n, k, want); /* the last of the batch */
      CHECK_NEAR(z->x[2 * (4 * modes + m)], want[0], tol);
      CHECK_NEAR(z->x[2 * (4 * modes + m) + 1], want[1], tol);
    }
  }
}

/* Random modes, so that the self-conjugate ones have imaginary parts that must be ignored. */
static void points_are_the_defining_sums(void) {
  for (int s = 0; s < FC_COUNT(sizes); s++) {
    const int64_t   *n = sizes[s], points = n[0] * n[1] * n[2], modes = n[0] * n[1] * (n[2] / 2 + 1);
    fc_ctx          *c = check_ctx();
    fc_tensor       *z = check_random(c, FC_DIMS(5, n[0], n[1], n[2] / 2 + 1, 2));
    const fc_tensor *x = fc_irfft(c, z, space_axes(n), n[2], FC_FFT_FORWARD);
    for (int64_t p = 0; p < points; p++) {
      int64_t i[3];
      split(n, p, i);
      CHECK_NEAR(x->x[4 * points + p], sum_to_point(z->x + 8 * modes, n, i), 20 * EPS * (double)points);
    }
  }
}

static void there_and_back(void) {
  static const fc_fft_norm norms[] = {FC_FFT_BACKWARD, FC_FFT_ORTHO, FC_FFT_FORWARD};

  for (int s = 0; s < FC_COUNT(sizes); s++)
    for (int i = 0; i < 3; i++) {
      const int64_t *n = sizes[s];
      fc_ctx        *c = check_ctx();
      fc_tensor     *x = check_random(c, FC_DIMS(3, n[0], n[1], n[2]));
      fc_tensor     *y = fc_irfft(c, fc_rfft(c, x, space_axes(n), norms[i]), space_axes(n), n[2], norms[i]);
      CHECK(check_distance(y, x) <= 20 * EPS);
    }
}

/* Parseval in the orthonormal convention: the energy is that of the modes, those kept for two counted twice.
 */
static void energy_is_kept(void) {
  for (int64_t n = 15; n <= 16; n++) {
    fc_ctx          *c     = check_ctx();
    fc_tensor       *x     = check_random(c, FC_DIMS(12, n));
    const fc_tensor *z     = fc_rfft(c, x, 2, FC_FFT_ORTHO);
    double           space = 0, spectrum = 0;
    for (int64_t i = 0; i < 12 * n; i++) space += (double)x->x[i] * (double)x->x[i];
    for (int64_t m = 0; m < fc_len(z) / 2; m++) {
      const int64_t k = m % (n / 2 + 1);
      const double  w = k == 0 || 2 * k == n ? 1 : 2;
      spectrum +=
          w * ((double)z->x[2 * m] * (double)z->x[2 * m] + (double)z->x[2 * m + 1] * (double)z->x[2 * m + 1]);
    }
    CHECK_NEAR(spectrum / space, 1, 20 * EPS);
  }
}

static void an_impulse_has_a_flat_spectrum(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = fc_tensor_new(c->arena, FC_DIMS(6, 9));

  memset(x->x, 0, 54 * sizeof(fc_real));
  x->x[0]            = 1;
  const fc_tensor *z = fc_rfft(c, x, 2, FC_FFT_BACKWARD);
  for (int64_t m = 0; m < 30; m++) {
    CHECK_NEAR(z->x[2 * m], 1, 4 * EPS);
    CHECK_NEAR(z->x[2 * m + 1], 0, 4 * EPS);
  }
}

/* y[n] = x[n - 2] has the modes z_k exp(-2 pi i 2 k / N) */
static void a_shift_turns_the_phases(void) {
  enum { N = 18, SHIFT = 2 };
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(N)), *y = fc_tensor_new(c->arena, FC_DIMS(N));

  for (int64_t i = 0; i < N; i++) y->x[(i + SHIFT) % N] = x->x[i];
  const fc_tensor *z = fc_rfft(c, x, 1, FC_FFT_BACKWARD), *moved = fc_rfft(c, y, 1, FC_FFT_BACKWARD);
  for (int64_t k = 0; k <= N / 2; k++) {
    const double t = -2 * M_PI * SHIFT * (double)k / N, re = (double)z->x[2 * k],
                 im = (double)z->x[2 * k + 1];
    CHECK_NEAR(moved->x[2 * k], re * cos(t) - im * sin(t), 60 * EPS);
    CHECK_NEAR(moved->x[2 * k + 1], im * cos(t) + re * sin(t), 60 * EPS);
  }
}

static void inputs_are_kept(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *z = check_random(c, FC_DIMS(3, 6, 5, 2)), *copy = fc_tensor_new(c->arena, 4, z->dim);

  memcpy(copy->x, z->x, (size_t)fc_len(z) * sizeof(fc_real));
  fc_irfft(c, z, 2, 8, FC_FFT_BACKWARD); /* FFTW's own inverse overwrites its input */
  CHECK(!memcmp(copy->x, z->x, (size_t)fc_len(z) * sizeof(fc_real)));
}

CHECK_SUITE(fft, rfft_gradient, irfft_gradient, modes_are_the_defining_sums, points_are_the_defining_sums,
            there_and_back, energy_is_kept, an_impulse_has_a_flat_spectrum, a_shift_turns_the_phases,
            inputs_are_kept)
