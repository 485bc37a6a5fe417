/* train/step.c */
#include "train/step.h"

#include "core/ops.h"
#include "train/flow.h"
#include "train/loss.h"

#include <string.h>

static void push(fc_ctx *c, const fc_network *n, const fc_source *s, const fc_pass *p) {
  const size_t mark = fc_arena_mark(c->arena);
  fc_tensor   *y    = fc_march_quiet(c, n, s->geo.ndim, s->geo.dim, p->B, p->window, p->params, p->k);

  if (!c->dry) fc_march_shift(p->window, y->x, p->B, n->frames.n_in, p->k, s->out_len);
  fc_step_end(c, mark);
}

/* k target frames from frame `at` on */
static fc_tensor *target_of(fc_ctx *c, const fc_source *s, const fc_pass *p, int64_t at) {
  int64_t shape[FC_MAX_DIMS] = {p->B, p->n_target};

  memcpy(shape + 2, s->geo.dim, (size_t)s->geo.ndim * sizeof *shape);
  shape[2 + s->geo.ndim] = s->out.n;
  fc_tensor *all         = fc_tensor_borrow(c->arena, p->target, s->geo.ndim + 3, shape);
  return p->n_target == p->k ? all : fc_slice(c, all, 1, at, p->k);
}

/* flow matching: the network's velocity at a random place on the way to *goal, which becomes the true
 * velocity */
static fc_tensor *flow_call(fc_ctx *c, const fc_network *n, const fc_source *s, const fc_pass *p,
                            fc_tensor **goal) {
  int64_t shape[FC_MAX_DIMS] = {p->B, n->frames.n_in};

  memcpy(shape + 2, s->geo.dim, (size_t)s->geo.ndim * sizeof *shape);
  shape[2 + s->geo.ndim]    = s->in.n;
  fc_tensor          *known = fc_tensor_borrow(c->arena, p->window, s->geo.ndim + 3, shape);
  const fc_flow_place place = fc_flow_draw(c, *goal, p->first, p->whole);

  *goal = place.velocity;
  return fc_flow_velocity(c, n, place.state, known, place.t, p->params);
}

/* the trained call: forward, loss against the frames from `at` on, backward */
static double learn(fc_ctx *c, const fc_network *n, const fc_source *s, const fc_train_settings *t,
                    const fc_pass *p, int64_t at) {
  const size_t mark = fc_arena_mark(c->arena);

  c->grad           = true;
  fc_tensor   *goal = target_of(c, s, p, at);
  fc_tensor   *y    = n->flow_steps
                          ? flow_call(c, n, s, p, &goal)
                          : fc_march_call(c, n, s->geo.ndim, s->geo.dim, p->B, p->window, p->params, p->k);
  fc_tensor   *l    = fc_loss(c, t, &s->out, y, goal);
  const double loss = c->dry ? 0 : (double)l->x[0];
  fc_backward(c, fc_affine(c, l, p->weight / (double)t->teacher_calls, 0));
  const uint32_t draws = c->draws;
  c->grad              = false;
  fc_step_end(c, mark);
  c->draws = draws; /* the next call of this step draws other random numbers */
  return loss;
}

/* teacher forcing: the true frames take the place of those just predicted */
static void shift_truth(fc_ctx *c, const fc_network *n, const fc_source *s, const fc_pass *p, int64_t at) {
  const size_t mark = fc_arena_mark(c->arena);

  if (!c->dry) fc_march_shift(p->window, target_of(c, s, p, at)->x, p->B, n->frames.n_in, p->k, s->out_len);
  fc_step_end(c, mark);
}

double fc_pass_run(fc_ctx *c, const fc_network *n, const fc_source *s, const fc_train_settings *t,
                   const fc_pass *p) {
  const int64_t calls = t->teacher_calls;
  double        loss  = 0;

  FC_ASSERT((p->pushes + calls) * p->k <= p->n_target, "a pass of %lld x %lld frames on windows of %lld",
            (long long)(p->pushes + calls), (long long)p->k, (long long)p->n_target);
  c->training = true;
  for (int64_t i = 0; i < p->pushes; i++) push(c, n, s, p);
  for (int64_t i = 0; i < calls; i++) {
    loss += learn(c, n, s, t, p, (p->pushes + i) * p->k) / (double)calls;
    if (i < calls - 1) shift_truth(c, n, s, p, i * p->k);
  }
  c->training = false;
  c->draws    = 0;
  return loss;
}
