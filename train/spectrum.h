/* train/spectrum.h - |FFT|^2 of a real field with its mode numbers: what all spectral scores share. */
#ifndef FC_SPECTRUM_H
#define FC_SPECTRUM_H
#include "train/metrics.h"

#include <fftw3.h>

/* One field at a time. Modes of the half-complex transform in the order of FFTW: of the last axis only
   m = 0 .. n/2 are kept, weight says how many modes of the full transform each stands for (1 or 2). */
typedef struct fc_power {
  int           ndim;
  int64_t       dim[3], points, modes;
  double       *in, *energy; /* energy[modes] = |sum_x f(x) exp(-i k x)|^2, not normalised */
  fftw_complex *out;
  fftw_plan     plan;
} fc_power;

/* FC_E_SYSTEM: no memory. A zeroed or half-opened fc_power may be closed. */
fc_status fc_power_open(const fc_grid *g, fc_power *p);
void      fc_power_close(fc_power *p);
/* energy of a - b (b NULL: of a), values stride apart */
void fc_power_run(fc_power *p, const fc_real *a, const fc_real *b, int64_t stride);
/* mode numbers m[ndim] of mode i, with sign (-n/2 <= m < n/2); returns its weight */
double fc_power_mode(const fc_power *p, int64_t i, int64_t m[3]);
#endif
