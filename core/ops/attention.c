/* core/ops/attention.c - softmax attention whose Nq x Nk weights are never stored (Milakov and Gimelshein
   2018 for the running softmax; Dao et al. 2022, algorithms 1 and 4, for the blocks). S_ij = scale q_i . k_j
   + bias_ij,   P_ij = exp(S_ij) / sum_j exp(S_ij),   y_i = sum_j P_ij v_j q [B, H, Nq, D], k [B, H, Nk, D], v
   [B, H, Nk, E], bias [H or 1, Nq, Nk] or NULL -> y [B, H, Nq, E].

   Forward: a block of queries meets the keys block by block. top_i is the largest score so far and sum_i the
   sum of exp(S_ij - top_i); where a later block raises top_i, what was gathered shrinks by exp(old - new).
   Kept for backward: L_i = top_i + log sum_i, so that P_ij = exp(S_ij - L_i) comes back from q and k.

   Backward, with g = dL/dy and delta_i = g_i . y_i:
     dv_j += sum_i P_ij g_i,   T_ij = P_ij (g_i . v_j - delta_i),   dbias_ij += T_ij,
     dq_i += scale sum_j T_ij k_j,   dk_j += scale sum_i T_ij q_i

   A score of -infinity (a mask) gives weight zero; a query whose scores all are gives NaN, as the formula
   does. */
#include "core/gemm.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "core/spans.h"
#include "core/vmath.h"

#include <string.h>

/* One block of scores, 128 x 256, stays in the second-level cache. WANTED tasks keep a processor busy. */
enum { QUERIES = 128, KEYS = 256, MAX_SLOTS = 64, WANTED = 32 };

typedef struct {
  int64_t        heads, bias_heads; /* heads: B H */
  int64_t        Nq, Nk, D, E;
  fc_real        scale;
  const fc_real *q, *k, *v, *bias;
  fc_real       *L; /* [B, H, Nq]; NULL if nothing is recorded */
} problem;

typedef struct {
  int64_t head, i, rows, j, cols;
} tile; /* rows i.. against keys j.. of one head */

FC_SIMD static void scale_span(fc_real *y, int64_t n, fc_real factor) {
  for (int64_t j = 0; j < n; j++) y[j] *= factor;
}

FC_SIMD static fc_real dot_span(const fc_real *a, const fc_real *b, int64_t n) {
  fc_real s = 0;

  FC_REDUCE(+, s) for (int64_t j = 0; j < n; j++) s += a[j] * b[j];
  return s;
}

/* numbers in the largest tile */
static int64_t tile_size(const problem *p) { return fc_min64(QUERIES, p->Nq) * fc_min64(KEYS, p->Nk); }

/* where the tile begins in bias or its gradient */
static int64_t bias_at(const problem *p, const tile *t) {
  return (t->head % p->bias_heads * p->Nq + t->i) * p->Nk + t->j;
}

/* S [rows, cols] */
static void scores(const problem *p, const tile *t, fc_real *S) {
  fc_gemm(false, true, t->rows, t->cols, p->D, p->scale, p->q + (t->head * p->Nq + t->i) * p->D, p->D,
          p->k + (t->head * p->Nk + t->j) * p->D, p->D, 0, S, t->cols);
  if (!p->bias) return;
  for (int64_t r = 0; r < t->rows; r++)
    fc_span_add(S + r * t->cols, p->bias + bias_at(p, t) + r * p->Nk, t->cols);
}

/* s = exp(s - new top) and updates top and sum; returns the factor for what was gathered before.
   While all scores are -infinity the shift is 0, so that infinities are not subtracted. */
FC_SIMD static fc_real next_scores(fc_real *s, int64_t n, fc_real *top, fc_real *sum) {
  fc_real high = *top, part = 0;

  FC_REDUCE(max, high) for (int64_t j = 0; j < n; j++) high = s[j] > high ? s[j] : high;
  const fc_real shift = high == -(fc_real)INFINITY ? 0 : high, factor = fc_exp(*top - shift);
  for (int64_t j = 0; j < n; j++) s[j] = fc_exp(s[j] - shift);
  FC_REDUCE(+, part) for (int64_t j = 0; j < n; j++) part += s[j];
  *sum = *sum * factor + part;
  *top = high;
  return factor;
}

