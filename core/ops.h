/* core/ops.h - the differentiable operations: the vocabulary of the model files.
   One file per operation (or family) in core/ops/. Letters: B batch, N points, X Y Z grid,
   T time, C channels, H heads, D head width, O out, K in. Fields are channels-last
   [B, X, Y, Z, C] unless a line says otherwise. Gradients accumulate. */
#ifndef FC_OPS_H
#define FC_OPS_H
#include "core/segments.h"
#include "core/tape.h"

typedef enum {
  FC_ACT_NONE,
  FC_ACT_GELU,
  FC_ACT_GELU_TANH,
  FC_ACT_RELU,
  FC_ACT_SILU,
  FC_ACT_TANH,
  FC_ACT_SIGMOID,
  FC_ACT_SOFTPLUS,
  FC_ACT_ELU
} fc_act;

/* ---- elementwise. b has a's shape or a suffix of it (broadcast over a's leading axes) ---- */
fc_tensor *fc_add(fc_ctx *c, fc_tensor *a, fc_tensor *b);
/* a + b over a's own memory: for an a that nobody else reads and whose producer does not need its values */
fc_tensor *fc_add_in_place(fc_ctx *c, fc_tensor *a, fc_tensor *b);
/* a + g x, a factor for each channel: a and x [.., C], g of C numbers, over a's own memory (as above) */
fc_tensor *fc_add_gated(fc_ctx *c, fc_tensor *a, fc_tensor *x, fc_tensor *g);
/* x [.., C] plus e [B, C] of each row's sample, over x's own memory (as above) */
fc_tensor *fc_add_sample(fc_ctx *c, fc_tensor *x, fc_tensor *e, const fc_segments *s);
fc_tensor *fc_sub(fc_ctx *c, fc_tensor *a, fc_tensor *b);
fc_tensor *fc_mul(fc_ctx *c, fc_tensor *a, fc_tensor *b);
fc_tensor *fc_div(fc_ctx *c, fc_tensor *a, fc_tensor *b);
fc_tensor *fc_affine(fc_ctx *c, fc_tensor *x, double scale, double shift); /* scale x + shift */
fc_tensor *fc_activate(fc_ctx *c, fc_tensor *x, fc_act act); /* GELU is exact: x (1 + erf(x / sqrt 2)) / 2 */
fc_tensor *fc_activate_onto(fc_ctx *c, fc_tensor *r, fc_tensor *z, fc_act act); /* r + act(z), one shape */
fc_tensor *fc_exp_of(fc_ctx *c, fc_tensor *x);
fc_tensor *fc_sqrt_of(fc_ctx *c, fc_tensor *x);
fc_tensor *fc_geglu(fc_ctx *c, fc_tensor *x); /* [.., 2 D] -> [.., D]: GELU(first half) * second half */
fc_tensor *fc_dropout(fc_ctx *c, fc_tensor *x, double p); /* identity unless c->training */
/* The same for what ranks share: the mask is that of a lone rank, whoever has which rows. Samples are the
   rows of x as `rows` says (NULL: its first axis). lines: how their first axis is cut; n = 0: they differ in
   length, or no rank has a share. */
fc_tensor *fc_dropout_shared(fc_ctx *c, fc_tensor *x, double p, const fc_segments *rows, fc_cut lines);

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

/* n pieces of len steps, every stride steps, of each variate of x [B, L, N], the last step repeated behind
   the end -> [B N, n, len] */
fc_tensor *fc_patches_1d(fc_ctx *c, fc_tensor *x, int64_t len, int64_t stride, int64_t n);

/* rows of a table [R, D] by whole numbers 0 .. R-1: index [..] -> [.., D] */
fc_tensor *fc_embedding(fc_ctx *c, fc_tensor *table, const fc_tensor *index);

/* square windows of size x size cells every stride cells, over a grid rolled by -shift; with pad the rolled
   grid is filled up with zeros at its far ends to multiples of size */
