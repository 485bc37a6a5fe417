/* core/ops/modes.h - private to the spectral convolution: the retained modes of a channels-last field, the
   way from the field to them and back, and the products with complex weights.

   Letters: B samples, C channels, I and O those of input and output, M retained modes, L lanes. Modes are
   kept as vectors of L modes that lie side by side in a weight [I, O, M, 2]: an array of modes is
   [vectors, B, C, 2, L], real and imaginary parts apart, lanes without a mode zero. So a weight is read in
   its own order, once per product, and neither it nor the field is ever transposed. */
#ifndef FC_MODES_H
#define FC_MODES_H
#include "core/ops.h"
#include "core/ops/fft_axis.h"

enum { FC_LANES = 16, FC_WEIGHTS = 4 };

typedef struct fc_mode_vector {
  int     weight; /* which of the weights */
  int     lanes;
  int64_t offset; /* of the first mode in the weight's modes */
} fc_mode_vector;

/* Where ranks share the first axis: the frequencies of all other axes are columns, which are cut among the
   ranks, and a rank has the modes of its own columns, in vectors of its own. A single axis has no others: its
   frequencies are the columns. */
typedef struct fc_modes fc_modes;
typedef struct fc_mode_shards {
  fc_cut    lines, columns; /* the first axis; the columns */
  int       first;          /* which of the three axes that is */
  fc_modes *across;         /* a grid without the first axis; its modes are all columns, one by one */
  int32_t  *row, *column;   /* [vectors, L] frequency of a mode along the first axis, mod kept; own column */
} fc_mode_shards;

struct fc_modes {
  int64_t         n[3];    /* grid; axes that are not there have one point and come first */
  int64_t         kept[3]; /* frequencies -K .. K of each axis, or all n: the box; k is at k mod kept */
  int64_t         spots;   /* product of kept */
  int64_t         count;   /* modes */
  int64_t         vectors;
  fc_mode_vector *vector;
  int32_t        *plus, *minus; /* [vectors, L] spots of a mode's frequency and of the opposite one */
  bool    *single; /* [vectors, L] its own conjugate along the last axis: stands for one mode, not two */
  int32_t *at_plus, *at_minus; /* [spots] the lane of the mode with this or the opposite frequency, or -1 */
  fc_mode_shards *shards;      /* NULL: this rank has all; else plus .. at_minus are left out */
};

/* The modes of weights W[0 .. n_w-1] of shape [I, O, M.., M_last, 2] on a grid, frequency 0 .. M_last-1 on
   the last axis. n_w = 1: on the other axes row m stands for the signed frequency m - M/2; if the grid has
   fewer points than rows, the middle rows in order (neuraloperator's convention, floor(surplus / 2) skipped
   in front). n_w = 2^(axes-1): bit a of the weight's number tells the sign on axis a: rows are frequencies 0
   .. M-1 or -M .. -1, and where these meet the negative ones win (the convention of 2021). */
fc_modes *fc_modes_of(fc_arena *a, int n_space, const int64_t *n, int n_w, fc_tensor *const *W);
/* of fields of whose first axis each rank of a domain has a block */
fc_modes *fc_modes_of_shares(fc_ctx *c, int n_space, const int64_t *n, fc_cut lines, int n_w,
                             fc_tensor *const *W);
int64_t   fc_modes_length(const fc_modes *m, int64_t B, int64_t C); /* of an array of modes */

/* z(k) = w(k) sum_x field(x) exp(-i k x), w = single where the mode is its own conjugate on the last axis,
   else twice; field [B, n.., C] -> z */
void fc_modes_from_field(fc_ctx *c, const fc_modes *m, int64_t B, int64_t C, const fc_real *field,
                         fc_real single, fc_real twice, fc_real *z);

/* field(x) = Re sum_k w(k) z(k) exp(+i k x), z [vectors, B, to->C, 2, L]; the transpose of the map above */
void fc_modes_to_field(fc_ctx *c, const fc_modes *m, int64_t B, const fc_real *z, fc_real single,
                       fc_real twice, const fc_fft_field *to);

/* the same maps on shares (core/ops/mode_shards.c) */
void fc_modes_from_shares(fc_ctx *c, const fc_modes *m, int64_t B, int64_t C, const fc_real *field,
                          fc_real single, fc_real twice, fc_real *z);
void fc_modes_to_shares(fc_ctx *c, const fc_modes *m, int64_t B, const fc_real *z, fc_real single,
                        fc_real twice, const fc_fft_field *to);

/* between fields [samples, n.., C] and boxes [samples, kept.., P]; buffers hold samples boxes before and
   after a transform, and the box is in one of them */
typedef struct fc_mode_frame {
  const fc_modes *m;
  int64_t         B, C, P, group; /* samples done at a time, so that both buffers stay small */
} fc_mode_frame;
fc_mode_frame fc_mode_frame_of(const fc_modes *m, int64_t B, int64_t C);
typedef struct fc_mode_buffers {
  fc_real *box, *next;
} fc_mode_buffers;
fc_mode_buffers fc_mode_buffers_push(fc_ctx *c, const fc_mode_frame *f);
void fc_mode_box_from_field(fc_ctx *c, const fc_mode_frame *f, const fc_real *field, int64_t samples,
                            fc_mode_buffers *b);
void fc_mode_field_from_box(fc_ctx *c, const fc_mode_frame *f, int64_t samples, fc_mode_buffers *b,
                            const fc_fft_field *to);

/* y_o(k) = sum_i x_i(k) W_io(k); x and y are arrays of modes */
void fc_modes_product(fc_ctx *c, const fc_modes *m, int64_t B, int64_t I, int64_t O, int n_w,
                      fc_tensor *const *W, const fc_real *x, fc_real *y);
/* its gradients: dx_i(k) = sum_o dy_o(k) conj W_io(k), dW_io(k) (+)= sum_b conj x_i(k) dy_o(k); dW[w] NULL:
   not wanted; add[w]: dW[w] has values already */
void fc_modes_product_back(fc_ctx *c, const fc_modes *m, int64_t B, int64_t I, int64_t O, int n_w,
                           fc_tensor *const *W, const fc_real *x, const fc_real *dy, fc_real *dx,
                           fc_real *const *dW, const bool *add);
#endif
