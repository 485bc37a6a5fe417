/* core/ops/mode_shards.c - from a field of whose first axis each rank has some lines to the modes of its own
   columns (frequencies of all other axes, core/ops/modes.h) and back.

   The other axes are transformed where the lines are. There a line's two channels are told apart,
     A(k) = (Z(k) + conj Z(-k)) / 2,   B(k) = (Z(k) - conj Z(-k)) / 2i   (core/ops/mode_fft.c),
   and shares of lines become shares of columns, along which the first axis is transformed:
     [B, own lines, Q, C] -> [B, n, own columns, C] -> [B, K, own columns, C],   Q columns.
   So a rank sends own lines x Q x C complex numbers each way, of which 1/ranks stay, and multiplies its modes
   alone. The way back is the transpose.

   On a single axis the frequencies are columns. Each rank sums its lines' part of all of them by a product
   with a table of cosines, and the parts are added up: 2 Q C numbers, however long the axis is. */
#include "core/domain.h"
#include "core/gemm.h"
#include "core/ops/modes.h"
#include "core/ops/shard_turn.h"
#include "core/parallel.h"
#include "core/spans.h"
#include "core/vmath.h"

#include <string.h>

typedef struct { /* sizes of one call; channels are an even number, as transforms want it */
  const fc_modes       *m;
  const fc_mode_shards *s;
  int64_t               B, C, even, own_lines, own_columns, kept;
} shares;

static shares shares_of(const fc_ctx *c, const fc_modes *m, int64_t B, int64_t C) {
  const fc_mode_shards *s = m->shards;

  return (shares){
      m, s, B, C, C + C % 2, fc_cut_len(c, s->lines), fc_cut_len(c, s->columns), m->kept[s->first]};
}

static fc_real *reals(fc_ctx *c, int64_t n) { return fc_arena_push(c->arena, (size_t)n * sizeof(fc_real)); }

/* ---- between lines and columns of lines [B own lines, Q, C] ---- */

/* channels of a column, from the spots of its frequency and the opposite one */
static void column_from_spots(fc_real *z, const fc_real *p, const fc_real *m, int64_t even) {
  for (int64_t c = 0; c < even; c += 2, p += 2, m += 2, z += 4) {
    z[0] = (fc_real)0.5 * (p[0] + m[0]);
    z[1] = (fc_real)0.5 * (p[1] - m[1]);
    z[2] = (fc_real)0.5 * (p[1] + m[1]);
    z[3] = (fc_real)0.5 * (m[0] - p[0]);
  }
}

/* spot += (A + i B) / 2, or of the conjugates of A and B: sign -1 */
static void add_column(fc_real *spot, const fc_real *z, int64_t even, fc_real sign) {
  for (int64_t c = 0; c < even; c += 2, spot += 2, z += 4) {
    spot[0] += (fc_real)0.5 * (z[0] - sign * z[3]);
    spot[1] += (fc_real)0.5 * (sign * z[1] + z[2]);
  }
}

/* boxes of n lines [n, spots, P] and their columns [n, Q, C] */
static void columns_from_boxes(const shares *q, const fc_mode_frame *f, int64_t n, const fc_real *box,
                               fc_real *to) {
  const fc_modes *m = f->m;
  const int64_t   Q = q->s->columns.n, step = f->P * 2;

  FC_FOR_ROWS(t, n * Q, 8 * q->even) {
    const fc_real *line = box + t / Q * m->spots * step;
    column_from_spots(to + t * q->even * 2, line + m->plus[t % Q] * step, line + m->minus[t % Q] * step,
                      q->even);
  }
}

static void boxes_from_columns(const shares *q, const fc_mode_frame *f, int64_t n, const fc_real *from,
                               fc_real *box) {
  const fc_modes *m    = f->m;
  const int64_t   step = q->even * 2;

  FC_FOR_ROWS(t, n * m->spots, 8 * f->P) {
    const fc_real *columns = from + t / m->spots * q->s->columns.n * step;
    fc_real       *spot    = box + t * f->P * 2;
    const int32_t  plus = m->at_plus[t % m->spots], minus = m->at_minus[t % m->spots];
    memset(spot, 0, (size_t)(f->P * 2) * sizeof *spot);
    if (plus >= 0) add_column(spot, columns + plus * step, q->even, 1);
    if (minus >= 0) add_column(spot, columns + minus * step, q->even, -1);
  }
}

