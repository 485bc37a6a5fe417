/* bench/rates.h - what the machine can do at best: the yardsticks beside which ops are printed. */
#ifndef FC_BENCH_RATES_H
#define FC_BENCH_RATES_H
#include "core/base.h"

typedef struct bench_rates {
  double gemm;       /* GF/s: best of several shapes, split by our team and as independent products */
  double triad;      /* GB/s of a = b + s c with arrays far larger than the caches (STREAM's count: 12 bytes a
                        value) */
  double triad_near; /* the same with arrays of 16384 x 128 floats: what the caches add */
} bench_rates;

/* at the present size of the team; FC_E_SYSTEM without memory */
fc_status bench_rates_measure(bench_rates *out);
#endif
