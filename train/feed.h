/* train/feed.h - data as training sees it, of whatever kind: numbered items in any order, batches of them, a
   forward and backward pass over a batch, scores on what is kept for validation. Three kinds: windows of
   fields on a grid (train/feed_grid.c), frames of points (train/feed_points.c) and windows of series
   (train/feed_series.c). */
#ifndef FC_FEED_H
#define FC_FEED_H
#include "core/rng.h"
#include "hpc/domain.h"
#include "train/checkpoint.h"

enum { FC_SCORES = 5 };
typedef struct fc_scores {
  double v[FC_SCORES]; /* what they are: fc_feed_kind.score; NaN: not measured */
} fc_scores;

/* Fields and points: VRMSE in the data's units, mean over items, frames and channels (train/metrics.h), of
   the first predicted frame, and of more frames with predictions fed back (NaN for steady problems); base:
   persistence, for steady problems the training mean. */
enum { FC_SCORE_ONE_STEP, FC_SCORE_ONE_STEP_BASE, FC_SCORE_ROLLOUT, FC_SCORE_ROLLOUT_BASE };
/* Series: means over all windows of the validation part, in scaled numbers; beside them the forecast that
   repeats the last season. */
enum { FC_SCORE_LOSS, FC_SCORE_MSE, FC_SCORE_MAE, FC_SCORE_NAIVE_MSE, FC_SCORE_NAIVE_MAE };

typedef struct fc_turn { /* a batch on its way through the network */
  void   *batch;         /* NULL in dry contexts, which plan the largest one */
  int64_t n;             /* items of this rank */
  int64_t first, whole;  /* number of the first in the whole batch over all ranks; items of that */
  int64_t k, pushes;     /* frames per call, calls without gradient (grids) */
  double  weight;        /* the loss is multiplied by this before the backward pass */
} fc_turn;

typedef struct fc_feed fc_feed;

typedef struct fc_feed_kind {
  const char *items;                /* what its items are called: "windows" */
  const char *score[FC_SCORES + 1]; /* names of its scores, columns of log.csv */
  int         decides[2]; /* the first of these scores that is a number tells which weights are best */
  size_t      size;       /* of self, which is zero at first */
  /* Settings against model and data; the data opened, measured (unless plan_only), cut into items. Fills the
     numbers that the settings leave open, the normalisation in k and the facts in f. Collective. */
  fc_status (*open)(fc_feed *f, const fc_network *probe, fc_saved *k, bool plan_only);
  void (*close)(void *self);
  /* A batch of n items lies in one block of memory. fetch writes an item as number `at` of n; items come in
     order, at = 0 begins anew. Not for two threads at a time unless the feed is in memory. */
  int64_t (*batch_bytes)(const void *self, int64_t n);
  fc_status (*fetch)(void *self, int64_t item, int64_t n, int64_t at, void *batch);
  /* adds std times normal numbers to the inputs: by place in the whole batch, the same for any ranks */
  void (*noise)(const void *self, const fc_rng *r, double std, const fc_turn *t);
  /* Adds weight * gradient to the parameters and returns the loss (unweighted, mean over the n items). Leaves
     the arena as it found it; in a dry context nothing is computed. */
  double (*pass)(const void *self, fc_ctx *c, const fc_network *n, const fc_train_settings *t,
                 const fc_turn *turn);
  /* uses c's arena and leaves it as it was; collective */
  fc_status (*validate)(void *self, fc_ctx *c, const fc_network *n, const fc_train_settings *t,
                        fc_scores *out);
} fc_feed_kind;

struct fc_feed {
  const fc_feed_kind    *kind;
  void                  *self;
  const fc_process_grid *ranks;       /* who shares items, and who has items of its own */
  fc_cut                 cut;         /* how the ranks of a domain share the first axis of a grid */
  int64_t                items;       /* in an epoch */
  int64_t     data_bytes, held_bytes; /* kept in memory beside the batches; what of it is there now */
  bool        in_memory, validates, quiet;
  const char *measure; /* what the deciding score is, for the user */
};

extern const fc_feed_kind fc_feed_grid, fc_feed_points, fc_feed_series;

/* The kind that the settings name, or that fits model and data; k->settings.data.kind is then known. */
fc_status fc_feed_open(const fc_network *probe, fc_saved *k, const fc_process_grid *ranks, bool plan_only,
                       bool quiet, fc_feed *out);
/* tells a context who shares its batches */
void fc_feed_attach(const fc_feed *f, fc_ctx *c);
void fc_feed_close(fc_feed *f); /* fine if it was never opened */
/* the score by which weights are compared: less is better */
double fc_feed_score(const fc_feed *f, const fc_scores *s);
#endif
