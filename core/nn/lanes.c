/* core/nn/lanes.c - weights of attention with heads side by side: channel d of head h, in PyTorch's order
   number h D + d, becomes number d H + h. */
#include "core/nn/nn.h"

fc_linear fc_lanes_in(fc_ctx *c, const fc_linear *query, const fc_linear *key, const fc_linear *value,
                      int64_t heads) {
  const int64_t W = query->weight->dim[0], K = query->weight->dim[1], D = W / heads;
  fc_tensor    *w = fc_concat(c, 0, FC_IN(query->weight, key->weight, value->weight));
  fc_tensor    *b = fc_concat(c, 0, FC_IN(query->bias, key->bias, value->bias));

  w = fc_permute(c, fc_reshape(c, w, FC_DIMS(3, heads, D, K)), (int[]){0, 2, 1, 3});
  b = fc_permute(c, fc_reshape(c, b, FC_DIMS(3, heads, D)), (int[]){0, 2, 1});
  return (fc_linear){fc_reshape(c, w, FC_DIMS(3 * W, K)), fc_reshape(c, b, FC_DIMS(3 * W))};
}

fc_linear fc_lanes_out(fc_ctx *c, const fc_linear *out, int64_t heads) {
  const int64_t O = out->weight->dim[0], W = out->weight->dim[1];
  fc_tensor    *w = fc_reshape(c, out->weight, FC_DIMS(O, heads, W / heads));

  return (fc_linear){fc_reshape(c, fc_permute(c, w, (int[]){0, 2, 1}), FC_DIMS(O, W)), out->bias};
}
