/* train/loss.h - what training makes small. */
#ifndef FC_LOSS_H
#define FC_LOSS_H
#include "core/model.h"
#include "train/scaling.h"
#include "train/settings.h"

/* Ranks that share the grid give their part of it: the loss is the sum over them (core/domain.h).

   Scalar loss of y against target, both [B, T, X.., C] normalised, by the options t->loss, t->loss_in_units,
   t->loss_ring and t->loss_derivative. The relative norm divides by max(|target|, 1e-5) per window.

   loss_ring: y is set to zero on the border of the grid first, target is not.
   loss_derivative = w adds w times the sum over the space axes of the relative L2 norms of central
   differences, with zeros outside the grid (the Darcy recipe of Transolver, arXiv 2402.02366; the spacing
   cancels).
   channel_weights: squares of differences (and of the target, in relative norms) count so many times. */
fc_tensor *fc_loss(fc_ctx *c, const fc_train_settings *t, const fc_scaling *scaling, fc_tensor *y,
                   fc_tensor *target);

/* The same for rows [R, C] of samples with lengths [B] and weights [R, C] (NULL: 1): one norm or mean per
   sample (core/ops.h, fc_ragged_loss). */
fc_tensor *fc_loss_rows(fc_ctx *c, const fc_train_settings *t, const fc_scaling *scaling, fc_tensor *y,
                        fc_tensor *target, fc_tensor *weight, const fc_tensor *lengths);

/* Of forecasts y [B, P, targets] (or [B, P, targets, quantiles] where the model gives some) against scaled
   numbers [B, P, targets]: mse, mae or quantile. */
fc_tensor *fc_loss_series(fc_ctx *c, const fc_train_settings *t, const fc_series_wants *w, fc_tensor *y,
                          fc_tensor *target);

/* FC_E_USAGE if channel_weights are not one for each of the channels */
fc_status fc_loss_check(const fc_train_settings *t, int channels);
#endif
