/* operators/fno.c - Fourier neural operator: convolutions whose kernel is a complex matrix for each low mode.
   Li et al., ICLR 2021, arXiv 2010.08895. Weights carry the names of neuraloperator/neuraloperator (variant
   neuralop) and thuml/Neural-Solver-Library (variant nsl, the network of the first scripts).

   Letters: B batch, N points, X.. grid, C width, L layers. Fields are channels-last inside; neuralop takes
   and gives them channels-first. Networks run on other grids than the one they learned on. */
#include "core/domain.h"
#include "core/model.h"
#include "core/nn/nn.h"
#include "core/vmath.h"

#include <stdio.h>
#include <string.h>

enum { MAX_LAYERS = 32, MAX_SPACE = 3, NSL_LAYERS = 4, NSL_MULTIPLE = 16, MAX_CORNERS = 4 };

typedef enum { NEURALOP, NSL } variant_name;
typedef enum { NO_POSITION, GRID } position_name;
typedef enum { SYMMETRIC, ONE_SIDED } padding_name;
typedef enum { NO_NORM, GROUP_NORM, INSTANCE_NORM } norm_name;
typedef enum { NO_SKIP, LINEAR, IDENTITY, SOFT_GATING } skip_name;
enum { UNSTRUCTURED = 3 }; /* of geotype; the choices before it are the number of axes less one */

/* ---- options, under the names of the official configurations ---- */

typedef struct {
  int variant, positional_embedding, non_linearity, norm, channel_mlp_skip, fno_skip, domain_padding_mode,
      stabilizer, fft_norm, factorization, act, geotype;
  int64_t in_channels, out_channels, hidden_channels, n_layers, norm_groups, conv_bias_kernel;
  int64_t space_dim, fun_dim, out_dim, n_hidden, modes, ref, in_frames;
  double  lifting_channel_ratio, projection_channel_ratio, channel_mlp_expansion, channel_mlp_dropout,
      resolution_scaling_factor;
  fc_ints  n_modes, shapelist;
  fc_reals domain_padding;
  bool use_channel_mlp, preactivation, separable, complex_data, unified_pos, time_input, steady, recompute;
} config;

#define GEOTYPES "structured_1D|structured_2D|structured_3D|unstructured"
#define SKIPS    "none|linear|identity|soft-gating"
#define ACTS     "gelu|tanh|sigmoid|relu|silu|softplus|ELU"

