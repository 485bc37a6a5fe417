/* train/feed_points.h - frames of points as a feed. */
#ifndef FC_FEED_POINTS_H
#define FC_FEED_POINTS_H
#include "train/feed.h"
#include "train/points_items.h"

typedef struct fc_points_feed {
  fc_points              train, valid;
  fc_points_items       *train_items, *valid_items; /* valid_items NULL: no validation data */
  const fc_process_grid *ranks;
} fc_points_feed;

/* Scores of up to max_items items of k, spread evenly, divided among the groups of ranks; with history,
   predictions are fed back for up to `frames` frames. Collective. */
fc_status fc_points_validate(fc_ctx *c, const fc_network *n, fc_points *p, const fc_points_items *k,
                             const fc_process_grid *ranks, int64_t max_items, int64_t frames, fc_scores *out);
#endif
