/* solvers/box3d_force.c - forcing of the largest eddies, |k| <= forcing_band, without any random numbers:
   - rescale: their amplitude is scaled after each step so that the energy of the whole flow stays the same
     (Lamorgese, Caughey and Pope, Phys. Fluids 17 (2005) 015106, as spectralDNS has it);
   - power: f = a u with a = power/(2 E_band), so that <f.u> = power at all times. */
#include "core/parallel.h"
#include "solvers/box3d.h"

#include <math.h>

int64_t fc_box3d_band(const fc_box3d *s, int64_t j, int64_t i) {
  const int64_t kx = fc_slab3_mode(s->grid, i), ky = fc_slab3_mode(s->grid, s->grid->k0 + j);
  const double  left = s->c.forcing_band * s->c.forcing_band - (double)(kx * kx + ky * ky);

  return left < 0 ? 0 : fc_min64((int64_t)floor(sqrt(left)) + 1, fc_box3d_kept(s, j, i));
}

double fc_box3d_row_energy(const fc_box3d *s, double *const *u, int64_t j, int64_t i, int64_t n) {
  double all = 0, axis = 0;

  for (int a = 0; a < 3; a++) {
    const double *z = fc_box3d_row(s, u[a], j, i);
    for (int64_t c = 0; c < 2 * n; c++) all += z[c] * z[c];
    if (n > 0) axis += z[0] * z[0] + z[1] * z[1];
  }
  return all - axis / 2; /* modes with kz > 0 stand for their conjugates too */
}

void fc_box3d_sum(const fc_box3d *s, fc_box3d_work *k, double *x, int n) {
  if (!s->shared || k->status != FC_OK) return;
  k->status = fc_comm_sum_double(NULL, x, n);
}

static bool mean_row(const fc_box3d *s, int64_t j, int64_t i) { return i == 0 && s->grid->k0 + j == 0; }

static double mean_energy(const fc_box3d *s, double *const *u) {
  double e = 0;

  for (int a = 0; a < 3; a++) e += s->grid->k0 == 0 && s->grid->ny > 0 ? u[a][0] * u[a][0] / 2 : 0;
  return e;
}

/* of the forced modes, without the mean flow; few rows have any */
static double band_energy(const fc_box3d *s, double *const *u) {
  double e = -mean_energy(s, u);

  for (int64_t j = 0; j < s->grid->ny; j++)
    for (int64_t i = 0; i < s->grid->my; i++) {
      const int64_t n = fc_box3d_band(s, j, i);
      if (n > 0) e += fc_box3d_row_energy(s, u, j, i, n);
    }
  return e;
}

void fc_box3d_lift(const fc_box3d *s, fc_box3d_work *k, double *const *u) {
  k->lift = 0;
  if (s->c.forcing != FC_BOX3D_POWER) return;
  double e = band_energy(s, u);
  fc_box3d_sum(s, k, &e, 1);
  k->lift = e > 0 ? s->c.power / (2 * e) : 0;
}

static void scale_row(const fc_box3d *s, fc_box3d_work *k, int64_t j, int64_t i, double factor) {
  const int64_t n = fc_box3d_band(s, j, i);

  for (int a = 0; a < 3; a++) {
    double *z = fc_box3d_row(s, k->u[a], j, i);
    for (int64_t c = mean_row(s, j, i) ? 2 : 0; c < 2 * n; c++) z[c] *= factor;
  }
}

void fc_box3d_rescale(const fc_box3d *s, fc_box3d_work *k) {
  double e[2] = {-mean_energy(s, k->u), band_energy(s, k->u)};

  FC_FOR_ROWS(j, s->grid->ny, 4 * s->grid->my * s->grid->mz) {
    k->part[3][j] = 0;
    for (int64_t i = 0; i < s->grid->my; i++)
      k->part[3][j] += fc_box3d_row_energy(s, k->u, j, i, s->grid->mz);
  }
  for (int64_t j = 0; j < s->grid->ny; j++) e[0] += k->part[3][j];
  fc_box3d_sum(s, k, e, 2);
  const double want = s->c.energy - (e[0] - e[1]), factor = e[1] > 0 ? sqrt(fmax(0, want / e[1])) : 0;
  for (int64_t j = 0; j < s->grid->ny; j++)
    for (int64_t i = 0; i < s->grid->my; i++) scale_row(s, k, j, i, factor);
  k->given += e[1] * (factor * factor - 1);
}
