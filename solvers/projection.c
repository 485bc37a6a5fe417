/* solvers/projection.c - planes y = const are transformed together, modes are solved one by one. A box is
   treated alike, with a third transform along y. */
#include "solvers/projection.h"

#include <fftw3.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct fc_projection {
  int64_t       dim[3], points, half; /* half: modes along z */
  bool          box;
  double        step[3]; /* 2 pi / length of periodic axes */
  fc_gradient  *gradient;
  double       *u[3], *div, *work;
  fftw_complex *hat[3]; /* [nx, ny, half] */
  fftw_plan     there, back;
  double       *slope, *cell; /* channel: T as [m, 3], h [m] */
  double       *band, *rhs;   /* [m, 3] lower half of the matrix; [m, 2] */
};

static int64_t inner(const fc_projection *p) { return p->dim[1] - 2; }

/* ---- life ---- */

static bool plan(fc_projection *p) {
  const int  n[3] = {(int)p->dim[0], (int)p->dim[1], (int)p->dim[2]}, ny = n[1], half = (int)p->half;
  fftw_iodim plane[2] = {{n[0], ny * n[2], ny * half}, {n[2], 1, 1}},
             back[2]  = {{n[0], ny * half, ny * n[2]}, {n[2], 1, 1}};
  fftw_iodim rows = {ny, n[2], half}, rows_back = {ny, half, n[2]};

  if (p->box) {
    p->there = fftw_plan_dft_r2c_3d(n[0], n[1], n[2], p->u[0], p->hat[0], FFTW_ESTIMATE);
    p->back  = fftw_plan_dft_c2r_3d(n[0], n[1], n[2], p->hat[0], p->u[0], FFTW_ESTIMATE);
  } else {
    p->there = fftw_plan_guru_dft_r2c(2, plane, 1, &rows, p->u[0], p->hat[0], FFTW_ESTIMATE);
    p->back  = fftw_plan_guru_dft_c2r(2, back, 1, &rows_back, p->hat[0], p->u[0], FFTW_ESTIMATE);
  }
  return p->there && p->back;
}

/* slopes at the inner points from their neighbours, and the cells around them */
static void prepare_walls(fc_projection *p, const double *y) {
  for (int64_t j = 0; j < inner(p); j++) {
    const double a = y[j + 1] - y[j], b = y[j + 2] - y[j + 1];
    p->cell[j]          = (a + b) / 2;
    p->slope[3 * j]     = -b / (a * (a + b));
    p->slope[3 * j + 1] = (b - a) / (a * b);
    p->slope[3 * j + 2] = a / (b * (a + b));
  }
}

static bool allocate(fc_projection *p) {
  const size_t n = (size_t)p->points, modes = (size_t)(p->dim[0] * p->dim[1] * p->half),
               m = (size_t)p->dim[1];
  bool ok        = true;

  for (int a = 0; a < 3; a++) {
    p->u[a]   = fftw_alloc_real(n);
    p->hat[a] = fftw_alloc_complex(modes);
    ok        = ok && p->u[a] && p->hat[a];
  }
  p->div   = fftw_alloc_real(n);
  p->work  = fftw_alloc_real(n);
  p->slope = malloc(3 * m * sizeof *p->slope);
  p->cell  = malloc(m * sizeof *p->cell);
  p->band  = malloc(3 * m * sizeof *p->band);
  p->rhs   = malloc(2 * m * sizeof *p->rhs);
  return ok && p->div && p->work && p->slope && p->cell && p->band && p->rhs;
}

fc_status fc_projection_create(const fc_grid_axes *grid, fc_projection **out) {
  const bool *q = grid->periodic;

  *out = NULL;
  FC_REQUIRE(
      q[0] && q[2], FC_E_USAGE,
      "a field is projected in a periodic box, or in a channel that is periodic in x and z; this is neither");
  fc_projection *p = calloc(1, sizeof *p);
  FC_REQUIRE(p, FC_E_SYSTEM, "no memory for a projection");
  memcpy(p->dim, grid->dim, sizeof p->dim);
  p->box    = q[1];
  p->points = grid->dim[0] * grid->dim[1] * grid->dim[2];
  p->half   = grid->dim[2] / 2 + 1;
  for (int a = 0; a < 3; a++)
    p->step[a] = q[a] ? 2 * M_PI / ((double)grid->dim[a] * (grid->x[a][1] - grid->x[a][0])) : 0;
  fc_status s = fc_gradient_create(grid, &p->gradient);
  if (s == FC_OK && !(allocate(p) && plan(p)))
    s = fc_fail(FC_E_SYSTEM, "no memory to project %lld points", (long long)p->points);
  if (s == FC_OK && !p->box) prepare_walls(p, grid->x[1]);
  if (s == FC_OK)
    *out = p;
  else
    fc_projection_destroy(p);
  return s;
}

