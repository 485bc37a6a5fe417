/* core/ridge.c - normal equations by Cholesky factors (LAPACK dposv). */
#include "core/ridge.h"

#include "core/parallel.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* LAPACK's interface is Fortran's: column-major, everything by reference */
void dposv_(const char *uplo, const int *n, const int *nrhs, double *a, const int *lda, double *b,
            const int *ldb, int *info);

enum { ROWS = 256 }; /* converted to double at a time */

struct fc_ridge {
  int64_t in, out, n;
  double *xx, *xy;         /* [in, in], [in, out] */
  double *sum_x, *sum_y;   /* [in], [out] */
  double  yy;              /* |y|^2 */
  double *rows_x, *rows_y; /* [ROWS, in], [ROWS, out] */
};

fc_status fc_ridge_create(int64_t in, int64_t out, fc_ridge **to) {
  fc_ridge *r = calloc(1, sizeof *r);

  FC_REQUIRE(r, FC_E_SYSTEM, "no memory for a linear regression");
  fc_parallel_start();
  r->in = in, r->out = out;
  r->xx     = calloc((size_t)(in * in), sizeof(double));
  r->xy     = calloc((size_t)(in * out), sizeof(double));
  r->sum_x  = calloc((size_t)in, sizeof(double));
  r->sum_y  = calloc((size_t)out, sizeof(double));
  r->rows_x = malloc((size_t)(ROWS * in) * sizeof(double));
  r->rows_y = malloc((size_t)(ROWS * out) * sizeof(double));
  if (!r->xx || !r->xy || !r->sum_x || !r->sum_y || !r->rows_x || !r->rows_y) {
    fc_ridge_destroy(r);
    return fc_fail(FC_E_SYSTEM, "no memory for a linear regression of %lld numbers on %lld", (long long)out,
                   (long long)in);
  }
  *to = r;
  return FC_OK;
}

void fc_ridge_destroy(fc_ridge *r) {
  if (!r) return;
  free(r->xx);
  free(r->xy);
  free(r->sum_x);
  free(r->sum_y);
  free(r->rows_x);
  free(r->rows_y);
  free(r);
}

static void widen(const fc_real *from, int64_t rows, int64_t n, double *to, double *sum) {
  for (int64_t i = 0; i < rows * n; i++) to[i] = (double)from[i];
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < n; j++) sum[j] += to[i * n + j];
}

void fc_ridge_add(fc_ridge *r, int64_t rows, const fc_real *x, const fc_real *y) {
  for (int64_t at = 0; at < rows; at += ROWS) {
    const int64_t n = fc_min64(ROWS, rows - at);
    widen(x + at * r->in, n, r->in, r->rows_x, r->sum_x);
    widen(y + at * r->out, n, r->out, r->rows_y, r->sum_y);
    r->yy += cblas_ddot((int)(n * r->out), r->rows_y, 1, r->rows_y, 1);
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)r->in, (int)n, 1, r->rows_x, (int)r->in, 1, r->xx,
                (int)r->in);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)r->in, (int)r->out, (int)n, 1, r->rows_x,
                (int)r->in, r->rows_y, (int)r->out, 1, r->xy, (int)r->out);
  }
  r->n += rows;
}

/* A [n, n] symmetric, its upper triangle given in rows, right sides B [m, n] in rows (LAPACK's columns) */
static fc_status cholesky(int64_t n, int64_t m, double *A, double *B) {
  const int order = (int)n, count = (int)m;
  int       info;
  double    least = 0;

  for (int64_t i = 0; i < n; i++) least = fmax(least, 1e-7 * sqrt(A[i * n + i]));
  dposv_("L", &order, &count, A, &order, B, &order, &info); /* upper in rows is lower in columns */
  bool good = info == 0;
  for (int64_t i = 0; good && i < n; i++) good = A[i * n + i] > least; /* rounding hides exact zeros */
  FC_REQUIRE(good, FC_E_NUMERIC, "the linear regression is singular; give lambda a larger value");
  return FC_OK;
}

static double mean_diagonal(const double *A, int64_t n) {
  double sum = 0;

  for (int64_t i = 0; i < n; i++) sum += A[i * n + i];
  return sum > 0 ? sum / (double)n : 1;
}

