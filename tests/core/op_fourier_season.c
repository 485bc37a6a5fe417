/* tests/core/op_fourier_season.c */
#include "tests/check.h"

/* Amplitudes far apart, another order in each channel: shaking x a little leaves the choice alone, which
   differences need. */
static fc_tensor *with_waves(fc_ctx *c, fc_tensor *x) {
  const int64_t T = x->dim[1], D = x->dim[2], F = (T - 1) / 2;
  fc_tensor    *waves = fc_tensor_new(c->arena, FC_DIMS(T, D));

  for (int64_t i = 0; !c->dry && i < T * D; i++) {
    double sum = 0;
    for (int64_t f = 1; f <= F; f++)
      sum +=
          (double)(1 + (f * 11 + i % D) % F) * cos(2 * M_PI * (double)(f * (i / D)) / (double)T + (double)f);
    waves->x[i] = (fc_real)sum;
  }
  return fc_add(c, fc_affine(c, x, 0.125, 0), waves);
}

static fc_tensor *even(fc_ctx *c, fc_tensor **in) {
  return fc_fourier_season(c, with_waves(c, in[0]), 3, 1, 5);
}
static fc_tensor *odd(fc_ctx *c, fc_tensor **in) {
  return fc_fourier_season(c, with_waves(c, in[0]), 2, 1, 40);
}
static fc_tensor *same(fc_ctx *c, fc_tensor **in) {
  return fc_fourier_season(c, with_waves(c, in[0]), 3, 2, 0);
}
static fc_tensor *all(fc_ctx *c, fc_tensor **in) { return fc_fourier_season(c, in[0], 7, 1, 1); }

static void gradient(void) {
  check_op("fourier_season_even", even, CHECK_INS({3, {2, 12, 3}}), 0, 0);
  check_op("fourier_season_odd", odd, CHECK_INS({3, {1, 15, 70}}), 0, 0);
  check_op("fourier_season_same", same, CHECK_INS({3, {3, 37, 1}}), 0, 0);
  check_op("fourier_season_all", all, CHECK_INS({3, {2, 16, 6}}), 0, 0);
  check_op("fourier_season_large", even, CHECK_INS({3, {4, 96, 130}}), 0, 0);
}

/* channel d: a wave of frequency 1 + d, beside weaker ones, a mean, and the last frequency of an even T */
static double wave(int64_t t, int64_t d, int64_t T) {
  return (1.5 + 0.1 * (double)d) * cos(2 * M_PI * (double)((1 + d) * t) / (double)T + 0.3 * (double)d);
}

static double beside(int64_t t, int64_t T) {
  return 4 + 0.2 * sin(2 * M_PI * 5 * (double)t / (double)T) + (T % 2 ? 0 : t % 2 ? -9 : 9);
}

static void continues(int64_t T, int64_t extra) {
  const int64_t D = 3;
  fc_ctx       *c = check_ctx();
  fc_tensor    *x = fc_tensor_new(c->arena, FC_DIMS(1, T, D));

  for (int64_t i = 0; i < T * D; i++) x->x[i] = (fc_real)(wave(i / D, i % D, T) + beside(i / D, T));
  const fc_tensor *y = fc_fourier_season(c, x, 1, 1, extra);
  CHECK(y->dim[1] == T + extra);
  for (int64_t i = 0; i < (T + extra) * D; i++) CHECK_NEAR(y->x[i], wave(i / D, i % D, T), 1e-5);
}

/* waves of whole frequencies go on exactly, whatever the mean and the weaker ones are */
static void pure_waves(void) {
  continues(24, 12);
  continues(31, 100);
  continues(720, 720);
}

/* all frequencies together give the series without its mean (odd T) */
static void complete(void) {
  const int64_t T = 21, D = 5;
  fc_ctx       *c = check_ctx();
  fc_tensor    *x = check_random(c, FC_DIMS(2, T, D)), *y = fc_fourier_season(c, x, 10, 1, 0);
  fc_tensor    *mean = fc_reshape(c, fc_mean_axes(c, x, 1u << 1), FC_DIMS(2, 1, D));

  CHECK(check_distance(y, fc_sub(c, x, fc_expand(c, mean, 1, T))) < 1e-5);
}

/* an impulse has all frequencies alike: the lower ones are taken, up to rounding by their exact equality */
static void ties(void) {
  const int64_t T = 16;
  fc_ctx       *c = check_ctx();
  fc_tensor    *x = fc_tensor_new(c->arena, FC_DIMS(1, T, 2));

  for (int64_t i = 0; i < 2 * T; i++) x->x[i] = i == 0 ? 8 : 0;
  const fc_tensor *y = fc_fourier_season(c, x, 2, 2, 0);
  for (int64_t t = 0; t < T; t++) {
    CHECK_NEAR(y->x[2 * t], cos(2 * M_PI * 2 * (double)t / 16) + cos(2 * M_PI * 3 * (double)t / 16), 1e-5);
    CHECK_NEAR(y->x[2 * t + 1], 0, 1e-5);
  }
}

static void none(void) {
  fc_ctx    *c       = check_ctx();
  fc_tensor *x       = check_random(c, FC_DIMS(2, 9, 3));
  c->grad            = true;
  x->needs_grad      = true;
  const fc_tensor *y = fc_fourier_season(c, x, 0, 1, 4);

  CHECK(y->dim[1] == 13 && !y->needs_grad);
  for (int64_t i = 0; i < fc_len(y); i++) CHECK_NEAR(y->x[i], 0, 0);
}

/* the FFT pairs channels: a strong neighbour must not be seen, and NaN stays NaN */
static void neighbours(void) {
  const int64_t T = 32;
  fc_ctx       *c = check_ctx();
  fc_tensor    *x = fc_tensor_new(c->arena, FC_DIMS(1, T, 4));

  for (int64_t t = 0; t < T; t++) {
    const double wave = cos(2 * M_PI * 3 * (double)t / (double)T + 1);
    x->x[4 * t]       = (fc_real)(1e4 * sin((double)(t * t)));
    x->x[4 * t + 1]   = (fc_real)wave;
    x->x[4 * t + 2]   = (fc_real)wave;
    x->x[4 * t + 3]   = t == 5 ? (fc_real)NAN : 1;
  }
  const fc_tensor *y = fc_fourier_season(c, x, 1, 1, 0);
  for (int64_t t = 0; t < T; t++) {
    CHECK_NEAR(y->x[4 * t + 1], x->x[4 * t + 1], 1e-5);
    CHECK(isnan(y->x[4 * t + 3]));
  }
}

CHECK_SUITE(fourier_season, gradient, pure_waves, complete, ties, none, neighbours)
