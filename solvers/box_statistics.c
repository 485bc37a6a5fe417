/* solvers/box_statistics.c */
#include "solvers/box_statistics.h"

#include <fftw3.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* a row: variances, sum of k^2 |c|^2, |k x c|^2, |k c|^2, second and third moment of du/dx, then shells */
enum { B_UU, B_VV, B_WW, B_GRADIENT, B_CURL, B_DIVERGENCE, B_SQUARE, B_CUBE, B_SHELLS };

struct fc_box {
  fc_box_spec     spec;
  int64_t         points, modes, shells, n;
  double          dk;
  double         *x; /* [points] */
  fftw_complex   *c[3], *slope;
  fftw_plan       there, back;
  double         *row, *k; /* [n]; [shells] wavenumbers */
  fc_batch_means *means;
};

static int64_t count_shells(const fc_box_spec *s, double dk) {
  double most = INFINITY;

  for (int a = 0; a < 3; a++) most = fmin(most, (double)(s->n[a] / 2) * 2 * M_PI / s->length[a] / dk);
  return (int64_t)(most + 0.5);
}

static bool allocate(fc_box *b) {
  const int64_t *n = b->spec.n;

  b->x     = fftw_alloc_real((size_t)b->points);
  b->slope = fftw_alloc_complex((size_t)b->modes);
  for (int a = 0; a < 3; a++) b->c[a] = fftw_alloc_complex((size_t)b->modes);
  b->row = calloc((size_t)b->n, sizeof *b->row);
  b->k   = malloc((size_t)b->shells * sizeof *b->k);
  if (!b->x || !b->slope || !b->c[0] || !b->c[1] || !b->c[2] || !b->row || !b->k) return false;
  for (int64_t s = 0; s < b->shells; s++) b->k[s] = (double)(s + 1) * b->dk;
  b->there = fftw_plan_dft_r2c_3d((int)n[0], (int)n[1], (int)n[2], b->x, b->c[0], FFTW_ESTIMATE);
  b->back  = fftw_plan_dft_c2r_3d((int)n[0], (int)n[1], (int)n[2], b->slope, b->x, FFTW_ESTIMATE);
  return b->there && b->back && fc_batch_means_create(b->n, &b->means) == FC_OK;
}

fc_status fc_box_create(const fc_box_spec *spec, fc_box **out) {
  fc_box *b = calloc(1, sizeof *b);

  *out = NULL;
  FC_REQUIRE(b, FC_E_SYSTEM, "no memory for spectra");
  b->spec   = *spec;
  b->points = spec->n[0] * spec->n[1] * spec->n[2];
  b->modes  = spec->n[0] * spec->n[1] * (spec->n[2] / 2 + 1);
  b->dk     = 2 * M_PI / fmax(spec->length[0], fmax(spec->length[1], spec->length[2]));
  b->shells = fc_max64(1, count_shells(spec, b->dk));
  b->n      = B_SHELLS + b->shells;
  if (!allocate(b)) {
    fc_box_destroy(b);
    return fc_fail(FC_E_SYSTEM, "no memory for spectra of %lld points",
                   (long long)(spec->n[0] * spec->n[1] * spec->n[2]));
  }
  *out = b;
  return FC_OK;
}

void fc_box_destroy(fc_box *b) {
  if (!b) return;
  if (b->there) fftw_destroy_plan(b->there);
  if (b->back) fftw_destroy_plan(b->back);
  for (int a = 0; a < 3; a++) fftw_free(b->c[a]);
  fftw_free(b->slope);
  fftw_free(b->x);
  fc_batch_means_destroy(b->means);
  free(b->row);
  free(b->k);
  free(b);
}

/* ---- a sample ---- */

/* Wave vector of mode i, and how many modes it stands for. The highest mode of an even axis has no sign: it
   counts in energies, not in slopes (k is then 0 in slope). */
