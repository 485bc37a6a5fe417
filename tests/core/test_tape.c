/* tests/core/test_tape.c */
#include "tests/check.h"

enum { N = 1 << 16, DEPTH = 20 };

static const size_t BYTES = N * sizeof(fc_real);

static fc_tensor *leaf(fc_ctx *c, int64_t n) {
  fc_tensor *x  = check_random(c, FC_DIMS(n));
  x->needs_grad = true;
  return x;
}

static fc_tensor *chain(fc_ctx *c, fc_tensor *x, int depth) {
  for (int i = 0; i < depth; i++) x = fc_activate(c, x, FC_ACT_TANH);
  return x;
}

/* ---- recording ---- */

static void records_only_what_is_needed(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(8));

  chain(c, x, 2);
  CHECK(c->tape == NULL);
  c->grad = true;
  CHECK(!chain(c, x, 2)->needs_grad && c->tape == NULL);
  x->needs_grad = true;
  CHECK(chain(c, x, 2)->needs_grad && c->tape != NULL);
  fc_step_end(c, 0);
  CHECK(c->tape == NULL && fc_arena_mark(c->arena) == 0);
}

/* y = sum(a b + a) reaches a on two ways: dy/da = b + 1, dy/db = a */
static void ways_add_up(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *a = leaf(c, 100), *b = leaf(c, 100);

  c->grad         = true;
  fc_tensor *loss = fc_sum_all(c, fc_add(c, fc_mul(c, a, b), a));
  fc_backward(c, loss);
  for (int i = 0; i < 100; i++) {
    CHECK_NEAR(a->g[i], b->x[i] + 1, 1e-6);
    CHECK_NEAR(b->g[i], a->x[i], 0);
  }
  CHECK(a->has_grad && b->has_grad && c->tape == NULL);
}

static void unreached_stay_untouched(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *a = leaf(c, 10), *b = leaf(c, 10);

  c->grad = true;
  chain(c, b, 3); /* recorded, but the loss does not depend on it */
  fc_backward(c, fc_sum_all(c, a));
  CHECK(a->has_grad && !b->has_grad && b->g == NULL);
}

/* ---- memory ---- */

/* leaves, kept tensors and small tensors hold their values; the rest may be recycled */
static void values_survive(void) {
  fc_ctx    *c      = check_ctx();
  fc_tensor *x      = leaf(c, N), *kept, *loss;
  fc_real   *before = fc_arena_push(c->arena, BYTES), *middle = fc_arena_push(c->arena, BYTES);

  memcpy(before, x->x, BYTES);
  c->grad = true;
  kept    = chain(c, x, 3);
  memcpy(middle, kept->x, BYTES);
  fc_keep(kept);
  loss               = fc_mean_axes(c, chain(c, kept, 5), 1);
  const fc_real mean = loss->x[0];
  fc_backward(c, loss);
  CHECK(memcmp(before, x->x, BYTES) == 0);
  CHECK(memcmp(middle, kept->x, BYTES) == 0);
  CHECK(loss->x[0] == mean);
}

/* DEPTH activations live through the forward; gradients live in what is freed on the way back */
static void peak_of_a_chain(void) {
  fc_ctx      *c    = check_ctx();
  fc_tensor   *x    = leaf(c, N);
  const size_t mark = fc_arena_mark(c->arena);

  c->grad = true;
  fc_arena_peak_reset(c->arena);
  fc_backward(c, fc_sum_all(c, chain(c, x, DEPTH)));
  const size_t peak = fc_arena_peak(c->arena) - mark;
  CHECK(peak >= DEPTH * BYTES);
  CHECK(peak <= (DEPTH + 3) * BYTES);
  CHECK(x->g != NULL);
}

/* ---- fc_compact ---- */

static void rollout_does_not_grow(void) {
  fc_ctx       *c     = check_ctx();
  const size_t  mark  = fc_arena_mark(c->arena);
  fc_tensor    *x     = check_random(c, FC_DIMS(N)), *y;
  const fc_real first = x->x[N - 1];
  double        want  = (double)first;
  size_t        used  = 0;

  for (int i = 0; i < 10; i++) {
    y    = fc_affine(c, fc_affine(c, x, 0.5, 0), 1, 1);
    x    = fc_compact(c, mark, y);
    want = want / 2 + 1;
    CHECK_NEAR(x->x[N - 1], want, 1e-6);
    if (i == 0) used = fc_arena_mark(c->arena);
    CHECK(fc_arena_mark(c->arena) == used);
  }
  CHECK(used <= mark + BYTES + 1024);
}

static void compact_leaves_a_recording_alone(void) {
  fc_ctx      *c    = check_ctx();
  const size_t mark = fc_arena_mark(c->arena);
  fc_tensor   *x    = leaf(c, 10);

  c->grad = true;
  CHECK(fc_compact(c, mark, x) == x);
  c->grad                = false;
  const size_t     later = fc_arena_mark(c->arena);
  const fc_real   *old   = x->x;
  const fc_tensor *y     = fc_compact(c, later, x); /* values below the mark stay where they are */
  CHECK(y->x == old);
}

/* ---- fc_checkpoint ---- */

