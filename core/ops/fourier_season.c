/* core/ops/fourier_season.c - each series rebuilt from its k strongest frequencies and continued (ETSformer:
   Woo et al. 2022):
     X_f = sum_t x_t exp(-i w f t), w = 2 pi / T, low <= f < T / 2;   F the k frequencies of largest |X_f|
     y_t = 2 / T sum_{f in F} |X_f| cos(w f t + arg X_f) = 2 / T sum_{f in F} Re X_f exp(i w f t)
   x [B, T, D] -> y [B, T + extra, D]; every channel of every sample has an F of its own.

   The choice looks at all X_f, by an FFT that takes two neighbouring channels as one complex series. Given F,
   y is a symmetric projection of x: the few X_f of F are summed again for each channel by itself (a strong
   neighbour leaves no trace) and waves built from them, in backward from dy. Waves are turned on step by step
   in the lanes of a tile of channels, and set anew from a table every few steps, so that rounding does not
   grow. y repeats itself after T steps. */
#include "core/ops.h"
#include "core/ops/fft_axis.h"
#include "core/spans.h"
#include "core/vmath.h"

#include <string.h>

enum {
  TILE = 64, /* channels of one task */
  RUN  = 4,  /* steps by rotation from the wave at their beginning */
  RUNS = 4   /* runs, whose beginnings are rotations too, from one look into the table to the next */
};

typedef struct {
  int64_t  B, T, D, steps, k, low;
  int64_t  tiles;
  fc_real *cosine, *sine; /* of w j, j < T */
  int32_t *chosen;        /* [B, k, D] */
} season;

typedef struct { /* channels at .. at+n-1 of sample b */
  int64_t b, at, n;
} tile;

static tile tile_of(const season *s, int64_t task) {
  const int64_t at = task % s->tiles * TILE;

  return (tile){task / s->tiles, at, fc_min64(TILE, s->D - at)};
}

static int32_t *chosen_of(const season *s, const tile *a, int64_t j) {
  return s->chosen + (a->b * s->k + j) * s->D + a->at;
}

static void make_table(season *s) {
  for (int64_t j = 0; j < s->T; j++) {
    const double angle = 6.283185307179586 * (double)j / (double)s->T;
    s->cosine[j]       = (fc_real)cos(angle);
    s->sine[j]         = (fc_real)sin(angle);
  }
}

/* Where the waves of n frequencies stand when a run begins. */
typedef struct {
  int     runs;                       /* so far */
  int32_t place[TILE], stride[TILE];  /* f t mod T, and what RUN RUNS steps add to it */
  fc_real c[TILE], s[TILE];           /* cosine and sine of w f t */
  fc_real one[2][TILE], run[2][TILE]; /* of w f, and of w f RUN */
} hands;

FC_SIMD static void look_up(fc_real *restrict c, fc_real *restrict z, const fc_real *restrict cosine,
                            const fc_real *restrict sine, const int32_t *restrict place, int64_t n) {
  for (int64_t d = 0; d < n; d++) c[d] = cosine[place[d]], z[d] = sine[place[d]];
}

static void set(const season *s, hands *h, const int32_t *f, int64_t n) {
  const int32_t T = (int32_t)s->T;

  for (int64_t d = 0; d < n; d++) h->place[d] = f[d] * RUN % T, h->stride[d] = f[d] * RUN * RUNS % T;
  look_up(h->one[0], h->one[1], s->cosine, s->sine, f, n);
  look_up(h->run[0], h->run[1], s->cosine, s->sine, h->place, n);
}

static void rewind_to_zero(hands *h, int64_t n) {
  h->runs = 0;
  for (int64_t d = 0; d < n; d++) h->place[d] = 0, h->c[d] = 1, h->s[d] = 0;
}

