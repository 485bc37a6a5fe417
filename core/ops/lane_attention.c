/* core/ops/lane_attention.c - softmax attention among few tokens with narrow heads, with scores that may go
   on from layer to layer (He et al. 2021, RealFormer: S_l = scale q_l k_l^T + S_{l-1} for each head):

     S_ij = scale sum_l q_l,i . k_l,j,   a_ij = exp S_ij / sum_j exp S_ij,   y_i = sum_j a_ij v_j

   qkv_l [R, n, 3 D H]: D columns of queries, D of keys, D of values, a column being the numbers of all heads
   -> y [R, n, D H]. Only the last layer's values are read.

   A head of a few numbers fills neither a vector nor a matrix product, so heads stand side by side: the lanes
   of a vector are as many heads, of one sample, or of several if it has fewer. Heads that fill vectors are
   read and written where they lie. Backward makes the weights again; with g = dy,

     dv = a^T g,   t_ij = scale a_ij (g_i . v_j - sum_j a_ij g_i . v_j),   dq_l = t k_l,   dk_l = t^T q_l */
#include "core/ops.h"
#include "core/ops/lane_product.h"
#include "core/parallel.h"
#include "core/vmath.h"

#include <string.h>

/* rows of weights at a time, so that they stay in the first cache; layers */
enum { LANES = FC_LANES, ROWS = 8, MOST = 32 };
typedef fc_lane_vector lanes;
typedef fc_lane_matrix matrix;

typedef struct {
  int64_t   R, n, H, D;
  int       layers;
  fc_real   scale;
  bool      in_place; /* heads fill vectors */
  fc_real **qkv;      /* [layers] */
} problem;

/* LANES heads of all layers: columns of queries, keys and values */
typedef struct {
  matrix x[MOST], dx[MOST], y;
  bool   add[MOST]; /* to what dx holds */
  matrix a, t;      /* [ROWS, n] */
  _Alignas(64) fc_real total[ROWS * LANES];
} group;

static int64_t groups(const problem *p) { return fc_ceil_div(p->R * p->H, LANES); }

/* numbers of `columns` columns of a group */
static int64_t columns_size(const problem *p, int64_t columns) { return p->n * columns * LANES; }

static int64_t room_size(const problem *p, bool back) {
  const int64_t rows = columns_size(p, 3 * p->D * p->layers * (back ? 2 : 1) + p->D);

  return (back ? 2 : 1) * ROWS * p->n * LANES + (p->in_place ? 0 : rows);
}

/* ---- from rows to lanes and back, where heads do not fill vectors ---- */

/* neighbouring heads of one sample among the lanes of group t */
typedef struct {
  int64_t lane, count, sample, head;
} run;

static run run_at(const problem *p, int64_t t, int64_t lane) {
  const int64_t pair = t * LANES + lane, head = pair % p->H;

  return (run){lane, fc_min64(p->H - head, LANES - lane), pair / p->H, head};
}

static bool run_exists(const problem *p, const run *r) { return r->lane < LANES && r->sample < p->R; }

static inline __attribute__((always_inline)) void copy(fc_real *restrict to, int64_t         step,
                                                       const fc_real *restrict from, int64_t jump,
                                                       int64_t count, const int64_t width, bool add) {
  for (int64_t i = 0; i < count; i++)
    for (int64_t l = 0; l < width; l++)
      to[i * step + l] = add ? to[i * step + l] + from[i * jump + l] : from[i * jump + l];
}

/* count pieces of `width` numbers; constant widths become vector code */
FC_SIMD static void copy_pieces(fc_real *restrict to, int64_t step, const fc_real *restrict from,
                                int64_t jump, int64_t count, int64_t width, bool add) {
  if (width == 4)
    copy(to, step, from, jump, count, 4, add);
  else if (width == 8)
    copy(to, step, from, jump, count, 8, add);
  else if (width == 2)
    copy(to, step, from, jump, count, 2, add);
  else
    copy(to, step, from, jump, count, width, add);
}

