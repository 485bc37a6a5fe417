/* core/ops/attention_rows.c - softmax attention of short sequences, heads read out of rows where they lie,
   and with scores that may go on from those of earlier layers (He et al. 2021, RealFormer: S_l = scale q_l
   k_l^T + S_{l-1} for each head). No n x n scores are stored: their sum is one product of the layers' queries
   and keys side by side,

     S_ij = scale sum_l q_l,i . k_l,j,   P_ij = exp S_ij / sum_j exp S_ij,   A = drop(P),   y = A v

   q_l, k_l, v, y [B, n, H E], head h in columns h E .. (h+1) E. With g = dL/dy, of one head:

     dv = A^T g,   dP = drop(g v^T),   dS_ij = P_ij (dP_ij - sum_j P_ij dP_ij),
     dq_l = scale dS k_l,   dk_l = scale dS^T q_l

   A head's rows are brought together in the first cache, filled up with zeros to 16 columns, since heads of
   these networks are narrower than what the products are made for. */
#include "core/gemm.h"
#include "core/ops/dropout.h"
#include "core/ops/softmax_rows.h"
#include "core/parallel.h"
#include "core/spans.h"

#include <string.h>

enum { ROWS = 64, LEAST = 16 }; /* rows of P at a time; columns */

typedef struct {
  int64_t         B, H, n, E, layers;
  int64_t         rows, wide, narrow; /* of a block; columns of a head's q and k of all layers, and of v */
  fc_real         scale;
  bool            drops;
  fc_mask         mask;         /* over [B, H, n, n], each head's part rounded up to a multiple of four */
  fc_real *const *q, *const *k; /* [layers] */
  fc_real *v;
} problem;

typedef struct {         /* of one head */
  fc_real *q, *k, *v;    /* [n, wide], [n, wide], [n, narrow] */
  fc_real *y, *P, *A;    /* of a block: [rows, narrow], [rows, n]; A is P if nothing is dropped */
  fc_real *dq, *dk, *dv; /* [rows, wide], [n, wide], [n, narrow] */
  fc_real *dP, *dA, *dS; /* [rows, n] */
} scratch;

static int64_t scratch_size(const problem *p, bool back) {
  const int64_t square = p->rows * p->n, copies = p->drops ? 2 : 1;
  const int64_t forward = p->n * (2 * p->wide + p->narrow) + p->rows * p->narrow + copies * square;

  return forward + (back ? p->n * (p->wide + p->narrow) + p->rows * p->wide + (copies + 1) * square : 0);
}

/* zeros where nothing will be written */
static scratch lay_out(const problem *p, fc_real *room, bool back) {
  const int64_t square = p->rows * p->n;
  scratch       s      = {.q = room};

  memset(room, 0, (size_t)scratch_size(p, back) * sizeof *room);
  s.k  = s.q + p->n * p->wide;
  s.v  = s.k + p->n * p->wide;
  s.y  = s.v + p->n * p->narrow;
  s.P  = s.y + p->rows * p->narrow;
  s.A  = p->drops ? s.P + square : s.P;
  s.dq = s.A + square;
  s.dk = s.dq + p->rows * p->wide;
  s.dv = s.dk + p->n * p->wide;
  s.dP = s.dv + p->n * p->narrow;
  s.dA = p->drops ? s.dP + square : s.dP;
  s.dS = s.dA + square;
  return s;
}

/* rows of E numbers from a tensor with D columns to scratch, and back */
FC_SIMD static void load(fc_real *restrict to, int64_t width, const fc_real *restrict from, int64_t D,
                         int64_t rows, int64_t E, fc_real scale) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t e = 0; e < E; e++) to[i * width + e] = scale * from[i * D + e];
}

FC_SIMD static void store(fc_real *restrict to, int64_t D, const fc_real *restrict from, int64_t width,
                          int64_t rows, int64_t E, fc_real scale, bool fresh) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t e = 0; e < E; e++)
      to[i * D + e] = fc_into(fresh, to[i * D + e], scale * from[i * width + e]);
}

/* where head number t of all samples begins */
static int64_t head_at(const problem *p, int64_t t) {
  return t / p->H * p->n * p->H * p->E + t % p->H * p->E;
}

