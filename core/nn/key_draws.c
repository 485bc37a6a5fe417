/* core/nn/key_draws.c */
#include "core/nn/key_draws.h"

enum { AT_ONCE = 64 }; /* counters, each for four numbers */

void fc_key_draws_start(fc_key_draws *d, const fc_ctx *c, fc_draw_kind kind, uint64_t seed) {
  const uint64_t pass = c->training ? c->step + 1 : 0;

  if (c->training) seed += c->seed;
  d->kind  = kind;
  d->rng   = (fc_rng){seed, pass, FC_RNG_KEYS};
  d->calls = 0;
  if (kind == FC_DRAW_TORCH) fc_mersenne_seed(&d->torch, seed + pass);
}

/* the high half of word times keys: each key as often as any other but for 2^-32 keys */
static void by_counter(const fc_key_draws *d, fc_real *x, int64_t n, int64_t keys) {
  uint32_t word[4 * AT_ONCE];

  for (int64_t at = 0; at < n; at += 4 * AT_ONCE) {
    const int64_t len = fc_min64(4 * AT_ONCE, n - at);
    fc_rng_words(&d->rng, d->calls << 40 | (uint64_t)(at / 4), fc_ceil_div(len, 4), word);
    for (int64_t i = 0; i < len; i++) x[at + i] = (fc_real)((uint64_t)word[i] * (uint64_t)keys >> 32);
  }
}

fc_tensor *fc_key_draws_next(fc_ctx *c, fc_key_draws *d, int64_t queries, int64_t samples, int64_t keys) {
  fc_tensor    *t = fc_tensor_new(c->arena, FC_DIMS(queries, samples));
  const int64_t n = fc_len(t);

  if (!c->dry && d->kind == FC_DRAW_COUNTER) by_counter(d, t->x, n, keys);
  for (int64_t i = 0; !c->dry && d->kind == FC_DRAW_TORCH && i < n; i++)
    t->x[i] = (fc_real)(fc_mersenne_next(&d->torch) % (uint32_t)keys);
  d->calls++;
  return t;
}
