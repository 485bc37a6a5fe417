/* core/ops/fft_axis.h - private to the FFT ops: complex transforms along one axis of an array whose last
   axes lie behind it, done by neighbouring lines in blocks that fit the caches, shared among the team.
   Neither direction scales. Complex numbers are pairs; arrays begin on 16 bytes and `inner` is even, so that
   every line does. */
#ifndef FC_FFT_AXIS_H
#define FC_FFT_AXIS_H
#include "core/tape.h"

/* [outer, n, inner] and its low frequencies [outer, kept, inner]: 0 .. K, then -K .. -1, kept = 2 K + 1; or
   all of them, kept = n */
typedef struct fc_fft_axis {
  int64_t outer, n, kept, inner;
} fc_fft_axis;

void fc_fft_axis_forward(fc_ctx *c, const fc_fft_axis *a, const fc_real *in, fc_real *out);
void fc_fft_axis_inverse(fc_ctx *c, const fc_fft_axis *a, const fc_real *in, fc_real *out);

/* The same where the side with all n is a real field [outer, n, C] whose channels 2 j and 2 j + 1 are number
   j, C <= 2 inner. out (+)= field + bias; bias [C] or NULL; add keeps the old values. */
typedef struct fc_fft_field {
  fc_real       *out;
  int64_t        C;
  const fc_real *bias;
  bool           add;
} fc_fft_field;
void fc_fft_axis_from_field(fc_ctx *c, const fc_fft_axis *a, const fc_real *field, int64_t C, fc_real *out);
void fc_fft_axis_to_field(fc_ctx *c, const fc_fft_axis *a, const fc_real *in, const fc_fft_field *to);
#endif
