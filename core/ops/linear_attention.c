/* core/ops/linear_attention.c - normalised linear attention (Hao et al. 2023, GNOT, eq. 7 to 10). With q^ and
   k^ the softmax of q and k over the D channels of each head:
     y = q^ + sum_i (q^ S_i) / (q^ . z_i),   S_i = sum_m k^_m v_m^T,   z_i = sum_m k^_m
   q [R, H D] channels-last, k_i and v_i [M_i, H D]; i counts input functions, which have points of their own.
   Samples are segments of rows (core/segments.h): a query sees the keys of its own sample.

   The weights of a query add up to one, so the values may be shifted: with c the first value of the sample,
   S holds v - c, and c is added to the answer. What all values have in common would otherwise have to cancel
   in the gradients of q and k (measured on the reference cases: two to four times the rounding error).
   q^, k^ and v - c lie over the memory of q, k and v.

   Backward, with g = dL/dy, t = 1 / (q^ . z), q' = t q^ and u = S g for each function and row:
     dq^ += t (u - (u . q') z),   dS += q' g^T,   dz -= (u . q') q',   dk^ += dS v + dz,   dv += dS^T k^
   and through the softmax dq += q^ (dq^ - q^ . dq^), dk likewise.

   Ranks that share the points add up S and z forward and dS and dz backward; c is then the mean of the first
   values that each of them has. */
#include "core/copy.h"
#include "core/domain.h"
#include "core/gemm.h"
#include "core/ops.h"
#include "core/ops/softmax_rows.h"
#include "core/parallel.h"
#include "core/spans.h"

#include <string.h>

/* Pieces of a sample are nearly equal and at most PIECE rows long, at least MIN_PIECES where they are not
   shorter than SHORT; each has its own share of S. Inside, BLOCK rows stay in the second cache. */
enum { PIECE = 1024, MIN_PIECES = 8, SHORT = 256, BLOCK = 128 };

typedef struct {
  int64_t sample, at, n;
} piece;

typedef struct {     /* rows cut into pieces, none across two samples */
  int64_t n, *first; /* [samples + 1] */
  piece  *p;
} cut;

typedef struct {      /* one input function */
  fc_real *k, *v, *S; /* of each sample S [H, D, D], z [H, D] and c [H, D]; behind the function before it */
  cut      rows;
} source;

typedef struct {
  int64_t  samples, H, D, C;
  int      n;
  fc_real *q;
  cut      rows;
  source  *from;
  double   work; /* floating-point operations of the forward */
} problem;

static int64_t sum_size(const problem *p) { return p->C * (p->D + 1); } /* S and z */

static fc_real *state_of(const problem *p, const source *f, int64_t sample) {
  return f->S + sample * (sum_size(p) + p->C);
}

static cut cut_rows(fc_arena *a, const fc_segments *s) {
  cut c = {0, fc_arena_push(a, (size_t)(s->n + 1) * sizeof *c.first), NULL};

  for (int64_t b = 0; b < s->n; b++) {
    const int64_t len = s->at[b + 1] - s->at[b];
    c.first[b]        = c.n;
    c.n +=
        fc_max64(fc_ceil_div(len, PIECE), fc_max64(1, fc_min64(fc_ceil_div(MIN_PIECES, s->n), len / SHORT)));
  }
  c.first[s->n] = c.n;
  c.p           = fc_arena_push(a, (size_t)c.n * sizeof *c.p);
  for (int64_t b = 0; b < s->n; b++) {
    const int64_t len = s->at[b + 1] - s->at[b], parts = c.first[b + 1] - c.first[b];
    for (int64_t i = 0; i < parts; i++) {
      const int64_t from = len * i / parts, to = len * (i + 1) / parts;
      c.p[c.first[b] + i] = (piece){b, s->at[b] + from, to - from};
    }
  }
  return c;
}

/* ---- kernels on rows [n, H D] that lie in the cache ---- */

