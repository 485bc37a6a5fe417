/* tests/operators/net.h - a model with random weights from options in one line of text. */
#ifndef FC_NET_H
#define FC_NET_H
#include "core/model.h"
#include "tests/check.h"

typedef struct {
  const fc_model_def *def;
  void               *self;
  fc_params          *params;
} net;

/* options as "key=value", separated by blanks; returns what init says */
static inline fc_status net_try(const fc_model_def *def, const char *text, net *n) {
  void *cfg  = calloc(1, def->config_size);
  char *list = strdup(text), *save = NULL;

  *n = (net){def, calloc(1, def->self_size), NULL};
  fc_options_defaults(def->options, cfg);
  for (char *s = strtok_r(list, " ", &save); s; s = strtok_r(NULL, " ", &save)) {
    char *value = strchr(s, '=');
    *value      = 0;
    CHECK_OK(fc_options_set(def->options, cfg, s, value + 1, "test"));
  }
  CHECK_OK(fc_params_create(&n->params));
  const fc_status s = def->init(n->self, n->params, cfg);
  free(list);
  free(cfg);
  return s;
}

static inline void net_drop(net *n) {
  fc_params_destroy(n->params);
  free(n->self);
}

static inline net net_build(const fc_model_def *def, const char *text) {
  net n;

  CHECK_OK(net_try(def, text, &n));
  CHECK_OK(fc_params_commit(n.params, 3, false));
  return n;
}

/* init must refuse the options and say so */
static inline void net_refused(const fc_model_def *def, const char *text, const char *message) {
  net n;

  CHECK_FAILS(net_try(def, text, &n), FC_E_USAGE, message);
  net_drop(&n);
}

/* gradients of the sum of y^2 */
static inline void net_gradients(fc_ctx *c, const net *n, fc_tensor *y) {
  fc_params_zero_grads(n->params);
  fc_backward(c, fc_sum_all(c, fc_mul(c, y, y)));
}
#endif
