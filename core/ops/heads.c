/* core/ops/heads.c - linear maps between channels-last rows [B, N, C] and head-major arrays [B, H, N, D]
   without a transposition: one product per head on a block of rows that stays in the cache. */
#include "core/ops/heads.h"

#include "core/ops.h"

void fc_heads_gather(const fc_heads *s, fc_real *y, bool clear, const fc_real *v, const fc_real *W,
                     int64_t step, int64_t ld, bool tw) {
  const int64_t block = fc_heads_block(s), blocks = fc_ceil_div(s->N, block);

  FC_FOR_TASKS(t, s->B * blocks, s->B * s->N * s->C * s->H * s->D) {
    const int64_t b = t / blocks, at = t % blocks * block, n = fc_min64(block, s->N - at);
    for (int64_t h = 0; h < s->H; h++)
      fc_gemm(false, tw, n, s->C, s->D, 1, v + ((b * s->H + h) * s->N + at) * s->D, s->D, W + h * step, ld,
              !clear || h > 0, y + (b * s->N + at) * s->C, s->C);
  }
}

void fc_heads_scatter(const fc_heads *s, fc_real *v, bool clear, const fc_real *x, const fc_real *W,
                      int64_t step, int64_t ld, bool tw) {
  const int64_t block = fc_heads_block(s), blocks = fc_ceil_div(s->N, block);

  FC_FOR_TASKS(t, s->B * blocks, s->B * s->N * s->C * s->H * s->D) {
    const int64_t b = t / blocks, at = t % blocks * block, n = fc_min64(block, s->N - at);
    for (int64_t h = 0; h < s->H; h++)
      fc_gemm(false, tw, n, s->D, s->C, 1, x + (b * s->N + at) * s->C, s->C, W + h * step, ld, !clear,
              v + ((b * s->H + h) * s->N + at) * s->D, s->D);
  }
}

/* ---- linear_split: v_h = x W_h^T + b_h, W_h the rows h D .. (h+1) D of W [H D, C] ---- */

static void add_head_bias(const fc_heads *s, fc_real *v, const fc_real *b) {
  FC_FOR_ROWS(r, s->B * s->H, s->N * s->D)
  fc_epilogue(FC_ACT_NONE, NULL, v + r * s->N * s->D, b + r % s->H * s->D, s->N, s->D);
}

/* W_h += sum over samples of g_h^T x; long sums are cut in chunks, short ones spread over the heads */
static void weight_gradient(fc_arena *a, const fc_heads *s, fc_real *dW, const fc_real *g, const fc_real *x) {
  if (s->N >= 2048) {
    for (int64_t i = 0; i < s->B * s->H; i++)
      fc_gemm_reduce(a, s->D, s->C, s->N, g + i * s->N * s->D, s->D, x + i / s->H * s->N * s->C, s->C, true,
                     dW + i % s->H * s->D * s->C, s->C);
    return;
  }
  FC_FOR_TASKS(h, s->H, s->B * s->N * s->C * s->H * s->D)
  for (int64_t b = 0; b < s->B; b++)
    fc_gemm(true, false, s->D, s->C, s->N, 1, g + (b * s->H + h) * s->N * s->D, s->D, x + b * s->N * s->C,
            s->C, 1, dW + h * s->D * s->C, s->C);
}

static void split_backward(fc_ctx *c, const fc_node *node) {
  const fc_heads  *s = node->saved;
  const fc_tensor *x = node->in[0], *W = node->in[1];
  bool             fresh;
  fc_real         *dx = fc_grad_raw(c, node->in[0], &fresh), *dW = fc_grad(c, node->in[1]);
  fc_real         *db = fc_grad(c, node->in[2]), *g = node->out->g;

  if (db)
    for (int64_t i = 0; i < s->B * s->H; i++)
      fc_column_sums(c->arena, g + i * s->N * s->D, s->N, s->D, db + i % s->H * s->D);
  if (dW) weight_gradient(c->arena, s, dW, g, x->x);
  if (dx) fc_heads_gather(s, dx, fresh, g, W->x, s->D * s->C, s->C, false);
  c->flops += 4.0 * (double)(s->B * s->N) * (double)(s->C * s->H * s->D);
}

static const fc_op linear_split = {"linear_split", split_backward, false};

