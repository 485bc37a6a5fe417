/* core/nn/fusion.c */
#include "core/nn/fusion.h"

/* rows of last and first states, chosen by number */
static fc_lstm_state restarted(fc_ctx *c, const fc_fusion_call *f, fc_lstm_state last, int layer) {
  const int64_t B     = f->restart->dim[1];
  fc_tensor    *index = fc_reshape(c, fc_slice(c, f->restart, 0, layer, 1), FC_DIMS(B));

  last.h = fc_embedding(c, fc_concat(c, 0, FC_IN(last.h, f->h)), index);
  last.c = fc_embedding(c, fc_concat(c, 0, FC_IN(last.c, f->h)), index);
  return last;
}

/* all layers of one LSTM; state [layers] goes in and comes out */
static fc_tensor *recur(fc_ctx *c, const fc_fusion *l, const fc_lstm_weights *w, fc_tensor *x,
                        const fc_tensor *steps, fc_lstm_state *state) {
  for (int i = 0; i < l->layers; i++) {
    const fc_lstm_state first = state[i];
    if (i > 0) x = fc_dropout(c, x, l->dropout);
    x = fc_lstm(c, x, first.h ? &first : NULL, &w[i], steps, &state[i]);
  }
  return x;
}

static fc_tensor *over_time(fc_ctx *c, const fc_fusion *l, const fc_fusion_call *f) {
  fc_lstm_state state[FC_FUSION_LAYERS];

  for (int i = 0; i < l->layers; i++) state[i] = (fc_lstm_state){f->h, f->c};
  fc_tensor *past = recur(c, l, l->encoder, f->past, f->steps[0], state);
  for (int i = 0; f->restart && i < l->layers; i++) state[i] = restarted(c, f, state[i], i);
  return fc_concat(c, 1, FC_IN(past, recur(c, l, l->decoder, f->ahead, f->steps[1], state)));
}

/* weights or biases of single heads as one */
static fc_tensor *joined(fc_ctx *c, const fc_linear *l, int64_t H, bool bias) {
  fc_tensor *part[FC_FUSION_HEADS];

  for (int i = 0; i < H; i++) part[i] = bias ? l[i].bias : l[i].weight;
  return fc_concat(c, 0, (int)H, part);
}

/* steps of the horizon look at all: e [B, T, D], ahead [B, P, D] -> [B, P, D] */
static fc_tensor *attend(fc_ctx *c, const fc_fusion *l, const fc_fusion_call *f, fc_tensor *e,
                         fc_tensor *ahead) {
  const int64_t H = l->H, width = l->H * l->E;
  fc_tensor    *q, *k, *v;

  if (l->qkv) {
    q = fc_linear_split(c, ahead, fc_slice(c, l->qkv, 0, 0, width), NULL, H);
    k = fc_linear_split(c, e, fc_slice(c, l->qkv, 0, width, width), NULL, H);
    v = fc_linear_op(c, e, fc_slice(c, l->qkv, 0, 2 * width, l->E), NULL, FC_ACT_NONE);
  } else {
    q = fc_linear_split(c, ahead, joined(c, l->q, H, false), joined(c, l->q, H, true), H);
    k = fc_linear_split(c, e, joined(c, l->k, H, false), joined(c, l->k, H, true), H);
    v = fc_linear_apply(c, &l->v, e, FC_ACT_NONE);
  }
  v = fc_attend_shared(c, q, k, v, f->mask, l->gate_dropout, (fc_shown){"attention", 0});
  return fc_dropout(c, fc_linear_apply(c, &l->merge, v, FC_ACT_NONE), l->dropout);
}

fc_tensor *fc_fuse(fc_ctx *c, const fc_fusion *l, const fc_fusion_call *f) {
  const int64_t L = f->past->dim[1], P = f->ahead->dim[1];
  fc_tensor    *x = fc_concat(c, 1, FC_IN(f->past, f->ahead));
  fc_tensor    *h = fc_dropout(c, over_time(c, l, f), l->gate_dropout);
  fc_tensor    *t = fc_gate_norm_onto(c, &l->after_lstm, h, x);
  fc_tensor    *e = fc_grn_apply(c, &l->enrich, t, f->enrich, l->dropout), *ahead = fc_slice(c, e, 1, L, P);
  fc_tensor    *a = fc_dropout(c, attend(c, l, f, e, ahead), l->gate_dropout);

  a = fc_gate_norm_onto(c, &l->after_attention, a, ahead);
  a = fc_grn_apply(c, &l->position, a, NULL, l->dropout);
  a = fc_gate_norm_onto(c, &l->last, a, fc_slice(c, t, 1, L, P));
  return fc_linear_apply(c, &l->output, a, FC_ACT_NONE);
}
