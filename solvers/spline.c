/* solvers/spline.c - on piece i, with t in [0, 1] and second derivatives s,
     f = (1-t) a_i + t a_(i+1) + ((1-t)^3 - (1-t)) s_i/6 + (t^3 - t) s_(i+1)/6,
     s_(i-1) + 4 s_i + s_(i+1) = 6 d_i,  d_i = a_(i-1) - 2 a_i + a_(i+1).
   A not-a-knot end, s_0 = 2 s_1 - s_2, leaves s_1 = d_1. Works along the first axis of [n, width], all
   columns at once. */
#include "solvers/spline.h"

#include "core/parallel.h"

#include <math.h>
#include <string.h>

/* s_i of rows 1..n-2 as d_i; the two ends of the system are solved already */
static void second_differences(int64_t n, int64_t width, const double *a, double *s) {
  for (int64_t i = 1; i < n - 1; i++)
    for (int64_t j = 0; j < width; j++) {
      const double *p  = a + i * width + j;
      s[i * width + j] = p[-width] - 2 * p[0] + p[width];
    }
}

/* Elimination down and substitution up; the factors depend on the row alone. */
static void solve_rows(int64_t n, int64_t width, double *s, double *factor) {
  factor[1] = 0; /* row 1 holds its solution */
  for (int64_t i = 2; i < n - 2; i++) {
    factor[i] = 1 / (4 - factor[i - 1]);
    for (int64_t j = 0; j < width; j++)
      s[i * width + j] = (6 * s[i * width + j] - s[(i - 1) * width + j]) * factor[i];
  }
  for (int64_t i = n - 3; i >= 2; i--)
    for (int64_t j = 0; j < width; j++) s[i * width + j] -= factor[i] * s[(i + 1) * width + j];
  for (int64_t j = 0; j < width; j++) {
    s[j]                   = 2 * s[width + j] - s[2 * width + j];
    s[(n - 1) * width + j] = 2 * s[(n - 2) * width + j] - s[(n - 3) * width + j];
  }
}

/* out[width, m]: transposed, so that two calls do both axes */
static void evaluate(int64_t n, int64_t width, const double *a, const double *s, int64_t m, double first,
                     double step, double *out) {
  for (int64_t k = 0; k < m; k++) {
    const double  x = first + (double)k * step;
    const int64_t i = fc_max64(0, fc_min64(n - 2, (int64_t)floor(x)));
    const double  t = x - (double)i, r = 1 - t, p = (r * r * r - r) / 6, q = (t * t * t - t) / 6;
    const double *a0 = a + i * width, *s0 = s + i * width;
    for (int64_t j = 0; j < width; j++)
      out[j * m + k] = r * a0[j] + t * a0[width + j] + p * s0[j] + q * s0[width + j];
  }
}

int64_t fc_spline_work(int64_t n, int64_t m) { return n * m + n * fc_max64(n, m) + n; }

void fc_spline_2d(int64_t n, const double *a, int64_t m, double first, double step, double *out,
                  double *work) {
  double *half = work, *s = half + n * m, *factor = s + n * fc_max64(n, m);

  second_differences(n, n, a, s);
  solve_rows(n, n, s, factor);
  evaluate(n, n, a, s, m, first, step, half); /* [n, m]: second axis, first axis */
  second_differences(n, m, half, s);
  solve_rows(n, m, s, factor);
  evaluate(n, m, half, s, m, first, step, out);
}
