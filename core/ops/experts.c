/* core/ops/experts.c - soft mixture of experts: every row goes through all E two-layer networks, whose
   answers are weighted by the row's gate and summed:
     y = r + sum_e g_e (W2_e a_e + b2_e),   a_e = act(h_e),   h_e = W1_e x + b1_e
   x [R, D], W1 [K, D], W2 [O, K], gate [G, E] with R a multiple of G (row r has gate r mod G: samples on one
   mesh share it), r and y [R, O]. Without a gate g = 1; one expert without gate is a plain feed-forward
   network.

   The hidden arrays are the largest of the network, so a block of rows that fits the second cache goes
   through all experts at once. Kept for backward: h_e. Its activation is computed again there, value and
   slope together. With p_e = W2_e^T dy and rows summed over blocks: dg_e = p_e . a_e + b2_e . dy,   dh_e =
   g_e act'(h_e) p_e,   dx += W1_e^T dh_e, dW1_e += dh_e x^T,   db1_e += dh_e,   dW2_e += dy (g_e a_e)^T,
   db2_e += g_e dy */
#include "core/gemm.h"
#include "core/ops.h"
#include "core/ops/activation_spans.h"
#include "core/ops/epilogue.h"
#include "core/parallel.h"
#include "core/spans.h"
#include "core/sums.h"

#include <string.h>

/* BLOCK x K hidden numbers stay near 256 kB; weight gradients are summed per chunk of rows, of which there
   are FEW to spare memory, MANY only where rows are many */
enum { HIDDEN = 1 << 16, CHEAP = 8, FEW = 8, MANY = 32, SHORT_CHUNK = 256, LONG_CHUNK = 1024 };

typedef struct {
  fc_act         act;
  int            E;
  int64_t        R, G, D, K, O;
  int64_t        block, chunk; /* rows */
  const fc_real *x, *gate, *r;
  fc_real       *h; /* [E, R, K]; NULL if nothing is recorded, or it is made again */
  fc_expert      e[FC_EXPERTS];
} problem;

typedef struct { /* the weight gradients of one expert, or one chunk's share of them */
  fc_real *W1, *b1, *W2, *b2;
} weights;

FC_SIMD static void scale_row(fc_real *y, fc_real g, int64_t n) {
  for (int64_t j = 0; j < n; j++) y[j] *= g;
}

FC_SIMD static void add_scaled(fc_real *restrict y, const fc_real *restrict x, fc_real g, int64_t n) {
  for (int64_t j = 0; j < n; j++) y[j] += g * x[j];
}

FC_SIMD static fc_real dot_row(const fc_real *a, const fc_real *b, int64_t n) {
  fc_real s = 0;

  FC_REDUCE(+, s) for (int64_t j = 0; j < n; j++) s += a[j] * b[j];
  return s;
}

/* p = g act'(h) p, a = g a */
FC_SIMD static void weigh_row(fc_real *restrict p, fc_real *restrict a, const fc_real *restrict slope,
                              fc_real g, int64_t n) {
  for (int64_t j = 0; j < n; j++) {
    p[j] *= g * slope[j];
    a[j] *= g;
  }
}

static fc_real gate_of(const problem *p, int64_t row, int e) {
  return p->gate ? p->gate[row % p->G * p->E + e] : 1;
}

static double work(const problem *p) { return 2.0 * (double)(p->R * p->E) * (double)(p->K * (p->D + p->O)); }

/* ---- forward ---- */

/* h = W1_e x + b1_e for rows at .. at+n-1 */
static void hidden(const problem *p, int e, int64_t at, int64_t n, fc_real *h) {
  fc_gemm(false, true, n, p->K, p->D, 1, p->x + at * p->D, p->D, p->e[e].W1->x, p->D, 0, h, p->K);
  fc_epilogue_add(h, p->e[e].b1->x, NULL, n, p->K);
}