static double wave(const fc_box *b, int64_t i, double k[3], double slope[3]) {
  const int64_t *n = b->spec.n, half = n[2] / 2 + 1, m[3] = {i / half / n[1], i / half % n[1], i % half};

  for (int a = 0; a < 3; a++) {
    const int64_t mode = 2 * m[a] > n[a] ? m[a] - n[a] : m[a];
    k[a]               = 2 * M_PI / b->spec.length[a] * (double)mode;
    slope[a]           = 2 * mode == n[a] ? 0 : k[a];
  }
  return m[2] == 0 || 2 * m[2] == n[2] ? 1 : 2;
}

static double square(const double c[2]) { return c[0] * c[0] + c[1] * c[1]; }

static void add_mode(fc_box *b, int64_t i) {
  double       k[3], s[3], energy = 0, divergence[2] = {0}, all = 0;
  const double weight = wave(b, i, k, s), kk = s[0] * s[0] + s[1] * s[1] + s[2] * s[2];
  const double length = sqrt(k[0] * k[0] + k[1] * k[1] + k[2] * k[2]);
  double      *row    = b->row;

  for (int a = 0; a < 3; a++) {
    const double e = weight * square(b->c[a][i]);
    row[B_UU + a] += e;
    energy += e / 2;
    all += kk * e;
    for (int p = 0; p < 2; p++) divergence[p] += s[a] * b->c[a][i][p];
  }
  row[B_GRADIENT] += all;
  row[B_DIVERGENCE] += weight * square(divergence);
  row[B_CURL] += all - weight * square(divergence);
  const int64_t shell = (int64_t)(length / b->dk + 0.5) - 1;
  if (shell >= 0 && shell < b->shells) row[B_SHELLS + shell] += energy / b->dk;
}

static void transform(fc_box *b, const double *const u[3]) {
  for (int a = 0; a < 3; a++) {
    memcpy(b->x, u[a], (size_t)b->points * sizeof *b->x);
    fftw_execute_dft_r2c(b->there, b->x, b->c[a]);
    for (int64_t i = 0; i < b->modes; i++)
      for (int p = 0; p < 2; p++) b->c[a][i][p] /= (double)b->points;
    b->c[a][0][0] = b->c[a][0][1] = 0; /* the mean flow */
  }
}

/* second and third moment of du/dx, dv/dy, dw/dz */
static void add_slopes(fc_box *b) {
  double k[3], s[3], sum[2] = {0};

  for (int a = 0; a < 3; a++) {
    for (int64_t i = 0; i < b->modes; i++) {
      wave(b, i, k, s);
      b->slope[i][0] = -s[a] * b->c[a][i][1];
      b->slope[i][1] = s[a] * b->c[a][i][0];
    }
    fftw_execute(b->back);
    for (int64_t i = 0; i < b->points; i++)
      sum[0] += b->x[i] * b->x[i], sum[1] += b->x[i] * b->x[i] * b->x[i];
  }
  b->row[B_SQUARE] = sum[0] / (3 * (double)b->points);
  b->row[B_CUBE]   = sum[1] / (3 * (double)b->points);
}

/* ---- what follows from a row, or from a mean of rows ---- */

static double ratio(double a, double b) { return b > 0 ? a / b : 0; }

static double energy_of(const double *row) { return (row[B_UU] + row[B_VV] + row[B_WW]) / 2; }

/* pi / (2 u'^2) integral of E / k, 3 u'^2 = 2 energy */
static double integral_scale(const fc_box *b, const double *row) {
  double sum = 0;

  for (int64_t s = 0; s < b->shells; s++) sum += row[B_SHELLS + s] / b->k[s] * b->dk;
  return ratio(M_PI / 2 * sum, 2 * energy_of(row) / 3);
}

static double skewness(const double *row) { return ratio(row[B_CUBE], pow(row[B_SQUARE], 1.5)); }

/* u' lambda / nu with lambda^2 = 15 nu u'^2 / dissipation */
static double taylor_scale(const double *row) { return sqrt(ratio(10 * energy_of(row), row[B_GRADIENT])); }

static double re_lambda(const fc_box *b, const double *row) {
  return ratio(sqrt(2 * energy_of(row) / 3) * taylor_scale(row), b->spec.nu);
}

