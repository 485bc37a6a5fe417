/* core/ops/group_norm.c - x [B, N, C] (N: all axes between), groups of C / G channels next to each other:
   y = x^ w + b, x^ = (x - mean_bg) / sqrt(var_bg + eps), biased variance over points and channels of a
   group (Wu and He 2018). A row of C channels is contiguous, so sums run per channel over chunks of rows
   and are combined per group in double. Kept for backward: mean and 1 / sqrt(var + eps) per group.
   Where ranks share a field, N counts the points of all of them: one sum over the ranks each way. */
#include "core/domain.h"
#include "core/ops.h"
#include "core/spans.h"
#include "core/vmath.h"

#include <math.h>

enum { CHUNK = 256 }; /* rows summed in fc_real */

typedef struct {
  int64_t B, N, C, G, chunks;
  double  count; /* numbers of a group, on all ranks */
} shape;

static shape shape_of(const fc_tensor *x, int64_t groups) {
  const int64_t N = fc_span(x, 1, x->ndim - 1);

  return (shape){x->dim[0], N, fc_last(x), groups, fc_ceil_div(N, CHUNK), 0};
}

static fc_real *reals(fc_arena *a, int64_t n) { return fc_arena_push(a, (size_t)n * sizeof(fc_real)); }

/* ---- forward ---- */

/* s1 = sum (x - k), s2 = sum (x - k)^2 over rows; k is near the mean, so nothing cancels later */
FC_SIMD static void moments(fc_real *restrict s1, fc_real *restrict s2, const fc_real *restrict x,
                            const fc_real *restrict k, int64_t rows, int64_t C) {
  for (int64_t j = 0; j < C; j++) s1[j] = s2[j] = 0;
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < C; j++) {
      const fc_real d = x[r * C + j] - k[j];
      s1[j] += d;
      s2[j] += d * d;
    }
}

/* y = (x - mean) scale + bias */
FC_SIMD static void apply_rows(fc_real *restrict y, const fc_real *restrict x, const fc_real *restrict mean,
                               const fc_real *restrict scale, const fc_real *restrict bias, int64_t rows,
                               int64_t C) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < C; j++) y[r * C + j] = (x[r * C + j] - mean[j]) * scale[j] + bias[j];
}

/* sum over chunks of part [chunks, 2, C] at column j */
static double over_chunks(const fc_real *part, const shape *s, int64_t j) {
  double sum = 0;

  for (int64_t k = 0; k < s->chunks; k++) sum += (double)part[2 * k * s->C + j];
  return sum;
}

/* Mean of one group and squares around it from the shifted sums of its channels, k = the first row of the
   sample: sum (x - m)^2 = s2 + 2 (k - m) s1 + N (k - m)^2 */
static void group_moments(const shape *s, const fc_real *part, const fc_real *k, int64_t g, double *mean_out,
                          double *square_out) {
  const int64_t width = s->C / s->G, from = g * width;
  double        mean = 0, square = 0;

  for (int64_t j = from; j < from + width; j++) mean += over_chunks(part, s, j) + (double)s->N * (double)k[j];
  mean /= (double)(s->N * width);
  for (int64_t j = from; j < from + width; j++) {
    const double d = (double)k[j] - mean;
    square += over_chunks(part, s, s->C + j) + 2 * d * over_chunks(part, s, j) + (double)s->N * d * d;
  }
  *mean_out   = mean;
  *square_out = fmax(square, 0);
}

/* [B, G] each */
static void all_moments(fc_arena *scratch, const shape *s, const fc_real *x, double *mean, double *square) {
  const size_t mark = fc_arena_mark(scratch);
  fc_real     *part = reals(scratch, s->B * s->chunks * 2 * s->C);

  FC_FOR_ROWS(i, s->B * s->chunks, CHUNK * s->C) {
    const fc_real *sample = x + i / s->chunks * s->N * s->C, *first = sample + i % s->chunks * CHUNK * s->C;
    fc_real       *p = part + i * 2 * s->C;
    moments(p, p + s->C, first, sample, fc_min64(CHUNK, s->N - i % s->chunks * CHUNK), s->C);
  }
  FC_FOR_ROWS(i, s->B * s->G, s->chunks * 3 * (s->C / s->G)) {
    const int64_t b = i / s->G;
    group_moments(s, part + b * s->chunks * 2 * s->C, x + b * s->N * s->C, i % s->G, mean + i, square + i);
  }
  fc_arena_pop(scratch, mark);
}

static void all_stats(fc_ctx *c, shape *s, const fc_real *x, double eps, fc_real *stats) {
  const size_t  mark   = fc_arena_mark(c->arena);
  const int64_t groups = s->B * s->G;
  double       *mean = fc_arena_push(c->arena, (size_t)(2 * groups) * sizeof *mean), *square = mean + groups;

  if (!c->dry) all_moments(c->arena, s, x, mean, square);
  s->count = fc_domain_moments(c, groups, (double)(s->N * (s->C / s->G)), mean, square);
  for (int64_t i = 0; !c->dry && i < groups; i++) {
    stats[2 * i]     = (fc_real)mean[i];
    stats[2 * i + 1] = (fc_real)(1 / sqrt(square[i] / s->count + eps));
  }
  fc_arena_pop(c->arena, mark);
}

