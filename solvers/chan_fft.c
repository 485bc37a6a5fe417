/* solvers/chan_fft.c */
#include "solvers/chan_fft.h"

#include "core/parallel.h"
#include "solvers/fft2.h"

#include <fftw3.h>
#include <stdlib.h>
#include <string.h>

/* ---- plans ---- */

typedef struct {    /* parts of the scratch */
  double *in, *out; /* spectra by rows for the two directions; columns without modes stay zero in the first */
  double *plus, *minus, *from_plus, *from_minus; /* blocks of columns; rows without modes stay zero */
} parts;

static int64_t block_size(const fc_chan_fft *f) { return 2 * FC_CHAN_LANES * f->mx; }
static int64_t plane_size(const fc_chan_fft *f) { return 2 * f->mx * f->ld; }

int64_t fc_chan_fft_scratch(const fc_chan_fft *f) { return 2 * plane_size(f) + 8 * block_size(f); }

/* the last block of columns may be narrower, and has scratch of its own for its zeros */
static parts parts_of(const fc_chan_fft *f, double *scratch, int64_t lanes) {
  const int64_t b = block_size(f);
  double       *p = scratch + 2 * plane_size(f) + (lanes == FC_CHAN_LANES ? 0 : 4 * b);

  return (parts){scratch, scratch + plane_size(f), p, p + b, p + 2 * b, p + 3 * b};
}

static void plan_block(fc_chan_fft *f, int i, int lanes, fftw_complex *block, fftw_complex *plane,
                       unsigned how) {
  const int mx = (int)f->mx, ld = (int)f->ld;

  f->x[0][i] =
      fftw_plan_many_dft(1, &mx, lanes, block, NULL, lanes, 1, plane, NULL, ld, 1, FFTW_BACKWARD, how);
  f->x[1][i] =
      fftw_plan_many_dft(1, &mx, lanes, plane, NULL, ld, 1, block, NULL, lanes, 1, FFTW_FORWARD, how);
}

fc_chan_fft fc_chan_fft_shape(int64_t nx, int64_t nz) {
  const int64_t mz = 3 * nz / 2;

  /* One more column is used (see take); the rest keeps columns from sharing a set of the cache. */
  return (fc_chan_fft){.nkx = nx - 1, .nk = nz / 2, .mx = 3 * nx / 2, .mz = mz, .ld = mz + 4};
}

fc_status fc_chan_fft_create(int64_t nx, int64_t nz, bool measure, fc_chan_fft **out) {
  const unsigned how = (measure ? FFTW_MEASURE : FFTW_ESTIMATE) | FFTW_PRESERVE_INPUT;
  fc_chan_fft   *f   = calloc(1, sizeof *f);
  double        *s   = NULL;

  *out = NULL;
  if (f) {
    *f = fc_chan_fft_shape(nx, nz);
    s  = fc_fft2_alloc(fc_chan_fft_scratch(f));
  }
  if (s) {
    const parts p    = parts_of(f, s, FC_CHAN_LANES);
    const int   rest = (int)(f->nk % FC_CHAN_LANES);
    plan_block(f, 0, FC_CHAN_LANES, (fftw_complex *)p.plus, (fftw_complex *)p.in, how);
    plan_block(f, 1, rest ? rest : 1, (fftw_complex *)p.plus, (fftw_complex *)p.in, how);
    f->z[0] = fftw_plan_dft_1d((int)f->mz, (fftw_complex *)p.in, (fftw_complex *)p.out, FFTW_BACKWARD, how);
    f->z[1] = fftw_plan_dft_1d((int)f->mz, (fftw_complex *)p.in, (fftw_complex *)p.out, FFTW_FORWARD, how);
  }
  free(s);
  if (!s || !f->x[0][0] || !f->x[1][0] || !f->x[0][1] || !f->x[1][1] || !f->z[0] || !f->z[1]) {
    fc_chan_fft_destroy(f);
    return fc_fail(FC_E_SYSTEM,
                   "no memory to plan Fourier transforms of %lld x %lld points; use a smaller grid",
                   (long long)(3 * nx / 2), (long long)(3 * nz / 2));
  }
  *out = f;
  return FC_OK;
}

void fc_chan_fft_destroy(fc_chan_fft *f) {
  if (!f) return;
  for (int i = 0; i < 2; i++) {
    for (int b = 0; b < 2; b++)
      if (f->x[i][b]) fftw_destroy_plan(f->x[i][b]);
    if (f->z[i]) fftw_destroy_plan(f->z[i]);
  }
  free(f);
}

/* row of the padded axis for entry i of the kept modes, and for the opposite mode */
static inline int64_t row_of(const fc_chan_fft *f, int64_t i) {
  return i <= f->nkx / 2 ? i : i - f->nkx + f->mx;
}
static inline int64_t opposite(const fc_chan_fft *f, int64_t row) { return row ? f->mx - row : 0; }

/* ---- wave numbers to points ---- */

