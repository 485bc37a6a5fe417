/* train/contest.h - several runs on the same data: who is how good, and at what cost. */
#ifndef FC_CONTEST_H
#define FC_CONTEST_H
#include "core/base.h"

#include <stdio.h>

typedef struct fc_contest_job {
  int                n; /* runs: checkpoints or run folders; their last path component is the label */
  const char *const *run;
  int                n_files; /* predictions of others, field files with the times of data's frames */
  const char *const *file;
  const char *data, *out; /* fields to predict; folder for contest.csv, error.csv, error.png, fields.png */
  int64_t     frames;     /* of the rollouts; 0: as many as the shortest trajectory has */
  double      good_error; /* VRMSE up to which a prediction counts as valid */
  bool        quiet;
} fc_contest_job;

/* Every run is rolled out from the same frames of all trajectories, beside persistence, the best linear map,
   the mean of the training data, predictions in files, and for each run the solver of the data on the finest
   grid that costs no more. Prints one table with definitions. Steps, time and memory of training are those of
   the run folder's log.csv. */
fc_status fc_contest_run(const fc_contest_job *job, FILE *report);
#endif
