/* core/ops/patches.c - convolutions whose kernel is as long as their stride, and their transposed form:
   between a grid and one r times coarser. Square patches of r x r cells are windows (core/ops/windows.h), so
   both are a product on patches laid out in rows. down:  y[i, j, o] = sum over a, b, c of W[o, c, a, b] x[r i
   + a, r j + b, c] up:    y[r i + a, r j + b, o] += scale sum over c of x[i, j, c] W[c, o, a, b] x and y [B,
   X, Y, C], W in PyTorch's order. Patches are made again in backward. */
#include "core/gemm.h"
#include "core/ops/windows.h"
#include "core/parallel.h"

typedef struct {
  int64_t               P, Q, r2, n; /* W [P, Q, r, r]; r2 = r r, n patches */
  double                scale;
  const fc_window_plan *fine; /* of the fine grid, Q channels */
} patches;

/* W [P, Q, r2] as [P, r2, Q], times scale */
static fc_real *by_cells(fc_arena *a, const patches *s, const fc_real *W, bool dry) {
  fc_real      *w = fc_arena_push(a, (size_t)(s->P * s->Q * s->r2) * sizeof *w);
  const fc_real f = (fc_real)s->scale;

  if (!dry) FC_FOR_ROWS(p, s->P, s->Q * s->r2)
  for (int64_t k = 0; k < s->r2; k++)
    for (int64_t q = 0; q < s->Q; q++) w[(p * s->r2 + k) * s->Q + q] = f * W[(p * s->Q + q) * s->r2 + k];
  return w;
}

/* dW += the gradient of that */
static void add_by_cells(const patches *s, fc_real *dW, const fc_real *dw) {
  const fc_real f = (fc_real)s->scale;

  FC_FOR_ROWS(p, s->P, s->Q * s->r2)
  for (int64_t q = 0; q < s->Q; q++)
    for (int64_t k = 0; k < s->r2; k++) dW[(p * s->Q + q) * s->r2 + k] += f * dw[(p * s->r2 + k) * s->Q + q];
}

static fc_real *patch_rows(fc_ctx *c, const patches *s) {
  return fc_arena_push(c->arena, (size_t)(s->n * s->r2 * s->Q) * sizeof(fc_real));
}

static double work(const patches *s) { return 2 * (double)(s->n * s->r2) * (double)(s->P * s->Q); }

/* dW += g^T f with rows g [n, P] and patches f [n, r2 Q] */
static void weight_gradient(fc_ctx *c, const patches *s, fc_real *dW, const fc_real *g, const fc_real *f) {
  const int64_t row  = s->r2 * s->Q;
  const size_t  mark = fc_arena_mark(c->arena);
  fc_real      *dw   = fc_arena_push(c->arena, (size_t)(s->P * row) * sizeof *dw);

  if (!c->dry) {
    fc_gemm_reduce(c->arena, s->P, row, s->n, g, s->P, f, row, false, dw, row);
    add_by_cells(s, dW, dw);
  }
  fc_arena_pop(c->arena, mark);
}

static patches *make_patches(fc_ctx *c, const fc_tensor *fine, const fc_tensor *coarse, const fc_tensor *W,
                             double scale) {
  const int64_t r = W->dim[2];
  patches      *s = fc_arena_push(c->arena, sizeof *s);

  FC_ASSERT(fine->ndim == 4 && W->ndim == 4 && r == W->dim[3] && fine->dim[3] == W->dim[1] &&
                coarse->dim[3] == W->dim[0] && coarse->dim[1] * r == fine->dim[1] &&
                coarse->dim[2] * r == fine->dim[2] && coarse->dim[0] == fine->dim[0],
            "patches: fine grid %s, coarse grid %s, weight %s", fc_shape_text(fine), fc_shape_text(coarse),
            fc_shape_text(W));
  *s = (patches){W->dim[0], W->dim[1],
                 r * r,     fc_span(coarse, 0, 3),
                 scale,     fc_window_plan_new(c, fine->dim, (fc_window_spec){r, r, 0, false}, false)};
  return s;
}

/* ---- down ---- */

