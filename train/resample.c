/* train/resample.c - one small dense matrix per axis: R[j, i] = w(j n / m - i) with the Dirichlet kernel w.
 */
#include "train/resample.h"

#include "core/gemm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* w(s) = (1 + 2 sum_{0 < k < N/2} cos(2 pi k s / n) + [N even] cos(pi N s / n)) / n, N = min(n, m) */
static double kernel(double s, int64_t n, int64_t m) {
  const int64_t N   = fc_min64(n, m);
  double        sum = 1;

  for (int64_t k = 1; 2 * k < N; k++) sum += 2 * cos(2 * M_PI * (double)k * s / (double)n);
  if (N % 2 == 0) sum += cos(M_PI * (double)N * s / (double)n);
  return sum / (double)n;
}

static int64_t gcd(int64_t a, int64_t b) { return b ? gcd(b, a % b) : a; }

/* s = (j n - i m) / m takes only lcm(n, m) different values modulo the period n; w[lcm] is scratch */
static void fill(int64_t n, int64_t m, double *w, fc_real *R) {
  const int64_t g = gcd(n, m), period = n / g * m;

  for (int64_t q = 0; q < period; q++) w[q] = kernel((double)(q * g) / (double)m, n, m);
  for (int64_t j = 0; j < m; j++)
    for (int64_t i = 0; i < n; i++)
      R[j * n + i] = (fc_real)w[(((j * n - i * m) / g) % period + period) % period];
}

fc_status fc_resample(int ndim, const int64_t *from, const int64_t *to, int64_t C, const fc_real *x,
                      fc_real *y) {
  int64_t   dim[3], largest = C, side = 1;
  fc_status s = FC_OK;

  for (int a = 0; a < ndim; a++) {
    dim[a] = from[a];
    largest *= fc_max64(from[a], to[a]);
    side = fc_max64(side, from[a] * to[a]);
  }
  fc_real *R = malloc((size_t)side * sizeof *R), *in = malloc((size_t)largest * sizeof *in);
  fc_real *out = malloc((size_t)largest * sizeof *out);
  double  *w   = malloc((size_t)side * sizeof *w);
  if (!R || !in || !out || !w) {
    s = fc_fail(FC_E_SYSTEM, "no memory to change the grid of a field");
    goto done;
  }
  int64_t len = C;
  for (int a = 0; a < ndim; a++) len *= from[a];
  memcpy(in, x, (size_t)len * sizeof *in);
  for (int a = 0; a < ndim; a++) {
    int64_t before = 1, after = C;
    for (int b = 0; b < a; b++) before *= dim[b];
    for (int b = a + 1; b < ndim; b++) after *= dim[b];
    fill(dim[a], to[a], w, R);
    for (int64_t p = 0; p < before; p++)
      fc_gemm(false, false, to[a], after, dim[a], 1, R, dim[a], in + p * dim[a] * after, after, 0,
              out + p * to[a] * after, after);
    dim[a]        = to[a];
    len           = before * dim[a] * after;
    fc_real *swap = in;
    in            = out;
    out           = swap;
  }
  memcpy(y, in, (size_t)len * sizeof *y);
done:
  free(R);
  free(w);
  free(in);
  free(out);
  return s;
}
