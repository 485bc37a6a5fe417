/* forecast/pathformer.c - Pathformer: a router sends each window to a few of many experts, who cut it into
   patches of different lengths. Chen, Zhang, Cheng, Shu, Wang, Wen, Yang, Guo, ICLR 2024, arXiv 2402.05956;
   weights of the official code (decisionintelligence/pathformer).

     h = x w + b for each number, x normalised by itself;   then for each layer
       s = z + season(z) + trend(z), z the first channel of h;   logits = W_g (w_N . s) + b_g
       gates = softmax over the k largest logits, in training with noise;   h <- log sum_i gate_i exp(E_i(h))
       (+ h);   penalty += 0.01 (imbalance of the gates' sums + imbalance of the load)
     y = the map of each variate's h to the horizon, denormalised
   Expert E of patches of p steps, n = L / p:
       y = h + intra(h) + inter(h);   y <- y + W2 GELU(W1 y);   batch norm behind both if wanted
       intra: a query of its own for each patch attends to the patch; keys and values by maps of each variate;
              two shared maps, then one from the n patches to the L steps
       inter: patches as tokens of width p D attend to each other. Their result [N, n, p D] is read as [L, N,
   D] as it lies, without a transposition, as the official code does

   Letters: B windows, L lookback, P horizon, N variates, D width, E experts. */
#include "core/model.h"
#include "core/nn/series.h"
#include "core/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
  HEADS       = 2,  /* of the attention within patches */
  CODE        = 16, /* numbers that describe a patch, and a variate */
  HIDDEN      = 64,
  CORE        = 10, /* maps of a variate are P M Q, M of CORE x CORE numbers */
  SEASON      = 3,  /* frequencies of the router's season */
  LEAST       = 7,  /* steps of the shortest lookback that has so many */
  TRENDS      = 3,
  MAX_EXPERTS = FC_LIST,
  MAX_MAPS    = 4096,
  MAX_WEIGHTS = 2 * MAX_MAPS + 40 * MAX_EXPERTS
};

static const int64_t trend_steps[TRENDS] = {4, 8, 12};
static const double  DROPOUT = 0.1, HIDDEN_DROPOUT = 0.2, LEAST_NOISE = 0.01, BALANCE = 0.01;

typedef struct {
  int64_t seq_len, pred_len, num_nodes, layer_nums, k, d_model, d_ff;
  fc_ints num_experts_list, patch_size_list;
  bool    residual_connection, revin, batch_norm;
} config;

static const fc_option options[] = {
    FC_OPT_INT(config, seq_len, "96", LEAST, 1 << 20, "lookback L, steps"),
    FC_OPT_INT(config, pred_len, "96", 1, 1 << 20, "horizon P, steps"),
    FC_OPT_INT(config, num_nodes, "7", 1, 65536, "variates N"),
    FC_OPT_INT(config, layer_nums, "3", 1, FC_LIST, "layers"),
    FC_OPT_INT(config, k, "3", 1, FC_EXPERTS, "experts that a window goes to"),
    FC_OPT_INTS(config, num_experts_list, "[4, 4, 4]", 1, FC_EXPERTS, "experts of each layer"),
    FC_OPT_INT_ROWS(config, patch_size_list, "[16, 12, 8, 32, 12, 8, 6, 4, 8, 6, 4, 2]", 1, 1 << 20,
                    "steps of a patch, for each expert of each layer"),
    FC_OPT_INT(config, d_model, "4", 2, 4096, "width D, even"),
    FC_OPT_INT(config, d_ff, "64", 1, 1 << 20, "hidden width of the two-layer maps"),
    FC_OPT_BOOL(config, residual_connection, "true", "what enters a layer is added to what leaves it"),
    FC_OPT_BOOL(config, revin, "true", "normalise each window by itself"),
    FC_OPT_BOOL(config, batch_norm, "false", "batch norm in the experts"),
    FC_OPT_IGNORED("gpu", "of the official code"),
    FC_OPT_IGNORED("variant", "there is one"),
    FC_OPT_END,
};

/* ---- weights ---- */

typedef struct { /* P [D, D], B [1, D] of two maps y = x P + B */
  fc_tensor *P[2], *B[2];
} shared_maps;

