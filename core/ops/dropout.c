/* core/ops/dropout.c - y_i = x_i k_i / (1 - p), k_i = 1 with probability 1 - p (Srivastava et al. 2014).
   The mask is a function of (seed, step, call, i), never stored: backward draws it again. */
#include "core/ops/dropout.h"

#include "core/spans.h"

#include <math.h>

FC_SIMD static void select_span(fc_real *restrict y, const fc_real *restrict x, const uint32_t *restrict word,
                                uint32_t threshold, fc_real scale, int64_t n, bool fresh) {
  for (int64_t i = 0; i < n; i++) y[i] = fc_into(fresh, y[i], word[i] >= threshold ? scale * x[i] : 0);
}

/* elements of the samples that other ranks have before ours */
static int64_t skipped(const fc_ctx *c, int64_t length) {
  return c->items && length % c->items == 0 ? length / c->items * c->before : 0;
}

fc_mask fc_mask_draw(fc_ctx *c, double p, int64_t length) {
  return (fc_mask){{c->seed, c->step, FC_RNG_DROPOUT},
                   (uint64_t)c->draws++ << 40,
                   skipped(c, length),
                   (uint32_t)fmin(p * 0x1p32, UINT32_MAX),
                   p < 1 ? (fc_real)(1 / (1 - p)) : 0};
}

/* one counter serves four elements, of which the first may be another rank's */
void fc_mask_apply(const fc_mask *m, fc_real *y, const fc_real *x, int64_t at, int64_t n, bool fresh) {
  const int64_t place = m->skip + at, off = place % 4;
  uint32_t      word[FC_SPAN + 6];

  fc_rng_words(&m->rng, m->first + (uint64_t)(place / 4), fc_ceil_div(off + n, 4), word);
  select_span(y, x, word + off, m->threshold, m->scale, n, fresh);
}

/* y = scale k x: dx += scale k dy, the same product */
static void backward(fc_ctx *c, const fc_node *node) {
  const fc_real *dy = node->out->g;
  bool           fresh;
  fc_real       *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (!dx) return;
  FC_FOR_SPANS(at, n, fc_len(node->out)) fc_mask_apply(node->saved, dx + at, dy + at, at, n, fresh);
}

static const fc_op dropout = {"dropout", backward, false};

/* 0 <= p <= 1; x itself unless c->training and p > 0. Calls of one step differ by c->draws. */
fc_tensor *fc_dropout(fc_ctx *c, fc_tensor *x, double p) {
  FC_ASSERT(p >= 0 && p <= 1, "dropout: probability %g is not in [0, 1]", p);
  if (!c->training || p == 0) return x;
  fc_tensor *y = fc_tensor_new(c->arena, x->ndim, x->dim);
  fc_mask   *m = fc_arena_push(c->arena, sizeof *m);
  *m           = fc_mask_draw(c, p, fc_len(x));
  if (!c->dry) FC_FOR_SPANS(at, n, fc_len(x)) fc_mask_apply(m, y->x + at, x->x + at, at, n, true);
  return fc_record(c, &dropout, y, m, FC_IN(x));
}