/* y [rows, E] for the queries of tile t; S is scratch */
static void forward_queries(const problem *p, tile t, fc_real *y, fc_real *S) {
  fc_real top[QUERIES], sum[QUERIES];

  for (int64_t r = 0; r < t.rows; r++) top[r] = -(fc_real)INFINITY, sum[r] = 0;
  memset(y, 0, (size_t)(t.rows * p->E) * sizeof *y);
  for (; t.j < p->Nk; t.j += KEYS) {
    t.cols = fc_min64(KEYS, p->Nk - t.j);
    scores(p, &t, S);
    for (int64_t r = 0; r < t.rows; r++) {
      const fc_real factor = next_scores(S + r * t.cols, t.cols, &top[r], &sum[r]);
      if (factor != 1 && t.j > 0) scale_span(y + r * p->E, p->E, factor);
    }
    fc_gemm(false, false, t.rows, p->E, t.cols, 1, S, t.cols, p->v + (t.head * p->Nk + t.j) * p->E, p->E, 1,
            y, p->E);
  }
  for (int64_t r = 0; r < t.rows; r++) {
    scale_span(y + r * p->E, p->E, 1 / sum[r]);
    if (p->L) p->L[t.head * p->Nq + t.i + r] = top[r] + fc_log(sum[r]);
  }
}

static double pairs(const problem *p) { return (double)p->heads * (double)p->Nq * (double)p->Nk; }

static void forward(fc_ctx *c, const problem *p, fc_real *y) {
  const int64_t per_head = fc_ceil_div(p->Nq, QUERIES), tasks = p->heads * per_head;
  const int64_t slots = fc_min64(tasks, MAX_SLOTS);
  const size_t  mark  = fc_arena_mark(c->arena);
  fc_real      *S     = fc_arena_push(c->arena, (size_t)(slots * tile_size(p)) * sizeof *S);

  c->flops += 2 * pairs(p) * (double)(p->D + p->E);
  if (!c->dry) {
    FC_FOR_TASKS(s, slots, p->heads * p->Nq * p->Nk)
    for (int64_t n = s; n < tasks; n += slots) {
      tile t = {.head = n / per_head, .i = n % per_head * QUERIES};
      t.rows = fc_min64(QUERIES, p->Nq - t.i);
      forward_queries(p, t, y + (t.head * p->Nq + t.i) * p->E, S + s * tile_size(p));
    }
  }
  fc_arena_pop(c->arena, mark);
}

/* ---- backward ---- */

/* Who does what, fixed by the shape. Heads that write to the same gradient (one bias for all heads or for the
   whole batch) are members of one owner. An owner's work is cut in chunks of members, each with an own dbias,
   and in groups of key blocks, each with an own dq; the copies are added in order at the end. dk and dv need
   no copies. */
typedef struct {
  int64_t owners, members, chunks, groups;
  int64_t per_chunk, per_group; /* members; key blocks */
} division;

typedef struct {
  const fc_real *g; /* dL/dy */
  fc_real       *delta, *dv, *dk;
  fc_real       *dq, *dbias;         /* where tasks add: the gradients or the copies */
  int64_t        dq_step, bias_step; /* from one copy to the next; 0 without copies */
} gradients;

static division divide(const problem *p, bool bias_gradient) {
  const int64_t key_blocks = fc_ceil_div(p->Nk, KEYS);
  division      d          = {.owners = bias_gradient ? p->bias_heads : p->heads};

  d.members = p->heads / d.owners;
  /* copies of dbias only where they are small beside q */
  const int64_t affordable = 4 * p->heads * p->D / (p->bias_heads * p->Nk);
  const int64_t wanted     = fc_ceil_div(WANTED, d.owners);
  d.per_chunk              = fc_ceil_div(d.members, fc_max64(1, fc_min64(affordable, wanted)));
  d.chunks                 = fc_ceil_div(d.members, d.per_chunk);
  d.per_group              = fc_ceil_div(key_blocks, fc_min64(key_blocks, fc_ceil_div(wanted, d.chunks)));
  d.groups                 = fc_ceil_div(key_blocks, d.per_group);
  return d;
}

/* p = exp(s - L), from "S = scale q k + bias" and "L = top + log sum" */
FC_SIMD static void weights_row(fc_real *s, int64_t n, fc_real L) {
  for (int64_t j = 0; j < n; j++) s[j] = fc_exp(s[j] - L);
}

/* t = p (t - delta): the softmax "P = exp(S) / sum exp(S)" backwards */
FC_SIMD static void softmax_row(fc_real *restrict t, const fc_real *restrict p, int64_t n, fc_real delta) {
  for (int64_t j = 0; j < n; j++) t[j] = p[j] * (t[j] - delta);
}

/* sum p t / sum p: delta from the weights themselves. Where a tile holds all keys, rows of T then add up to
   nothing but the rounding of T, as the gradients of shifts that the softmax does not see must. */
