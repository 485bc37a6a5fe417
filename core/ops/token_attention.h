/* core/ops/token_attention.h - attention among the few slice tokens of one head, for physics_attention:
     Q = Z Wq^T, K = Z Wk^T, V = Z Wv^T,   P = softmax(Q K^T / sqrt(d)),   O = drop(P) V
   Z, O [G, d]; the maps [d, d] are shared by all heads. Everything is computed again in backward. */
#ifndef FC_TOKEN_ATTENTION_H
#define FC_TOKEN_ATTENTION_H
#include "core/ops/dropout.h"

typedef struct fc_token_attention {
  int64_t        G, d;
  const fc_real *map[3]; /* Wq, Wk, Wv */
  bool           drops;
  fc_mask        mask; /* over [samples, heads, G, G], each head's part rounded up to a multiple of four */
} fc_token_attention;

/* scratch numbers of one call */
int64_t fc_token_room(const fc_token_attention *t);
/* O for head number n over all samples, on the calling thread */
void fc_token_forward(const fc_token_attention *t, int64_t n, const fc_real *Z, fc_real *O, fc_real *room);
/* dZ and dW [3, d, d] (both overwritten) from dO */
void   fc_token_backward(const fc_token_attention *t, int64_t n, const fc_real *Z, const fc_real *dO,
                         fc_real *dZ, fc_real *dW, fc_real *room);
double fc_token_flops(const fc_token_attention *t); /* of one head's forward */
#endif
