/* tests/core/test_key_draws.c - the Mersenne Twister, and tables of keys for sparse attention. */
#include "core/nn/key_draws.h"
#include "tests/check.h"

/* the tenth thousandth word of the default seed is in the C++ standard, 26.6.5 */
static void known_words(void) {
  fc_mersenne m;
  uint32_t    x = 0;

  fc_mersenne_seed(&m, 5489);
  CHECK(fc_mersenne_next(&m) == 3499211612u);
  for (int i = 1; i < 10000; i++) x = fc_mersenne_next(&m);
  CHECK(x == 4123659995u);
}

static fc_tensor *draw(fc_ctx *c, fc_key_draws *d, int64_t queries, int64_t samples, int64_t keys) {
  fc_tensor *t = fc_key_draws_next(c, d, queries, samples, keys);

  for (int64_t i = 0; i < fc_len(t); i++)
    CHECK(t->x[i] >= 0 && t->x[i] < (fc_real)keys && (double)t->x[i] == floor((double)t->x[i]));
  return t;
}

/* torch.manual_seed(0); torch.randint(10, (5,)) gives 4 9 3 0 3, and the next call goes on: 9 7 3 7 3 */
static void as_torch(void) {
  static const int want[] = {4, 9, 3, 0, 3, 9, 7, 3, 7, 3};
  fc_ctx          *c      = check_ctx();
  fc_key_draws     d;

  fc_key_draws_start(&d, c, FC_DRAW_TORCH, 0);
  const fc_tensor *a = draw(c, &d, 5, 1, 10), *b = draw(c, &d, 1, 5, 10);
  for (int i = 0; i < 5; i++) {
    CHECK_NEAR(a->x[i], want[i], 0);
    CHECK_NEAR(b->x[i], want[5 + i], 0);
  }
}

static bool same(const fc_tensor *a, const fc_tensor *b) { return check_distance(a, b) == 0; }

/* outside training neither the seed of the run nor the step plays a part, in training both do */
static void repeats(void) {
  fc_ctx      *c = check_ctx();
  fc_key_draws d;

  for (int kind = FC_DRAW_COUNTER; kind <= FC_DRAW_TORCH; kind++) {
    fc_tensor *t[5];
    for (int i = 0; i < 5; i++) {
      c->seed     = i == 4 ? 8 : 7;
      c->step     = (uint64_t)(i == 0 ? 3 : i == 3 ? 4 : 2);
      c->training = i > 1;
      fc_key_draws_start(&d, c, (fc_draw_kind)kind, 5);
      t[i] = draw(c, &d, 30, 4, 30);
      CHECK(!same(draw(c, &d, 30, 4, 30), t[i])); /* calls differ */
    }
    CHECK(same(t[0], t[1]));
    CHECK(!same(t[1], t[2]) && !same(t[2], t[3]));
    if (kind == FC_DRAW_COUNTER) CHECK(!same(t[2], t[4]));
    c->training = false;
    fc_key_draws_start(&d, c, (fc_draw_kind)kind, 6);
    CHECK(!same(draw(c, &d, 30, 4, 30), t[0]));
    c->seed = c->step = 0;
  }
}

/* 700 x 12 numbers below 7: each about 1200 times, standard deviation 32 */
static void even(void) {
  fc_ctx      *c        = check_ctx();
  int          count[7] = {0};
  fc_key_draws d;

  fc_key_draws_start(&d, c, FC_DRAW_COUNTER, 1);
  const fc_tensor *t = draw(c, &d, 700, 12, 7);
  for (int64_t i = 0; i < fc_len(t); i++) count[(int)t->x[i]]++;
  for (int k = 0; k < 7; k++) CHECK(abs(count[k] - 1200) < 160);
}

CHECK_SUITE(key_draws, known_words, as_torch, repeats, even)
