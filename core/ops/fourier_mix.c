/* core/ops/fourier_mix.c - y = s Re F x, F the discrete Fourier transform over the space axes and the
   channels of a sample (Lee-Thorp et al. 2022, arXiv 2105.03824, eq. 3): every number of y is a sum of all
   numbers of x, and there are no weights. x, y [B, X.., C].

   The channels are transformed as real numbers, the space axes then as complex ones, neighbouring modes side
   by side. Half of the modes suffices: Re F[k, l] = Re F[-k, C - l]. The map is symmetric, so it is its own
   transpose: dx = s Re F dy.

   Ranks that share the first axis turn their lines into shares of the modes l, each with all k. There the
   axis is transformed, and there -k is at hand: what goes back is Re F[k, l] and Re F[-k, l], the two numbers
   of y that l stands for. Each rank sends about as many numbers as it has of x, both times. */
#include "core/domain.h"
#include "core/ops/fft_axis.h"
#include "core/ops/fft_plans.h"
#include "core/ops/shard_turn.h"
#include "core/spans.h"

#include <math.h>

enum { ROW_NUMBERS = 4096, GROUP_BYTES = 1 << 23 };

typedef struct {
  int64_t B, n[3], C; /* axes that are not there have one point and come first */
  int64_t N, H;       /* points; modes of the channels in a row, an even number: the last may be unused */
  fc_real scale;
  int     first; /* which axis is the first one, of which ranks may have a block */
  fc_cut  lines;
} shape;

/* ---- channels: rows [C] -> [H] ---- */

static void transform_rows(fc_ctx *c, const shape *s, const fc_real *x, int64_t rows, fc_real *z) {
  const int64_t block = fc_max64(4, ROW_NUMBERS / s->C / 4 * 4), blocks = fc_ceil_div(rows, block);
  fc_fft_shape  f = {true, 1, {s->C}, fc_min64(block, rows), s->H};

  c->flops += 2.5 * (double)(rows * s->C) * log2((double)s->C);
  if (c->dry) return;
  const fc_fft_plan *full = fc_fft_plan_find(c, &f, (fc_real *)x, z);
  f.batch                 = rows - (blocks - 1) * block;
  const fc_fft_plan *rest = fc_fft_plan_find(c, &f, (fc_real *)x, z);
  FC_FOR_ROWS(t, blocks, 8 * block * s->C)
  fc_fft_plan_run(t < blocks - 1 ? full : rest, (fc_real *)x + t * block * s->C, z + t * block * s->H * 2);
}

/* ---- the real part of all modes ---- */

/* row of the opposite frequency within a sample */
static int64_t opposite(const shape *s, int64_t row) {
  int64_t at = 0, step = 1;

  for (int a = 2; a >= 0; row /= s->n[a], step *= s->n[a], a--)
    at += (s->n[a] - row % s->n[a]) % s->n[a] * step;
  return at;
}

/* y (+)= the row's real parts; plus: modes l = 0 .. C/2 of its frequency, minus: of the opposite one */
FC_SIMD static void store_row(fc_real *restrict y, const fc_real *restrict plus,
                              const fc_real *restrict minus, int64_t C, fc_real scale, bool fresh) {
  const int64_t half = C / 2 + 1;

  for (int64_t l = 0; l < half; l++) y[l] = fc_into(fresh, y[l], scale * plus[2 * l]);
  for (int64_t l = half; l < C; l++) y[l] = fc_into(fresh, y[l], scale * minus[2 * (C - l)]);
}

static void store_samples(const shape *s, const fc_real *z, int64_t samples, fc_real *y, bool fresh) {
  FC_FOR_ROWS(r, samples * s->N, 4 * s->C) {
    const int64_t b = r / s->N, k = r % s->N;
    store_row(y + r * s->C, z + r * s->H * 2, z + (b * s->N + opposite(s, k)) * s->H * 2, s->C, s->scale,
              fresh);
  }
}

/* ---- both directions ---- */

static void mix(fc_ctx *c, const shape *s, const fc_real *x, fc_real *y, bool fresh) {
  const size_t  mark  = fc_arena_mark(c->arena);
  const int64_t size  = s->N * s->H * 2;
  const int64_t group = fc_max64(1, fc_min64(s->B, GROUP_BYTES / (size * (int64_t)sizeof(fc_real))));
  fc_real      *z     = fc_arena_push(c->arena, (size_t)(group * size) * sizeof *z);
  fc_real      *next  = fc_arena_push(c->arena, (size_t)(group * size) * sizeof *z);

  for (int64_t b = 0; b < s->B; b += group) {
    const int64_t samples = fc_min64(group, s->B - b);
    fc_fft_axis   axis    = {samples, 1, 1, s->N * s->H};
    transform_rows(c, s, x + b * s->N * s->C, samples * s->N, z);
    for (int a = 0; a < 3; a++) {
      axis.inner /= s->n[a];
      axis.n = axis.kept = s->n[a];
      if (s->n[a] > 1) {
        fc_real *done = next;
        fc_fft_axis_forward(c, &axis, z, done);
        next = z, z = done;
      }
      axis.outer *= s->n[a];
    }
    if (!c->dry) store_samples(s, z, samples, y + b * s->N * s->C, fresh);
  }
  fc_arena_pop(c->arena, mark);
}

