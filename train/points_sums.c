/* train/points_sums.c */
#include "train/points_sums.h"

#include "core/parallel.h"

#include <math.h>
#include <string.h>

void fc_point_sums_add(int64_t N, int C, const fc_real *y, const fc_real *truth, const fc_real *weight,
                       fc_point_sums *sums) {
  FC_FOR_ROWS(c, C, 4 * N) {
    fc_point_sums s = {0};
    for (int64_t i = 0; i < N; i++) {
      const int64_t at = i * C + c;
      if (weight && weight[at] == 0) continue;
      const double t = (double)truth[at], d = (double)y[at] - t;
      s.n++;
      s.square += d * d;
      s.absolute += fabs(d);
      s.t += t;
      s.t2 += t * t;
    }
    sums[c].n += s.n;
    sums[c].square += s.square;
    sums[c].absolute += s.absolute;
    sums[c].t += s.t;
    sums[c].t2 += s.t2;
  }
}

fc_status fc_point_sums_join(const fc_comm *ranks, int C, fc_point_sums *sums) {
  enum { N = sizeof *sums / sizeof(double) };
  double x[N * FC_FIELD_CHANNELS];

  memcpy(x, sums, (size_t)C * sizeof *sums);
  FC_TRY(fc_comm_sum_double(ranks, x, N * C));
  memcpy(sums, x, (size_t)C * sizeof *sums);
  return FC_OK;
}

double fc_point_rmse(const fc_point_sums *s) { return sqrt(s->square / s->n); }
double fc_point_mae(const fc_point_sums *s) { return s->absolute / s->n; }
double fc_point_relative_l2(const fc_point_sums *s) { return sqrt(s->square / s->t2); }

/* sum of squared deviations of the truth from its mean */
static double deviation(const fc_point_sums *s) { return fmax(0, s->t2 - s->t * s->t / s->n); }

double fc_point_r2(const fc_point_sums *s) { return 1 - s->square / deviation(s); }

double fc_point_vrmse(const fc_point_sums *s) {
  return s->n < 2 ? NAN : sqrt(s->square / s->n / (deviation(s) / (s->n - 1) + 1e-7));
}
