/* core/nn/norm.c */
#include "core/nn/nn.h"

void fc_norm_init(fc_norm *l, fc_params *p, const char *name, int64_t n, double eps) {
  fc_params_push(p, "%s", name);
  l->weight = fc_param(p, "weight", fc_init_constant(1), FC_DIMS(n));
  l->bias   = fc_param(p, "bias", fc_init_constant(0), FC_DIMS(n));
  l->eps    = eps;
  fc_params_pop(p);
}

fc_tensor *fc_layer_norm_apply(fc_ctx *c, const fc_norm *l, fc_tensor *x) {
  return fc_layer_norm(c, x, l->weight, l->bias, l->eps);
}

fc_tensor *fc_group_norm_apply(fc_ctx *c, const fc_norm *l, fc_tensor *x, int64_t groups) {
  return fc_group_norm(c, x, groups, l->weight, l->bias, l->eps);
}