static const fc_option options[] = {
    FC_OPT_CHOICE(config, variant, "neuralop|nsl", "neuralop", "nsl: that of Neural-Solver-Library"),
    FC_OPT_INTS(config, n_modes, "[16, 16]", 1, 1 << 16, "modes kept on each axis; on the last n/2 + 1"),
    FC_OPT_INT(config, in_channels, "1", 1, 4096, "input channels of all frames"),
    FC_OPT_ALIAS(config, in_channels, FC_T_INT, "data_channels"),
    FC_OPT_INT(config, out_channels, "1", 1, 4096, "output channels"),
    FC_OPT_INT(config, hidden_channels, "32", 1, 8192, "width C"),
    FC_OPT_INT(config, n_layers, "4", 1, MAX_LAYERS, "layers; nsl has always 4"),
    FC_OPT_REAL(config, lifting_channel_ratio, "2", 0, 64, "width of the map in front / C; 0: one layer"),
    FC_OPT_REAL(config, projection_channel_ratio, "2", 0.001, 64, "width of the map behind / C"),
    FC_OPT_CHOICE(config, positional_embedding, "none|grid", "grid", "coordinates as channels"),
    FC_OPT_CHOICE(config, non_linearity, ACTS, "gelu", "activation"),
    FC_OPT_CHOICE(config, norm, "none|group_norm|instance_norm", "none", "of both parts of a layer"),
    FC_OPT_INT(config, norm_groups, "1", 1, 8192, "groups of group_norm"),
    FC_OPT_BOOL(config, use_channel_mlp, "true", "map each point behind the convolution"),
    FC_OPT_REAL(config, channel_mlp_expansion, "0.5", 0.001, 64, "its width / C"),
    FC_OPT_REAL(config, channel_mlp_dropout, "0", 0, 1, "dropout in it"),
    FC_OPT_CHOICE(config, channel_mlp_skip, SKIPS, "soft-gating", "what is added to that map"),
    FC_OPT_CHOICE(config, fno_skip, SKIPS, "linear", "what is added to the convolution"),
    FC_OPT_INT(config, conv_bias_kernel, "1", 1, 31, "points per axis of a linear fno_skip, odd"),
    FC_OPT_REALS(config, domain_padding, "[]", 0, 8, "zeros around the domain / its length"),
    FC_OPT_CHOICE(config, domain_padding_mode, "symmetric|one-sided", "symmetric", "at both ends or one"),
    FC_OPT_CHOICE(config, stabilizer, "none|tanh", "none", "in front of the convolution"),
    FC_OPT_BOOL(config, preactivation, "false", "activation and norm stand in front"),
    FC_OPT_CHOICE(config, fft_norm, "backward|ortho|forward", "forward", "where the 1/N stands"),
    FC_OPT_CHOICE(config, factorization, "none|dense", "none", "not covered: dense weights only"),
    FC_OPT_BOOL(config, separable, "false", "not covered"),
    FC_OPT_BOOL(config, complex_data, "false", "not covered"),
    FC_OPT_REAL(config, resolution_scaling_factor, "1", 1, 1, "not covered"),
    FC_OPT_INT(config, space_dim, "2", 1, 64, "nsl: coordinates of a point"),
    FC_OPT_INT(config, fun_dim, "1", 0, 4096, "nsl: given values of a point, of all frames"),
    FC_OPT_INT(config, out_dim, "1", 1, 4096, "nsl: predicted values of a point"),
    FC_OPT_INT(config, n_hidden, "64", 1, 8192, "nsl: width C"),
    FC_OPT_INT(config, modes, "12", 1, 1 << 16, "nsl: modes kept on each axis"),
    FC_OPT_CHOICE(config, act, ACTS, "gelu", "nsl: activation of the map in front"),
    FC_OPT_BOOL(config, unified_pos, "false", "nsl: distances to a lattice instead of coordinates"),
    FC_OPT_INT(config, ref, "8", 1, 64, "nsl: points per axis of that lattice"),
    FC_OPT_BOOL(config, time_input, "false", "nsl: takes a time T for each sample"),
    FC_OPT_CHOICE(config, geotype, GEOTYPES, "structured_2D", "nsl: axes of the grid"),
    FC_OPT_INTS(config, shapelist, "[]", 1, 1 << 20, "nsl: points per axis of flattened grids"),
    FC_OPT_INT(config, in_frames, "1", 1, 256, "gridded data: frames of history among the channels"),
    FC_OPT_BOOL(config, steady, "false", "gridded data: one field to another, without time"),
    FC_OPT_BOOL(config, recompute, "false", "keep only the borders of layers and run them again in backward"),
    FC_OPT_IGNORED("enforce_hermitian_symmetry", "both settings are the same function"),
    FC_OPT_IGNORED("rank", "of factorised weights"),
    FC_OPT_IGNORED("fixed_rank_modes", "of factorised weights"),
    FC_OPT_IGNORED("implementation", "of factorised weights"),
    FC_OPT_IGNORED("decomposition_kwargs", "of factorised weights"),
    FC_OPT_IGNORED("fno_block_precision", "always full"),
    FC_OPT_IGNORED("n_heads", "of other models in the library"),
    FC_OPT_IGNORED("mlp_ratio", "of other models in the library"),
    FC_OPT_IGNORED("slice_num", "of other models in the library"),
    FC_OPT_IGNORED("dropout", "of other models in the library"),
    FC_OPT_END,
};

static const fc_act activations[] = {FC_ACT_GELU, FC_ACT_TANH,     FC_ACT_SIGMOID, FC_ACT_RELU,
                                     FC_ACT_SILU, FC_ACT_SOFTPLUS, FC_ACT_ELU};

/* ---- weights ---- */

typedef struct { /* two maps of each point; the second may be absent */
  fc_linear fcs[2];
} channel_mlp;

typedef struct {
  int           kind;
  fc_linear     linear;
  fc_conv_layer conv; /* instead, if it has weights */
  fc_tensor    *gate; /* [1, C, 1..] */
} skip;

typedef struct {
  fc_tensor  *W[MAX_CORNERS]; /* neuralop: one, nsl: one per corner of the spectrum */
  fc_tensor  *bias;           /* [C, 1..] */
  skip        skip, mlp_skip;
  channel_mlp mlp;
  fc_norm     norm[2];
  fc_linear   w; /* nsl: 1x1 convolution beside the spectral one */
} layer;

typedef struct {
  config        cfg;
  int           n_space, n_layers, n_w;
  int64_t       C;
  layer         layers[MAX_LAYERS];
  channel_mlp   lifting, projection;
  fc_mlp        preprocess; /* nsl, and all below */
  fc_time_layer time;
  fc_linear     fc1, fc2;
} model;

/* hidden 0: one map */
static channel_mlp init_mlp(fc_params *p, int64_t in, int64_t hidden, int64_t out) {
  channel_mlp m = {0};

  fc_linear_init_shaped(&m.fcs[0], p, "fcs.0", true, FC_DIMS(hidden ? hidden : out, in, 1));
  if (hidden) fc_linear_init_shaped(&m.fcs[1], p, "fcs.1", true, FC_DIMS(out, hidden, 1));
  return m;
}

