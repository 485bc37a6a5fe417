/* core/ops/local_attention.c - softmax attention inside square windows of a grid, overlapping results
   averaged (local attention of multipole attention: Colagrande et al. 2025). For each window and head, with
   i, j its tokens: P_ij = softmax_j(scale q_i . k_j),   o_i = sum_j P_ij v_j,   y at a cell = mean of o over
   the windows that cover it qkv [B, X, Y, 3 H d] holds q, k and v of all heads one after the other; y [B, X,
   Y, H d].

   Windows are small (4 tokens and up): one is fetched by its cells, everything happens in the cache, and
   nothing is kept, P is made again in backward. With g = dy / number of windows:
     dv_j += sum_i P_ij g_i,   T_ij = P_ij (g_i . v_j - sum_k P_ik g_i . v_k),
     dq_i += scale sum_j T_ij k_j,   dk_j += scale sum_i T_ij q_i */
#include "core/gemm.h"
#include "core/ops/softmax_rows.h"
#include "core/ops/windows.h"
#include "core/parallel.h"

#include <string.h>

enum { LIBRARY = 1 << 13 }; /* multiply-adds from which on a product is worth a call */

typedef struct {
  int64_t               H, d, T; /* T: tokens of a window */
  fc_real               scale;
  const fc_window_plan *in, *out;
  const fc_real        *qkv;
} problem;

typedef struct { /* of one thread: tokens [T, 3 H d], their gradients, tokens [T, H d], pairs [H, T, T] */
  fc_real *x, *dx, *o, *P, *S;
} room;

static int64_t room_size(const problem *p) { return p->H * p->T * (7 * p->d + 2 * p->T); }

static room my_room(const problem *p, fc_real *all) {
  const int64_t tokens = p->T * p->H * p->d, pairs = p->H * p->T * p->T;
  fc_real      *x = all + fc_thread() * room_size(p), *P = x + 7 * tokens;

  return (room){x, x + 3 * tokens, x + 6 * tokens, P, P + pairs};
}

/* ---- products of tokens and pairs, by plain loops for few tokens ---- */

/* P_ij = a_i . b_j; four j at once, so that their sums across the lanes overlap */
FC_SIMD static void plain_dots(fc_real *restrict P, const fc_real *restrict a, int64_t lda,
                               const fc_real *restrict b, int64_t ldb, int64_t T, int64_t d) {
  for (int64_t i = 0; i < T; i++)
    for (int64_t j = 0; j < T; j += 4) {
      const int64_t  n = fc_min64(4, T - j);
      const fc_real *q = a + i * lda, *b0 = b + j * ldb, *b1 = n > 1 ? b0 + ldb : b0,
                    *b2 = n > 2 ? b1 + ldb : b0, *b3 = n > 3 ? b2 + ldb : b0;
      fc_real s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      FC_PRAGMA(omp simd reduction(+ : s0, s1, s2, s3)) for (int64_t c = 0; c < d; c++) {
        s0 += q[c] * b0[c];
        s1 += q[c] * b1[c];
        s2 += q[c] * b2[c];
        s3 += q[c] * b3[c];
      }
      const fc_real s[] = {s0, s1, s2, s3};
      for (int64_t k = 0; k < n; k++) P[i * T + j + k] = s[k];
    }
}

/* y_i = sum_j P_ij x_j, or with P transposed */
FC_SIMD static void plain_sums(fc_real *restrict y, int64_t ldy, const fc_real *restrict P, bool transposed,
                               const fc_real *restrict x, int64_t ldx, int64_t T, int64_t d) {
  const int64_t by_i = transposed ? 1 : T, by_j = transposed ? T : 1;

  for (int64_t i = 0; i < T; i++) {
    fc_real *to = y + i * ldy;
    for (int64_t c = 0; c < d; c++) to[c] = P[i * by_i] * x[c];
    for (int64_t j = 1; j < T; j++) {
      const fc_real weight = P[i * by_i + j * by_j];
      for (int64_t c = 0; c < d; c++) to[c] += weight * x[j * ldx + c];
    }
  }
}

static void dots(const problem *p, fc_real *P, const fc_real *a, int64_t lda, const fc_real *b, int64_t ldb) {
  if (p->T * p->T * p->d < LIBRARY)
    plain_dots(P, a, lda, b, ldb, p->T, p->d);
  else
    fc_gemm(false, true, p->T, p->T, p->d, 1, a, lda, b, ldb, 0, P, p->T);
}

