/* core/ops/local_attention.c - softmax attention inside square windows of a grid, overlapping results
   averaged (local attention of multipole attention: Colagrande et al. 2025). For each window and head, with
   i, j its tokens: P_ij = softmax_j(scale q_i . k_j),   o_i = sum_j P_ij v_j,   y at a cell = mean of o over
   the windows that cover it qkv [B, X, Y, 3 H d] holds q, k and v of all heads one after the other; y [B, X,
   Y, H d].

   Windows are small (4 tokens and up): one is fetched by its cells, everything happens in the cache, and
   nothing is kept, P is made again in backward. With g = dy / number of windows:
     dv_j += sum_i P_ij g_i,   T_ij = P_ij (g_i . v_j - sum_k P_ik g_i . v_k),
     dq_i += scale sum_j T_ij k_j,   dk_j += scale sum_i T_ij q_i
   In training P may be masked (dropout) before it meets v; the mask is drawn again in backward. */
#include "core/gemm.h"
#include "core/ops/dropout.h"
#include "core/ops/softmax_rows.h"
#include "core/ops/windows.h"
#include "core/parallel.h"
#include "core/spans.h"
#include "core/vmath.h"

#include <string.h>

enum { LIBRARY = 1 << 13 }; /* multiply-adds from which on a product is worth a call */

typedef struct { /* token t begins at x + t ld */
  fc_real *x;
  int64_t  ld;
} tokens;

typedef struct {
  int64_t               H, d, T; /* T: tokens of a window */
  fc_real               scale;
  bool                  few;              /* plain loops instead of the library */
  int64_t               by_h, by_i, by_j; /* pair (i, j) of head h at h by_h + i by_i + j by_j */
  bool                  drops;
  fc_mask               mask; /* of P, [windows, pairs], each window from a multiple of four on */
  const fc_window_plan *in, *out;
  const fc_real        *qkv;
} problem;

typedef struct { /* of one thread: tokens [T, 3 H d], their gradients, tokens [T, H d]; pairs: P, the same
                    masked, and scores; two numbers for each head and token */
  fc_real *x, *dx, *o, *P, *M, *S, *tops;
} room;

static int64_t pairs_of(const problem *p) { return p->H * p->T * p->T; }

static int64_t room_size(const problem *p) { return p->H * p->T * (7 * p->d + 2) + 3 * pairs_of(p); }

static room my_room(const problem *p, fc_real *all) {
  const int64_t len = p->T * p->H * p->d, pairs = pairs_of(p);
  fc_real      *x = all + fc_thread() * room_size(p), *P = x + 7 * len;

  return (room){x, x + 3 * len, x + 6 * len, P, p->drops ? P + pairs : P, P + 2 * pairs, P + 3 * pairs};
}

/* ---- products of tokens and pairs, by plain loops for few tokens ---- */

/* P_ij = a_i . b_j; four j at once, so that their sums across the lanes overlap */
FC_SIMD static void plain_dots(fc_real *restrict P, int64_t by_i, int64_t by_j, tokens a, tokens b, int64_t T,
                               int64_t d) {
  for (int64_t i = 0; i < T; i++)
    for (int64_t j = 0; j < T; j += 4) {
      const int64_t  n = fc_min64(4, T - j);
      const fc_real *q = a.x + i * a.ld, *b0 = b.x + j * b.ld, *b1 = n > 1 ? b0 + b.ld : b0,
                    *b2 = n > 2 ? b1 + b.ld : b0, *b3 = n > 3 ? b2 + b.ld : b0;
      fc_real s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      FC_PRAGMA(omp simd reduction(+ : s0, s1, s2, s3)) for (int64_t c = 0; c < d; c++) {
        s0 += q[c] * b0[c];
        s1 += q[c] * b1[c];
        s2 += q[c] * b2[c];
        s3 += q[c] * b3[c];
      }
      const fc_real s[] = {s0, s1, s2, s3};
      for (int64_t k = 0; k < n; k++) P[i * by_i + (j + k) * by_j] = s[k];
    }
}

