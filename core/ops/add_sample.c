/* core/ops/add_sample.c - every row of a sample takes that sample's vector, over x's own memory:
     y[r] = x[r] + e[b(r)],   x [.., C] with the rows of all samples (core/segments.h), e [B, C] */
#include "core/ops.h"
#include "core/ops/epilogue.h"
#include "core/spans.h"

static void forward(fc_real *x, const fc_real *e, const fc_segments *s, int64_t C) {
  for (int64_t b = 0; b < s->n; b++)
    FC_FOR_ROWS(r, s->at[b + 1] - s->at[b], C) fc_span_add(x + (s->at[b] + r) * C, e + b * C, C);
}

/* y = x + e[b]: de[b] += sum of the sample's dy, and dx takes dy as it is */
static void backward(fc_ctx *c, const fc_node *node) {
  const fc_segments *s  = node->saved;
  const int64_t      C  = fc_last(node->out);
  fc_real           *de = fc_grad(c, node->in[1]);

  for (int64_t b = 0; de && b < s->n; b++)
    fc_column_sums(c->arena, node->out->g + s->at[b] * C, s->at[b + 1] - s->at[b], C, de + b * C);
  fc_grad_give(c, node, node->in[0]);
}

static const fc_op add_sample = {"add_sample", backward, false};

fc_tensor *fc_add_sample(fc_ctx *c, fc_tensor *x, fc_tensor *e, const fc_segments *s) {
  fc_segments *saved = fc_arena_push(c->arena, sizeof *saved);
  fc_tensor   *y     = fc_tensor_view(c->arena, x, x->ndim, x->dim);

  *saved = *s;
  FC_ASSERT(fc_segments_rows(s) == fc_rows(x) && e->dim[0] == s->n && fc_len(e) == s->n * fc_last(x),
            "add_sample: rows %s, samples %s", fc_shape_text(x), fc_shape_text(e));
  if (!c->dry) forward(y->x, e->x, s, fc_last(x));
  return fc_record(c, &add_sample, y, saved, FC_IN(x, e));
}
