/* solvers/sgs.h - subgrid-scale models of large-eddy simulation: the eddy viscosity nu_t of
     tau_ij - delta_ij tau_kk/3 = -2 nu_t S_ij,   S_ij = (g_ij + g_ji)/2,   g_ij = du_i/dx_j,
     |S| = sqrt(2 S_ij S_ij)
   at points where the flow solver knows the gradients. Widths dx, dy, dz; D = (dx dy dz)^(1/3).
     Smagorinsky   (C f D)^2 |S|, f the damping at walls; Smagorinsky, Mon. Weather Rev. 91 (1963)
     WALE          (C D)^2 (Q:Q)^(3/2)/((S:S)^(5/2) + (Q:Q)^(5/4)), Q the deviator of the symmetric part of
                   g g; Nicoud and Ducros, Flow Turb. Combust. 62 (1999)
     Vreman        C sqrt(B/(g_ij g_ij)), B the second invariant of b_ij = sum_m D_m^2 g_im g_jm;
                   Vreman, Phys. Fluids 16 (2004)
   The dynamic models, which find C in the flow itself, are in solvers/sgs_dynamic.h and sgs_clipped.h. */
#ifndef FC_SGS_H
#define FC_SGS_H
#include "core/base.h"

#include <math.h>

typedef enum {
  FC_SGS_NONE,
  FC_SGS_SMAGORINSKY,
  FC_SGS_DYNAMIC,
  FC_SGS_WALE,
  FC_SGS_VREMAN,
  FC_SGS_DYNAMIC_CLIPPED
} fc_sgs_model;

/* The constant that sgs_constant = 0 stands for: Smagorinsky 0.11 beside walls (with damping), else 0.17
   (Lilly); WALE 0.325 beside walls, else 0.5; Vreman 0.07; clipped: the largest C that is kept, 0.3. Dynamic:
   none, 0. */
double fc_sgs_usual(fc_sgs_model model, bool walls);

/* van Driest's damping 1 - exp(-y+/25) */
double fc_sgs_damping(double y_plus);

/* nu_t at n points by Smagorinsky, WALE or Vreman, from g[3 i + j][n]. Smagorinsky needs g + g^T only, so S
   itself will do as g. No nu_t is negative; where all gradients vanish it is 0. */
void fc_sgs_viscosity(fc_sgs_model model, double constant, int64_t n, const double *const g[9],
                      const double width[3], double damping, double *nu_t);

/* nu_t = max(c |S|, least), c = (C D)^2 from a dynamic model; and the same where nu_t holds |S| already */
void fc_sgs_eddies(int64_t n, const double *const g[9], double c, double least, double *nu_t);
void fc_sgs_close(int64_t n, double c, double least, double *nu_t);

/* |S| of a deviator from five of its components */
static inline double fc_sgs_strain(double xx, double yy, double xy, double xz, double yz) {
  return 2 * sqrt(xx * xx + yy * yy + xx * yy + xy * xy + xz * xz + yz * yz);
}
#endif
