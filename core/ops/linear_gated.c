/* core/ops/linear_gated.c - y = r + (1 + gate_s) (W act(x) + b): the end of a residual branch whose sample s
   opens or closes it. x [.., K] with N rows for each of B samples, W [O, K], b [O] or NULL, r and y [.., O].

   The branch's result is not kept. With G_s = sum over the rows of s of dy^T act(x) and g_s that of dy,
     dW = sum_s (1 + gate_s) G_s,   dgate_s = (W . G_s summed over K) + b g_s,   db = sum_s (1 + gate_s) g_s
   follow from one product per sample. */
#include "core/gemm.h"
#include "core/ops/activation_spans.h"
#include "core/ops/epilogue.h"
#include "core/ops/modulation.h"
#include "core/parallel.h"
#include "core/spans.h"

#include <string.h>

typedef struct {
  fc_act        act;
  fc_modulation m;
  int64_t       B, N, O, K, block, blocks; /* blocks: tasks of a sample */
} saved;

static const fc_real *gate_of(const saved *s, int64_t sample) {
  return s->m.rows->x + fc_modulation_at(&s->m, sample, s->O, FC_MOD_GATE);
}

/* t = r + (1 + gate) (t + b) */
FC_SIMD static void gate_rows(fc_real *restrict t, const fc_real *restrict gate, const fc_real *restrict b,
                              const fc_real *restrict r, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; i++, t += n, r += n)
    for (int64_t j = 0; j < n; j++) t[j] = r[j] + (1 + gate[j]) * (b ? t[j] + b[j] : t[j]);
}

/* g = (1 + gate) dy */
FC_SIMD static void gate_back(fc_real *restrict g, const fc_real *restrict dy, const fc_real *restrict gate,
                              int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; i++, g += n, dy += n)
    for (int64_t j = 0; j < n; j++) g[j] = (1 + gate[j]) * dy[j];
}

static fc_real *block_room(fc_arena *a, const saved *s, int64_t width) {
  return fc_arena_push(a, (size_t)(fc_threads() * s->block * width) * sizeof(fc_real));
}

static void forward(fc_ctx *c, const saved *s, fc_real *y, fc_tensor *const *in) {
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *room = block_room(c->arena, s, s->K);

  c->flops += 2.0 * (double)(s->B * s->N) * (double)s->O * (double)s->K;
  if (!c->dry) FC_FOR_TASKS(t, s->B * s->blocks, s->B * s->N * s->O * s->K) {
      const int64_t  i = t / s->blocks, at = t % s->blocks * s->block, n = fc_min64(s->block, s->N - at);
      const int64_t  row = i * s->N + at;
      const fc_real *x   = in[0]->x + row * s->K;
      if (s->act != FC_ACT_NONE) {
        fc_real *mine = room + fc_thread() * s->block * s->K;
        fc_act_span(s->act, mine, x, n * s->K);
        x = mine;
      }
      fc_gemm(false, true, n, s->O, s->K, 1, x, s->K, in[1]->x, s->K, 0, y + row * s->O, s->O);
      gate_rows(y + row * s->O, gate_of(s, i), in[2] ? in[2]->x : NULL, in[3]->x + row * s->O, n, s->O);
    }
  fc_arena_pop(c->arena, mark);
}

/* ---- backward ---- */

typedef struct {
  fc_real *dx, *dW, *db, *dm; /* gradients, NULL if nobody asks */
  bool     fresh;             /* dx */
  fc_real *a, *G, *g;         /* scratch: act(x) of a sample [N, K], [O, K], [O]; NULL if dW, db, dm are */
  fc_real *room;              /* a block of dy and of dx for each thread */
} work;

/* dx += act'(x) (((1 + gate) dy) W), and a = act(x) while x is here */
static void backward_block(const saved *s, const fc_node *node, const work *k, int64_t i, int64_t t) {
  const int64_t O = s->O, K = s->K, at = t * s->block, n = fc_min64(s->block, s->N - at), row = i * s->N + at;
  const fc_real *x = node->in[0]->x + row * K, *dy = node->out->g + row * O;
  fc_real       *g = k->room + fc_thread() * s->block * (O + K),
          *to      = k->fresh ? k->dx + row * K : g + s->block * O;

  gate_back(g, dy, gate_of(s, i), n, O);
  fc_gemm(false, false, n, K, O, 1, g, O, node->in[1]->x, K, 0, to, K);
  if (k->a)
    fc_act_value_grad_span(s->act, k->a + at * K, to, x, n * K);
  else
    fc_act_grad_span(s->act, to, x, n * K);
  if (!k->fresh) fc_span_add(k->dx + row * K, to, n * K);
}

