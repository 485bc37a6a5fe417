/* core/nn/series.h - layers that forecasters share, under the names of their official codes (the library of
   thuml and its descendants). Letters: B windows, T steps, L lookback, N variates, M marks, D width, H heads.
 */
#ifndef FC_NN_SERIES_H
#define FC_NN_SERIES_H
#include "core/nn/nn.h"

/* Arguments that the library's one command line has for all its models; at the end of an option table, behind
   those that the model reads. */
#define FC_OPT_LIBRARY                                                                                       \
  FC_OPT_IGNORED("task_name", "of the library's command line"), FC_OPT_IGNORED("data", "of the library"),    \
      FC_OPT_IGNORED("label_len", "of other models"), FC_OPT_IGNORED("enc_in", "any number fits"),           \
      FC_OPT_IGNORED("dec_in", "of other models"), FC_OPT_IGNORED("c_out", "of other models"),               \
      FC_OPT_IGNORED("d_model", "of other models"), FC_OPT_IGNORED("d_ff", "of other models"),               \
      FC_OPT_IGNORED("n_heads", "of other models"), FC_OPT_IGNORED("e_layers", "of other models"),           \
      FC_OPT_IGNORED("d_layers", "of other models"), FC_OPT_IGNORED("factor", "of other models"),            \
      FC_OPT_IGNORED("distil", "of other models"), FC_OPT_IGNORED("dropout", "of other models"),             \
      FC_OPT_IGNORED("activation", "of other models"), FC_OPT_IGNORED("embed", "of other models"),           \
      FC_OPT_IGNORED("freq", "of other models"), FC_OPT_IGNORED("moving_avg", "of other models"),            \
      FC_OPT_IGNORED("top_k", "of other models"), FC_OPT_IGNORED("num_class", "of other tasks"),             \
      FC_OPT_IGNORED("use_norm", "of other models"), FC_OPT_IGNORED("individual", "of other models"),        \
      FC_OPT_IGNORED("output_attention", "shown to whoever asks"), FC_OPT_IGNORED("variant", "there is one")

/* ---- normalisation of a window by itself (series_norm.c) ---- */

/* What is taken off and divided by: mean and sqrt(biased variance + 1e-5) over time. Gradients reach x
   through the deviation (the library, non-stationary transformer), through neither (RevIN), or through the
   last value, which is taken off instead of the mean (RevIN with subtract_last). */
typedef enum { FC_WINDOW_DEVIATION_FLOWS, FC_WINDOW_DETACHED, FC_WINDOW_LAST } fc_window_kind;
typedef struct fc_window_norm {
  fc_tensor *shift, *scale; /* [B, 1, N] */
} fc_window_norm;
/* x [B, L, N] -> (x - shift) / scale, and both into n */
fc_tensor *fc_window_normalise(fc_ctx *c, fc_window_kind kind, fc_tensor *x, fc_window_norm *n);
/* back: y [B, P, N] scale + shift */
fc_tensor *fc_window_restore(fc_ctx *c, fc_tensor *y, const fc_window_norm *n);
/* the same of a window that lies variate by variate: x [B, N, L], y [B, N, P]; shift and scale [B, N]. One
   pass over x and one over the result, with the affine part of RevIN (below; NULL: none) in the same. */
struct fc_window_affine;
fc_tensor *fc_rows_normalise(fc_ctx *c, fc_window_kind kind, const struct fc_window_affine *l, fc_tensor *x,
                             fc_window_norm *n);
fc_tensor *fc_rows_restore(fc_ctx *c, const struct fc_window_affine *l, fc_tensor *y,
                           const fc_window_norm *n);
/* x's values without its history: no gradient flows through */
fc_tensor *fc_detach(fc_ctx *c, fc_tensor *x);

/* y = z w + b per variate and back, (y - b) / (w + 1e-10): the affine part of RevIN, channels last; weights
   affine_weight, affine_bias behind what was pushed */
typedef struct fc_window_affine {
  fc_tensor *weight, *bias; /* [N] */
} fc_window_affine;
void       fc_window_affine_init(fc_window_affine *l, fc_params *p, int64_t N);
fc_tensor *fc_window_affine_apply(fc_ctx *c, const fc_window_affine *l, fc_tensor *z);
fc_tensor *fc_window_affine_undo(fc_ctx *c, const fc_window_affine *l, fc_tensor *y);

/* batch norm with its running statistics: weight, bias, running_mean, running_var, num_batches_tracked;
   momentum 0.1, eps 1e-5 */
typedef struct fc_batch_norm_layer {
  fc_tensor *weight, *bias, *mean, *var, *count;
} fc_batch_norm_layer;
void       fc_batch_norm_init(fc_batch_norm_layer *l, fc_params *p, const char *name, int64_t C);
fc_tensor *fc_batch_norm_apply(fc_ctx *c, const fc_batch_norm_layer *l, fc_tensor *x); /* [.., C] */

/* ---- embedding of values, places and calendar marks (series_embedding.c) ---- */

/* the table sin, cos of places 0 .. rows-1, as a constant [1, rows, D] called NAME: made by formula where a
   file lacks it */
enum { FC_PLACES = 5000 };
fc_tensor *fc_place_table(fc_params *p, const char *name, int64_t D);
/* its first T rows, added to x [B, T, D], over x's memory */
fc_tensor *fc_add_places(fc_ctx *c, fc_tensor *x, fc_tensor *table);

