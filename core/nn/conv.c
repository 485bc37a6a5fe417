/* core/nn/conv.c */
#include "core/nn/nn.h"

void fc_conv_init(fc_conv_layer *l, fc_params *p, const char *name, int ndim, int64_t in, int64_t out,
                  int64_t n, bool bias, fc_conv_spec spec) {
  int64_t dim[FC_MAX_DIMS] = {out, in / spec.groups}, fan_in = in / spec.groups;

  for (int i = 0; i < ndim; i++) fan_in *= dim[2 + i] = n;
  fc_params_push(p, "%s", name);
  l->weight = fc_param(p, "weight", fc_init_fan_in(fan_in), 2 + ndim, dim);
  l->bias   = bias ? fc_param(p, "bias", fc_init_fan_in(fan_in), FC_DIMS(out)) : NULL;
  l->spec   = spec;
  fc_params_pop(p);
}

fc_tensor *fc_conv_apply(fc_ctx *c, const fc_conv_layer *l, fc_tensor *x) {
  return fc_conv(c, x, l->weight, l->bias, l->spec);
}
