/* tests/core/op_embedding.c - rows of a table by number. */
#include "tests/check.h"

/* numbers 0 .. 4, two of them twice */
static fc_tensor *rows(fc_ctx *c, fc_tensor **in) {
  static const int64_t number[6] = {3, 0, 3, 4, 1, 1};
  fc_tensor           *index     = fc_tensor_new(c->arena, FC_DIMS(2, 3));

  for (int i = 0; i < 6; i++) index->x[i] = (fc_real)number[i];
  return fc_embedding(c, in[0], index);
}

static void gradient(void) { check_op("embedding", rows, CHECK_INS({2, {5, 7}}), 0, 0); }

static void takes_the_rows(void) {
  fc_ctx          *c     = check_ctx();
  fc_tensor       *table = check_random(c, FC_DIMS(5, 7));
  const fc_tensor *y     = rows(c, &table);

  CHECK(y->ndim == 3 && y->dim[0] == 2 && y->dim[1] == 3 && y->dim[2] == 7);
  for (int64_t j = 0; j < 7; j++) {
    CHECK_NEAR(y->x[j], table->x[3 * 7 + j], 0);
    CHECK_NEAR(y->x[3 * 7 + j], table->x[4 * 7 + j], 0);
  }
}

CHECK_SUITE(embedding, gradient, takes_the_rows)