FC_SIMD static void turn(fc_real *restrict c, fc_real *restrict z, const fc_real *restrict p,
                         const fc_real *restrict q, int64_t n) {
  for (int64_t d = 0; d < n; d++) {
    const fc_real a = c[d], b = z[d];
    c[d] = a * p[d] - b * q[d];
    z[d] = a * q[d] + b * p[d];
  }
}

FC_SIMD static void advance(int32_t *restrict place, const int32_t *restrict stride, int32_t T, int64_t n) {
  for (int64_t d = 0; d < n; d++) {
    const int32_t to = place[d] + stride[d];
    place[d]         = to < T ? to : to - T;
  }
}

static void next_run(const season *s, hands *h, int64_t n) {
  if (++h->runs % RUNS) {
    turn(h->c, h->s, h->run[0], h->run[1], n);
    return;
  }
  advance(h->place, h->stride, (int32_t)s->T, n);
  look_up(h->c, h->s, s->cosine, s->sine, h->place, n);
}

/* ---- kernels of one frequency for each of n channels; steps lie D numbers apart. A run's number of steps is
   known when it is compiled, so that a channel's wave stays in registers ---- */

/* wave [RUN, TILE] = re cos(w f t) + im sin(w f t): u + i v = (re - i im) exp(i w f t) */
FC_SIMD static void make_run(fc_real *restrict wave, const fc_real *restrict re, const fc_real *restrict im,
                             const hands *restrict h, int64_t n) {
  FC_VECTOR for (int64_t d = 0; d < n; d++) {
    fc_real u = re[d] * h->c[d] + im[d] * h->s[d], v = re[d] * h->s[d] - im[d] * h->c[d];
    FC_PRAGMA(GCC unroll 4)
    for (int t = 0; t < RUN; t++) {
      const fc_real a = u, b = v;
      wave[t * TILE + d] = a;
      u                  = a * h->one[0][d] - b * h->one[1][d];
      v                  = a * h->one[1][d] + b * h->one[0][d];
    }
  }
}

FC_SIMD static void put_rows(fc_real *restrict y, const fc_real *restrict wave, int64_t rows, int64_t D,
                             int64_t n, bool fresh) {
  for (int64_t t = 0; t < rows; t++, y += D, wave += TILE)
    for (int64_t d = 0; d < n; d++) y[d] = fc_into(fresh, y[d], wave[d]);
}

/* re + i im += sum_t x_t exp(i w f t), within the run by Horner's rule from its last step */
FC_SIMD static void analyse_run(const fc_real *restrict x, int64_t D, fc_real *restrict re,
                                fc_real *restrict im, const hands *restrict h, int64_t n) {
  FC_VECTOR for (int64_t d = 0; d < n; d++) {
    fc_real u = 0, v = 0;
    FC_PRAGMA(GCC unroll 4)
    for (int t = RUN - 1; t >= 0; t--) {
      const fc_real a = u, b = v;
      u = x[t * D + d] + a * h->one[0][d] - b * h->one[1][d];
      v = a * h->one[1][d] + b * h->one[0][d];
    }
    re[d] += u * h->c[d] - v * h->s[d];
    im[d] += u * h->s[d] + v * h->c[d];
  }
}

static void rebuild(const season *s, hands *h, const fc_real *re, const fc_real *im, fc_real *y, int64_t rows,
                    int64_t n, bool fresh) {
  fc_real wave[RUN * TILE];

  rewind_to_zero(h, n);
  for (int64_t t = 0; t < rows; t += RUN, next_run(s, h, n)) {
    make_run(wave, re, im, h, n);
    put_rows(y + t * s->D, wave, fc_min64(RUN, rows - t), s->D, n, fresh);
  }
}

/* the last rows, fewer than RUN, with zeros behind them: to [RUN, TILE] */
static const fc_real *fill_up(fc_real *to, const fc_real *x, int64_t rows, int64_t D, int64_t n) {
  memset(to, 0, RUN * TILE * sizeof *to);
  for (int64_t t = 0; t < rows; t++) memcpy(to + t * TILE, x + t * D, (size_t)n * sizeof *to);
  return to;
}