static void sums(const problem *p, fc_real *y, int64_t ldy, const fc_real *P, bool transposed,
                 const fc_real *x, int64_t ldx) {
  if (p->T * p->T * p->d < LIBRARY)
    plain_sums(y, ldy, P, transposed, x, ldx, p->T, p->d);
  else
    fc_gemm(transposed, false, p->T, p->d, p->T, 1, P, p->T, x, ldx, 0, y, ldy);
}

FC_SIMD static void scale_rows(fc_real *x, int64_t ld, int64_t rows, int64_t n, fc_real factor) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < n; j++) x[r * ld + j] *= factor;
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

/* tokens, q already scaled, and P of all heads */
static void load(const problem *p, int64_t n, room r) {
  const int64_t I = p->H * p->d, ld = 3 * I, TT = p->T * p->T;

  fc_window_gather(p->in, r.x, p->qkv, n, false);
  scale_rows(r.x, ld, p->T, I, p->scale);
  for (int64_t h = 0; h < p->H; h++) dots(p, r.P + h * TT, r.x + h * p->d, ld, r.x + I + h * p->d, ld);
  fc_softmax_rows(r.P, r.P, p->H * p->T, p->T);
}

typedef struct {
  fc_real *y;
} result;

static void forward_window(const problem *p, const void *to, int64_t n, room r) {
  const int64_t I = p->H * p->d;

  load(p, n, r);
  for (int64_t h = 0; h < p->H; h++)
    sums(p, r.o + h * p->d, I, r.P + h * p->T * p->T, false, r.x + 2 * I + h * p->d, 3 * I);
  fc_window_scatter(p->out, ((const result *)to)->y, r.o, n, !fc_windows_tile(p->out));
}

/* ---- backward ---- */

typedef struct {
  const fc_real *dy;
  fc_real       *dqkv;
  bool           fresh;
} gradients;

static void backward_window(const problem *p, const void *to, int64_t n, room r) {
  const gradients *g = to;
  const int64_t    I = p->H * p->d, ld = 3 * I, TT = p->T * p->T;

  load(p, n, r);
  fc_window_gather(p->out, r.o, g->dy, n, false);
  for (int64_t h = 0; h < p->H; h++) { /* "o_i = sum_j P_ij v_j" */
    sums(p, r.dx + 2 * I + h * p->d, ld, r.P + h * TT, true, r.o + h * p->d, I);
    dots(p, r.S + h * TT, r.o + h * p->d, I, r.x + 2 * I + h * p->d, ld);
  }
  fc_softmax_rows_back(r.S, r.S, r.P, p->H * p->T, p->T, true);
  for (int64_t h = 0; h < p->H; h++) { /* "P_ij = softmax(scale q_i . k_j)" */
    sums(p, r.dx + h * p->d, ld, r.S + h * TT, false, r.x + I + h * p->d, ld);
    sums(p, r.dx + I + h * p->d, ld, r.S + h * TT, true, r.x + h * p->d, ld);
  }
  scale_rows(r.dx, ld, p->T, I, p->scale);
  fc_window_scatter(p->in, g->dqkv, r.dx, n, !g->fresh || !fc_windows_tile(p->in));
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

fc_tensor *fc_local_attention(fc_ctx *c, fc_tensor *qkv, int64_t heads, fc_window_layout spec, double scale) {
  const int64_t I = fc_last(qkv) / 3;
  problem      *p = fc_arena_push(c->arena, sizeof *p);

  FC_ASSERT(qkv->ndim == 4 && fc_last(qkv) == 3 * I && heads > 0 && I % heads == 0,
            "local_attention: %s with %lld heads", fc_shape_text(qkv), (long long)heads);
  fc_tensor *y = fc_tensor_new(c->arena, FC_DIMS(qkv->dim[0], qkv->dim[1], qkv->dim[2], I));
  *p           = (problem){heads,
                           I / heads,
                           spec.size * spec.size,
                           (fc_real)scale,
                           fc_window_plan_new(c, qkv->dim, spec, false),
                           fc_window_plan_new(c, y->dim, spec, true),
                           qkv->x};
  if (!fc_windows_tile(p->out)) clear(c, y->x, fc_len(y));
  for_windows(c, p, forward_window, &(result){y->x});
  c->flops += 4 * pairs(p);
  return fc_record(c, &local_attention, y, p, FC_IN(qkv));
}
