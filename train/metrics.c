/* train/metrics.c - pointwise errors from the moments of one field against its truth. */
#include "train/metrics.h"

#include "core/parallel.h"

#include <math.h>

#define EPS 1e-7 /* The Well, benchmark/metrics: every denominator has it, whatever the caller asks */

typedef struct { /* means over the N points of space */
  double mse, mae, linf;
  double abs_truth, square_truth;
  double var_y, var_truth; /* unbiased: 1 / (N - 1) */
  double covariance;       /* 1 / N */
} moments;

static double mse(const moments *m) { return m->mse; }
static double mae(const moments *m) { return m->mae; }
static double rmse(const moments *m) { return sqrt(m->mse); }
static double nmae(const moments *m) { return m->mae / (m->abs_truth + EPS); }
static double nmse(const moments *m) { return m->mse / (m->square_truth + EPS); }
static double nrmse(const moments *m) { return sqrt(nmse(m)); }
static double vmse(const moments *m) { return m->mse / (m->var_truth + EPS); }
static double vrmse(const moments *m) { return sqrt(vmse(m)); }
static double linf(const moments *m) { return m->linf; }
static double pearson(const moments *m) { return m->covariance / (sqrt(m->var_y * m->var_truth) + EPS); }
static double relative_l2(const moments *m) { return sqrt(m->mse / m->square_truth); }

static const struct {
  const char *name, *definition;
  double (*value)(const moments *);
} metrics[FC_M_COUNT] = {
    [FC_M_MSE]         = {"MSE", "mean (y - x)^2 over space; x is the truth", mse},
    [FC_M_MAE]         = {"MAE", "mean |y - x|", mae},
    [FC_M_RMSE]        = {"RMSE", "sqrt(mean (y - x)^2)", rmse},
    [FC_M_NMAE]        = {"NMAE", "mean |y - x| / (mean |x| + 1e-7)", nmae},
    [FC_M_NMSE]        = {"NMSE", "mean (y - x)^2 / (mean x^2 + 1e-7)", nmse},
    [FC_M_NRMSE]       = {"NRMSE", "sqrt(mean (y - x)^2 / (mean x^2 + 1e-7))", nrmse},
    [FC_M_VMSE]        = {"VMSE", "mean (y - x)^2 / (var x + 1e-7), var with 1/(N - 1)", vmse},
    [FC_M_VRMSE]       = {"VRMSE", "sqrt(mean (y - x)^2 / (var x + 1e-7)); 1 = no better than the mean of x",
                          vrmse},
    [FC_M_LINF]        = {"LInfinity", "max |y - x|", linf},
    [FC_M_PEARSON]     = {"PearsonR",
                          "covariance(y, x) / (std y std x + 1e-7), with 1/N above and 1/(N - 1) below: "
                              "a perfect y scores (N - 1)/N",
                          pearson},
    [FC_M_RELATIVE_L2] = {"relative L2", "sqrt(sum (y - x)^2 / sum x^2)", relative_l2},
};

static void check_metric(fc_metric m) {
  FC_ASSERT((int)m >= 0 && m < FC_M_COUNT, "there is no metric %d", (int)m);
}

const char *fc_metric_name(fc_metric m) {
  check_metric(m);
  return metrics[m].name;
}

const char *fc_metric_definition(fc_metric m) {
  check_metric(m);
  return metrics[m].definition;
}

/* Variances and covariance in a second pass, about the means: a large mean would drown them in one pass. */
static void central_moments(int64_t N, int64_t stride, const fc_real *y, const fc_real *x, double mean_y,
                            double mean_x, moments *m) {
  double yy = 0, xx = 0, yx = 0;

  for (int64_t i = 0; i < N; i++) {
    const double a = (double)y[i * stride] - mean_y, b = (double)x[i * stride] - mean_x;
    yy += a * a;
    xx += b * b;
    yx += a * b;
  }
  m->var_y      = yy / (double)(N - 1);
  m->var_truth  = xx / (double)(N - 1);
  m->covariance = yx / (double)N;
}

static moments moments_of(int64_t N, int64_t stride, const fc_real *y, const fc_real *x) {
  moments m      = {0};
  double  mean_y = 0, mean_x = 0;

  for (int64_t i = 0; i < N; i++) {
    const double a = (double)y[i * stride], b = (double)x[i * stride], d = fabs(a - b);
    mean_y += a;
    mean_x += b;
    m.mse += d * d;
    m.mae += d;
    m.abs_truth += fabs(b);
    m.square_truth += b * b;
    if (!(d <= m.linf)) m.linf = isnan(m.linf) ? m.linf : d; /* NaN stays */
  }
  m.mse /= (double)N;
  m.mae /= (double)N;
  m.abs_truth /= (double)N;
  m.square_truth /= (double)N;
  central_moments(N, stride, y, x, mean_y / (double)N, mean_x / (double)N, &m);
  return m;
}

static int64_t points(const fc_grid *g) {
  int64_t N = 1;

  FC_ASSERT(g->ndim >= 1 && g->ndim <= 3 && g->channels >= 1, "metrics: a grid of %d axes and %lld channels",
            g->ndim, (long long)g->channels);
  for (int a = 0; a < g->ndim; a++) N *= g->dim[a];
  return N;
}

void fc_metric_eval(fc_metric m, const fc_grid *g, int64_t S, const fc_real *y, const fc_real *truth,
                    double *out) {
  const int64_t N = points(g), C = g->channels;

  check_metric(m);
  FC_FOR_ROWS(s, S, N * C)
  for (int64_t c = 0; c < C; c++) {
    const moments k = moments_of(N, C, y + s * N * C + c, truth + s * N * C + c);
    out[s * C + c]  = metrics[m].value(&k);
  }
}
