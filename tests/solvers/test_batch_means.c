/* tests/solvers/test_batch_means.c - intervals that hold what they promise, exact merging, restarts. */
#include "solvers/batch_means.h"
#include "tests/check.h"

/* x_t = phi x_{t-1} + sqrt(1 - phi^2) e_t: mean 0, variance 1, integral correlation (1 + phi) / (1 - phi) */
typedef struct {
  fc_rng   r;
  uint64_t at;
  double   phi, x;
} series;

static series start(uint64_t trial, double phi) {
  series s = {.r = {11, trial, FC_RNG_TEST}, .phi = phi};

  s.x = fc_rng_normal(&s.r, s.at++);
  return s;
}

static double next(series *s) {
  s->x = s->phi * s->x + sqrt(1 - s->phi * s->phi) * fc_rng_normal(&s->r, s->at++);
  return s->x;
}

static void deviation(void *user, const double *mean, double *out) {
  (void)user;
  out[0] = sqrt(mean[1] - mean[0] * mean[0]);
}

/* how often the intervals of the mean and of the standard deviation hold the true 0 and 1 */
static void covered(double phi, int64_t length, int trials, double share[2]) {
  fc_batch_means *b;
  double          mean[2], half[2], value, width;

  share[0] = share[1] = 0;
  for (int k = 0; k < trials; k++) {
    series s = start((uint64_t)k, phi);
    CHECK_OK(fc_batch_means_create(2, &b));
    for (int64_t t = 0; t < length; t++) {
      const double x = next(&s), pair[2] = {x, x * x};
      fc_batch_means_add(b, pair);
    }
    fc_batch_means_get(b, mean, half);
    CHECK_OK(fc_batch_means_derive(b, 1, deviation, NULL, &value, &width));
    share[0] += (fabs(mean[0]) < half[0]) / (double)trials;
    share[1] += (fabs(value - 1) < width) / (double)trials;
    fc_batch_means_destroy(b);
  }
}

/* A share of 1000 trials with p = 0.95 has the standard deviation 0.007; three of them. The batches are 33
   (phi 0.5: 128 of 3.9 correlation times) and 13 correlation times long, which costs one or two per cent. */
static void coverage(void) {
  double share[2];

  covered(0.0, 500, 1000, share);
  CHECK_NEAR(share[0], 0.95, 0.021);
  covered(0.5, 2900, 1000, share);
  CHECK_NEAR(share[0], 0.95, 0.021);
  CHECK_NEAR(share[1], 0.95, 0.03);
  covered(0.8, 2900, 1000, share);
  CHECK_NEAR(share[0], 0.94, 0.03);
  if (getenv("FC_SHOW")) printf("phi 0.8: %.3f %.3f\n", share[0], share[1]);
}

/* the half-width itself against the exact variance of the mean, sum over lags of the autocovariance */
static void width(void) {
  const double    phi    = 0.5;
  const int64_t   n      = 31 * 256;
  double          square = 0, mean, half;
  fc_batch_means *b;

  for (int k = 0; k < 200; k++) {
    series s = start(1000 + (uint64_t)k, phi);
    CHECK_OK(fc_batch_means_create(1, &b));
    for (int64_t t = 0; t < n; t++) fc_batch_means_add(b, (double[]){next(&s)});
    CHECK(fc_batch_means_batches(b) == 31);
    fc_batch_means_get(b, &mean, &half);
    square += half * half / 200;
    fc_batch_means_destroy(b);
  }
  const double exact = fc_student_t(30) * sqrt((1 + phi) / (1 - phi) / (double)n);
  /* 200 estimates with 30 degrees of freedom each: 1 / sqrt(2 * 6000) = 0.9 %, and 0.5 % from short batches
   */
  CHECK_NEAR(sqrt(square) / exact, 1, 0.03);
}

/* whole numbers add up without rounding, so merged batches and the plain mean agree to the last bit; of 101
   samples 100 are in 25 batches of 4 */
