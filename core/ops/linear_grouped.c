/* core/ops/linear_grouped.c - a linear map that is block diagonal over channel groups (a 1x1 convolution with
   groups): x [.., K], W [O, K/G], b [O]; output o reads the inputs of group o / (O/G). */
#include "core/gemm.h"
#include "core/ops/epilogue.h"
#include "core/parallel.h"

typedef struct {
  int64_t rows, K, O, G, k, o; /* k, o: widths of one group */
} sizes;

static sizes sizes_of(const fc_tensor *x, const fc_tensor *W, int64_t groups) {
  const int64_t K = fc_last(x), O = W->dim[0];

  return (sizes){fc_rows(x), K, O, groups, K / groups, O / groups};
}

static void forward(fc_real *y, const fc_real *x, const fc_real *W, const fc_real *b, sizes s) {
  const int64_t block = fc_gemm_block(s.rows, s.O, s.k);

  FC_FOR_TASKS(t, fc_ceil_div(s.rows, block), s.rows * s.O * s.k) {
    const int64_t at = t * block, n = fc_min64(block, s.rows - at);
    for (int64_t g = 0; g < s.G; g++)
      fc_gemm(false, true, n, s.o, s.k, 1, x + at * s.K + g * s.k, s.K, W + g * s.o * s.k, s.k, 0,
              y + at * s.O + g * s.o, s.O);
    fc_epilogue(FC_ACT_NONE, NULL, y + at * s.O, b, n, s.O);
  }
}

/* y_g = x_g W_g^T  ->  dx_g = dy_g W_g */
static void backward_input(fc_real *dx, bool fresh, const fc_real *dy, const fc_real *W, sizes s) {
  const int64_t block = fc_gemm_block(s.rows, s.K, s.o);

  FC_FOR_TASKS(t, fc_ceil_div(s.rows, block), s.rows * s.O * s.k) {
    const int64_t at = t * block, n = fc_min64(block, s.rows - at);
    for (int64_t g = 0; g < s.G; g++)
      fc_gemm(false, false, n, s.k, s.o, 1, dy + at * s.O + g * s.o, s.O, W + g * s.o * s.k, s.k, !fresh,
              dx + at * s.K + g * s.k, s.K);
  }
}

static void backward(fc_ctx *c, const fc_node *node) {
  const fc_tensor *x = node->in[0], *W = node->in[1];
  const sizes      s = *(const sizes *)node->saved;
  bool             fresh;
  fc_real         *dx = fc_grad_raw(c, node->in[0], &fresh), *dW = fc_grad(c, node->in[1]);
  fc_real         *db = fc_grad(c, node->in[2]), *dy = node->out->g;

  if (db) fc_column_sums(c->arena, dy, s.rows, s.O, db);
  if (dW)
    for (int64_t g = 0; g < s.G; g++)
      fc_gemm_reduce(c->arena, s.o, s.k, s.rows, dy + g * s.o, s.O, x->x + g * s.k, s.K, true,
                     dW + g * s.o * s.k, s.k);
  if (dx) backward_input(dx, fresh, dy, W->x, s);
  c->flops += 4.0 * (double)s.rows * (double)s.O * (double)s.k;
}

static const fc_op linear_grouped = {"linear_grouped", backward, false};

fc_tensor *fc_linear_grouped(fc_ctx *c, fc_tensor *x, fc_tensor *W, fc_tensor *b, int64_t groups) {
  int64_t dim[FC_MAX_DIMS];

  FC_ASSERT(fc_last(x) % groups == 0 && W->dim[0] % groups == 0 &&
                fc_span(W, 1, W->ndim) == fc_last(x) / groups,
            "linear_grouped: input %s, weight %s, %lld groups", fc_shape_text(x), fc_shape_text(W),
            (long long)groups);
  for (int i = 0; i < x->ndim; i++) dim[i] = x->dim[i];
  dim[x->ndim - 1] = W->dim[0];
  sizes *s         = fc_arena_push(c->arena, sizeof *s);
  *s               = sizes_of(x, W, groups);
  fc_tensor *y     = fc_tensor_new(c->arena, x->ndim, dim);
  if (!c->dry) forward(y->x, x->x, W->x, b ? b->x : NULL, *s);
  c->flops += 2.0 * (double)s->rows * (double)s->O * (double)s->k;
  return fc_record(c, &linear_grouped, y, s, FC_IN(x, W, b));
}