static fc_tensor *tanh_block(fc_ctx *c, const void *self, int n_in, fc_tensor *const *in) {
  (void)n_in;
  return fc_mul(c, chain(c, in[0], 4), *(fc_tensor *const *)self);
}
static fc_tensor *dropout_block(fc_ctx *c, const void *self, int n_in, fc_tensor *const *in) {
  (void)self, (void)n_in;
  return fc_dropout(c, fc_dropout(c, in[0], 0.3), 0.3);
}
static fc_tensor *nothing_block(fc_ctx *c, const void *self, int n_in, fc_tensor *const *in) {
  (void)c, (void)self, (void)n_in;
  return in[0];
}

/* five blocks on x, recomputed or not; returns the gradient and the peak */
static fc_real *through_blocks(fc_ctx *c, bool recompute, fc_tensor *x, fc_tensor *w, size_t *peak) {
  const size_t mark = fc_arena_mark(c->arena);
  fc_tensor   *y    = x;

  x->g = NULL;
  memset(w->g, 0, BYTES);
  c->grad = true;
  fc_arena_peak_reset(c->arena);
  for (int i = 0; i < 5; i++)
    y = recompute ? fc_checkpoint(c, tanh_block, &w, 1, &y) : tanh_block(c, &w, 1, &y);
  fc_backward(c, fc_sum_all(c, y));
  *peak = fc_arena_peak(c->arena) - mark;
  return x->g;
}

/* w stands for a weight: its gradient buffer exists before the step */
static void recomputation_is_exact_and_smaller(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = leaf(c, N), *w = leaf(c, N);
  fc_real   *keep = fc_arena_push(c->arena, BYTES), *keep_w = fc_arena_push(c->arena, BYTES);
  size_t     plain, small;

  w->g = fc_arena_push(c->arena, BYTES);
  memcpy(keep, through_blocks(c, false, x, w, &plain), BYTES);
  memcpy(keep_w, w->g, BYTES);
  fc_recycle_clear(c->recycle);
  const fc_real *g = through_blocks(c, true, x, w, &small);
  CHECK(memcmp(g, keep, BYTES) == 0);
  CHECK(memcmp(w->g, keep_w, BYTES) == 0);
  CHECK(plain >= 25 * BYTES); /* five activations in each of five blocks */
  CHECK(small <= 16 * BYTES); /* five outputs, one block open, gradients */
}

/* dropout inside a block draws the same mask again; the next block draws another */
static void recomputation_repeats_masks(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = leaf(c, 5000), *y;

  c->grad = c->training = true;
  y                     = fc_checkpoint(c, dropout_block, NULL, 1, &x);
  CHECK(c->draws == 2);
  y = fc_checkpoint(c, dropout_block, NULL, 1, &y);
  fc_keep(y);
  fc_backward(c, fc_sum_all(c, y));
  int64_t wrong = 0, zero = 0;
  for (int i = 0; i < 5000; i++) {
    wrong += fabs((double)(x->g[i] * x->x[i] - y->x[i])) > 1e-5; /* y is linear in x */
    zero += x->g[i] == 0;
  }
  CHECK(wrong == 0);
  CHECK(zero > 3500 && zero < 4000); /* 1 - 0.7^4 = 0.76 of 5000, 200 is more than six deviations */
}

/* a block that hands its input through (dropout outside training) */
static void empty_block(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = leaf(c, 6);

  c->grad      = true;
  fc_tensor *y = fc_checkpoint(c, nothing_block, NULL, 1, &x);
  fc_backward(c, fc_sum_all(c, fc_add(c, fc_affine(c, x, 2, 0), y)));
  for (int i = 0; i < 6; i++) CHECK_NEAR(x->g[i], 3, 0);
}

/* and one whose input already has a gradient, from a later use */
static void empty_block_adds(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = leaf(c, 6);

  c->grad      = true;
  fc_tensor *y = fc_checkpoint(c, nothing_block, NULL, 1, &x);
  fc_tensor *z = fc_affine(c, x, 2, 0); /* newer on the tape: runs first */
  fc_backward(c, fc_sum_all(c, fc_mul(c, y, z)));
  for (int i = 0; i < 6; i++) CHECK_NEAR(x->g[i], 4 * x->x[i], 1e-5);
}

/* its output shares the input's values, which must not be recycled before the input's producer has run */
static void empty_block_shares_values(void) {
  fc_ctx    *c    = check_ctx();
  fc_tensor *x    = leaf(c, N);
  fc_real   *want = fc_arena_push(c->arena, BYTES);

  c->grad = true;
  fc_backward(c, fc_sum_all(c, chain(c, chain(c, x, 3), 3)));
  memcpy(want, x->g, BYTES);
  x->g = NULL;
  fc_recycle_clear(c->recycle);
  fc_tensor       *y = chain(c, x, 3);
  const fc_tensor *z = fc_checkpoint(c, nothing_block, NULL, 1, &y);
  CHECK(z->x == y->x && z->owner == y);
  fc_backward(c, fc_sum_all(c, chain(c, (fc_tensor *)z, 3)));
  CHECK(memcmp(want, x->g, BYTES) == 0);
}

CHECK_SUITE(tape, records_only_what_is_needed, ways_add_up, unreached_stay_untouched, values_survive,
            peak_of_a_chain, rollout_does_not_grow, compact_leaves_a_recording_alone,
            recomputation_is_exact_and_smaller, recomputation_repeats_masks, empty_block, empty_block_adds,
            empty_block_shares_values)
