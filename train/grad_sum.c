/* train/grad_sum.c */
#include "train/grad_sum.h"

#include "hpc/comm.h"

#include <limits.h>
#include <stdlib.h>

typedef struct {
  int     first, end; /* parameters, by number; those that are not trained do not count */
  int64_t at, n;      /* numbers of the block */
  int64_t ready;      /* final when the node of this number has run */
} bucket;

struct fc_grad_sum {
  fc_params *p;
  fc_comm   *comm; /* of its own: other collectives may come between */
  bucket     b[FC_COMM_SLOTS];
  int        n, sent, early; /* the last buckets are sent first */
  bool       known;          /* when buckets are ready */
  fc_status  status;
};

static fc_tensor *at(const fc_grad_sum *g, int i) {
  fc_tensor *t;

  fc_params_at(g->p, i, &t);
  return t;
}

/* Trained parameters lie in the order in which they were declared, which is about that of their use. */
static void cut(fc_grad_sum *g, int64_t wanted) {
  const fc_real *base  = fc_params_values(g->p);
  const int64_t  least = fc_max64(wanted, fc_ceil_div(fc_params_block(g->p, true), FC_COMM_SLOTS - 1));
  bucket        *b     = NULL;

  for (int i = 0; i < fc_params_size(g->p); i++) {
    if (fc_params_kind(g->p, i) != FC_PARAM_TRAINED) continue;
    const int64_t from = at(g, i)->x - base;
    if (!b || b->n >= least) {
      b  = &g->b[g->n++];
      *b = (bucket){.first = i, .at = from};
    }
    FC_ASSERT(from >= b->at + b->n, "parameters do not lie in their order");
    b->end = i + 1;
    b->n   = from + fc_len(at(g, i)) - b->at;
  }
}

fc_status fc_grad_sum_create(fc_params *p, int64_t least, fc_grad_sum **out) {
  *out = NULL;
  if (fc_comm_size(NULL) == 1) return FC_OK;
  fc_grad_sum *g = calloc(1, sizeof *g);
  FC_REQUIRE(g, FC_E_SYSTEM, "no memory for the sums of gradients");
  g->p              = p;
  const fc_status s = fc_comm_split(NULL, 0, &g->comm);
  cut(g, least);
  *out = g;
  return s;
}

void fc_grad_sum_destroy(fc_grad_sum *g) {
  if (!g) return;
  fc_comm_free(g->comm);
  free(g);
}

/* The forward pass has told which node uses a parameter first; unused ones are final from the start. */
static void learn(fc_grad_sum *g) {
  for (int k = 0; k < g->n; k++) {
    g->b[k].ready = INT64_MAX;
    for (int i = g->b[k].first; i < g->b[k].end; i++) /* constants between them do no harm */
      g->b[k].ready = fc_min64(g->b[k].ready, at(g, i)->first_use);
  }
  g->known = true;
}

static void send_next(fc_grad_sum *g) {
  const bucket   *b = &g->b[g->n - 1 - g->sent];
  const fc_status s = fc_comm_sum_start(g->comm, fc_params_grads(g->p) + b->at, b->n, g->sent);

  if (g->status == FC_OK) g->status = s;
  g->sent++;
}

static void node_done(void *user, int64_t number) {
  fc_grad_sum *g = user;

  if (!g->known) learn(g);
  while (g->sent < g->n && g->b[g->n - 1 - g->sent].ready >= number) send_next(g);
  if (number > 0) g->early = g->sent;
  fc_comm_sum_poll(g->comm, g->sent);
}

void fc_grad_sum_watch(fc_grad_sum *g, fc_ctx *c) {
  if (!g) return;
  for (int i = 0; i < fc_params_size(g->p); i++) at(g, i)->first_use = INT64_MAX;
  g->known     = false;
  g->early     = 0;
  c->node_done = node_done;
  c->node_user = g;
}

fc_status fc_grad_sum_finish(fc_grad_sum *g, fc_ctx *c) {
  if (!g) return FC_OK;
  c->node_done = NULL;
  while (g->sent < g->n) send_next(g);
  const fc_status s   = fc_comm_sum_finish(g->comm, g->sent);
  const fc_status all = g->status == FC_OK ? s : g->status;
  g->sent             = 0;
  g->status           = FC_OK;
  return all;
}

int fc_grad_sum_buckets(const fc_grad_sum *g) { return g ? g->n : 0; }
int fc_grad_sum_early(const fc_grad_sum *g) { return g ? g->early : 0; }