static void load_head(const problem *p, int64_t t, const scratch *s) {
  const int64_t at = head_at(p, t), D = p->H * p->E;

  for (int64_t l = 0; l < p->layers; l++) {
    load(s->q + l * p->E, p->wide, p->q[l] + at, D, p->n, p->E, p->scale);
    load(s->k + l * p->E, p->wide, p->k[l] + at, D, p->n, p->E, 1);
  }
  load(s->v, p->narrow, p->v + at, D, p->n, p->E, 1);
}

/* to = drop(from) for rows i.. of head t */
static void drop(const problem *p, int64_t t, int64_t i, int64_t rows, fc_real *to, const fc_real *from) {
  const int64_t at = t * (fc_ceil_div(p->n * p->n, 4) * 4) + i * p->n, len = rows * p->n;

  for (int64_t j = 0; p->drops && j < len; j += FC_SPAN)
    fc_mask_apply(&p->mask, to + j, from + j, at + j, fc_min64(FC_SPAN, len - j), true);
}

/* P and A [rows, n] of queries i.. of head t */
static void weights(const problem *p, const scratch *s, int64_t t, int64_t i, int64_t rows) {
  fc_gemm(false, true, rows, p->n, p->layers * p->E, 1, s->q + i * p->wide, p->wide, s->k, p->wide, 0, s->P,
          p->n);
  fc_softmax_rows(s->P, s->P, rows, p->n);
  drop(p, t, i, rows, s->A, s->P);
}

static void forward_head(const problem *p, int64_t t, fc_real *y, fc_real *room) {
  const scratch s  = lay_out(p, room, false);
  const int64_t at = head_at(p, t), D = p->H * p->E;

  load_head(p, t, &s);
  for (int64_t i = 0; i < p->n; i += p->rows) {
    const int64_t rows = fc_min64(p->rows, p->n - i);
    weights(p, &s, t, i, rows);
    fc_gemm(false, false, rows, p->narrow, p->n, 1, s.A, p->n, s.v, p->narrow, 0, s.y, p->narrow);
    store(y + at + i * D, D, s.y, p->narrow, rows, p->E, 1, true);
  }
}

/* Heads that share a line of the cache in y and in the gradients: one thread does them, since two that write
   to one line wait for each other. */
static int64_t neighbours(const problem *p) {
  return fc_min64(p->H, fc_ceil_div(64 / (int64_t)sizeof(fc_real), p->E));
}

static double pairs(const problem *p) { return (double)(p->B * p->H) * (double)(p->n * p->n); }

static void forward(fc_ctx *c, const problem *p, fc_real *y) {
  const int64_t size = scratch_size(p, false), heads = p->B * p->H, near = neighbours(p);
  const size_t  mark = fc_arena_mark(c->arena);
  fc_real      *room = fc_arena_push(c->arena, (size_t)(fc_threads() * size) * sizeof *room);

  c->flops += 2 * pairs(p) * (double)((p->layers + 1) * p->E);
  if (!c->dry) FC_FOR_TASKS(t, fc_ceil_div(heads, near), heads * p->n * p->n * p->E)
  for (int64_t h = t * near; h < fc_min64(heads, (t + 1) * near); h++)
    forward_head(p, h, y, room + fc_thread() * size);
  fc_arena_pop(c->arena, mark);
}

/* ---- backward ---- */

typedef struct {
  fc_real *g; /* NULL: nobody asks */
  bool     fresh;
} gradient;

typedef struct {
  const fc_real *g;  /* dL/dy */
  gradient      *in; /* of q of each layer, of k, of v */
} gradients;

static void store_layers(const problem *p, const gradient *g, int64_t at, const fc_real *from, int64_t rows,
                         fc_real scale) {
  for (int64_t l = 0; l < p->layers; l++)
    if (g[l].g) store(g[l].g + at, p->H * p->E, from + l * p->E, p->wide, rows, p->E, scale, g[l].fresh);
}

static void backward_rows(const problem *p, const gradients *d, const scratch *s, int64_t t, int64_t i,
                          int64_t rows) {
  const int64_t D = p->H * p->E, n = p->n, at = head_at(p, t) + i * D;

  weights(p, s, t, i, rows);
  load(s->y, p->narrow, d->g + at, D, rows, p->E, 1);
  fc_gemm(true, false, n, p->narrow, rows, 1, s->A, n, s->y, p->narrow, i > 0, s->dv, p->narrow);
  fc_gemm(false, true, rows, n, p->E, 1, s->y, p->narrow, s->v, p->narrow, 0, s->dA, n);
  drop(p, t, i, rows, s->dP, s->dA);
  fc_softmax_rows_back(s->dS, s->dP, s->P, rows, n, true);
  fc_gemm(false, false, rows, p->wide, n, 1, s->dS, n, s->k, p->wide, 0, s->dq, p->wide);
  fc_gemm(true, false, n, p->wide, rows, 1, s->dS, n, s->q + i * p->wide, p->wide, i > 0, s->dk, p->wide);
  store_layers(p, d->in, at, s->dq, rows, p->scale);
}

