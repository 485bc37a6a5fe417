/* core/ops/prob_attention.c - ProbSparse attention (Zhou et al. 2021): only the `top` queries that look
   sharpest attend, the others take what a flat one would.
     M_i = max_j s_ij - sum_j s_ij / Nk,   s_ij = q_i . k_{sample_ij},  j < U          how sharp query i looks
     y_i = sum_t P_it v_t,   P_it = exp(S_it) / sum_t exp(S_it),   S_it = scale q_i . k_t     the largest M_i
     y_i = sum_t v_t / Nk                                                                     the others
   causal: P_it = 0 where t > i, and the others take sum_{t <= i} v_t. That sum is not divided, and the one of
   the samples is divided by Nk instead of U, as in the official code.

   shared: what one sample of the batch chooses all of them take.

   q [B, H, Nq, D], k [B, H, Nk, D], v [B, H, Nk, E], sample [Nq, U] numbers of keys, the same for all heads
   -> y [B, H, Nq, E]. The choice has no gradient. Kept for backward: which queries were chosen; their weights
   are made again. Time and memory of a head are of order Nq U + top Nk. */
#include "core/gemm.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "core/vmath.h"

#include <string.h>

enum { TILE = 64, MAX_SLOTS = 64 }; /* queries that meet the keys together; scratch areas */

typedef struct {
  int64_t        B, H, Nq, Nk, D, E, U, top;
  bool           causal, shared;
  fc_real        scale;
  const fc_real *q, *k, *v, *sample;
  uint16_t *chosen; /* [B, H, Nq] 1, or the number of samples that chose it; 0: it is one of the others */
} problem;

typedef struct { /* scratch of one task */
  int64_t *row;  /* the queries of a tile, ascending */
  fc_real *q, *y, *dq;
  fc_real *P, *dP;
  double  *total; /* [E] */
  fc_real *best;  /* the largest measures so far, and whose they are */
  int64_t *whose;
} room;

/* ---- the choice ---- */

FC_SIMD static fc_real measure(const problem *p, const fc_real *restrict q, const fc_real *restrict k,
                               const fc_real *restrict sample) {
  fc_real high = -(fc_real)INFINITY, sum = 0;

  for (int64_t j = 0; j < p->U; j++) {
    const fc_real *row = k + (int64_t)sample[j] * p->D;
    fc_real        s   = 0;
    FC_REDUCE(+, s) for (int64_t d = 0; d < p->D; d++) s += q[d] * row[d];
    high = s > high ? s : high;
    sum += s;
  }
  return high - sum / (fc_real)p->Nk;
}

/* marks the queries of one head with the largest measures; of equal ones the first */
static void choose(const problem *p, int64_t head, const room *m) {
  uint16_t *chosen = p->chosen + head * p->Nq;
  int64_t   n      = 0;

  for (int64_t i = 0; i < p->Nq; i++) chosen[i] = p->top == p->Nq;
  for (int64_t i = 0; p->top < p->Nq && i < p->Nq; i++) {
    const fc_real M =
        measure(p, p->q + (head * p->Nq + i) * p->D, p->k + head * p->Nk * p->D, p->sample + i * p->U);
    if (n == p->top && !(M > m->best[n - 1])) continue;
    int64_t at = n < p->top ? n++ : n - 1;
    for (; at > 0 && m->best[at - 1] < M; at--)
      m->best[at] = m->best[at - 1], m->whose[at] = m->whose[at - 1];
    m->best[at]  = M;
    m->whose[at] = i;
  }
  for (int64_t i = 0; i < n; i++) chosen[m->whose[i]] = 1;
}

/* all samples of the batch take what any of them has chosen, and know how many did */
static void share_choice(const problem *p) {
  const int64_t n = p->H * p->Nq;

  for (int64_t b = 1; b < p->B; b++)
    for (int64_t i = 0; i < n; i++)
      p->chosen[i] = (uint16_t)fc_min64(UINT16_MAX, p->chosen[i] + p->chosen[b * n + i]);
  for (int64_t b = 1; b < p->B; b++) memcpy(p->chosen + b * n, p->chosen, (size_t)n * sizeof *p->chosen);
}

/* ---- the others ---- */

FC_SIMD static void add_row(double *restrict total, const fc_real *restrict x, int64_t n) {
  for (int64_t j = 0; j < n; j++) total[j] += (double)x[j];
}

FC_SIMD static void store_row(fc_real *restrict y, const double *restrict total, double share, int64_t n) {
  for (int64_t j = 0; j < n; j++) y[j] = (fc_real)(share * total[j]);
}

