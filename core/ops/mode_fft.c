/* core/ops/mode_fft.c - from a channels-last field to its retained modes and back.

   Two channels a, b are one complex number a + i b, as they lie in memory, and all transforms are complex
   ones along one axis, with neighbouring channels in the lanes of a vector. FFTW does these several times
   faster than real ones, for which it has no vector code. At the end A(k) = (Z(k) + conj Z(-k)) / 2,   B(k) =
   (Z(k) - conj Z(-k)) / 2i. Behind each axis only the frequencies -K .. K stay, so later axes have less to
   do: [B, n0, n1, n2, P] -> [B, n0, n1, K2, P] -> [B, n0, K1, K2, P] -> [B, K0, K1, K2, P],  P pairs. The way
   back is the transpose: the box is zero where no mode is, and Z(k) += w (A + i B)(k),  Z(-k) += w conj A(k)
   + i w conj B(k). */
#include "core/ops/fft_plans.h"
#include "core/ops/modes.h"
#include "core/parallel.h"

#include <math.h>
#include <string.h>

enum { LINE_NUMBERS = 4096, GROUP_BYTES = 1 << 23 };

typedef struct { /* [outer, n, inner] <-> [outer, kept, inner] complex numbers */
  int64_t outer, n, kept, inner;
  int64_t width, blocks; /* lines done by one FFTW call: about LINE_NUMBERS numbers */
  bool    inverse;
} axis_pass;

typedef struct { /* sizes of one call */
  const fc_modes *m;
  int64_t         B, C, P, group; /* samples done at a time, so that both buffers stay small */
} frame;

static frame make_frame(const fc_modes *m, int64_t B, int64_t C) {
  const int64_t P    = 2 * fc_ceil_div(C, 4); /* even, so that every line begins on FFTW's alignment */
  const int64_t size = m->n[0] * m->n[1] * m->kept[2] * P * 2 * (int64_t)sizeof(fc_real);

  return (frame){m, B, C, P, fc_max64(1, fc_min64(B, GROUP_BYTES / size))};
}

static axis_pass make_pass(const frame *f, int axis, int64_t samples, bool inverse) {
  const fc_modes *m = f->m;
  axis_pass       p = {samples, m->n[axis], m->kept[axis], f->P, .inverse = inverse};

  for (int a = 0; a < axis; a++) p.outer *= m->n[a];
  for (int a = axis + 1; a < 3; a++) p.inner *= m->kept[a];
  p.width  = fc_min64(p.inner, fc_max64(8, LINE_NUMBERS / p.n / 8 * 8));
  p.blocks = fc_ceil_div(p.inner, p.width);
  return p;
}

static double flops_of(const axis_pass *p) {
  return 5.0 * (double)(p->outer * p->n * p->inner) * log2((double)fc_max64(p->n, 1));
}

/* scratch of a thread: the lines before and behind the transform */
static int64_t pass_room(const axis_pass *p) { return 4 * p->n * p->width; }

/* ---- one axis ---- */

/* the plans of full blocks and of the last one */
typedef struct {
  const fc_fft_plan *full, *rest;
} plans;

static plans find_plans(fc_ctx *c, const axis_pass *p, int64_t stride_in, int64_t stride_out, fc_real *in,
                        fc_real *out) {
  const int64_t rest = p->inner - (p->blocks - 1) * p->width;
  fc_fft_lines  l    = {p->inverse, p->n, p->width, stride_in, stride_out};
  plans         s;

  s.full  = fc_fft_lines_find(c, &l, in, out);
  l.batch = rest;
  s.rest  = fc_fft_lines_find(c, &l, in, out);
  return s;
}

/* [n or kept, width] -> [kept or n, stride]: frequencies 0 .. K and -K .. -1 change places with all n */
static void keep_low(const axis_pass *p, const fc_real *all, fc_real *low, int64_t width) {
  const int64_t front = (p->kept + 1) / 2, bytes = 2 * width * (int64_t)sizeof *all;

  for (int64_t j = 0; j < p->kept; j++) {
    const int64_t from = j < front ? j : p->n - p->kept + j;
    memcpy(low + 2 * j * p->inner, all + 2 * from * p->width, (size_t)bytes);
  }
}

static void spread_low(const axis_pass *p, const fc_real *low, fc_real *all, int64_t width) {
  const int64_t front = (p->kept + 1) / 2, bytes = 2 * width * (int64_t)sizeof *all;

  for (int64_t i = 0; i < p->n; i++) {
    const bool zero = i >= front && i < p->n - (p->kept - front);
    if (zero)
      memset(all + 2 * i * p->width, 0, (size_t)bytes);
    else
      memcpy(all + 2 * i * p->width, low + 2 * (i < front ? i : i - p->n + p->kept) * p->inner,
             (size_t)bytes);
  }
}

