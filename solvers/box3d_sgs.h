/* solvers/box3d_sgs.h - large-eddy simulation in the periodic cube of solvers/box3d.h. Products and subgrid
   stresses go back together:
     u_t = -P div T + nu lap u + f,   T_ij = u_i u_j - 2 nu_t S_ij
   without its trace: five fields. 13 transforms an evaluation (16 for WALE and Vreman, which need all
   gradients) beside 9 of the rotational form, which is the same flow where products are free of aliases.
   The flow is resolved by 2 top + 2 points a side, so D = length/(2 top + 2): with the 2/3 rule 3/2 of the
   spacing. nu_t is that of each evaluation; what a dynamic model finds is found once a step, in the first
   one. */
#ifndef FC_BOX3D_SGS_H
#define FC_BOX3D_SGS_H
#include "solvers/box3d.h"

int       fc_box3d_sgs_fields(const fc_box3d_config *c);              /* at a time on the grid */
fc_status fc_box3d_sgs_create(const fc_box3d *s, fc_box3d_sgs **out); /* collective if shared */
void      fc_box3d_sgs_destroy(fc_box3d_sgs *e);                      /* NULL is fine */
int64_t   fc_box3d_sgs_bytes(const fc_box3d_config *c, int ranks);

/* the next evaluation finds the constant anew */
void fc_box3d_sgs_renew(fc_box3d_sgs *e);
/* The part of fc_box3d_evaluate that makes rates, k->speed (with what nu_t asks of a step) and k->part[0]. */
fc_status fc_box3d_sgs_evaluate(const fc_box3d *s, fc_box3d_work *k, double *const *u, fc_box3d_use use,
                                void *self);

typedef struct fc_box3d_eddies { /* at the last evaluation, over all ranks */
  double mean, most;             /* of nu_t */
  double constant;               /* C_s, C_w or C; of dynamic models sqrt(C), 0 when negative */
  double dissipation;            /* <2 nu_t S:S> */
} fc_box3d_eddies;

fc_box3d_eddies fc_box3d_sgs_measure(const fc_box3d *s, fc_box3d_work *k);    /* collective if shared */
double          fc_box3d_sgs_drain(const fc_box3d *s, const fc_box3d_sgs *e); /* this rank's dissipation */
#endif
