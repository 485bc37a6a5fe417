/* train/spectrum.c - energy spectra and The Well's error by wavenumber. */
#include "train/spectrum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- one transform ---- */

static fc_status no_memory(void) {
  return fc_fail(FC_E_SYSTEM, "no memory for the Fourier transform of a field");
}

fc_status fc_power_open(const fc_grid *g, fc_power *p) {
  int n[3];

  FC_ASSERT(g->ndim >= 1 && g->ndim <= 3 && g->channels >= 1, "spectrum: a grid of %d axes and %lld channels",
            g->ndim, (long long)g->channels);
  *p = (fc_power){.ndim = g->ndim, .points = 1, .modes = 1};
  for (int a = 0; a < g->ndim; a++) {
    p->dim[a] = g->dim[a];
    n[a]      = (int)g->dim[a];
    p->points *= g->dim[a];
    p->modes *= a < g->ndim - 1 ? g->dim[a] : g->dim[a] / 2 + 1;
  }
  p->in     = fftw_malloc((size_t)p->points * sizeof *p->in);
  p->out    = fftw_malloc((size_t)p->modes * sizeof *p->out);
  p->energy = malloc((size_t)p->modes * sizeof *p->energy);
  if (p->in && p->out && p->energy) p->plan = fftw_plan_dft_r2c(g->ndim, n, p->in, p->out, FFTW_ESTIMATE);
  if (p->plan) return FC_OK;
  fc_power_close(p);
  return no_memory();
}

void fc_power_close(fc_power *p) {
  if (p->plan) fftw_destroy_plan(p->plan);
  fftw_free(p->in);
  fftw_free(p->out);
  free(p->energy);
  *p = (fc_power){0};
}

void fc_power_run(fc_power *p, const fc_real *a, const fc_real *b, int64_t stride) {
  for (int64_t i = 0; i < p->points; i++) p->in[i] = (double)a[i * stride] - (b ? (double)b[i * stride] : 0);
  fftw_execute(p->plan);
  for (int64_t i = 0; i < p->modes; i++)
    p->energy[i] = p->out[i][0] * p->out[i][0] + p->out[i][1] * p->out[i][1];
}

double fc_power_mode(const fc_power *p, int64_t i, int64_t m[3]) {
  const int     last = p->ndim - 1;
  const int64_t n = p->dim[last], half = n / 2 + 1;

  m[last] = i % half;
  i /= half;
  for (int a = last - 1; a >= 0; i /= p->dim[a], a--) {
    m[a] = i % p->dim[a];
    if (2 * m[a] >= p->dim[a]) m[a] -= p->dim[a];
  }
  const bool alone = m[last] == 0 || 2 * m[last] == n; /* its own mirror image */
  if (2 * m[last] == n) m[last] = -m[last];
  return alone ? 1 : 2;
}

/* ---- sums over bins of modes ---- */

typedef struct {
  fc_power p;
  int64_t  n_bins;
  int64_t *bin; /* of each mode */
  double  *weight;
} binned;

typedef int64_t (*bin_rule)(const fc_power *p, const int64_t *m, const void *user);

static void binned_close(binned *b) {
  fc_power_close(&b->p);
  free(b->bin);
  free(b->weight);
}

static fc_status binned_open(const fc_grid *g, int64_t n_bins, bin_rule rule, const void *user, binned *b) {
  int64_t m[3];

  *b = (binned){.n_bins = n_bins};
  FC_TRY(fc_power_open(g, &b->p));
  b->bin    = malloc((size_t)b->p.modes * sizeof *b->bin);
  b->weight = malloc((size_t)b->p.modes * sizeof *b->weight);
  if (!b->bin || !b->weight) {
    binned_close(b);
    return no_memory();
  }
  for (int64_t i = 0; i < b->p.modes; i++) {
    b->weight[i] = fc_power_mode(&b->p, i, m);
    b->bin[i]    = rule(&b->p, m, user);
  }
  return FC_OK;
}

/* sums[n_bins] = scale * sum over the bin of |FFT(a - b)|^2 over all modes of the full transform */
static void binned_sum(binned *k, const fc_real *a, const fc_real *b, int64_t stride, double scale,
                       double *sums) {
  memset(sums, 0, (size_t)k->n_bins * sizeof *sums);
  fc_power_run(&k->p, a, b, stride);
  for (int64_t i = 0; i < k->p.modes; i++) sums[k->bin[i]] += k->weight[i] * k->p.energy[i];
  for (int64_t i = 0; i < k->n_bins; i++) sums[i] *= scale;
}

/* ---- isotropic spectrum ---- */

/* |m| is never k + 1/2, the root of an integer being no odd half: shells do not depend on rounding */
static int64_t shell(const fc_power *p, const int64_t *m, const void *user) {
  double square = 0;

  (void)user;
  for (int a = 0; a < p->ndim; a++) square += (double)(m[a] * m[a]);
  return (int64_t)floor(sqrt(square) + 0.5);
}

int64_t fc_spectrum_size(const fc_grid *g) {
  const fc_power p    = {.ndim = g->ndim};
  const int64_t  m[3] = {g->dim[0] / 2, g->ndim > 1 ? g->dim[1] / 2 : 0, g->ndim > 2 ? g->dim[2] / 2 : 0};

  return shell(&p, m, NULL) + 1;
}

fc_status fc_spectrum(const fc_grid *g, int64_t S, const fc_real *x, double *out) {
  const int64_t n = fc_spectrum_size(g), C = g->channels;
  binned        b;

  FC_TRY(binned_open(g, n, shell, NULL, &b));
  const double N = (double)b.p.points;
  for (int64_t s = 0; s < S; s++)
    for (int64_t c = 0; c < C; c++)
      binned_sum(&b, x + s * b.p.points * C + c, NULL, C, 0.5 / (N * N), out + (s * C + c) * n);
  binned_close(&b);
  return FC_OK;
}

/* ---- The Well: error in three bins of wavenumber ---- */

static int64_t third(const fc_power *p, const int64_t *m, const void *user) {
  const double *edge   = user; /* the two inner ones */
  double        square = 0;

  for (int a = 0; a < p->ndim; a++) {
    const double k = 2 * M_PI * (double)m[a] / (double)p->dim[a];
    square += k * k;
  }
  return (sqrt(square) >= edge[0]) + (sqrt(square) >= edge[1]);
}

fc_status fc_spectral_mse(const fc_grid *g, int64_t S, const fc_real *y, const fc_real *truth,
                          double *out_mse, double *out_nmse) {
  const int64_t C = g->channels;
  int64_t       n = 1;
  double        reference[3];
  binned        b;

  for (int a = 0; a < g->ndim; a++) n = fc_max64(n, g->dim[a]);
  const double lo = 2 * M_PI / (double)n, ratio = (M_PI * sqrt((double)g->ndim) + 1e-6) / lo;
  const double edge[2] = {lo * cbrt(ratio), lo * cbrt(ratio * ratio)};
  FC_TRY(binned_open(g, 3, third, edge, &b));
  const double N = (double)b.p.points;
  for (int64_t s = 0; s < S; s++)
    for (int64_t c = 0; c < C; c++) {
      const int64_t at = s * b.p.points * C + c;
      double       *e = out_mse + (s * C + c) * 3, *r = out_nmse + (s * C + c) * 3;
      binned_sum(&b, y + at, truth + at, C, 1 / (N * N), e);
      binned_sum(&b, truth + at, NULL, C, 1 / (N * N), reference);
      for (int i = 0; i < 3; i++) r[i] = e[i] / (reference[i] + 1e-7);
    }
  binned_close(&b);
  return FC_OK;
}
