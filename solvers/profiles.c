/* solvers/profiles.c - planes of a channel into the row of a sample. */
#include "core/parallel.h"
#include "solvers/profiles_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- life ---- */

bool fc_profiles_symmetric(int64_t ny, const double *y, const double wall[2]) {
  const double width = wall[1] - wall[0];

  for (int64_t j = 0; j < ny; j++)
    if (fabs(y[j] - wall[0] - (wall[1] - y[ny - 1 - j])) > 1e-5 * width) return false;
  return true;
}

static int64_t nearest(const fc_profiles *p, double at) {
  int64_t best = 0;

  for (int64_t j = 1; j < p->spec.ny; j++)
    if (fabs(p->y[j] - at) < fabs(p->y[best] - at)) best = j;
  return best;
}

static void choose_planes(fc_profiles *p) {
  const double *wall = p->spec.wall, half = (wall[1] - wall[0]) / 2;
  const bool    mirror = fc_profiles_symmetric(p->spec.ny, p->y, wall);

  for (int k = 0; k < p->spec.n_spectra; k++) {
    p->plane[2 * k]     = nearest(p, wall[0] + p->spec.spectra[k] * half);
    p->plane[2 * k + 1] = mirror ? p->spec.ny - 1 - p->plane[2 * k] : p->plane[2 * k];
  }
}

