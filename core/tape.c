/* core/tape.c - the context, gradient buffers and the backward walk. */
#include "core/tape.h"

#include "core/parallel.h"
#include "core/spans.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

fc_status fc_ctx_create(size_t reserve_bytes, bool dry, fc_ctx **out) {
  fc_ctx *c = calloc(1, sizeof *c);

  FC_REQUIRE(c, FC_E_SYSTEM, "no memory for a context");
  fc_parallel_start();
  if (!reserve_bytes) reserve_bytes = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
  c->dry      = dry;
  c->recycle  = calloc(1, sizeof *c->recycle);
  fc_status s = c->recycle ? fc_arena_create(reserve_bytes, !dry, &c->arena)
                           : fc_fail(FC_E_SYSTEM, "no memory for a context");
  if (s != FC_OK) {
    free(c->recycle);
    free(c);
  } else {
    *out = c;
  }
  return s;
}

void fc_ctx_destroy(fc_ctx *c) {
  if (!c) return;
  if (c->fft) c->fft_close(c->fft);
  fc_arena_destroy(c->arena);
  free(c->recycle);
  free(c);
}

bool fc_needs_record(const fc_ctx *c, int n_in, fc_tensor *const *in) {
  if (!c->grad) return false;
  for (int i = 0; i < n_in; i++)
    if (in[i] && in[i]->needs_grad) return true;
  return false;
}

/* what the next node will have cost counts from here */
static void start_count(fc_ctx *c) {
  c->flops_recorded    = c->flops;
  c->sent_recorded     = c->sent;
  c->messages_recorded = c->messages;
}

static void leave_node(fc_ctx *c, const fc_op *op, fc_tensor *out, void *saved, int n_in,
                       fc_tensor *const *in) {
  fc_node *n = fc_arena_push(c->arena, sizeof *n + (size_t)n_in * sizeof *in);

  *n = (fc_node){.op       = op,
                 .out      = out,
                 .in       = (fc_tensor **)(n + 1),
                 .n_in     = n_in,
                 .saved    = saved,
                 .flops    = c->flops - c->flops_recorded,
                 .sent     = c->sent - c->sent_recorded,
                 .messages = c->messages - c->messages_recorded,
                 .prev     = c->tape,
                 .end      = fc_arena_top(c->arena)};
  start_count(c);
  memcpy(n->in, in, (size_t)n_in * sizeof *in);
  out->needs_grad = true;
  c->tape         = n;
  c->nodes++;
}

/* also inside blocks that will be run again: they belong to the node that comes next */
static void note_use(const fc_ctx *c, int n_in, fc_tensor *const *in) {
  for (int i = 0; i < n_in; i++)
    if (in[i] && in[i]->is_param) in[i]->first_use = fc_min64(in[i]->first_use, c->nodes);
}

fc_tensor *fc_record(fc_ctx *c, const fc_op *op, fc_tensor *out, void *saved, int n_in,
                     fc_tensor *const *in) {
  if (c->node_done) note_use(c, n_in, in);
  if (fc_needs_record(c, n_in, in)) leave_node(c, op, out, saved, n_in, in);
  return out;
}

/* ---- gradient buffers ---- */

static fc_real *take_buffer(fc_ctx *c, size_t bytes) {
  fc_real *x = fc_recycle_take(c->recycle, bytes);

  return x ? x : fc_arena_push(c->arena, bytes);
}

static void give_back(fc_ctx *c, void *lo, void *hi) {
#ifdef FC_POISON
  if (!c->dry && hi > lo) memset(lo, 0xff, (size_t)((char *)hi - (char *)lo));
#endif
  fc_recycle_add(c->recycle, lo, hi);
}

static size_t bytes_of(const fc_tensor *t) { return (size_t)fc_len(t) * sizeof(fc_real); }

fc_real *fc_grad_raw(fc_ctx *c, fc_tensor *t, bool *fresh) {
  *fresh = false;
  if (!t || !t->needs_grad) return NULL;
  t->has_grad = true;
  if (!t->g) {
    t->g   = take_buffer(c, bytes_of(t));
    *fresh = true;
  }
  return t->g;
}

fc_real *fc_grad(fc_ctx *c, fc_tensor *t) {
  bool     fresh;
  fc_real *g = fc_grad_raw(c, t, &fresh);

  if (fresh && !c->dry) {
    const int64_t n = fc_len(t), chunk = 1 << 16;
    FC_FOR_ROWS(i, fc_ceil_div(n, chunk), chunk)
    memset(g + i * chunk, 0, (size_t)fc_min64(chunk, n - i * chunk) * sizeof *g);
  }
  return g;
}

void fc_grad_add(fc_ctx *c, fc_tensor *t, const fc_real *g) {
  bool          fresh;
  fc_real      *y     = fc_grad_raw(c, t, &fresh);
  const int64_t chunk = 1 << 14;

  if (!y || c->dry) return;
  const int64_t n = fc_len(t);
  FC_FOR_ROWS(i, fc_ceil_div(n, chunk), chunk) {
    const int64_t at = i * chunk, len = fc_min64(chunk, n - at);
    if (fresh)
      memcpy(y + at, g + at, (size_t)len * sizeof *y);
    else
      fc_span_add(y + at, g + at, len);
  }
}

void fc_grad_give(fc_ctx *c, const fc_node *n, fc_tensor *t) {
  if (!t || !t->needs_grad) return;
  if (t->g) {
    fc_grad_add(c, t, n->out->g);
    return;
  }
  t->g        = n->out->g;
  t->has_grad = true;
  n->out->g   = NULL;
}

