/* core/ops/conv.c - convolution (correlation, as all networks have it) in 1, 2 or 3 dimensions, channels
   last: y[b, i.., o] = bias_o + sum_{t.., c} x[b, src(i, t).., G c] W[o, c, t..],     src(i, t) = stride i +
   t - pad x [B, X.., C], W [O, C/groups, k..], bias [O] or NULL -> y [B, Y.., O], Y = (X + 2 pad - k) /
   stride + 1 rounded down. Output channel o reads the channels G c of its group o / (O/groups). Outside the
   field x is zero, or goes on periodically.

   Rows of y are matrix products: a block of rows gathers its inputs into `columns` [rows, k.., C/groups],
   which meet the weights repacked once per call as [k.., C/groups, O/groups]. Every index rule is in the
   table src, so the loops know nothing of stride, padding or period. Kernels that keep the grid go a faster
   way without columns (core/ops/conv_same.h). */
#include "core/gemm.h"
#include "core/ops.h"
#include "core/ops/conv_same.h"
#include "core/ops/epilogue.h"
#include "core/parallel.h"
#include "core/spans.h"

#include <string.h>

/* columns of one block: 256 kB in float. Weight gradients are summed in at most MAX_CHUNKS copies. */
enum {
  BLOCK_NUMBERS = 1 << 16,
  MAX_ROWS      = 256,
  MIN_ROWS      = 16,
  MAX_SLOTS     = 64,
  MAX_CHUNKS    = 16,
  MIN_CHUNKS    = 4
};

/* Three axes always; missing ones have length 1. A single axis stands in the middle, so that planes of the
   first axis, the unit of the input gradient, are never single points. */
typedef struct {
  int64_t      B, C, O, groups, Cg, Og; /* channels and channels per group */
  int64_t      X[3], Y[3], k[3];
  int64_t      rows, K; /* of the products: output points; inputs of one output channel */
  int64_t     *src[3];  /* [Y, k]: input coordinate, -1 outside */
  bool         keeps_grid;
  fc_conv_same same; /* if it does */
} geometry;

/* ---- the index table ---- */

static int64_t source(int64_t i, int64_t n, bool periodic) {
  if (i >= 0 && i < n) return i;
  return periodic ? (i % n + n) % n : -1;
}

static void fill_table(geometry *s, int a, int64_t stride, int64_t pad, bool periodic) {
  for (int64_t i = 0; i < s->Y[a]; i++)
    for (int64_t t = 0; t < s->k[a]; t++)
      s->src[a][i * s->k[a] + t] = source(stride * i + t - pad, s->X[a], periodic);
}

static geometry *make_geometry(fc_ctx *c, const fc_tensor *x, const fc_tensor *W, fc_conv_spec spec) {
  const int n_space = x->ndim - 2, first = n_space == 1 ? 1 : 0;
  geometry *s = fc_arena_push(c->arena, sizeof *s);

  *s    = (geometry){.B = x->dim[0], .C = fc_last(x), .O = W->dim[0], .groups = spec.groups, .Cg = W->dim[1]};
  s->Og = s->O / s->groups;
  s->K  = s->Cg;
  s->rows = s->B;
  for (int a = 0; a < 3; a++) {
    const bool    real = a >= first && a < first + n_space;
    const int64_t pad = real ? spec.pad : 0, stride = real ? spec.stride : 1;
    s->X[a] = real ? x->dim[1 + a - first] : 1;
    s->k[a] = real ? W->dim[2 + a - first] : 1;
    FC_ASSERT(s->X[a] + 2 * pad >= s->k[a] && s->k[a] > 0,
              "conv: kernel %s is wider than the padded field %s", fc_shape_text(W), fc_shape_text(x));
    s->Y[a] = (s->X[a] + 2 * pad - s->k[a]) / stride + 1;
    s->K *= s->k[a];
    s->rows *= s->Y[a];
    s->src[a] = fc_arena_push(c->arena, (size_t)(s->Y[a] * s->k[a]) * sizeof *s->src[a]);
    if (!c->dry) fill_table(s, a, stride, pad, spec.periodic);
  }
  return s;
}

/* whether conv_same.c can do it, and as what */
static void consider_same(geometry *s, const fc_tensor *x, const fc_tensor *W, fc_conv_spec spec) {
  const int n_space = x->ndim - 2;

  s->keeps_grid = spec.stride == 1 && spec.groups == 1 && !spec.periodic;
  s->same       = (fc_conv_same){s->B, s->C, s->O, {1, 1, 1}, {1, 1, 1}};
  for (int a = 0; a < n_space; a++) {
    s->same.X[3 - n_space + a] = x->dim[1 + a];
    s->same.k[3 - n_space + a] = W->dim[2 + a];
    s->keeps_grid              = s->keeps_grid && W->dim[2 + a] == 2 * spec.pad + 1;
  }
}

