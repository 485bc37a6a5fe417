/* core/ops/ragged_loss.c - losses over ragged batches of rows (core/segments.h), with weights. Of sample b
   and channel c: E = sum over its rows of w (y - t)^2, S = sum of w t^2, W = sum of w. Then, as means over
   samples, mse                (1/C) sum_c E_c / W_c relative           sqrt(sum_c E_c) / max(sqrt(sum_c S_c),
   eps) relative channels  (1/C) sum_c sqrt(E_c) / max(sqrt(S_c), eps) What has no weight adds nothing. Sums
   are in double, over pieces that depend on the lengths alone. */
#include "core/domain.h"
#include "core/ops.h"
#include "core/segments.h"
#include "core/spans.h"

#include <math.h>
#include <string.h>

typedef struct {
  fc_segments s;
  int64_t     C;
  double      slope[]; /* [B, C]: d loss / d y = slope w (y - t) */
} saved;

/* rows from .. to-1 of one sample, C channels; w may be NULL */
typedef struct {
  int64_t sample, from, to;
} piece;

/* loss = f(E): dy += slope_bc w (y - t) d loss */
static void backward_rows(fc_real *restrict dy, const fc_real *restrict y, const fc_real *restrict t,
                          const fc_real *restrict w, const double *slope, double g, int64_t n, int64_t C,
                          bool fresh) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t c = 0; c < C; c++) {
      const int64_t at = i * C + c;
      const fc_real k  = (fc_real)(g * slope[c]) * (w ? w[at] : 1);
      dy[at]           = fc_into(fresh, dy[at], k * (y[at] - t[at]));
    }
}

static int64_t piece_rows(int64_t C) { return fc_block_rows(C); }

/* the pieces of all samples, in order */
static int64_t cut(fc_arena *a, const saved *s, piece **out) {
  const int64_t rows = piece_rows(s->C);
  int64_t       n    = 0;

  for (int64_t b = 0; b < s->s.n; b++) n += fc_ceil_div(s->s.at[b + 1] - s->s.at[b], rows);
  *out = fc_arena_push(a, (size_t)(n + 1) * sizeof **out);
  n    = 0;
  for (int64_t b = 0; b < s->s.n; b++)
    for (int64_t r = s->s.at[b]; r < s->s.at[b + 1]; r += rows)
      (*out)[n++] = (piece){b, r, fc_min64(r + rows, s->s.at[b + 1])};
  return n;
}

static void backward(fc_ctx *c, const fc_node *node) {
  const saved   *s = node->saved;
  const fc_real *y = node->in[0]->x, *t = node->in[1]->x, *w = node->in[2] ? node->in[2]->x : NULL;
  const double   g = (double)node->out->g[0];
  bool           fresh;
  fc_real       *dy   = fc_grad_raw(c, node->in[0], &fresh);
  const size_t   mark = fc_arena_mark(c->arena);
  piece         *p;

  if (!dy) return;
  const int64_t n = cut(c->arena, s, &p);
  FC_FOR_ROWS(i, n, piece_rows(s->C) * s->C) {
    const int64_t at = p[i].from * s->C;
    backward_rows(dy + at, y + at, t + at, w ? w + at : NULL, s->slope + p[i].sample * s->C, g,
                  p[i].to - p[i].from, s->C, fresh);
  }
  fc_arena_pop(c->arena, mark);
}

static const fc_op ragged_loss = {"ragged_loss", backward, false};

/* sums[3, C]: E, S, W */
static void sum_rows(const fc_real *restrict y, const fc_real *restrict t, const fc_real *restrict w,
                     int64_t n, int64_t C, double *restrict sums) {
  memset(sums, 0, (size_t)(3 * C) * sizeof *sums);
  for (int64_t i = 0; i < n; i++)
    for (int64_t c = 0; c < C; c++) {
      const int64_t at = i * C + c;
      const double  k = w ? (double)w[at] : 1, d = (double)y[at] - (double)t[at];
      sums[c] += k * d * d;
      sums[C + c] += k * (double)t[at] * (double)t[at];
      sums[2 * C + c] += k;
    }
}

/* sums[B, 3, C] */
static void sum_samples(fc_ctx *c, const saved *s, const fc_real *y, const fc_real *t, const fc_real *w,
                        double *sums) {
  const size_t  mark = fc_arena_mark(c->arena);
  const int64_t C    = s->C;
  piece        *p;
  const int64_t n    = cut(c->arena, s, &p);
  double       *part = fc_arena_push(c->arena, (size_t)(n * 3 * C + 1) * sizeof *part);

  FC_FOR_ROWS(i, n, piece_rows(C) * C)
  sum_rows(y + p[i].from * C, t + p[i].from * C, w ? w + p[i].from * C : NULL, p[i].to - p[i].from, C,
           part + i * 3 * C);
  memset(sums, 0, (size_t)(s->s.n * 3 * C) * sizeof *sums);
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < 3 * C; k++) sums[p[i].sample * 3 * C + k] += part[i * 3 * C + k];
  fc_arena_pop(c->arena, mark);
}

