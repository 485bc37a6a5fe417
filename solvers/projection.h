/* solvers/projection.h - the nearest velocity without divergence: of all collocated fields with D u = 0 the
   one with the smallest integral of the squared change. D is the divergence that solvers/gradient.h measures.
   Periodic box: u_k - k (k.u_k) / k^2 for every mode.
   Channel (periodic x and z, walls on the ends of y): the walls come to rest (no slip); then, for each mode
   (kx, kz) and with cells h_j around the inner points,
     u = u* - h^-1 D^H s,  (D h^-1 D^H) s = D u*,  D = (i kx, T, i kz),
   T the slope along y of second order; a system of five diagonals, positive definite where (kx, kz) is not
   (0, 0). There the mean wall-normal velocity is zero. */
#ifndef FC_PROJECTION_H
#define FC_PROJECTION_H
#include "solvers/gradient.h"

typedef struct fc_projection fc_projection;

/* FC_E_USAGE: neither a box nor a channel; FC_E_SYSTEM: no memory */
fc_status   fc_projection_create(const fc_grid_axes *grid, fc_projection **out);
void        fc_projection_destroy(fc_projection *p); /* NULL is fine */
const char *fc_projection_text(const fc_projection *p);
/* x[X, Y, Z, stride], the velocity in the first three numbers of each point; rms of the divergence (inside)
   before and after */
void fc_projection_apply(fc_projection *p, int64_t stride, double *x, double size[2]);
#endif
