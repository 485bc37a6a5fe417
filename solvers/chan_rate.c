/* solvers/chan_rate.c - products of velocities on planes (solvers/chan.h). Planes are taken in pairs j, j +
   1, as the faces are in one complex field; a window of planes moves up, so each is transformed once. What a
   pair gives does not depend on where a thread or a rank begins. */
#include "core/parallel.h"
#include "solvers/chan_sgs.h"

#include <math.h>
#include <string.h>

typedef struct { /* of one task, while it goes through its pairs */
  fc_chan *s;
  double  *scratch;
  double  *uw[3]; /* planes j - 1, j, j + 1 */
  double  *v[3];  /* faces (j - 2, j - 1), (j, j + 1), (j + 2, j + 3) */
  double  *line, *zero, *spare;
  double **out[2]; /* rows that products go to */
  /* with a model: slopes of u, w, v; normal stresses of cells j - 1, j, j + 1 */
  double *slope[3], *normal[3], *rows;
} window;

/* ---- products along a line of n points ---- */

FC_SIMD static void cell_line(double *restrict out, const double *restrict uw, int64_t n) {
  FC_VECTOR for (int64_t i = 0; i < n; i++) {
    const double u = uw[2 * i], w = uw[2 * i + 1];
    out[2 * i]     = u * u - w * w;
    out[2 * i + 1] = u * w;
  }
}

/* v of a face is every second number of its pair */
FC_SIMD static void face_line(double *restrict out, const double *restrict below,
                              const double *restrict above, const double *restrict v, int64_t n) {
  FC_VECTOR for (int64_t i = 0; i < n; i++) {
    const double half = 0.5 * v[2 * i];
    out[2 * i]        = half * (below[2 * i] + above[2 * i]);
    out[2 * i + 1]    = half * (below[2 * i + 1] + above[2 * i + 1]);
  }
}

/* The rest of N_v at face f, from v at f - 1, f, f + 1 and w in the cells at both sides: v (u^_x + w^_z) -
   d(s - q)/df, in the order v^2, v v+, v v-, v+^2, v-^2, w+^2 - w-^2. Zero at walls and past the last face.
 */
static void face_weights(const fc_chan *s, int64_t f, double c[6]) {
  const double *dc = s->grid->dc, *df = s->grid->df;

  memset(c, 0, 6 * sizeof *c);
  if (f <= 0 || f >= s->y_lo + s->y_n) return;
  c[0] = -0.25 * (1 / dc[f - 1] - 1 / dc[f]);
  c[1] = -0.5 / dc[f];
  c[2] = 0.5 / dc[f - 1];
  c[3] = f + 1 < s->grid->n ? -0.25 * df[f + 1] / (df[f] * dc[f]) : 0;
  c[4] = f > 1 ? 0.25 * df[f - 1] / (df[f] * dc[f - 1]) : 0;
  c[5] = 1 / df[f];
}

FC_SIMD static void rest_line(double *restrict out, double *const v[3], double *const uw[3], int64_t at,
                              const double a[6], const double b[6], int64_t n) {
  const double *p = v[0] + at, *q = v[1] + at, *r = v[2] + at;
  const double *x = uw[0] + at, *y = uw[1] + at, *z = uw[2] + at;

  FC_VECTOR for (int64_t i = 0; i < n; i++) {
    const double v0 = p[2 * i + 1], v1 = q[2 * i], v2 = q[2 * i + 1], v3 = r[2 * i];
    const double w0 = x[2 * i + 1], w1 = y[2 * i + 1], w2 = z[2 * i + 1];
    out[2 * i] = v1 * (a[0] * v1 + a[1] * v2 + a[2] * v0) + a[3] * v2 * v2 + a[4] * v0 * v0 +
                 a[5] * (w1 * w1 - w0 * w0);
    out[2 * i + 1] = v2 * (b[0] * v2 + b[1] * v3 + b[2] * v1) + b[3] * v3 * v3 + b[4] * v1 * v1 +
                     b[5] * (w2 * w2 - w1 * w1);
  }
}

