/* core/ops/mode_product.c - y_o(k) = sum_i x_i(k) W_io(k) and its gradients, all complex, for every mode k.

   A task takes a few neighbouring vectors of modes and walks through the weights [I, O, M, 2] in the order of
   memory, four outputs at a time: each number of the weights is read once and serves all samples. With few
   samples that is what counts, for the weights are larger than everything else. */
#include "core/ops/modes.h"
#include "core/parallel.h"

#include <string.h>

enum {
  L            = FC_LANES,
  LINE         = 64 / sizeof(fc_real),
  OUTPUTS      = 4,
  TASK_BYTES   = 1 << 18,
  MOST_VECTORS = 16,
  EVEN_TASKS   = 8
};

/* L lanes as one value; the compiler cuts it into what the processor has */
typedef fc_real lanes __attribute__((vector_size(L * sizeof(fc_real)), aligned(64), may_alias));

typedef struct {
  int64_t         B, I, O;
  const fc_modes *m;
  int64_t         M[FC_WEIGHTS]; /* modes of a weight, retained on this grid or not */
  const fc_real  *W[FC_WEIGHTS];
  fc_real        *dW[FC_WEIGHTS]; /* NULL: not wanted */
  bool            add[FC_WEIGHTS];
  const fc_real  *x, *dy;
  fc_real        *y, *dx;
  int64_t         block; /* vectors of a task */
} product;

#define INLINE static inline __attribute__((always_inline))

/* channel c of sample b in vector v: real parts, then imaginary ones */
INLINE int64_t channel(const product *p, int64_t C, int64_t v, int64_t b, int64_t c) {
  return ((v * p->B + b) * C + c) * 2 * L;
}

INLINE int64_t weight_at(const product *p, const fc_mode_vector *v, int64_t i, int64_t o) {
  return 2 * ((i * p->O + o) * p->M[v->weight] + v->offset);
}

/* n pairs to real and imaginary lanes, the others zero */
INLINE void split(lanes w[2], const fc_real *pairs, int n) {
  fc_real *re = (fc_real *)&w[0], *im = (fc_real *)&w[1];

  if (n == L) {
    FC_VECTOR for (int l = 0; l < L; l++) re[l] = pairs[2 * l], im[l] = pairs[2 * l + 1];
    return;
  }
  for (int l = 0; l < L; l++) re[l] = l < n ? pairs[2 * l] : 0, im[l] = l < n ? pairs[2 * l + 1] : 0;
}

INLINE void join(fc_real *pairs, const lanes w[2], int n, bool add) {
  const fc_real *re = (const fc_real *)&w[0], *im = (const fc_real *)&w[1];

  if (n == L && !add)
    FC_VECTOR for (int l = 0; l < L; l++) pairs[2 * l] = re[l], pairs[2 * l + 1] = im[l];
  else if (n == L)
    FC_VECTOR for (int l = 0; l < L; l++) pairs[2 * l] += re[l], pairs[2 * l + 1] += im[l];
  else
    for (int l = 0; l < n; l++) {
      pairs[2 * l]     = re[l] + (add ? pairs[2 * l] : 0);
      pairs[2 * l + 1] = im[l] + (add ? pairs[2 * l + 1] : 0);
    }
}

/* Asks for the numbers of a vector that the next tile will read or write: the rows are too far apart for the
   processor to guess, and it waits three times as long without. A hint never faults. */
INLINE void fetch_read(const fc_real *at) {
  for (int l = 0; l < 2 * L; l += LINE) __builtin_prefetch(at + l, 0);
}
INLINE void fetch_write(const fc_real *at) {
  for (int l = 0; l < 2 * L; l += LINE) __builtin_prefetch(at + l, 1);
}

/* the pairs of this tile; those `ahead` tiles further are asked for */
INLINE void load_weights(const int outputs, const int ahead, const product *p, const fc_mode_vector *v,
                         int64_t i, int64_t o, lanes w[OUTPUTS][2]) {
  for (int q = 0; q < outputs; q++) {
    const fc_real *at = p->W[v->weight] + weight_at(p, v, i, o + q);
    fetch_read(at + 2 * ahead * outputs * p->M[v->weight]);
    split(w[q], at, v->lanes);
  }
}

/* y_o += x_i w_io for all samples, one vector and a few outputs */
INLINE void forward_tile(const int outputs, const product *p, int64_t v, int64_t i, int64_t o) {
  lanes w[OUTPUTS][2];

  load_weights(outputs, 2, p, &p->m->vector[v], i, o, w);
  for (int64_t b = 0; b < p->B; b++) {
    const lanes *x  = (const lanes *)(p->x + channel(p, p->I, v, b, i));
    lanes       *y  = (lanes *)(p->y + channel(p, p->O, v, b, o));
    const lanes  re = x[0], im = x[1];
    for (int q = 0; q < outputs; q++) {
      y[2 * q] += re * w[q][0] - im * w[q][1];
      y[2 * q + 1] += re * w[q][1] + im * w[q][0];
    }
  }
}

#define EACH(tile, p, v, i, o, left)                                                                         \
  switch (left) {                                                                                            \
  case 1:                                                                                                    \
    tile(1, p, v, i, o);                                                                                     \
    break;                                                                                                   \
  case 2:                                                                                                    \
    tile(2, p, v, i, o);                                                                                     \
    break;                                                                                                   \
  case 3:                                                                                                    \
    tile(3, p, v, i, o);                                                                                     \
    break;                                                                                                   \
  default:                                                                                                   \
    tile(OUTPUTS, p, v, i, o);                                                                               \
  }

