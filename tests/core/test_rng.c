/* tests/core/test_rng.c */
#include "tests/check.h"

/* Random123's known answers for Philox 4x32-10: zeros, ones, digits of pi */
static void known_answers(void) {
  const uint32_t ones = 0xffffffff;
  const struct {
    uint32_t counter[4], key[2], out[4];
  } known[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{ones, ones, ones, ones}, {ones, ones}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };

  for (int i = 0; i < FC_COUNT(known); i++) {
    uint32_t out[4];
    fc_philox(known[i].counter, known[i].key, out);
    CHECK(memcmp(out, known[i].out, sizeof out) == 0);
  }
}

/* Every argument matters, also the high words. */
static void streams_differ(void) {
  const fc_rng base    = {1, 2, FC_RNG_TEST};
  const fc_rng other[] = {{2, 2, FC_RNG_TEST},
                          {1, 3, FC_RNG_TEST},
                          {1, 2, FC_RNG_NOISE},
                          {1ull << 32 | 1, 2, FC_RNG_TEST},
                          {1, 1ull << 32 | 2, FC_RNG_TEST}};
  const double u       = fc_rng_uniform(&base, 9);

  CHECK(fc_rng_uniform(&base, 9) == u);
  CHECK(fc_rng_uniform(&base, 10) != u);
  CHECK(fc_rng_uniform(&base, 1ull << 32 | 9) != u);
  for (int i = 0; i < FC_COUNT(other); i++) CHECK(fc_rng_uniform(&other[i], 9) != u);
}

/* five standard errors around the moments of U(0,1) and N(0,1) */
static void moments(void) {
  enum { N = 200000 };
  const fc_rng r  = {3, 0, FC_RNG_TEST};
  double       u1 = 0, u2 = 0, z1 = 0, z2 = 0, z4 = 0;

  for (uint64_t i = 0; i < N; i++) {
    const double u = fc_rng_uniform(&r, i), z = fc_rng_normal(&r, i);
    if (!(u > 0 && u < 1)) CHECK(u > 0 && u < 1);
    u1 += u / N, u2 += (u - 0.5) * (u - 0.5) / N;
    z1 += z / N, z2 += z * z / N, z4 += z * z * z * z / N;
  }
  CHECK_NEAR(u1, 0.5, 5 * sqrt(1.0 / 12 / N));
  CHECK_NEAR(u2, 1.0 / 12, 5 * sqrt(1.0 / 180 / N));
  CHECK_NEAR(z1, 0, 5 * sqrt(1.0 / N));
  CHECK_NEAR(z2, 1, 5 * sqrt(2.0 / N));
  CHECK_NEAR(z4, 3, 5 * sqrt(96.0 / N));
}

/* a range is the same numbers one by one, wherever it begins and whoever computes it */
static void ranges(void) {
  enum { N = 20000 };
  const fc_rng r = {4, 7, FC_RNG_TEST};
  fc_ctx      *c = check_ctx();
  fc_tensor   *a = fc_tensor_new(c->arena, FC_DIMS(N)), *b = fc_tensor_new(c->arena, FC_DIMS(N));
  int64_t      wrong = 0, outside = 0;

  fc_rng_normals(&r, 100, N, a->x);
  fc_threads_set(3);
  fc_rng_normals(&r, 100, N, b->x);
  fc_threads_set(1);
  CHECK(memcmp(a->x, b->x, N * sizeof *a->x) == 0);
  for (uint64_t i = 0; i < N; i++) wrong += a->x[i] != (fc_real)fc_rng_normal(&r, 100 + i);
  CHECK(wrong == 0);
  fc_rng_uniforms(&r, 0, N, -3, 5, b->x);
  for (int64_t i = 0; i < N; i++) outside += b->x[i] < -3 || b->x[i] > 5;
  CHECK(outside == 0);
}

/* the vector code gives the scalar code's words, also where the low half of the counter overflows */
static void words_in_bulk(void) {
  enum { N = 53 };
  const fc_rng   r     = {6, 1ull << 40 | 3, FC_RNG_TEST};
  const uint64_t first = (1ull << 32) - 20;
  uint32_t       w[4 * N];

  fc_rng_words(&r, first, N, w);
  for (uint64_t i = 0; i < N; i++) {
    const uint64_t bits = ((uint64_t)w[4 * i] << 32 | w[4 * i + 1]) >> 11;
    CHECK_NEAR(fc_rng_uniform(&r, first + i), ((double)bits + 0.5) * 0x1p-53, 0);
  }
}

static void permutations(void) {
  enum { N = 1000 };
  int64_t p[N], q[N], fixed = 0, missing = N;
  bool    seen[N] = {false};

  fc_rng_permutation(&(fc_rng){5, 0, FC_RNG_SHUFFLE}, N, p);
  fc_rng_permutation(&(fc_rng){5, 1, FC_RNG_SHUFFLE}, N, q);
  for (int i = 0; i < N; i++) {
    fixed += p[i] == i;
    missing -= !seen[p[i]];
    seen[p[i]] = true;
  }
  CHECK(missing == 0);
  CHECK(fixed < 10); /* Poisson with mean 1: ten or more has probability 1e-7 */
  CHECK(memcmp(p, q, sizeof p) != 0);
  fc_rng_permutation(&(fc_rng){5, 0, FC_RNG_SHUFFLE}, 1, p);
  CHECK(p[0] == 0);
}

CHECK_SUITE(rng, known_answers, streams_differ, moments, ranges, words_in_bulk, permutations)
