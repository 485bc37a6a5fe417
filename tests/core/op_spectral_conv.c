/* tests/core/op_spectral_conv.c - the spectral convolution against the sums that define it, and its adjoint,
   in one to three dimensions, with whole and with too small grids, in both conventions of the weights. */
#include "tests/check.h"

#define EPS (sizeof(fc_real) == 8 ? 2.2e-16 : 1.2e-7)

static fc_tensor *plain(fc_ctx *c, fc_tensor **in) {
  return fc_spectral_conv(c, in[0], 1, in + 1, NULL, NULL, FC_FFT_FORWARD);
}
static fc_tensor *onto(fc_ctx *c, fc_tensor **in) { /* r's memory is taken: give it a copy */
  return fc_spectral_conv(c, in[0], 1, in + 1, in[2], fc_affine(c, in[3], 1, 0), FC_FFT_BACKWARD);
}
static fc_tensor *corners_2(fc_ctx *c, fc_tensor **in) {
  return fc_spectral_conv(c, in[0], 2, in + 1, NULL, NULL, FC_FFT_ORTHO);
}
/* one rank has the whole first axis; several: tests/hpc/ranks_models.c */
static fc_tensor *corners_3(fc_ctx *c, fc_tensor **in) {
  const fc_cut whole = {in[0]->dim[1], 1};
  return fc_spectral_conv_shared(c, in[0], whole, 4, in + 1, in[5], NULL, FC_FFT_BACKWARD);
}

static void one_axis(void) {
  check_op("spectral_1_even", plain, CHECK_INS({3, {3, 16, 6}}, {4, {6, 5, 4, 2}}), 0, 0);
  check_op("spectral_1_odd", plain, CHECK_INS({3, {2, 21, 3}}, {4, {3, 8, 11, 2}}), 0,
           0); /* all frequencies */
  check_op("spectral_1_nyquist", plain, CHECK_INS({3, {1, 10, 1}}, {4, {1, 1, 9, 2}}), 0, 0);
  check_op("spectral_1_point", plain, CHECK_INS({3, {2, 1, 4}}, {4, {4, 4, 2, 2}}), 0, 0);
  check_op("spectral_1_long", onto,
           CHECK_INS({3, {2, 1500, 12}}, {4, {12, 8, 70, 2}}, {1, {8}}, {3, {2, 1500, 8}}), 0, 0);
}

static void two_axes(void) {
  check_op("spectral_2", plain, CHECK_INS({4, {2, 12, 10, 8}}, {5, {8, 8, 6, 3, 2}}), 0, 0);
  check_op("spectral_2_odd", plain, CHECK_INS({4, {3, 7, 9, 5}}, {5, {5, 3, 5, 4, 2}}), 0, 0);
  check_op("spectral_2_small", plain, CHECK_INS({4, {2, 5, 6, 6}}, {5, {6, 6, 8, 6, 2}}), 0, 0);
  check_op("spectral_2_flat", plain, CHECK_INS({4, {2, 1, 6, 2}}, {5, {2, 2, 4, 2, 2}}), 0, 0);
  check_op("spectral_2_onto", onto,
           CHECK_INS({4, {3, 40, 36, 7}}, {5, {7, 9, 20, 13, 2}}, {1, {9}}, {4, {3, 40, 36, 9}}), 0, 0);
  check_op("spectral_2_groups", plain, CHECK_INS({4, {5, 128, 60, 34}}, {5, {34, 2, 3, 30, 2}}), 0, 0);
}

static void three_axes(void) {
  check_op("spectral_3", plain, CHECK_INS({5, {1, 6, 7, 9, 6}}, {6, {6, 6, 4, 3, 3, 2}}), 0, 0);
  check_op("spectral_3_small", plain, CHECK_INS({5, {2, 3, 8, 4, 4}}, {6, {4, 2, 5, 8, 5, 2}}), 0, 0);
}

static void corner_weights(void) {
  check_op("spectral_corners_2", corners_2,
           CHECK_INS({4, {2, 16, 12, 6}}, {5, {6, 4, 3, 3, 2}}, {5, {6, 4, 3, 3, 2}}), 0, 0);
  check_op("spectral_corners_3", corners_3,
           CHECK_INS({5, {1, 8, 6, 6, 4}}, {6, {4, 4, 2, 2, 2, 2}}, {6, {4, 4, 2, 2, 2, 2}},
                     {6, {4, 4, 2, 2, 2, 2}}, {6, {4, 4, 2, 2, 2, 2}}, {1, {4}}),
           0, 0);
}

/* ---- the defining sums: every mode is evaluated at every point ---- */

typedef struct {
  int     n_space, n_w;
  int64_t n[3], M[3], B, I, O; /* axes that are not there: 1 */
} problem;

