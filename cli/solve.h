/* cli/solve.h - a run of a solver by 'fieldcast solve': its output files (cli/solve_out.c), what ranks say to
   each other and what is kept of it for later (cli/solve_ranks.c), the command (cli/solve.c). */
#ifndef FC_CLI_SOLVE_H
#define FC_CLI_SOLVE_H
#include "core/progress.h"
#include "hpc/tally.h"
#include "solvers/kept.h"
#include "solvers/solver.h"

enum { FC_SOLVE_PARTS = 8, FC_SOLVE_PATH = 4096, FC_SOLVE_MEASURES = 8 };

typedef struct fc_solve_part { /* one output file: trajectories first .. first + n - 1 */
  char             name[FC_NAME], path[FC_SOLVE_PATH];
  int64_t          first, n;
  fc_field_writer *writer;
} fc_solve_part;

typedef struct fc_solve_job {
  /* of the command line */
  const char *out, *split, *preset, *command; /* out NULL: nothing is written */
  const char *from, *last;                    /* states to begin at; where the last states go */
  const char *start; /* fields to begin at, the frame at time start_at (NaN: the first) */
  double      start_at;
  bool        resume;
  double      keep_every; /* seconds; 0: only where the run is cut */

  const fc_solver_def *def;
  void                *config;    /* of this rank */
  char                *text, *id; /* options of the whole run; what a state of it has in front */
  fc_field_spec        spec;
  fc_solve_part        part[FC_SOLVE_PARTS];
  int                  n_parts;
  int64_t              first, n, total, size; /* trajectories of this rank, of all; numbers in a frame here */
  bool                 together;              /* ranks compute each trajectory together */
  bool                 lasting;               /* the run may be cut and go on */
  fc_progress          bar;

  /* what ranks hear of each other */
  fc_tally *tally;
  double    fraction, heard;                          /* of the work, done here, by all */
  double    kept_at, asked, looked, longest, writing; /* times, and the longest ways */
  bool      over, stopping, storing, stored;
  fc_status status; /* of storing, with its text */
  char      why[512], state[FC_SOLVE_PATH];
  fc_kept  *kept;

  /* what is reported */
  fc_kept_sums sums;
  int64_t      written; /* frames of this session */
  int          n_measured;
  bool         has_measured; /* in a last frame */
  char         name[FC_SOLVE_MEASURES][FC_NAME];
  double *measured, range[FC_SOLVE_MEASURES][2]; /* [total][measures] in the last frame; over all frames */
} fc_solve_job;

/* ---- cli/solve_out.c ---- */

/* "train=40,valid=4,test=4": consecutive trajectories, so no two parts share an initial field */
fc_status fc_solve_splits(const char *text, fc_solve_job *j);
fc_status fc_solve_open(fc_solve_job *j,
                        bool          again); /* all files, or those of a run that was cut once more */
fc_status fc_solve_finish(fc_solve_job *j);
void      fc_solve_close(fc_solve_job *j, bool leave); /* leave: a run may go on in them */
/* fc_frame_sink */
fc_status fc_solve_take(void *job, int64_t traj, int64_t t, const fc_real *x);
void      fc_solve_report(fc_solve_job *j, double seconds);

/* ---- cli/solve_start.c ---- */

/* --start: trajectories and the time of the first frame are those of the file, whose fields and points are
   the solver's. FC_E_MISMATCH says what is not. */
fc_status fc_solve_start_specify(fc_solve_job *j);
fc_status fc_solve_start_run(fc_solve_job *j); /* in place of fc_solver_def.run */

/* ---- cli/solve_ranks.c ---- */

/* this rank's share of the work in its configuration, and of the lines in the files */
fc_status fc_solve_divide(fc_solve_job *j);
/* what an earlier run has kept. *again: there is such a run to go on with. */
fc_status fc_solve_recall(fc_solve_job *j, bool *again);
/* the done of fc_solver_def.run: shows it, and asks whether it is to stop or to keep its states */
fc_status fc_solve_show(void *job, double fraction, const char *note);
/* what run returned here to what has become of the whole run, the same on all ranks; FC_STOPPED: in time */
fc_status fc_solve_settle(fc_solve_job *j, fc_status s);
void      fc_solve_ready(void *job); /* all lanes have given their states: fc_kept.ready */
fc_status fc_solve_keep_last(fc_solve_job *j);
#endif