typedef struct { /* of keys and values: P [D, CORE], Q [CORE, D], B [CORE^2, D] */
  fc_tensor *memory;
  fc_linear  mlp[3];
  fc_tensor *P[2], *Q[2], *B[2];
} distinct_maps;

typedef struct {
  int64_t             p, n;    /* steps of a patch; patches */
  fc_tensor          *patches; /* [n, 1, 1, N, CODE] */
  fc_tensor         **map;     /* n weights [D, CODE], then n biases */
  distinct_maps       distinct;
  shared_maps         shared;
  fc_linear           spread; /* [L, n] */
  fc_linear           embed, query, key, value, out;
  fc_tensor          *places, *scale;
  fc_batch_norm_layer norm[2];
  fc_linear           ff[2];
  int                 n_weights;
  fc_tensor         **weight; /* all that are trained and read */
} expert;

typedef struct {
  int       n; /* experts */
  expert   *expert;
  fc_linear variates, trend, noise, gate;
} layer;

typedef struct {
  config     cfg;
  fc_linear  start, projection;
  layer      layer[FC_LIST];
  expert     expert[MAX_EXPERTS];
  int64_t    n_maps, n_weights;
  fc_tensor *map[2 * MAX_MAPS], *weight[MAX_WEIGHTS]; /* of all experts */
} model;

/* PyTorch's kaiming_uniform with a = sqrt 5: fan-in is the second axis, though these maps read the first */
static fc_tensor *table(fc_params *p, const char *name, int number, int64_t rows, int64_t cols) {
  char path[16];

  snprintf(path, sizeof path, "%s.%d", name, number);
  return fc_param(p, path, fc_init_fan_in(cols), FC_DIMS(rows, cols));
}

static void init_distinct(distinct_maps *l, fc_params *p, int64_t N, int64_t D) {
  fc_params_push(p, "weights_generator_distinct");
  l->memory = fc_param(p, "memory", fc_init_normal(1), FC_DIMS(N, CODE));
  fc_linear_init(&l->mlp[0], p, "generator.0", CODE, HIDDEN, true);
  fc_linear_init(&l->mlp[1], p, "generator.2", HIDDEN, HIDDEN, true);
  fc_linear_init(&l->mlp[2], p, "generator.4", HIDDEN, CORE * CORE, true);
  for (int i = 0; i < 2; i++) {
    l->P[i] = table(p, "P", i, D, CORE);
    l->Q[i] = table(p, "Q", i, CORE, D);
    l->B[i] = table(p, "B", i, CORE * CORE, D);
  }
  fc_params_pop(p);
}

static void init_shared(shared_maps *l, fc_params *p, int64_t D) {
  fc_params_push(p, "weights_generator_shared");
  for (int i = 0; i < 2; i++) {
    l->P[i] = table(p, "P", i, D, D);
    l->B[i] = table(p, "B", i, 1, D);
  }
  fc_params_pop(p);
}

static void init_inter(expert *l, fc_params *p, int64_t D) {
  const int64_t W = l->p * D;

  l->places = fc_param(p, "W_pos", fc_init_uniform(0.02), FC_DIMS(l->n, W));
  fc_linear_init(&l->embed, p, "emb_linear", W, W, true);
  fc_params_push(p, "inter_patch_attention");
  fc_linear_init(&l->query, p, "W_Q", W, W, true);
  fc_linear_init(&l->key, p, "W_K", W, W, true);
  fc_linear_init(&l->value, p, "W_V", W, W, true);
  l->scale =
      fc_param_of(p, FC_PARAM_FORMULA, "sdp_attn.scale", fc_init_constant(1 / sqrt((double)l->p)), 0, NULL);
  fc_linear_init(&l->out, p, "to_out.0", W, W, true);
  fc_params_pop(p);
}

static void init_patch_maps(expert *l, fc_params *p, model *m) {
  char path[48];

  l->map = m->map + 2 * m->n_maps;
  m->n_maps += l->n;
  for (int64_t i = 0; i < l->n; i++) {
    fc_linear map;
    snprintf(path, sizeof path, "embeddings_generator.%d.0", (int)i);
    fc_linear_init(&map, p, path, CODE, m->cfg.d_model, true);
    l->map[i] = map.weight, l->map[l->n + i] = map.bias;
  }
}

