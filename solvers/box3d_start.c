/* solvers/box3d_start.c - initial fields, and fields of values. Random modes are keyed by (seed, trajectory,
   mode): the same field for any number of ranks, and on every grid up to the modes they share. */
#include "core/parallel.h"
#include "core/rng.h"
#include "solvers/box3d.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* coefficient of a mode with kz >= 0, or NULL if another rank has it */
static double *mode_of(const fc_box3d *s, double *u, int64_t kx, int64_t ky, int64_t kz) {
  const int64_t my = s->grid->my, j = (ky + my) % my - s->grid->k0;

  return j < 0 || j >= s->grid->ny ? NULL : fc_box3d_row(s, u, j, (kx + my) % my) + 2 * kz;
}

static void put(const fc_box3d *s, double *u, int64_t kx, int64_t ky, int64_t kz, double re, double im) {
  double *z = mode_of(s, u, kx, ky, kz);

  if (z) z[0] = re, z[1] = im;
}

/* (sin x cos y cos z, -cos x sin y cos z, 0) */
static void taylor_green(const fc_box3d *s, fc_box3d_work *k) {
  for (int a = -1; a <= 1; a += 2)
    for (int b = -1; b <= 1; b += 2) {
      put(s, k->u[0], a, b, 1, 0, -a / 8.0);
      put(s, k->u[1], a, b, 1, 0, b / 8.0);
    }
}

/* (sin z + cos y, sin x + cos z, sin y + cos x): its own vorticity, in units of the box */
static void abc(const fc_box3d *s, fc_box3d_work *k) {
  for (int a = -1; a <= 1; a += 2) {
    put(s, k->u[0], 0, a, 0, 0.5, 0);
    put(s, k->u[1], a, 0, 0, 0, -a / 2.0);
    put(s, k->u[2], a, 0, 0, 0.5, 0);
    put(s, k->u[2], 0, a, 0, 0, -a / 2.0);
  }
  put(s, k->u[0], 0, 0, 1, 0, -0.5);
  put(s, k->u[1], 0, 0, 1, 0.5, 0);
}

/* ---- random fields ---- */

/* 0, -1, 1, -2, 2, .. -> 0, 1, 2, 3, 4, ..: the same number for a mode on every grid */
static uint64_t fold(int64_t k) { return k < 0 ? (uint64_t)(-2 * k - 1) : (uint64_t)(2 * k); }

static uint64_t index_of(int64_t kx, int64_t ky, int64_t kz) {
  return fold(kx) << 42 | fold(ky) << 22 | (uint64_t)kz << 2;
}

/* u = (alpha k k2 + beta k1 k3, beta k2 k3 - alpha k1 k, -beta k12^2)/(k k12), alpha and beta complex: the
   two directions across k (Rogallo, NASA TM 81315, 1981); (alpha, beta, 0) along the last axis */
static void across(const double k[3], const double alpha[2], const double beta[2], double u[6]) {
  const double k12 = sqrt(k[0] * k[0] + k[1] * k[1]), all = sqrt(k12 * k12 + k[2] * k[2]);

  for (int c = 0; c < 2; c++) {
    u[c]     = k12 > 0 ? (alpha[c] * all * k[1] + beta[c] * k[0] * k[2]) / (all * k12) : alpha[c];
    u[2 + c] = k12 > 0 ? (beta[c] * k[1] * k[2] - alpha[c] * k[0] * all) / (all * k12) : beta[c];
    u[4 + c] = k12 > 0 ? -beta[c] * k12 / all : 0;
  }
}

/* |u| = 1 with random phases and a random share of the two directions. Of k and -k one draws. */
static void isotropic_mode(const fc_rng *r, int64_t kx, int64_t ky, int64_t kz, double u[6]) {
  const bool     other = kz == 0 && (kx < 0 || (kx == 0 && ky < 0));
  const double   k[3]  = {(double)(other ? -kx : kx), (double)(other ? -ky : ky), (double)kz};
  const uint64_t at    = other ? index_of(-kx, -ky, kz) : index_of(kx, ky, kz);
  double         angle[3], alpha[2], beta[2];

  for (int c = 0; c < 3; c++) angle[c] = 2 * M_PI * fc_rng_uniform(r, at + (uint64_t)c);
  alpha[0] = cos(angle[0]) * cos(angle[2]), alpha[1] = sin(angle[0]) * cos(angle[2]);
  beta[0] = cos(angle[1]) * sin(angle[2]), beta[1] = sin(angle[1]) * sin(angle[2]);
  across(k, alpha, beta, u);
  for (int a = 1; other && a < 6; a += 2) u[a] = -u[a];
}

