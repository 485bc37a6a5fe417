/* tests/train/test_metrics.c - properties of errors, spectra and valid time. */
#include "tests/check.h"
#include "train/metrics.h"

static const fc_grid grids[] = {{1, {8}, 2},     {1, {9}, 1},       {2, {6, 8}, 2},    {2, {7, 5}, 1},
                                {2, {12, 9}, 3}, {3, {4, 6, 8}, 2}, {3, {5, 4, 3}, 1}, {3, {3, 5, 7}, 2}};

static int64_t points(const fc_grid *g) {
  int64_t N = 1;

  for (int a = 0; a < g->ndim; a++) N *= g->dim[a];
  return N;
}

static const fc_real *draw(int64_t n) { return check_random(check_ctx(), 1, &n)->x; }

/* ---- pointwise ---- */

static void every_metric_has_words(void) {
  for (int m = 0; m < FC_M_COUNT; m++) {
    CHECK(strlen(fc_metric_name((fc_metric)m)) > 0);
    CHECK(strlen(fc_metric_definition((fc_metric)m)) > 10 &&
          !strchr(fc_metric_definition((fc_metric)m), '\n'));
  }
}

/* error (0, 4, 0, -3), truth (6, 8, 0, 0): all sums by hand */
static void small_case(void) {
  const fc_grid g   = {1, {4}, 1};
  const fc_real x[] = {6, 8, 0, 0}, y[] = {6, 12, 0, -3};
  const double  var    = (36 + 64 - 4 * 3.5 * 3.5) / 3; /* mean 3.5 */
  const double  want[] = {
       [FC_M_MSE] = 6.25,  [FC_M_MAE] = 1.75,       [FC_M_RMSE] = 2.5,        [FC_M_NMAE] = 0.5,
       [FC_M_NMSE] = 0.25, [FC_M_NRMSE] = 0.5,      [FC_M_VMSE] = 6.25 / var, [FC_M_VRMSE] = sqrt(6.25 / var),
       [FC_M_LINF] = 4,    [FC_M_RELATIVE_L2] = 0.5};

  for (int m = 0; m < FC_M_COUNT; m++) {
    double out;
    if (m == FC_M_PEARSON) continue;
    fc_metric_eval((fc_metric)m, &g, 1, y, x, &out);
    CHECK_NEAR(out, want[m], 2e-7 * want[m]); /* the 1e-7 in the denominators */
  }
}

static void right_and_mean_forecast(void) {
  const fc_grid  g = {2, {6, 5}, 1};
  const int64_t  N = 30;
  const fc_real *x = draw(N);
  fc_real        flat[30];
  double         mean = 0, out;

  for (int64_t i = 0; i < N; i++) mean += (double)x[i] / (double)N;
  for (int64_t i = 0; i < N; i++) flat[i] = (fc_real)mean;
  fc_metric_eval(FC_M_VRMSE, &g, 1, x, x, &out);
  CHECK_NEAR(out, 0, 0);
  fc_metric_eval(FC_M_PEARSON, &g, 1, x, x, &out);
  CHECK_NEAR(out, 29. / 30, 1e-6); /* 1/N above, 1/(N - 1) below; 1e-7 in the denominator */
  fc_metric_eval(FC_M_VRMSE, &g, 1, flat, x, &out);
  CHECK_NEAR(out, sqrt(29. / 30), 1e-6); /* "as good as the mean" */
}

/* A pattern of +-1 on a mean of 2^20 is exact in float; one-pass float sums would lose it. */
static void large_mean_does_not_drown_the_variance(void) {
  const fc_grid g = {1, {1000}, 1};
  fc_real       x[1000], y[1000];
  double        out;

  for (int i = 0; i < 1000; i++) {
    x[i] = (fc_real)(1048576 + (i % 2 ? 1 : -1));
    y[i] = x[i] + 1;
  }
  fc_metric_eval(FC_M_VMSE, &g, 1, y, x, &out);
  CHECK_NEAR(out, 999. / 1000, 1e-6);
}