/* the numbers of a line as a field has them, and as columns */
static int64_t field_line(const shares *q) { return q->s->across->n[1] * q->s->across->n[2] * q->C; }
static int64_t column_line(const shares *q) { return q->s->columns.n * q->even * 2; }

static void columns_from_lines(fc_ctx *c, const shares *q, const fc_real *field, fc_real *to) {
  const int64_t       lines = q->B * q->own_lines;
  const fc_mode_frame f     = fc_mode_frame_of(q->s->across, lines, q->C);
  const size_t        mark  = fc_arena_mark(c->arena);
  fc_mode_buffers     b     = fc_mode_buffers_push(c, &f);

  for (int64_t at = 0; at < lines; at += f.group) {
    const int64_t n = fc_min64(f.group, lines - at);
    fc_mode_box_from_field(c, &f, field + at * field_line(q), n, &b);
    if (!c->dry) columns_from_boxes(q, &f, n, b.box, to + at * column_line(q));
  }
  fc_arena_pop(c->arena, mark);
}

static void lines_from_columns(fc_ctx *c, const shares *q, const fc_real *from, const fc_fft_field *to) {
  const int64_t       lines = q->B * q->own_lines;
  const fc_mode_frame f     = fc_mode_frame_of(q->s->across, lines, q->C);
  const size_t        mark  = fc_arena_mark(c->arena);
  fc_mode_buffers     b     = fc_mode_buffers_push(c, &f);

  for (int64_t at = 0; at < lines; at += f.group) {
    const int64_t n = fc_min64(f.group, lines - at);
    if (!c->dry) boxes_from_columns(q, &f, n, from + at * column_line(q), b.box);
    fc_mode_field_from_box(c, &f, n, &b,
                           &(fc_fft_field){to->out + at * field_line(q), to->C, to->bias, to->add});
  }
  fc_arena_pop(c->arena, mark);
}

/* ---- between vectors of modes and arrays [B, kept, own columns, step] ---- */

/* where channel 0 of a lane of sample b lies */
static int64_t spot_of(const shares *q, int64_t b, int64_t lane) {
  return ((b * q->kept + q->s->row[lane]) * q->own_columns + q->s->column[lane]) * q->even * 2;
}

typedef struct {
  fc_real single, twice;
} factors;

static void vectors_from_columns(const shares *q, const fc_real *x, factors w, fc_real *z) {
  FC_FOR_ROWS(t, q->m->vectors * q->B, 4 * FC_LANES * q->C) {
    const int64_t v = t / q->B, b = t % q->B;
    fc_real      *to = z + t * q->C * 2 * FC_LANES;
    memset(to, 0, (size_t)(q->C * 2 * FC_LANES) * sizeof *to);
    for (int64_t l = 0; l < q->m->vector[v].lanes; l++) {
      const int64_t  lane = v * FC_LANES + l;
      const fc_real *from = x + spot_of(q, b, lane), k = q->m->single[lane] ? w.single : w.twice;
      for (int64_t c = 0; c < 2 * q->C; c++) to[c * FC_LANES + l] = k * from[c];
    }
  }
}

static void columns_from_vectors(const shares *q, const fc_real *z, factors w, fc_real *x) {
  memset(x, 0, (size_t)(q->B * q->kept * q->own_columns * q->even * 2) * sizeof *x);
  FC_FOR_ROWS(t, q->m->vectors * q->B, 4 * FC_LANES * q->C) {
    const int64_t  v = t / q->B, b = t % q->B;
    const fc_real *from = z + t * q->C * 2 * FC_LANES;
    for (int64_t l = 0; l < q->m->vector[v].lanes; l++) {
      const int64_t lane = v * FC_LANES + l;
      const fc_real k    = q->m->single[lane] ? w.single : w.twice;
      fc_real      *to   = x + spot_of(q, b, lane);
      for (int64_t c = 0; c < 2 * q->C; c++) to[c] = k * from[c * FC_LANES + l];
    }
  }
}

