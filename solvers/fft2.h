/* solvers/fft2.h - two-dimensional real transforms in double precision (FFTW), whatever fc_real is.
   Fields x[nx, ny] are row-major; a half spectrum is [nx, ny/2 + 1] complex numbers stored as
   (re, im) pairs, rows in the order 0, 1, .., nx/2, -(nx/2 - 1), .., -1. */
#ifndef FC_FFT2_H
#define FC_FFT2_H
#include "core/base.h"

typedef struct fc_fft2 {
  int64_t             nx, ny;
  struct fftw_plan_s *forward, *inverse;
} fc_fft2;

/* measure lets FFTW time its candidates: faster, but the last bits may then differ from run to run.
   The planner is not thread-safe: create and destroy outside parallel loops. FC_E_SYSTEM: no memory. */
fc_status fc_fft2_create(int64_t nx, int64_t ny, bool measure, fc_fft2 **out);
void      fc_fft2_destroy(fc_fft2 *f); /* NULL is fine */

/* Single-threaded and without allocation; different arrays may be transformed at the same time. All arrays
   come from fc_fft2_alloc (the plans count on its alignment). Both directions may overwrite their input. */
void fc_fft2_forward(const fc_fft2 *f, double *x, double *hat); /* hat_k = sum_x x exp(-ikx), not scaled */
void fc_fft2_inverse(const fc_fft2 *f, double *hat, double *x); /* x = sum_k hat_k exp(ikx), not scaled */

double *fc_fft2_alloc(int64_t n); /* n doubles, zeroed, 64-byte aligned, or NULL; free() it */

/* b[nb, nb/2+1] = modes of a[na, na/2+1] with |kx|, |ky| < min(na, nb)/2, zero elsewhere: the same function
   on another grid, if a holds Fourier coefficients (forward transform divided by the number of points). The
   highest (Nyquist) mode has no unique continuation and is dropped, unless na == nb. */
void fc_fft2_resize(int64_t na, const double *a, int64_t nb, double *b);

/* signed wave number of row i of n */
static inline int64_t fc_fft2_mode(int64_t i, int64_t n) { return i <= n / 2 ? i : i - n; }
#endif
