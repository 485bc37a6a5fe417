/* core/rng.c */
#include "core/rng.h"

#include "core/parallel.h"
#include "core/vmath.h"

/* inline, so that a loop over counters becomes vector code */
static inline void philox(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t k0, uint32_t k1,
                          uint32_t *restrict out) {
#pragma GCC        unroll 10
  for (int round = 0; round < 10; round++) {
           const uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
           c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
           c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
           c1 = (uint32_t)b;
           c3 = (uint32_t)a;
           k0 += 0x9E3779B9u;
           k1 += 0xBB67AE85u;
  }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

void fc_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  philox(counter[0], counter[1], counter[2], counter[3], key[0], key[1], out);
}

/* 128 bits for (sample, index); the purpose is folded into the key, high bits of index into the counter */
static inline void words(const fc_rng *r, uint64_t index, uint32_t *restrict out) {
  philox((uint32_t)index, (uint32_t)(index >> 32), (uint32_t)r->sample, (uint32_t)(r->sample >> 32),
         (uint32_t)r->seed, (uint32_t)(r->seed >> 32) ^ (r->purpose << 24), out);
}

FC_SIMD static void words_span(const fc_rng *r, uint64_t first, int64_t n, uint32_t *restrict out) {
  const fc_rng rng = *r;

  for (int64_t i = 0; i < n; i++) words(&rng, first + (uint64_t)i, out + 4 * i);
}

void fc_rng_words(const fc_rng *r, uint64_t first, int64_t n, uint32_t *out) { words_span(r, first, n, out); }

static double unit(uint32_t high, uint32_t low) {
  const uint64_t bits = ((uint64_t)high << 32 | low) >> 11;

  return ((double)bits + 0.5) * 0x1p-53;
}

double fc_rng_uniform(const fc_rng *r, uint64_t index) {
  uint32_t w[4];

  words(r, index, w);
  return unit(w[0], w[1]);
}

double fc_rng_normal(const fc_rng *r, uint64_t index) {
  uint32_t w[4];

  words(r, index, w);
  return sqrt(-2 * log(unit(w[0], w[1]))) * cos(6.283185307179586 * unit(w[2], w[3]));
}

void fc_rng_normals(const fc_rng *r, uint64_t first, int64_t n, fc_real *x) {
  FC_FOR_ROWS(i, n, 8) x[i] = (fc_real)fc_rng_normal(r, first + (uint64_t)i);
}

void fc_rng_uniforms(const fc_rng *r, uint64_t first, int64_t n, fc_real lo, fc_real hi, fc_real *x) {
  FC_FOR_ROWS(i, n, 8) x[i] = (fc_real)(lo + (hi - lo) * fc_rng_uniform(r, first + (uint64_t)i));
}

void fc_rng_permutation(const fc_rng *r, int64_t n, int64_t *p) {
  for (int64_t i = 0; i < n; i++) p[i] = i;
  for (int64_t i = n - 1; i > 0; i--) {
    const int64_t j    = (int64_t)(fc_rng_uniform(r, (uint64_t)i) * (double)(i + 1));
    const int64_t keep = p[i];
    p[i]               = p[j];
    p[j]               = keep;
  }
}
