/* solvers/solver.h - what a solver file exports, and named presets of published data sets. */
#ifndef FC_SOLVER_H
#define FC_SOLVER_H
#include "core/options.h"
#include "io/field_writer.h"

enum { FC_FRAME_CONSTANT = -1 }; /* in place of t: the constant fields of a trajectory */

/* Receives frames in standard order: x[X.., C] of trajectory traj, frame t. Failing stops the solver. */
typedef fc_status (*fc_frame_sink)(void *user, int64_t traj, int64_t t, const fc_real *x);

/* Whom a run speaks to, by one thread at a time. All but the sink may be NULL. */
typedef struct fc_audience {
  fc_frame_sink sink;
  void         *user;
  /* After each time step, with the fraction of all work done so far and a short diagnostic text (energy, CFL
     number); failing stops the solver. The last call carries fraction 1 and a summary of the run. */
  fc_status (*done)(void *done_user, double fraction, const char *note);
  void *done_user;
  /* in the last frame of a trajectory (counted from 0 in this run): n numbers with their names */
  void (*measured)(void *done_user, int64_t traj, int n, const char *const *name, const double *value);
  /* after the run: the least and the most of each over all frames */
  void (*ranges)(void *done_user, int n, const char *const *name, const double (*range)[2]);
  struct fc_kept *kept; /* takes and gives the states of the run (solvers/kept.h) */
} fc_audience;

typedef struct fc_solver_def {
  const char      *name, *summary, *source; /* "spectral_2d", one line, papers */
  const fc_option *options; /* with units in the help; every solver has the option "accurate" */
  size_t           config_size;
  fc_status (*check)(const void *config); /* options that do not fit together */
  /* what the output will be: grid, channels with units, frames, parameters */
  void (*describe)(const void *config, fc_field_spec *out);
  /* what a run will cost, for --plan: lines of text on grid, steps, memory, transforms */
  void (*plan)(const void *config, FILE *out);
  /* All trajectories. Frames of one trajectory come in order, trajectories in any order or interleaved. */
  fc_status (*run)(const void *config, const fc_audience *to);
  /* Solvers in time have this, or it is NULL: from a given frame x[X.., C] on the grid dim (any grid the
     solver can take) at time t0: n frames, frame_dt apart, the first one at t0 + frame_dt, on the same grid,
     by the scheme and step of config (the baseline "same solver, coarser grid"). The sink gets trajectory 0,
     frames 0 to n-1. */
  fc_status (*advance)(const void *config, const int64_t *dim, const fc_real *x, double t0, double frame_dt,
                       int64_t n, fc_frame_sink sink, void *user);
  /* The same for steady problems: y[X.., C] from constant fields x[X.., C'], both on dim points evenly spaced
     from lo to hi along each axis, computed with `cells` points an axis (fewer: the baseline "same solver,
     coarser grid"; the solver knows best how to coarsen and interpolate). */
  fc_status (*steady)(const void *config, const int64_t *dim, const double *lo, const double *hi,
                      const int64_t *cells, const fc_real *x, fc_real *y);
  /* Ranks that compute one trajectory together (all of the world): the lines lo .. lo + n - 1 of the first
     axis that this rank's sink gets; run is called by all of them. NULL: a trajectory belongs to one rank. */
  void (*share)(const void *config, int64_t *lo, int64_t *n);
} fc_solver_def;

typedef struct fc_preset {
  const char *name, *solver, *settings; /* "dt=1e-4 nu=1e-3" */
  const char *brief;                    /* further settings: one trajectory of two small frames, for tests */
  const char *summary;                  /* one line: what it is, and its source */
  const char *copies;                   /* what is reproduced, what is not, what is a guess */
  const char *accurate;                 /* what accurate=true changes */
} fc_preset;

const fc_solver_def *fc_solver_find(const char *name); /* NULL if unknown */
const fc_solver_def *fc_solver_at(int i);              /* NULL past the end */
const fc_preset     *fc_preset_find(const char *name);
const fc_preset     *fc_preset_at(int i);
void                 fc_preset_print(const fc_preset *p, FILE *out); /* all of it, as text in lines */
/* defaults, then the preset's settings, then n assignments "key=value"; a solver's own name is a preset too
 */
fc_status fc_solver_configure(const char *preset, int n, const char *const *set, const fc_solver_def **def,
                              void **config); /* free() the config */

/* "key=value" of every option, one a line: what files carry as the text attribute "solver_config" */
fc_status fc_solver_text(const fc_solver_def *def, const void *config, char **out); /* free() it */
/* the way back, from the attributes "solver" and "solver_config" of a file. FC_E_INPUT if they are not ours.
 */
fc_status fc_solver_restore(const char *solver, const char *text, const fc_solver_def **def, void **config);
#endif
