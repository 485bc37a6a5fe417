/* solvers/chan_start.c - initial fields: a mean flow with disturbances that are free of divergence on the
   staggered grid from the start. A mode (kx, kz) is given by its v and its vorticity w_y; with d = -dv/dy of
   the cells, u = (kz w_y - i kx d)/k^2 i.e. i kx u + i kz w = d, and i kz u - i kx w = i w_y. */
#include "core/rng.h"
#include "solvers/chan.h"
#include "solvers/chan_orr.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- mean flow ---- */

/* the discrete laminar flow: L u = -1 with no slip, which a run keeps to rounding */
static void laminar(const fc_chan_grid *g, double *u, double *factor) {
  const double *lower = g->lower[FC_CHAN_CELLS], *upper = g->upper[FC_CHAN_CELLS];

  for (int64_t j = 0; j < g->n; j++) {
    const double a = -lower[j], m = 1 / (lower[j] + upper[j] - (j > 0 ? a * factor[j - 1] : 0));
    factor[j] = -upper[j] * m;
    u[j]      = (1 - (j > 0 ? a * u[j - 1] : 0)) * m;
  }
  for (int64_t j = g->n - 2; j >= 0; j--) u[j] -= factor[j] * u[j + 1];
}

/* Reichardt's profile (Z. angew. Math. Mech. 31, 1951) with kappa 0.41; the friction from Re_tau = 0.09 (2
   U_b/nu)^0.88 (Pope, Turbulent Flows, 2000, section 7.1.5) where it is not given */
static void reichardt(const fc_chan *s, double *u) {
  const fc_chan_config *c  = &s->c;
  const double          re = c->re_tau > 0 ? c->re_tau : 0.09 * pow(2 * c->bulk / c->nu, 0.88);

  for (int64_t j = 0; j < c->ny; j++) {
    const double y = re * fmin(s->grid->c[j], 2 - s->grid->c[j]);
    u[j]           = log(1 + 0.41 * y) / 0.41 + 7.8 * (1 - exp(-y / 11) - y / 11 * exp(-y / 3));
  }
}

static void start_mean(fc_chan *s) {
  double flow = 0, *u = s->ones;

  if (s->k_lo > 0 || s->k_n == 0) return;
  if (s->c.mean == FC_CHAN_REICHARDT)
    reichardt(s, u);
  else
    laminar(s->grid, u, s->columns);
  for (int64_t j = 0; j < s->c.ny; j++) flow += 0.5 * s->grid->dc[j] * u[j];
  for (int64_t j = 0; j < s->c.ny; j++) s->state[FC_CHAN_U][j * s->row] = s->c.bulk / flow * u[j];
}

/* ---- disturbances ---- */

typedef struct {
  double re, im;
} number;

/* v at both faces and vorticity in cell j of one mode, into the state at entry i of kx and lane l */
static void put(fc_chan *s, int64_t i, int64_t l, int64_t j, number below, number above, number vorticity) {
  const double  kx = s->kx[i], kz = s->kz[l], k2 = kx * kx + kz * kz, id = 1 / s->grid->dc[j];
  const int64_t at = ((i - s->k_lo) * s->c.ny + j) * s->row + l, im = at + s->nk;
  const number  d = {-id * (above.re - below.re), -id * (above.im - below.im)};

  s->state[FC_CHAN_V][at] = below.re;
  s->state[FC_CHAN_V][im] = below.im;
  s->state[FC_CHAN_U][at] += (kz * vorticity.re + kx * d.im) / k2;
  s->state[FC_CHAN_U][im] += (kz * vorticity.im - kx * d.re) / k2;
  s->state[FC_CHAN_W][at] += (-kx * vorticity.re + kz * d.im) / k2;
  s->state[FC_CHAN_W][im] += (-kx * vorticity.im - kz * d.re) / k2;
}

static int64_t wave_of(const fc_chan *s, int64_t i) { return i <= s->nkx / 2 ? i : i - s->nkx; }

/* (1 - x^2)^2 (a + b x) for v, (1 - x^2)(a + b x) for the vorticity, x = y - 1 */
static number shape(double y, int power, const double z[4]) {
  const double x = y - 1, q = 1 - x * x, f = power == 2 ? q * q : q;

  return (number){f * (z[0] + z[1] * x), f * (z[2] + z[3] * x)};
}

