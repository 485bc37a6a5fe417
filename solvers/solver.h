/* solvers/solver.h - what a solver file exports, and named presets of published data sets. */
#ifndef FC_SOLVER_H
#define FC_SOLVER_H
#include "core/options.h"
#include "io/field_writer.h"

/* Receives frames in standard order: x[X.., C] of trajectory traj, frame t. Failing stops the solver. */
typedef fc_status (*fc_frame_sink)(void *user, int64_t traj, int64_t t, const fc_real *x);

typedef struct fc_solver_def {
  const char      *name, *summary, *source; /* "spectral_2d", one line, papers */
  const fc_option *options;                 /* with units in the help */
  size_t           config_size;
  fc_status (*check)(const void *config);   /* options that do not fit together */
  /* what the output will be: grid, channels with units, frames, parameters */
  void (*describe)(const void *config, fc_field_spec *out);
  /* trajectories one after the other; done (may be NULL) is called after each time step with the fraction
     of all work done so far and a short diagnostic text (energy, CFL number) */
  fc_status (*run)(const void *config, fc_frame_sink sink, void *user,
                   void (*done)(void *, double fraction, const char *note), void *done_user);
  /* From a given frame x[X.., C] on the grid dim (any grid the solver can take) at time t0: n frames, dt apart,
     on the same grid, by the scheme and step of config (the baseline "same solver, coarser grid"). */
  fc_status (*advance)(const void *config, const int64_t *dim, const fc_real *x, double t0, double frame_dt,
                       int64_t n, fc_frame_sink sink, void *user);
} fc_solver_def;

typedef struct fc_preset {
  const char *name, *solver, *settings; /* "dt=1e-4 nu=1e-3" */
  const char *summary;                  /* what it reproduces, and its source */
} fc_preset;

const fc_solver_def *fc_solver_find(const char *name); /* NULL if unknown */
const fc_solver_def *fc_solver_at(int i);              /* NULL past the end */
const fc_preset     *fc_preset_find(const char *name);
const fc_preset     *fc_preset_at(int i);
/* defaults, then the preset's settings, then n assignments "key=value"; a solver's own name is a preset too */
fc_status fc_solver_configure(const char *preset, int n, const char *const *set, const fc_solver_def **def,
                              void **config); /* free() the config */
#endif