static skip init_skip(fc_params *p, const model *m, int kind, int64_t kernel) {
  const fc_conv_spec same = {1, kernel / 2, 1, false};
  skip               s    = {.kind = kind};

  if (kind == LINEAR && kernel > 1)
    fc_conv_init(&s.conv, p, "conv", m->n_space, m->C, m->C, kernel, false, same);
  else if (kind == LINEAR)
    fc_linear_init_shaped(&s.linear, p, "conv", false, FC_DIMS(m->C, m->C, 1));
  else if (kind == SOFT_GATING)
    s.gate = fc_param(p, "weight", fc_init_constant(1), 2 + m->n_space, (int64_t[]){1, m->C, 1, 1, 1});
  return s;
}

/* complex normal weights of variance 2 / (in + out), a bias of the same */
static void init_convolution(layer *l, fc_params *p, const model *m, int number) {
  const double sigma            = sqrt(1 / (double)m->C);
  int64_t      dim[FC_MAX_DIMS] = {m->C, m->C};
  char         name[64];

  for (int a = 0; a < m->n_space; a++) dim[2 + a] = m->cfg.n_modes.v[a];
  dim[1 + m->n_space] = dim[1 + m->n_space] / 2 + 1;
  snprintf(name, sizeof name, "convs.%d.weight.tensor", number);
  l->W[0] = fc_param_complex(p, name, fc_init_normal(sigma / sqrt(2)), 2 + m->n_space, dim);
  snprintf(name, sizeof name, "convs.weight.%d.tensor", number); /* before 1.0 */
  fc_param_alias(p, name);
  snprintf(name, sizeof name, "convs.%d.bias", number);
  l->bias = fc_param(p, name, fc_init_normal(sigma), 1 + m->n_space, (int64_t[]){m->C, 1, 1, 1});
}

static void init_layer(layer *l, fc_params *p, const model *m, int number) {
  const config *g      = &m->cfg;
  const int64_t hidden = llrint((double)m->C * g->channel_mlp_expansion);

  fc_params_push(p, "fno_blocks");
  init_convolution(l, p, m, number);
  fc_params_push(p, "fno_skips.%d", number);
  l->skip = init_skip(p, m, g->fno_skip, g->conv_bias_kernel);
  fc_params_pop(p);
  if (g->use_channel_mlp) {
    fc_params_push(p, "channel_mlp.%d", number);
    l->mlp = init_mlp(p, m->C, hidden, m->C);
    fc_params_pop(p);
    fc_params_push(p, "channel_mlp_skips.%d", number);
    l->mlp_skip = init_skip(p, m, g->channel_mlp_skip, 1);
    fc_params_pop(p);
  }
  for (int i = 0; g->norm == GROUP_NORM && i < 2; i++) {
    char name[48];
    snprintf(name, sizeof name, "norm.%d", 2 * number + i);
    fc_norm_init(&l->norm[i], p, name, m->C, 1e-5);
  }
  fc_params_pop(p);
}

static int64_t width(const model *m, double ratio) { return (int64_t)((double)m->C * ratio); }

static void init_neuralop(model *m, fc_params *p) {
  const config *g  = &m->cfg;
  const int64_t in = g->in_channels + (g->positional_embedding == GRID ? m->n_space : 0);

  fc_params_push(p, "lifting");
  m->lifting = init_mlp(p, in, width(m, g->lifting_channel_ratio), m->C);
  fc_params_pop(p);
  for (int i = 0; i < m->n_layers; i++) init_layer(&m->layers[i], p, m, i);
  fc_params_push(p, "projection");
  m->projection = init_mlp(p, m->C, width(m, g->projection_channel_ratio), g->out_channels);
  fc_params_pop(p);
}

static void init_nsl_layer(layer *l, fc_params *p, const model *m, int number) {
  int64_t dim[FC_MAX_DIMS] = {m->C, m->C, 1, 1, 1};
  char    name[48];

  snprintf(name, sizeof name, "w%d", number);
  fc_linear_init_shaped(&l->w, p, name, true, 2 + m->n_space, dim);
  for (int a = 0; a < m->n_space; a++) dim[2 + a] = m->cfg.modes;
  for (int w = 0; w < m->n_w; w++) {
    snprintf(name, sizeof name, "conv%d.weights%d", number, 1 + w);
    l->W[w] = fc_param_complex(p, name, fc_init_positive(1 / (double)(m->C * m->C)), 2 + m->n_space, dim);
  }
}