FC_SIMD static void grow_row(fc_real *restrict y, const double *restrict total, double share, int64_t n) {
  for (int64_t j = 0; j < n; j++) y[j] += (fc_real)(share * total[j]);
}

/* y [Nq, E] of one head, also of the chosen ones, which come after and write over it */
static void flat(const problem *p, const fc_real *v, fc_real *y, double *total) {
  memset(total, 0, (size_t)p->E * sizeof *total);
  for (int64_t t = 0; t < p->Nk; t++) {
    add_row(total, v + t * p->E, p->E);
    if (p->causal) store_row(y + t * p->E, total, 1, p->E);
  }
  for (int64_t i = 0; !p->causal && i < p->Nq; i++) store_row(y + i * p->E, total, 1 / (double)p->Nk, p->E);
}

/* "y_i = sum_t v_t / Nk" and "y_i = sum_{t <= i} v_t": dv_t += sum_i dy_i / Nk, or from i = t on */
static void flat_back(const problem *p, const uint16_t *chosen, const fc_real *dy, fc_real *dv,
                      double *total) {
  memset(total, 0, (size_t)p->E * sizeof *total);
  for (int64_t i = p->Nq - 1; i >= 0; i--) {
    if (!chosen[i]) add_row(total, dy + i * p->E, p->E);
    if (p->causal) grow_row(dv + i * p->E, total, 1, p->E);
  }
  for (int64_t t = 0; !p->causal && t < p->Nk; t++) grow_row(dv + t * p->E, total, 1 / (double)p->Nk, p->E);
}

/* ---- the chosen ---- */

/* the next chosen queries from *from on, at most a tile of them */
static int64_t next_tile(const problem *p, const uint16_t *chosen, int64_t *from, int64_t *row) {
  int64_t n = 0;

  for (; *from < p->Nq && n < TILE; ++*from)
    if (chosen[*from]) row[n++] = *from;
  return n;
}

static void take_rows(fc_real *to, const fc_real *from, const int64_t *row, int64_t n, int64_t width) {
  for (int64_t r = 0; r < n; r++) memcpy(to + r * width, from + row[r] * width, (size_t)width * sizeof *to);
}

/* keys that some query of a tile sees */
static int64_t keys_of(const problem *p, const int64_t *row, int64_t n) {
  return p->causal ? row[n - 1] + 1 : p->Nk;
}

/* P = softmax of the first `seen` of n scores, 0 behind them */
FC_SIMD static void softmax_row(fc_real *P, int64_t seen, int64_t n) {
  fc_real top = P[0], sum = 0;

  FC_REDUCE(max, top) for (int64_t j = 1; j < seen; j++) top = P[j] > top ? P[j] : top;
  for (int64_t j = 0; j < seen; j++) P[j] = fc_exp(P[j] - top);
  FC_REDUCE(+, sum) for (int64_t j = 0; j < seen; j++) sum += P[j];
  for (int64_t j = 0; j < seen; j++) P[j] /= sum;
  for (int64_t j = seen; j < n; j++) P[j] = 0;
}

/* "P = softmax(S)": dS = P (dP - sum P dP), over dP. The sum is taken in double: rounded, it would be off by
   the same amount for all keys, and their gradients would not add up to zero. */
FC_SIMD static void softmax_back(fc_real *restrict dP, const fc_real *restrict P, int64_t n) {
  double dot = 0, sum = 0;

  FC_REDUCE(+, dot) for (int64_t j = 0; j < n; j++) dot += (double)P[j] * (double)dP[j];
  FC_REDUCE(+, sum) for (int64_t j = 0; j < n; j++) sum += (double)P[j];
  dot /= sum;
  for (int64_t j = 0; j < n; j++) dP[j] = (fc_real)((double)P[j] * ((double)dP[j] - dot));
}

/* P [n, keys] of the tile's queries, which stay in m->q */
static void weights(const problem *p, int64_t head, int64_t n, int64_t keys, const room *m) {
  take_rows(m->q, p->q + head * p->Nq * p->D, m->row, n, p->D);
  fc_gemm(false, true, n, keys, p->D, p->scale, m->q, p->D, p->k + head * p->Nk * p->D, p->D, 0, m->P, keys);
  for (int64_t r = 0; r < n; r++) softmax_row(m->P + r * keys, p->causal ? m->row[r] + 1 : keys, keys);
}

