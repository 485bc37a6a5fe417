/* tests/core/op_dropout.c */
#include "tests/check.h"

#include "core/domain.h"

static fc_tensor *dropout(fc_ctx *c, fc_tensor **in) {
  c->training  = true;
  fc_tensor *y = fc_dropout(c, fc_dropout(c, in[0], 0.25), 0.5); /* two draws */
  return y;
}

static void gradient(void) {
  check_op("dropout", dropout, CHECK_INS({2, {7, 13}}), 0, 0);
  check_op("dropout_large", dropout, CHECK_INS({2, {131, 401}}), 0, 0);
}

static fc_tensor *ones(fc_ctx *c, int64_t n) {
  fc_tensor *x = fc_tensor_new(c->arena, FC_DIMS(n));

  for (int64_t i = 0; i < n; i++) x->x[i] = 1;
  return x;
}

static void identity_outside_training(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = ones(c, 4);

  CHECK(fc_dropout(c, x, 0.5) == x);
  c->training = true;
  CHECK(fc_dropout(c, x, 0) == x);
  CHECK(c->draws == 0);
  const fc_tensor *none = fc_dropout(c, x, 1);
  for (int i = 0; i < 4; i++) CHECK_NEAR(none->x[i], 0, 0);
}

static void keeps_the_mean(void) {
  enum { N = 200000 };
  fc_ctx      *c = check_ctx();
  const double p = 0.3, scale = 1 / (1 - p);
  double       kept = 0;

  c->training        = true;
  const fc_tensor *y = fc_dropout(c, ones(c, N), p);
  for (int64_t i = 0; i < N; i++) {
    CHECK(y->x[i] == 0 || fabs((double)y->x[i] - scale) < 1e-6);
    kept += y->x[i] != 0;
  }
  CHECK_NEAR(kept / N, 1 - p, 5 * sqrt(p * (1 - p) / N)); /* five standard deviations of a binomial */
}

/* the mask does not repeat along the tensor: pairs at any distance agree as often as independent ones */
static void elements_are_independent(void) {
  enum { N = 100000 };
  fc_ctx       *c      = check_ctx();
  const int64_t lags[] = {1, 2, 3, 4, 64, 1024, 4096, 16384};

  c->training        = true;
  const fc_tensor *y = fc_dropout(c, ones(c, N), 0.5);
  for (int k = 0; k < FC_COUNT(lags); k++) {
    const int64_t pairs = N - lags[k];
    double        same  = 0;
    for (int64_t i = 0; i < pairs; i++) same += (y->x[i] == 0) == (y->x[i + lags[k]] == 0);
    CHECK_NEAR(same / (double)pairs, 0.5, 5 * 0.5 / sqrt((double)pairs)); /* five deviations of a fair coin */
  }
}

/* the same (seed, step, draw) gives the same mask; changing one of them gives another */
static void masks_repeat(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = ones(c, 1000);

  c->training            = true;
  c->step                = 5;
  const fc_tensor *first = fc_dropout(c, x, 0.5), *second = fc_dropout(c, x, 0.5);
  CHECK(check_distance(second, first) > 0);
  c->draws = 0;
  CHECK(check_distance(fc_dropout(c, x, 0.5), first) == 0);
  c->draws = 0, c->step = 6;
  CHECK(check_distance(fc_dropout(c, x, 0.5), first) > 0);
  c->draws = 0, c->step = 5, c->seed = 2;
  CHECK(check_distance(fc_dropout(c, x, 0.5), first) > 0);
  c->step = 0;
}

/* two ranks with five and two of seven samples draw what one rank with all of them draws */
static void ranks_share_a_mask(void) {
  enum { ROW = 4099 }; /* pieces and groups of four begin anywhere */
  fc_ctx *c = check_ctx();

  c->training            = true;
  const fc_tensor *whole = fc_dropout(c, ones(c, 7 * ROW), 0.5);
  for (int rank = 0; rank < 2; rank++) {
    c->draws           = 0;
    c->items           = rank ? 2 : 5;
    c->before          = rank ? 5 : 0;
    const fc_tensor *y = fc_dropout(c, ones(c, c->items * ROW), 0.5);
    CHECK(!memcmp(y->x, whole->x + c->before * ROW, (size_t)(c->items * ROW) * sizeof *y->x));
  }
  c->items = c->before = 0;
}

/* ranks that have blocks of each sample, of a grid or of samples of various lengths: the mask of one rank
   that has all, and another for each sample */
static void shares_have_the_whole_mask(void) {
  enum { B = 3, LINES = 11, ROW = 1501, RANKS = 3 };
  fc_ctx           *c    = check_ctx();
  int64_t           at[] = {0, 700, 703, 2000}, own[] = {0, 350, 351, 1000};
  const int64_t     firsts[] = {350, 2, 300};
  const fc_segments ragged = {3, at}, part = {3, own};
  fc_domain         d = {.size = RANKS};

  c->training            = true;
  const fc_tensor *whole = fc_dropout_shared(
      c, fc_reshape(c, ones(c, B * LINES * ROW), FC_DIMS(B, LINES, ROW)), 0.5, NULL, (fc_cut){LINES, 2});
  CHECK(memcmp(whole->x, whole->x + LINES * ROW, (size_t)ROW * sizeof *whole->x));
  for (d.rank = 0; d.rank < RANKS; d.rank++) {
    const fc_cut cut    = {LINES, 2};
    c->draws            = 0;
    c->domain           = &d;
    const int64_t    lo = fc_cut_lo(c, cut), n = fc_cut_len(c, cut);
    const fc_tensor *y =
        fc_dropout_shared(c, fc_reshape(c, ones(c, B * n * ROW), FC_DIMS(B, n, ROW)), 0.5, NULL, cut);
    for (int64_t b = 0; b < B; b++)
      CHECK(!memcmp(y->x + b * n * ROW, whole->x + (b * LINES + lo) * ROW, (size_t)(n * ROW) * sizeof *y->x));
    c->domain = NULL;
  }
  c->draws = 0;
  whole = fc_dropout_shared(c, fc_reshape(c, ones(c, 2000 * 3), FC_DIMS(2000, 3)), 0.5, &ragged, (fc_cut){0});
  c->draws = 0, c->firsts = firsts;
  const fc_tensor *y =
      fc_dropout_shared(c, fc_reshape(c, ones(c, 1000 * 3), FC_DIMS(1000, 3)), 0.5, &part, (fc_cut){0});
  for (int b = 0; b < 3; b++)
    CHECK(!memcmp(y->x + own[b] * 3, whole->x + (at[b] + firsts[b]) * 3,
                  (size_t)((own[b + 1] - own[b]) * 3) * sizeof *y->x));
  c->firsts = NULL;
}

CHECK_SUITE(dropout, shares_have_the_whole_mask, gradient, identity_outside_training, keeps_the_mean,
            elements_are_independent, masks_repeat, ranks_share_a_mask)
