/* core/nn/nn.h - layers: plain structs of weight handles with two functions, _init declares the weights under
   their official names, _apply computes. */
#ifndef FC_NN_H
#define FC_NN_H
#include "core/ops.h"
#include "core/params.h"

typedef struct fc_linear {
  fc_tensor *weight, *bias; /* [O, K], [O] or NULL */
} fc_linear;

/* PyTorch's default: weight and bias U(+-1/sqrt(in)) */
void fc_linear_init(fc_linear *l, fc_params *p, const char *name, int64_t in, int64_t out, bool bias);
/* the same with a convolution's weight shape, e.g. [out, in, 1]; fan-in is in times the kernel's points */
void       fc_linear_init_shaped(fc_linear *l, fc_params *p, const char *name, bool bias, int ndim,
                                 const int64_t *dim);
fc_tensor *fc_linear_apply(fc_ctx *c, const fc_linear *l, fc_tensor *x, fc_act act);

typedef struct fc_norm {
  fc_tensor *weight, *bias;
  double     eps;
} fc_norm;

/* weight 1, bias 0 */
void       fc_norm_init(fc_norm *l, fc_params *p, const char *name, int64_t n, double eps);
fc_tensor *fc_layer_norm_apply(fc_ctx *c, const fc_norm *l, fc_tensor *x);
fc_tensor *fc_group_norm_apply(fc_ctx *c, const fc_norm *l, fc_tensor *x, int64_t groups);

typedef struct fc_conv_layer {
  fc_tensor   *weight, *bias;
  fc_conv_spec spec;
} fc_conv_layer;

/* square kernels of n points along each of ndim axes */
void       fc_conv_init(fc_conv_layer *l, fc_params *p, const char *name, int ndim, int64_t in, int64_t out,
                        int64_t n, bool bias, fc_conv_spec spec);
fc_tensor *fc_conv_apply(fc_ctx *c, const fc_conv_layer *l, fc_tensor *x);
#endif
