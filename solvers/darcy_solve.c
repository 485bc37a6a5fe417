/* solvers/darcy_solve.c - memory, coefficients, the two discretisations. */
#include "solvers/darcy.h"
#include "solvers/fft2.h"
#include "solvers/grf.h"
#include "solvers/spline.h"

#include <fftw3.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

fc_darcy_config fc_darcy_resolve(const fc_darcy_config *c) {
  fc_darcy_config r = *c;

  if (r.accurate) r.scheme = FC_DARCY_VOLUMES, r.mean = FC_DARCY_HARMONIC;
  return r;
}

/* ---- memory ---- */

static int64_t nodes_of(const fc_darcy_config *c, int64_t n) { return c->scheme == FC_DARCY_NODES ? n : 0; }

static int64_t doubles(const fc_darcy_config *c, int64_t nx, int64_t ny) {
  const int64_t n = nodes_of(c, nx), random = c->coefficient == FC_DARCY_UNIFORM ? 0 : nx * ny;

  return 4 * nx * ny + random + (nx + 1) * ny + nx * (ny + 1) + (n ? n * n + fc_spline_work(n, n) : 0) +
         9 * 8;
}

int64_t fc_darcy_bytes(const fc_darcy_config *c) {
  const fc_darcy_config r = fc_darcy_resolve(c);
  const int64_t         m = r.scheme == FC_DARCY_NODES ? r.n - 2 : r.n;

  return doubles(&r, r.n, r.n) * (int64_t)sizeof(double) + fc_multigrid_bytes(m, m);
}

static double *carve(double **block, int64_t n) {
  double *p = *block;

  *block += (n + 7) / 8 * 8;
  return p;
}

static void place(fc_darcy *d) {
  const int64_t nx = d->nx, ny = d->ny, n = nodes_of(&d->c, nx);
  double       *at = d->block;

  d->a     = carve(&at, nx * ny);
  d->u     = carve(&at, nx * ny);
  d->b     = carve(&at, nx * ny);
  d->x     = carve(&at, nx * ny);
  d->down  = carve(&at, (nx + 1) * ny);
  d->right = carve(&at, nx * (ny + 1));
  if (n) d->node = carve(&at, n * n);
  if (n) d->work = carve(&at, fc_spline_work(n, n));
  if (d->c.coefficient != FC_DARCY_UNIFORM) d->weight = carve(&at, nx * ny);
}

static fc_status plan_field(fc_darcy *d) {
  const fc_grf g = {.alpha = d->c.alpha, .tau = d->c.tau, .sigma = d->c.sigma};

  if (d->c.coefficient == FC_DARCY_UNIFORM || d->nx != d->ny) return FC_OK;
  d->cosines =
      fftw_plan_r2r_2d((int)d->nx, (int)d->nx, d->a, d->a, FFTW_REDFT01, FFTW_REDFT01, FFTW_ESTIMATE);
  FC_REQUIRE(d->cosines, FC_E_SYSTEM, "no memory to plan cosine transforms of %lld x %lld points",
             (long long)d->nx, (long long)d->nx);
  fc_grf_cosine_weights(&g, d->nx, d->weight);
  return FC_OK;
}

fc_status fc_darcy_create(const fc_darcy_config *c, int64_t nx, int64_t ny, fc_darcy **out) {
  fc_darcy *d = calloc(1, sizeof *d);
  fc_status s;

  *out = NULL;
  FC_REQUIRE(d, FC_E_SYSTEM, "no memory for the solver");
  d->c             = fc_darcy_resolve(c);
  d->nx            = nx;
  d->ny            = ny;
  const int64_t in = d->c.scheme == FC_DARCY_NODES ? 2 : 0; /* border nodes are known */
  d->block         = fc_fft2_alloc(doubles(&d->c, nx, ny));
  s                = d->block ? FC_OK
                              : fc_fail(FC_E_SYSTEM, "no memory for %lld x %lld cells", (long long)nx, (long long)ny);
  if (s == FC_OK) place(d);
  if (s == FC_OK) s = plan_field(d);
  if (s == FC_OK) s = fc_multigrid_create(nx - in, ny - in, &d->mg);
  if (s == FC_OK)
    *out = d;
  else
    fc_darcy_destroy(d);
  return s;
}

void fc_darcy_destroy(fc_darcy *d) {
  if (!d) return;
  if (d->cosines) fftw_destroy_plan(d->cosines);
  fc_multigrid_destroy(d->mg);
  free(d->block);
  free(d);
}

/* ---- coefficients ---- */

/* FFTW's cosine sum counts every mode but the constant twice along each axis. */
static void to_values(fc_darcy *d) {
  const int64_t n = d->nx;

  for (int64_t k = 0; k < n; k++)
    for (int64_t l = 0; l < n; l++) d->a[k * n + l] *= (k ? 0.5 : 1) * (l ? 0.5 : 1);
  fftw_execute(d->cosines);
}

void fc_darcy_coefficient(fc_darcy *d, int64_t traj) {
  const fc_darcy_config *c = &d->c;
  const fc_rng           r = {(uint64_t)c->seed, (uint64_t)(c->first_traj + traj), FC_RNG_FIELD};
  const int64_t          n = d->nx * d->ny;

  if (c->coefficient != FC_DARCY_UNIFORM) {
    fc_grf_cosine(&r, d->nx, d->weight, d->a);
    to_values(d);
  }
  for (int64_t i = 0; i < n; i++)
    d->a[i] = c->coefficient == FC_DARCY_UNIFORM     ? c->high
              : c->coefficient == FC_DARCY_THRESHOLD ? (d->a[i] >= 0 ? c->high : c->low)
                                                     : exp(d->a[i]);
}