/* ---- two and three axes ---- */

static fc_shard_turn turn_of(const shares *q) {
  return (fc_shard_turn){q->B, 1, q->even * 2, q->s->lines, q->s->columns};
}

static fc_fft_axis first_axis(const shares *q) {
  return (fc_fft_axis){q->B, q->s->lines.n, q->kept, q->own_columns * q->even};
}

typedef struct {
  fc_real *lines, *columns,
      *modes; /* [B, own lines, Q, C], [B, n, own columns, C], [B, kept, own columns, C] */
} stages;

static stages push_stages(fc_ctx *c, const shares *q) {
  const int64_t size = q->even * 2 * q->B;
  stages        s;

  s.lines   = reals(c, size * q->own_lines * q->s->columns.n);
  s.columns = reals(c, size * q->own_columns * q->s->lines.n);
  s.modes   = reals(c, size * q->own_columns * q->kept);
  return s;
}

static void modes_of_field(fc_ctx *c, const shares *q, const fc_real *field, factors w, fc_real *z) {
  const stages        s    = push_stages(c, q);
  const fc_shard_turn turn = turn_of(q);
  const fc_fft_axis   a    = first_axis(q);

  columns_from_lines(c, q, field, s.lines);
  fc_turn_shards(c, &turn, true, s.lines, s.columns, false);
  if (a.inner) fc_fft_axis_forward(c, &a, s.columns, s.modes);
  if (!c->dry) vectors_from_columns(q, s.modes, w, z);
}

static void field_of_modes(fc_ctx *c, const shares *q, const fc_real *z, factors w, const fc_fft_field *to) {
  const stages        s    = push_stages(c, q);
  const fc_shard_turn turn = turn_of(q);
  const fc_fft_axis   a    = first_axis(q);

  if (!c->dry) columns_from_vectors(q, z, w, s.modes);
  if (a.inner) fc_fft_axis_inverse(c, &a, s.modes, s.columns);
  fc_turn_shards(c, &turn, false, s.columns, s.lines, false);
  lines_from_columns(c, q, s.lines, to);
}

/* ---- one axis: sums over the ranks' lines ---- */

/* [own lines, Q, 2]: cos, -sin of 2 pi q x / n; roots of unity are made once */
static fc_real *wave_table(fc_ctx *c, const shares *q) {
  const int64_t n = q->s->lines.n, Q = q->s->columns.n, lo = fc_cut_lo(c, q->s->lines);
  fc_real      *table = reals(c, q->own_lines * Q * 2), *root = reals(c, 2 * n);

  if (c->dry) return table;
  for (int64_t i = 0; i < n; i++) {
    const double angle = 2 * M_PI * (double)i / (double)n;
    root[2 * i]        = (fc_real)cos(angle);
    root[2 * i + 1]    = (fc_real)-sin(angle);
  }
  FC_FOR_ROWS(x, q->own_lines, 4 * Q)
  for (int64_t k = 0; k < Q; k++)
    memcpy(table + (x * Q + k) * 2, root + (lo + x) * k % n * 2, 2 * sizeof *root);
  return table;
}

/* A lane's numbers, real and imaginary parts of each channel, and those of its wave in sums [B, Q, 2, C] */
static fc_real *wave_of(const shares *q, int64_t lo, fc_real *sums, int64_t b, int64_t lane) {
  return sums + (b * q->s->columns.n + lo + q->s->column[lane]) * 2 * q->C;
}
static int64_t place_of(const shares *q, int64_t j) { return (j % q->C * 2 + j / q->C) * FC_LANES; }

