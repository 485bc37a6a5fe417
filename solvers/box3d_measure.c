/* solvers/box3d_measure.c - energy, enstrophy, helicity and the energy spectrum, from Parseval's theorem. */
#include "core/parallel.h"
#include "solvers/box3d.h"

#include <math.h>
#include <string.h>

/* sums over one row of |u|^2/2, |omega|^2/2 and Re conj(u).omega, with the modes it stands for */
FC_SIMD static void sums_of_row(const double *restrict u, const double *restrict v, const double *restrict w,
                                double kx, double ky, const double *restrict kz, int64_t n, double out[3]) {
  double e = 0, z = 0, h = 0;

  for (int64_t j = 0; j < n; j++) {
    const double ur = u[2 * j], ui = u[2 * j + 1], vr = v[2 * j], vi = v[2 * j + 1], wr = w[2 * j],
                 wi = w[2 * j + 1], one = j > 0 ? 1 : 0.5;
    const double xr = kz[j] * vi - ky * wi, xi = ky * wr - kz[j] * vr, yr = kx * wi - kz[j] * ui,
                 yi = kz[j] * ur - kx * wr, zr = ky * ui - kx * vi, zi = kx * vr - ky * ur;
    e += one * (ur * ur + ui * ui + vr * vr + vi * vi + wr * wr + wi * wi);
    z += one * (xr * xr + xi * xi + yr * yr + yi * yi + zr * zr + zi * zi);
    h += 2 * one * (ur * xr + ui * xi + vr * yr + vi * yi + wr * zr + wi * zi);
  }
  out[0] += e;
  out[1] += z;
  out[2] += h;
}

static void sums_of_rows(const fc_box3d *s, fc_box3d_work *k, int64_t j) {
  double out[3] = {0};

  for (int64_t i = 0; i < s->grid->my; i++)
    sums_of_row(fc_box3d_row(s, k->u[0], j, i), fc_box3d_row(s, k->u[1], j, i),
                fc_box3d_row(s, k->u[2], j, i), s->k[i], s->k[s->grid->k0 + j], s->kz, s->grid->mz, out);
  for (int a = 0; a < 3; a++) k->part[a][j] = out[a];
}

fc_box3d_budget fc_box3d_measure(const fc_box3d *s, fc_box3d_work *k) {
  double x[5] = {0, 0, 0, k->lost, 0};

  FC_FOR_ROWS(j, s->grid->ny, 8 * s->grid->my * s->grid->mz) sums_of_rows(s, k, j);
  for (int a = 0; a < 3; a++)
    for (int64_t j = 0; j < s->grid->ny; j++) x[a] += k->part[a][j];
  if (s->grid->k0 == 0 && s->grid->ny > 0)
    for (int a = 0; a < 3; a++) x[4] += k->u[a][0] * k->u[a][0] / 2;
  fc_box3d_sum(s, k, x, 5);
  return (fc_box3d_budget){x[0] - x[4], x[1], x[2], x[3], k->given, x[4]};
}

static int64_t shell(double k2) { return (int64_t)(sqrt(k2) + 0.5); }

int64_t fc_box3d_shells(const fc_box3d *s) { return shell(3 * (double)(s->grid->top * s->grid->top)) + 1; }

void fc_box3d_spectrum(const fc_box3d *s, fc_box3d_work *k, double *e) {
  const int64_t shells = fc_box3d_shells(s);

  memset(e, 0, (size_t)shells * sizeof *e);
  for (int64_t j = 0; j < s->grid->ny; j++)
    for (int64_t i = 0; i < s->grid->my; i++) {
      const int64_t kx = fc_slab3_mode(s->grid, i), ky = fc_slab3_mode(s->grid, s->grid->k0 + j);
      for (int64_t kz = 0; kz < s->grid->mz; kz++) {
        double all = 0;
        for (int a = 0; a < 3; a++) {
          const double *z = fc_box3d_row(s, k->u[a], j, i) + 2 * kz;
          all += z[0] * z[0] + z[1] * z[1];
        }
        e[shell((double)(kx * kx + ky * ky + kz * kz))] += kz > 0 ? all : all / 2;
      }
    }
  fc_box3d_sum(s, k, e, (int)shells);
}
