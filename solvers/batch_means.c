/* solvers/batch_means.c */
#include "solvers/batch_means.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct fc_batch_means {
  int64_t n, samples, length, in_last; /* samples in a complete batch, and in the one that is not */
  int     batches;
  double *sum; /* [FC_BATCHES + 1, n]: complete batches, then the one that is not */
};

enum { STATE_HEAD = 4 };

fc_status fc_batch_means_create(int64_t n, fc_batch_means **out) {
  fc_batch_means *b = calloc(1, sizeof *b);

  *out = NULL;
  if (b) b->sum = calloc((size_t)(FC_BATCHES + 1) * (size_t)fc_max64(n, 1), sizeof *b->sum);
  if (!b || !b->sum) {
    free(b);
    return fc_fail(FC_E_SYSTEM, "no memory for the statistics of %lld numbers", (long long)n);
  }
  b->n      = n;
  b->length = 1;
  *out      = b;
  return FC_OK;
}

void fc_batch_means_destroy(fc_batch_means *b) {
  if (!b) return;
  free(b->sum);
  free(b);
}

/* ---- samples ---- */

static double *batch(const fc_batch_means *b, int k) { return b->sum + k * b->n; }
static double *last(const fc_batch_means *b) { return batch(b, FC_BATCHES); }

static void merge_pairs(fc_batch_means *b) {
  for (int k = 0; k < FC_BATCHES / 2; k++) {
    const double *x = batch(b, 2 * k), *y = batch(b, 2 * k + 1);
    double       *to = batch(b, k);
    for (int64_t i = 0; i < b->n; i++) to[i] = x[i] + y[i];
  }
  b->batches = FC_BATCHES / 2;
  b->length *= 2;
}

void fc_batch_means_add(fc_batch_means *b, const double *x) {
  double *sum = last(b);

  for (int64_t i = 0; i < b->n; i++) sum[i] += x[i];
  b->samples++;
  if (++b->in_last < b->length) return;
  memcpy(batch(b, b->batches++), sum, (size_t)b->n * sizeof *sum);
  memset(sum, 0, (size_t)b->n * sizeof *sum);
  b->in_last = 0;
  if (b->batches == FC_BATCHES) merge_pairs(b);
}

int64_t fc_batch_means_samples(const fc_batch_means *b) { return b->samples; }
int     fc_batch_means_batches(const fc_batch_means *b) { return b->batches; }

/* ---- Student's t ---- */

/* P(|T| < t) for whole degrees of freedom: finite sums (Abramowitz & Stegun 26.7.3, 26.7.4) */
static double inside(double t, int freedom) {
  const double theta = atan(t / sqrt(freedom)), c2 = cos(theta) * cos(theta);
  const bool   odd  = freedom % 2;
  double       term = odd ? cos(theta) : 1, sum = 0;

  for (int k = odd ? 1 : 0; k <= freedom - 2; k += 2) {
    sum += term;
    term *= (k + 1.0) / (k + 2.0) * c2;
  }
  return odd ? 2 / M_PI * (theta + sin(theta) * sum) : sin(theta) * sum;
}

double fc_student_t(int freedom) {
  double lo = 0, hi = 13; /* 12.706 with one degree of freedom */

  for (int i = 0; i < 60; i++) {
    const double mid = (lo + hi) / 2;
    if (inside(mid, freedom) < 0.95)
      lo = mid;
    else
      hi = mid;
  }
  return (lo + hi) / 2;
}

/* ---- means and intervals ---- */

static void mean_of_all(const fc_batch_means *b, double *mean) {
  memcpy(mean, last(b), (size_t)b->n * sizeof *mean);
  for (int k = 0; k < b->batches; k++)
    for (int64_t i = 0; i < b->n; i++) mean[i] += batch(b, k)[i];
  for (int64_t i = 0; i < b->n; i++) mean[i] /= (double)fc_max64(b->samples, 1);
}

/* mean of number i over complete batches, and the sum of squared distances from it */
static double spread(const fc_batch_means *b, int64_t i, double *square) {
  double mean = 0;

  for (int k = 0; k < b->batches; k++) mean += batch(b, k)[i] / b->batches;
  *square = 0;
  for (int k = 0; k < b->batches; k++) *square += (batch(b, k)[i] - mean) * (batch(b, k)[i] - mean);
  return mean;
}