static void forward_head(const problem *p, int64_t head, fc_real *y, const room *m) {
  const uint16_t *chosen = p->chosen + head * p->Nq;
  const fc_real  *v      = p->v + head * p->Nk * p->E;
  int64_t         from   = 0, n;

  if (p->top < p->Nq) flat(p, v, y, m->total);
  while ((n = next_tile(p, chosen, &from, m->row)) > 0) {
    const int64_t keys = keys_of(p, m->row, n);
    weights(p, head, n, keys, m);
    fc_gemm(false, false, n, p->E, keys, 1, m->P, keys, v, p->E, 0, m->y, p->E);
    for (int64_t r = 0; r < n; r++) memcpy(y + m->row[r] * p->E, m->y + r * p->E, (size_t)p->E * sizeof *y);
  }
}

typedef struct {
  fc_real *dq, *dk, *dv; /* NULL: not wanted */
} gradients;

/* Gradients of the tile's results, into m->y. One that several samples have chosen counts for each of them:
   PyTorch writes it as often, and goes back through each of these writes. */
static void take_gradients(const problem *p, const uint16_t *chosen, int64_t n, const fc_real *dy,
                           const room *m) {
  take_rows(m->y, dy, m->row, n, p->E);
  for (int64_t r = 0; p->shared && r < n; r++)
    for (int64_t e = 0; e < p->E; e++) m->y[r * p->E + e] *= (fc_real)chosen[m->row[r]];
}

/* what the n queries of a tile add; dy [Nq, E] of the head */
static void backward_tile(const problem *p, int64_t head, int64_t n, const fc_real *dy, const gradients *g,
                          const room *m) {
  const int64_t keys = keys_of(p, m->row, n), at = head * p->Nk, D = p->D, E = p->E;

  weights(p, head, n, keys, m);
  take_gradients(p, p->chosen + head * p->Nq, n, dy, m);
  /* "y_i = sum_t P_it v_t" */
  if (g->dv) fc_gemm(true, false, keys, E, n, 1, m->P, keys, m->y, E, 1, g->dv + at * E, E);
  if (!g->dq && !g->dk) return;
  fc_gemm(false, true, n, keys, E, 1, m->y, E, p->v + at * E, E, 0, m->dP, keys);
  for (int64_t r = 0; r < n; r++) softmax_back(m->dP + r * keys, m->P + r * keys, keys);
  /* "S_it = scale q_i . k_t" */
  if (g->dk) fc_gemm(true, false, keys, D, n, p->scale, m->dP, keys, m->q, D, 1, g->dk + at * D, D);
  if (!g->dq) return;
  fc_gemm(false, false, n, D, keys, p->scale, m->dP, keys, p->k + at * D, D, 0, m->dq, D);
  for (int64_t r = 0; r < n; r++)
    for (int64_t d = 0; d < D; d++) g->dq[(head * p->Nq + m->row[r]) * D + d] += m->dq[r * D + d];
}

static void backward_head(const problem *p, int64_t head, const fc_real *dy, const gradients *g,
                          const room *m) {
  const uint16_t *chosen = p->chosen + head * p->Nq;
  int64_t         from   = 0, n;

  if (g->dv && p->top < p->Nq) flat_back(p, chosen, dy, g->dv + head * p->Nk * p->E, m->total);
  while ((n = next_tile(p, chosen, &from, m->row)) > 0) backward_tile(p, head, n, dy, g, m);
}

/* ---- scratch and cost ---- */

static int64_t slots_of(const problem *p) { return fc_min64(p->B * p->H, MAX_SLOTS); }

/* rooms side by side, one for each slot; more than `top` queries of a head are chosen where samples share */
static room *make_rooms(fc_ctx *c, const problem *p, bool back) {
  const int64_t slots = slots_of(p), tile = fc_min64(TILE, p->shared ? p->Nq : p->top);
  const int64_t numbers = tile * (p->D + p->E + p->Nk) * (back ? 2 : 1) + p->top;
  room         *m       = fc_arena_push(c->arena, (size_t)slots * sizeof *m);
  int64_t      *rows    = fc_arena_push(c->arena, (size_t)(slots * (tile + p->top)) * sizeof *rows);
  double       *totals  = fc_arena_push(c->arena, (size_t)(slots * p->E) * sizeof *totals);
  fc_real      *x       = fc_arena_push(c->arena, (size_t)(slots * numbers) * sizeof *x);

  for (int64_t s = 0; !c->dry && s < slots; s++, x += numbers, rows += tile + p->top) {
    m[s].row = rows, m[s].whose = rows + tile;
    m[s].total = totals + s * p->E;
    m[s].best  = x;
    m[s].q     = m[s].best + p->top;
    m[s].y     = m[s].q + tile * p->D;
    m[s].P     = m[s].y + tile * p->E;
    m[s].dq    = m[s].P + tile * p->Nk;
    m[s].dP    = m[s].dq + tile * p->D;
  }
  return m;
}