/* q' = q^ / (q^ . z) for each row and head; share takes the factors, or NULL */
FC_SIMD static void divide_rows(fc_real *restrict to, const fc_real *restrict q, const fc_real *restrict z,
                                int64_t rows, int64_t H, int64_t D, fc_real *restrict share) {
  for (int64_t r = 0; r < rows * H; r++, to += D, q += D) {
    const fc_real *zh  = z + r % H * D;
    fc_real        sum = 0;
    FC_REDUCE(+, sum) for (int64_t j = 0; j < D; j++) sum += q[j] * zh[j];
    const fc_real t = 1 / sum;
    for (int64_t j = 0; j < D; j++) to[j] = t * q[j];
    if (share) share[r] = t;
  }
}

/* "q' S = q^ S / (q^ . z)": dq += t (u - (u . q') z), dz -= (u . q') q' */
FC_SIMD static void divide_back(fc_real *restrict dq, fc_real *restrict dz, const fc_real *restrict u,
                                const fc_real *restrict to, const fc_real *restrict z,
                                const fc_real *restrict share, int64_t rows, int64_t H, int64_t D) {
  for (int64_t r = 0; r < rows * H; r++, dq += D, u += D, to += D) {
    const fc_real *zh  = z + r % H * D;
    fc_real       *dzh = dz + r % H * D, dot = 0;
    FC_REDUCE(+, dot) for (int64_t j = 0; j < D; j++) dot += u[j] * to[j];
    for (int64_t j = 0; j < D; j++) {
      dq[j] += share[r] * (u[j] - dot * zh[j]);
      dzh[j] -= dot * to[j];
    }
  }
}

static void add_to_rows(fc_real *y, const fc_real *x, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; r++) fc_span_add(y + r * n, x, n);
}

FC_SIMD static void subtract_from_rows(fc_real *restrict y, const fc_real *restrict x, int64_t rows,
                                       int64_t n) {
  for (int64_t r = 0; r < rows; r++, y += n)
    for (int64_t j = 0; j < n; j++) y[j] -= x[j];
}

static void add_rows(fc_real *sum, const fc_real *x, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; r++) fc_span_add(sum, x + r * n, n);
}

static void copy_to_rows(fc_real *y, const fc_real *x, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; r++) memcpy(y + r * n, x, (size_t)n * sizeof *y);
}

/* ---- products head by head; x, y [n, H D], S [H, D, D] ---- */

/* y (+)= x S or x S^T */
static void times_state(const problem *p, fc_real *y, bool add, const fc_real *x, const fc_real *S, bool ts,
                        int64_t n) {
  const int64_t D = p->D;

  for (int64_t h = 0; h < p->H; h++)
    fc_gemm(false, ts, n, D, D, 1, x + h * D, p->C, S + h * D * D, D, add, y + h * D, p->C);
}

/* S += x^T y */
static void add_outer(const problem *p, fc_real *S, const fc_real *x, const fc_real *y, int64_t n) {
  const int64_t D = p->D;

  for (int64_t h = 0; h < p->H; h++)
    fc_gemm(true, false, D, D, n, 1, x + h * D, p->C, y + h * D, p->C, 1, S + h * D * D, D);
}

/* ---- forward ---- */

#define FOR_BLOCKS(at, len, piece)                                                                           \
  for (int64_t at = (piece).at, len, end_ = at + (piece).n; len = fc_min64(BLOCK, end_ - at), at < end_;     \
       at += len)

/* this piece's share of S and z; its keys become k^, its values v - c */
static void gather_piece(const problem *p, const source *f, piece w, fc_real *S) {
  const fc_real *shift = state_of(p, f, w.sample) + sum_size(p);

  memset(S, 0, (size_t)sum_size(p) * sizeof *S);
  FOR_BLOCKS(at, len, w) {
    fc_real *k = f->k + at * p->C, *v = f->v + at * p->C;
    fc_softmax_rows(k, k, len * p->H, p->D);
    subtract_from_rows(v, shift, len, p->C);
    add_outer(p, S, k, v, len);
    add_rows(S + p->C * p->D, k, len, p->C);
  }
}

/* the sums of all samples, S_step apart, from the shares of their pieces, part_step apart, added in order */
static void add_shares(const problem *p, fc_real *S, int64_t S_step, const fc_real *part, int64_t part_step,
                       const cut *c) {
  const int64_t n = sum_size(p);

  FC_FOR_ROWS(b, p->samples, n) {
    memset(S + b * S_step, 0, (size_t)n * sizeof *S);
    for (int64_t i = c->first[b]; i < c->first[b + 1]; i++)
      fc_span_add(S + b * S_step, part + i * part_step, n);
  }
}

