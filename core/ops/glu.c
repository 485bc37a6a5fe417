/* core/ops/glu.c - gated linear unit (Dauphin et al. 2017): z [.., 2 D] = (a, g) -> y [.., D] = r + a
   sigma(g), r [.., D] or NULL. */
#include "core/ops.h"
#include "core/ops/activation.h"
#include "core/spans.h"

FC_SIMD static void forward_rows(fc_real *restrict y, const fc_real *restrict z, const fc_real *restrict r,
                                 int64_t rows, int64_t D) {
  for (int64_t i = 0; i < rows; i++, y += D, z += 2 * D) {
    for (int64_t j = 0; j < D; j++) y[j] = z[j] * fc_sigmoid(z[D + j]);
    for (int64_t j = 0; r && j < D; j++) y[j] += r[i * D + j];
  }
}

/* y = a sigma(g): da += dy sigma, dg += dy a sigma (1 - sigma) */
FC_SIMD static void backward_rows(fc_real *restrict dz, const fc_real *restrict dy, const fc_real *restrict z,
                                  int64_t rows, int64_t D, bool fresh) {
  for (int64_t i = 0; i < rows; i++, dz += 2 * D, dy += D, z += 2 * D)
    for (int64_t j = 0; j < D; j++) {
      const fc_real s = fc_sigmoid(z[D + j]), v = dy[j] * s;
      dz[j]     = fc_into(fresh, dz[j], v);
      dz[D + j] = fc_into(fresh, dz[D + j], v * z[j] * (1 - s));
    }
}

/* "y = r + ..": dr takes dy as it is, last, because the buffer may change hands */
static void backward(fc_ctx *c, const fc_node *node) {
  const fc_tensor *y = node->out, *z = node->in[0];
  const int64_t    D = fc_last(y);
  bool             fresh;
  fc_real         *dz = fc_grad_raw(c, node->in[0], &fresh);

  if (dz) FC_FOR_ROW_BLOCKS(r, n, fc_rows(y), D)
  backward_rows(dz + 2 * r * D, y->g + r * D, z->x + 2 * r * D, n, D, fresh);
  if (node->in[1]) fc_grad_give(c, node, node->in[1]);
}

static const fc_op glu = {"glu", backward, false};

fc_tensor *fc_glu(fc_ctx *c, fc_tensor *z, fc_tensor *r) {
  int64_t dim[FC_MAX_DIMS];

  FC_ASSERT(z->ndim > 0 && fc_last(z) % 2 == 0 && (!r || 2 * fc_len(r) == fc_len(z)),
            "glu: gates %s, residual %s", fc_shape_text(z), r ? fc_shape_text(r) : "none");
  for (int i = 0; i < z->ndim; i++) dim[i] = z->dim[i];
  dim[z->ndim - 1] /= 2;
  fc_tensor    *y = fc_tensor_new(c->arena, z->ndim, dim);
  const int64_t D = fc_last(y);
  if (!c->dry) FC_FOR_ROW_BLOCKS(i, n, fc_rows(y), D)
  forward_rows(y->x + i * D, z->x + 2 * i * D, r ? r->x + i * D : NULL, n, D);
  return fc_record(c, &glu, y, NULL, FC_IN(z, r));
}
