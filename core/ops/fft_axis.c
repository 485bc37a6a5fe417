/* core/ops/fft_axis.c */
#include "core/ops/fft_axis.h"

#include "core/ops/fft_plans.h"
#include "core/parallel.h"

#include <math.h>
#include <string.h>

enum { LINE_NUMBERS = 4096 };

typedef struct {
  fc_fft_axis        a;
  int64_t            width, blocks; /* lines done by one FFTW call: about LINE_NUMBERS numbers */
  int64_t            room;          /* of a thread: the lines before and behind the transform */
  fc_real           *scratch;
  const fc_fft_plan *full, *rest; /* of whole blocks and of the last one */
} pass;

static pass begin(fc_ctx *c, const fc_fft_axis *a) {
  pass p = {.a = *a};

  p.width   = fc_min64(a->inner, fc_max64(8, LINE_NUMBERS / a->n / 8 * 8));
  p.blocks  = fc_ceil_div(a->inner, p.width);
  p.room    = 4 * a->n * p.width;
  p.scratch = fc_arena_push(c->arena, (size_t)(fc_threads() * p.room) * sizeof(fc_real));
  c->flops += 5.0 * (double)(a->outer * a->n * a->inner) * log2((double)fc_max64(a->n, 1));
  return p;
}

static void plan(fc_ctx *c, pass *p, bool inverse, const fc_real *in, int64_t stride_in, fc_real *out,
                 int64_t stride_out) {
  fc_fft_lines l = {inverse, p->a.n, p->width, stride_in, stride_out};

  p->full = fc_fft_lines_find(c, &l, (fc_real *)in, out);
  l.batch = p->a.inner - (p->blocks - 1) * p->width;
  p->rest = fc_fft_lines_find(c, &l, (fc_real *)in, out);
}

/* ---- one block of lines: which, and where on both sides ---- */

typedef struct {
  int64_t            line, at, width; /* outer index, first of the inner numbers, how many */
  const fc_fft_plan *plan;
  fc_real           *first, *second; /* scratch */
} block;

static block block_of(const pass *p, int64_t t) {
  block b = {t / p->blocks, t % p->blocks * p->width};

  b.width  = fc_min64(p->width, p->a.inner - b.at);
  b.plan   = b.width == p->width ? p->full : p->rest;
  b.first  = p->scratch + fc_thread() * p->room;
  b.second = b.first + p->room / 2;
  return b;
}

/* where number (line, row, at) lies in an array with so many rows */
static int64_t place(const pass *p, const block *b, int64_t rows) {
  return 2 * (b->line * rows * p->a.inner + b->at);
}

#define FOR_BLOCKS(b, p)                                                                                     \
  FC_FOR_ROWS(t_, (p)->a.outer *(p)->blocks, 8 * (p)->a.n * (p)->width)                                      \
  for (block b = block_of(p, t_); b.plan; b.plan = NULL)

/* all n rows in scratch -> low frequencies */
static void keep_low(const pass *p, const block *b, const fc_real *all, fc_real *low) {
  const int64_t n = p->a.n, kept = p->a.kept, front = (kept + 1) / 2;

  low += place(p, b, kept);
  for (int64_t j = 0; j < kept; j++) {
    const int64_t from = j < front ? j : n - kept + j;
    memcpy(low + 2 * j * p->a.inner, all + 2 * from * p->width, (size_t)(2 * b->width) * sizeof *all);
  }
}

static void spread_low(const pass *p, const block *b, const fc_real *low, fc_real *all) {
  const int64_t n = p->a.n, kept = p->a.kept, front = (kept + 1) / 2;
  const size_t  bytes = (size_t)(2 * b->width) * sizeof *all;

  low += place(p, b, kept);
  for (int64_t i = 0; i < n; i++) {
    if (i >= front && i < n - (kept - front))
      memset(all + 2 * i * p->width, 0, bytes);
    else
      memcpy(all + 2 * i * p->width, low + 2 * (i < front ? i : i - n + kept) * p->a.inner, bytes);
  }
}

/* ---- between complex arrays ---- */

