/* train/march.c */
#include "train/march.h"

#include "core/ops.h"
#include "train/flow.h"

#include <string.h>

void fc_march_shift(fc_real *window, const fc_real *y, int64_t B, int64_t n_in, int64_t k, int64_t len) {
  const int64_t keep = n_in > k ? n_in - k : 0, take = n_in - keep;

  for (int64_t b = 0; b < B; b++) {
    fc_real *w = window + b * n_in * len;
    memmove(w, w + take * len, (size_t)(keep * len) * sizeof *w);
    memcpy(w + keep * len, y + (b * k + k - take) * len, (size_t)(take * len) * sizeof *w);
  }
}

/* last known frame + step y, for each of the k frames */
static fc_tensor *from_last(fc_ctx *c, const fc_network *n, fc_tensor *known, fc_tensor *y) {
  fc_tensor *step = fc_tensor_new(c->arena, FC_DIMS(fc_last(y)));
  fc_tensor *last = fc_slice(c, known, 1, n->frames.n_in - 1, 1);

  for (int64_t i = 0; i < fc_last(y); i++) step->x[i] = (fc_real)n->step[i];
  if (y->dim[1] > 1) last = fc_expand(c, last, 1, y->dim[1]);
  return fc_add(c, fc_mul(c, y, step), last);
}

fc_tensor *fc_march_call(fc_ctx *c, const fc_network *n, int ndim, const int64_t *dim, int64_t B,
                         fc_real *window, fc_real *params, int64_t k) {
  int64_t  shape[FC_MAX_DIMS] = {B, n->frames.n_in};
  fc_batch b                  = {0};

  memcpy(shape + 2, dim, (size_t)ndim * sizeof *dim);
  shape[2 + ndim]  = n->frames.channels_in;
  fc_tensor *known = fc_tensor_borrow(c->arena, window, ndim + 3, shape);
  if (n->flow_steps) return fc_flow_sample(c, n, known, params);
  if (n->frames.params)
    fc_batch_put(&b, "params", fc_tensor_borrow(c->arena, params, FC_DIMS(B, n->frames.params)));
  fc_tensor *y = fc_model_frames(c, n->def, n->self, known, (int)k, &b);
  return n->increment ? from_last(c, n, known, y) : y;
}

fc_tensor *fc_march_quiet(fc_ctx *c, const fc_network *n, int ndim, const int64_t *dim, int64_t B,
                          fc_real *window, fc_real *params, int64_t k) {
  const bool   grad = c->grad;
  const size_t mark = fc_arena_mark(c->arena);

  c->grad      = false;
  fc_tensor *y = fc_compact(c, mark, fc_march_call(c, n, ndim, dim, B, window, params, k));
  c->grad      = grad;
  return y;
}
