/* core/ops/lane_product.c - tiles of 4 x 4 sums stay in registers: a vector that is read serves four times.
 */
#include "core/ops/lane_product.h"

#include "core/parallel.h"

enum { SIDE = 4 };

typedef struct {
  int64_t               k;
  int                   parts;
  const fc_lane_matrix *A, *B;
  fc_lane_matrix        C;
  bool                  add;
} product;

static inline fc_lane_vector *at(const fc_lane_matrix *m, int64_t i, int64_t j) {
  return (fc_lane_vector *)(m->x + i * m->row + j * m->col);
}

/* rows and cols are constants of each copy of this function */
static inline __attribute__((always_inline)) void tile(const int rows, const int cols, const product *p,
                                                       int64_t i0, int64_t j0) {
  const fc_lane_matrix C = fc_lane_at(p->C, i0, j0);
  fc_lane_vector       sum[SIDE][SIDE];

#pragma GCC unroll 4
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
    for (int j = 0; j < cols; j++) sum[i][j] = (fc_lane_vector){0};
  for (int part = 0; part < p->parts; part++) {
    const fc_lane_matrix A = fc_lane_at(p->A[part], i0, 0), B = fc_lane_at(p->B[part], 0, j0);
#pragma GCC unroll 2
    for (int64_t q = 0; q < p->k; q++) {
      fc_lane_vector right[SIDE];
#pragma GCC unroll 4
      for (int j = 0; j < cols; j++) right[j] = *at(&B, q, j);
#pragma GCC unroll 4
      for (int i = 0; i < rows; i++) {
        const fc_lane_vector left = *at(&A, i, q);
#pragma GCC unroll 4
        for (int j = 0; j < cols; j++) sum[i][j] += left * right[j];
      }
    }
  }
  if (p->add)
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
      for (int j = 0; j < cols; j++) sum[i][j] += *at(&C, i, j);
#pragma GCC unroll 4
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
    for (int j = 0; j < cols; j++) *at(&C, i, j) = sum[i][j];
}

static inline int64_t side_of(int64_t left) { return left >= 4 ? 4 : left >= 2 ? 2 : 1; }

static inline __attribute__((always_inline)) void tiles(const int rows, const product *p, int64_t i,
                                                        int64_t n) {
  for (int64_t j = 0, cols; j < n; j += cols) {
    cols = side_of(n - j);
    if (cols == 4)
      tile(rows, 4, p, i, j);
    else if (cols == 2)
      tile(rows, 2, p, i, j);
    else
      tile(rows, 1, p, i, j);
  }
}

FC_SIMD static void multiply(const product *p, int64_t m, int64_t n) {
  for (int64_t i = 0, rows; i < m; i += rows) {
    rows = side_of(m - i);
    if (rows == 4)
      tiles(4, p, i, n);
    else if (rows == 2)
      tiles(2, p, i, n);
    else
      tiles(1, p, i, n);
  }
}

void fc_lane_product(int64_t m, int64_t n, int64_t k, int parts, const fc_lane_matrix *A,
                     const fc_lane_matrix *B, bool add, fc_lane_matrix C) {
  multiply(&(product){k, parts, A, B, C, add}, m, n);
}
