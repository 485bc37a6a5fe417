/* core/ops/patch_attention.c - attention with one query for each patch of steps. Patch i of n holds L / n
   steps of x [B, L, N, D] and in front of them a token of its own, q_i [N, D], the same for all samples: a_t
   = softmax over the tokens of u . token_t,   z = sum_t a_t token_t for each sample, patch, variate and head,
   u [N, H, n, D] -> z [N, n, B, H, D].

   Keys and values that are linear maps of the tokens need not exist: q . (K x + k) = (K^T q) . x + const, of
   which softmax does not see the constant, and sum a (V x + v) = V z + v. So u is the query behind the map of
   the keys, scale included, and the map of the values follows on z: both once for each patch, not for each
   step. Kept for backward: a. */
#include "core/ops.h"
#include "core/ops/softmax_rows.h"
#include "core/parallel.h"

typedef struct {
  int64_t        B, N, D, H, n, p; /* p: steps of a patch */
  const fc_real *x, *q, *u;
  fc_real       *a; /* [N, n, B, H, 1 + p] */
} problem;

/* a task is one variate of one patch, all samples: nobody else writes its gradients */
typedef struct {
  int64_t v, i;
} task;

static int64_t weights_of(const problem *p) { return p->B * p->H * (1 + p->p); } /* of one task */
static task    task_at(const problem *p, int64_t t) { return (task){t / p->n, t % p->n}; }

static int64_t query_at(const problem *p, task t) { return (t.i * p->N + t.v) * p->D; }
static int64_t score_at(const problem *p, task t, int64_t h) {
  return ((t.v * p->H + h) * p->n + t.i) * p->D;
}
/* step 0 of the patch; the next one lies N D further */
static int64_t step_at(const problem *p, task t, int64_t b) {
  return ((b * p->n + t.i) * p->p * p->N + t.v) * p->D;
}
static int64_t result_at(const problem *p, task t, int64_t b, int64_t h) {
  return (((t.v * p->n + t.i) * p->B + b) * p->H + h) * p->D;
}

static fc_real dot(const fc_real *a, const fc_real *b, int64_t n) {
  fc_real s = 0;

  for (int64_t i = 0; i < n; i++) s += a[i] * b[i];
  return s;
}

static void add_scaled(fc_real *restrict y, const fc_real *restrict x, fc_real f, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] += f * x[i];
}

/* s[0] = d . first, s[1 + t] = d . step t */
static void dots(const problem *p, fc_real *s, const fc_real *d, const fc_real *first, const fc_real *step) {
  s[0] = dot(d, first, p->D);
  for (int64_t t = 0; t < p->p; t++) s[1 + t] = dot(d, step + t * p->N * p->D, p->D);
}

/* y += sum of s times the tokens */
static void sum_tokens(const problem *p, fc_real *y, const fc_real *s, const fc_real *first,
                       const fc_real *step) {
  add_scaled(y, first, s[0], p->D);
  for (int64_t t = 0; t < p->p; t++) add_scaled(y, step + t * p->N * p->D, s[1 + t], p->D);
}

/* tokens += s d */
static void spread(const problem *p, const fc_real *d, const fc_real *s, fc_real *first, fc_real *step) {
  if (first) add_scaled(first, d, s[0], p->D);
  for (int64_t t = 0; step && t < p->p; t++) add_scaled(step + t * p->N * p->D, d, s[1 + t], p->D);
}

static void forward_task(const problem *p, task t, fc_real *a, fc_real *z) {
  const fc_real *q = p->q + query_at(p, t);

  for (int64_t b = 0; b < p->B; b++)
    for (int64_t h = 0; h < p->H; h++)
      dots(p, a + (b * p->H + h) * (1 + p->p), p->u + score_at(p, t, h), q, p->x + step_at(p, t, b));
  fc_softmax_rows(a, a, p->B * p->H, 1 + p->p);
  for (int64_t b = 0; b < p->B; b++)
    for (int64_t h = 0; h < p->H; h++) {
      fc_real *y = z + result_at(p, t, b, h);
      for (int64_t j = 0; j < p->D; j++) y[j] = 0;
      sum_tokens(p, y, a + (b * p->H + h) * (1 + p->p), q, p->x + step_at(p, t, b));
    }
}

