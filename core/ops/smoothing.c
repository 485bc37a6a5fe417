/* core/ops/smoothing.c - exponential smoothing (Brown 1959; ETSformer: Woo et al. 2022) with a weight for
   each of H groups of neighbouring channels: y_t = a y_{t-1} + (1 - a) x_t,   y_{-1} = start,   a =
   sigmoid(w) x [B, T, C], w H numbers, start C numbers -> y [B, T, C], or [B, T + 1, C] with the start in
   front. A recursion for each channel, forwards in time and, for gradients, backwards; channels are the lanes
   of a vector, samples and tiles of channels the tasks. */
#include "core/ops.h"
#include "core/parallel.h"
#include "core/spans.h"
#include "core/sums.h"

#include <math.h>
#include <string.h>

enum { TILE = 64 };

typedef struct {
  int64_t  B, T, C, H, lead; /* lead: rows of y in front, 0 or 1 */
  int64_t  tiles;
  fc_real *a; /* [C] */
} shape;

typedef struct { /* channels at .. at+n-1 of sample b */
  int64_t b, at, n;
} tile;

static tile tile_of(const shape *s, int64_t task) {
  const int64_t at = task % s->tiles * TILE;

  return (tile){task / s->tiles, at, fc_min64(TILE, s->C - at)};
}

static void weights(const shape *s, const fc_real *w) {
  for (int64_t j = 0; j < s->C; j++) s->a[j] = (fc_real)(1 / (1 + exp(-(double)w[j / (s->C / s->H)])));
}

/* ---- forward ---- */

/* y [T] rows C apart from x, old the row before the first */
FC_SIMD static void smooth(fc_real *restrict y, const fc_real *restrict x, const fc_real *restrict first,
                           const fc_real *restrict a, int64_t T, int64_t C, int64_t n) {
  fc_real old[TILE];

  for (int64_t d = 0; d < n; d++) old[d] = first[d];
  for (int64_t t = 0; t < T; t++)
    for (int64_t d = 0; d < n; d++) {
      old[d]       = a[d] * old[d] + (1 - a[d]) * x[t * C + d];
      y[t * C + d] = old[d];
    }
}

static void forward(const shape *s, fc_real *y, const fc_real *x, const fc_real *start) {
  const int64_t rows = s->T + s->lead;

  FC_FOR_ROWS(i, s->B * s->tiles, s->T * TILE) {
    const tile a  = tile_of(s, i);
    fc_real   *to = y + a.b * rows * s->C + a.at;
    if (s->lead) memcpy(to, start + a.at, (size_t)a.n * sizeof *to);
    smooth(to + s->lead * s->C, x + a.b * s->T * s->C + a.at, start + a.at, s->a + a.at, s->T, s->C, a.n);
  }
}

/* ---- backward ---- */

/* l_t = dy_t + a l_{t+1}: what reaches y_t from all later times. dx_t = or += (1 - a) l_t,
   da = sum l_t (y_{t-1} - x_t), dstart = a l_0; y_{t-1} lies one row in front of y_t, that of t = 0 is first.
 */
FC_SIMD static void smooth_back(fc_real *restrict dx, bool fresh, fc_real *restrict da,
                                fc_real *restrict dstart, const fc_real *restrict dy,
                                const fc_real *restrict y, const fc_real *restrict x,
                                const fc_real *restrict first, const fc_real *restrict a, int64_t T,
                                int64_t C, int64_t n) {
  fc_real l[TILE], sum[TILE];

  for (int64_t d = 0; d < n; d++) l[d] = sum[d] = 0;
  for (int64_t t = T - 1; t >= 0; t--) {
    const fc_real *before = t ? y + (t - 1) * C : first;
    for (int64_t d = 0; d < n; d++) {
      l[d] = dy[t * C + d] + a[d] * l[d];
      sum[d] += l[d] * (before[d] - x[t * C + d]);
    }
    if (dx)
      for (int64_t d = 0; d < n; d++) dx[t * C + d] = fc_into(fresh, dx[t * C + d], (1 - a[d]) * l[d]);
  }
  for (int64_t d = 0; d < n; d++) da[d] = sum[d], dstart[d] = a[d] * l[d];
}

/* da [B, C] -> dw of each group: a' = a (1 - a) */
static void weight_gradient(fc_arena *scratch, const shape *s, const fc_real *da, fc_real *dw) {
  const int64_t width = s->C / s->H;
  double       *sum   = fc_arena_push(scratch, (size_t)s->C * sizeof *sum);

  fc_sum_middle(scratch, &(fc_sum){FC_SUM_PLAIN, 1, s->B, s->C, .p = da}, sum);
  for (int64_t h = 0; h < s->H; h++) {
    const double a     = (double)s->a[h * width];
    double       total = 0;
    for (int64_t j = 0; j < width; j++) total += sum[h * width + j];
    dw[h] += (fc_real)(a * (1 - a) * total);
  }
}

static void backward(fc_ctx *c, const fc_node *node) {
  const shape     *s = node->saved;
  const fc_tensor *x = node->in[0], *start = node->in[2], *y = node->out;
  const int64_t    rows = s->T + s->lead;
  bool             fresh;
  fc_real         *dx = fc_grad_raw(c, node->in[0], &fresh);
  fc_real         *dw = fc_grad(c, node->in[1]), *dstart = fc_grad(c, node->in[2]);
  const size_t     mark = fc_arena_mark(c->arena);
  fc_real         *part = fc_arena_push(c->arena, (size_t)(2 * s->B * s->C) * sizeof *part);
  fc_real         *da = part, *ds = part + s->B * s->C;

  FC_FOR_ROWS(i, s->B * s->tiles, s->T * TILE) {
    const tile     a  = tile_of(s, i);
    const int64_t  at = a.b * s->T * s->C + a.at, to = a.b * rows * s->C + a.at, p = a.b * s->C + a.at;
    const fc_real *g = y->g + to;
    smooth_back(dx ? dx + at : NULL, fresh, da + p, ds + p, g + s->lead * s->C, y->x + to + s->lead * s->C,
                x->x + at, start->x + a.at, s->a + a.at, s->T, s->C, a.n);
    if (s->lead) fc_span_add(ds + p, g, a.n);
  }
  if (dw) weight_gradient(c->arena, s, da, dw);
  if (dstart) fc_sum_store(c->arena, &(fc_sum){FC_SUM_PLAIN, 1, s->B, s->C, .p = ds}, 1, true, dstart);
  fc_arena_pop(c->arena, mark);
}

static const fc_op smoothing = {"smoothing", backward, false};

fc_tensor *fc_smoothing(fc_ctx *c, fc_tensor *x, fc_tensor *w, fc_tensor *start, bool lead) {
  const int64_t B = x->dim[0], T = x->dim[1], C = fc_last(x), H = fc_len(w);

  FC_ASSERT(x->ndim == 3 && H > 0 && C % H == 0 && fc_len(start) == C, "smoothing: %s, weight %s, start %s",
            fc_shape_text(x), fc_shape_text(w), fc_shape_text(start));
  fc_tensor *y = fc_tensor_new(c->arena, FC_DIMS(B, T + lead, C));
  shape     *s = fc_arena_push(c->arena, sizeof *s);
  *s           = (shape){B, T, C, H, lead, fc_ceil_div(C, TILE), NULL};
  s->a         = fc_arena_push(c->arena, (size_t)C * sizeof *s->a);
  if (!c->dry) {
    weights(s, w->x);
    forward(s, y->x, x->x, start->x);
  }
  return fc_record(c, &smoothing, y, s, FC_IN(x, w, start));
}
