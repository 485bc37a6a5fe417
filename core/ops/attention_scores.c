/* core/ops/attention_scores.c - softmax attention in two steps, for networks in which a layer's scores go on
   from those of the layer before (He et al. 2021, RealFormer). q [B, n, H E], k [B, m, H E], v [B, m, H E],
   head h in columns h E .. (h+1) E, r [B, H, n, m] or none:

     S_ij = scale q_i . k_j + r_ij   [B, H, n, m];      y_i = sum_j P_ij v_j,  P_ij = exp S_ij / sum_j exp
   S_ij

   Only S is stored, once per layer: P is made again in backward on rows that lie in the cache. Heads are read
   where they lie, a row of q apart, so that nothing is transposed. */
#include "core/gemm.h"
#include "core/ops.h"
#include "core/ops/softmax_rows.h"
#include "core/parallel.h"

#include <string.h>

typedef struct {
  int64_t B, H, n, m, E;
  fc_real scale;
} sizes;

/* one head of one sample: where it begins in S, and in rows of the n or m tokens */
typedef struct {
  int64_t S, q, k;
} head_at;

static head_at place(const sizes *s, int64_t task) {
  const int64_t b = task / s->H, column = task % s->H * s->E, D = s->H * s->E;

  return (head_at){task * s->n * s->m, b * s->n * D + column, b * s->m * D + column};
}

static int64_t work(const sizes *s) { return s->B * s->H * s->n * s->m * s->E; }

/* ---- scores ---- */

static void scores_forward(const sizes *s, fc_real *S, const fc_real *q, const fc_real *k, const fc_real *r) {
  const int64_t D = s->H * s->E;

  FC_FOR_TASKS(t, s->B * s->H, work(s)) {
    const head_at at = place(s, t);
    if (r) memcpy(S + at.S, r + at.S, (size_t)(s->n * s->m) * sizeof *S);
    fc_gemm(false, true, s->n, s->m, s->E, s->scale, q + at.q, D, k + at.k, D, r != NULL, S + at.S, s->m);
  }
}

/* S = scale q k^T + r: dq += scale dS k, dk += scale dS^T q, dr += dS */
static void scores_backward(fc_ctx *c, const fc_node *node) {
  const sizes   *s  = node->saved;
  const fc_real *dS = node->out->g, *q = node->in[0]->x, *k = node->in[1]->x;
  const int64_t  D = s->H * s->E;
  bool           fresh_q, fresh_k;
  fc_real       *dq = fc_grad_raw(c, node->in[0], &fresh_q), *dk = fc_grad_raw(c, node->in[1], &fresh_k);

  FC_FOR_TASKS(t, s->B * s->H, 2 * work(s)) {
    const head_at at = place(s, t);
    if (dq)
      fc_gemm(false, false, s->n, s->E, s->m, s->scale, dS + at.S, s->m, k + at.k, D, !fresh_q, dq + at.q, D);
    if (dk)
      fc_gemm(true, false, s->m, s->E, s->n, s->scale, dS + at.S, s->m, q + at.q, D, !fresh_k, dk + at.k, D);
  }
  c->flops += 4 * (double)work(s);
  fc_grad_give(c, node, node->in[2]);
}

static const fc_op attention_scores = {"attention_scores", scores_backward, false};

fc_tensor *fc_attention_scores(fc_ctx *c, fc_tensor *q, fc_tensor *k, int64_t heads, double scale,
                               fc_tensor *r) {
  const int64_t B = q->dim[0], n = q->dim[1], m = k->dim[1], D = q->dim[2];

  FC_ASSERT(q->ndim == 3 && k->ndim == 3 && k->dim[0] == B && k->dim[2] == D && D % heads == 0 &&
                (!r || fc_len(r) == B * heads * n * m),
            "attention_scores: queries %s, keys %s, %lld heads, earlier scores %s", fc_shape_text(q),
            fc_shape_text(k), (long long)heads, r ? fc_shape_text(r) : "none");
  fc_tensor *S = fc_tensor_new(c->arena, FC_DIMS(B, heads, n, m));
  sizes     *s = fc_arena_push(c->arena, sizeof *s);
  *s           = (sizes){B, heads, n, m, D / heads, (fc_real)scale};
  if (!c->dry) scores_forward(s, S->x, q->x, k->x, r ? r->x : NULL);
  c->flops += 2 * (double)work(s);
  return fc_record(c, &attention_scores, S, s, FC_IN(q, k, r));
}

