/* core/ops/group_attention.c - cosine attention (Swin V2: Liu et al. 2022) within groups of tokens, at the
   end of a gated residual branch. For head h and tokens i, j of one group u_i = q_i / max(|q_i|, 1e-12), v_j
   likewise from k_j,   f = exp(min(scale_h, 4.6052)), S_ij = f u_i . v_j + bias_hji - 200 [i and j lie in
   different regions],   P = softmax over j, y_i = r_i + (1 + gate_s) sum_j P_ij w_j      w_j the values, s
   the sample of token i qkv [R, 3 D] holds q, k and values of all heads one after the other, D = H d; r, y
   [rows, D] the first rows of these R. Groups list rows of qkv, each of them once; -1 is a token of zeros,
   which others attend to.

   Groups are small (64 tokens), so everything between qkv and y happens in the cache: tokens are fetched by
   row, P is made again in backward, and nothing is kept. Backward, with g = (1 + gate) dy:
     dw_j = sum_i P_ij g_i,   T_ij = P_ij (g_i . w_j - sum_k P_ik g_i . w_k),   dbias_hji += T_ij,
     d(f u_i) = sum_j T_ij v_j,   dv_j = sum_i T_ij f u_i,   dscale_h += sum_i (f u_i) . d(f u_i),
     dgate_s += sum_i dy_i (sum_j P_ij w_j) */
#include "core/gemm.h"
#include "core/ops/modulation.h"
#include "core/parallel.h"
#include "core/spans.h"
#include "core/vmath.h"

#include <string.h>

/* MAX_SLOTS: tasks with scratch of their own; CHUNKS: copies of the sums of backward; LIBRARY: multiply-adds
   from which on a product is worth a call */
enum { MAX_SLOTS = 64, CHUNKS = 32, LIBRARY = 1 << 13 };
static const double max_scale = 4.6052, tiny_norm = 1e-12, penalty = -200;

typedef struct {
  const fc_token_groups *groups;
  fc_modulation          m;                /* rows NULL: gate 0 */
  int64_t                H, d, D, rows, N; /* rows of r; N: rows of a sample */
  const fc_real         *qkv, *scale, *bias, *r;
} problem;

/* Scratch of one task: tokens of one head [n, d]; pairs [n, n], keys by queries, so that the softmax runs
   down whole vectors of queries; numbers of tokens [n]. */
typedef struct {
  fc_real        *u, *v, *w, *g, *o, *P, *T, *inverse_u, *inverse_v, *top, *sum, *zeros;
  const fc_real **gate; /* [n] of each token */
} tiles;

static int64_t tile_size(const problem *p) {
  const int64_t n = p->groups->length;

  return 5 * n * p->d + 2 * n * n + 4 * n + p->D;
}

/* scratch of so many tasks, and the part of task t */
typedef struct {
  fc_real        *x;
  const fc_real **gate;
} pool;

static pool make_pool(fc_arena *a, const problem *p, int64_t tasks) {
  return (pool){fc_arena_push(a, (size_t)(tasks * tile_size(p)) * sizeof(fc_real)),
                fc_arena_push(a, (size_t)(tasks * p->groups->length) * sizeof(fc_real *))};
}

