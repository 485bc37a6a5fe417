/* core/ops/shard_turn.h - private to operations over shares: the transposition of shards inside a kernel. */
#ifndef FC_SHARD_TURN_H
#define FC_SHARD_TURN_H
#include "core/domain.h"

/* [outer, a, middle, b, inner], whose axis a or b is cut */
typedef struct fc_shard_turn {
  int64_t outer, middle, inner;
  fc_cut  a, b;
} fc_shard_turn;

/* from an array cut along a (cut_a, else along b) to one cut along the other: to (+)= from */
void fc_turn_shards(fc_ctx *c, const fc_shard_turn *t, bool cut_a, fc_real *from, fc_real *to, bool add);
#endif
