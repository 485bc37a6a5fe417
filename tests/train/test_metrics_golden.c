/* tests/train/test_metrics_golden.c - the official codes' scores (tests/golden/metrics/README.md).
   Tolerance: the official codes add in float32, so their last one or two of 7 digits are noise: 5e-6 relative
   covers all, 2e-5 the transforms, and a small absolute part stands for values near zero. */
#include "tests/check.h"
#include "train/metrics.h"

#include <jansson.h>

enum { MAX_VALUES = 8192 };

typedef struct {
  const char *name;
  json_t     *gold;
  fc_grid     g;
  int64_t     B, T, N;
  fc_real     y[MAX_VALUES], x[MAX_VALUES];
} sample;

static const char *golden_path(const char *file) {
  static char path[600];
  const char *root = getenv("FC_SOURCE_DIR");

  snprintf(path, sizeof path, "%s/tests/golden/metrics/%s", root ? root : ".", file);
  return path;
}

static void read_field(const char *name, const char *which, int64_t n, fc_real *x) {
  char  file[64];
  float v;

  snprintf(file, sizeof file, "metrics_%s_%s.f32", name, which);
  FILE *f = fopen(golden_path(file), "rb");
  CHECK(f != NULL);
  if (!f) exit(1);
  for (int64_t i = 0; i < n; i++) {
    CHECK(fread(&v, sizeof v, 1, f) == 1);
    x[i] = v;
  }
  CHECK(fgetc(f) == EOF);
  fclose(f);
}

static sample *read_sample(int ndim) {
  static const char *names[] = {"1d", "2d", "3d"};
  static sample      s;
  json_error_t       why;
  json_t            *all = json_load_file(golden_path("gold_metrics.json"), 0, &why);

  CHECK(all != NULL);
  if (!all) exit(1);
  s.name              = names[ndim - 1];
  s.gold              = json_incref(json_object_get(all, s.name));
  json_t       *shape = json_object_get(s.gold, "shape_BTspaceC");
  const int64_t n     = (int64_t)json_array_size(shape);
  int64_t       v[6]  = {0};
  for (int64_t i = 0; i < n; i++) v[i] = json_integer_value(json_array_get(shape, (size_t)i));
  CHECK(n == ndim + 3);
  s.B = v[0], s.T = v[1], s.N = 1;
  s.g = (fc_grid){.ndim = ndim, .channels = v[n - 1]};
  for (int a = 0; a < ndim; a++) s.N *= s.g.dim[a] = v[a + 2];
  CHECK(s.B * s.T * s.N * s.g.channels <= MAX_VALUES);
  read_field(s.name, "pred", s.B * s.T * s.N * s.g.channels, s.y);
  read_field(s.name, "true", s.B * s.T * s.N * s.g.channels, s.x);
  json_decref(all);
  return &s;
}

/* value (b, t, c) of a nested list */
static double gold_at(json_t *list, int64_t b, int64_t t, int64_t c) {
  return json_number_value(
      json_array_get(json_array_get(json_array_get(list, (size_t)b), (size_t)t), (size_t)c));
}

static void compare(const sample *s, const char *key, const double *value, int64_t stride, double tol) {
  json_t *list = json_object_get(json_object_get(s->gold, "well"), key);

  CHECK(list != NULL);
  for (int64_t b = 0, i = 0; b < s->B; b++)
    for (int64_t t = 0; t < s->T; t++)
      for (int64_t c = 0; c < s->g.channels; c++, i++) {
        const double want = gold_at(list, b, t, c);
        CHECK_NEAR(value[i * stride], want, tol * fabs(want) + 1e-9);
      }
}

static void the_well(void) {
  for (int ndim = 1; ndim <= 3; ndim++) {
    sample *s = read_sample(ndim);
    for (int m = 0; m < FC_M_RELATIVE_L2; m++) {
      double out[64];
      fc_metric_eval((fc_metric)m, &s->g, s->B * s->T, s->y, s->x, out);
      compare(s, fc_metric_name((fc_metric)m), out, 1, 5e-6);
    }
    json_decref(s->gold);
  }
}