FC_SIMD static void forward_task(const product *p, int64_t from, int64_t to) {
  memset(p->y + channel(p, p->O, from, 0, 0), 0, (size_t)channel(p, p->O, to - from, 0, 0) * sizeof(fc_real));
  for (int64_t i = 0; i < p->I; i++)
    for (int64_t o = 0; o < p->O; o += OUTPUTS)
      for (int64_t v = from; v < to; v++) EACH(forward_tile, p, v, i, o, p->O - o)
}

/* "y_o += x_i w_io":  dx_i += dy_o conj w_io,  dw_io = sum over samples of conj x_i dy_o */
INLINE void backward_tile(const int outputs, const product *p, int64_t v, int64_t i, int64_t o) {
  const fc_mode_vector *mv = &p->m->vector[v];
  fc_real              *dW = p->dW[mv->weight];
  lanes                 w[OUTPUTS][2], dw[OUTPUTS][2];

  load_weights(outputs, 1, p, mv, i, o, w); /* two tiles ahead of both arrays is too much (measured) */
  for (int q = 0; q < outputs; q++) {
    if (dW) fetch_write(dW + weight_at(p, mv, i, o + q + outputs));
    dw[q][0] = dw[q][1] = (lanes){0};
  }
  for (int64_t b = 0; b < p->B; b++) {
    const lanes *x  = (const lanes *)(p->x + channel(p, p->I, v, b, i));
    const lanes *dy = (const lanes *)(p->dy + channel(p, p->O, v, b, o));
    lanes       *dx = (lanes *)(p->dx + channel(p, p->I, v, b, i));
    const lanes  re = x[0], im = x[1];
    lanes        dre = dx[0], dim = dx[1];
    for (int q = 0; q < outputs; q++) {
      dre += dy[2 * q] * w[q][0] + dy[2 * q + 1] * w[q][1];
      dim += dy[2 * q + 1] * w[q][0] - dy[2 * q] * w[q][1];
      dw[q][0] += re * dy[2 * q] + im * dy[2 * q + 1];
      dw[q][1] += re * dy[2 * q + 1] - im * dy[2 * q];
    }
    dx[0] = dre, dx[1] = dim;
  }
  for (int q = 0; dW && q < outputs; q++)
    join(dW + weight_at(p, mv, i, o + q), dw[q], mv->lanes, p->add[mv->weight]);
}

FC_SIMD static void backward_task(const product *p, int64_t from, int64_t to) {
  memset(p->dx + channel(p, p->I, from, 0, 0), 0,
         (size_t)channel(p, p->I, to - from, 0, 0) * sizeof(fc_real));
  for (int64_t i = 0; i < p->I; i++)
    for (int64_t o = 0; o < p->O; o += OUTPUTS)
      for (int64_t v = from; v < to; v++) EACH(backward_tile, p, v, i, o, p->O - o)
}

/* Vectors of a task: their x and y stay in the second cache, and there are a few tasks for a few cores. */
static int64_t block_of(const product *p) {
  const int64_t bytes = p->B * (p->I + p->O) * 2 * L * (int64_t)sizeof(fc_real);
  const int64_t most = fc_max64(1, fc_min64(TASK_BYTES / bytes, MOST_VECTORS)), n = p->m->vectors;
  const int64_t tasks = fc_max64(1, fc_ceil_div(fc_ceil_div(n, most), EVEN_TASKS) * EVEN_TASKS);

  return fc_max64(1, fc_ceil_div(n, tasks)); /* a rank of a domain may have none */
}

static product make_product(const fc_modes *m, int64_t B, int64_t I, int64_t O, int n_w,
                            fc_tensor *const *W) {
  product p = {.B = B, .I = I, .O = O, .m = m};

  p.block = block_of(&p);
  for (int w = 0; w < n_w; w++) {
    p.W[w] = W[w]->x;
    p.M[w] = fc_span(W[w], 2, W[w]->ndim - 1);
  }
  return p;
}

void fc_modes_product(fc_ctx *c, const fc_modes *m, int64_t B, int64_t I, int64_t O, int n_w,
                      fc_tensor *const *W, const fc_real *x, fc_real *y) {
  product p = make_product(m, B, I, O, n_w, W);

  p.x = x, p.y = y;
  c->flops += 8.0 * (double)(B * m->count) * (double)(I * O);
  if (c->dry) return;
  FC_FOR_TASKS(t, fc_ceil_div(m->vectors, p.block), B * m->count * I * O)
  forward_task(&p, t * p.block, fc_min64((t + 1) * p.block, m->vectors));
}

void fc_modes_product_back(fc_ctx *c, const fc_modes *m, int64_t B, int64_t I, int64_t O, int n_w,
                           fc_tensor *const *W, const fc_real *x, const fc_real *dy, fc_real *dx,
                           fc_real *const *dW, const bool *add) {
  product p = make_product(m, B, I, O, n_w, W);

  p.x = x, p.dy = dy, p.dx = dx;
  for (int w = 0; w < n_w; w++) p.dW[w] = dW[w], p.add[w] = add[w];
  c->flops += 16.0 * (double)(B * m->count) * (double)(I * O);
  if (c->dry) return;
  FC_FOR_TASKS(t, fc_ceil_div(m->vectors, p.block), B * m->count * I * O)
  backward_task(&p, t * p.block, fc_min64((t + 1) * p.block, m->vectors));
}
