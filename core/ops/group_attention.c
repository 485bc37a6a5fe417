/* core/ops/group_attention.c - cosine attention (Swin V2: Liu et al. 2022) within groups of tokens, at the
   end of a gated residual branch. For head h and tokens i, j of one group:
     u_i = q_i / max(|q_i|, 1e-12),   v_j likewise from k_j,   f = exp(min(scale_h, 4.6052))
     S_ij = f u_i . v_j + bias_hji - 200 [i and j lie in different regions],   P = softmax over j
     y_i = r_i + (1 + gate_s) sum_j P_ij w_j,   w_j the values, s the sample of token i
   qkv [R, 3 D] holds q, k and values of all heads one after the other, D = H d; r and y [rows, D] belong
   to the first of these R rows, or to those that groups->target says. Groups list rows of qkv, each of them
   once; partial ones leave some out.

   Groups are small (64 tokens), so all between qkv and y happens in the cache: tokens are fetched by row,
   P is made again in backward, and nothing is kept. Backward, with g = (1 + gate) dy:
     dw_j = sum_i P_ij g_i,   T_ij = P_ij (g_i . w_j - sum_k P_ik g_i . w_k),   dbias_hji += T_ij
     d(f u_i) = sum_j T_ij v_j,   dv_j = sum_i T_ij f u_i,   dscale_h += sum_i (f u_i) . d(f u_i)
     dgate_s += sum_i dy_i (sum_j P_ij w_j) */
#include "core/copy.h"
#include "core/gemm.h"
#include "core/ops/cosine_rows.h"
#include "core/ops/modulation.h"
#include "core/parallel.h"
#include "core/spans.h"
#include "core/vmath.h"

#include <string.h>

/* TASKS of forward; CHUNKS of backward, each with sums of its own; LIBRARY: multiply-adds from which on a
   product is worth a call */
enum { TASKS = 64, CHUNKS = 32, LIBRARY = 1 << 13 };
static const double max_scale = 4.6052;

typedef struct {
  const fc_token_groups *groups;
  fc_modulation          m;                /* rows NULL: gate 0 */
  int64_t                H, d, D, rows, N; /* rows of r; N: rows of a sample */
  const fc_real         *qkv, *scale, *bias, *r;
} problem;

/* Scratch of one thread: tokens of one head [n, d]; pairs [n, n], keys by queries; numbers of tokens [n]. */
typedef struct {
  fc_real        *u, *v, *w, *g, *o, *P, *T, *inverse_u, *inverse_v, *top, *sum, *zeros;
  const fc_real **gate; /* [n] of each token */
} tiles;

static int64_t tile_size(const problem *p) {
  const int64_t n = p->groups->length;

  return 5 * n * p->d + 2 * n * n + 4 * n + p->D;
}

/* scratch of all threads */
typedef struct {
  fc_real        *x;
  const fc_real **gate;
} pool;

static pool make_pool(fc_arena *a, const problem *p) {
  return (pool){fc_arena_push(a, (size_t)(fc_threads() * tile_size(p)) * sizeof(fc_real)),
                fc_arena_push(a, (size_t)(fc_threads() * p->groups->length) * sizeof(fc_real *))};
}

/* that of the calling thread */
static tiles cut_tiles(const problem *p, const pool *from) {
  const int64_t n = p->groups->length, len = n * p->d, thread = fc_thread();
  fc_real      *x = from->x + thread * tile_size(p), *P = x + 5 * len, *row = P + 2 * n * n;

  memset(row + 4 * n, 0, (size_t)p->D * sizeof *row);
  return (tiles){x,
                 x + len,
                 x + 2 * len,
                 x + 3 * len,
                 x + 4 * len,
                 P,
                 P + n * n,
                 row,
                 row + n,
                 row + 2 * n,
                 row + 3 * n,
                 row + 4 * n,
                 from->gate + thread * n};
}

/* ---- small products ---- */

/* C[m,n] = op(A) op(B) by plain loops: op(A)[i,p] at A[i ra + p ca], B as it lies or transposed */
FC_SIMD static void plain_product(bool tb, int64_t m, int64_t n, int64_t k, const fc_real *restrict A,
                                  int64_t ra, int64_t ca, const fc_real *restrict B, int64_t ldb,
                                  fc_real *restrict C) {
  for (int64_t i = 0; i < m; i++) {
    fc_real *c = C + i * n;
    for (int64_t j = 0; j < n; j++) c[j] = 0;
    for (int64_t j = 0; tb && j < n; j++) {
      fc_real s = 0;
      FC_REDUCE(+, s) for (int64_t p = 0; p < k; p++) s += A[i * ra + p * ca] * B[j * ldb + p];
      c[j] = s;
    }
    for (int64_t p = 0; !tb && p < k; p++) {
      const fc_real a = A[i * ra + p * ca];
      for (int64_t j = 0; j < n; j++) c[j] += a * B[p * ldb + j];
    }
  }
}

