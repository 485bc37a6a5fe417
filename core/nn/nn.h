/* core/nn/nn.h - layers: plain structs of weight handles with two functions, _init declares the weights under
   their official names, _apply computes. */
#ifndef FC_NN_H
#define FC_NN_H
#include "core/batch.h"
#include "core/domain.h"
#include "core/ops.h"
#include "core/params.h"

typedef struct fc_linear {
  fc_tensor *weight, *bias; /* [O, K], [O] or NULL */
} fc_linear;

/* PyTorch's default: weight and bias U(+-1/sqrt(in)) */
void fc_linear_init(fc_linear *l, fc_params *p, const char *name, int64_t in, int64_t out, bool bias);
/* the same with a convolution's weight shape, e.g. [out, in, 1]; fan-in is in times the kernel's points */
void fc_linear_init_shaped(fc_linear *l, fc_params *p, const char *name, bool bias, int ndim,
                           const int64_t *dim);
/* weight normal(0, std), bias 0: the transformers of thuml, std 0.02 */
void fc_linear_init_normal(fc_linear *l, fc_params *p, const char *name, int64_t in, int64_t out, bool bias,
                           double std);
/* either of them, with bias; std 0: PyTorch's default */
void fc_linear_init_std(fc_linear *l, fc_params *p, const char *name, int64_t in, int64_t out, double std);
/* weight Xavier uniform, bias 0 */
void fc_linear_init_xavier(fc_linear *l, fc_params *p, const char *name, int64_t in, int64_t out, bool bias);
fc_tensor *fc_linear_apply(fc_ctx *c, const fc_linear *l, fc_tensor *x, fc_act act);

/* Maps for fc_lane_attention (core/nn/lanes.c), where each number of all heads is a column: queries, keys and
   values as one map, and the map of what attention gives. The weights keep their order, heads one after the
   other; the rows and columns of copies change places. */
fc_linear fc_lanes_in(fc_ctx *c, const fc_linear *query, const fc_linear *key, const fc_linear *value,
                      int64_t heads);
fc_linear fc_lanes_out(fc_ctx *c, const fc_linear *out, int64_t heads);

typedef struct fc_norm {
  fc_tensor *weight, *bias;
  double     eps;
} fc_norm;

/* weight 1, bias 0 */
void       fc_norm_init(fc_norm *l, fc_params *p, const char *name, int64_t n, double eps);
fc_tensor *fc_layer_norm_apply(fc_ctx *c, const fc_norm *l, fc_tensor *x);
fc_tensor *fc_group_norm_apply(fc_ctx *c, const fc_norm *l, fc_tensor *x, int64_t groups);

typedef struct fc_conv_layer {
  fc_tensor   *weight, *bias;
  fc_conv_spec spec;
} fc_conv_layer;

/* square kernels of n points along each of ndim axes */
void fc_conv_init(fc_conv_layer *l, fc_params *p, const char *name, int ndim, int64_t in, int64_t out,
                  int64_t n, bool bias, fc_conv_spec spec);
/* the same, weight Xavier uniform, bias 0 */
void fc_conv_init_xavier(fc_conv_layer *l, fc_params *p, const char *name, int ndim, int64_t in, int64_t out,
                         int64_t n, bool bias, fc_conv_spec spec);
fc_tensor *fc_conv_apply(fc_ctx *c, const fc_conv_layer *l, fc_tensor *x);
/* the same for kernels that keep the grid, of whose first axis x has this rank's block */
fc_tensor *fc_conv_apply_shared(fc_ctx *c, const fc_conv_layer *l, fc_tensor *x, fc_cut lines);

/* act(x W1 + b1) W2 + b2, as the Transolver family has it: weights NAME.linear_pre.0 and NAME.linear_post */
typedef struct fc_mlp {
  fc_linear pre, post;
} fc_mlp;
void fc_mlp_init(fc_mlp *l, fc_params *p, const char *name, int64_t in, int64_t hidden, int64_t out);
void fc_mlp_init_normal(fc_mlp *l, fc_params *p, const char *name, int64_t in, int64_t hidden, int64_t out,
                        double std);
fc_tensor *fc_mlp_apply(fc_ctx *c, const fc_mlp *l, fc_tensor *x, fc_act act);
/* r + the same, in one pass */
fc_tensor *fc_mlp_onto(fc_ctx *c, const fc_mlp *l, fc_tensor *r, fc_tensor *x, fc_act act);

/* x = act(pre x), then n times x += act(linears_j x), then post x: the MLP of GNOT */
enum { FC_RESIDUAL_LAYERS = 16 };
typedef struct fc_residual_mlp {
  int64_t   n;
  fc_linear pre, mid[FC_RESIDUAL_LAYERS], post;
} fc_residual_mlp;
void fc_residual_mlp_init(fc_residual_mlp *l, fc_params *p, const char *name, int64_t in, int64_t hidden,
                          int64_t out, int64_t n);