/* c of each sample: the first value of its segment, 0 if it is empty */
static void first_values(const problem *p, const source *f) {
  for (int64_t b = 0; b < p->samples; b++) {
    const piece first = f->rows.p[f->rows.first[b]];
    fc_real    *shift = state_of(p, f, b) + sum_size(p);
    if (first.n)
      memcpy(shift, f->v + first.at * p->C, (size_t)p->C * sizeof *shift);
    else
      memset(shift, 0, (size_t)p->C * sizeof *shift);
  }
}

/* one c for all ranks: the mean over those that have a value */
static void share_first_values(fc_ctx *c, const problem *p) {
  const int64_t n = p->C + 1, all = p->n * p->samples;
  const size_t  mark = fc_arena_mark(c->arena);
  fc_real      *sum  = fc_arena_push(c->arena, (size_t)(all * n) * sizeof *sum);

  for (int64_t i = 0; !c->dry && i < all; i++) {
    const source *f = &p->from[i / p->samples];
    memcpy(sum + i * n, state_of(p, f, i % p->samples) + sum_size(p), (size_t)p->C * sizeof *sum);
    sum[i * n + p->C] = f->rows.p[f->rows.first[i % p->samples]].n > 0;
  }
  fc_domain_sum(c, sum, all * n);
  for (int64_t i = 0; !c->dry && i < all; i++) {
    fc_real      *shift = state_of(p, &p->from[i / p->samples], i % p->samples) + sum_size(p);
    const fc_real ranks = sum[i * n + p->C] > 0 ? sum[i * n + p->C] : 1;
    for (int64_t j = 0; j < p->C; j++) shift[j] = sum[i * n + j] / ranks;
  }
  fc_arena_pop(c->arena, mark);
}

/* S and z of all functions in one message; the shifts between them stay as they are */
static void share_sums(fc_ctx *c, const problem *p) {
  const int64_t n = sum_size(p), all = p->n * p->samples;
  const size_t  mark = fc_arena_mark(c->arena);
  fc_real      *sum  = fc_arena_push(c->arena, (size_t)(all * n) * sizeof *sum);

  if (!c->dry) fc_copy_rows((fc_rows_of){sum, n}, p->from[0].S, n + p->C, all, n, false);
  fc_domain_sum(c, sum, all * n);
  if (!c->dry) fc_copy_rows((fc_rows_of){p->from[0].S, n + p->C}, sum, n, all, n, false);
  fc_arena_pop(c->arena, mark);
}

static void gather(fc_ctx *c, const problem *p, const source *f) {
  const int64_t n    = sum_size(p);
  const size_t  mark = fc_arena_mark(c->arena);
  fc_real      *part = fc_arena_push(c->arena, (size_t)(f->rows.n * n) * sizeof *part);

  if (!c->dry) {
    FC_FOR_TASKS(t, f->rows.n, f->rows.n * f->rows.p[0].n * n)
    gather_piece(p, f, f->rows.p[t], part + t * n);
    add_shares(p, f->S, n + p->C, part, n, &f->rows);
  }
  fc_arena_pop(c->arena, mark);
}

static void answer_piece(const problem *p, piece w, fc_real *y, fc_real *room) {
  FOR_BLOCKS(at, len, w) {
    fc_real *q = p->q + at * p->C, *to = y + at * p->C;
    fc_softmax_rows(q, q, len * p->H, p->D);
    memcpy(to, q, (size_t)(len * p->C) * sizeof *to);
    for (int i = 0; i < p->n; i++) {
      const fc_real *S = state_of(p, &p->from[i], w.sample);
      divide_rows(room, q, S + p->C * p->D, len, p->H, p->D, NULL);
      times_state(p, to, true, room, S, false, len);
      add_to_rows(to, S + sum_size(p), len, p->C);
    }
  }
}

static double work(const problem *p, const fc_segments *rows, const fc_segments *keys) {
  double n = 0;

  for (int i = 0; i < p->n; i++) n += (double)(fc_segments_rows(rows) + fc_segments_rows(&keys[i]));
  return 2 * n * (double)(p->C * p->D);
}

