/* solvers/multigrid.h - symmetric positive definite systems of a five-point stencil on a rectangle,
     sum over the four neighbours q of p: link_pq (u_p - u_q) = b_p,   u = 0 beyond the border,
   by conjugate gradients with one V-cycle as preconditioner. Interpolation follows the stencil and coarse
   matrices are P^T A P with nine points (Dendy, J. Comput. Phys. 48 (1982), "black box multigrid"), so links
   may jump by orders of magnitude and grids may have any number of points. Single-threaded and without
   allocation after fc_multigrid_create: different systems may be solved at the same time. */
#ifndef FC_MULTIGRID_H
#define FC_MULTIGRID_H
#include "core/base.h"

enum { FC_MG_LEVELS = 16 };

/* Arrays of a level are [nx + 2, ny + 2], the border is zero. Links are minus the matrix entries. */
typedef struct fc_mg_level {
  int64_t nx, ny, ld; /* ld = ny + 2 */
  double *c, *inv;    /* diagonal and its inverse */
  double *e, *s, *se,
      *sw; /* links to (i, j+1), (i+1, j), (i+1, j+1), (i+1, j-1); the last two 0 on level 0 */
  double *u, *b, *r;
  double *p[8]; /* of this level's points to their eight neighbours on the finer level */
} fc_mg_level;

typedef struct fc_multigrid {
  int         levels;
  fc_mg_level level[FC_MG_LEVELS];
  double     *x, *r, *d; /* solution, residual, direction of the conjugate gradients */
  double     *block;     /* owns all arrays */
} fc_multigrid;

fc_status fc_multigrid_create(int64_t nx, int64_t ny, fc_multigrid **out); /* FC_E_SYSTEM: no memory */
void      fc_multigrid_destroy(fc_multigrid *m);                           /* NULL is fine */
int64_t   fc_multigrid_bytes(int64_t nx, int64_t ny);

/* The matrix: down[nx + 1, ny] are the links between rows i-1 and i, right[nx, ny + 1] those between columns
   j-1 and j; the first and last lead to the border. All >= 0, and at least one to the border > 0. */
void fc_multigrid_set(fc_multigrid *m, const double *down, const double *right);

/* u[nx, ny] with |b - A u| <= tolerance |b| in the 2-norm, from u = 0; returns the iterations taken, or -1 if
   `most` were not enough or the matrix turned out not to be positive definite. */
int fc_multigrid_solve(fc_multigrid *m, const double *b, double tolerance, int most, double *u);

/* For fc_multigrid_solve and tests: level 0's u from its b by one V-cycle; y = A x on level 0 (with borders)
 */
void fc_multigrid_cycle(fc_multigrid *m);
void fc_multigrid_apply(const fc_mg_level *l, bool nine, const double *x, double *y);
#endif
