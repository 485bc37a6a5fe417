/* solvers/sgs_clipped.c */
#include "solvers/sgs_clipped.h"

#include "core/parallel.h"
#include "solvers/fft2.h"
#include "solvers/sgs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS = FC_SGS_CLIPPED_PAIRS };

static int64_t round_up(int64_t n) { return fc_ceil_div(n, 8) * 8; }

/* ---- making ---- */

static fc_status plan(fc_sgs_clipped *s, bool walls) {
  const int64_t           *n = s->n, *m = s->m;
  const fc_sgs_filter_kind kind = FC_SGS_SIXTH;

  FC_TRY(fc_sgs_filter_create(kind, walls, 1, n[0], m[0], m[2], false, &s->filter[0]));
  FC_TRY(fc_sgs_filter_create(kind, false, PAIRS, n[1], m[1], n[2], false, &s->filter[1]));
  FC_TRY(fc_sgs_filter_create(kind, false, PAIRS * m[1], n[2], m[2], 1, false, &s->filter[2]));
  FC_TRY(fc_sgs_filter_create(kind, walls, 1, m[0], m[0], m[1], false, &s->c[0]));
  return fc_sgs_filter_create(kind, false, m[0], m[1], m[1], 1, false, &s->c[1]);
}

static fc_status share(fc_sgs_clipped *s) {
  int64_t hi;

  fc_comm_block(NULL, s->n[0], &s->lo, &hi);
  s->lines = hi - s->lo;
  fc_comm_block(NULL, s->m[1], &s->row, &hi);
  s->rows = hi - s->row;
  return fc_turn_create(NULL, s->n[0], s->m[1], 2 * s->m[2], PAIRS, &s->turn);
}

static fc_status allocate(fc_sgs_clipped *s) {
  const int64_t apart = round_up(2 * s->lines * s->m[1] * s->m[2]), line = round_up(2 * s->n[0] * s->m[2]);
  const int64_t whole = s->rows * line, flat = round_up(2 * s->m[0] * s->m[1]);
  double       *p;

  s->each  = fc_max64(round_up(2 * PAIRS * s->n[1] * s->n[2]), PAIRS * line);
  s->block = fc_fft2_alloc(PAIRS * (apart + whole) + 2 * s->threads * s->each + 2 * flat + round_up(s->n[0]));
  FC_REQUIRE(s->block, FC_E_SYSTEM, "no memory for the dynamic model on %lld x %lld x %lld points",
             (long long)s->n[0], (long long)s->n[1], (long long)s->n[2]);
  p = s->block;
  for (int k = 0; k < PAIRS; k++, p += apart + whole) {
    s->apart[k] = p;
    s->whole[k] = p + apart;
  }
  s->work    = p;
  s->flat[0] = p + 2 * s->threads * s->each;
  s->flat[1] = s->flat[0] + flat;
  s->width2  = s->flat[1] + flat;
  return FC_OK;
}

static void set_widths(fc_sgs_clipped *s, const double *x, const double d[3]) {
  for (int64_t i = 0; i < s->n[0]; i++) {
    const int64_t j    = fc_min64(i, s->n[0] - 2);
    const double  step = x ? x[j + 1] - x[j] : d[0], D = cbrt(step * d[1] * d[2]);
    s->width2[i] = D * D;
  }
}

fc_status fc_sgs_clipped_create(bool shared, const int64_t n[3], const int64_t m[3], const double *x,
                                const double d[3], double limit, fc_sgs_clipped **out) {
  fc_sgs_clipped *s      = calloc(1, sizeof *s);
  fc_status       status = FC_OK;

  *out = NULL;
  FC_REQUIRE(s, FC_E_SYSTEM, "no memory for the dynamic model");
  *s = (fc_sgs_clipped){.limit = limit, .threads = fc_threads(), .lines = n[0], .rows = m[1]};
  for (int k = 0; k < 3; k++) s->n[k] = n[k], s->m[k] = m[k];
  if (shared && fc_comm_size(NULL) > 1) status = share(s);
  if (status == FC_OK) status = plan(s, x != NULL);
  if (status == FC_OK) status = allocate(s);
  if (status == FC_OK) {
    set_widths(s, x, d);
    *out = s;
  } else {
    fc_sgs_clipped_destroy(s);
  }
  return status;
}

