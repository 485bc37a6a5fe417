/* core/ops/windows.c - square windows of a 2-D grid and the way back (Swin transformer, Liu et al. 2021;
   overlapping ones as in multipole attention, Colagrande et al. 2025).
   Grid x [B, X, Y, C], windows w [B nX nY, K K, C]; with row r = i S + a and column s = j S + b of the rolled
   and padded grid
     windows:   w[(b, i, j), (a, b), c] = x[b, (r + shift) mod X, (s + shift) mod Y, c], 0 beyond X or Y
     unwindows: x[b, r, s, c] = sum of w over all windows that cover the cell, divided by their number if mean
   Both are one table of weights per axis around two kernels, each the adjoint of the other. */
#include "core/ops.h"
#include "core/spans.h"

#include <string.h>

typedef struct {
  int64_t  n, windows; /* cells and windows along the axis */
  fc_real *weight;     /* [n] 1 / windows that cover the cell, in rolled order; NULL: all 1 */
} axis;

typedef struct {
  int64_t B, C, size, stride;
  axis    x, y;
  int64_t shift_x, shift_y; /* in 0 .. n-1 */
} plan;

/* the windows first .. last-1 that cover rolled cell r */
static int64_t first_window(const plan *p, int64_t r) {
  return r < p->size ? 0 : (r - p->size) / p->stride + 1;
}
static int64_t last_window(const plan *p, const axis *a, int64_t r) {
  return fc_min64(a->windows, r / p->stride + 1);
}

/* y = w x, or += it, for n numbers */
FC_SIMD static void scaled(fc_real *restrict y, const fc_real *restrict x, fc_real w, int64_t n, bool add) {
  for (int64_t i = 0; i < n; i++) y[i] = add ? y[i] + w * x[i] : w * x[i];
}

/* one run of cells from rolled column s on, each with its weight */
static void move_run(const plan *p, fc_real *to, const fc_real *from, int64_t s, int64_t cells,
                     fc_real weight_x, bool add) {
  const fc_real *w = p->y.weight;

  if (!w) {
    if (add)
      fc_span_add(to, from, cells * p->C);
    else
      memcpy(to, from, (size_t)(cells * p->C) * sizeof *to);
    return;
  }
  for (int64_t i = 0; i < cells; i++) scaled(to + i * p->C, from + i * p->C, weight_x * w[s + i], p->C, add);
}

/* Row a of window j in the grid row `line`: cells in the window's own row `token`. Columns are contiguous but
   for the place where the grid wraps around and the zeros beyond its end. */
static void move_window_row(const plan *p, fc_real *token, fc_real *line, int64_t j, fc_real weight_x,
                            bool to_grid, bool add) {
  const int64_t start = j * p->stride, end = fc_min64(start + p->size, p->y.n);

  for (int64_t s = start, run; s < end; s += run) {
    const int64_t column = (s + p->shift_y) % p->y.n;
    fc_real      *t = token + (s - start) * p->C, *g = line + column * p->C;
    run = fc_min64(end - s, p->y.n - column);
    move_run(p, to_grid ? g : t, to_grid ? t : g, s, run, weight_x, add || to_grid);
  }
  if (to_grid || add) return;
  const int64_t filled = fc_max64(0, end - start);
  memset(token + filled * p->C, 0, (size_t)((p->size - filled) * p->C) * sizeof *token);
}

static fc_real weight_of(const axis *a, int64_t r) { return a->weight ? a->weight[r] : 1; }

/* windows (+)= weight x, one task per row of tokens in a row of windows */
static void to_windows(const plan *p, fc_real *w, fc_real *x, bool add) {
  const int64_t row = p->size * p->C, line = p->y.n * p->C;

  FC_FOR_ROWS(t, p->B * p->x.windows * p->size, p->y.windows * row) {
    const int64_t a = t % p->size, i = t / p->size % p->x.windows, b = t / p->size / p->x.windows;
    const int64_t r  = i * p->stride + a;
    fc_real      *to = w + ((b * p->x.windows + i) * p->y.windows * p->size + a) * row;
    if (r < p->x.n) {
      fc_real *from = x + (b * p->x.n + (r + p->shift_x) % p->x.n) * line;
      for (int64_t j = 0; j < p->y.windows; j++)
        move_window_row(p, to + j * p->size * row, from, j, weight_of(&p->x, r), false, add);
    } else if (!add) {
      for (int64_t j = 0; j < p->y.windows; j++) memset(to + j * p->size * row, 0, (size_t)row * sizeof *to);
    }
  }
}

