/* solvers/box3d_history.h - the course of a run as a table: a CSV file written by rank 0, a row a step or a
   row every history_dt. */
#ifndef FC_BOX3D_HISTORY_H
#define FC_BOX3D_HISTORY_H
#include "solvers/box3d.h"

typedef struct fc_box3d_history fc_box3d_history;

/* *out NULL if the configuration asks for none. Collective if shared. FC_E_SYSTEM: the file cannot be
 * written.
 */
fc_status fc_box3d_history_create(const fc_box3d *s, fc_box3d_history **out);
/* a trajectory begins with the state of k; later states, after a step of size h from t */
void fc_box3d_history_start(fc_box3d_history *y, const fc_box3d *s, fc_box3d_work *k, int64_t traj);
void fc_box3d_history_step(fc_box3d_history *y, const fc_box3d *s, fc_box3d_work *k, double h);
/* where the table is, its rows so far written; and back, in a run that goes on: rows behind that place go. y
   may be NULL, x is there all the same. */
enum { FC_BOX3D_HISTORY = 5 };
void fc_box3d_history_keep(fc_box3d_history *y, double x[FC_BOX3D_HISTORY]);
void fc_box3d_history_restore(fc_box3d_history *y, const double x[FC_BOX3D_HISTORY]);
/* Writes what is left of a run that has come to `run`; the history is gone whatever is returned (NULL is
   fine). Collective if shared and the run went well. */
fc_status fc_box3d_history_finish(fc_box3d_history *y, fc_status run);

typedef struct fc_box3d_scales { /* of isotropic turbulence with these averages */
  double dissipation, re_lambda, integral, kolmogorov;
} fc_box3d_scales;

/* dissipation 2 nu Z; Re_lambda = u' lambda/nu, u'^2 = 2 E/3, lambda^2 = 15 nu u'^2/dissipation; integral
   scale pi/(2 u'^2) sum E(k)/k; Kolmogorov's length (nu^3/dissipation)^(1/4). e: fc_box3d_spectrum, or NULL.
 */
fc_box3d_scales fc_box3d_scales_of(const fc_box3d *s, const fc_box3d_budget *q, const double *e);
#endif
