/* train/points_output.h - predictions on points to a file in our own layout, and truth, prediction,
   difference side by side as pictures. */
#ifndef FC_POINTS_OUTPUT_H
#define FC_POINTS_OUTPUT_H
#include "train/evaluate.h"
#include "train/output_names.h"
#include "train/points.h"

typedef struct fc_points_output fc_points_output;

/* The samples to come, sample[count], and of each so many frames, the first of them at frame history. Several
   ranks write one file together, without pictures: create and finish are collective then. */
fc_status fc_points_output_create(const fc_run *run, const fc_evaluate_job *job, fc_points *p, int64_t frames,
                                  int64_t count, const int64_t *sample, fc_points_output **out);
void      fc_points_output_abandon(fc_points_output *o); /* NULL is fine */
/* the next one, number k of the list: guess and truth [frames, N, C] of this rank's points, in units */
fc_status fc_points_output_add(fc_points_output *o, int64_t k, int64_t sample, const fc_real *guess,
                               const fc_real *truth);
/* makes the file whole and draws; o is gone whatever is returned */
fc_status fc_points_output_finish(fc_points_output *o, FILE *report);
#endif