static double flops_of(const geometry *s) { return 2 * (double)s->rows * (double)s->O * (double)s->K; }

static int64_t block_rows(int64_t width, int64_t rows) {
  const int64_t fit = BLOCK_NUMBERS / width / 16 * 16;

  return fc_min64(rows, fc_max64(MIN_ROWS, fc_min64(MAX_ROWS, fit)));
}

/* ---- forward ---- */

/* W [O, Cg, taps] -> [groups, taps, Cg, Og]; rows of the result by the team */
static void pack_weights(const geometry *s, const fc_real *W, fc_real *packed) {
  const int64_t taps = s->K / s->Cg;

  FC_FOR_ROWS(r, s->groups * s->K, s->Og) {
    const int64_t  g = r / s->K, t = r % s->K / s->Cg, ch = r % s->Cg;
    const fc_real *w = W + (g * s->Og * s->Cg + ch) * taps + t;
    for (int64_t o = 0; o < s->Og; o++) packed[r * s->Og + o] = w[o * s->K];
  }
}

/* columns of one output point: the inputs under the kernel, channels of one group; x is at that group's first
 */
static void gather_point(const geometry *s, const fc_real *x, int64_t row, fc_real *to) {
  const int64_t  i2 = row % s->Y[2], i1 = row / s->Y[2] % s->Y[1], i0 = row / s->Y[2] / s->Y[1] % s->Y[0];
  const int64_t *at0 = s->src[0] + i0 * s->k[0], *at1 = s->src[1] + i1 * s->k[1],
                *at2 = s->src[2] + i2 * s->k[2];
  const int64_t b    = row / s->Y[2] / s->Y[1] / s->Y[0];

  for (int64_t t0 = 0; t0 < s->k[0]; t0++)
    for (int64_t t1 = 0; t1 < s->k[1]; t1++)
      for (int64_t t2 = 0; t2 < s->k[2]; t2++, to += s->Cg) {
        const bool    inside = at0[t0] >= 0 && at1[t1] >= 0 && at2[t2] >= 0;
        const int64_t point  = ((b * s->X[0] + at0[t0]) * s->X[1] + at1[t1]) * s->X[2] + at2[t2];
        for (int64_t ch = 0; ch < s->Cg; ch++) to[ch] = inside ? x[point * s->C + ch] : 0;
      }
}

static void gather(const geometry *s, const fc_real *x, int64_t group, int64_t row, int64_t rows,
                   fc_real *columns) {
  for (int64_t r = 0; r < rows; r++) gather_point(s, x + group * s->Cg, row + r, columns + r * s->K);
}

/* y [rows, O] from `row` on */
static void forward_rows(const geometry *s, const fc_real *x, const fc_real *packed, const fc_real *bias,
                         int64_t row, int64_t rows, fc_real *y, fc_real *columns) {
  for (int64_t r = 0; bias && r < rows; r++) memcpy(y + r * s->O, bias, (size_t)s->O * sizeof *y);
  for (int64_t g = 0; g < s->groups; g++) {
    gather(s, x, g, row, rows, columns);
    fc_gemm(false, false, rows, s->Og, s->K, 1, columns, s->K, packed + g * s->K * s->Og, s->Og, bias ? 1 : 0,
            y + g * s->Og, s->O);
  }
}

static void forward(fc_ctx *c, const geometry *s, const fc_real *x, const fc_real *W, const fc_real *bias,
                    fc_real *y) {
  const int64_t block = block_rows(s->K, s->rows), blocks = fc_ceil_div(s->rows, block);
  const int64_t slots   = fc_min64(blocks, MAX_SLOTS);
  const size_t  mark    = fc_arena_mark(c->arena);
  fc_real      *packed  = fc_arena_push(c->arena, (size_t)(s->O * s->K) * sizeof *packed);
  fc_real      *columns = fc_arena_push(c->arena, (size_t)(slots * block * s->K) * sizeof *columns);

  c->flops += flops_of(s);
  if (!c->dry) {
    pack_weights(s, W, packed);
    FC_FOR_TASKS(t, slots, s->rows * s->O * s->K)
    for (int64_t b = t; b < blocks; b += slots)
      forward_rows(s, x, packed, bias, b * block, fc_min64(block, s->rows - b * block), y + b * block * s->O,
                   columns + t * block * s->K);
  }
  fc_arena_pop(c->arena, mark);
}

/* ---- backward: weights and bias ---- */

/* "y = columns W + bias" for the rows of one chunk: part [groups, K, Og] = columns^T dy, then [O] = sum of dy
 */