static void the_well_by_wavenumber(void) {
  for (int ndim = 1; ndim <= 3; ndim++) {
    sample *s = read_sample(ndim);
    double  mse[192], nmse[192];
    CHECK_OK(fc_spectral_mse(&s->g, s->B * s->T, s->y, s->x, mse, nmse));
    for (int i = 0; i < 3; i++) {
      char key[64];
      snprintf(key, sizeof key, "spectral_error_mse_per_bin_%d", i);
      compare(s, key, mse + i, 3, 2e-5);
      snprintf(key, sizeof key, "spectral_error_nmse_per_bin_%d", i);
      compare(s, key, nmse + i, 3, 2e-5);
    }
    json_decref(s->gold);
  }
}

/* frames initial_step.. of one channel, or of all (channel < 0), as an own array [B, T', N, C'] */
static int64_t cut(const sample *s, const fc_real *x, int64_t first, int64_t channel, fc_real *out) {
  int64_t       n = 0;
  const int64_t C = s->g.channels;

  for (int64_t b = 0; b < s->B; b++)
    for (int64_t i = first * s->N * C; i < s->T * s->N * C; i++)
      if (channel < 0 || i % C == channel) out[n++] = x[b * s->T * s->N * C + i];
  return n;
}

static void check_score(json_t *gold, const char *key, double value) {
  const double want = json_number_value(json_object_get(gold, key));

  CHECK(want > 0);
  CHECK_NEAR(value, want, 2e-5 * want);
}

/* The official 3-D code adds the channels' squares before the root, so its value follows from ours, channel
 * by channel. */
static double brmse_3d(const sample *s, int64_t first) {
  static fc_real     y[MAX_VALUES], x[MAX_VALUES];
  fc_grid            one = s->g;
  fc_pdebench_scores p;
  double             square = 0;

  CHECK(s->B == 1 && s->T - first == 1);
  one.channels = 1;
  for (int64_t c = 0; c < s->g.channels; c++) {
    cut(s, s->y, first, c, y);
    cut(s, s->x, first, c, x);
    CHECK_OK(fc_pdebench_eval(&one, 1, 1, NULL, y, x, &p));
    square += p.brmse * p.brmse;
  }
  return sqrt(square);
}

static void pdebench(void) {
  static fc_real y[MAX_VALUES], x[MAX_VALUES];

  for (int ndim = 1; ndim <= 3; ndim++) {
    sample            *s    = read_sample(ndim);
    json_t            *gold = json_object_get(s->gold, "pdebench"), *args = json_object_get(gold, "args");
    const int64_t      first = json_integer_value(json_object_get(args, "initial_step"));
    const int64_t      low   = json_integer_value(json_object_get(args, "iLow"));
    const int64_t      high  = json_integer_value(json_object_get(args, "iHigh"));
    const double       L = json_number_value(json_object_get(args, "Lx")), box[3] = {L, L, L};
    fc_pdebench_scores p;
    cut(s, s->y, first, -1, y);
    cut(s, s->x, first, -1, x);
    CHECK_OK(fc_pdebench_eval_bands(&s->g, s->B, s->T - first, box, low, high, y, x, &p));
    check_score(gold, "RMSE", p.rmse);
    check_score(gold, "nRMSE", p.nrmse);
    check_score(gold, "cRMSE", p.crmse);
    check_score(gold, "max", p.max);
    check_score(gold, "bRMSE", ndim == 3 ? brmse_3d(s, first) : p.brmse);
    for (int i = 0; i < 3; i++) {
      json_t *want = json_array_get(json_object_get(gold, "fRMSE_low_mid_high"), (size_t)i);
      if (json_is_null(want))
        CHECK(isnan(p.frmse[i]));
      else
        CHECK_NEAR(p.frmse[i], json_number_value(want), 2e-5 * json_number_value(want));
    }
    json_decref(s->gold);
  }
}

CHECK_SUITE(metrics_golden, the_well, the_well_by_wavenumber, pdebench)