void fc_projection_destroy(fc_projection *p) {
  if (!p) return;
  if (p->there) fftw_destroy_plan(p->there);
  if (p->back) fftw_destroy_plan(p->back);
  for (int a = 0; a < 3; a++) {
    fftw_free(p->u[a]);
    fftw_free(p->hat[a]);
  }
  fftw_free(p->div);
  fftw_free(p->work);
  fc_gradient_destroy(p->gradient);
  free(p->slope), free(p->cell), free(p->band), free(p->rhs);
  free(p);
}

const char *fc_projection_text(const fc_projection *p) {
  return p->box ? "velocity projected onto zero divergence (spectral)"
                : "velocity projected onto zero divergence (spectral in x and z, second order in y) with "
                  "walls at rest";
}

/* ---- one mode ---- */

/* wave number of an axis; 0 for the highest mode of an even one, as in solvers/gradient.h */
static double wave(const fc_projection *p, int a, int64_t i) {
  const int64_t n = p->dim[a], mode = 2 * i > n ? i - n : i;
  return 2 * mode == n ? 0 : p->step[a] * (double)mode;
}

static void project_box(fc_projection *p) {
  for (int64_t i = 0; i < p->dim[0] * p->dim[1] * p->half; i++) {
    const double k[3] = {wave(p, 0, i / p->half / p->dim[1]), wave(p, 1, i / p->half % p->dim[1]),
                         wave(p, 2, i % p->half)};
    const double kk   = k[0] * k[0] + k[1] * k[1] + k[2] * k[2];
    for (int part = 0; part < 2 && kk > 0; part++) {
      const double along =
          (k[0] * p->hat[0][i][part] + k[1] * p->hat[1][i][part] + k[2] * p->hat[2][i][part]) / kk;
      for (int a = 0; a < 3; a++) p->hat[a][i][part] -= k[a] * along;
    }
  }
}

/* (kk h^-1 + T h^-1 T^T), its diagonals 0, 1, 2 below the main one at the rows j, j + 1, j + 2 */
static void fill_band(const fc_projection *p, double kk, double *band) {
  const int64_t m = inner(p);

  memset(band, 0, 3 * (size_t)m * sizeof *band);
  for (int64_t j = 0; j < m; j++) band[3 * j] = kk / p->cell[j];
  for (int64_t k = 0; k < m; k++) /* T has column k in rows k - 1, k, k + 1 */
    for (int64_t a = fc_max64(k - 1, 0); a <= fc_min64(k + 1, m - 1); a++)
      for (int64_t b = a; b <= fc_min64(k + 1, m - 1); b++)
        band[3 * a + b - a] += p->slope[3 * a + 1 + k - a] * p->slope[3 * b + 1 + k - b] / p->cell[k];
}

/* A x = b in place, A symmetric and positive definite with two diagonals on each side: L D L^T */
static void solve(int64_t m, double *band, double *x) {
  for (int64_t j = 0; j < m; j++) {
    const double d = band[3 * j], l1 = band[3 * j + 1] / d, l2 = band[3 * j + 2] / d;
    if (j + 1 < m) band[3 * (j + 1)] -= l1 * band[3 * j + 1], band[3 * (j + 1) + 1] -= l1 * band[3 * j + 2];
    if (j + 2 < m) band[3 * (j + 2)] -= l2 * band[3 * j + 2];
    for (int part = 0; part < 2; part++) {
      if (j + 1 < m) x[2 * (j + 1) + part] -= l1 * x[2 * j + part];
      if (j + 2 < m) x[2 * (j + 2) + part] -= l2 * x[2 * j + part];
    }
  }
  for (int64_t j = m - 1; j >= 0; j--)
    for (int part = 0; part < 2; part++) {
      double v = x[2 * j + part];
      if (j + 1 < m) v -= band[3 * j + 1] * x[2 * (j + 1) + part];
      if (j + 2 < m) v -= band[3 * j + 2] * x[2 * (j + 2) + part];
      x[2 * j + part] = v / band[3 * j];
    }
}

