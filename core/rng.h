/* core/rng.h - counter-based random numbers: Philox 4x32-10 (Salmon et al., SC11).
   A number is a function of (seed, purpose, sample, index) alone, so it is the same
   for any number of ranks and threads, and resuming needs no state. */
#ifndef FC_RNG_H
#define FC_RNG_H
#include "core/base.h"

/* one per use; the values are part of the file formats: append only */
typedef enum {
  FC_RNG_WEIGHTS = 1, /* sample: tensor number, index: element */
  FC_RNG_SHUFFLE = 2, /* sample: epoch */
  FC_RNG_NOISE   = 3, /* sample: optimiser step */
  FC_RNG_DROPOUT = 4,
  FC_RNG_FIELD   = 5, /* initial fields of solvers; sample: trajectory */
  FC_RNG_TEST    = 6,
  FC_RNG_FLOW    = 7, /* flow matching; sample: pass or call, index: noise, then times */
  FC_RNG_KEYS    = 8  /* of sparse attention; sample: pass, 0 outside training; index: call, place */
} fc_rng_purpose;

typedef struct fc_rng {
  uint64_t seed, sample;
  uint32_t purpose;
} fc_rng;

void fc_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);
/* the raw 128 bits of the numbers first .. first+n-1: out [n, 4] */
void   fc_rng_words(const fc_rng *r, uint64_t first, int64_t n, uint32_t *out);
double fc_rng_uniform(const fc_rng *r, uint64_t index); /* in (0,1), 53 bits */
double fc_rng_normal(const fc_rng *r, uint64_t index);  /* mean 0, variance 1; Box-Muller */
void   fc_rng_normals(const fc_rng *r, uint64_t first, int64_t n, fc_real *x);
void   fc_rng_uniforms(const fc_rng *r, uint64_t first, int64_t n, fc_real lo, fc_real hi, fc_real *x);
/* a permutation of 0..n-1 (Fisher-Yates) */
void fc_rng_permutation(const fc_rng *r, int64_t n, int64_t *p);
#endif
