/* core/nn/mlp.c */
#include "core/nn/nn.h"

void fc_mlp_init(fc_mlp *l, fc_params *p, const char *name, int64_t in, int64_t hidden, int64_t out) {
  fc_params_push(p, "%s", name);
  fc_linear_init(&l->pre, p, "linear_pre.0", in, hidden, true);
  fc_linear_init(&l->post, p, "linear_post", hidden, out, true);
  fc_params_pop(p);
}

void fc_mlp_init_normal(fc_mlp *l, fc_params *p, const char *name, int64_t in, int64_t hidden, int64_t out,
                        double std) {
  fc_params_push(p, "%s", name);
  fc_linear_init_normal(&l->pre, p, "linear_pre.0", in, hidden, true, std);
  fc_linear_init_normal(&l->post, p, "linear_post", hidden, out, true, std);
  fc_params_pop(p);
}

fc_tensor *fc_mlp_apply(fc_ctx *c, const fc_mlp *l, fc_tensor *x, fc_act act) {
  return fc_mlp_onto(c, l, NULL, x, act);
}

fc_tensor *fc_mlp_onto(fc_ctx *c, const fc_mlp *l, fc_tensor *r, fc_tensor *x, fc_act act) {
  fc_tensor *z = fc_linear_apply(c, &l->pre, x, FC_ACT_NONE);

  return fc_linear_of(c, act, z, l->post.weight, l->post.bias, r);
}
