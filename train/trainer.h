/* train/trainer.h - training: one object, one step at a time; fc_trainer_run is the loop around it with
   log, validation, checkpoints and signals (train/train_loop.c).

   One optimiser step: `accumulate` batches, each forward, loss, backward; sum of the gradients over ranks;
   clip; AdamW; average of the weights. With train.sam_rho the gradient is taken twice, the second time up the
   slope (train/sam.h). No memory is taken after the first step. With the same options, data
   and number of ranks every run gives the same bits, also when it is interrupted and resumed. */
#ifndef FC_TRAINER_H
#define FC_TRAINER_H
#include "train/checkpoint.h"
#include "train/grad_sum.h"
#include "train/loader.h"
#include "train/plan.h"
#include "train/sam.h"

typedef struct fc_step_facts {
  int64_t step;                       /* number of this step, from 0 */
  int64_t k, pushes;                  /* frames per call, calls without gradient */
  double  loss, grad_norm, lr, beta1; /* loss over all ranks and batches; norm before clipping */
} fc_step_facts;

typedef struct fc_trainer {
  fc_saved        k; /* settings, model, normalisation, counters */
  fc_process_grid ranks;
  fc_feed         feed;
  fc_loader      *loader;
  fc_network     *network;
  fc_optim       *optim;
  fc_sam         *sam;  /* NULL: not sharpness-aware */
  fc_grad_sum    *sums; /* NULL: one rank */
  fc_ctx         *ctx;
  fc_plan         plan;
  int64_t         total; /* optimiser steps of the run */
  bool            quiet;
  char            dir[FC_TEXT];
} fc_trainer;

/* Opens the data, measures it, plans and checks memory, builds the model. config is bound here, so its errors
   come before any work. plan_only stops after the plan (no weights, no run). quiet: no progress. */
fc_status fc_trainer_create(fc_config *config, bool plan_only, bool quiet, fc_trainer **out);
void      fc_trainer_destroy(fc_trainer *t);

/* FC_E_NUMERIC if the loss or the gradient is not finite; weights are then unchanged. Collective. */
fc_status fc_trainer_step(fc_trainer *t, fc_step_facts *out);
/* validation with the averaged weights if there are; FC_OK and NaN without validation data. Collective. */
fc_status fc_trainer_validate(fc_trainer *t, fc_scores *out);
/* rank 0 writes path (and keeps what was there as previous); all ranks agree on the outcome */
fc_status fc_trainer_save(fc_trainer *t, const char *path, const char *previous);
/* Everything from a checkpoint of the same model; the run goes on exactly as if it had not stopped. */
fc_status fc_trainer_restore(fc_trainer *t, const char *path);

/* may a run start (or resume) in this folder? FC_E_USAGE if it already holds another one */
fc_status fc_trainer_folder(const char *dir, bool resume);
/* Trains to the end in run folder dir: config.yaml, log.csv, checkpoint.h5, checkpoint-prev.h5, best.h5.
   resume: go on from dir's checkpoint. Ends early when train.patience says so. FC_STOPPED after SIGTERM,
   SIGUSR1, SIGUSR2 or SIGINT to any rank, and shortly before a time limit (hpc/stop.h): the step is finished,
   a checkpoint is written. */
fc_status fc_trainer_run(fc_trainer *t, const char *dir, bool resume);
#endif
