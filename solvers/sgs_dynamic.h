/* solvers/sgs_dynamic.h - the dynamic Smagorinsky model: nu_t = c |S| with c = (C_s D)^2 from the flow
   itself. A hat is the test filter (solvers/sgs_filter.h), a the square of the ratio of widths: L_ij = (u_i
   u_j)^ - u_i^ u_j^,   M_ij = 2 ((|S| S_ij)^ - a |S^| S_ij^),   c = <L:M>/<M:M> Germano, Piomelli, Moin and
   Cabot, Phys. Fluids A 3 (1991), with Lilly's contraction, Phys. Fluids A 4 (1992). Deviators only: S loses
   its trace, L:M does not see that of L. <> is the mean over a plane     filtered along both its axes, a =
   4^(2/3) = 2.52 (the third width stays): a c for each plane of a channel; the box     filtered along all
   three axes, a = 4, one c: isotropic turbulence. c may be negative: fc_sgs_eddies (solvers/sgs.h) clips nu_t
   at 0, which takes no energy back, or at -nu, where all viscosity ends. Eighteen fields are filtered, two as
   one complex number; with the cut-off, L and M exist on every second point. */
#ifndef FC_SGS_DYNAMIC_H
#define FC_SGS_DYNAMIC_H
#include "solvers/sgs_filter.h"
#include "solvers/turn.h"

enum { FC_SGS_PAIRS = 9 }; /* filtered: u, S, u u, |S| S */

typedef struct fc_sgs_plane { /* planes of n0 x n1 points */
  int64_t        n0, n1, m0, m1;
  double         a;
  fc_sgs_filter *first, *second;
  int            lanes;
  int64_t        each; /* numbers of a lane in work */
  double        *work;
} fc_sgs_plane;

/* keep0, keep1: points that resolve the flow (n0, n1 but for padded grids). FC_E_SYSTEM: no memory. */
fc_status fc_sgs_plane_create(fc_sgs_filter_kind kind, int64_t n0, int64_t n1, int64_t keep0, int64_t keep1,
                              int lanes, bool measure, fc_sgs_plane **out);
void      fc_sgs_plane_destroy(fc_sgs_plane *d); /* NULL is fine */

/* c of one plane from u[3] and g[9] as in solvers/sgs.h, each [n0, n1]; also |S| of its points. A lane is
   used by one thread at a time. */
double fc_sgs_plane_find(fc_sgs_plane *d, int lane, const double *const u[3], const double *const g[9],
                         double *strain);

typedef struct fc_sgs_box {               /* n[0] x n[1] x n[2] points */
  int64_t        n[3], m[3], lines, rows; /* of this rank: of the first axis; of the second when turned */
  double         a;
  fc_sgs_filter *filter[3];
  fc_turn       *turn; /* NULL: this rank has all */
  int            threads;
  int64_t        each;                                      /* numbers of a thread in work */
  double        *apart[FC_SGS_PAIRS], *whole[FC_SGS_PAIRS]; /* [lines, m1, m2] and [rows, n0, m2] pairs */
  double        *work, *sums, *block;
} fc_sgs_box;

/* keep as above. shared: the ranks share the first axis (collective), else this rank has the whole box. */
fc_status fc_sgs_box_create(bool shared, fc_sgs_filter_kind kind, const int64_t n[3], const int64_t keep[3],
                            bool measure, fc_sgs_box **out);
void      fc_sgs_box_destroy(fc_sgs_box *d); /* NULL is fine */

/* The same c on all ranks from their lines [n0 of this rank, n1, n2]. Collective if
   shared. FC_E_COMM: a rank has died. */
fc_status fc_sgs_box_find(fc_sgs_box *d, const double *const u[3], const double *const g[9], double *c);

/* ---- the parts of both, at n points ---- */

/* pair[9][n][2] of what is filtered, and |S| */
void fc_sgs_factors(int64_t n, const double *const u[3], const double *const g[9],
                    double *const pair[FC_SGS_PAIRS], double *strain);
/* L:M and M:M from the filtered pairs, summed over n points */
void fc_sgs_contract(int64_t n, double *const pair[FC_SGS_PAIRS], double a, double *lm, double *mm);
#endif
