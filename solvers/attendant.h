/* solvers/attendant.h - who looks after a run from outside: hears what was measured, and keeps states. The
   run of a solver (solvers/solver.h) has no place for him: a process has one, or none. */
#ifndef FC_ATTENDANT_H
#define FC_ATTENDANT_H
#include "solvers/kept.h"

typedef struct fc_attendant {
  void *self;
  /* In the last frame of a trajectory (counted from 0 in this run): n numbers with their names. Called by one
     thread at a time. May be NULL. */
  void (*measured)(void *self, int64_t traj, int n, const char *const *name, const double *value);
  /* after the run: the least and the most of each over all frames; may be NULL */
  void (*ranges)(void *self, int n, const char *const *name, const double (*range)[2]);
  fc_kept *kept; /* NULL: no states */
} fc_attendant;

void                fc_attendant_set(const fc_attendant *a); /* of the runs from now on; NULL: nobody */
const fc_attendant *fc_attendant_get(void);
#endif