fc_status fc_ridge_solve(const fc_ridge *r, double lambda, double *W, double *b) {
  const int64_t p = r->in, q = r->out;
  const double  n = (double)fc_max64(r->n, 1);
  double       *A = malloc((size_t)(p * p) * sizeof *A), *B = malloc((size_t)(p * q) * sizeof *B);
  fc_status     s = A && B ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for a linear regression");

  if (s != FC_OK) goto done;
  for (int64_t i = 0; i < p; i++)
    for (int64_t j = i; j < p; j++) A[i * p + j] = r->xx[i * p + j] - r->sum_x[i] * r->sum_x[j] / n;
  for (int64_t k = 0; k < q; k++)
    for (int64_t i = 0; i < p; i++) B[k * p + i] = r->xy[i * q + k] - r->sum_x[i] * r->sum_y[k] / n;
  const double add = lambda * mean_diagonal(A, p);
  for (int64_t i = 0; i < p; i++) A[i * p + i] += add;
  if ((s = cholesky(p, q, A, B)) != FC_OK) goto done;
  for (int64_t k = 0; k < q; k++) {
    b[k] = r->sum_y[k] / n;
    for (int64_t i = 0; i < p; i++) W[i * q + k] = B[k * p + i], b[k] -= B[k * p + i] * r->sum_x[i] / n;
  }
done:
  free(A);
  free(B);
  return s;
}

/* |y|^2 + <W, XX W - 2 XY> + sum_k b_k (2 (W^T sum_x - sum_y)_k + n b_k) */
fc_status fc_ridge_error(const fc_ridge *r, const double *W, const double *b, double *error) {
  const int64_t p = r->in, q = r->out;
  double       *T = malloc((size_t)(p * q) * sizeof *T);

  FC_REQUIRE(T, FC_E_SYSTEM, "no memory for a linear regression");
  memcpy(T, r->xy, (size_t)(p * q) * sizeof *T);
  cblas_dsymm(CblasRowMajor, CblasLeft, CblasUpper, (int)p, (int)q, 1, r->xx, (int)p, W, (int)q, -2, T,
              (int)q);
  *error = r->yy + cblas_ddot((int)(p * q), W, 1, T, 1);
  for (int64_t k = 0; k < q; k++) {
    const double map = cblas_ddot((int)p, W + k, (int)q, r->sum_x, 1);
    *error += b[k] * (2 * (map - r->sum_y[k]) + (double)r->n * b[k]);
  }
  free(T);
  return FC_OK;
}

/* ---- dual form ---- */

static void centre(int64_t n, int64_t m, fc_real *x, double *mean) {
  for (int64_t j = 0; j < m; j++) mean[j] = 0;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < m; j++) mean[j] += (double)x[i * m + j] / (double)n;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < m; j++) x[i * m + j] = (fc_real)((double)x[i * m + j] - mean[j]);
}

/* K [n, n]: products of the samples */
static void products(int64_t n, int64_t m, const fc_real *x, double *K) {
  FC_FOR_ROWS(i, n, n * m / 2)
  for (int64_t j = i; j < n; j++) {
    double sum = 0;
    FC_REDUCE(+, sum) for (int64_t k = 0; k < m; k++) sum += (double)x[i * m + k] * (double)x[j * m + k];
    K[i * n + j] = sum;
  }
}

fc_status fc_ridge_dual(int64_t n, int64_t inputs, int64_t outputs, double lambda, fc_real *x, fc_real *y,
                        double *mean_x, double *mean_y) {
  double   *K = malloc((size_t)(n * n) * sizeof *K), *B = malloc((size_t)(n * outputs) * sizeof *B);
  fc_status s = K && B
                    ? FC_OK
                    : fc_fail(FC_E_SYSTEM, "no memory for a linear regression on %lld samples", (long long)n);

  if (s != FC_OK) goto done;
  fc_parallel_start();
  centre(n, inputs, x, mean_x);
  centre(n, outputs, y, mean_y);
  products(n, inputs, x, K);
  /* trace K = trace X^T X: the same lambda means the same penalty as above */
  const double add = lambda * mean_diagonal(K, n) * (double)n / (double)inputs;
  for (int64_t i = 0; i < n; i++) K[i * n + i] += add;
  for (int64_t k = 0; k < outputs; k++)
    for (int64_t i = 0; i < n; i++) B[k * n + i] = (double)y[i * outputs + k];
  if ((s = cholesky(n, outputs, K, B)) != FC_OK) goto done;
  for (int64_t k = 0; k < outputs; k++)
    for (int64_t i = 0; i < n; i++) y[i * outputs + k] = (fc_real)B[k * n + i];
done:
  free(K);
  free(B);
  return s;
}