/* lanes without a sample are zero */
static void gather(const problem *p, int64_t t, const fc_real *x, int64_t columns, fc_real *to) {
  run r;

  if ((t + 1) * LANES > p->R * p->H) memset(to, 0, (size_t)columns_size(p, columns) * sizeof *to);
  for (r = run_at(p, t, 0); run_exists(p, &r); r = run_at(p, t, r.lane + r.count))
    copy_pieces(to + r.lane, LANES, x + r.sample * p->n * columns * p->H + r.head, p->H, p->n * columns,
                r.count, false);
}

static void scatter(const problem *p, int64_t t, fc_real *x, int64_t columns, const fc_real *from, bool add) {
  run r;

  for (r = run_at(p, t, 0); run_exists(p, &r); r = run_at(p, t, r.lane + r.count))
    copy_pieces(x + r.sample * p->n * columns * p->H + r.head, p->H, from + r.lane, LANES, p->n * columns,
                r.count, add);
}

/* group t of x [R, n, columns H] as a matrix [n, columns]: where it lies, or in the room that is handed on */
static matrix place(const problem *p, int64_t t, fc_real *x, int64_t columns, fc_real **room) {
  const int64_t first = t * LANES;
  fc_real      *own   = *room;

  if (p->in_place)
    return (matrix){x + first / p->H * p->n * columns * p->H + first % p->H, columns * p->H, p->H};
  *room += columns_size(p, columns);
  return (matrix){own, columns * LANES, LANES};
}

static void fetch(const problem *p, int64_t t, fc_real *x, int64_t columns, const matrix *m) {
  if (!p->in_place) gather(p, t, x, columns, m->x);
}

/* ---- weights ---- */

/* The largest of n vectors in each lane. Four at a time, as one alone would wait for the one before. NaN
   stays out or stays in; either way it comes back by its exponential. */
static inline void largest(const fc_real *a, int64_t n, fc_real *out) {
  enum { CHAINS = 4 };
  fc_real top[CHAINS * LANES];
  int64_t j = 0;

  for (; j < CHAINS; j++) memcpy(top + j * LANES, a + fc_min64(j, n - 1) * LANES, LANES * sizeof *top);
  for (; j + CHAINS <= n; j += CHAINS)
    for (int l = 0; l < CHAINS * LANES; l++) top[l] = a[j * LANES + l] > top[l] ? a[j * LANES + l] : top[l];
  for (; j < n; j++)
    for (int l = 0; l < LANES; l++) top[l] = a[j * LANES + l] > top[l] ? a[j * LANES + l] : top[l];
  for (int i = 1; i < CHAINS; i++)
    for (int l = 0; l < LANES; l++) top[l] = top[i * LANES + l] > top[l] ? top[i * LANES + l] : top[l];
  memcpy(out, top, LANES * sizeof *top);
}

/* a = e^(scale (a - max a)) for n scores, and their sum */
FC_SIMD static void weigh(fc_real *a, int64_t n, fc_real scale, fc_real *total) {
  lanes *A = (lanes *)a, top, sum = {0};

  largest(a, n, (fc_real *)&top);
  for (int64_t j = 0; j < n; j++) A[j] = scale * (A[j] - top);
  for (int64_t i = 0; i < n * LANES; i++) a[i] = fc_exp_below(a[i]);
  for (int64_t j = 0; j < n; j++) sum += A[j];
  *(lanes *)total = sum;
}

/* the columns of each row over its total */
FC_SIMD static void divide(const matrix *m, int64_t rows, int64_t columns, const fc_real *total) {
  for (int64_t i = 0; i < rows; i++) {
    const lanes factor = 1 / ((const lanes *)total)[i];
    for (int64_t j = 0; j < columns; j++) *(lanes *)(m->x + i * m->row + j * m->col) *= factor;
  }
}

/* t = scale a (t - sum a t), of which a total is yet to be divided by */
FC_SIMD static void through_softmax(fc_real *t, const fc_real *a, int64_t n, fc_real scale,
                                    const fc_real *total) {
  lanes       *T = (lanes *)t, sum = {0};
  const lanes *A = (const lanes *)a, each = 1 / *(const lanes *)total, factor = scale * each;

  for (int64_t j = 0; j < n; j++) sum += A[j] * T[j];
  sum *= each;
  for (int64_t j = 0; j < n; j++) T[j] = factor * A[j] * (T[j] - sum);
}