/* the trained weights declared since `first`, but for those that are never read */
static void list_weights(expert *l, const fc_params *p, model *m, int first) {
  l->weight = m->weight + m->n_weights;
  for (int i = first; i < fc_params_size(p); i++)
    if (fc_params_kind(p, i) == FC_PARAM_TRAINED && !fc_params_dispensable(p, i))
      fc_params_at(p, i, &l->weight[l->n_weights++]);
  m->n_weights += l->n_weights;
}

static void init_expert(expert *l, fc_params *p, model *m) {
  const config *g     = &m->cfg;
  const int     first = fc_params_size(p);

  l->patches = fc_param(p, "intra_embeddings", fc_init_positive(1), FC_DIMS(l->n, 1, 1, g->num_nodes, CODE));
  init_patch_maps(l, p, m);
  init_distinct(&l->distinct, p, g->num_nodes, g->d_model);
  init_shared(&l->shared, p, g->d_model);
  fc_linear_init(&l->spread, p, "intra_Linear", l->n, g->seq_len, true);
  init_inter(l, p, g->d_model);
  fc_params_unread(p, !g->batch_norm);
  fc_batch_norm_init(&l->norm[0], p, "norm_attn.1", g->d_model);
  fc_batch_norm_init(&l->norm[1], p, "norm_ffn.1", g->d_model);
  fc_params_unread(p, false);
  fc_linear_init(&l->ff[0], p, "ff.0", g->d_model, g->d_ff, true);
  fc_linear_init(&l->ff[1], p, "ff.3", g->d_ff, g->d_model, true);
  list_weights(l, p, m, first);
}

/* the noise's map is read in training only, end_MLP never */
static void init_layer(layer *l, fc_params *p, model *m) {
  const config *g = &m->cfg;
  fc_linear     unread;

  fc_param_of(p, FC_PARAM_FORMULA, "mean", fc_init_constant(0), FC_DIMS(1));
  fc_param_of(p, FC_PARAM_FORMULA, "std", fc_init_constant(1), FC_DIMS(1));
  fc_linear_init(&l->variates, p, "start_linear", g->num_nodes, 1, true);
  fc_linear_init(&l->trend, p, "trend_model.layer", 1, TRENDS, true);
  for (int i = 0; i < l->n; i++) {
    fc_params_push(p, "experts.%d", i);
    init_expert(&l->expert[i], p, m);
    fc_params_pop(p);
  }
  fc_params_unread(p, true);
  fc_linear_init(&l->noise, p, "w_noise", g->seq_len, l->n, true);
  fc_linear_init_shaped(&unread, p, "end_MLP.fc", true, FC_DIMS(g->seq_len, g->seq_len, 1, 1));
  fc_params_unread(p, false);
  fc_linear_init(&l->gate, p, "w_gate", g->seq_len, l->n, true);
}

/* ---- do the options fit together? ---- */

/* the lists may go on behind the last layer, as in the official code */
static fc_status check_counts(const config *g) {
  int64_t used = 0, all = 0;

  FC_REQUIRE(g->d_model % HEADS == 0, FC_E_USAGE, "pathformer: d_model is %lld; two heads want an even one",
             (long long)g->d_model);
  FC_REQUIRE(g->num_experts_list.n >= g->layer_nums, FC_E_USAGE,
             "pathformer: num_experts_list has %d numbers for layer_nums = %lld; give one for each layer",
             g->num_experts_list.n, (long long)g->layer_nums);
  for (int i = 0; i < g->num_experts_list.n; i++) {
    all += g->num_experts_list.v[i];
    if (i >= g->layer_nums) continue;
    used = all;
    FC_REQUIRE(g->k <= g->num_experts_list.v[i], FC_E_USAGE,
               "pathformer: k = %lld experts for a window, but layer %d has %lld", (long long)g->k, i,
               (long long)g->num_experts_list.v[i]);
  }
  FC_REQUIRE(g->patch_size_list.n == used || g->patch_size_list.n == all, FC_E_USAGE,
             "pathformer: patch_size_list has %d numbers for the %lld experts of num_experts_list",
             g->patch_size_list.n, (long long)used);
  return FC_OK;
}