FC_SIMD static fc_real mean_row(const fc_real *t, const fc_real *p, int64_t n) {
  fc_real s = 0, w = 0;

  FC_REDUCE(+, s) for (int64_t j = 0; j < n; j++) s += p[j] * t[j];
  FC_REDUCE(+, w) for (int64_t j = 0; j < n; j++) w += p[j];
  return w > 0 ? s / w : 0;
}

/* all gradients that one tile contributes; P and T [rows, cols] are scratch */
static void backward_tile(const problem *p, const gradients *d, const tile *t, fc_real *dq, fc_real *dbias,
                          fc_real *P, fc_real *T) {
  const int64_t  query = t->head * p->Nq + t->i, key = t->head * p->Nk + t->j, rows = t->rows, cols = t->cols;
  const fc_real *g = d->g + query * p->E;

  scores(p, t, P);
  for (int64_t r = 0; r < rows; r++) weights_row(P + r * cols, cols, p->L[query + r]);
  /* "y_i = sum_j P_ij v_j" */
  if (d->dv) fc_gemm(true, false, cols, p->E, rows, 1, P, cols, g, p->E, 1, d->dv + key * p->E, p->E);
  if (!dq && !d->dk && !dbias) return;
  fc_gemm(false, true, rows, cols, p->E, 1, g, p->E, p->v + key * p->E, p->E, 0, T, cols);
  for (int64_t r = 0; r < rows; r++)
    softmax_row(T + r * cols, P + r * cols, cols,
                cols == p->Nk ? mean_row(T + r * cols, P + r * cols, cols) : d->delta[query + r]);
  /* "S_ij = scale q_i . k_j + bias_ij" */
  for (int64_t r = 0; dbias && r < rows; r++)
    fc_span_add(dbias + bias_at(p, t) + r * p->Nk, T + r * cols, cols);
  if (dq)
    fc_gemm(false, false, rows, p->D, cols, p->scale, T, cols, p->k + key * p->D, p->D, 1, dq + query * p->D,
            p->D);
  if (d->dk)
    fc_gemm(true, false, cols, p->D, rows, p->scale, T, cols, p->q + query * p->D, p->D, 1,
            d->dk + key * p->D, p->D);
}

/* task n: one owner, one chunk of its members, one group of key blocks */
static void backward_task(const problem *p, const division *w, const gradients *d, int64_t n,
                          fc_real *scratch) {
  const int64_t group = n % w->groups, chunk = n / w->groups % w->chunks, owner = n / w->groups / w->chunks;
  const int64_t last_member = fc_min64(w->members, (chunk + 1) * w->per_chunk);
  const int64_t last_key    = fc_min64(p->Nk, (group + 1) * w->per_group * KEYS);
  fc_real      *dq          = d->dq ? d->dq + group * d->dq_step : NULL;
  fc_real      *dbias       = d->dbias ? d->dbias + chunk * d->bias_step : NULL;
  tile          t;

  for (int64_t m = chunk * w->per_chunk; m < last_member; m++) {
    t.head = m * w->owners + owner;
    for (t.j = group * w->per_group * KEYS; t.j < last_key; t.j += KEYS) {
      t.cols = fc_min64(KEYS, p->Nk - t.j);
      for (t.i = 0; t.i < p->Nq; t.i += QUERIES) {
        t.rows = fc_min64(QUERIES, p->Nq - t.i);
        backward_tile(p, d, &t, dq, dbias, scratch, scratch + tile_size(p));
      }
    }
  }
}

enum { SPAN = 1 << 14 };

/* n numbers for each of `copies` tasks, cleared; or the gradient itself if one copy is enough */
static fc_real *copies_of(fc_ctx *c, fc_real *gradient, int64_t copies, int64_t n, int64_t *step) {
  *step = copies > 1 ? n : 0;
  if (copies == 1 || !gradient) return gradient;
  fc_real *part = fc_arena_push(c->arena, (size_t)(copies * n) * sizeof *part);
  if (!c->dry) FC_FOR_ROWS(s, fc_ceil_div(copies * n, SPAN), SPAN)
  memset(part + s * SPAN, 0, (size_t)fc_min64(SPAN, copies * n - s * SPAN) * sizeof *part);
  return part;
}

static void add_copies(fc_real *gradient, const fc_real *part, int64_t copies, int64_t n) {
  if (part == gradient) return;
  FC_FOR_ROWS(s, fc_ceil_div(n, SPAN), SPAN * copies)
  for (int64_t i = 0; i < copies; i++)
    fc_span_add(gradient + s * SPAN, part + i * n + s * SPAN, fc_min64(SPAN, n - s * SPAN));
}