FC_SIMD static fc_real dot_and_add(fc_real *restrict dW, const fc_real *restrict G, const fc_real *restrict W,
                                   fc_real factor, int64_t n) {
  fc_real sum = 0;

  FC_REDUCE(+, sum) for (int64_t j = 0; j < n; j++) sum += G[j] * W[j];
  for (int64_t j = 0; dW && j < n; j++) dW[j] += factor * G[j];
  return sum;
}

/* the sums at the head of this file for sample i; a is act(x) */
static void backward_weight(fc_arena *scratch, const saved *s, const fc_node *node, int64_t i, const work *k,
                            const fc_real *a) {
  const int64_t  O = s->O, K = s->K, N = s->N;
  const fc_real *dy = node->out->g + i * N * O, *W = node->in[1]->x, *b = node->in[2] ? node->in[2]->x : NULL,
                *gate = gate_of(s, i);
  fc_real *dgate      = k->dm ? k->dm + fc_modulation_at(&s->m, i, O, FC_MOD_GATE) : NULL;

  memset(k->g, 0, (size_t)O * sizeof *k->g);
  fc_column_sums(scratch, dy, N, O, k->g);
  fc_gemm_reduce(scratch, O, K, N, dy, O, a, K, false, k->G, K);
  FC_FOR_ROWS(o, O, K) {
    const fc_real sum = dot_and_add(k->dW ? k->dW + o * K : NULL, k->G + o * K, W + o * K, 1 + gate[o], K);
    if (dgate) dgate[o] += sum + (b ? b[o] * k->g[o] : 0);
    if (k->db) k->db[o] += (1 + gate[o]) * k->g[o];
  }
}

static void backward_sample(fc_arena *scratch, const saved *s, const fc_node *node, int64_t i,
                            const work *k) {
  const fc_real *x = node->in[0]->x + i * s->N * s->K;

  if (k->dx)
    FC_FOR_TASKS(t, s->blocks, s->N * s->O * s->K) backward_block(s, node, k, i, t);
  else if (k->a)
    FC_FOR_ROW_BLOCKS(r, n, s->N, s->K) fc_act_span(s->act, k->a + r * s->K, x + r * s->K, n * s->K);
  if (k->G) backward_weight(scratch, s, node, i, k, k->a ? k->a : x);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const saved *s = node->saved;
  work         k;

  k.dx = fc_grad_raw(c, node->in[0], &k.fresh);
  k.dW = fc_grad(c, node->in[1]), k.db = fc_grad(c, node->in[2]), k.dm = fc_grad(c, node->in[4]);
  const size_t mark = fc_arena_mark(c->arena);
  const bool   sums = k.dW || k.db || k.dm, act = sums && s->act != FC_ACT_NONE;
  k.room = block_room(c->arena, s, s->O + s->K);
  k.a    = act ? fc_arena_push(c->arena, (size_t)(s->N * s->K) * sizeof *k.a) : NULL;
  k.G    = sums ? fc_arena_push(c->arena, (size_t)(s->O * s->K) * sizeof *k.G) : NULL;
  k.g    = fc_arena_push(c->arena, (size_t)s->O * sizeof *k.g);
  c->flops += 4.0 * (double)(s->B * s->N) * (double)s->O * (double)s->K;
  for (int64_t i = 0; !c->dry && i < s->B; i++) backward_sample(c->arena, s, node, i, &k);
  fc_arena_pop(c->arena, mark);
  fc_grad_give(c, node, node->in[3]);
}

static const fc_op linear_gated = {"linear_gated", backward, true};

fc_tensor *fc_linear_gated(fc_ctx *c, fc_act act, fc_tensor *x, fc_tensor *W, fc_tensor *b, fc_tensor *r,
                           fc_modulation m) {
  fc_tensor *const in[] = {x, W, b, r, m.rows};
  const int64_t    O = W->dim[0], K = fc_last(x);
  saved           *s = fc_arena_push(c->arena, sizeof *s);

  FC_ASSERT(
      fc_span(W, 1, W->ndim) == K && (!b || fc_len(b) == O) && fc_last(r) == O && fc_rows(r) == fc_rows(x),
      "linear_gated: input %s, weight %s, residual %s", fc_shape_text(x), fc_shape_text(W), fc_shape_text(r));
  *s           = (saved){.act = act, .m = m, .B = m.rows->dim[0], .O = O, .K = K};
  s->N         = fc_modulation_rows("linear_gated", &m, r, FC_MOD_GATE);
  s->block     = fc_gemm_block(s->N, O, K);
  s->blocks    = fc_ceil_div(s->N, s->block);
  fc_tensor *y = fc_tensor_new(c->arena, r->ndim, r->dim);
  forward(c, s, y->x, in);
  return fc_record(c, &linear_gated, y, s, 5, in);
}
