/* tests/core/op_resize.c */
#include "tests/check.h"

#define RESIZE(name, n, ...)                                                                                 \
  static fc_tensor *name(fc_ctx *c, fc_tensor **in) {                                                        \
    return fc_resize_nearest(c, in[0], n, (const int64_t[]){__VA_ARGS__});                                   \
  }
RESIZE(up, 1, 7)
RESIZE(down, 1, 3)
RESIZE(plane, 2, 9, 3)
RESIZE(plane_large, 2, 96, 110)
RESIZE(box, 3, 4, 3, 7)

/* coarser grids leave points out, so the sum of both sizes is checked */
static void gradient(void) {
  check_op("resize_up", up, CHECK_INS({3, {2, 5, 3}}), 0, 0);
  check_op("resize_down", down, CHECK_INS({3, {2, 8, 1}}), 0, 0);
  check_op("resize_plane", plane, CHECK_INS({4, {2, 5, 4, 3}}), 0, 0);
  check_op("resize_plane_large", plane_large, CHECK_INS({4, {2, 48, 33, 5}}), 0, 0);
  check_op("resize_box", box, CHECK_INS({5, {2, 2, 5, 3, 2}}), 0, 0);
}

static void indices(void) {
  fc_ctx    *c       = check_ctx();
  fc_tensor *x       = fc_tensor_new(c->arena, FC_DIMS(1, 5, 1));
  const int  finer[] = {0, 0, 1, 2, 2, 3, 4}, coarser[] = {0, 1, 3};

  for (int i = 0; i < 5; i++) x->x[i] = (fc_real)i;
  const fc_tensor *y = fc_resize_nearest(c, x, 1, (const int64_t[]){7}); /* floor(5 i / 7) */
  const fc_tensor *z = fc_resize_nearest(c, x, 1, (const int64_t[]){3}); /* floor(5 i / 3) */
  for (int i = 0; i < 7; i++) CHECK_NEAR(y->x[i], finer[i], 0);
  for (int i = 0; i < 3; i++) CHECK_NEAR(z->x[i], coarser[i], 0);
}

static void doubling_and_back(void) {
  fc_ctx    *c = check_ctx();
  fc_tensor *x = check_random(c, FC_DIMS(2, 6, 5, 4, 3));
  fc_tensor *y = fc_resize_nearest(c, x, 3, (const int64_t[]){12, 10, 8});

  CHECK(check_distance(fc_resize_nearest(c, y, 3, (const int64_t[]){6, 5, 4}), x) == 0);
}

CHECK_SUITE(resize, gradient, indices, doubling_and_back)