/* the frequency of row j of weight w along axis a; false: not on this grid, or another weight's */
static bool frequency(const problem *p, int w, int a, int64_t j, int64_t *k) {
  const int     axis = a - (3 - p->n_space);
  const int64_t n = p->n[a], M = p->M[a], surplus = M > n ? M - n : 0;

  *k = j;
  if (a == 2) return j <= n / 2;
  if (axis < 0) return true;
  if (p->n_w == 1) {
    *k = j - surplus / 2 - (M - surplus) / 2;
    return j >= surplus / 2 && j < surplus / 2 + M - surplus;
  }
  if (w >> axis & 1) {
    *k = j - M;
    return true;
  }
  return j < n - M;
}

static void add_mode(const problem *p, const int64_t k[3], const fc_real *W, int64_t modes,
                     const fc_tensor *x, double *y) {
  const int64_t N  = p->n[0] * p->n[1] * p->n[2];
  const double  w  = k[2] == 0 || 2 * k[2] == p->n[2] ? 1 : 2;
  double       *re = malloc((size_t)N * sizeof *re), *im = malloc((size_t)N * sizeof *im);

  for (int64_t s = 0; s < N; s++) {
    const int64_t at[3] = {s / p->n[2] / p->n[1], s / p->n[2] % p->n[1], s % p->n[2]};
    double        turns = 0;
    for (int a = 0; a < 3; a++) turns += (double)(k[a] * at[a] % p->n[a]) / (double)p->n[a];
    re[s] = cos(2 * M_PI * turns), im[s] = sin(2 * M_PI * turns);
  }
  for (int64_t b = 0; b < p->B; b++)
    for (int64_t i = 0; i < p->I; i++) {
      double X[2] = {0, 0};
      for (int64_t s = 0; s < N; s++) {
        X[0] += (double)x->x[(b * N + s) * p->I + i] * re[s];
        X[1] -= (double)x->x[(b * N + s) * p->I + i] * im[s];
      }
      for (int64_t o = 0; o < p->O; o++) {
        const double u = (double)W[(i * p->O + o) * modes * 2], v = (double)W[(i * p->O + o) * modes * 2 + 1];
        for (int64_t s = 0; s < N; s++)
          y[(b * N + s) * p->O + o] +=
              w / (double)N * ((X[0] * u - X[1] * v) * re[s] - (X[0] * v + X[1] * u) * im[s]);
      }
    }
  free(re);
  free(im);
}

static void compare(const problem *p) {
  fc_ctx       *c = check_ctx();
  const int64_t N = p->n[0] * p->n[1] * p->n[2], modes = p->M[0] * p->M[1] * p->M[2];
  const int     skip             = 3 - p->n_space;
  int64_t       dim[FC_MAX_DIMS] = {p->B};
  double       *want = calloc((size_t)(p->B * N * p->O), sizeof *want), top = 0;
  fc_tensor    *W[4];

  for (int a = 0; a < p->n_space; a++) dim[1 + a] = p->n[skip + a];
  dim[1 + p->n_space] = p->I;
  fc_tensor *x        = check_random(c, p->n_space + 2, dim);
  dim[0] = p->I, dim[1] = p->O;
  for (int a = 0; a < p->n_space; a++) dim[2 + a] = p->M[skip + a];
  dim[2 + p->n_space] = 2;
  for (int w = 0; w < p->n_w; w++) {
    W[w] = check_random(c, p->n_space + 3, dim);
    for (int64_t j = 0; j < modes; j++) {
      const int64_t row[3] = {j / p->M[2] / p->M[1], j / p->M[2] % p->M[1], j % p->M[2]};
      int64_t       k[3];
      bool          there = true;
      for (int a = 0; a < 3; a++) there = there && frequency(p, w, a, row[a], &k[a]);
      if (there) add_mode(p, k, W[w]->x + 2 * j, modes, x, want);
    }
  }
  const fc_tensor *y = fc_spectral_conv(c, x, p->n_w, W, NULL, NULL, FC_FFT_BACKWARD);
  for (int64_t i = 0; i < p->B * N * p->O; i++) top = fmax(top, fabs(want[i]));
  for (int64_t i = 0; i < p->B * N * p->O; i++)
    if (!(fabs((double)y->x[i] - want[i]) <= 50 * EPS * top)) CHECK_NEAR(y->x[i], want[i], 50 * EPS * top);
  CHECK(top > 0);
  free(want);
}

