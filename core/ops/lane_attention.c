/* core/ops/lane_attention.c - softmax attention among few tokens with narrow heads, for many samples:
     y_i = sum_j a_ij v_j,   a_ij = softmax_j(scale q_i . k_j) for each sample and head
   qkv [R, n, 3 H D], queries, keys and values of all heads one after the other -> [R, n, H D].

   A head of a few numbers fills neither a vector nor a matrix product, so samples stand side by side: one
   vector holds the same number of as many samples as it has lanes. Backward makes the weights again; with
   g = dy: dv_j += a_ij g_i,   t_ij = scale a_ij (g_i . v_j - sum_j a_ij g_i . v_j),
   dq_i = sum_j t_ij k_j,   dk_j += t_ij q_i */
#include "core/ops.h"
#include "core/parallel.h"
#include "core/vmath.h"

#include <string.h>

enum { LANES = 64 / sizeof(fc_real) };
typedef fc_real lanes __attribute__((vector_size(64), may_alias));

typedef struct {
  int64_t        R, n, H, D;
  fc_real        scale;
  const fc_real *qkv;
} problem;

typedef struct { /* one head of as many samples as there are lanes: [n, D] each */
  fc_real *q, *k, *v, *y, *dq, *dk, *dv;
  fc_real *a, *t; /* [n] */
} head;

static int64_t head_size(const problem *p) { return (7 * p->n * p->D + 2 * p->n) * LANES; }

static head head_in(const problem *p, fc_real *room) {
  const int64_t each = p->n * p->D * LANES;

  return (head){room,
                room + each,
                room + 2 * each,
                room + 3 * each,
                room + 4 * each,
                room + 5 * each,
                room + 6 * each,
                room + 7 * each,
                room + 7 * each + p->n * LANES};
}

/* ---- there and back: rows of `width` numbers of each token, D of them from `at` on ---- */

static void gather(const problem *p, fc_real *to, const fc_real *x, int64_t row, int64_t width, int64_t at) {
  const int64_t count = fc_min64(LANES, p->R - row);

  for (int64_t i = 0; i < p->n; i++)
    for (int64_t d = 0; d < p->D; d++, to += LANES)
      for (int64_t l = 0; l < LANES; l++) to[l] = l < count ? x[((row + l) * p->n + i) * width + at + d] : 0;
}

static void scatter(const problem *p, fc_real *x, const fc_real *from, int64_t row, int64_t width, int64_t at,
                    bool add) {
  const int64_t count = fc_min64(LANES, p->R - row);

  for (int64_t l = 0; l < count; l++)
    for (int64_t i = 0; i < p->n; i++) {
      fc_real *to = x + ((row + l) * p->n + i) * width + at;
      for (int64_t d = 0; d < p->D; d++) to[d] = from[(i * p->D + d) * LANES + l] + (add ? to[d] : 0);
    }
}

/* ---- one head ---- */

/* s_j = x . m_j for the n rows of m */
static inline void dots(const problem *p, fc_real *s, const fc_real *x, const fc_real *m) {
  const lanes *a = (const lanes *)x, *b = (const lanes *)m;

  for (int64_t j = 0; j < p->n; j++) {
    lanes sum = a[0] * b[j * p->D];
    for (int64_t d = 1; d < p->D; d++) sum += a[d] * b[j * p->D + d];
    ((lanes *)s)[j] = sum;
  }
}

/* y = sum_j s_j m_j */
static inline void blend(const problem *p, fc_real *y, const fc_real *s, const fc_real *m) {
  const lanes *a = (const lanes *)s, *b = (const lanes *)m;

  for (int64_t d = 0; d < p->D; d++) {
    lanes sum = a[0] * b[d];
    for (int64_t j = 1; j < p->n; j++) sum += a[j] * b[j * p->D + d];
    ((lanes *)y)[d] = sum;
  }
}

/* m_j += s_j x */
static inline void spread(const problem *p, fc_real *m, const fc_real *s, const fc_real *x) {
  const lanes *a = (const lanes *)s, *b = (const lanes *)x;

  for (int64_t j = 0; j < p->n; j++)
    for (int64_t d = 0; d < p->D; d++) ((lanes *)m)[j * p->D + d] += a[j] * b[d];
}

/* a = softmax(scale s) over n scores of each lane */
static inline void weigh(const problem *p, fc_real *a) {
  fc_real top[LANES], sum[LANES] = {0};

  memcpy(top, a, sizeof top);
  for (int64_t j = 1; j < p->n; j++)
    for (int64_t l = 0; l < LANES; l++) top[l] = a[j * LANES + l] > top[l] ? a[j * LANES + l] : top[l];
  for (int64_t j = 0; j < p->n; j++)
    for (int64_t l = 0; l < LANES; l++) a[j * LANES + l] = p->scale * (a[j * LANES + l] - top[l]);
  for (int64_t i = 0; i < p->n * LANES; i++) a[i] = fc_exp(a[i]);
  for (int64_t j = 0; j < p->n; j++)
    for (int64_t l = 0; l < LANES; l++) sum[l] += a[j * LANES + l];
  for (int64_t j = 0; j < p->n; j++)
    for (int64_t l = 0; l < LANES; l++) a[j * LANES + l] /= sum[l];
}