fc_tensor *fc_residual_mlp_apply(fc_ctx *c, const fc_residual_mlp *l, fc_tensor *x, fc_act act);

/* normalised linear attention with its maps, all C x C with bias: weights NAME.query, NAME.proj, and for each
   of n functions NAME.keys.i and NAME.values.i; n = -1: one function, named NAME.key and NAME.value */
enum { FC_ATTENTION_FUNCTIONS = 8 };
typedef struct fc_linear_attention_layer {
  int64_t   heads;
  fc_linear query, key[FC_ATTENTION_FUNCTIONS], value[FC_ATTENTION_FUNCTIONS], proj;
} fc_linear_attention_layer;
typedef struct fc_attention_call {
  const fc_segments *rows; /* of the queries */
  int                n;
  fc_tensor *const  *y; /* the functions, rows [M_i, C] */
  const fc_segments *keys;
  double             drop_inside, drop; /* dropout before and behind proj */
} fc_attention_call;
/* std: see fc_linear_init_std */
void fc_linear_attention_init(fc_linear_attention_layer *l, fc_params *p, const char *name, int64_t C,
                              int64_t heads, int n, double std);
/* r + proj(attention of queries from x [R, C] to the functions) */
fc_tensor *fc_linear_attention_onto(fc_ctx *c, const fc_linear_attention_layer *l, fc_tensor *r, fc_tensor *x,
                                    const fc_attention_call *call);
/* W2 silu(W1 code(T) + b1) + b2 added to all points of a sample: h [B, .., C], T [B, 1]; weights NAME.0,
 * NAME.2 */
typedef struct fc_time_layer {
  fc_linear in, out;
} fc_time_layer;
void       fc_time_init(fc_time_layer *l, fc_params *p, const char *name, int64_t C);
fc_tensor *fc_time_add(fc_ctx *c, const fc_time_layer *l, fc_tensor *h, fc_tensor *T); /* takes h's memory */

/* points of a grid with axes linspace(0, 1, dim[a]), first axis slowest: [N, ndim]; constant. Of the first
   axis a rank has its block of dim[0] points (fc_cut_batch(c, dim[0]), where the batch is a grid). */
fc_tensor *fc_unit_grid(fc_ctx *c, int ndim, const int64_t *dim, fc_cut first);

/* ---- FactFormer and its descendants (core/nn/axis_kernel.c): attention with one small kernel per axis.
   Letters: B batch, X.. two or three space axes, D dim, H heads, c dim_head ---- */
enum { FC_MAX_SPACE = 3 };
typedef struct fc_axis_spec {
  int     n_space;
  int64_t dim, heads, dim_head, multiplier; /* multiplier: width of queries and keys in head widths */
  double  fourier_scale;                    /* std of the random frequencies */
  double  scaling;                          /* of kernels; 1 in all published networks */
} fc_axis_spec;

typedef struct fc_axis_kernel { /* of one axis: reducer, gated map, queries and keys */
  fc_linear  to_in, gate, mix;
  fc_norm    norm;
  fc_tensor *to_q, *to_k, *inv_freq;
} fc_axis_kernel;

typedef struct fc_axis_layer {
  fc_axis_spec   spec;
  fc_tensor     *fourier; /* _B [d, D/2], not trained */
  fc_linear      position;
  fc_norm        in_norm;
  fc_tensor     *to_v, *to_in; /* [H c, D], [D, D] */
  fc_axis_kernel axis[FC_MAX_SPACE];
} fc_axis_layer;

/* Coordinates [n] of the axes. Ranks of a domain share the grid along its first axis: pos has all of them,
   own this rank's. */
typedef struct fc_axis_grid {
  fc_cut     first;
  fc_tensor *pos[FC_MAX_SPACE], *own[FC_MAX_SPACE];
} fc_axis_grid;
/* from inputs pos_x, pos_y, pos_z, [n, 1] each and whole on every rank */
fc_axis_grid *fc_axis_grid_of(fc_ctx *c, const fc_batch *b, int n_space, fc_cut first);
/* for fc_sharing.cut: a first axis of n points beside `rest` others, which are shared where it is whole */
fc_cut fc_axis_cut(int64_t n, int64_t rest);