/* lanes of one row into the blocks of kz and of -kz, the latter from the last lane to the first */
static inline void weave(double *restrict plus, double *restrict minus, const double *restrict a,
                         const double *restrict b, int64_t nk, int64_t lanes) {
  for (int64_t l = 0; l < lanes; l++) {
    const double ar = a[l], ai = a[nk + l], br = b[l], bi = b[nk + l];
    plus[2 * l]                    = ar - bi;
    plus[2 * l + 1]                = ai + br;
    minus[2 * (lanes - 1 - l)]     = ar + bi;
    minus[2 * (lanes - 1 - l) + 1] = br - ai;
  }
}

FC_SIMD static void weave_block(const fc_chan_fft *f, const parts *p, const fc_chan_rows *a,
                                const fc_chan_rows *b, int64_t k, int64_t lanes) {
  for (int64_t i = 0; i < f->nkx; i++) {
    const int64_t r = row_of(f, i), o = opposite(f, r);
    const double *x = fc_chan_row(a, i) + k, *y = fc_chan_row(b, i) + k;
    if (lanes == FC_CHAN_LANES)
      weave(p->plus + 2 * FC_CHAN_LANES * r, p->minus + 2 * FC_CHAN_LANES * o, x, y, f->nk, FC_CHAN_LANES);
    else
      weave(p->plus + 2 * lanes * r, p->minus + 2 * lanes * o, x, y, f->nk, lanes);
  }
}

void fc_chan_fft_inverse(const fc_chan_fft *f, double *scratch, const fc_chan_rows *a, const fc_chan_rows *b,
                         double *plane) {
  for (int64_t k = 0; k < f->nk; k += FC_CHAN_LANES) {
    const int64_t lanes = fc_min64(FC_CHAN_LANES, f->nk - k);
    const parts   p     = parts_of(f, scratch, lanes);
    fftw_plan     plan  = f->x[0][lanes < FC_CHAN_LANES];
    weave_block(f, &p, a, b, k, lanes);
    fftw_execute_dft(plan, (fftw_complex *)p.minus, (fftw_complex *)p.in + f->mz - k - lanes + 1);
    fftw_execute_dft(plan, (fftw_complex *)p.plus, (fftw_complex *)p.in + k);
  }
  for (int64_t i = 0; i < f->mx; i++)
    fftw_execute_dft(f->z[0], (fftw_complex *)scratch + i * f->ld, (fftw_complex *)plane + i * f->mz);
}

/* ---- and back ---- */

void fc_chan_fft_take(const fc_chan_fft *f, double *scratch, int64_t i, const double *row) {
  double *to = scratch + plane_size(f) + 2 * i * f->ld;

  fftw_execute_dft(f->z[1], (fftw_complex *)row, (fftw_complex *)to);
  to[2 * f->mz]     = to[0]; /* column 0 is its own opposite */
  to[2 * f->mz + 1] = to[1];
}

static inline void unweave(double *restrict a, double *restrict b, const double *restrict plus,
                           const double *restrict minus, double scale, int64_t nk, int64_t lanes) {
  for (int64_t l = 0; l < lanes; l++) {
    const double pr = plus[2 * l], pi = plus[2 * l + 1];
    const double mr = minus[2 * (lanes - 1 - l)], mi = minus[2 * (lanes - 1 - l) + 1];
    a[l]      = scale * (pr + mr);
    a[nk + l] = scale * (pi - mi);
    b[l]      = scale * (pi + mi);
    b[nk + l] = scale * (mr - pr);
  }
}

FC_SIMD static void unweave_block(const fc_chan_fft *f, const parts *p, double *const *a, double *const *b,
                                  int64_t k, int64_t lanes) {
  const double scale = 0.5 / (double)(f->mx * f->mz);

  for (int64_t i = 0; i < f->nkx; i++) {
    const int64_t r = row_of(f, i), o = opposite(f, r);
    if (lanes == FC_CHAN_LANES)
      unweave(a[i] + k, b[i] + k, p->from_plus + 2 * FC_CHAN_LANES * r, p->from_minus + 2 * FC_CHAN_LANES * o,
              scale, f->nk, FC_CHAN_LANES);
    else
      unweave(a[i] + k, b[i] + k, p->from_plus + 2 * lanes * r, p->from_minus + 2 * lanes * o, scale, f->nk,
              lanes);
  }
}

void fc_chan_fft_forward(const fc_chan_fft *f, double *scratch, double *const *a, double *const *b) {
  for (int64_t k = 0; k < f->nk; k += FC_CHAN_LANES) {
    const int64_t lanes = fc_min64(FC_CHAN_LANES, f->nk - k);
    const parts   p     = parts_of(f, scratch, lanes);
    fftw_plan     plan  = f->x[1][lanes < FC_CHAN_LANES];
    fftw_execute_dft(plan, (fftw_complex *)p.out + k, (fftw_complex *)p.from_plus);
    fftw_execute_dft(plan, (fftw_complex *)p.out + f->mz - k - lanes + 1, (fftw_complex *)p.from_minus);
    unweave_block(f, &p, a, b, k, lanes);
  }
}
