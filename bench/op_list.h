/* bench/op_list.h - the operations that are timed, at the sizes of the published FactFormer. */
#ifndef FC_BENCH_OP_LIST_H
#define FC_BENCH_OP_LIST_H
#include "core/ops.h"

enum { BENCH_MAX_IN = 5 };

typedef enum {
  BENCH_STATE,   /* an activation: its gradient is a buffer of the step */
  BENCH_WEIGHT,  /* a parameter: its gradient block exists and is added to */
  BENCH_CONSTANT /* no gradient */
} bench_role;

typedef struct bench_in {
  bench_role role;
  int        ndim;
  int64_t    dim[FC_MAX_DIMS];
} bench_in;

typedef struct bench_op {
  const char *name, *shape;
  fc_tensor *(*apply)(fc_ctx *c, fc_tensor **in);
  bool     rereads; /* backward reads the inputs again, not the incoming gradient alone */
  bench_in in[BENCH_MAX_IN];
} bench_op;

extern const bench_op bench_op_list[]; /* ends with a NULL name */
#endif
