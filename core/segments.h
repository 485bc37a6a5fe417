/* core/segments.h - ragged batches: the rows of all samples lie one after the other, nothing is padded.
   Sample b owns rows at[b] .. at[b+1]-1; at[0] = 0, at[n] = number of rows. */
#ifndef FC_SEGMENTS_H
#define FC_SEGMENTS_H
#include "core/batch.h"

typedef struct fc_segments {
  int64_t  n;
  int64_t *at; /* [n + 1], on the arena */
} fc_segments;

/* n samples of equal length */
fc_segments fc_segments_equal(fc_arena *a, int64_t n, int64_t length);
/* from a batch's lengths [n] (integers stored as numbers). Also in dry contexts the values are read. */
fc_segments fc_segments_of(fc_arena *a, const fc_tensor *lengths);
int64_t     fc_segments_rows(const fc_segments *s);
int64_t     fc_segments_longest(const fc_segments *s);
/* FC_E_MISMATCH unless lengths [n] are positive integers that add up to rows; name is for the message */
fc_status fc_segments_check(const fc_tensor *lengths, const char *name, int64_t rows);
#endif