/* ---- shares ---- */

typedef struct { /* [B, own lines, M, H], [B, n, M, own modes]: M points of a line */
  int64_t       own_lines, M, own_modes;
  fc_shard_turn turn;
} shares;

static shares shares_of(const fc_ctx *c, const shape *s) {
  const fc_cut  modes = {s->H, 2}; /* lines of a transform are of even number */
  const int64_t M     = s->N / s->lines.n;

  return (shares){fc_cut_len(c, s->lines), M, fc_cut_len(c, modes), {s->B, M, 2, s->lines, modes}};
}

/* all axes but the first; the result is in *z */
static void transform_lines(fc_ctx *c, const shape *s, const shares *q, fc_real **z, fc_real **next) {
  fc_fft_axis axis = {s->B * q->own_lines, 1, 1, q->M * s->H};

  for (int a = s->first + 1; a < 3; a++) {
    axis.inner /= s->n[a];
    axis.n = axis.kept = s->n[a];
    if (s->n[a] > 1) {
      fc_real *done = *next;
      fc_fft_axis_forward(c, &axis, *z, done);
      *next = *z, *z = done;
    }
    axis.outer *= s->n[a];
  }
}

/* to [rows, own modes, 2]: real parts at a row's frequency and at the opposite one */
static void take_real_parts(const shape *s, const shares *q, const fc_real *z, fc_real *to) {
  const int64_t n = q->own_modes;

  FC_FOR_ROWS(r, s->B * s->N, 4 * n) {
    const fc_real *plus = z + r * n * 2, *minus = z + (r / s->N * s->N + opposite(s, r % s->N)) * n * 2;
    for (int64_t l = 0; l < n; l++) {
      to[(r * n + l) * 2]     = plus[2 * l];
      to[(r * n + l) * 2 + 1] = minus[2 * l];
    }
  }
}

/* y (+)= what the modes of own lines stand for */
static void store_lines(const shape *s, const shares *q, const fc_real *pairs, fc_real *y, bool fresh) {
  FC_FOR_ROWS(r, s->B * q->own_lines * q->M, 4 * s->C) {
    const fc_real *from = pairs + r * s->H * 2;
    store_row(y + r * s->C, from, from + 1, s->C, s->scale, fresh);
  }
}

static void mix_shares(fc_ctx *c, const shape *s, const fc_real *x, fc_real *y, bool fresh) {
  const size_t      mark = fc_arena_mark(c->arena);
  const shares      q    = shares_of(c, s);
  const int64_t     rows = s->B * q.own_lines * q.M;
  const size_t      size = (size_t)(rows * s->H * 2) * sizeof *x;
  const size_t      wide = (size_t)(s->B * s->N * q.own_modes * 2) * sizeof *x;
  const fc_fft_axis axis = {s->B, s->lines.n, s->lines.n, q.M * q.own_modes};
  fc_real          *z = fc_arena_push(c->arena, size), *next = fc_arena_push(c->arena, size);
  fc_real          *all = fc_arena_push(c->arena, wide), *done = fc_arena_push(c->arena, wide);

  transform_rows(c, s, x, rows, z);
  transform_lines(c, s, &q, &z, &next);
  fc_turn_shards(c, &q.turn, true, z, all, false);
  if (axis.inner) fc_fft_axis_forward(c, &axis, all, done);
  if (!c->dry) take_real_parts(s, &q, done, all);
  fc_turn_shards(c, &q.turn, false, all, z, false);
  if (!c->dry) store_lines(s, &q, z, y, fresh);
  fc_arena_pop(c->arena, mark);
}

/* "y = s Re F x": dx += s Re F dy */
static void backward(fc_ctx *c, const fc_node *node) {
  bool     fresh;
  fc_real *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (dx) (fc_domain_shared(c) ? mix_shares : mix)(c, node->saved, node->out->g, dx, fresh);
}

static const fc_op fourier_mix = {"fourier_mix", backward, true};

fc_tensor *fc_fourier_mix_shared(fc_ctx *c, fc_tensor *x, fc_cut lines, double scale) {
  const int d = x->ndim - 2;

  FC_ASSERT(d >= 1 && d <= 3 && fc_len(x) > 0, "fourier_mix: %s", fc_shape_text(x));
  fc_tensor *y = fc_tensor_new(c->arena, x->ndim, x->dim);
  shape     *s = fc_arena_push(c->arena, sizeof *s);
  *s           = (shape){.B     = x->dim[0],
                         .n     = {1, 1, 1},
                         .C     = fc_last(x),
                         .N     = lines.n * fc_span(x, 2, 1 + d),
                         .scale = (fc_real)scale,
                         .first = 3 - d,
                         .lines = lines};
  s->H         = 2 * fc_ceil_div(s->C / 2 + 1, 2);
  for (int a = 0; a < d; a++) s->n[3 - d + a] = a ? x->dim[1 + a] : lines.n;
  (fc_domain_shared(c) ? mix_shares : mix)(c, s, x->x, y->x, true);
  return fc_record(c, &fourier_mix, y, s, FC_IN(x));
}

fc_tensor *fc_fourier_mix(fc_ctx *c, fc_tensor *x, double scale) {
  return fc_fourier_mix_shared(c, x, (fc_cut){x->dim[1], 1}, scale);
}
