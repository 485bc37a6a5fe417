/* core/ops/add_position.c - u + W f(p) + b over u's own memory: u [B, n_0, .., D], f the Fourier features of
   the grid (core/ops/fourier_code.c), W [D, D]. The features and their map depend on the grid alone, so they
   are computed once for all samples, live in scratch, and are computed again in backward: nothing of size [N,
   D] is kept. */
#include "core/gemm.h"
#include "core/ops.h"
#include "core/ops/epilogue.h"
#include "core/parallel.h"
#include "core/spans.h"
#include "core/sums.h"

typedef struct {
  int               d;
  fc_tensor *const *coord;
  const fc_tensor  *freq;
  int64_t           B, N, D;
} saved;

static void forward(fc_ctx *c, const saved *s, fc_real *u, const fc_real *W, const fc_real *b) {
  const size_t     mark = fc_arena_mark(c->arena);
  const fc_tensor *f    = fc_fourier_code(c, s->d, s->coord, s->freq);
  fc_real         *g    = fc_arena_push(c->arena, (size_t)(s->N * s->D) * sizeof *g);

  fc_gemm_rows(false, true, s->N, s->D, s->D, 1, f->x, s->D, W, s->D, 0, g, s->D);
  FC_FOR_ROWS(i, s->N, s->D) fc_epilogue_add(g + i * s->D, b, NULL, 1, s->D);
  FC_FOR_ROWS(i, s->B * s->N, s->D) fc_span_add(u + i * s->D, g + i % s->N * s->D, s->D);
  fc_arena_pop(c->arena, mark);
}

/* y = u + W f + b: with dg the sum of dy over samples, dW += dg^T f and db += sum over points of dg */
static void backward(fc_ctx *c, const fc_node *node) {
  const saved   *s  = node->saved;
  fc_real       *dW = fc_grad(c, node->in[1]), *db = fc_grad(c, node->in[2]);
  const fc_real *dg   = node->out->g;
  const size_t   mark = fc_arena_mark(c->arena);

  if (s->B > 1) {
    fc_real *sum = fc_arena_push(c->arena, (size_t)(s->N * s->D) * sizeof *sum);
    fc_sum_store(c->arena, &(fc_sum){FC_SUM_PLAIN, 1, s->B, s->N * s->D, .p = dg}, 1, false, sum);
    dg = sum;
  }
  if (db) fc_column_sums(c->arena, dg, s->N, s->D, db);
  if (dW) {
    const fc_tensor *f = fc_fourier_code(c, s->d, s->coord, s->freq);
    fc_gemm_reduce(c->arena, s->D, s->D, s->N, dg, s->D, f->x, s->D, true, dW, s->D);
  }
  c->flops += 2.0 * (double)s->N * (double)(s->D * s->D);
  fc_arena_pop(c->arena, mark);
  fc_grad_give(c, node, node->in[0]);
}

static const fc_op add_position = {"add_position", backward, false};

fc_tensor *fc_add_position(fc_ctx *c, fc_tensor *u, int d, fc_tensor *const *coord, const fc_tensor *freq,
                           fc_tensor *W, fc_tensor *b) {
  saved     *s = fc_arena_push(c->arena, sizeof *s);
  fc_tensor *y = fc_tensor_view(c->arena, u, u->ndim, u->dim);

  *s = (saved){d, coord, freq, u->dim[0], fc_span(u, 1, u->ndim - 1), fc_last(u)};
  FC_ASSERT(u->ndim == d + 2 && W->dim[0] == s->D && fc_len(W) == s->D * s->D && 2 * fc_last(freq) == s->D,
            "add_position: state %s, weight %s, frequencies %s", fc_shape_text(u), fc_shape_text(W),
            fc_shape_text(freq));
  for (int a = 0; a < d; a++)
    FC_ASSERT(fc_len(coord[a]) == u->dim[1 + a], "add_position: %lld coordinates for axis %d of %s",
              (long long)fc_len(coord[a]), a, fc_shape_text(u));
  if (!c->dry) forward(c, s, y->x, W->x, b->x);
  c->flops += 2.0 * (double)s->N * (double)(s->D * s->D);
  return fc_record(c, &add_position, y, s, FC_IN(u, W, b));
}