/* y_i = sum_j P_ij x_j */
FC_SIMD static void plain_sums(tokens y, const fc_real *restrict P, int64_t by_i, int64_t by_j, tokens x,
                               int64_t T, int64_t d) {
  for (int64_t i = 0; i < T; i++) {
    fc_real *restrict to = y.x + i * y.ld;
    for (int64_t c = 0; c < d; c++) to[c] = P[i * by_i] * x.x[c];
    for (int64_t j = 1; j < T; j++) {
      const fc_real *restrict from = x.x + j * x.ld, weight = P[i * by_i + j * by_j];
      for (int64_t c = 0; c < d; c++) to[c] += weight * from[c];
    }
  }
}

static tokens moved(tokens a, int64_t by) { return (tokens){a.x + by, a.ld}; }

/* for all heads, whose numbers begin at multiples of d in a and b */
static void dots(const problem *p, fc_real *P, tokens a, tokens b) {
  for (int64_t h = 0; h < p->H; h++) {
    const tokens q = moved(a, h * p->d), k = moved(b, h * p->d);
    fc_real     *S = P + h * p->by_h;
    if (p->few)
      plain_dots(S, p->by_i, p->by_j, q, k, p->T, p->d);
    else
      fc_gemm(false, true, p->T, p->T, p->d, 1, q.x, q.ld, k.x, k.ld, 0, S, p->T);
  }
}

/* y_i = sum_j P_ij x_j for all heads, or with P transposed */
static void sums(const problem *p, tokens y, const fc_real *P, bool transposed, tokens x) {
  const int64_t by_i = transposed ? p->by_j : p->by_i, by_j = transposed ? p->by_i : p->by_j;

  for (int64_t h = 0; h < p->H; h++) {
    const tokens   to = moved(y, h * p->d), from = moved(x, h * p->d);
    const fc_real *w = P + h * p->by_h;
    if (p->few)
      plain_sums(to, w, by_i, by_j, from, p->T, p->d);
    else
      fc_gemm(transposed, false, p->T, p->d, p->T, 1, w, p->T, from.x, from.ld, 0, to.x, to.ld);
  }
}

/* ---- softmax over j. Pairs of few tokens lie [T, H T], j first: all rows at once fill the lanes ---- */

FC_SIMD static void columns_softmax(fc_real *restrict P, fc_real *restrict top, fc_real *restrict sum,
                                    int64_t T, int64_t n) {
  for (int64_t l = 0; l < n; l++) top[l] = P[l], sum[l] = 0;
  for (int64_t j = 1; j < T; j++)
    for (int64_t l = 0; l < n; l++) top[l] = P[j * n + l] > top[l] ? P[j * n + l] : top[l];
  for (int64_t j = 0; j < T; j++)
    for (int64_t l = 0; l < n; l++) {
      const fc_real e = fc_exp(P[j * n + l] - top[l]);
      P[j * n + l]    = e;
      sum[l] += e;
    }
  for (int64_t l = 0; l < n; l++) sum[l] = 1 / sum[l];
  for (int64_t j = 0; j < T; j++)
    for (int64_t l = 0; l < n; l++) P[j * n + l] *= sum[l];
}

/* S = P (dP - sum_j P dP); S may be dP */
FC_SIMD static void columns_back(fc_real *S, const fc_real     *dP, const fc_real *restrict P,
                                 fc_real *restrict sum, int64_t T, int64_t n) {
  for (int64_t l = 0; l < n; l++) sum[l] = 0;
  for (int64_t j = 0; j < T; j++)
    FC_VECTOR for (int64_t l = 0; l < n; l++) sum[l] += P[j * n + l] * dP[j * n + l];
  for (int64_t j = 0; j < T; j++)
    FC_VECTOR for (int64_t l = 0; l < n; l++) S[j * n + l] = P[j * n + l] * (dP[j * n + l] - sum[l]);
}

static void softmax(const problem *p, room r) {
  if (p->few)
    columns_softmax(r.P, r.tops, r.tops + p->H * p->T, p->T, p->H * p->T);
  else
    fc_softmax_rows(r.P, r.P, p->H * p->T, p->T);
}

