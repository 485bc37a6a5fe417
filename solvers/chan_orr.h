/* solvers/chan_orr.h - the most unstable wave of plane Poiseuille flow U = 1 - x^2, -1 <= x <= 1: v = phi(x)
   exp(i alpha (s - c t)) with the Orr-Sommerfeld equation
     (U - c)(phi'' - alpha^2 phi) - U'' phi = (phi'''' - 2 alpha^2 phi'' + alpha^4 phi)/(i alpha Re),
   phi = phi' = 0 at the walls, by Chebyshev collocation (Trefethen, Spectral Methods in MATLAB, 2000, program
   40, for the clamped fourth derivative). */
#ifndef FC_CHAN_ORR_H
#define FC_CHAN_ORR_H
#include "core/base.h"

enum { FC_CHAN_ORR_POINTS = 80 };

typedef struct fc_chan_orr {
  double c[2]; /* phase speed and growth rate / alpha */
  double x[FC_CHAN_ORR_POINTS + 1], phi[2 * (FC_CHAN_ORR_POINTS + 1)]; /* cos(pi i/n); largest value 1 */
} fc_chan_orr;

fc_status fc_chan_orr_solve(double re, double alpha, fc_chan_orr *out);   /* FC_E_NUMERIC, FC_E_SYSTEM */
void      fc_chan_orr_value(const fc_chan_orr *o, double x, double v[2]); /* phi at x, barycentric */
#endif
