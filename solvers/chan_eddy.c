/* solvers/chan_eddy.c */
#include "solvers/chan_eddy.h"

#include "core/parallel.h"
#include "solvers/chan_sgs.h"
#include "solvers/fft2.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- slopes along x and z ---- */

/* a = i kx f, b = i kz f */
FC_SIMD static void slope_rows(const fc_chan_rows *rows, const double *kx, const double *kz, int64_t nkx,
                               int64_t nk, double *restrict a, double *restrict b) {
  for (int64_t i = 0; i < nkx; i++, a += 2 * nk, b += 2 * nk) {
    const double *restrict f = fc_chan_row(rows, i);
    const double k           = kx[i];
    FC_VECTOR for (int64_t l = 0; l < nk; l++) {
      a[l]      = -k * f[nk + l];
      a[nk + l] = k * f[l];
      b[l]      = -kz[l] * f[nk + l];
      b[nk + l] = kz[l] * f[l];
    }
  }
}

void fc_chan_slopes(const fc_chan *s, double *scratch, int a, int64_t y, double *rows, double *plane) {
  const fc_chan_rows f = fc_chan_velocity(s, a, y);
  const fc_chan_rows x = {.base = rows, .stride = s->row},
                     z = {.base = rows + s->nkx * s->row, .stride = s->row};

  slope_rows(&f, s->kx, s->kz, s->nkx, s->nk, rows, rows + s->nkx * s->row);
  fc_chan_fft_inverse(s->fft, scratch, &x, &z, plane);
}

/* ---- stresses along a line ---- */

FC_SIMD double fc_chan_cell_stress(double *restrict out, const double *restrict slope_u,
                                   const double *restrict slope_w, const double *restrict nu, int64_t n) {
  double sum = 0;

  FC_REDUCE(+, sum) for (int64_t i = 0; i < n; i++) {
    const double xx = slope_u[2 * i], zz = slope_w[2 * i + 1],
                 xz = 0.5 * (slope_u[2 * i + 1] + slope_w[2 * i]);
    out[2 * i] -= 2 * nu[i] * (xx - zz);
    out[2 * i + 1] -= 2 * nu[i] * xz;
    sum += 2 * nu[i] * (xx * xx + 2 * xz * xz);
  }
  return sum;
}

FC_SIMD double fc_chan_face_stress(double *restrict out, const double *restrict below,
                                   const double *restrict above, const double *restrict slope_v,
                                   const double *restrict nu, const double *restrict nu_above, double inverse,
                                   int64_t n) {
  double sum = 0;

  FC_REDUCE(+, sum) for (int64_t i = 0; i < n; i++) {
    const double e  = 0.5 * (nu[i] + nu_above[i]);
    const double xy = 0.5 * ((above[2 * i] - below[2 * i]) * inverse + slope_v[2 * i]);
    const double yz = 0.5 * ((above[2 * i + 1] - below[2 * i + 1]) * inverse + slope_v[2 * i + 1]);
    out[2 * i] -= 2 * e * xy;
    out[2 * i + 1] -= 2 * e * yz;
    sum += 4 * e * (xy * xy + yz * yz);
  }
  return sum;
}

FC_SIMD double fc_chan_normal_stress(double *restrict out, const double *restrict below,
                                     const double *restrict above, const double *restrict slope_w,
                                     const double *restrict nu, double inverse, int64_t n) {
  double sum = 0;

  FC_REDUCE(+, sum) for (int64_t i = 0; i < n; i++) {
    const double yy = (above[2 * i] - below[2 * i]) * inverse, zz = slope_w[2 * i + 1];
    out[i] = 2 * nu[i] * (yy - zz);
    sum += 2 * nu[i] * (yy * yy + zz * zz);
  }
  return sum;
}

/* ---- what a model sees ---- */

enum { FIELDS = 12 }; /* u, v, w and nine slopes */

typedef struct {                                                          /* of a task, moving up */
  double *scratch, *rows, *uw[3], *v[2], *slope_v[2], *slope_u, *slope_w; /* complex planes */
  double *field[FIELDS];
} view;

