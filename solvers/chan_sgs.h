/* solvers/chan_sgs.h - large-eddy simulation in the channel of solvers/chan.h. Gradients and nu_t are taken
   at the middle of cells, on the points of the products; the stresses T_ij = 2 nu_t S_ij join the products on
   their way back, so no field is sent for them: uu - ww - (T_xx - T_zz),   uw - T_xz,   u^v - T_xy,   w^v -
   T_yz,   N_v + d(T_yy - T_zz)/df T_xy and T_yz are made at faces, with the mean nu_t of both cells and none
   at the walls. Two more transforms of two fields a plane (three for WALE and Vreman, which need all
   gradients) beside four. div u = 0 gives w_z. nu_t is that of each substep; what a dynamic model finds is
   found once a step, in the first one. */
#ifndef FC_CHAN_SGS_H
#define FC_CHAN_SGS_H
#include "solvers/chan.h"

fc_status fc_chan_sgs_create(fc_chan *s);      /* s->sgs; s otherwise complete. Collective. */
void      fc_chan_sgs_destroy(fc_chan_sgs *e); /* NULL is fine */

typedef struct fc_chan_eddies { /* at the last substep, over all ranks */
  double mean, most;            /* of nu_t */
  double constant; /* C_s, C_w or C; of dynamic models sqrt(C), negative ones as 0, mean over the volume */
} fc_chan_eddies;

fc_chan_eddies fc_chan_sgs_measure(fc_chan *s);     /* collective, the same on all ranks */
const double  *fc_chan_sgs_shear(const fc_chan *s); /* [y_n] <T_xy> at the lower faces of this rank's cells */

/* ---- for chan_rate.c ---- */

typedef struct fc_chan_eddy { /* of one thread, while it goes up through the planes */
  fc_chan    *s;
  fc_chan_row in[3];
  double     *scratch, *a, *b, *g[9], *u[3], *d[2];
  double     *v[3];     /* v_x + i v_z on faces j, j + 1, j + 2 */
  double     *nu_t[3];  /* in cells j - 1, j, j + 1 */
  double     *rest[3];  /* T_yy - T_zz in the same */
  double     *cell[3];  /* (T_xx - T_zz) + i T_xz in the same */
  int64_t     from, to; /* cells whose constants and sums this thread keeps */
} fc_chan_eddy;

int64_t      fc_chan_sgs_scratch(const fc_chan *s); /* doubles of a task */
fc_chan_eddy fc_chan_sgs_window(fc_chan *s, double *at, double *fft_scratch);
/* before and after all planes of a substep: damping, clipped constants. renew: constants are found anew */
void fc_chan_sgs_renew(fc_chan_sgs *e);
void fc_chan_sgs_before(fc_chan *s);
bool fc_chan_sgs_looks(const fc_chan *s); /* planes must be gone through once for the constant alone */
void fc_chan_sgs_found(fc_chan *s);       /* that has been done */
void fc_chan_sgs_after(fc_chan *s);
/* v_x + i v_z of face f */
void fc_chan_sgs_face(fc_chan_eddy *k, int64_t f, double *plane);
/* Slot i from cell j: planes u + i w of j - 1, j, j + 1, v of its faces (every second number), v_x + i v_z of
   both. looking: for the constant alone. */
void fc_chan_sgs_cell(fc_chan_eddy *k, int i, int64_t j, double *const uw[3], const double *lower,
                      const double *upper, const double *dv_lower, const double *dv_upper, bool looking);
void fc_chan_sgs_nothing(fc_chan_eddy *k, int i); /* beyond the wall */
void fc_chan_sgs_shift(fc_chan_eddy *k);          /* two cells up */
/* stresses off products along a line of n points from `at`: those of slot i; of the face below slot i */
void   fc_chan_sgs_off_cell(const fc_chan_eddy *k, int i, int64_t at, int64_t n, double *out);
void   fc_chan_sgs_off_face(fc_chan_eddy *k, int i, int64_t f, int64_t at, const double *below,
                            const double *above, int64_t n, double *out);
void   fc_chan_sgs_off_rest(const fc_chan_eddy *k, int64_t at, double a, double b, int64_t n, double *out);
double fc_chan_sgs_limit(const fc_chan *s, int64_t j); /* the speed that nu_t of plane j asks for, 1/time */
#endif