/* FC_E_USAGE if the sizes do not fit together; model is for the message */
fc_status fc_axis_spec_check(const fc_axis_spec *s, const char *model);
/* names as in the official code, behind what was pushed: 0.0._B .. 1.low_rank_kernel_z */
void fc_axis_layer_init(fc_axis_layer *l, fc_params *p, const fc_axis_spec *s);
/* u [B, X.., D] + code of the grid, over u's own memory (fc_add_position) */
fc_tensor *fc_axis_position(fc_ctx *c, const fc_axis_layer *l, fc_tensor *u, const fc_axis_grid *at);
/* of the normalised state w [B, X.., D]: values [B, H, X.., c] */
fc_tensor *fc_axis_values(fc_ctx *c, const fc_axis_layer *l, fc_tensor *w);
/* and the kernel of each axis, [B, H, n, n], the same on all ranks of a domain */
void fc_axis_kernels(fc_ctx *c, const fc_axis_layer *l, fc_tensor *w, const fc_axis_grid *at,
                     fc_tensor **kernel);
/* w with the first axis whole and all others, taken as one, shared: [B, X, rest, D]; and back to x [.., X,
   rest, ..], whose axis of X is `axis`, with the axes of w */
fc_tensor *fc_axis_turn(fc_ctx *c, fc_tensor *w, fc_cut first);
fc_tensor *fc_axis_turn_back(fc_ctx *c, fc_tensor *x, int axis, const fc_tensor *w, fc_cut first);
/* values through the kernel of the first axis where ranks share it, [B, H, X.., c]: D numbers per point go to
   other ranks and c H come back */
fc_tensor *fc_axis_first_product(fc_ctx *c, const fc_axis_layer *l, fc_tensor *w, fc_tensor *kernel,
                                 fc_cut first);

/* frames of a field to its first state: each channel by itself, GELU, then one map of all channels and
   frames; weights to_in.0 and to_in.2. channels must divide D/2. x [B, X.., T, C] -> [B, X.., D] */
typedef struct fc_frame_lift {
  fc_linear point, mix;
  int64_t   channels;
} fc_frame_lift;
void       fc_frame_lift_init(fc_frame_lift *l, fc_params *p, int64_t channels, int64_t frames, int64_t dim);
fc_tensor *fc_frame_lift_apply(fc_ctx *c, const fc_frame_lift *l, fc_tensor *x);

/* lo .. hi over n points, both ends included, also on periodic axes as the official scripts do; extra
   points go on with the same spacing: [n + extra, 1] */
fc_tensor *fc_axis_coordinates(fc_ctx *c, double lo, double hi, int64_t n, int64_t extra);
/* ---- around the layers of models on grids (core/nn/grid.c) ---- */
/* the points of fc_unit_grid for each of B samples: [B, X.., ndim]; and their distances to the lattice of ref
   points per axis on the unit cube: [B, X.., ref^ndim]; constants */
fc_tensor *fc_unit_points(fc_ctx *c, int64_t B, int ndim, const int64_t *dim);
fc_tensor *fc_lattice_points(fc_ctx *c, int64_t B, int ndim, const int64_t *dim, fc_cut first, int64_t ref);
/* x [B, X.., C] and behind its channels one coordinate i / n for each axis of n points (0 is there, 1 is not)
 */
fc_tensor *fc_with_cells(fc_ctx *c, fc_tensor *x);
/* zeros around a field [B, X.., C], near[a] and far[a] at the ends of axis a; and back to n[a] points. Ranks
   may share the first axis, and then share it anew with its zeros. */
typedef struct fc_grid_padding {
  int64_t near[3], far[3], n[3]; /* n: points without zeros, of the first axis this rank's */
  fc_cut  lines, padded;         /* the first axis without and with zeros */
} fc_grid_padding;
/* far and near are there; n, lines and padded are filled in */
void       fc_grid_padding_set(fc_grid_padding *p, int ndim, const int64_t *n, fc_cut lines);
fc_tensor *fc_pad_grid(fc_ctx *c, fc_tensor *x, const fc_grid_padding *p);
fc_tensor *fc_crop_grid(fc_ctx *c, fc_tensor *x, const fc_grid_padding *p);
/* [B, C, X..] -> [B, X.., C] and back */
fc_tensor *fc_channels_last(fc_ctx *c, fc_tensor *x);
fc_tensor *fc_channels_first(fc_ctx *c, fc_tensor *x);
/* n x n cells of a field [B, X, Y, C] as one of n^2 C channels, of which (n ch + dx) n + dy is channel ch of
   cell (dx, dy); and back */
fc_tensor *fc_cells_to_channels(fc_ctx *c, fc_tensor *x, int64_t n);
fc_tensor *fc_channels_to_cells(fc_ctx *c, fc_tensor *x, int64_t n);
/* frames of history as channels, oldest first: standard window [B, T, X.., C] -> [B, X.., T C] */
fc_tensor *fc_window_channels(fc_ctx *c, fc_tensor *window);
/* and the field of a one-step model as a window: [B, X.., C] -> [B, 1, X.., C] */
fc_tensor *fc_single_frame(fc_ctx *c, fc_tensor *y);
#endif
