/* solvers/evolve_options.h - the options of all solvers in time, in the same words: a configuration has the
   members double dt, cfl, t_skip, frame_dt and int64_t frames, n_traj, first_traj, seed. */
#ifndef FC_EVOLVE_OPTIONS_H
#define FC_EVOLVE_OPTIONS_H
#include "core/options.h"

/* speed: what the CFL number is made of; most: the largest number that is accepted */
#define FC_EVOLVE_OPTIONS(S, step, speed, most, skip, every, count)                                          \
  FC_OPT_REAL(S, dt, step, 0, 1e6,                                                                           \
              "time step, time; the largest one if cfl > 0; 0: cfl alone decides. Frames are hit exactly"),  \
      FC_OPT_REAL(S, cfl, "0", 0, most, "step from " speed " = cfl; 0: fixed step"),                         \
      FC_OPT_REAL(S, t_skip, skip, 0, 1e9, "time of the first frame; 0: the initial field is kept"),         \
      FC_OPT_REAL(S, frame_dt, every, 1e-12, 1e9, "time between frames"),                                    \
      FC_OPT_INT(S, frames, count, 1, 1000000, "frames a trajectory"),                                       \
      FC_OPT_INT(S, n_traj, "1", 1, 1000000, "trajectories"),                                                \
      FC_OPT_INT(S, first_traj, "0", 0, 1000000000,                                                          \
                 "number of the first trajectory: other numbers, other initial fields"),                     \
      FC_OPT_INT(S, seed, "0", 0, 9e15, "of the random initial fields")
#endif