void fc_box_sample(fc_box *b, const double *const u[3], fc_box_numbers *now) {
  const double *row = b->row;

  memset(b->row, 0, (size_t)b->n * sizeof *b->row);
  transform(b, u);
  for (int64_t i = 0; i < b->modes; i++) add_mode(b, i);
  add_slopes(b);
  fc_batch_means_add(b->means, row);
  *now = (fc_box_numbers){.energy         = energy_of(row),
                          .dissipation    = b->spec.nu * row[B_GRADIENT],
                          .enstrophy      = row[B_CURL] / 2,
                          .integral_scale = integral_scale(b, row),
                          .re_lambda      = re_lambda(b, row),
                          .skewness       = skewness(row),
                          .divergence     = sqrt(ratio(row[B_DIVERGENCE], row[B_GRADIENT]))};
}

/* ---- report ---- */

typedef struct units {
  const fc_box *b;
  char          square[FC_NAME + 8], spectrum[3 * FC_NAME], axis[FC_NAME + 16];
} units;

static void put_viscous(const units *w, fc_estimates *e, const double *row) {
  const fc_box *b  = w->b;
  const double  nu = b->spec.nu, dissipation = nu * row[B_GRADIENT], u = sqrt(2 * energy_of(row) / 3);
  const double  eta = pow(ratio(nu * nu * nu, dissipation), 0.25);

  if (!(nu > 0)) return;
  fc_estimate_one(e, "dissipation", "", dissipation, "nu <|grad u|^2>");
  fc_estimate_one(e, "Re_lambda", "", re_lambda(b, row), "u_rms lambda / nu");
  fc_estimate_one(e, "kolmogorov_scale", b->spec.length_unit, eta, "(nu^3 / dissipation)^(1/4)");
  fc_estimate_one(e, "k_max_eta", "", b->k[b->shells - 1] * eta,
                  "largest complete shell times the Kolmogorov scale");
  fc_estimate_one(e, "eddy_time", "", ratio(integral_scale(b, row), u), "integral scale over u_rms");
}

static void report(void *user, const double *row, fc_estimates *e) {
  const units  *w = user;
  const fc_box *b = w->b;
  const char   *v = b->spec.velocity_unit, *l = b->spec.length_unit;

  fc_estimate_put(e, "E", w->spectrum, w->axis, b->shells, b->k, row + B_SHELLS,
                  "energy in shells of wavenumber over their width dk");
  fc_estimate_one(e, "energy", w->square, energy_of(row), "<|u - mean|^2> / 2");
  fc_estimate_one(e, "u_rms", v, sqrt(2 * energy_of(row) / 3), "root of 2/3 energy: rms of one component");
  fc_estimate_one(e, "uu", w->square, row[B_UU], "variance of u");
  fc_estimate_one(e, "vv", w->square, row[B_VV], "variance of v");
  fc_estimate_one(e, "ww", w->square, row[B_WW], "variance of w");
  fc_estimate_one(e, "enstrophy", "", row[B_CURL] / 2, "<|curl u|^2> / 2");
  fc_estimate_one(e, "integral_scale", l, integral_scale(b, row), "pi / (2 u_rms^2) integral of E / k");
  fc_estimate_one(e, "taylor_scale", l, taylor_scale(row), "lambda = root of 15 u_rms^2 / <|grad u|^2>");
  fc_estimate_one(e, "skewness", "", skewness(row),
                  "<(du/dx)^3> / <(du/dx)^2>^(3/2), of all three directions");
  fc_estimate_one(e, "divergence_rms", "", sqrt(ratio(row[B_DIVERGENCE], row[B_GRADIENT])),
                  "rms of div u over rms of grad u, spectral");
  put_viscous(w, e, row);
}

fc_status fc_box_report(const fc_box *b, fc_statistics *out) {
  const char *v = b->spec.velocity_unit, *l = b->spec.length_unit;
  units       w = {.b = b};

  if (v[0]) snprintf(w.square, sizeof w.square, "(%s)^2", v);
  if (v[0]) snprintf(w.spectrum, sizeof w.spectrum, "(%s)^2 %s", v, l);
  snprintf(w.axis, sizeof w.axis, "k%s%.50s%s", l[0] ? " (1/" : "", l, l[0] ? ")" : "");
  return fc_estimate(b->means, b->n, report, &w, out);
}
