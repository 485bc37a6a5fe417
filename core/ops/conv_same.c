/* core/ops/conv_same.c - y[b, i, o] = bias_o + sum_{t, ch} x[b, i + t - k/2, ch] W[o, ch, t], zero outside.

   A block is a few lines of one plane, or a piece of a long line. For one tap t the inputs of its outputs are
   the same lines moved by t - k/2, cut where they leave the field: a product of lines by the matrix W_t. The
   input gradient is the same with the kernel reversed and transposed. In the weight gradient dW_t = sum over
   points of x[i + t - k/2]^T dy[i] all lines of a block are one product; where they would run into each other
   dy is cleared in a copy. */
#include "core/ops/conv_same.h"

#include "core/gemm.h"
#include "core/parallel.h"
#include "core/spans.h"

#include <string.h>

/* Points of a block: many for the sake of the products, fewer if that leaves cores without work. Points of a
   chunk of the weight gradient, and how many chunks there are. */
enum { MIN_BLOCK = 128, MAX_BLOCK = 512, BLOCKS = 24, CHUNK = 2048, MIN_CHUNKS = 2, MAX_CHUNKS = 16 };

/* ---- blocks and taps ---- */

typedef struct {
  int64_t plane, line, lines, col, cols; /* plane: number b X0 + i0; several lines are whole ones */
} block;

typedef struct { /* the part of a block that has inputs under a tap */
  int64_t line, lines, col, cols;
  int64_t from; /* input of its first point */
} overlap;

static int64_t points_of(const fc_conv_same *s) { return s->B * s->X[0] * s->X[1] * s->X[2]; }
static int64_t block_points(const fc_conv_same *s) {
  return fc_max64(MIN_BLOCK, fc_min64(MAX_BLOCK, points_of(s) / BLOCKS));
}
static int64_t lines_of(const fc_conv_same *s) {
  return fc_max64(1, fc_min64(block_points(s) / s->X[2], s->X[1]));
}
static int64_t cols_of(const fc_conv_same *s) { return fc_min64(s->X[2], block_points(s)); }

static int64_t blocks_of(const fc_conv_same *s) {
  return s->B * s->X[0] * fc_ceil_div(s->X[1], lines_of(s)) * fc_ceil_div(s->X[2], cols_of(s));
}

static block block_at(const fc_conv_same *s, int64_t n) {
  const int64_t lines = lines_of(s), cols = cols_of(s), along = fc_ceil_div(s->X[2], cols),
                down = fc_ceil_div(s->X[1], lines);
  const int64_t line = n / along % down * lines, col = n % along * cols;

  return (block){n / along / down, line, fc_min64(lines, s->X[1] - line), col, fc_min64(cols, s->X[2] - col)};
}

static int64_t taps_of(const fc_conv_same *s) { return s->k[0] * s->k[1] * s->k[2]; }

/* first point of a line, as a number of points from the field's beginning */
static int64_t point(const fc_conv_same *s, int64_t plane, int64_t line, int64_t col) {
  return (plane * s->X[1] + line) * s->X[2] + col;
}

/* false if all inputs of the block under tap t lie outside */
static bool meet(const fc_conv_same *s, const block *b, int64_t t, overlap *o) {
  const int64_t s0 = t / s->k[2] / s->k[1] - s->k[0] / 2, s1 = t / s->k[2] % s->k[1] - s->k[1] / 2,
                s2 = t % s->k[2] - s->k[2] / 2, i0 = b->plane % s->X[0] + s0;

  o->line  = fc_max64(b->line, -s1);
  o->lines = fc_min64(b->line + b->lines, s->X[1] - s1) - o->line;
  o->col   = fc_max64(b->col, -s2);
  o->cols  = fc_min64(b->col + b->cols, s->X[2] - s2) - o->col;
  o->from  = point(s, b->plane + s0, o->line + s1, o->col + s2);
  return i0 >= 0 && i0 < s->X[0] && o->lines > 0 && o->cols > 0;
}

/* ---- lines times a matrix ---- */

/* what forward and input gradient have in common: y [.., O] (+)= sum over taps of moved x [.., C] times
   W_t [C, O]; backwards: the kernel is reversed. s is of this direction. */
typedef struct {
  const fc_real *x, *W, *bias; /* W [taps, C, O] */
  fc_real       *y;
  bool           add, backwards;
} pass;