/* p, n of the experts in use */
static fc_status set_patches(model *m) {
  const config *g       = &m->cfg;
  int64_t       patches = 0, experts = 0;

  for (int i = 0; i < g->layer_nums; i++) experts += g->num_experts_list.v[i];
  for (int i = 0; i < experts; i++) {
    const int64_t p = g->patch_size_list.v[i];
    FC_REQUIRE(g->seq_len % p == 0, FC_E_USAGE,
               "pathformer: patches of %lld steps (patch_size_list) do not divide seq_len %lld", (long long)p,
               (long long)g->seq_len);
    m->expert[i].p = p, m->expert[i].n = g->seq_len / p;
    patches += m->expert[i].n;
  }
  FC_REQUIRE(patches <= MAX_MAPS, FC_E_USAGE,
             "pathformer: %lld patches in all experts, at most %d are possible; make patch_size_list larger",
             (long long)patches, MAX_MAPS);
  return FC_OK;
}

static fc_status init(void *self, fc_params *p, const void *cfg) {
  model        *m = self;
  const config *g = &m->cfg;
  expert       *e = m->expert;

  memset(m, 0, sizeof *m);
  m->cfg = *(const config *)cfg;
  FC_TRY(check_counts(g));
  FC_TRY(set_patches(m));
  fc_linear_init(&m->start, p, "start_fc", 1, g->d_model, true);
  for (int i = 0; i < g->layer_nums; i++) {
    m->layer[i] = (layer){.n = (int)g->num_experts_list.v[i], .expert = e};
    fc_params_push(p, "AMS_lists.%d", i);
    init_layer(&m->layer[i], p, m);
    fc_params_pop(p);
    e += m->layer[i].n;
  }
  fc_linear_init(&m->projection, p, "projections.0", g->seq_len * g->d_model, g->pred_len, true);
  return FC_OK;
}

/* ---- attention within patches ---- */

/* [n, N, D]: linear maps of the patches' codes, each patch its own */
static fc_tensor *queries(fc_ctx *c, const expert *l, int64_t N) {
  const int         n = (int)l->n;
  const fc_segments s = fc_segments_equal(c->arena, n, N);
  fc_tensor        *q = fc_reshape(c, l->patches, FC_DIMS(n, N, CODE));

  q = fc_matmul(c, q, false, fc_stack(c, 0, n, l->map), true, 1);
  return fc_add_sample(c, q, fc_stack(c, 0, n, l->map + n), &s);
}

/* the map of keys (0) or values (1) of each variate, P M Q: [N, D in, D out] */
static fc_tensor *variate_maps(fc_ctx *c, const distinct_maps *l, int which, fc_tensor *cores) {
  const int64_t N = cores->dim[0], D = l->Q[which]->dim[1];
  fc_tensor    *y = fc_matmul(c, fc_reshape(c, cores, FC_DIMS(N * CORE, CORE)), false, l->Q[which], false, 1);

  return fc_time_map(c, fc_reshape(c, y, FC_DIMS(N, CORE, D)), l->P[which], NULL);
}

/* queries behind the transposed map of the keys: [N, heads, n, D]. The keys' bias shifts all scores of a
   query alike, so B.0 has no say. */
static fc_tensor *scorers(fc_ctx *c, const distinct_maps *l, fc_tensor *cores, fc_tensor *q) {
  const int64_t n = q->dim[0], N = q->dim[1], D = q->dim[2], d = D / HEADS;
  fc_tensor    *K = fc_reshape(c, variate_maps(c, l, 0, cores), FC_DIMS(N, D, HEADS, d));

  q = fc_permute(c, fc_reshape(c, q, FC_DIMS(n, N, HEADS, d)), (int[]){1, 2, 0, 3});
  return fc_matmul(c, q, false, fc_permute(c, K, (int[]){0, 2, 1, 3}), true, 1 / sqrt((double)d));
}

