/* core/ops/conv_same.h - the convolutions of conv.c that keep the grid: stride 1, odd kernels, zero padding
   of half a kernel, one group. They need no columns: under one tap of the kernel the inputs of a line of
   points are themselves a line, so each tap is a product that reads the field where it lies. */
#ifndef FC_CONV_SAME_H
#define FC_CONV_SAME_H
#include "core/tape.h"

typedef struct fc_conv_same {
  int64_t B, C, O;
  int64_t X[3], k[3]; /* missing axes stand first and have length 1 */
} fc_conv_same;

/* x [B, X.., C], W [O, C, k..], bias [O] or NULL -> y [B, X.., O] */
void fc_conv_same_forward(fc_ctx *c, const fc_conv_same *s, const fc_real *x, const fc_real *W,
                          const fc_real *bias, fc_real *y);
/* dx from dy: stored if fresh, else added */
void fc_conv_same_input(fc_ctx *c, const fc_conv_same *s, const fc_real *W, const fc_real *dy, bool fresh,
                        fc_real *dx);
void fc_conv_same_weights(fc_ctx *c, const fc_conv_same *s, const fc_real *x, const fc_real *dy, fc_real *dW);
#endif