typedef struct fc_window_layout {
  int64_t size, stride, shift;
  bool    pad;
} fc_window_layout;
int64_t fc_windows_along(fc_window_layout s, int64_t n); /* windows along an axis of n cells */
/* x [B, X, Y, C] -> [B nX nY, size size, C]; windows, and tokens in a window, row by row */
fc_tensor *fc_window_split(fc_ctx *c, fc_tensor *x, fc_window_layout s);

/* ---- reductions ---- */
fc_tensor *fc_sum_axes(fc_ctx *c, fc_tensor *x, unsigned axes); /* bit i: sum over axis i, which disappears */
fc_tensor *fc_mean_axes(fc_ctx *c, fc_tensor *x, unsigned axes);
fc_tensor *fc_sum_all(fc_ctx *c, fc_tensor *x); /* scalar */

/* means of n neighbours along axis 1 of x [B, T, ..], whose ends are repeated before and after:
   y_t = (x_{t - before} + .. + x_{t - before + n - 1}) / n */
fc_tensor *fc_moving_average(fc_ctx *c, fc_tensor *x, int64_t n, int64_t before);
/* the largest of n neighbours along axis 1 of x [B, T, ..] every `stride` steps, -infinity for pad < n steps
   before and after: [B, (T + 2 pad - n) / stride + 1, ..] */
fc_tensor *fc_max_pool(fc_ctx *c, fc_tensor *x, int64_t n, int64_t stride, int64_t pad);

/* ---- along time ---- */
/* exponential smoothing: y_t = a y_{t-1} + (1 - a) x_t, y_{-1} = start, a = sigmoid(w); x [B, T, C], w H
   numbers for as many groups of neighbouring channels, start C numbers -> [B, T, C]; lead: [B, T + 1, C] with
   the start in front. Backward reads the result again. */
fc_tensor *fc_smoothing(fc_ctx *c, fc_tensor *x, fc_tensor *w, fc_tensor *start, bool lead);
/* y_t = x_t - x_{t-1}, x_{-1} = first: x [B, T, C], first C numbers -> [B, T, C] */
fc_tensor *fc_differences(fc_ctx *c, fc_tensor *x, fc_tensor *first);
/* powers of a = sigmoid(w), w H numbers -> [n, H], i = 0 .. n-1 */
typedef enum {
  FC_POWERS_RISING,  /* a^(i+1) */
  FC_POWERS_FALLING, /* a^(n-i) */
  FC_POWERS_SUMS     /* a + a^2 + .. + a^(i+1) */
} fc_powers_kind;
fc_tensor *fc_powers(fc_ctx *c, fc_powers_kind kind, fc_tensor *w, int64_t n);

/* ---- normalisation ---- */
fc_tensor *fc_softmax(fc_ctx *c, fc_tensor *x); /* over the last axis */
/* over the last axis, biased variance; weight and bias [C] or NULL */
fc_tensor *fc_layer_norm(fc_ctx *c, fc_tensor *x, fc_tensor *weight, fc_tensor *bias, double eps);
/* two of them in sequence, eps for both; what lies between is not kept */
fc_tensor *fc_layer_norm_pair(fc_ctx *c, fc_tensor *x, fc_tensor *weight_1, fc_tensor *bias_1,
                              fc_tensor *weight_2, fc_tensor *bias_2, double eps);
/* x [B, .., C]: per sample and group of C/groups channels over all points; weight, bias [C] or NULL;
   groups = C is instance norm */
fc_tensor *fc_group_norm(fc_ctx *c, fc_tensor *x, int64_t groups, fc_tensor *weight, fc_tensor *bias,
                         double eps);
/* x [.., C]: over all rows of the batch, biased variance, as BatchNorm1d with channels last; weight, bias
   [C]. In training statistics are the batch's (over all ranks, fc_ctx.batch_sum at the time) and move the
   running ones by momentum (variance unbiased); else the running mean and var [C] are used and left alone. */
fc_tensor *fc_batch_norm(fc_ctx *c, fc_tensor *x, fc_tensor *weight, fc_tensor *bias, fc_tensor *mean,
                         fc_tensor *var, double momentum, double eps);
