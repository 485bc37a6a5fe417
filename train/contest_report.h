/* train/contest_report.h - what a contest found, as a table, CSV files and pictures. */
#ifndef FC_CONTEST_REPORT_H
#define FC_CONTEST_REPORT_H
#include "train/compare.h"

#include <stdio.h>

enum { FC_CONTEST_SHOTS = 3 };
typedef enum { FC_RIVAL_RUN, FC_RIVAL_BASELINE, FC_RIVAL_SOLVER, FC_RIVAL_FILE } fc_rival_kind;

typedef struct fc_rival {
  fc_rival_kind kind;
  int64_t       weights, steps;                          /* runs only */
  double        train_seconds, step_seconds, memory_mib; /* NaN: no log beside the weights */
  double        seconds_a_frame;                         /* NaN: costs nothing */
  bool          dearer;                 /* no coarser grid of the solver is as cheap as asked */
  fc_real      *shot[FC_CONTEST_SHOTS]; /* [X.., C] in units, of the first trajectory */
} fc_rival;

typedef struct fc_contest {
  const char *data, *no_linear, *no_solver;
  char        linear[160];
  fc_geometry geo;
  fc_scaling  channels;
  bool        steady;
  int64_t     points;
  double      good_error;
  fc_compare *cmp; /* labels and errors by method */
  fc_rival    rival[FC_METHODS];
  int64_t     shot_frame[FC_CONTEST_SHOTS];
  int         n_shots;
  fc_real    *truth[FC_CONTEST_SHOTS];
} fc_contest;

/* room for the frames kept for pictures, of len numbers */
fc_status fc_contest_shots(fc_contest *t, int64_t len);
void      fc_contest_free(fc_contest *t);
/* another method under the last component of path; returns its number */
int fc_contest_method(fc_contest *t, const char *path, fc_rival_kind kind);
int fc_contest_find(const fc_contest *t, const char *label); /* -1: none of this name */
/* steps, time and memory from log.csv beside the weights */
void fc_contest_training(fc_contest *t, int method, const char *path, int64_t weights, int64_t steps);
/* keeps the frame if it is one of those shown */
void fc_contest_shot(fc_contest *t, int method, int64_t frame, int64_t len, const fc_real *truth,
                     const fc_real *y);

fc_status fc_contest_print(const fc_contest *t, FILE *f);
/* contest.csv, error.csv, error.png, fields.png in folder */
fc_status fc_contest_files(const fc_contest *t, const char *folder);
#endif
