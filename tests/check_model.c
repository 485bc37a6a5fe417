/* tests/check_model.c - weights become slices of one input vector, so that check_op can shake them all. */
#include "tests/check_model.h"

fc_status check_net_try(const fc_model_def *def, const char *options, check_net *out) {
  void *cfg  = calloc(1, def->config_size);
  char *list = strdup(options), *save = NULL;

  *out = (check_net){def, calloc(1, def->self_size), NULL};
  fc_options_defaults(def->options, cfg);
  for (char *s = strtok_r(list, " ", &save); s; s = strtok_r(NULL, " ", &save)) {
    char *value = strchr(s, '=');
    *value      = 0;
    CHECK_OK(fc_options_set(def->options, cfg, s, value + 1, "test"));
  }
  CHECK_OK(fc_params_create(&out->params));
  const fc_status s = def->init(out->self, out->params, cfg);
  if (s == FC_OK) CHECK_OK(fc_params_commit(out->params, 3, false));
  free(list);
  free(cfg);
  return s;
}

check_net check_net_build(const fc_model_def *def, const char *options) {
  check_net n;

  CHECK_OK(check_net_try(def, options, &n));
  return n;
}

void check_net_drop(check_net *n) {
  fc_params_destroy(n->params);
  free(n->self);
}

/* ---- check_model ---- */

static struct { /* check_fn takes no pointer of ours */
  check_net          net;
  int                n_in;
  const check_input *in;
} now;

/* "t = flat[at ..]": d flat[at ..] += dt. The gradient lies among the node's own memory and dies with it. */
static void take_backward(fc_ctx *c, const fc_node *node) {
  fc_real       *g  = fc_grad(c, node->in[0]);
  const int64_t *at = node->saved;

  for (int64_t i = 0; g && !c->dry && i < fc_len(node->out); i++) g[*at + i] += node->out->g[i];
  node->out->g = NULL;
}
static const fc_op take = {"take", take_backward, true};

/* Gradients of weights are there before anyone needs them, as in training: a recomputed block may be the
 * first. */
static fc_real *push_gradient(fc_ctx *c, const fc_tensor *t) {
  const size_t bytes = (size_t)fc_len(t) * sizeof(fc_real);
  fc_real     *g     = fc_arena_push(c->arena, bytes);

  return c->dry ? g : memset(g, 0, bytes);
}

/* the model's weights as results of an operation on one vector */
static void take_weights(fc_ctx *c, fc_tensor *flat) {
  int64_t at = 0;

  for (int i = 0; i < fc_params_size(now.net.params); i++) {
    fc_tensor *t;
    fc_params_at(now.net.params, i, &t);
    if (fc_params_kind(now.net.params, i) != FC_PARAM_TRAINED) continue;
    int64_t *place = fc_arena_push(c->arena, sizeof *place);
    *place         = at;
    t->x           = flat->x ? flat->x + at : NULL;
    t->g           = c->grad ? push_gradient(c, t) : NULL;
    t->needs_grad = t->is_param = t->has_grad = false;
    fc_record(c, &take, t, place, FC_IN(flat));
    at += fc_len(t);
  }
}

/* in[0]: all weights, three times as large; then the inputs */
static fc_tensor *run_model(fc_ctx *c, fc_tensor **in) {
  const fc_model_def *def = now.net.def;
  fc_batch            b   = {0};

  take_weights(c, fc_affine(c, in[0], 1.0 / 3, 0));
  for (int i = 0; i < now.n_in; i++) fc_batch_put(&b, now.in[i].name, in[1 + i]);
  CHECK_OK(def->check(now.net.self, &b));
  return def->apply(c, now.net.self, &b);
}

void check_model(const char *name, const fc_model_def *def, const char *options, int n_in,
                 const check_input *in) {
  check_in shapes[8];

  now.net = check_net_build(def, options), now.n_in = n_in, now.in = in;
  shapes[0] = (check_in){1, {fc_params_trainable(now.net.params)}};
  for (int i = 0; i < n_in; i++) shapes[1 + i] = in[i].in;
  check_op(name, run_model, 1 + n_in, shapes, 1e-7, 2e-4);
  check_net_drop(&now.net);
}