/* the values' map and the first shared one as one: [N, heads D, D], and their bias [N, D] */
static fc_tensor *first_map(fc_ctx *c, const expert *l, fc_tensor *cores, fc_tensor **bias) {
  const distinct_maps *own = &l->distinct;
  const shared_maps   *all = &l->shared;
  const int64_t        N = cores->dim[0], D = all->P[0]->dim[0];
  fc_tensor           *P = fc_reshape(c, all->P[0], FC_DIMS(HEADS, D / HEADS, D));
  fc_tensor *b = fc_matmul(c, fc_matmul(c, cores, false, own->B[1], false, 1), false, all->P[0], false, 1);

  *bias = fc_add(c, b, fc_reshape(c, all->B[0], FC_DIMS(D)));
  P     = fc_reshape(c, fc_permute(c, P, (int[]){0, 2, 1}), FC_DIMS(HEADS * D, D / HEADS));
  P     = fc_linear_grouped(c, variate_maps(c, own, 1, cores), P, NULL, HEADS);
  P     = fc_permute(c, fc_reshape(c, P, FC_DIMS(N, D, HEADS, D)), (int[]){0, 2, 1, 3});
  return fc_reshape(c, P, FC_DIMS(N, HEADS * D, D));
}

/* x [B, L, N, D] -> the same */
static fc_tensor *intra(fc_ctx *c, const expert *l, fc_tensor *x) {
  const int64_t     B = x->dim[0], N = x->dim[2], D = x->dim[3], n = l->n;
  const fc_segments variates = fc_segments_equal(c->arena, N, n * B);
  const fc_linear  *mlp      = l->distinct.mlp;
  fc_tensor        *q        = queries(c, l, N), *bias, *y;
  fc_tensor        *cores    = fc_linear_apply(c, &mlp[0], l->distinct.memory, FC_ACT_TANH);

  cores = fc_linear_apply(c, &mlp[2], fc_linear_apply(c, &mlp[1], cores, FC_ACT_TANH), FC_ACT_NONE);
  y     = fc_patch_attention(c, x, q, scorers(c, &l->distinct, cores, q));
  y     = fc_reshape(c, y, FC_DIMS(N, n * B, HEADS * D));
  y     = fc_matmul(c, y, false, first_map(c, l, cores, &bias), false, 1);
  y     = fc_add_sample(c, y, bias, &variates);
  y     = fc_linear_of(c, FC_ACT_RELU, y, fc_permute(c, l->shared.P[1], (int[]){1, 0}), l->shared.B[1], NULL);
  y     = fc_permute(c, fc_reshape(c, y, FC_DIMS(N, n, B, D)), (int[]){2, 1, 0, 3});
  return fc_time_map(c, y, l->spread.weight, l->spread.bias);
}

/* ---- attention between patches ---- */

/* tokens [B N, n, p D]. The official feature is channel p + step; here steps come first, so that channels
   stay together, and the weights of the embedding change places instead. */
static fc_tensor *tokens(fc_ctx *c, const expert *l, fc_tensor *x) {
  const int64_t B = x->dim[0], N = x->dim[2], D = x->dim[3], W = l->p * D;
  fc_tensor    *E = fc_reshape(c, l->embed.weight, FC_DIMS(W, D, l->p));

  E = fc_reshape(c, fc_permute(c, E, (int[]){0, 2, 1}), FC_DIMS(W, W));
  x = fc_permute(c, fc_reshape(c, x, FC_DIMS(B, l->n, l->p, N, D)), (int[]){0, 3, 1, 2, 4});
  x = fc_linear_op(c, fc_reshape(c, x, FC_DIMS(B * N, l->n, W)), E, l->embed.bias, FC_ACT_NONE);
  return fc_dropout(c, fc_add_in_place(c, x, l->places), DROPOUT);
}

/* x [B, L, N, D] -> numbers [B N, n, p D] read as [B, L, N, D] */
static fc_tensor *inter(fc_ctx *c, const expert *l, fc_tensor *x) {
  const double    scale = c->dry ? 1 : (double)l->scale->x[0];
  const int64_t   heads = x->dim[3];
  const fc_linear in    = fc_lanes_in(c, &l->query, &l->key, &l->value, heads);
  const fc_linear out   = fc_lanes_out(c, &l->out, heads);
  fc_tensor      *y     = fc_linear_apply(c, &in, tokens(c, l, x), FC_ACT_NONE);

  y = fc_linear_apply(c, &out, fc_lane_attention(c, 1, &y, heads, scale), FC_ACT_NONE);
  return fc_reshape(c, fc_dropout(c, y, DROPOUT), x->ndim, x->dim);
}

