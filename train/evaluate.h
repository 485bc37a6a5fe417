/* train/evaluate.h - scores of a run on many windows of a file: one frame ahead, and rolled out. */
#ifndef FC_EVALUATE_H
#define FC_EVALUATE_H
#include "train/run.h"

typedef enum { FC_SPLIT_ALL, FC_SPLIT_TRAIN, FC_SPLIT_VALID } fc_split;

typedef struct fc_evaluate_job {
  const char *data;
  fc_split    split;   /* trajectories of data: all, or the share the run was trained or validated on */
  int64_t     windows; /* at most so many, spread evenly; 0: one per trajectory */
  int64_t     frames;  /* of the rollout; 0: as many as the shortest trajectory has */
  bool        quiet;
} fc_evaluate_job;

/* Prints every metric of train/metrics.h for the model, persistence (steady problems: none), the best linear
   map (train/linear.h) and the mean of the training data, over the first frame and over the rollout;
   PDEBench's set; definitions. */
fc_status fc_evaluate(const fc_run *run, const fc_evaluate_job *job, FILE *report);
#endif
