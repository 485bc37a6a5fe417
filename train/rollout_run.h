/* train/rollout_run.h - a whole rollout: predictions to a file, and with truth in the data the comparison. */
#ifndef FC_ROLLOUT_RUN_H
#define FC_ROLLOUT_RUN_H
#include "train/run.h"

typedef struct fc_rollout_job {
  const char *data, *out,
      *command;    /* out: a folder, or NAME.hdf5 (pictures and tables are then NAME-*.png, .csv) */
  int64_t steps;   /* frames to predict; 0: as many as the data holds after the history */
  int64_t traj;    /* -1: all trajectories */
  int64_t start;   /* first frame of the history, in frames of the file */
  bool    compare; /* tables and pictures, beside persistence and the coarse solver */
  double  good_error, good_correlation; /* thresholds of the valid times */
  bool    quiet;
} fc_rollout_job;

/* Writes the predicted frames in The Well's layout with an .xmf beside them. FC_E_NUMERIC if a prediction is
   not finite: everything is written all the same, and the message says where it began. */
fc_status fc_rollout_run(const fc_run *run, const fc_rollout_job *job, FILE *report);
#endif