/* re, im = sum over t < rows of x_t times cos, sin of w f t */
static void analyse(const season *s, hands *h, const fc_real *x, int64_t rows, int64_t n, fc_real *re,
                    fc_real *im) {
  fc_real rest[RUN * TILE];

  rewind_to_zero(h, n);
  for (int64_t d = 0; d < n; d++) re[d] = im[d] = 0;
  for (int64_t t = 0; t < rows; t += RUN, next_run(s, h, n)) {
    if (rows - t >= RUN)
      analyse_run(x + t * s->D, s->D, re, im, h, n);
    else
      analyse_run(fill_up(rest, x + t * s->D, rows - t, s->D, n), TILE, re, im, h, n);
  }
}

/* ---- the choice ---- */

/* The power of frequency f goes into lists `best` [k, TILE], largest first; of equal ones the lower frequency
   stands first, so that it stays. */
FC_SIMD static void enter(fc_real *restrict best, int32_t *restrict at, fc_real *restrict power,
                          int32_t *restrict f, int64_t k, int64_t D, int64_t n) {
  for (int64_t j = 0; j < k; j++, best += TILE, at += D)
    for (int64_t d = 0; d < n; d++) {
      const fc_real old = best[d], new = power[d];
      const int32_t known = at[d], mine = f[d];
      const bool    above = (new > old) | ((new == old) & (mine < known));
      best[d]             = above ? new : old;
      power[d]            = above ? old : new;
      at[d]               = above ? mine : known;
      f[d]                = above ? known : mine;
    }
}

/* Channels 2 j and 2 j + 1 are real and imaginary part of one complex series z, so their transforms are
   (Z_f + conj Z_{T-f}) / 2 and (Z_f - conj Z_{T-f}) / 2 i. Cosine and sine sums of channel d: */
static inline void parts(const fc_real *Z, const fc_real *R, int64_t d, fc_real *re, fc_real *im) {
  const fc_real flow = Z[d ^ 1] - R[d ^ 1];

  *re = (fc_real)0.5 * (Z[d] + R[d]);
  *im = (d & 1 ? (fc_real)0.5 : (fc_real)-0.5) * flow;
}

FC_SIMD static void powers(fc_real *restrict power, const fc_real *restrict Z, const fc_real *restrict R,
                           int64_t n) {
  for (int64_t d = 0; d < n; d++) {
    fc_real re, im;
    parts(Z, R, d, &re, &im);
    power[d] = re * re + im * im;
  }
}

/* Z [T, width] of this sample; best [k, TILE] is scratch. A tile begins with an even channel. */
static void choose(const season *s, const tile *a, const fc_real *Z, int64_t width, fc_real *best) {
  fc_real power[TILE];
  int32_t f[TILE];

  for (int64_t j = 0; j < s->k; j++)
    for (int64_t d = 0; d < a->n; d++) best[j * TILE + d] = -1, chosen_of(s, a, j)[d] = (int32_t)s->low;
  for (int64_t i = s->low; 2 * i < s->T; i++) {
    powers(power, Z + i * width + a->at, Z + (s->T - i) * width + a->at, a->n);
    for (int64_t d = 0; d < a->n; d++) f[d] = (int32_t)i;
    enter(best, chosen_of(s, a, 0), power, f, s->k, s->D, a->n);
  }
}

/* ---- the projection, given the choice ---- */

/* y [.., rows_y, D] = or += the season of x [.., rows_x, D] */
static void project(const season *s, const tile *a, const fc_real *x, int64_t rows_x, fc_real *y,
                    int64_t rows_y, bool fresh) {
  hands         h;
  fc_real       re[TILE], im[TILE];
  const fc_real scale = 2 / (fc_real)s->T;

  for (int64_t j = 0; j < s->k; j++) {
    set(s, &h, chosen_of(s, a, j), a->n);
    analyse(s, &h, x, rows_x, a->n, re, im);
    for (int64_t d = 0; d < a->n; d++) re[d] *= scale, im[d] *= scale;
    rebuild(s, &h, re, im, y, rows_y, a->n, fresh && j == 0);
  }
}