/* each of `rows` equal contiguous blocks: (x - mean) / sqrt(var + eps), var over count - ddof */
fc_tensor *fc_standardize(fc_ctx *c, fc_tensor *x, int64_t rows, int ddof, double eps);
/* the same over x's own memory: for an x that nobody else reads and whose producer does not need its values
   in backward (products do not) */
fc_tensor *fc_standardize_in_place(fc_ctx *c, fc_tensor *x, int64_t rows, int ddof, double eps);

/* a scale and shifts for each row: y_r = (x_r - m_r) a_r + s_r, x [.., L]; m, a, s one number for each row,
   or fewer that repeat along the rows; NULL: 0, 1, 0 */
fc_tensor *fc_row_affine(fc_ctx *c, fc_tensor *x, fc_tensor *m, fc_tensor *a, fc_tensor *s);
/* of each row of x [.., L]: mean and sqrt(biased variance + eps), both [..], as constants */
void fc_row_moments(fc_ctx *c, const fc_tensor *x, double eps, fc_tensor **mean, fc_tensor **deviation);

/* ---- dense products ---- */
/* y = act(x W^T + b): x [.., K], W [O, K], b [O] or NULL -> [.., O] */
fc_tensor *fc_linear_op(fc_ctx *c, fc_tensor *x, fc_tensor *W, fc_tensor *b, fc_act act);
/* y = r + W act(x) + b with the argument's activation computed again in backward, so that only x is kept;
   r has the shape of y, or NULL (residual connection) */
fc_tensor *fc_linear_of(fc_ctx *c, fc_act act, fc_tensor *x, fc_tensor *W, fc_tensor *b, fc_tensor *r);
/* soft mixture of n two-layer networks: y = r + sum_e gate_e (W2_e act(W1_e x + b1_e) + b2_e); x [R, D],
   gate [G, n] where row r of x has gate r mod G, or NULL: 1; r [R, O] or NULL. The hidden arrays are kept in
   one copy for backward, not at all where they are quickly made again (few inputs) or nothing is recorded. */
typedef struct fc_expert {
  fc_tensor *W1, *b1, *W2, *b2; /* [K, D], [K], [O, K], [O] */
} fc_expert;
enum { FC_EXPERTS = 16 };
fc_tensor *fc_experts(fc_ctx *c, fc_act act, fc_tensor *x, fc_tensor *gate, int n, const fc_expert *e,
                      fc_tensor *r);
/* one linear map along the second axis: x [B, T, I..], W [O, T], bias [O] or NULL -> [B, O, I..] */
fc_tensor *fc_time_map(fc_ctx *c, fc_tensor *x, fc_tensor *W, fc_tensor *bias);
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
/* the same along several axes of the same values at once, kernel[i] along axis[i], normalised with biased
   variance, then merged: W [O, H parts D], columns ordered head, part, channel -> [B, n_0, .., O]. The norm
   is that of each channel over all points of its sample; by_index: that of each index along the first axis,
   over the other axes and all columns, and backward reads the result again. Wide arrays are not kept. With
   axis[i] = FC_AXIAL_MADE kernel[i] is no kernel but the product itself, of v's shape (not for all i). */
enum { FC_AXIAL_MADE = -1 };
fc_tensor *fc_axial_merge(fc_ctx *c, int parts, fc_tensor *const *kernel, const int *axis, fc_tensor *v,
                          fc_tensor *W, bool by_index, double eps);
/* the same by channel with values made of a state, u [B, n_0, .., K] by V [H D, K], and not kept either */
fc_tensor *fc_axial_merge_of(fc_ctx *c, int parts, fc_tensor *const *kernel, const int *axis, fc_tensor *u,
                             fc_tensor *V, int64_t heads, fc_tensor *W, double eps);
/* softmax(scale q k^T + bias) v without the N x N matrix in memory: q [B, H, Nq, D], k v [B, H, Nk, D];
   bias [H or 1, Nq, Nk] or NULL */