/* ---- the three forms: value of a sample, and the slopes of its channels; share = 1/B ---- */

static double mse_of(const double *E, const double *W, int64_t C, double share, double *slope) {
  double value = 0;

  for (int64_t c = 0; c < C; c++) {
    const double k = W[c] > 0 ? share / ((double)C * W[c]) : 0;
    value += k * E[c];
    slope[c] = 2 * k;
  }
  return value;
}

/* d sqrt(E) / dy = w (y - t) / sqrt(E); where y = t the slope is taken as 0 */
static double relative_of(double E, double S, double share, double eps, double *slope) {
  const double error = sqrt(E), weight = share / fmax(sqrt(S), eps);

  *slope = error > 0 ? weight / error : 0;
  return weight * error;
}

static double by_channel(const double *E, const double *S, int64_t C, double share, double eps,
                         double *slope) {
  double value = 0;

  for (int64_t c = 0; c < C; c++) value += relative_of(E[c], S[c], share / (double)C, eps, &slope[c]);
  return value;
}

static double joint(const double *E, const double *S, int64_t C, double share, double eps, double *slope) {
  double e = 0, s = 0, one;

  for (int64_t c = 0; c < C; c++) e += E[c], s += S[c];
  const double value = relative_of(e, s, share, eps, &one);
  for (int64_t c = 0; c < C; c++) slope[c] = one;
  return value;
}

/* Ranks that share the samples have rows of each and add the sums up; each takes an equal part of the loss,
   whose slopes are those of its own rows. */
static void share_sums(fc_ctx *c, double *sums, int64_t n) {
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *x    = fc_arena_push(c->arena, (size_t)n * sizeof *x);

  for (int64_t i = 0; i < n; i++) x[i] = (fc_real)sums[i];
  fc_domain_sum(c, x, n);
  for (int64_t i = 0; i < n; i++) sums[i] = (double)x[i];
  fc_arena_pop(c->arena, mark);
}

static double value(fc_ctx *c, saved *s, fc_ragged_kind kind, const fc_real *y, const fc_real *t,
                    const fc_real *w, double eps) {
  const size_t mark = fc_arena_mark(c->arena);
  double      *sums = fc_arena_push(c->arena, (size_t)(s->s.n * 3 * s->C) * sizeof *sums), loss = 0;
  const double share = 1 / (double)s->s.n;

  sum_samples(c, s, y, t, w, sums);
  if (fc_domain_shared(c)) share_sums(c, sums, s->s.n * 3 * s->C);
  for (int64_t b = 0; b < s->s.n; b++) {
    const double *E = sums + b * 3 * s->C, *S = E + s->C, *W = S + s->C;
    double       *slope = s->slope + b * s->C;
    loss += kind == FC_RAGGED_MSE        ? mse_of(E, W, s->C, share, slope)
            : kind == FC_RAGGED_RELATIVE ? joint(E, S, s->C, share, eps, slope)
                                         : by_channel(E, S, s->C, share, eps, slope);
  }
  fc_arena_pop(c->arena, mark);
  return loss / fc_domain_size(c);
}

/* y, target [R, C], weight [R, C] or NULL, lengths [B] -> scalar */
fc_tensor *fc_ragged_loss(fc_ctx *c, fc_ragged_kind kind, fc_tensor *y, fc_tensor *target, fc_tensor *weight,
                          const fc_tensor *lengths, double eps) {
  fc_tensor    *loss = fc_tensor_new(c->arena, 0, NULL);
  const int64_t B = fc_len(lengths), C = fc_last(y);

  FC_ASSERT(y->ndim == 2 && fc_same_shape(y, target) && (!weight || fc_same_shape(y, weight)),
            "ragged_loss: prediction %s, target %s, weight %s", fc_shape_text(y), fc_shape_text(target),
            weight ? fc_shape_text(weight) : "none");
  FC_ASSERT(!target->needs_grad && !(weight && weight->needs_grad),
            "ragged_loss: target and weight take no gradient");
  saved *s = fc_arena_push(c->arena, sizeof *s + (size_t)(B * C) * sizeof *s->slope);
  s->C     = C;
  s->s     = fc_segments_of(c->arena, lengths);
  FC_ASSERT(fc_segments_rows(&s->s) == y->dim[0], "ragged_loss: %lld rows, the lengths say %lld",
            (long long)y->dim[0], (long long)fc_segments_rows(&s->s));
  if (!c->dry) loss->x[0] = (fc_real)value(c, s, kind, y->x, target->x, weight ? weight->x : NULL, eps);
  return fc_record(c, &ragged_loss, loss, s, FC_IN(y, target, weight));
}
