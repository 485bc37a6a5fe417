/* forecast/tft.h - what the files of the Temporal Fusion Transformer share: forecast/tft*.c alone. */
#ifndef FC_TFT_H
#define FC_TFT_H
#include "core/model.h"
#include "core/nn/fusion.h"
#include "core/nn/series.h"

enum { MAX_VARIATES = 1024, MAX_MARKS = 6, CONTEXTS = 4 };
enum { MAX_VARIABLES = MAX_VARIATES + MAX_MARKS, POOL = MAX_VARIABLES + MAX_MARKS };
enum { MAX_COLUMNS = 2 * FC_WORDS };
typedef enum { FORECASTING, TSLIB } variant_name;
enum { TO_SELECT, TO_H, TO_C, TO_ENRICH }; /* contexts */

typedef struct {
  int      variant;
  double   dropout;
  int64_t  hidden_size, lstm_layers, attention_head_size, hidden_continuous_size, output_size;
  int64_t  max_encoder_length, max_prediction_length;
  bool     share_single_variable_networks, causal_attention;
  fc_names static_categoricals, static_reals, x_categoricals, x_reals, embedding_paddings;
  fc_names time_varying_categoricals_encoder, time_varying_categoricals_decoder;
  fc_names time_varying_reals_encoder, time_varying_reals_decoder;
  fc_table embedding_sizes, hidden_continuous_sizes, n_classes;
  fc_reals quantiles;
  char     target[FC_TEXT];
  int      embed;
  int64_t  seq_len, label_len, pred_len, enc_in, c_out, d_model, n_heads;
  char     freq[FC_TEXT];
  fc_ints  statics, observed;
} tft_config;

typedef struct { /* variables of one kind: where they come from, and the network of each in the pool */
  int    n, from[MAX_VARIABLES], net[MAX_VARIABLES];
  fc_grn joint;
} tft_selection;

typedef struct { /* pytorch_forecasting: a column of the inputs */
  const char *name;
  int64_t     at, width, rows; /* rows 0: numbers */
  fc_tensor  *table;
  bool        padded;
  fc_linear   scale;
  int         shared; /* its network for lookback and horizon, -1: none yet */
} tft_column;

typedef struct {
  tft_config        cfg;
  int64_t           D;
  int               pooled;
  fc_variable       pool[POOL];
  tft_selection     fixed, past, ahead;
  fc_grn            context[CONTEXTS];
  fc_fusion         fusion;
  int               n_columns; /* pytorch_forecasting: classes, then numbers */
  tft_column        column[MAX_COLUMNS];
  fc_data_embedding variate[MAX_VARIATES]; /* tslib: of observed variates, then of static ones */
  fc_linear         mark[MAX_MARKS];       /* tslib, timeF */
  fc_mark_embedding tables;                /* else */
  int64_t           marks;
  fc_tensor        *mask;
} tft_model;

/* the variables of s from their embeddings v [B, .., width] -> [B, .., D]; the weights are shown as `what` */
fc_tensor *fc_tft_select(fc_ctx *c, const tft_model *m, const tft_selection *s, fc_tensor *const *v,
                         fc_tensor *context, const char *what);

/* the variants: weights, forward, and what their inputs must look like */
fc_status  fc_tft_library_init(tft_model *m, fc_params *p);
fc_tensor *fc_tft_library_apply(fc_ctx *c, const tft_model *m, const fc_batch *b);
fc_status  fc_tft_library_check(const tft_model *m, const fc_batch *b);
fc_status  fc_tft_columns_init(tft_model *m, fc_params *p);
fc_tensor *fc_tft_columns_apply(fc_ctx *c, const tft_model *m, const fc_batch *b);
fc_status  fc_tft_columns_check(const tft_model *m, const fc_batch *b);

/* pytorch_forecasting: the lists in which a column may stand, classes and numbers in turn: static ones, those
   of the lookback, those known ahead */
enum { ROLES = 6 };
const fc_names *fc_tft_role(const tft_config *g, int i);
#endif
