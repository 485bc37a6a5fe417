/* core/nn/key_draws.h - the keys that ProbSparse attention tries: tables of random whole numbers, one for
   each call of a pass, one after the other. */
#ifndef FC_KEY_DRAWS_H
#define FC_KEY_DRAWS_H
#include "core/mersenne.h"
#include "core/rng.h"
#include "core/tape.h"

/* counter: numbers are a function of (seed, pass, call, place); torch: the stream of torch.manual_seed(seed +
   pass) followed by torch.randint(keys, (queries, samples)) for each call, nothing drawn between. pass is 0
   outside training, so that the same input gives the same answer, and the number of the step, from 1 on, in
   it: ranks and threads play no part. */
typedef enum { FC_DRAW_COUNTER, FC_DRAW_TORCH } fc_draw_kind;
#define FC_DRAW_CHOICES "counter|torch"

typedef struct fc_key_draws {
  fc_draw_kind kind;
  fc_rng       rng;
  uint64_t     calls;
  fc_mersenne  torch;
} fc_key_draws;

/* at the beginning of a pass; in training the run's own seed is added to this one */
void fc_key_draws_start(fc_key_draws *d, const fc_ctx *c, fc_draw_kind kind, uint64_t seed);
/* [queries, samples] numbers below keys */
fc_tensor *fc_key_draws_next(fc_ctx *c, fc_key_draws *d, int64_t queries, int64_t samples, int64_t keys);
#endif
