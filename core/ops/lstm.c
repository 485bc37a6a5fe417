/* core/ops/lstm.c - one layer of long short-term memory (Hochreiter and Schmidhuber 1997; forget gate: Gers
   et al. 2000), gates in PyTorch's order i, f, g, o, each D wide:
     z_t = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh
     c_t = sigma(z_f) c_{t-1} + sigma(z_i) tanh(z_g),   h_t = sigma(z_o) tanh(c_t)
   x [B, T, K], h_0 and c_0 [B, D], W_ih [4 D, K], W_hh [4 D, D]. A sample stops at its own length: outputs
   behind it are zero, its last state is that of its last step.

   The product with W_ih is one for all steps. What is left is serial in time but not across samples: a block
   of samples goes through all steps by itself, so that threads never wait for each other.

   The node's output is [B, T + 2, D]: the steps, the last h, the last c. Kept for backward: gates [B, T, 4
   D], c_t and h_{t-1} [B, T, D]. Backward writes dL/dz over the gates. */
#include "core/gemm.h"
#include "core/ops.h"
#include "core/ops/activation.h"
#include "core/ops/epilogue.h"
#include "core/parallel.h"

#include <string.h>

/* Samples of one block: enough for a product with W_hh to be worth its reading of it. */
enum { SAMPLES = 16 };

typedef struct {
  int64_t  B, T, K, D;
  int64_t *len;               /* [B] */
  fc_real *gate, *cell, *old; /* [B, T, 4 D], [B, T, D] c_t, [B, T, D] h_{t-1} */
  fc_real *zero;              /* [D], a state that nobody gave */
} problem;

/* inputs of the node */
enum { IN_X, IN_H, IN_C, IN_WI, IN_WH, IN_BI, IN_BH, INPUTS };

static int64_t blocks(const problem *p) { return fc_ceil_div(p->B, SAMPLES); }
static int64_t first_of(const problem *p, int64_t block) { return p->B * block / blocks(p); }

static int64_t longest(const problem *p, int64_t from, int64_t to) {
  int64_t n = 0;

  for (int64_t b = from; b < to; b++) n = fc_max64(n, p->len[b]);
  return n;
}

static double work(const problem *p) {
  return 2.0 * (double)(p->B * p->T) * (double)(4 * p->D) * (double)(p->K + p->D);
}

/* ---- forward ---- */

/* z [4 D] becomes the gates */
FC_SIMD static void step_row(fc_real *restrict z, fc_real *restrict c, fc_real *restrict h,
                             const fc_real *restrict before, int64_t D) {
  fc_real *restrict i = z, *restrict f = z + D, *restrict g = z + 2 * D, *restrict o = z + 3 * D;

  for (int64_t j = 0; j < D; j++) {
    i[j] = fc_sigmoid(i[j]);
    f[j] = fc_sigmoid(f[j]);
    g[j] = fc_tanh(g[j]);
    o[j] = fc_sigmoid(o[j]);
    c[j] = f[j] * before[j] + i[j] * g[j];
    h[j] = o[j] * fc_tanh(c[j]);
  }
}

/* gate = x W_ih^T + b_ih + b_hh for all steps of all samples */
static void input_product(fc_ctx *c, const problem *p, fc_tensor *const *in) {
  const int64_t rows = p->B * p->T, O = 4 * p->D, block = fc_gemm_block(rows, O, p->K);
  fc_real      *bias = fc_arena_push(c->arena, (size_t)O * sizeof *bias);

  for (int64_t j = 0; j < O; j++) bias[j] = in[IN_BI]->x[j] + in[IN_BH]->x[j];
  FC_FOR_TASKS(k, fc_ceil_div(rows, block), rows * O * p->K) {
    const int64_t at = k * block, n = fc_min64(block, rows - at);
    fc_gemm(false, true, n, O, p->K, 1, in[IN_X]->x + at * p->K, p->K, in[IN_WI]->x, p->K, 0,
            p->gate + at * O, O);
    fc_epilogue_add(p->gate + at * O, bias, NULL, n, O);
  }
}