void fc_fft_axis_forward(fc_ctx *c, const fc_fft_axis *a, const fc_real *in, fc_real *out) {
  const size_t mark = fc_arena_mark(c->arena);
  pass         p    = begin(c, a);

  if (!c->dry) {
    plan(c, &p, false, in, a->inner, p.scratch, p.width);
    FOR_BLOCKS(b, &p) {
      fc_fft_lines_run(b.plan, in + place(&p, &b, a->n), b.first);
      keep_low(&p, &b, b.first, out);
    }
  }
  fc_arena_pop(c->arena, mark);
}

void fc_fft_axis_inverse(fc_ctx *c, const fc_fft_axis *a, const fc_real *in, fc_real *out) {
  const size_t mark = fc_arena_mark(c->arena);
  pass         p    = begin(c, a);

  if (!c->dry) {
    plan(c, &p, true, p.scratch, p.width, out, a->inner);
    FOR_BLOCKS(b, &p) {
      spread_low(&p, &b, in, b.first);
      fc_fft_lines_run(b.plan, b.first, out + place(&p, &b, a->n));
    }
  }
  fc_arena_pop(c->arena, mark);
}

/* ---- between a complex array and a real field ---- */

/* the block's channels, padded with zeros */
static void load_field(const pass *p, const block *b, const fc_real *x, int64_t C, fc_real *z) {
  const int64_t have = fc_min64(2 * b->width, C - 2 * b->at);

  x += b->line * p->a.n * C + 2 * b->at;
  for (int64_t i = 0; i < p->a.n; i++, x += C, z += 2 * p->width) {
    memcpy(z, x, (size_t)have * sizeof *z);
    for (int64_t j = have; j < 2 * b->width; j++) z[j] = 0;
  }
}

void fc_fft_axis_from_field(fc_ctx *c, const fc_fft_axis *a, const fc_real *field, int64_t C, fc_real *out) {
  const size_t mark = fc_arena_mark(c->arena);

  if (C == 2 * a->inner) { /* its lines are pairs as they are */
    fc_fft_axis_forward(c, a, field, out);
    return;
  }
  pass p = begin(c, a);
  if (!c->dry) {
    plan(c, &p, false, p.scratch + p.room / 2, p.width, p.scratch, p.width);
    FOR_BLOCKS(b, &p) {
      load_field(&p, &b, field, C, b.second);
      fc_fft_lines_run(b.plan, b.second, b.first);
      keep_low(&p, &b, b.first, out);
    }
  }
  fc_arena_pop(c->arena, mark);
}

/* y (+)= z + bias over lines of n numbers that lie ldy and ldz apart */
FC_SIMD static void store_lines(fc_real *restrict y, int64_t ldy, const fc_real *restrict z, int64_t ldz,
                                const fc_real *restrict bias, int64_t lines, int64_t n, bool add) {
  for (; lines; lines--, y += ldy, z += ldz) {
    if (add && bias)
      FC_VECTOR for (int64_t j = 0; j < n; j++) y[j] += z[j] + bias[j];
    else if (add)
      FC_VECTOR for (int64_t j = 0; j < n; j++) y[j] += z[j];
    else if (bias)
      FC_VECTOR for (int64_t j = 0; j < n; j++) y[j] = z[j] + bias[j];
    else
      FC_VECTOR for (int64_t j = 0; j < n; j++) y[j] = z[j];
  }
}

static void store_field(const pass *p, const block *b, const fc_real *z, const fc_fft_field *to) {
  const int64_t C = to->C, at = 2 * b->at;

  store_lines(to->out + b->line * p->a.n * C + at, C, z, 2 * p->width, to->bias ? to->bias + at : NULL,
              p->a.n, fc_min64(2 * b->width, C - at), to->add);
}

void fc_fft_axis_to_field(fc_ctx *c, const fc_fft_axis *a, const fc_real *in, const fc_fft_field *to) {
  const size_t mark = fc_arena_mark(c->arena);
  pass         p    = begin(c, a);

  if (!c->dry) {
    plan(c, &p, true, p.scratch, p.width, p.scratch + p.room / 2, p.width);
    FOR_BLOCKS(b, &p) {
      spread_low(&p, &b, in, b.first);
      fc_fft_lines_run(b.plan, b.first, b.second);
      store_field(&p, &b, b.second, to);
    }
  }
  fc_arena_pop(c->arena, mark);
}
