/* core/ops/axial.h - products along one axis of an array [left, n, right], shared by the axial ops. */
#ifndef FC_AXIAL_H
#define FC_AXIAL_H
#include "core/arena.h"
#include "core/tensor.h"

typedef struct fc_axial {
  int64_t left, n, right; /* of one head: slabs before the axis, its points, numbers behind each */
} fc_axial;

/* v [B, H, n_0, .., n_{d-1}, D] along space axis a */
fc_axial fc_axial_of(const fc_tensor *v, int axis);

/* A head in pieces that fit the second cache, in whole cells of `unit` numbers. Row r of a piece is at
   at + r * right, cols numbers long. */
typedef struct fc_axial_piece {
  int64_t at, rows, cols;
} fc_axial_piece;
int64_t        fc_axial_pieces(const fc_axial *s, int64_t unit);
fc_axial_piece fc_axial_piece_at(const fc_axial *s, int64_t unit, int64_t i);

/* a piece of y = op(K) v, or += if not clear, on the calling thread */
void fc_axial_apply(const fc_axial *s, const fc_axial_piece *p, bool transposed, const fc_real *K,
                    const fc_real *v, bool clear, fc_real *y);

/* all of y for `heads` heads, over the team */
void fc_axial_apply_all(const fc_axial *s, int64_t heads, bool transposed, const fc_real *K, const fc_real *v,
                        bool clear, fc_real *y);
/* y = K v -> dK += dy v^T, over the team */
void fc_axial_kernel_gradient(fc_arena *scratch, const fc_axial *s, int64_t heads, fc_real *dK,
                              const fc_real *dy, const fc_real *v);
#endif
