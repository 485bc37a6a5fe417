/* solvers/sgs_box.c - the dynamic procedure of solvers/sgs_dynamic.h in a periodic box: planes are filtered
   where they are, which leaves a quarter of the points to be turned; then lines of the first axis are
   filtered and contracted. */
#include "core/parallel.h"
#include "solvers/fft2.h"
#include "solvers/sgs_dynamic.h"

#include <stdlib.h>
#include <string.h>

static int64_t round_up(int64_t n) { return fc_ceil_div(n, 8) * 8; }

static fc_status plan(fc_sgs_box *d, fc_sgs_filter_kind kind, const int64_t keep[3], bool measure) {
  const int64_t *n = d->n, *m = d->m;

  FC_TRY(fc_sgs_filter_create(kind, false, 1, n[0], keep[0], m[2], measure, &d->filter[0]));
  FC_TRY(fc_sgs_filter_create(kind, false, FC_SGS_PAIRS, n[1], keep[1], n[2], measure, &d->filter[1]));
  return fc_sgs_filter_create(kind, false, FC_SGS_PAIRS * m[1], n[2], keep[2], 1, measure, &d->filter[2]);
}

static fc_status share(fc_sgs_box *d) {
  int64_t lo, hi;

  fc_comm_block(NULL, d->n[0], &lo, &hi);
  d->lines = hi - lo;
  fc_comm_block(NULL, d->m[1], &lo, &hi);
  d->rows = hi - lo;
  return fc_turn_create(NULL, d->n[0], d->m[1], 2 * d->m[2], FC_SGS_PAIRS, &d->turn);
}

static fc_status allocate(fc_sgs_box *d) {
  const int64_t apart = round_up(2 * d->lines * d->m[1] * d->m[2]), line = round_up(2 * d->n[0] * d->m[2]);
  const int64_t whole = d->rows * line, wide = round_up(2 * FC_SGS_PAIRS * d->n[1] * d->n[2]);
  double       *p;

  d->each  = fc_max64(wide, FC_SGS_PAIRS * line);
  d->block = fc_fft2_alloc(FC_SGS_PAIRS * (apart + whole) + 2 * d->threads * d->each + 2 * d->rows + 8);
  FC_REQUIRE(d->block, FC_E_SYSTEM, "no memory for the dynamic model on %lld x %lld x %lld points",
             (long long)d->n[0], (long long)d->n[1], (long long)d->n[2]);
  p = d->block;
  for (int k = 0; k < FC_SGS_PAIRS; k++, p += apart + whole) {
    d->apart[k] = p;
    d->whole[k] = p + apart;
  }
  d->work = p;
  d->sums = p + 2 * d->threads * d->each;
  return FC_OK;
}

fc_status fc_sgs_box_create(bool shared, fc_sgs_filter_kind kind, const int64_t n[3], const int64_t keep[3],
                            bool measure, fc_sgs_box **out) {
  fc_sgs_box *d = calloc(1, sizeof *d);
  fc_status   s = FC_OK;

  *out = NULL;
  FC_REQUIRE(d, FC_E_SYSTEM, "no memory for the dynamic model");
  *d = (fc_sgs_box){.a = 4, .threads = fc_threads()};
  for (int k = 0; k < 3; k++) {
    d->n[k] = n[k];
    d->m[k] = fc_sgs_filter_points(kind, keep[k]);
  }
  d->lines = d->n[0];
  d->rows  = d->m[1];
  if (shared && fc_comm_size(NULL) > 1) s = share(d);
  if (s == FC_OK) s = plan(d, kind, keep, measure);
  if (s == FC_OK) s = allocate(d);
  if (s == FC_OK)
    *out = d;
  else
    fc_sgs_box_destroy(d);
  return s;
}

void fc_sgs_box_destroy(fc_sgs_box *d) {
  if (!d) return;
  for (int k = 0; k < 3; k++) fc_sgs_filter_destroy(d->filter[k]);
  fc_turn_destroy(d->turn);
  free(d->block);
  free(d);
}

static void filter_planes(fc_sgs_box *d, const double *const u[3], const double *const g[9]) {
  const int64_t n = d->n[1] * d->n[2], half = 2 * d->m[1] * d->m[2];

  FC_FOR_TASKS(i, d->lines, d->lines * n * 200) {
    double       *x = d->work + 2 * fc_thread() * d->each, *y = x + d->each, *pair[FC_SGS_PAIRS];
    const double *ui[3], *gi[9];
    for (int k = 0; k < 3; k++) ui[k] = u[k] + i * n;
    for (int k = 0; k < 9; k++) gi[k] = g[k] + i * n;
    for (int k = 0; k < FC_SGS_PAIRS; k++) pair[k] = x + 2 * k * n;
    fc_sgs_factors(n, ui, gi, pair, y); /* |S| is not wanted here */
    fc_sgs_filter_apply(d->filter[1], x, y);
    fc_sgs_filter_apply(d->filter[2], y, x);
    for (int k = 0; k < FC_SGS_PAIRS; k++)
      memcpy(d->apart[k] + i * half, x + k * half, (size_t)half * sizeof *x);
  }
}

/* L:M and M:M of each row, and their sums over this rank's rows in order */
static void contract_rows(fc_sgs_box *d, double sum[2]) {
  const int64_t line = 2 * d->n[0] * d->m[2], padded = round_up(line), points = d->m[0] * d->m[2];

  FC_FOR_TASKS(j, d->rows, d->rows * line * 100) {
    double *x = d->work + 2 * fc_thread() * d->each, *y = x + d->each, *pair[FC_SGS_PAIRS];
    for (int k = 0; k < FC_SGS_PAIRS; k++) {
      pair[k] = y + k * padded;
      memcpy(x, d->whole[k] + j * line, (size_t)line * sizeof *x);
      fc_sgs_filter_apply(d->filter[0], x, pair[k]);
    }
    fc_sgs_contract(points, pair, d->a, &d->sums[2 * j], &d->sums[2 * j + 1]);
  }
  sum[0] = sum[1] = 0;
  for (int64_t j = 0; j < d->rows; j++) {
    sum[0] += d->sums[2 * j];
    sum[1] += d->sums[2 * j + 1];
  }
}

static fc_status turn(fc_sgs_box *d) {
  const int64_t run = 2 * d->m[2];

  if (d->turn) return fc_turn_there(d->turn, FC_SGS_PAIRS, d->apart, d->whole);
  for (int k = 0; k < FC_SGS_PAIRS; k++) FC_FOR_ROWS(j, d->rows, d->n[0] * run)
  for (int64_t i = 0; i < d->n[0]; i++)
    memcpy(d->whole[k] + (j * d->n[0] + i) * run, d->apart[k] + (i * d->rows + j) * run,
           (size_t)run * sizeof(double));
  return FC_OK;
}

fc_status fc_sgs_box_find(fc_sgs_box *d, const double *const u[3], const double *const g[9], double *c) {
  double sum[2];

  FC_ASSERT(fc_threads() <= d->threads, "more threads than when the model was made");
  filter_planes(d, u, g);
  FC_TRY(turn(d));
  contract_rows(d, sum);
  if (d->turn) FC_TRY(fc_comm_sum_double(NULL, sum, 2));
  *c = sum[1] > 0 ? sum[0] / sum[1] : 0;
  return FC_OK;
}
