/* solvers/cosine.h - cosine transforms along one axis of an array x[outer, n, inner], in place:
     forward  y_k = 2 sum_j x_j cos(pi k (2 j + 1) / 2n)            (kind II,  FFTW's REDFT10)
     inverse  x_j = y_0 + 2 sum_(k>0) y_k cos(pi k (2 j + 1) / 2n)  (kind III, FFTW's REDFT01)
   one after the other is a factor 2n. Two lines are the real and imaginary part of one complex line of n
   numbers, brought into an order in which their complex transform holds both results (J. Makhoul, IEEE Trans.
   Acoust. Speech Signal Process. 28 (1980)); eight of those stand side by side, for which FFTW has vector
   code. */
#ifndef FC_COSINE_H
#define FC_COSINE_H
#include "core/base.h"

typedef struct fc_cosine {
  int64_t             n;
  double             *turn; /* [n/2 + 1, 2] cos and sin of pi k / 2n */
  struct fftw_plan_s *forward, *inverse;
} fc_cosine;

/* measure lets FFTW time its candidates (solvers/fft2.h). FC_E_SYSTEM: no memory */
fc_status fc_cosine_create(int64_t n, bool measure, fc_cosine **out);
void      fc_cosine_destroy(fc_cosine *c); /* NULL is fine */
int64_t   fc_cosine_work(int64_t n);       /* doubles, from fc_fft2_alloc, that a transform uses */

/* Threads share the lines; the bits do not depend on their number. */
void fc_cosine_forward(const fc_cosine *c, int64_t outer, int64_t inner, double *x, double *work);
void fc_cosine_inverse(const fc_cosine *c, int64_t outer, int64_t inner, double *x, double *work);
#endif
