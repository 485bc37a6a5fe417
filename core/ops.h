/* core/ops.h - the differentiable operations: the vocabulary of the model files.
   One file per operation (or family) in core/ops/. Letters: B batch, N points, X Y Z grid,
   T time, C channels, H heads, D head width, O out, K in. Fields are channels-last
   [B, X, Y, Z, C] unless a line says otherwise. Gradients accumulate. */
#ifndef FC_OPS_H
#define FC_OPS_H
#include "core/tape.h"

typedef enum {
  FC_ACT_NONE,
  FC_ACT_GELU,
  FC_ACT_GELU_TANH,
  FC_ACT_RELU,
  FC_ACT_SILU,
  FC_ACT_TANH,
  FC_ACT_SIGMOID
} fc_act;

/* ---- elementwise. b has a's shape or a suffix of it (broadcast over a's leading axes) ---- */
fc_tensor *fc_add(fc_ctx *c, fc_tensor *a, fc_tensor *b);
/* a + b over a's own memory: for an a that nobody else reads and whose producer does not need its values */
fc_tensor *fc_add_in_place(fc_ctx *c, fc_tensor *a, fc_tensor *b);
fc_tensor *fc_sub(fc_ctx *c, fc_tensor *a, fc_tensor *b);
fc_tensor *fc_mul(fc_ctx *c, fc_tensor *a, fc_tensor *b);
fc_tensor *fc_div(fc_ctx *c, fc_tensor *a, fc_tensor *b);
fc_tensor *fc_affine(fc_ctx *c, fc_tensor *x, double scale, double shift); /* scale x + shift */
fc_tensor *fc_activate(fc_ctx *c, fc_tensor *x, fc_act act); /* GELU is exact: x (1 + erf(x / sqrt 2)) / 2 */
fc_tensor *fc_exp_of(fc_ctx *c, fc_tensor *x);
fc_tensor *fc_sqrt_of(fc_ctx *c, fc_tensor *x);
fc_tensor *fc_geglu(fc_ctx *c, fc_tensor *x); /* [.., 2 D] -> [.., D]: GELU(first half) * second half */
fc_tensor *fc_dropout(fc_ctx *c, fc_tensor *x, double p); /* identity unless c->training */

/* ---- shape ---- */
fc_tensor *fc_reshape(fc_ctx *c, fc_tensor *x, int ndim, const int64_t *dim); /* shares the values */
fc_tensor *fc_permute(fc_ctx *c, fc_tensor *x, const int *axes);              /* y.dim[i] = x.dim[axes[i]] */
fc_tensor *fc_slice(fc_ctx *c, fc_tensor *x, int axis, int64_t from, int64_t len);
fc_tensor *fc_concat(fc_ctx *c, int axis, int n, fc_tensor *const *x);
fc_tensor *fc_stack(fc_ctx *c, int axis, int n, fc_tensor *const *x); /* new axis of length n */
fc_tensor *fc_pad(fc_ctx *c, fc_tensor *x, int axis, int64_t before, int64_t after); /* with zeros */
fc_tensor *fc_roll(fc_ctx *c, fc_tensor *x, int axis, int64_t shift); /* y[i + shift mod n] = x[i] */
fc_tensor *fc_expand(fc_ctx *c, fc_tensor *x, int axis, int64_t n);   /* axis of length 1 repeated n times */
fc_tensor *fc_resize_nearest(fc_ctx *c, fc_tensor *x, int n_space,
                             const int64_t *to); /* [B, X.., C]; source floor(i in / out) */

/* ---- reductions ---- */
fc_tensor *fc_sum_axes(fc_ctx *c, fc_tensor *x, unsigned axes); /* bit i: sum over axis i, which disappears */
fc_tensor *fc_mean_axes(fc_ctx *c, fc_tensor *x, unsigned axes);
fc_tensor *fc_sum_all(fc_ctx *c, fc_tensor *x); /* scalar */

/* ---- normalisation ---- */
fc_tensor *fc_softmax(fc_ctx *c, fc_tensor *x); /* over the last axis */
/* over the last axis, biased variance; weight and bias [C] or NULL */
fc_tensor *fc_layer_norm(fc_ctx *c, fc_tensor *x, fc_tensor *weight, fc_tensor *bias, double eps);
/* x [B, .., C]: per sample and group of C/groups channels over all points; weight, bias [C] or NULL;
   groups = C is instance norm */
fc_tensor *fc_group_norm(fc_ctx *c, fc_tensor *x, int64_t groups, fc_tensor *weight, fc_tensor *bias,
                         double eps);
/* each of `rows` equal contiguous blocks: (x - mean) / sqrt(var + eps), var over count - ddof */
fc_tensor *fc_standardize(fc_ctx *c, fc_tensor *x, int64_t rows, int ddof, double eps);
/* the same over x's own memory: for an x that nobody else reads and whose producer does not need its values
   in backward (products do not) */
fc_tensor *fc_standardize_in_place(fc_ctx *c, fc_tensor *x, int64_t rows, int ddof, double eps);

/* ---- dense products ---- */
/* y = act(x W^T + b): x [.., K], W [O, K], b [O] or NULL -> [.., O] */
fc_tensor *fc_linear_op(fc_ctx *c, fc_tensor *x, fc_tensor *W, fc_tensor *b, fc_act act);
/* y = r + W act(x) + b with the argument's activation computed again in backward, so that only x is kept;
   r has the shape of y, or NULL (residual connection) */