static void forward_tile(const season *s, const tile *a, const fc_real *x, const fc_real *Z, int64_t width,
                         fc_real *y, fc_real *best) {
  choose(s, a, Z + a->b * s->T * width, width, best);
  x += a->b * s->T * s->D + a->at;
  y += a->b * s->steps * s->D + a->at;
  project(s, a, x, s->T, y, s->T, true);
  for (int64_t t = s->T; t < s->steps; t++)
    memcpy(y + t * s->D, y + (t - s->T) * s->D, (size_t)a->n * sizeof *y);
}

static void forward(fc_ctx *c, season *s, const fc_real *x, fc_real *y) {
  const int64_t     width = 4 * fc_ceil_div(s->D, 4);
  const fc_fft_axis axis  = {s->B, s->T, s->T, width / 2};
  const size_t      mark  = fc_arena_mark(c->arena);
  fc_real          *Z     = fc_arena_push(c->arena, (size_t)(s->B * s->T * width) * sizeof *Z);
  fc_real          *best  = fc_arena_push(c->arena, (size_t)(fc_threads() * s->k * TILE) * sizeof *best);

  fc_fft_axis_from_field(c, &axis, x, s->D, Z);
  if (!c->dry) {
    make_table(s);
    FC_FOR_TASKS(i, s->B * s->tiles, s->B * s->T * s->D * s->k) {
      const tile a = tile_of(s, i);
      forward_tile(s, &a, x, Z, width, y, best + fc_thread() * s->k * TILE);
    }
  }
  fc_arena_pop(c->arena, mark);
}

/* y_t = 2 / T sum Re X_f exp(i w f t): dx = or += the same of dy, over all its steps */
static void backward(fc_ctx *c, const fc_node *node) {
  const season *s = node->saved;
  bool          fresh;
  fc_real      *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (!dx) return;
  FC_FOR_TASKS(i, s->B * s->tiles, s->B * s->T * s->D * s->k) {
    const tile a = tile_of(s, i);
    project(s, &a, node->out->g + a.b * s->steps * s->D + a.at, s->steps, dx + a.b * s->T * s->D + a.at, s->T,
            fresh);
  }
}

static const fc_op fourier_season = {"fourier_season", backward, false};

fc_tensor *fc_fourier_season(fc_ctx *c, fc_tensor *x, int64_t k, int64_t low, int64_t extra) {
  const int64_t B = x->dim[0], T = x->dim[1], D = fc_last(x), steps = T + extra;

  FC_ASSERT(x->ndim == 3 && low >= 1 && extra >= 0 && k >= 0 && (k == 0 || k <= (T + 1) / 2 - low),
            "fourier_season: %lld frequencies from number %lld on, of %s", (long long)k, (long long)low,
            fc_shape_text(x));
  fc_tensor *y = fc_tensor_new(c->arena, FC_DIMS(B, steps, D));
  if (k == 0) {
    if (!c->dry) memset(y->x, 0, (size_t)fc_len(y) * sizeof *y->x);
    return y;
  }
  season *s = fc_arena_push(c->arena, sizeof *s);
  *s        = (season){B, T, D, steps, k, low, fc_ceil_div(D, TILE), NULL, NULL, NULL};
  s->cosine = fc_arena_push(c->arena, (size_t)(2 * T) * sizeof *s->cosine);
  s->sine   = s->cosine + T;
  s->chosen = fc_arena_push(c->arena, (size_t)(B * k * D) * sizeof *s->chosen);
  forward(c, s, x->x, y->x);
  return fc_record(c, &fourier_season, y, s, FC_IN(x));
}
