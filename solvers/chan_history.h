/* solvers/chan_history.h - a table of what a channel does in each step: t, bulk velocity, -dP/dx, Re_tau at
   the lower and the upper wall, energy, divergence; with a subgrid model (les) nu_t, its constant and what it
   takes. Rows wait in memory and are written at frames. */
#ifndef FC_CHAN_HISTORY_H
#define FC_CHAN_HISTORY_H
#include "solvers/chan.h"

typedef struct fc_chan_history fc_chan_history;

/* Written by rank 0. Collective; FC_E_USAGE: the file cannot be made. All functions take NULL. */
fc_status fc_chan_history_create(const char *path, bool les, fc_chan_history **out);
/* a row; traj >= 0 begins a trajectory. Collective. */
void fc_chan_history_note(fc_chan_history *h, fc_chan *s, int64_t traj);
void fc_chan_history_flush(fc_chan_history *h);
/* For runs that go on: rows so far are written, and how long the table is (0 on other ranks); and back, to
   that length, unless a trajectory begins. */
double    fc_chan_history_keep(fc_chan_history *h);
void      fc_chan_history_restore(fc_chan_history *h, int64_t traj, double bytes);
int64_t   fc_chan_history_traj(const fc_chan_history *h);
fc_status fc_chan_history_finish(fc_chan_history *h); /* FC_E_SYSTEM: it could not be written */

double fc_chan_re_tau(const fc_chan *s, double shear); /* sqrt(|shear|)/nu; 0 without viscosity */
#endif