/* contiguous factors, ldc = n */
static void product(bool ta, bool tb, int64_t m, int64_t n, int64_t k, const fc_real *A, const fc_real *B,
                    fc_real *C) {
  if (m * n * k < LIBRARY)
    plain_product(tb, m, n, k, A, ta ? 1 : k, ta ? m : 1, B, tb ? k : n, C);
  else
    fc_gemm(ta, tb, m, n, k, 1, A, ta ? m : k, B, tb ? k : n, 0, C, n);
}

/* ---- forward ---- */

static fc_real scale_of(const problem *p, int64_t h) {
  const double s = (double)p->scale[h];

  return (fc_real)exp(s < max_scale ? s : max_scale);
}

/* tokens of group n in an array with `step` numbers for each row, d of them for each head */
static fc_token_rows tokens_of(const problem *p, int64_t n, int64_t step) {
  return (fc_token_rows){p->groups->row + n * p->groups->length, p->groups->length, p->d, step};
}

/* the same in r and y */
static fc_token_rows targets_of(const problem *p, int64_t n) {
  return (fc_token_rows){p->groups->target + n * p->groups->length, p->groups->length, p->d, p->D};
}

/* gates of head h for the tokens of group n; a run of tokens belongs to one sample */
static void find_gates(const problem *p, int64_t n, int64_t h, const tiles *t) {
  const int32_t *row    = p->groups->target + n * p->groups->length;
  int64_t        sample = -1;

  for (int64_t i = 0; i < p->groups->length; i++) {
    t->gate[i] = t->zeros;
    if (!p->m.rows || row[i] >= p->rows) continue;
    if (sample < 0 || row[i] < sample * p->N || row[i] >= (sample + 1) * p->N) sample = row[i] / p->N;
    t->gate[i] = p->m.rows->x + fc_modulation_at(&p->m, sample, p->D, FC_MOD_GATE) + h * p->d;
  }
}

/* d numbers of each row on their way into the second cache; a hint never faults. Inline, since the compiler
   takes a function of hints for one without effect. */
#define INLINE static inline __attribute__((always_inline))
INLINE void hint(const fc_real *x, fc_token_rows t) {
  enum { LINE = 64 / sizeof(fc_real) };

  for (int64_t i = 0; i < t.n; i++)
    for (int64_t j = 0; j < t.d + LINE - 1; j += LINE)
      __builtin_prefetch(x + t.row[i] * t.step + fc_min64(j, t.d - 1), 0, 2);
}

/* What head h of the next group reads: single rows far apart, which the processor does not foresee. */
INLINE void fetch_ahead(const problem *p, int64_t n, int64_t h, const fc_real *rows) {
  if (n + 1 >= p->groups->count) return;
  for (int i = 0; i < 3; i++) hint(p->qkv + i * p->D + h * p->d, tokens_of(p, n + 1, 3 * p->D));
  hint(rows + h * p->d, targets_of(p, n + 1));
}

/* tokens and weights of head h in group n */
static void load(const problem *p, int64_t n, int64_t h, const tiles *t) {
  const fc_token_groups *g    = p->groups;
  const fc_token_rows    from = tokens_of(p, n, 3 * p->D);
  const int64_t          len  = g->length;
  const fc_real         *x    = p->qkv + h * p->d;

  fc_units_fetch(t->u, t->inverse_u, x, from, scale_of(p, h));
  fc_units_fetch(t->v, t->inverse_v, x + p->D, from, 1);
  fc_tokens_fetch(t->w, x + 2 * p->D, from);
  product(false, true, len, len, p->d, t->v, t->u, t->P);
  fc_keys_softmax(t->P, p->bias ? p->bias + h * len * len : NULL,
                  g->region ? g->region + n % g->masks * len : NULL, t->top, t->sum, len);
}