static void copy_row(fc_real *to, const fc_real *from, int64_t D) {
  memcpy(to, from, (size_t)D * sizeof *to);
}

static const fc_real *state_row(const problem *p, const fc_tensor *state, int64_t b) {
  return state ? state->x + b * p->D : p->zero;
}

static fc_real *output_row(const problem *p, fc_real *y, int64_t b, int64_t t) {
  return y + (b * (p->T + 2) + t) * p->D;
}

/* what lies behind the end of a sample counts as zero everywhere */
static void clear_rest(const problem *p, int64_t b, fc_real *y) {
  const int64_t D = p->D, n = p->T - p->len[b], at = b * p->T + p->len[b];

  memset(p->gate + at * 4 * D, 0, (size_t)(n * 4 * D) * sizeof *y);
  memset(p->old + at * D, 0, (size_t)(n * D) * sizeof *y);
  memset(output_row(p, y, b, p->len[b]), 0, (size_t)(n * D) * sizeof *y);
}

static void last_state(const problem *p, fc_tensor *const *in, int64_t b, fc_real *y) {
  const int64_t  n = p->len[b];
  const fc_real *h = n ? output_row(p, y, b, n - 1) : state_row(p, in[IN_H], b);
  const fc_real *c = n ? p->cell + (b * p->T + n - 1) * p->D : state_row(p, in[IN_C], b);

  copy_row(output_row(p, y, b, p->T), h, p->D);
  copy_row(output_row(p, y, b, p->T + 1), c, p->D);
}

/* samples from .. to-1 through all their steps */
static void forward_block(const problem *p, fc_tensor *const *in, int64_t from, int64_t to, fc_real *y) {
  const int64_t D = p->D, T = p->T, steps = longest(p, from, to);

  for (int64_t b = from; b < to; b++) copy_row(p->old + b * T * D, state_row(p, in[IN_H], b), D);
  for (int64_t t = 0; t < steps; t++) {
    const int64_t at = from * T + t;
    fc_gemm(false, true, to - from, 4 * D, D, 1, p->old + at * D, T * D, in[IN_WH]->x, D, 1,
            p->gate + at * 4 * D, T * 4 * D);
    for (int64_t b = from; b < to; b++) {
      const int64_t  row    = b * T + t;
      const fc_real *before = t ? p->cell + (row - 1) * D : state_row(p, in[IN_C], b);
      fc_real       *h      = output_row(p, y, b, t);
      if (t >= p->len[b]) memset(h, 0, (size_t)D * sizeof *h);
      if (t < p->len[b]) step_row(p->gate + row * 4 * D, p->cell + row * D, h, before, D);
      if (t + 1 < T) copy_row(p->old + (row + 1) * D, h, D);
    }
  }
  for (int64_t b = from; b < to; b++) {
    clear_rest(p, b, y);
    last_state(p, in, b, y);
  }
}

static void forward(fc_ctx *c, const problem *p, fc_tensor *const *in, fc_real *y) {
  const int64_t n = blocks(p);

  input_product(c, p, in);
  FC_FOR_TASKS(k, n, p->B * p->T * p->D * p->D)
  forward_block(p, in, first_of(p, k), first_of(p, k + 1), y);
}

/* ---- backward ---- */

/* "h = o tanh(c), c = f before + i g" and the gates' slopes: dz over the gates from dh = dL/dh_t; dc is
   dL/dc_t without h_t's share, and leaves as dL/dc_{t-1} */
FC_SIMD static void step_row_back(fc_real *restrict z, fc_real *restrict dc, const fc_real *restrict dh,
                                  const fc_real *restrict c, const fc_real *restrict before, int64_t D) {
  fc_real *restrict i = z, *restrict f = z + D, *restrict g = z + 2 * D, *restrict o = z + 3 * D;

  for (int64_t j = 0; j < D; j++) {
    const fc_real tc = fc_tanh(c[j]), d = dc[j] + dh[j] * o[j] * (1 - tc * tc);
    const fc_real di = d * g[j], df = d * before[j], dg = d * i[j];
    dc[j] = d * f[j];
    o[j]  = dh[j] * tc * o[j] * (1 - o[j]);
    f[j]  = df * f[j] * (1 - f[j]);
    g[j]  = dg * (1 - g[j] * g[j]);
    i[j]  = di * i[j] * (1 - i[j]);
  }
}