/* numbers of component a at inner point j of mode (i, l) */
static double *value(const fc_projection *p, int a, int64_t i, int64_t j, int64_t l) {
  return p->hat[a][(i * p->dim[1] + j + 1) * p->half + l];
}

/* rhs = D u */
static void divergence_of(fc_projection *p, int64_t i, int64_t l, double kx, double kz) {
  for (int64_t j = 0; j < inner(p); j++) {
    const double *u = value(p, 0, i, j, l), *w = value(p, 2, i, j, l), *t = p->slope + 3 * j;
    p->rhs[2 * j]     = -kx * u[1] - kz * w[1];
    p->rhs[2 * j + 1] = kx * u[0] + kz * w[0];
    for (int part = 0; part < 2; part++)
      for (int k = 0; k < 3; k++) p->rhs[2 * j + part] += t[k] * value(p, 1, i, j + k - 1, l)[part];
  }
}

/* u -= h^-1 D^H s */
static void correct(fc_projection *p, int64_t i, int64_t l, double kx, double kz) {
  const int64_t m = inner(p);

  for (int64_t j = 0; j < m; j++) {
    const double re = p->rhs[2 * j] / p->cell[j], im = p->rhs[2 * j + 1] / p->cell[j];
    double      *u = value(p, 0, i, j, l), *v = value(p, 1, i, j, l), *w = value(p, 2, i, j, l);
    u[0] -= kx * im, u[1] += kx * re;
    w[0] -= kz * im, w[1] += kz * re;
    for (int64_t k = fc_max64(j - 1, 0); k <= fc_min64(j + 1, m - 1); k++)
      for (int part = 0; part < 2; part++)
        v[part] -= p->slope[3 * k + 1 + j - k] * p->rhs[2 * k + part] / p->cell[j];
  }
}

static void project_channel(fc_projection *p) {
  for (int64_t i = 0; i < p->dim[0]; i++)
    for (int64_t l = 0; l < p->half; l++) {
      const double kx = wave(p, 0, i), kz = wave(p, 2, l), kk = kx * kx + kz * kz;
      for (int a = 0; a < 3; a++) /* walls at rest */
        for (int part = 0; part < 2; part++)
          value(p, a, i, -1, l)[part] = value(p, a, i, inner(p), l)[part] = 0;
      for (int64_t j = 0; j < inner(p) && kk == 0; j++) value(p, 1, i, j, l)[0] = value(p, 1, i, j, l)[1] = 0;
      if (kk == 0) continue;
      divergence_of(p, i, l, kx, kz);
      fill_band(p, kk, p->band);
      solve(inner(p), p->band, p->rhs);
      correct(p, i, l, kx, kz);
    }
}

/* ---- a frame ---- */

static double size_of(fc_projection *p) {
  double largest, square;

  fc_divergence(p->gradient, (const double *const[3]){p->u[0], p->u[1], p->u[2]}, p->div, p->work);
  fc_divergence_size(p->gradient, p->div, &largest, &square);
  return sqrt(square);
}

void fc_projection_apply(fc_projection *p, int64_t stride, double *x, double size[2]) {
  const double scale = 1 / (double)(p->box ? p->points : p->dim[0] * p->dim[2]);

  for (int a = 0; a < 3; a++)
    for (int64_t i = 0; i < p->points; i++) p->u[a][i] = x[i * stride + a];
  size[0] = size_of(p);
  for (int a = 0; a < 3; a++) fftw_execute_dft_r2c(p->there, p->u[a], p->hat[a]);
  if (p->box)
    project_box(p);
  else
    project_channel(p);
  for (int a = 0; a < 3; a++) {
    fftw_execute_dft_c2r(p->back, p->hat[a], p->u[a]);
    for (int64_t i = 0; i < p->points; i++) x[i * stride + a] = p->u[a][i] *= scale;
  }
  size[1] = size_of(p);
}
