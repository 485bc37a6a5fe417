/* solvers/slab3_run.c - the three transforms of a pass. All of a row ky is done while it is in the cache, and
   so is all of a pair of planes. Along z two planes are one complex field, x + 1 in the imaginary part: FFTW
   has vector code for complex transforms only, and products of real numbers do not care. */
#include "core/parallel.h"
#include "solvers/slab3.h"

#include <fftw3.h>
#include <string.h>

static void transform(const struct fftw_plan_s *plan, double *x, double *y) {
  fftw_execute_dft((fftw_plan)plan, (fftw_complex *)x, (fftw_complex *)y);
}

static int64_t whole(int64_t n) { return (n + 7) / 8 * 8; }

/* row of mode number i among m */
static int64_t row_of(const fc_slab3 *t, int64_t i) { return i <= t->top ? i : i - t->my + t->m; }

/* ---- modes: x ---- */

/* row j of ky of field f on all m points or modes along x */
static double *column(const fc_slab3 *t, int f, int64_t j) {
  const int64_t size = 2 * t->m * t->mz;

  return t->turn ? t->column[f] + j * size : t->lane[fc_thread()] + f * whole(size);
}

static void give_row(const fc_slab3 *t, const fc_slab3_pass *p, void *self, int64_t j) {
  const int64_t len = 2 * t->mz;
  double       *c[FC_SLAB3_FIELDS], *row[FC_SLAB3_FIELDS];

  for (int f = 0; f < p->in; f++) {
    c[f] = column(t, f, j);
    memset(c[f] + t->mz * len, 0, (size_t)((t->m - t->my) * len) * sizeof **c);
  }
  for (int64_t i = 0; i < t->my; i++) {
    for (int f = 0; f < p->in; f++) row[f] = c[f] + row_of(t, i) * len;
    p->give(self, j, i, row);
  }
  for (int f = 0; f < p->in; f++) transform(t->across[0], c[f], c[f]);
  for (int f = 0; !t->turn && f < p->in; f++)
    for (int64_t x = 0; x < t->m; x++)
      memcpy(t->plane[f] + (x * t->my + j) * len, c[f] + x * len, (size_t)len * sizeof **c);
}

static void take_row(const fc_slab3 *t, const fc_slab3_pass *p, void *self, int64_t j) {
  const int64_t len = 2 * t->mz;
  double       *c[FC_SLAB3_FIELDS], *row[FC_SLAB3_FIELDS];

  for (int f = 0; f < p->out; f++) {
    c[f] = column(t, f, j);
    for (int64_t x = 0; !t->turn && x < t->m; x++)
      memcpy(c[f] + x * len, t->plane[f] + (x * t->my + j) * len, (size_t)len * sizeof **c);
    transform(t->across[1], c[f], c[f]);
  }
  for (int64_t i = 0; i < t->my; i++) {
    for (int f = 0; f < p->out; f++) row[f] = c[f] + row_of(t, i) * len;
    p->take(self, j, i, row);
  }
}

/* ---- points: y and z ---- */

/* lines z[lines, m] of a + i b from half spectra a, b[lines, mz] of real lines; modes above top stay zero */
FC_SIMD static void join(double *restrict z, const double *restrict a, const double *restrict b, int64_t m,
                         int64_t mz, int64_t lines) {
  for (int64_t l = 0; l < lines; l++, z += 2 * m, a += 2 * mz, b += 2 * mz) {
    z[0] = a[0];
    z[1] = b[0];
    for (int64_t k = 1; k < mz; k++) {
      const double ar = a[2 * k], ai = a[2 * k + 1], br = b[2 * k], bi = b[2 * k + 1];
      z[2 * k]           = ar - bi;
      z[2 * k + 1]       = ai + br;
      z[2 * (m - k)]     = ar + bi;
      z[2 * (m - k) + 1] = br - ai;
    }
  }
}

/* the way back */
FC_SIMD static void part(double *restrict a, double *restrict b, const double *restrict z, int64_t m,
                         int64_t mz, int64_t lines) {
  for (int64_t l = 0; l < lines; l++, z += 2 * m, a += 2 * mz, b += 2 * mz) {
    a[0] = z[0];
    b[0] = z[1];
    a[1] = b[1] = 0;
    for (int64_t k = 1; k < mz; k++) {
      const double zr = z[2 * k], zi = z[2 * k + 1], yr = z[2 * (m - k)], yi = z[2 * (m - k) + 1];
      a[2 * k]     = 0.5 * (zr + yr);
      a[2 * k + 1] = 0.5 * (zi - yi);
      b[2 * k]     = 0.5 * (zi + yi);
      b[2 * k + 1] = 0.5 * (yr - zr);
    }
  }
}