static void softmax_back(const problem *p, const fc_real *dP, room r) {
  if (p->few)
    columns_back(r.S, dP, r.P, r.tops, p->T, p->H * p->T);
  else
    fc_softmax_rows_back(r.S, dP, r.P, p->H * p->T, p->T, true);
}

FC_SIMD static void scale_span(fc_real *x, int64_t n, fc_real factor) {
  for (int64_t j = 0; j < n; j++) x[j] *= factor;
}

/* ---- windows in an order in which no two at work share a cell ---- */

/* Rows of windows that share cells are at most `turns` - 1 apart; each turn takes every turns-th row. The
   windows of a row follow each other on one thread. */
static int64_t turns_of(const fc_window_plan *w) { return fc_ceil_div(w->size, w->stride); }

/* number of the first window in row t of those whose turn it is, -1 beyond the last */
static int64_t window_row(const fc_window_plan *w, int64_t t, int64_t turn) {
  const int64_t turns = turns_of(w), rows = fc_ceil_div(w->x.windows, turns), i = t % rows * turns + turn;

  return i < w->x.windows ? (t / rows * w->x.windows + i) * w->y.windows : -1;
}

typedef void (*window_fn)(const problem *p, const void *to, int64_t n, room r);

static void for_windows(fc_ctx *c, const problem *p, window_fn fn, const void *to) {
  const fc_window_plan *w     = p->in;
  const int64_t         turns = turns_of(w), tasks = w->B * fc_ceil_div(w->x.windows, turns);
  const size_t          mark = fc_arena_mark(c->arena);
  fc_real              *all  = fc_arena_push(c->arena, (size_t)(fc_threads() * room_size(p)) * sizeof *all);

  for (int64_t turn = 0; !c->dry && turn < turns; turn++)
    FC_FOR_TASKS(t, tasks, fc_windows_count(w) / turns * p->T * p->T * p->H * p->d) {
      const int64_t first = window_row(w, t, turn);
      for (int64_t j = 0; first >= 0 && j < w->y.windows; j++) fn(p, to, first + j, my_room(p, all));
    }
  fc_arena_pop(c->arena, mark);
}

static void clear(const fc_ctx *c, fc_real *x, int64_t n) {
  const int64_t span = 1 << 14;

  if (c->dry) return;
  FC_FOR_ROWS(i, fc_ceil_div(n, span), span)
  memset(x + i * span, 0, (size_t)fc_min64(span, n - i * span) * sizeof *x);
}

/* ---- forward ---- */

/* to = from masked, for the pairs of window n */
static void mask_pairs(const problem *p, int64_t n, fc_real *to, const fc_real *from) {
  const int64_t pairs = pairs_of(p), first = n * fc_ceil_div(pairs, 4) * 4;

  for (int64_t at = 0; at < pairs; at += FC_SPAN)
    fc_mask_apply(&p->mask, to + at, from + at, first + at, fc_min64(FC_SPAN, pairs - at), true);
}

/* P of all heads */
static void weights(const problem *p, int64_t n, tokens x, room r) {
  dots(p, r.P, x, moved(x, p->H * p->d));
  scale_span(r.P, pairs_of(p), p->scale);
  softmax(p, r);
  if (p->drops) mask_pairs(p, n, r.M, r.P);
}

typedef struct {
  fc_real *y;
} result;

static void forward_window(const problem *p, const void *to, int64_t n, room r) {
  const int64_t I = p->H * p->d;
  const tokens  x = {r.x, 3 * I};

  fc_window_gather(p->in, r.x, p->qkv, n, false);
  weights(p, n, x, r);
  sums(p, (tokens){r.o, I}, r.M, false, moved(x, 2 * I));
  fc_window_scatter(p->out, ((const result *)to)->y, r.o, n, !fc_windows_tile(p->out));
}

/* ---- backward ---- */

typedef struct {
  const fc_real *dy;
  fc_real       *dqkv;
  bool           fresh;
} gradients;