/* per sample and channel: mean, 1/sqrt(var + eps) w, bias: table [B, 3, C] */
static void apply(fc_arena *scratch, const shape *s, const fc_real *stats, const fc_tensor *weight,
                  const fc_tensor *bias, fc_real *y, const fc_real *x) {
  const size_t mark  = fc_arena_mark(scratch);
  fc_real     *table = reals(scratch, s->B * 3 * s->C);

  for (int64_t i = 0; i < s->B * s->C; i++) {
    const int64_t  b = i / s->C, j = i % s->C;
    const fc_real *st = stats + 2 * (b * s->G + j / (s->C / s->G));
    fc_real       *t  = table + 3 * b * s->C + j;
    t[0]              = st[0];
    t[s->C]           = weight ? st[1] * weight->x[j] : st[1];
    t[2 * s->C]       = bias ? bias->x[j] : 0;
  }
  FC_FOR_ROWS(i, s->B * s->chunks, CHUNK * s->C) {
    const int64_t  b = i / s->chunks, row = i % s->chunks * CHUNK, at = (b * s->N + row) * s->C;
    const fc_real *t = table + 3 * b * s->C;
    apply_rows(y + at, x + at, t, t + s->C, t + 2 * s->C, fc_min64(CHUNK, s->N - row), s->C);
  }
  fc_arena_pop(scratch, mark);
}

/* ---- backward ---- */

/* s1 = sum dy, s2 = sum dy x^ over rows */
FC_SIMD static void dots(fc_real *restrict s1, fc_real *restrict s2, const fc_real *restrict dy,
                         const fc_real *restrict x, const fc_real *restrict mean,
                         const fc_real *restrict rstd, int64_t rows, int64_t C) {
  for (int64_t j = 0; j < C; j++) s1[j] = s2[j] = 0;
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < C; j++) {
      s1[j] += dy[r * C + j];
      s2[j] += dy[r * C + j] * ((x[r * C + j] - mean[j]) * rstd[j]);
    }
}

/* y = x^ w + b: dx += rstd (w dy - (w dy)_bar - x^ (w dy x^)_bar), bars over the group;
   here scale = rstd w, shift = rstd (w dy)_bar, slope = rstd^2 (w dy x^)_bar */
FC_SIMD static void backward_rows(fc_real *restrict dx, const fc_real *restrict dy, const fc_real *restrict x,
                                  const fc_real *restrict mean, const fc_real *restrict scale,
                                  const fc_real *restrict shift, const fc_real *restrict slope, int64_t rows,
                                  int64_t C, bool fresh) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < C; j++) {
      const int64_t i = r * C + j;
      dx[i]           = fc_into(fresh, dx[i], dy[i] * scale[j] - shift[j] - (x[i] - mean[j]) * slope[j]);
    }
}

/* table [B, 2, C]: mean and rstd by channel -> total [B, 2, C]: sum dy, sum dy x^ */
static void all_dots(fc_arena *scratch, const shape *s, const fc_real *dy, const fc_real *x,
                     const fc_real *stats, double *total) {
  const size_t mark  = fc_arena_mark(scratch);
  fc_real     *table = reals(scratch, s->B * 2 * s->C), *part = reals(scratch, s->B * s->chunks * 2 * s->C);

  for (int64_t i = 0; i < s->B * 2 * s->C; i++)
    table[i] = stats[2 * (i / (2 * s->C) * s->G + i % s->C / (s->C / s->G)) + i / s->C % 2];
  FC_FOR_ROWS(i, s->B * s->chunks, CHUNK * s->C) {
    const int64_t  b = i / s->chunks, row = i % s->chunks * CHUNK, at = (b * s->N + row) * s->C;
    const fc_real *t = table + 2 * b * s->C;
    fc_real       *p = part + i * 2 * s->C;
    dots(p, p + s->C, dy + at, x + at, t, t + s->C, fc_min64(CHUNK, s->N - row), s->C);
  }
  FC_FOR_ROWS(i, s->B * 2 * s->C, s->chunks)
  total[i] = over_chunks(part + i / (2 * s->C) * s->chunks * 2 * s->C, s, i % (2 * s->C));
  fc_arena_pop(scratch, mark);
}

/* (w dy)_bar and (w dy x^)_bar of group i of all samples' */
static void group_bars(const shape *s, const double *total, const fc_tensor *weight, int64_t i,
                       double *bars) {
  const int64_t width = s->C / s->G, from = i % s->G * width;
  const double *s1 = total + 2 * (i / s->G) * s->C, *s2 = s1 + s->C;

  bars[0] = bars[1] = 0;
  for (int64_t j = from; j < from + width; j++) {
    const double w = weight ? (double)weight->x[j] : 1;
    bars[0] += w * s1[j] / s->count;
    bars[1] += w * s2[j] / s->count;
  }
}