static void backward(fc_ctx *c, const fc_node *node) {
  const problem *p  = node->saved;
  const fc_real *y  = node->out->x;
  fc_real       *dq = fc_grad(c, node->in[0]), *dk = fc_grad(c, node->in[1]), *dv = fc_grad(c, node->in[2]);
  fc_real       *dbias = fc_grad(c, node->in[3]);
  const division w     = divide(p, dbias);
  const int64_t  tasks = w.owners * w.chunks * w.groups, slots = fc_min64(tasks, MAX_SLOTS),
                queries  = p->heads * p->Nq;
  const int64_t bias_len = p->bias_heads * p->Nq * p->Nk;
  const size_t  mark     = fc_arena_mark(c->arena);
  gradients     d        = {.g = node->out->g, .dv = dv, .dk = dk};

  d.delta          = fc_arena_push(c->arena, (size_t)queries * sizeof *d.delta);
  d.dq             = copies_of(c, dq, w.groups, queries * p->D, &d.dq_step);
  d.dbias          = copies_of(c, dbias, w.chunks, bias_len, &d.bias_step);
  fc_real *scratch = fc_arena_push(c->arena, (size_t)(slots * 2 * tile_size(p)) * sizeof *scratch);
  c->flops += 2 * pairs(p) * (double)(p->D * (1 + !!dq + !!dk) + p->E * (!!dv + (dq || dk || dbias)));
  if (!c->dry) {
    FC_FOR_ROWS(i, queries, p->E) d.delta[i] = dot_span(d.g + i * p->E, y + i * p->E, p->E);
    FC_FOR_TASKS(s, slots, p->heads * p->Nq * p->Nk)
    for (int64_t n = s; n < tasks; n += slots) backward_task(p, &w, &d, n, scratch + s * 2 * tile_size(p));
    add_copies(dq, d.dq, w.groups, queries * p->D);
    add_copies(dbias, d.dbias, w.chunks, bias_len);
  }
  fc_arena_pop(c->arena, mark);
}

static const fc_op attention = {"attention", backward, true};

static void check_shapes(const fc_tensor *q, const fc_tensor *k, const fc_tensor *v, const fc_tensor *bias) {
  FC_ASSERT(q->ndim == 4 && k->ndim == 4 && v->ndim == 4 && q->dim[0] == k->dim[0] &&
                q->dim[1] == k->dim[1] && q->dim[3] == k->dim[3] && fc_span(k, 0, 3) == fc_span(v, 0, 3) &&
                v->dim[1] == k->dim[1] && v->dim[2] == k->dim[2] && k->dim[2] > 0 && fc_len(q) > 0,
            "attention: queries %s, keys %s, values %s", fc_shape_text(q), fc_shape_text(k),
            fc_shape_text(v));
  FC_ASSERT(!bias || (bias->ndim == 3 && (bias->dim[0] == 1 || bias->dim[0] == q->dim[1]) &&
                      bias->dim[1] == q->dim[2] && bias->dim[2] == k->dim[2]),
            "attention: bias %s for queries %s and keys %s", fc_shape_text(bias), fc_shape_text(q),
            fc_shape_text(k));
}

fc_tensor *fc_attention(fc_ctx *c, fc_tensor *q, fc_tensor *k, fc_tensor *v, fc_tensor *bias, double scale) {
  fc_tensor *const in[] = {q, k, v, bias};

  check_shapes(q, k, v, bias);
  fc_tensor *y = fc_tensor_new(c->arena, 4, (int64_t[]){q->dim[0], q->dim[1], q->dim[2], v->dim[3]});
  problem   *p = fc_arena_push(c->arena, sizeof *p);
  *p           = (problem){.heads      = fc_span(q, 0, 2),
                           .bias_heads = bias ? bias->dim[0] : 1,
                           .Nq         = q->dim[2],
                           .Nk         = k->dim[2],
                           .D          = q->dim[3],
                           .E          = v->dim[3],
                           .scale      = (fc_real)scale,
                           .q          = q->x,
                           .k          = k->x,
                           .v          = v->x,
                           .bias       = bias ? bias->x : NULL};
  if (fc_needs_record(c, 4, in)) p->L = fc_arena_push(c->arena, (size_t)fc_span(q, 0, 3) * sizeof *p->L);
  forward(c, p, y->x);
  return fc_record(c, &attention, y, p, 4, in);
}
