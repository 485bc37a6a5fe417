/* core/nn/modulated_block.c */
#include "core/nn/modulated_block.h"

#include "core/vmath.h"

#include <stdio.h>

enum { HIDDEN = 512 }; /* width of the position maps */

/* ---- position bias ---- */

/* r = 8 d / (size - 1) on a logarithmic scale: sign(r) log2(|r| + 1) / 3 */
static double log_offset(int64_t d, int64_t size) {
  const double r = 8.0 * (double)d / (double)(size - 1);

  return copysign(log2(fabs(r) + 1) / 3, r);
}

/* table [1, 2 size - 1, 2 size - 1, 2] */
static double table_at(const int64_t *dim, int64_t i) {
  const int64_t size = (dim[1] + 1) / 2, at = i % 2 ? i / 2 % dim[2] : i / 2 / dim[2];

  return log_offset(at - (size - 1), size);
}

/* index [size^2, size^2]: row of the table for query i and key j */
static double index_at(const int64_t *dim, int64_t n) {
  const int64_t i = n / dim[1], j = n % dim[1], size = (int64_t)(sqrt((double)dim[0]) + 0.5);

  return (double)((i / size - j / size + size - 1) * (2 * size - 1) + i % size - j % size + size - 1);
}

void fc_offset_bias_init(fc_offset_bias *l, fc_params *p, const char *name, int64_t size, int64_t heads,
                         bool tables) {
  const int64_t side = 2 * size - 1, n = size * size;

  fc_params_push(p, "%s", name);
  if (tables) {
    fc_param_of(p, FC_PARAM_FORMULA, "relative_coords_table", fc_init_formula(table_at),
                FC_DIMS(1, side, side, 2));
    fc_param_of(p, FC_PARAM_FORMULA, "relative_position_index", fc_init_formula(index_at), FC_DIMS(n, n));
  }
  fc_linear_init_xavier(&l->hidden, p, "cpb_mlp.0", 2, HIDDEN, true);
  fc_linear_init_xavier(&l->out, p, "cpb_mlp.2", HIDDEN, heads, false);
  l->size = size;
  fc_params_pop(p);
}

/* offsets [rows, 2] -> [rows, heads] */
static fc_tensor *bias_table(fc_ctx *c, const void *self, int n_in, fc_tensor *const *in) {
  const fc_offset_bias *l = self;
  fc_tensor            *h = fc_linear_apply(c, &l->hidden, in[n_in - 1], FC_ACT_NONE);

  h = fc_linear_of(c, FC_ACT_RELU, h, l->out.weight, NULL, NULL);
  return fc_affine(c, fc_activate(c, h, FC_ACT_SIGMOID), 16, 0);
}

/* The map's 512 numbers for each offset are cheaper to make again than to keep. */
fc_tensor *fc_offset_bias_apply(fc_ctx *c, const fc_offset_bias *l, int64_t lead) {
  const int64_t side = 2 * l->size - 1, dim[] = {1, side, side, 2};
  fc_tensor    *offsets = fc_tensor_new(c->arena, FC_DIMS(side * side, 2));

  for (int64_t i = 0; !c->dry && i < fc_len(offsets); i++) offsets->x[i] = (fc_real)table_at(dim, i);
  return fc_relative_bias(c, fc_checkpoint(c, bias_table, l, FC_IN(offsets)), l->size, lead);
}

/* ---- weights ---- */

/* cosine attention begins with the scale 10 */
static void init_attention(fc_modulated_branches *l, fc_params *p, int i, const char *name, const char *qkv,
                           const fc_block_spec *s) {
  fc_params_push(p, "%s", name);
  l->scale[i] = fc_param(p, "logit_scale", fc_init_constant(log(10)), FC_DIMS(s->heads, 1, 1));
  fc_params_push(p, "%s", qkv);
  l->qkv[i] = fc_param(p, "weight", fc_init_xavier(s->D, 3 * s->D, 1), FC_DIMS(3 * s->D, s->D));
  fc_params_pop(p);
  fc_params_pop(p);
}

/* names begin with `prefix`; the modulation starts at zero */
static void init_branches(fc_modulated_branches *l, fc_params *p, const char *prefix, const char *modulation,
                          const fc_block_spec *s) {
  const int n = s->fields ? 3 : 2;
  char      name[64];

  for (int i = 0; i < n; i++) {
    snprintf(name, sizeof name, "%snorm%d", prefix, i + 1);
    fc_norm_init(&l->norm[i], p, name, s->D, 1e-5);
  }
  snprintf(name, sizeof name, "%smlp.fc1", prefix);
  fc_linear_init_xavier(&l->in, p, name, s->D, s->hidden, true);
  snprintf(name, sizeof name, "%smlp.fc2", prefix);
  fc_linear_init_xavier(&l->out, p, name, s->hidden, s->D, true);
  fc_params_push(p, "%s.linear", modulation);
  l->modulation.weight = fc_param(p, "weight", fc_init_constant(0), FC_DIMS(3 * n * s->D, s->D));
  l->modulation.bias   = fc_param(p, "bias", fc_init_constant(0), FC_DIMS(3 * n * s->D));
  fc_params_pop(p);
}