static tiles cut_tiles(const problem *p, const pool *from, int64_t t) {
  const int64_t n = p->groups->length, len = n * p->d;
  fc_real      *x = from->x + t * tile_size(p), *P = x + 5 * len, *row = P + 2 * n * n;

  memset(row + 4 * n, 0, (size_t)p->D * sizeof *row);
  return (tiles){x,       x + len,     x + 2 * len, x + 3 * len, x + 4 * len,       P, P + n * n, row,
                 row + n, row + 2 * n, row + 3 * n, row + 4 * n, from->gate + t * n};
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

/* u = f x / max(|x|, tiny) for the tokens of a group, inverse = f / max(|x|, tiny), in double: scores of 100
   feel every rounding. x begins at the head's first number. */
FC_SIMD static void fetch_units(fc_real *restrict u, fc_real *restrict inverse, const fc_real *restrict x,
                                int64_t step, const int32_t *restrict row, int64_t n, int64_t d, fc_real f) {
  for (int64_t i = 0; i < n; i++) {
    const fc_real *t      = x + row[i] * step;
    fc_real        square = 0;
    FC_REDUCE(+, square) for (int64_t j = 0; j < d; j++) square += t[j] * t[j];
    inverse[i] = square;
  }
  for (int64_t i = 0; i < n; i++) {
    const double length = sqrt((double)inverse[i]);
    inverse[i]          = (fc_real)((double)f / (length > tiny_norm ? length : tiny_norm));
  }
  for (int64_t i = 0; i < n; i++, u += d) {
    const fc_real *t = x + row[i] * step;
    for (int64_t j = 0; j < d; j++) u[j] = inverse[i] * t[j];
  }
}

FC_SIMD static void fetch(fc_real *restrict w, const fc_real *restrict x, int64_t step,
                          const int32_t *restrict row, int64_t n, int64_t d) {
  for (int64_t i = 0; i < n; i++, w += d) {
    const fc_real *t = x + row[i] * step;
    for (int64_t j = 0; j < d; j++) w[j] = t[j];
  }
}

/* softmax over the keys j of S [j, i] + bias + mask, in place; top and sum of each query i */
FC_SIMD static void weights(fc_real *restrict S, const fc_real *restrict bias, const int32_t *restrict region,
                            fc_real *restrict top, fc_real *restrict sum, int64_t n) {
  for (int64_t i = 0; i < n; i++) top[i] = -(fc_real)INFINITY, sum[i] = 0;
  for (int64_t j = 0; j < n; j++) {
    fc_real *s = S + j * n;
    if (bias)
      for (int64_t i = 0; i < n; i++) s[i] += bias[j * n + i];
    if (region)
      for (int64_t i = 0; i < n; i++) s[i] += region[i] != region[j] ? (fc_real)penalty : 0;
    for (int64_t i = 0; i < n; i++) top[i] = s[i] > top[i] ? s[i] : top[i];
  }
  for (int64_t j = 0; j < n; j++) {
    fc_real *s = S + j * n;
    for (int64_t i = 0; i < n; i++) sum[i] += s[i] = fc_exp(s[i] - top[i]);
  }
  for (int64_t i = 0; i < n; i++) sum[i] = 1 / sum[i];
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < n; i++) S[j * n + i] *= sum[i];
}

static fc_real scale_of(const problem *p, int64_t h) {
  const double s = (double)p->scale[h];

  return (fc_real)exp(s < max_scale ? s : max_scale);
}

/* gates of a group's tokens; a run of tokens belongs to one sample */
static void find_gates(const problem *p, const int32_t *row, const tiles *t) {
  int64_t sample = -1;

  for (int64_t i = 0; i < p->groups->length; i++) {
    t->gate[i] = t->zeros;
    if (!p->m.rows || row[i] >= p->rows) continue;
    if (sample < 0 || row[i] < sample * p->N || row[i] >= (sample + 1) * p->N) sample = row[i] / p->N;
    t->gate[i] = p->m.rows->x + fc_modulation_at(&p->m, sample, p->D, FC_MOD_GATE);
  }
}

/* d numbers of each row on their way into the second cache; a hint never faults. Inline, since the compiler
   takes a function of hints for one without effect. */
#define INLINE static inline __attribute__((always_inline))
INLINE void hint(const fc_real *x, int64_t step, const int32_t *row, int64_t n, int64_t d) {
  enum { LINE = 64 / sizeof(fc_real) };

  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d + LINE - 1; j += LINE)
      __builtin_prefetch(x + row[i] * step + fc_min64(j, d - 1), 0, 2);
}

/* What head h of the next group reads: single rows far apart, which the processor does not foresee. */
INLINE void fetch_ahead(const problem *p, int64_t n, int64_t h, const fc_real *rows) {
  const int64_t  len = p->groups->length, d = p->d, column = h * d;
  const int32_t *row = p->groups->row + (n + 1) * len;

  if (n + 1 >= p->groups->count) return;
  for (int i = 0; i < 3; i++) hint(p->qkv + i * p->D + column, 3 * p->D, row, len, d);
  hint(rows + column, p->D, row, len, d);
}

