/* solvers/ns2d.c - grid, memory, initial fields. */
#include "solvers/ns2d.h"

#include "solvers/grf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- set-up ---- */

fc_ns2d_config fc_ns2d_resolve(const fc_ns2d_config *c) {
  fc_ns2d_config r = *c;

  if (r.n_keep == 0) r.n_keep = r.n;
  if (!r.accurate) return r;
  r.scheme  = FC_NS2D_ETDRK4;
  r.form    = FC_NS2D_DIVERGENCE;
  r.dealias = FC_NS2D_SQUARE;
  r.mask    = FC_NS2D_MASK_GALERKIN;
  if (r.cfl == 0) r.cfl = 0.5;
  r.dt = 0;
  return r;
}

/* modes ky = 0..cut-1 of row kx that the mask keeps */
static int64_t kept(const fc_ns2d *s, int64_t kx) {
  const bool    strict = s->c.mask == FC_NS2D_MASK_GALERKIN; /* 3k = n would still be aliased onto itself */
  const int64_t n = s->n, third = (n - strict) / 3;

  switch (s->c.dealias) {
  case FC_NS2D_SQUARE:
    return llabs(kx) <= third ? third + 1 : 0;
  case FC_NS2D_CIRCULAR: {
    const double left = (double)(n * n - strict) / 9 - (double)(kx * kx);
    return left < 0 ? 0 : (int64_t)floor(sqrt(left)) + 1;
  }
  case FC_NS2D_THREE_HALVES:
    return llabs(kx) < n / 2 ? n / 2 : 0;
  default:
    return s->nh;
  }
}

static void fill_wave_numbers(fc_ns2d *s) {
  const double  unit = 2 * M_PI / s->c.length;
  const int64_t n    = s->n;

  for (int64_t i = 0; i < n; i++) {
    const double k = unit * (double)fc_fft2_mode(i, n);
    s->kx[i]       = i == n / 2 ? 0 : k; /* the derivative of the highest mode vanishes on the grid */
    s->kx2[i]      = k * k;
    s->cut[i]      = kept(s, fc_fft2_mode(i, n));
  }
  for (int64_t j = 0; j < s->nh; j++) {
    s->ky[j]  = j == n / 2 ? 0 : unit * (double)j;
    s->ky2[j] = unit * unit * (double)(j * j);
  }
  for (int64_t i = 0; i < s->m; i++) {
    const int64_t k = fc_fft2_mode(i, s->m);
    s->source[i]    = s->m == n ? i : llabs(k) < n / 2 ? (k + n) % n : -1;
  }
}

static double *mode_of(const fc_ns2d *s, double *hat, int64_t kx, int64_t ky) {
  return hat + 2 * ((kx + s->n) % s->n * s->nh + ky);
}

/* curl f: amplitude (sin + cos)(2 pi m (x + y)/L) taken as it is (FNO), or f = (amplitude sin(2 pi m y/L), 0)
 */
static void fill_force(fc_ns2d *s) {
  const int64_t m = s->c.forcing_mode;
  const double  a = s->c.amplitude;

  if (s->c.forcing == FC_NS2D_FORCE_FNO) { /* sin + cos = Re((1 - i) exp(i..)) */
    double *z = mode_of(s, s->force, m, m);
    z[0]      = a / 2;
    z[1]      = -a / 2;
  } else if (s->c.forcing == FC_NS2D_FORCE_KOLMOGOROV)
    mode_of(s, s->force, 0, m)[0] = -a * (2 * M_PI * (double)m / s->c.length) / 2;
}

static int64_t shared_size(int64_t n, int64_t nh) { return 2 * n + 2 * nh + 2 * n * nh + 5 * 8; }

/* the next n doubles of a block, on a cache line */
static double *carve(double **block, int64_t n) {
  double *p = *block;

  *block += (n + 7) / 8 * 8;
  return p;
}