/* z = factor times the sums (back = false), or the sums from z, each rank's own columns from lo on */
static void carry_waves(const shares *q, int64_t lo, fc_real *sums, factors w, fc_real *z, bool back) {
  FC_FOR_ROWS(t, q->m->vectors * q->B, 4 * FC_LANES * q->C) {
    const int64_t v = t / q->B, b = t % q->B;
    fc_real      *lanes = z + t * q->C * 2 * FC_LANES;
    if (!back) memset(lanes, 0, (size_t)(q->C * 2 * FC_LANES) * sizeof *lanes);
    for (int64_t l = 0; l < q->m->vector[v].lanes; l++) {
      fc_real      *wave = wave_of(q, lo, sums, b, v * FC_LANES + l);
      const fc_real k    = q->m->single[v * FC_LANES + l] ? w.single : w.twice;
      for (int64_t j = 0; j < 2 * q->C; j++)
        if (back)
          wave[j] = k * lanes[place_of(q, j) + l];
        else
          lanes[place_of(q, j) + l] = k * wave[j];
    }
  }
}

static double wave_flops(const shares *q) {
  return 4 * (double)(q->B * q->own_lines) * (double)(q->s->columns.n * q->C);
}

static void waves_of_field(fc_ctx *c, const shares *q, const fc_real *field, factors w, fc_real *z) {
  const int64_t  Q2 = 2 * q->s->columns.n, C = q->C, n = q->own_lines;
  const fc_real *table = wave_table(c, q);
  fc_real       *sums  = reals(c, q->B * Q2 * C);

  c->flops += wave_flops(q);
  for (int64_t b = 0; !c->dry && b < q->B; b++)
    fc_gemm_reduce(c->arena, Q2, C, n, table, Q2, field + b * n * C, C, false, sums + b * Q2 * C, C);
  fc_domain_sum(c, sums, q->B * Q2 * C);
  if (!c->dry) carry_waves(q, fc_cut_lo(c, q->s->columns), sums, w, z, false);
}

/* out (+)= waves; the modes of all ranks are brought together first. z is read only. */
static void field_of_waves(fc_ctx *c, const shares *q, const fc_real *z, factors w, const fc_fft_field *to) {
  const int64_t  Q2 = 2 * q->s->columns.n, C = q->C, n = q->own_lines;
  const fc_real *table = wave_table(c, q);
  fc_real       *sums  = reals(c, q->B * Q2 * C);

  if (!c->dry) {
    memset(sums, 0, (size_t)(q->B * Q2 * C) * sizeof *sums);
    carry_waves(q, fc_cut_lo(c, q->s->columns), sums, w, (fc_real *)z, true);
  }
  fc_domain_sum(c, sums, q->B * Q2 * C);
  c->flops += wave_flops(q);
  for (int64_t b = 0; !c->dry && b < q->B; b++) {
    fc_real *y = to->out + b * n * C;
    fc_gemm_rows(false, false, n, C, Q2, 1, table, Q2, sums + b * Q2 * C, C, to->add, y, C);
    for (int64_t r = 0; to->bias && r < n; r++) fc_span_add(y + r * C, to->bias, C);
  }
}

/* ---- both ---- */

void fc_modes_from_shares(fc_ctx *c, const fc_modes *m, int64_t B, int64_t C, const fc_real *field,
                          fc_real single, fc_real twice, fc_real *z) {
  const size_t mark = fc_arena_mark(c->arena);
  const shares q    = shares_of(c, m, B, C);

  (q.s->first < 2 ? modes_of_field : waves_of_field)(c, &q, field, (factors){single, twice}, z);
  fc_arena_pop(c->arena, mark);
}

void fc_modes_to_shares(fc_ctx *c, const fc_modes *m, int64_t B, const fc_real *z, fc_real single,
                        fc_real twice, const fc_fft_field *to) {
  const size_t mark = fc_arena_mark(c->arena);
  const shares q    = shares_of(c, m, B, to->C);

  (q.s->first < 2 ? field_of_modes : field_of_waves)(c, &q, z, (factors){single, twice}, to);
  fc_arena_pop(c->arena, mark);
}