/* x (+)= weight sum of windows, one task per row of the grid, windows in fixed order */
static void to_grid(const plan *p, fc_real *x, fc_real *w, bool add) {
  const int64_t row = p->size * p->C, line = p->y.n * p->C;

  FC_FOR_ROWS(t, p->B * p->x.n, line) {
    const int64_t r = t % p->x.n, b = t / p->x.n;
    fc_real      *to = x + (b * p->x.n + (r + p->shift_x) % p->x.n) * line;
    if (!add) memset(to, 0, (size_t)line * sizeof *to);
    for (int64_t i = first_window(p, r); i < last_window(p, &p->x, r); i++)
      for (int64_t j = 0; j < p->y.windows; j++) {
        const int64_t window = (b * p->x.windows + i) * p->y.windows + j;
        move_window_row(p, w + (window * p->size + r - i * p->stride) * row, to, j, weight_of(&p->x, r), true,
                        true);
      }
  }
}

/* w = x: dx += dw at the same cells */
static void windows_backward(fc_ctx *c, const fc_node *node) {
  bool     fresh;
  fc_real *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (dx) to_grid(node->saved, dx, node->out->g, !fresh);
}

/* x = weight sum w: dw += weight dx */
static void unwindows_backward(fc_ctx *c, const fc_node *node) {
  bool     fresh;
  fc_real *dw = fc_grad_raw(c, node->in[0], &fresh);

  if (dw) to_windows(node->saved, dw, node->out->g, !fresh);
}

static const fc_op windows_op   = {"windows", windows_backward, false};
static const fc_op unwindows_op = {"unwindows", unwindows_backward, false};

int64_t fc_windows_along(fc_window_spec s, int64_t n) {
  const int64_t length = s.pad ? fc_ceil_div(n, s.size) * s.size : n;
  return length < s.size ? 0 : (length - s.size) / s.stride + 1;
}

/* cells that no window covers get weight 0 */
static fc_real *weights(fc_arena *arena, const plan *p, const axis *a) {
  fc_real *w = fc_arena_push(arena, (size_t)a->n * sizeof *w);

  for (int64_t r = 0; r < a->n; r++) {
    const int64_t covers = last_window(p, a, r) - first_window(p, r);
    w[r]                 = covers > 0 ? 1 / (fc_real)covers : 0;
  }
  return w;
}

static plan *make_plan(fc_ctx *c, const int64_t *dim, fc_window_spec s, bool mean) {
  const int64_t X = dim[1], Y = dim[2];
  plan         *p = fc_arena_push(c->arena, sizeof *p);

  FC_ASSERT(X > 0 && Y > 0 && s.size > 0 && s.stride > 0 && fc_windows_along(s, X) > 0 &&
                fc_windows_along(s, Y) > 0,
            "windows: size %lld, stride %lld on %s", (long long)s.size, (long long)s.stride,
            fc_dims_text(4, dim));
  *p = (plan){.B       = dim[0],
              .C       = dim[3],
              .size    = s.size,
              .stride  = s.stride,
              .x       = {X, fc_windows_along(s, X), NULL},
              .y       = {Y, fc_windows_along(s, Y), NULL},
              .shift_x = (s.shift % X + X) % X,
              .shift_y = (s.shift % Y + Y) % Y};
  if (mean) p->x.weight = weights(c->arena, p, &p->x), p->y.weight = weights(c->arena, p, &p->y);
  return p;
}

fc_tensor *fc_windows(fc_ctx *c, fc_tensor *x, fc_window_spec s) {
  FC_ASSERT(x->ndim == 4, "windows: %s is not [B, X, Y, C]", fc_shape_text(x));
  plan      *p = make_plan(c, x->dim, s, false);
  fc_tensor *w = fc_tensor_new(c->arena, FC_DIMS(p->B * p->x.windows * p->y.windows, s.size * s.size, p->C));
  if (!c->dry) to_windows(p, w->x, x->x, false);
  return fc_record(c, &windows_op, w, p, FC_IN(x));
}

fc_tensor *fc_unwindows(fc_ctx *c, fc_tensor *w, int64_t B, int64_t X, int64_t Y, fc_window_spec s,
                        bool mean) {
  fc_tensor *x = fc_tensor_new(c->arena, FC_DIMS(B, X, Y, fc_last(w)));
  plan      *p = make_plan(c, x->dim, s, mean);

  FC_ASSERT(w->ndim == 3 && w->dim[0] == B * p->x.windows * p->y.windows && w->dim[1] == s.size * s.size,
            "unwindows: %s to %s", fc_shape_text(w), fc_shape_text(x));
  if (!c->dry) to_grid(p, x->x, w->x, false);
  return fc_record(c, &unwindows_op, x, p, FC_IN(w));
}
