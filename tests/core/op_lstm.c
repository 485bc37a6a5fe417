/* tests/core/op_lstm.c */
#include "tests/check.h"

static fc_tensor *lengths_of(fc_ctx *c, int64_t n, const double *v) {
  fc_tensor *t = fc_tensor_new(c->arena, FC_DIMS(n));

  for (int64_t i = 0; i < n && !c->dry; i++) t->x[i] = (fc_real)v[i];
  return t;
}

/* steps and last state side by side: [B, T + 2, D] */
static fc_tensor *all(fc_ctx *c, fc_tensor *y, const fc_lstm_state *s) {
  const int64_t B = y->dim[0], D = y->dim[2];

  return fc_concat(c, 1,
                   FC_IN(y, fc_reshape(c, s->h, FC_DIMS(B, 1, D)), fc_reshape(c, s->c, FC_DIMS(B, 1, D))));
}

/* x, h, c, W_ih, W_hh, b_ih, b_hh */
static fc_tensor *run(fc_ctx *c, fc_tensor **in, bool state, const fc_tensor *lengths) {
  const fc_lstm_weights w = {in[3], in[4], in[5], in[6]};
  const fc_lstm_state   s = {in[1], in[2]};
  fc_lstm_state         last;

  return all(c, fc_lstm(c, in[0], state ? &s : NULL, &w, lengths, &last), &last);
}

static fc_tensor *full(fc_ctx *c, fc_tensor **in) { return run(c, in, true, NULL); }
static fc_tensor *ragged(fc_ctx *c, fc_tensor **in) {
  return run(c, in, true, lengths_of(c, 3, (double[]){4, 0, 5}));
}
/* many steps with small weights: what the difference quotient sees stays near a straight line */
static fc_tensor *calm(fc_ctx *c, fc_tensor **in) {
  fc_tensor *scaled[7];

  for (int i = 0; i < 7; i++) scaled[i] = i < 3 ? in[i] : fc_affine(c, in[i], 0.25, 0);
  return run(c, scaled, true, NULL);
}
static fc_tensor *from_zero(fc_ctx *c, fc_tensor **in) {
  const fc_lstm_weights w = {in[1], in[2], in[3], in[4]};

  return fc_lstm(c, in[0], NULL, &w, NULL, NULL);
}

#define INS(B, T, K, D)                                                                                      \
  CHECK_INS({3, {B, T, K}}, {2, {B, D}}, {2, {B, D}}, {2, {4 * D, K}}, {2, {4 * D, D}}, {1, {4 * D}},        \
            {1, {4 * D}})

static void gradient(void) {
  check_op("lstm", full, INS(3, 5, 4, 6), 0, 0);
  check_op("lstm_ragged", ragged, INS(3, 5, 4, 6), 0, 0);
  check_op("lstm_blocks", calm, INS(37, 9, 3, 17), 0, 0);
  check_op("lstm_one", full, INS(1, 1, 1, 1), 0, 0);
  check_op("lstm_from_zero", from_zero,
           CHECK_INS({3, {2, 4, 3}}, {2, {20, 3}}, {2, {20, 5}}, {1, {20}}, {1, {20}}), 0, 0);
}

static double sigma(double x) { return 1 / (1 + exp(-x)); }

/* one step of one sample by the formula, in double */
static void step(int K, int D, fc_tensor **in, const fc_real *x, double *h, double *c) {
  double z[4 * 8];

  for (int o = 0; o < 4 * D; o++) {
    z[o] = (double)in[5]->x[o] + (double)in[6]->x[o];
    for (int k = 0; k < K; k++) z[o] += (double)in[3]->x[o * K + k] * (double)x[k];
    for (int k = 0; k < D; k++) z[o] += (double)in[4]->x[o * D + k] * h[k];
  }
  for (int j = 0; j < D; j++) {
    c[j] = sigma(z[D + j]) * c[j] + sigma(z[j]) * tanh(z[2 * D + j]);
    h[j] = sigma(z[3 * D + j]) * tanh(c[j]);
  }
}

/* every sample stops at its own length; behind it there are zeros, and the state is that of its last step */
static void definition(void) {
  enum { B = 3, T = 5, K = 4, D = 6 };
  static const int len[B] = {4, 0, 5};
  fc_ctx          *c      = check_ctx();
  fc_tensor       *in[7]  = {check_random(c, FC_DIMS(B, T, K)),  check_random(c, FC_DIMS(B, D)),
                             check_random(c, FC_DIMS(B, D)),     check_random(c, FC_DIMS(4 * D, K)),
                             check_random(c, FC_DIMS(4 * D, D)), check_random(c, FC_DIMS(4 * D)),
                             check_random(c, FC_DIMS(4 * D))};
  fc_tensor       *y      = ragged(c, in);

  for (int b = 0; b < B; b++) {
    double h[D], s[D];
    for (int j = 0; j < D; j++) h[j] = in[1]->x[b * D + j], s[j] = in[2]->x[b * D + j];
    for (int t = 0; t < T; t++) {
      if (t < len[b]) step(K, D, in, in[0]->x + (b * T + t) * K, h, s);
      for (int j = 0; j < D; j++) CHECK_NEAR(y->x[(b * (T + 2) + t) * D + j], t < len[b] ? h[j] : 0, 2e-6);
    }
    for (int j = 0; j < D; j++) {
      CHECK_NEAR(y->x[(b * (T + 2) + T) * D + j], h[j], 2e-6);
      CHECK_NEAR(y->x[(b * (T + 2) + T + 1) * D + j], s[j], 2e-6);
    }
  }
}

/* two halves of a series, the state handed over, are the whole */
static void goes_on(void) {
  fc_ctx       *c = check_ctx();
  fc_tensor    *in[7];
  const int     n_dim[7]  = {3, 2, 2, 2, 2, 1, 1};
  const int64_t dim[7][3] = {{2, 8, 3}, {2, 5}, {2, 5}, {20, 3}, {20, 5}, {20}, {20}};

  for (int i = 0; i < 7; i++) in[i] = check_random(c, n_dim[i], dim[i]);
  const fc_lstm_weights w     = {in[3], in[4], in[5], in[6]};
  fc_lstm_state         s     = {in[1], in[2]}, middle;
  fc_tensor            *whole = fc_lstm(c, in[0], &s, &w, NULL, NULL);
  fc_tensor            *a     = fc_lstm(c, fc_slice(c, in[0], 1, 0, 3), &s, &w, NULL, &middle);
  fc_tensor            *b     = fc_lstm(c, fc_slice(c, in[0], 1, 3, 5), &middle, &w, NULL, NULL);
  CHECK(check_distance(fc_concat(c, 1, FC_IN(a, b)), whole) < 1e-6);
}

/* forward and backward count what they multiply */
static void counts_flops(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(2, 3, 4)), *wi = check_random(c, FC_DIMS(20, 4)),
            *wh = check_random(c, FC_DIMS(20, 5)), *b = check_random(c, FC_DIMS(20));
  const double before = c->flops;

  fc_lstm(c, x, NULL, &(fc_lstm_weights){wi, wh, b, b}, NULL, NULL);
  CHECK_NEAR(c->flops - before, 2.0 * 2 * 3 * 20 * (4 + 5), 0);
}

CHECK_SUITE(lstm, gradient, definition, goes_on, counts_flops)