static double pairs(const problem *p) { return (double)(p->B * p->H * p->top) * (double)p->Nk; }

static double samples(const problem *p) {
  return p->top < p->Nq ? (double)(p->B * p->H * p->Nq) * (double)p->U : 0;
}

static void forward(fc_ctx *c, const problem *p, fc_real *y) {
  const int64_t heads = p->B * p->H, slots = slots_of(p);
  const size_t  mark = fc_arena_mark(c->arena);
  const room   *m    = make_rooms(c, p, false);
  const double  work = 2 * pairs(p) * (double)(p->D + p->E) + 2 * samples(p) * (double)p->D;

  c->flops += work;
  if (!c->dry) {
    FC_FOR_TASKS(s, slots, work)
    for (int64_t h = s; h < heads; h += slots) choose(p, h, m + s);
    if (p->shared) share_choice(p);
    FC_FOR_TASKS(s, slots, work)
    for (int64_t h = s; h < heads; h += slots) forward_head(p, h, y + h * p->Nq * p->E, m + s);
  }
  fc_arena_pop(c->arena, mark);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const problem  *p     = node->saved;
  const fc_real  *dy    = node->out->g;
  const gradients g     = {fc_grad(c, node->in[0]), fc_grad(c, node->in[1]), fc_grad(c, node->in[2])};
  const int64_t   heads = p->B * p->H, slots = slots_of(p);
  const bool      inner = g.dq || g.dk;
  const size_t    mark  = fc_arena_mark(c->arena);
  const room     *m     = make_rooms(c, p, true);
  const double    work =
      2 * pairs(p) * (double)(p->D * (1 + !!g.dq + !!g.dk) + p->E * ((int64_t) !!g.dv + inner));

  c->flops += work;
  if (!c->dry) FC_FOR_TASKS(i, slots, work)
  for (int64_t h = i; h < heads; h += slots) backward_head(p, h, dy + h * p->Nq * p->E, &g, m + i);
  fc_arena_pop(c->arena, mark);
}

static const fc_op prob_attention = {"prob_attention", backward, true};

static void check_shapes(const fc_tensor *q, const fc_tensor *k, const fc_tensor *v, const fc_prob *spec) {
  FC_ASSERT(q->ndim == 4 && k->ndim == 4 && v->ndim == 4 && q->dim[0] == k->dim[0] &&
                q->dim[1] == k->dim[1] && q->dim[3] == k->dim[3] && fc_span(k, 0, 3) == fc_span(v, 0, 3) &&
                v->dim[1] == k->dim[1] && v->dim[2] == k->dim[2] && k->dim[2] > 0 && fc_len(q) > 0 &&
                (!spec->causal || q->dim[2] == k->dim[2]),
            "prob_attention: queries %s, keys %s, values %s", fc_shape_text(q), fc_shape_text(k),
            fc_shape_text(v));
  FC_ASSERT(spec->sample->ndim == 2 && spec->sample->dim[0] == q->dim[2] && spec->sample->dim[1] > 0 &&
                spec->top > 0 && spec->top <= q->dim[2],
            "prob_attention: %lld of queries %s by samples %s", (long long)spec->top, fc_shape_text(q),
            fc_shape_text(spec->sample));
}

fc_tensor *fc_prob_attention(fc_ctx *c, fc_tensor *q, fc_tensor *k, fc_tensor *v, const fc_prob *spec,
                             double scale) {
  check_shapes(q, k, v, spec);
  fc_tensor *y = fc_tensor_new(c->arena, 4, (int64_t[]){q->dim[0], q->dim[1], q->dim[2], v->dim[3]});
  problem   *p = fc_arena_push(c->arena, sizeof *p);
  *p           = (problem){.B      = q->dim[0],
                           .H      = q->dim[1],
                           .Nq     = q->dim[2],
                           .Nk     = k->dim[2],
                           .D      = q->dim[3],
                           .E      = v->dim[3],
                           .U      = spec->sample->dim[1],
                           .top    = spec->top,
                           .causal = spec->causal,
                           .shared = spec->shared,
                           .scale  = (fc_real)scale,
                           .q      = q->x,
                           .k      = k->x,
                           .v      = v->x,
                           .sample = spec->sample->x};
  p->chosen    = fc_arena_push(c->arena, (size_t)fc_span(q, 0, 3) * sizeof *p->chosen);
  forward(c, p, y->x);
  return fc_record(c, &prob_attention, y, p, FC_IN(q, k, v));
}