/* x [B, T, N] -> [B, T, D]: three neighbours in time, the ends joined; weight NAME.weight [D, N, 3] */
void       fc_token_conv_init(fc_linear *l, fc_params *p, const char *name, int64_t N, int64_t D, bool bias);
fc_tensor *fc_token_conv_apply(fc_ctx *c, const fc_linear *l, fc_tensor *x);

typedef enum { FC_EMBED_TIMEF, FC_EMBED_FIXED, FC_EMBED_LEARNED } fc_embed_kind;
#define FC_EMBED_CHOICES "timeF|fixed|learned"
/* marks that a frequency has ("h": hour, weekday, day, month), scaled (timeF) or whole numbers; 0: the
   frequency is not known. Whole ones come month, day, weekday, hour, quarter of an hour. */
int64_t fc_marks_of(fc_embed_kind kind, const char *freq);

/* calendar marks to width D: a linear map of scaled ones, or the sum of rows of one table each */
enum { FC_MARK_TABLES = 5 };
typedef struct fc_mark_embedding {
  int64_t    marks;
  fc_linear  linear;                /* timeF */
  int        tables;                /* else */
  fc_tensor *table[FC_MARK_TABLES]; /* month, day, weekday, hour, minute */
} fc_mark_embedding;
/* names behind NAME: embed.weight (and bias), or hour_embed.emb.weight (fixed), hour_embed.weight (learned).
   FC_E_USAGE if the frequency is not known */
fc_status  fc_mark_embedding_init(fc_mark_embedding *l, fc_params *p, const char *name, fc_embed_kind kind,
                                  const char *freq, int64_t D, bool bias);
fc_tensor *fc_mark_embedding_apply(fc_ctx *c, const fc_mark_embedding *l, fc_tensor *marks);
/* mark i alone, not timeF: the rows of its table */
fc_tensor *fc_mark_embedding_row(fc_ctx *c, const fc_mark_embedding *l, fc_tensor *marks, int i);
/* do these marks [B, T, M] fit: number, and whole numbers within the tables? name is for the message */
fc_status fc_mark_embedding_check(const fc_mark_embedding *l, const fc_tensor *marks, const char *name);

/* token convolution + places + marks, then dropout: NAME.value_embedding.tokenConv, position_embedding.pe,
   temporal_embedding. bias: as Informer2020 has it, of the convolution and the map of marks */
typedef struct fc_data_embedding {
  fc_linear         value;
  fc_tensor        *places; /* NULL: none */
  fc_mark_embedding marks;
} fc_data_embedding;
fc_status fc_data_embedding_init(fc_data_embedding *l, fc_params *p, const char *name, int64_t N,
                                 fc_embed_kind kind, const char *freq, int64_t D, bool bias);
/* marks NULL: without them */
fc_tensor *fc_data_embedding_apply(fc_ctx *c, const fc_data_embedding *l, fc_tensor *x, fc_tensor *marks,
                                   double dropout);

/* ---- the library's transformer layers (encoder_layer.c) ---- */

/* softmax(q k^T / sqrt(width)) v with dropout of the weights in training; q [B, H, Nq, E], k v [B, H, Nk, E];
   bias as in fc_attention. as: how the weights [B, H, Nq, Nk] are shown to an observer */
fc_tensor *fc_attend(fc_ctx *c, fc_tensor *q, fc_tensor *k, fc_tensor *v, fc_tensor *bias, double dropout,
                     fc_shown as);

/* four maps D x D with bias: query_projection, key_projection, value_projection, out_projection */
typedef struct fc_attention_maps {
  fc_linear query, key, value, out;
} fc_attention_maps;
void fc_attention_maps_init(fc_attention_maps *l, fc_params *p, const char *name, int64_t D);

/* x <- LN1(x + attention), x <- LN2(x + conv2(act(conv1 x))): NAME.attention.., conv1, conv2 [.., .., 1],
   norm1, norm2 */
typedef struct fc_encoder_layer {
  fc_attention_maps attention;
  fc_linear         conv1, conv2;
  fc_norm           norm1, norm2;
} fc_encoder_layer;
void fc_encoder_layer_init(fc_encoder_layer *l, fc_params *p, const char *name, int64_t D, int64_t ff);

typedef struct fc_encoder_use {
  int64_t heads;
  fc_act  act;
  double  dropout;
  int64_t first; /* only so many tokens go on, after attention among all of them; 0: all */
} fc_encoder_use;
/* with full attention; x [B, N, D] -> [B, N or first, D]; as: see fc_attend */
fc_tensor *fc_encoder_layer_apply(fc_ctx *c, const fc_encoder_layer *l, const fc_encoder_use *u, fc_tensor *x,
                                  fc_shown as);
/* its second half alone, behind attention of another kind: norm(x + conv2(act(conv1 x))) */
fc_tensor *fc_feed_forward(fc_ctx *c, const fc_linear *conv1, const fc_linear *conv2, const fc_norm *norm,
                           const fc_encoder_use *u, fc_tensor *x);
/* option values gelu|relu */
#define FC_ENCODER_ACTS "gelu|relu"
fc_act fc_encoder_act(int choice);
#endif
