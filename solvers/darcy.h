/* solvers/darcy.h - Darcy flow in the unit square: -div(a grad u) = f, u = 0 on the border.
   Fields a[n, n] and u[n, n] are values at the centres of n x n cells, x the first axis. Two discretisations:
   volumes  the flux balance of each cell, with the harmonic mean of a between cells (the flux through a jump
   at a face is then exact) or the arithmetic one; second order for smooth a nodes    that of the FNO data
   sets: splines carry a from the cells to n x n nodes with both ends on the border, five points with
   arithmetic means there, splines carry u back. Splines overshoot at jumps. */
#ifndef FC_DARCY_H
#define FC_DARCY_H
#include "solvers/multigrid.h"
#include "solvers/solver.h"

typedef enum { FC_DARCY_NODES, FC_DARCY_VOLUMES } fc_darcy_scheme;
typedef enum { FC_DARCY_ARITHMETIC, FC_DARCY_HARMONIC } fc_darcy_mean;
typedef enum { FC_DARCY_THRESHOLD, FC_DARCY_LOGNORMAL, FC_DARCY_UNIFORM } fc_darcy_kind;
typedef enum { FC_DARCY_CLOSED, FC_DARCY_STRIP } fc_darcy_sides; /* u = 0 all around; only at x = 0 and 1 */

typedef struct fc_darcy_config {
  int64_t n, stride; /* cells a side; every stride-th value is kept */
  int     coefficient;
  double  high, low, alpha, tau, sigma, force;
  int     scheme, mean, sides;
  double  tolerance;
  int64_t n_traj, first_traj, seed;
  bool    accurate;
} fc_darcy_config;

typedef struct fc_darcy { /* what one thread needs; nothing is allocated while it solves */
  fc_darcy_config     c;
  int64_t             nx, ny; /* cells */
  double             *a, *u;  /* [nx, ny] */
  const double       *f;      /* right-hand side [nx, ny], the caller's; NULL: c.force everywhere */
  double             *weight; /* of the random field's modes; only for fc_darcy_coefficient */
  double             *node;   /* a, then u, on nodes */
  double             *down, *right, *b, *x, *work;
  struct fftw_plan_s *cosines; /* coefficients of the random field to values, in a */
  fc_multigrid       *mg;
  int                 iterations; /* of the last solution */
  double             *block;
} fc_darcy;

enum { FC_DARCY_MOST = 200 }; /* iterations; ten are usual */

fc_darcy_config fc_darcy_resolve(const fc_darcy_config *c); /* accurate: volumes, harmonic */
/* c must have passed the solver's check; nx x ny cells, of which n x n is the case with random coefficients
 */
fc_status fc_darcy_create(const fc_darcy_config *c, int64_t nx, int64_t ny, fc_darcy **out);
void      fc_darcy_destroy(fc_darcy *d);
int64_t   fc_darcy_bytes(const fc_darcy_config *c);

void fc_darcy_coefficient(fc_darcy *d, int64_t traj); /* number traj of the configuration, into d->a */
/* d->u from d->a and d->f. FC_E_NUMERIC: a is not positive, or splines made it so. */
fc_status fc_darcy_solve(fc_darcy *d);

/* fc_solver_def.steady */
fc_status fc_darcy_steady(const void *config, const int64_t *dim, const double *lo, const double *hi,
                          const int64_t *cells, const fc_real *x, fc_real *y);
#endif