typedef struct {                                /* of a thread */
  double *plane[FC_SLAB3_FIELDS][2];            /* [m, mz] complex */
  double *line, *back, *point[FC_SLAB3_FIELDS]; /* blocks [lines, m] complex; line is zero above top */
} desk;

static desk desk_of(const fc_slab3 *t) {
  const int64_t plane = whole(2 * t->m * t->mz), block = whole(2 * t->m * t->lines);
  double       *at = t->lane[fc_thread()];
  desk          d  = {0};

  for (int f = 0; f < t->most; f++)
    for (int b = 0; b < 2; b++, at += plane) d.plane[f][b] = at;
  d.line = at, at += block;
  d.back = at, at += block;
  for (int f = 0; f < t->most; f++, at += block) d.point[f] = at;
  return d;
}

static void planes_in(const fc_slab3 *t, int f, int64_t x, double *const *plane) {
  const int64_t len = 2 * t->mz, top = t->mz * len;

  for (int b = 0; b < 2; b++) {
    if (x + b >= t->nx) {
      memset(plane[b], 0, (size_t)(t->m * len) * sizeof(double));
      continue;
    }
    const double *from = t->plane[f] + (x + b) * t->my * len;
    memcpy(plane[b], from, (size_t)top * sizeof(double));
    memset(plane[b] + top, 0, (size_t)((t->m - t->my) * len) * sizeof(double));
    memcpy(plane[b] + (t->m - t->top) * len, from + top, (size_t)(t->top * len) * sizeof(double));
    transform(t->across[0], plane[b], plane[b]);
  }
}

static void planes_out(const fc_slab3 *t, int f, int64_t x, double *const *plane) {
  const int64_t len = 2 * t->mz, top = t->mz * len;

  for (int b = 0; b < 2 && x + b < t->nx; b++) {
    double *to = t->plane[f] + (x + b) * t->my * len;
    transform(t->across[1], plane[b], plane[b]);
    memcpy(to, plane[b], (size_t)top * sizeof(double));
    memcpy(to + top, plane[b] + (t->m - t->top) * len, (size_t)(t->top * len) * sizeof(double));
  }
}

static void pair_of_planes(const fc_slab3 *t, const fc_slab3_pass *p, void *self, int64_t x) {
  const desk d = desk_of(t);

  for (int f = 0; f < p->in; f++) planes_in(t, f, x, d.plane[f]);
  for (int64_t y = 0; y < t->m; y += t->lines) {
    const int64_t at = 2 * y * t->mz;
    for (int f = 0; f < p->in; f++) {
      join(d.line, d.plane[f][0] + at, d.plane[f][1] + at, t->m, t->mz, t->lines);
      transform(t->along[0], d.line, d.point[f]);
    }
    p->point(self, x, y, d.point);
    for (int f = 0; f < p->out; f++) {
      transform(t->along[1], d.point[f], d.back);
      part(d.plane[f][0] + at, d.plane[f][1] + at, d.back, t->m, t->mz, t->lines);
    }
  }
  for (int f = 0; f < p->out; f++) planes_out(t, f, x, d.plane[f]);
}

/* ---- the journey ---- */

fc_status fc_slab3_run(fc_slab3 *t, const fc_slab3_pass *p, void *self) {
  const int64_t rows = t->my * 2 * t->mz, pairs = fc_ceil_div(t->nx, 2);

  FC_ASSERT(p->in <= t->most && p->out <= t->most && fc_threads() <= t->lanes, "%d and %d fields, %d threads",
            p->in, p->out, fc_threads());
  if (p->in) {
    FC_FOR_TASKS(j, t->ny, t->ny * rows) give_row(t, p, self, j);
    if (t->turn) FC_TRY(fc_turn_back(t->turn, p->in, t->column, t->plane));
  }
  FC_FOR_TASKS(i, pairs, pairs * rows) pair_of_planes(t, p, self, 2 * i);
  if (p->out) {
    if (t->turn) FC_TRY(fc_turn_there(t->turn, p->out, t->plane, t->column));
    FC_FOR_TASKS(j, t->ny, t->ny * rows) take_row(t, p, self, j);
  }
  return FC_OK;
}