static int64_t code_width(const model *m) {
  int64_t n = 1;

  for (int a = 0; a < m->n_space; a++) n *= m->cfg.ref;
  return m->cfg.unified_pos ? n : m->cfg.space_dim;
}

static void init_nsl(model *m, fc_params *p) {
  const config *g = &m->cfg;

  fc_mlp_init(&m->preprocess, p, "preprocess", g->fun_dim + code_width(m), 2 * m->C, m->C);
  if (g->time_input) fc_time_init(&m->time, p, "time_fc", m->C);
  for (int i = 0; i < m->n_layers; i++) init_nsl_layer(&m->layers[i], p, m, i);
  fc_linear_init(&m->fc1, p, "fc1", m->C, m->C, true);
  fc_linear_init(&m->fc2, p, "fc2", m->C, g->out_dim, true);
}

/* ---- what fits together ---- */

static fc_status check_neuralop(const model *m) {
  const config *g = &m->cfg;

  FC_REQUIRE(g->n_modes.n >= 1 && g->n_modes.n <= MAX_SPACE, FC_E_USAGE,
             "fno: n_modes has %d numbers; one per axis is wanted, for 1, 2 or 3 axes", g->n_modes.n);
  FC_REQUIRE(!g->separable && !g->complex_data, FC_E_USAGE,
             "fno: separable and complex_data are not covered");
  FC_REQUIRE(g->norm != GROUP_NORM || g->hidden_channels % g->norm_groups == 0, FC_E_USAGE,
             "fno: hidden_channels %lld does not divide into %lld groups; change norm_groups",
             (long long)g->hidden_channels, (long long)g->norm_groups);
  FC_REQUIRE(g->conv_bias_kernel % 2 == 1, FC_E_USAGE, "fno: conv_bias_kernel %lld must be odd",
             (long long)g->conv_bias_kernel);
  FC_REQUIRE(g->domain_padding.n <= 1 || g->domain_padding.n == g->n_modes.n, FC_E_USAGE,
             "fno: domain_padding has %d numbers; one, or one per axis", g->domain_padding.n);
  FC_REQUIRE(llrint((double)m->C * g->channel_mlp_expansion) > 0 && width(m, g->projection_channel_ratio) > 0,
             FC_E_USAGE,
             "fno: channel_mlp_expansion or projection_channel_ratio leaves nothing of %lld channels",
             (long long)m->C);
  return FC_OK;
}

static fc_status check_nsl(const model *m) {
  const config *g = &m->cfg;

  FC_REQUIRE(g->geotype != UNSTRUCTURED, FC_E_USAGE, "fno: unstructured points are not covered, only grids");
  FC_REQUIRE(!g->shapelist.n || g->shapelist.n == m->n_space, FC_E_USAGE,
             "fno: shapelist has %d lengths, geotype says %d", g->shapelist.n, m->n_space);
  return FC_OK;
}

static fc_status check_size(const model *m) {
  double n = (double)(m->C * m->C * m->n_layers * m->n_w);

  for (int a = 0; a < m->n_space; a++)
    n *= (double)(m->cfg.variant == NSL ? m->cfg.modes : m->cfg.n_modes.v[a]);
  FC_REQUIRE(n < 1e11, FC_E_USAGE, "fno: %.2g complex weights; take fewer modes or channels", n);
  return FC_OK;
}

static fc_status init(void *self, fc_params *p, const void *cfg) {
  model *m = self;

  memset(m, 0, sizeof *m);
  m->cfg            = *(const config *)cfg;
  const config *g   = &m->cfg;
  const bool    nsl = g->variant == NSL;
  m->n_space        = nsl ? g->geotype + 1 : g->n_modes.n;
  m->n_layers       = nsl ? NSL_LAYERS : (int)g->n_layers;
  m->n_w            = nsl ? 1 << (m->n_space - 1) : 1;
  m->C              = nsl ? g->n_hidden : g->hidden_channels;
  FC_TRY(nsl ? check_nsl(m) : check_neuralop(m));
  FC_TRY(check_size(m));
  if (nsl)
    init_nsl(m, p);
  else
    init_neuralop(m, p);
  return FC_OK;
}

/* ---- layers of neuralop ---- */

typedef struct {
  const model *m;
  int          number;
  fc_cut       lines; /* of the first axis with its padding, which ranks may share */
} layer_call;

static fc_tensor *vector(fc_ctx *c, fc_tensor *w) { return fc_reshape(c, w, FC_DIMS(fc_len(w))); }

/* what a linear skip adds; NULL for the others, which change y in place (add_skip) */
static fc_tensor *linear_skip(fc_ctx *c, const skip *s, fc_tensor *x, fc_cut lines) {
  if (s->kind != LINEAR) return NULL;
  return s->conv.weight ? fc_conv_apply_shared(c, &s->conv, x, lines)
                        : fc_linear_apply(c, &s->linear, x, FC_ACT_NONE);
}