/* tokens and weights of head h in group n */
static void load(const problem *p, int64_t n, int64_t h, const tiles *t) {
  const fc_token_groups *g   = p->groups;
  const int64_t          len = g->length, d = p->d, step = 3 * p->D;
  const int32_t         *row = g->row + n * len;
  const fc_real         *x   = p->qkv + h * d;

  fetch_units(t->u, t->inverse_u, x, step, row, len, d, scale_of(p, h));
  fetch_units(t->v, t->inverse_v, x + p->D, step, row, len, d, 1);
  fetch(t->w, x + 2 * p->D, step, row, len, d);
  product(false, true, len, len, d, t->v, t->u, t->P);
  weights(t->P, p->bias ? p->bias + h * len * len : NULL, g->region ? g->region + n % g->masks * len : NULL,
          t->top, t->sum, len);
}

/* y = r + (1 + gate) o for d numbers of each token that has a row in y */
FC_SIMD static void add_gated(fc_real *restrict y, const fc_real *restrict r, int64_t step, int64_t rows,
                              const int32_t *restrict row, const fc_real *const *restrict gate,
                              int64_t column, const fc_real *restrict o, int64_t n, int64_t d) {
  for (int64_t i = 0; i < n; i++, o += d) {
    const int64_t  at = row[i] * step + column;
    const fc_real *g  = gate[i] + column;
    if (row[i] >= rows) continue;
    for (int64_t j = 0; j < d; j++) y[at + j] = r[at + j] + (1 + g[j]) * o[j];
  }
}

static void forward_group(const problem *p, int64_t n, const tiles *t, fc_real *y) {
  const int64_t  len = p->groups->length, d = p->d;
  const int32_t *row = p->groups->row + n * len;

  find_gates(p, row, t);
  for (int64_t h = 0; h < p->H; h++) {
    load(p, n, h, t);
    fetch_ahead(p, n, h, p->r);
    product(true, false, len, d, len, t->P, t->w, t->o);
    add_gated(y, p->r, p->D, p->rows, row, t->gate, h * d, t->o, len, d);
  }
}

/* multiply-adds of one product over all pairs */
static double pairs(const problem *p) {
  return (double)p->groups->count * (double)p->groups->length * (double)p->groups->length * (double)p->D;
}

static int64_t work_of(const problem *p) {
  return p->groups->count * p->groups->length * p->groups->length * p->D;
}