fc_status fc_ns2d_create(const fc_ns2d_config *config, fc_ns2d **out) {
  fc_ns2d  *s = calloc(1, sizeof *s);
  fc_status status;

  *out = NULL;
  FC_REQUIRE(s, FC_E_SYSTEM, "no memory for the solver");
  s->c      = fc_ns2d_resolve(config);
  s->n      = s->c.n;
  s->nh     = s->n / 2 + 1;
  s->m      = s->c.dealias == FC_NS2D_THREE_HALVES ? 3 * s->n / 2 : s->n;
  s->mh     = s->m / 2 + 1;
  s->dx     = s->c.length / (double)s->n;
  s->block  = fc_fft2_alloc(shared_size(s->n, s->nh));
  s->cut    = calloc((size_t)s->n, sizeof *s->cut);
  s->source = calloc((size_t)s->m, sizeof *s->source);
  status    = s->block && s->cut && s->source
                  ? FC_OK
                  : fc_fail(FC_E_SYSTEM, "no memory for a grid of %lld x %lld points", (long long)s->n,
                            (long long)s->n);
  if (status != FC_OK) goto fail;
  double *p = s->block;
  s->kx     = carve(&p, s->n);
  s->kx2    = carve(&p, s->n);
  s->ky     = carve(&p, s->nh);
  s->ky2    = carve(&p, s->nh);
  s->force  = carve(&p, 2 * s->n * s->nh);
  fill_wave_numbers(s);
  fill_force(s);
  FC_TRY_TO(fail, status, fc_fft2_create(s->n, s->n, s->c.fft, &s->fft));
  s->pad = s->fft;
  if (s->m != s->n) FC_TRY_TO(fail, status, fc_fft2_create(s->m, s->m, s->c.fft, &s->pad));
  if (s->c.reduce && s->c.n_keep != s->n)
    FC_TRY_TO(fail, status, fc_fft2_create(s->c.n_keep, s->c.n_keep, s->c.fft, &s->keep));
  *out = s;
  return FC_OK;
fail:
  fc_ns2d_destroy(s);
  return status;
}

void fc_ns2d_destroy(fc_ns2d *s) {
  if (!s) return;
  fc_fft2_destroy(s->keep);
  if (s->pad != s->fft) fc_fft2_destroy(s->pad);
  fc_fft2_destroy(s->fft);
  free(s->cut);
  free(s->source);
  free(s->block);
  free(s);
}

typedef struct {
  int64_t spectrum, hat, x, rows, total;
  int     stages, rates, products;
  bool    etd;
} sizes;

static sizes work_sizes(const fc_ns2d_config *c) {
  const int64_t n = c->n, m = c->dealias == FC_NS2D_THREE_HALVES ? 3 * n / 2 : n;
  sizes         z = {.spectrum = 2 * n * (n / 2 + 1), .hat = 2 * m * (m / 2 + 1), .x = m * m, .rows = m};

  z.etd      = c->scheme == FC_NS2D_ETDRK4;
  z.stages   = c->scheme == FC_NS2D_EULER_CN ? 0 : z.etd ? 3 : 1;
  z.rates    = c->scheme == FC_NS2D_EULER_CN ? 1 : z.etd ? 4 : 2;
  z.products = c->form == FC_NS2D_CONVECTIVE ? 4 : 3;
  z.total = (1 + z.stages + z.rates) * (z.spectrum + 8) + z.products * (z.hat + z.x + 16) + 3 * (z.rows + 8) +
            (z.etd ? 6 * (z.spectrum / 2 + 8) : 0);
  return z;
}

fc_status fc_ns2d_work_create(const fc_ns2d *s, fc_ns2d_work **out) {
  const sizes   z = work_sizes(&s->c);
  fc_ns2d_work *k = calloc(1, sizeof *k);

  *out = NULL;
  FC_REQUIRE(k, FC_E_SYSTEM, "no memory for the solver");
  k->block = fc_fft2_alloc(z.total);
  if (!k->block) {
    free(k);
    return fc_fail(FC_E_SYSTEM,
                   "no memory for the solver: %.0f MB a trajectory; use a smaller grid or fewer threads",
                   (double)z.total * 8e-6);
  }
  double *p = k->block;
  k->w      = carve(&p, z.spectrum);
  for (int i = 0; i < z.stages; i++) k->stage[i] = carve(&p, z.spectrum);
  for (int i = 0; i < z.rates; i++) k->rate[i] = carve(&p, z.spectrum);
  for (int i = 0; i < z.products; i++) k->hat[i] = carve(&p, z.hat), k->x[i] = carve(&p, z.x);
  for (int i = 0; i < 3; i++) k->row[i] = carve(&p, z.rows);
  for (int i = 0; z.etd && i < 6; i++) k->etd[i] = carve(&p, z.spectrum / 2);
  k->etd_h = -1;
  *out     = k;
  return FC_OK;
}