void fc_modulated_block_init(fc_modulated_block *l, fc_params *p, const fc_block_spec *s) {
  const char *space = s->fields ? "attn_spatial" : "attn";

  l->spec = *s;
  init_branches(&l->own, p, "", "adain_2", s);
  init_attention(&l->own, p, 0, space, "qkv", s);
  fc_params_push(p, "%s", space);
  fc_offset_bias_init(&l->bias, p, "pos_emb_funct", s->window, s->heads, s->fields);
  fc_params_pop(p);
  if (s->fields) init_attention(&l->own, p, 1, "attn_channel", "to_qkv", s);
  if (!s->carriers) return;
  init_branches(&l->carriers, p, "hat_", "adain_1", s);
  init_attention(&l->carriers, p, 0, "hat_attn_spatial", "to_qkv", s);
  init_attention(&l->carriers, p, 1, "hat_attn_channel", "to_qkv", s);
  fc_linear_init_xavier(&l->position, p, "hat_pos_embed.cpb_mlp.0", 2, HIDDEN, true);
  fc_linear_init_xavier(&l->position_out, p, "hat_pos_embed.cpb_mlp.2", HIDDEN, s->D, false);
}

/* ---- branches ---- */

/* all shifts, scales and gates of the branches: W SiLU(condition) + b */
static fc_tensor *modulation_of(fc_ctx *c, const fc_modulated_branches *l, fc_tensor *condition) {
  return fc_linear_of(c, FC_ACT_SILU, condition, l->modulation.weight, l->modulation.bias, NULL);
}

/* queries, keys and values of branch i */
static fc_tensor *project(fc_ctx *c, const fc_modulated_branches *l, int i, fc_tensor *x, fc_tensor *rows) {
  const fc_norm *n = &l->norm[i];

  return fc_linear_modulated(c, x, n->weight, n->bias, n->eps, (fc_modulation){rows, 3 * i}, l->qkv[i], NULL);
}

static fc_tensor *across_fields(fc_ctx *c, const fc_modulated_branches *l, fc_tensor *x, fc_tensor *rows,
                                const fc_token_groups *g) {
  return fc_group_attention(c, x, project(c, l, 1, x, rows), l->scale[1], NULL, g, (fc_modulation){rows, 3});
}

/* x += (1 + gate) W2 GELU(W1 LN(x) (1 + scale) + shift), the last branch */
static fc_tensor *two_layers(fc_ctx *c, const fc_modulated_branches *l, int i, fc_tensor *x,
                             fc_tensor *rows) {
  const fc_norm      *n = &l->norm[i];
  const fc_modulation m = {rows, 3 * i};
  fc_tensor          *h = fc_linear_modulated(c, x, n->weight, n->bias, n->eps, m, l->in.weight, l->in.bias);

  return fc_linear_gated(c, FC_ACT_GELU, h, l->out.weight, l->out.bias, x, m);
}

/* ---- carriers ---- */

/* row and column of each carrier about the middle: (i - H / 2) / max(H / 2, 1), integer halves */
static fc_tensor *carrier_points(fc_ctx *c, int64_t H, int64_t W) {
  fc_tensor *p = fc_tensor_new(c->arena, FC_DIMS(H * W, 2));

  for (int64_t n = 0; !c->dry && n < H * W; n++) {
    p->x[2 * n]     = (fc_real)(n / W - H / 2) / (fc_real)fc_max64(H / 2, 1);
    p->x[2 * n + 1] = (fc_real)(n % W - W / 2) / (fc_real)fc_max64(W / 2, 1);
  }
  return p;
}

/* Cosines and sines [M, heads, d / 2, 1] of the 2-D rotary code: pair 2 k turns by x theta_k, pair 2 k + 1 by
   y theta_k, theta_k = 10000^(-4 k / d), x = n mod s, y = n div s for carrier n, s the root of M rounded
   down. */
static void rotary_tables(fc_ctx *c, int64_t M, const fc_block_spec *spec, fc_tensor *cosine,
                          fc_tensor *sine) {
  const int64_t d = spec->D / spec->heads, half = d / 2, s = (int64_t)sqrt((double)M);

  for (int64_t n = 0; !c->dry && n < fc_len(cosine); n++) {
    const int64_t pair = n % half, m = n / half / spec->heads, at = pair % 2 ? m / s : m % s;
    const double  angle = (double)at * pow(10000, -4.0 * (double)(pair / 2) / (double)d);
    cosine->x[n]        = (fc_real)cos(angle);
    sine->x[n]          = (fc_real)sin(angle);
  }
}

