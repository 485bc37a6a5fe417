/* core/ops/patches.c - convolutions whose kernel is as long as their stride, and their transposed form:
   between a grid and one r times coarser. Square patches of r x r cells are windows (core/ops/windows.h), so
   both are a product on patches laid out in rows. down:  y[i, j, p] = sum over a, b, q of W[p, a, b, q] x[r i
   + a, r j + b, q] up:    y[r i + a, r j + b, q] += scale sum over p of x[i, j, p] W[p, a, b, q] x and y [B,
   X, Y, channels]. Patches are made again in backward. */
#include "core/gemm.h"
#include "core/ops/windows.h"
#include "core/parallel.h"

typedef struct {
  int64_t               P, row, n; /* W [P, row], row = r r Q; n patches */
  const fc_window_plan *fine;      /* of the fine grid, Q channels */
} patches;

static fc_real *patch_rows(fc_ctx *c, const patches *s) {
  return fc_arena_push(c->arena, (size_t)(s->n * s->row) * sizeof(fc_real));
}

static double work(const patches *s) { return 2 * (double)s->n * (double)(s->P * s->row); }

static patches *make_patches(fc_ctx *c, const fc_tensor *fine, const fc_tensor *coarse, const fc_tensor *W,
                             double scale) {
  const int64_t   r    = W->dim[1];
  patches        *s    = fc_arena_push(c->arena, sizeof *s);
  fc_window_plan *plan = fc_window_plan_new(c, fine->dim, (fc_window_layout){r, r, 0, false}, false);

  FC_ASSERT(fine->ndim == 4 && W->ndim == 4 && r == W->dim[2] && fine->dim[3] == W->dim[3] &&
                coarse->dim[3] == W->dim[0] && coarse->dim[1] * r == fine->dim[1] &&
                coarse->dim[2] * r == fine->dim[2] && coarse->dim[0] == fine->dim[0],
            "patches: fine grid %s, coarse grid %s, weight %s", fc_shape_text(fine), fc_shape_text(coarse),
            fc_shape_text(W));
  plan->scale = (fc_real)scale;
  *s          = (patches){W->dim[0], fc_span(W, 1, 4), fc_span(coarse, 0, 3), plan};
  return s;
}

/* ---- down ---- */

/* y = f W^T with patches f of x: dW += dy^T f, df = dy W */
static void down_backward(fc_ctx *c, const fc_node *node) {
  const patches *s = node->saved;
  bool           fresh;
  fc_real       *dx = fc_grad_raw(c, node->in[0], &fresh), *dW = fc_grad(c, node->in[1]);
  const fc_real *dy = node->out->g, *x = node->in[0]->x, *W = node->in[1]->x;
  const size_t   mark = fc_arena_mark(c->arena);
  fc_real       *f    = patch_rows(c, s);

  if (dW && !c->dry) {
    fc_windows_gather(s->fine, f, x, false);
    fc_gemm_reduce(c->arena, s->P, s->row, s->n, dy, s->P, f, s->row, true, dW, s->row);
  }
  if (dx && !c->dry) {
    fc_gemm_rows(false, false, s->n, s->row, s->P, 1, dy, s->P, W, s->row, 0, f, s->row);
    fc_windows_scatter(s->fine, dx, f, !fresh);
  }
  c->flops += 2 * work(s);
  fc_arena_pop(c->arena, mark);
}

static const fc_op patch_down = {"patch_down", down_backward, true};

fc_tensor *fc_patch_down(fc_ctx *c, fc_tensor *x, fc_tensor *W) {
  const int64_t r    = W->dim[1];
  fc_tensor    *y    = fc_tensor_new(c->arena, FC_DIMS(x->dim[0], x->dim[1] / r, x->dim[2] / r, W->dim[0]));
  patches      *s    = make_patches(c, x, y, W, 1);
  const size_t  mark = fc_arena_mark(c->arena);
  fc_real      *f    = patch_rows(c, s);

  if (!c->dry) {
    fc_windows_gather(s->fine, f, x->x, false);
    fc_gemm_rows(false, true, s->n, s->P, s->row, 1, f, s->row, W->x, s->row, 0, y->x, s->P);
  }
  c->flops += work(s);
  fc_arena_pop(c->arena, mark);
  return fc_record(c, &patch_down, y, s, FC_IN(x, W));
}

/* ---- up ---- */

/* patches f = x W, scaled on their way to the fine grid: dW += x^T df, dx = df W^T */
static void up_backward(fc_ctx *c, const fc_node *node) {
  const patches *s = node->saved;
  bool           fresh;
  fc_real       *dx = fc_grad_raw(c, node->in[1], &fresh), *dW = fc_grad(c, node->in[2]);
  const fc_real *x = node->in[1]->x, *W = node->in[2]->x;
  const size_t   mark = fc_arena_mark(c->arena);
  fc_real       *f    = patch_rows(c, s);

  if (!c->dry) {
    fc_windows_gather(s->fine, f, node->out->g, false);
    if (dW) fc_gemm_reduce(c->arena, s->P, s->row, s->n, x, s->P, f, s->row, true, dW, s->row);
    if (dx) fc_gemm_rows(false, true, s->n, s->P, s->row, 1, f, s->row, W, s->row, !fresh, dx, s->P);
  }
  c->flops += 2 * work(s);
  fc_arena_pop(c->arena, mark);
  fc_grad_give(c, node, node->in[0]);
}

static const fc_op patch_up = {"patch_up", up_backward, true};

fc_tensor *fc_patch_up_in_place(fc_ctx *c, fc_tensor *base, fc_tensor *x, fc_tensor *W, double scale) {
  fc_tensor   *y    = fc_tensor_view(c->arena, base, base->ndim, base->dim);
  patches     *s    = make_patches(c, base, x, W, scale);
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *f    = patch_rows(c, s);

  if (!c->dry) {
    fc_gemm_rows(false, false, s->n, s->row, s->P, 1, x->x, s->P, W->x, s->row, 0, f, s->row);
    fc_windows_scatter(s->fine, y->x, f, true);
  }
  c->flops += work(s);
  fc_arena_pop(c->arena, mark);
  return fc_record(c, &patch_up, y, s, FC_IN(base, x, W));
}