/* the four numbers per channel that backward_rows wants, for group i: table [B, 4, C] */
static void group_table(const shape *s, const double *bars, const fc_tensor *weight, const fc_real *stats,
                        int64_t i, fc_real *table) {
  const int64_t width = s->C / s->G, from = i % s->G * width;
  const double  rstd = (double)stats[1];

  for (int64_t j = from; j < from + width; j++) {
    fc_real *t  = table + 4 * (i / s->G) * s->C + j;
    t[0]        = stats[0];
    t[s->C]     = stats[1] * (weight ? weight->x[j] : 1);
    t[2 * s->C] = (fc_real)(rstd * bars[0]);
    t[3 * s->C] = (fc_real)(rstd * rstd * bars[1]);
  }
}

static void backward_x(fc_ctx *c, const shape *s, const fc_node *node, const fc_real *stats,
                       const double *total, fc_real *dx, bool fresh) {
  const size_t   mark  = fc_arena_mark(c->arena);
  fc_real       *table = reals(c->arena, s->B * 4 * s->C);
  double        *bars  = fc_arena_push(c->arena, (size_t)(2 * s->B * s->G) * sizeof *bars);
  const fc_real *dy = node->out->g, *x = node->in[0]->x;

  for (int64_t i = 0; i < s->B * s->G; i++) group_bars(s, total, node->in[1], i, bars + 2 * i);
  fc_domain_sum_double(c, bars, 2 * s->B * s->G);
  for (int64_t i = 0; i < s->B * s->G; i++)
    group_table(s, bars + 2 * i, node->in[1], stats + 2 * i, i, table);
  FC_FOR_ROWS(i, s->B * s->chunks, CHUNK * s->C) {
    const int64_t  b = i / s->chunks, row = i % s->chunks * CHUNK, at = (b * s->N + row) * s->C;
    const fc_real *t = table + 4 * b * s->C;
    backward_rows(dx + at, dy + at, x + at, t, t + s->C, t + 2 * s->C, t + 3 * s->C,
                  fc_min64(CHUNK, s->N - row), s->C, fresh);
  }
  fc_arena_pop(c->arena, mark);
}

/* dw_j += sum_b total[b, which, j] */
static void add_totals(const shape *s, const double *total, int which, bool fresh, fc_real *dw) {
  for (int64_t j = 0; dw && j < s->C; j++) {
    double sum = 0;
    for (int64_t b = 0; b < s->B; b++) sum += total[(2 * b + which) * s->C + j];
    dw[j] = fc_into(fresh, dw[j], (fc_real)sum);
  }
}

typedef struct {
  shape   s;
  fc_real stats[]; /* [B, G, 2] */
} saved;

static void backward(fc_ctx *c, const fc_node *node) {
  const saved *v = node->saved;
  bool         fresh, fresh_w, fresh_b;
  fc_real     *dx = fc_grad_raw(c, node->in[0], &fresh), *dw = fc_grad_raw(c, node->in[1], &fresh_w);
  fc_real     *db   = fc_grad_raw(c, node->in[2], &fresh_b);
  const size_t mark = fc_arena_mark(c->arena);

  double *total = fc_arena_push(c->arena, (size_t)(v->s.B * 2 * v->s.C) * sizeof *total);
  all_dots(c->arena, &v->s, node->out->g, node->in[0]->x, v->stats, total);
  if (dx) backward_x(c, &v->s, node, v->stats, total, dx, fresh);
  add_totals(&v->s, total, 1, fresh_w, dw);
  add_totals(&v->s, total, 0, fresh_b, db);
  fc_arena_pop(c->arena, mark);
}

static const fc_op group_norm = {"group_norm", backward, false};

/* x [B, .., C], at least two axes; groups divides C; weight, bias [C] or NULL; result of x's shape */
fc_tensor *fc_group_norm(fc_ctx *c, fc_tensor *x, int64_t groups, fc_tensor *weight, fc_tensor *bias,
                         double eps) {
  fc_tensor *in[] = {x, weight, bias};

  FC_ASSERT(x->ndim >= 2 && groups > 0 && fc_last(x) % groups == 0, "group_norm: %s in %lld groups",
            fc_shape_text(x), (long long)groups);
  for (int i = 1; i < 3; i++)
    FC_ASSERT(!in[i] || (in[i]->ndim == 1 && in[i]->dim[0] == fc_last(x)),
              "group_norm: weight or bias %s for %s", fc_shape_text(in[i]), fc_shape_text(x));
  shape        s     = shape_of(x, groups);
  const size_t bytes = sizeof(saved) + (size_t)(2 * s.B * s.G) * sizeof(fc_real);
  fc_tensor   *y     = fc_tensor_new(c->arena, x->ndim, x->dim);
  saved       *v     = fc_arena_push(c->arena, bytes);
  if (fc_len(x)) all_stats(c, &s, x->x, eps, v->stats);
  if (!c->dry && fc_len(x)) apply(c->arena, &s, v->stats, weight, bias, y->x, x->x);
  v->s = s;
  return fc_record(c, &group_norm, y, v, 3, in);
}
