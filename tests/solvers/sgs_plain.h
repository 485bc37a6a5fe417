/* tests/solvers/sgs_plain.h - the dynamic models a second time, as the formulas stand on paper: whole fields,
   filters as matrices, no tricks. Axes n[0], n[1], n[2]; averages over the axes that are filtered. */
#ifndef FC_TESTS_SGS_PLAIN_H
#define FC_TESTS_SGS_PLAIN_H
#include "solvers/fft2.h"
#include "solvers/sgs_clipped.h"
#include "solvers/sgs_dynamic.h"
#include "tests/check.h"

typedef struct {
  int64_t n[3], points;
  double *u[3], *g[9];
} plain_flow;

static inline double plain_random(uint64_t sample, uint64_t i) {
  const fc_rng r = {23, sample, FC_RNG_TEST};

  return fc_rng_uniform(&r, i) - 0.5;
}

/* any numbers with the gradient's trace zero; u has a mean */
static inline plain_flow plain_flow_make(int64_t n0, int64_t n1, int64_t n2, uint64_t sample) {
  plain_flow f = {{n0, n1, n2}, n0 * n1 * n2};

  for (int k = 0; k < 3; k++) f.u[k] = fc_fft2_alloc(f.points);
  for (int k = 0; k < 9; k++) f.g[k] = fc_fft2_alloc(f.points);
  for (int64_t p = 0; p < f.points; p++) {
    for (int k = 0; k < 3; k++) f.u[k][p] = plain_random(sample + (uint64_t)k, (uint64_t)p) + (k == 0);
    for (int k = 0; k < 9; k++) f.g[k][p] = plain_random(sample + 10 + (uint64_t)k, (uint64_t)p) + 0.2 * k;
    f.g[8][p] = -f.g[0][p] - f.g[4][p];
  }
  return f;
}

static inline void plain_flow_drop(plain_flow f) {
  for (int k = 0; k < 3; k++) free(f.u[k]);
  for (int k = 0; k < 9; k++) free(f.g[k]);
}

/* the weight of point j in the filtered value at point i */
static inline double plain_weight(fc_sgs_filter_kind kind, bool walls, int64_t n, int64_t i, int64_t j) {
  static const double three[] = {0.5, 0.25}, seven[] = {0.6875, 0.234375, -0.09375, 0.015625};
  static const double second[] = {0.125, 0.625, 0.375, -0.125},
                      third[]  = {-0.03125, 0.15625, 0.6875, 0.3125, -0.15625, 0.03125};
  double w                     = 0;

  if (kind == FC_SGS_CUTOFF) {
    for (int64_t k = -n; k <= n; k++)
      if (4 * llabs(k) < n) w += cos(2 * M_PI * (double)(k * (i - j)) / (double)n) / (double)n;
    return w;
  }
  if (walls && i > n - 4) i = n - 1 - i, j = n - 1 - j;
  if (walls && i == 0) return j == 0;
  if (walls && i == 1) return j < 4 ? second[j] : 0;
  if (walls && i == 2) return j < 6 ? third[j] : 0;
  for (int64_t k = -3; k <= 3; k++)
    if ((i + k - j + 4 * n) % n == 0 && (llabs(k) < 2 || kind == FC_SGS_SIXTH))
      w += kind == FC_SGS_SIXTH ? seven[llabs(k)] : three[llabs(k)];
  return w;
}

static inline double *plain_filter(const plain_flow *f, const double *x, int axis, fc_sgs_filter_kind kind,
                                   bool walls) {
  const int64_t n = f->n[axis], step = axis == 2 ? 1 : axis == 1 ? f->n[2] : f->n[1] * f->n[2];
  double       *y = fc_fft2_alloc(f->points);

  for (int64_t p = 0; p < f->points; p++) {
    const int64_t i = p / step % n;
    for (int64_t j = 0; j < n; j++) y[p] += plain_weight(kind, walls, n, i, j) * x[p + (j - i) * step];
  }
  return y;
}

/* along the axes from `first` on; walls: of axis 0 */
static inline double *plain_filter_all(const plain_flow *f, const double *x, int first,
                                       fc_sgs_filter_kind kind, bool walls) {
  double *y = plain_filter(f, x, 2, kind, false);

  for (int axis = 1; axis >= first; axis--) {
    double *z = plain_filter(f, y, axis, kind, walls && axis == 0);
    free(y);
    y = z;
  }
  return y;
}

static inline double plain_strain(double *const S[6], int64_t p) {
  return sqrt(2 * (S[0][p] * S[0][p] + S[1][p] * S[1][p] + S[2][p] * S[2][p] +
                   2 * (S[3][p] * S[3][p] + S[4][p] * S[4][p] + S[5][p] * S[5][p])));
}

/* L_ij and M_ij/2 at all points, in the order xx, yy, zz, xy, xz, yz; width2: of planes of axis 0, or NULL
 * for 1 */