/* ---- the walk ---- */

static void plan_backward(fc_ctx *c, const fc_node *n) {
  bool fresh;

  for (int i = 0; i < n->n_in; i++) fc_grad_raw(c, n->in[i], &fresh);
  c->flops += 2 * n->flops;
  c->sent += n->sent;
  c->messages += n->messages;
}

void fc_keep(fc_tensor *t) {
  t->kept = true;
  if (t->owner) t->owner->kept = true;
}

/* Returns the node before n, whose memory is gone afterwards. */
static const fc_node *run_node(fc_ctx *c, const fc_node *n) {
  const fc_node *prev = n->prev;
  fc_tensor     *out  = n->out;

  if (out->g) {
    if (c->dry && !n->op->runs_dry)
      plan_backward(c, n);
    else
      n->op->backward(c, n);
  }
  if (out->g) give_back(c, out->g, (char *)out->g + fc_arena_round(bytes_of(out)));
  out->g = NULL;
  if (!out->kept) give_back(c, prev ? prev->end : (char *)out, n->end);
  return prev;
}

static void walk(fc_ctx *c) {
  for (const fc_node *n = c->tape; n;) {
    n = run_node(c, n);
    c->nodes--;
    if (c->node_done) c->node_done(c->node_user, c->nodes);
  }
  c->tape = NULL;
}

void fc_backward_from(fc_ctx *c, fc_tensor *y, const fc_real *v) {
  FC_ASSERT(y->needs_grad, "fc_backward: nothing that needs a gradient led to this tensor of shape %s",
            fc_shape_text(y));
  fc_keep(y);
  fc_grad_add(c, y, v); /* y may have a gradient already: a block may return its input */
  walk(c);
}

void fc_backward(fc_ctx *c, fc_tensor *loss) {
  const fc_real one = 1;

  FC_ASSERT(fc_len(loss) == 1, "fc_backward wants one number, the loss has shape %s", fc_shape_text(loss));
  fc_backward_from(c, loss, &one);
}

void fc_observe(const fc_ctx *c, fc_shown as, const fc_tensor *t) {
  if (c->observer && as.what && !c->dry) c->observer->see(c->observer->user, as, t);
}

void fc_step_end(fc_ctx *c, size_t mark) {
  c->penalty = NULL;
  c->tape    = NULL;
  c->nodes   = 0;
  fc_recycle_clear(c->recycle);
  c->draws = 0;
  start_count(c);
  fc_arena_pop(c->arena, mark);
}

fc_tensor *fc_compact(fc_ctx *c, size_t mark, fc_tensor *x) {
  fc_tensor head = *x;

  if (c->grad) return x;
  if (fc_arena_above(c->arena, mark, x->x)) {
    head.x     = fc_arena_keep(c->arena, mark, x->x, bytes_of(x), !c->dry);
    head.owner = NULL;
  } else {
    head.owner = fc_arena_above(c->arena, mark, x) ? x->owner : x; /* the values are someone else's */
    fc_arena_pop(c->arena, mark);
  }
  fc_tensor *y = fc_arena_push(c->arena, sizeof *y);
  *y           = head;
  return y;
}

/* ---- block recomputation ---- */

typedef struct {
  fc_block_fn fn;
  const void *self;
  uint32_t    draws; /* so that the second run draws the same random numbers */
} block_call;

static void checkpoint_backward(fc_ctx *c, const fc_node *n) {
  const block_call *call = n->saved;
  fc_tensor       **in   = fc_arena_push(c->arena, (size_t)n->n_in * sizeof *in);

  for (int i = 0; i < n->n_in; i++) { /* leaves that share values and gradients with the real inputs */
    in[i] = n->in[i] ? fc_arena_push(c->arena, sizeof **in) : NULL;
    if (!in[i]) continue;
    fc_grad(c, n->in[i]);
    *in[i] = *n->in[i];
  }
  const size_t mark  = fc_arena_mark(c->arena);
  const fc_ctx outer = *c;
  fc_recycle   inner = {0}; /* what dies inside lies above the mark */
  c->tape            = NULL;
  /* cppcheck-suppress autoVariables ; put back below */
  c->recycle   = &inner;
  c->draws     = call->draws;
  c->node_done = NULL;
  start_count(c); /* what backward did so far is not the first node's */

  fc_tensor *y = call->fn(c, call->self, n->n_in, in);
  fc_backward_from(c, y, n->out->g);

  const fc_ctx after = *c;
  *c                 = outer;
  c->flops           = after.flops;
  c->sent            = after.sent;
  c->messages        = after.messages;
  c->domain_status   = after.domain_status;
  start_count(c);
  fc_arena_pop(c->arena, mark);
}

static const fc_op checkpoint = {"checkpoint", checkpoint_backward, true};

fc_tensor *fc_checkpoint(fc_ctx *c, fc_block_fn fn, const void *self, int n_in, fc_tensor *const *in) {
  if (!c->grad) return fn(c, self, n_in, in);
  block_call *call  = fc_arena_push(c->arena, sizeof *call);
  *call             = (block_call){fn, self, c->draws};
  const size_t mark = fc_arena_mark(c->arena);

  c->grad      = false;
  fc_tensor *y = fc_compact(c, mark, fn(c, self, n_in, in));
  c->grad      = true;
  leave_node(c, &checkpoint, y, call, n_in, in);
  return y;
}

fc_tensor *fc_block_plain(fc_ctx *c, fc_block_fn fn, const void *self, int n_in, fc_tensor *const *in) {
  return fn(c, self, n_in, in);
}
