/* core/mersenne.c - a shift register of 624 words over GF(2); each turn makes all of them anew. */
#include "core/mersenne.h"

enum { N = FC_MERSENNE_WORDS, MIDDLE = 397 };

void fc_mersenne_seed(fc_mersenne *m, uint64_t seed) {
  m->word[0] = (uint32_t)seed;
  for (uint32_t i = 1; i < N; i++) {
    const uint32_t last = m->word[i - 1];
    m->word[i]          = 1812433253u * (last ^ last >> 30) + i;
  }
  m->next = N;
}

/* word i becomes word i + 397 plus the twisted join of words i and i + 1 */
static void turn(fc_mersenne *m) {
  for (int i = 0; i < N; i++) {
    const uint32_t joined = (m->word[i] & 0x80000000u) | (m->word[(i + 1) % N] & 0x7fffffffu);
    m->word[i]            = m->word[(i + MIDDLE) % N] ^ joined >> 1 ^ (joined & 1 ? 0x9908b0dfu : 0);
  }
  m->next = 0;
}

uint32_t fc_mersenne_next(fc_mersenne *m) {
  if (m->next == N) turn(m);
  uint32_t x = m->word[m->next++];
  x ^= x >> 11;
  x ^= x << 7 & 0x9d2c5680u;
  x ^= x << 15 & 0xefc60000u;
  return x ^ x >> 18;
}