static fc_tensor *add_skip(fc_ctx *c, const skip *s, fc_tensor *y, fc_tensor *x) {
  if (s->kind == SOFT_GATING) return fc_add_gated(c, y, x, s->gate);
  return s->kind == IDENTITY ? fc_add_in_place(c, y, x) : y;
}

static fc_tensor *apply_norm(fc_ctx *c, const model *m, const fc_norm *n, fc_tensor *x) {
  if (m->cfg.norm == GROUP_NORM) return fc_group_norm_apply(c, n, x, m->cfg.norm_groups);
  return m->cfg.norm == INSTANCE_NORM ? fc_group_norm(c, x, m->C, NULL, NULL, 1e-5) : x;
}

/* r + W1 f(W0 act(x) + b0) + b1 with one activation in front and f between; r may be NULL */
static fc_tensor *apply_mlp(fc_ctx *c, const channel_mlp *m, fc_act act, fc_act f, double dropout,
                            fc_cut lines, fc_tensor *x, fc_tensor *r) {
  const fc_linear *a = &m->fcs[0], *b = &m->fcs[1];

  if (!b->weight) return fc_linear_of(c, act, x, a->weight, a->bias, r);
  fc_tensor *z = fc_linear_of(c, act, x, a->weight, a->bias, NULL);
  if (!c->training || dropout == 0) return fc_linear_of(c, f, z, b->weight, b->bias, r);
  z = fc_dropout_shared(c, fc_activate(c, z, f), dropout, NULL, lines);
  z = fc_dropout_shared(c, fc_linear_apply(c, b, z, FC_ACT_NONE), dropout, NULL, lines);
  return r ? fc_add(c, z, r) : z;
}

/* mlp(act(y)) + skip(x) of a layer */
static fc_tensor *map_points(fc_ctx *c, const layer_call *call, const layer *l, fc_act act, fc_tensor *y,
                             fc_tensor *x) {
  y = apply_mlp(c, &l->mlp, act, FC_ACT_GELU, call->m->cfg.channel_mlp_dropout, call->lines, y,
                linear_skip(c, &l->mlp_skip, x, call->lines));
  return add_skip(c, &l->mlp_skip, y, x);
}

/* skip(x) + norm(K tanh(x)); a linear skip is added in the convolution where no norm stands in between */
static fc_tensor *convolve(fc_ctx *c, const layer_call *call, const layer *l, fc_tensor *x, bool normed) {
  const model      *m    = call->m;
  const fc_fft_norm norm = (fc_fft_norm)m->cfg.fft_norm;
  fc_tensor        *s    = linear_skip(c, &l->skip, x, call->lines),
            *t           = m->cfg.stabilizer ? fc_activate(c, x, FC_ACT_TANH) : x;

  fc_tensor *y =
      fc_spectral_conv_shared(c, t, call->lines, 1, l->W, vector(c, l->bias), normed ? NULL : s, norm);
  if (normed) y = apply_norm(c, m, &l->norm[0], y);
  if (normed && s) y = fc_add(c, y, s);
  return add_skip(c, &l->skip, y, x);
}

static fc_tensor *activate_if(fc_ctx *c, bool wanted, fc_tensor *x, fc_act act) {
  return wanted ? fc_activate(c, x, act) : x;
}

/* y = act(skip(x) + norm(K x));  y = act(norm(mlp(y) + mlp_skip(x))), the last layer without activations */
static fc_tensor *post_activation(fc_ctx *c, const layer_call *call, fc_tensor *x) {
  const model  *m     = call->m;
  const config *g     = &m->cfg;
  const layer  *l     = &m->layers[call->number];
  const fc_act  act   = activations[g->non_linearity];
  const bool    inner = call->number < m->n_layers - 1;

  fc_tensor *y = convolve(c, call, l, x, g->norm != NO_NORM);
  if (g->use_channel_mlp)
    y = map_points(c, call, l, inner ? act : FC_ACT_NONE, y, x);
  else
    y = activate_if(c, inner, y, act);
  return activate_if(c, inner, apply_norm(c, m, &l->norm[1], y), act);
}

