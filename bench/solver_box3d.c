/* bench/solver_box3d.c - Taylor-Green vortices by spectral_3d, a Runge-Kutta step of four rates, beside nine
   real transforms of the whole grid a rate by FFTW's own three-dimensional plans. */
#include "bench/solvers.h"
#include "solvers/box3d.h"
#include "solvers/fft2.h"

#include <fftw3.h>
#include <math.h>
#include <stdlib.h>

typedef struct {
  fc_box3d      *s;
  fc_box3d_work *k;
} flow;

static void end(void *state) {
  flow *f = state;

  fc_box3d_work_destroy(f->k);
  fc_box3d_destroy(f->s);
  free(f);
}

static fc_status begin(int64_t n, int dealias, void **state) {
  const fc_box3d_config c = {.n       = n,
                             .length  = 2 * M_PI,
                             .nu      = 1.0 / 1600,
                             .scheme  = FC_BOX3D_RK4,
                             .dealias = dealias,
                             .initial = FC_BOX3D_TAYLOR_GREEN};
  flow                 *f = calloc(1, sizeof *f);

  *state = f;
  FC_REQUIRE(f, FC_E_SYSTEM, "no memory");
  FC_TRY(fc_box3d_create(&c, true, &f->s));
  FC_TRY(fc_box3d_work_create(f->s, &f->k));
  fc_box3d_start(f->s, f->k, 0);
  return FC_OK;
}

static fc_status step(void *state) {
  const flow *f = state;

  fc_box3d_step(f->s, f->k, 1e-3);
  return f->k->status;
}

static void execute(void *plan) { fftw_execute((fftw_plan)plan); }

/* The faster of transforms in place and out of place, with plans that FFTW has measured. The inverse spoils
   its input, which stays zero: that costs the same. */
static double transforms(int64_t m, int rates) {
  const int     n    = (int)m;
  const int64_t size = 2 * m * m * (m / 2 + 1);
  double       *x = fc_fft2_alloc(size), *y = fc_fft2_alloc(size), t[4] = {0};
  fftw_complex *cx = (fftw_complex *)x, *cy = (fftw_complex *)y;

  if (x && y) {
    fftw_plan p[4] = {fftw_plan_dft_c2r_3d(n, n, n, cx, y, FFTW_MEASURE),
                      fftw_plan_dft_c2r_3d(n, n, n, cx, x, FFTW_MEASURE),
                      fftw_plan_dft_r2c_3d(n, n, n, x, cy, FFTW_MEASURE),
                      fftw_plan_dft_r2c_3d(n, n, n, x, cx, FFTW_MEASURE)};
    for (int64_t i = 0; i < size; i++) x[i] = y[i] = 0;
    for (int i = 0; i < 4; i++) t[i] = bench_fastest(execute, p[i]), fftw_destroy_plan(p[i]);
  }
  free(x), free(y);
  return rates * (6 * fmin(t[0], t[1]) + 3 * fmin(t[2], t[3]));
}

#define CASE(which, text, n, m, dealias)                                                                     \
  static fc_status   begin_##which(void **state) { return begin(n, dealias, state); }                        \
  static double      transforms_##which(void) { return transforms(m, 4); }                                   \
  const bench_solver bench_##which = {text, (int64_t)(n) * (n) * (n), begin_##which, step,                   \
                                      end,  transforms_##which};

CASE(box3d, "Taylor-Green 64^3, 2/3 rule, RK4", 64, 64, FC_BOX3D_SQUARE)
CASE(box3d_padded, "Taylor-Green 64^3, 3/2 padding, RK4", 64, 96, FC_BOX3D_THREE_HALVES)
CASE(box3d_large, "Taylor-Green 128^3, 2/3 rule, RK4", 128, 128, FC_BOX3D_SQUARE)
