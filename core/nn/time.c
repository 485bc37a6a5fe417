/* core/nn/time.c */
#include "core/nn/nn.h"

void fc_time_init(fc_time_layer *l, fc_params *p, const char *name, int64_t C) {
  fc_params_push(p, "%s", name);
  fc_linear_init(&l->in, p, "0", C, C, true);
  fc_linear_init(&l->out, p, "2", C, C, true);
  fc_params_pop(p);
}

fc_tensor *fc_time_add(fc_ctx *c, const fc_time_layer *l, fc_tensor *h, fc_tensor *T) {
  fc_segments *samples = fc_arena_push(c->arena, sizeof *samples);
  fc_tensor   *e       = fc_linear_apply(c, &l->in, fc_time_code(c, T, fc_last(h), 1), FC_ACT_NONE);

  *samples = fc_segments_equal(c->arena, h->dim[0], fc_span(h, 1, h->ndim - 1));
  e        = fc_linear_of(c, FC_ACT_SILU, e, l->out.weight, l->out.bias, NULL);
  return fc_add_sample(c, h, e, samples);
}
