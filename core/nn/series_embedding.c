/* core/nn/series_embedding.c */
#include "core/nn/series.h"
#include "core/vmath.h"

#include <stdio.h>
#include <string.h>

/* Angle of place p and channel pair i of D channels: p exp(-2i ln(10000) / D), rounded to float after each
   step, as the official tables were made. */
static float angle(int64_t p, int64_t pair, int64_t D) {
  const float step = (float)(-log(10000) / (double)D), w = (float)exp((double)((float)(2 * pair) * step));
  return (float)p * w;
}

static double place(const int64_t *dim, int64_t i) {
  const int64_t D = dim[2], p = i / D % dim[1], d = i % D;
  const double  a = (double)angle(p, d / 2, D);

  return d % 2 ? cos(a) : sin(a);
}

static double fixed_row(const int64_t *dim, int64_t i) { return place((int64_t[]){1, dim[0], dim[1]}, i); }

fc_tensor *fc_place_table(fc_params *p, const char *name, int64_t D) {
  return fc_param_of(p, FC_PARAM_FORMULA, name, fc_init_formula(place), FC_DIMS(1, FC_PLACES, D));
}

fc_tensor *fc_add_places(fc_ctx *c, fc_tensor *x, fc_tensor *table) {
  const int64_t T = x->dim[1], D = x->dim[2];

  return fc_add_in_place(c, x, fc_tensor_borrow(c->arena, table->x, FC_DIMS(T, D)));
}

/* weight Kaiming normal for leaky ReLU of slope 0.01, as the official codes start it */
void fc_token_conv_init(fc_linear *l, fc_params *p, const char *name, int64_t N, int64_t D, bool bias) {
  const double std = sqrt(2 / (1 + 1e-4) / (3 * (double)N));

  fc_params_push(p, "%s", name);
  l->weight = fc_param(p, "weight", fc_init_normal(std), FC_DIMS(D, N, 3));
  l->bias   = bias ? fc_param(p, "bias", fc_init_fan_in(3 * N), FC_DIMS(D)) : NULL;
  fc_params_pop(p);
}

fc_tensor *fc_token_conv_apply(fc_ctx *c, const fc_linear *l, fc_tensor *x) {
  return fc_conv(c, x, l->weight, l->bias,
                 (fc_conv_spec){.stride = 1, .pad = 1, .groups = 1, .periodic = true});
}

/* ---- calendar marks ---- */

static const struct {
  const char *freq;
  int         scaled;
} marks_of[] = {{"s", 6}, {"t", 5}, {"h", 4}, {"d", 3}, {"b", 3}, {"w", 2}, {"m", 1}, {"q", 1}};

/* The official codes have the quarter of an hour at frequency t alone, and the four others always. */
int64_t fc_marks_of(fc_embed_kind kind, const char *freq) {
  for (int i = 0; i < FC_COUNT(marks_of); i++)
    if (!strcmp(marks_of[i].freq, freq))
      return kind == FC_EMBED_TIMEF ? marks_of[i].scaled : *freq == 't' ? 5 : 4;
  return 0;
}

/* in the order of the marks; rows as in the official tables */
static const struct {
  const char *name;
  int64_t     rows;
} tables[FC_MARK_TABLES] = {{"month", 13}, {"day", 32}, {"weekday", 7}, {"hour", 24}, {"minute", 4}};

static fc_tensor *declare_table(fc_params *p, fc_embed_kind kind, int i, int64_t D) {
  char name[64];

  snprintf(name, sizeof name, "%s_embed.%sweight", tables[i].name, kind == FC_EMBED_FIXED ? "emb." : "");
  if (kind == FC_EMBED_FIXED)
    return fc_param_of(p, FC_PARAM_FORMULA, name, fc_init_formula(fixed_row), FC_DIMS(tables[i].rows, D));
  return fc_param(p, name, fc_init_normal(1), FC_DIMS(tables[i].rows, D));
}

fc_status fc_mark_embedding_init(fc_mark_embedding *l, fc_params *p, const char *name, fc_embed_kind kind,
                                 const char *freq, int64_t D, bool bias) {
  *l = (fc_mark_embedding){.marks = fc_marks_of(kind, freq)};
  FC_REQUIRE(l->marks, FC_E_USAGE, "freq: '%s' is none of s, t, h, d, b, w, m, q", freq);
  fc_params_push(p, "%s", name);
  if (kind == FC_EMBED_TIMEF) {
    fc_linear_init(&l->linear, p, "embed", l->marks, D, bias);
  } else {
    l->tables = (int)l->marks;
    for (int i = 0; i < l->tables; i++) l->table[i] = declare_table(p, kind, i, D);
  }
  fc_params_pop(p);
  return FC_OK;
}

/* column m of marks [B, T, M] as an index [B, T] */
static fc_tensor *column(fc_ctx *c, fc_tensor *marks, int64_t m) {
  const int64_t B = marks->dim[0], T = marks->dim[1], M = marks->dim[2];
  fc_tensor    *index = fc_tensor_new(c->arena, FC_DIMS(B, T));

  for (int64_t i = 0; !c->dry && i < B * T; i++) index->x[i] = marks->x[i * M + m];
  return index;
}

fc_tensor *fc_mark_embedding_apply(fc_ctx *c, const fc_mark_embedding *l, fc_tensor *marks) {
  if (!l->tables) return fc_linear_apply(c, &l->linear, marks, FC_ACT_NONE);
  fc_tensor *y = NULL;
  for (int i = 0; i < l->tables; i++) {
    fc_tensor *row = fc_embedding(c, l->table[i], column(c, marks, i));
    y              = y ? fc_add_in_place(c, y, row) : row;
  }
  return y;
}

fc_status fc_mark_embedding_check(const fc_mark_embedding *l, const fc_tensor *marks, const char *name) {
  FC_REQUIRE(fc_last(marks) == l->marks, FC_E_MISMATCH, "%s: %s, but %lld marks per step are wanted", name,
             fc_shape_text(marks), (long long)l->marks);
  for (int64_t i = 0; l->tables && i < fc_len(marks); i++) {
    const int64_t m = i % l->marks;
    const double  v = (double)marks->x[i];
    FC_REQUIRE(v >= 0 && v < (double)tables[m].rows && v == floor(v), FC_E_MISMATCH,
               "%s: %g is no number of a %s; it must be whole, 0 to %lld", name, v, tables[m].name,
               (long long)tables[m].rows - 1);
  }
  return FC_OK;
}

fc_status fc_data_embedding_init(fc_data_embedding *l, fc_params *p, const char *name, int64_t N,
                                 fc_embed_kind kind, const char *freq, int64_t D, bool bias) {
  fc_params_push(p, "%s", name);
  fc_token_conv_init(&l->value, p, "value_embedding.tokenConv", N, D, bias);
  l->places         = fc_place_table(p, "position_embedding.pe", D);
  const fc_status s = fc_mark_embedding_init(&l->marks, p, "temporal_embedding", kind, freq, D, bias);
  fc_params_pop(p);
  return s;
}

fc_tensor *fc_data_embedding_apply(fc_ctx *c, const fc_data_embedding *l, fc_tensor *x, fc_tensor *marks,
                                   double dropout) {
  fc_tensor *y = fc_token_conv_apply(c, &l->value, x);

  if (marks) y = fc_add_in_place(c, y, fc_mark_embedding_apply(c, &l->marks, marks));
  if (l->places) y = fc_add_places(c, y, l->places);
  return fc_dropout(c, y, dropout);
}