static void channels_and_samples_are_apart(void) {
  const fc_grid g    = {1, {2}, 2};
  const fc_real x[8] = {0}, y[8] = {1, 10, 1, 10, 2, 20, 2, 20};
  double        out[4];

  fc_metric_eval(FC_M_MAE, &g, 2, y, x, out);
  CHECK(out[0] == 1 && out[1] == 10 && out[2] == 2 && out[3] == 20);
}

static void nan_is_not_hidden(void) {
  const fc_grid g = {1, {3}, 1};

  for (int at = 0; at < 3; at++)
    for (int m = 0; m < FC_M_COUNT; m++) {
      const fc_real x[3] = {1, 2, 4};
      fc_real       y[3] = {1, 2, 5};
      double        out;
      y[at] = NAN;
      fc_metric_eval((fc_metric)m, &g, 1, y, x, &out);
      CHECK(isnan(out));
    }
}

static void same_bits_for_any_threads(void) {
  const fc_grid  g = {2, {64, 64}, 2};
  const int64_t  n = 16 * points(&g) * g.channels;
  const fc_real *x = draw(n), *y = draw(n);
  double         one[32], three[32];

  fc_threads_set(1);
  fc_metric_eval(FC_M_VRMSE, &g, 16, y, x, one);
  fc_threads_set(3);
  fc_metric_eval(FC_M_VRMSE, &g, 16, y, x, three);
  fc_threads_set(1);
  CHECK(!memcmp(one, three, sizeof one));
}

/* ---- spectra ---- */

static void parseval(void) {
  for (int k = 0; k < FC_COUNT(grids); k++) {
    const fc_grid *g = &grids[k];
    const int64_t  N = points(g), C = g->channels, n = fc_spectrum_size(g);
    const fc_real *x = draw(2 * N * C);
    double         E[2 * 3 * 16];
    CHECK(2 * C * n <= FC_COUNT(E));
    CHECK_OK(fc_spectrum(g, 2, x, E));
    for (int64_t s = 0; s < 2; s++)
      for (int64_t c = 0; c < C; c++) {
        double energy = 0, sum = 0;
        for (int64_t i = 0; i < N; i++) {
          const double v = (double)x[(s * N + i) * C + c];
          energy += v * v / (2 * (double)N);
        }
        for (int64_t i = 0; i < n; i++) sum += E[(s * C + c) * n + i];
        CHECK_NEAR(sum, energy, 1e-13 * energy); /* some hundred roundings in double */
      }
  }
}

/* a cos(2 pi m.x + 0.3) has <x^2>/2 = a^2/4, all of it in the shell nearest to |m| */
static void one_mode_fills_one_shell(void) {
  static const int64_t modes[FC_COUNT(grids)][3] = {{3},     {4},        {2, 1},     {-1, 2},
                                                    {3, -4}, {1, -2, 3}, {2, 1, -1}, {1, 2, 3}};

  for (int k = 0; k < FC_COUNT(grids); k++) {
    fc_grid g       = grids[k];
    g.channels      = 1;
    const int64_t N = points(&g), n = fc_spectrum_size(&g);
    double        E[16], square     = 0;
    fc_real       x[256];
    for (int64_t i = 0; i < N; i++) {
      int64_t rest  = i;
      double  phase = 0.3;
      for (int a = g.ndim - 1; a >= 0; rest /= g.dim[a], a--)
        phase += 2 * M_PI * (double)(modes[k][a] * (rest % g.dim[a])) / (double)g.dim[a];
      x[i] = (fc_real)(3 * cos(phase));
    }
    for (int a = 0; a < g.ndim; a++) square += (double)(modes[k][a] * modes[k][a]);
    const int64_t at = lround(sqrt(square));
    CHECK_OK(fc_spectrum(&g, 1, x, E));
    for (int64_t i = 0; i < n; i++) CHECK_NEAR(E[i], i == at ? 2.25 : 0, 3e-7); /* x is rounded to float */
  }
}

/* Plancherel: the three bins are a partition of the modes */
static void bins_add_up_to_the_mse(void) {
  for (int k = 0; k < FC_COUNT(grids); k++) {
    const fc_grid *g = &grids[k];
    const int64_t  n = points(g) * g->channels;
    const fc_real *x = draw(n), *y = draw(n);
    double         mse[3], bin[9], relative[9];
    fc_metric_eval(FC_M_MSE, g, 1, y, x, mse);
    CHECK_OK(fc_spectral_mse(g, 1, y, x, bin, relative));
    for (int64_t c = 0; c < g->channels; c++)
      CHECK_NEAR(bin[3 * c] + bin[3 * c + 1] + bin[3 * c + 2], mse[c], 1e-13 * mse[c]);
  }
}