fc_tensor *fc_linear_split(fc_ctx *c, fc_tensor *x, fc_tensor *W, fc_tensor *b, int64_t heads) {
  const int64_t C = fc_last(x), HD = W->dim[0];
  int64_t       dim[FC_MAX_DIMS] = {x->dim[0], heads};

  FC_ASSERT(x->ndim >= 2 && x->ndim < FC_MAX_DIMS && fc_span(W, 1, W->ndim) == C && HD % heads == 0 &&
                (!b || fc_len(b) == HD),
            "linear_split: input %s, weight %s, %lld heads", fc_shape_text(x), fc_shape_text(W),
            (long long)heads);
  for (int i = 1; i < x->ndim - 1; i++) dim[i + 1] = x->dim[i];
  dim[x->ndim] = HD / heads;
  fc_heads *s  = fc_arena_push(c->arena, sizeof *s);
  *s           = (fc_heads){x->dim[0], heads, fc_span(x, 1, x->ndim - 1), HD / heads, C, FC_ACT_NONE, NULL};
  fc_tensor *v = fc_tensor_new(c->arena, x->ndim + 1, dim);
  if (!c->dry) {
    fc_heads_scatter(s, v->x, true, x->x, W->x, s->D * C, C, true);
    if (b) add_head_bias(s, v->x, b->x);
  }
  c->flops += 2.0 * (double)(s->B * s->N) * (double)(C * HD);
  return fc_record(c, &linear_split, v, s, FC_IN(x, W, b));
}

/* ---- linear_merge: y = act(sum_h v_h W_h^T + b), W_h the columns h D .. (h+1) D of W [C, H D] ---- */

static void merge_weight_gradient(fc_arena *a, const fc_heads *s, fc_real *dW, const fc_real *g,
                                  const fc_real *v) {
  const int64_t HD = s->H * s->D;

  if (s->N >= 2048) {
    for (int64_t i = 0; i < s->B * s->H; i++)
      fc_gemm_reduce(a, s->C, s->D, s->N, g + i / s->H * s->N * s->C, s->C, v + i * s->N * s->D, s->D, true,
                     dW + i % s->H * s->D, HD);
    return;
  }
  FC_FOR_TASKS(h, s->H, s->B * s->N * s->C * HD)
  for (int64_t b = 0; b < s->B; b++)
    fc_gemm(true, false, s->C, s->D, s->N, 1, g + b * s->N * s->C, s->C, v + (b * s->H + h) * s->N * s->D,
            s->D, 1, dW + h * s->D, HD);
}

static void merge_backward(fc_ctx *c, const fc_node *node) {
  const fc_heads  *s = node->saved;
  const fc_tensor *v = node->in[0], *W = node->in[1];
  bool             fresh;
  fc_real         *dv = fc_grad_raw(c, node->in[0], &fresh), *dW = fc_grad(c, node->in[1]);
  fc_real         *db = fc_grad(c, node->in[2]), *g = node->out->g;

  fc_epilogue_back(s->act, g, s->z, s->B * s->N, s->C);
  if (db) fc_column_sums(c->arena, g, s->B * s->N, s->C, db);
  if (dW) merge_weight_gradient(c->arena, s, dW, g, v->x);
  if (dv) fc_heads_scatter(s, dv, fresh, g, W->x, s->D, s->H * s->D, false);
  c->flops += 4.0 * (double)(s->B * s->N) * (double)(s->C * s->H * s->D);
}

static const fc_op linear_merge = {"linear_merge", merge_backward, false};

static void merge_epilogue(const fc_heads *s, fc_real *y, const fc_real *b) {
  FC_FOR_ROWS(r, s->B * s->N, s->C) fc_epilogue(s->act, y + r * s->C, s->z + r * s->C, b, 1, s->C);
}

fc_tensor *fc_linear_merge(fc_ctx *c, fc_tensor *v, fc_tensor *W, fc_tensor *b, fc_act act) {
  const int64_t H = v->dim[1], D = fc_last(v), C = W->dim[0];
  int64_t       dim[FC_MAX_DIMS] = {v->dim[0]};

  FC_ASSERT(v->ndim >= 3 && fc_span(W, 1, W->ndim) == H * D && (!b || fc_len(b) == C),
            "linear_merge: heads %s, weight %s", fc_shape_text(v), fc_shape_text(W));
  for (int i = 2; i < v->ndim - 1; i++) dim[i - 1] = v->dim[i];
  dim[v->ndim - 2] = C;
  fc_heads *s      = fc_arena_push(c->arena, sizeof *s);
  *s               = (fc_heads){v->dim[0], H, fc_span(v, 2, v->ndim - 1), D, C, act, NULL};
  fc_tensor *y     = fc_tensor_new(c->arena, v->ndim - 1, dim);
  const bool keep  = act != FC_ACT_NONE && fc_needs_record(c, 3, (fc_tensor *[]){v, W, b});
  s->z             = keep ? fc_arena_push(c->arena, (size_t)fc_len(y) * sizeof(fc_real)) : y->x;
  if (!c->dry) {
    fc_heads_gather(s, s->z, true, v->x, W->x, D, H * D, true);
    if (b || act != FC_ACT_NONE) merge_epilogue(s, y->x, b ? b->x : NULL);
  }
  c->flops += 2.0 * (double)(s->B * s->N) * (double)(C * H * D);
  return fc_record(c, &linear_merge, y, s, FC_IN(v, W, b));
}