static void forward(fc_ctx *c, const problem *p, fc_real *y) {
  const bool shared = fc_domain_shared(c) && p->n > 0;

  for (int i = 0; !c->dry && i < p->n; i++) first_values(p, &p->from[i]);
  if (shared) share_first_values(c, p);
  for (int i = 0; i < p->n; i++) gather(c, p, &p->from[i]);
  if (shared) share_sums(c, p);
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *room = fc_arena_push(c->arena, (size_t)(fc_threads() * BLOCK * p->C) * sizeof *room);

  if (!c->dry) FC_FOR_TASKS(t, p->rows.n, p->rows.n * p->rows.p[0].n * p->C * (1 + p->n * p->D))
  answer_piece(p, p->rows.p[t], y, room + fc_thread() * BLOCK * p->C);
  fc_arena_pop(c->arena, mark);
}

/* ---- backward ---- */

/* room: q', u and dq^ of one block and the factors t */
static int64_t room_size(const problem *p) { return BLOCK * (3 * p->C + p->H); }

/* "y = q^ + sum_i q'_i S_i" for one piece of queries; dS [n, state] is its share, dq may be NULL */
static void query_piece(const problem *p, piece w, const fc_real *dy, fc_real *dq, bool fresh, fc_real *dS,
                        fc_real *room) {
  fc_real *to = room, *u = to + BLOCK * p->C, *dsoft = u + BLOCK * p->C, *share = dsoft + BLOCK * p->C;

  memset(dS, 0, (size_t)(p->n * sum_size(p)) * sizeof *dS);
  FOR_BLOCKS(at, len, w) {
    const fc_real *q = p->q + at * p->C, *g = dy + at * p->C;
    memcpy(dsoft, g, (size_t)(len * p->C) * sizeof *g);
    for (int i = 0; i < p->n; i++) {
      const fc_real *S = state_of(p, &p->from[i], w.sample), *z = S + p->C * p->D;
      fc_real       *mine = dS + i * sum_size(p);
      divide_rows(to, q, z, len, p->H, p->D, share);
      times_state(p, u, false, g, S, true, len);
      divide_back(dsoft, mine + p->C * p->D, u, to, z, share, len, p->H, p->D);
      add_outer(p, mine, to, g, len);
    }
    if (dq) fc_softmax_rows_back(dq + at * p->C, dsoft, q, len * p->H, p->D, fresh);
  }
}

typedef struct {
  fc_real *dk, *dv;
  bool     fresh_k, fresh_v;
} key_gradients;

/* "S = sum k^ v^T, z = sum k^" for one piece of keys of function f */
static void key_piece(const problem *p, const source *f, piece w, const fc_real *dS, const key_gradients *d,
                      fc_real *room) {
  const fc_real *mine = dS + w.sample * sum_size(p);

  FOR_BLOCKS(at, len, w) {
    const int64_t o = at * p->C;
    if (d->dv) times_state(p, d->dv + o, !d->fresh_v, f->k + o, mine, false, len);
    if (!d->dk) continue;
    copy_to_rows(room, mine + p->C * p->D, len, p->C);
    times_state(p, room, true, f->v + o, mine, true, len);
    fc_softmax_rows_back(d->dk + o, room, f->k + o, len * p->H, p->D, d->fresh_k);
  }
}

static void backward_keys(fc_ctx *c, const problem *p, const source *f, const fc_real *dS,
                          const key_gradients *d, fc_real *room) {
  if (c->dry || (!d->dk && !d->dv)) return;
  FC_FOR_TASKS(t, f->rows.n, f->rows.n * f->rows.p[0].n * sum_size(p))
  key_piece(p, f, f->rows.p[t], dS, d, room + fc_thread() * room_size(p));
}

static void backward_queries(fc_ctx *c, const problem *p, const fc_real *dy, fc_real *dq, bool fresh,
                             fc_real *part, fc_real *room) {
  if (c->dry) return;
  FC_FOR_TASKS(t, p->rows.n, p->rows.n * p->rows.p[0].n * p->C * (1 + p->n * p->D))
  query_piece(p, p->rows.p[t], dy, dq, fresh, part + t * p->n * sum_size(p),
              room + fc_thread() * room_size(p));
}