int64_t fc_chan_eddy_size(const fc_chan *s) {
  const int64_t points = s->fft->mx * s->fft->mz;

  return fc_chan_fft_scratch(s->fft) + 2 * s->nkx * s->row + 18 * points + FIELDS * points + s->row + 64;
}

static view view_of(fc_chan *s, int64_t task) {
  const int64_t points = s->fft->mx * s->fft->mz;
  double       *at     = s->views + task * s->view_size;
  view          k      = {.scratch = at};

  at += fc_chan_fft_scratch(s->fft);
  double **plane[] = {&k.uw[0],      &k.uw[1],      &k.uw[2],   &k.v[0],   &k.v[1],
                      &k.slope_v[0], &k.slope_v[1], &k.slope_u, &k.slope_w};
  for (int i = 0; i < FC_COUNT(plane); i++) *plane[i] = at, at += 2 * points;
  for (int i = 0; i < FIELDS; i++) k.field[i] = at, at += points;
  k.rows = at;
  return k;
}

static bool outside(const fc_chan *s, int64_t j, int64_t first) { return j < first || j >= s->grid->n; }

static void load_cells(const fc_chan *s, view *k, int64_t j, double *plane) {
  if (outside(
          s, j,
          0)) { /* beyond the wall nothing moves: df there is half a cell, so slopes are those to the wall */
    memset(plane, 0, (size_t)(2 * s->fft->mx * s->fft->mz) * sizeof *plane);
    return;
  }
  const fc_chan_rows u = fc_chan_velocity(s, FC_CHAN_U, j), w = fc_chan_velocity(s, FC_CHAN_W, j);
  fc_chan_fft_inverse(s->fft, k->scratch, &u, &w, plane);
}

/* v and its slopes at face f */
static void load_face(const fc_chan *s, view *k, int64_t f, double *plane, double *slope) {
  const size_t size = (size_t)(2 * s->fft->mx * s->fft->mz) * sizeof *plane;

  if (outside(s, f, 1)) {
    memset(plane, 0, size);
    memset(slope, 0, size);
    return;
  }
  const fc_chan_rows v = fc_chan_velocity(s, FC_CHAN_V, f), none = {.base = k->rows};
  memset(k->rows, 0, (size_t)s->row * sizeof *k->rows);
  fc_chan_fft_inverse(s->fft, k->scratch, &v, &none, plane);
  fc_chan_slopes(s, k->scratch, FC_CHAN_V, f, k->rows, slope);
}

FC_SIMD static void cell_fields(double *const *out, double *const uw[3], double *const v[2],
                                double *const slope_v[2], const double *restrict slope_u,
                                const double *restrict slope_w, const double inverse[3], int64_t n) {
  const double *below = uw[0], *here = uw[1], *above = uw[2], *v0 = v[0], *v1 = v[1], *s0 = slope_v[0],
               *s1   = slope_v[1];
  const double lower = 0.5 * inverse[0], upper = 0.5 * inverse[1], across = inverse[2];
  double *restrict u = out[0], *restrict vc = out[1], *restrict w = out[2], *restrict ux = out[3],
                   *restrict uy = out[4];
  double *restrict uz = out[5], *restrict vx = out[6], *restrict vy = out[7], *restrict vz = out[8];
  double *restrict wx = out[9], *restrict wy = out[10], *restrict wz = out[11];

  FC_VECTOR for (int64_t i = 0; i < n; i++) {
    const int64_t a = 2 * i, b = 2 * i + 1;
    u[i]  = here[a];
    w[i]  = here[b];
    vc[i] = 0.5 * (v0[a] + v1[a]);
    ux[i] = slope_u[a];
    uz[i] = slope_u[b];
    wx[i] = slope_w[a];
    wz[i] = slope_w[b];
    vx[i] = 0.5 * (s0[a] + s1[a]);
    vz[i] = 0.5 * (s0[b] + s1[b]);
    vy[i] = across * (v1[a] - v0[a]);
    uy[i] = lower * (here[a] - below[a]) + upper * (above[a] - here[a]);
    wy[i] = lower * (here[b] - below[b]) + upper * (above[b] - here[b]);
  }
}

