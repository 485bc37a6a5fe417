/* train/feed_grid.h - windows of fields on a grid as a feed. */
#ifndef FC_FEED_GRID_H
#define FC_FEED_GRID_H
#include "train/feed.h"
#include "train/windows.h"

typedef struct fc_grid_feed {
  fc_source        train, valid;
  fc_windows      *train_windows, *valid_windows; /* valid_windows NULL: no validation data */
  int64_t          n_in, n_target;                /* frames of a window */
  int64_t          lo;                            /* first point of this rank's share of the first axis */
  const fc_domain *domain;                        /* ranks that share the grid; NULL: none */
  const fc_comm   *data;                          /* ranks with windows of their own */
} fc_grid_feed;

typedef struct fc_grid_batch { /* where the parts of a batch of n windows lie in its block, normalised */
  fc_real *input, *target;     /* [n, n_in, X.., C_in], [n, n_target, X.., C_out] */
  fc_real *params;             /* [n, p] */
} fc_grid_batch;
fc_grid_batch fc_grid_batch_at(const fc_windows *w, int64_t n, void *batch);
#endif
