/* solvers/slab3_run.c - the three transforms of a pass. All of a row ky is done while it is in the cache, and
   so is all of a pair of planes; in between, numbers travel in runs of mz. Along z two planes are one complex
   field, x + 1 in the imaginary part: FFTW has vector code for complex transforms only, and products of real
   numbers do not care. */
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

/* ---- messages ----
   To each rank r, one after the other, and of each of k fields: [ky of one side, x of the other, mz] complex.
 */

static int64_t first_of(int64_t n, int rank, int ranks) { return n * rank / ranks; }

/* planes of rank r in row j of field f: they follow each other */
static double *in_row(const fc_slab3 *t, double *message, int k, int r, int f, int64_t j) {
  const int64_t x = first_of(t->m, r, t->ranks), n = first_of(t->m, r + 1, t->ranks) - x;

  return message + 2 * t->mz * (k * t->ny * x + (f * t->ny + j) * n);
}

/* rows of rank r in plane x of field f: nx runs of mz apart */
static double *in_plane(const fc_slab3 *t, double *message, int k, int r, int f, int64_t x) {
  const int64_t j = first_of(t->my, r, t->ranks), n = first_of(t->my, r + 1, t->ranks) - j;

  return message + 2 * t->mz * (k * t->nx * j + f * n * t->nx + x);
}

static fc_status exchange(fc_slab3 *t, int k, bool to_points) {
  if (t->ranks == 1) return FC_OK;
  for (int r = 0; r < t->ranks; r++) {
    t->mode_count[r] =
        2 * t->mz * k * t->ny * (first_of(t->m, r + 1, t->ranks) - first_of(t->m, r, t->ranks));
    t->point_count[r] =
        2 * t->mz * k * t->nx * (first_of(t->my, r + 1, t->ranks) - first_of(t->my, r, t->ranks));
  }
  return fc_comm_exchange_double(NULL, t->sent, to_points ? t->mode_count : t->point_count, t->got,
                                 to_points ? t->point_count : t->mode_count);
}

/* ---- modes: x ---- */

/* a row ky of field f on all m points or modes along x */
static double *column(const fc_slab3 *t, int f) { return t->lane[fc_thread()] + f * whole(2 * t->m * t->mz); }

/* row j of field f, from or to the messages */
static void copy_row(const fc_slab3 *t, int k, int f, int64_t j, double *c, bool in) {
  for (int r = 0; r < t->ranks; r++) {
    const int64_t x = first_of(t->m, r, t->ranks), n = first_of(t->m, r + 1, t->ranks) - x;
    double       *at = in_row(t, in ? t->got : t->sent, k, r, f, j), *to = c + 2 * t->mz * x;
    memcpy(in ? to : at, in ? at : to, (size_t)(2 * t->mz * n) * sizeof *c);
  }
}

static void give_row(const fc_slab3 *t, const fc_slab3_pass *p, void *self, int64_t j) {
  const int64_t len = 2 * t->mz;
  double       *c[FC_SLAB3_FIELDS], *row[FC_SLAB3_FIELDS];

  for (int f = 0; f < p->in; f++) {
    c[f] = column(t, f);
    memset(c[f] + t->mz * len, 0, (size_t)((t->m - t->my) * len) * sizeof **c);
  }
  for (int64_t i = 0; i < t->my; i++) {
    for (int f = 0; f < p->in; f++) row[f] = c[f] + row_of(t, i) * len;
    p->give(self, j, i, row);
  }
  for (int f = 0; f < p->in; f++) {
    transform(t->across[0], c[f], c[f]);
    copy_row(t, p->in, f, j, c[f], false);
  }
}

static void take_row(const fc_slab3 *t, const fc_slab3_pass *p, void *self, int64_t j) {
  const int64_t len = 2 * t->mz;
  double       *c[FC_SLAB3_FIELDS], *row[FC_SLAB3_FIELDS];

  for (int f = 0; f < p->out; f++) {
    c[f] = column(t, f);
    copy_row(t, p->out, f, j, c[f], true);
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

/* rows ky of plane x of field f, from or to the messages */
static void copy_plane(const fc_slab3 *t, int k, int f, int64_t x, double *plane, bool in) {
  const int64_t len = 2 * t->mz, stride = t->nx * len;
  int64_t       i = 0;

  for (int r = 0; r < t->ranks; r++) {
    double *at = in_plane(t, in ? t->got : t->sent, k, r, f, x);
    for (; i < first_of(t->my, r + 1, t->ranks); i++, at += stride) {
      double *row = plane + row_of(t, i) * len;
      memcpy(in ? row : at, in ? at : row, (size_t)len * sizeof *row);
    }
  }
}

static void planes_in(const fc_slab3 *t, int k, int f, int64_t x, double *const *plane) {
  const int64_t len = 2 * t->mz;

  for (int b = 0; b < 2; b++) {
    if (x + b >= t->nx) {
      memset(plane[b], 0, (size_t)(t->m * len) * sizeof(double));
      continue;
    }
    copy_plane(t, k, f, x + b, plane[b], true);
    memset(plane[b] + t->mz * len, 0, (size_t)((t->m - t->my) * len) * sizeof(double));
    transform(t->across[0], plane[b], plane[b]);
  }
}

static void planes_out(const fc_slab3 *t, int k, int f, int64_t x, double *const *plane) {
  for (int b = 0; b < 2 && x + b < t->nx; b++) {
    transform(t->across[1], plane[b], plane[b]);
    copy_plane(t, k, f, x + b, plane[b], false);
  }
}

static void pair_of_planes(const fc_slab3 *t, const fc_slab3_pass *p, void *self, int64_t x) {
  const desk d = desk_of(t);

  for (int f = 0; f < p->in; f++) planes_in(t, p->in, f, x, d.plane[f]);
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
  for (int f = 0; f < p->out; f++) planes_out(t, p->out, f, x, d.plane[f]);
}

/* ---- the journey ---- */

fc_status fc_slab3_run(fc_slab3 *t, const fc_slab3_pass *p, void *self) {
  const int64_t rows = t->my * 2 * t->mz, pairs = fc_ceil_div(t->nx, 2);

  FC_ASSERT(p->in <= t->most && p->out <= t->most && fc_threads() <= t->lanes, "%d and %d fields, %d threads",
            p->in, p->out, fc_threads());
  if (p->in) {
    FC_FOR_TASKS(j, t->ny, t->ny * rows) give_row(t, p, self, j);
    FC_TRY(exchange(t, p->in, true));
  }
  FC_FOR_TASKS(i, pairs, pairs * rows) pair_of_planes(t, p, self, 2 * i);
  if (p->out) {
    FC_TRY(exchange(t, p->out, false));
    FC_FOR_TASKS(j, t->ny, t->ny * rows) take_row(t, p, self, j);
  }
  return FC_OK;
}
