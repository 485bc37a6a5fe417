/* train/metrics_pdebench.c - the scores of the PDEBench tables. */
#include "train/spectrum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const fc_grid *g;
  int64_t        B, T, N, C;
  const fc_real *y, *truth;
  double         volume;
  int64_t        n_shells, low, high;
  fc_power       power;
  int64_t       *shell; /* of each mode, -1: left out */
  double        *band;  /* [n_shells] energy of the error */
} job;

static int64_t offset(const job *j, int64_t b, int64_t t, int64_t c) {
  return ((b * j->T + t) * j->N) * j->C + c;
}

static double difference(const job *j, int64_t at, int64_t point) {
  return (double)j->y[at + point * j->C] - (double)j->truth[at + point * j->C];
}

/* ---- boundary ---- */

/* sum of (y - truth)^2 over the two faces across one axis; *count takes the number of their points */
static double face_pair(const job *j, int64_t at, int axis, int64_t *count) {
  const int64_t n     = j->g->dim[axis];
  int64_t       inner = 1;
  double        sum   = 0;

  for (int a = axis + 1; a < j->g->ndim; a++) inner *= j->g->dim[a];
  for (int64_t o = 0; o < j->N / (n * inner); o++)
    for (int64_t i = 0; i < inner; i++) {
      const double first = difference(j, at, o * n * inner + i),
                   last  = difference(j, at, (o * n + n - 1) * inner + i);
      sum += first * first + last * last;
    }
  *count += 2 * (j->N / n);
  return sum;
}

static double boundary_rmse(const job *j, int64_t at) {
  int64_t count = 0;
  double  sum   = 0;

  for (int a = 0; a < j->g->ndim; a++) sum += face_pair(j, at, a, &count);
  return sqrt(sum / (double)count);
}

/* ---- space ---- */

/* adds the scores of one channel at one time, averaged over the batch */
static void add_in_space(const job *j, int64_t t, int64_t c, fc_pdebench_scores *out) {
  double rmse = 0, nrmse = 0, brmse = 0, conserved = 0, top = 0;

  for (int64_t b = 0; b < j->B; b++) {
    const int64_t at    = offset(j, b, t, c);
    double        error = 0, norm = 0, sum = 0;
    for (int64_t i = 0; i < j->N; i++) {
      const double d = difference(j, at, i), x = (double)j->truth[at + i * j->C];
      error += d * d;
      norm += x * x;
      sum += d;
      if (!(fabs(d) <= top)) top = isnan(top) ? top : fabs(d); /* NaN stays */
    }
    rmse += sqrt(error / (double)j->N);
    nrmse += sqrt(error / norm);
    conserved += sum * sum;
    brmse += boundary_rmse(j, at);
  }
  out->rmse += rmse / (double)j->B;
  out->nrmse += nrmse / (double)j->B;
  out->brmse += brmse / (double)j->B;
  out->crmse += sqrt(conserved / (double)j->B) / (double)j->N;
  out->max += top;
}

/* ---- Fourier ---- */

static int64_t shell_of(const job *j, int64_t mode) {
  int64_t m[3];
  double  square = 0;

  fc_power_mode(&j->power, mode, m);
  if (j->g->ndim == 1) return m[0] < 0 ? -m[0] : m[0]; /* the Nyquist mode counts */
  for (int a = 0; a < j->g->ndim; a++) {
    if (m[a] < 0 || m[a] >= j->g->dim[a] / 2) return -1;
    square += (double)(m[a] * m[a]);
  }
  const int64_t shell = (int64_t)sqrt(square);
  return shell < j->n_shells ? shell : -1;
}

static double mean_of(const double *x, int64_t lo, int64_t hi) {
  double sum = 0;

  for (int64_t i = lo; i < hi; i++) sum += x[i];
  return hi > lo ? sum / (double)(hi - lo) : NAN;
}

static void add_in_fourier(job *j, int64_t t, int64_t c, fc_pdebench_scores *out) {
  const int64_t n = j->n_shells, low = fc_min64(j->low, n), high = fc_min64(j->high, n);

  memset(j->band, 0, (size_t)n * sizeof *j->band);
  for (int64_t b = 0; b < j->B; b++) {
    const int64_t at = offset(j, b, t, c);
    fc_power_run(&j->power, j->y + at, j->truth + at, j->C);
    for (int64_t i = 0; i < j->power.modes; i++)
      if (j->shell[i] >= 0) j->band[j->shell[i]] += j->power.energy[i];
  }
  for (int64_t i = 0; i < n; i++) j->band[i] = sqrt(j->band[i] / (double)j->B) / (double)j->N * j->volume;
  out->frmse[0] += mean_of(j->band, 0, low);
  out->frmse[1] += mean_of(j->band, low, high);
  out->frmse[2] += mean_of(j->band, high, n);
}

/* ---- all ---- */

static fc_status job_open(job *j, const double *box) {
  int64_t least = j->g->dim[0];

  FC_TRY(fc_power_open(j->g, &j->power));
  j->N      = j->power.points;
  j->C      = j->g->channels;
  j->volume = 1;
  for (int a = 0; a < j->g->ndim; a++) {
    least = fc_min64(least, j->g->dim[a]);
    j->volume *= box ? box[a] : 1;
  }
  j->n_shells = j->g->ndim == 1 ? j->power.modes : least / 2;
  j->shell    = malloc((size_t)j->power.modes * sizeof *j->shell);
  j->band     = malloc((size_t)(j->n_shells + 1) * sizeof *j->band);
  FC_REQUIRE(j->shell && j->band, FC_E_SYSTEM, "no memory for the scores of PDEBench");
  for (int64_t i = 0; i < j->power.modes; i++) j->shell[i] = shell_of(j, i);
  return FC_OK;
}

static void divide(fc_pdebench_scores *s, double n) {
  s->rmse /= n;
  s->nrmse /= n;
  s->crmse /= n;
  s->brmse /= n;
  s->max /= n;
  for (int i = 0; i < 3; i++) s->frmse[i] /= n;
}

fc_status fc_pdebench_eval_bands(const fc_grid *g, int64_t B, int64_t T, const double *box, int64_t low,
                                 int64_t high, const fc_real *y, const fc_real *truth,
                                 fc_pdebench_scores *out) {
  job       j = {.g = g, .B = B, .T = T, .low = low, .high = high, .y = y, .truth = truth};
  fc_status s;

  FC_ASSERT(0 <= low && low <= high, "bands of shells from %lld to %lld", (long long)low, (long long)high);
  *out = (fc_pdebench_scores){0};
  FC_TRY_TO(done, s, job_open(&j, box));
  for (int64_t t = 0; t < T; t++)
    for (int64_t c = 0; c < j.C; c++) {
      add_in_space(&j, t, c, out);
      add_in_fourier(&j, t, c, out);
    }
  divide(out, (double)(T * j.C));
done:
  fc_power_close(&j.power);
  free(j.shell);
  free(j.band);
  return s;
}

fc_status fc_pdebench_eval(const fc_grid *g, int64_t B, int64_t T, const double *box, const fc_real *y,
                           const fc_real *truth, fc_pdebench_scores *out) {
  return fc_pdebench_eval_bands(g, B, T, box, 4, 12, y, truth, out);
}