/* the largest of |u|/dx + |v|/dy + |w|/dz, and their sum, which any NaN or infinity spoils */
FC_SIMD static void speed_line(const double *uw, const double *below, const double *above,
                               const double rate[3], int64_t n, double *top, double *sum) {
  double t = 0, all = 0;

  FC_REDUCE(max, t) for (int64_t i = 0; i < n; i++) {
    const double speed = rate[0] * fabs(uw[2 * i]) + rate[1] * fabs(below[2 * i] + above[2 * i]) +
                         rate[2] * fabs(uw[2 * i + 1]);
    t = speed > t ? speed : t;
  }
  FC_REDUCE(+, all)
  for (int64_t i = 0; i < n; i++) all += fabs(uw[2 * i]) + fabs(uw[2 * i + 1]) + fabs(below[2 * i]);
  *top = fmax(*top, t);
  *sum += all;
}

/* ---- planes ---- */

static void load_cells(window *k, int64_t j, double *plane) {
  const fc_chan_fft *f = k->s->fft;

  if (j < 0 || j >= k->s->grid->n) {
    memset(plane, 0, (size_t)(2 * f->mx * f->mz) * sizeof *plane);
    return;
  }
  const fc_chan_rows u = fc_chan_velocity(k->s, FC_CHAN_U, j), w = fc_chan_velocity(k->s, FC_CHAN_W, j);
  fc_chan_fft_inverse(f, k->scratch, &u, &w, plane);
}

static bool has_face(const fc_chan *s, int64_t f) {
  return f > 0 && f < s->grid->n && f >= s->y_lo - FC_CHAN_HALO && f < s->y_lo + s->y_n + FC_CHAN_HALO;
}

static fc_chan_rows face_rows(const window *k, int64_t f) {
  return has_face(k->s, f) ? fc_chan_velocity(k->s, FC_CHAN_V, f) : (fc_chan_rows){.base = k->zero};
}

static void load_faces(window *k, int64_t f, double *plane) {
  const fc_chan_rows a = face_rows(k, f), b = face_rows(k, f + 1);

  if (!a.at && !b.at)
    memset(plane, 0, (size_t)(2 * k->s->fft->mx * k->s->fft->mz) * sizeof *plane);
  else
    fc_chan_fft_inverse(k->s->fft, k->scratch, &a, &b, plane);
}

/* what was taken, to products a and b of planes y and z; z past the last plane of the rank: not wanted */
static void give(const window *k, int a, int64_t y, int b, int64_t z) {
  const fc_chan *s = k->s;

  fc_chan_product_rows(s, a, y, k->out[0]);
  if (z < s->y_lo + s->y_n)
    fc_chan_product_rows(s, b, z, k->out[1]);
  else
    for (int64_t i = 0; i < s->nkx; i++) k->out[1][i] = k->spare;
  fc_chan_fft_forward(s->fft, k->scratch, k->out[0], k->out[1]);
}

static const double *eddies_of(const fc_chan *s, int64_t j) {
  return s->nu_t + (j - s->y_lo + 1) * s->fft->mx * s->fft->mz;
}

/* below, above: v at the faces of the cell, every second number */
static void cell_products(window *k, int64_t j, const double *uw, const double *below, const double *above,
                          double *normal) {
  const fc_chan     *s     = k->s;
  const fc_chan_fft *f     = s->fft;
  const int64_t      mz    = f->mz;
  double             drain = 0;

  if (s->nu_t) {
    fc_chan_slopes(s, k->scratch, FC_CHAN_U, j, k->rows, k->slope[0]);
    fc_chan_slopes(s, k->scratch, FC_CHAN_W, j, k->rows, k->slope[1]);
  }
  for (int64_t i = 0; i < f->mx; i++) {
    const int64_t at = 2 * i * mz;
    cell_line(k->line, uw + at, mz);
    if (s->nu_t) {
      const double *nu = eddies_of(s, j) + i * mz;
      drain += fc_chan_cell_stress(k->line, k->slope[0] + at, k->slope[1] + at, nu, mz);
      drain += fc_chan_normal_stress(normal + i * mz, below + at, above + at, k->slope[1] + at, nu,
                                     1 / s->grid->dc[j], mz);
    }
    fc_chan_fft_take(f, k->scratch, i, k->line);
  }
  s->drains[j - s->y_lo] = s->grid->dc[j] * drain;
  give(k, 0, j, 1, j);
}

/* of the real parts of a line */
FC_SIMD static double sum_line(const double *line, int64_t n) {
  double sum = 0;

  FC_REDUCE(+, sum) for (int64_t i = 0; i < n; i++) sum += line[2 * i];
  return sum;
}