fc_tensor *fc_attention(fc_ctx *c, fc_tensor *q, fc_tensor *k, fc_tensor *v, fc_tensor *bias, double scale);
/* The same among few tokens with narrow heads, for many samples, heads side by side in vectors: qkv_l [R, n,
   3 D H], D columns of queries, D of keys, D of values, a column being one number of each head in turn ->
   [R, n, D H]. Scores go on from layer to layer: softmax(scale sum_l q_l k_l^T) v, v the last layer's. */
fc_tensor *fc_lane_attention(fc_ctx *c, int layers, fc_tensor *const *qkv, int64_t heads, double scale);
/* the same of short sequences, heads read out of rows: q_l, k_l, v [B, n, H E] -> [B, n, H E], with scores
   that go on from layer to layer: softmax(scale sum_l q_l k_l^T) v per head, the sum over this layer, the
   last one, and those before it (one layer: as usual). Nothing is kept; dropout of the weights in training */
fc_tensor *fc_attention_rows(fc_ctx *c, int layers, fc_tensor *const *q, fc_tensor *const *k, fc_tensor *v,
                             int64_t heads, double scale, double dropout);
/* the same of a single head, queries, keys, residual and values side by side as one product gives them, for
   few tokens: x = (q, k, u, v) [B, n, 2 E + 2 P] -> u + softmax(scale q k^T) v, [B, n, P] */
fc_tensor *fc_attention_onto(fc_ctx *c, fc_tensor *x, int64_t E, double scale);
/* ProbSparse attention (Informer): `top` queries of each head attend, those whose scores with some sampled
   keys stand out most; the others take the mean of the values. q [B, H, Nq, D], k [B, H, Nk, D], v [B, H, Nk,
   E] -> [B, H, Nq, E]. The choice has no gradient; no Nq x Nk matrix is made. */
typedef struct fc_prob {
  const fc_tensor *sample; /* [Nq, U] numbers of the keys that each query tries, the same for all heads */
  int64_t          top;
  bool             causal; /* keys behind a query do not count, and the others take the sum up to their own */
  bool             shared; /* A query that some samples of the batch choose is chosen in all of them, and its
                              gradient counts so many times: what the official code does with a single head. */
} fc_prob;
fc_tensor *fc_prob_attention(fc_ctx *c, fc_tensor *q, fc_tensor *k, fc_tensor *v, const fc_prob *spec,
                             double scale);
/* softmax attention inside each window of a grid, averaged over the windows that cover a cell: qkv [B, X, Y,
   3 H D], q, k and v of all heads one after the other -> [B, X, Y, H D]; tokens of a window beyond the grid
   are 0; dropout of the weights in training, where the grid may be a part of one with `above` rows of windows
   before it */
fc_tensor *fc_local_attention(fc_ctx *c, fc_tensor *qkv, int64_t heads, fc_window_layout spec, double scale,
                              double dropout, int64_t above);
/* y = q^ + sum_i (q^ S_i) / (q^ . z_i) per head, S_i = sum k^ v^T, z_i = sum k^ over the keys of the query's
   own sample (GNOT); q^, k^: softmax over each head's channels. Works over the memory of q, k and v, which
   nobody else may read and whose producers must not need (products do not). q [R, C], k[i] and v[i] [M_i, C];
   rows and key_rows[i] say which rows belong to which sample; n = 0: y = q^ */
fc_tensor *fc_linear_attention(fc_ctx *c, fc_tensor *q, const fc_segments *rows, int n, fc_tensor *const *k,
                               fc_tensor *const *v, const fc_segments *key_rows, int64_t heads);

/* one query for each of n patches of steps: x [B, L, N, D], q [n, N, D] a further token in front of each
   patch, u [N, H, n, D] -> [N, n, B, H, D], the tokens of a patch weighted by the softmax of u . token.
   Linear maps of keys and values stand before u and behind the result. */
fc_tensor *fc_patch_attention(fc_ctx *c, fc_tensor *x, fc_tensor *q, fc_tensor *u);