/* ---- PDEBench ---- */

/* A constant error d is d in every norm; its transform is the zero mode alone. */
static void constant_error(void) {
  for (int k = 0; k < FC_COUNT(grids); k++) {
    const fc_grid     *g      = &grids[k];
    const int64_t      n      = 2 * 3 * points(g) * g->channels;
    const double       box[3] = {2, 3, 5}, volume = g->ndim == 1 ? 2 : g->ndim == 2 ? 6 : 30;
    fc_real            x[4096], y[4096];
    fc_pdebench_scores p;
    CHECK(n <= FC_COUNT(x));
    for (int64_t i = 0; i < n; i++) x[i] = 4, y[i] = (fc_real)4.5;
    CHECK_OK(fc_pdebench_eval_bands(g, 2, 3, box, 1, 2, y, x, &p));
    CHECK_NEAR(p.rmse, 0.5, 1e-14);
    CHECK_NEAR(p.nrmse, 0.125, 1e-14);
    CHECK_NEAR(p.crmse, 0.5, 1e-14);
    CHECK_NEAR(p.brmse, 0.5, 1e-14);
    CHECK_NEAR(p.max, 0.5, 1e-14);
    CHECK_NEAR(p.frmse[0], 0.5 * volume, 1e-13);
    CHECK_OK(fc_pdebench_eval(g, 2, 3, box, y, x, &p));
    CHECK(isnan(p.frmse[2])); /* none of these grids has a shell 12 */
  }
}

/* an error in one corner of a square: bRMSE counts it for both of its edges */
static void corners_count_for_each_face(void) {
  const fc_grid      g = {2, {4, 6}, 1};
  fc_real            x[24], y[24];
  fc_pdebench_scores p;

  for (int i = 0; i < 24; i++) x[i] = y[i] = 1;
  y[23] += 1;
  CHECK_OK(fc_pdebench_eval(&g, 1, 1, NULL, y, x, &p));
  CHECK_NEAR(p.brmse, sqrt(2. / 20), 1e-14);
  CHECK_NEAR(p.rmse, sqrt(1. / 24), 1e-14);
  CHECK_NEAR(p.crmse, 1. / 24, 1e-14);
  y[23] -= 1;
  y[9] += 1; /* row 1, column 3: inside */
  CHECK_OK(fc_pdebench_eval(&g, 1, 1, NULL, y, x, &p));
  CHECK_NEAR(p.brmse, 0, 0);
}

/* ---- valid time ---- */

static void valid_time(void) {
  const double t[] = {0, 1, 2, 4}, error[] = {0, 0.2, 0.6, 3}, corr[] = {1, 0.9, 0.7, 0},
               broken[] = {0, 0.1, NAN, 0};

  CHECK_NEAR(fc_valid_time(4, t, error, 0.5, true), 1.75, 1e-15);
  CHECK_NEAR(fc_valid_time(4, t, error, 0.6, true), 2, 1e-15); /* reaching the threshold is still good */
  CHECK_NEAR(fc_valid_time(4, t, corr, 0.8, false), 1.5, 1e-15);
  CHECK_NEAR(fc_valid_time(4, t, error, 5, true), 4, 0);
  CHECK_NEAR(fc_valid_time(4, t, error, -1, true), 0, 0);
  CHECK_NEAR(fc_valid_time(4, t, broken, 0.5, true), 1, 0);
  CHECK(isnan(fc_valid_time(0, t, error, 1, true)));
}

CHECK_SUITE(metrics, every_metric_has_words, small_case, right_and_mean_forecast,
            large_mean_does_not_drown_the_variance, channels_and_samples_are_apart, nan_is_not_hidden,
            same_bits_for_any_threads, parseval, one_mode_fills_one_shell, bins_add_up_to_the_mse,
            constant_error, corners_count_for_each_face, valid_time)