/* u^v before the stress is taken off, less u^v after it: T_xy */
static void face_products(window *k, int64_t y, const double *below, const double *above, const double *v) {
  const fc_chan     *s     = k->s;
  const fc_chan_fft *f     = s->fft;
  const bool         eddy  = s->nu_t && y > 0; /* none at the wall */
  double             drain = 0, shear = 0;

  if (eddy) fc_chan_slopes(s, k->scratch, FC_CHAN_V, y, k->rows, k->slope[2]);
  for (int64_t i = 0; i < f->mx; i++) {
    const int64_t at = 2 * i * f->mz;
    face_line(k->line, below + at, above + at, v + at, f->mz);
    if (eddy) {
      shear += sum_line(k->line, f->mz);
      drain +=
          fc_chan_face_stress(k->line, below + at, above + at, k->slope[2] + at, eddies_of(s, y - 1) + at / 2,
                              eddies_of(s, y) + at / 2, 1 / s->grid->df[y], f->mz);
      shear -= sum_line(k->line, f->mz);
    }
    fc_chan_fft_take(f, k->scratch, i, k->line);
  }
  s->drains[y - s->y_lo] += s->grid->df[y] * drain;
  s->shear[y - s->y_lo] = shear / (double)(f->mx * f->mz);
  give(k, 2, y, 3, y);
}

/* differences of the normal stresses of cells at both sides of the two faces */
static void normal_line(double *restrict out, double *const normal[3], int64_t at, double a, double b,
                        int64_t n) {
  const double *x = normal[0] + at, *y = normal[1] + at, *z = normal[2] + at;

  FC_VECTOR for (int64_t i = 0; i < n; i++) {
    out[2 * i] += a * (y[i] - x[i]);
    out[2 * i + 1] += b * (z[i] - y[i]);
  }
}

static void rest_products(window *k, int64_t j) {
  const fc_chan     *s = k->s;
  const fc_chan_fft *f = s->fft;
  double             a[6], b[6];

  face_weights(s, j, a);
  face_weights(s, j + 1, b);
  for (int64_t i = 0; i < f->mx; i++) {
    rest_line(k->line, k->v, k->uw, 2 * i * f->mz, a, b, f->mz);
    if (s->nu_t) normal_line(k->line, k->normal, i * f->mz, a[5], b[5], f->mz);
    fc_chan_fft_take(f, k->scratch, i, k->line);
  }
  give(k, 4, j, 4, j + 1);
}

static void plane_speed(window *k, int64_t j, const double *uw, const double *below, const double *above) {
  const fc_chan *s       = k->s;
  const int64_t  mz      = s->fft->mz;
  const double   rate[3] = {(double)s->c.nx / s->c.length_x, 0.5 / s->grid->dc[j],
                            (double)s->c.nz / s->c.length_z};
  double        *top     = s->top + 2 * (j - s->y_lo);

  top[0] = top[1] = 0;
  for (int64_t i = 0; i < s->fft->mx; i++) {
    const int64_t at = 2 * i * mz;
    speed_line(uw + at, below + at, above + at, rate, mz, &top[0], &top[1]);
  }
}

/* ---- all planes of a rank ---- */

static void shift(double *p[3]) {
  double *first = p[0];

  p[0] = p[1], p[1] = p[2], p[2] = first;
}

static void pair(window *k, int64_t j, int64_t hi) {
  const bool both = j + 1 < hi;

  load_faces(k, j + 2, k->v[2]);
  plane_speed(k, j, k->uw[1], k->v[1], k->v[1] + 1);
  if (both) plane_speed(k, j + 1, k->uw[2], k->v[1] + 1, k->v[2]);
  cell_products(k, j, k->uw[1], k->v[1], k->v[1] + 1, k->normal[1]);
  face_products(k, j, k->uw[0], k->uw[1], k->v[1]);
  if (both) {
    cell_products(k, j + 1, k->uw[2], k->v[1] + 1, k->v[2], k->normal[2]);
    face_products(k, j + 1, k->uw[1], k->uw[2], k->v[1] + 1);
  }
  rest_products(k, j);
}