/* The generator of the FactFormer data as it runs: its angles are imaginary, so that exp(i theta) is a damped
   real number and cos, sin are cosh, i sinh; the root of the spectrum is taken twice; the last axis is left
   out; on kz = 0 the inverse real transform keeps (u_k + conj u_-k)/2. */
static void factformer_half(const fc_rng *r, int64_t kx, int64_t ky, int64_t kz, double u[6]) {
  const double   k[3] = {(double)kx, (double)ky, (double)kz};
  const uint64_t at   = index_of(kx, ky, kz);
  double         angle[3];

  for (int c = 0; c < 3; c++) angle[c] = 2 * M_PI * fc_rng_uniform(r, at + (uint64_t)c);
  const double alpha[2] = {exp(-angle[0]) * cosh(angle[2]), 0},
               beta[2]  = {0, exp(-angle[1]) * sinh(angle[2])};
  across(k, alpha, beta, u);
  for (int a = 0; a < 6; a++) u[a] = kx == 0 && ky == 0 ? 0 : u[a];
}

static void factformer_mode(const fc_rng *r, int64_t kx, int64_t ky, int64_t kz, double u[6]) {
  double v[6];

  factformer_half(r, kx, ky, kz, u);
  if (kz > 0) return;
  factformer_half(r, -kx, -ky, kz, v);
  for (int a = 0; a < 6; a++) u[a] = (u[a] + (a % 2 ? -v[a] : v[a])) / 2;
}

static int64_t shell_of(double k2) { return (int64_t)(sqrt(k2) + 0.5); }

/* points of the lattice of modes whose distance from 0 is nearest to 0, 1, .., n - 1 */
static void count_shells(double *count, int64_t n) {
  memset(count, 0, (size_t)n * sizeof *count);
  for (int64_t x = 0; x <= n; x++)
    for (int64_t y = 0; y <= n; y++)
      for (int64_t z = 0; z <= n; z++) { /* each stands for its mirror images */
        const int64_t shell = shell_of((double)(x * x + y * y + z * z));
        if (shell < n) count[shell] += (x ? 2 : 1) * (y ? 2 : 1) * (z ? 2 : 1);
      }
}

/* |u| of mode k: the modes of a shell have its energy in equal parts, but for the published field */
static double amplitude(const fc_box3d *s, const double *count, double k2) {
  const int64_t shell = shell_of(k2);

  if (s->c.initial == FC_BOX3D_FACTFORMER) return sqrt(sqrt(fc_box3d_shape(&s->c, sqrt(k2))) / k2);
  return sqrt(2 * fc_box3d_shape(&s->c, (double)shell) / count[shell]);
}

static void random_row(const fc_box3d *s, fc_box3d_work *k, const fc_rng *r, int64_t j, int64_t i) {
  const int64_t kx = fc_slab3_mode(s->grid, i), ky = fc_slab3_mode(s->grid, s->grid->k0 + j);

  for (int64_t kz = 0; kz < fc_box3d_kept(s, j, i); kz++) {
    const double k2 = (double)(kx * kx + ky * ky + kz * kz);
    double       u[6];
    if (k2 == 0) continue;
    if (s->c.initial == FC_BOX3D_FACTFORMER)
      factformer_mode(r, kx, ky, kz, u);
    else
      isotropic_mode(r, kx, ky, kz, u);
    for (int a = 0; a < 6; a++)
      fc_box3d_row(s, k->u[a / 2], j, i)[2 * kz + a % 2] = amplitude(s, k->part[3], k2) * u[a];
  }
}

static void random_field(const fc_box3d *s, fc_box3d_work *k, int64_t traj) {
  const fc_rng r = {(uint64_t)s->c.seed, (uint64_t)(s->c.first_traj + traj), FC_RNG_FIELD};

  count_shells(k->part[3], fc_box3d_shells(s));
  FC_FOR_ROWS(j, s->grid->ny, 128 * s->grid->my * s->grid->mz)
  for (int64_t i = 0; i < s->grid->my; i++) random_row(s, k, &r, j, i);
}

/* ---- all of them ---- */

/* energy 0: as it comes */
static void scale_to(const fc_box3d *s, fc_box3d_work *k, double energy) {
  const double now = fc_box3d_measure(s, k).energy, factor = now > 0 ? sqrt(energy / now) : 1;

  for (int a = 0; a < 3; a++)
    for (int64_t c = 0; energy > 0 && c < fc_box3d_size(s); c++) k->u[a][c] *= factor;
}