/* physics attention (Transolver): points are softly sorted into G slices, the tokens of the slices attend to
   each other and their values go back to the points. a (sorted by), f (values) [.., H d] -> [.., H d]; all
   rows of a sample, and only they, meet (core/segments.h). */
typedef struct fc_physics {
  fc_tensor *slice_w, *slice_b; /* [G, d], [G] */
  fc_tensor *temperature;       /* H numbers */
  fc_tensor *q, *k, *v;         /* [d, d] */
  double     lowest, highest;   /* temperatures are clamped to this range; lowest > highest: they are not */
  double     dropout;           /* of the weights between tokens, in training */
} fc_physics;
fc_tensor *fc_physics_attention(fc_ctx *c, fc_tensor *a, fc_tensor *f, const fc_physics *w,
                                const fc_segments *s);

/* ---- experts for a few samples each (Shazeer et al. 2017) ---- */
/* softmax over the k largest logits of each row, 0 for the others: [B, E], E <= FC_EXPERTS */
fc_tensor *fc_top_gates(fc_ctx *c, fc_tensor *logits, int64_t k);
fc_tensor *fc_gates_open(fc_ctx *c, const fc_tensor *gates); /* 1 where a gate is > 0, else 0; constant */
/* how likely each expert is among the k < E largest if its own noise alone were drawn again: logits without
   and with noise, and the noise's deviation, all [B, E] */
fc_tensor *fc_top_probability(fc_ctx *c, fc_tensor *clean, fc_tensor *noisy, fc_tensor *deviation, int64_t k);
/* of the sums of the columns of x [B, E]: unbiased variance / (mean^2 + 1e-10), a scalar, 0 if E is 1; in
   training over the samples of all ranks (fc_ctx.batch_sum) */
fc_tensor *fc_imbalance(fc_ctx *c, fc_tensor *x);

typedef struct fc_routes {
  int      n; /* experts */
  int64_t  samples;
  int64_t  count[FC_EXPERTS]; /* samples that expert e gets: row[e][0 .. count[e]-1], rising */
  int64_t *row[FC_EXPERTS];
  int64_t *place; /* [samples, n] where in an expert's batch a sample stands; -1: nowhere */
} fc_routes;
/* of the open gates [B, E], k in each row; cost of an expert [E] is for plans, which assume the worst: the k
   dearest experts get all samples. Lives on the arena. */
fc_routes *fc_routes_of(fc_ctx *c, const fc_tensor *gates, int64_t k, const int64_t *cost);
fc_tensor *fc_take_samples(fc_ctx *c, fc_tensor *x, const fc_routes *r, int e); /* those of expert e */
/* log of the sum over a sample's experts of gate exp(v_e), v_e the expert's answers to its samples or NULL if
   it has none; sums of exactly 0 count as 2.2e-16; + x if residual. Result and x [B, ..] */
fc_tensor *fc_mix_log(fc_ctx *c, fc_tensor *gates, const fc_routes *r, fc_tensor *const *v, fc_tensor *x,
                      bool residual);
/* x; the weights count as reached by backward, with gradient 0 if nobody else reads them: an expert without
   samples ages as the others do, on every rank */
fc_tensor *fc_reach(fc_ctx *c, fc_tensor *x, int n, fc_tensor *const *w);

/* ---- layers steered by vectors of each sample (adaptive layer norm: Peebles and Xie 2023) ---- */
typedef struct fc_modulation {
  fc_tensor *rows;  /* [B, n C]: n vectors for each sample */
  int        first; /* number of the shift; scale and gate follow. Samples are equal runs of x's rows */
} fc_modulation;
/* z = LN(x) (1 + scale) + shift; weight and bias of the norm [C] or NULL */
fc_tensor *fc_modulate(fc_ctx *c, fc_tensor *x, fc_tensor *weight, fc_tensor *bias, double eps,
                       fc_modulation m);
