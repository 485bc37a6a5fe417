/* tests/core/op_attention_onto.c - gradients, and the same as attention of separate tensors. */
#include "tests/check.h"

static fc_tensor *two(fc_ctx *c, fc_tensor **in) { return fc_attention_onto(c, in[0], 2, 0.7); }
static fc_tensor *wide(fc_ctx *c, fc_tensor **in) { return fc_attention_onto(c, in[0], 9, 0.3); }
/* the input is read elsewhere too: its gradient is added to */
static fc_tensor *twice(fc_ctx *c, fc_tensor **in) {
  return fc_add(c, fc_attention_onto(c, in[0], 2, 0.7), fc_slice(c, in[0], 2, 3, 3));
}

static void gradient(void) {
  check_op("attention_onto", two, CHECK_INS({3, {3, 5, 10}}), 0, 0);
  check_op("attention_onto_one_token", two, CHECK_INS({3, {2, 1, 6}}), 0, 0);
  check_op("attention_onto_twice", twice, CHECK_INS({3, {2, 4, 10}}), 0, 0);
  check_op("attention_onto_samples", wide, CHECK_INS({3, {70, 7, 60}}), 0, 0);
  check_op("attention_onto_tokens", wide, CHECK_INS({3, {2, 50, 60}}), 0, 0); /* beyond small products */
}

/* columns first .. first + len as [B, 1, n, len] */
static fc_tensor *columns(fc_ctx *c, fc_tensor *x, int64_t first, int64_t len) {
  return fc_reshape(c, fc_slice(c, x, 2, first, len), FC_DIMS(x->dim[0], 1, x->dim[1], len));
}

static void as_attention(int64_t n) {
  enum { E = 5, P = 12 };
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(3, n, 2 * E + 2 * P)), *y, *want;

  y    = fc_attention_onto(c, x, E, 0.4);
  want = fc_attention(c, columns(c, x, 0, E), columns(c, x, E, E), columns(c, x, 2 * E + P, P), NULL, 0.4);
  want = fc_add(c, want, columns(c, x, 2 * E, P));
  CHECK(check_distance(fc_reshape(c, y, want->ndim, want->dim), want) < 2e-6);
}

static void as_separate_tensors_give(void) {
  as_attention(7);
  as_attention(60);
}

CHECK_SUITE(attention_onto, gradient, as_separate_tensors_give)