FC_SIMD static void add_row(fc_real *restrict y, const fc_real *restrict x, int64_t n) {
  for (int64_t j = 0; j < n; j++) y[j] += x[j];
}

/* dh, dc [B, D]: at the end of the walk the gradients of the first state */
static void backward_block(const problem *p, fc_tensor *const *in, int64_t from, int64_t to, fc_real *dy,
                           fc_real *dh, fc_real *dc) {
  const int64_t D = p->D, T = p->T;

  for (int64_t t = longest(p, from, to); t-- > 0;) {
    for (int64_t b = from; b < to; b++) {
      const int64_t  row    = b * T + t;
      const fc_real *before = t ? p->cell + (row - 1) * D : state_row(p, in[IN_C], b);
      if (t >= p->len[b]) continue;
      add_row(dh + b * D, output_row(p, dy, b, t), D);
      if (t == p->len[b] - 1) add_row(dh + b * D, output_row(p, dy, b, T), D);
      if (t == p->len[b] - 1) add_row(dc + b * D, output_row(p, dy, b, T + 1), D);
      step_row_back(p->gate + row * 4 * D, dc + b * D, dh + b * D, p->cell + row * D, before, D);
    }
    /* "z = .. + W_hh h_{t-1}" */
    fc_gemm(false, false, to - from, D, 4 * D, 1, p->gate + (from * T + t) * 4 * D, T * 4 * D, in[IN_WH]->x,
            D, 0, dh + from * D, D);
  }
  for (int64_t b = from; b < to; b++) {
    if (p->len[b]) continue;
    add_row(dh + b * D, output_row(p, dy, b, T), D);
    add_row(dc + b * D, output_row(p, dy, b, T + 1), D);
  }
}

/* dL/dz over the gates; the state's gradients are added to dh0 and dc0 */
static void through_time(fc_ctx *c, const problem *p, const fc_node *node, fc_real *dh0, fc_real *dc0) {
  const int64_t n  = p->B * p->D;
  fc_real      *dh = fc_arena_push(c->arena, (size_t)(2 * n) * sizeof *dh), *dc = dh + n;

  memset(dh, 0, (size_t)(2 * n) * sizeof *dh);
  FC_FOR_TASKS(k, blocks(p), p->B * p->T * p->D * p->D)
  backward_block(p, node->in, first_of(p, k), first_of(p, k + 1), node->out->g, dh, dc);
  if (dh0) add_row(dh0, dh, n);
  if (dc0) add_row(dc0, dc, n);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const problem *p    = node->saved;
  const int64_t  rows = p->B * p->T, O = 4 * p->D;
  const fc_real *z = p->gate, *x = node->in[IN_X]->x;
  bool           fresh;
  fc_real       *dx = fc_grad_raw(c, node->in[IN_X], &fresh), *d[INPUTS];

  for (int i = IN_H; i < INPUTS; i++) d[i] = fc_grad(c, node->in[i]);
  const size_t mark = fc_arena_mark(c->arena);
  through_time(c, p, node, d[IN_H], d[IN_C]);
  if (d[IN_BI]) fc_column_sums(c->arena, z, rows, O, d[IN_BI]);
  if (d[IN_BH]) fc_column_sums(c->arena, z, rows, O, d[IN_BH]);
  if (d[IN_WI]) fc_gemm_reduce(c->arena, O, p->K, rows, z, O, x, p->K, true, d[IN_WI], p->K);
  if (d[IN_WH]) fc_gemm_reduce(c->arena, O, p->D, rows, z, O, p->old, p->D, true, d[IN_WH], p->D);
  if (dx) fc_gemm_rows(false, false, rows, p->K, O, 1, z, O, node->in[IN_WI]->x, p->K, !fresh, dx, p->K);
  fc_arena_pop(c->arena, mark);
  c->flops += 2 * work(p);
}

static const fc_op lstm = {"lstm", backward, false};

