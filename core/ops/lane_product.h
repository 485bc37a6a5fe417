/* core/ops/lane_product.h - many small products side by side. An element of these matrices is a vector of
   FC_LANES numbers, each of which belongs to another product: another head, or another sample. What is too
   narrow for the columns of a product fills vectors this way. */
#ifndef FC_LANE_PRODUCT_H
#define FC_LANE_PRODUCT_H
#include "core/base.h"

enum { FC_LANES = 64 / sizeof(fc_real) };
typedef fc_real fc_lane_vector __attribute__((vector_size(64), may_alias));

/* element (i, j): FC_LANES numbers at x + i row + j col, on a border of 64 bytes */
typedef struct fc_lane_matrix {
  fc_real *x;
  int64_t  row, col;
} fc_lane_matrix;

static inline fc_lane_matrix fc_lane_at(fc_lane_matrix m, int64_t i, int64_t j) {
  return (fc_lane_matrix){m.x + i * m.row + j * m.col, m.row, m.col};
}
static inline fc_lane_matrix fc_lane_transposed(fc_lane_matrix m) {
  return (fc_lane_matrix){m.x, m.col, m.row};
}

/* C [m, n] = sum over parts of A_i [m, k] B_i [k, n], or += it, in each lane; k > 0. C overlaps no factor. */
void fc_lane_product(int64_t m, int64_t n, int64_t k, int parts, const fc_lane_matrix *A,
                     const fc_lane_matrix *B, bool add, fc_lane_matrix C);
#endif
