/* solvers/chan_orr.c */
#include "solvers/chan_orr.h"

#include "core/parallel.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* LAPACK, in OpenBLAS: A x = lambda B x, matrices by columns, lambda = alpha/beta */
void zggev_(const char *, const char *, const int *, double complex *, const int *, double complex *,
            const int *, double complex *alpha, double complex *beta, double complex *left, const int *,
            double complex *right, const int *, double complex *work, const int *, double *rwork, int *info,
            size_t, size_t);

enum { N = FC_CHAN_ORR_POINTS, P = N + 1, M = N - 1 };

typedef struct {
  double         d[4][P * P]; /* first to fourth derivative, rows of points */
  double complex a[M * M], b[M * M], vector[M * M], alpha[M], beta[M], work[8 * M];
  double         rwork[8 * M];
} space;

static void multiply(const double *a, const double *b, double *c) {
  memset(c, 0, P * P * sizeof *c);
  for (int i = 0; i < P; i++)
    for (int k = 0; k < P; k++)
      for (int j = 0; j < P; j++) c[i * P + j] += a[i * P + k] * b[k * P + j];
}

static void differentiate(const double *x, space *s) {
  double *d = s->d[0];

  for (int i = 0; i < P; i++) {
    double sum = 0;
    for (int j = 0; j < P; j++) {
      if (j == i) continue;
      const double ci = i % N ? 1 : 2, cj = j % N ? 1 : 2;
      d[i * P + j] = ci / cj * ((i + j) % 2 ? -1 : 1) / (x[i] - x[j]);
      sum += d[i * P + j];
    }
    d[i * P + i] = -sum; /* constants have no slope */
  }
  for (int k = 1; k < 4; k++) multiply(d, s->d[k - 1], s->d[k]);
}

/* phi = (1 - x^2) q with q = 0 at the walls is clamped: phi'''' = ((1 - x^2) q'''' - 8 x q''' - 12 q'') */
static void fill_matrices(double re, double alpha, const double *x, space *s) {
  const double a2 = alpha * alpha;

  for (int j = 1; j < N; j++)
    for (int i = 1; i < N; i++) {
      const int    at = i * P + j, to = (j - 1) * M + i - 1;
      const double u = 1 - x[i] * x[i], same = i == j;
      const double d4  = (u * s->d[3][at] - 8 * x[i] * s->d[2][at] - 12 * s->d[1][at]) / (1 - x[j] * x[j]);
      const double lap = s->d[1][at] - a2 * same;
      const double viscous = (d4 - 2 * a2 * s->d[1][at] + a2 * a2 * same) / (alpha * re);
      s->a[to]             = u * lap + 2 * same + I * viscous;
      s->b[to]             = lap;
    }
}

static int most_unstable(const space *s) {
  int    best = -1;
  double top  = -INFINITY;

  for (int i = 0; i < M; i++) {
    const double complex c = s->alpha[i] / s->beta[i];
    if (isfinite(cimag(c)) && fabs(creal(c)) < 2 && cimag(c) > top) top = cimag(c), best = i;
  }
  return best;
}

static void keep(const space *s, int i, fc_chan_orr *out) {
  const double complex c   = s->alpha[i] / s->beta[i];
  double complex       top = 1e-300;

  for (int j = 0; j < M; j++)
    if (cabs(s->vector[i * M + j]) > cabs(top)) top = s->vector[i * M + j];
  out->c[0] = creal(c), out->c[1] = cimag(c);
  memset(out->phi, 0, sizeof out->phi);
  for (int j = 1; j < N; j++) {
    const double complex v = s->vector[i * M + j - 1] / top;
    out->phi[2 * j] = creal(v), out->phi[2 * j + 1] = cimag(v);
  }
}

fc_status fc_chan_orr_solve(double re, double alpha, fc_chan_orr *out) {
  const int m = M, size = 8 * M;
  int       info = 0, best;
  space    *s    = calloc(1, sizeof *s);

  FC_REQUIRE(s, FC_E_SYSTEM, "no memory for an eigenvalue problem");
  fc_parallel_start();
  for (int i = 0; i < P; i++) out->x[i] = cos(M_PI * i / N);
  differentiate(out->x, s);
  fill_matrices(re, alpha, out->x, s);
  zggev_("N", "V", &m, s->a, &m, s->b, &m, s->alpha, s->beta, NULL, &m, s->vector, &m, s->work, &size,
         s->rwork, &info, 1, 1);
  best = info == 0 ? most_unstable(s) : -1;
  if (best >= 0) keep(s, best, out);
  free(s);
  return best >= 0 ? FC_OK
                   : fc_fail(FC_E_NUMERIC, "no Orr-Sommerfeld wave was found at Re = %g, wave number %g", re,
                             alpha);
}

void fc_chan_orr_value(const fc_chan_orr *o, double x, double v[2]) {
  double total = 0;

  v[0] = v[1] = 0;
  for (int i = 0; i < P; i++) {
    if (fabs(x - o->x[i]) < 1e-14) {
      v[0] = o->phi[2 * i], v[1] = o->phi[2 * i + 1];
      return;
    }
    const double w = (i % 2 ? -1 : 1) * (i % N ? 1 : 0.5) / (x - o->x[i]);
    total += w;
    v[0] += w * o->phi[2 * i], v[1] += w * o->phi[2 * i + 1];
  }
  v[0] /= total, v[1] /= total;
}
