/* train/shares.h - what each rank of a domain has of a model's inputs and outputs (fc_sharing). */
#ifndef FC_SHARES_H
#define FC_SHARES_H
#include "core/domain.h"
#include "core/model.h"

/* of input `name` of the whole batch, NULL: of the output; everything is whole where nobody shares */
fc_part fc_part_of(const fc_ctx *c, const fc_model_def *def, const void *self, const fc_batch *whole,
                   const char *name);
/* this rank's part of x */
fc_tensor *fc_part_take(fc_ctx *c, const fc_part *p, fc_tensor *x);
/* the parts of all ranks together, on every rank: for comparisons, not for fields of size */
fc_tensor *fc_part_join(fc_ctx *c, const fc_part *p, fc_tensor *own);
#endif
