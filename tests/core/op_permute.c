/* tests/core/op_permute.c */
#include "tests/check.h"

#define PERMUTE(name, ...)                                                                                   \
  static fc_tensor *name(fc_ctx *c, fc_tensor **in) { return fc_permute(c, in[0], (int[]){__VA_ARGS__}); }
PERMUTE(swap, 1, 0)
PERMUTE(heads, 0, 2, 1, 3)
PERMUTE(channels_first, 0, 3, 1, 2)
PERMUTE(reverse, 3, 2, 1, 0)
PERMUTE(same, 0, 1, 2, 3)
PERMUTE(mixed, 2, 4, 1, 3, 0)

static void gradient(void) {
  check_op("permute_swap", swap, CHECK_INS({2, {3, 5}}), 0, 0);
  check_op("permute_heads", heads, CHECK_INS({4, {2, 5, 3, 4}}), 0, 0);
  check_op("permute_channels", channels_first, CHECK_INS({4, {2, 5, 3, 4}}), 0, 0);
  check_op("permute_reverse", reverse, CHECK_INS({4, {2, 5, 3, 4}}), 0, 0);
  check_op("permute_same", same, CHECK_INS({4, {2, 5, 3, 4}}), 0, 0);
  check_op("permute_units", heads, CHECK_INS({4, {1, 7, 1, 9}}), 0, 0); /* only an axis of length 1 moves */
  check_op("permute_mixed", mixed, CHECK_INS({5, {2, 3, 4, 5, 6}}), 0, 0);
}

static void gradient_large(void) {
  check_op("permute_swap_large", swap, CHECK_INS({2, {171, 263}}), 0, 0);
  check_op("permute_heads_large", heads, CHECK_INS({4, {2, 130, 5, 37}}), 0, 0);
  check_op("permute_run", heads, CHECK_INS({4, {1, 3, 2, 7000}}), 0, 0);
  check_op("permute_channels_large", channels_first, CHECK_INS({4, {3, 99, 65, 3}}), 0, 0);
  check_op("permute_reverse_large", reverse, CHECK_INS({4, {13, 17, 19, 11}}), 0, 0);
}

/* the definition, index by index */
static void definition(void) {
  fc_ctx          *c      = check_ctx();
  const int        axes[] = {2, 4, 1, 3, 0};
  fc_tensor       *x      = check_random(c, FC_DIMS(3, 4, 17, 2, 33));
  const fc_tensor *y      = fc_permute(c, x, axes);
  int64_t          i[5], wrong = 0;

  for (int64_t k = 0; k < fc_len(y); k++) {
    int64_t rest = k, at = 0;
    for (int a = 4; a >= 0; rest /= y->dim[a--]) i[axes[a]] = rest % y->dim[a];
    for (int a = 0; a < 5; a++) at = at * x->dim[a] + i[a];
    wrong += y->x[k] != x->x[at];
  }
  for (int a = 0; a < 5; a++) CHECK(y->dim[a] == x->dim[axes[a]]);
  CHECK(wrong == 0);
}

static void inverse_brings_back(void) {
  fc_ctx          *c = check_ctx();
  fc_tensor       *x = check_random(c, FC_DIMS(5, 40, 1, 33));
  fc_tensor       *y = fc_permute(c, x, (int[]){3, 0, 2, 1});
  const fc_tensor *z = fc_permute(c, y, (int[]){1, 3, 2, 0});

  CHECK(check_distance(z, x) == 0);
}

CHECK_SUITE(permute, gradient, gradient_large, definition, inverse_brings_back)