typedef struct {
  const fc_real *dz;
  fc_real       *dx, *dq, *du;
} gradients;

/* "z = sum a_t token_t": da_t = dz . token_t; through the softmax, ds; dtoken_t += a_t dz + ds_t u,
   du += sum ds_t token_t. da, ds: room for the weights of a task */
static void backward_task(const problem *p, const gradients *d, task t, const fc_real *a, fc_real *da,
                          fc_real *ds) {
  const fc_real *q  = p->q + query_at(p, t);
  fc_real       *dq = d->dq ? d->dq + query_at(p, t) : NULL;

  for (int64_t b = 0; b < p->B; b++)
    for (int64_t h = 0; h < p->H; h++)
      dots(p, da + (b * p->H + h) * (1 + p->p), d->dz + result_at(p, t, b, h), q, p->x + step_at(p, t, b));
  fc_softmax_rows_back(ds, da, a, p->B * p->H, 1 + p->p, true);
  for (int64_t b = 0; b < p->B; b++)
    for (int64_t h = 0; h < p->H; h++) {
      const int64_t at = (b * p->H + h) * (1 + p->p);
      fc_real      *dx = d->dx ? d->dx + step_at(p, t, b) : NULL;
      spread(p, d->dz + result_at(p, t, b, h), a + at, dq, dx);
      spread(p, p->u + score_at(p, t, h), ds + at, dq, dx);
      if (d->du) sum_tokens(p, d->du + score_at(p, t, h), ds + at, q, p->x + step_at(p, t, b));
    }
}

static double work(const problem *p) { return 4.0 * (double)(p->N * p->n * p->D) * (double)weights_of(p); }

static void backward(fc_ctx *c, const fc_node *node) {
  const problem *p = node->saved;
  gradients     d = {node->out->g, fc_grad(c, node->in[0]), fc_grad(c, node->in[1]), fc_grad(c, node->in[2])};
  const size_t  mark = fc_arena_mark(c->arena);
  const int64_t each = weights_of(p);
  fc_real      *room = fc_arena_push(c->arena, (size_t)(2 * fc_threads() * each) * sizeof *room);

  FC_FOR_TASKS(t, p->N * p->n, p->N * p->n * each * p->D) {
    fc_real *da = room + 2 * fc_thread() * each;
    backward_task(p, &d, task_at(p, t), p->a + t * each, da, da + each);
  }
  c->flops += 2 * work(p);
  fc_arena_pop(c->arena, mark);
}

static const fc_op patch_attention = {"patch_attention", backward, false};

fc_tensor *fc_patch_attention(fc_ctx *c, fc_tensor *x, fc_tensor *q, fc_tensor *u) {
  problem *p = fc_arena_push(c->arena, sizeof *p);

  FC_ASSERT(x->ndim == 4 && u->ndim == 4 && u->dim[0] == x->dim[2] && u->dim[3] == x->dim[3] &&
                x->dim[1] % u->dim[2] == 0 && fc_len(q) == u->dim[2] * x->dim[2] * x->dim[3],
            "patch_attention: %s with tokens %s and queries %s", fc_shape_text(x), fc_shape_text(q),
            fc_shape_text(u));
  *p   = (problem){.B = x->dim[0], .N = x->dim[2], .D = x->dim[3], .H = u->dim[1], .n = u->dim[2]};
  p->p = x->dim[1] / p->n;
  p->x = x->x, p->q = q->x, p->u = u->x;
  fc_tensor   *z    = fc_tensor_new(c->arena, FC_DIMS(p->N, p->n, p->B, p->H, p->D));
  const size_t mark = fc_arena_mark(c->arena);
  const bool   keep = fc_needs_record(c, FC_IN(x, q, u));

  p->a = fc_arena_push(c->arena, (size_t)(p->N * p->n * weights_of(p)) * sizeof *p->a);
  if (!c->dry) FC_FOR_TASKS(t, p->N * p->n, p->N * p->n * weights_of(p) * p->D)
  forward_task(p, task_at(p, t), p->a + t * weights_of(p), z->x);
  c->flops += work(p);
  if (!keep) fc_arena_pop(c->arena, mark);
  return fc_record(c, &patch_attention, z, p, FC_IN(x, q, u));
}