/* transforms along x (all z side by side) and along z (all x) of one plane */
static bool plan(fc_profiles *p) {
  const int     nx = (int)p->spec.nx, nz = (int)p->spec.nz;
  const int64_t hat = fc_max64(p->nkx * nz, nx * p->nkz);

  p->line = fftw_alloc_real((size_t)nx * (size_t)nz);
  p->hat  = fftw_alloc_complex((size_t)hat);
  if (!p->line || !p->hat) return false;
  p->along_x = fftw_plan_many_dft_r2c(1, &nx, nz, p->line, NULL, nz, 1, p->hat, NULL, nz, 1,
                                      FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
  p->along_z = fftw_plan_many_dft_r2c(1, &nz, nx, p->line, NULL, 1, nz, p->hat, NULL, 1, (int)p->nkz,
                                      FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
  return p->along_x && p->along_z;
}

static bool fill(fc_profiles *p, const fc_profiles_spec *spec) {
  const size_t ny = (size_t)spec->ny;

  p->spec  = *spec;
  p->nkx   = spec->nx / 2 + 1;
  p->nkz   = spec->nz / 2 + 1;
  p->n     = extra_at(p, spec->n_extra);
  p->y     = malloc(ny * sizeof *p->y);
  p->shift = calloc(4 * ny, sizeof *p->shift);
  p->row   = calloc((size_t)p->n, sizeof *p->row);
  if (!p->y || !p->shift || !p->row || fc_batch_means_create(p->n, &p->means) != FC_OK) return false;
  memcpy(p->y, spec->y, ny * sizeof *p->y);
  choose_planes(p);
  return !spec->n_spectra || plan(p);
}

fc_status fc_profiles_create(const fc_profiles_spec *spec, fc_profiles **out) {
  fc_profiles *p = calloc(1, sizeof *p);

  *out = NULL;
  if (!p || !fill(p, spec)) {
    fc_profiles_destroy(p);
    return fc_fail(FC_E_SYSTEM, "no memory for profiles of %lld planes", (long long)spec->ny);
  }
  *out = p;
  return FC_OK;
}

void fc_profiles_destroy(fc_profiles *p) {
  if (!p) return;
  if (p->along_x) fftw_destroy_plan(p->along_x);
  if (p->along_z) fftw_destroy_plan(p->along_z);
  fftw_free(p->line);
  fftw_free(p->hat);
  fc_batch_means_destroy(p->means);
  free(p->y);
  free(p->shift);
  free(p->row);
  free(p);
}

/* ---- planes ---- */

static double mean_of(int64_t n, const double *x) {
  double sum = 0;

  FC_REDUCE(+, sum)
  for (int64_t i = 0; i < n; i++) sum += x[i];
  return sum / (double)n;
}

/* mean of (a - s)(b - t) */
static double product_of(int64_t n, const double *a, double s, const double *b, double t) {
  double sum = 0;

  FC_REDUCE(+, sum)
  for (int64_t i = 0; i < n; i++) sum += (a[i] - s) * (b[i] - t);
  return sum / (double)n;
}

/* Energies of one-sided spectra: the mean over lines of |c_k|^2, c the Fourier coefficients, twice where -k
   is another mode. hat[k][line] with strides. */
static void add_energy(int64_t n, int64_t nk, int64_t lines, int64_t stride, int64_t dist,
                       const fftw_complex *hat, double share, double *out) {
  const double scale = share / ((double)n * (double)n * (double)lines);

  for (int64_t k = 0; k < nk; k++) {
    double       sum    = 0;
    const double weight = k == 0 || 2 * k == n ? 1 : 2;
    for (int64_t l = 0; l < lines; l++) {
      const double *c = hat[k * stride + l * dist];
      sum += c[0] * c[0] + c[1] * c[1];
    }
    out[k] += weight * scale * sum;
  }
}

static void add_spectra(fc_profiles *p, int k, double share, const double *const u[3]) {
  const int64_t nx = p->spec.nx, nz = p->spec.nz;

  for (int c = 0; c < 3; c++) {
    memcpy(p->line, u[c], (size_t)(nx * nz) * sizeof *p->line);
    fftw_execute(p->along_x);
    add_energy(nx, p->nkx, nz, nz, 1, p->hat, share, p->row + spectrum_at(p, k, c, false));
    fftw_execute(p->along_z);
    add_energy(nz, p->nkz, nx, 1, p->nkz, p->hat, share, p->row + spectrum_at(p, k, c, true));
  }
}

void fc_profiles_plane(fc_profiles *p, int64_t j, const double *u, const double *v, const double *w,
                       const double *pressure, const double *nu_t, const double *stress) {
  const int64_t       n    = p->spec.nx * p->spec.nz;
  const double *const x[4] = {u, v, w, pressure}, *const velocity[3] = {u, v, w};
  double *m = p->row + j * MOMENTS, *s = p->shift + 4 * j;

  for (int c = 0; c < 4; c++) {
    if (!x[c]) continue;
    const double mean = mean_of(n, x[c]);
    if (!p->shifted) s[c] = mean;
    m[M_U + c]  = mean - s[c];
    m[M_UU + c] = product_of(n, x[c], s[c], x[c], s[c]);
  }
  m[M_UV] = product_of(n, u, s[0], v, s[1]);
  m[M_UW] = product_of(n, u, s[0], w, s[2]);
  m[M_VW] = product_of(n, v, s[1], w, s[2]);
  if (nu_t) m[M_NUT] = mean_of(n, nu_t);
  if (stress) m[M_STRESS] = mean_of(n, stress);
  for (int k = 0; k < 2 * p->spec.n_spectra; k++) {
    if (p->plane[k] != j) continue;
    const bool alone = p->plane[k] == p->plane[k ^ 1];
    if (!alone || k % 2 == 0) add_spectra(p, k / 2, alone ? 1 : 0.5, velocity);
  }
}

void fc_profiles_extra(fc_profiles *p, int i, double mean_square) { p->row[extra_at(p, i)] = mean_square; }

fc_status fc_profiles_sample(fc_profiles *p) {
  if (p->spec.shared) {
    FC_TRY(fc_comm_sum_double(p->spec.ranks, p->row, p->n));
    if (!p->shifted) FC_TRY(fc_comm_sum_double(p->spec.ranks, p->shift, 4 * p->spec.ny));
  }
  p->shifted = true;
  fc_batch_means_add(p->means, p->row);
  memset(p->row, 0, (size_t)p->n * sizeof *p->row);
  return FC_OK;
}

/* ---- restart ---- */

int64_t fc_profiles_state(const fc_profiles *p) {
  return 1 + 4 * p->spec.ny + fc_batch_means_state(p->means);
}

void fc_profiles_keep(const fc_profiles *p, double *x) {
  x[0] = p->shifted;
  memcpy(x + 1, p->shift, 4 * (size_t)p->spec.ny * sizeof *x);
  fc_batch_means_keep(p->means, x + 1 + 4 * p->spec.ny);
}

void fc_profiles_restore(fc_profiles *p, const double *x) {
  p->shifted = x[0] != 0;
  memcpy(p->shift, x + 1, 4 * (size_t)p->spec.ny * sizeof *x);
  fc_batch_means_restore(p->means, x + 1 + 4 * p->spec.ny);
}
