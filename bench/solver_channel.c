/* bench/solver_channel.c - channels by solvers/chan.h, a Runge-Kutta step of three substeps, beside FFTW's
   own two-dimensional real transforms of padded planes: three velocities and five products a plane and
   substep; with a model also six slopes, and ten planes a step for what it sees. What a dynamic model filters
   is not counted. */
#include "bench/solvers.h"
#include "solvers/chan.h"
#include "solvers/fft2.h"
#include "solvers/sgs.h"

#include <math.h>
#include <stdlib.h>

static fc_status begin(int64_t nx, int64_t ny, int64_t nz, int sgs, void **state) {
  const fc_chan_config c = {.nx          = nx,
                            .ny          = ny,
                            .nz          = nz,
                            .length_x    = 4 * M_PI,
                            .length_z    = 4 * M_PI / 3,
                            .map         = FC_CHAN_ARCTAN,
                            .stretch     = 0.259065151,
                            .nu          = 1.0 / 4200,
                            .bulk        = 2.0 / 3,
                            .initial     = FC_CHAN_NOISE,
                            .noise       = 0.2,
                            .noise_modes = 4,
                            .sgs         = sgs,
                            .fft         = 1};
  fc_chan             *s = NULL;

  *state = NULL;
  FC_TRY(fc_chan_create(&c, NULL, &s));
  fc_chan_start(s, 0);
  *state = s;
  return s->status;
}

static fc_status step(void *state) {
  fc_chan *s = state;

  fc_chan_step(s, 1e-3);
  return s->status;
}

static void end(void *state) { fc_chan_destroy(state); }

typedef struct {
  fc_fft2 *f;
  double  *x, *hat;
} plane;

static void forward(void *self) {
  const plane *p = self;

  fc_fft2_forward(p->f, p->x, p->hat);
}

static void inverse(void *self) {
  const plane *p = self;

  fc_fft2_inverse(p->f, p->hat, p->x);
}

/* seconds of `in` inverse and `out` forward transforms of a plane of mx x mz points, plans measured */
static double transforms(int64_t mx, int64_t mz, double in, double out) {
  plane  p = {.x = fc_fft2_alloc(mx * mz), .hat = fc_fft2_alloc(2 * mx * (mz / 2 + 1))};
  double t = 0;

  if (p.x && p.hat && fc_fft2_create(mx, mz, true, &p.f) == FC_OK)
    t = in * bench_fastest(inverse, &p) + out * bench_fastest(forward, &p);
  fc_fft2_destroy(p.f);
  free(p.x);
  free(p.hat);
  return t;
}

#define CASE(which, text, nx, ny, nz, sgs, in, out)                                                          \
  static fc_status begin_##which(void **state) { return begin(nx, ny, nz, sgs, state); }                     \
  static double    transforms_##which(void) {                                                                \
       return transforms(3 * (nx) / 2, 3 * (nz) / 2, (in) * (ny), (out) * (ny));                             \
  }                                                                                                          \
  const bench_solver bench_##which = {text, (int64_t)(nx) * (ny) * (nz), begin_##which, step,                \
                                      end,  transforms_##which};

CASE(channel, "channel 128 x 128 x 64", 128, 128, 64, FC_SGS_NONE, 9, 15)