/* ---- experts ---- */

/* y + W2 GELU(W1 y) */
static fc_tensor *feed_forward(fc_ctx *c, const expert *l, fc_tensor *y) {
  const fc_linear *ff = l->ff;

  if (!c->training)
    return fc_experts(c, FC_ACT_GELU, y, NULL, 1,
                      &(fc_expert){ff[0].weight, ff[0].bias, ff[1].weight, ff[1].bias}, y);
  fc_tensor *h = fc_activate(c, fc_linear_apply(c, &ff[0], y, FC_ACT_NONE), FC_ACT_GELU);
  return fc_linear_of(c, FC_ACT_NONE, fc_dropout(c, h, HIDDEN_DROPOUT), ff[1].weight, ff[1].bias, y);
}

/* x [B, L, N, D], the samples that chose this expert */
static fc_tensor *apply_expert(fc_ctx *c, const expert *l, bool norms, fc_tensor *x) {
  fc_tensor *y = fc_add_in_place(c, intra(c, l, x), x);

  y = fc_add_in_place(c, y, inter(c, l, x));
  if (norms) y = fc_batch_norm_apply(c, &l->norm[0], y);
  y = feed_forward(c, l, fc_dropout(c, y, DROPOUT));
  return norms ? fc_batch_norm_apply(c, &l->norm[1], y) : y;
}

/* log of the mixture of the experts' exponentials, each of them asked about the samples whose gate to it is
   open. Another rank may have no samples for an expert: so a batch's statistics are this rank's own, and all
   weights count as reached on every rank, as they do in PyTorch. */
static fc_tensor *ask_experts(fc_ctx *c, const config *g, const layer *l, fc_tensor *gates, fc_tensor *h) {
  int64_t    cost[FC_EXPERTS];
  fc_tensor *v[FC_EXPERTS]          = {NULL};
  void (*sum)(double *x, int64_t n) = c->batch_sum;

  for (int i = 0; i < l->n; i++) cost[i] = l->expert[i].n; /* the smaller the patches, the more numbers */
  const fc_routes *r = fc_routes_of(c, gates, g->k, cost);
  c->batch_sum       = NULL;
  for (int i = 0; i < l->n; i++)
    if (r->count[i]) v[i] = apply_expert(c, &l->expert[i], g->batch_norm, fc_take_samples(c, h, r, i));
  c->batch_sum = sum;
  h            = fc_mix_log(c, gates, r, v, h, g->residual_connection);
  for (int i = 0; i < l->n; i++) h = fc_reach(c, h, l->expert[i].n_weights, l->expert[i].weight);
  return h;
}

/* ---- the router ---- */

/* z [B, L, N] -> moving averages over 4, 8 and 12 steps, weighted by the softmax of a map of each number */
static fc_tensor *trend_of(fc_ctx *c, const layer *l, fc_tensor *z) {
  fc_tensor *mean[TRENDS], *weight = fc_reshape(c, z, FC_DIMS(z->dim[0], z->dim[1], z->dim[2], 1));

  for (int i = 0; i < TRENDS; i++) {
    const int64_t k = trend_steps[i];
    mean[i]         = fc_moving_average(c, z, k, k - 1 - (k - 1) / 2);
  }
  weight = fc_softmax(c, fc_linear_apply(c, &l->trend, weight, FC_ACT_NONE));
  return fc_sum_axes(c, fc_mul(c, weight, fc_stack(c, 3, TRENDS, mean)), 1u << 3);
}

/* [B, L]: what the experts are chosen by */
static fc_tensor *features(fc_ctx *c, const layer *l, fc_tensor *h) {
  const int64_t B = h->dim[0], L = h->dim[1], N = h->dim[2];
  fc_tensor    *z = fc_reshape(c, fc_slice(c, h, 3, 0, 1), FC_DIMS(B, L, N));
  fc_tensor    *s = fc_add(c, fc_add(c, z, trend_of(c, l, z)), fc_fourier_season(c, z, SEASON, 1, 0));

  return fc_reshape(c, fc_linear_apply(c, &l->variates, s, FC_ACT_NONE), FC_DIMS(B, L));
}

