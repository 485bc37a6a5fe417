/* train/metrics.c - pointwise errors from the moments of one field against its truth. */
#include "train/metrics.h"

#include "core/parallel.h"
#include "hpc/comm.h"

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

/* sums over the points, of all ranks that share them */
enum { SUM_N, SUM_Y, SUM_X, SUM_SQUARE, SUM_GAP, SUM_ABS_X, SUM_SQUARE_X, SUMS };

static void sum_over(const fc_domain *d, double *sum, int64_t n) {
  if (d) fc_comm_sum_double(d->comm, sum, n);
}

/* Variances and covariance in a second pass, about the means: a large mean would drown them in one pass. */
static void central_moments(const fc_domain *d, int64_t N, int64_t stride, const fc_real *y, const fc_real *x,
                            const double *plain, moments *m) {
  const double n = plain[SUM_N], mean_y = plain[SUM_Y] / n, mean_x = plain[SUM_X] / n;
  double       sum[3] = {0}; /* yy, xx, yx */

  for (int64_t i = 0; i < N; i++) {
    const double a = (double)y[i * stride] - mean_y, b = (double)x[i * stride] - mean_x;
    sum[0] += a * a;
    sum[1] += b * b;
    sum[2] += a * b;
  }
  sum_over(d, sum, 3);
  m->var_y      = sum[0] / (n - 1);
  m->var_truth  = sum[1] / (n - 1);
  m->covariance = sum[2] / n;
}

static double largest(const fc_domain *d, double own, double square) {
  fc_real top = (fc_real)own;

  if (!d) return own;
  fc_comm_max(d->comm, &top, 1);
  return isnan(square) ? square : (double)top; /* a NaN on any rank counts */
}

static moments moments_of(const fc_domain *d, int64_t N, int64_t stride, const fc_real *y, const fc_real *x) {
  moments m         = {0};
  double  sum[SUMS] = {(double)N};

  for (int64_t i = 0; i < N; i++) {
    const double a = (double)y[i * stride], b = (double)x[i * stride], gap = fabs(a - b);
    sum[SUM_Y] += a;
    sum[SUM_X] += b;
    sum[SUM_SQUARE] += gap * gap;
    sum[SUM_GAP] += gap;
    sum[SUM_ABS_X] += fabs(b);
    sum[SUM_SQUARE_X] += b * b;
    if (!(gap <= m.linf)) m.linf = isnan(m.linf) ? m.linf : gap; /* NaN stays */
  }
  sum_over(d, sum, SUMS);
  m.linf         = largest(d, m.linf, sum[SUM_SQUARE]);
  m.mse          = sum[SUM_SQUARE] / sum[SUM_N];
  m.mae          = sum[SUM_GAP] / sum[SUM_N];
  m.abs_truth    = sum[SUM_ABS_X] / sum[SUM_N];
  m.square_truth = sum[SUM_SQUARE_X] / sum[SUM_N];
  central_moments(d, N, stride, y, x, sum, &m);
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
    const moments k = moments_of(NULL, N, C, y + s * N * C + c, truth + s * N * C + c);
    out[s * C + c]  = metrics[m].value(&k);
  }
}

void fc_metric_eval_shared(fc_metric m, const fc_grid *own, const fc_domain *domain, int64_t S,
                           const fc_real *y, const fc_real *truth, double *out) {
  const int64_t N = points(own), C = own->channels;

  if (!domain) {
    fc_metric_eval(m, own, S, y, truth, out);
    return;
  }
  check_metric(m);
  for (int64_t i = 0; i < S * C; i++) {
    const int64_t at = i / C * N * C + i % C;
    const moments k  = moments_of(domain, N, C, y + at, truth + at);
    out[i]           = metrics[m].value(&k);
  }
}
