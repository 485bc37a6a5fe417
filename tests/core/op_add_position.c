/* tests/core/op_add_position.c */
#include "tests/check.h"

/* in: u, W, b, coordinates, frequencies; u is copied, because the op works in place */
static fc_tensor *position2(fc_ctx *c, fc_tensor **in) {
  fc_tensor **coord = memcpy(fc_arena_push(c->arena, 2 * sizeof *coord), in + 3, 2 * sizeof *coord);
  return fc_add_position(c, fc_affine(c, in[0], 1, 0), 2, coord, in[5], in[1], in[2]);
}

static void gradient(void) {
  /* float: the argument of the sine reaches some 30 rad, one rounding of it is 2e-6 */
  check_op(
      "add_position", position2,
      CHECK_INS({4, {1, 4, 3, 6}}, {2, {6, 6}}, {1, {6}}, {1, {4}, true}, {1, {3}, true}, {2, {2, 3}, true}),
      0, 1e-4);
  check_op("add_position_batch", position2,
           CHECK_INS({4, {3, 40, 31, 8}}, {2, {8, 8}}, {1, {8}}, {1, {40}, true}, {1, {31}, true},
                     {2, {2, 4}, true}),
           0, 1e-4);
}

/* the same as its parts: features, linear map, sum */
static void equals_its_parts(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *u = check_random(c, FC_DIMS(2, 5, 4, 6)), *W = check_random(c, FC_DIMS(6, 6)),
            *b        = check_random(c, FC_DIMS(6));
  fc_tensor *coord[2] = {check_random(c, FC_DIMS(5)), check_random(c, FC_DIMS(4))},
            *B        = check_random(c, FC_DIMS(2, 3));
  fc_tensor *parts    = fc_add(c, u, fc_linear_op(c, fc_fourier_code(c, 2, coord, B), W, b, FC_ACT_NONE));

  CHECK(check_distance(fc_add_position(c, fc_affine(c, u, 1, 0), 2, coord, B, W, b), parts) <
        1e-6); /* one more rounding */
}

CHECK_SUITE(add_position, gradient, equals_its_parts)
