/* core/nn/linear.c */
#include "core/nn/nn.h"

void fc_linear_init_shaped(fc_linear *l, fc_params *p, const char *name, bool bias, int ndim,
                           const int64_t *dim) {
  int64_t fan_in = 1;

  for (int i = 1; i < ndim; i++) fan_in *= dim[i];
  fc_params_push(p, "%s", name);
  l->weight = fc_param(p, "weight", fc_init_fan_in(fan_in), ndim, dim);
  l->bias   = bias ? fc_param(p, "bias", fc_init_fan_in(fan_in), 1, dim) : NULL;
  fc_params_pop(p);
}

void fc_linear_init(fc_linear *l, fc_params *p, const char *name, int64_t in, int64_t out, bool bias) {
  fc_linear_init_shaped(l, p, name, bias, FC_DIMS(out, in));
}

void fc_linear_init_normal(fc_linear *l, fc_params *p, const char *name, int64_t in, int64_t out, bool bias,
                           double std) {
  fc_params_push(p, "%s", name);
  l->weight = fc_param(p, "weight", fc_init_normal(std), FC_DIMS(out, in));
  l->bias   = bias ? fc_param(p, "bias", fc_init_constant(0), FC_DIMS(out)) : NULL;
  fc_params_pop(p);
}

void fc_linear_init_std(fc_linear *l, fc_params *p, const char *name, int64_t in, int64_t out, double std) {
  if (std > 0)
    fc_linear_init_normal(l, p, name, in, out, true, std);
  else
    fc_linear_init(l, p, name, in, out, true);
}

void fc_linear_init_xavier(fc_linear *l, fc_params *p, const char *name, int64_t in, int64_t out, bool bias) {
  fc_params_push(p, "%s", name);
  l->weight = fc_param(p, "weight", fc_init_xavier(in, out, 1), FC_DIMS(out, in));
  l->bias   = bias ? fc_param(p, "bias", fc_init_constant(0), FC_DIMS(out)) : NULL;
  fc_params_pop(p);
}

fc_tensor *fc_linear_apply(fc_ctx *c, const fc_linear *l, fc_tensor *x, fc_act act) {
  return fc_linear_op(c, x, l->weight, l->bias, act);
}