static void forward_block(const problem *p, int64_t at, int64_t n, fc_real *y, fc_real *a) {
  for (int e = 0; e < p->E; e++) {
    fc_real *h = p->h ? p->h + (e * p->R + at) * p->K : a;
    hidden(p, e, at, n, h);
    fc_act_span(p->act, a, h, n * p->K);
    for (int64_t i = 0; p->gate && i < n; i++) scale_row(a + i * p->K, gate_of(p, at + i, e), p->K);
    fc_gemm(false, true, n, p->O, p->K, 1, a, p->K, p->e[e].W2->x, p->K, e > 0, y, p->O);
    if (!p->gate)
      fc_epilogue_add(y, p->e[e].b2->x, NULL, n, p->O);
    else
      for (int64_t i = 0; i < n; i++) add_scaled(y + i * p->O, p->e[e].b2->x, gate_of(p, at + i, e), p->O);
  }
  if (p->r) fc_span_add(y, p->r + at * p->O, n * p->O);
}

static void forward(fc_ctx *c, const problem *p, fc_real *y) {
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *room = fc_arena_push(c->arena, (size_t)(fc_threads() * p->block * p->K) * sizeof *room);

  c->flops += work(p);
  if (!c->dry) FC_FOR_TASKS(t, fc_ceil_div(p->R, p->block), p->R * p->E * p->K * p->D) {
      const int64_t at = t * p->block;
      forward_block(p, at, fc_min64(p->block, p->R - at), y + at * p->O,
                    room + fc_thread() * p->block * p->K);
    }
  fc_arena_pop(c->arena, mark);
}

/* ---- backward ---- */

typedef struct {
  const fc_real *dy;
  fc_real       *dx, *dgate; /* dgate [R, E] */
  bool           fresh;
  fc_real       *part; /* [chunks, E, numbers in one expert] */
} gradients;

static int64_t expert_size(const problem *p) { return p->K * (p->D + 1) + p->O * (p->K + 1); }

static weights share_of(const problem *p, fc_real *part, int64_t chunk, int e) {
  weights w;

  w.W1 = part + (chunk * p->E + e) * expert_size(p);
  w.W2 = w.W1 + p->K * p->D;
  w.b1 = w.W2 + p->O * p->K;
  w.b2 = w.b1 + p->K;
  return w;
}

/* one row, "y = g (W2 a + b2)" and "a = act(h)": P becomes dh, a becomes g a */
static void backward_row(const problem *p, const gradients *d, int e, int64_t row, const fc_real *h,
                         fc_real *P, fc_real *a, fc_real *slope, const weights *w) {
  const fc_real  g  = gate_of(p, row, e);
  const fc_real *dy = d->dy + row * p->O;

  fc_act_both_span(p->act, a, slope, h, p->K);
  if (d->dgate) d->dgate[row * p->E + e] = dot_row(P, a, p->K) + dot_row(p->e[e].b2->x, dy, p->O);
  weigh_row(P, a, slope, g, p->K);
  fc_span_add(w->b1, P, p->K);
  add_scaled(w->b2, dy, g, p->O);
}

/* the same for n rows without gates */
static void backward_rows(const problem *p, const fc_real *dy, int64_t n, const fc_real *h, fc_real *P,
                          fc_real *a, const weights *w) {
  fc_act_value_grad_span(p->act, a, P, h, n * p->K);
  fc_rows_sum(w->b1, P, n, p->K);
  fc_rows_sum(w->b2, dy, n, p->O);
}

/* room: P, a and perhaps h [n, K], one row of slopes */
static int64_t room_size(const problem *p) { return (p->h ? 2 : 3) * p->block * p->K + p->K; }

