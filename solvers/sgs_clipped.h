/* solvers/sgs_clipped.h - the variant of the dynamic model that a widely used code, Incompact3d, ships under
   that name (src/les_models.f90), so that users can see what the differences do. It departs from
   solvers/sgs_dynamic.h in these:
     1. c = L:M/M:M is formed at each point; what is below 0 or above `limit` is set to 0 (not to the limit);
   the result is averaged over the last axis alone and filtered along the others. <> of planes never occurs.
     2. The trace is taken from L component by component in place: what L_yy and L_zz lose holds the L_xx (and
        L_yy) that has already lost its share, so L has a trace, and other ones in its three components.
     3. The width at a point takes the spacing to the next point, at the last one that of the point before.
     4. The filter is `sixth` of solvers/sgs_filter.h along all axes, of ratio 1.4; the model counts on 2 (a =
   4).
     5. D^2 stands inside the filter: M_ij = 2 (D^2 |S| S_ij)^ - 2 (2 D)^2 |S^| S_ij^.
   Two things are not as there. S^ is the filtered S here, and S of the filtered velocity there: the same
   where filter and derivative commute (all axes of a periodic box; x and z of a channel). And from padded
   grids the fields come down to the grid of the flow by their waves. */
#ifndef FC_SGS_CLIPPED_H
#define FC_SGS_CLIPPED_H
#include "solvers/sgs_filter.h"
#include "solvers/turn.h"

enum { FC_SGS_CLIPPED_PAIRS = 10 }; /* filtered: u, S, u u, D^2 |S| S; one number is not used */

typedef struct fc_sgs_clipped {
  int64_t        n[3], m[3];      /* points given and points of the flow */
  int64_t        lo, lines, rows; /* of this rank: from line lo of the first axis; rows of the second */
  int64_t        row;             /* its first one */
  double         limit;
  fc_sgs_filter *filter[3], *c[2]; /* of all pairs along each axis; of c along the first two */
  fc_turn       *turn;             /* NULL: this rank has all */
  int            threads;
  int64_t        each;
  double        *apart[FC_SGS_CLIPPED_PAIRS], *whole[FC_SGS_CLIPPED_PAIRS];
  double        *width2, *flat[2], *work, *block; /* width2[n0]: D^2; flat: c as complex numbers [m0, m1] */
} fc_sgs_clipped;

/* x[n[0]]: points of the first axis, which has walls (at least 6 points, m[0] = n[0]), or NULL: all axes are
   periodic. d: spacings of the flow's m points (d[0] not with walls). shared: the ranks share the first axis
   (collective). FC_E_SYSTEM: no memory. */
fc_status fc_sgs_clipped_create(bool shared, const int64_t n[3], const int64_t m[3], const double *x,
                                const double d[3], double limit, fc_sgs_clipped **out);
void      fc_sgs_clipped_destroy(fc_sgs_clipped *s); /* NULL is fine */

/* c D^2 [m[0], m[1]], all of it on each rank, from u[3] and g[9] (solvers/sgs.h) on this rank's lines [lines,
   n[1], n[2]]. Collective if shared. FC_E_COMM: a rank has died. */
fc_status fc_sgs_clipped_find(fc_sgs_clipped *s, const double *const u[3], const double *const g[9],
                              double *c);
/* the same in two parts: line i (of this rank) of u and g, each [n[1], n[2]], at any time and by any thread;
   then the rest */
void fc_sgs_clipped_line(fc_sgs_clipped *s, int64_t i, const double *const u[3], const double *const g[9]);
fc_status fc_sgs_clipped_rest(fc_sgs_clipped *s, double *c);
#endif
