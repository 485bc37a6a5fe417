/* train/points_items.h - all frames of a range of samples that can be predicted, each known by its number;
   read from disk, or from memory when the data fits. */
#ifndef FC_POINTS_ITEMS_H
#define FC_POINTS_ITEMS_H
#include "train/points_batch.h"

typedef struct fc_points_items fc_points_items;

/* Samples lo .. hi-1 of p, which must outlive the items. Loads the cache if all takes no more than
 * cache_bytes. */
fc_status fc_points_items_create(fc_points *p, int64_t lo, int64_t hi, int64_t cache_bytes,
                                 fc_points_items **out);
void      fc_points_items_destroy(fc_points_items *k); /* NULL is fine */
int64_t   fc_points_items_size(const fc_points_items *k);
bool      fc_points_items_cached(const fc_points_items *k);
int64_t   fc_points_items_bytes(const fc_points_items *k); /* what a cache would take */
/* sample and frame of item i; items are ordered by sample, then frame */
void fc_points_items_at(const fc_points_items *k, int64_t i, int64_t *sample, int64_t *frame);
/* appends item i to a batch. Not for two threads at a time unless cached. */
fc_status fc_points_items_add(fc_points_items *k, int64_t i, fc_points_batch *b);
#endif