static void merging(void) {
  fc_batch_means *b;
  double          sum[3] = {0}, mean[3], half[3];

  CHECK_OK(fc_batch_means_create(3, &b));
  for (int t = 0; t < 101; t++) {
    const double x[3] = {t * t % 17, -t, 5};
    for (int i = 0; i < 3; i++) sum[i] += x[i];
    fc_batch_means_add(b, x);
    if (t == 0) fc_batch_means_get(b, mean, half);
    if (t == 0) CHECK(mean[2] == 5 && isnan(half[2]) && isnan(fc_batch_means_correlation(b)));
  }
  CHECK(fc_batch_means_samples(b) == 101 && fc_batch_means_batches(b) == 25);
  fc_batch_means_get(b, mean, half);
  for (int i = 0; i < 3; i++) CHECK(mean[i] == sum[i] / 101);
  CHECK(half[2] < 1e-14 && half[1] > 0); /* but for rounding */
  /* neighbours on a line are alike */
  CHECK(fc_batch_means_correlation(b) > 0.3);
  fc_batch_means_destroy(b);
}

static void both_shifted(void *user, const double *mean, double *out) {
  (void)user;
  for (int i = 0; i < 2; i++) out[i] = 3 * mean[i] - 1;
}

/* of something linear the jackknife gives the interval of the mean: equal but for rounding */
static void jackknife(void) {
  fc_batch_means *b;
  double          mean[2], half[2], value[2], width[2];
  series          s = start(5, 0.7);

  CHECK_OK(fc_batch_means_create(2, &b));
  for (int t = 0; t < 700; t++) {
    const double x = next(&s);
    fc_batch_means_add(b, (double[]){x, 2 + x * x});
  }
  fc_batch_means_get(b, mean, half);
  CHECK_OK(fc_batch_means_derive(b, 2, both_shifted, NULL, value, width));
  for (int i = 0; i < 2; i++) CHECK_NEAR(value[i], 3 * mean[i] - 1, 1e-13);
  for (int i = 0; i < 2; i++) CHECK_NEAR(width[i] / half[i], 3, 1e-10);
  fc_batch_means_destroy(b);
}

/* kept and restored in the middle of a batch */
static void restart(void) {
  fc_batch_means *whole, *first, *second;
  series          s = start(9, 0.3);
  double          a[2], b[2], c[2], d[2];

  CHECK_OK(fc_batch_means_create(2, &whole));
  CHECK_OK(fc_batch_means_create(2, &first));
  CHECK_OK(fc_batch_means_create(2, &second));
  double *state = malloc((size_t)fc_batch_means_state(first) * sizeof *state);
  for (int t = 0; t < 333; t++) {
    const double x[2] = {next(&s), 0.1 * t};
    fc_batch_means_add(whole, x);
    fc_batch_means_add(t < 147 ? first : second, x);
    if (t == 146) fc_batch_means_keep(first, state), fc_batch_means_restore(second, state);
  }
  fc_batch_means_get(whole, a, b);
  fc_batch_means_get(second, c, d);
  CHECK(!memcmp(a, c, sizeof a) && !memcmp(b, d, sizeof b));
  CHECK(fc_batch_means_batches(whole) == fc_batch_means_batches(second));
  free(state);
  fc_batch_means_destroy(whole);
  fc_batch_means_destroy(first);
  fc_batch_means_destroy(second);
}

/* three decimals of the usual table */
static void student(void) {
  CHECK_NEAR(fc_student_t(1), 12.706, 6e-4);
  CHECK_NEAR(fc_student_t(2), 4.303, 6e-4);
  CHECK_NEAR(fc_student_t(5), 2.571, 6e-4);
  CHECK_NEAR(fc_student_t(15), 2.131, 6e-4);
  CHECK_NEAR(fc_student_t(30), 2.042, 6e-4);
}

CHECK_SUITE(batch_means, coverage, width, merging, jackknife, restart, student)