/* ---- cells ---- */

static double mean_of(const fc_darcy *d, double p, double q) {
  return d->c.mean == FC_DARCY_HARMONIC ? 2 * p * q / (p + q) : (p + q) / 2;
}

/* conductance of each face: a times its length over the distance of the values, half a cell at the border */
static void links_of_cells(fc_darcy *d) {
  const int64_t nx = d->nx, ny = d->ny;
  const double  tall = (double)nx / (double)ny, wide = (double)ny / (double)nx;
  const double  edge = d->c.sides == FC_DARCY_STRIP ? 0 : 2;

  for (int64_t j = 0; j < ny; j++) {
    d->down[j]           = 2 * tall * d->a[j];
    d->down[nx * ny + j] = 2 * tall * d->a[(nx - 1) * ny + j];
  }
  for (int64_t k = ny; k < nx * ny; k++) d->down[k] = tall * mean_of(d, d->a[k - ny], d->a[k]);
  for (int64_t i = 0; i < nx; i++) {
    const double *a = d->a + i * ny;
    double       *r = d->right + i * (ny + 1);
    r[0]            = edge * wide * a[0];
    r[ny]           = edge * wide * a[ny - 1];
    for (int64_t j = 1; j < ny; j++) r[j] = wide * mean_of(d, a[j - 1], a[j]);
  }
}

/* ---- nodes ---- */

static void links_of_nodes(fc_darcy *d) {
  const int64_t n = d->nx, m = n - 2;
  const double *a = d->node;

  for (int64_t i = 0; i <= m; i++)
    for (int64_t j = 0; j < m; j++) d->down[i * m + j] = mean_of(d, a[i * n + j + 1], a[(i + 1) * n + j + 1]);
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j <= m; j++)
      d->right[i * (m + 1) + j] = mean_of(d, a[(i + 1) * n + j], a[(i + 1) * n + j + 1]);
}

/* The cell centre i is at position (i + 1/2)/n, the node k at k/(n - 1). */
static void to_nodes(fc_darcy *d, const double *x) {
  const double n = (double)d->nx;

  fc_spline_2d(d->nx, x, d->nx, -0.5, n / (n - 1), d->node, d->work);
}

static void to_cells(fc_darcy *d) {
  const double  n = (double)d->nx;
  const int64_t m = d->nx - 2;

  memset(d->node, 0, (size_t)(d->nx * d->nx) * sizeof *d->node);
  for (int64_t i = 0; i < m; i++)
    memcpy(d->node + (i + 1) * d->nx + 1, d->x + i * m, (size_t)m * sizeof *d->node);
  fc_spline_2d(d->nx, d->node, d->nx, 0.5 * (n - 1) / n, (n - 1) / n, d->u, d->work);
}

/* ---- the solution ---- */

/* integral of f over what each unknown stands for */
static void sources(fc_darcy *d) {
  const bool    nodes = d->c.scheme == FC_DARCY_NODES;
  const int64_t mx = d->nx - 2 * nodes, my = d->ny - 2 * nodes;
  const double  area = 1 / (double)((d->nx - nodes) * (d->ny - nodes)), *f = d->f;

  if (nodes && f) to_nodes(d, f), f = d->node + d->nx + 1;
  for (int64_t i = 0; i < mx; i++)
    for (int64_t j = 0; j < my; j++) d->b[i * my + j] = area * (f ? f[i * d->ny + j] : d->c.force);
}

static fc_status all_positive(const fc_darcy *d) {
  for (int64_t i = 0; i < d->nx * d->ny; i++)
    FC_REQUIRE(d->a[i] > 0 && isfinite(d->a[i]), FC_E_NUMERIC,
               "the coefficient is %g at cell %lld, %lld; -div(a grad u) = f needs positive numbers", d->a[i],
               (long long)(i / d->ny), (long long)(i % d->ny));
  return FC_OK;
}

static fc_status unsolved(const fc_darcy *d) {
  if (d->c.scheme == FC_DARCY_NODES)
    return fc_fail(
        FC_E_NUMERIC,
        "the linear system is not solved to tolerance=%g: scheme=nodes carries the coefficient to the "
        "nodes by splines, which overshoot below zero at large jumps; set accurate=true",
        d->c.tolerance);
  return fc_fail(FC_E_NUMERIC,
                 "the linear system is not solved to tolerance=%g after %d iterations; raise tolerance",
                 d->c.tolerance, FC_DARCY_MOST);
}

/* Splines may leave nodes near the border with negative values; the matrix is positive definite all the same
   for the published coefficients, and conjugate gradients notice when it is not. */
fc_status fc_darcy_solve(fc_darcy *d) {
  const bool nodes = d->c.scheme == FC_DARCY_NODES;

  FC_TRY(all_positive(d));
  sources(d);
  if (nodes)
    to_nodes(d, d->a), links_of_nodes(d);
  else
    links_of_cells(d);
  fc_multigrid_set(d->mg, d->down, d->right);
  d->iterations = fc_multigrid_solve(d->mg, d->b, d->c.tolerance, FC_DARCY_MOST, nodes ? d->x : d->u);
  if (d->iterations < 0) return unsolved(d);
  if (nodes) to_cells(d);
  return FC_OK;
}
