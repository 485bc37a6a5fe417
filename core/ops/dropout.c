/* core/ops/dropout.c - y_i = x_i k_i / (1 - p), k_i = 1 with probability 1 - p (Srivastava et al. 2014).
   The mask is a function of (seed, step, call, i), never stored: backward draws it again. */
#include "core/ops/dropout.h"

#include "core/domain.h"
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

static fc_mask draw(fc_ctx *c, double p, int64_t n, const fc_mask_piece *piece) {
  return (fc_mask){.rng       = {.sample = c->step, .purpose = FC_RNG_DROPOUT},
                   .first     = (uint64_t)c->draws++ << 40,
                   .threshold = (uint32_t)fmin(p * 0x1p32, UINT32_MAX),
                   .scale     = p < 1 ? (fc_real)(1 / (1 - p)) : 0,
                   .n         = n,
                   .piece     = piece};
}

fc_mask fc_mask_draw(fc_ctx *c, double p, int64_t length) {
  fc_mask_piece *all = fc_arena_push(c->arena, sizeof *all);

  *all = (fc_mask_piece){0, skipped(c, length), c->seed};
  return draw(c, p, 1, all);
}

fc_mask fc_mask_draw_shares(fc_ctx *c, double p, int64_t n, const int64_t *at, const int64_t *place) {
  fc_mask_piece *piece = fc_arena_push(c->arena, (size_t)n * sizeof *piece);

  for (int64_t b = 0; b < n; b++) {
    const uint64_t sample = (uint64_t)(c->items ? c->before + b : b) + 1;
    piece[b]              = (fc_mask_piece){at[b], place[b], c->seed ^ sample * 0x9e3779b97f4a7c15u};
  }
  return draw(c, p, n, piece);
}

/* one counter serves four elements, of which the first may be another rank's */
static void apply_piece(const fc_mask *m, uint64_t seed, int64_t place, fc_real *y, const fc_real *x,
                        int64_t n, bool fresh) {
  const int64_t off = place % 4;
  fc_rng        rng = m->rng;
  uint32_t      word[FC_SPAN + 6];

  rng.seed = seed;
  fc_rng_words(&rng, m->first + (uint64_t)(place / 4), fc_ceil_div(off + n, 4), word);
  select_span(y, x, word + off, m->threshold, m->scale, n, fresh);
}

/* the piece that element `at` belongs to; of empty ones the last */
static int64_t piece_of(const fc_mask *m, int64_t at) {
  int64_t lo = 0, hi = m->n - 1;

  while (lo < hi) {
    const int64_t mid = (lo + hi + 1) / 2;
    if (m->piece[mid].at <= at)
      lo = mid;
    else
      hi = mid - 1;
  }
  return lo;
}

void fc_mask_apply(const fc_mask *m, fc_real *y, const fc_real *x, int64_t at, int64_t n, bool fresh) {
  for (int64_t k = piece_of(m, at); n > 0; k++) {
    const fc_mask_piece *q    = &m->piece[k];
    const int64_t        part = k + 1 < m->n ? fc_min64(n, q[1].at - at) : n;
    if (part > 0) apply_piece(m, q->seed, q->place + at - q->at, y, x, part, fresh);
    y += part, x += part, at += part, n -= part;
  }
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

static fc_tensor *drop(fc_ctx *c, fc_tensor *x, fc_mask mask) {
  fc_tensor *y = fc_tensor_new(c->arena, x->ndim, x->dim);
  fc_mask   *m = fc_arena_push(c->arena, sizeof *m);

  *m = mask;
  if (!c->dry) FC_FOR_SPANS(at, n, fc_len(x)) fc_mask_apply(m, y->x + at, x->x + at, at, n, true);
  return fc_record(c, &dropout, y, m, FC_IN(x));
}

static bool drops(const fc_ctx *c, double p) {
  FC_ASSERT(p >= 0 && p <= 1, "dropout: probability %g is not in [0, 1]", p);
  return c->training && p > 0;
}

/* 0 <= p <= 1; x itself unless c->training and p > 0. Calls of one step differ by c->draws. */
fc_tensor *fc_dropout(fc_ctx *c, fc_tensor *x, double p) {
  return drops(c, p) ? drop(c, x, fc_mask_draw(c, p, fc_len(x))) : x;
}

/* Numbers of a rank's share begin behind those of the lines that ranks before it have; of samples of various
   lengths the context knows the row. */
fc_tensor *fc_dropout_shared(fc_ctx *c, fc_tensor *x, double p, const fc_segments *rows, fc_cut lines) {
  if (!drops(c, p)) return x;
  const int64_t n = rows ? rows->n : x->dim[0], all = rows ? fc_segments_rows(rows) : n;
  int64_t      *at = fc_arena_push(c->arena, (size_t)(2 * n + 1) * sizeof *at), *place = at + n + 1;
  for (int64_t b = 0; b <= n; b++) at[b] = (rows ? rows->at[b] : b) * (all ? fc_len(x) / all : 0);
  for (int64_t b = 0; b < n; b++) {
    const int64_t row = fc_len(x) / fc_max64(1, all);
    place[b] = lines.n     ? fc_cut_lo(c, lines) * ((at[b + 1] - at[b]) / fc_max64(1, fc_cut_len(c, lines)))
               : c->firsts ? c->firsts[b] * row
                           : 0;
  }
  return drop(c, x, fc_mask_draw_shares(c, p, n, at, place));
}
