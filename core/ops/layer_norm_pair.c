/* core/ops/layer_norm_pair.c - two layer norms in sequence, y = LN_2(LN_1(x)), as multipole attention has
   them (core/ops/layer_norm.c for the formula). What lies between them stays in the cache and is made again
   in backward. Kept: mean and 1 / sqrt(var + eps) of each row, of both norms. */
#include "core/ops.h"
#include "core/ops/norm_rows.h"
#include "core/spans.h"
#include "core/sums.h"

enum { ROWS = 64 }; /* at once: what lies between the norms, and its gradient, fit the cache */

typedef struct {
  int64_t  rows, n, chunks;
  fc_real  eps;
  fc_real *stats[2]; /* [rows, 2] each; NULL if nothing is recorded */
} sizes;

static fc_real *reals(fc_arena *a, int64_t n) { return fc_arena_push(a, (size_t)n * sizeof(fc_real)); }

static fc_real *stats_at(const sizes *s, int norm, int64_t row) {
  return s->stats[norm] ? s->stats[norm] + 2 * row : NULL;
}

/* in: x, weight_1, bias_1, weight_2, bias_2 */
static void forward(fc_arena *scratch, const sizes *s, fc_tensor *const *in, fc_real *y) {
  const size_t mark = fc_arena_mark(scratch);
  fc_real     *room = reals(scratch, fc_threads() * ROWS * s->n);

  FC_FOR_ROWS(k, s->chunks, ROWS * s->n) {
    const int64_t row = k * ROWS, rows = fc_min64(ROWS, s->rows - row), at = row * s->n;
    fc_real      *mid = room + fc_thread() * ROWS * s->n;
    fc_norm_rows(mid, in[0]->x + at, in[1]->x, in[2]->x, stats_at(s, 0, row), rows, s->n, s->eps);
    fc_norm_rows(y + at, mid, in[3]->x, in[4]->x, stats_at(s, 1, row), rows, s->n, s->eps);
  }
  fc_arena_pop(scratch, mark);
}

/* part takes the sums of the chunk for weight_1, bias_1, weight_2, bias_2, each [chunks, n]; mid and dmid are
   room for a chunk */
static void backward_chunk(const fc_node *node, const sizes *s, int64_t k, fc_real *dx, bool fresh,
                           fc_real *part, fc_real *mid, fc_real *dmid) {
  const int64_t  row = k * ROWS, rows = fc_min64(ROWS, s->rows - row), n = s->n, at = row * n;
  fc_tensor    **in = node->in;
  const fc_real *x = in[0]->x + at, *dy = node->out->g + at;
  fc_real       *sum  = part + k * n;
  const int64_t  each = s->chunks * n;

  fc_norm_rows(mid, x, in[1]->x, in[2]->x, NULL, rows, n, s->eps);
  fc_norm_rows_sums(sum + 2 * each, sum + 3 * each, dy, mid, stats_at(s, 1, row), rows, n);
  fc_norm_rows_back(dmid, dy, mid, in[3]->x, stats_at(s, 1, row), rows, n, true);
  fc_norm_rows_sums(sum, sum + each, dmid, x, stats_at(s, 0, row), rows, n);
  if (dx) fc_norm_rows_back(dx + at, dmid, x, in[1]->x, stats_at(s, 0, row), rows, n, fresh);
}

static void backward(fc_ctx *c, const fc_node *node) {
  const sizes  *s = node->saved;
  const int64_t n = s->n, chunk = ROWS * n;
  bool          fresh, fresh_w[4];
  fc_real      *dx = fc_grad_raw(c, node->in[0], &fresh), *dw[4];

  for (int i = 0; i < 4; i++) dw[i] = fc_grad_raw(c, node->in[1 + i], &fresh_w[i]);
  const size_t mark = fc_arena_mark(c->arena);
  fc_real     *part = reals(c->arena, 4 * s->chunks * n), *room = reals(c->arena, fc_threads() * 2 * chunk);
  FC_FOR_ROWS(k, s->chunks, chunk) {
    fc_real *mid = room + fc_thread() * 2 * chunk;
    backward_chunk(node, s, k, dx, fresh, part, mid, mid + chunk);
  }
  for (int i = 0; i < 4; i++)
    if (dw[i])
      fc_sum_store(c->arena, &(fc_sum){FC_SUM_PLAIN, 1, s->chunks, n, .p = part + i * s->chunks * n}, 1,
                   !fresh_w[i], dw[i]);
  fc_arena_pop(c->arena, mark);
}

static const fc_op layer_norm_pair = {"layer_norm_pair", backward, false};

/* x [.., C]; weights and biases [C]; result of x's shape */
fc_tensor *fc_layer_norm_pair(fc_ctx *c, fc_tensor *x, fc_tensor *weight_1, fc_tensor *bias_1,
                              fc_tensor *weight_2, fc_tensor *bias_2, double eps) {
  fc_tensor *in[] = {x, weight_1, bias_1, weight_2, bias_2};
  sizes     *s    = fc_arena_push(c->arena, sizeof *s);

  *s = (sizes){fc_rows(x), fc_last(x), fc_ceil_div(fc_rows(x), ROWS), (fc_real)eps, {NULL, NULL}};
  for (int i = 1; i < 5; i++)
    FC_ASSERT(in[i]->ndim == 1 && in[i]->dim[0] == s->n, "layer_norm_pair: weight or bias %s for %s",
              fc_shape_text(in[i]), fc_shape_text(x));
  fc_tensor *y = fc_tensor_new(c->arena, x->ndim, x->dim);
  for (int i = 0; i < 2 && fc_needs_record(c, 5, in); i++) s->stats[i] = reals(c->arena, 2 * s->rows);
  if (!c->dry) forward(c->arena, s, in, y->x);
  return fc_record(c, &layer_norm_pair, y, s, 5, in);
}
