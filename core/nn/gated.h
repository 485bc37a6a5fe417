/* core/nn/gated.h - layers of Temporal Fusion Transformers (Lim et al. 2021), under the names of two codes:
   thuml's library and pytorch-forecasting. Letters: B windows, D width, n variables. */
#ifndef FC_NN_GATED_H
#define FC_NN_GATED_H
#include "core/nn/nn.h"

/* x -> (W_a x + b_a) sigma(W_g x + b_g) */
typedef struct fc_gate {
  fc_linear value, gate; /* gate without weights: value holds both halves */
} fc_gate;
/* NAME.fc1 and NAME.fc2 (library); NAME.fc (pytorch-forecasting) */
void fc_gate_init(fc_gate *l, fc_params *p, const char *name, int64_t in, int64_t out);
void fc_gate_init_joint(fc_gate *l, fc_params *p, const char *name, int64_t in, int64_t out);
/* r + the same; r may be NULL */
fc_tensor *fc_gate_onto(fc_ctx *c, const fc_gate *l, fc_tensor *x, fc_tensor *r);

/* LN(P(r + gate(x))), P a linear map or nothing */
typedef struct fc_gate_norm {
  fc_gate   gate;
  fc_linear projection; /* without weights: none */
  fc_norm   norm;
} fc_gate_norm;
/* NAME.glu, NAME.projection if in != out, NAME.layer_norm; NAME.glu, NAME.add_norm.norm */
void       fc_gate_norm_init(fc_gate_norm *l, fc_params *p, const char *name, int64_t in, int64_t out);
void       fc_gate_norm_init_joint(fc_gate_norm *l, fc_params *p, const char *name, int64_t in, int64_t out);
fc_tensor *fc_gate_norm_onto(fc_ctx *c, const fc_gate_norm *l, fc_tensor *x, fc_tensor *r);

/* channels by linear interpolation, times 2 sigma(mask) of each channel, LN: NAME.mask, NAME.norm */
typedef struct fc_resample {
  int64_t    out;
  fc_tensor *mask;
  fc_norm    norm;
} fc_resample;
void       fc_resample_init(fc_resample *l, fc_params *p, const char *name, int64_t out);
fc_tensor *fc_resample_apply(fc_ctx *c, const fc_resample *l, fc_tensor *x);

/* gated residual network: LN(skip(x) + gate(W_2 ELU(W_1 x + b_1 + W_c context) + b_2)) */
typedef struct fc_grn {
  fc_linear    first, context, second;
  fc_linear    skip;     /* without weights: x itself, or resampled */
  fc_resample  resample; /* without mask: none */
  fc_gate_norm gate;
} fc_grn;
/* lin_a, lin_i, project_a if in != hidden, gate; and lin_c of a context */
void fc_grn_init(fc_grn *l, fc_params *p, const char *name, int64_t in, int64_t hidden, int64_t out);
void fc_grn_init_context(fc_grn *l, fc_params *p, const char *name, int64_t context, int64_t hidden);
/* fc1, context if there is one of that width, fc2, resample_norm if in != out, gate_norm */
void fc_grn_init_joint(fc_grn *l, fc_params *p, const char *name, int64_t in, int64_t hidden, int64_t out,
                       int64_t context);
/* x [B, .., in]; context [B, width] or NULL; dropout in front of the gate */
fc_tensor *fc_grn_apply(fc_ctx *c, const fc_grn *l, fc_tensor *x, fc_tensor *context, double dropout);

/* variables mixed by weights that depend on all of them: sum_i w_i f_i(v_i), w = softmax(GRN(v_1 .. v_n,
   context)); f_i is a GRN, or only resampling. v_i [B, .., width_i] -> [B, .., D]; the weights [B, .., n] are
   shown as `as`. Without `joint` (one variable) the weight is 1. */
typedef struct fc_variable {
  fc_grn      grn;
  fc_resample bare; /* with mask: instead of the GRN */
} fc_variable;
fc_tensor *fc_select_variables(fc_ctx *c, const fc_grn *joint, int n, const fc_variable *const *f,
                               fc_tensor *const *v, fc_tensor *context, double dropout, fc_shown as);

/* Attention whose heads share their values, so that one map of weights tells what is looked at: the mean over
   heads of softmax(keep q k^T / sqrt(E) + mask) times v, q [B, H, P, E], k [B, H, T, E], v [B, T, E] -> [B,
   P, E]. mask and keep (no gradients): [P, T] or [B, H, P, T], or NULL. Dropout of each head's result; the
   weights [B, H, P, T] are shown. */
typedef struct fc_shared_mask {
  fc_tensor *mask, *keep;
} fc_shared_mask;
fc_tensor *fc_attend_shared(fc_ctx *c, fc_tensor *q, fc_tensor *k, fc_tensor *v, fc_shared_mask mask,
                            double dropout, fc_shown as);

/* one layer of LSTM under PyTorch's names: NAME.weight_ih_l0, .. for layer 0 */
void fc_lstm_init(fc_lstm_weights *l, fc_params *p, const char *name, int64_t layer, int64_t in, int64_t D);
#endif