static void backward_block(const problem *p, const gradients *d, int e, int64_t at, int64_t n, fc_real *room,
                           const weights *w, bool first) {
  const fc_real *dy = d->dy + at * p->O, *x = p->x + at * p->D;
  fc_real       *slope = room, *P = slope + p->K, *a = P + p->block * p->K, *h = a + p->block * p->K;

  if (p->h)
    h = p->h + (e * p->R + at) * p->K;
  else
    hidden(p, e, at, n, h);
  fc_gemm(false, false, n, p->K, p->O, 1, dy, p->O, p->e[e].W2->x, p->K, 0, P, p->K);
  if (!p->gate)
    backward_rows(p, dy, n, h, P, a, w);
  else
    for (int64_t i = 0; i < n; i++)
      backward_row(p, d, e, at + i, h + i * p->K, P + i * p->K, a + i * p->K, slope, w);
  if (d->dx)
    fc_gemm(false, false, n, p->D, p->K, 1, P, p->K, p->e[e].W1->x, p->D, !(d->fresh && e == 0),
            d->dx + at * p->D, p->D);
  fc_gemm(true, false, p->K, p->D, n, 1, P, p->K, x, p->D, !first, w->W1, p->D);
  fc_gemm(true, false, p->O, p->K, n, 1, dy, p->O, a, p->K, !first, w->W2, p->K);
}

static void backward_chunk(const problem *p, const gradients *d, int64_t chunk, fc_real *room) {
  const int64_t from = chunk * p->chunk, to = fc_min64(p->R, from + p->chunk);

  for (int e = 0; e < p->E; e++)
    memset(share_of(p, d->part, chunk, e).b1, 0, (size_t)(p->K + p->O) * sizeof *room);
  for (int64_t at = from; at < to; at += p->block)
    for (int e = 0; e < p->E; e++) {
      const weights w = share_of(p, d->part, chunk, e);
      backward_block(p, d, e, at, fc_min64(p->block, to - at), room, &w, at == from);
    }
}

/* grad += the chunks' shares in order; share is the first one's */
static void add_shares(const problem *p, fc_tensor *t, const fc_real *share) {
  const int64_t chunks = fc_ceil_div(p->R, p->chunk);

  if (!t->needs_grad) return;
  FC_FOR_SPANS(at, len, fc_len(t))
  for (int64_t i = 0; i < chunks; i++) fc_span_add(t->g + at, share + i * p->E * expert_size(p) + at, len);
}

static void run_backward(fc_ctx *c, const problem *p, const gradients *d) {
  const int64_t chunks = fc_ceil_div(p->R, p->chunk), each = room_size(p);
  fc_real      *room = fc_arena_push(c->arena, (size_t)(fc_threads() * each) * sizeof *room);

  if (c->dry) return;
  FC_FOR_TASKS(t, chunks, p->R * p->E * p->K * p->D) backward_chunk(p, d, t, room + fc_thread() * each);
  for (int e = 0; e < p->E; e++) {
    const weights w = share_of(p, d->part, 0, e);
    add_shares(p, p->e[e].W1, w.W1);
    add_shares(p, p->e[e].b1, w.b1);
    add_shares(p, p->e[e].W2, w.W2);
    add_shares(p, p->e[e].b2, w.b2);
  }
}

/* the rows' gradients go to the gates they share */
static void give_gate(fc_ctx *c, const problem *p, const fc_real *rows, fc_real *dgate) {
  if (dgate && !c->dry)
    fc_sum_store(c->arena, &(fc_sum){FC_SUM_PLAIN, 1, p->R / p->G, p->G * p->E, .p = rows}, 1, true, dgate);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const problem *p      = node->saved;
  const int64_t  chunks = fc_ceil_div(p->R, p->chunk);
  gradients      d      = {.dy = node->out->g};

  d.dx           = fc_grad_raw(c, node->in[0], &d.fresh);
  fc_real *dgate = fc_grad(c, node->in[1]);
  for (int i = 3; i < node->n_in; i++) fc_grad(c, node->in[i]);
  const size_t mark = fc_arena_mark(c->arena);
  d.part            = fc_arena_push(c->arena, (size_t)(chunks * p->E * expert_size(p)) * sizeof *d.part);
  if (dgate) d.dgate = fc_arena_push(c->arena, (size_t)(p->R * p->E) * sizeof *d.dgate);
  run_backward(c, p, &d);
  give_gate(c, p, d.dgate, dgate);
  c->flops += 2 * work(p) + (p->h ? 0 : 2.0 * (double)(p->R * p->E) * (double)(p->K * p->D)) -
              (d.dx ? 0 : 2.0 * (double)(p->R * p->E) * (double)(p->K * p->D));
  fc_arena_pop(c->arena, mark);
  fc_grad_give(c, node, node->in[2]);
}