/* q in scratch has its scale already, k has not */
static void backward_head(const problem *p, const gradients *d, int64_t t, fc_real *room) {
  const scratch   s  = lay_out(p, room, true);
  const int64_t   at = head_at(p, t);
  const gradient *dv = &d->in[2 * p->layers];

  load_head(p, t, &s);
  for (int64_t i = 0; i < p->n; i += p->rows) backward_rows(p, d, &s, t, i, fc_min64(p->rows, p->n - i));
  store_layers(p, d->in + p->layers, at, s.dk, p->n, 1);
  if (dv->g) store(dv->g + at, p->H * p->E, s.dv, p->narrow, p->n, p->E, 1, dv->fresh);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const problem *p    = node->saved;
  const int64_t  size = scratch_size(p, true), heads = p->B * p->H, near = neighbours(p);
  gradients      d = {.g = node->out->g};

  d.in = fc_arena_push(c->arena, (size_t)node->n_in * sizeof *d.in);
  for (int i = 0; i < node->n_in; i++) d.in[i].g = fc_grad_raw(c, node->in[i], &d.in[i].fresh);
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *room = fc_arena_push(c->arena, (size_t)(fc_threads() * size) * sizeof *room);
  c->flops += 2 * pairs(p) * (double)((3 * p->layers + 2) * p->E);
  if (!c->dry) FC_FOR_TASKS(t, fc_ceil_div(heads, near), heads * p->n * p->n * p->E)
  for (int64_t h = t * near; h < fc_min64(heads, (t + 1) * near); h++)
    backward_head(p, &d, h, room + fc_thread() * size);
  fc_arena_pop(c->arena, mark);
}

static const fc_op attention_rows = {"attention_rows", backward, true};

/* ---- node ---- */

static problem *new_problem(fc_ctx *c, int layers, fc_tensor *const *in, int64_t heads, double scale,
                            double dropout) {
  const fc_tensor *v = in[2 * layers];
  const int64_t    n = v->dim[1], E = v->dim[2] / heads;
  problem         *p = fc_arena_push(c->arena, sizeof *p);
  fc_real        **x = fc_arena_push(c->arena, (size_t)(2 * layers) * sizeof *x);

  for (int i = 0; i < 2 * layers; i++) {
    FC_ASSERT(fc_same_shape(in[i], v), "attention_rows: %s beside values %s", fc_shape_text(in[i]),
              fc_shape_text(v));
    x[i] = in[i]->x;
  }
  *p        = (problem){.B = v->dim[0], .H = heads, .n = n, .E = E, .layers = layers, .v = v->x};
  p->rows   = fc_min64(ROWS, n);
  p->wide   = fc_max64(LEAST, layers * E);
  p->narrow = fc_max64(LEAST, E);
  p->scale  = (fc_real)scale;
  p->drops  = c->training && dropout > 0;
  if (p->drops) p->mask = fc_mask_draw(c, dropout, p->B * p->H * (fc_ceil_div(n * n, 4) * 4));
  p->q = x;
  p->k = x + layers;
  return p;
}

fc_tensor *fc_attention_rows(fc_ctx *c, int layers, fc_tensor *const *q, fc_tensor *const *k, fc_tensor *v,
                             int64_t heads, double scale, double dropout) {
  FC_ASSERT(layers > 0 && v->ndim == 3 && v->dim[1] > 0 && v->dim[2] % heads == 0,
            "attention_rows: %d layers, values %s, %lld heads", layers, fc_shape_text(v), (long long)heads);
  fc_tensor **in = fc_arena_push(c->arena, (size_t)(2 * layers + 1) * sizeof *in);

  for (int i = 0; i < layers; i++) in[i] = q[i], in[layers + i] = k[i];
  in[2 * layers] = v;
  fc_tensor *y   = fc_tensor_new(c->arena, 3, v->dim);
  problem   *p   = new_problem(c, layers, in, heads, scale, dropout);
  forward(c, p, y->x);
  return fc_record(c, &attention_rows, y, p, 2 * layers + 1, in);
}
