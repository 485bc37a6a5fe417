/* core/ops/activate_onto.c - y = r + act(z), the residual step of a wide layer: z is kept, act(z) is not. */
#include "core/ops.h"
#include "core/ops/activation_spans.h"
#include "core/spans.h"

#include <string.h>

/* dz = act'(z) dy, or += it */
static void slope_span(fc_act act, fc_real *dz, const fc_real *dy, const fc_real *z, int64_t n, bool fresh) {
  fc_real room[FC_SPAN], *to = fresh ? dz : room;

  memcpy(to, dy, (size_t)n * sizeof *to);
  fc_act_grad_span(act, to, z, n);
  if (!fresh) fc_span_add(dz, room, n);
}

/* y = r + act(z): dr += dy, last, because the buffer may change hands */
static void backward(fc_ctx *c, const fc_node *node) {
  const fc_act     act = *(const fc_act *)node->saved;
  const fc_real   *dy  = node->out->g;
  const fc_tensor *z   = node->in[1];
  bool             fresh;
  fc_real         *dz = fc_grad_raw(c, node->in[1], &fresh);

  if (dz) FC_FOR_SPANS(at, n, fc_len(z)) slope_span(act, dz + at, dy + at, z->x + at, n, fresh);
  fc_grad_give(c, node, node->in[0]);
}

static const fc_op activate_onto = {"activate_onto", backward, false};

fc_tensor *fc_activate_onto(fc_ctx *c, fc_tensor *r, fc_tensor *z, fc_act act) {
  fc_tensor *y    = fc_tensor_new(c->arena, z->ndim, z->dim);
  fc_act    *kept = fc_arena_push(c->arena, sizeof *kept);

  FC_ASSERT(fc_same_shape(r, z) && act != FC_ACT_NONE, "activate_onto: %s and %s", fc_shape_text(r),
            fc_shape_text(z));
  *kept = act;
  if (!c->dry) FC_FOR_SPANS(at, n, fc_len(z)) {
      fc_act_span(act, y->x + at, z->x + at, n);
      fc_span_add(y->x + at, r->x + at, n);
    }
  return fc_record(c, &activate_onto, y, kept, FC_IN(r, z));
}
