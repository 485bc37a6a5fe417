/* core/ops/linear.c - y = act(x W^T + b): x [.., K], W [O, K], b [O], y [.., O]. */
#include "core/gemm.h"
#include "core/ops/epilogue.h"
#include "core/parallel.h"

typedef struct {
  fc_act   act;
  fc_real *z; /* x W^T + b where the activation's slope needs it */
} saved;

static void forward(fc_real *y, fc_real *z, const fc_real *x, const fc_real *W, const fc_real *b, fc_act act,
                    int64_t rows, int64_t O, int64_t K) {
  const int64_t block = fc_gemm_block(rows, O, K);

  FC_FOR_TASKS(t, fc_ceil_div(rows, block), rows * O * K) {
    const int64_t at = t * block, n = fc_min64(block, rows - at);
    fc_gemm(false, true, n, O, K, 1, x + at * K, K, W, K, 0, z + at * O, O);
    fc_epilogue(act, y + at * O, z + at * O, b, n, O);
  }
}

static void backward(fc_ctx *c, const fc_node *node) {
  const saved     *s = node->saved;
  const fc_tensor *x = node->in[0], *W = node->in[1];
  const int64_t    rows = fc_rows(x), K = fc_last(x), O = W->dim[0];
  bool             fresh;
  fc_real         *dx = fc_grad_raw(c, node->in[0], &fresh), *dW = fc_grad(c, node->in[1]);
  fc_real         *db = fc_grad(c, node->in[2]), *g = node->out->g;

  fc_epilogue_back(s->act, g, s->z, rows, O);                               /* y = act(z)  */
  if (db) fc_column_sums(c->arena, g, rows, O, db);                         /* z = .. + b  */
  if (dW) fc_gemm_reduce(c->arena, O, K, rows, g, O, x->x, K, true, dW, K); /* z = x W^T  */
  if (dx) fc_gemm_rows(false, false, rows, K, O, 1, g, O, W->x, K, !fresh, dx, K);
  c->flops += 4.0 * (double)rows * (double)O * (double)K;
}

static const fc_op linear = {"linear", backward, false};

fc_tensor *fc_linear_op(fc_ctx *c, fc_tensor *x, fc_tensor *W, fc_tensor *b, fc_act act) {
  const int64_t rows = fc_rows(x), K = fc_last(x), O = W->dim[0];
  int64_t       dim[FC_MAX_DIMS];

  FC_ASSERT(fc_span(W, 1, W->ndim) == K && (!b || fc_len(b) == O), "linear: input %s, weight %s, bias %s",
            fc_shape_text(x), fc_shape_text(W), b ? fc_shape_text(b) : "none");
  for (int i = 0; i < x->ndim; i++) dim[i] = x->dim[i];
  dim[x->ndim - 1] = O;
  saved     *s     = fc_arena_push(c->arena, sizeof *s);
  fc_tensor *y     = fc_tensor_new(c->arena, x->ndim, dim);
  const bool keep  = act != FC_ACT_NONE && fc_needs_record(c, 3, (fc_tensor *[]){x, W, b});
  *s = (saved){act, keep ? fc_arena_push(c->arena, (size_t)(rows * O) * sizeof(fc_real)) : y->x};
  if (!c->dry) forward(y->x, s->z, x->x, W->x, b ? b->x : NULL, act, rows, O, K);
  c->flops += 2.0 * (double)rows * (double)O * (double)K;
  return fc_record(c, &linear, y, s, FC_IN(x, W, b));
}
