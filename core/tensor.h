/* core/tensor.h - a shaped, contiguous, row-major array (PyTorch axis order). */
#ifndef FC_TENSOR_H
#define FC_TENSOR_H
#include "core/arena.h"

#define FC_MAX_DIMS 7

typedef struct fc_tensor {
  int               ndim; /* 0 is a scalar */
  int64_t           dim[FC_MAX_DIMS];
  fc_real          *x; /* values; owned by an arena or by the parameter store */
  fc_real          *g; /* gradient, same shape; NULL until someone needs it */
  bool              needs_grad;
  bool              is_param;  /* g belongs to the parameter store */
  bool              has_grad;  /* a backward pass has reached this tensor */
  bool              kept;      /* values must survive backward (fc_keep) */
  int64_t           first_use; /* of a parameter: nodes on the tape before the first that needs it */
  struct fc_tensor *owner;     /* whose values x shares; NULL: its own or not of the arena */
} fc_tensor;

#define FC_DIMS(...)                                                                                         \
  (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]) { __VA_ARGS__ }

fc_tensor *fc_tensor_new(fc_arena *a, int ndim, const int64_t *dim); /* values not cleared */
fc_tensor *fc_tensor_borrow(fc_arena *a, fc_real *x, int ndim, const int64_t *dim);
/* x's values under another shape */
fc_tensor  *fc_tensor_view(fc_arena *a, fc_tensor *x, int ndim, const int64_t *dim);
int64_t     fc_len(const fc_tensor *t);
int64_t     fc_last(const fc_tensor *t);                   /* length of the last axis; 1 for a scalar */
int64_t     fc_rows(const fc_tensor *t);                   /* product of all but the last axis */
int64_t     fc_span(const fc_tensor *t, int from, int to); /* product of axes from .. to-1 */
bool        fc_same_shape(const fc_tensor *a, const fc_tensor *b);
const char *fc_shape_text(const fc_tensor *t); /* "[2, 64, 128]", for messages; valid for the next 7 calls */
const char *fc_dims_text(int ndim, const int64_t *dim);
#endif
