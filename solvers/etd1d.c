/* solvers/etd1d.c - grid, memory, initial fields, frames. */
#include "solvers/etd1d.h"

#include "solvers/fft2.h"
#include "solvers/grf.h"

#include <fftw3.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- set-up ---- */

fc_etd1d_config fc_etd1d_resolve(const fc_etd1d_config *c) {
  fc_etd1d_config r = *c;

  if (r.n_keep == 0) r.n_keep = r.n;
  return r;
}

fc_status fc_etd1d_check(const fc_etd1d_config *config) {
  const fc_etd1d_config c = fc_etd1d_resolve(config);

  FC_REQUIRE(c.n % 2 == 0, FC_E_USAGE, "n=%lld: the grid must be even", (long long)c.n);
  FC_REQUIRE(c.n_keep % 2 == 0 && c.n_keep >= 4 && c.n_keep <= c.n, FC_E_USAGE,
             "n_keep=%lld must be even, at least 4 and at most n=%lld", (long long)c.n_keep, (long long)c.n);
  FC_REQUIRE(c.reduce || c.n % c.n_keep == 0, FC_E_USAGE,
             "n=%lld is not a multiple of n_keep=%lld: choose another n_keep, or reduce=truncate",
             (long long)c.n, (long long)c.n_keep);
  FC_REQUIRE(c.dt > 0 || c.cfl > 0, FC_E_USAGE,
             "dt=0 leaves the time step open: set dt, or cfl (0.5 is a good start)");
  FC_REQUIRE((c.initial != FC_ETD1D_WAVES && c.initial != FC_ETD1D_SINE) || c.waves < c.n / 2, FC_E_USAGE,
             "waves=%lld needs a finer grid than n=%lld", (long long)c.waves, (long long)c.n);
  return FC_OK;
}

static double *carve(double **block, int64_t n) {
  double *p = *block;

  *block += (n + 7) / 8 * 8;
  return p;
}

static void fill_symbols(fc_etd1d *s) {
  const bool burgers = s->c.equation == FC_ETD1D_BURGERS;

  for (int64_t j = 0; j < s->n / 2; j++) {
    const double k = 2 * M_PI / s->c.length * (double)j;
    s->k[j]        = k;
    s->linear[j]   = burgers ? -s->c.nu * k * k : k * k - s->c.nu * k * k * k * k;
  }
}

static fc_status plan_transforms(fc_etd1d *s) {
  const unsigned how = FFTW_ESTIMATE | FFTW_DESTROY_INPUT; /* the same bits in every run */
  double        *x = fc_fft2_alloc(s->m), *hat = fc_fft2_alloc(2 * s->mh);

  if (x && hat) {
    s->to_grid    = fftw_plan_dft_c2r_1d((int)s->m, (fftw_complex *)hat, x, how);
    s->to_modes   = fftw_plan_dft_r2c_1d((int)s->m, x, (fftw_complex *)hat, how);
    s->to_frame   = fftw_plan_dft_c2r_1d((int)s->grid, (fftw_complex *)hat, x, how);
    s->from_frame = fftw_plan_dft_r2c_1d((int)s->n, x, (fftw_complex *)hat, how);
  }
  free(x);
  free(hat);
  FC_REQUIRE(s->to_grid && s->to_modes && s->to_frame && s->from_frame, FC_E_SYSTEM,
             "no memory to plan Fourier transforms of %lld points; use a smaller grid", (long long)s->m);
  return FC_OK;
}

fc_status fc_etd1d_create(const fc_etd1d_config *c, fc_etd1d **out) {
  fc_etd1d *s = calloc(1, sizeof *s);
  fc_status status;

  *out = NULL;
  FC_REQUIRE(s, FC_E_SYSTEM, "no memory for the solver");
  s->c      = fc_etd1d_resolve(c);
  s->n      = s->c.n;
  s->nh     = s->n / 2 + 1;
  s->m      = 3 * s->n / 2;
  s->mh     = s->m / 2 + 1;
  s->grid   = s->c.reduce ? s->c.n_keep : s->n;
  s->k      = fc_fft2_alloc(s->nh);
  s->linear = fc_fft2_alloc(s->nh);
  status    = s->k && s->linear ? plan_transforms(s)
                                : fc_fail(FC_E_SYSTEM, "no memory for %lld points", (long long)s->n);
  if (status == FC_OK) {
    fill_symbols(s);
    *out = s;
  } else
    fc_etd1d_destroy(s);
  return status;
}

void fc_etd1d_destroy(fc_etd1d *s) {
  if (!s) return;
  fftw_plan const plans[4] = {s->to_grid, s->to_modes, s->to_frame, s->from_frame};
  for (int i = 0; i < 4; i++)
    if (plans[i]) fftw_destroy_plan(plans[i]);
  free(s->k);
  free(s->linear);
  free(s);
}