void fc_sgs_clipped_destroy(fc_sgs_clipped *s) {
  if (!s) return;
  for (int k = 0; k < 3; k++) fc_sgs_filter_destroy(s->filter[k]);
  for (int k = 0; k < 2; k++) fc_sgs_filter_destroy(s->c[k]);
  fc_turn_destroy(s->turn);
  free(s->block);
  free(s);
}

/* ---- at a point ---- */

FC_SIMD static void factors(int64_t n, const double *const u[3], const double *const g[9], double width2,
                            double *const pair[PAIRS]) {
  double *restrict p0 = pair[0], *restrict p1 = pair[1], *restrict p2 = pair[2], *restrict p3 = pair[3],
                   *restrict p4 = pair[4], *restrict p5 = pair[5], *restrict p6 = pair[6],
                   *restrict p7 = pair[7], *restrict p8 = pair[8], *restrict p9 = pair[9];

  FC_VECTOR for (int64_t i = 0; i < n; i++) {
    const double third = (g[0][i] + g[4][i] + g[8][i]) / 3, xx = g[0][i] - third, yy = g[4][i] - third;
    const double xy = (g[1][i] + g[3][i]) / 2, xz = (g[2][i] + g[6][i]) / 2, yz = (g[5][i] + g[7][i]) / 2;
    const double u0 = u[0][i], u1 = u[1][i], u2 = u[2][i];
    const double s = width2 * fc_sgs_strain(xx, yy, xy, xz, yz);
    p0[2 * i] = u0, p0[2 * i + 1] = u1;
    p1[2 * i] = u2, p1[2 * i + 1] = xx;
    p2[2 * i] = yy, p2[2 * i + 1] = xy;
    p3[2 * i] = xz, p3[2 * i + 1] = yz;
    p4[2 * i] = u0 * u0, p4[2 * i + 1] = u1 * u1;
    p5[2 * i] = u2 * u2, p5[2 * i + 1] = u0 * u1;
    p6[2 * i] = u0 * u2, p6[2 * i + 1] = u1 * u2;
    p7[2 * i] = s * xx, p7[2 * i + 1] = s * yy;
    p8[2 * i] = s * xy, p8[2 * i + 1] = s * xz;
    p9[2 * i] = s * yz, p9[2 * i + 1] = 0;
  }
}

FC_SIMD static void ratio(int64_t n, double *const pair[PAIRS], double width2, double limit,
                          double *restrict c) {
  const double *p0 = pair[0], *p1 = pair[1], *p2 = pair[2], *p3 = pair[3], *p4 = pair[4], *p5 = pair[5],
               *p6 = pair[6], *p7 = pair[7], *p8 = pair[8], *p9 = pair[9];

  FC_VECTOR for (int64_t i = 0; i < n; i++) {
    const double u = p0[2 * i], v = p0[2 * i + 1], w = p1[2 * i], xx = p1[2 * i + 1];
    const double yy = p2[2 * i], xy = p2[2 * i + 1], xz = p3[2 * i], yz = p3[2 * i + 1];
    const double s   = 8 * width2 * fc_sgs_strain(xx, yy, xy, xz, yz);
    const double mxx = 2 * p7[2 * i] - s * xx, myy = 2 * p7[2 * i + 1] - s * yy, mzz = -mxx - myy,
                 mxy = 2 * p8[2 * i] - s * xy, mxz = 2 * p8[2 * i + 1] - s * xz, myz = 2 * p9[2 * i] - s * yz;
    double       lxx = p4[2 * i] - u * u, lyy = p4[2 * i + 1] - v * v, lzz = p5[2 * i] - w * w;
    const double lxy = p5[2 * i + 1] - u * v, lxz = p6[2 * i] - u * w, lyz = p6[2 * i + 1] - v * w;
    lxx -= (lxx + lyy + lzz) / 3; /* each in place, as it is done there */
    lyy -= (lxx + lyy + lzz) / 3;
    lzz -= (lxx + lyy + lzz) / 3;
    const double lm = lxx * mxx + lyy * myy + lzz * mzz + 2 * (lxy * mxy + lxz * mxz + lyz * myz);
    const double mm = mxx * mxx + myy * myy + mzz * mzz + 2 * (mxy * mxy + mxz * mxz + myz * myz);
    const double q  = mm > 0 ? lm / mm : 0;
    c[i]            = q > 0 && q <= limit ? q : 0;
  }
}