/* y = W z + a, z as above (w, b: of its norm) but never stored */
fc_tensor *fc_linear_modulated(fc_ctx *c, fc_tensor *x, fc_tensor *w, fc_tensor *b, double eps,
                               fc_modulation m, fc_tensor *W, fc_tensor *a);
/* y = r + (1 + gate) (W act(x) + b); the gate is vector first + 2, like that of every branch that begins with
   the shift at first */
fc_tensor *fc_linear_gated(fc_ctx *c, fc_act act, fc_tensor *x, fc_tensor *W, fc_tensor *b, fc_tensor *r,
                           fc_modulation m);

/* ---- attention within groups of tokens ---- */
typedef struct fc_token_groups {
  int64_t  count, length; /* groups, tokens of one */
  int32_t *row;           /* [count, length] row of each token */
  int32_t *target;        /* [count, length] row of its residual and result, beyond them all: it has none */
  int32_t *region;        /* [masks, length] tokens of different numbers do not see each other; or NULL */
  int64_t  masks;         /* group q takes mask q mod masks */
  bool     partial;       /* some rows, not of r, are in no group */
} fc_token_groups;

/* Square windows of a grid whose rows are [fields, B, H, W], rolled by -shift and padded at the far ends;
   groups in the order [B, windows, fields]. Padding has rows of its own behind the grid, [fields, B,
   padding]. masked: what the roll brought together stays apart (Swin: Liu et al. 2021). carriers: a token in
   front of each window, rows [fields, B, windows] behind the grid, which then needs no padding. Tables live
   on the arena.

   Of a grid that ranks share, one has `own` lines from lo on, and around them, periodically, the other lines
   of the windows they lie in: rows [fields, B, before + own + after, W], carriers of all windows. Its groups
   are these windows, residuals and results are those of its own lines. */
typedef struct fc_window_lines {
  int64_t lo, own, before, after;
} fc_window_lines;
typedef struct fc_window_grid {
  int64_t         fields, B, H, W, size, shift;
  bool            masked, carriers;
  fc_window_lines lines; /* own 0: all H */
} fc_window_grid;
fc_window_lines  fc_window_lines_of(const fc_window_grid *w, fc_cut lines, int rank, int size);
int64_t          fc_window_padding(const fc_window_grid *w); /* tokens beyond the grid in each sample */
fc_token_groups *fc_groups_of_windows(fc_ctx *c, const fc_window_grid *w);
/* the same token of all fields: row r of each of so many blocks of `rows` rows */
fc_token_groups *fc_groups_of_fields(fc_ctx *c, int64_t fields, int64_t rows);
/* rows 0 .. length-1, length .. 2 length-1, and so on */
fc_token_groups *fc_groups_of_runs(fc_ctx *c, int64_t count, int64_t length);

/* y = r + (1 + gate) A, A cosine attention of each head within each group (Swin V2: Liu et al. 2022):
   softmax(exp(min(scale_h, 4.6052)) q_i . k_j / (|q_i| |k_j|) + bias_hji) times the values.
   r [.., D]; qkv [.., 3 D] with at least as many rows, each in exactly one group; scale [H]; bias [H, keys,
   queries] or NULL; m.rows NULL: no gate */
fc_tensor *fc_group_attention(fc_ctx *c, fc_tensor *r, fc_tensor *qkv, fc_tensor *scale, fc_tensor *bias,
                              const fc_token_groups *groups, fc_modulation m);
/* bias of square windows from a table of offsets [(2 size - 1)^2, H]: query (a, b), key (a', b') takes row
   (a - a' + size - 1)(2 size - 1) + b - b' + size - 1 -> [H, keys, queries], each lead + size^2 long; the
   first `lead` tokens take 0 */
fc_tensor *fc_relative_bias(fc_ctx *c, fc_tensor *table, int64_t size, int64_t lead);