/* columns of queries (0), keys (1), values (2), from token i on */
static matrix part(const problem *p, matrix x, int which, int64_t i) {
  return fc_lane_at(x, i, which * p->D);
}

/* of queries i .., and their sums, by which they have yet to be divided */
static void weights(const problem *p, group *g, int64_t i, int64_t rows) {
  matrix q[MOST], k[MOST];

  for (int l = 0; l < p->layers; l++) {
    q[l] = part(p, g->x[l], 0, i);
    k[l] = fc_lane_transposed(part(p, g->x[l], 1, 0));
  }
  fc_lane_product(rows, p->n, p->D, p->layers, q, k, false, g->a);
  for (int64_t r = 0; r < rows; r++) weigh(g->a.x + r * g->a.row, p->n, p->scale, g->total + r * LANES);
}

static void multiply(int64_t m, int64_t n, int64_t k, matrix A, matrix B, bool add, matrix C) {
  fc_lane_product(m, n, k, 1, &A, &B, add, C);
}

static matrix rows_of_weights(const problem *p, fc_real **room) {
  const matrix m = {*room, p->n * LANES, LANES};

  *room += ROWS * p->n * LANES;
  return m;
}

/* ---- a group ---- */

static void forward_group(const problem *p, int64_t t, fc_real *room, fc_real *y) {
  group g = {.a = rows_of_weights(p, &room)};

  for (int l = 0; l < p->layers; l++) {
    g.x[l] = place(p, t, p->qkv[l], 3 * p->D, &room);
    fetch(p, t, p->qkv[l], 3 * p->D, &g.x[l]);
  }
  g.y = place(p, t, y, p->D, &room);
  for (int64_t i = 0; i < p->n; i += ROWS) {
    const int64_t rows = fc_min64(ROWS, p->n - i);
    const matrix  out  = fc_lane_at(g.y, i, 0);
    weights(p, &g, i, rows);
    multiply(rows, p->D, p->n, g.a, part(p, g.x[p->layers - 1], 2, 0), false, out);
    divide(&out, rows, p->D, g.total);
  }
  if (!p->in_place) scatter(p, t, y, p->D, g.y.x, false);
}

typedef struct {
  fc_real *x; /* NULL: nobody asks */
  bool     fresh;
} gradient;

/* Values of the layers before get no gradient, and of a fresh buffer all is written. */
static void clear_values(const problem *p, const matrix *dx) {
  const matrix dv = part(p, *dx, 2, 0);

  for (int64_t i = 0; i < p->n; i++)
    for (int64_t d = 0; d < p->D; d++) memset(dv.x + i * dv.row + d * dv.col, 0, LANES * sizeof *dv.x);
}

static void open_group(const problem *p, int64_t t, fc_real *room, fc_real *dy, const gradient *d, group *g) {
  g->a = rows_of_weights(p, &room);
  g->t = rows_of_weights(p, &room);
  g->y = place(p, t, dy, p->D, &room);
  fetch(p, t, dy, p->D, &g->y);
  for (int l = 0; l < p->layers; l++) {
    g->x[l] = place(p, t, p->qkv[l], 3 * p->D, &room);
    fetch(p, t, p->qkv[l], 3 * p->D, &g->x[l]);
    if (!d[l].x) continue;
    g->dx[l]  = place(p, t, d[l].x, 3 * p->D, &room);
    g->add[l] = p->in_place && !d[l].fresh;
    if (!g->add[l] && l + 1 < p->layers) clear_values(p, &g->dx[l]);
  }
}

