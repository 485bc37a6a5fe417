/* core/nn/linear_attention.c */
#include "core/nn/nn.h"

#include <stdio.h>

static void init_function(fc_linear *l, fc_params *p, const char *name, int i, int n, int64_t C, double std) {
  char buf[24];

  snprintf(buf, sizeof buf, n < 0 ? "%s" : "%ss.%d", name, i);
  fc_linear_init_std(l, p, buf, C, C, std);
}

void fc_linear_attention_init(fc_linear_attention_layer *l, fc_params *p, const char *name, int64_t C,
                              int64_t heads, int n, double std) {
  FC_ASSERT(n <= FC_ATTENTION_FUNCTIONS, "linear_attention: %d functions", n);
  l->heads = heads;
  fc_params_push(p, "%s", name);
  fc_linear_init_std(&l->query, p, "query", C, C, std);
  for (int i = 0; i < (n < 0 ? 1 : n); i++) {
    init_function(&l->key[i], p, "key", i, n, C, std);
    init_function(&l->value[i], p, "value", i, n, C, std);
  }
  fc_linear_init_std(&l->proj, p, "proj", C, C, std);
  fc_params_pop(p);
}

fc_tensor *fc_linear_attention_onto(fc_ctx *c, const fc_linear_attention_layer *l, fc_tensor *r, fc_tensor *x,
                                    const fc_attention_call *call) {
  fc_tensor *q = fc_linear_apply(c, &l->query, x, FC_ACT_NONE);
  fc_tensor *k[FC_ATTENTION_FUNCTIONS], *v[FC_ATTENTION_FUNCTIONS];

  for (int i = 0; i < call->n; i++) {
    k[i] = fc_linear_apply(c, &l->key[i], call->y[i], FC_ACT_NONE);
    v[i] = fc_linear_apply(c, &l->value[i], call->y[i], FC_ACT_NONE);
  }
  fc_tensor *o = fc_linear_attention(c, q, call->rows, call->n, k, v, call->keys, l->heads);
  o            = fc_dropout_shared(c, o, call->drop_inside, call->rows, c->cut);
  if (call->drop == 0) return fc_linear_of(c, FC_ACT_NONE, o, l->proj.weight, l->proj.bias, r);
  o = fc_linear_apply(c, &l->proj, o, FC_ACT_NONE);
  return fc_add(c, fc_dropout_shared(c, o, call->drop, call->rows, c->cut), r);
}
