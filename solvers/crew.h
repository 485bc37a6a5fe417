/* solvers/crew.h - independent trajectories side by side: what the runs of all solvers share. A trajectory is
   worked on by one thread of the crew (a lane); frames and progress leave one at a time. */
#ifndef FC_CREW_H
#define FC_CREW_H
#include "solvers/solver.h"

#include <stdatomic.h>

enum { FC_CREW_RANGES = 8, FC_CREW_LANES = 512 };

typedef struct fc_crew { /* fill in whom it speaks to; the rest belongs to the functions below */
  const fc_audience *to;
  double             fraction;                 /* of the work done */
  double             range[FC_CREW_RANGES][2]; /* smallest and largest value of a diagnostic */
  bool               in_range[FC_CREW_RANGES]; /* any value yet */
  atomic_int         stopped;
  fc_status          status; /* first failure, with its text: error texts belong to a thread */
  char               text[1024];
} fc_crew;

/* Calls one(self, lane, traj) for trajectories 0..n-1; a lane takes every lanes-th of them. One lane keeps
   all threads for its own loops. The first failure stops the others at their next word to the crew and is
   returned.
 */
fc_status fc_crew_run(fc_crew *c, int64_t n, int lanes, fc_status (*one)(void *self, int lane, int64_t traj),
                      void *self);

/* For lanes. FC_STOPPED: another lane has failed, or the sink or done wants no more. */
fc_status fc_crew_emit(fc_crew *c, int64_t traj, int64_t t, const fc_real *x);
fc_status fc_crew_progress(fc_crew *c, double share, const char *note); /* share of all work just done */
void      fc_crew_credit(fc_crew *c, double share);                     /* done by an earlier run */
void      fc_crew_widen(fc_crew *c, int range, double value);

/* after the run: the ranges of n diagnostics with these names to the audience, and as the summary in the
   last call of done */
fc_status fc_crew_finish(fc_crew *c, int n, const char *const *name);
#endif
