/* core/ops/permute.c - y.dim[i] = x.dim[axes[i]], values reordered. Axes of length 1 are dropped and
   axes that stay together are merged; what is left either ends with the same axis in x and y (runs are
   copied) or not (tiles are transposed). */
#include "core/ops.h"
#include "core/ops/odometer.h"
#include "core/spans.h"

#include <string.h>

enum { TILE = 16 };

/* y as a stack of matrices [rows, run]: the outer axes say where each begins in x and in y. Tiled
   (transposed) if a step along x's last axis is a step along y's rows, else y's runs are runs of x. */
typedef struct {
  fc_odometer x, y;
  int64_t     outer, rows, run;
  int64_t     row_x, run_x, row_y; /* strides */
} layout;

/* y[r sy + j] += x[r sx + j] */
FC_SIMD static void add_runs(fc_real *restrict y, int64_t sy, const fc_real *restrict x, int64_t sx,
                             int64_t rows, int64_t run) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < run; j++) y[r * sy + j] += x[r * sx + j];
}

static void copy_runs(fc_real *restrict y, int64_t sy, const fc_real *restrict x, int64_t sx, int64_t rows,
                      int64_t run) {
  if (run >= 32)
    for (int64_t r = 0; r < rows; r++) memcpy(y + r * sy, x + r * sx, (size_t)run * sizeof *y);
  else
    for (int64_t r = 0; r < rows; r++)
      for (int64_t j = 0; j < run; j++) y[r * sy + j] = x[r * sx + j];
}

/* y[r sy + j] = x[r + j sx] */
FC_SIMD static void transpose(fc_real *restrict y, int64_t sy, const fc_real *restrict x, int64_t sx,
                              int64_t rows, int64_t run, bool fresh) {
  for (int64_t r0 = 0; r0 < rows; r0 += TILE)
    for (int64_t j0 = 0; j0 < run; j0 += TILE) {
      const int64_t r1 = r0 + TILE < rows ? r0 + TILE : rows, j1 = j0 + TILE < run ? j0 + TILE : run;
      for (int64_t r = r0; r < r1; r++)
        for (int64_t j = j0; j < j1; j++) y[r * sy + j] = fc_into(fresh, y[r * sy + j], x[r + j * sx]);
    }
}

/* lengths n and strides s (of x) of y's axes, without axes of length 1 and with neighbours merged */
static int simplify(const fc_tensor *x, const int *axes, int64_t *n, int64_t *s) {
  int nd = 0;

  for (int i = 0; i < x->ndim; i++) {
    const int64_t len = x->dim[axes[i]], stride = fc_span(x, axes[i] + 1, x->ndim);
    if (len == 1) continue;
    if (nd && s[nd - 1] == len * stride) {
      n[nd - 1] *= len;
      s[nd - 1] = stride;
      continue;
    }
    n[nd]   = len;
    s[nd++] = stride;
  }
  return nd;
}

/* nd >= 2, so that axes move; q is the axis of y that becomes the rows */
static layout make_layout(int nd, const int64_t *n, const int64_t *s) {
  layout  l = {.outer = 1, .run = n[nd - 1], .run_x = s[nd - 1]};
  int64_t sy[FC_MAX_DIMS];
  int     q = nd - 2;

  sy[nd - 1] = 1;
  for (int i = nd - 2; i >= 0; i--) sy[i] = sy[i + 1] * n[i + 1];
  for (int i = 0; i < nd - 1; i++)
    if (s[i] == 1) q = i;
  l.rows = n[q], l.row_x = s[q], l.row_y = sy[q];
  for (int i = 0; i < nd - 1; i++) {
    if (i == q) continue;
    l.x.n[l.x.nd] = l.y.n[l.x.nd] = n[i];
    l.x.stride[l.x.nd++]          = s[i];
    l.y.stride[l.y.nd++]          = sy[i];
    l.outer *= n[i];
  }
  return l;
}

static void move_block(const layout *l, fc_real *y, const fc_real *x, int64_t rows, int64_t run, bool fresh) {
  if (l->run_x != 1)
    transpose(y, l->row_y, x, l->run_x, rows, run, fresh);
  else if (fresh)
    copy_runs(y, l->row_y, x, l->row_x, rows, run);
  else
    add_runs(y, l->row_y, x, l->row_x, rows, run);
}

/* y (+)= x with its axes in another order */
static void move(const layout *l, fc_real *y, const fc_real *x, bool fresh) {
  const int64_t tall = l->run_x == 1 ? fc_block_rows(l->run) : 2 * TILE;
  const int64_t rows = fc_min64(l->rows, tall), run = fc_min64(l->run, fc_block_rows(rows));
  const int64_t down = fc_ceil_div(l->rows, rows), across = fc_ceil_div(l->run, run);

  FC_FOR_ROWS(i, l->outer * down * across, rows * run) {
    fc_odometer   ox = l->x, oy = l->y;
    const int64_t j = i % across * run, r = i / across % down * rows, o = i / across / down;

    fc_odometer_set(&ox, o);
    fc_odometer_set(&oy, o);
    move_block(l, y + oy.at + r * l->row_y + j, x + ox.at + r * l->row_x + j * l->run_x,
               fc_min64(rows, l->rows - r), fc_min64(run, l->run - j), fresh);
  }
}

/* y = permute(x, axes): dx += permute(dy, inverse of axes) */
static void backward(fc_ctx *c, const fc_node *node) {
  const int *axes = node->saved;
  int        inverse[FC_MAX_DIMS];
  int64_t    n[FC_MAX_DIMS], s[FC_MAX_DIMS];
  bool       fresh;
  fc_real   *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (!dx) return;
  for (int i = 0; i < node->out->ndim; i++) inverse[axes[i]] = i;
  const int    nd = simplify(node->out, inverse, n, s);
  const layout l  = make_layout(nd, n, s);
  move(&l, dx, node->out->g, fresh);
}

static const fc_op permute = {"permute", backward, false};

static void check_axes(const fc_tensor *x, const int *axes) {
  unsigned seen = 0;

  for (int i = 0; i < x->ndim; i++) {
    FC_ASSERT(axes[i] >= 0 && axes[i] < x->ndim && !(seen >> axes[i] & 1u),
              "permute: axis %d of %s is out of range or named twice", axes[i], fc_shape_text(x));
    seen |= 1u << axes[i];
  }
}

/* axes [x.ndim]: a permutation; x [d_0, ..] -> y with y.dim[i] = x.dim[axes[i]]. Where only axes of
   length 1 move, the result shares x's values. */
fc_tensor *fc_permute(fc_ctx *c, fc_tensor *x, const int *axes) {
  int64_t dim[FC_MAX_DIMS], n[FC_MAX_DIMS], s[FC_MAX_DIMS];

  check_axes(x, axes);
  for (int i = 0; i < x->ndim; i++) dim[i] = x->dim[axes[i]];
  const int nd = simplify(x, axes, n, s);
  if (nd < 2 || fc_len(x) == 0) return fc_reshape(c, x, x->ndim, dim);

  fc_tensor *y     = fc_tensor_new(c->arena, x->ndim, dim);
  int       *saved = fc_arena_push(c->arena, sizeof(int) * FC_MAX_DIMS);
  memcpy(saved, axes, (size_t)x->ndim * sizeof *axes);
  const layout l = make_layout(nd, n, s);
  if (!c->dry) move(&l, y->x, x->x, true);
  return fc_record(c, &permute, y, saved, FC_IN(x));
}
