/* core/sums.c - blocks of rows summed in lanes, blocks combined in double. */
#include "core/sums.h"

#include "core/parallel.h"

#include <string.h>

enum {
  LANES    = 256,   /* narrow rows are laid side by side up to this width */
  WIDE     = 512,   /* columns per block of wide rows */
  RUN      = 128,   /* additions in fc_real before the lanes are emptied into double */
  BLOCK    = 32768, /* elements that deserve a block of their own */
  MAX_TASK = 64     /* blocks per sum, enough for the widest team we expect */
};

/* ---- kernels: lane[j] += f over `rows` rows of `width` numbers, `stride` apart ---- */

FC_SIMD static void plain(fc_real *restrict lane, const fc_real *restrict p, int64_t rows, int64_t width,
                          int64_t stride) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < width; j++) lane[j] += p[r * stride + j];
}

FC_SIMD static void product(fc_real *restrict lane, const fc_real *restrict p, const fc_real *restrict q,
                            int64_t rows, int64_t width, int64_t stride) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < width; j++) lane[j] += p[r * stride + j] * q[r * stride + j];
}

FC_SIMD static void square(fc_real *restrict lane, const fc_real *restrict p, fc_real shift, int64_t rows,
                           int64_t width, int64_t stride) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < width; j++) {
      const fc_real d = p[r * stride + j] - shift;
      lane[j] += d * d;
    }
}

FC_SIMD static void distance(fc_real *restrict lane, const fc_real *restrict p, const fc_real *restrict q,
                             int64_t rows, int64_t width, int64_t stride) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < width; j++) {
      const fc_real d = p[r * stride + j] - q[r * stride + j];
      lane[j] += d * d;
    }
}

FC_SIMD static void gap(fc_real *restrict lane, const fc_real *restrict p, const fc_real *restrict q,
                        int64_t rows, int64_t width, int64_t stride) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < width; j++) {
      const fc_real d = p[r * stride + j] - q[r * stride + j];
      lane[j] += d < 0 ? -d : d;
    }
}

static void add_rows(const fc_sum *s, int64_t o, int64_t at, int64_t rows, int64_t width, int64_t stride,
                     fc_real *lane) {
  switch (s->kind) {
  case FC_SUM_PLAIN:
    plain(lane, s->p + at, rows, width, stride);
    break;
  case FC_SUM_PRODUCT:
    product(lane, s->p + at, s->q + at, rows, width, stride);
    break;
  case FC_SUM_SQUARE:
    square(lane, s->p + at, s->shift[o], rows, width, stride);
    break;
  case FC_SUM_DISTANCE:
    distance(lane, s->p + at, s->q + at, rows, width, stride);
    break;
  case FC_SUM_GAP:
    gap(lane, s->p + at, s->q + at, rows, width, stride);
    break;
  }
}

/* ---- one block: `rows` rows from offset `at`, columns [0, width) of I, into total[width] ---- */

/* lanes of `width` numbers to one of `period`: halves are added to each other while they can be */
FC_SIMD static void fold(fc_real *restrict lane, int64_t width, int64_t period, double *restrict total) {
  int64_t w = width;

  while (w / period % 2 == 0) {
    w /= 2;
    for (int64_t j = 0; j < w; j++) lane[j] += lane[w + j];
  }
  for (int64_t j = 0; j < w; j += period)
    for (int64_t i = 0; i < period; i++) total[i] += (double)lane[j + i];
}

/* adds rows of the given width, each several periods long, to total [period] */
static void add_runs(const fc_sum *s, int64_t o, int64_t at, int64_t rows, int64_t width, int64_t stride,
                     int64_t period, double *total) {
  fc_real lane[4 * WIDE];

  for (int64_t r = 0; r < rows; r += RUN) {
    memset(lane, 0, (size_t)width * sizeof *lane);
    add_rows(s, o, at + r * stride, fc_min64(RUN, rows - r), width, stride, lane);
    fold(lane, width, period, total);
  }
}

