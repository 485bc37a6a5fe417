/* train/flow.c */
#include "train/flow.h"

#include "core/ops.h"
#include "core/parallel.h"
#include "core/rng.h"

static const double least_noise = 1e-4; /* s */

fc_tensor *fc_flow_velocity(fc_ctx *c, const fc_network *n, fc_tensor *state, fc_tensor *known, fc_tensor *t,
                            fc_real *params) {
  fc_batch   b      = {0};
  fc_tensor *window = fc_concat(c, 1, 2, (fc_tensor *[]){state, known});

  if (n->frames.params)
    fc_batch_put(&b, "params", fc_tensor_borrow(c->arena, params, FC_DIMS(state->dim[0], n->frames.params)));
  fc_batch_put(&b, "timestep", t);
  return fc_model_frames(c, n->def, n->self, window, 1, &b);
}

/* noise of window b: numbers b len .. (b + 1) len - 1 */
static fc_tensor *noise_like(fc_ctx *c, const fc_tensor *x, int64_t first) {
  const int64_t len = fc_len(x) / x->dim[0];
  const fc_rng  r   = {c->seed, c->step, FC_RNG_FLOW};
  fc_tensor    *e   = fc_tensor_new(c->arena, x->ndim, x->dim);

  if (!c->dry)
    FC_FOR_ROWS(b, x->dim[0], 8 * len) fc_rng_normals(&r, (uint64_t)((first + b) * len), len, e->x + b * len);
  return e;
}

static void fill_place(const fc_flow_place *p, const fc_tensor *target) {
  const int64_t len  = fc_len(target) / target->dim[0];
  const double  keep = 1 - least_noise;

  FC_FOR_ROWS(i, fc_len(target), 4) {
    const double t = (double)p->t->x[i / len], e = (double)p->state->x[i], x = (double)target->x[i];
    p->state->x[i]    = (fc_real)((1 - keep * t) * e + t * x);
    p->velocity->x[i] = (fc_real)(x - keep * e);
  }
}

fc_flow_place fc_flow_draw(fc_ctx *c, const fc_tensor *target, int64_t first, int64_t whole) {
  const int64_t B = target->dim[0];
  const fc_rng  r = {c->seed, c->step, FC_RNG_FLOW};
  fc_flow_place p = {.state    = noise_like(c, target, first),
                     .t        = fc_tensor_new(c->arena, FC_DIMS(B)),
                     .velocity = fc_tensor_new(c->arena, target->ndim, target->dim)};

  for (int64_t b = 0; !c->dry && b < B; b++) { /* indices that no noise reaches */
    const double within = fc_rng_uniform(&r, UINT64_MAX / 2 + (uint64_t)(first + b));
    p.t->x[b]           = (fc_real)(((double)(first + b) + within) / (double)whole);
  }
  if (!c->dry) fill_place(&p, target);
  return p;
}

static void euler(fc_tensor *x, const fc_tensor *v, double dt) {
  FC_FOR_ROWS(i, fc_len(x), 1) x->x[i] += (fc_real)(dt * (double)v->x[i]);
}

fc_tensor *fc_flow_sample(fc_ctx *c, const fc_network *n, fc_tensor *known, fc_real *params) {
  const bool grad = c->grad;
  fc_tensor *t    = fc_tensor_new(c->arena, FC_DIMS(known->dim[0]));
  fc_tensor *x    = noise_like(c, fc_slice(c, known, 1, 0, 1), 0);

  c->grad = false;
  for (int64_t k = 1; k <= n->flow_steps; k++) {
    const size_t mark = fc_arena_mark(c->arena);
    for (int64_t b = 0; !c->dry && b < t->dim[0]; b++) t->x[b] = (fc_real)((double)k / (double)n->flow_steps);
    const fc_tensor *v = fc_flow_velocity(c, n, x, known, t, params);
    if (!c->dry) euler(x, v, 1 / (double)n->flow_steps);
    fc_arena_pop(c->arena, mark);
    if (c->dry) break; /* every step takes the same memory */
  }
  c->grad = grad;
  return x;
}
