/* core/ops/allsum.c - sums and maxima over the ranks of a domain.
     y = sum_r x_r on every rank;  dx = sum_r dy_r, because each rank's loss depends on its own y. */
#include "core/domain.h"
#include "core/ops.h"

#include <string.h>

static fc_tensor *copy_of(fc_ctx *c, const fc_tensor *x) {
  fc_tensor *y = fc_tensor_new(c->arena, x->ndim, x->dim);

  if (!c->dry) memcpy(y->x, x->x, (size_t)fc_len(x) * sizeof *y->x);
  return y;
}

static void backward(fc_ctx *c, const fc_node *node) {
  fc_domain_sum(c, node->out->g, fc_len(node->out));
  fc_grad_give(c, node, node->in[0]);
}

static const fc_op allsum = {"allsum", backward, false};

fc_tensor *fc_allsum(fc_ctx *c, fc_tensor *x) {
  if (!fc_domain_shared(c)) return x;
  fc_tensor *y = copy_of(c, x);
  fc_domain_sum(c, y->x, fc_len(y));
  return fc_record(c, &allsum, y, NULL, FC_IN(x));
}

fc_tensor *fc_allmax(fc_ctx *c, fc_tensor *x) {
  if (!fc_domain_shared(c)) return x;
  fc_tensor *y = copy_of(c, x);
  fc_domain_max(c, y->x, fc_len(y));
  return y;
}
