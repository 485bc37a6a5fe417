/* core/ops/windows.c - square windows of a 2-D grid and the way back (Swin transformer, Liu et al. 2021;
   overlapping ones as in multipole attention, Colagrande et al. 2025).
   Grid x [B, X, Y, C], windows w [B nX nY, K K, C]; with row r = i S + a and column s = j S + b of the rolled
   and padded grid
     windows:   w[(b, i, j), (a, b), c] = x[b, (r + shift) mod X, (s + shift) mod Y, c], 0 beyond X or Y
     back:      x[b, r, s, c] = sum of w over all windows that cover the cell, divided by their number if mean
   Both are one table of weights per axis around two kernels, each the adjoint of the other. */
#include "core/ops/windows.h"

#include "core/spans.h"

#include <string.h>

/* the windows first .. last-1 that cover rolled cell r */
static int64_t first_window(const fc_window_plan *p, int64_t r) {
  return r < p->size ? 0 : (r - p->size) / p->stride + 1;
}
static int64_t last_window(const fc_window_plan *p, const fc_window_axis *a, int64_t r) {
  return fc_min64(a->windows, r / p->stride + 1);
}

/* y = w x, or += it, for n numbers */
FC_SIMD static void scaled(fc_real *restrict y, const fc_real *restrict x, fc_real w, int64_t n, bool add) {
  for (int64_t i = 0; i < n; i++) y[i] = add ? y[i] + w * x[i] : w * x[i];
}

/* one run of cells from rolled column s on, each with its weight */
static void move_run(const fc_window_plan *p, fc_real *to, const fc_real *from, int64_t s, int64_t cells,
                     fc_real weight_x, bool add) {
  const fc_real *w = p->y.weight;

  for (int64_t i = 0; w && i < cells; i++)
    scaled(to + i * p->C, from + i * p->C, weight_x * w[s + i], p->C, add);
  if (w) return;
  if (weight_x != 1)
    scaled(to, from, weight_x, cells * p->C, add);
  else if (add)
    fc_span_add(to, from, cells * p->C);
  else
    memcpy(to, from, (size_t)(cells * p->C) * sizeof *to);
}

/* The cells of one row of window j, in pieces: cells s .. s + run-1 of the rolled row start at `column` of
   the grid's row; a row of a window is contiguous there but for the place where the grid wraps around. */
#define FOR_RUNS(p, j, s, run, column)                                                                       \
  for (int64_t s = (j) * (p)->stride, run, column; column = (s + (p)->shift_y) % (p)->y.n,                   \
               run = fc_min64(row_end(p, j) - s, (p)->y.n - column), run > 0;                                \
       s += run)

/* where window j ends or the grid does */
static int64_t row_end(const fc_window_plan *p, int64_t j) {
  return fc_min64(j * p->stride + p->size, p->y.n);
}

static fc_real weight_of(const fc_window_plan *p, int64_t r) {
  return p->x.weight ? p->scale * p->x.weight[r] : p->scale;
}

/* a row of window j at `token` (+)= weight times its cells in the grid's row `line`, zeros beyond its end */
static void gather_row(const fc_window_plan *p, fc_real *token, const fc_real *line, int64_t j,
                       fc_real weight, bool add) {
  const int64_t start = j * p->stride, filled = fc_max64(0, row_end(p, j) - start);

  FOR_RUNS(p, j, s, run, column)
  move_run(p, token + (s - start) * p->C, line + column * p->C, s, run, weight, add);
  if (!add) memset(token + filled * p->C, 0, (size_t)((p->size - filled) * p->C) * sizeof *token);
}

/* and back */
static void scatter_row(const fc_window_plan *p, fc_real *line, const fc_real *token, int64_t j,
                        fc_real weight, bool add) {
  FOR_RUNS(p, j, s, run, column)
  move_run(p, line + column * p->C, token + (s - j * p->stride) * p->C, s, run, weight, add);
}

/* number of the grid's row that holds rolled row r of window n's sample */
static int64_t line_of(const fc_window_plan *p, int64_t n, int64_t r) {
  return n / p->y.windows / p->x.windows * p->x.n + (r + p->shift_x) % p->x.n;
}

static int64_t first_row(const fc_window_plan *p, int64_t n) {
  return n / p->y.windows % p->x.windows * p->stride;
}

void fc_window_gather(const fc_window_plan *p, fc_real *w, const fc_real *x, int64_t n, bool add) {
  const int64_t row = p->size * p->C, start = first_row(p, n), end = fc_min64(start + p->size, p->x.n);

  for (int64_t r = start; r < end; r++, w += row)
    gather_row(p, w, x + line_of(p, n, r) * p->y.n * p->C, n % p->y.windows, weight_of(p, r), add);
  if (!add && end < start + p->size)
    memset(w, 0, (size_t)((start + p->size - fc_max64(start, end)) * row) * sizeof *w);
}