static fc_chan_cells see(fc_chan *s, view *k, int64_t j, int64_t task) {
  const fc_chan_grid *g          = s->grid;
  const int64_t       points     = s->fft->mx * s->fft->mz;
  const double        inverse[3] = {1 / g->df[j], 1 / g->df[j + 1], 1 / g->dc[j]};
  fc_chan_cells       p          = {.j = j, .points = points, .task = (int)task};

  fc_chan_slopes(s, k->scratch, FC_CHAN_U, j, k->rows, k->slope_u);
  fc_chan_slopes(s, k->scratch, FC_CHAN_W, j, k->rows, k->slope_w);
  cell_fields(k->field, k->uw, k->v, k->slope_v, k->slope_u, k->slope_w, inverse, points);
  for (int a = 0; a < 3; a++) p.u[a] = k->field[a];
  for (int a = 0; a < 9; a++) p.g[a] = k->field[3 + a];
  p.width[0] = s->c.length_x / (double)s->c.nx;
  p.width[1] = g->dc[j];
  p.width[2] = s->c.length_z / (double)s->c.nz;
  p.wall     = fmin(g->c[j], 2 - g->c[j]);
  return p;
}

static void some_planes(fc_chan *s, int64_t task, fc_chan_model one, void *self) {
  const int64_t lo = fc_max64(0, s->y_lo - 1), n = fc_min64(s->grid->n, s->y_lo + s->y_n + 1) - lo;
  const int64_t from = lo + n * task / s->tasks, to = lo + n * (task + 1) / s->tasks;
  const int64_t points = s->fft->mx * s->fft->mz;
  view          k      = view_of(s, task);

  if (from >= to) return;
  load_cells(s, &k, from - 1, k.uw[0]);
  load_cells(s, &k, from, k.uw[1]);
  load_face(s, &k, from, k.v[0], k.slope_v[0]);
  for (int64_t j = from; j < to; j++) {
    load_cells(s, &k, j + 1, k.uw[2]);
    load_face(s, &k, j + 1, k.v[1], k.slope_v[1]);
    const fc_chan_cells p = see(s, &k, j, task);
    one(self, s, &p, s->nu_t + (j - s->y_lo + 1) * points);
    double *cells = k.uw[0], *face = k.v[0], *slope = k.slope_v[0];
    k.uw[0] = k.uw[1], k.uw[1] = k.uw[2], k.uw[2] = cells;
    k.v[0] = k.v[1], k.v[1] = face;
    k.slope_v[0] = k.slope_v[1], k.slope_v[1] = slope;
  }
}

void fc_chan_each_plane(fc_chan *s, fc_chan_model one, void *self) {
  FC_FOR_TASKS(t, s->tasks, INT64_MAX) some_planes(s, t, one, self);
}

void fc_chan_eddies(fc_chan *s) {
  if (s->sgs) fc_chan_sgs_before(s);
  fc_chan_each_plane(s, s->model, s->model_self);
}

fc_status fc_chan_set_model(fc_chan *s, fc_chan_model model, void *self) {
  free(s->eddy_block);
  s->eddy_block = s->nu_t = s->views = NULL;
  s->model = model, s->model_self = self;
  if (!model) return FC_OK;
  const int64_t planes = (s->y_n + 2) * s->fft->mx * s->fft->mz;
  s->view_size         = (fc_chan_eddy_size(s) + 7) / 8 * 8;
  s->eddy_block        = fc_fft2_alloc(planes + s->tasks * s->view_size + 8);
  FC_REQUIRE(s->eddy_block, FC_E_SYSTEM, "no memory for a subgrid model: %.0f MB a rank",
             8e-6 * (double)(planes + s->tasks * s->view_size));
  s->views = s->eddy_block;
  s->nu_t  = s->eddy_block + s->tasks * s->view_size;
  return FC_OK;
}
