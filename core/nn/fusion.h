/* core/nn/fusion.h - the part of the Temporal Fusion Transformer behind its variables, which all codes share:
     h = LSTM over lookback and horizon;   t = LN(gate(h) + x);   e = GRN(t; context)
     a = LN(gate(attention of the horizon to all steps) + e);   y = W LN(gate(GRN(a)) + t) + b
   Letters: B windows, L lookback, P horizon, T = L + P, D width, H heads of width E. */
#ifndef FC_NN_FUSION_H
#define FC_NN_FUSION_H
#include "core/nn/gated.h"

enum { FC_FUSION_HEADS = 64, FC_FUSION_LAYERS = 8 };

typedef struct fc_fusion {
  int64_t         H, E, layers;
  fc_lstm_weights encoder[FC_FUSION_LAYERS], decoder[FC_FUSION_LAYERS];
  fc_gate_norm    after_lstm, after_attention, last;
  fc_grn          enrich, position;
  fc_linear       q[FC_FUSION_HEADS], k[FC_FUSION_HEADS], v; /* pytorch-forecasting: one map for each head */
  fc_tensor      *qkv;                                       /* library: one for all [(2 H + 1) E, D] */
  fc_linear       merge, output;
  double          dropout; /* in training: of the two GRNs, the attention's result, between LSTM layers */
  double          gate_dropout; /* in front of the gates behind LSTM and attention, of the heads */
} fc_fusion;

typedef struct fc_fusion_call {
  fc_tensor       *past, *ahead;   /* x: [B, L, D], [B, P, D] */
  fc_tensor       *h, *c, *enrich; /* first state of all LSTM layers and context of the GRN [B, D]; or NULL */
  const fc_tensor *steps[2];       /* of lookback and horizon [B]; NULL: all */
  fc_tensor       *restart; /* [layers, B] or NULL: number b keeps the last state of window b, number B + i
                               takes h of window i for both h and c */
  fc_shared_mask mask;
} fc_fusion_call;

/* [B, P, outputs]; shows the attention's weights */
fc_tensor *fc_fuse(fc_ctx *c, const fc_fusion *l, const fc_fusion_call *f);
#endif
