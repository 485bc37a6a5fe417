/* solvers/box3d_les.h - what a subgrid model needs from solvers/box3d.h: gradients at the points where
   products are taken, and the force of a stress. A closure (fc_box3d_closure) is made of either
     fc_box3d_eddies      nu_t from the gradients at a point alone: blocks stay in the cache, nothing is
   stored fc_box3d_points, fc_box3d_stress      the flow on all points of this rank, for models that filter it
   of a flow with c.closure set, which has room for them. All are collective when the flow is shared; they
   return the first failure of communication. */
#ifndef FC_BOX3D_LES_H
#define FC_BOX3D_LES_H
#include "solvers/box3d.h"

/* nu_t at n points with gradients g[3 i + j][n] = du_i/dx_j; several threads at once */
typedef void (*fc_box3d_viscosity)(void *self, int64_t n, const double *const *g, double *nu_t);

/* force[3] (spectra) = div(2 nu_t S) of the flow u. Fourteen transforms. */
fc_status fc_box3d_eddies(const fc_box3d *s, fc_box3d_work *k, double *const *u, fc_box3d_viscosity viscosity,
                          void *self, double *const *force);

/* v[3] and g[9], each [nx, m, m] on this rank's planes of s->grid; v may be NULL */
fc_status fc_box3d_points(const fc_box3d *s, fc_box3d_work *k, double *const *u, double *const *v,
                          double *const *g);
/* force = div(2 nu_t S) from nu_t[nx, m, m] and the gradients of fc_box3d_points */
fc_status fc_box3d_stress(const fc_box3d *s, fc_box3d_work *k, const double *nu_t, double *const *g,
                          double *const *force);
#endif
