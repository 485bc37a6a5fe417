/* solvers/sgs_filter.c */
#include "solvers/sgs_filter.h"

#include "core/parallel.h"
#include "solvers/fft2.h"

#include <fftw3.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 3 };
static const int    reach[]             = {[FC_SGS_TRAPEZOID] = 1, [FC_SGS_SIXTH] = 3};
static const double weights[][MOST + 1] = {
    [FC_SGS_TRAPEZOID] = {0.5, 0.25, 0, 0}, [FC_SGS_SIXTH] = {11.0 / 16, 15.0 / 64, -3.0 / 32, 1.0 / 64}};

/* ---- making ---- */

int64_t fc_sgs_filter_points(fc_sgs_filter_kind kind, int64_t keep) {
  return kind == FC_SGS_CUTOFF ? fc_max64(1, keep / 2) : keep;
}

static double transfer(fc_sgs_filter_kind kind, int64_t k, int64_t keep) {
  double sum = weights[kind][0];

  if (kind == FC_SGS_CUTOFF) return 1;
  for (int j = 1; j <= reach[kind]; j++)
    sum += 2 * weights[kind][j] * cos(2 * M_PI * (double)(j * k) / (double)keep);
  return sum;
}

/* transforms along n of [outer, n, inner], in place; dry: some array of that size */
static fftw_plan plan(const fc_sgs_filter *f, int64_t n, int sign, bool measure, double *dry) {
  const int        inner   = (int)f->inner;
  const fftw_iodim along   = {(int)n, inner, inner};
  const fftw_iodim rest[2] = {{(int)f->outer, (int)n * inner, (int)n * inner}, {inner, 1, 1}};

  return fftw_plan_guru_dft(1, &along, 2, rest, (fftw_complex *)dry, (fftw_complex *)dry, sign,
                            measure ? FFTW_MEASURE : FFTW_ESTIMATE);
}

static bool plan_waves(fc_sgs_filter *f, int64_t keep, bool measure) {
  double *dry = fc_fft2_alloc(2 * f->outer * f->n * f->inner);

  f->top    = f->kind == FC_SGS_CUTOFF ? (keep - 1) / 4 : (keep - 1) / 2;
  f->factor = malloc((size_t)(f->top + 1) * sizeof *f->factor);
  if (dry) {
    f->forward = plan(f, f->n, FFTW_FORWARD, measure, dry);
    f->inverse = plan(f, f->m, FFTW_BACKWARD, measure, dry);
  }
  for (int64_t k = 0; f->factor && k <= f->top; k++) f->factor[k] = transfer(f->kind, k, keep) / (double)f->n;
  free(dry);
  return f->factor && f->forward && f->inverse;
}

fc_status fc_sgs_filter_create(fc_sgs_filter_kind kind, bool walls, int64_t outer, int64_t n, int64_t keep,
                               int64_t inner, bool measure, fc_sgs_filter **out) {
  const bool     waves = kind == FC_SGS_CUTOFF || n > keep;
  fc_sgs_filter *f     = calloc(1, sizeof *f);

  FC_ASSERT(keep <= n && (!walls || (kind == FC_SGS_SIXTH && n >= 6 && n == keep)), "no such filter");
  if (f) *f = (fc_sgs_filter){kind, walls, outer, n, fc_sgs_filter_points(kind, keep), inner};
  *out = f;
  if (f && (!waves || plan_waves(f, keep, measure))) return FC_OK;
  fc_sgs_filter_destroy(f);
  *out = NULL;
  return fc_fail(FC_E_SYSTEM, "no memory for a test filter on lines of %lld points", (long long)n);
}

void fc_sgs_filter_destroy(fc_sgs_filter *f) {
  if (!f) return;
  if (f->forward) fftw_destroy_plan(f->forward);
  if (f->inverse) fftw_destroy_plan(f->inverse);
  free(f->factor);
  free(f);
}

/* ---- waves ---- */

FC_SIMD static void scale(double *restrict y, const double *restrict x, double s, int64_t n) {
  FC_VECTOR for (int64_t i = 0; i < n; i++) y[i] = s * x[i];
}