/* y of the group holds dy, of which each row is divided by its weights' total once it has served */
static void backward_rows(const problem *p, const gradient *d, group *g, int64_t i, int64_t rows) {
  const int    last = p->layers - 1;
  const matrix dy = fc_lane_at(g->y, i, 0), v = part(p, g->x[last], 2, 0);

  weights(p, g, i, rows);
  multiply(rows, p->n, p->D, dy, fc_lane_transposed(v), false, g->t);
  divide(&dy, rows, p->D, g->total);
  if (d[last].x)
    multiply(p->n, p->D, rows, fc_lane_transposed(g->a), dy, i > 0 || g->add[last],
             part(p, g->dx[last], 2, 0));
  for (int64_t r = 0; r < rows; r++)
    through_softmax(g->t.x + r * g->t.row, g->a.x + r * g->a.row, p->n, p->scale, g->total + r * LANES);
  for (int l = 0; l < p->layers; l++) {
    if (!d[l].x) continue;
    multiply(rows, p->D, p->n, g->t, part(p, g->x[l], 1, 0), g->add[l], part(p, g->dx[l], 0, i));
    multiply(p->n, p->D, rows, fc_lane_transposed(g->t), part(p, g->x[l], 0, i), i > 0 || g->add[l],
             part(p, g->dx[l], 1, 0));
  }
}

static void backward_group(const problem *p, int64_t t, fc_real *room, fc_real *dy, const gradient *d) {
  group g;

  open_group(p, t, room, dy, d, &g);
  for (int64_t i = 0; i < p->n; i += ROWS) backward_rows(p, d, &g, i, fc_min64(ROWS, p->n - i));
  for (int l = 0; !p->in_place && l < p->layers; l++)
    if (d[l].x) scatter(p, t, d[l].x, 3 * p->D, g.dx[l].x, !d[l].fresh);
}

/* ---- all of them ---- */

static double work(const problem *p, int products) {
  return 2 * (double)(p->R * p->H) * (double)(p->n * p->n) * (double)(products * p->D);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const problem *p    = node->saved;
  const int64_t  size = room_size(p, true);
  gradient       d[MOST];

  for (int l = 0; l < p->layers; l++) d[l].x = fc_grad_raw(c, node->in[l], &d[l].fresh);
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *room = fc_arena_push(c->arena, (size_t)(fc_threads() * size) * sizeof *room);
  c->flops += work(p, 3 * p->layers + 2);
  if (!c->dry) FC_FOR_TASKS(t, groups(p), p->R * p->H * p->n * p->n * p->D)
  backward_group(p, t, room + fc_thread() * size, node->out->g, d);
  fc_arena_pop(c->arena, mark);
}

static const fc_op lane_attention = {"lane_attention", backward, true};

static void forward(fc_ctx *c, const problem *p, fc_real *y) {
  const int64_t size = room_size(p, false);
  const size_t  mark = fc_arena_mark(c->arena);
  fc_real      *room = fc_arena_push(c->arena, (size_t)(fc_threads() * size) * sizeof *room);

  c->flops += work(p, p->layers + 1);
  if (!c->dry) FC_FOR_TASKS(t, groups(p), p->R * p->H * p->n * p->n * p->D)
  forward_group(p, t, room + fc_thread() * size, y);
  fc_arena_pop(c->arena, mark);
}

fc_tensor *fc_lane_attention(fc_ctx *c, int layers, fc_tensor *const *qkv, int64_t heads, double scale) {
  const fc_tensor *x = qkv[0];
  const int64_t    D = x->dim[2] / (3 * heads);
  problem         *p = fc_arena_push(c->arena, sizeof *p);

  FC_ASSERT(layers > 0 && layers <= MOST && x->ndim == 3 && x->dim[1] > 0 && x->dim[2] == 3 * heads * D,
            "lane_attention: %s in %lld heads, %d layers", fc_shape_text(x), (long long)heads, layers);
  *p     = (problem){x->dim[0], x->dim[1], heads, D, layers, (fc_real)scale, heads % LANES == 0, NULL};
  p->qkv = fc_arena_push(c->arena, (size_t)layers * sizeof *p->qkv);
  for (int l = 0; l < layers; l++) {
    FC_ASSERT(fc_same_shape(qkv[l], x), "lane_attention: %s beside %s", fc_shape_text(qkv[l]),
              fc_shape_text(x));
    p->qkv[l] = qkv[l]->x;
  }
  fc_tensor *y = fc_tensor_new(c->arena, FC_DIMS(p->R, p->n, p->D * heads));
  forward(c, p, y->x);
  return fc_record(c, &lane_attention, y, p, layers, qkv);
}
