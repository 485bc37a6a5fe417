/* train/plan.h - what a step will cost, from a dry run: shapes, memory, FLOPs, but no arithmetic. */
#ifndef FC_PLAN_H
#define FC_PLAN_H
#include "train/feed.h"

#include <stdio.h>

typedef struct fc_plan {
  int64_t tensors, weights;                                 /* parameter tensors; trained numbers */
  int64_t parameter_bytes, gradient_bytes, optimiser_bytes; /* optimiser: two moments and the average */
  int     optimiser_parts;  /* ranks that share them (train.shard_optimiser), else 1 */
  int64_t activation_bytes; /* peak of one forward and backward pass */
  int64_t data_bytes;       /* batches and cached frames */
  int64_t total_bytes;      /* per rank */
  int64_t held_bytes;       /* part of total_bytes that is already taken */
  double  flops;            /* per optimiser step and rank: dense products, forward and backward */
} fc_plan;

/* The largest step of this training (end of the curriculum, with pushes; the largest samples), for this
   rank's share of the batch. */
fc_status fc_plan_train(const fc_model_def *def, const void *args, const fc_feed *feed,
                        const fc_settings *set, fc_plan *out);
/* peak bytes of one call without gradient on B windows, k frames out; dim: of this rank's share (NULL: alone)
 */
fc_status fc_plan_call(const fc_model_def *def, const void *args, const fc_settings *set,
                       const fc_share *share, int ndim, const int64_t *dim, int64_t B, int64_t k,
                       int64_t *bytes);

/* What may still be used: the machine's available memory or what the cgroup leaves, whichever is less; *why
   (may be NULL) names which. */
int64_t fc_memory_available(const char **why);
void    fc_plan_print(const fc_plan *p, FILE *f);
/* FC_E_SYSTEM names what to lower */
fc_status fc_plan_fits(const fc_plan *p);
#endif
