/* solvers/evolve.h - what all solvers in time share: trajectories from the start to the last frame, in equal
   steps that end at the frames, several trajectories side by side, and continuation of a given frame. */
#ifndef FC_EVOLVE_H
#define FC_EVOLVE_H
#include "solvers/solver.h"

enum { FC_EVOLVE_MEASURES = 8 };

/* A solver's state is what one trajectory needs; its functions neither allocate nor fail. Where ranks compute
   a trajectory together, a state is this rank's part of it; speed, step and measure then give the same
   numbers on all ranks. */
typedef struct fc_evolve_def {
  void (*start)(void *state, int64_t traj);  /* initial field number traj of the configuration */
  double (*speed)(void *state);              /* the largest, length/time; not finite when the field is not */
  double (*step)(void *state, double h);     /* one step; returns the speed at its beginning */
  void (*measure)(void *state, double *out); /* one number for each name */
  void (*values)(void *state, fc_real *x);   /* the frame that is kept */
  const char *name[FC_EVOLVE_MEASURES];      /* of what is measured: "energy"; after the last one NULL */
  /* May be NULL: asked when a speed is not finite. What went wrong in a step other than the numbers: ranks
     that do not answer. */
  fc_status (*status)(void *state);
  /* For runs that are cut and go on later; all three or none. Everything that the steps to come depend on, as
     numbers: how many, out of the state, and back. A restored state makes the same bits as the one kept, on
     as many ranks. */
  int64_t (*state_size)(void *state);
  void (*keep)(void *state, double *x);
  void (*restore)(void *state, const double *x);
  /* Where a new run begins at the state of another one, whose counts, tables and statistics do not matter:
     how many of the first numbers are the flow, and trajectory traj begun at them. NULL: all of them, by
     restore. */
  int64_t (*flow_size)(void *state);
  void (*begin_at)(void *state, const double *x, int64_t traj);
} fc_evolve_def;

typedef struct fc_evolve {
  const fc_evolve_def *def;
  double               t_skip, frame_dt; /* time of the first frame (0: the initial field), between frames */
  int64_t              frames, n_traj, first_traj;
  double  dt, cfl, dx; /* largest step (0: cfl decides), CFL number (0: fixed step), grid spacing */
  int64_t points,
      size;      /* of the grid computed; numbers in a frame that is kept, of this rank's lines of it */
  bool together; /* all ranks compute each trajectory together: a failure of one is one of all */
} fc_evolve;

/* states[lanes], each used by one thread at a time. The bits do not depend on lanes. FC_E_NUMERIC: blow-up.
 */
fc_status fc_evolve_run(const fc_evolve *e, int lanes, void *const *states, const fc_audience *to);
/* n frames frame_dt apart from a state at time t0, as trajectory 0 */
fc_status fc_evolve_on(const fc_evolve *e, void *state, double t0, int64_t n, fc_frame_sink sink, void *user);

double  fc_evolve_time(const fc_evolve *e);                /* from the start to the last frame */
double  fc_evolve_limit(const fc_evolve *e, double speed); /* the largest step at this speed */
int64_t fc_evolve_steps(double span, double limit);        /* equal steps over span, each at most limit */
#endif