void fc_box3d_start(const fc_box3d *s, fc_box3d_work *k, int64_t traj) {
  for (int a = 0; a < 3; a++) memset(k->u[a], 0, (size_t)fc_box3d_size(s) * sizeof **k->u);
  k->lost = k->given = 0;
  switch (s->c.initial) {
  case FC_BOX3D_TAYLOR_GREEN:
    taylor_green(s, k);
    break;
  case FC_BOX3D_ABC:
    abc(s, k);
    break;
  case FC_BOX3D_ISOTROPIC:
  case FC_BOX3D_FACTFORMER:
    random_field(s, k, traj);
    break;
  default:
    break; /* at rest */
  }
  scale_to(s, k, s->c.energy);
  put(s, k->u[0], 0, 0, 0, s->c.mean_u, 0);
  put(s, k->u[1], 0, 0, 0, s->c.mean_v, 0);
  put(s, k->u[2], 0, 0, 0, s->c.mean_w, 0);
}

/* ---- values ---- */

typedef struct {
  const fc_box3d *s;
  fc_box3d_work  *k;
  const fc_real  *in;
  fc_real        *out;
  double         *head, mean; /* total pressure; mean of |u|^2/2 */
} exchange;

static int channels(const fc_box3d *s) { return s->c.pressure ? 4 : 3; }

static void read_points(void *self, int64_t x, int64_t y, double *const *f) {
  const exchange *t = self;
  const fc_slab3 *g = t->s->frame;
  const int64_t   n = g->m, width = channels(t->s);

  for (int64_t b = 0; b < 2; b++)
    for (int64_t l = 0; l < g->lines * n; l++)
      for (int a = 0; a < 3; a++)
        f[a][2 * l + b] =
            x + b < g->nx ? (double)t->in[(((x + b) * n + y) * n + l) * width + width - 3 + a] : 0;
}

static void take_values(void *self, int64_t j, int64_t i, double *const *row) {
  const exchange *t = self;
  const fc_box3d *s = t->s;
  const double    n = (double)s->c.n;

  fc_box3d_project(s, j, i, row, 1 / (n * n * n));
  for (int a = 0; a < 3; a++)
    memcpy(fc_box3d_row(s, t->k->u[a], j, i), row[a], (size_t)(2 * s->grid->mz) * sizeof **row);
}

void fc_box3d_set(const fc_box3d *s, fc_box3d_work *k, const fc_real *x) {
  static const fc_slab3_pass pass = {0, 3, NULL, read_points, take_values};
  exchange                   t    = {s, k, .in = x};

  k->lost = k->given = 0;
  if (k->status == FC_OK) k->status = fc_slab3_run(s->frame, &pass, &t);
}

static void give_values(void *self, int64_t j, int64_t i, double *const *row) {
  const exchange *t = self;
  const size_t    n = (size_t)(2 * t->s->grid->mz) * sizeof **row;

  for (int a = 0; a < 3; a++) memcpy(row[a], fc_box3d_row(t->s, t->k->u[a], j, i), n);
  if (t->head) memcpy(row[3], fc_box3d_row(t->s, t->head, j, i), n);
}

static void write_points(void *self, int64_t x, int64_t y, double *const *f) {
  const exchange *t = self;
  const fc_slab3 *g = t->s->frame;
  const int64_t   n = g->m, width = channels(t->s);

  for (int64_t b = 0; b < 2 && x + b < g->nx; b++)
    for (int64_t l = 0; l < g->lines * n; l++) {
      fc_real     *to = t->out + (((x + b) * n + y) * n + l) * width;
      const double u = f[0][2 * l + b], v = f[1][2 * l + b], w = f[2][2 * l + b];
      if (t->head) *to++ = (fc_real)(f[3][2 * l + b] - (u * u + v * v + w * w) / 2 + t->mean);
      to[0] = (fc_real)u, to[1] = (fc_real)v, to[2] = (fc_real)w;
    }
}

void fc_box3d_values(const fc_box3d *s, fc_box3d_work *k, fc_real *x) {
  const fc_slab3_pass pass = {channels(s), 0, give_values, write_points, NULL};
  exchange            t    = {s, k, .out = x};

  if (s->c.pressure) {
    const fc_box3d_budget q = fc_box3d_measure(s, k);
    t.head                  = k->stage[0];
    t.mean                  = q.energy + q.mean;
    fc_box3d_head(s, k, t.head);
  }
  if (k->status == FC_OK) k->status = fc_slab3_run(s->frame, &pass, &t);
}
