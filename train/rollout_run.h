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
  int64_t domain; /* ranks that share each field (0: 1); the groups divide the trajectories */
  bool    quiet;
} fc_rollout_job;

/* Collective: domain ranks share a field, the data groups divide the trajectories. Ranks that share fields
   are compared with the truth point by point alone: no spectra, no pictures, no other methods than
   persistence.

   Writes the predicted frames in The Well's layout with an .xmf beside them. FC_E_NUMERIC if a prediction is
   not finite: everything is written all the same, and the message says where it began. */
fc_status fc_rollout_run(const fc_run *run, const fc_rollout_job *job, FILE *report);
#endif