static void is_the_defining_sum(void) {
  static const problem problems[] = {
      {1, 1, {1, 1, 12}, {1, 1, 4}, 2, 3, 2}, {1, 1, {1, 1, 9}, {1, 1, 7}, 1, 1, 5},
      {1, 1, {1, 1, 1}, {1, 1, 3}, 3, 2, 2},  {2, 1, {1, 8, 6}, {1, 4, 3}, 2, 4, 3},
      {2, 1, {1, 8, 6}, {1, 8, 4}, 2, 2, 2},  {2, 1, {1, 5, 6}, {1, 8, 6}, 1, 2, 2},
      {2, 1, {1, 7, 5}, {1, 3, 2}, 1, 5, 6},  {2, 1, {1, 6, 7}, {1, 9, 3}, 2, 1, 1},
      {3, 1, {6, 7, 9}, {4, 3, 3}, 1, 2, 3},  {3, 1, {2, 3, 4}, {5, 4, 3}, 2, 2, 2},
      {2, 2, {1, 16, 8}, {1, 5, 5}, 2, 3, 3}, {2, 2, {1, 6, 6}, {1, 4, 3}, 1, 2, 2}, /* corners that meet */
      {2, 2, {1, 4, 6}, {1, 4, 2}, 1, 1, 2},  {3, 4, {6, 4, 6}, {2, 2, 2}, 2, 2, 2},
      {3, 4, {3, 3, 4}, {2, 2, 2}, 1, 3, 2},
  };

  for (int i = 0; i < FC_COUNT(problems); i++) compare(&problems[i]);
}

/* ---- properties ---- */

/* a field that has only modes both grids know gives the same output where the grids have common points */
static void does_not_depend_on_resolution(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x[2], *W[] = {check_random(c, FC_DIMS(2, 3, 4, 3, 2))};
  fc_tensor *y[2];

  for (int i = 0; i < 2; i++) {
    const int64_t n = i ? 32 : 16;
    x[i]            = fc_tensor_new(c->arena, FC_DIMS(1, n, n, 2));
    for (int64_t s = 0; s < n * n; s++) {
      const double p = 2 * M_PI * (double)(s / n) / (double)n, q = 2 * M_PI * (double)(s % n) / (double)n;
      x[i]->x[2 * s]     = (fc_real)(sin(p) + 0.5 * cos(2 * q));
      x[i]->x[2 * s + 1] = (fc_real)(1 + cos(p - q));
    }
    y[i] = fc_spectral_conv(c, x[i], 1, W, NULL, NULL, FC_FFT_FORWARD);
  }
  for (int64_t s = 0; s < 256; s++)
    for (int64_t o = 0; o < 3; o++)
      CHECK_NEAR(y[1]->x[(s / 16 * 64 + s % 16 * 2) * 3 + o], y[0]->x[s * 3 + o], 200 * EPS);
}

/* weights of one for the one channel and all frequencies of the half spectrum: the field comes back */
static void identity_weights(void) {
  fc_ctx    *c   = check_ctx();
  fc_tensor *x   = check_random(c, FC_DIMS(2, 6, 10, 1)),
            *W[] = {fc_tensor_new(c->arena, FC_DIMS(1, 1, 6, 6, 2))};

  for (int64_t i = 0; i < 36; i++) W[0]->x[2 * i] = 1, W[0]->x[2 * i + 1] = 0;
  CHECK(check_distance(fc_spectral_conv(c, x, 1, W, NULL, NULL, FC_FFT_ORTHO), x) <= 20 * EPS);
}

/* the first contribution to a weight's gradient is stored, later ones are added */
static void weight_gradients_accumulate(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(1, 8, 8, 3)), *W[] = {check_random(c, FC_DIMS(3, 3, 5, 4, 2))};
  fc_real   *first = fc_arena_push(c->arena, 360 * sizeof *first);

  W[0]->needs_grad = W[0]->is_param = true;
  W[0]->g                           = fc_arena_push(c->arena, 360 * sizeof(fc_real));
  memset(W[0]->g, 0, 360 * sizeof(fc_real));
  for (int i = 0; i < 2; i++) {
    c->grad = true;
    fc_backward(c, fc_sum_all(c, fc_activate(c, fc_spectral_conv(c, x, 1, W, NULL, NULL, FC_FFT_FORWARD),
                                             FC_ACT_TANH)));
    if (!i) memcpy(first, W[0]->g, 360 * sizeof *first);
  }
  double top = 0;
  for (int j = 0; j < 360; j++) top = fmax(top, fabs((double)first[j]));
  for (int j = 0; j < 360; j++) CHECK_NEAR(W[0]->g[j], 2 * first[j], 4 * EPS * top);
  CHECK(top > 0);
}

CHECK_SUITE(spectral_conv, one_axis, two_axes, three_axes, corner_weights, is_the_defining_sum,
            does_not_depend_on_resolution, identity_weights, weight_gradients_accumulate)