void fc_window_scatter(const fc_window_plan *p, fc_real *x, const fc_real *w, int64_t n, bool add) {
  const int64_t row = p->size * p->C, start = first_row(p, n), end = fc_min64(start + p->size, p->x.n);

  for (int64_t r = start; r < end; r++, w += row)
    scatter_row(p, x + line_of(p, n, r) * p->y.n * p->C, w, n % p->y.windows, weight_of(p, r), add);
}

int64_t fc_windows_count(const fc_window_plan *p) { return p->B * p->x.windows * p->y.windows; }

bool fc_windows_tile(const fc_window_plan *p) {
  return p->size == p->stride && p->x.n % p->size == 0 && p->y.n % p->size == 0;
}

void fc_windows_gather(const fc_window_plan *p, fc_real *w, const fc_real *x, bool add) {
  const int64_t window = p->size * p->size * p->C;

  FC_FOR_ROWS(n, fc_windows_count(p), window) fc_window_gather(p, w + n * window, x, n, add);
}

/* one task per window where none share a cell, else one per row of the grid with its windows in fixed order
 */
void fc_windows_scatter(const fc_window_plan *p, fc_real *x, const fc_real *w, bool add) {
  const int64_t row = p->size * p->C, line = p->y.n * p->C, window = p->size * row;

  if (fc_windows_tile(p)) {
    FC_FOR_ROWS(n, fc_windows_count(p), window) fc_window_scatter(p, x, w + n * window, n, add);
    return;
  }
  FC_FOR_ROWS(t, p->B * p->x.n, line) {
    const int64_t r = t % p->x.n, b = t / p->x.n;
    fc_real      *to = x + (b * p->x.n + (r + p->shift_x) % p->x.n) * line;
    if (!add) memset(to, 0, (size_t)line * sizeof *to);
    for (int64_t i = first_window(p, r); i < last_window(p, &p->x, r); i++) {
      const fc_real *from = w + ((b * p->x.windows + i) * p->y.windows * p->size + r - i * p->stride) * row;
      for (int64_t j = 0; j < p->y.windows; j++, from += p->size * row)
        scatter_row(p, to, from, j, weight_of(p, r), true);
    }
  }
}

/* w = x: dx += dw at the same cells */
static void windows_backward(fc_ctx *c, const fc_node *node) {
  bool     fresh;
  fc_real *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (dx) fc_windows_scatter(node->saved, dx, node->out->g, !fresh);
}

static const fc_op windows_op = {"windows", windows_backward, false};

int64_t fc_windows_along(fc_window_layout s, int64_t n) {
  const int64_t length = s.pad ? fc_ceil_div(n, s.size) * s.size : n;
  return length < s.size ? 0 : (length - s.size) / s.stride + 1;
}

/* cells that no window covers get weight 0 */
static fc_real *weights(fc_arena *arena, const fc_window_plan *p, const fc_window_axis *a) {
  fc_real *w = fc_arena_push(arena, (size_t)a->n * sizeof *w);

  for (int64_t r = 0; r < a->n; r++) {
    const int64_t covers = last_window(p, a, r) - first_window(p, r);
    w[r]                 = covers > 0 ? 1 / (fc_real)covers : 0;
  }
  return w;
}

fc_window_plan *fc_window_plan_new(fc_ctx *c, const int64_t *dim, fc_window_layout s, bool mean) {
  const int64_t   X = dim[1], Y = dim[2];
  fc_window_plan *p = fc_arena_push(c->arena, sizeof *p);

  FC_ASSERT(X > 0 && Y > 0 && s.size > 0 && s.stride > 0 && fc_windows_along(s, X) > 0 &&
                fc_windows_along(s, Y) > 0,
            "windows: size %lld, stride %lld on %s", (long long)s.size, (long long)s.stride,
            fc_dims_text(4, dim));
  *p = (fc_window_plan){.B       = dim[0],
                        .C       = dim[3],
                        .size    = s.size,
                        .stride  = s.stride,
                        .x       = {X, fc_windows_along(s, X), NULL},
                        .y       = {Y, fc_windows_along(s, Y), NULL},
                        .shift_x = (s.shift % X + X) % X,
                        .shift_y = (s.shift % Y + Y) % Y,
                        .scale   = 1};
  if (mean) p->x.weight = weights(c->arena, p, &p->x), p->y.weight = weights(c->arena, p, &p->y);
  return p;
}

fc_tensor *fc_window_split(fc_ctx *c, fc_tensor *x, fc_window_layout s) {
  FC_ASSERT(x->ndim == 4, "windows: %s is not [B, X, Y, C]", fc_shape_text(x));
  fc_window_plan *p = fc_window_plan_new(c, x->dim, s, false);
  fc_tensor *w = fc_tensor_new(c->arena, FC_DIMS(p->B * p->x.windows * p->y.windows, s.size * s.size, p->C));
  if (!c->dry) fc_windows_gather(p, w->x, x->x, false);
  return fc_record(c, &windows_op, w, p, FC_IN(x));
}
