/* core/nn/residual_mlp.c */
#include "core/nn/nn.h"

#include <stdio.h>

void fc_residual_mlp_init(fc_residual_mlp *l, fc_params *p, const char *name, int64_t in, int64_t hidden,
                          int64_t out, int64_t n) {
  char buf[24];

  FC_ASSERT(n >= 0 && n <= FC_RESIDUAL_LAYERS, "residual_mlp: %lld layers", (long long)n);
  l->n = n;
  fc_params_push(p, "%s", name);
  fc_linear_init(&l->pre, p, "linear_pre", in, hidden, true);
  for (int i = 0; i < n; i++) {
    snprintf(buf, sizeof buf, "linears.%d", i);
    fc_linear_init(&l->mid[i], p, buf, hidden, hidden, true);
  }
  fc_linear_init(&l->post, p, "linear_post", hidden, out, true);
  fc_params_pop(p);
}

fc_tensor *fc_residual_mlp_apply(fc_ctx *c, const fc_residual_mlp *l, fc_tensor *x, fc_act act) {
  x = fc_linear_apply(c, &l->pre, x, act);
  for (int i = 0; i < l->n; i++)
    x = fc_activate_onto(c, x, fc_linear_apply(c, &l->mid[i], x, FC_ACT_NONE), act);
  return fc_linear_apply(c, &l->post, x, FC_ACT_NONE);
}