/* x = norm(act(x));  y = skip(x) + K x;  y = mlp(norm(act(y))) + mlp_skip(x), the last without this act */
static fc_tensor *pre_activation(fc_ctx *c, const layer_call *call, fc_tensor *x) {
  const model  *m     = call->m;
  const config *g     = &m->cfg;
  const layer  *l     = &m->layers[call->number];
  const fc_act  act   = activations[g->non_linearity];
  const bool    inner = call->number < m->n_layers - 1;

  x            = apply_norm(c, m, &l->norm[0], fc_activate(c, x, act));
  fc_tensor *y = convolve(c, call, l, x, false);
  if (!g->use_channel_mlp) return y;
  if (g->norm != NO_NORM) y = apply_norm(c, m, &l->norm[1], activate_if(c, inner, y, act));
  return map_points(c, call, l, inner && g->norm == NO_NORM ? act : FC_ACT_NONE, y, x);
}

static fc_tensor *apply_layer(fc_ctx *c, const void *self, int n_in, fc_tensor *const *in) {
  const layer_call *call = self;

  return (call->m->cfg.preactivation ? pre_activation : post_activation)(c, call, in[n_in - 1]);
}

/* h <- act(K h + w h + b), the last layer without activation */
static fc_tensor *apply_nsl_layer(fc_ctx *c, const void *self, int n_in, fc_tensor *const *in) {
  const layer_call *call = self;
  const model      *m    = call->m;
  const layer      *l    = &m->layers[call->number];
  fc_tensor        *h = in[n_in - 1], *s = fc_linear_apply(c, &l->w, h, FC_ACT_NONE);

  h = fc_spectral_conv_shared(c, h, call->lines, m->n_w, l->W, NULL, s, FC_FFT_BACKWARD);
  return activate_if(c, call->number < m->n_layers - 1, h, FC_ACT_GELU);
}

static fc_tensor *run_layers(fc_ctx *c, const model *m, fc_tensor *h, fc_cut lines) {
  const fc_block_run run  = m->cfg.recompute ? fc_checkpoint : fc_block_plain;
  const fc_block_fn  fn   = m->cfg.variant == NSL ? apply_nsl_layer : apply_layer;
  layer_call        *call = fc_arena_push(c->arena, sizeof *call * MAX_LAYERS);
  const size_t       mark = fc_arena_mark(c->arena);

  for (int i = 0; i < m->n_layers; i++) {
    call[i] = (layer_call){m, i, lines};
    h       = fc_compact(c, mark, run(c, fn, &call[i], FC_IN(h)));
  }
  return h;
}

/* ---- around the layers: neuralop ---- */

/* zeros in front of and behind each axis of x [B, X.., C]; the official code rounds halves to even */
static fc_grid_padding padding(fc_ctx *c, const model *m, const fc_tensor *x) {
  const fc_reals *p     = &m->cfg.domain_padding;
  const fc_cut    lines = fc_cut_batch(c, x->dim[1]);
  fc_grid_padding z     = {0};

  for (int a = 0; a < m->n_space; a++) {
    const int64_t n = a ? x->dim[1 + a] : lines.n;
    z.far[a]        = p->n ? llrint(p->v[p->n > 1 ? a : 0] * (double)n) : 0;
    z.near[a]       = m->cfg.domain_padding_mode == SYMMETRIC ? z.far[a] : 0;
  }
  fc_grid_padding_set(&z, m->n_space, x->dim + 1, lines);
  return z;
}

static fc_tensor *apply_neuralop(fc_ctx *c, const model *m, const fc_batch *b) {
  const fc_act          act   = activations[m->cfg.non_linearity];
  fc_tensor            *x     = fc_channels_last(c, fc_batch_get(b, "x"));
  const fc_grid_padding zeros = padding(c, m, x);

  fc_tensor *h = m->cfg.positional_embedding == GRID ? fc_with_cells(c, x) : x;
  h            = fc_pad_grid(c, apply_mlp(c, &m->lifting, FC_ACT_NONE, act, 0, (fc_cut){0}, h, NULL), &zeros);
  h            = fc_crop_grid(c, run_layers(c, m, h, zeros.padded), &zeros);
  return fc_channels_first(c, apply_mlp(c, &m->projection, FC_ACT_NONE, act, 0, (fc_cut){0}, h, NULL));
}

/* ---- around the layers: nsl ---- */

static bool on_grid(const fc_tensor *x) { return x->ndim > 3; }

/* points along axis a of the whole batch; flattened grids of one axis need no option */
static int64_t points(const model *m, const fc_tensor *x, int axis) {
  return on_grid(x) || m->n_space == 1 ? x->dim[1 + axis] : m->cfg.shapelist.v[axis];
}

/* of a line of the first axis */
static int64_t points_of_line(const model *m, const fc_tensor *x) {
  int64_t n = 1;

  for (int a = 1; a < m->n_space; a++) n *= points(m, x, a);
  return n;
}

