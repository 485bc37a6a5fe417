/* core/ops/geglu.c - gated GELU (Shazeer 2020, eq. 6): x [.., 2 D] = (a, g) -> y [.., D] = GELU(a) g,
   the order in which the FactFormer family splits. */
#include "core/ops.h"
#include "core/ops/activation.h"
#include "core/spans.h"

FC_SIMD static void forward_rows(fc_real *restrict y, const fc_real *restrict x, int64_t rows, int64_t D) {
  for (int64_t r = 0; r < rows; r++) {
    const fc_real *a = x + 2 * r * D, *g = a + D;
    for (int64_t j = 0; j < D; j++) y[r * D + j] = fc_gelu(a[j]) * g[j];
  }
}

/* y = GELU(a) g with GELU(a) = a Phi(a): da += dy g (Phi + a phi), dg += dy a Phi */
FC_SIMD static void backward_rows(fc_real *restrict dx, const fc_real *restrict dy, const fc_real *restrict x,
                                  int64_t rows, int64_t D, bool fresh) {
  for (int64_t r = 0; r < rows; r++) {
    const fc_real *a = x + 2 * r * D, *g = a + D;
    fc_real       *da = dx + 2 * r * D, *dg = da + D;
    for (int64_t j = 0; j < D; j++) {
      const fc_normal n = fc_normal_at(a[j]);
      const fc_real   v = dy[r * D + j];
      da[j]             = fc_into(fresh, da[j], v * g[j] * (n.Phi + a[j] * n.phi));
      dg[j]             = fc_into(fresh, dg[j], v * a[j] * n.Phi);
    }
  }
}

static void backward(fc_ctx *c, const fc_node *node) {
  const fc_tensor *y = node->out, *x = node->in[0];
  const int64_t    D = fc_last(y);
  bool             fresh;
  fc_real         *dx = fc_grad_raw(c, node->in[0], &fresh);

  if (!dx) return;
  FC_FOR_ROW_BLOCKS(r, n, fc_rows(y), D)
  backward_rows(dx + 2 * r * D, y->g + r * D, x->x + 2 * r * D, n, D, fresh);
}

static const fc_op geglu = {"geglu", backward, false};

/* x [.., 2 D] -> [.., D] */
fc_tensor *fc_geglu(fc_ctx *c, fc_tensor *x) {
  int64_t dim[FC_MAX_DIMS];

  FC_ASSERT(x->ndim > 0 && fc_last(x) % 2 == 0, "geglu: the last axis of %s cannot be halved",
            fc_shape_text(x));
  for (int i = 0; i < x->ndim; i++) dim[i] = x->dim[i];
  dim[x->ndim - 1] /= 2;
  fc_tensor    *y = fc_tensor_new(c->arena, x->ndim, dim);
  const int64_t D = fc_last(y);
  if (!c->dry) FC_FOR_ROW_BLOCKS(r, n, fc_rows(y), D) forward_rows(y->x + r * D, x->x + 2 * r * D, n, D);
  return fc_record(c, &geglu, y, NULL, FC_IN(x));
}