/* ---- steps in time, and gates (Temporal Fusion Transformer) ---- */
typedef struct fc_lstm_weights {
  fc_tensor *input, *hidden, *input_bias, *hidden_bias; /* [4 D, K], [4 D, D], [4 D]; gates i, f, g, o */
} fc_lstm_weights;
typedef struct fc_lstm_state {
  fc_tensor *h, *c; /* [B, D] */
} fc_lstm_state;
/* one layer of LSTM: x [B, T, K] -> h_1 .. h_T [B, T, D], beginning with `first` (NULL: zeros). lengths [B]
   (whole numbers, 0 is allowed) or NULL: all T; behind its end a sample's outputs are 0. last, NULL if nobody
   asks, is the state at each sample's end. */
fc_tensor *fc_lstm(fc_ctx *c, fc_tensor *x, const fc_lstm_state *first, const fc_lstm_weights *w,
                   const fc_tensor *lengths, fc_lstm_state *last);
/* y = r + a sigma(g), z [.., 2 D] = (a, g); r [.., D] or NULL */
fc_tensor *fc_glu(fc_ctx *c, fc_tensor *z, fc_tensor *r);
/* y = sum_i w_i v_i for each row: w [.., n], v_i [.., D] of the same rows -> [.., D] */
fc_tensor *fc_weighted_sum(fc_ctx *c, fc_tensor *w, int n, fc_tensor *const *v);
/* rows resampled from C to D channels by linear interpolation, both ends kept: channel j of y lies at
   j (C - 1) / (D - 1) */
fc_tensor *fc_interpolate(fc_ctx *c, fc_tensor *x, int64_t D);

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

/* code of time: T [B] or [B, 1] -> [B, width], [cos(t f_0), .., cos(t f_{k-1}), sin(t f_0), .., 0 if width is
   odd], t = scale T_b, k = width/2, f_i = exp(-ln(10000) i / k), rounded as PyTorch does in float32 */
fc_tensor *fc_time_code(fc_ctx *c, fc_tensor *T, int64_t width, double scale);
/* Euclidean distances to a reference lattice of ref points per axis, lo .. hi both ends included, first axis
   slowest: x [.., s] -> [.., ref^s] (unified position of Transolver); slope 0 where x is a lattice point */
fc_tensor *fc_lattice_distance(fc_ctx *c, fc_tensor *x, int64_t ref, const double *lo, const double *hi);

/* each column x_j becomes x_j, cos(2^k x_j), sin(2^k x_j), k = -n .. n: [.., K] -> [.., K (4 n + 3)] (GNOT)
 */
fc_tensor *fc_octave_code(fc_ctx *c, fc_tensor *x, int64_t n);

/* ---- convolution and FFT ---- */
typedef struct fc_conv_spec {
  int64_t stride, pad, groups;
  bool    periodic;
} fc_conv_spec; /* pad on both ends; zero or wrapped */
/* x [B, X.., C] in 1, 2 or 3 dimensions, W [O, C/groups, kx..], b [O] or NULL -> [B, X'.., O] */
fc_tensor *fc_conv(fc_ctx *c, fc_tensor *x, fc_tensor *W, fc_tensor *b, fc_conv_spec spec);
/* convolution with kernel = stride = r, its weight with channels last: x [B, X, Y, C], W [O, r, r, C] ->
   [B, X/r, Y/r, O] */
fc_tensor *fc_patch_down(fc_ctx *c, fc_tensor *x, fc_tensor *W);
/* and transposed: base [B, r X, r Y, O] + scale times that of x [B, X, Y, C], W [C, r, r, O], over base's own
   memory (see fc_add_in_place) */
fc_tensor *fc_patch_up_in_place(fc_ctx *c, fc_tensor *base, fc_tensor *x, fc_tensor *W, double scale);

