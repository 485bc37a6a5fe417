/* solvers/chan_fft.h - planes of a channel between wave numbers and points, 3/2 as many points an axis as
   wave numbers, two real fields a, b at a time as one complex field a + i b:
     Z(kx, kz) = A(kx, kz) + i B(kx, kz),   Z(-kx, -kz) = conj A(kx, kz) + i conj B(kx, kz).
   Only the columns that hold modes are transformed along x, eight neighbours at a time in scratch that stays
   in the first caches, where FFTW has vector code; rows along z are one-dimensional complex transforms. */
#ifndef FC_CHAN_FFT_H
#define FC_CHAN_FFT_H
#include "core/base.h"

enum { FC_CHAN_LANES = 8 };

typedef struct fc_chan_fft {
  int64_t             nkx, nk;        /* modes kept along x (both signs) and z */
  int64_t             mx, mz, ld;     /* points; complex numbers from row to row of a spectrum */
  struct fftw_plan_s *x[2][2], *z[2]; /* [inverse, forward][full block, last block] */
} fc_chan_fft;

fc_chan_fft fc_chan_fft_shape(int64_t nx, int64_t nz); /* sizes without plans */
/* nx, nz wave numbers (even); the planner is not thread-safe. FC_E_SYSTEM: no memory. */
fc_status fc_chan_fft_create(int64_t nx, int64_t nz, bool measure, fc_chan_fft **out);
void      fc_chan_fft_destroy(fc_chan_fft *f);
int64_t
fc_chan_fft_scratch(const fc_chan_fft *f); /* doubles a thread, zeroed once, aligned as fc_fft2_alloc */

/* Row i of a spectrum, (re[nk], im[nk]): at[i] + offset, or without a table base + i stride (stride 0: one
   row of zeros stands for all). */
typedef struct fc_chan_rows {
  const double *const *at;
  const double        *base;
  int64_t              stride, offset;
} fc_chan_rows;

static inline const double *fc_chan_row(const fc_chan_rows *r, int64_t i) {
  return r->at ? r->at[i] + r->offset : r->base + i * r->stride;
}

/* plane [mx, mz] complex = a + i b */
void fc_chan_fft_inverse(const fc_chan_fft *f, double *scratch, const fc_chan_rows *a, const fc_chan_rows *b,
                         double *plane);
/* The way back in two parts: row i of [mx], mz complex numbers, then all of them to rows a[nkx] and b[nkx]
   (which may all be one that is not wanted), scaled so that inverse and forward give the modes back. */
void fc_chan_fft_take(const fc_chan_fft *f, double *scratch, int64_t i, const double *row);
void fc_chan_fft_forward(const fc_chan_fft *f, double *scratch, double *const *a, double *const *b);
#endif