static void start_block(const fc_conv_same *s, const pass *p, const block *b) {
  for (int64_t l = 0; !p->add && l < b->lines; l++) {
    fc_real *y = p->y + point(s, b->plane, b->line + l, b->col) * s->O;
    if (!p->bias) memset(y, 0, (size_t)(b->cols * s->O) * sizeof *y);
    for (int64_t i = 0; p->bias && i < b->cols; i++) memcpy(y + i * s->O, p->bias, (size_t)s->O * sizeof *y);
  }
}

static void run_block(const fc_conv_same *s, const pass *p, const block *b) {
  const int64_t taps = taps_of(s);
  overlap       o;

  start_block(s, p, b);
  for (int64_t t = 0; t < taps; t++) {
    if (!meet(s, b, t, &o)) continue;
    const fc_real *W    = p->W + (p->backwards ? taps - 1 - t : t) * s->C * s->O;
    const bool     join = o.cols == s->X[2]; /* whole lines follow each other without a gap */
    fc_gemm_blocks(join ? 1 : o.lines, join ? o.lines * o.cols : o.cols, s->O, s->C, p->x + o.from * s->C,
                   s->C, s->X[2] * s->C, W, s->O, 1, p->y + point(s, b->plane, o.line, o.col) * s->O, s->O,
                   s->X[2] * s->O);
  }
}

static double flops_of(const fc_conv_same *s) {
  return 2 * (double)points_of(s) * (double)(s->C * s->O * taps_of(s));
}

static int64_t work(const fc_conv_same *s) { return points_of(s) * s->C * s->O; }

static void run(fc_ctx *c, const fc_conv_same *s, const pass *p) {
  c->flops += flops_of(s);
  if (c->dry) return;
  FC_FOR_TASKS(n, blocks_of(s), work(s)) {
    const block b = block_at(s, n);
    run_block(s, p, &b);
  }
}

/* the weights of some input channels, a few at a time so that what is read and written stays in the first
 * cache */
enum { CHANNELS = 16 };

static void pack_channels(const fc_conv_same *s, const fc_real *W, bool swap, int64_t ch, int64_t n,
                          fc_real *to) {
  const int64_t taps = taps_of(s), size = s->C * s->O;

  for (int64_t o = 0; o < s->O; o++)
    for (int64_t i = ch; i < ch + n; i++)
      for (int64_t t = 0; t < taps; t++)
        to[t * size + (swap ? o * s->C + i : i * s->O + o)] = W[(o * s->C + i) * taps + t];
}

/* W [O, C, taps] -> [taps, C, O], or [taps, O, C] if swap */
static const fc_real *pack(fc_ctx *c, const fc_conv_same *s, const fc_real *W, bool swap) {
  const int64_t taps = taps_of(s), size = s->C * s->O;
  fc_real      *to = fc_arena_push(c->arena, (size_t)(taps * size) * sizeof *to);

  if (c->dry) return to;
  FC_FOR_ROWS(i, fc_ceil_div(s->C, CHANNELS), CHANNELS * s->O * taps)
  pack_channels(s, W, swap, i * CHANNELS, fc_min64(CHANNELS, s->C - i * CHANNELS), to);
  return to;
}

void fc_conv_same_forward(fc_ctx *c, const fc_conv_same *s, const fc_real *x, const fc_real *W,
                          const fc_real *bias, fc_real *y) {
  const size_t mark = fc_arena_mark(c->arena);
  const pass   p    = {x, pack(c, s, W, false), bias, y, false, false};

  run(c, s, &p);
  fc_arena_pop(c->arena, mark);
}

/* "y_i += x_{i+t} W_t", so dx_i += dy_{i-t} W_t^T: the same with all taps reversed, O channels in and C out
 */
void fc_conv_same_input(fc_ctx *c, const fc_conv_same *s, const fc_real *W, const fc_real *dy, bool fresh,
                        fc_real *dx) {
  const size_t mark = fc_arena_mark(c->arena);
  fc_conv_same back = *s;
  const pass   p    = {dy, pack(c, s, W, true), NULL, dx, !fresh, true};

  back.C = s->O, back.O = s->C;
  run(c, &back, &p);
  fc_arena_pop(c->arena, mark);
}

/* ---- weights ---- */

