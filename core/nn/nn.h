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
void fc_linear_init_shaped(fc_linear *l, fc_params *p, const char *name, bool bias, int ndim,
                           const int64_t *dim);
/* weight normal(0, std), bias 0: the transformers of thuml, std 0.02 */
void fc_linear_init_normal(fc_linear *l, fc_params *p, const char *name, int64_t in, int64_t out, bool bias,
                           double std);
/* weight Xavier uniform, bias 0 */
void fc_linear_init_xavier(fc_linear *l, fc_params *p, const char *name, int64_t in, int64_t out, bool bias);
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
void fc_conv_init(fc_conv_layer *l, fc_params *p, const char *name, int ndim, int64_t in, int64_t out,
                  int64_t n, bool bias, fc_conv_spec spec);
/* the same, weight Xavier uniform, bias 0 */
void fc_conv_init_xavier(fc_conv_layer *l, fc_params *p, const char *name, int ndim, int64_t in, int64_t out,
                         int64_t n, bool bias, fc_conv_spec spec);
fc_tensor *fc_conv_apply(fc_ctx *c, const fc_conv_layer *l, fc_tensor *x);

/* act(x W1 + b1) W2 + b2, as the Transolver family has it: weights NAME.linear_pre.0 and NAME.linear_post */
typedef struct fc_mlp {
  fc_linear pre, post;
} fc_mlp;
void fc_mlp_init(fc_mlp *l, fc_params *p, const char *name, int64_t in, int64_t hidden, int64_t out);
void fc_mlp_init_normal(fc_mlp *l, fc_params *p, const char *name, int64_t in, int64_t hidden, int64_t out,
                        double std);
fc_tensor *fc_mlp_apply(fc_ctx *c, const fc_mlp *l, fc_tensor *x, fc_act act);
/* r + the same, in one pass */
fc_tensor *fc_mlp_onto(fc_ctx *c, const fc_mlp *l, fc_tensor *r, fc_tensor *x, fc_act act);

/* points of a grid with axes linspace(0, 1, dim[a]), first axis slowest: [N, ndim]; constant */
fc_tensor *fc_unit_grid(fc_ctx *c, int ndim, const int64_t *dim);
#endif
