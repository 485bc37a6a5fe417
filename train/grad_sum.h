/* train/grad_sum.h - gradients summed over all ranks while the backward pass goes on: the block of gradients
   is cut in buckets, and a bucket is sent when no node is left that could add to it. */
#ifndef FC_GRAD_SUM_H
#define FC_GRAD_SUM_H
#include "core/params.h"
#include "core/tape.h"

typedef struct fc_grad_sum fc_grad_sum;

enum { FC_GRAD_BUCKET = 1 << 18 }; /* numbers; smaller buckets cost more messages, larger ones start later */

/* least: numbers of a bucket at least. Collective. One rank: *out is NULL, which all functions take. */
fc_status fc_grad_sum_create(fc_params *p, int64_t least, fc_grad_sum **out);
void      fc_grad_sum_destroy(fc_grad_sum *g);
/* The next backward pass of c is the last one of this step: watch it. To be called before its forward pass.
 */
void fc_grad_sum_watch(fc_grad_sum *g, fc_ctx *c);
/* sends what is left and waits for all; works without a watched pass too */
fc_status fc_grad_sum_finish(fc_grad_sum *g, fc_ctx *c);
/* buckets, and how many of them were on their way before the last node of the pass ran */
int fc_grad_sum_buckets(const fc_grad_sum *g);
int fc_grad_sum_early(const fc_grad_sum *g);
#endif