/* pairs of adjacent numbers of queries and keys turned: qkv [B, M, 3 D] */
static fc_tensor *rotate(fc_ctx *c, fc_tensor *qkv, const fc_block_spec *spec) {
  const int64_t B = qkv->dim[0], M = qkv->dim[1], H = spec->heads, half = spec->D / H / 2;
  fc_tensor    *cosine = fc_tensor_new(c->arena, FC_DIMS(M, H, half, 1)),
            *sine      = fc_tensor_new(c->arena, FC_DIMS(M, H, half, 1)), *part[3];

  rotary_tables(c, M, spec, cosine, sine);
  for (int i = 0; i < 3; i++) {
    part[i] = fc_slice(c, qkv, 2, i * spec->D, spec->D);
    if (i == 2) break;
    fc_tensor *x = fc_reshape(c, part[i], FC_DIMS(B, M, H, half, 2));
    fc_tensor *a = fc_slice(c, x, 4, 0, 1), *b = fc_slice(c, x, 4, 1, 1);
    fc_tensor *y0 = fc_sub(c, fc_mul(c, a, cosine), fc_mul(c, b, sine));
    fc_tensor *y1 = fc_add(c, fc_mul(c, b, cosine), fc_mul(c, a, sine));
    part[i]       = fc_reshape(c, fc_concat(c, 4, FC_IN(y0, y1)), FC_DIMS(B, M, spec->D));
  }
  return fc_concat(c, 2, 3, part);
}

/* the carriers attend to each other, across fields and through their own map: t [B, H, W, D] */
static fc_tensor *apply_carriers(fc_ctx *c, const fc_modulated_block *l, fc_tensor *t, fc_tensor *condition,
                                 const fc_block_groups *g) {
  const fc_modulated_branches *own  = &l->carriers;
  fc_tensor                   *rows = modulation_of(c, own, condition);
  fc_tensor *p = fc_linear_apply(c, &l->position, carrier_points(c, t->dim[1], t->dim[2]), FC_ACT_NONE);

  t              = fc_reshape(c, t, FC_DIMS(t->dim[0], t->dim[1] * t->dim[2], l->spec.D));
  t              = fc_add(c, t, fc_linear_of(c, FC_ACT_RELU, p, l->position_out.weight, NULL, NULL));
  fc_tensor *qkv = rotate(c, project(c, own, 0, t, rows), &l->spec);
  t              = fc_group_attention(c, t, qkv, own->scale[0], NULL, g->carriers, (fc_modulation){rows, 0});
  t              = across_fields(c, own, t, rows, g->carrier_fields);
  return two_layers(c, own, 2, t, rows);
}

/* ---- the block ---- */

static fc_tensor *as_rows(fc_ctx *c, fc_tensor *x) {
  return fc_reshape(c, x, FC_DIMS(fc_rows(x), fc_last(x)));
}

/* tokens of zeros [B, n, D]; the norm makes its bias of them, so others see them */
static fc_tensor *zeros(fc_ctx *c, int64_t B, int64_t n, int64_t D) {
  fc_tensor *x = fc_tensor_new(c->arena, FC_DIMS(B, n, D));

  for (int64_t i = 0; !c->dry && i < fc_len(x); i++) x->x[i] = 0;
  return x;
}

/* Queries, keys and values of window attention: those of x, with what windows reach of other ranks' lines,
   then those of carriers or padding. */
static fc_tensor *project_windows(fc_ctx *c, const fc_modulated_block *l, fc_tensor *x, fc_tensor *rows,
                                  fc_tensor *carriers, const fc_block_groups *g) {
  if (g->reach) x = fc_fetch_rows(c, x, 1, g->lines, g->reach, true);
  fc_tensor *qkv = project(c, &l->own, 0, x, rows);

  if (!carriers && !g->padding) return qkv;
  if (!carriers) carriers = zeros(c, x->dim[0], g->padding, l->spec.D);
  fc_tensor *more = project(c, &l->own, 0, carriers, rows);
  return fc_concat(c, 0, FC_IN(as_rows(c, qkv), as_rows(c, more)));
}

fc_tensor *fc_modulated_block_apply(fc_ctx *c, const fc_modulated_block *l, fc_tensor *x,
                                    fc_tensor *condition, fc_tensor *carriers, const fc_block_groups *g) {
  const fc_modulated_branches *own  = &l->own;
  fc_tensor                   *rows = modulation_of(c, own, condition);
  fc_tensor                   *bias = fc_offset_bias_apply(c, &l->bias, carriers ? 1 : 0);

  if (carriers) carriers = apply_carriers(c, l, carriers, condition, g);
  fc_tensor *qkv = project_windows(c, l, x, rows, carriers, g);
  x              = fc_group_attention(c, x, qkv, own->scale[0], bias, g->windows, (fc_modulation){rows, 0});
  if (l->spec.fields) x = across_fields(c, own, x, rows, g->fields);
  return two_layers(c, own, l->spec.fields ? 2 : 1, x, rows);
}
