/* train/points_sums.h - errors on points as sums that can be added up: over the points of a sample where the
   mask is not zero, then over samples. One set of sums per channel. */
#ifndef FC_POINTS_SUMS_H
#define FC_POINTS_SUMS_H
#include "hpc/comm.h"
#include "train/points.h"

typedef struct fc_point_sums {
  double n, square, absolute; /* points; (y - t)^2, |y - t| */
  double t, t2;               /* of the truth */
} fc_point_sums;

/* adds a frame: y, truth [N, C] in units, weight [N, C] or NULL */
void fc_point_sums_add(int64_t N, int C, const fc_real *y, const fc_real *truth, const fc_real *weight,
                       fc_point_sums *sums);
/* sums[C] of a frame become those of all ranks that share it. Collective. */
fc_status fc_point_sums_join(const fc_comm *ranks, int C, fc_point_sums *sums);
double    fc_point_rmse(const fc_point_sums *s);
double    fc_point_mae(const fc_point_sums *s);
double    fc_point_relative_l2(const fc_point_sums *s); /* sqrt(sum (y - t)^2 / sum t^2) */
double    fc_point_r2(const fc_point_sums *s);          /* 1 - sum (y - t)^2 / sum (t - mean t)^2 */
double    fc_point_vrmse(const fc_point_sums *s);       /* as train/metrics.h; NaN below two points */
#endif
