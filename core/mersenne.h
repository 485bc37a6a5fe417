/* core/mersenne.h - the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998), which PyTorch draws from on
   processors. For whoever must repeat the draws of an official run; all else takes core/rng.h, which needs no
   state. */
#ifndef FC_MERSENNE_H
#define FC_MERSENNE_H
#include "core/base.h"

enum { FC_MERSENNE_WORDS = 624 };
typedef struct fc_mersenne {
  uint32_t word[FC_MERSENNE_WORDS];
  int      next; /* words of this turn that were given out */
} fc_mersenne;

/* as torch.manual_seed: the low 32 bits of the seed count */
void     fc_mersenne_seed(fc_mersenne *m, uint64_t seed);
uint32_t fc_mersenne_next(fc_mersenne *m);
#endif
