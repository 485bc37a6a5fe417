/* bench/solver_sgs.c - large-eddy simulations: the channel on the grid of the data set at Re_tau 180, with
   every subgrid model, and a cube. The bare transforms: of complex planes, two real fields each, or of the
   cube. */
#include "bench/solvers.h"
#include "solvers/box3d.h"
#include "solvers/chan.h"
#include "solvers/fft2.h"
#include "solvers/sgs.h"

#include <fftw3.h>
#include <math.h>
#include <stdlib.h>

static void execute(void *plan) { fftw_execute((fftw_plan)plan); }

/* ---- channel ---- */

enum { NX = 32, NY = 32, NZ = 16, MX = 48, MZ = 24 };

static fc_status begin_channel(int sgs, int test_filter, void **state) {
  const fc_chan_config c = {.nx          = NX,
                            .ny          = NY,
                            .nz          = NZ,
                            .length_x    = 4 * M_PI,
                            .length_z    = 4 * M_PI / 3,
                            .map         = FC_CHAN_ARCTAN,
                            .stretch     = 0.259065151,
                            .nu          = 1.0 / 4200,
                            .bulk        = 2.0 / 3,
                            .initial     = FC_CHAN_NOISE,
                            .mean        = FC_CHAN_REICHARDT,
                            .noise       = 0.2,
                            .noise_modes = 4,
                            .sgs         = sgs,
                            .test_filter = test_filter};
  fc_chan             *s;

  FC_TRY(fc_chan_create(&c, NULL, &s));
  *state = s;
  fc_chan_start(s, 0);
  return s->status;
}

static fc_status step_channel(void *state) {
  fc_chan *s = state;

  fc_chan_step(s, 1e-3);
  return s->status;
}

static void end_channel(void *state) { fc_chan_destroy(state); }

/* a step: four transforms a plane and substep, three more for the slopes in stresses, and five for nu_t */
static double transforms_channel(int sgs) {
  double   *x = fc_fft2_alloc(2 * MX * MZ), t = 0;
  fftw_plan p =
      x ? fftw_plan_dft_2d(MX, MZ, (fftw_complex *)x, (fftw_complex *)x, FFTW_BACKWARD, FFTW_MEASURE) : NULL;

  if (p) {
    for (int64_t i = 0; i < 2 * MX * MZ; i++) x[i] = 0;
    t = bench_fastest(execute, p);
    fftw_destroy_plan(p);
  }
  free(x);
  return t * NY * (sgs ? 3 * 7 + 5 : 3 * 4);
}

#define CHANNEL(which, text, sgs, filter)                                                                    \
  static fc_status   begin_##which(void **state) { return begin_channel(sgs, filter, state); }               \
  static double      transforms_##which(void) { return transforms_channel(sgs); }                            \
  const bench_solver bench_##which = {text,         NX * NY * NZ, begin_##which,                             \
                                      step_channel, end_channel,  transforms_##which};

CHANNEL(les_none, "LES 32 x 32 x 16, no model", FC_SGS_NONE, 0)
CHANNEL(les_smagorinsky, "LES 32 x 32 x 16, Smagorinsky", FC_SGS_SMAGORINSKY, 0)
CHANNEL(les_wale, "LES 32 x 32 x 16, WALE", FC_SGS_WALE, 0)
CHANNEL(les_vreman, "LES 32 x 32 x 16, Vreman", FC_SGS_VREMAN, 0)
CHANNEL(les_dynamic, "LES 32 x 32 x 16, dynamic", FC_SGS_DYNAMIC, 0)
CHANNEL(les_trapezoid, "LES 32 x 32 x 16, dynamic, trapezoid", FC_SGS_DYNAMIC, 1)
CHANNEL(les_clipped, "LES 32 x 32 x 16, dynamic_clipped", FC_SGS_DYNAMIC_CLIPPED, 0)

/* ---- cube ---- */

enum { N = 48 };

typedef struct {
  fc_box3d      *s;
  fc_box3d_work *k;
} flow;

static fc_status begin_cube(int sgs, void **state) {
  const fc_box3d_config c = {.n        = N,
                             .length   = 2 * M_PI,
                             .nu       = 1e-4,
                             .scheme   = FC_BOX3D_RK3_CN,
                             .dealias  = FC_BOX3D_SQUARE,
                             .initial  = FC_BOX3D_ISOTROPIC,
                             .spectrum = FC_BOX3D_KOLMOGOROV,
                             .peak     = 3,
                             .energy   = 0.5,
                             .sgs      = sgs};
  flow                 *f = calloc(1, sizeof *f);

  *state = f;
  FC_REQUIRE(f, FC_E_SYSTEM, "no memory");
  FC_TRY(fc_box3d_create(&c, true, &f->s));
  FC_TRY(fc_box3d_work_create(f->s, &f->k));
  fc_box3d_start(f->s, f->k, 0);
  return FC_OK;
}

static fc_status step_cube(void *state) {
  const flow *f = state;

  fc_box3d_step(f->s, f->k, 1e-3);
  return f->k->status;
}

static void end_cube(void *state) {
  flow *f = state;

  fc_box3d_work_destroy(f->k);
  fc_box3d_destroy(f->s);
  free(f);
}

/* `count` real transforms of the whole cube, there and back alike */
static double transforms_cube(int count) {
  const int64_t size = 2 * N * N * (N / 2 + 1);
  double       *x = fc_fft2_alloc(size), *y = fc_fft2_alloc(size), t = 0;
  fftw_plan     p = x && y ? fftw_plan_dft_r2c_3d(N, N, N, x, (fftw_complex *)y, FFTW_MEASURE) : NULL;

  if (p) {
    for (int64_t i = 0; i < size; i++) x[i] = 0;
    t = bench_fastest(execute, p);
    fftw_destroy_plan(p);
  }
  free(x), free(y);
  return count * t;
}

#define CUBE(which, text, sgs, count)                                                                        \
  static fc_status   begin_##which(void **state) { return begin_cube(sgs, state); }                          \
  static double      transforms_##which(void) { return transforms_cube(count); }                             \
  const bench_solver bench_##which = {text,      (int64_t)N * N * N, begin_##which,                          \
                                      step_cube, end_cube,           transforms_##which};

CUBE(cube_none, "LES 48^3, 2/3 rule, RK3, no model", FC_SGS_NONE, 3 * 9)
CUBE(cube_smagorinsky, "LES 48^3, 2/3 rule, RK3, Smagorinsky", FC_SGS_SMAGORINSKY, 3 * 13)
CUBE(cube_wale, "LES 48^3, 2/3 rule, RK3, WALE", FC_SGS_WALE, 3 * 16)
CUBE(cube_dynamic, "LES 48^3, 2/3 rule, RK3, dynamic", FC_SGS_DYNAMIC, 3 * 13 + 8)