static void weight_chunk(const geometry *s, const fc_real *x, const fc_real *dy, int64_t row, int64_t end,
                         int64_t block, fc_real *part, fc_real *columns) {
  memset(part, 0, (size_t)(s->O * s->K + s->O) * sizeof *part);
  for (; row < end; row += block) {
    const int64_t  rows = fc_min64(block, end - row);
    const fc_real *g    = dy + row * s->O;
    for (int64_t i = 0; i < s->groups; i++) {
      gather(s, x, i, row, rows, columns);
      fc_gemm(true, false, s->K, s->Og, rows, 1, columns, s->K, g + i * s->Og, s->O, 1,
              part + i * s->K * s->Og, s->Og);
    }
    for (int64_t r = 0; r < rows; r++) fc_span_add(part + s->O * s->K, g + r * s->O, s->O);
  }
}

/* adds all chunks, first to last, and undoes pack_weights */
static void add_weights(const geometry *s, const fc_real *part, int64_t chunks, fc_real *dW, fc_real *db) {
  const int64_t taps = s->K / s->Cg, size = s->O * s->K + s->O;

  if (dW) FC_FOR_ROWS(o, s->O, s->K * chunks) {
      for (int64_t n = 0; n < s->K; n++) {
        const int64_t  ch = n / taps, t = n % taps, g = o / s->Og;
        const fc_real *p = part + ((g * s->K) + t * s->Cg + ch) * s->Og + o % s->Og;
        for (int64_t i = 0; i < chunks; i++) dW[o * s->K + n] += p[i * size];
      }
    }
  for (int64_t i = 0; db && i < chunks; i++) fc_span_add(db, part + i * size + s->O * s->K, s->O);
}

static void backward_weights(fc_ctx *c, const geometry *s, const fc_real *x, const fc_real *dy, fc_real *dW,
                             fc_real *db) {
  const int64_t block = block_rows(s->K, s->rows), blocks = fc_ceil_div(s->rows, block);
  /* copies of the weights may cost as much memory as the fields, but four are always good */
  const int64_t affordable = fc_max64(MIN_CHUNKS, s->rows * (s->C + s->O) / (s->O * s->K));
  const int64_t per_chunk  = fc_ceil_div(blocks, fc_min64(blocks, fc_min64(MAX_CHUNKS, affordable)));
  const int64_t chunks = fc_ceil_div(blocks, per_chunk), size = s->O * s->K + s->O;
  const size_t  mark    = fc_arena_mark(c->arena);
  fc_real      *part    = fc_arena_push(c->arena, (size_t)(chunks * size) * sizeof *part);
  fc_real      *columns = fc_arena_push(c->arena, (size_t)(chunks * block * s->K) * sizeof *columns);

  c->flops += flops_of(s);
  if (!c->dry) {
    FC_FOR_TASKS(t, chunks, s->rows * s->O * s->K) {
      const int64_t row = t * per_chunk * block, end = fc_min64(s->rows, row + per_chunk * block);
      weight_chunk(s, x, dy, row, end, block, part + t * size, columns + t * block * s->K);
    }
    add_weights(s, part, chunks, dW, db);
  }
  fc_arena_pop(c->arena, mark);
}

/* ---- backward: input ---- */

/* one output point (i1, i2) of a plane: its inputs' gradients go back where gather_point took the inputs; dx
   is at the input plane and the group's first channel */
static void scatter_point(const geometry *s, const fc_real *from, int64_t row, fc_real *dx) {
  const int64_t *at1 = s->src[1] + row / s->Y[2] * s->k[1], *at2 = s->src[2] + row % s->Y[2] * s->k[2];

  for (int64_t t1 = 0; t1 < s->k[1]; t1++)
    for (int64_t t2 = 0; t2 < s->k[2]; t2++, from += s->Cg) {
      if (at1[t1] < 0 || at2[t2] < 0) continue;
      fc_real *to = dx + (at1[t1] * s->X[2] + at2[t2]) * s->C;
      for (int64_t ch = 0; ch < s->Cg; ch++) to[ch] += from[ch];
    }
}

/* What the output plane dy [Y1 Y2, O] adds to the input plane dx [X1 X2, C] through the kernel plane t0:
   "y = columns W", so dcolumns = dy W^T, scattered. */
static void backward_plane(const geometry *s, const fc_real *packed, const fc_real *dy, int64_t t0,
                           int64_t block, fc_real *dx, fc_real *columns) {
  const int64_t plane = s->Y[1] * s->Y[2], width = s->k[1] * s->k[2] * s->Cg;

  for (int64_t g = 0; g < s->groups; g++) {
    const fc_real *w = packed + (g * s->K + t0 * width) * s->Og;
    for (int64_t row = 0; row < plane; row += block) {
      const int64_t rows = fc_min64(block, plane - row);
      fc_gemm(false, true, rows, width, s->Og, 1, dy + row * s->O + g * s->Og, s->O, w, s->Og, 0, columns,
              width);
      for (int64_t r = 0; r < rows; r++) scatter_point(s, columns + r * width, row + r, dx + g * s->Cg);
    }
  }
}