/* ---- the procedure ---- */

void fc_sgs_clipped_line(fc_sgs_clipped *s, int64_t i, const double *const u[3], const double *const g[9]) {
  const int64_t n = s->n[1] * s->n[2], m = s->m[1] * s->m[2];
  double       *x = s->work + 2 * fc_thread() * s->each, *y = x + s->each, *pair[PAIRS];

  for (int k = 0; k < PAIRS; k++) pair[k] = x + 2 * k * n;
  factors(n, u, g, s->width2[s->lo + i], pair);
  fc_sgs_filter_apply(s->filter[1], x, y);
  fc_sgs_filter_apply(s->filter[2], y, x);
  for (int k = 0; k < PAIRS; k++) memcpy(s->apart[k] + 2 * i * m, x + 2 * k * m, (size_t)(2 * m) * sizeof *x);
}

static fc_status turn(fc_sgs_clipped *s) {
  const int64_t run = 2 * s->m[2];

  if (s->turn) return fc_turn_there(s->turn, PAIRS, s->apart, s->whole);
  for (int k = 0; k < PAIRS; k++) FC_FOR_ROWS(j, s->rows, s->n[0] * run)
  for (int64_t i = 0; i < s->n[0]; i++)
    memcpy(s->whole[k] + (j * s->n[0] + i) * run, s->apart[k] + (i * s->rows + j) * run,
           (size_t)run * sizeof(double));
  return FC_OK;
}

static double mean(int64_t n, const double *x) {
  double sum = 0;

  for (int64_t i = 0; i < n; i++) sum += x[i];
  return sum / (double)n;
}

/* c of this rank's rows, averaged over the last axis, into its places of flat[0]; the others are zero.
   Filtering along the axis of the average would not change it. */
static void average_rows(fc_sgs_clipped *s) {
  const int64_t from = 2 * s->n[0] * s->m[2], padded = round_up(2 * s->m[0] * s->m[2]), wide = 2 * s->m[2];

  memset(s->flat[0], 0, (size_t)(2 * s->m[0] * s->m[1]) * sizeof(double));
  FC_FOR_TASKS(j, s->rows, s->rows * from * 200) {
    double *x = s->work + 2 * fc_thread() * s->each, *y = x + s->each;
    for (int k = 0; k < PAIRS; k++) {
      memcpy(x, s->whole[k] + j * from, (size_t)from * sizeof *x);
      fc_sgs_filter_apply(s->filter[0], x, y + k * padded);
    }
    for (int64_t i = 0; i < s->m[0]; i++) {
      double *pair[PAIRS];
      for (int k = 0; k < PAIRS; k++) pair[k] = y + k * padded + i * wide;
      ratio(s->m[2], pair, s->width2[i], s->limit, x);
      s->flat[0][2 * (i * s->m[1] + s->row + j)] = mean(s->m[2], x);
    }
  }
}

fc_status fc_sgs_clipped_rest(fc_sgs_clipped *s, double *c) {
  FC_ASSERT(fc_threads() <= s->threads, "more threads than when the model was made");
  FC_TRY(turn(s));
  average_rows(s);
  if (s->turn) FC_TRY(fc_comm_sum_double(NULL, s->flat[0], 2 * s->m[0] * s->m[1]));
  fc_sgs_filter_apply(s->c[0], s->flat[0], s->flat[1]);
  fc_sgs_filter_apply(s->c[1], s->flat[1], s->flat[0]);
  for (int64_t i = 0; i < s->m[0] * s->m[1]; i++) c[i] = s->flat[0][2 * i] * s->width2[i / s->m[1]];
  return FC_OK;
}

fc_status fc_sgs_clipped_find(fc_sgs_clipped *s, const double *const u[3], const double *const g[9],
                              double *c) {
  const int64_t n = s->n[1] * s->n[2];

  FC_FOR_TASKS(i, s->lines, s->lines * n * 200) {
    const double *ui[3], *gi[9];
    for (int k = 0; k < 3; k++) ui[k] = u[k] + i * n;
    for (int k = 0; k < 9; k++) gi[k] = g[k] + i * n;
    fc_sgs_clipped_line(s, i, ui, gi);
  }
  return fc_sgs_clipped_rest(s, c);
}
