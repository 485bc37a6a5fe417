/* core/ops/axial.c - the kernel product of factorised attention (Li, Shu, Barati Farimani 2023, eq. 8):
   v [B, H, n_0, .., n_{d-1}, D], kernel [B, H, n, n], along the axis of length n:
   y[l, i, r] = sum_j kernel[i, j] v[l, j, r]; l runs over the axes before, r over those after and the head
   width. */
#include "core/ops/axial.h"

#include "core/gemm.h"
#include "core/ops.h"
#include "core/parallel.h"

#include <string.h>

enum { COLUMNS = 512, NUMBERS = 1 << 14, PARTS = 4 };

fc_axial fc_axial_of(const fc_tensor *v, int axis) {
  const int a = axis + 2;

  return (fc_axial){fc_span(v, 2, a), v->dim[a], fc_span(v, a + 1, v->ndim)};
}

static int64_t piece_cols(const fc_axial *s, int64_t unit) {
  return fc_min64(s->right, fc_max64(1, COLUMNS / unit) * unit);
}

/* several slabs at once where one is small */
static int64_t piece_slabs(const fc_axial *s, int64_t unit) {
  return piece_cols(s, unit) < s->right ? 1 : fc_max64(1, NUMBERS / (s->n * s->right));
}

int64_t fc_axial_pieces(const fc_axial *s, int64_t unit) {
  return fc_ceil_div(s->left, piece_slabs(s, unit)) * fc_ceil_div(s->right, piece_cols(s, unit));
}

fc_axial_piece fc_axial_piece_at(const fc_axial *s, int64_t unit, int64_t i) {
  const int64_t cols = piece_cols(s, unit), slabs = piece_slabs(s, unit),
                across = fc_ceil_div(s->right, cols);
  const int64_t slab = i / across * slabs, column = i % across * cols;

  return (fc_axial_piece){slab * s->n * s->right + column, fc_min64(slabs, s->left - slab) * s->n,
                          fc_min64(cols, s->right - column)};
}

void fc_axial_apply(const fc_axial *s, const fc_axial_piece *p, bool transposed, const fc_real *K,
                    const fc_real *v, bool clear, fc_real *y) {
  for (int64_t r = 0; r < p->rows; r += s->n)
    fc_gemm(transposed, false, s->n, p->cols, s->n, 1, K, s->n, v + p->at + r * s->right, s->right, !clear,
            y + p->at + r * s->right, s->right);
}

void fc_axial_apply_all(const fc_axial *s, int64_t heads, bool transposed, const fc_real *K, const fc_real *v,
                        bool clear, fc_real *y) {
  const int64_t pieces = fc_axial_pieces(s, 1), head = s->left * s->n * s->right;

  FC_FOR_TASKS(t, heads * pieces, heads * head * s->n) {
    const int64_t        h = t / pieces;
    const fc_axial_piece p = fc_axial_piece_at(s, 1, t % pieces);
    fc_axial_apply(s, &p, transposed, K + h * s->n * s->n, v + h * head, clear, y + h * head);
  }
}

/* sum over part p of the slabs (or of the columns) of dy v^T, into out [n, n] */
static void kernel_part(const fc_axial *s, int64_t p, int64_t parts, const fc_real *dy, const fc_real *v,
                        fc_real *out) {
  const bool    first  = s->left == 1;
  const int64_t extent = first ? s->right : s->left, lo = extent * p / parts, hi = extent * (p + 1) / parts;

  memset(out, 0, (size_t)(s->n * s->n) * sizeof *out);
  if (first) fc_gemm(false, true, s->n, s->n, hi - lo, 1, dy + lo, s->right, v + lo, s->right, 1, out, s->n);
  for (int64_t l = first ? hi : lo; l < hi; l++)
    fc_gemm(false, true, s->n, s->n, s->right, 1, dy + l * s->n * s->right, s->right, v + l * s->n * s->right,
            s->right, 1, out, s->n);
}

void fc_axial_kernel_gradient(fc_arena *scratch, const fc_axial *s, int64_t heads, fc_real *dK,
                              const fc_real *dy, const fc_real *v) {
  const int64_t parts = fc_min64(PARTS, s->left == 1 ? fc_ceil_div(s->right, COLUMNS) : s->left),
                nn    = s->n * s->n;
  const int64_t each  = s->left * s->n * s->right;
  const size_t  mark  = fc_arena_mark(scratch);
  fc_real      *sum   = fc_arena_push(scratch, (size_t)(heads * parts * nn) * sizeof *sum);

  FC_FOR_TASKS(t, heads * parts, heads * each * s->n)
  kernel_part(s, t % parts, parts, dy + t / parts * each, v + t / parts * each, sum + t * nn);
  FC_FOR_ROWS(h, heads, nn * parts)
  for (int64_t p = 0; p < parts; p++)
    for (int64_t i = 0; i < nn; i++) dK[h * nn + i] += sum[(h * parts + p) * nn + i];
  fc_arena_pop(scratch, mark);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const fc_axial *s = node->saved;
  const fc_real  *K = node->in[0]->x, *v = node->in[1]->x, *dy = node->out->g;
  const int64_t   heads = fc_span(node->in[1], 0, 2);
  bool            fresh;
  fc_real        *dK = fc_grad(c, node->in[0]), *dv = fc_grad_raw(c, node->in[1], &fresh);

  if (dK) fc_axial_kernel_gradient(c->arena, s, heads, dK, dy, v);
  if (dv) fc_axial_apply_all(s, heads, true, K, dy, fresh, dv); /* y = K v  ->  dv = K^T dy */
  c->flops += 4.0 * (double)fc_len(node->out) * (double)s->n;
}

static const fc_op axial = {"axial_product", backward, false};

fc_tensor *fc_axial_product(fc_ctx *c, fc_tensor *kernel, fc_tensor *v, int axis) {
  const int a = axis + 2;
  fc_axial *s = fc_arena_push(c->arena, sizeof *s);

  FC_ASSERT(axis >= 0 && a < v->ndim - 1 && kernel->ndim == 4 && kernel->dim[0] == v->dim[0] &&
                kernel->dim[1] == v->dim[1] && kernel->dim[2] == v->dim[a] && kernel->dim[3] == v->dim[a],
            "axial_product: kernel %s, values %s, axis %d", fc_shape_text(kernel), fc_shape_text(v), axis);
  *s           = fc_axial_of(v, axis);
  fc_tensor *y = fc_tensor_new(c->arena, v->ndim, v->dim);
  if (!c->dry) fc_axial_apply_all(s, fc_span(v, 0, 2), false, kernel->x, v->x, true, y->x);
  c->flops += 2.0 * (double)fc_len(v) * (double)s->n;
  return fc_record(c, &axial, y, s, FC_IN(kernel, v));
}