static void backward(fc_ctx *c, const fc_node *node) {
  const problem *p    = node->saved;
  const int64_t  size = sum_size(p);
  bool           fresh;
  fc_real       *dq = fc_grad_raw(c, node->in[0], &fresh);
  key_gradients *d  = fc_arena_push(c->arena, (size_t)(p->n + 1) * sizeof *d);

  for (int i = 0; i < p->n; i++) {
    d[i].dk = fc_grad_raw(c, node->in[1 + 2 * i], &d[i].fresh_k);
    d[i].dv = fc_grad_raw(c, node->in[2 + 2 * i], &d[i].fresh_v);
  }
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *room = fc_arena_push(c->arena, (size_t)(fc_threads() * room_size(p)) * sizeof *room);
  fc_real     *part = fc_arena_push(c->arena, (size_t)(p->rows.n * p->n * size) * sizeof *part);
  fc_real     *dS   = fc_arena_push(c->arena, (size_t)(p->n * p->samples * size) * sizeof *dS);
  backward_queries(c, p, node->out->g, dq, fresh, part, room);
  for (int i = 0; !c->dry && i < p->n; i++)
    add_shares(p, dS + i * p->samples * size, size, part + i * size, p->n * size, &p->rows);
  if (p->n > 0) fc_domain_sum(c, dS, p->n * p->samples * size);
  for (int i = 0; i < p->n; i++) backward_keys(c, p, &p->from[i], dS + i * p->samples * size, &d[i], room);
  c->flops += 2 * p->work;
  fc_arena_pop(c->arena, mark);
}

static const fc_op linear_attention = {"linear_attention", backward, true};

/* ---- constructor ---- */

static void check_shapes(const fc_tensor *q, const fc_segments *rows, int n, fc_tensor *const *k,
                         fc_tensor *const *v, const fc_segments *key_rows, int64_t heads) {
  const int64_t C = fc_last(q);

  FC_ASSERT(C % heads == 0 && fc_segments_rows(rows) == fc_rows(q), "linear_attention: %s in %lld heads",
            fc_shape_text(q), (long long)heads);
  for (int i = 0; i < n; i++)
    FC_ASSERT(fc_last(k[i]) == C && fc_last(v[i]) == C && fc_rows(k[i]) == fc_rows(v[i]) &&
                  key_rows[i].n == rows->n && fc_segments_rows(&key_rows[i]) == fc_rows(k[i]),
              "linear_attention: queries %s, keys %s, values %s", fc_shape_text(q), fc_shape_text(k[i]),
              fc_shape_text(v[i]));
}

fc_tensor *fc_linear_attention(fc_ctx *c, fc_tensor *q, const fc_segments *rows, int n, fc_tensor *const *k,
                               fc_tensor *const *v, const fc_segments *key_rows, int64_t heads) {
  const int64_t C  = fc_last(q);
  problem      *p  = fc_arena_push(c->arena, sizeof *p);
  fc_tensor   **in = fc_arena_push(c->arena, (size_t)(1 + 2 * n) * sizeof *in);

  check_shapes(q, rows, n, k, v, key_rows, heads);
  *p                  = (problem){rows->n, heads, C / heads, C, n, q->x, cut_rows(c->arena, rows), NULL, 0};
  p->from             = fc_arena_push(c->arena, (size_t)(n + 1) * sizeof *p->from);
  in[0]               = q;
  const int64_t state = rows->n * (sum_size(p) + C);
  fc_real      *S     = fc_arena_push(c->arena, (size_t)(n * state) * sizeof *S);
  for (int i = 0; i < n; i++) {
    p->from[i]    = (source){k[i]->x, v[i]->x, S + i * state, cut_rows(c->arena, &key_rows[i])};
    in[1 + 2 * i] = k[i], in[2 + 2 * i] = v[i];
  }
  fc_tensor *y = fc_tensor_new(c->arena, q->ndim, q->dim);
  p->work      = work(p, rows, key_rows);
  c->flops += p->work;
  forward(c, p, y->x);
  return fc_record(c, &linear_attention, y, p, 1 + 2 * n, in);
}
