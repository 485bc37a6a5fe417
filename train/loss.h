/* train/loss.h - what training makes small. */
#ifndef FC_LOSS_H
#define FC_LOSS_H
#include "core/tape.h"
#include "train/scaling.h"
#include "train/settings.h"

/* Scalar loss of y against target, both [B, T, X.., C] normalised, by the options t->loss, t->loss_in_units,
   t->loss_ring and t->loss_derivative. The relative norm divides by max(|target|, 1e-5) per window.

   loss_ring: y is set to zero on the border of the grid first, target is not.
   loss_derivative = w adds w times the sum over the space axes of the relative L2 norms of central
   differences, with zeros outside the grid (the Darcy recipe of Transolver, arXiv 2402.02366; the spacing
   cancels). */
fc_tensor *fc_loss(fc_ctx *c, const fc_train_settings *t, const fc_scaling *scaling, fc_tensor *y,
                   fc_tensor *target);
#endif
