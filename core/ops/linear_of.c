/* core/ops/linear_of.c - y = r + W act(x) + b: x [.., K], W [O, K], b [O], r and y [.., O].
   The activation stands in front of the product instead of behind the one before it, and is computed again
   in backward: one array less per layer, and the sum with r costs no pass over memory of its own. */
#include "core/gemm.h"
#include "core/ops/activation_spans.h"
#include "core/ops/epilogue.h"
#include "core/parallel.h"

typedef struct {
  fc_act  act;
  int64_t rows, O, K, block;
} sizes;

/* room for act(x) of one block for each thread */
static fc_real *block_room(fc_arena *a, const sizes *s) {
  return fc_arena_push(a, (size_t)(fc_threads() * s->block * s->K) * sizeof(fc_real));
}

static void forward(fc_real *room, fc_real *y, const fc_real *x, const fc_real *W, const fc_real *b,
                    const fc_real *r, const sizes *s) {
  FC_FOR_TASKS(t, fc_ceil_div(s->rows, s->block), s->rows * s->O * s->K) {
    const int64_t  at = t * s->block, n = fc_min64(s->block, s->rows - at);
    const fc_real *a = x + at * s->K;
    if (s->act != FC_ACT_NONE) {
      fc_real *mine = room + fc_thread() * s->block * s->K;
      fc_act_span(s->act, mine, a, n * s->K);
      a = mine;
    }
    fc_gemm(false, true, n, s->O, s->K, 1, a, s->K, W, s->K, 0, y + at * s->O, s->O);
    fc_epilogue_add(y + at * s->O, b, r ? r + at * s->O : NULL, n, s->O);
  }
}

/* y = W act(x) -> dx += act'(x) (dy W); a fresh dx takes the product itself, else it goes through the room.
   a [rows, K] takes act(x) while x is here, NULL: nobody asks */
static void backward_input(fc_real *room, fc_real *dx, bool fresh, const fc_real *dy, const fc_real *W,
                           const fc_real *x, fc_real *a, const sizes *s) {
  FC_FOR_TASKS(t, fc_ceil_div(s->rows, s->block), s->rows * s->O * s->K) {
    const int64_t at = t * s->block, n = fc_min64(s->block, s->rows - at);
    const bool    direct = fresh || s->act == FC_ACT_NONE;
    fc_real      *to     = direct ? dx + at * s->K : room + fc_thread() * s->block * s->K;
    fc_gemm(false, false, n, s->K, s->O, 1, dy + at * s->O, s->O, W, s->K, !fresh && direct, to, s->K);
    if (a)
      fc_act_value_grad_span(s->act, a + at * s->K, to, x + at * s->K, n * s->K);
    else
      fc_act_grad_span(s->act, to, x + at * s->K, n * s->K);
    if (!direct) fc_epilogue_add(dx + at * s->K, NULL, to, n, s->K);
  }
}

static void backward(fc_ctx *c, const fc_node *node) {
  const sizes     *s = node->saved;
  const fc_tensor *x = node->in[0], *W = node->in[1];
  bool             fresh;
  fc_real         *dx = fc_grad_raw(c, node->in[0], &fresh), *dW = fc_grad(c, node->in[1]);
  fc_real         *db = fc_grad(c, node->in[2]), *dy = node->out->g, *a = NULL;
  const size_t     mark = fc_arena_mark(c->arena);

  if (db) fc_column_sums(c->arena, dy, s->rows, s->O, db);
  if (dW && s->act != FC_ACT_NONE) a = fc_arena_push(c->arena, (size_t)(s->rows * s->K) * sizeof *a);
  if (dx)
    backward_input(block_room(c->arena, s), dx, fresh, dy, W->x, x->x, a, s);
  else if (a)
    FC_FOR_ROWS(r, s->rows, s->K) fc_act_span(s->act, a + r * s->K, x->x + r * s->K, s->K);
  if (dW) fc_gemm_reduce(c->arena, s->O, s->K, s->rows, dy, s->O, a ? a : x->x, s->K, true, dW, s->K);
  c->flops += 4.0 * (double)s->rows * (double)s->O * (double)s->K;
  fc_arena_pop(c->arena, mark);
  fc_grad_give(c, node, node->in[3]);
}

static const fc_op linear_of = {"linear_of", backward, false};

fc_tensor *fc_linear_of(fc_ctx *c, fc_act act, fc_tensor *x, fc_tensor *W, fc_tensor *b, fc_tensor *r) {
  const int64_t rows = fc_rows(x), K = fc_last(x), O = W->dim[0];
  int64_t       dim[FC_MAX_DIMS];
  sizes        *s = fc_arena_push(c->arena, sizeof *s);

  FC_ASSERT(fc_span(W, 1, W->ndim) == K && (!b || fc_len(b) == O) && (!r || fc_len(r) == rows * O),
            "linear_of: input %s, weight %s, residual %s", fc_shape_text(x), fc_shape_text(W),
            r ? fc_shape_text(r) : "none");
  for (int i = 0; i < x->ndim; i++) dim[i] = x->dim[i];
  dim[x->ndim - 1]  = O;
  *s                = (sizes){act, rows, O, K, fc_gemm_block(rows, O, K)};
  fc_tensor   *y    = fc_tensor_new(c->arena, x->ndim, dim);
  const size_t mark = fc_arena_mark(c->arena);
  if (!c->dry) forward(block_room(c->arena, s), y->x, x->x, W->x, b ? b->x : NULL, r ? r->x : NULL, s);
  fc_arena_pop(c->arena, mark);
  c->flops += 2.0 * (double)rows * (double)O * (double)K;
  return fc_record(c, &linear_of, y, s, FC_IN(x, W, b, r));
}