static void backward_window(const problem *p, const void *to, int64_t n, room r) {
  const gradients *d = to;
  const int64_t    I = p->H * p->d;
  const tokens     x = {r.x, 3 * I}, dx = {r.dx, 3 * I}, g = {r.o, I};

  fc_window_gather(p->in, r.x, p->qkv, n, false);
  fc_window_gather(p->out, r.o, d->dy, n, false);
  weights(p, n, x, r);
  sums(p, moved(dx, 2 * I), r.M, true, g); /* "o_i = sum_j P_ij v_j" */
  dots(p, r.S, g, moved(x, 2 * I));
  if (p->drops) mask_pairs(p, n, r.M, r.S);
  softmax_back(p, p->drops ? r.M : r.S, r);
  scale_span(r.S, pairs_of(p), p->scale); /* "P_ij = softmax(scale q_i . k_j)" */
  sums(p, dx, r.S, false, moved(x, I));
  sums(p, moved(dx, I), r.S, true, x);
  fc_window_scatter(p->in, d->dqkv, r.dx, n, !d->fresh || !fc_windows_tile(p->in));
}

/* multiply-adds of one product over all pairs */
static double pairs(const problem *p) {
  return (double)fc_windows_count(p->in) * (double)(p->T * p->T) * (double)(p->H * p->d);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const problem *p = node->saved;
  gradients      g = {.dy = node->out->g};

  g.dqkv = fc_grad_raw(c, node->in[0], &g.fresh);
  if (!g.dqkv) return;
  if (g.fresh && !fc_windows_tile(p->in)) clear(c, g.dqkv, fc_len(node->in[0]));
  for_windows(c, p, backward_window, &g);
  c->flops += 10 * pairs(p);
}

static const fc_op local_attention = {"local_attention", backward, true};

/* of all windows of all samples; `above` rows of windows of each lie on other ranks, before ours */
static fc_mask draw_mask(fc_ctx *c, const problem *p, double dropout, int64_t above) {
  const int64_t B = p->in->B, window = fc_ceil_div(pairs_of(p), 4) * 4,
                all = fc_windows_count(p->in) / B * window;
  int64_t *at = fc_arena_push(c->arena, (size_t)(2 * B) * sizeof *at), *place = at + B;

  for (int64_t b = 0; b < B; b++) at[b] = b * all, place[b] = above * (all / p->in->x.windows);
  return fc_mask_draw_shares(c, dropout, B, at, place);
}

fc_tensor *fc_local_attention(fc_ctx *c, fc_tensor *qkv, int64_t heads, fc_window_layout spec, double scale,
                              double dropout, int64_t above) {
  const int64_t I = fc_last(qkv) / 3;
  problem      *p = fc_arena_push(c->arena, sizeof *p);

  FC_ASSERT(qkv->ndim == 4 && fc_last(qkv) == 3 * I && I % heads == 0, "local_attention: %s with %lld heads",
            fc_shape_text(qkv), (long long)heads);
  fc_tensor *y = fc_tensor_new(c->arena, FC_DIMS(qkv->dim[0], qkv->dim[1], qkv->dim[2], I));
  *p           = (problem){.H     = heads,
                           .d     = I / heads,
                           .T     = spec.size * spec.size,
                           .scale = (fc_real)scale,
                           .drops = c->training && dropout > 0,
                           .in    = fc_window_plan_new(c, qkv->dim, spec, false),
                           .out   = fc_window_plan_new(c, y->dim, spec, true),
                           .qkv   = qkv->x};
  p->few       = p->T * p->T * p->d < LIBRARY;
  p->by_h      = p->few ? p->T : p->T * p->T;
  p->by_i      = p->few ? 1 : p->T;
  p->by_j      = p->few ? p->H * p->T : 1;
  if (p->drops) p->mask = draw_mask(c, p, dropout, above);
  if (!fc_windows_tile(p->out)) clear(c, y->x, fc_len(y));
  for_windows(c, p, forward_window, &(result){y->x});
  c->flops += 4 * pairs(p);
  return fc_record(c, &local_attention, y, p, FC_IN(qkv));
}