/* ---- values ---- */

enum { ROWS = 64 }; /* of P at a time: with 256 keys they fill 64 kB */

static int64_t block_rows(const sizes *s) { return fc_min64(ROWS, s->n); }

/* room for so many blocks of P for each thread */
static fc_real *block_room(fc_arena *a, const sizes *s, int64_t blocks) {
  return fc_arena_push(a, (size_t)(fc_threads() * blocks * block_rows(s) * s->m) * sizeof(fc_real));
}

static void values_forward(const sizes *s, fc_real *room, fc_real *y, const fc_real *S, const fc_real *v) {
  const int64_t D = s->H * s->E, block = block_rows(s);

  FC_FOR_TASKS(t, s->B * s->H, work(s)) {
    const head_at at = place(s, t);
    fc_real      *P  = room + fc_thread() * block * s->m;
    for (int64_t i = 0; i < s->n; i += block) {
      const int64_t rows = fc_min64(block, s->n - i);
      fc_softmax_rows(P, S + at.S + i * s->m, rows, s->m);
      fc_gemm(false, false, rows, s->E, s->m, 1, P, s->m, v + at.k, D, 0, y + at.q + i * D, D);
    }
  }
}

typedef struct {
  const fc_real *S, *v, *dy;
  fc_real       *dS, *dv;
  bool           fresh_S, fresh_v;
} gradients;

/* y = P v: dv += P^T dy, dP = dy v^T; rows of a head from i on */
static void values_rows_back(const sizes *s, const gradients *g, head_at at, int64_t i, int64_t rows,
                             fc_real *P, fc_real *dP) {
  const int64_t  D  = s->H * s->E;
  const fc_real *dy = g->dy + at.q + i * D;

  fc_softmax_rows(P, g->S + at.S + i * s->m, rows, s->m);
  if (g->dv) fc_gemm(true, false, s->m, s->E, rows, 1, P, s->m, dy, D, i > 0 || !g->fresh_v, g->dv + at.k, D);
  if (!g->dS) return;
  fc_gemm(false, true, rows, s->m, s->E, 1, dy, D, g->v + at.k, D, 0, dP, s->m);
  fc_softmax_rows_back(g->dS + at.S + i * s->m, dP, P, rows, s->m, g->fresh_S);
}

static void values_backward(fc_ctx *c, const fc_node *node) {
  const sizes  *s     = node->saved;
  gradients     g     = {.S = node->in[0]->x, .v = node->in[1]->x, .dy = node->out->g};
  const int64_t block = block_rows(s), size = block * s->m;

  g.dS              = fc_grad_raw(c, node->in[0], &g.fresh_S);
  g.dv              = fc_grad_raw(c, node->in[1], &g.fresh_v);
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *room = block_room(c->arena, s, 2);

  FC_FOR_TASKS(t, s->B * s->H, 2 * work(s)) {
    fc_real *P = room + fc_thread() * 2 * size;
    for (int64_t i = 0; i < s->n; i += block)
      values_rows_back(s, &g, place(s, t), i, fc_min64(block, s->n - i), P, P + size);
  }
  c->flops += 4 * (double)work(s);
  fc_arena_pop(c->arena, mark);
}

static const fc_op attention_values = {"attention_values", values_backward, false};

fc_tensor *fc_attention_values(fc_ctx *c, fc_tensor *S, fc_tensor *v) {
  const int64_t B = S->dim[0], H = S->dim[1], n = S->dim[2], m = S->dim[3];

  FC_ASSERT(S->ndim == 4 && v->ndim == 3 && v->dim[0] == B && v->dim[1] == m && v->dim[2] % H == 0,
            "attention_values: scores %s, values %s", fc_shape_text(S), fc_shape_text(v));
  fc_tensor *y      = fc_tensor_new(c->arena, FC_DIMS(B, n, v->dim[2]));
  sizes     *s      = fc_arena_push(c->arena, sizeof *s);
  *s                = (sizes){B, H, n, m, v->dim[2] / H, 1};
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *room = block_room(c->arena, s, 1);
  if (!c->dry) values_forward(s, room, y->x, S->x, v->x);
  fc_arena_pop(c->arena, mark);
  c->flops += 2 * (double)work(s);
  return fc_record(c, &attention_values, y, s, FC_IN(S, v));
}