static void forward(fc_ctx *c, const problem *p, fc_real *y) {
  const int64_t count = p->groups->count, slots = fc_min64(count, MAX_SLOTS), per = fc_ceil_div(count, slots);
  const size_t  mark = fc_arena_mark(c->arena);
  const pool    all  = make_pool(c->arena, p, slots);

  c->flops += 4 * pairs(p);
  if (!c->dry) FC_FOR_TASKS(s, slots, work_of(p)) {
      const tiles t = cut_tiles(p, &all, s);
      for (int64_t n = s * per; n < fc_min64(count, (s + 1) * per); n++) forward_group(p, n, &t, y);
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

/* T = P (T - sum P T), sums over keys: "P = softmax(S)" backwards */
FC_SIMD static void softmax_back(fc_real *restrict T, const fc_real *restrict P, fc_real *restrict sum,
                                 int64_t n) {
  for (int64_t i = 0; i < n; i++) sum[i] = 0;
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < n; i++) sum[i] += P[j * n + i] * T[j * n + i];
  for (int64_t j = 0; j < n; j++)
    for (int64_t i = 0; i < n; i++) T[j * n + i] = P[j * n + i] * (T[j * n + i] - sum[i]);
}

/* u = f x / |x| with gradient g: dx = (f g - u (u . g) / f) / |x|, or f g / tiny below the floor */
FC_SIMD static void units_back(fc_real *restrict dx, int64_t step, const int32_t *restrict row,
                               const fc_real *restrict g, const fc_real *restrict u,
                               const fc_real *restrict inverse, int64_t n, int64_t d, fc_real f, bool fresh) {
  const fc_real inverse_square = 1 / (f * f), floor = (fc_real)((double)f / tiny_norm);

  for (int64_t i = 0; i < n; i++, g += d, u += d) {
    fc_real dot = 0, *to = dx + row[i] * step;
    FC_REDUCE(+, dot) for (int64_t j = 0; j < d; j++) dot += u[j] * g[j];
    const fc_real factor = inverse[i], slope = factor < floor ? dot * inverse_square : 0;
    for (int64_t j = 0; j < d; j++) to[j] = fc_into(fresh, to[j], factor * (g[j] - slope * u[j]));
  }
}

FC_SIMD static void store_rows(fc_real *restrict dx, int64_t      step, const int32_t *restrict row,
                               const fc_real *restrict g, int64_t n, int64_t d, bool fresh) {
  for (int64_t i = 0; i < n; i++, g += d) {
    fc_real *to = dx + row[i] * step;
    for (int64_t j = 0; j < d; j++) to[j] = fc_into(fresh, to[j], g[j]);
  }
}

/* g = (1 + gate) dy, zero for tokens without a row in y */
FC_SIMD static void fetch_gradient(fc_real *restrict g, const fc_real *restrict dy, int64_t step,
                                   int64_t rows, const int32_t *restrict row,
                                   const fc_real *const *restrict gate, int64_t column, int64_t n,
                                   int64_t d) {
  for (int64_t i = 0; i < n; i++, g += d) {
    const fc_real *from = dy + row[i] * step + column, *open = gate[i] + column;
    if (row[i] < rows)
      for (int64_t j = 0; j < d; j++) g[j] = (1 + open[j]) * from[j];
    else
      for (int64_t j = 0; j < d; j++) g[j] = 0;
  }
}

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
static void gate_back(const problem *p, const gradients *k, const int32_t *row, int64_t h, const tiles *t) {
  const int64_t len = p->groups->length, d = p->d;

  product(true, false, len, d, len, t->P, t->w, t->o);
  for (int64_t i = 0; i < len; i++)
    if (row[i] < p->rows)
      multiply_add(k->gate + row[i] / p->N * p->D + h * d, k->dy + row[i] * p->D + h * d, t->o + i * d, d);
}

static void backward_head(const problem *p, const gradients *k, int64_t n, int64_t h, const tiles *t) {
  const int64_t  len = p->groups->length, d = p->d, step = 3 * p->D;
  const int32_t *row = p->groups->row + n * len;
  fc_real       *dx  = k->dqkv + h * d;

  load(p, n, h, t);
  fetch_ahead(p, n, h, k->dy);
  if (k->gate) gate_back(p, k, row, h, t);
  fetch_gradient(t->g, k->dy, p->D, p->rows, row, t->gate, h * d, len, d);
  product(false, false, len, d, len, t->P, t->g, t->o); /* "y_i = sum_j P_ij w_j" */
  store_rows(dx + 2 * p->D, step, row, t->o, len, d, k->fresh);
  product(false, true, len, len, d, t->w, t->g, t->T);
  softmax_back(t->T, t->P, t->sum, len);
  if (k->bias) fc_span_add(k->bias + h * len * len, t->T, len * len);
  product(true, false, len, d, len, t->T, t->v, t->o); /* "S_ij = f u_i . v_j" */
  if (k->scale) k->scale[h] += dot_span(t->u, t->o, len * d);
  units_back(dx, step, row, t->o, t->u, t->inverse_u, len, d, scale_of(p, h), k->fresh);
  product(false, false, len, d, len, t->T, t->u, t->o);
  units_back(dx + p->D, step, row, t->o, t->v, t->inverse_v, len, d, 1, k->fresh);
}

static void backward_group(const problem *p, const gradients *k, int64_t n, const tiles *t) {
  find_gates(p, p->groups->row + n * p->groups->length, t);
  for (int64_t h = 0; h < p->H; h++) backward_head(p, k, n, h, t);
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

  k.fresh |= !dqkv; /* then it goes to scratch */
  s.all           = s.bias + s.scale + s.gate;
  fc_real   *part = fc_arena_push(c->arena, (size_t)(chunks * s.all) * sizeof *part);
  const pool all  = make_pool(c->arena, p, chunks);
  k.dqkv          = dqkv ? dqkv : fc_arena_push(c->arena, (size_t)fc_len(node->in[1]) * sizeof *dqkv);
  c->flops += 12 * pairs(p);
  if (!c->dry) {
    FC_FOR_TASKS(t, chunks, work_of(p)) {
      const tiles     own  = cut_tiles(p, &all, t);
      const gradients mine = with_sums(k, &s, part + t * s.all);
      memset(part + t * s.all, 0, (size_t)s.all * sizeof *part);
      for (int64_t q = t * per; q < fc_min64(count, (t + 1) * per); q++) backward_group(p, &mine, q, &own);
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