static window window_of(fc_chan *s, double *at) {
  const int64_t plane = 2 * s->fft->mx * s->fft->mz;
  window        k     = {.s = s, .scratch = at};

  at += fc_chan_fft_scratch(s->fft);
  for (int i = 0; i < 3; i++) k.uw[i] = at + 2 * i * plane, k.v[i] = at + (2 * i + 1) * plane;
  k.zero  = at + 6 * plane;
  k.spare = k.zero + s->row;
  for (int i = 0; i < 2; i++) k.out[i] = (double **)(k.spare + s->row) + i * s->nkx;
  k.line = at + 6 * plane + (2 * s->row + 2 * s->nkx + 7) / 8 * 8;
  return k;
}

/* the scratch of the view of chan_eddy.c, which is not needed meanwhile */
static void add_stresses(window *k, int64_t task) {
  const int64_t points = k->s->fft->mx * k->s->fft->mz;
  double       *at     = k->s->views + task * k->s->view_size + fc_chan_fft_scratch(k->s->fft);

  for (int a = 0; a < 3; a++) k->slope[a] = at + 2 * a * points, k->normal[a] = at + (6 + a) * points;
  k->rows = at + 9 * points;
}

/* the normal stress of the cell below the first pair */
static void first_normal(window *k, int64_t j) {
  const fc_chan *s  = k->s;
  const int64_t  mz = s->fft->mz;

  if (j < 0) return;
  fc_chan_slopes(s, k->scratch, FC_CHAN_W, j, k->rows, k->slope[1]);
  for (int64_t i = 0; i < s->fft->mx; i++)
    fc_chan_normal_stress(k->normal[0] + i * mz, k->v[0] + 2 * i * mz + 1, k->v[1] + 2 * i * mz,
                          k->slope[1] + 2 * i * mz, eddies_of(s, j) + i * mz, 1 / s->grid->dc[j], mz);
}

int64_t fc_chan_plane_size(const fc_chan *s) {
  return fc_chan_fft_scratch(s->fft) + 12 * s->fft->mx * s->fft->mz + (2 * s->row + 2 * s->nkx + 7) / 8 * 8 +
         2 * s->fft->mz;
}

static void some_planes(fc_chan *s, int64_t task, int64_t tasks) {
  const int64_t pairs = (s->y_n + 1) / 2, hi = s->y_lo + s->y_n;
  const int64_t from = s->y_lo + 2 * (pairs * task / tasks), to = s->y_lo + 2 * (pairs * (task + 1) / tasks);
  window        k = window_of(s, s->planes + task * s->plane_size);

  if (from >= to) return;
  load_cells(&k, from - 1, k.uw[0]);
  load_cells(&k, from, k.uw[1]);
  load_faces(&k, from - 2, k.v[0]);
  load_faces(&k, from, k.v[1]);
  if (s->nu_t) {
    add_stresses(&k, task);
    first_normal(&k, from - 1);
  }
  for (int64_t j = from; j < to; j += 2) {
    load_cells(&k, j + 1, k.uw[2]);
    pair(&k, j, hi);
    shift(k.uw);
    if (j + 2 < to) load_cells(&k, j + 2, k.uw[2]);
    shift(k.uw);
    shift(k.v);
    if (s->nu_t) shift(k.normal), shift(k.normal);
  }
}

static void gather(fc_chan *s) {
  double top = 0, sum = 0;

  s->drain = 0;
  for (int64_t j = 0; j < s->y_n; j++) {
    top = fmax(top, s->top[2 * j]);
    sum += s->top[2 * j + 1];
    s->drain += s->drains[j] / (double)(2 * s->fft->mx * s->fft->mz);
  }
  if (s->sgs) top = fmax(top, fc_chan_sgs_speed(s));
  s->speed = isfinite(sum) ? top : INFINITY;
}

static void agree_on_speed(fc_chan *s) {
  if (s->status == FC_OK) s->status = fc_comm_max_double(s->comm, &s->speed, 1);
  if (s->nu_t && s->status == FC_OK) s->status = fc_comm_sum_double(s->comm, &s->drain, 1);
  if (s->status != FC_OK || !isfinite(s->speed)) s->speed = NAN;
}

void fc_chan_products(fc_chan *s) {
  fc_chan_spread(s);
  if (s->nu_t && !s->hold) fc_chan_eddies(s);
  FC_FOR_TASKS(t, s->tasks, INT64_MAX) some_planes(s, t, s->tasks);
  gather(s);
  fc_chan_return(s);
  agree_on_speed(s);
}
