/* core/batch.h - what data sources hand to models: tensors under the official
   input names (u, pos_x, x_enc, ...), as the golden cases store them. */
#ifndef FC_BATCH_H
#define FC_BATCH_H
#include "core/tape.h"

enum { FC_BATCH_MAX = 64 };

typedef struct fc_batch {
  int         n;
  const char *name[FC_BATCH_MAX]; /* borrowed */
  fc_tensor  *t[FC_BATCH_MAX];
} fc_batch;

fc_tensor *fc_batch_get(const fc_batch *b, const char *name); /* NULL if absent */
void       fc_batch_put(fc_batch *b, const char *name, fc_tensor *t);

/* Checks that an input is there and fits. shape letters: a number is demanded, -1 takes any length. */
fc_status fc_batch_need(const fc_batch *b, const char *name, int ndim, const int64_t *dim, fc_tensor **out);
/* an integer given as a one-element tensor, def if absent */
fc_status fc_batch_int(const fc_batch *b, const char *name, int64_t def, int64_t lo, int64_t hi,
                       int64_t *out);
#endif