fc_status fc_etd1d_work_create(const fc_etd1d *s, fc_etd1d_work **out) {
  fc_etd1d_work *w    = calloc(1, sizeof *w);
  const int64_t  size = 8 * (2 * s->nh + 8) + 2 * s->mh + s->m + 16 + 6 * (s->nh + 8);

  *out = NULL;
  if (w) w->block = fc_fft2_alloc(size);
  if (!w || !w->block) {
    free(w);
    return fc_fail(FC_E_SYSTEM, "no memory for a trajectory on %lld points", (long long)s->n);
  }
  double *at = w->block;
  w->s       = s;
  w->u       = carve(&at, 2 * s->nh);
  for (int i = 0; i < 3; i++) w->stage[i] = carve(&at, 2 * s->nh);
  for (int i = 0; i < 4; i++) w->rate[i] = carve(&at, 2 * s->nh);
  w->hat = carve(&at, 2 * s->mh);
  w->x   = carve(&at, s->m);
  for (int i = 0; i < 6; i++) w->etd[i] = carve(&at, s->nh);
  w->etd_h = -1;
  *out     = w;
  return FC_OK;
}

void fc_etd1d_work_destroy(fc_etd1d_work *w) {
  if (!w) return;
  free(w->block);
  free(w);
}

/* ---- initial fields ---- */

/* Waves of random amplitude in (-1, 1) and phase, scaled so that the largest value on a fine grid of its own,
   the same for every n, is the amplitude. */
static void random_waves(fc_etd1d_work *w, const fc_rng *r) {
  const int64_t waves = w->s->c.waves, fine = 64 * waves;
  double        top = 0;

  for (int64_t k = 1; k <= waves; k++) {
    const double a     = 2 * fc_rng_uniform(r, 2 * (uint64_t)k) - 1,
                 phase = 2 * M_PI * fc_rng_uniform(r, 2 * (uint64_t)k + 1);
    w->u[2 * k]        = a * sin(phase) / 2; /* a sin(q + phase) */
    w->u[2 * k + 1]    = -a * cos(phase) / 2;
  }
  for (int64_t j = 0; j < fine; j++) {
    double v = 0;
    for (int64_t k = 1; k <= waves; k++) {
      const double q = 2 * M_PI * (double)(j * k % fine) / (double)fine;
      v += 2 * (w->u[2 * k] * cos(q) - w->u[2 * k + 1] * sin(q));
    }
    top = fmax(top, fabs(v));
  }
  for (int64_t k = 1; k <= waves && top > 0; k++) {
    w->u[2 * k] *= w->s->c.amplitude / top;
    w->u[2 * k + 1] *= w->s->c.amplitude / top;
  }
}

void fc_etd1d_start(fc_etd1d_work *w, int64_t traj) {
  const fc_etd1d_config *c = &w->s->c;
  const fc_rng           r = {(uint64_t)c->seed, (uint64_t)(c->first_traj + traj), FC_RNG_FIELD};
  const fc_grf           g = {.length = c->length, .alpha = c->alpha, .tau = c->tau, .sigma = c->sigma};

  memset(w->u, 0, (size_t)(2 * w->s->nh) * sizeof *w->u);
  switch (c->initial) {
  case FC_ETD1D_GRF:
    fc_grf_1d(&g, &r, w->s->n, c->mean, w->u);
    break;
  case FC_ETD1D_WAVES:
    random_waves(w, &r);
    break;
  case FC_ETD1D_SINE: /* A sin(q x) */
    w->u[2 * c->waves + 1] = -c->amplitude / 2;
    break;
  default: /* A cos q (1 + sin q) = A (cos q + sin(2 q)/2), q = 2 pi x/L */
    w->u[2] = c->amplitude / 2;
    w->u[5] = -c->amplitude / 4;
    break;
  }
}

/* ---- values ---- */

void fc_etd1d_set(fc_etd1d_work *w, const fc_real *x) {
  const int64_t n = w->s->n;

  for (int64_t i = 0; i < n; i++) w->x[i] = (double)x[i] / (double)n;
  fftw_execute_dft_r2c(w->s->from_frame, w->x, (fftw_complex *)w->hat);
  memcpy(w->u, w->hat, (size_t)n * sizeof *w->u);
  w->u[n] = w->u[n + 1] = 0; /* the highest mode has no derivative on the grid */
}

void fc_etd1d_values(fc_etd1d_work *w, fc_real *x) {
  const int64_t grid = w->s->grid, keep = w->s->c.n_keep, modes = fc_min64(grid, w->s->n) / 2;

  memset(w->hat, 0, (size_t)(2 * (grid / 2 + 1)) * sizeof *w->hat);
  memcpy(w->hat, w->u, (size_t)(2 * modes) * sizeof *w->hat);
  fftw_execute_dft_c2r(w->s->to_frame, (fftw_complex *)w->hat, w->x);
  for (int64_t i = 0; i < keep; i++) x[i] = (fc_real)w->x[i * (grid / keep)];
}

fc_etd1d_budget fc_etd1d_measure(const fc_etd1d_work *w) {
  fc_etd1d_budget b = {.mean = w->u[0], .energy = w->u[0] * w->u[0] / 2};

  for (int64_t j = 1; j < w->s->n / 2; j++) { /* with its conjugate */
    const double e  = w->u[2 * j] * w->u[2 * j] + w->u[2 * j + 1] * w->u[2 * j + 1],
                 k2 = w->s->k[j] * w->s->k[j];
    b.energy += e;
    b.slope += 2 * k2 * e;
    b.bend += 2 * k2 * k2 * e;
  }
  return b;
}
