/* train/schedule.h - learning rate and beta1 as functions of the optimiser step. */
#ifndef FC_SCHEDULE_H
#define FC_SCHEDULE_H
#include "core/base.h"

typedef enum {
  FC_SCHEDULE_CONSTANT,
  FC_SCHEDULE_ONECYCLE,
  FC_SCHEDULE_COSINE,
  FC_SCHEDULE_STEP
} fc_schedule_kind;
#define FC_SCHEDULE_CHOICES "constant|onecycle|cosine|step"

typedef struct fc_schedule {
  fc_schedule_kind kind;
  int64_t          total;            /* optimiser steps of the whole run */
  double           lr;               /* the largest learning rate */
  double           beta1;            /* where nothing cycles */
  double           pct_start;        /* onecycle: fraction of the steps in which lr rises */
  double           div_factor;       /* onecycle: first lr = lr / div_factor */
  double           final_div_factor; /* onecycle: last lr = first lr / final_div_factor */
  bool             cycle_momentum;   /* onecycle: beta1 runs opposite to lr, max -> base -> max */
  double           base_momentum, max_momentum;
  int64_t          warmup;      /* constant, cosine, step: lr rises linearly over so many steps */
  double           lr_end;      /* cosine: learning rate at the end */
  int64_t          decay_every; /* step: lr is multiplied by decay_factor every so many steps */
  double           decay_factor;
} fc_schedule;

/* lr and beta1 of step 0 .. total-1; steps past the end keep the last values.
   onecycle: Smith and Topin 2018 (arXiv 1708.07120) with two cosine phases, the formulas of PyTorch's
   OneCycleLR: rise ends at step pct_start total - 1, fall at total - 1. cosine: lr_end + (lr - lr_end) (1 +
   cos(pi (s - warmup) / (total - warmup))) / 2. warm-up: step s < warmup uses (s + 1) / warmup of the rate.
 */
void fc_schedule_at(const fc_schedule *s, int64_t step, double *lr, double *beta1);
#endif