/* the first axis, of which ranks may have a block */
static fc_cut lines_of(fc_ctx *c, const model *m, const fc_tensor *x) {
  const int64_t line  = on_grid(x) ? 1 : points_of_line(m, x);
  const fc_cut  lines = fc_cut_batch(c, x->dim[1]);

  return fc_domain_shared(c) ? fc_cut_coarser(lines, line) : (fc_cut){lines.n / line, 1};
}

/* zeros behind each axis, to the next multiple of 16; one axis alone stays as it is */
static int64_t padded(const model *m, int64_t n) {
  return m->n_space == 1 ? n : fc_ceil_div(n, NSL_MULTIPLE) * NSL_MULTIPLE;
}

/* numbers of a point, [B, X.., code + fun_dim]; grid: B, points per axis */
static fc_tensor *embed_input(fc_ctx *c, const model *m, const int64_t *grid, fc_cut lines, fc_tensor *x,
                              fc_tensor *fx) {
  const int d = m->n_space;
  int64_t   dim[FC_MAX_DIMS];

  memcpy(dim, grid, (size_t)(1 + d) * sizeof *dim);
  dim[1 + d] = m->cfg.space_dim;
  x          = m->cfg.unified_pos ? fc_lattice_points(c, grid[0], d, grid + 1, lines, m->cfg.ref)
                                  : fc_reshape(c, x, 2 + d, dim);
  dim[1 + d] = m->cfg.fun_dim;
  return fx ? fc_concat(c, 1 + d, FC_IN(x, fc_reshape(c, fx, 2 + d, dim))) : x;
}

static fc_tensor *apply_nsl(fc_ctx *c, const model *m, const fc_batch *b) {
  fc_tensor      *x = fc_batch_get(b, "x"), *fx = m->cfg.fun_dim ? fc_batch_get(b, "fx") : NULL;
  const fc_cut    lines               = lines_of(c, m, x);
  int64_t         grid[1 + MAX_SPACE] = {x->dim[0], fc_cut_len(c, lines)}, dim[FC_MAX_DIMS];
  fc_grid_padding zeros               = {.far = {padded(m, lines.n) - lines.n}};

  for (int a = 1; a < m->n_space; a++) {
    grid[1 + a]  = points(m, x, a);
    zeros.far[a] = padded(m, grid[1 + a]) - grid[1 + a];
  }
  fc_grid_padding_set(&zeros, m->n_space, grid + 1, lines);
  fc_tensor *h =
      fc_mlp_apply(c, &m->preprocess, embed_input(c, m, grid, lines, x, fx), activations[m->cfg.act]);
  if (m->cfg.time_input) h = fc_time_add(c, &m->time, h, fc_batch_get(b, "T"));
  h = fc_crop_grid(c, run_layers(c, m, fc_pad_grid(c, h, &zeros), zeros.padded), &zeros);
  h = fc_linear_apply(c, &m->fc1, h, FC_ACT_NONE);
  h = fc_linear_of(c, FC_ACT_GELU, h, m->fc2.weight, m->fc2.bias, NULL);
  for (int a = 0; a < x->ndim; a++) dim[a] = a < x->ndim - 1 ? x->dim[a] : m->cfg.out_dim;
  return fc_reshape(c, h, x->ndim, dim);
}

static fc_tensor *apply(fc_ctx *c, const void *self, const fc_batch *b) {
  const model *m = self;
  return m->cfg.variant == NSL ? apply_nsl(c, m, b) : apply_neuralop(c, m, b);
}

/* ---- boundary: what the inputs must look like ---- */

static fc_status check_field(const model *m, const fc_batch *b) {
  fc_tensor *x;

  return fc_batch_need(b, "x", 2 + m->n_space, (int64_t[]){-1, m->cfg.in_channels, -1, -1, -1}, &x);
}

/* flattened grids need the option that says how they were before; all corners must be on the padded grid */
static fc_status check_grid(const model *m, const fc_tensor *x) {
  int64_t N = 1;

  for (int a = 0; a < m->n_space; a++) N *= points(m, x, a);
  FC_REQUIRE(on_grid(x) || N == x->dim[1], FC_E_MISMATCH,
             "fno: samples have %lld points, the grid of option shapelist has %lld", (long long)x->dim[1],
             (long long)N);
  for (int a = 0; a < m->n_space; a++) {
    const int64_t n = padded(m, points(m, x, a)), most = a < m->n_space - 1 ? n : n / 2 + 1;
    FC_REQUIRE(m->cfg.modes <= most, FC_E_MISMATCH,
               "fno: axis %d of %lld points has %lld modes, option modes asks for %lld", a, (long long)n,
               (long long)most, (long long)m->cfg.modes);
  }
  return FC_OK;
}

