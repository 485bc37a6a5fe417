/* solvers/fft2.c */
#include "solvers/fft2.h"

#include <fftw3.h>
#include <stdlib.h>
#include <string.h>

double *fc_fft2_alloc(int64_t n) {
  const size_t bytes = ((size_t)n * sizeof(double) + 63) / 64 * 64;
  double      *p     = aligned_alloc(64, bytes);

  return p ? memset(p, 0, bytes) : NULL;
}

fc_status fc_fft2_create(int64_t nx, int64_t ny, bool measure, fc_fft2 **out) {
  const unsigned how = (measure ? FFTW_MEASURE : FFTW_ESTIMATE) | FFTW_DESTROY_INPUT;
  fc_fft2       *f   = calloc(1, sizeof *f);
  double        *x   = fc_fft2_alloc(nx * ny);
  double        *hat = fc_fft2_alloc(2 * nx * (ny / 2 + 1));
  fc_status      s   = FC_OK;

  if (f && x && hat) {
    *f         = (fc_fft2){.nx = nx, .ny = ny};
    f->forward = fftw_plan_dft_r2c_2d((int)nx, (int)ny, x, (fftw_complex *)hat, how);
    f->inverse = fftw_plan_dft_c2r_2d((int)nx, (int)ny, (fftw_complex *)hat, x, how);
  }
  if (!f || !f->forward || !f->inverse) {
    s = fc_fail(FC_E_SYSTEM, "no memory to plan Fourier transforms of %lld x %lld points; use a smaller grid",
                (long long)nx, (long long)ny);
    fc_fft2_destroy(f);
    f = NULL;
  }
  free(x);
  free(hat);
  *out = f;
  return s;
}

void fc_fft2_destroy(fc_fft2 *f) {
  if (!f) return;
  if (f->forward) fftw_destroy_plan(f->forward);
  if (f->inverse) fftw_destroy_plan(f->inverse);
  free(f);
}

void fc_fft2_forward(const fc_fft2 *f, double *x, double *hat) {
  fftw_execute_dft_r2c(f->forward, x, (fftw_complex *)hat);
}

void fc_fft2_inverse(const fc_fft2 *f, double *hat, double *x) {
  fftw_execute_dft_c2r(f->inverse, (fftw_complex *)hat, x);
}

void fc_fft2_resize(int64_t na, const double *a, int64_t nb, double *b) {
  const int64_t ha = na / 2 + 1, hb = nb / 2 + 1, half = fc_min64(na, nb) / 2;

  if (na == nb) {
    memcpy(b, a, (size_t)(2 * na * ha) * sizeof *b);
    return;
  }
  memset(b, 0, (size_t)(2 * nb * hb) * sizeof *b);
  for (int64_t k = -(half - 1); k < half; k++) {
    const int64_t ia = k < 0 ? k + na : k, ib = k < 0 ? k + nb : k;
    memcpy(b + 2 * ib * hb, a + 2 * ia * ha, (size_t)(2 * half) * sizeof *b);
  }
}
