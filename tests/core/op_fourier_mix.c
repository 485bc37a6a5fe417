/* tests/core/op_fourier_mix.c - Fourier mixing against the sum that defines it, its square, its adjoint. */
#include "tests/check.h"

#define EPS (sizeof(fc_real) == 8 ? 2.2e-16 : 1.2e-7)

static fc_tensor *mix(fc_ctx *c, fc_tensor **in) { return fc_fourier_mix(c, in[0], 0.1); }
/* one rank has the whole first axis; several: tests/hpc/ranks_models.c */
static fc_tensor *mix_whole(fc_ctx *c, fc_tensor **in) {
  return fc_fourier_mix_shared(c, in[0], (fc_cut){in[0]->dim[1], 1}, 0.1);
}

static void gradient(void) {
  check_op("fourier_mix_1", mix, CHECK_INS({3, {3, 16, 8}}), 0, 0);
  check_op("fourier_mix_1_odd", mix, CHECK_INS({3, {2, 21, 7}}), 0, 0);
  check_op("fourier_mix_1_channel", mix, CHECK_INS({3, {2, 9, 1}}), 0, 0);
  check_op("fourier_mix_2", mix, CHECK_INS({4, {3, 6, 10, 5}}), 0, 0);
  check_op("fourier_mix_2_wide", mix, CHECK_INS({4, {2, 24, 65, 12}}), 0, 0);
  check_op("fourier_mix_2_groups", mix, CHECK_INS({4, {4, 64, 64, 64}}), 0, 0);
  check_op("fourier_mix_3", mix, CHECK_INS({5, {2, 4, 3, 6, 6}}), 0, 0);
  check_op("fourier_mix_3_odd", mix_whole, CHECK_INS({5, {1, 3, 5, 1, 9}}), 0, 0);
}

static const int64_t sizes[][4] = {{1, 1, 6, 4}, {1, 1, 7, 5}, {1, 1, 1, 3}, {1, 4, 6, 3},
                                   {1, 5, 3, 8}, {2, 3, 4, 6}, {3, 2, 5, 2}};

static fc_tensor *field(fc_ctx *c, const int64_t *n, int64_t B) {
  const int axes   = n[0] > 1 ? 3 : n[1] > 1 ? 2 : 1;
  int64_t   dim[5] = {B};

  for (int a = 0; a < axes + 1; a++) dim[1 + a] = n[3 - axes + a];
  return check_random(c, axes + 2, dim);
}

static void split(const int64_t *n, int64_t at, int64_t *i) {
  for (int a = 3; a >= 0; a--) i[a] = at % n[a], at /= n[a];
}

static void is_the_defining_sum(void) {
  for (int s = 0; s < FC_COUNT(sizes); s++) {
    fc_ctx          *c = check_ctx();
    const int64_t   *n = sizes[s], len = n[0] * n[1] * n[2] * n[3];
    fc_tensor       *x = field(c, n, 2);
    const fc_tensor *y = fc_fourier_mix(c, x, 0.5);
    for (int64_t p = 0; p < len; p++) {
      double  want = 0;
      int64_t k[4], i[4];
      split(n, p, k);
      for (int64_t q = 0; q < len; q++) {
        double turns = 0;
        split(n, q, i);
        for (int a = 0; a < 4; a++) turns += (double)(k[a] * i[a] % n[a]) / (double)n[a];
        want += 0.5 * (double)x->x[len + q] * cos(2 * M_PI * turns);
      }
      CHECK_NEAR(y->x[len + p], want, 20 * EPS * sqrt((double)len));
    }
  }
}

/* M M x = N C (x(i, j) + x(-i, -j)) / 2 */
static void square_is_reflection(void) {
  for (int s = 0; s < FC_COUNT(sizes); s++) {
    fc_ctx        *c = check_ctx();
    const int64_t *n = sizes[s], len = n[0] * n[1] * n[2] * n[3];
    fc_tensor     *x = field(c, n, 1), *y = fc_fourier_mix(c, fc_fourier_mix(c, x, 1), 1);
    for (int64_t p = 0; p < len; p++) {
      int64_t i[4], at = 0;
      split(n, p, i);
      for (int a = 0; a < 4; a++) at = at * n[a] + (n[a] - i[a]) % n[a];
      const double want = (double)len * ((double)x->x[p] + (double)x->x[at]) / 2;
      CHECK_NEAR(y->x[p], want, 20 * EPS * (double)len);
    }
  }
}

CHECK_SUITE(fourier_mix, gradient, is_the_defining_sum, square_is_reflection)
