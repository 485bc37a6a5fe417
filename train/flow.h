/* train/flow.h - flow matching: a network that generates the next frame from noise, given the frames before
   it (Lipman et al., ICLR 2023, arXiv 2210.02747; as PDE-Transformer uses it, arXiv 2505.24717).

   On the way from noise e (t = 0) to the frame x (t = 1) lies x_t = (1 - (1 - s) t) e + t x with s = 1e-4;
   its velocity x - (1 - s) e is what the network learns from (x_t, known frames, t). */
#ifndef FC_FLOW_H
#define FC_FLOW_H
#include "train/network.h"

/* velocity [B, 1, X.., C] at state [B, 1, X.., C] and times t [B], given known [B, n_in, X.., C] and
   parameters (NULL if none); records if c->grad */
fc_tensor *fc_flow_velocity(fc_ctx *c, const fc_network *n, fc_tensor *state, fc_tensor *known, fc_tensor *t,
                            fc_real *params);

typedef struct fc_flow_place { /* a point on the way for each window of a batch */
  fc_tensor *state, *t, *velocity;
} fc_flow_place;
/* For target [B, 1, X.., C]. Window b is number first + b of whole: its time lies in the (first + b)-th of
   `whole` equal parts of [0, 1]. Random numbers by (c->seed, c->step, number), the same for any number of
   ranks. */
fc_flow_place fc_flow_draw(fc_ctx *c, const fc_tensor *target, int64_t first, int64_t whole);

/* A frame [B, 1, X.., C]: from noise by n->flow_steps Euler steps, the velocity taken at the end time of
   each, as the official sampler does. Never records. */
fc_tensor *fc_flow_sample(fc_ctx *c, const fc_network *n, fc_tensor *known, fc_real *params);
#endif