/* Eight normal numbers of mode (m, l), which belong to it on every grid; m < 0 at l = 0 is the conjugate of
 * -m. */
static void draw(const fc_rng *r, int64_t m, int64_t l, double scale, double z[8]) {
  const bool     turned = l == 0 && m < 0;
  const uint64_t at     = ((uint64_t)((turned ? -m : m) + (1 << 20)) << 24) + ((uint64_t)l << 3);

  for (int i = 0; i < 8; i++) {
    z[i] = scale * fc_rng_normal(r, at + (uint64_t)i);
    if (turned && i % 4 >= 2) z[i] = -z[i];
  }
}

static void noise_mode(fc_chan *s, const fc_rng *r, int64_t i, int64_t l) {
  const fc_chan_grid *g     = s->grid;
  const int64_t       waves = s->c.noise_modes, n = s->c.ny;
  const double        scale = s->c.noise * s->c.bulk / (2 * (double)waves);
  double              z[8];

  draw(r, wave_of(s, i), l, scale, z);
  for (int64_t j = 0; j < n; j++) {
    const number none = {0, 0}, here = j > 0 ? shape(g->y[j], 2, z) : none;
    const number up = j < n - 1 ? shape(g->y[j + 1], 2, z) : none;
    number       w  = shape(g->c[j], 1, z + 4);
    const double k  = sqrt(s->kx[i] * s->kx[i] + s->kz[l] * s->kz[l]);
    w               = (number){k * w.re, k * w.im};
    if (l == 0 && wave_of(s, i) < 0) w = (number){-w.re, -w.im}; /* w = -kx w_y/k^2 is conjugate */
    put(s, i, l, j, here, up, w);
  }
}

static void add_noise(fc_chan *s, int64_t traj) {
  const fc_rng  r     = {(uint64_t)s->c.seed, (uint64_t)(s->c.first_traj + traj), FC_RNG_FIELD};
  const int64_t waves = s->c.noise_modes;

  for (int64_t i = s->k_lo; i < s->k_lo + s->k_n; i++)
    for (int64_t l = 0; l < fc_min64(s->nk, waves + 1); l++)
      if (llabs(wave_of(s, i)) <= waves && (i > 0 || l > 0)) noise_mode(s, &r, i, l);
}

/* the most unstable wave of length length_x, with v of size noise times the speed at the centre */
static fc_status add_wave(fc_chan *s) {
  const double centre = 1.5 * s->c.bulk, alpha = 2 * M_PI / s->c.length_x;
  fc_chan_orr  o;

  FC_TRY(fc_chan_orr_solve(centre / s->c.nu, alpha, &o));
  for (int64_t i = s->k_lo; i < s->k_lo + s->k_n; i++) {
    if (llabs(wave_of(s, i)) != 1) continue;
    for (int64_t j = 0; j < s->c.ny; j++) {
      const double sign = wave_of(s, i), half = 0.5 * s->c.noise * centre;
      double       a[2] = {0}, b[2] = {0};
      if (j > 0) fc_chan_orr_value(&o, s->grid->y[j] - 1, a);
      if (j < s->c.ny - 1) fc_chan_orr_value(&o, s->grid->y[j + 1] - 1, b);
      const number here = {half * a[0], sign * half * a[1]}, up = {half * b[0], sign * half * b[1]};
      put(s, i, 0, j, here, up, (number){0, 0});
    }
  }
  return FC_OK;
}

void fc_chan_start(fc_chan *s, int64_t traj) {
  const size_t size = (size_t)(s->k_n * s->c.ny * s->row) * sizeof(double);

  for (int a = 0; a < FC_CHAN_STATE; a++) memset(s->state[a], 0, size);
  for (int a = 0; a < 3; a++) memset(s->old[a], 0, size);
  s->time = s->push = 0;
  start_mean(s);
  if (s->c.initial == FC_CHAN_NOISE) add_noise(s, traj);
  if (s->c.initial == FC_CHAN_ORR_SOMMERFELD && s->status == FC_OK) s->status = add_wave(s);
  fc_chan_settle(s);
}