static fc_tensor *normal_like(fc_ctx *c, const fc_tensor *x) {
  fc_tensor   *y = fc_tensor_new(c->arena, x->ndim, x->dim);
  const fc_rng r = {c->seed, c->step, FC_RNG_DROPOUT}; /* draws set calls of a step apart */

  if (!c->dry) fc_rng_normals(&r, (uint64_t)c->draws << 40, fc_len(y), y->x);
  c->draws++;
  return y;
}

static void punish(fc_ctx *c, fc_tensor *counts) {
  fc_tensor *x = fc_affine(c, fc_imbalance(c, counts), BALANCE, 0);

  c->penalty = c->penalty ? fc_add(c, c->penalty, x) : x;
}

/* gates [B, E] */
static fc_tensor *route(fc_ctx *c, const config *g, const layer *l, fc_tensor *h) {
  fc_tensor *s = features(c, l, h), *clean = fc_linear_apply(c, &l->gate, s, FC_ACT_NONE), *logits = clean;
  fc_tensor *deviation = NULL, *load;

  if (c->training) {
    deviation = fc_affine(c, fc_linear_apply(c, &l->noise, s, FC_ACT_SOFTPLUS), 1, LEAST_NOISE);
    logits    = fc_add(c, clean, fc_mul(c, deviation, normal_like(c, clean)));
  }
  fc_tensor *gates = fc_top_gates(c, logits, g->k);
  if (c->training && g->k < l->n)
    load = fc_top_probability(c, clean, logits, deviation, g->k);
  else
    load = fc_gates_open(c, gates);
  punish(c, gates);
  punish(c, load);
  return gates;
}

/* ---- the network ---- */

/* x (B, L, N) -> (B, P, N) */
static fc_tensor *apply(fc_ctx *c, const void *self, const fc_batch *b) {
  const model   *m = self;
  const config  *g = &m->cfg;
  fc_tensor     *x = fc_batch_get(b, "x"), *h;
  const int64_t  B = x->dim[0], L = g->seq_len, N = g->num_nodes, D = g->d_model;
  fc_window_norm window;

  c->penalty = NULL;
  if (g->revin) x = fc_window_normalise(c, FC_WINDOW_DETACHED, x, &window);
  h = fc_linear_apply(c, &m->start, fc_reshape(c, x, FC_DIMS(B, L, N, 1)), FC_ACT_NONE);
  for (int i = 0; i < g->layer_nums; i++)
    h = ask_experts(c, g, &m->layer[i], route(c, g, &m->layer[i], h), h);
  h            = fc_reshape(c, fc_permute(c, h, (int[]){0, 2, 1, 3}), FC_DIMS(B, N, L * D));
  fc_tensor *y = fc_permute(c, fc_linear_apply(c, &m->projection, h, FC_ACT_NONE), (int[]){0, 2, 1});
  return g->revin ? fc_window_restore(c, y, &window) : y;
}

static fc_status check(const void *self, const fc_batch *b) {
  const config *g = &((const model *)self)->cfg;
  fc_tensor    *x;

  return fc_batch_need(b, "x", FC_DIMS(-1, g->seq_len, g->num_nodes), &x);
}

static fc_status series(const void *self, fc_series_wants *out) {
  const config *g = &((const model *)self)->cfg;

  *out = (fc_series_wants){.lookback = g->seq_len, .horizon = g->pred_len, .variates = g->num_nodes};
  return FC_OK;
}

static void series_pack(fc_ctx *c, const void *self, const fc_batch *standard, fc_batch *out) {
  (void)c, (void)self;
  fc_batch_put(out, "x", fc_batch_get(standard, "x_enc"));
}

const fc_model_def fc_model_pathformer = {
    .name        = "pathformer",
    .task        = "forecaster",
    .summary     = "experts for patches of different lengths, chosen for each window",
    .paper       = "Chen, Zhang, Cheng, Shu, Wang, Wen, Yang, Guo, ICLR 2024, arXiv 2402.05956",
    .options     = options,
    .config_size = sizeof(config),
    .self_size   = sizeof(model),
    .init        = init,
    .check       = check,
    .apply       = apply,
    .series      = series,
    .series_pack = series_pack,
};