static void forward_head(const problem *p, int64_t n, int64_t h, const tiles *t, fc_real *y) {
  const int64_t len = p->groups->length, column = h * p->d;

  load(p, n, h, t);
  fetch_ahead(p, n, h, p->r);
  product(true, false, len, p->d, len, t->P, t->w, t->o);
  find_gates(p, n, h, t);
  fc_tokens_gate(y + column, p->r + column, targets_of(p, n), p->rows, t->gate, t->o);
}

/* multiply-adds of one product over all pairs */
static double pairs(const problem *p) {
  return (double)p->groups->count * (double)p->groups->length * (double)p->groups->length * (double)p->D;
}

static int64_t work_of(const problem *p) {
  return p->groups->count * p->groups->length * p->groups->length * p->D;
}

static void forward(fc_ctx *c, const problem *p, fc_real *y) {
  const int64_t count = p->groups->count, tasks = fc_min64(count, TASKS), per = fc_ceil_div(count, tasks);
  const size_t  mark = fc_arena_mark(c->arena);
  const pool    all  = make_pool(c->arena, p);

  c->flops += 4 * pairs(p);
  if (!c->dry) FC_FOR_TASKS(t, tasks, work_of(p)) {
      const tiles own = cut_tiles(p, &all);
      for (int64_t n = t * per; n < fc_min64(count, (t + 1) * per); n++)
        for (int64_t h = 0; h < p->H; h++) forward_head(p, n, h, &own, y);
    }
  fc_arena_pop(c->arena, mark);
}

/* ---- backward ---- */

typedef struct {
  const fc_real *dy;
  fc_real       *dqkv;
  bool           fresh;
  fc_real       *bias, *scale, *gate; /* sums of one chunk: [H, n, n], [H], [samples, D]; NULL: nobody asks */
} gradients;

FC_SIMD static void multiply_add(fc_real *restrict y, const fc_real *restrict a, const fc_real *restrict b,
                                 int64_t n) {
  for (int64_t j = 0; j < n; j++) y[j] += a[j] * b[j];
}

FC_SIMD static fc_real dot_span(const fc_real *restrict a, const fc_real *restrict b, int64_t n) {
  fc_real s = 0;

  FC_REDUCE(+, s) for (int64_t j = 0; j < n; j++) s += a[j] * b[j];
  return s;
}

/* "y_i = r_i + (1 + gate) o_i": dgate += dy_i o_i */
static void gate_back(const problem *p, const gradients *k, int64_t n, int64_t h, const tiles *t) {
  const int64_t  len = p->groups->length, d = p->d;
  const int32_t *row = p->groups->target + n * len;

  product(true, false, len, d, len, t->P, t->w, t->o);
  for (int64_t i = 0; i < len; i++)
    if (row[i] < p->rows)
      multiply_add(k->gate + row[i] / p->N * p->D + h * d, k->dy + row[i] * p->D + h * d, t->o + i * d, d);
}

static void backward_head(const problem *p, const gradients *k, int64_t n, int64_t h, const tiles *t) {
  const fc_token_rows to  = tokens_of(p, n, 3 * p->D);
  const int64_t       len = p->groups->length, d = p->d;
  fc_real            *dx = k->dqkv + h * d;

  load(p, n, h, t);
  fetch_ahead(p, n, h, k->dy);
  if (k->gate) gate_back(p, k, n, h, t);
  find_gates(p, n, h, t);
  fc_tokens_gate_back(t->g, k->dy + h * d, targets_of(p, n), p->rows, t->gate);
  product(false, false, len, d, len, t->P, t->g, t->o); /* "y_i = sum_j P_ij w_j" */
  fc_tokens_store(dx + 2 * p->D, to, t->o, k->fresh);
  product(false, true, len, len, d, t->w, t->g, t->T);
  fc_keys_softmax_back(t->T, t->P, t->sum, len);
  if (k->bias) fc_span_add(k->bias + h * len * len, t->T, len * len);
  product(true, false, len, d, len, t->T, t->v, t->o); /* "S_ij = f u_i . v_j" */
  if (k->scale) k->scale[h] += dot_span(t->u, t->o, len * d);
  fc_units_back(dx, to, t->o, t->u, t->inverse_u, scale_of(p, h), k->fresh);
  product(false, false, len, d, len, t->T, t->u, t->o);
  fc_units_back(dx + p->D, to, t->o, t->v, t->inverse_v, 1, k->fresh);
}

/* ---- sums over groups: each chunk of groups has its own, added in order at the end ---- */

typedef struct {
  int64_t bias, scale, gate, all; /* lengths */
} sum_sizes;

