/* core/ops/embedding.c - y[i] = table[index_i]: rows of a table [R, D] by number; numbers are constant. */
#include "core/ops.h"
#include "core/spans.h"

#include <string.h>

static fc_real *row_of(fc_real *table, const fc_tensor *index, int64_t i, int64_t D) {
  return table + (int64_t)index->x[i] * D;
}

/* "y[i] = table[index_i]": dtable[index_i] += dy[i], in order, as an index may come twice */
static void backward(fc_ctx *c, const fc_node *node) {
  const fc_tensor *index = node->saved;
  const int64_t    D     = fc_last(node->out);
  fc_real         *table = fc_grad(c, node->in[0]);

  for (int64_t i = 0; table && i < fc_len(index); i++)
    fc_span_add(row_of(table, index, i, D), node->out->g + i * D, D);
}

static const fc_op embedding = {"embedding", backward, false};

fc_tensor *fc_embedding(fc_ctx *c, fc_tensor *table, const fc_tensor *index) {
  const int64_t D = fc_last(table), R = fc_rows(table);
  int64_t       dim[FC_MAX_DIMS];

  FC_ASSERT(index->ndim < FC_MAX_DIMS, "embedding: numbers %s", fc_shape_text(index));
  memcpy(dim, index->dim, sizeof dim);
  dim[index->ndim] = D;
  fc_tensor *y     = fc_tensor_new(c->arena, index->ndim + 1, dim);
  for (int64_t i = 0; !c->dry && i < fc_len(index); i++) {
    FC_ASSERT(index->x[i] >= 0 && index->x[i] < (fc_real)R, "embedding: number %g for a table of %lld rows",
              (double)index->x[i], (long long)R);
    memcpy(y->x + i * D, row_of(table->x, index, i, D), (size_t)D * sizeof *y->x);
  }
  return fc_record(c, &embedding, y, (void *)index, FC_IN(table));
}
