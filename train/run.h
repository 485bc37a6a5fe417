/* train/run.h - a finished or imported run, loaded for rollout, evaluation and export. */
#ifndef FC_RUN_H
#define FC_RUN_H
#include "train/checkpoint.h"
#include "train/points.h"

typedef struct fc_run {
  char        path[FC_TEXT]; /* the checkpoint really read */
  fc_saved    k;
  fc_network *network;
  bool        averaged; /* the weights are the moving average */
} fc_run;

/* path: a checkpoint, or a run folder (best.h5, else checkpoint.h5). average: take the averaged weights if
 * there are. */
fc_status fc_run_load(const char *path, bool average, fc_run **out);
void      fc_run_free(fc_run *r);

/* Opens data for this run: its channels, strides and normalisation. FC_E_MISMATCH if the data does not fit
   the model. An imported run knows no normalisation: its fields are taken as they are. */
fc_status fc_run_open_data(const fc_run *r, const char *path, fc_source *out);
/* the same for points: fields, parameters and functions as trained */
fc_status fc_run_open_points(const fc_run *r, const char *path, fc_points *out);
/* points or a grid: what the run was trained on; of imported weights, what path holds and the model can */
bool fc_run_on_points(const fc_run *r, const char *path);
#endif
