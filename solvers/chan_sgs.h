/* solvers/chan_sgs.h - the subgrid models of solvers/sgs*.h in a channel (solvers/chan_eddy.h). nu_t and what
   a dynamic model finds are those of the beginning of a step. Smagorinsky's model is damped by van Driest's
   factor, y+ from the distance to the nearer wall and the mean shear there at that time. The dynamic model
   finds one constant for each plane of cells. */
#ifndef FC_CHAN_SGS_H
#define FC_CHAN_SGS_H
#include "solvers/chan_eddy.h"

/* s->sgs by s->c; s otherwise complete. Collective. FC_E_SYSTEM: no memory. */
fc_status fc_chan_sgs_create(fc_chan *s);
void      fc_chan_sgs_destroy(fc_chan_sgs *e); /* NULL is fine */
double    fc_chan_sgs_bytes(const fc_chan *s); /* of a rank, but for a little; s->c, fft, nkx, y_n are used */

typedef struct fc_chan_eddy_budget { /* of the last step, over all ranks */
  double mean, most;                 /* of nu_t */
  double constant; /* C_s, C_w or C; of dynamic models sqrt(C), negative ones as 0, mean over the volume */
} fc_chan_eddy_budget;

fc_chan_eddy_budget fc_chan_sgs_measure(fc_chan *s); /* collective, the same on all ranks; zeros: no model */
const double *fc_chan_sgs_found(const fc_chan *s);   /* [ny] C D^2 of this rank's planes, dynamic models */

/* ---- for chan_eddy.c and chan_rate.c ---- */

void   fc_chan_sgs_before(fc_chan *s);      /* velocities have been spread, nu_t is about to be found */
double fc_chan_sgs_speed(const fc_chan *s); /* what nu_t asks of a step, as a speed, 1/time: 0 if cfl = 0 */
#endif
