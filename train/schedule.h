/* train/schedule.h - learning rate and beta1 as functions of the optimiser step. */
#ifndef FC_SCHEDULE_H
#define FC_SCHEDULE_H
#include "core/base.h"

typedef enum {
  FC_SCHEDULE_CONSTANT,
  FC_SCHEDULE_ONECYCLE,
  FC_SCHEDULE_COSINE,
  FC_SCHEDULE_STEP,
  FC_SCHEDULE_TYPE1,
  FC_SCHEDULE_TYPE3,
  FC_SCHEDULE_COSINE_EPOCHS,
  FC_SCHEDULE_EXPONENTIAL_WITH_WARMUP
} fc_schedule_kind;
#define FC_SCHEDULE_CHOICES "constant|onecycle|cosine|step|type1|type3|cosine_epochs|exponential_with_warmup"

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
  int64_t          items, per_step, epochs; /* what an epoch is: items of one, of a step; epochs of the run */
  int64_t          warmup_epochs;           /* exponential_with_warmup */
} fc_schedule;

/* lr and beta1 of step 0 .. total-1; steps past the end keep the last values.
   onecycle: Smith and Topin 2018 (arXiv 1708.07120) with two cosine phases, the formulas of PyTorch's
   OneCycleLR: rise ends at step pct_start total - 1, fall at total - 1. cosine: lr_end + (lr - lr_end) (1 +
   cos(pi (s - warmup) / (total - warmup))) / 2. warm-up: step s < warmup uses (s + 1) / warmup of the rate.

   By epochs, as forecasters are trained; e = 0, 1, .. is the epoch in which the step begins. Informer's
   type1: lr for e = 0 and 1, then halved each time; PatchTST's type3: lr for e < 3, then lr 0.9^(e - 3); the
   library's cosine, here cosine_epochs: lr (1 + cos(pi e / epochs)) / 2; ETSformer's exponential_with_warmup
   with W = warmup_epochs: lr e / (W + 1) for e <= W, then lr 0.5^(e - W - 1), so the first epoch stands
   still. */
void fc_schedule_at(const fc_schedule *s, int64_t step, double *lr, double *beta1);
/* the epoch in which a step begins; 0 if it is not known what an epoch is */
int64_t fc_schedule_epoch(const fc_schedule *s, int64_t step);
#endif