static void check_shapes(const fc_tensor *x, const fc_lstm_state *first, const fc_lstm_weights *w) {
  const int64_t D = w->hidden->dim[1], K = fc_last(x);

  FC_ASSERT(x->ndim == 3 && w->input->dim[1] == K && w->input->dim[0] == 4 * D &&
                w->hidden->dim[0] == 4 * D && fc_len(w->input_bias) == 4 * D &&
                fc_len(w->hidden_bias) == 4 * D,
            "lstm: input %s, weights %s and %s", fc_shape_text(x), fc_shape_text(w->input),
            fc_shape_text(w->hidden));
  FC_ASSERT(!first || (fc_len(first->h) == x->dim[0] * D && fc_len(first->c) == x->dim[0] * D),
            "lstm: input %s, state %s and %s", fc_shape_text(x), fc_shape_text(first->h),
            fc_shape_text(first->c));
}

static int64_t *lengths_of(fc_ctx *c, const fc_tensor *lengths, int64_t B, int64_t T) {
  int64_t *len = fc_arena_push(c->arena, (size_t)B * sizeof *len);

  for (int64_t b = 0; b < B; b++) len[b] = lengths && !c->dry ? (int64_t)lengths->x[b] : T;
  for (int64_t b = 0; b < B; b++)
    FC_ASSERT(len[b] >= 0 && len[b] <= T, "lstm: a sample of %lld steps among %lld", (long long)len[b],
              (long long)T);
  return len;
}

static void push_memory(fc_ctx *c, problem *p) {
  const size_t rows = (size_t)(p->B * p->T * p->D) * sizeof(fc_real);

  p->gate = fc_arena_push(c->arena, 4 * rows);
  p->cell = fc_arena_push(c->arena, rows);
  p->old  = fc_arena_push(c->arena, rows);
  p->zero = fc_arena_push(c->arena, (size_t)p->D * sizeof *p->zero);
  if (!c->dry) memset(p->zero, 0, (size_t)p->D * sizeof *p->zero);
}

/* [B, T + 2, D] */
static fc_tensor *steps_and_state(fc_ctx *c, fc_tensor *const *in, const fc_tensor *lengths) {
  const fc_tensor *x = in[IN_X];
  const int64_t    B = x->dim[0], T = x->dim[1], D = in[IN_WH]->dim[1];
  fc_tensor       *y    = fc_tensor_new(c->arena, FC_DIMS(B, T + 2, D));
  problem         *p    = fc_arena_push(c->arena, sizeof *p);
  const size_t     mark = fc_arena_mark(c->arena);

  *p = (problem){.B = B, .T = T, .K = x->dim[2], .D = D, .len = lengths_of(c, lengths, B, T)};
  push_memory(c, p);
  if (!c->dry) forward(c, p, in, y->x);
  c->flops += work(p);
  if (!fc_needs_record(c, INPUTS, in)) fc_arena_pop(c->arena, mark);
  return fc_record(c, &lstm, y, p, INPUTS, in);
}

fc_tensor *fc_lstm(fc_ctx *c, fc_tensor *x, const fc_lstm_state *first, const fc_lstm_weights *w,
                   const fc_tensor *lengths, fc_lstm_state *last) {
  fc_tensor *const in[INPUTS] = {[IN_X]  = x,
                                 [IN_H]  = first ? first->h : NULL,
                                 [IN_C]  = first ? first->c : NULL,
                                 [IN_WI] = w->input,
                                 [IN_WH] = w->hidden,
                                 [IN_BI] = w->input_bias,
                                 [IN_BH] = w->hidden_bias};
  const int64_t    B = x->dim[0], T = x->dim[1], D = w->hidden->dim[1];

  check_shapes(x, first, w);
  fc_tensor *y = steps_and_state(c, in, lengths);
  if (last) {
    last->h = fc_reshape(c, fc_slice(c, y, 1, T, 1), FC_DIMS(B, D));
    last->c = fc_reshape(c, fc_slice(c, y, 1, T + 1, 1), FC_DIMS(B, D));
  }
  return fc_slice(c, y, 1, 0, T);
}