/* how many narrow rows go side by side: a power of two that leaves a few rows below each other */
static int64_t side_by_side(int64_t rows, int64_t width) {
  int64_t copies = 1;

  while (2 * copies * width <= LANES && 16 * copies <= rows) copies *= 2;
  return copies;
}

static void sum_block(const fc_sum *s, int64_t o, int64_t at, int64_t rows, int64_t width, double *total) {
  const int64_t copies = width < s->I ? 1 : side_by_side(rows, width);
  const int64_t whole = rows / copies, rest = rows % copies;

  memset(total, 0, (size_t)width * sizeof *total);
  add_runs(s, o, at, whole, copies * width, copies * s->I, width, total);
  if (rest) add_runs(s, o, at + whole * copies * s->I, 1, rest * width, s->I, width, total);
}

/* ---- the cut ---- */

typedef struct {
  int64_t width, pieces; /* of the columns */
  int64_t rows, blocks;  /* of the middle axis */
} cut;

static cut plan(const fc_sum *s) {
  cut k;

  k.width  = s->I <= 4 * WIDE ? s->I : WIDE;
  k.pieces = fc_ceil_div(s->I, fc_max64(1, k.width));
  k.blocks = fc_min64(fc_ceil_div(s->R * k.width, BLOCK), MAX_TASK / fc_max64(1, s->O * k.pieces));
  k.rows   = fc_ceil_div(s->R, fc_max64(1, k.blocks));
  k.blocks = fc_max64(1, fc_ceil_div(s->R, fc_max64(1, k.rows)));
  return k;
}

/* where the sums go */
typedef struct {
  double  *total; /* or, if NULL, */
  fc_real *out;   /* scale sum, added if so wished */
  double   scale;
  bool     add;
} sink;

static void emit(const sink *to, int64_t at, const double *sum, int64_t n) {
  if (to->total) {
    memcpy(to->total + at, sum, (size_t)n * sizeof *sum);
    return;
  }
  for (int64_t i = 0; i < n; i++)
    to->out[at + i] = (fc_real)(to->scale * sum[i] + (to->add ? (double)to->out[at + i] : 0));
}

static void combine(const sink *to, double *part, const fc_sum *s, int64_t blocks) {
  for (int64_t o = 0; o < s->O; o++) {
    double *first = part + o * blocks * s->I;
    for (int64_t b = 1; b < blocks; b++)
      for (int64_t i = 0; i < s->I; i++) first[i] += first[b * s->I + i];
    emit(to, o * s->I, first, s->I);
  }
}

static void run(fc_arena *scratch, const fc_sum *s, const sink *to) {
  const size_t mark = fc_arena_mark(scratch);
  const cut    k    = plan(s);
  double      *part =
      k.blocks > 1 ? fc_arena_push(scratch, (size_t)(s->O * k.blocks * s->I) * sizeof *part) : NULL;

  FC_FOR_ROWS(i, s->O * k.blocks * k.pieces, k.rows * k.width) {
    const int64_t b = i / k.pieces % k.blocks, o = i / k.pieces / k.blocks;
    const int64_t column = i % k.pieces * k.width, width = fc_min64(k.width, s->I - column);
    const int64_t row = b * k.rows, at  = (o * s->R + row) * s->I + column;
    double        local[4 * WIDE], *sum = part ? part + (o * k.blocks + b) * s->I + column : local;

    sum_block(s, o, at, fc_min64(k.rows, s->R - row), width, sum);
    if (!part) emit(to, o * s->I + column, local, width);
  }
  if (part) combine(to, part, s, k.blocks);
  fc_arena_pop(scratch, mark);
}

void fc_sum_middle(fc_arena *scratch, const fc_sum *s, double *total) {
  run(scratch, s, &(sink){.total = total});
}

void fc_sum_store(fc_arena *scratch, const fc_sum *s, double scale, bool add, fc_real *out) {
  run(scratch, s, &(sink){.out = out, .scale = scale, .add = add});
}