/* y = f w^T with patches f of x: dw = dy^T f, df = dy w */
static void down_backward(fc_ctx *c, const fc_node *node) {
  const patches *s = node->saved;
  bool           fresh;
  fc_real       *dx = fc_grad_raw(c, node->in[0], &fresh), *dW = fc_grad(c, node->in[1]);
  const fc_real *dy   = node->out->g;
  const int64_t  row  = s->r2 * s->Q;
  const size_t   mark = fc_arena_mark(c->arena);
  fc_real       *f    = patch_rows(c, s);

  if (dW) {
    if (!c->dry) fc_windows_gather(s->fine, f, node->in[0]->x, false);
    weight_gradient(c, s, dW, dy, f);
  }
  if (dx) {
    const fc_real *w = by_cells(c->arena, s, node->in[1]->x, c->dry);
    if (!c->dry) {
      fc_gemm_rows(false, false, s->n, row, s->P, 1, dy, s->P, w, row, 0, f, row);
      fc_windows_scatter(s->fine, dx, f, !fresh);
    }
  }
  c->flops += 2 * work(s);
  fc_arena_pop(c->arena, mark);
}

static const fc_op patch_down = {"patch_down", down_backward, true};

fc_tensor *fc_patch_down(fc_ctx *c, fc_tensor *x, fc_tensor *W) {
  const int64_t r    = W->dim[2];
  fc_tensor    *y    = fc_tensor_new(c->arena, FC_DIMS(x->dim[0], x->dim[1] / r, x->dim[2] / r, W->dim[0]));
  patches      *s    = make_patches(c, x, y, W, 1);
  const int64_t row  = s->r2 * s->Q;
  const size_t  mark = fc_arena_mark(c->arena);
  fc_real      *f = patch_rows(c, s), *w = by_cells(c->arena, s, W->x, c->dry);

  if (!c->dry) {
    fc_windows_gather(s->fine, f, x->x, false);
    fc_gemm_rows(false, true, s->n, s->P, row, 1, f, row, w, row, 0, y->x, s->P);
  }
  c->flops += work(s);
  fc_arena_pop(c->arena, mark);
  return fc_record(c, &patch_down, y, s, FC_IN(x, W));
}

/* ---- up ---- */

/* patches f = x w: dw = x^T df, dx = df w^T */
static void up_backward(fc_ctx *c, const fc_node *node) {
  const patches *s = node->saved;
  bool           fresh;
  fc_real       *dx = fc_grad_raw(c, node->in[1], &fresh), *dW = fc_grad(c, node->in[2]);
  const int64_t  row  = s->r2 * s->Q;
  const size_t   mark = fc_arena_mark(c->arena);
  fc_real       *f    = patch_rows(c, s);

  if (!c->dry) fc_windows_gather(s->fine, f, node->out->g, false);
  if (dW) weight_gradient(c, s, dW, node->in[1]->x, f);
  if (dx) {
    const fc_real *w = by_cells(c->arena, s, node->in[2]->x, c->dry);
    if (!c->dry) fc_gemm_rows(false, true, s->n, s->P, row, 1, f, row, w, row, !fresh, dx, s->P);
  }
  c->flops += 2 * work(s);
  fc_arena_pop(c->arena, mark);
  fc_grad_give(c, node, node->in[0]);
}

static const fc_op patch_up = {"patch_up", up_backward, true};

fc_tensor *fc_patch_up_in_place(fc_ctx *c, fc_tensor *base, fc_tensor *x, fc_tensor *W, double scale) {
  fc_tensor    *y    = fc_tensor_view(c->arena, base, base->ndim, base->dim);
  patches      *s    = make_patches(c, base, x, W, scale);
  const int64_t row  = s->r2 * s->Q;
  const size_t  mark = fc_arena_mark(c->arena);
  fc_real      *f = patch_rows(c, s), *w = by_cells(c->arena, s, W->x, c->dry);

  if (!c->dry) {
    fc_gemm_rows(false, false, s->n, row, s->P, 1, x->x, s->P, w, row, 0, f, row);
    fc_windows_scatter(s->fine, y->x, f, true);
  }
  c->flops += work(s);
  fc_arena_pop(c->arena, mark);
  return fc_record(c, &patch_up, y, s, FC_IN(base, x, W));
}
