/* tests/check_model.h - one call tests a whole model as check_op tests an operation. */
#ifndef FC_CHECK_MODEL_H
#define FC_CHECK_MODEL_H
#include "core/model.h"
#include "tests/check.h"

typedef struct check_net {
  const fc_model_def *def;
  void               *self;
  fc_params          *params;
} check_net;

/* options as "key=value" with blanks between; what init says is returned, weights are there if it is FC_OK */
fc_status check_net_try(const fc_model_def *def, const char *options, check_net *out);
check_net check_net_build(const fc_model_def *def, const char *options); /* must succeed */
void      check_net_drop(check_net *n);

typedef struct check_input { /* random numbers under an official name */
  const char *name;
  check_in    in;
} check_input;

/* check_op with all trained weights and the inputs as what may vary: gradients in double, float against
   double, bits for any number of threads, recomputation, dry run. tests/operators/model_*.c are built in both
   precisions. */
void check_model(const char *name, const fc_model_def *def, const char *options, int n_in,
                 const check_input *in);
#define CHECK_INPUTS(...)                                                                                    \
  (int)(sizeof((check_input[]){__VA_ARGS__}) / sizeof(check_input)), (check_input[]) { __VA_ARGS__ }
#endif
