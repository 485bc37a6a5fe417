/* core/ops/mode_fft.c - from a channels-last field to its retained modes and back.

   Two channels a, b are one complex number a + i b, as they lie in memory, and all transforms are complex
   ones along one axis, with neighbouring channels in the lanes of a vector. FFTW does these several times
   faster than real ones, for which it has no vector code. At the end
     A(k) = (Z(k) + conj Z(-k)) / 2,   B(k) = (Z(k) - conj Z(-k)) / 2i.
   Behind each axis only the frequencies -K .. K stay, so that later axes have less to do:
     [B, n0, n1, n2, P] -> [B, n0, n1, K2, P] -> [B, n0, K1, K2, P] -> the box [B, K0, K1, K2, P],  P pairs.
   The way back is the transpose: the box is zero where no mode is, and
     Z(k) += w (A + i B)(k),   Z(-k) += w conj A(k) + i w conj B(k). */
#include "core/ops/modes.h"
#include "core/parallel.h"

#include <string.h>

enum { GROUP_BYTES = 1 << 23 };

typedef fc_mode_frame frame;

frame fc_mode_frame_of(const fc_modes *m, int64_t B, int64_t C) {
  const int64_t P    = 2 * fc_ceil_div(C, 4); /* even, as fft_axis wants it */
  const int64_t size = m->n[0] * m->n[1] * m->kept[2] * P * 2 * (int64_t)sizeof(fc_real);

  return (frame){m, B, C, P, fc_max64(1, fc_min64(B, GROUP_BYTES / size))};
}

static fc_fft_axis axis_of(const frame *f, int axis, int64_t samples) {
  const fc_modes *m = f->m;
  fc_fft_axis     a = {samples, m->n[axis], m->kept[axis], f->P};

  for (int i = 0; i < axis; i++) a.outer *= m->n[i];
  for (int i = axis + 1; i < 3; i++) a.inner *= m->kept[i];
  return a;
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
  const fc_modes *m    = f->m;
  const int64_t   size = m->n[0] * m->n[1] * m->kept[2] * f->P * 2;

  return fc_arena_push(c->arena, (size_t)(f->group * size) * sizeof(fc_real));
}

fc_mode_buffers fc_mode_buffers_push(fc_ctx *c, const frame *f) {
  fc_real *box = push_buffer(c, f);

  return (fc_mode_buffers){box, push_buffer(c, f)};
}

static void swap(fc_mode_buffers *b) { *b = (fc_mode_buffers){b->next, b->box}; }

void fc_mode_box_from_field(fc_ctx *c, const frame *f, const fc_real *field, int64_t samples,
                            fc_mode_buffers *b) {
  fc_fft_axis a = axis_of(f, 2, samples);

  fc_fft_axis_from_field(c, &a, field, f->C, b->box);
  for (int i = 1; i >= 0; i--) {
    if (f->m->n[i] == 1) continue;
    a = axis_of(f, i, samples);
    fc_fft_axis_forward(c, &a, b->box, b->next);
    swap(b);
  }
}

void fc_mode_field_from_box(fc_ctx *c, const frame *f, int64_t samples, fc_mode_buffers *b,
                            const fc_fft_field *to) {
  fc_fft_axis a;

  for (int i = 0; i < 2; i++) {
    if (f->m->n[i] == 1) continue;
    a = axis_of(f, i, samples);
    fc_fft_axis_inverse(c, &a, b->box, b->next);
    swap(b);
  }
  a = axis_of(f, 2, samples);
  fc_fft_axis_to_field(c, &a, b->box, to);
}

void fc_modes_from_field(fc_ctx *c, const fc_modes *m, int64_t B, int64_t C, const fc_real *field,
                         fc_real single, fc_real twice, fc_real *z) {
  const frame   f      = fc_mode_frame_of(m, B, C);
  const int64_t points = m->n[0] * m->n[1] * m->n[2] * C;
  const size_t  mark   = fc_arena_mark(c->arena);

  if (m->shards) {
    fc_modes_from_shares(c, m, B, C, field, single, twice, z);
    return;
  }
  fc_mode_buffers buffers = fc_mode_buffers_push(c, &f);
  for (int64_t b = 0; b < B; b += f.group) {
    const int64_t samples = fc_min64(f.group, B - b);
    fc_mode_box_from_field(c, &f, field + b * points, samples, &buffers);
    if (!c->dry) vectors_from_box(&f, buffers.box, b, samples, single, twice, z);
  }
  fc_arena_pop(c->arena, mark);
}

void fc_modes_to_field(fc_ctx *c, const fc_modes *m, int64_t B, const fc_real *z, fc_real single,
                       fc_real twice, const fc_fft_field *to) {
  const frame   f      = fc_mode_frame_of(m, B, to->C);
  const int64_t points = m->n[0] * m->n[1] * m->n[2] * to->C;
  const size_t  mark   = fc_arena_mark(c->arena);

  if (m->shards) {
    fc_modes_to_shares(c, m, B, z, single, twice, to);
    return;
  }
  fc_mode_buffers buffers = fc_mode_buffers_push(c, &f);
  for (int64_t b = 0; b < B; b += f.group) {
    const int64_t samples = fc_min64(f.group, B - b);
    if (!c->dry) box_from_vectors(&f, z, b, samples, single, twice, buffers.box);
    fc_mode_field_from_box(c, &f, samples, &buffers,
                           &(fc_fft_field){to->out + b * points, to->C, to->bias, to->add});
  }
  fc_arena_pop(c->arena, mark);
}