static const fc_op experts = {"experts", backward, true};

/* ---- constructor ---- */

static void check_shapes(const problem *p, const fc_tensor *x, const fc_tensor *gate, const fc_tensor *r) {
  FC_ASSERT(p->E >= 1 && p->E <= FC_EXPERTS && (!gate || (fc_last(gate) == p->E && p->R % p->G == 0)) &&
                (!r || fc_len(r) == p->R * p->O),
            "experts: %d for input %s, gate %s, residual %s", p->E, fc_shape_text(x),
            gate ? fc_shape_text(gate) : "none", r ? fc_shape_text(r) : "none");
  for (int e = 0; e < p->E; e++)
    FC_ASSERT(fc_len(p->e[e].W1) == p->K * p->D && fc_len(p->e[e].b1) == p->K &&
                  fc_len(p->e[e].W2) == p->O * p->K && fc_len(p->e[e].b2) == p->O,
              "experts: network %d has weights %s and %s", e, fc_shape_text(p->e[e].W1),
              fc_shape_text(p->e[e].W2));
}

/* rows of a chunk: chunks are nearly equal, so that threads get equal shares */
static int64_t chunk_rows(int64_t R) {
  const int64_t chunks = fc_max64(fc_min64(FEW, R / SHORT_CHUNK), fc_min64(MANY, R / LONG_CHUNK));

  return fc_max64(1, fc_ceil_div(R, fc_max64(1, chunks)));
}

static void set_sizes(problem *p, fc_act act, const fc_tensor *x, const fc_tensor *gate, const fc_tensor *r) {
  p->act   = act;
  p->R     = fc_rows(x);
  p->G     = gate ? fc_rows(gate) : 1;
  p->D     = fc_last(x);
  p->K     = p->e[0].W1->dim[0];
  p->O     = p->e[0].W2->dim[0];
  p->chunk = chunk_rows(p->R);
  p->block = fc_min64(fc_max64(1, p->R), fc_max64(16, fc_min64(128, HIDDEN / p->K / 16 * 16)));
  p->x     = x->x;
  p->gate  = gate ? gate->x : NULL;
  p->r     = r ? r->x : NULL;
}

fc_tensor *fc_experts(fc_ctx *c, fc_act act, fc_tensor *x, fc_tensor *gate, int n, const fc_expert *e,
                      fc_tensor *r) {
  fc_tensor *in[3 + 4 * FC_EXPERTS] = {x, gate, r};
  int64_t    dim[FC_MAX_DIMS];
  problem   *p = fc_arena_push(c->arena, sizeof *p);

  *p = (problem){.E = n};
  memcpy(p->e, e, (size_t)n * sizeof *e);
  for (int i = 0; i < n; i++) {
    const fc_expert w = e[i];
    memcpy(in + 3 + 4 * i, (fc_tensor *[]){w.W1, w.b1, w.W2, w.b2}, 4 * sizeof *in);
  }
  set_sizes(p, act, x, gate, r);
  check_shapes(p, x, gate, r);
  for (int i = 0; i < x->ndim; i++) dim[i] = x->dim[i];
  dim[x->ndim - 1] = p->O;
  fc_tensor *y     = fc_tensor_new(c->arena, x->ndim, dim);
  if (fc_needs_record(c, 3 + 4 * n, in) && CHEAP * p->D > p->O)
    p->h = fc_arena_push(c->arena, (size_t)(n * p->R * p->K) * sizeof *p->h);
  forward(c, p, y->x);
  return fc_record(c, &experts, y, p, 3 + 4 * n, in);
}
