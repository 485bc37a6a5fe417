/* solvers/kept.h - states of the trajectories of a run on this rank: given by its lanes (solvers/crew.h) at
   the end of a step when somebody asks for them, and taken back by a run that goes on. The owner (a command)
   asks, writes and reads them; solvers/evolve.c gives and takes. All of it is one block of numbers:
     trajectories T, places P, width W, first trajectory; least and most of what is measured and of the
   values, sum of squares and count of the values; finished [T]; P records [W]: trajectory (-1: none), where
   in time it is, the solver's state. */
#ifndef FC_KEPT_H
#define FC_KEPT_H
#include "core/base.h"

#include <stdatomic.h>

enum { FC_KEPT_RANGES = 9, FC_KEPT_TIMES = 11, FC_KEPT_FLOW = 10 };

typedef struct fc_kept_sums { /* of the frames so far; the last range is that of the values */
  double least[FC_KEPT_RANGES], most[FC_KEPT_RANGES], square, count;
} fc_kept_sums;

typedef struct fc_kept {
  /* the owner's */
  int64_t offset;        /* number of this rank's first trajectory in the whole run */
  bool    last;          /* the states at the ends of all trajectories are wanted too */
  void (*ready)(void *); /* all lanes have given their states: block has them. Nobody gives any meanwhile. */
  void        *self;
  fc_kept_sums sums;

  /* of the run, once it has begun */
  double    *block; /* NULL: it has none to give */
  int64_t    size, n_traj, width;
  int        lanes, left; /* lanes that have yet to give */
  atomic_int asked, ending;
  int       *seen;   /* [lanes] the last question that was answered */
  bool      *active; /* [lanes] */

  /* of an earlier run */
  double       **loaded; /* blocks, to free */
  int            n_loaded;
  const double **record;        /* [room] where trajectories go on; NULL: no such record */
  const double **first;         /* [room] where they begin */
  bool          *finished;      /* [room] */
  bool           afresh;        /* all trajectories have to begin at a record */
  int64_t        room, waiting; /* trajectories; records that have not been taken */
} fc_kept;

/* ---- for the owner ---- */
fc_status fc_kept_create(int64_t offset, int64_t n_traj, fc_kept **out); /* trajectories of this rank */
void      fc_kept_destroy(fc_kept *k);
/* What a block of n numbers says about trajectories of this rank; k owns the block from here on. To go on
   with a run, or, afresh, to begin one at its states, which then say nothing about time. sums: its squares
   and counts are wanted too (of each block by one rank). FC_E_INPUT: no such block. */
fc_status fc_kept_load(fc_kept *k, double *block, int64_t n, bool afresh, bool sums);
/* Each lane gives its state at the end of its step; end: and stops with FC_STOPPED. To be called where a run
   says what it has done (fc_solver_def.run's done). False: the run has nothing to give. */
bool fc_kept_ask(fc_kept *k, bool end);
void fc_kept_seal(fc_kept *k); /* makes the block complete, after ready or the run */

/* ---- for the run ---- */
fc_status fc_kept_begin(fc_kept *k, int64_t n_traj, int lanes, int64_t state_size, int64_t flow_size);
bool      fc_kept_wants(const fc_kept *k, int lane); /* is a question unanswered? cheap */
double   *fc_kept_place(fc_kept *k, int lane, int64_t traj);
fc_status fc_kept_given(fc_kept *k, int lane); /* its place is filled. FC_STOPPED: go no further */
/* the record a trajectory begins with; *afresh: with its state alone. NULL: none. To be called once. */
const double *fc_kept_record(const fc_kept *k, int64_t traj, bool *afresh);
void          fc_kept_taken(fc_kept *k, int64_t traj); /* it is not used any longer */
void          fc_kept_measured(fc_kept *k, int n, const double *value);
bool          fc_kept_finished(const fc_kept *k, int64_t traj);
void          fc_kept_finish(fc_kept *k, int lane, int64_t traj);
#endif
