/* solvers/slab3.c - plans and memory. */
#include "solvers/slab3.h"

#include "core/parallel.h"
#include "solvers/fft2.h"

#include <fftw3.h>
#include <stdlib.h>

enum { LINES = 16 }; /* a block of points: a few lines of all fields stay in the first or second cache */

static int64_t lines_of(int64_t m) {
  int64_t n = fc_min64(m, LINES);

  while (m % n) n--;
  return n;
}

/* doubles of a thread: two planes of each field, and blocks of lines before and behind the last transform */
static int64_t lane_size(int64_t m, int64_t top, int most) {
  return 2 * most * (2 * m * (top + 1)) + (2 + most) * (2 * m * lines_of(m)) + 8 * (3 * most + 2);
}

int64_t fc_slab3_bytes(int64_t m, int64_t top, int most, int ranks, int lanes) {
  const int64_t my = 2 * top + 1, mz = top + 1, nx = fc_ceil_div(m, ranks), ny = fc_ceil_div(my, ranks);
  const int64_t message = 2 * most * mz * fc_max64(nx * my, ny * m);

  return ((ranks > 1 ? 2 : 1) * message + lanes * lane_size(m, top, most)) * (int64_t)sizeof(double);
}

/* numbers along the first axis of [m, mz], in place; lines of m one after the other */
static fftw_plan across(const fc_slab3 *t, int sign, unsigned how) {
  const int     n[1] = {(int)t->m}, width = (int)t->mz;
  fftw_complex *x = (fftw_complex *)t->lane[0];

  return fftw_plan_many_dft(1, n, width, x, NULL, width, 1, x, NULL, width, 1, sign, how);
}

static fftw_plan along(const fc_slab3 *t, int sign, unsigned how) {
  const int     n[1] = {(int)t->m}, width = (int)t->m;
  fftw_complex *x = (fftw_complex *)t->lane[0], *y = x + t->m * t->lines;

  return fftw_plan_many_dft(1, n, (int)t->lines, x, NULL, 1, width, y, NULL, 1, width, sign, how);
}

static bool plans(fc_slab3 *t, bool measure) {
  const unsigned how = measure ? FFTW_MEASURE : FFTW_ESTIMATE;

  for (int i = 0; i < 2; i++) {
    t->across[i] = across(t, i ? FFTW_FORWARD : FFTW_BACKWARD, how);
    t->along[i]  = along(t, i ? FFTW_FORWARD : FFTW_BACKWARD, how | FFTW_PRESERVE_INPUT);
  }
  for (int64_t i = 0; i < lane_size(t->m, t->top, t->most); i++) t->lane[0][i] = 0; /* measuring wrote here */
  return t->across[0] && t->across[1] && t->along[0] && t->along[1];
}

static bool memory(fc_slab3 *t) {
  const int64_t message = 2 * t->most * t->mz * fc_max64(t->nx * t->my, t->ny * t->m);
  bool          ok      = true;

  t->lane        = calloc((size_t)t->lanes, sizeof *t->lane);
  t->mode_count  = calloc((size_t)t->ranks, sizeof *t->mode_count);
  t->point_count = calloc((size_t)t->ranks, sizeof *t->point_count);
  t->sent        = fc_fft2_alloc(fc_max64(1, message));
  t->got         = t->ranks > 1 ? fc_fft2_alloc(fc_max64(1, message)) : t->sent;
  if (!t->lane || !t->mode_count || !t->point_count || !t->sent || !t->got) return false;
  for (int i = 0; i < t->lanes; i++)
    ok &= (t->lane[i] = fc_fft2_alloc(lane_size(t->m, t->top, t->most))) != NULL;
  return ok;
}

static void cut(int64_t all, int64_t *lo, int64_t *n) {
  fc_comm_block(NULL, all, lo, n);
  *n -= *lo;
}

fc_status fc_slab3_create(bool shared, int64_t m, int64_t top, int most, bool measure, fc_slab3 **out) {
  const int ranks = shared ? fc_comm_size(NULL) : 1;
  fc_slab3 *t     = calloc(1, sizeof *t);

  *out = NULL;
  FC_ASSERT(most <= FC_SLAB3_FIELDS && 2 * top < m, "%d fields, modes up to %lld of %lld points", most,
            (long long)top, (long long)m);
  FC_REQUIRE(t, FC_E_SYSTEM, "no memory for the solver");
  *t = (fc_slab3){.m = m, .top = top, .my = 2 * top + 1, .mz = top + 1, .most = most, .lanes = fc_threads()};
  t->lines = lines_of(m);
  t->nx    = m;
  t->ny    = t->my;
  t->ranks = ranks;
  if (ranks > 1) {
    cut(m, &t->x0, &t->nx);
    cut(t->my, &t->k0, &t->ny);
  }
  if (!memory(t) || !plans(t, measure)) {
    fc_slab3_destroy(t);
    return fc_fail(FC_E_SYSTEM,
                   "no memory for a grid of %lld^3 points: %.0f MB; use a smaller grid or more ranks",
                   (long long)m, (double)fc_slab3_bytes(m, top, most, ranks, fc_threads()) * 1e-6);
  }
  *out = t;
  return FC_OK;
}

void fc_slab3_destroy(fc_slab3 *t) {
  if (!t) return;
  for (int i = 0; i < 2; i++) {
    if (t->across[i]) fftw_destroy_plan(t->across[i]);
    if (t->along[i]) fftw_destroy_plan(t->along[i]);
  }
  if (t->got != t->sent) free(t->got);
  free(t->sent);
  free(t->mode_count);
  free(t->point_count);
  for (int i = 0; t->lane && i < t->lanes; i++) free(t->lane[i]);
  free(t->lane);
  free(t);
}
