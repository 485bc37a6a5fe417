/* core/ops/axial.c - the kernel product of factorised attention (Li, Shu, Barati Farimani 2023, eq. 8):
   v [B, H, n_0, .., n_{d-1}, D], kernel [B, H, n, n], along the axis of length n:
   y[l, i, r] = sum_j kernel[i, j] v[l, j, r]; l runs over the axes before, r over those after and the head
   width. */
#include "core/gemm.h"
#include "core/ops.h"
#include "core/parallel.h"

#include <string.h>

enum { COLUMNS = 512, PARTS = 4 };

typedef struct {
  int64_t heads, left, n, right; /* heads: B H */
} sizes;

/* y = op(kernel) v, one task per head and slab: blocks of columns where the axis comes first, of slabs
 * elsewhere */
static void product(const sizes *s, bool transposed, const fc_real *kernel, const fc_real *v, bool clear,
                    fc_real *y) {
  const bool    first = s->left == 1;
  const int64_t slabs = first ? fc_ceil_div(s->right, COLUMNS) : s->left, slab = s->n * s->right;

  FC_FOR_TASKS(t, s->heads * slabs, s->heads * s->left * slab * s->n) {
    const int64_t h = t / slabs, i = t % slabs, at = h * s->left * slab + (first ? i * COLUMNS : i * slab);
    const int64_t cols = first ? fc_min64(COLUMNS, s->right - i * COLUMNS) : s->right;
    fc_gemm(transposed, false, s->n, cols, s->n, 1, kernel + h * s->n * s->n, s->n, v + at, s->right, !clear,
            y + at, s->right);
  }
}

/* sum over part p of the slabs (or of the columns) of dy v^T, into out [n, n] */
static void kernel_part(const sizes *s, int64_t p, int64_t parts, const fc_real *dy, const fc_real *v,
                        fc_real *out) {
  const bool    first  = s->left == 1;
  const int64_t extent = first ? s->right : s->left, lo = extent * p / parts, hi = extent * (p + 1) / parts;

  memset(out, 0, (size_t)(s->n * s->n) * sizeof *out);
  if (first) fc_gemm(false, true, s->n, s->n, hi - lo, 1, dy + lo, s->right, v + lo, s->right, 1, out, s->n);
  for (int64_t l = first ? hi : lo; l < hi; l++)
    fc_gemm(false, true, s->n, s->n, s->right, 1, dy + l * s->n * s->right, s->right, v + l * s->n * s->right,
            s->right, 1, out, s->n);
}

/* y = K v  ->  dK = dy v^T */
static void backward_kernel(fc_arena *scratch, const sizes *s, fc_real *dk, const fc_real *dy,
                            const fc_real *v) {
  const int64_t parts = fc_min64(PARTS, s->left == 1 ? fc_ceil_div(s->right, COLUMNS) : s->left),
                nn    = s->n * s->n;
  const int64_t each  = s->left * s->n * s->right;
  const size_t  mark  = fc_arena_mark(scratch);
  fc_real      *sum   = fc_arena_push(scratch, (size_t)(s->heads * parts * nn) * sizeof *sum);

  FC_FOR_TASKS(t, s->heads * parts, s->heads * each * s->n)
  kernel_part(s, t % parts, parts, dy + t / parts * each, v + t / parts * each, sum + t * nn);
  FC_FOR_ROWS(h, s->heads, nn * parts)
  for (int64_t p = 0; p < parts; p++)
    for (int64_t i = 0; i < nn; i++) dk[h * nn + i] += sum[(h * parts + p) * nn + i];
  fc_arena_pop(scratch, mark);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const sizes   *s = node->saved;
  const fc_real *K = node->in[0]->x, *v = node->in[1]->x, *dy = node->out->g;
  bool           fresh;
  fc_real       *dk = fc_grad(c, node->in[0]), *dv = fc_grad_raw(c, node->in[1], &fresh);

  if (dk) backward_kernel(c->arena, s, dk, dy, v);
  if (dv) product(s, true, K, dy, fresh, dv); /* y = K v  ->  dv = K^T dy */
  c->flops += 4.0 * (double)(s->heads * s->left * s->n * s->right) * (double)s->n;
}

static const fc_op axial = {"axial_product", backward, false};

fc_tensor *fc_axial_product(fc_ctx *c, fc_tensor *kernel, fc_tensor *v, int axis) {
  const int a = axis + 2;
  sizes    *s = fc_arena_push(c->arena, sizeof *s);

  FC_ASSERT(axis >= 0 && a < v->ndim - 1 && kernel->ndim == 4 && kernel->dim[0] == v->dim[0] &&
                kernel->dim[1] == v->dim[1] && kernel->dim[2] == v->dim[a] && kernel->dim[3] == v->dim[a],
            "axial_product: kernel %s, values %s, axis %d", fc_shape_text(kernel), fc_shape_text(v), axis);
  *s           = (sizes){v->dim[0] * v->dim[1], fc_span(v, 2, a), v->dim[a], fc_span(v, a + 1, v->ndim)};
  fc_tensor *y = fc_tensor_new(c->arena, v->ndim, v->dim);
  if (!c->dry) product(s, false, kernel->x, v->x, true, y->x);
  c->flops += 2.0 * (double)fc_len(v) * (double)s->n;
  return fc_record(c, &axial, y, s, FC_IN(kernel, v));
}