/* dy of whole lines without the points whose inputs lie s2 points away in another line */
static const fc_real *without_ends(const fc_conv_same *s, const fc_real *dy, int64_t lines, int64_t s2,
                                   fc_real *to) {
  const int64_t cut = fc_min64(s2 < 0 ? -s2 : s2, s->X[2]), width = s->X[2] * s->O;
  const int64_t hole = s2 < 0 ? 0 : (s->X[2] - cut) * s->O;

  memcpy(to, dy, (size_t)(lines * width) * sizeof *to);
  for (int64_t l = 0; l < lines; l++) memset(to + l * width + hole, 0, (size_t)(cut * s->O) * sizeof *to);
  return to;
}

/* part [taps, C, O] += what block b adds through all taps that move points by s2 along their lines */
static void weights_of_block(const fc_conv_same *s, const fc_real *x, const fc_real *dy, const block *b,
                             int64_t s2, fc_real *part, fc_real *room) {
  const int64_t  first = point(s, b->plane, b->line, b->col), planes = s->k[0] * s->k[1];
  const bool     clear = b->lines > 1 && s2 != 0;
  const fc_real *g     = dy + first * s->O;
  overlap        o;

  if (clear) g = without_ends(s, g, b->lines, s2, room);
  for (int64_t n = 0; n < planes; n++) {
    const int64_t t = n * s->k[2] + s2 + s->k[2] / 2;
    if (!meet(s, b, t, &o)) continue;
    /* from the first point with an input to the last; what lies between has one, or is cleared */
    const int64_t points = (o.lines - 1) * s->X[2] + o.cols, at = point(s, b->plane, o.line, o.col) - first;
    fc_gemm(true, false, s->C, s->O, points, 1, x + o.from * s->C, s->C, g + at * s->O, s->O, 1,
            part + t * s->C * s->O, s->O);
  }
}

/* the taps number s2 + k/2 of each line of the kernel, over blocks n .. end-1 */
static void weights_of_chunk(const fc_conv_same *s, const fc_real *x, const fc_real *dy, int64_t n,
                             int64_t end, int64_t s2, fc_real *part, fc_real *room) {
  const int64_t size = s->C * s->O;

  for (int64_t t = s2 + s->k[2] / 2; t < taps_of(s); t += s->k[2])
    memset(part + t * size, 0, (size_t)size * sizeof *part);
  for (; n < end; n++) {
    const block b = block_at(s, n);
    weights_of_block(s, x, dy, &b, s2, part, room);
  }
}

/* dW [O, C, taps] += the parts [chunks, taps, C, O], added in order */
static void add_parts(const fc_conv_same *s, fc_real *part, int64_t chunks, fc_real *dW) {
  const int64_t taps = taps_of(s), size = s->C * s->O;

  FC_FOR_ROWS(r, taps * s->C, s->O * chunks)
  for (int64_t i = 1; i < chunks; i++) fc_span_add(part + r * s->O, part + i * taps * size + r * s->O, s->O);
  FC_FOR_ROWS(ch, s->C, s->O * taps)
  for (int64_t o = 0; o < s->O; o++)
    for (int64_t t = 0; t < taps; t++) dW[(o * s->C + ch) * taps + t] += part[t * size + ch * s->O + o];
}

void fc_conv_same_weights(fc_ctx *c, const fc_conv_same *s, const fc_real *x, const fc_real *dy,
                          fc_real *dW) {
  const int64_t blocks = blocks_of(s), wide = s->k[2];
  const int64_t wanted = fc_max64(MIN_CHUNKS, fc_min64(MAX_CHUNKS, fc_ceil_div(points_of(s), CHUNK)));
  const int64_t chunks = fc_min64(blocks, wanted), size = taps_of(s) * s->C * s->O,
                copy = lines_of(s) * cols_of(s) * s->O;
  const size_t mark  = fc_arena_mark(c->arena);
  fc_real     *part  = fc_arena_push(c->arena, (size_t)(chunks * size) * sizeof *part);
  fc_real     *room  = fc_arena_push(c->arena, (size_t)(chunks * wide * copy) * sizeof *room);

  c->flops += flops_of(s);
  if (!c->dry) {
    FC_FOR_TASKS(n, chunks * wide, work(s)) {
      const int64_t i = n / wide;
      weights_of_chunk(s, x, dy, blocks * i / chunks, blocks * (i + 1) / chunks, n % wide - wide / 2,
                       part + i * size, room + n * copy);
    }
    add_parts(s, part, chunks, dW);
  }
  fc_arena_pop(c->arena, mark);
}