/* x, fx as [B, N, .] or [B, X.., .] */
static fc_status check_points(const model *m, const fc_batch *b) {
  const fc_tensor *given = fc_batch_get(b, "x");
  const int        ndim  = given && on_grid(given) ? 2 + m->n_space : 3;
  int64_t          dim[FC_MAX_DIMS];
  fc_tensor       *x, *fx, *T;

  for (int a = 0; a < ndim; a++) dim[a] = a < ndim - 1 ? -1 : m->cfg.space_dim;
  FC_TRY(fc_batch_need(b, "x", ndim, dim, &x));
  FC_TRY(check_grid(m, x));
  for (int a = 0; a < ndim; a++) dim[a] = a < ndim - 1 ? x->dim[a] : m->cfg.fun_dim;
  if (m->cfg.fun_dim) FC_TRY(fc_batch_need(b, "fx", ndim, dim, &fx));
  return m->cfg.time_input ? fc_batch_need(b, "T", FC_DIMS(x->dim[0], 1), &T) : FC_OK;
}

static fc_status check(const void *self, const fc_batch *b) {
  const model *m = self;
  return m->cfg.variant == NSL ? check_points(m, b) : check_field(m, b);
}

/* ---- gridded data: frames of history are channels; nsl's coordinates run from 0 to 1 ---- */

static fc_status frames(const void *self, fc_frames *out) {
  const model  *m   = self;
  const config *g   = &m->cfg;
  const bool    nsl = g->variant == NSL;
  const int64_t in  = nsl ? g->fun_dim : g->in_channels;

  FC_REQUIRE(!nsl || !g->time_input, FC_E_MISMATCH,
             "fno: windows of gridded data carry no time; set time_input = false");
  FC_REQUIRE(!nsl || g->space_dim == m->n_space, FC_E_MISMATCH,
             "fno: space_dim is %lld; on gridded data it is the number of axes, %d", (long long)g->space_dim,
             m->n_space);
  FC_REQUIRE(in > 0 && in % g->in_frames == 0 && (!g->steady || g->in_frames == 1), FC_E_MISMATCH,
             "fno: %s = %lld must be in_frames = %lld times a number of channels, in_frames 1 if steady",
             nsl ? "fun_dim" : "in_channels", (long long)in, (long long)g->in_frames);
  *out = (fc_frames){.n_in         = (int)g->in_frames,
                     .max_out      = 1,
                     .ndim         = m->n_space,
                     .channels_in  = in / g->in_frames,
                     .channels_out = nsl ? g->out_dim : g->out_channels,
                     .multiple     = 1,
                     .steady       = g->steady};
  return FC_OK;
}

static void pack(fc_ctx *c, const void *self, fc_tensor *window, int n_out, fc_batch *out) {
  const model *m = self;
  fc_tensor   *u = fc_window_channels(c, window);

  (void)n_out;
  if (m->cfg.variant == NEURALOP) {
    fc_batch_put(out, "x", fc_channels_first(c, u));
  } else {
    fc_batch_put(out, "x", fc_unit_points(c, u->dim[0], m->n_space, u->dim + 1));
    fc_batch_put(out, "fx", u);
  }
}

static fc_tensor *unpack(fc_ctx *c, const void *self, fc_tensor *y) {
  const model *m = self;
  return fc_single_frame(c, m->cfg.variant == NSL ? y : fc_channels_last(c, y));
}

/* ---- ranks that share the grid ---- */

/* lines of the first axis; of flattened grids, whole lines of points */
static fc_status shared_lines(const void *self, const fc_batch *whole, fc_cut *out) {
  const model     *m = self;
  const fc_tensor *x = fc_batch_get(whole, "x");

  *out = m->cfg.variant == NEURALOP ? (fc_cut){x->dim[2], 1}
         : on_grid(x)               ? (fc_cut){x->dim[1], 1}
                                    : (fc_cut){x->dim[1], points_of_line(m, x)};
  return FC_OK;
}

static fc_part shared_part(const void *self, const fc_batch *whole, const char *name) {
  (void)whole;
  if (name && !strcmp(name, "T")) return fc_part_axis(-1);
  return fc_part_axis(((const model *)self)->cfg.variant == NEURALOP ? 2 : 1);
}

static const fc_sharing sharing = {.cut = shared_lines, .part = shared_part};

const fc_model_def fc_model_fno = {
    .name        = "fno",
    .task        = "operator",
    .summary     = "Fourier neural operator on 1-D to 3-D grids: a complex matrix for each low mode",
    .paper       = "Li et al., ICLR 2021, arXiv 2010.08895",
    .options     = options,
    .config_size = sizeof(config),
    .self_size   = sizeof(model),
    .init        = init,
    .check       = check,
    .apply       = apply,
    .frames      = frames,
    .pack        = pack,
    .unpack      = unpack,
    .sharing     = &sharing,
};
