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
  /* points only: */
  const char *out, *command; /* predictions and pictures; NULL: none */
  double      view[2];       /* azimuth and elevation of the pictures, degrees */
  int         up;            /* number of the axis that points upwards in them */
  int64_t     domain;        /* ranks that share the points of a sample */
} fc_evaluate_job;

/* Prints every metric of train/metrics.h for the model, persistence (steady problems: none), the best linear
   map (train/linear.h) and the mean of the training data, over the first frame and over the rollout;
   PDEBench's set; definitions. */
fc_status fc_evaluate(const fc_run *run, const fc_evaluate_job *job, FILE *report);
/* The same for a run on points: relative L2, RMSE, MAE, R2 of each channel in units, beside the linear map
   (train/points_linear.h), the training mean, and with history persistence. Without history every frame
   counts; with history the model is rolled out. Writes predictions in our layout (io/cloud_writer.h) and
   pictures. Several ranks divide the samples, or their points (job->domain); then there are no pictures, and
   where points are shared no linear map. */
fc_status fc_points_evaluate(const fc_run *run, const fc_evaluate_job *job, FILE *report);
#endif
