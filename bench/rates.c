/* bench/rates.c */
#include "bench/rates.h"

#include "bench/process.h"
#include "core/gemm.h"
#include "core/parallel.h"

#include <stdlib.h>

enum { CHUNK = 1 << 14, FAR = 1 << 26, NEAR = 1 << 21, ROUNDS = 7 };

static fc_real *new_numbers(int64_t n) {
  fc_real *x = aligned_alloc(64, (size_t)n * sizeof *x);

  if (!x) return NULL;
  FC_FOR_ROWS(i, n / CHUNK, CHUNK)
  for (int64_t j = 0; j < CHUNK; j++) x[i * CHUNK + j] = (fc_real)(j % 7) * (fc_real)0.25 - 1;
  return x;
}

/* ---- memory ---- */

FC_SIMD static void triad_row(fc_real *restrict a, const fc_real *restrict b, const fc_real *restrict c,
                              fc_real s, int64_t n) {
  for (int64_t j = 0; j < n; j++) a[j] = b[j] + s * c[j];
}

static void triad(fc_real *a, const fc_real *b, const fc_real *c, int64_t n) {
  FC_FOR_ROWS(i, n / CHUNK, CHUNK) triad_row(a + i * CHUNK, b + i * CHUNK, c + i * CHUNK, 3, CHUNK);
}

/* GB/s of the fastest of ROUNDS sweeps, each repeated so that it takes some milliseconds */
static double triad_rate(fc_real *const *x, int64_t n) {
  const int64_t repeats = FAR / n;
  double        best    = 0;

  for (int r = 0; r < ROUNDS; r++) {
    const double start = bench_seconds();
    for (int64_t i = 0; i < repeats; i++) triad(x[0], x[1], x[2], n);
    const double rate = 3e-9 * sizeof(fc_real) * (double)(n * repeats) / (bench_seconds() - start);
    best              = rate > best ? rate : best;
  }
  return best;
}

/* ---- products ---- */

static const struct {
  int64_t m, n, k;
} shapes[] = {
    {1024, 1024, 1024}, {2048, 2048, 512}, {16384, 512, 128}, {4096, 256, 256}, {512, 512, 512},
};

/* one product split over the team, or (apart) one on each thread with a C of its own */
static double product_rate(int s, bool apart, fc_real *const *x) {
  const int64_t m = shapes[s].m, n = shapes[s].n, k = shapes[s].k, copies = apart ? fc_threads() : 1;
  const double  flop = 2.0 * (double)(m * n * k * copies);
  double        best = 0;

  if (copies * m * n > FAR) return 0;
  for (int r = 0; r < ROUNDS; r++) {
    const double start = bench_seconds();
    if (apart) FC_FOR_TASKS(t, copies, m * n * k)
    fc_gemm(false, false, m, n, k, 1, x[1], k, x[2], n, 0, x[0] + t * m * n, n);
    else fc_gemm_rows(false, false, m, n, k, 1, x[1], k, x[2], n, 0, x[0], n);
    const double rate = 1e-9 * flop / (bench_seconds() - start);
    best              = rate > best ? rate : best;
  }
  return best;
}

static double gemm_rate(fc_real *const *x) {
  const int ways = fc_threads() > 1 ? 2 : 1; /* split, apart */
  double    best = 0;

  for (int s = 0; s < FC_COUNT(shapes); s++)
    for (int apart = 0; apart < ways; apart++) {
      const double rate = product_rate(s, apart, x);
      best              = rate > best ? rate : best;
    }
  return best;
}

fc_status bench_rates_measure(bench_rates *out) {
  fc_real *x[3] = {new_numbers(FAR), new_numbers(FAR), new_numbers(FAR)};
  bool     good = x[0] && x[1] && x[2];

  if (good) *out = (bench_rates){gemm_rate(x), triad_rate(x, FAR), triad_rate(x, NEAR)};
  for (int i = 0; i < 3; i++) free(x[i]);
  FC_REQUIRE(good, FC_E_SYSTEM, "no memory for three arrays of %d MB to measure the machine's rates",
             (int)(FAR * sizeof(fc_real) >> 20));
  return FC_OK;
}