static void scale_waves(double *y, const double *x, const double *factor, int64_t step, int64_t n,
                        int64_t row) {
  if (row > 2) {
    for (int64_t k = 0; k < n; k++) scale(y + k * row, x + k * row, factor[k * step], row);
    return;
  }
  for (int64_t k = 0; k < n; k++) {
    y[2 * k]     = factor[k * step] * x[2 * k];
    y[2 * k + 1] = factor[k * step] * x[2 * k + 1];
  }
}

/* the waves 0 .. top and -top .. -1 of n into m places, the others 0 */
static void keep_waves(const fc_sgs_filter *f, const double *x, double *y) {
  const int64_t row = 2 * f->inner, low = (f->top + 1) * row, high = f->top * row;

  for (int64_t o = 0; o < f->outer; o++, x += f->n * row, y += f->m * row) {
    double *negative = y + f->m * row - high;
    scale_waves(y, x, f->factor, 1, f->top + 1, row);
    memset(y + low, 0, (size_t)(negative - y - low) * sizeof *y);
    scale_waves(negative, x + f->n * row - high, f->factor + f->top, -1, f->top, row);
  }
}

/* ---- weights on points ---- */

/* points far from the ends; neighbours are row numbers apart */
FC_SIMD static void blend(double *restrict y, const double *x, const double *w, int width, int64_t row,
                          int64_t n) {
  if (width == 1)
    FC_VECTOR for (int64_t i = 0; i < n; i++) y[i] = w[0] * x[i] + w[1] * (x[i - row] + x[i + row]);
  else
    FC_VECTOR for (int64_t i = 0; i < n; i++) y[i] = w[0] * x[i] + w[1] * (x[i - row] + x[i + row]) +
                                                     w[2] * (x[i - 2 * row] + x[i + 2 * row]) +
                                                     w[3] * (x[i - 3 * row] + x[i + 3 * row]);
}

/* points from .. to - 1, whose neighbours are found around the ends */
static void blend_round(const fc_sgs_filter *f, int64_t from, int64_t to, const double *x, double *y) {
  const int64_t row = 2 * f->inner, n = f->n;
  const double *w = weights[f->kind];

  for (int64_t i = from; i < to; i++)
    for (int64_t j = 0; j < row; j++) {
      double sum = w[0] * x[i * row + j];
      for (int64_t k = 1; k <= reach[f->kind]; k++)
        sum += w[k] * (x[(i + k) % n * row + j] + x[(i - k + MOST * n) % n * row + j]);
      y[i * row + j] = sum;
    }
}

/* The points 0, 1, 2 of a wall at x, rows step apart: the first one stays, the next ones have the one-sided
   weights of third and fifth order that the code of solvers/sgs_clipped.h has. */
FC_SIMD static void beside_wall(double *restrict y, const double *restrict x, int64_t step, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    const double a = x[i], b = x[i + step], c = x[i + 2 * step], d = x[i + 3 * step], e = x[i + 4 * step],
                 f  = x[i + 5 * step];
    y[i]            = a;
    y[i + step]     = (a + 5 * b + 3 * c - d) / 8;
    y[i + 2 * step] = (-a + 5 * b + 22 * c + 10 * d - 5 * e + f) / 32;
  }
}

static void blend_line(const fc_sgs_filter *f, const double *x, double *y) {
  const int64_t row = 2 * f->inner, n = f->n, far = reach[f->kind], ends = n > 2 * far ? far : n;

  if (n > 2 * far) blend(y + far * row, x + far * row, weights[f->kind], (int)far, row, (n - 2 * far) * row);
  if (f->walls) {
    beside_wall(y, x, row, row);
    beside_wall(y + (n - 1) * row, x + (n - 1) * row, -row, row);
  } else {
    blend_round(f, 0, ends, x, y);
    if (ends < n) blend_round(f, n - far, n, x, y);
  }
}

void fc_sgs_filter_apply(const fc_sgs_filter *f, double *x, double *y) {
  const int64_t size = 2 * f->n * f->inner;

  if (f->factor) {
    fftw_execute_dft(f->forward, (fftw_complex *)x, (fftw_complex *)x);
    keep_waves(f, x, y);
    fftw_execute_dft(f->inverse, (fftw_complex *)y, (fftw_complex *)y);
    return;
  }
  for (int64_t o = 0; o < f->outer; o++) blend_line(f, x + o * size, y + o * size);
}