static gradients with_sums(gradients k, const sum_sizes *s, fc_real *part) {
  k.bias  = s->bias ? part : NULL;
  k.scale = s->scale ? part + s->bias : NULL;
  k.gate  = s->gate ? part + s->bias + s->scale : NULL;
  return k;
}

static void add_gate(const problem *p, const fc_real *sums, fc_real *dm) {
  for (int64_t s = 0; s < p->m.rows->dim[0]; s++)
    fc_span_add(dm + fc_modulation_at(&p->m, s, p->D, FC_MOD_GATE), sums + s * p->D, p->D);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const problem *p     = node->saved;
  const int64_t  count = p->groups->count, n = p->groups->length, chunks = fc_min64(count, CHUNKS),
                per = fc_ceil_div(count, chunks);
  gradients k       = {.dy = node->out->g};
  fc_real  *dqkv = fc_grad_raw(c, node->in[1], &k.fresh), *dscale = fc_grad(c, node->in[2]),
          *dbias = fc_grad(c, node->in[3]), *dm = fc_grad(c, node->in[4]);
  sum_sizes    s    = {dbias ? p->H * n * n : 0, dscale ? p->H : 0, dm ? p->m.rows->dim[0] * p->D : 0, 0};
  const size_t mark = fc_arena_mark(c->arena);

  if (dqkv && k.fresh && p->groups->partial && !c->dry) {
    fc_zero_rows((fc_rows_of){dqkv, 3 * p->D}, fc_rows(node->in[1]), 3 * p->D);
    k.fresh = false;
  }
  k.fresh |= !dqkv; /* then it goes to scratch */
  s.all           = s.bias + s.scale + s.gate;
  fc_real   *part = fc_arena_push(c->arena, (size_t)(chunks * s.all) * sizeof *part);
  const pool all  = make_pool(c->arena, p);
  k.dqkv          = dqkv ? dqkv : fc_arena_push(c->arena, (size_t)fc_len(node->in[1]) * sizeof *dqkv);
  c->flops += 12 * pairs(p);
  if (!c->dry) {
    FC_FOR_TASKS(t, chunks, work_of(p)) {
      const tiles     own  = cut_tiles(p, &all);
      const gradients mine = with_sums(k, &s, part + t * s.all);
      memset(part + t * s.all, 0, (size_t)s.all * sizeof *part);
      for (int64_t q = t * per; q < fc_min64(count, (t + 1) * per); q++)
        for (int64_t h = 0; h < p->H; h++) backward_head(p, &mine, q, h, &own);
    }
    FC_FOR_SPANS(at, len, s.all)
    for (int64_t t = 1; t < chunks; t++) fc_span_add(part + at, part + t * s.all + at, len);
    const gradients sums = with_sums(k, &s, part);
    if (dbias) fc_span_add(dbias, sums.bias, s.bias);
    for (int64_t h = 0; dscale && h < p->H; h++)
      if ((double)p->scale[h] <= max_scale) dscale[h] += sums.scale[h];
    if (dm) add_gate(p, sums.gate, dm);
  }
  fc_arena_pop(c->arena, mark);
  fc_grad_give(c, node, node->in[0]);
}

static const fc_op group_attention = {"group_attention", backward, true};

fc_tensor *fc_group_attention(fc_ctx *c, fc_tensor *r, fc_tensor *qkv, fc_tensor *scale, fc_tensor *bias,
                              const fc_token_groups *groups, fc_modulation m) {
  fc_tensor *const in[] = {r, qkv, scale, bias, m.rows};
  const int64_t    D = fc_last(r), H = fc_len(scale), n = groups->length;

  FC_ASSERT(fc_last(qkv) == 3 * D && D % H == 0 && fc_rows(qkv) >= fc_rows(r) &&
                (!bias || fc_len(bias) == H * n * n),
            "group_attention: residual %s, queries, keys and values %s, %lld heads, groups of %lld",
            fc_shape_text(r), fc_shape_text(qkv), (long long)H, (long long)n);
  problem *p = fc_arena_push(c->arena, sizeof *p);
  *p = (problem){groups, m, H, D / H, D, fc_rows(r), fc_rows(r), qkv->x, scale->x, bias ? bias->x : NULL,
                 r->x};
  if (m.rows) p->N = fc_modulation_rows("group_attention", &m, r, FC_MOD_GATE);
  fc_tensor *y = fc_tensor_new(c->arena, r->ndim, r->dim);
  forward(c, p, y->x);
  return fc_record(c, &group_attention, y, p, 5, in);
}