FC_SIMD static void forward_head(const problem *p, const head *h) {
  for (int64_t i = 0; i < p->n; i++) {
    const int64_t own = i * p->D * LANES;
    dots(p, h->a, h->q + own, h->k);
    weigh(p, h->a);
    blend(p, h->y + own, h->a, h->v);
  }
}

/* t = scale a (t - sum a t) */
static inline void through_softmax(const problem *p, fc_real *t, const fc_real *a) {
  lanes       *T = (lanes *)t, sum = {0};
  const lanes *A = (const lanes *)a;

  for (int64_t j = 0; j < p->n; j++) sum += A[j] * T[j];
  for (int64_t j = 0; j < p->n; j++) T[j] = p->scale * A[j] * (T[j] - sum);
}

/* y holds dy */
FC_SIMD static void backward_head(const problem *p, const head *h) {
  memset(h->dk, 0, (size_t)(2 * p->n * p->D * LANES) * sizeof *h->dk); /* dv behind it */
  for (int64_t i = 0; i < p->n; i++) {
    const int64_t own = i * p->D * LANES;
    dots(p, h->a, h->q + own, h->k);
    weigh(p, h->a);
    dots(p, h->t, h->y + own, h->v);
    spread(p, h->dv, h->a, h->y + own);
    through_softmax(p, h->t, h->a);
    blend(p, h->dq + own, h->t, h->k);
    spread(p, h->dk, h->t, h->q + own);
  }
}

/* ---- all of them ---- */

static void gather_head(const problem *p, const head *h, int64_t row, int64_t number) {
  const int64_t W = p->H * p->D, at = number * p->D;

  gather(p, h->q, p->qkv, row, 3 * W, at);
  gather(p, h->k, p->qkv, row, 3 * W, W + at);
  gather(p, h->v, p->qkv, row, 3 * W, 2 * W + at);
}

static void forward_rows(const problem *p, int64_t row, fc_real *room, fc_real *y) {
  const head h = head_in(p, room);

  for (int64_t i = 0; i < p->H; i++) {
    gather_head(p, &h, row, i);
    forward_head(p, &h);
    scatter(p, y, h.y, row, p->H * p->D, i * p->D, false);
  }
}

static void backward_rows(const problem *p, int64_t row, fc_real *room, const fc_real *dy, fc_real *dx,
                          bool add) {
  const head    h = head_in(p, room);
  const int64_t W = p->H * p->D;

  for (int64_t i = 0; i < p->H; i++) {
    gather_head(p, &h, row, i);
    gather(p, h.y, dy, row, W, i * p->D);
    backward_head(p, &h);
    scatter(p, dx, h.dq, row, 3 * W, i * p->D, add);
    scatter(p, dx, h.dk, row, 3 * W, W + i * p->D, add);
    scatter(p, dx, h.dv, row, 3 * W, 2 * W + i * p->D, add);
  }
}

static double work(const problem *p) { return 4.0 * (double)(p->R * p->n) * (double)(p->n * p->H * p->D); }

static fc_real *room_for_all(fc_ctx *c, const problem *p) {
  return fc_arena_push(c->arena, (size_t)(fc_threads() * head_size(p)) * sizeof(fc_real));
}

static void backward(fc_ctx *c, const fc_node *node) {
  const problem *p = node->saved;
  bool           fresh;
  fc_real       *dx   = fc_grad_raw(c, node->in[0], &fresh);
  const size_t   mark = fc_arena_mark(c->arena);
  fc_real       *room = room_for_all(c, p);

  if (dx) FC_FOR_TASKS(t, fc_ceil_div(p->R, LANES), p->R * p->n * p->n * p->H * p->D)
  backward_rows(p, t * LANES, room + fc_thread() * head_size(p), node->out->g, dx, !fresh);
  c->flops += 2.5 * work(p);
  fc_arena_pop(c->arena, mark);
}

static const fc_op lane_attention = {"lane_attention", backward, false};

fc_tensor *fc_lane_attention(fc_ctx *c, fc_tensor *qkv, int64_t heads, double scale) {
  problem *p = fc_arena_push(c->arena, sizeof *p);

  FC_ASSERT(qkv->ndim == 3 && heads > 0 && qkv->dim[2] % (3 * heads) == 0, "lane_attention: %s in %lld heads",
            fc_shape_text(qkv), (long long)heads);
  *p = (problem){qkv->dim[0], qkv->dim[1], heads, qkv->dim[2] / (3 * heads), (fc_real)scale, qkv->x};
  fc_tensor   *y    = fc_tensor_new(c->arena, FC_DIMS(p->R, p->n, heads * p->D));
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *room = room_for_all(c, p);

  if (!c->dry) FC_FOR_TASKS(t, fc_ceil_div(p->R, LANES), p->R * p->n * p->n * p->H * p->D)
  forward_rows(p, t * LANES, room + fc_thread() * head_size(p), y->x);
  fc_arena_pop(c->arena, mark);
  c->flops += work(p);
  return fc_record(c, &lane_attention, y, p, FC_IN(qkv));
}