/* input plane n = (b, x0): everything that reads it. No other task writes there. */
static void backward_input_plane(const geometry *s, const fc_real *packed, const fc_real *dy, int64_t n,
                                 int64_t block, fc_real *dx, fc_real *columns) {
  const int64_t b = n / s->X[0], x0 = n % s->X[0], plane = s->Y[1] * s->Y[2] * s->O;

  for (int64_t i = 0; i < s->Y[0]; i++)
    for (int64_t t = 0; t < s->k[0]; t++)
      if (s->src[0][i * s->k[0] + t] == x0)
        backward_plane(s, packed, dy + (b * s->Y[0] + i) * plane, t, block, dx + n * s->X[1] * s->X[2] * s->C,
                       columns);
}

static void backward_input(fc_ctx *c, const geometry *s, const fc_real *W, const fc_real *dy, fc_real *dx) {
  const int64_t width = s->k[1] * s->k[2] * s->Cg, block = block_rows(width, s->Y[1] * s->Y[2]);
  const int64_t planes = s->B * s->X[0], slots = fc_min64(planes, MAX_SLOTS);
  const size_t  mark    = fc_arena_mark(c->arena);
  fc_real      *packed  = fc_arena_push(c->arena, (size_t)(s->O * s->K) * sizeof *packed);
  fc_real      *columns = fc_arena_push(c->arena, (size_t)(slots * block * width) * sizeof *columns);

  c->flops += flops_of(s);
  if (!c->dry) {
    pack_weights(s, W, packed);
    FC_FOR_TASKS(t, slots, s->rows * s->O * s->K)
    for (int64_t n = t; n < planes; n += slots)
      backward_input_plane(s, packed, dy, n, block, dx, columns + t * block * width);
  }
  fc_arena_pop(c->arena, mark);
}

static void backward_same(fc_ctx *c, const fc_node *node) {
  const geometry *s = node->saved;
  const fc_real  *x = node->in[0]->x, *W = node->in[1]->x, *dy = node->out->g;
  bool            fresh;
  fc_real        *dx = fc_grad_raw(c, node->in[0], &fresh);
  fc_real        *dW = fc_grad(c, node->in[1]), *db = fc_grad(c, node->in[2]);

  if (db && !c->dry) fc_column_sums(c->arena, dy, s->rows, s->O, db);
  if (dW) fc_conv_same_weights(c, &s->same, x, dy, dW);
  if (dx) fc_conv_same_input(c, &s->same, W, dy, fresh, dx);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const geometry  *s = node->saved;
  const fc_tensor *x = node->in[0], *W = node->in[1];
  const fc_real   *dy = node->out->g;

  if (s->keeps_grid) {
    backward_same(c, node);
    return;
  }
  fc_real *dx = fc_grad(c, node->in[0]), *dW = fc_grad(c, node->in[1]), *db = fc_grad(c, node->in[2]);
  if (dW || db) backward_weights(c, s, x->x, dy, dW, db);
  if (dx) backward_input(c, s, W->x, dy, dx);
}

static const fc_op conv = {"conv", backward, true};

fc_tensor *fc_conv(fc_ctx *c, fc_tensor *x, fc_tensor *W, fc_tensor *b, fc_conv_spec spec) {
  int64_t dim[5] = {x->dim[0]};

  FC_ASSERT(x->ndim >= 3 && x->ndim <= 5 && W->ndim == x->ndim && spec.groups >= 1 && spec.stride >= 1 &&
                spec.pad >= 0 && fc_last(x) == W->dim[1] * spec.groups && W->dim[0] % spec.groups == 0 &&
                fc_len(W) > 0 && fc_len(x) > 0,
            "conv: field %s, kernel %s, %lld groups, stride %lld, padding %lld", fc_shape_text(x),
            fc_shape_text(W), (long long)spec.groups, (long long)spec.stride, (long long)spec.pad);
  FC_ASSERT(!b || fc_len(b) == W->dim[0], "conv: kernel %s, bias %s", fc_shape_text(W), fc_shape_text(b));
  geometry *s = make_geometry(c, x, W, spec);
  consider_same(s, x, W, spec);
  for (int a = 0; a < x->ndim - 2; a++) dim[1 + a] = s->Y[x->ndim == 3 ? 1 : a];
  dim[x->ndim - 1] = s->O;
  fc_tensor *y     = fc_tensor_new(c->arena, x->ndim, dim);
  if (s->keeps_grid)
    fc_conv_same_forward(c, &s->same, x->x, W->x, b ? b->x : NULL, y->x);
  else
    forward(c, s, x->x, W->x, b ? b->x : NULL, y->x);
  return fc_record(c, &conv, y, s, FC_IN(x, W, b));
}
