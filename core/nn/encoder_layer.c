/* core/nn/encoder_layer.c - the post-norm transformer layer of the library. */
#include "core/nn/series.h"

#include <math.h>

fc_act fc_encoder_act(int choice) { return choice == 0 ? FC_ACT_GELU : FC_ACT_RELU; }

/* the weights themselves are needed: to drop some of them, or to be shown */
static fc_tensor *attend_by_weights(fc_ctx *c, fc_tensor *q, fc_tensor *k, fc_tensor *v, fc_tensor *bias,
                                    double scale, double dropout, fc_shown as) {
  fc_tensor *S = fc_matmul(c, q, false, k, true, scale);

  if (bias) S = fc_add_in_place(c, S, bias->dim[0] == 1 ? fc_reshape(c, bias, 2, bias->dim + 1) : bias);
  fc_tensor *A = fc_softmax(c, S);
  fc_observe(c, as, A);
  return fc_matmul(c, fc_dropout(c, A, dropout), false, v, false, 1);
}

fc_tensor *fc_attend(fc_ctx *c, fc_tensor *q, fc_tensor *k, fc_tensor *v, fc_tensor *bias, double dropout,
                     fc_shown as) {
  const double scale = 1 / sqrt((double)fc_last(q));

  if ((c->training && dropout > 0) || (as.what && c->observer))
    return attend_by_weights(c, q, k, v, bias, scale, dropout, as);
  return fc_attention(c, q, k, v, bias, scale);
}

void fc_attention_maps_init(fc_attention_maps *l, fc_params *p, const char *name, int64_t D) {
  fc_params_push(p, "%s", name);
  fc_linear_init(&l->query, p, "query_projection", D, D, true);
  fc_linear_init(&l->key, p, "key_projection", D, D, true);
  fc_linear_init(&l->value, p, "value_projection", D, D, true);
  fc_linear_init(&l->out, p, "out_projection", D, D, true);
  fc_params_pop(p);
}

void fc_encoder_layer_init(fc_encoder_layer *l, fc_params *p, const char *name, int64_t D, int64_t ff) {
  fc_params_push(p, "%s", name);
  fc_attention_maps_init(&l->attention, p, "attention", D);
  fc_linear_init_shaped(&l->conv1, p, "conv1", true, FC_DIMS(ff, D, 1));
  fc_linear_init_shaped(&l->conv2, p, "conv2", true, FC_DIMS(D, ff, 1));
  fc_norm_init(&l->norm1, p, "norm1", D, 1e-5);
  fc_norm_init(&l->norm2, p, "norm2", D, 1e-5);
  fc_params_pop(p);
}

fc_tensor *fc_feed_forward(fc_ctx *c, const fc_linear *conv1, const fc_linear *conv2, const fc_norm *norm,
                           const fc_encoder_use *u, fc_tensor *x) {
  fc_tensor *h = fc_linear_apply(c, conv1, x, FC_ACT_NONE);

  if (c->training && u->dropout > 0) {
    h = fc_dropout(c, fc_activate(c, h, u->act), u->dropout);
    h = fc_dropout(c, fc_linear_apply(c, conv2, h, FC_ACT_NONE), u->dropout);
    h = fc_add_in_place(c, h, x);
  } else {
    h = fc_linear_of(c, u->act, h, conv2->weight, conv2->bias, x);
  }
  return fc_layer_norm_apply(c, norm, h);
}

/* r + W x + b, with dropout of W x + b */
static fc_tensor *onto(fc_ctx *c, const fc_linear *l, fc_tensor *x, fc_tensor *r, double dropout) {
  if (!c->training || dropout == 0) return fc_linear_of(c, FC_ACT_NONE, x, l->weight, l->bias, r);
  return fc_add_in_place(c, fc_dropout(c, fc_linear_apply(c, l, x, FC_ACT_NONE), dropout), r);
}

/* Up to so many tokens a product of all rows, and heads out of rows, beat one product for each head and
 * sample. */
enum { SHORT = 128 };

/* x [B, N, D] or [B, H, N, E] without the tokens that do not go on */
static fc_tensor *going_on(fc_ctx *c, const fc_encoder_use *u, fc_tensor *x) {
  const int tokens = x->ndim - 2;

  return u->first && u->first < x->dim[tokens] ? fc_slice(c, x, tokens, 0, u->first) : x;
}

static fc_tensor *short_attention(fc_ctx *c, const fc_attention_maps *m, const fc_encoder_use *u,
                                  fc_tensor *x) {
  const double scale = 1 / sqrt((double)(fc_last(x) / u->heads));
  fc_tensor   *q     = fc_linear_apply(c, &m->query, x, FC_ACT_NONE);
  fc_tensor   *k     = fc_linear_apply(c, &m->key, x, FC_ACT_NONE);
  fc_tensor   *v     = fc_linear_apply(c, &m->value, x, FC_ACT_NONE);
  fc_tensor   *y     = fc_attention_rows(c, 1, &q, &k, v, u->heads, scale, u->dropout);

  return onto(c, &m->out, going_on(c, u, y), going_on(c, u, x), u->dropout);
}

/* x + attention */
static fc_tensor *attention_onto(fc_ctx *c, const fc_attention_maps *m, const fc_encoder_use *u, fc_tensor *x,
                                 fc_shown as) {
  if (x->dim[1] <= SHORT && !(as.what && c->observer)) return short_attention(c, m, u, x);
  fc_tensor *q = fc_linear_split(c, x, m->query.weight, m->query.bias, u->heads);
  fc_tensor *k = fc_linear_split(c, x, m->key.weight, m->key.bias, u->heads);
  fc_tensor *v = fc_linear_split(c, x, m->value.weight, m->value.bias, u->heads);
  fc_tensor *y = going_on(c, u, fc_attend(c, q, k, v, NULL, u->dropout, as));

  y = fc_dropout(c, fc_linear_merge(c, y, m->out.weight, m->out.bias, FC_ACT_NONE), u->dropout);
  return fc_add_in_place(c, y, going_on(c, u, x));
}

fc_tensor *fc_encoder_layer_apply(fc_ctx *c, const fc_encoder_layer *l, const fc_encoder_use *u, fc_tensor *x,
                                  fc_shown as) {
  fc_tensor *y = fc_layer_norm_apply(c, &l->norm1, attention_onto(c, &l->attention, u, x, as));

  return fc_feed_forward(c, &l->conv1, &l->conv2, &l->norm2, u, y);
}