static inline void plain_tensors(const plain_flow *f, int first, fc_sgs_filter_kind kind, bool walls,
                                 double a, const double *width2, double *L[6], double *M[6]) {
  static const int I[] = {0, 1, 2, 0, 0, 1}, J[] = {0, 1, 2, 1, 2, 2};
  double          *S[6], *hat[6], *v[3], *x = fc_fft2_alloc(f->points);
  const int64_t    plane = f->n[1] * f->n[2];

  for (int k = 0; k < 3; k++) v[k] = plain_filter_all(f, f->u[k], first, kind, walls);
  for (int c = 0; c < 6; c++) {
    S[c] = fc_fft2_alloc(f->points);
    for (int64_t p = 0; p < f->points; p++)
      S[c][p] = (f->g[3 * I[c] + J[c]][p] + f->g[3 * J[c] + I[c]][p]) / 2;
    hat[c] = plain_filter_all(f, S[c], first, kind, walls);
  }
  for (int c = 0; c < 6; c++) {
    for (int64_t p = 0; p < f->points; p++) x[p] = f->u[I[c]][p] * f->u[J[c]][p];
    L[c] = plain_filter_all(f, x, first, kind, walls);
    for (int64_t p = 0; p < f->points; p++)
      x[p] = (width2 ? width2[p / plane] : 1) * plain_strain(S, p) * S[c][p];
    M[c] = plain_filter_all(f, x, first, kind, walls);
    for (int64_t p = 0; p < f->points; p++) {
      L[c][p] -= v[I[c]][p] * v[J[c]][p];
      M[c][p] -= a * (width2 ? width2[p / plane] : 1) * plain_strain(hat, p) * hat[c][p];
    }
  }
  for (int c = 0; c < 6; c++) free(S[c]), free(hat[c]);
  for (int k = 0; k < 3; k++) free(v[k]);
  free(x);
}

static inline double plain_product(double *const A[6], double *const B[6], int64_t p) {
  double sum = 0;

  for (int c = 0; c < 6; c++) sum += (c < 3 ? 1 : 2) * A[c][p] * B[c][p];
  return sum;
}

/* <L:M>/<M:M>, over the points that the cut-off is known from */
static inline double plain_dynamic(const plain_flow *f, int first, fc_sgs_filter_kind kind, double a,
                                   int64_t line) {
  double       *L[6], *M[6], lm = 0, mm = 0;
  const int64_t step = kind == FC_SGS_CUTOFF ? 2 : 1, n1 = f->n[1], n2 = f->n[2];

  plain_tensors(f, first, kind, false, a, NULL, L, M);
  for (int64_t i = 0; i < f->n[0]; i += first == 0 ? step : 1)
    for (int64_t j = 0; j < n1; j += step)
      for (int64_t k = 0; k < n2; k += step) {
        const int64_t p = (i * n1 + j) * n2 + k;
        if (first == 1 && i != line) continue;
        lm += 2 * plain_product(L, M, p);
        mm += 4 * plain_product(M, M, p);
      }
  for (int c = 0; c < 6; c++) free(L[c]), free(M[c]);
  return lm / mm;
}

/* c D^2 of the clipped variant at all points, from the words of solvers/sgs_clipped.h */
static inline double *plain_clipped(const plain_flow *f, const double *x, const double d[3], double limit) {
  double       *L[6], *M[6], *c = fc_fft2_alloc(f->points), *width2 = fc_fft2_alloc(f->n[0]);
  const int64_t n0 = f->n[0], n2 = f->n[2];

  for (int64_t i = 0; i < n0; i++) {
    const double step = !x ? d[0] : i < n0 - 1 ? x[i + 1] - x[i] : x[n0 - 1] - x[n0 - 2];
    width2[i]         = pow(step * d[1] * d[2], 2.0 / 3);
  }
  plain_tensors(f, 0, FC_SGS_SIXTH, x != NULL, 4, width2, L, M);
  for (int64_t p = 0; p < f->points; p++) {
    for (int k = 0; k < 3; k++) L[k][p] -= (L[0][p] + L[1][p] + L[2][p]) / 3;
    const double q = 2 * plain_product(L, M, p) / (4 * plain_product(M, M, p));
    c[p]           = q < 0 || q > limit ? 0 : q;
  }
  double *smooth = plain_filter_all(f, c, 0, FC_SGS_SIXTH, x != NULL);
  for (int64_t p = 0; p < f->points; p++) {
    double mean = 0;
    for (int64_t k = 0; k < n2; k++) mean += smooth[p / n2 * n2 + k] / (double)n2;
    c[p] = mean * width2[p / (f->n[1] * n2)];
  }
  for (int k = 0; k < 6; k++) free(L[k]), free(M[k]);
  free(smooth), free(width2);
  return c;
}
#endif