fc_tensor *fc_linear_of(fc_ctx *c, fc_act act, fc_tensor *x, fc_tensor *W, fc_tensor *b, fc_tensor *r);
/* channels in groups: x [.., K], W [O, K/groups], output o reads group o / (O/groups) */
fc_tensor *fc_linear_grouped(fc_ctx *c, fc_tensor *x, fc_tensor *W, fc_tensor *b, int64_t groups);
/* linear map with the output split into heads: x [B, N.., K], W [H D, K] -> [B, H, N.., D] */
fc_tensor *fc_linear_split(fc_ctx *c, fc_tensor *x, fc_tensor *W, fc_tensor *b, int64_t heads);
/* and back: v [B, H, N.., D], W [O, H D] -> [B, N.., O] */
fc_tensor *fc_linear_merge(fc_ctx *c, fc_tensor *v, fc_tensor *W, fc_tensor *b, fc_act act);
/* op(A) op(B) over equal leading axes: A [.., m, k], B [.., k, n]; scaled by alpha */
fc_tensor *fc_matmul(fc_ctx *c, fc_tensor *a, bool ta, fc_tensor *b, bool tb, double alpha);
/* factorised attention: v [B, H, n_0, .., n_{d-1}, D], kernel [B, H, n_a, n_a] along space axis a:
   y[.., i, ..] = sum_j kernel[i, j] v[.., j, ..]  (FactFormer eq. 8) */
fc_tensor *fc_axial_product(fc_ctx *c, fc_tensor *kernel, fc_tensor *v, int axis);
/* softmax(scale q k^T + bias) v without the N x N matrix in memory: q [B, H, Nq, D], k v [B, H, Nk, D];
   bias [H or 1, Nq, Nk] or NULL */
fc_tensor *fc_attention(fc_ctx *c, fc_tensor *q, fc_tensor *k, fc_tensor *v, fc_tensor *bias, double scale);

/* ---- positions ---- */
/* rotary code (Su et al. 2021), half-split pairs: x [.., n, D], position [n], inv_freq [D/2] (both constant);
   angle = scale position_i inv_freq_j; (t1, t2) -> (t1 cos - t2 sin, t2 cos + t1 sin) */
fc_tensor *fc_rotary(fc_ctx *c, fc_tensor *x, const fc_tensor *position, const fc_tensor *inv_freq,
                     double scale);
/* [sin 2 pi p B, cos 2 pi p B] on a tensor-product grid: coord[a] [n_a], B [d, D/2] -> [n_0, .., n_{d-1}, D];
   constant. In float32 the order of rounding is PyTorch's: z = sum_a p_a B_a, z * fl(2 pi), sin. */
fc_tensor *fc_fourier_code(fc_ctx *c, int d, fc_tensor *const *coord, const fc_tensor *B);

/* u + W f(p) + b, f the Fourier code above, u [B, n_0, .., D], W [D, D], over u's own memory (see
   fc_add_in_place); coord must live as long as the tape */
fc_tensor *fc_add_position(fc_ctx *c, fc_tensor *u, int d, fc_tensor *const *coord, const fc_tensor *B,
                           fc_tensor *W, fc_tensor *b);

/* ---- convolution and FFT ---- */
typedef struct fc_conv_spec {
  int64_t stride, pad, groups;
  bool    periodic;
} fc_conv_spec; /* pad on both ends; zero or wrapped */
/* x [B, X.., C] in 1, 2 or 3 dimensions, W [O, C/groups, kx..], b [O] or NULL -> [B, X'.., O] */
fc_tensor *fc_conv(fc_ctx *c, fc_tensor *x, fc_tensor *W, fc_tensor *b, fc_conv_spec spec);

typedef enum {
  FC_FFT_BACKWARD,
  FC_FFT_ORTHO,
  FC_FFT_FORWARD
} fc_fft_norm; /* where the 1/N stands, as in PyTorch */
/* over the last n_space axes of x [.., X, Y]; complex numbers are a trailing axis of 2: [.., X, Y/2+1, 2] */
fc_tensor *fc_rfft(fc_ctx *c, fc_tensor *x, int n_space, fc_fft_norm norm);
fc_tensor *fc_irfft(fc_ctx *c, fc_tensor *z, int n_space, int64_t n_last, fc_fft_norm norm);

/* ---- losses: scalars; target has no gradient ---- */
fc_tensor *fc_mse(fc_ctx *c, fc_tensor *y, fc_tensor *target);
/* mean over samples (first axis) of |y - target| / max(|target|, eps), Euclidean norms */
fc_tensor *fc_relative_l2(fc_ctx *c, fc_tensor *y, fc_tensor *target, double eps);
/* the same for ragged batches: y, target, weight (NULL: 1) [R, C], lengths [B] of the samples; mean over them
   of the weighted mean squared error, of the relative error of all channels together, or of each channel */
typedef enum { FC_RAGGED_MSE, FC_RAGGED_RELATIVE, FC_RAGGED_RELATIVE_CHANNELS } fc_ragged_kind;
fc_tensor *fc_ragged_loss(fc_ctx *c, fc_ragged_kind kind, fc_tensor *y, fc_tensor *target, fc_tensor *weight,
                          const fc_tensor *lengths, double eps);
#endif