void fc_ns2d_work_destroy(fc_ns2d_work *k) {
  if (!k) return;
  free(k->block);
  free(k);
}

int64_t fc_ns2d_bytes(const fc_ns2d_config *config, int workers) {
  const fc_ns2d_config c = fc_ns2d_resolve(config);

  return (shared_size(c.n, c.n / 2 + 1) + workers * work_sizes(&c).total) * (int64_t)sizeof(double);
}

/* ---- initial fields ---- */

static void drop_masked(const fc_ns2d *s, double *hat) {
  for (int64_t i = 0; i < s->n; i++)
    for (int64_t j = s->cut[i]; j < s->nh; j++) hat[2 * (i * s->nh + j)] = hat[2 * (i * s->nh + j) + 1] = 0;
}

static void start_masked(const fc_ns2d *s, double *hat) {
  hat[0] = hat[1] = 0; /* the mean vorticity of a periodic flow is zero */
  if (s->c.mask == FC_NS2D_MASK_GALERKIN || s->c.dealias == FC_NS2D_THREE_HALVES) drop_masked(s, hat);
}

void fc_ns2d_start(const fc_ns2d *s, fc_ns2d_work *k, int64_t traj) {
  const fc_ns2d_config *c    = &s->c;
  const int64_t         m    = c->initial_mode;
  const double          unit = 2 * M_PI / c->length, f = unit * (double)c->forcing_mode;

  memset(k->w, 0, (size_t)(2 * s->n * s->nh) * sizeof *k->w);
  switch (c->initial) {
  case FC_NS2D_GRF:
  case FC_NS2D_GRF_HALF: {
    const fc_rng r = {(uint64_t)c->seed, (uint64_t)(c->first_traj + traj), FC_RNG_FIELD};
    const fc_grf g = {c->initial == FC_NS2D_GRF ? FC_GRF_REAL_PART : FC_GRF_HALF, c->length, c->alpha, c->tau,
                      c->sigma};
    fc_grf_2d(&g, &r, s->n, k->w);
    break;
  }
  case FC_NS2D_TAYLOR: /* 2 q cos qx cos qy, q = 2 pi m/L */
    mode_of(s, k->w, m, m)[0] = mode_of(s, k->w, -m, m)[0] = unit * (double)m / 2;
    break;
  case FC_NS2D_LAMINAR: /* balance of Kolmogorov forcing, viscosity and drag */
    mode_of(s, k->w, 0, c->forcing_mode)[0] = -c->amplitude * f / (2 * (c->nu * f * f + c->mu));
    break;
  default:
    break; /* at rest */
  }
  start_masked(s, k->w);
}

void fc_ns2d_set(const fc_ns2d *s, fc_ns2d_work *k, const fc_real *x) {
  const double scale = 1 / (double)(s->n * s->n);

  for (int64_t i = 0; i < s->n * s->n; i++) k->x[0][i] = scale * (double)x[i];
  fc_fft2_forward(s->fft, k->x[0], k->w);
  start_masked(s, k->w);
}

void fc_ns2d_values(const fc_ns2d *s, fc_ns2d_work *k, fc_real *x) {
  const int64_t keep = s->c.n_keep, grid = s->keep ? keep : s->n, stride = grid / keep;

  fc_fft2_resize(s->n, k->w, grid, k->hat[0]);
  fc_fft2_inverse(s->keep ? s->keep : s->fft, k->hat[0], k->x[0]);
  for (int64_t i = 0; i < keep; i++)
    for (int64_t j = 0; j < keep; j++) x[i * keep + j] = (fc_real)k->x[0][(i * grid + j) * stride];
}
