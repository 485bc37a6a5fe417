/* core/ops/patches_1d.c - overlapping pieces of each variate of a series, the last value repeated behind the
   end: x [B, L, N] -> y [B N, n, len],
     y[b N + v, i, j] = x[b, min(i stride + j, L - 1), v]
   Padding, cutting and bringing time last are one pass. */
#include "core/ops.h"
#include "core/parallel.h"

typedef struct {
  int64_t B, L, N, n, len, stride;
} cut;

static int64_t step_of(const cut *s, int64_t i, int64_t j) { return fc_min64(i * s->stride + j, s->L - 1); }

/* where variate r % N of sample r / N begins in x; its steps lie N apart */
static int64_t start_of(const cut *s, int64_t r) { return r / s->N * s->L * s->N + r % s->N; }

/* y [n, len] of one variate */
static void cut_series(const cut *s, fc_real *restrict y, const fc_real *restrict x) {
  for (int64_t i = 0; i < s->n; i++)
    for (int64_t j = 0; j < s->len; j++) y[i * s->len + j] = x[step_of(s, i, j) * s->N];
}

/* y[i, j] = x[min(i stride + j, L - 1)]: dx there += dy[i, j] */
static void join_series(const cut *s, fc_real *restrict dx, const fc_real *restrict dy) {
  for (int64_t i = 0; i < s->n; i++)
    for (int64_t j = 0; j < s->len; j++) dx[step_of(s, i, j) * s->N] += dy[i * s->len + j];
}

static void backward(fc_ctx *c, const fc_node *node) {
  const cut     *s  = node->saved;
  const fc_real *dy = node->out->g;
  fc_real       *dx = fc_grad(c, node->in[0]);

  if (!dx) return;
  FC_FOR_ROWS(r, s->B * s->N, s->n * s->len)
  join_series(s, dx + start_of(s, r), dy + r * s->n * s->len);
}

static const fc_op patches_1d = {"patches_1d", backward, false};

fc_tensor *fc_patches_1d(fc_ctx *c, fc_tensor *x, int64_t len, int64_t stride, int64_t n) {
  FC_ASSERT(x->ndim == 3 && x->dim[1] > 0 && len > 0 && stride > 0 && n > 0,
            "patches_1d: %lld patches of %lld of %s", (long long)n, (long long)len, fc_shape_text(x));
  cut *s       = fc_arena_push(c->arena, sizeof *s);
  *s           = (cut){x->dim[0], x->dim[1], x->dim[2], n, len, stride};
  fc_tensor *y = fc_tensor_new(c->arena, FC_DIMS(s->B * s->N, n, len));
  if (!c->dry) FC_FOR_ROWS(r, s->B * s->N, n * len) cut_series(s, y->x + r * n * len, x->x + start_of(s, r));
  return fc_record(c, &patches_1d, y, s, FC_IN(x));
}
