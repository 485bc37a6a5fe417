/* solvers/gradient.h - derivatives of fields [X, Y, Z] on rectilinear grids in double precision: exact for
   the Fourier series of the points along periodic axes of even spacing, else of second order, from the
   parabola through three neighbouring points. */
#ifndef FC_GRADIENT_H
#define FC_GRADIENT_H
#include "core/base.h"

typedef struct fc_grid_axes {
  int64_t       dim[3];
  const double *x[3];        /* rising coordinates */
  bool          periodic[3]; /* and evenly spaced: the length is dim (x[1] - x[0]) */
} fc_grid_axes;

typedef struct fc_gradient fc_gradient;

/* FC_E_USAGE: an axis has too few points, two if periodic and three if not; FC_E_SYSTEM: no memory */
fc_status fc_gradient_create(const fc_grid_axes *grid, fc_gradient **out);
void      fc_gradient_destroy(fc_gradient *g); /* NULL is fine */
/* df = d f / d x_axis; f and df [X, Y, Z] are different arrays. The highest mode of an even number of points
   has no derivative on the grid and counts as none. */
void fc_gradient_of(fc_gradient *g, int axis, const double *f, double *df);

/* div u at all points; work [X, Y, Z]. Largest magnitude and mean square, of the points inside: those on the
   ends of axes that are not periodic are left out, because one-sided slopes say little there. */
void fc_divergence(fc_gradient *g, const double *const u[3], double *div, double *work);
void fc_divergence_size(const fc_gradient *g, const double *div, double *largest, double *mean_square);
/* the same of the velocity on both ends of axis a: what no-slip walls leave of it */
void fc_wall_residual(const fc_gradient *g, int a, const double *const u[3], double *largest,
                      double *mean_square);
#endif