typedef enum {
  FC_FFT_BACKWARD,
  FC_FFT_ORTHO,
  FC_FFT_FORWARD
} fc_fft_norm; /* where the 1/N stands, as in PyTorch */
/* over the last n_space axes of x [.., X, Y]; complex numbers are a trailing axis of 2: [.., X, Y/2+1, 2] */
fc_tensor *fc_rfft(fc_ctx *c, fc_tensor *x, int n_space, fc_fft_norm norm);
fc_tensor *fc_irfft(fc_ctx *c, fc_tensor *z, int n_space, int64_t n_last, fc_fft_norm norm);
/* y = r + b + irfft(W rfft(x)): x [B, X.., I] in 1, 2 or 3 dimensions, each retained mode times a complex
   matrix of its own; b [O] or NULL, r [B, X.., O] or NULL. y takes r's memory (see fc_add_in_place). n_w = 1:
   W [I, O, m_X, .., m_last, 2], row j of the axes before the last for the signed frequency j - m / 2, of the
   last axis for frequency j; a grid with fewer frequencies takes the middle rows, and the first ones of the
   last axis (neuraloperator). n_w = 2^(axes - 1): one such tensor per corner of the spectrum, bit a of its
   number set: frequencies -m .. -1 on axis a, else 0 .. m-1 (Li et al. 2021); the grid must have all of them.
 */
fc_tensor *fc_spectral_conv(fc_ctx *c, fc_tensor *x, int n_w, fc_tensor *const *W, fc_tensor *b, fc_tensor *r,
                            fc_fft_norm norm);
/* the same where ranks share the first axis of X.., cut as lines says */
fc_tensor *fc_spectral_conv_shared(fc_ctx *c, fc_tensor *x, fc_cut lines, int n_w, fc_tensor *const *W,
                                   fc_tensor *b, fc_tensor *r, fc_fft_norm norm);

/* each series from its k strongest frequencies, and `extra` steps more of it: x [B, T, D] -> [B, T + extra,
   D]. X_f = sum_t x_t exp(-2 pi i f t / T) for low <= f < T / 2 (low >= 1: never the mean, nor the last one
   of an even T); y_t = sum over the k of largest |X_f| of 2 |X_f| / T cos(2 pi f t / T + arg X_f), chosen for
   each sample and channel, of equal ones the lower. No gradient through the choice. k = 0: zeros, a constant;
   else k <= (T + 1) / 2 - low, rounded down. */
fc_tensor *fc_fourier_season(fc_ctx *c, fc_tensor *x, int64_t k, int64_t low, int64_t extra);

/* y = scale Re F x, F the unnormalised transform over space axes and channels: x [B, X.., C] in 1 to 3
   dimensions (token mixing of FNet) */
fc_tensor *fc_fourier_mix(fc_ctx *c, fc_tensor *x, double scale);
/* the same where ranks share the first axis of X.. */
fc_tensor *fc_fourier_mix_shared(fc_ctx *c, fc_tensor *x, fc_cut lines, double scale);

/* ---- losses: scalars; target has no gradient ---- */
fc_tensor *fc_mse(fc_ctx *c, fc_tensor *y, fc_tensor *target);
fc_tensor *fc_mae(fc_ctx *c, fc_tensor *y, fc_tensor *target); /* its gradient is 0 where y = target */
/* mean over samples (first axis) of |y - target| / max(|target|, eps), Euclidean norms */
fc_tensor *fc_relative_l2(fc_ctx *c, fc_tensor *y, fc_tensor *target, double eps);
/* the same for ragged batches: y, target, weight (NULL: 1) [R, C], lengths [B] of the samples; mean over them
   of the weighted mean squared error, of the relative error of all channels together, or of each channel */
typedef enum { FC_RAGGED_MSE, FC_RAGGED_RELATIVE, FC_RAGGED_RELATIVE_CHANNELS } fc_ragged_kind;
fc_tensor *fc_ragged_loss(fc_ctx *c, fc_ragged_kind kind, fc_tensor *y, fc_tensor *target, fc_tensor *weight,
                          const fc_tensor *lengths, double eps);
/* mean over all numbers of y [.., n] of 2 max((q_k - 1) e, q_k e), e = target - y, for n quantiles q_k of the
   target [..] */
fc_tensor *fc_quantile_loss(fc_ctx *c, fc_tensor *y, fc_tensor *target, int n, const double *quantile);
#endif
