/* train/metrics_time.c - how long a forecast stays good. */
#include "train/metrics.h"

#include <math.h>

double fc_valid_time(int64_t n, const double *t, const double *value, double threshold, bool below_is_good) {
  const double sign = below_is_good ? 1 : -1;

  for (int64_t i = 0; i < n; i++) {
    const double over = sign * (value[i] - threshold);
    if (over <= 0) continue; /* false for NaN */
    if (i == 0) return t[0];
    if (!isfinite(over)) return t[i - 1]; /* blown up: the last time known to be good */
    const double under = sign * (threshold - value[i - 1]);
    return t[i - 1] + (t[i] - t[i - 1]) * under / (under + over);
  }
  return n ? t[n - 1] : NAN;
}