/* columns 2 at .. of a field's lines [n, C], padded with zeros */
static void load_field(const axis_pass *p, const fc_real *x, int64_t C, int64_t at, int64_t width,
                       fc_real *z) {
  const int64_t have = fc_min64(2 * width, C - 2 * at);

  for (int64_t i = 0; i < p->n; i++) {
    memcpy(z + 2 * i * p->width, x + i * C + 2 * at, (size_t)have * sizeof *z);
    for (int64_t j = have; j < 2 * width; j++) z[2 * i * p->width + j] = 0;
  }
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

static void store_field(const axis_pass *p, const fc_modes_store *s, int64_t line, int64_t C, int64_t at,
                        int64_t width, const fc_real *z) {
  store_lines(s->out + line * p->n * C + 2 * at, C, z, 2 * p->width, s->bias ? s->bias + 2 * at : NULL, p->n,
              fc_min64(2 * width, C - 2 * at), s->add);
}

/* ---- all axes, forward ---- */

/* C is that of a field the lines are read from, 0: from pairs */
static void forward_axis(fc_ctx *c, const axis_pass *p, fc_real *in, int64_t C, fc_real *out) {
  const size_t  mark   = fc_arena_mark(c->arena);
  const int64_t room   = pass_room(p);
  const bool    direct = !C || C == 2 * p->inner; /* the field's lines are pairs as they are */
  fc_real      *all    = fc_arena_push(c->arena, (size_t)(fc_threads() * room) * sizeof *all);

  c->flops += flops_of(p);
  if (!c->dry) {
    const plans plan =
        find_plans(c, p, direct ? p->inner : p->width, p->width, direct ? in : all + room / 2, all);
    FC_FOR_ROWS(t, p->outer * p->blocks, 8 * p->n * p->width) {
      const int64_t line = t / p->blocks, at = t % p->blocks * p->width,
                    width = fc_min64(p->width, p->inner - at);
      fc_real *mine = all + fc_thread() * room, *from = mine + room / 2;
      if (direct)
        from = in + 2 * (line * p->n * p->inner + at);
      else
        load_field(p, in + line * p->n * C, C, at, width, from);
      fc_fft_lines_run(width == p->width ? plan.full : plan.rest, from, mine);
      keep_low(p, mine, out + 2 * (line * p->kept * p->inner + at), width);
    }
  }
  fc_arena_pop(c->arena, mark);
}

/* ---- box and vectors of modes ---- */

/* one lane of z from the spots of a frequency and its opposite */
static void lane_from_spots(fc_real *z, const fc_real *p, const fc_real *m, int64_t C, fc_real w) {
  enum { CHANNEL = 2 * FC_LANES };

  w /= 2;
  for (int64_t c = 0; c + 1 < C; c += 2, p += 2, m += 2, z += 2 * CHANNEL) {
    z[0]                  = w * (p[0] + m[0]);
    z[FC_LANES]           = w * (p[1] - m[1]);
    z[CHANNEL]            = w * (p[1] + m[1]);
    z[CHANNEL + FC_LANES] = w * (m[0] - p[0]);
  }
  if (C % 2) {
    z[0]        = w * (p[0] + m[0]);
    z[FC_LANES] = w * (p[1] - m[1]);
  }
}

static void clear_lane(fc_real *z, int64_t C) {
  for (int64_t c = 0; c < 2 * C; c++) z[c * FC_LANES] = 0;
}

static void vectors_from_box(const frame *f, const fc_real *box, int64_t first, int64_t samples,
                             fc_real single, fc_real twice, fc_real *z) {
  const fc_modes *m = f->m;

  FC_FOR_ROWS(t, m->vectors * samples, 16 * FC_LANES * f->C) {
    const int64_t  v = t / samples, b = t % samples;
    fc_real       *to   = z + (v * f->B + first + b) * f->C * 2 * FC_LANES;
    const fc_real *from = box + b * m->spots * f->P * 2;
    for (int64_t l = 0; l < FC_LANES; l++) {
      const int64_t lane = v * FC_LANES + l;
      if (l < m->vector[v].lanes)
        lane_from_spots(to + l, from + m->plus[lane] * f->P * 2, from + m->minus[lane] * f->P * 2, f->C,
                        m->single[lane] ? single : twice);
      else
        clear_lane(to + l, f->C);
    }
  }
}

/* spot += w (A + i B), or of the conjugates of A and B: sign -1 */
static void add_lane(fc_real *spot, const fc_real *z, int64_t C, fc_real w, fc_real sign) {
  enum { CHANNEL = 2 * FC_LANES };

  for (int64_t c = 0; c + 1 < C; c += 2, spot += 2, z += 2 * CHANNEL) {
    spot[0] += w * (z[0] - sign * z[CHANNEL + FC_LANES]);
    spot[1] += w * (sign * z[FC_LANES] + z[CHANNEL]);
  }
  if (C % 2) {
    spot[0] += w * z[0];
    spot[1] += w * sign * z[FC_LANES];
  }
}

static void box_from_vectors(const frame *f, const fc_real *z, int64_t first, int64_t samples, fc_real single,
                             fc_real twice, fc_real *box) {
  const fc_modes *m = f->m;

  FC_FOR_ROWS(t, samples * m->spots, 16 * f->P) {
    const int64_t b = first + t / m->spots, lanes[2] = {m->at_plus[t % m->spots], m->at_minus[t % m->spots]};
    fc_real      *spot = box + t * f->P * 2;
    memset(spot, 0, (size_t)(f->P * 2) * sizeof *spot);
    for (int i = 0; i < 2; i++) {
      if (lanes[i] < 0) continue;
      const fc_real *from = z + (lanes[i] / FC_LANES * f->B + b) * f->C * 2 * FC_LANES + lanes[i] % FC_LANES;
      add_lane(spot, from, f->C, (m->single[lanes[i]] ? single : twice) / 2, i ? -1 : 1);
    }
  }
}

/* ---- the two maps ---- */

static fc_real *push_buffer(fc_ctx *c, const frame *f) {
  const fc_modes *m = f->m;
  return fc_arena_push(c->arena,
                       (size_t)(f->group * m->n[0] * m->n[1] * m->kept[2] * f->P * 2) * sizeof(fc_real));
}

static void swap(fc_real **a, fc_real **b) {
  fc_real *t = *a;
  *a = *b, *b = t;
}

void fc_modes_from_field(fc_ctx *c, const fc_modes *m, int64_t B, int64_t C, const fc_real *field,
                         fc_real single, fc_real twice, fc_real *z) {
  const frame   f      = make_frame(m, B, C);
  const int64_t points = m->n[0] * m->n[1] * m->n[2] * C;
  const size_t  mark   = fc_arena_mark(c->arena);
  fc_real      *box = push_buffer(c, &f), *next = push_buffer(c, &f);

  for (int64_t b = 0; b < B; b += f.group) {
    const int64_t samples = fc_min64(f.group, B - b);
    axis_pass     p       = make_pass(&f, 2, samples, false);
    forward_axis(c, &p, (fc_real *)field + b * points, C, box);
    for (int a = 1; a >= 0; a--) {
      if (m->n[a] == 1) continue;
      p = make_pass(&f, a, samples, false);
      forward_axis(c, &p, box, 0, next);
      swap(&box, &next);
    }
    if (!c->dry) vectors_from_box(&f, box, b, samples, single, twice, z);
  }
  fc_arena_pop(c->arena, mark);
}

/* [outer, kept, inner] -> [outer, n, inner], or into the field if there is one */
static void inverse_axis(fc_ctx *c, const axis_pass *p, const fc_real *in, fc_real *out,
                         const fc_modes_store *store, int64_t C) {
  const size_t  mark = fc_arena_mark(c->arena);
  const int64_t room = pass_room(p);
  fc_real      *all  = fc_arena_push(c->arena, (size_t)(fc_threads() * room) * sizeof *all);

  c->flops += flops_of(p);
  if (!c->dry) {
    const plans plan =
        find_plans(c, p, p->width, store ? p->width : p->inner, all, store ? all + room / 2 : out);
    FC_FOR_ROWS(t, p->outer * p->blocks, 8 * p->n * p->width) {
      const int64_t line = t / p->blocks, at = t % p->blocks * p->width,
                    width = fc_min64(p->width, p->inner - at);
      fc_real *mine       = all + fc_thread() * room;
      fc_real *to         = store ? mine + room / 2 : out + 2 * (line * p->n * p->inner + at);
      spread_low(p, in + 2 * (line * p->kept * p->inner + at), mine, width);
      fc_fft_lines_run(width == p->width ? plan.full : plan.rest, mine, to);
      if (store) store_field(p, store, line, C, at, width, to);
    }
  }
  fc_arena_pop(c->arena, mark);
}

void fc_modes_to_field(fc_ctx *c, const fc_modes *m, int64_t B, int64_t C, const fc_real *z, fc_real single,
                       fc_real twice, const fc_modes_store *store) {
  const frame   f      = make_frame(m, B, C);
  const int64_t points = m->n[0] * m->n[1] * m->n[2] * C;
  const size_t  mark   = fc_arena_mark(c->arena);
  fc_real      *box = push_buffer(c, &f), *next = push_buffer(c, &f);

  for (int64_t b = 0; b < B; b += f.group) {
    const int64_t  samples = fc_min64(f.group, B - b);
    fc_modes_store s       = *store;
    if (!c->dry) box_from_vectors(&f, z, b, samples, single, twice, box);
    for (int a = 0; a < 2; a++) {
      if (m->n[a] == 1) continue;
      const axis_pass p = make_pass(&f, a, samples, true);
      inverse_axis(c, &p, box, next, NULL, 0);
      swap(&box, &next);
    }
    s.out += b * points;
    const axis_pass p = make_pass(&f, 2, samples, true);
    inverse_axis(c, &p, box, NULL, &s, C);
  }
  fc_arena_pop(c->arena, mark);
}
