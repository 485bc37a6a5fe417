/* solvers/box3d_shape.c - energy spectra of random initial fields, E(k) with k in units of 2 pi/length. */
#include "solvers/box3d.h"

#include <math.h>

/* Grid turbulence behind a mesh of 5.08 cm in 10 m/s, 42 mesh lengths downstream: k in 1/cm, E in cm^3/s^2.
   Comte-Bellot and Corrsin, J. Fluid Mech. 48 (1971), table 3. */
static const double cbc[][2] = {{0.20, 129},  {0.25, 230},  {0.30, 322},  {0.40, 435},  {0.50, 457},
                                {0.70, 380},  {1.00, 270},  {1.50, 168},  {2.00, 120},  {2.50, 89.0},
                                {3.00, 70.3}, {4.00, 47.0}, {6.00, 24.7}, {8.00, 12.6}, {10.0, 7.42},
                                {12.5, 3.96}, {15.0, 2.33}, {17.5, 1.34}, {20.0, 0.80}};

/* by powers of k between the rows, as k^2 below the first, nothing beyond the last */
static double grid_turbulence(double k) {
  int i = 0;

  if (k < cbc[0][0]) return cbc[0][1] * (k / cbc[0][0]) * (k / cbc[0][0]);
  while (i < FC_COUNT(cbc) - 1 && k > cbc[i + 1][0]) i++;
  if (i == FC_COUNT(cbc) - 1) return 0;
  const double slope = log(cbc[i + 1][1] / cbc[i][1]) / log(cbc[i + 1][0] / cbc[i][0]);
  return cbc[i][1] * pow(k / cbc[i][0], slope);
}

double fc_box3d_shape(const fc_box3d_config *c, double k) {
  const double q = k / c->peak, unit = 2 * M_PI / c->length;

  switch (c->spectrum) {
  case FC_BOX3D_EXPONENTIAL:
    return pow(q, 4) * exp(-2 * q * q);
  case FC_BOX3D_GRID: /* length in m, velocities in m/s; the energy of a shell of width `unit` */
    return unit * 1e-6 * grid_turbulence(k * unit / 100);
  default:
    return q <= 1 ? q * q : pow(q, -5.0 / 3);
  }
}
