/* solvers/smoke_start.c - the random smoke that published runs start from. */
#include "solvers/smoke.h"

#include "core/parallel.h"
#include "core/rng.h"
#include "solvers/fft2.h"

#include <fftw3.h>
#include <math.h>
#include <string.h>

/* 0, -1, 1, -2, 2, .. -> 0, 1, 2, 3, 4, ..: the same number for a wave on every grid */
static uint64_t fold(int64_t m) { return m < 0 ? (uint64_t)(-2 * m - 1) : (uint64_t)(2 * m); }

static void normals(const fc_rng *r, const int64_t m[3], int sign, double z[2]) {
  uint64_t index = 0;

  for (int a = 0; a < 3; a++) index = index << 20 | fold(sign * m[a]);
  z[0] = fc_rng_normal(r, 2 * index);
  z[1] = fc_rng_normal(r, 2 * index + 1);
}

/* The real part of a sum over all waves has (z_m + conj z_-m) / 2. The highest waves of a grid, whose
   partners it does not have, are left out: their weight is below 1e-11 on 64 points. */
static void wave(const fc_smoke *s, const fc_rng *r, const int64_t m[3], double z[2]) {
  const double sides[3] = {s->c.lx, s->c.ly, s->c.lz};
  double       other[2], q2 = 0;
  bool         highest = false;

  for (int a = s->first; a < 3; a++) {
    const double q = s->c.scale * (double)m[a] / sides[a - s->first];
    q2 += q * q;
    highest |= 2 * m[a] == s->n[a];
  }
  z[0] = z[1] = 0;
  if (q2 <= 0.1 || highest) return;
  normals(r, m, 1, z);
  normals(r, m, -1, other);
  const double weight = pow(q2, -s->c.smoothness) / 2;
  z[0]                = weight * (z[0] + other[0]);
  z[1]                = weight * (z[1] - other[1]);
}

static void spectrum(const fc_smoke *s, const fc_rng *rng, double *hat) {
  const int64_t half = s->n[2] / 2 + 1;

  FC_FOR_ROWS(r, s->rows, 64 * half) {
    int64_t m[3] = {fc_fft2_mode(r / s->n[1], s->n[0]), fc_fft2_mode(r % s->n[1], s->n[1]), 0};
    for (; m[2] < half; m[2]++) wave(s, rng, m, hat + 2 * (r * half + m[2]));
  }
}

static void moments(const double *x, int64_t n, double *mean, double *deviation) {
  double sum = 0, square = 0;

  for (int64_t i = 0; i < n; i++) sum += x[i];
  *mean = sum / (double)n;
  for (int64_t i = 0; i < n; i++) square += (x[i] - *mean) * (x[i] - *mean);
  *deviation = sqrt(square / (double)n);
}

static void noise(fc_smoke_work *w, int64_t traj) {
  const fc_smoke *s   = w->s;
  const fc_rng    rng = {(uint64_t)s->c.seed, (uint64_t)(s->c.first_traj + traj), FC_RNG_FIELD};
  double          mean, deviation;

  spectrum(s, &rng, w->next[0][FC_SMOKE]);
  fftw_execute_dft_c2r(s->noise, (fftw_complex *)w->next[0][FC_SMOKE], w->pressure);
  moments(w->pressure, s->cells, &mean, &deviation);
  const double f = deviation > 0 ? 1 / deviation : 0;
  for (int64_t r = 0; r < s->rows; r++)
    for (int64_t k = 0, at = fc_smoke_row(s, r); k < s->n[2]; k++)
      w->now[FC_SMOKE][at + k] = fabs((w->pressure[r * s->n[2] + k] - mean) * f);
}

void fc_smoke_start(fc_smoke_work *w, int64_t traj) {
  const fc_smoke *s = w->s;

  for (int f = s->first; f < FC_SMOKE_FIELDS; f++) memset(w->now[f], 0, (size_t)s->size * sizeof(double));
  if (s->c.initial == FC_SMOKE_NOISE) noise(w, traj);
  for (int f = s->first; f < FC_SMOKE_FIELDS; f++) {
    memset(w->next[0][f], 0, (size_t)s->size * sizeof(double)); /* walls, and what is beyond them */
    fc_smoke_borders(s, f, w->now[f]);
  }
  w->start = fc_smoke_total(w);
}