void fc_batch_means_get(const fc_batch_means *b, double *mean, double *half) {
  const int m = b->batches;

  mean_of_all(b, mean);
  for (int64_t i = 0; i < b->n; i++) {
    double square;
    spread(b, i, &square);
    half[i] = m < 2 ? NAN : fc_student_t(m - 1) * sqrt(square / m / (m - 1)) / (double)b->length;
  }
}

double fc_batch_means_correlation(const fc_batch_means *b) {
  double  sum   = 0;
  int64_t count = 0;

  if (b->batches < 4) return NAN;
  for (int64_t i = 0; i < b->n; i++) {
    double       square, product = 0;
    const double mean = spread(b, i, &square);
    if (!(square > 1e-24 * mean * mean)) continue; /* constant but for rounding */
    for (int k = 1; k < b->batches; k++) product += (batch(b, k)[i] - mean) * (batch(b, k - 1)[i] - mean);
    sum += product / square;
    count++;
  }
  return count ? sum / (double)count : NAN;
}

/* the mean of the complete batches but one */
static void mean_without(const fc_batch_means *b, const double *total, int k, double *mean) {
  const double samples = (double)(b->length * (b->batches - 1));

  for (int64_t i = 0; i < b->n; i++) mean[i] = (total[i] - batch(b, k)[i]) / samples;
}

static void total_of_batches(const fc_batch_means *b, double *total) {
  memset(total, 0, (size_t)b->n * sizeof *total);
  for (int k = 0; k < b->batches; k++)
    for (int64_t i = 0; i < b->n; i++) total[i] += batch(b, k)[i];
}

/* theta[batches, m]: f without each batch; half from their spread */
static void intervals(const fc_batch_means *b, int64_t m, const double *theta, double *half) {
  const int n = b->batches;

  for (int64_t i = 0; i < m; i++) {
    double mean = 0, square = 0;
    for (int k = 0; k < n; k++) mean += theta[k * m + i] / n;
    for (int k = 0; k < n; k++) square += (theta[k * m + i] - mean) * (theta[k * m + i] - mean);
    half[i] = n < 2 ? NAN : fc_student_t(n - 1) * sqrt(square * (n - 1) / n);
  }
}

fc_status fc_batch_means_derive(const fc_batch_means *b, int64_t                              m,
                                void (*f)(void *user, const double *mean, double *out), void *user,
                                double *value, double *half) {
  double   *mean = malloc(2 * (size_t)b->n * sizeof *mean), *total = mean ? mean + b->n : NULL;
  double   *theta = malloc((size_t)(b->batches + 1) * (size_t)m * sizeof *theta);
  fc_status s     = FC_OK;

  if (mean && theta) {
    mean_of_all(b, mean);
    f(user, mean, value);
    total_of_batches(b, total);
    for (int k = 0; k < b->batches && b->batches > 1; k++) {
      mean_without(b, total, k, mean);
      f(user, mean, theta + k * m);
    }
    intervals(b, m, theta, half);
  } else
    s = fc_fail(FC_E_SYSTEM, "no memory for the intervals of %lld numbers", (long long)m);
  free(mean);
  free(theta);
  return s;
}

/* ---- restart ---- */

int64_t fc_batch_means_state(const fc_batch_means *b) { return STATE_HEAD + (FC_BATCHES + 1) * b->n; }

void fc_batch_means_keep(const fc_batch_means *b, double *x) {
  const double head[STATE_HEAD] = {(double)b->samples, (double)b->length, (double)b->in_last, b->batches};

  memcpy(x, head, sizeof head);
  memcpy(x + STATE_HEAD, b->sum, (size_t)(FC_BATCHES + 1) * (size_t)b->n * sizeof *x);
}

void fc_batch_means_restore(fc_batch_means *b, const double *x) {
  b->samples = (int64_t)x[0];
  b->length  = (int64_t)x[1];
  b->in_last = (int64_t)x[2];
  b->batches = (int)x[3];
  memcpy(b->sum, x + STATE_HEAD, (size_t)(FC_BATCHES + 1) * (size_t)b->n * sizeof *x);
}
