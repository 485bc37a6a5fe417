/* solvers/chan_eddy.h - the place of subgrid models in a channel. A model gives nu_t in planes of cells, in
   physical space on the padded grid of the products (3/2 as many points as wave numbers along x and z; index
   i mz + l), once a step; the three substeps take div(2 nu_t S) with their own S, explicitly: at cells   2
   nu_t (S_xx, S_xz, S_zz, S_yy)         at faces   2 (nu_t[f-1] + nu_t[f])/2 (S_xy, S_yz) with the gradients
   where the staggered grid has them: no interpolation of S, and the energy taken is exactly s->drain = sum
   over cells of dc 2 nu_t (S_xx^2 + S_yy^2 + S_zz^2 + 2 S_xz^2) + sum over faces of df 4 nu_t (S_xy^2 +
   S_yz^2), mean over the volume. The stresses are added to the products before these are transformed; what
   they cost is three complex transforms of slopes a plane. At the walls nu_t is zero. */
#ifndef FC_CHAN_EDDY_H
#define FC_CHAN_EDDY_H
#include "solvers/chan.h"

typedef struct fc_chan_cells { /* a plane of cells, as a model sees it */
  int64_t       j, points;     /* cell; mx mz */
  int           task;          /* 0 .. s->tasks - 1: for scratch, planes of one task come one by one */
  const double *u[3];          /* velocity at the middle of the cells */
  const double *g[9];     /* g[3 i + k] = du_i/dx_k there; slopes that belong to faces are means of two */
  double        width[3]; /* length_x/nx, dc[j], length_z/nz */
  double        wall;     /* distance to the nearest wall */
} fc_chan_cells;

/* nu_t[points] of one plane, not negative (or above -nu). Planes next to those of a rank come too, so that
   faces between ranks agree; several threads call at once. */
typedef void (*fc_chan_model)(void *self, const fc_chan *s, const fc_chan_cells *p, double *nu_t);

/* Has the model called in every step from now on; NULL: no model. FC_E_SYSTEM: no memory. Collective. */
fc_status fc_chan_set_model(fc_chan *s, fc_chan_model model, void *self);
/* Calls one(self, s, p, nu_t of p) for all planes y_lo - 1 .. y_lo + y_n inside the channel, from velocities
   that fc_chan_spread has brought: what a step does with the model, and what models can use that need all
   planes first. */
void fc_chan_each_plane(fc_chan *s, fc_chan_model one, void *self);
void fc_chan_eddies(fc_chan *s); /* nu_t of the state, velocities being spread */

/* ---- for chan_rate.c ---- */

int64_t fc_chan_eddy_size(const fc_chan *s); /* scratch of a task */
/* (f_x, f_z) of velocity a at y as one complex plane; rows: scratch [2, nkx, row] */
void fc_chan_slopes(const fc_chan *s, double *scratch, int a, int64_t y, double *rows, double *plane);
/* lines of n points: stresses taken from products, and sums of 2 nu_t S:S */
double fc_chan_cell_stress(double *out, const double *slope_u, const double *slope_w, const double *nu,
                           int64_t n);
double fc_chan_face_stress(double *out, const double *below, const double *above, const double *slope_v,
                           const double *nu, const double *nu_above, double inverse, int64_t n);
/* out = 2 nu_t (S_yy - S_zz), from v at both faces (every second number) and the slopes of w; returns the sum
   of 2 nu_t (S_yy^2 + S_zz^2) */
double fc_chan_normal_stress(double *out, const double *below, const double *above, const double *slope_w,
                             const double *nu, double inverse, int64_t n);
#endif
