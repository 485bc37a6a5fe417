/* train/feed_points.h - frames of points as a feed. */
#ifndef FC_FEED_POINTS_H
#define FC_FEED_POINTS_H
#include "train/feed.h"
#include "train/points_items.h"

typedef struct fc_points_feed {
  fc_points        train, valid;
  fc_points_items *train_items, *valid_items; /* valid_items NULL: no validation data */
} fc_points_feed;

/* Scores of up to max_items items of k, spread evenly, shared by the ranks; with history, predictions are fed
   back for up to `frames` frames. */
fc_status fc_points_validate(fc_ctx *c, const fc_network *n, fc_points *p, const fc_points_items *k,
                             int64_t max_items, int64_t frames, fc_scores *out);
#endif
